//! Norms and distances.

use super::reductions::{back, typed};
use super::{Args, operations};
use crate::value::Value;
use crate::{Out, not_built};
use firebrick::{NormOrder, Sizes, Tensor, linalg};

operations! { ROWS;
    "norm" |a| norm(a, "p")?;
    "linalg.vector_norm" |a| norm(a, "ord")?;
    "linalg.matrix_norm" |a| {
        let (x, dtype) = typed(a)?;
        let ord = order(a, "ord")?.unwrap_or_else(|| "fro".into());
        back(linalg::matrix_norm(&x, ord, a.ints_or("dim", &[-2, -1])?, a.flag("keepdim")?)?, dtype)?
    };
    "linalg.norm" |a| {
        let (x, dtype) = typed(a)?;
        let ord = order(a, "ord")?;
        back(linalg::norm(&x, ord, a.ints_or("dim", &[])?, a.flag("keepdim")?)?, dtype)?
    };
    "dist" |a| { let (x, y) = (a.x()?, a.tensor("other")?); x.dist(&y, a.float_or("p", 2.0)?)? };
    "cdist" |a| {
        let (x, y) = (a.x()?, a.tensor("x2")?);
        let p = a.float_or("p", 2.0)?;
        x.cdist(&y, p, &a.text_or("compute_mode", "use_mm_for_euclid_dist_if_necessary")?)?
    };
    "renorm" |a| { let (x, p) = (a.x()?, a.float("p")?); let dim = a.int("dim")?; x.renorm(p, dim, a.float("maxnorm")?)? };
}

/// The order of a norm, where one was given.
fn order(a: &mut Args, name: &str) -> Out<Option<NormOrder>> {
    Ok(match a.take(name) {
        None => None,
        Some(Value::Text(text)) => Some(text.into()),
        Some(Value::Int(order)) => Some((order as f64).into()),
        Some(Value::Float(order)) => Some(order.into()),
        Some(other) => return not_built(format!("a norm of order {}", other.kind())),
    })
}

fn norm(a: &mut Args, name: &str) -> Out<Tensor> {
    let (x, dtype) = typed(a)?;
    let order = order(a, name)?.unwrap_or(NormOrder::Number(2.0));
    let (dims, keep) = (a.maybe_ints("dim")?, a.flag("keepdim")?);
    let out = match dims {
        None if !keep => x.norm(order)?,
        dims => x.norm_dim(order, dims.map_or_else(Sizes::default, Sizes::from), keep)?,
    };
    back(out, dtype)
}
