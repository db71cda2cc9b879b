//! Counting, and positions of what counts.

use super::run::{no_derivative, not_implemented, without_gradient};
use crate::ops::devices::same_device;
use crate::storage::check_list;
use crate::text::python_tuple;
use crate::{DType, Device, Element, Error, Result, Sizes, Tensor, TensorOptions, dtype::Category};

/// Adds up the weights of equal numbers.
fn weighted<T: Element>(numbers: &[i64], weights: &Tensor, bins: usize, plus: fn(T, T) -> T) -> Result<Tensor> {
    let mut sums = vec![T::default(); bins];
    for (&number, weight) in numbers.iter().zip(weights.to_vec::<T>()?) {
        let sum = &mut sums[number as usize];
        *sum = plus(*sum, weight);
    }
    Tensor::from_slice_with(&sums, [bins], Device::Cpu)
}

impl Tensor {
    /// How often each number from 0 on occurs in a vector of integers that are not negative, up to the largest one and for
    /// `minlength` numbers at least; with `weights`, the sum of those of equal numbers, in float32 if the weights are, else
    /// in float64.
    ///
    /// # Errors
    /// A dtype other than an integer, a negative element, more than one dimension, weights of another shape, or a negative
    /// `minlength`. Going backward: the derivative is not implemented, as in PyTorch.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1i64, 3, 1])?.bincount(None, 0)?.to_vec::<i64>()?, [0, 2, 0, 1]);
    /// let weights = Tensor::new([0.5f32, 1.0, 2.0])?;
    /// assert_eq!(Tensor::new([1i64, 3, 1])?.bincount(Some(&weights), 0)?.to_vec::<f32>()?, [0.0, 2.5, 0.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn bincount(&self, weights: Option<&Tensor>, minlength: i64) -> Result<Tensor> {
        const OP: &str = "bincount";
        let x = self.resolve(OP)?;
        let weights = weights.map(|w| w.resolve(OP)).transpose()?;
        let (dtype, refuse) = (x.dtype(), |text: String| Err(Error::runtime(OP, text)));
        if dtype.category() != Category::Integer {
            return Err(not_implemented(OP, "bincount_cpu", dtype));
        }
        if minlength < 0 {
            return refuse("minlength should be >= 0".into());
        }
        if x.dim() == 1 && x.numel() == 0 {
            return Tensor::zeros_with([minlength], TensorOptions::from(DType::I64).device(x.device()));
        }
        let numbers = if x.dim() == 1 { x.to_vec::<i64>()? } else { Vec::new() };
        if x.dim() != 1 || numbers.iter().any(|&n| n < 0) {
            return refuse("bincount only supports 1-d non-negative integral inputs.".into());
        }
        let largest = numbers.iter().copied().max().unwrap_or(0);
        if largest == i64::MAX {
            return refuse(format!("maximum value of input overflowed, it should be < {} but got {largest}", i64::MAX));
        }
        if weights.as_ref().is_some_and(|w| w.shape() != x.shape()) {
            return refuse("weights should be 1-d and have the same length as input".into());
        }
        let bins = minlength.max(largest + 1);
        Sizes::from(bins).to_shape(OP)?;
        let bins = bins as usize;
        check_list(bins, size_of::<f64>())?;
        let Some(weights) = weights else {
            let mut counts = vec![0i64; bins];
            numbers.iter().for_each(|&n| counts[n as usize] += 1);
            return Tensor::from_slice_with(&counts, [bins], x.device());
        };
        same_device(OP, [x.device(), weights.device()])?;
        let sums = match weights.dtype() {
            DType::F32 => weighted::<f32>(&numbers, &weights, bins, |a, b| a + b),
            _ => weighted::<f64>(&numbers, &weights, bins, |a, b| a + b),
        };
        let out = sums?.to(x.device())?;
        Ok(without_gradient("NotImplemented", &weights, out, || no_derivative(OP)))
    }

    /// [`Tensor::nonzero`] with exactly `size` rows: the first ones, or all and then rows of `fill_value`.
    ///
    /// # Errors
    /// `size` is negative.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0, 4, 5])?.nonzero_static(3, -1)?.to_vec::<i64>()?, [1, 2, -1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn nonzero_static(&self, size: i64, fill_value: i64) -> Result<Tensor> {
        const OP: &str = "nonzero_static";
        let x = self.resolve(OP)?.detach();
        if size < 0 {
            return Err(Error::runtime(OP, "nonzero_static: 'size' must be an non-negative integer")
                .given(format!("size = {size}")));
        }
        let options = TensorOptions::from(DType::I64).device(x.device());
        let out = Tensor::full_with([size, x.dim() as i64], fill_value, options)?;
        let rows = x.nonzero()?;
        let found = (rows.size(0)? as i64).min(size);
        out.narrow(0, 0, found)?.copy_(&rows.narrow(0, 0, found)?)?;
        Ok(out)
    }

    /// Row-major positions in a tensor of this shape as one index for each of its dimensions. Positions are taken modulo
    /// the sizes.
    ///
    /// # Errors
    /// The positions are no integers, a size is negative, or one is 0 and there are positions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let indices = Tensor::new([1i64, 5])?.unravel_index([2, 3])?;
    /// assert_eq!(indices[0].to_vec::<i64>()?, [0, 1]);
    /// assert_eq!(indices[1].to_vec::<i64>()?, [1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn unravel_index(&self, shape: impl Into<Sizes>) -> Result<Vec<Tensor>> {
        const OP: &str = "unravel_index";
        let (x, shape) = (self.resolve(OP)?, shape.into());
        if x.dtype().category() != Category::Integer {
            let text = format!("expected 'indices' to be integer dtype, but got {}", x.dtype());
            return Err(Error::type_(OP, text));
        }
        let refuse = |what: &str| {
            Err(Error::value(OP, format!("'shape' cannot have {what}, but got {}", python_tuple(&shape[..]))))
        };
        if shape.iter().any(|&size| size < 0) {
            return refuse("negative values");
        }
        if shape.contains(&0) && x.numel() > 0 {
            return refuse("zero dimensions when 'indices' is non-empty");
        }
        if shape.is_empty() {
            return Ok(Vec::new());
        }
        let mut steps = vec![1i64; shape.len()];
        for d in (1..shape.len()).rev() {
            let step = steps[d].checked_mul(shape[d]);
            steps[d - 1] = step.ok_or_else(|| Error::value(OP, "Overflow when unpacking long long"))?;
        }
        let on_device = |list: &[i64]| Tensor::from_slice_with(list, [list.len()], x.device());
        let positions = x.to(DType::I64)?.unsqueeze(-1)?;
        positions.floor_divide(&on_device(&steps)?)?.remainder(&on_device(&shape)?)?.unbind(-1)
    }
}
