//! Comparisons: results are bool and carry no gradient.
//!
//! In place they keep the target's dtype, so they are rows too: such a result has a gradient, which is zero.

use crate::backend::Binary;
use crate::ops::ops;
use crate::ops::sample::{self, ANY};
use crate::{Error, Result, Tensor};

ops! {
    table: COMPARE;

    /// Are they equal? `out[i] = (a[i] == b[i])`, as bool. Shapes broadcast; NaN equals nothing.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 2.0])?.eq(2)?.to_vec::<bool>()?, [false, true]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn eq(a, b: operand) -> Tensor as "EqBackward1" {
        kernel: Binary::Eq,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: eq_(0.25),
        samples: sample::pairs((ANY, ANY), |a, b| a.add(&a.mul(b)?.eq(b)?)),
    }

    /// Are they different? NaN differs from everything.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, f32::NAN])?.ne(1)?.to_vec::<bool>()?, [false, true]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn ne(a, b: operand) -> Tensor as "NeBackward1" {
        kernel: Binary::Ne,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: ne_(0.25),
        samples: sample::pairs((ANY, ANY), |a, b| a.add(&a.mul(b)?.ne(b)?)),
    }

    /// Is `a` less than `b`?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2, 3])?.lt(2)?.to_vec::<bool>()?, [true, false, false]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn lt(a, b: operand) -> Tensor as "LtBackward1" {
        kernel: Binary::Lt,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: lt_(0),
        samples: sample::pairs((ANY, ANY), |a, b| a.add(&a.mul(b)?.lt(b)?)),
    }

    /// Is `a` less than `b` or equal to it?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2, 3])?.le(2)?.to_vec::<bool>()?, [true, true, false]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn le(a, b: operand) -> Tensor as "LeBackward1" {
        kernel: Binary::Le,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: le_(0),
        samples: sample::pairs((ANY, ANY), |a, b| a.add(&a.mul(b)?.le(b)?)),
    }

    /// Is `a` greater than `b`?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2, 3])?.gt(2)?.to_vec::<bool>()?, [false, false, true]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn gt(a, b: operand) -> Tensor as "GtBackward1" {
        kernel: Binary::Gt,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: gt_(0),
        samples: sample::pairs((ANY, ANY), |a, b| a.add(&a.mul(b)?.gt(b)?)),
    }

    /// Is `a` greater than `b` or equal to it?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2, 3])?.ge(2)?.to_vec::<bool>()?, [false, true, true]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn ge(a, b: operand) -> Tensor as "GeBackward1" {
        kernel: Binary::Ge,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: ge_(0),
        samples: sample::pairs((ANY, ANY), |a, b| a.add(&a.mul(b)?.ge(b)?)),
    }
}

impl Tensor {
    /// Element by element: `|a - b| <= atol + rtol |b|`, or equal. NaN is close to NaN if `equal_nan` is set.
    /// PyTorch's defaults are `rtol = 1e-5` and `atol = 1e-8`.
    ///
    /// # Errors
    /// Different dtypes; a negative tolerance.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::new([1.0f64, 100.0])?, Tensor::new([1.000_001f64, 101.0])?);
    /// assert_eq!(a.isclose(&b, 1e-5, 1e-8, false)?.to_vec::<bool>()?, [true, false]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn isclose(&self, other: &Tensor, rtol: f64, atol: f64, equal_nan: bool) -> Result<Tensor> {
        const OP: &str = "isclose";
        let (a, b) = (self.resolve(OP)?.detach(), other.resolve(OP)?.detach());
        if a.dtype() != b.dtype() {
            let (a, b) = (a.dtype().scalar_name(), b.dtype().scalar_name());
            return Err(Error::runtime(OP, format!("{a} did not match {b}")));
        }
        for (name, tolerance) in [("rtol", rtol), ("atol", atol)] {
            if tolerance < 0.0 || tolerance.is_nan() {
                let text = format!("{name} must be greater than or equal to zero, but got {tolerance}");
                return Err(Error::runtime(OP, text));
            }
        }
        let mut close = a.eq(&b)?;
        if equal_nan && a.is_differentiable() {
            close = close.logical_or(&a.isnan()?.logical_and(&b.isnan()?)?)?;
        }
        if rtol == 0.0 && atol == 0.0 {
            return Ok(close);
        }
        let (a, b) = (a.to(a.dtype().to_float())?, b.to(b.dtype().to_float())?);
        let allowed = b.mul(rtol)?.abs()?.add(atol)?;
        let distance = a.sub(&b)?.abs()?;
        close.logical_or(&distance.isfinite()?.logical_and(&distance.le(&allowed)?)?)
    }

    /// Are all elements close? See [`Tensor::isclose`].
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::new([1.0f64, 100.0])?, Tensor::new([1.000_001f64, 100.0])?);
    /// assert!(a.allclose(&b, 1e-5, 1e-8, false)?);
    /// assert!(!a.allclose(&b, 1e-7, 1e-8, false)?);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn allclose(&self, other: &Tensor, rtol: f64, atol: f64, equal_nan: bool) -> Result<bool> {
        self.isclose(other, rtol, atol, equal_nan)?.all()?.item()
    }

    /// Do both have the same shape and equal elements? NaN equals nothing.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2])?;
    /// assert!(x.equal(&Tensor::new([1, 2])?)?);
    /// assert!(!x.equal(&Tensor::new([[1, 2]])?)?);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn equal(&self, other: &Tensor) -> Result<bool> {
        if self.shape() != other.shape() {
            return Ok(false);
        }
        Ok(self.detach().eq(other.detach())?.to_vec::<bool>()?.into_iter().all(|equal| equal))
    }
}
