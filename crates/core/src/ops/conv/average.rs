//! Average pooling, and norms of windows by means of it.

use super::pool;
use super::pool_shape::{PoolOptions, named_sizes, shape_of, window};
use crate::backend::{self, AverageDivisor, PoolShape};
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::ops::{composed, ops};
use crate::{Body, DType, Dims, Error, MemoryFormat, Result, Sizes, Tensor, wrap_dim};

/// Stride, padding, rounding and divisor of an average pooling; PyTorch's defaults unless set.
///
/// ```
/// use firebrick_core::AvgPoolOptions;
/// let options = AvgPoolOptions::new().stride(1).padding(1).count_include_pad(false);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvgPoolOptions {
    /// Steps of the window; the window's own size unless set.
    pub stride: Option<Sizes>,
    /// Zeros around the input.
    pub padding: Sizes,
    /// Round the output's size up rather than down?
    pub ceil_mode: bool,
    /// Do the zeros around the input count?
    pub count_include_pad: bool,
    /// What sums are divided by, in place of the number of elements.
    pub divisor_override: Option<i64>,
}

impl Default for AvgPoolOptions {
    fn default() -> Self {
        AvgPoolOptions {
            stride: None,
            padding: 0.into(),
            ceil_mode: false,
            count_include_pad: true,
            divisor_override: None,
        }
    }
}

impl AvgPoolOptions {
    /// The window's own size as stride, no padding, sizes rounded down.
    pub fn new() -> Self {
        Self::default()
    }

    /// Steps of the window.
    ///
    /// ```
    /// # use firebrick_core::{AvgPoolOptions, Tensor};
    /// let x = Tensor::new([[1.0f32, 2.0, 3.0]])?;
    /// assert_eq!(x.avg_pool1d(2, &AvgPoolOptions::new().stride(1))?.to_vec::<f32>()?, [1.5, 2.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn stride(mut self, stride: impl Into<Sizes>) -> Self {
        self.stride = Some(stride.into());
        self
    }

    /// Zeros around the input.
    ///
    /// ```
    /// # use firebrick_core::{AvgPoolOptions, Tensor};
    /// let x = Tensor::new([[2.0f32, 4.0]])?;
    /// assert_eq!(x.avg_pool1d(2, &AvgPoolOptions::new().padding(1))?.to_vec::<f32>()?, [1.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn padding(mut self, padding: impl Into<Sizes>) -> Self {
        self.padding = padding.into();
        self
    }

    /// Round the output's size up?
    ///
    /// ```
    /// # use firebrick_core::{AvgPoolOptions, Tensor};
    /// let x = Tensor::new([[1.0f32, 2.0, 3.0]])?;
    /// assert_eq!(x.avg_pool1d(2, &AvgPoolOptions::new().ceil_mode(true))?.to_vec::<f32>()?, [1.5, 3.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn ceil_mode(mut self, on: bool) -> Self {
        self.ceil_mode = on;
        self
    }

    /// Do the zeros around the input count?
    ///
    /// ```
    /// # use firebrick_core::{AvgPoolOptions, Tensor};
    /// let options = AvgPoolOptions::new().padding(1).count_include_pad(false);
    /// assert_eq!(Tensor::new([[2.0f32, 4.0]])?.avg_pool1d(2, &options)?.to_vec::<f32>()?, [2.0, 4.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn count_include_pad(mut self, on: bool) -> Self {
        self.count_include_pad = on;
        self
    }

    /// What sums are divided by.
    ///
    /// ```
    /// # use firebrick_core::{AvgPoolOptions, Tensor};
    /// let options = AvgPoolOptions::new().divisor_override(1);
    /// let x = Tensor::new([[[1.0f32, 2.0], [3.0, 4.0]]])?;
    /// assert_eq!(x.avg_pool2d(2, &options)?.to_vec::<f32>()?, [10.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn divisor_override(mut self, divisor: i64) -> Self {
        self.divisor_override = Some(divisor);
        self
    }

    fn divisor(&self) -> AverageDivisor {
        match self.divisor_override {
            Some(divisor) => AverageDivisor::Fixed(divisor),
            None if self.count_include_pad => AverageDivisor::WithPadding,
            None => AverageDivisor::WithoutPadding,
        }
    }

    /// The window, in the words that poolings share.
    fn window(&self) -> PoolOptions {
        let options = PoolOptions::new().padding(&self.padding).ceil_mode(self.ceil_mode);
        PoolOptions { stride: self.stride.clone(), ..options }
    }
}

/// Runs a pooling kernel on `planes` planes of `x`; half precision is widened and rounded once.
fn run(
    op: &'static str,
    x: &Tensor,
    n: usize,
    planes: usize,
    [from, to]: [[usize; 3]; 2],
    kernel: impl Fn(&dyn backend::Backend, &Body, &Body) -> Result<()>,
) -> Result<Tensor> {
    let (shape, dtype) = (x.shape(), x.dtype());
    let fits = (1..=3).contains(&n)
        && shape.len() >= n
        && shape[shape.len() - n..] == from[3 - n..]
        && Dims::from_slice(&shape[..shape.len() - n]).numel() == planes;
    if !fits {
        return Err(Error::runtime(op, "the tensor is not of the pooling's sizes")
            .given(format!("{shape:?}"))
            .expected(format!("{planes} planes of the last {n} of {from:?}")));
    }
    let compute = match dtype {
        DType::F32 | DType::F16 | DType::BF16 => DType::F32,
        _ => DType::F64,
    };
    let input = x.detach().to(compute)?.contiguous()?.body();
    let pooled: Dims = shape[..shape.len() - n].iter().copied().chain(to.into_iter().skip(3 - n)).collect();
    let out = Body::alloc(pooled, compute, input.device())?;
    if out.numel() > 0 {
        kernel(backend::of(input.device())?, &input, &out)?;
    }
    Tensor::from_body(out).delivered(dtype, format(x, n))
}

/// The format of what is averaged over the last `n` dimensions: PyTorch keeps that of images, not that of volumes.
fn format(x: &Tensor, n: usize) -> MemoryFormat {
    if n == 2 { pool::format(x, n) } else { MemoryFormat::Contiguous }
}

fn forward(x: &Tensor, s: &PoolShape, divisor: AverageDivisor, n: usize) -> Result<Tensor> {
    run("avg_pool", x, n, s.planes, [s.input, s.output], |b, x, out| b.avg_pool(s, divisor, x, out))
}

fn backward(g: &Tensor, s: &PoolShape, divisor: AverageDivisor, n: usize) -> Result<Tensor> {
    run("avg_pool_backward", g, n, s.planes, [s.output, s.input], |b, g, out| b.avg_pool_grad(s, divisor, g, out))
}

/// An average over two or three dimensions; one over one dimension is one over two in PyTorch, and here.
fn averaged(op: &'static str, n: usize, x: &Tensor, kernel: &Sizes, options: &AvgPoolOptions) -> Result<Tensor> {
    let shape = x.shape();
    let refuse = |text: String| Err(Error::runtime(op, text));
    if n == 2 && shape.len() < 3 {
        wrap_dim(op, -3, shape.len())?;
    }
    if options.divisor_override == Some(0) {
        return refuse("divisor must be not zero".into());
    }
    let ranked = shape.len() == n + 1 || shape.len() == n + 2;
    if n == 3 && !ranked {
        return refuse("non-empty 4D or 5D (batch mode) tensor expected for input".into());
    }
    let window = window(op, n, kernel, &options.window())?;
    let inner = &shape[shape.len().saturating_sub(n + 1)..];
    if n == 2 && (!ranked || inner.contains(&0)) {
        return refuse(format!(
            "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:{shape:?}"
        ));
    }
    if n == 3 {
        expect_elements("avg_pool3d()", op, &shape, n)?;
        let larger = |d: usize| window.kernel()[d] > inner[1 + d] as i64 + 2 * window.padding()[d];
        if (0..n).any(larger) {
            let sizes: Vec<i64> = inner[1..].iter().map(|&size| size as i64).collect();
            return refuse(format!(
                "input image ({}) smaller than kernel size ({})",
                named_sizes("", &sizes),
                named_sizes("k", window.kernel())
            ));
        }
    }
    let (kernel, refused) = match n {
        3 => ("avg_pool3d_out_frame", matches!(x.dtype(), DType::Bool | DType::F16 | DType::BF16)),
        _ => ("avg_pool2d", x.dtype() == DType::Bool),
    };
    if refused {
        let dtype = x.dtype().scalar_name();
        return Err(Error::not_implemented(op, format!("\"{kernel}\" not implemented for '{dtype}'")));
    }
    x.avg_pool(shape_of(op, &shape, n, &window)?, options.divisor(), n)
}

/// Refuses an input without channels or places; there may be no images.
pub(super) fn expect_elements(who: &str, op: &'static str, shape: &Dims, n: usize) -> Result<()> {
    let first = shape.len() - n - 1;
    match shape.iter().skip(first).position(|&size| size == 0) {
        None => Ok(()),
        Some(place) => Err(Error::runtime(
            op,
            format!(
                "{who}: Expected input to have non-zero size for non-batch dimensions, but input has sizes {shape:?} with dimension {} being empty",
                first + place
            ),
        )),
    }
}

/// The single number of a function over one dimension.
pub(super) fn single(op: &'static str, name: &str, sizes: &Sizes) -> Result<i64> {
    match &sizes[..] {
        [one] => Ok(*one),
        list => {
            Err(Error::runtime(op, format!("{op}() argument '{name}' should contain one int (got {})", list.len())))
        }
    }
}

/// Refuses other ranks than `n + 1` and `n + 2`, as PyTorch does for functions over one dimension.
pub(super) fn expect_line(op: &'static str, x: &Tensor) -> Result<()> {
    match x.dim() {
        2 | 3 => Ok(()),
        rank => Err(Error::runtime(
            op,
            format!(
                "Expected 2 to 3 dimensions, but got {rank}-dimensional tensor for argument #1 'self' (while checking arguments for {op})"
            ),
        )),
    }
}

/// `(sum of x^p over the window)^(1/p)`, from averages; at an infinite `p` its limit, from `maximum`.
fn lp_pool(
    n: usize,
    x: &Tensor,
    norm_type: f64,
    kernel: &Sizes,
    options: &AvgPoolOptions,
    pool: impl Fn(&Tensor, &AvgPoolOptions) -> Result<Tensor>,
    maximum: impl Fn(&Tensor, &PoolOptions) -> Result<Tensor>,
) -> Result<Tensor> {
    const OP: &str = "lp_pool";
    if norm_type == 0.0 {
        return Err(Error::value(OP, "norm_type must be a non-zero value, but got 0"));
    }
    if norm_type.is_infinite() {
        let sizes = x.abs()?;
        return match norm_type > 0.0 {
            true => maximum(&sizes, &options.window()),
            false => maximum(&sizes.neg()?, &options.window())?.neg(),
        };
    }
    let elements: i64 = match &kernel[..] {
        [one] => one.saturating_pow(n as u32),
        list => list.iter().fold(1, |product: i64, &k| product.saturating_mul(k)),
    };
    // Sums are averages times the number of elements.
    let options = AvgPoolOptions { count_include_pad: true, divisor_override: None, ..options.clone() };
    let mean = pool(&x.pow(norm_type)?, &options)?;
    mean.sign()?.mul(&mean.abs()?.relu()?)?.mul(elements)?.pow(1.0 / norm_type)
}

/// Samples of an average over `n` dimensions, with overlapping windows, padding and every divisor.
fn samples(n: usize, f: fn(&Tensor, &AvgPoolOptions) -> Result<Tensor>) -> Result<Vec<Sample>> {
    let shape = |batch: usize| -> Vec<usize> { [batch, 2].into_iter().chain(std::iter::repeat_n(4, n)).collect() };
    let sample =
        |traits: Trait, x: Tensor, options: AvgPoolOptions| sample::one(traits, vec![x], move |x| f(&x[0], &options));
    let padded = || AvgPoolOptions::new().stride(1).padding(1);
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&shape(1), 1)?, AvgPoolOptions::new()),
        sample(Trait::Plain, ANY.tensor(&shape(1)[1..], 2)?, padded()),
        sample(Trait::Plain, ANY.tensor(&shape(1), 3)?, padded().count_include_pad(false)),
        sample(Trait::Strided, ANY.strided(&shape(1), 4)?, AvgPoolOptions::new().stride(3).ceil_mode(true)),
        sample(Trait::Empty, ANY.tensor(&shape(0), 5)?, AvgPoolOptions::new()),
    ])
}

fn norm_samples(n: usize, f: fn(&Tensor) -> Result<Tensor>) -> Result<Vec<Sample>> {
    let shape = |batch: usize| -> Vec<usize> { [batch, 2].into_iter().chain(std::iter::repeat_n(4, n)).collect() };
    let sample = |traits: Trait, x: Tensor| sample::one(traits, vec![x], move |x| f(&x[0]));
    Ok(vec![
        sample(Trait::Plain, sample::POSITIVE.tensor(&shape(1), 1)?),
        sample(Trait::Strided, sample::POSITIVE.strided(&shape(1), 2)?),
        sample(Trait::Empty, ANY.tensor(&shape(0), 3)?),
    ])
}

/// The sizes of the rows' samples: overlapping windows of three elements, two steps apart, padded by one.
fn sample_shape(batch: usize) -> Result<PoolShape> {
    let options = PoolOptions::new().stride(2).padding(1);
    shape_of("avg_pool", &Dims::from([batch, 2, 4]), 1, &window("avg_pool", 1, &3.into(), &options)?)
}

ops! {
    table: AVERAGES;

    /// Average pooling over the last `n` dimensions by its resolved sizes; see [`Tensor::avg_pool2d`] for the usual way
    /// in.
    #[doc(hidden)]
    fn avg_pool(x; shape: PoolShape, divisor: AverageDivisor, n: usize) -> Tensor as "AvgPool2DBackward0" {
        forward: forward(x, shape, *divisor, *n),
        saves: [],
        notes: [format: format(&x, *n)],
        grads: { x: |g| g.avg_pool_grad(*shape, *divisor, *n)?.to(format) },
        samples: sample::shaped(&[2, 2, 4], &[0, 2, 4], |x| {
            x.avg_pool(sample_shape(x.shape().first().copied().unwrap_or(0))?, AverageDivisor::WithPadding, 1usize)
        }),
    }

    /// The gradient of [`Tensor::avg_pool`] in its input, from that of its output.
    #[doc(hidden)]
    fn avg_pool_grad(g; shape: PoolShape, divisor: AverageDivisor, n: usize) -> Tensor as "AvgPool2DBackwardBackward0" {
        forward: backward(g, shape, *divisor, *n),
        saves: [],
        grads: { g: |h| h.avg_pool(*shape, *divisor, *n) },
        samples: sample::shaped(&[2, 2, 2], &[0, 2, 2], |g| {
            g.avg_pool_grad(sample_shape(g.shape().first().copied().unwrap_or(0))?, AverageDivisor::WithoutPadding, 1usize)
        }),
    }
}

composed! {
    table: AVG_POOLS;

    /// The mean of each window over one dimension: `[N, C, L] -> [N, C, L_out]`, or without `N`.
    ///
    /// ```
    /// # use firebrick_core::{AvgPoolOptions, Tensor};
    /// let x = Tensor::new([[1.0f32, 2.0, 3.0, 4.0]])?;
    /// assert_eq!(x.avg_pool1d(2, &AvgPoolOptions::new())?.to_vec::<f32>()?, [1.5, 3.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn avg_pool1d(&x, kernel: impl Into<Sizes>, options: &AvgPoolOptions) -> Tensor {
        const OP: &str = "avg_pool1d";
        let x = x.resolve(OP)?;
        expect_line(OP, &x)?;
        let kernel = [1, single(OP, "kernel_size", &kernel.into())?];
        let stride = options.stride.as_ref().filter(|stride| !stride.is_empty());
        let stride = stride.map(|stride| single(OP, "stride", stride)).transpose()?;
        let planar = AvgPoolOptions {
            stride: stride.map(|stride| [1, stride].into()),
            padding: [0, single(OP, "padding", &options.padding)?].into(),
            ..options.clone()
        };
        averaged("avg_pool2d", 2, &x.unsqueeze(-2)?, &kernel.into(), &planar)?.squeeze_dim(-2)
    }
    samples: samples(1, |x, o| x.avg_pool1d(2, o));

    /// The mean of each window over two dimensions: `[N, C, H, W] -> [N, C, H_out, W_out]`, or without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words; a divisor of zero.
    ///
    /// ```
    /// # use firebrick_core::{AvgPoolOptions, Tensor};
    /// let x = Tensor::new([[[1.0f32, 5.0], [3.0, 2.0]]])?;
    /// assert_eq!(x.avg_pool2d(2, &AvgPoolOptions::new())?.to_vec::<f32>()?, [2.75]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn avg_pool2d(&x, kernel: impl Into<Sizes>, options: &AvgPoolOptions) -> Tensor {
        averaged("avg_pool2d", 2, &x.resolve("avg_pool2d")?, &kernel.into(), options)
    }
    samples: samples(2, |x, o| x.avg_pool2d(2, o));

    /// The mean of each window over three dimensions: `[N, C, D, H, W] -> [N, C, D_out, H_out, W_out]`, or without `N`.
    ///
    /// ```
    /// # use firebrick_core::{AvgPoolOptions, Tensor};
    /// assert_eq!(Tensor::ones([1, 2, 2, 2])?.avg_pool3d(2, &AvgPoolOptions::new())?.to_vec::<f32>()?, [1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn avg_pool3d(&x, kernel: impl Into<Sizes>, options: &AvgPoolOptions) -> Tensor {
        averaged("avg_pool3d", 3, &x.resolve("avg_pool3d")?, &kernel.into(), options)
    }
    samples: samples(3, |x, o| x.avg_pool3d(2, o));

    /// `(sum of x^p)^(1/p)` of each window over one dimension; the largest magnitude where `p` is infinite.
    ///
    /// ```
    /// # use firebrick_core::{AvgPoolOptions, Tensor};
    /// let x = Tensor::new([[3.0f32, -4.0, 1.0, 0.0]])?;
    /// assert_eq!(x.lp_pool1d(f64::INFINITY, 2, &AvgPoolOptions::new())?.to_vec::<f32>()?, [4.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn lp_pool1d(&x, norm_type: f64, kernel: impl Into<Sizes>, options: &AvgPoolOptions) -> Tensor {
        let kernel = kernel.into();
        let maximum = |x: &Tensor, options: &PoolOptions| x.max_pool1d(&kernel, options);
        lp_pool(1, x, norm_type, &kernel, options, |x, options| x.avg_pool1d(&kernel, options), maximum)
    }
    samples: norm_samples(1, |x| x.lp_pool1d(2.0, 2, &AvgPoolOptions::new()));

    /// `(sum of x^p)^(1/p)` of each window over two dimensions.
    ///
    /// The gradient where the sum is 0 is not a number, as PyTorch's is.
    ///
    /// ```
    /// # use firebrick_core::{AvgPoolOptions, Tensor};
    /// let x = Tensor::new([[[3.0f32, 0.0], [4.0, 0.0]]])?;
    /// assert_eq!(x.lp_pool2d(2.0, 2, &AvgPoolOptions::new())?.to_vec::<f32>()?, [5.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn lp_pool2d(&x, norm_type: f64, kernel: impl Into<Sizes>, options: &AvgPoolOptions) -> Tensor {
        let kernel = kernel.into();
        let maximum = |x: &Tensor, options: &PoolOptions| x.max_pool2d(&kernel, options);
        lp_pool(2, x, norm_type, &kernel, options, |x, options| x.avg_pool2d(&kernel, options), maximum)
    }
    samples: norm_samples(2, |x| x.lp_pool2d(3.0, 2, &AvgPoolOptions::new().stride(1)));

    /// `(sum of x^p)^(1/p)` of each window over three dimensions.
    ///
    /// ```
    /// # use firebrick_core::{AvgPoolOptions, Tensor};
    /// assert_eq!(Tensor::ones([1, 1, 2, 2, 2])?.lp_pool3d(1.0, 2, &AvgPoolOptions::new())?.to_vec::<f32>()?, [8.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn lp_pool3d(&x, norm_type: f64, kernel: impl Into<Sizes>, options: &AvgPoolOptions) -> Tensor {
        let kernel = kernel.into();
        let maximum = |x: &Tensor, options: &PoolOptions| x.max_pool3d(&kernel, options);
        lp_pool(3, x, norm_type, &kernel, options, |x, options| x.avg_pool3d(&kernel, options), maximum)
    }
    samples: norm_samples(3, |x| x.lp_pool3d(1.5, 2, &AvgPoolOptions::new()));
}
