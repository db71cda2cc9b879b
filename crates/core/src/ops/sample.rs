//! Inputs for gradient checks: plain, broadcast, strided, empty and zero-dimensional.

use crate::{DType, Generator, Result, Tensor, TensorOptions};
use std::sync::Arc;

/// What makes a sample special.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trait {
    /// Contiguous, with elements.
    Plain,
    /// Inputs of different shapes.
    Broadcast,
    /// An input that is not contiguous.
    Strided,
    /// An input without elements.
    Empty,
    /// An input without dimensions.
    ZeroDim,
}

/// The function of a sample, from its inputs.
pub type Apply = Arc<dyn Fn(&[Tensor]) -> Result<Tensor> + Send + Sync>;

/// One call of an operation: f64 inputs that require grad, and the call.
pub struct Sample {
    /// What makes it special.
    pub traits: Trait,
    /// The differentiated inputs.
    pub inputs: Vec<Tensor>,
    /// The call.
    pub apply: Apply,
}

/// Where the elements of an input lie.
#[derive(Clone, Copy, Debug)]
pub struct Domain {
    /// Smallest value.
    pub low: f64,
    /// Largest value.
    pub high: f64,
}

/// Values on both sides of zero, none of them within 0.1 of it.
pub const ANY: Domain = Domain { low: -2.0, high: 2.0 };
/// Values above zero.
pub const POSITIVE: Domain = Domain { low: 0.3, high: 2.5 };
/// Values between -1 and 1.
pub const UNIT: Domain = Domain { low: -0.9, high: 0.9 };
/// Values above one.
pub const ABOVE_ONE: Domain = Domain { low: 1.2, high: 3.0 };

impl Domain {
    /// A tensor of this shape with elements from the domain, distinct and away from zero, where formulas have kinks.
    pub fn tensor(self, shape: &[usize], seed: u64) -> Result<Tensor> {
        let generator = Generator::new().manual_seed(seed);
        let numel: usize = shape.iter().product();
        let order = crate::random::randperm(&mut generator.lock(), numel)?;
        let step = (self.high - self.low) / numel.max(1) as f64;
        // Each seed has its own place between two steps, so that no element of one input equals one of another.
        let place = 0.3 + 0.4 * (seed as f64 * 0.618_034).fract();
        let value = |&rank: &i64| {
            let v = self.low + (rank as f64 + place) * step;
            if v.abs() < 0.1 { v.signum() * (0.1 + v.abs() * 0.5) } else { v }
        };
        let data: Vec<f64> = order.iter().map(value).collect();
        let tensor = Tensor::from_vec(data, shape)?;
        tensor.requires_grad_(true)?;
        Ok(tensor)
    }

    /// [`Domain::tensor`] that is not contiguous: every second element of a transposed larger one.
    pub fn strided(self, shape: &[usize], seed: u64) -> Result<Tensor> {
        let mut larger: Vec<usize> = shape.to_vec();
        let Some(last) = larger.last_mut() else { return self.tensor(shape, seed) };
        *last *= 2;
        larger.reverse();
        let rank = shape.len() as i64;
        let values = self.tensor(&larger, seed)?.detach().permute((0..rank).rev().collect::<Vec<i64>>())?;
        let picked = (0..shape[shape.len() - 1] as i64).map(|i| i * 2).collect::<Vec<i64>>();
        let pieces = picked.len();
        let strides: Vec<usize> =
            values.stride().iter().enumerate().map(|(d, &s)| if d + 1 == shape.len() { s * 2 } else { s }).collect();
        debug_assert_eq!(pieces, shape[shape.len() - 1]);
        let body = values.body().view(shape.into(), (&strides[..]).into(), 0);
        let tensor = Tensor::from_body(body);
        tensor.requires_grad_(true)?;
        Ok(tensor)
    }
}

/// A sample whose inputs are given.
pub fn one(
    traits: Trait,
    inputs: Vec<Tensor>,
    apply: impl Fn(&[Tensor]) -> Result<Tensor> + Send + Sync + 'static,
) -> Sample {
    Sample { traits, inputs, apply: Arc::new(apply) }
}

/// Samples of an elementwise operation on one tensor with elements from `domain`.
pub fn unary(domain: Domain, f: impl Fn(&Tensor) -> Result<Tensor> + Send + Sync + 'static) -> Result<Vec<Sample>> {
    let apply: Apply = Arc::new(move |x: &[Tensor]| f(&x[0]));
    let sample = |traits, input| Sample { traits, inputs: vec![input], apply: apply.clone() };
    Ok(vec![
        sample(Trait::Plain, domain.tensor(&[2, 3], 1)?),
        sample(Trait::Strided, domain.strided(&[3, 2], 2)?),
        sample(Trait::Empty, domain.tensor(&[2, 0], 3)?),
        sample(Trait::ZeroDim, domain.tensor(&[], 4)?),
    ])
}

/// Samples of an elementwise operation on two tensors.
pub fn pairs(
    domain: (Domain, Domain),
    f: impl Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync + 'static,
) -> Result<Vec<Sample>> {
    let apply: Apply = Arc::new(move |x: &[Tensor]| f(&x[0], &x[1]));
    let sample = |traits, a, b| Sample { traits, inputs: vec![a, b], apply: apply.clone() };
    let (a, b) = domain;
    Ok(vec![
        sample(Trait::Plain, a.tensor(&[2, 3], 1)?, b.tensor(&[2, 3], 2)?),
        sample(Trait::Broadcast, a.tensor(&[2, 1, 3], 3)?, b.tensor(&[4, 1], 4)?),
        sample(Trait::Strided, a.strided(&[3, 2], 5)?, b.strided(&[3, 2], 6)?),
        sample(Trait::Empty, a.tensor(&[2, 0], 7)?, b.tensor(&[2, 1], 8)?),
        sample(Trait::ZeroDim, a.tensor(&[], 9)?, b.tensor(&[], 10)?),
    ])
}

/// Double-precision zeros for arguments that are not differentiated.
pub fn zeros(shape: &[usize]) -> Result<Tensor> {
    Tensor::zeros_with(shape, TensorOptions::from(DType::F64))
}

/// Samples of a function of one tensor of this shape: plain, strided, and empty with the second shape.
pub fn shaped(
    shape: &[usize],
    empty: &[usize],
    f: impl Fn(&Tensor) -> Result<Tensor> + Send + Sync + 'static,
) -> Result<Vec<Sample>> {
    let apply: Apply = Arc::new(move |x: &[Tensor]| f(&x[0]));
    let sample = |traits, input| Sample { traits, inputs: vec![input], apply: apply.clone() };
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(shape, 1)?),
        sample(Trait::Strided, ANY.strided(shape, 2)?),
        sample(Trait::Empty, ANY.tensor(empty, 3)?),
    ])
}

/// Samples of a function of two tensors: plain, strided, and empty with the second pair of shapes.
pub fn shaped_pairs(
    shapes: (&[usize], &[usize]),
    empty: (&[usize], &[usize]),
    f: impl Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync + 'static,
) -> Result<Vec<Sample>> {
    let apply: Apply = Arc::new(move |x: &[Tensor]| f(&x[0], &x[1]));
    let sample = |traits, a, b| Sample { traits, inputs: vec![a, b], apply: apply.clone() };
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(shapes.0, 1)?, ANY.tensor(shapes.1, 2)?),
        sample(Trait::Strided, ANY.strided(shapes.0, 3)?, ANY.strided(shapes.1, 4)?),
        sample(Trait::Empty, ANY.tensor(empty.0, 5)?, ANY.tensor(empty.1, 6)?),
    ])
}

/// The elements of several results in one vector, so that one check sees them all.
pub fn joined(parts: Vec<Tensor>) -> Result<Tensor> {
    let flat = parts.iter().map(|part| part.reshape([-1])).collect::<Result<Vec<_>>>()?;
    Tensor::cat(&flat, 0)
}
