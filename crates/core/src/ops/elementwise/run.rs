//! The forward half of every elementwise operation.

use super::rules::{self, Rule, result_type};
use super::{layout, small};
use crate::autograd::{inplace, is_grad_enabled};
use crate::backend::{self, Binary, Map, Ternary, Unary};
use crate::dims::broadcast_shapes;
use crate::ops::devices::mixed_devices;
use crate::ops::record::check_writable;
use crate::tensor::copy::expanded;
use crate::tensor::layout::preserved_strides;
use crate::{Body, Category, DType, Device, Dims, Error, Result, Tensor};
use smallvec::SmallVec;
use std::sync::Arc;

/// The device that all inputs share; a 0-dimensional CPU tensor may join any.
fn common_device(op: &'static str, bodies: &[Body]) -> Result<Device> {
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
    Ok(device.unwrap_or_else(|| bodies[0].device()))
}

/// Runs an elementwise kernel on its inputs; into `target` for an in-place operation.
pub(crate) fn run(
    op: &'static str,
    kernel: Map,
    inputs: &[&Tensor],
    target: Option<(&'static str, &Tensor)>,
) -> Result<Tensor> {
    run_reusing(op, kernel, inputs, &[], target)
}

/// [`run`], into the memory of an input where that dies with the operation: `owned` says to which inputs it holds a
/// handle of its own.
pub(crate) fn run_reusing(
    op: &'static str,
    kernel: Map,
    inputs: &[&Tensor],
    owned: &[bool],
    target: Option<(&'static str, &Tensor)>,
) -> Result<Tensor> {
    if target.is_none()
        && !owned.contains(&true)
        && let Some(result) = small::run(kernel, inputs)
    {
        return result;
    }
    let op = target.map_or(op, |(name, _)| name);
    let mut bodies: SmallVec<[Body; 3]> = SmallVec::new();
    for input in inputs {
        bodies.push(input.body());
    }
    let rule = rules::rule(kernel);
    let alike = bodies[1..].iter().all(|b| is_alike(b, &bodies[0])) && !inputs[0].is_wrapped_number();
    let mut dtype = match alike || rule == Rule::First {
        true => bodies[0].dtype,
        false => promoted(kernel, inputs, &bodies),
    };
    if matches!(rule, Rule::Float | Rule::Argument) {
        dtype = dtype.to_float();
    }
    rules::check(op, kernel, dtype, inputs, &bodies)?;
    let is_plain = alike && bodies.iter().all(Body::is_row_major);
    let (shape, device) = match alike {
        true => (bodies[0].shape.clone(), bodies[0].device()),
        false => common(op, &bodies)?,
    };
    let strides = match is_plain || target.is_some() {
        true => None,
        false => layout::of_result(kernel, dtype, &shape, inputs, &bodies),
    };
    if !alike {
        bring_together(op, kernel, dtype, (&shape, device), &mut bodies)?;
    }
    let result = rule.result(dtype);
    let out = match target {
        Some((op, target)) => {
            inplace::check(op, target, inputs)?;
            let out = target.body();
            check_target(op, kernel, &out, &shape, result, inputs)?;
            separate_overlapping(op, &out, &mut bodies)?;
            out
        }
        None => match reusable(inputs, owned, &bodies, (&shape, strides.as_ref()), result) {
            Some(body) => body,
            None if is_plain && result.size() <= dtype.size() => Body::alloc_like(&bodies[0], result)?,
            None => Body::alloc_in(shape, strides, result, device)?,
        },
    };
    launch(kernel, dtype, device, &bodies, &out)?;
    Ok(match target {
        Some((_, target)) => {
            target.changed();
            target.clone()
        }
        None => Tensor::from_body(out),
    })
}

#[inline]
fn launch(kernel: Map, dtype: DType, device: Device, bodies: &[Body], out: &Body) -> Result<()> {
    // A kernel chosen by the value of an operand does not read the operand.
    let arity = match kernel {
        Map::Unary(_) => 1,
        Map::Binary(_) => 2,
        Map::Ternary(_) => 3,
    };
    let mut sources = [&bodies[0]; 3];
    for (source, body) in sources.iter_mut().zip(bodies) {
        *source = body;
    }
    backend::of(device)?.map(kernel.for_dtype(dtype), compute_class(dtype), &sources[..arity], out)
}

/// The gradient of an operation by one kernel of `g` and `x`; while a graph of the gradient is recorded, by the
/// `composed` formula instead.
pub(crate) fn fused(
    kernel: Binary,
    g: &Tensor,
    x: &Tensor,
    composed: impl FnOnce() -> Result<Tensor>,
) -> Result<Tensor> {
    if is_grad_enabled() { composed() } else { run("backward", kernel.into(), &[g, x], None) }
}

#[inline]
pub(super) fn is_alike(a: &Body, b: &Body) -> bool {
    a.dtype == b.dtype && a.shape == b.shape && a.device() == b.device()
}

/// The dtype that the inputs promote to; the condition of `where` does not take part.
fn promoted(kernel: Map, inputs: &[&Tensor], bodies: &[Body]) -> DType {
    let first = usize::from(matches!(kernel, Map::Ternary(Ternary::Where)));
    result_type(inputs[first..].iter().copied().zip(&bodies[first..]))
}

/// The shape and device that inputs of different kinds are brought to.
fn common(op: &'static str, bodies: &[Body]) -> Result<(Dims, Device)> {
    let device = common_device(op, bodies)?;
    Ok((common_shape(op, bodies)?, device))
}

/// Brings inputs to one shape and device, and to values that `dtype` holds.
fn bring_together(
    op: &'static str,
    kernel: Map,
    dtype: DType,
    (shape, device): (&Dims, Device),
    bodies: &mut [Body],
) -> Result<()> {
    let mask = layout::mask(kernel);
    for (i, body) in bodies.iter_mut().enumerate() {
        let exact = Some(i) == mask || (rules::keeps_digits(kernel) && body.shape.is_empty());
        if !exact && loses(body.dtype, dtype) {
            let cast = Body::alloc_in(body.shape.clone(), preserved_strides(body), dtype, body.device())?;
            backend::of(body.device())?.copy(body, &cast)?;
            *body = cast;
        }
        if body.device() != device {
            *body = Tensor::from_body(body.clone()).to(device)?.body();
        }
        if body.shape != *shape {
            *body = expanded(op, body, shape)?;
        }
    }
    Ok(())
}

/// Can a value of `from` change when it is cast to `to`, other than by what the kernel's own conversion does?
fn loses(from: DType, to: DType) -> bool {
    match to {
        _ if from.is_complex() => !to.is_complex(),
        DType::F16 | DType::BF16 => from.size() > 1 && from != to,
        _ if to.category() == Category::Integer => {
            from.category() == Category::Integer && from != to && from.size() >= to.size()
        }
        _ => false,
    }
}

/// Can the result be written into the target?
fn check_target(
    op: &'static str,
    kernel: Map,
    out: &Body,
    shape: &Dims,
    result: DType,
    inputs: &[&Tensor],
) -> Result<()> {
    if matches!(kernel, Map::Unary(Unary::Abs)) && out.dtype.is_complex() {
        return Err(Error::runtime(op, "In-place abs is not supported for complex tensors."));
    }
    if layout::clamps(kernel) && !result.can_cast(out.dtype) && inputs[1].is_wrapped_number() {
        // PyTorch names the second type as C++ does, here only.
        let (from, to) = (result.scalar_name(), out.dtype.c_name());
        return Err(Error::runtime(op, format!("result type {from} can't be cast to the desired output type {to}")));
    }
    check_writable(op, out, shape, result)
}

/// The class of numbers that a dtype is computed in: f64, f32, complex128, or i64 for every integer and bool.
pub(crate) fn compute_class(dtype: DType) -> DType {
    match dtype {
        DType::F64 => DType::F64,
        DType::C64 | DType::C128 => DType::C128,
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

/// Inputs that overlap the written tensor in part are PyTorch's error; the same elements are fine.
pub(crate) fn separate_overlapping(op: &'static str, out: &Body, inputs: &mut [Body]) -> Result<()> {
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
fn reusable(
    inputs: &[&Tensor],
    owned: &[bool],
    bodies: &[Body],
    (shape, strides): (&Dims, Option<&Dims>),
    dtype: DType,
) -> Option<Body> {
    if !owned.contains(&true) {
        return None;
    }
    let records = is_grad_enabled() && inputs.iter().any(|t| t.requires_grad());
    if records {
        return None;
    }
    let fits = |(_, (tensor, body)): &(&bool, (&&Tensor, &Body))| {
        // One count for the tensor, one for the copy of its body here.
        Arc::strong_count(&tensor.0) == 1
            && Arc::strong_count(&body.storage) == 2
            && body.dtype == dtype
            && body.shape == *shape
            && strides.map_or_else(|| body.is_row_major(), |strides| body.strides == *strides)
            && !tensor.is_wrapped_number()
            && !tensor.requires_grad()
    };
    let candidates = owned.iter().zip(inputs.iter().zip(bodies)).filter(|&(&owned, _)| owned);
    candidates.into_iter().find(fits).map(|(_, (_, body))| body.clone())
}
