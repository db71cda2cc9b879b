//! Images: channels moved into space, patches, interpolation, sampling at a grid.

use firebrick_core::text::python_tuple;
use firebrick_core::{Dims, Error, FoldOptions, GridMode, GridPadding, InterpolateOptions, Result, Sizes, Tensor};

/// `[*, C r^2, H, W]` to `[*, C, H r, W r]`.
///
/// # Errors
/// Channels that `r^2` does not divide.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// assert_eq!(F::pixel_shuffle(&Tensor::new([[[1]], [[2]], [[3]], [[4]]])?, 2)?.to_vec::<i32>()?, [1, 2, 3, 4]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn pixel_shuffle(input: &Tensor, upscale_factor: i64) -> Result<Tensor> {
    input.pixel_shuffle(upscale_factor)
}

/// `[*, C, H r, W r]` to `[*, C r^2, H, W]`.
///
/// # Errors
/// Height or width that `r` does not divide.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// assert_eq!(F::pixel_unshuffle(&Tensor::new([[[1, 2], [3, 4]]])?, 2)?.to_vec::<i32>()?, [1, 2, 3, 4]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn pixel_unshuffle(input: &Tensor, downscale_factor: i64) -> Result<Tensor> {
    input.pixel_unshuffle(downscale_factor)
}

/// The channels of `[N, C, *]` dealt out among `groups`.
///
/// # Errors
/// Fewer than three dimensions; channels that the groups do not divide.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// assert_eq!(F::channel_shuffle(&Tensor::new([[[1], [2], [3], [4]]])?, 2)?.to_vec::<i32>()?, [1, 3, 2, 4]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn channel_shuffle(input: &Tensor, groups: i64) -> Result<Tensor> {
    input.channel_shuffle(groups)
}

/// [`channel_shuffle`], under the name of PyTorch's kernel.
///
/// # Errors
/// As [`channel_shuffle`].
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// assert_eq!(F::native_channel_shuffle(&Tensor::new([[[1], [2], [3], [4]]])?, 2)?.to_vec::<i32>()?, [1, 3, 2, 4]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn native_channel_shuffle(input: &Tensor, groups: i64) -> Result<Tensor> {
    input.channel_shuffle(groups)
}

/// The patches of `[N, C, H, W]` or `[C, H, W]` as columns.
///
/// # Errors
/// Sizes that do not fit, in PyTorch's words.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// use firebrick::FoldOptions;
/// let x = Tensor::new([[[1.0f32, 2.0, 3.0]]])?;
/// assert_eq!(F::unfold(&x, [1, 2], &FoldOptions::new())?.to_vec::<f32>()?, [1.0, 2.0, 2.0, 3.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn unfold(input: &Tensor, kernel_size: impl Into<Sizes>, options: &FoldOptions) -> Result<Tensor> {
    input.im2col(kernel_size, options)
}

/// Columns added up to images of `output_size`.
///
/// # Errors
/// Sizes that do not fit, in PyTorch's words.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// use firebrick::FoldOptions;
/// let columns = Tensor::new([[1.0f32, 2.0], [2.0, 3.0]])?;
/// assert_eq!(F::fold(&columns, [1, 3], [1, 2], &FoldOptions::new())?.to_vec::<f32>()?, [1.0, 4.0, 3.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn fold(
    input: &Tensor,
    output_size: impl Into<Sizes>,
    kernel_size: impl Into<Sizes>,
    options: &FoldOptions,
) -> Result<Tensor> {
    input.col2im(output_size, kernel_size, options)
}

/// `[N, C, *]` made larger or smaller.
///
/// # Errors
/// Sizes and modes that do not fit, in PyTorch's words.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let x = Tensor::new([[[1.0f32, 2.0]]])?;
/// let twice = F::interpolate(&x, &firebrick::InterpolateOptions::new().scale_factor(2.0))?;
/// assert_eq!(twice.to_vec::<f32>()?, [1.0, 1.0, 2.0, 2.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn interpolate(input: &Tensor, options: &InterpolateOptions) -> Result<Tensor> {
    input.interpolate(options)
}

/// `[N, C, *]` at the places of `grid`, from -1 to 1: bilinear, zeros outside, outer corners aligned.
///
/// # Errors
/// Sizes that do not fit, in PyTorch's words.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (x, grid) = (Tensor::new([[[[1.0f32, 3.0]]]])?, Tensor::new([[[[0.0f32, 0.0], [2.0, 0.0]]]])?);
/// assert_eq!(F::grid_sample(&x, &grid)?.to_vec::<f32>()?, [2.0, 0.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn grid_sample(input: &Tensor, grid: &Tensor) -> Result<Tensor> {
    grid_sample_with(input, grid, GridMode::Bilinear, GridPadding::Zeros, false)
}

/// [`grid_sample`] in another mode, or with other elements outside.
///
/// # Errors
/// Sizes that do not fit, in PyTorch's words.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// use firebrick::{GridMode, GridPadding};
/// let (x, grid) = (Tensor::new([[[[1.0f32, 3.0]]]])?, Tensor::new([[[[2.0f32, 0.0]]]])?);
/// let sample = |padding| F::grid_sample_with(&x, &grid, GridMode::Bilinear, padding, false);
/// assert_eq!(sample(GridPadding::Zeros)?.to_vec::<f32>()?, [0.0]);
/// assert_eq!(sample(GridPadding::Border)?.to_vec::<f32>()?, [3.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn grid_sample_with(
    input: &Tensor,
    grid: &Tensor,
    mode: GridMode,
    padding_mode: GridPadding,
    align_corners: bool,
) -> Result<Tensor> {
    input.grid_sample(grid, mode, padding_mode, align_corners)
}

/// The grid `[N, *out, n]` of affine maps `[N, n, n + 1]` for a result of `size`, `[N, C, *out]`: what [`grid_sample`]
/// takes.
///
/// # Errors
/// Sizes that do not fit, in PyTorch's words.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let identity = Tensor::new([[[1.0f32, 0.0, 0.0], [0.0, 1.0, 0.0]]])?;
/// assert_eq!(F::affine_grid(&identity, [1, 1, 1, 2], true)?.to_vec::<f32>()?, [-1.0, 0.0, 1.0, 0.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn affine_grid(theta: &Tensor, size: impl Into<Sizes>, align_corners: bool) -> Result<Tensor> {
    const OP: &str = "affine_grid";
    let size = size.into();
    if !theta.is_floating_point() {
        let text = format!("Expected theta to have floating point type, but got {}", theta.dtype());
        return Err(Error::value(OP, text));
    }
    let (given, shape) = (python_tuple(&size), theta.shape());
    let n = size.len().saturating_sub(2);
    if !(2..=3).contains(&n) {
        return Err(Error::not_implemented(
            OP,
            format!(
                "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size {given}."
            ),
        ));
    }
    if shape.len() != 3 || shape[1..] != [n, n + 1] {
        return Err(Error::value(
            OP,
            format!("Expected a batch of {n}D affine matrices of shape Nx{n}x{} for size {given}. Got {shape}.", n + 1),
        ));
    }
    if size.iter().any(|&s| s <= 0) {
        return Err(Error::value(OP, format!("Expected non-zero, positive output size. Got {given}")));
    }
    if size[0] != shape[0] as i64 {
        return Err(Error::runtime(
            OP,
            format!(
                "Expected size for first two dimensions of batch2 tensor to be: [{}, {}] but got: [{}, {}].",
                size[0],
                n + 1,
                shape[0],
                n + 1
            ),
        ));
    }
    let full: Dims = size.to_shape(OP)?[2..].iter().copied().chain([1]).collect();
    full.checked_numel(OP)?;
    // The last dimension comes first in a place, and a one last.
    let mut columns = Vec::with_capacity(n + 1);
    for d in (0..n).rev() {
        let mut along = vec![1; n + 1];
        along[d] = -1;
        columns.push(steps(size[d + 2], theta, align_corners)?.reshape(along)?.expand(&full)?);
    }
    columns.push(theta.new_ones(&full)?);
    let base = Tensor::cat(&columns, -1)?.reshape([1, -1, n as i64 + 1])?.expand([size[0], -1, n as i64 + 1])?;
    let out: Dims =
        size.to_shape(OP)?.iter().enumerate().filter(|(d, _)| *d != 1).map(|(_, &s)| s).chain([n]).collect();
    base.matmul(&theta.transpose(1, 2)?)?.reshape(out)
}

/// Centers of elements from -1 to 1; of their outer corners unless these are aligned.
fn steps(count: i64, like: &Tensor, align_corners: bool) -> Result<Tensor> {
    if count <= 1 {
        return like.new_zeros([count]);
    }
    let line = Tensor::linspace_with(-1.0, 1.0, count, like.dtype())?.to(like.device())?;
    match align_corners {
        true => Ok(line),
        false => line.mul((count - 1) as f64)?.div(count as f64),
    }
}
