//! Elementwise operations.

use super::{binary, operations, unary};
use crate::value::Value;
use crate::{Failure, Out};
use firebrick::{Scalar, Tensor};

unary! { UNARY;
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
    frexp
    i0
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
}

binary! { BINARY;
    atan2
    bitwise_and
    bitwise_left_shift
    bitwise_or
    bitwise_right_shift
    bitwise_xor
    copysign
    eq
    float_power
    floor_divide
    fmax
    fmin
    fmod
    gcd
    ge
    gt
    heaviside
    hypot
    lcm
    ldexp
    le
    logaddexp
    logaddexp2
    logical_and
    logical_or
    logical_xor
    lt
    maximum
    minimum
    mul
    ne
    pow
    remainder
    true_divide
    xlogy
}

operations! { ROWS;
    "add" |a| { let (x, y) = both(a)?; match a.maybe_scalar("alpha")? { None => x.add(y)?, Some(alpha) => x.add_scaled(y, alpha)? } };
    "sub" |a| { let (x, y) = both(a)?; match a.maybe_scalar("alpha")? { None => x.sub(y)?, Some(alpha) => x.sub_scaled(y, alpha)? } };
    "rsub" |a| { let (x, y) = both(a)?; match a.maybe_scalar("alpha")? { None => y.sub(x)?, Some(alpha) => y.sub_scaled(x, alpha)? } };
    "div" |a| { let (x, y) = both(a)?; match a.maybe_text("rounding_mode")?.as_deref() { None => x.div(y)?, Some("floor") => x.div_floor(y)?, Some(_) => x.div_trunc(y)? } };
    "rdiv" |a| { let (x, y) = both(a)?; y.div(x)? };
    "rpow" |a| { let (x, y) = both(a)?; y.pow(x)? };
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
    "clamp" |a| { let x = a.x()?; let (min, max) = (a.given("min"), a.given("max")); clamp(&x, min, max)? };
    "clamp_min" |a| { let x = a.x()?; match a.value("min")? { Value::Tensor(min) => x.clamp_min(&min)?, other => x.clamp_min(super::number(&other)?)? } };
    "clamp_max" |a| { let x = a.x()?; match a.value("max")? { Value::Tensor(max) => x.clamp_max(&max)?, other => x.clamp_max(super::number(&other)?)? } };
    "lerp" |a| { let (x, end) = (a.x()?, a.tensor("end")?); match a.value("weight")? { Value::Tensor(weight) => x.lerp(&end, &weight)?, other => x.lerp(&end, super::number(&other)?)? } };
    "addcmul" |a| { let (x, t1, t2) = (a.x()?, a.tensor("tensor1")?, a.tensor("tensor2")?); x.addcmul(&t1, &t2, a.scalar_or("value", 1)?)? };
    "addcdiv" |a| { let (x, t1, t2) = (a.x()?, a.tensor("tensor1")?, a.tensor("tensor2")?); x.addcdiv(&t1, &t2, a.scalar_or("value", 1)?)? };
    "where" |a| { let c = a.x()?; let (x, y) = (operand(a.value("input")?)?, operand(a.value("other")?)?); c.where_(&x, &y)? };
    "isclose" |a| { let (x, y) = (a.x()?, a.tensor("other")?); x.isclose(&y, a.float_or("rtol", 1e-5)?, a.float_or("atol", 1e-8)?, a.flag("equal_nan")?)? };
    "allclose" |a| { let (x, y) = (a.x()?, a.tensor("other")?); x.allclose(&y, a.float_or("rtol", 1e-5)?, a.float_or("atol", 1e-8)?, a.flag("equal_nan")?)? };
    "equal" |a| { let (x, y) = (a.x()?, a.tensor("other")?); x.equal(&y)? };
    "item" |a| a.x()?.item_scalar()?;
    "result_type" |a| { let (x, y) = both(a)?; firebrick::result_type(&x, &y)? };
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
    let bound = |value: Option<Value>| match value {
        None | Some(Value::None) => Ok(None),
        Some(Value::Tensor(bound)) => Ok(Some(Err(bound))),
        Some(other) => super::number(&other).map(|number| Some(Ok::<Scalar, Tensor>(number))),
    };
    Ok(match (bound(min)?, bound(max)?) {
        (None | Some(Err(_)), None | Some(Err(_))) => Err(Failure::NotBuilt("clamp between tensors".to_owned()))?,
        (min, max) => x.clamp(min.and_then(Result::ok), max.and_then(Result::ok))?,
    })
}
