//! What a tensor looks at: a storage, and where in it each element lies.

use crate::storage::{Block, Storage, check_list};
use crate::{DType, Device, Dims, Result, backend};
use std::sync::Arc;

/// A storage together with shape, strides and offset (both in elements) and dtype.
#[derive(Clone)]
pub struct Body {
    /// The memory, shared with every view of it.
    pub storage: Arc<Storage>,
    /// Sizes.
    pub shape: Dims,
    /// Elements from one index to the next, by dimension.
    pub strides: Dims,
    /// Element at which index zero lies.
    pub offset: usize,
    /// Element type.
    pub dtype: DType,
}

impl Body {
    /// A contiguous body with memory of its own, whatever that held before.
    #[inline]
    pub(crate) fn alloc(shape: Dims, dtype: DType, device: Device) -> Result<Body> {
        let bytes = shape.checked_numel("empty")?.saturating_mul(dtype.size());
        if bytes == 0 && device != Device::Meta {
            // What goes along the other dimensions may ask for memory as if there were elements.
            check_list(shape.extent().unwrap_or(usize::MAX), dtype.size())?;
        }
        let block = backend::of(device)?.allocate(bytes)?;
        Ok(Body::around(block, shape, dtype, device))
    }

    /// A contiguous body in the shape of a contiguous one, whose sizes need no check and whose strides are known.
    #[inline]
    pub(crate) fn alloc_like(like: &Body, dtype: DType) -> Result<Body> {
        let device = like.device();
        let block = backend::of(device)?.allocate(like.numel().saturating_mul(dtype.size()))?;
        let (shape, strides) = (like.shape.clone(), like.strides.clone());
        Ok(Body { storage: Arc::new(Storage::new(device, block)), shape, strides, offset: 0, dtype })
    }

    /// A contiguous body whose elements are all zero.
    pub(crate) fn zeros(shape: Dims, dtype: DType, device: Device) -> Result<Body> {
        let body = Body::alloc(shape, dtype, device)?;
        backend::of(device)?.fill(&body, crate::Scalar::Int(0))?;
        Ok(body)
    }

    /// A contiguous body over `block`.
    #[inline]
    pub(crate) fn around(block: Block, shape: Dims, dtype: DType, device: Device) -> Body {
        let strides = shape.contiguous_strides();
        Body { storage: Arc::new(Storage::new(device, block)), shape, strides, offset: 0, dtype }
    }

    /// Another look at the same memory.
    #[inline]
    pub(crate) fn view(&self, shape: Dims, strides: Dims, offset: usize) -> Body {
        Body { storage: self.storage.clone(), shape, strides, offset, dtype: self.dtype }
    }

    /// A body of complex numbers as one of their parts, which lie side by side in a new last dimension of size 2.
    pub(crate) fn as_real(&self) -> Body {
        let double = |n: usize| n.saturating_mul(2);
        let (mut shape, mut strides) = (self.shape.clone(), self.strides.iter().map(|&s| double(s)).collect::<Dims>());
        shape.push(2);
        strides.push(1);
        let dtype = self.dtype.to_real();
        Body { storage: self.storage.clone(), shape, strides, offset: double(self.offset), dtype }
    }

    /// The way back: pairs in the last dimension as complex numbers. The caller has checked that they lie as those do.
    pub(crate) fn as_complex(&self) -> Body {
        let (mut shape, mut strides) = (self.shape.clone(), self.strides.iter().map(|&s| s / 2).collect::<Dims>());
        shape.remove(shape.len() - 1);
        strides.remove(strides.len() - 1);
        let dtype = self.dtype.to_complex();
        Body { storage: self.storage.clone(), shape, strides, offset: self.offset / 2, dtype }
    }

    /// The real parts of complex numbers, or with `part` 1 the imaginary ones.
    pub(crate) fn part(&self, part: usize) -> Body {
        let Body { storage, mut strides, offset, dtype, .. } = self.as_real();
        strides.remove(self.shape.len());
        Body { storage, shape: self.shape.clone(), strides, offset: offset.saturating_add(part), dtype }
    }

    /// [`Body::as_real`] of complex numbers; a real body itself.
    pub(crate) fn reals(&self) -> std::borrow::Cow<'_, Body> {
        match self.dtype.is_complex() {
            true => std::borrow::Cow::Owned(self.as_real()),
            false => std::borrow::Cow::Borrowed(self),
        }
    }

    /// Where the memory is.
    #[inline]
    pub fn device(&self) -> Device {
        self.storage.device()
    }

    /// Number of elements.
    #[inline]
    pub fn numel(&self) -> usize {
        self.shape.numel()
    }

    /// Do the elements lie in row-major order without gaps? A view without elements need not count: what it is copied to
    /// is checked for memory, which lists along its other dimensions take.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        let mut step = 1;
        for (&size, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if size == 0 {
                return true;
            }
            if size != 1 {
                if stride != step {
                    return false;
                }
                // Sizes beyond a size of 0 may wrap.
                step = usize::wrapping_mul(step, size);
            }
        }
        true
    }

    /// Does each element have a place of its own, so that the body may be written?
    pub fn is_non_overlapping(&self) -> bool {
        if self.is_contiguous() || self.shape.contains(&0) {
            return true;
        }
        let mut dims: smallvec::SmallVec<[(usize, usize); 6]> =
            self.strides.iter().copied().zip(self.shape.iter().copied()).filter(|&(_, size)| size > 1).collect();
        dims.sort_unstable();
        // Each stride must step over everything that the smaller ones reach.
        let mut reach = 1;
        for (stride, size) in dims {
            if stride < reach {
                return false;
            }
            reach += stride * (size - 1);
        }
        true
    }

    /// Do two elements certainly share one place, as after `expand`? PyTorch refuses to write there.
    pub fn has_internal_overlap(&self) -> bool {
        !self.shape.contains(&0) && self.shape.iter().zip(&self.strides).any(|(&size, &stride)| size > 1 && stride == 0)
    }

    /// The address of the first element. Reading or writing needs the storage's lock.
    #[inline]
    pub(crate) fn ptr(&self) -> *mut u8 {
        // A view without elements may start beyond the end, hence no `add`.
        self.storage.ptr().wrapping_add(self.offset.wrapping_mul(self.dtype.size()))
    }

    /// First and last byte, relative to the storage, that the elements touch; `None` when there are none.
    pub(crate) fn byte_range(&self) -> Option<(usize, usize)> {
        if self.shape.contains(&0) {
            return None;
        }
        let last: usize = self.shape.iter().zip(&self.strides).map(|(&n, &s)| (n - 1) * s).sum();
        let size = self.dtype.size();
        Some((self.offset * size, (self.offset + last + 1) * size))
    }

    /// Is this the very same set of elements in the same order?
    pub(crate) fn same_elements(&self, other: &Body) -> bool {
        Arc::ptr_eq(&self.storage, &other.storage)
            && self.offset == other.offset
            && self.dtype == other.dtype
            && self.shape == other.shape
            && self.shape.iter().zip(self.strides.iter().zip(&other.strides)).all(|(&n, (a, b))| n == 1 || a == b)
    }

    /// May writing `self` change an element of `other`? Exact for dense bodies, cautious for others.
    pub(crate) fn overlaps(&self, other: &Body) -> bool {
        if !Arc::ptr_eq(&self.storage, &other.storage) {
            return false;
        }
        match (self.byte_range(), other.byte_range()) {
            (Some((a, b)), Some((c, d))) => a < d && c < b,
            _ => false,
        }
    }
}
