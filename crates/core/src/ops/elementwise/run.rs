//! The forward half of every elementwise operation.

use crate::autograd::{inplace, is_grad_enabled};
use crate::backend::{self, Binary, Map, Ternary, Unary};
use crate::dims::broadcast_shapes;
use crate::ops::record::check_writable;
use crate::tensor::copy::expanded;
use crate::{Body, Category, DType, Device, Dims, Error, Result, Tensor};
use smallvec::SmallVec;
use std::sync::Arc;

/// What a kernel makes of the dtypes of its inputs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Computes in the promoted dtype and returns it.
    Promote,
    /// As `Promote`, after integers became the default floating dtype.
    Float,
    /// Computes in the promoted dtype and returns bool.
    Truth,
}

fn rule(kernel: Map) -> Rule {
    use Binary as B;
    use Unary as U;
    match kernel {
        Map::Unary(
            U::Neg
            | U::Abs
            | U::Sign
            | U::Square
            | U::Floor
            | U::Ceil
            | U::Round
            | U::Trunc
            | U::Frac
            | U::Relu
            | U::BitwiseNot
            | U::Clamp(..)
            | U::ClampInt(..)
            | U::Positive
            | U::Silu
            | U::Gelu
            | U::GeluTanh
            | U::LogSigmoid,
        ) => Rule::Promote,
        Map::Unary(U::LogicalNot | U::IsNan | U::IsInf | U::IsFinite | U::Signbit) => Rule::Truth,
        Map::Unary(_) => Rule::Float,
        Map::Binary(B::Eq | B::Ne | B::Lt | B::Le | B::Gt | B::Ge | B::LogicalAnd | B::LogicalOr | B::LogicalXor) => {
            Rule::Truth
        }
        Map::Binary(B::Div | B::Atan2 | B::Xlogy | B::Xlog1py | B::Copysign) => Rule::Float,
        Map::Binary(_) | Map::Ternary(_) => Rule::Promote,
    }
}

/// `torch.result_type`: dtypes of tensors with dimensions count first, then those of 0-dimensional tensors, then
/// numbers; a later group counts only where its category is higher.
pub(crate) fn result_type<'a>(inputs: impl IntoIterator<Item = (&'a Tensor, &'a Body)>) -> DType {
    // Dimensioned, zero-dimensional, number.
    let mut groups: [Option<DType>; 3] = [None; 3];
    for (tensor, body) in inputs {
        let (group, dtype) = match (tensor.is_wrapped_number(), body.shape.is_empty()) {
            (true, _) if body.dtype.is_floating_point() => (2, crate::default_dtype()),
            (true, _) => (2, body.dtype),
            (false, true) => (1, body.dtype),
            (false, false) => (0, body.dtype),
        };
        groups[group] = Some(groups[group].map_or(dtype, |d| d.promote(dtype)));
    }
    let combine = |higher: Option<DType>, lower: Option<DType>| match (higher, lower) {
        (Some(h), Some(l)) if l.category() > h.category() => Some(h.promote(l)),
        (h, l) => h.or(l),
    };
    let lower = combine(groups[1], groups[2]);
    combine(groups[0], lower).unwrap_or(crate::default_dtype())
}

/// The device that all inputs share; a 0-dimensional CPU tensor may join any.
fn common_device(op: &'static str, inputs: &[&Tensor], bodies: &[Body]) -> Result<Device> {
    let mut device: Option<Device> = None;
    for body in bodies {
        let own = body.device();
        if own == Device::Cpu && body.shape.is_empty() {
            continue;
        }
        match device {
            None => device = Some(own),
            Some(first) if first != own => return Err(mixed_devices(op, first, own)),
            Some(_) => {}
        }
    }
    debug_assert_eq!(inputs.len(), bodies.len());
    Ok(device.unwrap_or_else(|| bodies[0].device()))
}

#[cold]
pub(crate) fn mixed_devices(op: &'static str, first: Device, second: Device) -> Error {
    Error::runtime(
        op,
        format!("Expected all tensors to be on the same device, but found at least two devices, {first} and {second}!"),
    )
    .remedy("move one of them with `to(device)`")
}

/// Runs an elementwise kernel on its inputs; into `target` for an in-place operation.
pub(crate) fn run(
    op: &'static str,
    kernel: Map,
    inputs: &[&Tensor],
    target: Option<(&'static str, &Tensor)>,
) -> Result<Tensor> {
    let op = target.map_or(op, |(name, _)| name);
    let mut bodies: SmallVec<[Body; 3]> = inputs.iter().map(|t| t.body()).collect();
    let device = match bodies.iter().all(|b| b.device() == Device::Cpu) {
        true => Device::Cpu,
        false => common_device(op, inputs, &bodies)?,
    };
    let mut dtype = match bodies.iter().all(|b| b.dtype == bodies[0].dtype) && !inputs[0].is_wrapped_number() {
        true => bodies[0].dtype,
        // The condition of `where` does not take part.
        false if matches!(kernel, Map::Ternary(Ternary::Where)) => {
            result_type(inputs[1..].iter().copied().zip(&bodies[1..]))
        }
        false => result_type(inputs.iter().copied().zip(&bodies)),
    };
    let rule = rule(kernel);
    if rule == Rule::Float {
        dtype = dtype.to_float();
    }
    check_domain(op, kernel, dtype, &bodies)?;
    let shape = common_shape(op, &bodies)?;
    for body in &mut bodies {
        if body.device() != device {
            *body = Tensor::from_body(body.clone()).to(device)?.body();
        }
        if body.shape != shape {
            *body = expanded(op, body, &shape)?;
        }
    }
    let result = if rule == Rule::Truth { DType::Bool } else { dtype };
    let out = match target {
        Some((op, target)) => {
            inplace::check(op, target, inputs)?;
            let out = target.body();
            check_writable(op, &out, &shape, result)?;
            separate_overlapping(op, &out, &mut bodies)?;
            out
        }
        None => match reusable(inputs, &bodies, &shape, result) {
            Some(body) => body,
            None => Body::alloc(shape, result, device)?,
        },
    };
    let inputs: SmallVec<[&Body; 3]> = bodies.iter().collect();
    backend::of(device)?.map(kernel, compute_class(dtype), &inputs, &out)?;
    Ok(match target {
        Some((_, target)) => {
            target.changed();
            target.clone()
        }
        None => Tensor::from_body(out),
    })
}

/// The class of numbers that a dtype is computed in: f64, f32, or i64 for every integer and bool.
pub(crate) fn compute_class(dtype: DType) -> DType {
    match dtype {
        DType::F64 => DType::F64,
        d if d.is_floating_point() => DType::F32,
        _ => DType::I64,
    }
}

fn common_shape(op: &'static str, bodies: &[Body]) -> Result<Dims> {
    let mut shape = bodies[0].shape.clone();
    for body in &bodies[1..] {
        if body.shape != shape {
            shape = broadcast_shapes(op, &shape, &body.shape)?;
        }
    }
    Ok(shape)
}

/// PyTorch's refusals by dtype.
fn check_domain(op: &'static str, kernel: Map, dtype: DType, bodies: &[Body]) -> Result<()> {
    let refuse = |text: String| Err(Error::not_implemented(op, text));
    let is_bool = |b: &Body| b.dtype == DType::Bool;
    match kernel {
        Map::Binary(Binary::Sub) if bodies.iter().all(is_bool) => refuse(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.".into(),
        ),
        Map::Binary(Binary::Sub) if bodies.iter().any(is_bool) => refuse(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.".into(),
        ),
        Map::Unary(Unary::Neg) if dtype == DType::Bool => refuse(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.".into(),
        ),
        Map::Unary(Unary::BitwiseNot) if dtype.is_floating_point() => {
            refuse(format!("\"bitwise_not_cpu\" not implemented for '{}'", dtype.scalar_name()))
        }
        Map::Binary(k @ (Binary::BitwiseAnd | Binary::BitwiseOr | Binary::BitwiseXor)) if dtype.is_floating_point() => {
            let name = match k {
                Binary::BitwiseAnd => "bitwise_and_cpu",
                Binary::BitwiseOr => "bitwise_or_cpu",
                _ => "bitwise_xor_cpu",
            };
            refuse(format!("\"{name}\" not implemented for '{}'", dtype.scalar_name()))
        }
        Map::Unary(Unary::Silu | Unary::Gelu | Unary::GeluTanh | Unary::LogSigmoid)
            if dtype.category() != Category::Float =>
        {
            refuse(format!("\"{op}_cpu\" not implemented for '{}'", dtype.scalar_name()))
        }
        _ => Ok(()),
    }
}

/// Inputs that overlap the written tensor in part are PyTorch's error; the same elements are fine.
fn separate_overlapping(op: &'static str, out: &Body, inputs: &mut [Body]) -> Result<()> {
    for input in inputs {
        if out.overlaps(input) && !out.same_elements(input) {
            if input.is_contiguous() && out.is_contiguous() {
                return Err(Error::runtime(
                    op,
                    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation.",
                ));
            }
            let copy = Body::alloc(input.shape.clone(), input.dtype, input.device())?;
            backend::of(input.device())?.copy(input, &copy)?;
            *input = copy;
        }
    }
    Ok(())
}

/// Memory of an input that dies with this operation: its handle is the last, nobody else sees its storage, and
/// nothing is being recorded.
fn reusable(inputs: &[&Tensor], bodies: &[Body], shape: &Dims, dtype: DType) -> Option<Body> {
    let records = is_grad_enabled() && inputs.iter().any(|t| t.requires_grad());
    if records {
        return None;
    }
    let fits = |(tensor, body): &(&&Tensor, &Body)| {
        // One count for the tensor, one for the copy of its body here.
        Arc::strong_count(&tensor.0) == 1
            && Arc::strong_count(&body.storage) == 2
            && body.dtype == dtype
            && body.shape == *shape
            && body.is_contiguous()
            && !tensor.is_wrapped_number()
            && !tensor.requires_grad()
    };
    inputs.iter().zip(bodies).find(fits).map(|(_, body)| body.clone())
}
