//! Elementwise operations.

use super::{binary, operations, unary};
use crate::value::Value;
use crate::{Failure, Out};
use firebrick::{Scalar, Tensor};

unary! { UNARY;
    exp
    neg
    relu
}

binary! { BINARY;
    mul
}

operations! { ROWS;
    "add" |a| { let (x, y) = both(a)?; x.add(y)? };
    "sub" |a| { let (x, y) = both(a)?; x.sub(y)? };
    "rsub" |a| { let (x, y) = both(a)?; y.sub(x)? };
    "div" |a| { let (x, y) = both(a)?; x.div(y)? };
    "rdiv" |a| { let (x, y) = both(a)?; y.div(x)? };
    "add_" |a| { let (x, y) = both(a)?; x.add_(y)?.clone() };
    "mul_" |a| { let (x, y) = both(a)?; x.mul_(y)?.clone() };
    "copy_" |a| { let (x, y) = both(a)?; x.copy_(&y)?.clone() };
    "zero_" |a| a.x()?.copy()?.zero_()?.clone();
    "fill" |a| { let x = a.x()?.copy()?; x.fill_(a.scalar("value")?)?; x };
    "item" |a| a.x()?.item_scalar()?;
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

