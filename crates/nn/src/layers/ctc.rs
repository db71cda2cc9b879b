//! Connectionist temporal classification as a module.

use crate::{Core, Forward, Module, functional};
use firebrick_core::{Lengths, Reduction, Result, Tensor};

/// Connectionist temporal classification: `-ln p(labels)` under log probabilities; see
/// [`ctc_loss`](crate::functional::ctc_loss).
///
/// Graves et al., *Connectionist Temporal Classification*, ICML (2006).
///
/// # Shapes
/// Log probabilities `[T, N, C]` or `[T, C]`, labels `[N, S]` or one after the other, and two times `N` lengths, as
/// tensors or as lists.
///
/// # Errors
/// When called: sizes and lengths that do not fit; a blank or a label out of range.
///
/// ```
/// use firebrick::prelude::*;
/// let loss = nn::CTCLoss::new().zero_infinity(true);
/// assert_eq!(loss.to_string(), "CTCLoss()");
/// let x = Tensor::zeros([2, 1, 2])?.log_softmax(2)?;
/// // Three labels do not fit into two steps.
/// let value = loss.call((&x, Tensor::new([[1i64, 1, 1]])?, vec![2], vec![3]))?;
/// assert_eq!(value.item::<f32>()?, 0.0);
/// // The mean divides by the number of labels, here by two.
/// let (x, labels) = (Tensor::zeros([3, 1, 4])?.log_softmax(2)?, Tensor::new([[1i64, 2]])?);
/// let of = |loss: nn::CTCLoss| loss.call((&x, &labels, vec![3], vec![2]));
/// assert_eq!(of(nn::CTCLoss::new())?.to_string(), "tensor(1.2747)");
/// assert_eq!(of(nn::CTCLoss::new().reduction(nn::Reduction::None))?.to_string(), "tensor([2.5494])");
/// // Which class stands for no label.
/// let x = Tensor::new([[[0.0f32, 1.0]], [[0.0, 1.0]]])?.log_softmax(2)?;
/// let blank = |class: i64, label: i64| {
///     nn::CTCLoss::new().blank(class).call((&x, Tensor::new([[label]])?, vec![2], vec![1]))
/// };
/// assert_eq!(blank(0, 1)?.to_string(), "tensor(0.0751)");
/// assert_eq!(blank(1, 0)?.to_string(), "tensor(0.7645)");
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
pub struct CTCLoss {
    core: Core,
    #[module(skip)]
    blank: i64,
    #[module(skip)]
    reduction: Reduction,
    #[module(skip)]
    zero_infinity: bool,
}

impl CTCLoss {
    /// The loss with PyTorch's defaults.
    pub fn new() -> Self {
        CTCLoss { core: Core::new(), blank: 0, reduction: Reduction::Mean, zero_infinity: false }
    }

    /// The class that stands for no label; 0 unless set.
    pub fn blank(mut self, blank: i64) -> Self {
        self.blank = blank;
        self
    }

    /// What becomes of the losses of a batch; unless set the mean, each divided by its number of labels.
    pub fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// Are infinite losses and their gradients zero? They are not unless set.
    pub fn zero_infinity(mut self, on: bool) -> Self {
        self.zero_infinity = on;
        self
    }

    fn of(&self, log_probs: &Tensor, targets: &Tensor, inputs: Lengths, labels: Lengths) -> Result<Tensor> {
        functional::ctc_loss(log_probs, targets, inputs, labels, self.blank, self.reduction, self.zero_infinity)
    }
}

impl Default for CTCLoss {
    fn default() -> Self {
        Self::new()
    }
}

impl Forward<(Tensor, Tensor, Tensor, Tensor)> for CTCLoss {
    fn forward(&self, (log_probs, targets, inputs, labels): (Tensor, Tensor, Tensor, Tensor)) -> Result<Tensor> {
        self.of(&log_probs, &targets, inputs.into(), labels.into())
    }
}

impl Forward<(Tensor, Tensor, Vec<i64>, Vec<i64>)> for CTCLoss {
    fn forward(&self, (log_probs, targets, inputs, labels): (Tensor, Tensor, Vec<i64>, Vec<i64>)) -> Result<Tensor> {
        self.of(&log_probs, &targets, inputs.into(), labels.into())
    }
}
