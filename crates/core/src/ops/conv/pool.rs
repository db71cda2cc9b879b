//! Maximum pooling.

use super::pool_shape::{PoolOptions, pool_shape, shape_of, window};
use crate::backend::{self, PoolShape};
use crate::ops::devices::same_device;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::ops::{composed, ops};
use crate::{Body, DType, Dims, Error, MemoryFormat, Result, Sizes, Tensor};

/// The dtype that windows are compared in.
fn compute_dtype(dtype: DType) -> DType {
    match dtype {
        DType::F32 | DType::F16 | DType::BF16 => DType::F32,
        _ => DType::F64,
    }
}

/// The input's shape with the pooled sizes at its end.
fn pooled(input: &Dims, n: usize, sizes: [usize; 3]) -> Dims {
    input[..input.len() - n].iter().copied().chain(sizes.into_iter().skip(3 - n)).collect()
}

/// Refuses a tensor that is not of the sizes that the pooling was resolved for.
fn check(op: &'static str, x: &Tensor, s: &PoolShape, n: usize, sizes: [usize; 3]) -> Result<()> {
    let shape = x.shape();
    let fits = (1..=3).contains(&n)
        && shape.len() >= n
        && shape[shape.len() - n..] == sizes[3 - n..]
        && Dims::from_slice(&shape[..shape.len() - n]).numel() == s.planes;
    match fits {
        true => Ok(()),
        false => Err(Error::runtime(op, "the tensor is not of the pooling's sizes")
            .given(format!("{shape:?}"))
            .expected(format!("{} planes of the last {n} of {sizes:?}", s.planes))),
    }
}

fn forward(x: &Tensor, s: &PoolShape, n: usize) -> Result<(Tensor, Tensor)> {
    check("max_pool", x, s, n, s.input)?;
    let dtype = x.dtype();
    let input = x.detach().to(compute_dtype(dtype))?.contiguous()?.body();
    let shape = pooled(&input.shape, n, s.output);
    let out = Body::alloc(shape.clone(), input.dtype, input.device())?;
    let indices = Body::alloc(shape, DType::I64, input.device())?;
    // Without images there are no windows, however many a plane would have.
    if out.numel() > 0 {
        backend::of(input.device())?.max_pool_forward(s, &input, &out, &indices)?;
    }
    let format = format(x, n);
    Ok((Tensor::from_body(out).delivered(dtype, format)?, Tensor::from_body(indices).delivered(DType::I64, format)?))
}

fn backward(g: &Tensor, indices: &Tensor, s: &PoolShape, n: usize) -> Result<Tensor> {
    const OP: &str = "max_pool_backward";
    check(OP, g, s, n, s.output)?;
    check(OP, indices, s, n, s.output)?;
    same_device(OP, [g.device(), indices.device()])?;
    if indices.dtype() != DType::I64 {
        return Err(Error::runtime(OP, "indices must be int64").given(indices.dtype().to_string()));
    }
    let dtype = g.dtype();
    let grad = g.detach().to(compute_dtype(dtype))?.contiguous()?.body();
    let out = Body::alloc(pooled(&grad.shape, n, s.input), grad.dtype, grad.device())?;
    if out.numel() > 0 {
        backend::of(grad.device())?.max_pool_backward(s, &grad, &indices.contiguous()?.body(), &out)?;
    }
    Tensor::from_body(out).delivered(dtype, format(indices, n))
}

/// The format of what is pooled over the last `n` dimensions of batches.
pub(super) fn format(x: &Tensor, n: usize) -> MemoryFormat {
    if x.dim() == n + 2 { x.suggested_format() } else { MemoryFormat::Contiguous }
}

/// The elements of `h` that won: the adjoint of [`backward`].
fn winners(h: &Tensor, indices: &Tensor, s: &PoolShape) -> Result<Tensor> {
    let starts: Vec<i64> = (0..s.planes).map(|plane| (plane * s.input_size()) as i64).collect();
    let starts = Tensor::from_slice_with(&starts, [s.planes, 1], h.device())?;
    let numbers = indices.reshape([s.planes, s.output_size()])?.add(&starts)?;
    let rows = h.reshape([s.planes * s.input_size(), 1])?;
    rows.embedding(&numbers, None, false)?.reshape(indices.shape())
}

/// What PyTorch says of an input of another rank, or without elements to choose from.
fn empty_input(op: &'static str, n: usize, shape: &Dims) -> Error {
    let batch = usize::from(shape.len() == n + 2);
    if let (3, Some(dim)) = (n, shape[batch..].iter().position(|&size| size == 0)) {
        let text =
            "max_pool3d_with_indices_out_cpu_template(): Expected input to have non-zero size for non-batch dimensions";
        let dim = dim + batch;
        return Error::runtime(op, format!("{text}, but input has sizes {shape:?} with dimension {dim} being empty"));
    }
    let name = if n == 1 { format!("{op}: ") } else { String::new() };
    Error::runtime(
        op,
        format!(
            "{name}Expected {}D or {}D (batch mode) tensor with optional 0 dim batch size for input, but got:{shape:?}",
            n + 1,
            n + 2
        ),
    )
}

/// Maximum pooling over one dimension with indices: PyTorch's is the one over two, of a single row.
fn line_with_indices(x: &Tensor, kernel: &Sizes, options: &PoolOptions) -> Result<(Tensor, Tensor)> {
    const OP: &str = "max_pool1d";
    let x = x.resolve(OP)?;
    if !(2..=3).contains(&x.dim()) {
        let text = format!("Expected 2 to 3 dimensions, but got {}-dimensional tensor", x.dim());
        let text = format!("{text} for argument #1 'self' (while checking arguments for max_pool1d)");
        return Err(Error::runtime(OP, text));
    }
    let in_row = |name: &str, sizes: &Sizes, along: i64| match sizes[..] {
        [size] => Ok(Sizes::from([along, size])),
        _ => Err(Error::runtime(
            OP,
            format!("max_pool1d() argument '{name}' should contain one int (got {})", sizes.len()),
        )),
    };
    let window = in_row("kernel_size", kernel, 1)?;
    let stride = options.stride.as_ref().filter(|stride| !stride.is_empty()).unwrap_or(kernel);
    let options = PoolOptions::new()
        .stride(in_row("stride", stride, 1)?)
        .padding(in_row("padding", &options.padding, 0)?)
        .dilation(in_row("dilation", &options.dilation, 1)?)
        .ceil_mode(options.ceil_mode);
    let (values, indices) = pool_over("max_pool2d", 2, &x.unsqueeze(-2)?, window, &options)?;
    Ok((values.squeeze_dim(-2)?, indices.squeeze_dim(-2)?))
}

fn pool_over(
    op: &'static str,
    n: usize,
    x: &Tensor,
    kernel: impl Into<Sizes>,
    options: &PoolOptions,
) -> Result<(Tensor, Tensor)> {
    let x = x.resolve(op)?;
    let shape = x.shape();
    let (unbatched, batched) = (n + 1, n + 2);
    let ranked = shape.len() == unbatched || shape.len() == batched;
    if !ranked && n > 1 {
        return Err(Error::runtime(
            op,
            format!("non-empty {unbatched}D or {batched}D (batch mode) tensor expected for input"),
        )
        .given(format!("{shape:?}")));
    }
    let kernel = kernel.into();
    // Over one dimension PyTorch looks at the input before the arguments.
    let early = if n > 1 { Some(window(op, n, &kernel, options)?) } else { None };
    if !ranked || shape[usize::from(shape.len() == batched)..].contains(&0) {
        return Err(empty_input(op, n, &shape));
    }
    let window = early.map_or_else(|| window(op, n, &kernel, options), Ok)?;
    let sizes = shape_of(op, &shape, n, &window)?;
    let dtype = x.dtype();
    if dtype == DType::Bool || n == 1 && !dtype.is_floating_point() {
        let kernel = ["max_pool1d_impl", "max_pool2d", "max_pool3d"][n - 1];
        return Err(Error::not_implemented(op, format!("\"{kernel}\" not implemented for '{}'", dtype.scalar_name())));
    }
    x.max_pool(sizes, n)
}

/// Samples of a pooling over `n` dimensions, with overlapping windows and padding.
fn samples(n: usize, f: fn(&Tensor, &PoolOptions) -> Result<Tensor>) -> Result<Vec<Sample>> {
    let shape = |batch: usize| -> Vec<usize> { [batch, 2].into_iter().chain(std::iter::repeat_n(4, n)).collect() };
    let sample =
        |traits: Trait, x: Tensor, options: PoolOptions| sample::one(traits, vec![x], move |x| f(&x[0], &options));
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&shape(1), 1)?, PoolOptions::new()),
        sample(Trait::Plain, ANY.tensor(&shape(1)[1..], 2)?, PoolOptions::new().stride(1).padding(1)),
        sample(Trait::Strided, ANY.strided(&shape(1), 3)?, PoolOptions::new().stride(3).ceil_mode(true)),
        sample(Trait::Empty, ANY.tensor(&shape(0), 4)?, PoolOptions::new()),
    ])
}

/// The pooling of 2 by 2 windows of `[batch, 1, 4, 4]`.
fn resolved(batch: usize) -> Result<PoolShape> {
    pool_shape("max_pool", &[batch, 1, 4, 4].into(), 2, &2.into(), &PoolOptions::new())
}

fn resolved_samples() -> Result<Vec<Sample>> {
    let sample = |traits: Trait, batch: usize, x: Tensor| -> Result<Sample> {
        let shape = resolved(batch)?;
        Ok(sample::one(traits, vec![x], move |x| Ok(x[0].max_pool(shape, 2usize)?.0)))
    };
    Ok(vec![
        sample(Trait::Plain, 2, ANY.tensor(&[2, 1, 4, 4], 1)?)?,
        sample(Trait::Strided, 2, ANY.strided(&[2, 1, 4, 4], 2)?)?,
        sample(Trait::Empty, 0, ANY.tensor(&[0, 1, 4, 4], 3)?)?,
    ])
}

fn grad_samples() -> Result<Vec<Sample>> {
    let sample = |traits: Trait, batch: usize, g: Tensor| -> Result<Sample> {
        let shape = resolved(batch)?;
        let (_, indices) = ANY.tensor(&[batch, 1, 4, 4], 9)?.detach().max_pool(shape, 2usize)?;
        Ok(sample::one(traits, vec![g], move |x| x[0].max_pool_grad(&indices, shape, 2usize)))
    };
    Ok(vec![
        sample(Trait::Plain, 2, ANY.tensor(&[2, 1, 2, 2], 1)?)?,
        sample(Trait::Strided, 2, ANY.strided(&[2, 1, 2, 2], 2)?)?,
        sample(Trait::Empty, 0, ANY.tensor(&[0, 1, 2, 2], 3)?)?,
    ])
}

ops! {
    table: POOLS;

    /// Maximum pooling over the last `n` dimensions by its resolved sizes, with the flat index of each winner in its
    /// plane; see [`Tensor::max_pool2d`] for the usual way in.
    #[doc(hidden)]
    fn max_pool(x; shape: PoolShape, n: usize) -> (Tensor, Tensor) as "MaxPool2DWithIndicesBackward0" {
        forward: forward(x, shape, *n),
        saves: [] also [indices],
        grads: { x: |g| g.max_pool_grad(indices, *shape, *n) },
        samples: resolved_samples(),
    }

    /// The gradient of [`Tensor::max_pool`] from that of its values: each goes to the element that won.
    #[doc(hidden)]
    fn max_pool_grad(g, indices: tensor; shape: PoolShape, n: usize) -> Tensor as "MaxPool2DWithIndicesBackwardBackward0" {
        forward: backward(g, indices, shape, *n),
        saves: [indices],
        grads: { g: |h| winners(h, indices, shape) },
        samples: grad_samples(),
    }
}

composed! {
    table: MAX_POOLS;

    /// The largest element of each window over one dimension: `[N, C, L] -> [N, C, L_out]`, or without `N`.
    ///
    /// ```
    /// # use firebrick_core::{PoolOptions, Tensor};
    /// let x = Tensor::new([[1.0f32, 3.0, 2.0, 4.0]])?;
    /// assert_eq!(x.max_pool1d(2, &PoolOptions::new())?.to_vec::<f32>()?, [3.0, 4.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn max_pool1d(&x, kernel: impl Into<Sizes>, options: &PoolOptions) -> Tensor {
        Ok(pool_over("max_pool1d", 1, x, kernel, options)?.0)
    }
    samples: samples(1, |x, o| x.max_pool1d(2, o));

    /// The largest element of each window over two dimensions: `[N, C, H, W] -> [N, C, H_out, W_out]`, or without `N`.
    ///
    /// NaN wins; padding never does. Of equal elements the first wins, and gets the gradient.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// # use firebrick_core::{PoolOptions, Tensor};
    /// let x = Tensor::new([[[1.0f32, 5.0], [3.0, 2.0]]])?;
    /// assert_eq!(x.max_pool2d(2, &PoolOptions::new())?.to_vec::<f32>()?, [5.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn max_pool2d(&x, kernel: impl Into<Sizes>, options: &PoolOptions) -> Tensor {
        Ok(pool_over("max_pool2d", 2, x, kernel, options)?.0)
    }
    samples: samples(2, |x, o| x.max_pool2d(2, o));

    /// The largest element of each window over three dimensions: `[N, C, D, H, W] -> [N, C, D_out, H_out, W_out]`, or
    /// without `N`.
    ///
    /// ```
    /// # use firebrick_core::{PoolOptions, Tensor};
    /// assert_eq!(Tensor::zeros([1, 4, 4, 4])?.max_pool3d(2, &PoolOptions::new())?.shape(), [1, 2, 2, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn max_pool3d(&x, kernel: impl Into<Sizes>, options: &PoolOptions) -> Tensor {
        Ok(pool_over("max_pool3d", 3, x, kernel, options)?.0)
    }
    samples: samples(3, |x, o| x.max_pool3d(2, o));
}

impl Tensor {
    /// [`Tensor::max_pool1d`] together with the index of each winner in its plane.
    ///
    /// ```
    /// # use firebrick_core::{PoolOptions, Tensor};
    /// let x = Tensor::new([[1.0f32, 3.0, 2.0, 4.0]])?;
    /// let (values, indices) = x.max_pool1d_with_indices(2, &PoolOptions::new())?;
    /// assert_eq!(values.to_vec::<f32>()?, [3.0, 4.0]);
    /// assert_eq!(indices.to_vec::<i64>()?, [1, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn max_pool1d_with_indices(&self, kernel: impl Into<Sizes>, options: &PoolOptions) -> Result<(Tensor, Tensor)> {
        line_with_indices(self, &kernel.into(), options)
    }

    /// [`Tensor::max_pool2d`] together with the index of each winner in its plane.
    ///
    /// ```
    /// # use firebrick_core::{PoolOptions, Tensor};
    /// let x = Tensor::new([[[1.0f32, 5.0], [3.0, 2.0]]])?;
    /// let (values, indices) = x.max_pool2d_with_indices(2, &PoolOptions::new())?;
    /// assert_eq!(values.to_vec::<f32>()?, [5.0]);
    /// assert_eq!(indices.to_vec::<i64>()?, [1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn max_pool2d_with_indices(&self, kernel: impl Into<Sizes>, options: &PoolOptions) -> Result<(Tensor, Tensor)> {
        pool_over("max_pool2d", 2, self, kernel, options)
    }

    /// [`Tensor::max_pool3d`] together with the index of each winner in its plane.
    ///
    /// ```
    /// # use firebrick_core::{PoolOptions, Tensor};
    /// let x = Tensor::new([[[[1.0f32, 5.0], [3.0, 7.0]]]])?;
    /// let (values, indices) = x.max_pool3d_with_indices([1, 2, 2], &PoolOptions::new())?;
    /// assert_eq!(values.to_vec::<f32>()?, [7.0]);
    /// assert_eq!(indices.to_vec::<i64>()?, [3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn max_pool3d_with_indices(&self, kernel: impl Into<Sizes>, options: &PoolOptions) -> Result<(Tensor, Tensor)> {
        pool_over("max_pool3d", 3, self, kernel, options)
    }
}
