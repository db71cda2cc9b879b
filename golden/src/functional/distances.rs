//! Distances, and the losses that ask for a margin or are a likelihood.

use super::losses::{pair, reduction};
use super::{Args, operations};
use crate::value::Value;
use crate::{Out, not_built};
use firebrick::nn::functional::{self as F, TripletMarginOptions};
use firebrick::nn::{Call, PairwiseDistance};
use firebrick::{Operand, Tensor};

operations! { ROWS;
    "nn.functional.poisson_nll_loss" |a| {
        let (x, y) = pair(a)?;
        let (log_input, full, _) = (a.bool_or("log_input", true)?, a.flag("full")?, a.take("size_average"));
        let (eps, _) = (a.float_or("eps", 1e-8)?, a.take("reduce"));
        F::poisson_nll_loss(&x, &y, log_input, full, eps, reduction(a)?)?
    };
    "nn.functional.gaussian_nll_loss" |a| {
        let ((x, y), var) = (pair(a)?, variance(a)?);
        let (full, eps) = (a.flag("full")?, a.float_or("eps", 1e-6)?);
        F::gaussian_nll_loss(&x, &y, var, full, eps, reduction(a)?)?
    };
    "nn.functional.hinge_embedding_loss" |a| { let (x, y) = pair(a)?; let margin = a.float_or("margin", 1.0)?; F::hinge_embedding_loss(&x, &y, margin, reduction(a)?)? };
    "nn.functional.margin_ranking_loss" |a| { let (x1, x2, y) = two(a)?; let margin = a.float_or("margin", 0.0)?; F::margin_ranking_loss(&x1, &x2, &y, margin, reduction(a)?)? };
    "nn.functional.cosine_embedding_loss" |a| { let (x1, x2, y) = two(a)?; let margin = a.float_or("margin", 0.0)?; F::cosine_embedding_loss(&x1, &x2, &y, margin, reduction(a)?)? };
    "nn.functional.soft_margin_loss" |a| { let (x, y) = pair(a)?; F::soft_margin_loss(&x, &y, reduction(a)?)? };
    "nn.functional.multi_margin_loss" |a| {
        let (x, y) = pair(a)?;
        let (p, margin, weight) = (a.int_or("p", 1)?, a.float_or("margin", 1.0)?, a.maybe_tensor("weight")?);
        F::multi_margin_loss(&x, &y, p, margin, weight.as_ref(), reduction(a)?)?
    };
    "nn.functional.multilabel_margin_loss" |a| { let (x, y) = pair(a)?; F::multilabel_margin_loss(&x, &y, reduction(a)?)? };
    "nn.functional.multilabel_soft_margin_loss" |a| { let (x, y) = pair(a)?; let weight = a.maybe_tensor("weight")?; F::multilabel_soft_margin_loss(&x, &y, weight.as_ref(), reduction(a)?)? };
    "nn.functional.triplet_margin_loss" |a| {
        let (anchor, positive, negative) = triplet(a)?;
        let (margin, p, eps) = (a.float_or("margin", 1.0)?, a.float_or("p", 2.0)?, a.float_or("eps", 1e-6)?);
        let options = TripletMarginOptions { margin, p, eps, swap: a.flag("swap")?, reduction: reduction(a)? };
        F::triplet_margin_loss(&anchor, &positive, &negative, &options)?
    };
    "nn.functional.triplet_margin_with_distance_loss" |a| {
        let ((anchor, positive, negative), distance) = (triplet(a)?, distance(a)?);
        let (margin, swap) = (a.float_or("margin", 1.0)?, a.flag("swap")?);
        let options = TripletMarginOptions { margin, swap, reduction: reduction(a)?, ..Default::default() };
        let distance = |x1: &Tensor, x2: &Tensor| distance.call((x1, x2));
        F::triplet_margin_with_distance_loss(&anchor, &positive, &negative, distance, &options)?
    };
    "nn.functional.cosine_similarity" |a| { let (x1, x2) = (a.x()?, a.tensor("x2")?); F::cosine_similarity(&x1, &x2, a.int_or("dim", 1)?, a.float_or("eps", 1e-8)?)? };
    "nn.functional.pairwise_distance" |a| { let (x1, x2) = (a.x()?, a.tensor("x2")?); F::pairwise_distance(&x1, &x2, a.float_or("p", 2.0)?, a.float_or("eps", 1e-6)?, a.flag("keepdim")?)? };
    "nn.functional.pdist" |a| { let x = a.x()?; F::pdist(&x, a.float_or("p", 2.0)?)? };
}

/// Two inputs and a target.
fn two(a: &mut Args) -> Out<(Tensor, Tensor, Tensor)> {
    Ok((a.x()?, a.tensor("input2")?, a.tensor("target")?))
}

/// Anchor, positive and negative.
fn triplet(a: &mut Args) -> Out<(Tensor, Tensor, Tensor)> {
    Ok((a.x()?, a.tensor("positive")?, a.tensor("negative")?))
}

/// Variances, or one number for all.
fn variance(a: &mut Args) -> Out<Tensor> {
    match a.value("var")? {
        Value::Tensor(var) => Ok(var),
        other => Ok(super::number(&other)?.into_operand()?),
    }
}

/// The distance that was given as a module.
pub fn distance(a: &mut Args) -> Out<PairwiseDistance> {
    let Some(value) = a.take("distance_function") else { return Ok(PairwiseDistance::new()) };
    match value {
        Value::Construct(made) if made.class == "PairwiseDistance" => pairwise(&mut Args::new(made.args, made.kwargs)),
        other => not_built(format!("a distance that is a {}", other.kind())),
    }
}

/// A `PairwiseDistance`.
pub fn pairwise(a: &mut Args) -> Out<PairwiseDistance> {
    let distance = PairwiseDistance::new().p(a.float_or("p", 2.0)?).eps(a.float_or("eps", 1e-6)?);
    Ok(distance.keepdim(a.flag("keepdim")?))
}
