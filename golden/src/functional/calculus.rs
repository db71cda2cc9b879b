//! Differences and integrals of samples.

use super::{Args, operations};
use crate::value::Value;
use crate::{Failure, Out};
use firebrick::{Sizes, Spacing, Tensor};

operations! { ROWS;
    "diff" |a| { let x = a.x()?; let (n, dim) = (a.int_or("n", 1)?, a.int_or("dim", -1)?); let prepend = a.maybe_tensor("prepend")?; let append = a.maybe_tensor("append")?; x.diff(n, dim, prepend.as_ref(), append.as_ref())? };
    "trapezoid" |a| integral(a, Tensor::trapezoid, Tensor::trapezoid)?;
    "trapz" |a| integral(a, Tensor::trapz, Tensor::trapz)?;
    "cumulative_trapezoid" |a| integral(a, Tensor::cumulative_trapezoid, Tensor::cumulative_trapezoid)?;
    "gradient" |a| gradient(a)?;
}

/// An integral over sample points, or with a distance.
fn integral(
    a: &mut Args,
    at: impl Fn(&Tensor, Tensor, i64) -> firebrick::Result<Tensor>,
    apart: impl Fn(&Tensor, f64, i64) -> firebrick::Result<Tensor>,
) -> Out<Tensor> {
    let y = a.tensor("y")?;
    let points = if a.has("dx") { None } else { a.maybe_tensor("x")? };
    Ok(match points {
        Some(x) => at(&y, x, a.int_or("dim", -1)?)?,
        None => {
            let dx = a.float_or("dx", 1.0)?;
            apart(&y, dx, a.int_or("dim", -1)?)?
        }
    })
}

fn gradient(a: &mut Args) -> Out<Vec<Tensor>> {
    let x = a.x()?;
    let spacing = match a.take("spacing") {
        None => Spacing::from(1),
        Some(Value::List(list) | Value::Tuple(list)) => match list.first() {
            Some(Value::Tensor(_)) => Spacing::Coordinates(super::tensors("spacing", list)?),
            _ => Spacing::Each(list.iter().map(super::number).collect::<Out<_>>()?),
        },
        Some(number) => Spacing::Even(super::number(&number)?),
    };
    let dims = a.maybe_ints("dim")?.map(Sizes::from);
    let edge_order = a.int_or("edge_order", 1)?;
    x.gradient(spacing, dims, edge_order).map_err(Failure::Error)
}
