//! Memory formats: the orders in which the dimensions of images lie in memory.

use super::layout::{dense_strides, preserved_strides};
use super::{Body, Tensor, To};
use crate::{DType, Dims, Error, Result};
use std::fmt;

/// The order in which dimensions lie in memory: `torch.memory_format`. Shapes and values do not depend on it, only strides.
///
/// # How results lie
/// As in PyTorch 2.15. Views, copies, conversions, the `*_like` functions, `flip`, `roll` and `sort` keep the order in which
/// dimensions lie in memory. So do elementwise operations and losses that are not reduced: operands that all lie alike
/// without gaps give a result that does, else its dimensions are sorted by the strides of the first operand, of the second
/// where those tell two dimensions not apart (they are equal, or one is 0, as along a broadcast dimension), and so on.
/// `masked_fill` and `logsigmoid` are row-major.
///
/// Of images with their channels last, convolutions, poolings, `batch_norm`, `group_norm`, `interpolate`, `cat` (where all
/// parts lie so), paddings (but circular ones) and shuffles of pixels and channels make such images; a convolution does so
/// for a kernel that lies so, too. Of volumes they do it likewise, but for average and adaptive poolings, shuffles, and
/// convolutions in double precision. All else is row-major: reductions, products, softmax, indexing. (PyTorch keeps
/// the order in `index_fill`, `index_put`, `select_scatter` and `slice_scatter`, too.)
///
/// A leaf's gradient lies as the leaf does if that has no gaps, else row-major.
///
/// Elementwise operations, `batch_norm` and smooth interpolation go along memory as it lies; convolutions, `group_norm` and
/// poolings compute row-major and copy, which costs them passes over their operands that contiguous ones save.
///
/// ```
/// use firebrick_core::{MemoryFormat, Tensor};
/// let x = Tensor::zeros([2, 3, 4, 5])?;
/// let last = x.to(MemoryFormat::ChannelsLast)?;
/// assert_eq!((x.stride().to_vec(), last.stride().to_vec()), (vec![60, 20, 5, 1], vec![60, 1, 15, 3]));
/// assert!(last.is_contiguous_in(MemoryFormat::ChannelsLast) && !last.is_contiguous());
/// assert_eq!(last.copy()?.stride().to_vec(), [60, 1, 15, 3]);
/// let bias = Tensor::ones([3, 1, 1])?;
/// assert_eq!(last.exp()?.add(&bias)?.stride(), last.stride());
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MemoryFormat {
    /// Row-major: the last dimension's neighbours are neighbours in memory.
    #[default]
    Contiguous,
    /// As the tensor lies, if it lies without gaps.
    Preserve,
    /// The channels of a pixel are neighbours: `[n, c, h, w]` lies as `[n, h, w, c]`.
    ChannelsLast,
    /// The same for volumes: `[n, c, d, h, w]` lies as `[n, d, h, w, c]`.
    ChannelsLast3d,
}

impl fmt::Display for MemoryFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MemoryFormat::Contiguous => "torch.contiguous_format",
            MemoryFormat::Preserve => "torch.preserve_format",
            MemoryFormat::ChannelsLast => "torch.channels_last",
            MemoryFormat::ChannelsLast3d => "torch.channels_last_3d",
        })
    }
}

/// Dimensions with their channels last, the innermost first.
const PIXELS: &[usize] = &[1, 3, 2, 0];
const VOXELS: &[usize] = &[1, 4, 3, 2, 0];

impl MemoryFormat {
    /// The dimensions, the innermost first, where they are not in the order of the shape.
    fn order(self) -> Option<&'static [usize]> {
        match self {
            MemoryFormat::Contiguous | MemoryFormat::Preserve => None,
            MemoryFormat::ChannelsLast => Some(PIXELS),
            MemoryFormat::ChannelsLast3d => Some(VOXELS),
        }
    }

    /// The dimensions, the outermost first, of a tensor of the rank that the format is for.
    pub(crate) fn outermost_first(self, rank: usize) -> Dims {
        match self.order() {
            Some(order) => order.iter().rev().copied().collect(),
            None => (0..rank).collect(),
        }
    }

    /// Strides of a dense tensor of this shape; `None` where it is row-major.
    ///
    /// # Errors
    /// A rank that the format is not for.
    fn strides(self, op: &'static str, shape: &Dims) -> Result<Option<Dims>> {
        if let Some(order) = self.order()
            && shape.len() != order.len()
        {
            let name = if self == MemoryFormat::ChannelsLast { "channels_last" } else { "channels_last_3d" };
            let text = format!("required rank {} tensor to use {name} format", order.len());
            return Err(Error::runtime(op, text).given(format!("a tensor of shape {shape:?}")));
        }
        Ok(self.dense_strides(shape))
    }

    /// [`MemoryFormat::strides`] for the rank that the format is for.
    pub(crate) fn dense_strides(self, shape: &Dims) -> Option<Dims> {
        self.order().map(|order| dense_strides(shape, order.iter().copied()))
    }
}

impl Body {
    /// Do the elements lie in this format without gaps?
    pub(crate) fn lies_in(&self, format: MemoryFormat) -> bool {
        let Some(order) = format.order() else {
            return self.is_contiguous() || self.shape.contains(&0);
        };
        let mut step = 1;
        order.len() == self.shape.len()
            && order.iter().filter(|&&d| self.shape[d] != 1).all(|&d| {
                let fits = self.strides[d] == step;
                step = step.wrapping_mul(self.shape[d]);
                fits
            })
    }

    /// The format that the strides speak of, gaps or not: contiguous where they could mean either.
    pub(crate) fn suggested(&self) -> MemoryFormat {
        let speaks = |format: &MemoryFormat| {
            let order = format.order().filter(|order| order.len() == self.shape.len());
            order.is_some_and(|order| self.grows_along(order))
        };
        let last = [MemoryFormat::ChannelsLast, MemoryFormat::ChannelsLast3d];
        last.into_iter().find(speaks).unwrap_or(MemoryFormat::Contiguous)
    }

    /// Does each dimension step over those before it, and the images over more than a channel?
    fn grows_along(&self, order: &[usize]) -> bool {
        let mut least = 0;
        self.strides[1] != 0
            && order.iter().all(|&d| {
                let (size, stride) = (self.shape[d], self.strides[d]);
                // The strides of an image of one pixel say nothing.
                let grows = size != 0 && stride >= least && !(d == 0 && least == self.strides[1]);
                least = stride.saturating_mul(size.max(1));
                grows
            })
    }

    /// Would a tensor in `format` lie as this one does? With [`MemoryFormat::Preserve`] every tensor does.
    pub(crate) fn has_format(&self, format: MemoryFormat) -> bool {
        format == MemoryFormat::Preserve || self.suggested() == format
    }

    /// Strides of a dense copy in `format`; `None` where it is row-major.
    pub(crate) fn strides_in(&self, op: &'static str, format: MemoryFormat) -> Result<Option<Dims>> {
        match format {
            MemoryFormat::Preserve => Ok(preserved_strides(self)),
            _ => format.strides(op, &self.shape),
        }
    }
}

impl Tensor {
    /// The format that the strides speak of.
    pub(crate) fn suggested_format(&self) -> MemoryFormat {
        self.with_body(Body::suggested)
    }

    /// A row-major result in `dtype`, and in the format that it has in PyTorch.
    pub(crate) fn delivered(&self, dtype: DType, format: MemoryFormat) -> Result<Tensor> {
        let memory_format = Some(format).filter(|&format| format != MemoryFormat::Contiguous);
        self.to(To { dtype: Some(dtype), memory_format, ..To::default() })
    }

    /// Do the elements lie in this format without gaps? [`Tensor::is_contiguous`] asks for [`MemoryFormat::Contiguous`].
    ///
    /// ```
    /// use firebrick_core::{MemoryFormat, Tensor};
    /// let one_channel = Tensor::zeros([2, 1, 4, 5])?;
    /// assert!(one_channel.is_contiguous() && one_channel.is_contiguous_in(MemoryFormat::ChannelsLast));
    /// assert!(!Tensor::zeros([2, 3])?.is_contiguous_in(MemoryFormat::ChannelsLast));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn is_contiguous_in(&self, format: MemoryFormat) -> bool {
        self.with_body(|body| body.lies_in(format))
    }

    /// The tensor itself where it lies in this format, else a copy that does: PyTorch's `contiguous(memory_format=..)`.
    ///
    /// ```
    /// use firebrick_core::{MemoryFormat, Tensor};
    /// let x = Tensor::zeros([1, 2, 3, 4])?.contiguous_in(MemoryFormat::ChannelsLast)?;
    /// assert_eq!(x.stride().to_vec(), [24, 1, 8, 2]);
    /// let error = Tensor::zeros([2, 3])?.contiguous_in(MemoryFormat::ChannelsLast).unwrap_err();
    /// assert_eq!(error.to_string(), "required rank 4 tensor to use channels_last format");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// A rank that the format is not for.
    #[track_caller]
    pub fn contiguous_in(&self, format: MemoryFormat) -> Result<Tensor> {
        let _running = crate::source::operation();
        let x = self.resolve("contiguous")?;
        if x.is_contiguous_in(format) { Ok(x) } else { x.copy_in(format) }
    }
}
