//! Connectionist temporal classification: labels read off a longer sequence of log probabilities.

use super::Reduction;
use crate::autograd::{is_grad_enabled, refusing_gradients};
use crate::backend::{self, Alignment, Sequence};
use crate::ops::by_hand;
use crate::ops::devices::{same_device, values_for};
use crate::ops::record_all::Recorded;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{Body, DType, Dims, Error, Result, Tensor, TensorOptions};
use smallvec::smallvec;

const OP: &str = "ctc_loss";

/// How much of each sequence of a batch counts: a tensor of integers, or a list.
///
/// ```
/// # use firebrick_core::{Lengths, Tensor};
/// let lengths = [Lengths::from([5, 3]), Lengths::from(Tensor::new([5i64, 3])?)];
/// assert!(matches!(lengths, [Lengths::List(_), Lengths::Tensor(_)]));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum Lengths {
    /// A tensor of integers, one for each sequence.
    Tensor(Tensor),
    /// One number for each sequence.
    List(Vec<i64>),
}

impl Lengths {
    /// The numbers; `name` is the argument's.
    fn numbers(&self, name: &str) -> Result<Vec<i64>> {
        match self {
            Lengths::List(list) => Ok(list.clone()),
            Lengths::Tensor(x) => {
                let x = x.resolve(OP)?;
                match x.dtype() {
                    DType::U8 | DType::I8 | DType::I16 | DType::I32 | DType::I64 => x.to_vec(),
                    other => Err(Error::runtime(OP, format!("{name} must be integral")).given(other.to_string())),
                }
            }
        }
    }
}

impl From<Tensor> for Lengths {
    fn from(lengths: Tensor) -> Self {
        Lengths::Tensor(lengths)
    }
}

impl From<&Tensor> for Lengths {
    fn from(lengths: &Tensor) -> Self {
        Lengths::Tensor(lengths.clone())
    }
}

impl From<&Lengths> for Lengths {
    fn from(lengths: &Lengths) -> Self {
        lengths.clone()
    }
}

impl From<Vec<i64>> for Lengths {
    fn from(lengths: Vec<i64>) -> Self {
        Lengths::List(lengths)
    }
}

impl From<&[i64]> for Lengths {
    fn from(lengths: &[i64]) -> Self {
        Lengths::List(lengths.to_vec())
    }
}

impl<const N: usize> From<[i64; N]> for Lengths {
    fn from(lengths: [i64; N]) -> Self {
        Lengths::List(lengths.to_vec())
    }
}

/// PyTorch's words for arguments that do not fit each other.
fn refused(text: String) -> Error {
    Error::runtime(OP, format!("{text} (while checking arguments for ctc_loss_allocate_outputs)"))
}

/// PyTorch's checks of log probabilities `[t, n, c]`, labels and lengths, in its order; `[steps, labels]` of each.
fn check(x: &Tensor, targets: &Tensor, blank: i64, lengths: [&[i64]; 2]) -> Result<()> {
    if x.numel() == 0 {
        return Err(Error::runtime(OP, "log_probs tensor must not be empty"));
    }
    let ([_, labels], labelled) = (lengths, targets.shape());
    let [steps, batch, classes] = x.shape()[..] else {
        let text = format!("Expected 3-dimensional tensor, but got {}-dimensional tensor", x.dim());
        return Err(refused(format!("{text} for argument #1 'log_probs'")));
    };
    if !matches!(labelled.len(), 1 | 2) {
        let text = format!("Expected 1 to 2 dimensions, but got {}-dimensional tensor", labelled.len());
        return Err(refused(format!("{text} for argument #2 'targets'")));
    }
    if !(0..classes as i64).contains(&blank) {
        return Err(Error::runtime(OP, "blank must be in label range").given(blank.to_string()));
    }
    for (lengths, name) in lengths.into_iter().zip(["input_lengths", "target_lengths"]) {
        if lengths.len() != batch {
            return Err(Error::runtime(OP, format!("{name} must be of size batch_size"))
                .given(lengths.len().to_string())
                .expected(batch.to_string()));
        }
    }
    check_labels(&labelled, batch, labels)?;
    let at_least = |name, value| refused(format!("Expected {name} to have value at least 0, but got value {value}"));
    match lengths[0].iter().find(|&&length| !(0..=steps as i64).contains(&length)) {
        Some(&length) if length < 0 => Err(at_least("input_lengths", length)),
        Some(length) => {
            Err(refused(format!("Expected input_lengths to have value at most {steps}, but got value {length}")))
        }
        None => Ok(()),
    }
}

/// The part of [`check`] that is about targets in `shape`: padded rows, or all labels one after the other.
fn check_labels(shape: &Dims, batch: usize, lengths: &[i64]) -> Result<()> {
    let misfit = |expected: i64, dim: usize, least: &str| {
        let text = format!("Expected tensor to have size {least}{expected} at dimension {dim}");
        refused(format!("{text}, but got size {} for argument #2 'targets'", shape[dim]))
    };
    if shape.len() == 2 && shape[0] != batch {
        return Err(misfit(batch as i64, 0, ""));
    }
    if let Some(length) = lengths.iter().find(|&&length| length < 0) {
        return Err(refused(format!("Expected target_lengths to have value at least 0, but got value {length}")));
    }
    if shape.len() == 1 {
        let total = lengths.iter().fold(0i64, |total, &length| total.saturating_add(length));
        return if total == shape[0] as i64 { Ok(()) } else { Err(misfit(total, 0, "")) };
    }
    let longest = lengths.iter().copied().max().unwrap_or(0);
    if longest <= shape[1] as i64 { Ok(()) } else { Err(misfit(longest, 1, "at least ")) }
}

/// What each sequence is held against. The arguments have been checked.
fn alignment(x: &Tensor, targets: &Tensor, blank: i64, lengths: [&[i64]; 2]) -> Result<Alignment> {
    let (classes, row) = (x.shape()[2], targets.shape().get(1).copied());
    let mut next = 0;
    let sequences: Vec<Sequence> = (lengths[0].iter().zip(lengths[1]))
        .map(|(&steps, &count)| {
            let labels = next..next + count as usize;
            next = labels.start + row.unwrap_or(count as usize);
            Sequence { steps: steps as usize, labels }
        })
        .collect();
    let labels: Vec<i64> = values_for(OP, x.device(), &targets.detach().to(DType::I64)?, 0i64)?;
    let mut used = sequences.iter().flat_map(|sequence| &labels[sequence.labels.clone()]);
    if let Some(label) = used.find(|label| !(0..classes as i64).contains(label)) {
        // PyTorch reads whatever lies there.
        return Err(
            Error::index(OP, format!("Target {label} is out of bounds.")).expected(format!("0 <= target < {classes}"))
        );
    }
    // Padding may be anything and is never looked at.
    let labels = labels.into_iter().map(|label| label as usize).collect();
    Ok(Alignment { blank: blank as usize, labels, sequences, zero_infinity: false })
}

/// The loss of each sequence.
fn losses(x: &Tensor, alignment: Alignment) -> Result<Tensor> {
    if !matches!(x.dtype(), DType::F32 | DType::F64) {
        let text = format!("\"ctc_loss_cpu\" not implemented for '{}'", x.dtype().scalar_name());
        return Err(Error::not_implemented(OP, text));
    }
    let (shape, device) = (x.shape(), x.device());
    let longest = alignment.sequences.iter().map(|sequence| sequence.labels.len()).max().unwrap_or(0);
    let places = longest.saturating_mul(2).saturating_add(1);
    let alpha = Body::alloc(Dims::from_slice(&[shape[1], shape[0], places]), DType::F64, device)?;
    let exact = Body::alloc(Dims::from_slice(&[shape[1]]), DType::F64, device)?;
    backend::of(device)?.ctc_loss(&alignment, &x.detach().contiguous()?.body(), &alpha, &exact)?;
    let (alpha, exact) = (Tensor::from_body(alpha), Tensor::from_body(exact));
    let out = exact.to(x.dtype())?;
    // `to` hands back what has the dtype already, and a result with a history must not be saved by its own node.
    let out = if out.ptr_eq(&exact) { exact.copy()? } else { out };
    let recorded = Recorded {
        name: "CtcLossBackward0",
        inputs: &[Some(x)],
        saved: &[Some(x), Some(&alpha), Some(&exact)],
        outputs: &[&out],
        saves_outputs: false,
    };
    recorded.with(move |seen, grads, _| {
        let ([Some(x), Some(alpha), Some(exact)], Some(g)) = (&seen[..], &grads[0]) else { return Ok(smallvec![None]) };
        let out = Body::alloc(x.shape(), x.dtype(), x.device())?;
        let given = g.detach().to(DType::F64)?.contiguous()?.body();
        let x_body = x.detach().contiguous()?.body();
        backend::of(x.device())?.ctc_loss_grad(&alignment, &given, &x_body, [&alpha.body(), &exact.body()], &out)?;
        let out = Tensor::from_body(out);
        let twice = "derivative for aten::_ctc_loss_backward is not implemented";
        Ok(smallvec![Some(if is_grad_enabled() { refusing_gradients(&out, &[g, x], twice)? } else { out })])
    })?;
    Ok(out)
}

impl Tensor {
    /// Connectionist temporal classification of log probabilities `[t, n, c]`: `-ln p(labels)` of each sequence, where `p`
    /// sums over all ways to stretch the labels over the steps with `blank` between, before and after them.
    ///
    /// Graves et al., *Connectionist Temporal Classification*, ICML (2006). The labels are `targets` `[n, s]` of which
    /// `target_lengths` count, or one after the other in one dimension. The mean is that of each loss divided by its
    /// number of labels. Labels that do not fit into the steps have an infinite loss, or with `zero_infinity` a loss and a
    /// gradient of zero. Log probabilities `[t, c]` are one sequence.
    ///
    /// The gradient is PyTorch's: that of the logits that the log probabilities are a softmax of, which is the right
    /// one behind [`Tensor::log_softmax`] and nowhere else. It cannot be differentiated again.
    ///
    /// Unlike PyTorch 2.15, which reads other memory then, a label out of range is an error.
    ///
    /// # Errors
    /// Log probabilities without elements or in half precision; sizes and lengths that do not fit, a blank or a label out
    /// of range.
    ///
    /// ```
    /// # use firebrick_core::{Reduction, Tensor};
    /// // Two steps, each blank or the label with even odds: only two blanks do not read as the label.
    /// let x = Tensor::zeros([2, 1, 2])?.log_softmax(2)?;
    /// let loss = x.ctc_loss(&Tensor::new([[1i64]])?, [2], [1], 0, Reduction::None, false)?;
    /// assert!((loss.item::<f32>()? + 0.75f32.ln()).abs() < 1e-6);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn ctc_loss(
        &self,
        targets: &Tensor,
        input_lengths: impl Into<Lengths>,
        target_lengths: impl Into<Lengths>,
        blank: i64,
        reduction: Reduction,
        zero_infinity: bool,
    ) -> Result<Tensor> {
        let (x, targets) = (self.resolve(OP)?, targets.resolve(OP)?);
        same_device(OP, [x.device(), targets.device()])?;
        let steps = input_lengths.into().numbers("input_lengths")?;
        let labels = target_lengths.into().numbers("target_lengths")?;
        let batched = x.dim() == 3;
        let x = if batched { x } else { x.unsqueeze(1)? };
        check(&x, &targets, blank, [&steps, &labels])?;
        let alignment = alignment(&x, &targets, blank, [&steps, &labels])?;
        let mut loss = losses(&x, Alignment { zero_infinity, ..alignment })?;
        if zero_infinity {
            loss = loss.detach().new_zeros(())?.where_self(&loss.detach().eq(f64::INFINITY)?, &loss)?;
        }
        match reduction {
            Reduction::Mean => {
                let counts: Vec<f64> = labels.iter().map(|&count| count.max(1) as f64).collect();
                let options = TensorOptions::from(loss.dtype()).device(loss.device());
                loss.div(&Tensor::from_slice_with(&counts, [labels.len()], options)?)?.mean()
            }
            Reduction::None if !batched => loss.squeeze_dim(0),
            other => other.apply(&loss),
        }
    }
}

/// Logits in several layouts; the labels hold a repetition, and one sequence has none.
fn samples() -> Result<Vec<Sample>> {
    let sample = |traits, x: Tensor, targets: Tensor, lengths: [Vec<i64>; 2], reduction| {
        sample::one(traits, vec![x], move |x| {
            let [steps, labels] = lengths.clone();
            x[0].log_softmax(-1)?.ctc_loss(&targets.to(x[0].device())?, steps, labels, 1, reduction, true)
        })
    };
    let padded = Tensor::new([[2i64, 2, 0], [3, 0, -1]])?;
    let joined = Tensor::new([2i64, 3, 0])?;
    let (none, sum, mean) = (Reduction::None, Reduction::Sum, Reduction::Mean);
    let two = |a: [i64; 2], b: [i64; 2]| [a.to_vec(), b.to_vec()];
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&[6, 2, 4], 1)?, padded.clone(), two([6, 4], [3, 2]), none),
        sample(Trait::Plain, ANY.tensor(&[4, 2, 4], 2)?, joined, two([3, 4], [0, 3]), mean),
        // The labels of the first do not fit into its steps.
        sample(Trait::Plain, ANY.tensor(&[4, 2, 4], 3)?, padded.clone(), two([2, 4], [3, 2]), sum),
        sample(Trait::Strided, ANY.strided(&[5, 2, 4], 4)?, padded, two([5, 5], [3, 1]), none),
        // Log probabilities without elements are an error; labels need not have any.
        sample(Trait::Empty, ANY.tensor(&[3, 4], 5)?, Tensor::new([0i64; 0])?, [vec![3], vec![0]], none),
    ])
}

by_hand! {
    table: CTC;
    ctc_loss as "CtcLossBackward0": samples();
}
