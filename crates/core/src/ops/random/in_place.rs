//! Fills in place.

use super::distribution::Distribution as D;
use crate::autograd::inplace;
use crate::{Result, Tensor};

impl Tensor {
    fn redrawn(&self, op: &'static str, name: &'static str, distribution: D) -> Result<&Tensor> {
        let target = self.resolve(op)?;
        inplace::check(op, &target, &[])?;
        distribution.fill(op, &target.body())?;
        inplace::overwritten(&target, name);
        Ok(self)
    }

    /// Replaces every element by a uniform number of `[from, to)`.
    ///
    /// A tensor that is not contiguous is filled in the order of its memory, as by PyTorch; so in every method of
    /// this kind. Numbers come from the default generator; inside [`Generator::scope`](crate::Generator::scope)
    /// from that one.
    ///
    /// # Errors
    /// `from > to`; bounds or a span the dtype cannot hold; a dtype that is no floating-point one; a leaf that
    /// requires grad, outside `no_grad`.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::zeros([2])?;
    /// Generator::new().manual_seed(0).scope(|| x.uniform_(-1.0, 1.0).map(drop))?;
    /// assert_eq!(x.to_vec::<f32>()?, [-0.007_486_820_2, 0.536_443_6]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn uniform_(&self, from: f64, to: f64) -> Result<&Tensor> {
        let _running = crate::source::operation();
        self.redrawn("uniform_", "UniformBackward0", D::Uniform { from, to })
    }

    /// Replaces every element by a normal number.
    ///
    /// # Errors
    /// `std` below 0; a dtype that is no floating-point one; a leaf that requires grad, outside `no_grad`.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::zeros([2])?;
    /// Generator::new().manual_seed(0).scope(|| x.normal_(5.0, 2.0))?;
    /// assert_eq!(x.to_string(), "tensor([8.0820, 4.4131])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn normal_(&self, mean: f64, std: f64) -> Result<&Tensor> {
        let _running = crate::source::operation();
        self.redrawn("normal_", "NormalBackward0", D::Normal { mean, std })
    }

    /// Replaces every element by the exponential of a normal number of this mean and standard deviation.
    ///
    /// # Errors
    /// `std` not above 0; a dtype that is no floating-point one; a leaf that requires grad, outside `no_grad`.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::zeros([2])?;
    /// Generator::new().manual_seed(0).scope(|| x.log_normal_(0.0, 1.0))?;
    /// assert_eq!(x.to_string(), "tensor([4.6692, 0.7457])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn log_normal_(&self, mean: f64, std: f64) -> Result<&Tensor> {
        let _running = crate::source::operation();
        self.redrawn("log_normal_", "LogNormalBackward0", D::LogNormal { mean, std })
    }

    /// Replaces every element by an exponential number: density `lambda exp(-lambda x)`.
    ///
    /// # Errors
    /// `lambda` not above 0; a dtype that is no floating-point one; a leaf that requires grad, outside `no_grad`.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::zeros([2])?;
    /// Generator::new().manual_seed(0).scope(|| x.exponential_(2.0))?;
    /// assert_eq!(x.to_string(), "tensor([1.7542, 0.6152])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn exponential_(&self, lambda: f64) -> Result<&Tensor> {
        let _running = crate::source::operation();
        self.redrawn("exponential_", "ExponentialBackward0", D::Exponential { lambda })
    }

    /// Replaces every element by a Cauchy number: density `sigma / (pi (sigma^2 + (x - median)^2))`.
    ///
    /// # Errors
    /// `sigma` not above 0; a dtype that is no floating-point one; a leaf that requires grad, outside `no_grad`.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::zeros([2])?;
    /// Generator::new().manual_seed(0).scope(|| x.cauchy_(0.0, 1.0))?;
    /// assert_eq!(x.to_string(), "tensor([10.5977,  0.7648])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn cauchy_(&self, median: f64, sigma: f64) -> Result<&Tensor> {
        let _running = crate::source::operation();
        self.redrawn("cauchy_", "CauchyBackward0", D::Cauchy { median, sigma })
    }

    /// Replaces every element by the number of tosses up to the first success of probability `p`.
    ///
    /// # Errors
    /// `p` outside `(0, 1)`; a bool tensor; a leaf that requires grad, outside `no_grad`.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::zeros([4])?;
    /// Generator::new().manual_seed(0).scope(|| x.geometric_(0.25))?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0, 2.0, 3.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn geometric_(&self, p: f64) -> Result<&Tensor> {
        let _running = crate::source::operation();
        self.redrawn("geometric_", "GeometricBackward0", D::Geometric { p })
    }

    /// Replaces every element by an integer of the dtype's non-negative range; for a floating dtype, of the integers
    /// it counts one by one.
    ///
    /// # Errors
    /// A leaf that requires grad, outside `no_grad`.
    ///
    /// ```
    /// # use firebrick_core::{DType, Generator, Tensor};
    /// let x = Tensor::zeros_with([3], DType::U8)?;
    /// Generator::new().manual_seed(0).scope(|| x.random_())?;
    /// assert_eq!(x.to_vec::<u8>()?, [172, 47, 117]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn random_(&self) -> Result<&Tensor> {
        let _running = crate::source::operation();
        self.redrawn("random_", "RandomBackward2", D::Integers)
    }

    /// Replaces every element by an integer from `from` up to, but without, `to`; up to the last integer that the
    /// dtype counts for `to` = `None`.
    ///
    /// # Errors
    /// An empty range; bounds the dtype cannot hold; a leaf that requires grad, outside `no_grad`.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::zeros([4])?;
    /// Generator::new().manual_seed(0).scope(|| x.random_from_(10, 20))?;
    /// assert_eq!(x.to_vec::<f32>()?, [14.0, 19.0, 13.0, 10.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn random_from_(&self, from: i64, to: impl Into<Option<i64>>) -> Result<&Tensor> {
        let _running = crate::source::operation();
        let range = match to.into() {
            Some(to) => D::IntegersBetween { from, to },
            None => D::IntegersFrom { from },
        };
        self.redrawn("random_", "RandomBackward0", range)
    }

    /// Replaces every element by 1 at probability `p`, else 0.
    ///
    /// PyTorch draws these otherwise on Intel's processors: see [`BernoulliRule`](crate::random::BernoulliRule).
    ///
    /// # Errors
    /// `p` outside `[0, 1]`; a leaf that requires grad, outside `no_grad`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::zeros([3])?;
    /// assert_eq!(x.bernoulli_(1.0)?.to_vec::<f32>()?, [1.0; 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn bernoulli_(&self, p: f64) -> Result<&Tensor> {
        let _running = crate::source::operation();
        self.redrawn("bernoulli_", "BernoulliBackward2", D::Bernoulli { p })
    }
}
