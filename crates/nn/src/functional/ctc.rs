//! Connectionist temporal classification.

use firebrick_core::{Lengths, Reduction, Result, Tensor};

/// Connectionist temporal classification: `-ln p(labels)` under log probabilities `[T, N, C]`, summed over all ways to
/// stretch the labels over the steps with blanks between them.
///
/// Graves et al., *Connectionist Temporal Classification*, ICML (2006). The labels are `targets` `[N, S]` of which
/// `target_lengths` count, or one after the other in one dimension; of the steps `input_lengths` count. The mean is that
/// of each loss divided by its number of labels. PyTorch's defaults are a blank of 0, the mean, and `false`: with
/// `zero_infinity` labels that do not fit into their steps have a loss of zero and no gradient, else one of infinity.
///
/// The gradient is right behind [`log_softmax`](crate::functional::log_softmax) and cannot be differentiated again, as in
/// PyTorch 2.15. Unlike there, a label out of range is an error.
///
/// # Shapes
/// Log probabilities `[T, N, C]`, or `[T, C]` for one sequence; losses `[N]` or `[]` before they are reduced.
///
/// # Errors
/// Log probabilities without elements or in half precision; sizes and lengths that do not fit; a blank or a label out of
/// range.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// // Two steps, each blank or the label with even odds: only two blanks do not read as the label.
/// let x = F::log_softmax(&Tensor::zeros([2, 1, 2])?, 2)?;
/// let loss = F::ctc_loss(&x, &Tensor::new([[1i64]])?, [2], [1], 0, nn::Reduction::Mean, false)?;
/// assert!((loss.item::<f32>()? + 0.75f32.ln()).abs() < 1e-6);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn ctc_loss(
    log_probs: &Tensor,
    targets: &Tensor,
    input_lengths: impl Into<Lengths>,
    target_lengths: impl Into<Lengths>,
    blank: i64,
    reduction: Reduction,
    zero_infinity: bool,
) -> Result<Tensor> {
    log_probs.ctc_loss(targets, input_lengths, target_lengths, blank, reduction, zero_infinity)
}
