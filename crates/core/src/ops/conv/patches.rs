//! Patches of images as columns, and columns added up to images: each is the other's gradient.

use crate::backend;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::ops::{composed, ops};
use crate::{Body, DType, Dims, Error, Result, Sizes, Tensor};

/// Dilation, padding and stride of patches; PyTorch's defaults unless set.
///
/// ```
/// # use firebrick_core::{FoldOptions, Tensor};
/// let x = Tensor::new([[[1.0f32, 2.0, 3.0]]])?;
/// assert_eq!(x.im2col([1, 2], &FoldOptions::new().dilation(2))?.to_vec::<f32>()?, [1.0, 3.0]);
/// assert_eq!(x.im2col([1, 1], &FoldOptions::new().stride(2))?.to_vec::<f32>()?, [1.0, 3.0]);
/// assert_eq!(x.im2col([1, 2], &FoldOptions::new().padding([0, 1]))?.shape(), [2, 4]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldOptions {
    /// Steps between the elements of a patch.
    pub dilation: Sizes,
    /// Zeros around the image.
    pub padding: Sizes,
    /// Steps between patches.
    pub stride: Sizes,
}

impl Default for FoldOptions {
    fn default() -> Self {
        FoldOptions { dilation: 1.into(), padding: 0.into(), stride: 1.into() }
    }
}

impl FoldOptions {
    /// Patches of neighbouring elements at every place, no padding.
    pub fn new() -> Self {
        Self::default()
    }

    /// Steps between the elements of a patch.
    pub fn dilation(mut self, dilation: impl Into<Sizes>) -> Self {
        self.dilation = dilation.into();
        self
    }

    /// Zeros around the image.
    pub fn padding(mut self, padding: impl Into<Sizes>) -> Self {
        self.padding = padding.into();
        self
    }

    /// Steps between patches.
    pub fn stride(mut self, stride: impl Into<Sizes>) -> Self {
        self.stride = stride.into();
        self
    }
}

/// The sizes of patches of batched images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatchShape {
    image: [usize; 2],
    kernel: [usize; 2],
    dilation: [usize; 2],
    padding: [usize; 2],
    stride: [usize; 2],
    /// Patches along each dimension.
    blocks: [usize; 2],
}

impl PatchShape {
    /// Images with their padding.
    fn padded(&self) -> [usize; 2] {
        [0, 1].map(|d| self.image[d] + 2 * self.padding[d])
    }

    /// Padded images seen as `[n, c, kernel, kernel, blocks, blocks]`.
    fn windows(&self, padded: &Body) -> Body {
        let (shape, strides) = (&padded.shape, &padded.strides);
        let sizes = [shape[0], shape[1], self.kernel[0], self.kernel[1], self.blocks[0], self.blocks[1]];
        let steps = [
            strides[0],
            strides[1],
            self.dilation[0] * strides[2],
            self.dilation[1] * strides[3],
            self.stride[0] * strides[2],
            self.stride[1] * strides[3],
        ];
        padded.view(Dims::from(sizes), Dims::from(steps), padded.offset)
    }

    /// Widths of the padding as `constant_pad_nd` takes them, times `sign`.
    fn widths(&self, sign: i64) -> [i64; 4] {
        let [h, w] = self.padding.map(|p| sign * p as i64);
        [w, w, h, h]
    }
}

/// Refuses a tensor whose last sizes are not those that the patches were resolved for.
fn check(op: &'static str, x: &Tensor, rank: usize, last: &[usize], whole: usize) -> Result<()> {
    let shape = x.shape();
    let fits = shape.len() == rank && shape[rank - last.len()..] == *last && shape[1].is_multiple_of(whole.max(1));
    match fits {
        true => Ok(()),
        false => Err(Error::runtime(op, "the tensor is not of the patches' sizes")
            .given(format!("{shape:?}"))
            .expected(format!("{rank} dimensions, the last {last:?}"))),
    }
}

fn gather(x: &Tensor, s: &PatchShape) -> Result<Tensor> {
    check("im2col", x, 4, &s.image, 1)?;
    let padded = x.detach().constant_pad_nd(s.widths(1), 0)?.contiguous()?.body();
    let shape = x.shape();
    let (area, blocks) = (s.kernel[0] * s.kernel[1], s.blocks[0] * s.blocks[1]);
    let out_shape = Dims::from([shape[0], shape[1] * area, blocks]);
    out_shape.checked_numel("im2col")?;
    let out = Body::alloc(out_shape, padded.dtype, padded.device())?;
    if out.numel() > 0 {
        let windows = s.windows(&padded);
        let to = out.view(windows.shape.clone(), windows.shape.contiguous_strides(), out.offset);
        backend::of(padded.device())?.copy(&windows, &to)?;
    }
    Ok(Tensor::from_body(out))
}

fn spread(g: &Tensor, s: &PatchShape) -> Result<Tensor> {
    let count = s.blocks[0].saturating_mul(s.blocks[1]);
    check("col2im", g, 3, &[count], s.kernel[0].saturating_mul(s.kernel[1]))?;
    let (shape, dtype) = (g.shape(), g.dtype());
    let channels = shape[1] / (s.kernel[0] * s.kernel[1]);
    // Sums of half precision are rounded once.
    let compute = if dtype.size() == 2 { DType::F32 } else { dtype };
    let columns = g.detach().to(compute)?.contiguous()?.body();
    let [height, width] = s.padded();
    let padded = Body::zeros(Dims::from([shape[0], channels, height, width]), compute, columns.device())?;
    if columns.numel() > 0 && padded.numel() > 0 {
        let windows = s.windows(&padded);
        let from = columns.view(windows.shape.clone(), windows.shape.contiguous_strides(), columns.offset);
        backend::of(columns.device())?.add_overlapping(&from, &windows)?;
    }
    Tensor::from_body(padded).constant_pad_nd(s.widths(-1), 0)?.to(dtype)
}

/// The numbers of [`FoldOptions`] and the kernel, two of each, after PyTorch's checks.
fn numbers(op: &'static str, kernel: &Sizes, options: &FoldOptions) -> Result<[[i64; 2]; 4]> {
    let pair = |name: &str, sizes: &Sizes| match &sizes[..] {
        [one] => Ok([*one; 2]),
        [h, w] => Ok([*h, *w]),
        list => Err(Error::runtime(op, format!("It is expected {name} equals to 2, but got size {}", list.len()))),
    };
    let kernel = pair("kernel_size", kernel)?;
    let dilation = pair("dilation", &options.dilation)?;
    let padding = pair("padding", &options.padding)?;
    let stride = pair("stride", &options.stride)?;
    let refuse = |text: &str, name: &str, [h, w]: [i64; 2]| {
        Err(Error::runtime(op, format!("{text}, but got {name}_height: {h} {name}_width: {w}")))
    };
    if kernel.iter().any(|&k| k <= 0) {
        return refuse("kernel size should be greater than zero", "kernel", kernel);
    }
    if dilation.iter().any(|&d| d <= 0) {
        return refuse("dilation should be greater than zero", "dilation", dilation);
    }
    if padding.iter().any(|&p| p < 0) {
        return refuse("padding should be non-negative", "pad", padding);
    }
    if stride.iter().any(|&s| s <= 0) {
        return refuse("stride should be greater than zero", "stride", stride);
    }
    let all = [kernel, dilation, padding, stride];
    if all.iter().flatten().any(|&v| v > i64::from(i32::MAX)) {
        return Err(Error::runtime(op, "integer out of range: kernel, dilation, padding and stride must fit 32 bits"));
    }
    Ok(all)
}

/// Patches along each dimension; not one where the kernel does not fit.
fn blocks(image: [i64; 2], [kernel, dilation, padding, stride]: [[i64; 2]; 4]) -> [i64; 2] {
    [0, 1].map(|d| {
        let reach = dilation[d].saturating_mul(kernel[d] - 1).saturating_add(1);
        let free = image[d].saturating_add(2 * padding[d]).saturating_sub(reach);
        free.div_euclid(stride[d]).saturating_add(1)
    })
}

fn resolved(image: [i64; 2], numbers: [[i64; 2]; 4], blocks: [i64; 2]) -> PatchShape {
    let [kernel, dilation, padding, stride] = numbers.map(|pair| pair.map(|v| v as usize));
    let [image, blocks] = [image, blocks].map(|pair| pair.map(|v| v as usize));
    PatchShape { image, kernel, dilation, padding, stride, blocks }
}

fn expect_float(op: &'static str, kernel: &str, x: &Tensor) -> Result<()> {
    match x.is_floating_point() || x.dtype() == DType::Bool {
        true => Ok(()),
        false => {
            Err(Error::not_implemented(op, format!("\"{kernel}\" not implemented for '{}'", x.dtype().scalar_name())))
        }
    }
}

fn im2col(x: &Tensor, kernel: &Sizes, options: &FoldOptions) -> Result<Tensor> {
    const OP: &str = "im2col";
    let numbers = numbers(OP, kernel, options)?;
    let shape = x.shape();
    if shape.len() < 3 {
        crate::wrap_dim(OP, shape.len() as i64, shape.len())?;
    }
    let batched = shape.len() == 4;
    if !(batched || shape.len() == 3) || shape[usize::from(batched)..].contains(&0) {
        return Err(Error::runtime(
            OP,
            format!(
                "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: {shape:?}"
            ),
        ));
    }
    let image = [shape[shape.len() - 2] as i64, shape[shape.len() - 1] as i64];
    let blocks = blocks(image, numbers);
    if blocks.iter().any(|&b| b < 1) {
        let text = |[h, w]: [i64; 2]| format!("({h}, {w})");
        return Err(Error::runtime(
            OP,
            format!(
                "Given input with spatial size {}, kernel_size={}, dilation={}, padding={}, calculated shape of the array of sliding blocks as {}, but its components must be at least one.",
                text(image),
                text(numbers[0]),
                text(numbers[1]),
                text(numbers[2]),
                text(blocks)
            ),
        ));
    }
    expect_float(OP, "im2col_out_cpu", x)?;
    let x = if batched { x.clone() } else { x.unsqueeze(0)? };
    let out = x.patches(resolved(image, numbers, blocks))?;
    if batched { Ok(out) } else { out.squeeze_dim(0) }
}

fn col2im(x: &Tensor, size: &Sizes, kernel: &Sizes, options: &FoldOptions) -> Result<Tensor> {
    const OP: &str = "col2im";
    let image = match &size[..] {
        [one] => [*one; 2],
        [h, w] => [*h, *w],
        list => {
            let text = format!("It is expected output_size equals to 2, but got size {}", list.len());
            return Err(Error::runtime(OP, text));
        }
    };
    let numbers = numbers(OP, kernel, options)?;
    let (shape, batched) = (x.shape(), x.dim() == 3);
    if !(batched || shape.len() == 2) || shape[usize::from(batched)..].contains(&0) {
        return Err(Error::runtime(
            OP,
            format!(
                "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, but got: {shape:?}"
            ),
        ));
    }
    let text = |[h, w]: [i64; 2]| format!("({h}, {w})");
    let (channels, length) = (shape[shape.len() - 2] as i64, shape[shape.len() - 1] as i64);
    let area = numbers[0][0].saturating_mul(numbers[0][1]);
    // PyTorch counts dimensions as those of a batch, whether there is one or not.
    if channels % area != 0 {
        return Err(Error::runtime(
            OP,
            format!(
                "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)={channels} and kernel_size={}.",
                text(numbers[0])
            ),
        ));
    }
    let blocks = blocks(image, numbers);
    let count = blocks[0].saturating_mul(blocks[1]);
    if count != length || blocks.iter().any(|&b| b < 1) || image.iter().any(|&s| s < 1) {
        return Err(Error::runtime(
            OP,
            format!(
                "Given output_size={}, kernel_size={}, dilation={}, padding={}, stride={}, expected size of input's dimension 2 to match the calculated number of sliding blocks {} * {} = {count}, but got input.size(2)={length}.",
                text(image),
                text(numbers[0]),
                text(numbers[1]),
                text(numbers[2]),
                text(numbers[3]),
                blocks[0],
                blocks[1]
            ),
        ));
    }
    expect_float(OP, "col2im_out_cpu", x)?;
    let x = if batched { x.clone() } else { x.unsqueeze(0)? };
    let out = x.patches_grad(resolved(image, numbers, blocks))?;
    if batched { Ok(out) } else { out.squeeze_dim(0) }
}

/// Overlapping, dilated, padded patches: of an image of 3 by 4 two by two.
fn sample_shape() -> PatchShape {
    let numbers = [[2, 2], [1, 2], [0, 1], [1, 2]];
    resolved([3, 4], numbers, blocks([3, 4], numbers))
}

fn rows(shape: &[usize], f: fn(&Tensor) -> Result<Tensor>) -> Result<Vec<Sample>> {
    let empty: Vec<usize> = std::iter::once(0).chain(shape[1..].iter().copied()).collect();
    sample::shaped(shape, &empty, f)
}

ops! {
    table: PATCHES;

    /// Patches of `[n, c, h, w]` as columns, by their resolved sizes; see [`Tensor::im2col`] for the usual way in.
    #[doc(hidden)]
    fn patches(x; shape: PatchShape) -> Tensor as "Im2ColBackward0" {
        forward: gather(x, shape),
        saves: [],
        grads: { x: |g| g.patches_grad(*shape) },
        samples: rows(&[2, 1, 3, 4], |x| x.patches(sample_shape())),
    }

    /// The gradient of [`Tensor::patches`]: columns added up to images.
    #[doc(hidden)]
    fn patches_grad(g; shape: PatchShape) -> Tensor as "Col2ImBackward0" {
        forward: spread(g, shape),
        saves: [],
        grads: { g: |h| h.patches(*shape) },
        samples: rows(&[2, 4, 4], |g| g.patches_grad(sample_shape())),
    }
}

composed! {
    table: FOLDS;

    /// The patches of images as columns: `[N, C, H, W] -> [N, C * kernel, L]` for `L` patches, or without `N`. PyTorch's
    /// `unfold` of its functional module.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// # use firebrick_core::{FoldOptions, Tensor};
    /// let x = Tensor::new([[[1.0f32, 2.0, 3.0]]])?;
    /// assert_eq!(x.im2col([1, 2], &FoldOptions::new())?.to_vec::<f32>()?, [1.0, 2.0, 2.0, 3.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn im2col(&x, kernel_size: impl Into<Sizes>, options: &FoldOptions) -> Tensor {
        im2col(&x.resolve("im2col")?, &kernel_size.into(), options)
    }
    samples: {
        let sample = |traits: Trait, x: Tensor| {
            sample::one(traits, vec![x], |x| x[0].im2col(2, &FoldOptions::new().padding(1).stride([1, 2])))
        };
        Ok(vec![
            sample(Trait::Plain, ANY.tensor(&[1, 2, 3, 4], 1)?),
            sample(Trait::Strided, ANY.strided(&[2, 3, 4], 2)?),
            sample(Trait::Empty, ANY.tensor(&[0, 2, 3, 4], 3)?),
        ])
    };

    /// Columns added up to images, where patches overlap: `[N, C * kernel, L] -> [N, C, *output_size]`, or without `N`.
    /// PyTorch's `fold`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// # use firebrick_core::{FoldOptions, Tensor};
    /// let columns = Tensor::new([[1.0f32, 2.0], [2.0, 3.0]])?;
    /// assert_eq!(columns.col2im([1, 3], [1, 2], &FoldOptions::new())?.to_vec::<f32>()?, [1.0, 4.0, 3.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn col2im(&x, output_size: impl Into<Sizes>, kernel_size: impl Into<Sizes>, options: &FoldOptions) -> Tensor {
        col2im(&x.resolve("col2im")?, &output_size.into(), &kernel_size.into(), options)
    }
    samples: {
        let sample = |traits: Trait, x: Tensor| {
            sample::one(traits, vec![x], |x| x[0].col2im([3, 4], 2, &FoldOptions::new().padding(1).stride([1, 2])))
        };
        Ok(vec![
            sample(Trait::Plain, ANY.tensor(&[1, 8, 12], 1)?),
            sample(Trait::Strided, ANY.strided(&[8, 12], 2)?),
            sample(Trait::Empty, ANY.tensor(&[0, 8, 12], 3)?),
        ])
    };
}
