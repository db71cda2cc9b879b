//! Losses.

use super::{Args, operations};
use crate::Out;
use firebrick::Tensor;
use firebrick::nn::functional::{self as F, KLDivReduction};
use firebrick::ops::Reduction;

operations! { ROWS;
    "nn.functional.mse_loss" |a| { let (x, y) = pair(a)?; x.mse_loss(&y, reduction(a)?)? };
    "nn.functional.l1_loss" |a| { let (x, y) = pair(a)?; x.l1_loss(&y, reduction(a)?)? };
    "nn.functional.smooth_l1_loss" |a| { let (x, y) = pair(a)?; let reduction = reduction(a)?; x.smooth_l1_loss(&y, reduction, a.float_or("beta", 1.0)?)? };
    "nn.functional.huber_loss" |a| { let (x, y) = pair(a)?; let reduction = reduction(a)?; x.huber_loss(&y, reduction, a.float_or("delta", 1.0)?)? };
    "nn.functional.kl_div" |a| { let (x, y) = pair(a)?; let reduction = divergence(a)?; F::kl_div_with(&x, &y, reduction, a.flag("log_target")?)? };
    "nn.functional.binary_cross_entropy" |a| { let (x, y) = pair(a)?; let weight = a.maybe_tensor("weight")?; x.binary_cross_entropy(&y, weight.as_ref(), reduction(a)?)? };
    "nn.functional.binary_cross_entropy_with_logits" |a| { let (x, y) = pair(a)?; let weight = a.maybe_tensor("weight")?; let reduction = reduction(a)?; x.binary_cross_entropy_with_logits(&y, weight.as_ref(), a.maybe_tensor("pos_weight")?.as_ref(), reduction)? };
    "nn.functional.nll_loss" |a| { let (x, y) = pair(a)?; let weight = a.maybe_tensor("weight")?; let ignored = a.int_or("ignore_index", -100)?; x.nll_loss(&y, weight.as_ref(), ignored, reduction(a)?)? };
    "nn.functional.cross_entropy" |a| { let (x, y) = pair(a)?; let weight = a.maybe_tensor("weight")?; let ignored = a.int_or("ignore_index", -100)?; let reduction = reduction(a)?; x.cross_entropy(&y, weight.as_ref(), ignored, reduction, a.float_or("label_smoothing", 0.0)?)? };
}

/// Input and target.
pub fn pair(a: &mut Args) -> Out<(Tensor, Tensor)> {
    Ok((a.x()?, a.tensor("target")?))
}

/// How elements become one number.
pub fn reduction(a: &mut Args) -> Out<Reduction> {
    Ok(Reduction::from_name(&a.text_or("reduction", "mean")?)?)
}

/// [`reduction`], or the one that only a divergence has.
pub fn divergence(a: &mut Args) -> Out<KLDivReduction> {
    match a.text_or("reduction", "mean")?.as_str() {
        "batchmean" => Ok(KLDivReduction::BatchMean),
        name => Ok(Reduction::from_name(name)?.into()),
    }
}
