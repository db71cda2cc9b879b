//! Negative log likelihood: one element of each row, weighted by its class.

use super::dense::{by_type, slice, slice_mut};

use crate::backend::{LossReduction, Nll};
use crate::tensor::Body;
use crate::{Element, Error, Result};

/// The class of one place; `None` where it is ignored.
fn class(nll: &Nll, target: i64) -> Result<Option<usize>> {
    if target == nll.ignore_index {
        return Ok(None);
    }
    match usize::try_from(target) {
        Ok(class) if class < nll.classes => Ok(Some(class)),
        _ => Err(Error::index("nll_loss", format!("Target {target} is out of bounds."))
            .expected(format!("0 <= target < {}", nll.classes))),
    }
}

/// Calls `f(place, class, index of the element in the input)` for every place that counts.
fn each(nll: &Nll, targets: &[i64], mut f: impl FnMut(usize, usize, usize)) -> Result<()> {
    for (place, &target) in targets.iter().enumerate() {
        if let Some(class) = class(nll, target)? {
            let (image, at) = (place / nll.places, place % nll.places);
            f(place, class, (image * nll.classes + class) * nll.places + at);
        }
    }
    Ok(())
}

/// # Safety
/// Bodies are contiguous, locked, f32 or f64 of one type (targets int64), and have the lengths that `nll` says.
pub(crate) unsafe fn forward(
    nll: &Nll,
    x: &Body,
    target: &Body,
    weight: Option<&Body>,
    out: &Body,
    total: &Body,
) -> Result<()> {
    by_type!(out, T => forward_of::<T>(nll, slice(x), slice(target), weight.map(|w| slice(w)), slice_mut(out), slice_mut(total)))
}

fn forward_of<T: Element>(
    nll: &Nll,
    x: &[T],
    targets: &[i64],
    weight: Option<&[T]>,
    out: &mut [T],
    total: &mut [T],
) -> Result<()> {
    let (mut sum, mut weights) = (0.0f64, 0.0f64);
    let each_alone = nll.reduction == LossReduction::None;
    if each_alone {
        out.fill(T::default());
    }
    each(nll, targets, |place, class, index| {
        let w = weight.map_or(1.0, |w| w[class].to_f64());
        let loss = -w * x[index].to_f64();
        if each_alone {
            out[place] = T::from_f64(loss);
        }
        sum += loss;
        weights += w;
    })?;
    if !each_alone {
        out[0] = T::from_f64(if nll.reduction == LossReduction::Mean { sum / weights } else { sum });
    }
    total[0] = T::from_f64(weights);
    Ok(())
}

/// # Safety
/// As [`forward`]; `out` is zero.
pub(crate) unsafe fn backward(
    nll: &Nll,
    g: &Body,
    target: &Body,
    weight: Option<&Body>,
    total: &Body,
    out: &Body,
) -> Result<()> {
    by_type!(out, T => backward_of::<T>(nll, slice(g), slice(target), weight.map(|w| slice(w)), slice::<T>(total)[0], slice_mut(out)))
}

fn backward_of<T: Element>(
    nll: &Nll,
    g: &[T],
    targets: &[i64],
    weight: Option<&[T]>,
    total: T,
    out: &mut [T],
) -> Result<()> {
    each(nll, targets, |place, class, index| {
        let w = weight.map_or(1.0, |w| w[class].to_f64());
        let grad = match nll.reduction {
            LossReduction::None => g[place].to_f64(),
            LossReduction::Sum => g[0].to_f64(),
            LossReduction::Mean => g[0].to_f64() / total.to_f64(),
        };
        out[index] = T::from_f64(-w * grad);
    })
}
