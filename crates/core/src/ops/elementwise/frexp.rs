//! Numbers taken apart into mantissa and exponent.

use crate::ops::by_hand;
use crate::ops::record_all::of_one;
use crate::ops::sample::{self, ANY};
use crate::{Error, Result, Tensor, TensorOptions};

/// `x = mantissa * 2^exponent` with a mantissa from 0.5 to below 1; zero, infinities and NaN as they are.
fn taken_apart(x: f64) -> (f64, i32) {
    const BIAS: i32 = 1022;
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    // A number below the normal ones is brought among them first.
    let (scaled, below) = if x.is_normal() { (x, 0) } else { (x * 2f64.powi(64), 64) };
    let bits = scaled.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - BIAS;
    (f64::from_bits(bits & !(0x7ff << 52) | (BIAS as u64) << 52), exponent - below)
}

impl Tensor {
    /// The mantissa, from 0.5 to below 1 in size, and the exponent (int32) of each number: `x = mantissa * 2^exponent`.
    /// Zero, infinities and NaN are their own mantissas.
    ///
    /// # Errors
    /// Integers and truth values.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (mantissa, exponent) = Tensor::new([10.0f32, -0.25])?.frexp()?;
    /// assert_eq!(mantissa.to_vec::<f32>()?, [0.625, -0.5]);
    /// assert_eq!(exponent.to_vec::<i32>()?, [4, -1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn frexp(&self) -> Result<(Tensor, Tensor)> {
        const OP: &str = "frexp";
        let x = self.resolve(OP)?;
        if !x.is_floating_point() {
            return Err(Error::runtime(OP, "torch.frexp() only supports floating-point dtypes"));
        }
        let (mantissas, exponents): (Vec<f64>, Vec<i32>) = x.values_or(0.0f64)?.into_iter().map(taken_apart).unzip();
        let mantissa =
            Tensor::from_slice_with(&mantissas, x.shape(), TensorOptions::from(x.dtype()).device(x.device()))?;
        let exponent = Tensor::from_slice_with(&exponents, x.shape(), x.device())?;
        let mantissa = of_one("FrexpBackward0", &x, &[&exponent], false, mantissa, |seen, g| {
            g.div(seen[0].to(g.dtype())?.exp2()?)
        })?;
        Ok((mantissa, exponent))
    }
}

by_hand! {
    table: FREXP;
    frexp as "FrexpBackward0": sample::unary(ANY, |x| Ok(x.frexp()?.0));
}
