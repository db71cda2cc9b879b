//! One number everywhere, in place.

use super::Tensor;
use crate::autograd::inplace;
use crate::{Result, Scalar, backend};

impl Tensor {
    /// Sets every element to `value`, converted to the dtype.
    ///
    /// # Errors
    /// The tensor is a leaf that requires grad, outside `no_grad`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.fill_(7.9)?.to_vec::<i32>()?, [7; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn fill_(&self, value: impl Into<Scalar>) -> Result<&Tensor> {
        let _running = crate::source::operation();
        self.filled("fill_", "FillBackward2", value.into())
    }

    /// Sets every element to zero.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.zero_()?.to_vec::<i32>()?, [0; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn zero_(&self) -> Result<&Tensor> {
        let _running = crate::source::operation();
        self.filled("zero_", "ZeroBackward0", Scalar::Int(0))
    }

    fn filled(&self, op: &'static str, name: &'static str, value: Scalar) -> Result<&Tensor> {
        let target = self.resolve(op)?;
        inplace::check(op, &target, &[])?;
        let body = target.body();
        value.check_range(op, body.dtype)?;
        backend::of(body.device())?.fill(&body, value)?;
        inplace::overwritten(&target, name);
        Ok(self)
    }
}
