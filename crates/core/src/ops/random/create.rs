//! New tensors of random numbers.

use super::distribution::Distribution;
use crate::tensor::layout::preserved_strides;
use crate::{Body, DType, Result, Sizes, Tensor, TensorOptions};

/// A new tensor of `options` filled from `distribution`.
fn created(
    op: &'static str,
    shape: Sizes,
    dtype: DType,
    options: TensorOptions,
    distribution: Distribution,
) -> Result<Tensor> {
    let shape = shape.to_shape(op)?;
    let body = Body::alloc(shape, options.dtype_or(dtype), options.device_or_default())?;
    distribution.fill(op, &body)?;
    let tensor = Tensor::from_body(body);
    if options.wants_grad() {
        tensor.requires_grad_(true)?;
    }
    Ok(tensor)
}

const UNIT: Distribution = Distribution::Uniform { from: 0.0, to: 1.0 };
const STANDARD: Distribution = Distribution::Normal { mean: 0.0, std: 1.0 };

impl Tensor {
    /// Uniform numbers of `[0, 1)`, in the default dtype: `torch.rand`.
    ///
    /// Numbers are PyTorch 2.15's for the same seed. They come from the default generator; inside
    /// [`Generator::scope`](crate::Generator::scope) from that one.
    ///
    /// # Errors
    /// A negative size.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Generator::new().manual_seed(0).scope(|| Tensor::rand([2]))?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.496_256_6, 0.768_221_8]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn rand(shape: impl Into<Sizes>) -> Result<Tensor> {
        Tensor::rand_with(shape, TensorOptions::new())
    }

    /// [`Tensor::rand`] with dtype, device and `requires_grad`.
    ///
    /// # Errors
    /// A dtype that is no floating-point one.
    ///
    /// ```
    /// # use firebrick_core::{DType, Generator, Tensor};
    /// let x = Generator::new().manual_seed(0).scope(|| Tensor::rand_with([2], DType::F64))?;
    /// assert_eq!(x.to_string(), "tensor([0.9701, 0.7078], dtype=torch.float64)");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn rand_with(shape: impl Into<Sizes>, options: impl Into<TensorOptions>) -> Result<Tensor> {
        created("rand", shape.into(), crate::default_dtype(), options.into(), UNIT)
    }

    /// Normal numbers of mean 0 and variance 1, in the default dtype: `torch.randn`.
    ///
    /// # Errors
    /// A negative size.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Generator::new().manual_seed(0).scope(|| Tensor::randn([3]))?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.540_996_1, -0.293_428_9, -2.178_789_4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn randn(shape: impl Into<Sizes>) -> Result<Tensor> {
        Tensor::randn_with(shape, TensorOptions::new())
    }

    /// [`Tensor::randn`] with dtype, device and `requires_grad`.
    ///
    /// # Errors
    /// A dtype that is no floating-point one.
    ///
    /// ```
    /// # use firebrick_core::{DType, Generator, Tensor};
    /// let x = Generator::new().manual_seed(0).scope(|| Tensor::randn_with([2], DType::F64))?;
    /// assert_eq!(x.to_string(), "tensor([ 1.5410, -0.2934], dtype=torch.float64)");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn randn_with(shape: impl Into<Sizes>, options: impl Into<TensorOptions>) -> Result<Tensor> {
        created("randn", shape.into(), crate::default_dtype(), options.into(), STANDARD)
    }

    /// Integers from `low` up to, but without, `high`, as int64: `torch.randint`.
    ///
    /// # Errors
    /// `low >= high`; a negative size.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Generator::new().manual_seed(0).scope(|| Tensor::randint(0, 10, [5]))?;
    /// assert_eq!(x.to_vec::<i64>()?, [4, 9, 3, 0, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn randint(low: i64, high: i64, shape: impl Into<Sizes>) -> Result<Tensor> {
        Tensor::randint_with(low, high, shape, TensorOptions::new())
    }

    /// [`Tensor::randint`] with dtype, device and `requires_grad`.
    ///
    /// # Errors
    /// Bounds that the dtype cannot hold.
    ///
    /// ```
    /// # use firebrick_core::{DType, Generator, Tensor};
    /// let x = Generator::new().manual_seed(0).scope(|| Tensor::randint_with(0, 10, [5], DType::U8))?;
    /// assert_eq!(x.to_vec::<u8>()?, [4, 9, 3, 0, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn randint_with(
        low: i64,
        high: i64,
        shape: impl Into<Sizes>,
        options: impl Into<TensorOptions>,
    ) -> Result<Tensor> {
        let range = Distribution::IntegersBetween { from: low, to: high };
        created("randint", shape.into(), DType::I64, options.into(), range)
    }

    /// The integers below `n` in random order, as int64: `torch.randperm`.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let order = Generator::new().manual_seed(0).scope(|| Tensor::randperm(4))?;
    /// assert_eq!(order.to_vec::<i64>()?, [0, 1, 3, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn randperm(n: usize) -> Result<Tensor> {
        Tensor::randperm_with(n, TensorOptions::new())
    }

    /// [`Tensor::randperm`] with dtype, device and `requires_grad`.
    ///
    /// # Errors
    /// A dtype that cannot count to `n`.
    ///
    /// ```
    /// # use firebrick_core::{DType, Generator, Tensor};
    /// let x = Generator::new().manual_seed(0).scope(|| Tensor::randperm_with(5, DType::I32))?;
    /// assert_eq!(x.to_vec::<i32>()?, [4, 0, 1, 3, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn randperm_with(n: usize, options: impl Into<TensorOptions>) -> Result<Tensor> {
        created("randperm", n.into(), DType::I64, options.into(), Distribution::Permutation)
    }

    /// Normal numbers of this mean and standard deviation: `torch.normal(mean, std, size)`.
    ///
    /// # Errors
    /// `std` below 0; a dtype that is no floating-point one.
    ///
    /// ```
    /// # use firebrick_core::{DType, Generator, Tensor};
    /// let x = Generator::new().manual_seed(0).scope(|| Tensor::normal_with(5.0, 2.0, [2], DType::F32))?;
    /// assert_eq!(x.to_string(), "tensor([8.0820, 4.4131])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn normal_with(
        mean: f64,
        std: f64,
        shape: impl Into<Sizes>,
        options: impl Into<TensorOptions>,
    ) -> Result<Tensor> {
        created("normal", shape.into(), crate::default_dtype(), options.into(), Distribution::Normal { mean, std })
    }

    /// [`Tensor::rand`] of this tensor's shape, dtype, device and order in memory.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::zeros([2])?;
    /// let x = Generator::new().manual_seed(0).scope(|| x.rand_like())?;
    /// assert_eq!(x.to_string(), "tensor([0.4963, 0.7682])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn rand_like(&self) -> Result<Tensor> {
        self.drawn_like("rand_like", UNIT)
    }

    /// [`Tensor::randn`] of this tensor's shape, dtype, device and order in memory.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::zeros([2])?;
    /// let x = Generator::new().manual_seed(0).scope(|| x.randn_like())?;
    /// assert_eq!(x.to_string(), "tensor([ 1.5410, -0.2934])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn randn_like(&self) -> Result<Tensor> {
        self.drawn_like("randn_like", STANDARD)
    }

    /// [`Tensor::randint`] of this tensor's shape, dtype, device and order in memory.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::zeros([4])?;
    /// let x = Generator::new().manual_seed(0).scope(|| x.randint_like(0, 10))?;
    /// assert_eq!(x.to_vec::<f32>()?, [4.0, 9.0, 3.0, 0.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn randint_like(&self, low: i64, high: i64) -> Result<Tensor> {
        self.drawn_like("randint_like", Distribution::IntegersBetween { from: low, to: high })
    }

    /// Numbers of `distribution` in this tensor's shape, dtype, device and order in memory.
    pub(super) fn drawn_like(&self, op: &'static str, distribution: Distribution) -> Result<Tensor> {
        let like = self.resolve(op)?.body();
        let body = Body::alloc_in(like.shape.clone(), preserved_strides(&like), like.dtype, like.device())?;
        distribution.fill(op, &body)?;
        Ok(Tensor::from_body(body))
    }
}
