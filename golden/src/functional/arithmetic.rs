//! Elementwise operations.

use super::{binary, operations, pair, unary};
use crate::Out;
use crate::value::Value;
use firebrick::Tensor;

unary! { UNARY;
    argwhere
    abs
    acos
    acosh
    angle
    asin
    asinh
    atan
    atanh
    bitwise_not
    ceil
    conj
    conj_physical
    cos
    cosh
    deg2rad
    digamma
    erf
    erfc
    erfinv
    exp
    exp2
    expm1
    floor
    frac
    i0
    imag
    isfinite
    isinf
    isnan
    isneginf
    isposinf
    isreal
    lgamma
    log
    log10
    log1p
    log2
    logical_not
    neg
    positive
    rad2deg
    real
    reciprocal
    relu
    rsqrt
    sgn
    sigmoid
    sign
    signbit
    sin
    sinc
    sinh
    sqrt
    square
    tan
    tanh
    trunc
    view_as_complex
    view_as_real
}

binary! { BINARY;
    bitwise_and
    bitwise_left_shift
    bitwise_or
    bitwise_right_shift
    bitwise_xor
    copysign
    eq
    float_power
    floor_divide
    fmod
    ge
    gt
    ldexp
    le
    lt
    mul
    ne
    pow
    remainder
    true_divide
    xlogy
}

pair! { PAIR;
    atan2
    fmax
    fmin
    gcd
    heaviside
    hypot
    lcm
    logaddexp
    logaddexp2
    logical_and
    logical_or
    logical_xor
    maximum
    minimum
}

operations! { ROWS;
    "add" |a| { let (x, y) = both(a)?; match a.maybe_scalar("alpha")? { None => x.add(y)?, Some(alpha) => x.add_alpha(y, alpha)? } };
    "sub" |a| { let (x, y) = both(a)?; match a.maybe_scalar("alpha")? { None => x.sub(y)?, Some(alpha) => x.sub_alpha(y, alpha)? } };
    "rsub" |a| { let (x, y) = both(a)?; x.rsub(y, a.scalar_or("alpha", 1)?)? };
    "div" |a| { let (x, y) = both(a)?; match a.maybe_text("rounding_mode")? { None => x.div(y)?, Some(mode) => x.div_rounding(y, mode)? } };
    "rdiv" |a| { let (x, y) = both(a)?; y.div(x)? };
    "complex" |a| { let (x, y) = (a.tensor("real")?, a.tensor("imag")?); Tensor::complex(&x, &y)? };
    "polar" |a| { let (x, y) = (a.tensor("abs")?, a.tensor("angle")?); Tensor::polar(&x, &y)? };
    "rpow" |a| { let (x, y) = both(a)?; x.rpow(y)? };
    "add_" |a| { let (x, y) = both(a)?; x.add_(y)?.clone() };
    "mul_" |a| { let (x, y) = both(a)?; x.mul_(y)?.clone() };
    "copy_" |a| { let (x, y) = both(a)?; x.copy_(&y)?.clone() };
    "zero_" |a| a.x()?.copy()?.zero_()?.clone();
    "fill" |a| { let x = a.x()?.copy()?; x.fill_(a.scalar("value")?)?; x };
    "special.entr" |a| a.x()?.entr()?;
    "special.log_ndtr" |a| a.x()?.log_ndtr()?;
    "special.ndtr" |a| a.x()?.ndtr()?;
    "special.xlog1py" |a| { let (x, y) = both(a)?; x.xlog1py(y)? };
    "round" |a| { let x = a.x()?; match a.maybe_int("decimals")? { None => x.round()?, Some(decimals) => x.round_decimals(decimals)? } };
    "logit" |a| { let x = a.x()?; x.logit(a.maybe_float("eps")?)? };
    "nan_to_num" |a| { let x = a.x()?; x.nan_to_num(a.maybe_float("nan")?, a.maybe_float("posinf")?, a.maybe_float("neginf")?)? };
    "clamp" |a| { let x = a.x()?; let (min, max) = (a.take("min"), a.take("max")); clamp(&x, min, max)? };
    "clamp_min" |a| { let x = a.tensor("input")?; x.clamp_min(operand(a.value("min")?)?)? };
    "clamp_max" |a| { let x = a.tensor("input")?; x.clamp_max(operand(a.value("max")?)?)? };
    "lerp" |a| { let (x, end) = (a.x()?, a.tensor("end")?); x.lerp(&end, operand(a.value("weight")?)?)? };
    "addcmul" |a| { let (x, t1, t2) = (a.x()?, a.tensor("tensor1")?, a.tensor("tensor2")?); x.addcmul(&t1, &t2, a.scalar_or("value", 1)?)? };
    "addcdiv" |a| { let (x, t1, t2) = (a.x()?, a.tensor("tensor1")?, a.tensor("tensor2")?); x.addcdiv(&t1, &t2, a.scalar_or("value", 1)?)? };
    // `x.where(condition, other)`, the form that the files record.
    "where" |a| { let (x, condition) = (operand(a.value("input")?)?, a.tensor("condition")?); Tensor::where_(&condition, x, operand(a.value("other")?)?)? };
    "isclose" |a| { let (x, y) = (a.x()?, a.tensor("other")?); x.isclose(&y, a.float_or("rtol", 1e-5)?, a.float_or("atol", 1e-8)?, a.flag("equal_nan")?)? };
    "allclose" |a| { let (x, y) = (a.x()?, a.tensor("other")?); x.allclose(&y, a.float_or("rtol", 1e-5)?, a.float_or("atol", 1e-8)?, a.flag("equal_nan")?)? };
    "equal" |a| { let (x, y) = (a.x()?, a.tensor("other")?); x.equal(&y)? };
    "item" |a| a.x()?.item_scalar()?;
    "result_type" |a| { let (x, y) = both(a)?; firebrick::Tensor::result_type(x, y)? };
}

/// The two operands of a call, a number as a tensor that counts as one in promotion.
fn both(a: &mut super::Args) -> Out<(Tensor, Tensor)> {
    Ok((operand(a.value("input")?)?, operand(a.value("other")?)?))
}

/// A tensor, or a number as a tensor that counts as one in promotion.
fn operand(value: Value) -> Out<Tensor> {
    use firebrick::Operand;
    match value {
        Value::Tensor(x) => Ok(x),
        other => Ok(super::number(&other)?.into_operand()?),
    }
}

/// `clamp` with bounds that are tensors, numbers or absent.
fn clamp(x: &Tensor, min: Option<Value>, max: Option<Value>) -> Out<Tensor> {
    Ok(match (min, max) {
        (Some(min), Some(max)) => x.clamp(operand(min)?, operand(max)?)?,
        (Some(min), None) => x.clamp_min(operand(min)?)?,
        (None, Some(max)) => x.clamp_max(operand(max)?)?,
        (None, None) => x.clone(),
    })
}
