//! What each elementwise kernel makes of dtypes: which it computes in, which it returns, which it refuses.

use crate::backend::{Binary, Map, Ternary, Unary};
use crate::{Body, DType, Error, Result, Scalar, Tensor};

/// What a kernel makes of the dtypes of its inputs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Computes in the promoted dtype and returns it.
    Promote,
    /// As `Promote`, after integers became the default floating dtype.
    Float,
    /// Computes in the promoted dtype and returns bool.
    Truth,
    /// Computes in the dtype of the first input and returns it.
    First,
    /// As `Promote`; of complex numbers the result is real.
    Magnitude,
    /// As `Float`; of complex numbers the result is real.
    Argument,
}

impl Rule {
    /// The dtype of the result of a computation in `dtype`.
    #[inline]
    pub fn result(self, dtype: DType) -> DType {
        match self {
            Rule::Truth => DType::Bool,
            Rule::Magnitude | Rule::Argument => dtype.to_real(),
            _ => dtype,
        }
    }
}

#[inline]
pub(super) fn rule(kernel: Map) -> Rule {
    use Binary as B;
    use Unary as U;
    match kernel {
        Map::Unary(U::LogicalNot | U::IsNan | U::IsInf | U::IsPosInf | U::IsNegInf | U::IsFinite | U::Signbit)
        | Map::Binary(B::Eq | B::Ne | B::Lt | B::Le | B::Gt | B::Ge | B::LogicalAnd | B::LogicalOr | B::LogicalXor) => {
            Rule::Truth
        }
        Map::Unary(
            U::Sqrt
            | U::Rsqrt
            | U::Reciprocal
            | U::InverseSquare
            | U::Exp
            | U::Exp2
            | U::Expm1
            | U::Log
            | U::Log2
            | U::Log10
            | U::Log1p
            | U::Sin
            | U::Cos
            | U::Tan
            | U::Asin
            | U::Acos
            | U::Atan
            | U::Sinh
            | U::Cosh
            | U::Tanh
            | U::Asinh
            | U::Acosh
            | U::Atanh
            | U::Erf
            | U::Erfc
            | U::Erfinv
            | U::Lgamma
            | U::Digamma
            | U::Polygamma(_)
            | U::I0
            | U::I1
            | U::Sinc
            | U::Entr
            | U::LogNdtr
            | U::Logit
            | U::LogitEps(_)
            | U::Sigmoid
            | U::Deg2rad
            | U::Rad2deg,
        )
        | Map::Binary(B::Div | B::Atan2 | B::Xlogy | B::Xlog1py | B::Copysign | B::Ldexp) => Rule::Float,
        Map::Ternary(Ternary::MaskedFill | Ternary::Lerp) => Rule::First,
        Map::Unary(U::Abs) => Rule::Magnitude,
        Map::Unary(U::Angle) => Rule::Argument,
        Map::Unary(_) | Map::Binary(_) | Map::Ternary(_) => Rule::Promote,
    }
}

/// Does the kernel take a number in more digits than half precision has? The others round it to the dtype first.
#[inline]
pub(super) fn keeps_digits(kernel: Map) -> bool {
    matches!(kernel, Map::Binary(Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::AddScaled(_)))
}

/// Dtypes that a kernel has no loop for.
#[derive(Clone, Copy)]
enum Refused {
    Bool,
    BoolAndInteger,
    Float,
    BoolAndFloat,
}

/// PyTorch's name of the loop, as its error text gives it, and what the loop refuses.
#[inline]
fn refusal(kernel: Map) -> Option<(Refused, &'static str)> {
    use Binary as B;
    use Refused::*;
    use Unary as U;
    Some(match kernel {
        Map::Unary(kernel) => match kernel {
            U::Abs => (Bool, "abs_cpu"),
            U::Floor => (Bool, "floor_vml_cpu"),
            U::Ceil => (Bool, "ceil_vml_cpu"),
            U::Round => (Bool, "round_vml_cpu"),
            U::Trunc => (Bool, "trunc_vml_cpu"),
            U::Threshold(..) => (Bool, "threshold_cpu"),
            U::BitwiseNot => (Float, "bitwise_not_cpu"),
            U::Frac => (BoolAndInteger, "frac_cpu"),
            U::RoundDecimals(_) => (BoolAndInteger, "round_cpu"),
            U::Gelu | U::GeluTanh => (BoolAndInteger, "GeluKernelImpl"),
            U::Silu => (BoolAndInteger, "silu_cpu"),
            U::Softplus(..) => (BoolAndInteger, "softplus_cpu"),
            U::Elu(..) => (BoolAndInteger, "elu_cpu"),
            U::LeakyRelu(_) => (BoolAndInteger, "leaky_relu_cpu"),
            U::Hardsigmoid => (BoolAndInteger, "hardsigmoid_cpu"),
            U::Hardswish => (BoolAndInteger, "hardswish_cpu"),
            U::LogSigmoid => (BoolAndInteger, "log_sigmoid_cpu"),
            U::Mish => (BoolAndInteger, "mish_cpu"),
            U::Hardshrink(_) => (BoolAndInteger, "hardshrink_cpu"),
            U::Softshrink(_) => (BoolAndInteger, "softshrink_check"),
            _ => return None,
        },
        Map::Binary(kernel) => match kernel {
            B::Remainder => (Bool, "remainder_cpu"),
            B::Fmod => (Bool, "fmod_cpu"),
            B::FloorDivide => (Bool, "div_floor_cpu"),
            B::TruncDivide => (Bool, "div_trunc_cpu"),
            B::Pow => (Bool, "pow"),
            B::BitwiseAnd => (Float, "bitwise_and_cpu"),
            B::BitwiseOr => (Float, "bitwise_or_cpu"),
            B::BitwiseXor => (Float, "bitwise_xor_cpu"),
            B::LeftShift(_) => (BoolAndFloat, "lshift_cpu"),
            B::RightShift(_) => (BoolAndFloat, "rshift_cpu"),
            B::Gcd => (BoolAndFloat, "gcd_cpu"),
            B::Lcm => (BoolAndFloat, "lcm_cpu"),
            B::Hypot => (BoolAndInteger, "hypot_cpu"),
            B::Nextafter => (BoolAndInteger, "nextafter_cpu"),
            B::LogAddExp => (BoolAndInteger, "logaddexp_cpu"),
            B::LogAddExp2 => (BoolAndInteger, "logaddexp2_cpu"),
            _ => return None,
        },
        Map::Ternary(kernel) => match kernel {
            Ternary::Addcmul(_) => (Bool, "addcmul_cpu_out"),
            Ternary::Lerp => (BoolAndInteger, "lerp_kernel_tensor"),
            _ => return None,
        },
    })
}

/// Has the kernel a loop for every real floating dtype?
#[inline]
pub(super) fn takes_floats(kernel: Map) -> bool {
    !matches!(refusal(kernel), Some((Refused::Float | Refused::BoolAndFloat, _)))
}

/// PyTorch's refusals by dtype; `dtype` is the one computed in.
#[inline]
pub(super) fn check(op: &'static str, kernel: Map, dtype: DType, inputs: &[&Tensor], bodies: &[Body]) -> Result<()> {
    // What is left has a loop for every floating dtype.
    if dtype.is_floating_point() && !matches!(kernel, Map::Unary(Unary::BitwiseNot) | Map::Binary(_)) {
        return Ok(());
    }
    check_all(op, kernel, dtype, inputs, bodies)
}

fn check_all(op: &'static str, kernel: Map, dtype: DType, inputs: &[&Tensor], bodies: &[Body]) -> Result<()> {
    let refuse = |text: String| Err(Error::not_implemented(op, text));
    let is_bool = |b: &Body| b.dtype == DType::Bool;
    match kernel {
        Map::Binary(Binary::Sub) if bodies.iter().all(is_bool) => {
            return refuse("Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.".into());
        }
        Map::Binary(Binary::Sub) if bodies.iter().any(is_bool) => {
            return refuse("Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.".into());
        }
        Map::Unary(Unary::Neg) if dtype == DType::Bool => {
            return refuse("Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.".into());
        }
        Map::Unary(Unary::Relu) if dtype == DType::Bool => {
            return refuse("Boolean inputs not supported for relu".into());
        }
        Map::Unary(Unary::Hardtanh(..)) if dtype == DType::Bool => {
            return refuse("Bool inputs not supported for hardtanh".into());
        }
        Map::Ternary(Ternary::Clamp) if dtype == DType::Bool => {
            let name = if inputs[1].is_wrapped_number() { "clamp_scalar_cpu" } else { "clamp_cpu" };
            return refuse(format!("\"{name}\" not implemented for 'Bool'"));
        }
        Map::Binary(k @ (Binary::ClampMin | Binary::ClampMax))
            if dtype == DType::Bool && inputs[1].is_wrapped_number() =>
        {
            let end = if k == Binary::ClampMin { "min" } else { "max" };
            return refuse(format!("\"clamp_{end}_scalar_cpu\" not implemented for 'Bool'"));
        }
        Map::Binary(Binary::Ldexp) if bodies[1].dtype == DType::Bool && bodies[0].dtype.is_floating_point() => {
            return refuse("\"ldexp_cpu_exp\" not implemented for 'Bool'".into());
        }
        Map::Ternary(Ternary::Addcdiv(_)) if !dtype.is_differentiable() => return Err(integer_addcdiv(op)),
        // By a number, bool has powers.
        Map::Binary(Binary::Pow) if inputs[1].is_wrapped_number() => return Ok(()),
        _ => {}
    }
    if dtype.is_complex() {
        return crate::ops::complex::check(op, kernel, dtype);
    }
    let Some((refused, name)) = refusal(kernel) else { return Ok(()) };
    let has_loop = match refused {
        Refused::Bool => dtype != DType::Bool,
        Refused::BoolAndInteger => dtype.is_floating_point(),
        Refused::Float => !dtype.is_floating_point(),
        Refused::BoolAndFloat => dtype != DType::Bool && !dtype.is_floating_point(),
    };
    if has_loop {
        return Ok(());
    }
    let by_number = matches!(kernel, Map::Ternary(Ternary::Lerp)) && inputs[2].is_wrapped_number();
    let name = if by_number { "lerp_kernel_scalar" } else { name };
    refuse(format!("\"{name}\" not implemented for '{}'", dtype.scalar_name()))
}

fn integer_addcdiv(op: &'static str) -> Error {
    Error::runtime(
        op,
        "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) for float inputs. The future addcdiv behavior is just the latter implementation: (input + value * tensor1 / tensor2), for all dtypes.",
    )
}

/// PyTorch's check where a number is stored in an integer dtype; unsigned ones also take the negative of what they hold.
pub(crate) fn check_fits(op: &'static str, number: Scalar, dtype: DType) -> Result<()> {
    if !number.is_real() {
        return number.check_range(op, dtype);
    }
    let (low, high, name) = match dtype {
        DType::U8 => (-255.0, 255.0, "uint8_t"),
        DType::I8 => (-128.0, 127.0, "int8_t"),
        DType::I16 => (-32_768.0, 32_767.0, "int16_t"),
        DType::I32 => (-2_147_483_648.0, 2_147_483_647.0, "int"),
        _ => return Ok(()),
    };
    let value = number.to_f64().trunc();
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Error::runtime(op, format!("value cannot be converted to type {name} without overflow"))
        .given(format!("{}", number.to_f64())))
}

/// `torch.result_type`: dtypes of tensors with dimensions count first, then those of 0-dimensional tensors, then
/// numbers; a later group counts only where its category is higher.
pub(crate) fn result_type<'a>(inputs: impl IntoIterator<Item = (&'a Tensor, &'a Body)>) -> DType {
    // Dimensioned, zero-dimensional, number.
    let mut groups: [Option<DType>; 3] = [None; 3];
    for (tensor, body) in inputs {
        let (group, dtype) = match (tensor.is_wrapped_number(), body.shape.is_empty()) {
            (true, _) if body.dtype.is_floating_point() => (2, crate::default_dtype()),
            (true, _) if body.dtype.is_complex() => (2, crate::default_dtype().to_complex()),
            (true, _) => (2, body.dtype),
            (false, true) => (1, body.dtype),
            (false, false) => (0, body.dtype),
        };
        groups[group] = Some(groups[group].map_or(dtype, |d| d.promote(dtype)));
    }
    let combine = |higher: Option<DType>, lower: Option<DType>| match (higher, lower) {
        // A floating-point dtype keeps its width when it becomes complex.
        (Some(h), Some(l)) if h.is_floating_point() && l.is_complex() => Some(h.to_complex()),
        (Some(h), Some(l)) if l.category() > h.category() => Some(h.promote(l)),
        (h, l) => h.or(l),
    };
    let lower = combine(groups[1], groups[2]);
    combine(groups[0], lower).unwrap_or(crate::default_dtype())
}

impl Tensor {
    /// `torch.result_type(a, b)`: the dtype that an operation on the two computes in. Tensors with dimensions count
    /// first, then those without, then numbers; a later kind counts only where its category is higher.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// let x = Tensor::new([1i32, 2])?;
    /// assert_eq!(Tensor::result_type(&x, 2.5)?, DType::F32);
    /// assert_eq!(Tensor::result_type(&x, Tensor::scalar(7i64)?)?, DType::I32);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn result_type(a: impl crate::Operand, b: impl crate::Operand) -> Result<DType> {
        let (a, b) = (a.into_operand()?, b.into_operand()?);
        let bodies = (a.body(), b.body());
        Ok(result_type([(&a, &bodies.0), (&b, &bodies.1)]))
    }
}
