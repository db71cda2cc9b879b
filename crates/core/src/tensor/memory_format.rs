//! Memory formats: the orders in which the dimensions of images lie in memory.

use super::layout::{dense_strides, preserved_strides};
use super::{Body, Tensor};
use crate::{Dims, Error, Result};
use std::fmt;

/// The order in which dimensions lie in memory: `torch.memory_format`. Shapes and values do not depend on it, only strides.
///
/// Firebrick's kernels choose the layout that they compute in by themselves: they read any format, and what they make is
/// contiguous, where PyTorch's results have the format of their input. Views, copies and conversions keep a format.
///
/// ```
/// use firebrick_core::{MemoryFormat, Tensor};
/// let x = Tensor::zeros([2, 3, 4, 5])?;
/// let last = x.to(MemoryFormat::ChannelsLast)?;
/// assert_eq!((x.stride().to_vec(), last.stride().to_vec()), (vec![60, 20, 5, 1], vec![60, 1, 15, 3]));
/// assert!(last.is_contiguous_in(MemoryFormat::ChannelsLast) && !last.is_contiguous());
/// assert_eq!(last.copy()?.stride().to_vec(), [60, 1, 15, 3]);
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
    pub(super) fn dense_strides(self, shape: &Dims) -> Option<Dims> {
        self.order().map(|order| dense_strides(shape, order.iter().copied()))
    }
}

impl Body {
    /// Do the elements lie in this format without gaps?
    pub(crate) fn lies_in(&self, format: MemoryFormat) -> bool {
        let Some(order) = format.order() else { return self.is_contiguous() };
        let mut step = 1;
        order.len() == self.shape.len()
            && order.iter().filter(|&&d| self.shape[d] != 1).all(|&d| {
                let fits = self.strides[d] == step;
                step = step.wrapping_mul(self.shape[d]);
                fits
            })
    }

    /// The format that the strides speak of, gaps or not: contiguous where they could mean either.
    fn suggested(&self) -> MemoryFormat {
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
