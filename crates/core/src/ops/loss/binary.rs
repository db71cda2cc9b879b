//! Binary cross entropy, of probabilities and of logits.

use super::Reduction;
use super::pointwise::Pointwise;
use crate::backend::PointwiseLoss;
use crate::dims::broadcast_shapes;
use crate::ops::by_hand;
use crate::ops::devices::same_device;
use crate::ops::sample::{self, ANY, Domain, Sample, Trait};
use crate::{Error, Result, Tensor};

/// Values between zero and one.
const INSIDE: Domain = Domain { low: 0.15, high: 0.85 };

/// The weight stretched to the shape of the target, or PyTorch's error.
fn stretched(op: &'static str, weight: &Tensor, target: &Tensor) -> Result<Tensor> {
    let (own, shape) = (weight.shape(), target.shape());
    let misfit = own.iter().rev().zip(shape.iter().rev()).position(|(&a, &b)| a != b && a != 1);
    if let Some(at) = misfit {
        return Err(Error::runtime(
            op,
            format!(
                "Attempting to broadcast a dimension of length {} at -{}! Mismatching argument at index 1 had {own}; but expected shape should be broadcastable to {shape:?}",
                own[own.len() - 1 - at],
                at + 1
            ),
        ));
    }
    weight.expand(shape)
}

impl Tensor {
    /// Binary cross entropy of probabilities: `-(y log(x) + (1 - y) log(1 - x)) * weight`, reduced. Logarithms are cut
    /// off at -100, as in PyTorch.
    ///
    /// # Errors
    /// A target of another shape or dtype; elements outside of 0 to 1; a weight that does not broadcast.
    ///
    /// ```
    /// # use firebrick_core::{Reduction, Tensor};
    /// let loss = Tensor::new([0.5f64])?.binary_cross_entropy(&Tensor::new([1.0f64])?, None, Reduction::Mean)?;
    /// assert_eq!(loss.item::<f64>()?, 2f64.ln());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn binary_cross_entropy(
        &self,
        target: &Tensor,
        weight: Option<&Tensor>,
        reduction: Reduction,
    ) -> Result<Tensor> {
        const OP: &str = "binary_cross_entropy";
        let (x, y) = (self.resolve(OP)?, target.resolve(OP)?);
        same_device(OP, [Some(&x), Some(&y), weight].into_iter().flatten().map(Tensor::device))?;
        if x.shape() != y.shape() {
            return Err(Error::value(
                OP,
                format!(
                    "Using a target size ({}) that is different to the input size ({}) is deprecated. Please ensure they have the same size.",
                    y.shape(),
                    x.shape()
                ),
            ));
        }
        let weight = weight.map(|w| stretched(OP, &w.resolve(OP)?, &y)).transpose()?;
        for other in [Some(&y), weight.as_ref()].into_iter().flatten() {
            if other.dtype() != x.dtype() {
                let (found, expected) = (other.dtype().scalar_name(), x.dtype().scalar_name());
                return Err(Error::runtime(OP, format!("Found dtype {found} but expected {expected}")));
            }
        }
        if !x.is_floating_point() {
            let text = format!("\"binary_cross_entropy\" not implemented for '{}'", x.dtype().scalar_name());
            return Err(Error::not_implemented(OP, text));
        }
        Pointwise {
            op: OP,
            name: "BinaryCrossEntropyBackward0",
            loss: PointwiseLoss::BinaryCrossEntropy,
            x: &x,
            y: &y,
            weight: weight.as_ref(),
            pos_weight: None,
            reduction,
        }
        .run()
    }

    /// Binary cross entropy of logits: [`Tensor::binary_cross_entropy`] of the sigmoid, without its overflow. `pos_weight`
    /// weighs the part of the positive targets.
    ///
    /// # Errors
    /// A target of another shape, or of integers; weights that do not broadcast.
    ///
    /// ```
    /// # use firebrick_core::{Reduction, Tensor};
    /// let (x, y) = (Tensor::new([0.0f64])?, Tensor::new([1.0f64])?);
    /// let loss = x.binary_cross_entropy_with_logits(&y, None, None, Reduction::Mean)?;
    /// assert_eq!(loss.item::<f64>()?, 2f64.ln());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn binary_cross_entropy_with_logits(
        &self,
        target: &Tensor,
        weight: Option<&Tensor>,
        pos_weight: Option<&Tensor>,
        reduction: Reduction,
    ) -> Result<Tensor> {
        const OP: &str = "binary_cross_entropy_with_logits";
        let (x, y) = (self.resolve(OP)?, target.resolve(OP)?);
        same_device(OP, [Some(&x), Some(&y), weight, pos_weight].into_iter().flatten().map(Tensor::device))?;
        if x.shape() != y.shape() {
            return Err(Error::value(
                OP,
                format!("Target size ({}) must be the same as input size ({})", y.shape(), x.shape()),
            ));
        }
        let dtype = x.dtype().promote(y.dtype());
        if !y.is_floating_point() {
            let (result, wanted) = (dtype.to_float().scalar_name(), y.dtype().scalar_name());
            let text = format!("result type {result} can't be cast to the desired output type {wanted}");
            return Err(Error::runtime(OP, text).remedy("convert the target to a floating-point dtype"));
        }
        let factor = |t: Option<&Tensor>| t.map(|t| t.resolve(OP)?.to(dtype)).transpose();
        let (weight, pos_weight) = (factor(weight)?, factor(pos_weight)?);
        if let Some(pos_weight) = &pos_weight {
            broadcast_shapes(OP, &pos_weight.shape(), &y.shape())?;
        }
        Pointwise {
            op: OP,
            name: "BinaryCrossEntropyWithLogitsBackward0",
            loss: PointwiseLoss::BinaryCrossEntropyWithLogits,
            x: &x.to(dtype)?,
            y: &y.to(dtype)?,
            weight: weight.as_ref(),
            pos_weight: pos_weight.as_ref(),
            reduction,
        }
        .run()
    }
}

/// Inputs and targets of one shape, with and without the weights that `f` adds.
fn samples(domain: Domain, f: fn(&[Tensor], bool) -> Result<Tensor>) -> Result<Vec<Sample>> {
    let sample = |traits, x: Tensor, weighted: bool| -> Result<Sample> {
        let y = INSIDE.tensor(&x.shape(), 31)?;
        Ok(sample::one(traits, vec![x, y], move |x| f(x, weighted)))
    };
    Ok(vec![
        sample(Trait::Plain, domain.tensor(&[2, 3], 1)?, false)?,
        sample(Trait::Plain, domain.tensor(&[2, 3], 2)?, true)?,
        sample(Trait::Strided, domain.strided(&[3, 2], 3)?, true)?,
        sample(Trait::Empty, domain.tensor(&[0, 2], 4)?, false)?,
        sample(Trait::ZeroDim, domain.tensor(&[], 5)?, false)?,
    ])
}

/// A factor for each column.
fn columns(x: &Tensor) -> Result<Tensor> {
    Tensor::arange(x.size(-1)?)?.to(crate::DType::F64)?.add(0.5)
}

by_hand! {
    table: BINARY;
    binary_cross_entropy as "BinaryCrossEntropyBackward0": samples(INSIDE, |x, weighted| {
        let weight = if weighted { Some(columns(&x[0])?) } else { None };
        x[0].binary_cross_entropy(&x[1], weight.as_ref(), Reduction::Sum)
    });
    binary_cross_entropy_with_logits as "BinaryCrossEntropyWithLogitsBackward0": samples(ANY, |x, weighted| {
        let weight = if weighted { Some(columns(&x[0])?) } else { None };
        x[0].binary_cross_entropy_with_logits(&x[1], None, weight.as_ref(), Reduction::None)
    });
}
