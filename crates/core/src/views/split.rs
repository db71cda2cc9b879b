//! One dimension cut into pieces, all of them views.

use super::op::ViewOp;
use crate::storage::check_list;
use crate::{Error, Result, Sizes, Tensor, wrap_dim};

/// How a dimension is cut: into pieces of one size (or a number of pieces), or at given places (or into given sizes).
///
/// Made from an integer, or from an array, slice or vector of integers.
///
/// ```
/// # use firebrick_core::{Sections, Tensor};
/// assert_eq!((Sections::from(2), Sections::from([1, 3])), (Sections::One(2), Sections::Many(vec![1, 3])));
/// let x = Tensor::arange(4)?;
/// assert_eq!(x.split([1, 3], 0)?[1].to_vec::<i64>()?, [1, 2, 3]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sections {
    /// One number: the size of each piece for `split`, the number of pieces for `tensor_split`.
    One(i64),
    /// Several: the sizes of the pieces for `split`, the indices of the cuts for `tensor_split`.
    Many(Vec<i64>),
}

macro_rules! sections {
    ($($t:ty),*) => { $(
        impl From<$t> for Sections {
            fn from(value: $t) -> Self {
                Sections::One(crate::Integer::to_i64(value))
            }
        }
    )* };
}
sections!(i32, i64, usize);

macro_rules! section_lists {
    ($([$($n:tt)*] $t:ty),*) => { $(
        impl<I: crate::Integer $($n)*> From<$t> for Sections {
            fn from(list: $t) -> Self {
                Sections::Many(Sizes::from(list).to_vec())
            }
        }
    )* };
}
section_lists!([] &[I], [] Vec<I>, [] &Vec<I>, [, const N: usize] [I; N]);

/// Refuses more pieces than there is memory for their handles.
fn check_pieces(count: usize) -> Result<()> {
    const PIECE: usize = 1 << 10;
    check_list(count, PIECE)
}

impl Tensor {
    /// Pieces of `sizes` along `dim`, or pieces of one size, the last of which may be smaller.
    ///
    /// # Errors
    /// The sizes do not sum to that of the dimension, or one is negative.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0, 1, 2, 3, 4])?;
    /// assert_eq!(x.split(2, 0)?[2].to_vec::<i32>()?, [4]);
    /// assert_eq!(x.split([1, 4], 0)?[1].to_vec::<i32>()?, [1, 2, 3, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn split(&self, sizes: impl Into<Sections>, dim: i64) -> Result<Vec<Tensor>> {
        let _running = crate::source::operation();
        match sizes.into() {
            Sections::One(size) => self.split_evenly(size, dim),
            Sections::Many(sizes) => self.split_with_sizes(sizes, dim),
        }
    }

    fn split_evenly(&self, size: i64, dim: i64) -> Result<Vec<Tensor>> {
        const OP: &str = "split";
        let x = self.resolve(OP)?;
        let shape = x.shape();
        if shape.is_empty() {
            return Err(Error::runtime(OP, "split expects at least a 1-dimensional tensor"));
        }
        if size < 0 {
            return Err(Error::runtime(
                OP,
                format!("split expects split_size be non-negative, but got split_size={size}"),
            ));
        }
        let dim = wrap_dim(OP, dim, shape.len())?;
        let whole = shape[dim];
        if size == 0 && whole != 0 {
            return Err(Error::runtime(
                OP,
                format!("split_size can only be 0 if dimension size is 0, but got dimension size of {whole}"),
            ));
        }
        let each = (size as usize).max(1);
        check_pieces(whole.div_ceil(each))?;
        let pieces = (0..whole.div_ceil(each).max(1)).map(|i| (i * each, each.min(whole - i * each)));
        x.pieces(OP, "SplitBackward0", dim, pieces)
    }

    /// Pieces of these sizes along `dim`.
    ///
    /// # Errors
    /// The sizes do not sum to that of the dimension, or one is negative.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let parts = Tensor::new([1, 2, 3])?.split_with_sizes([1, 2], 0)?;
    /// assert_eq!(parts[1].to_vec::<i32>()?, [2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn split_with_sizes(&self, sizes: impl Into<Sizes>, dim: i64) -> Result<Vec<Tensor>> {
        let _running = crate::source::operation();
        const OP: &str = "split_with_sizes";
        let (x, sizes) = (self.resolve(OP)?, sizes.into());
        let shape = x.shape();
        if shape.is_empty() {
            return Err(Error::runtime(OP, "split expects at least a 1-dimensional tensor"));
        }
        let dim = wrap_dim(OP, dim, shape.len())?;
        let list = &sizes[..];
        if list.iter().any(|&s| s < 0) {
            return Err(Error::runtime(
                OP,
                format!(
                    "split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={list:?}"
                ),
            ));
        }
        if list.iter().map(|&s| s as u128).sum::<u128>() != shape[dim] as u128 {
            return Err(Error::runtime(
                OP,
                format!(
                    "split_with_sizes expects split_sizes to sum exactly to {} (input tensor's size at dimension {dim}), but got split_sizes={list:?}",
                    shape[dim]
                ),
            ));
        }
        let mut start = 0;
        let pieces = list.iter().map(|&len| {
            let piece = (start, len as usize);
            start += len as usize;
            piece
        });
        x.pieces(OP, "SplitWithSizesBackward0", dim, pieces)
    }

    /// Pieces as one operation with several results.
    fn pieces(
        &self,
        op: &'static str,
        name: &'static str,
        dim: usize,
        pieces: impl Iterator<Item = (usize, usize)>,
    ) -> Result<Vec<Tensor>> {
        let views = pieces.map(|(start, len)| ViewOp::Slice { dim, start, len, step: 1 }).collect();
        self.viewed_many(op, name, views, move |parts| Tensor::cat(parts, dim as i64))
    }

    /// `chunks` pieces along `dim`, or fewer: all but the last of the size that `chunks` pieces need.
    ///
    /// # Errors
    /// `chunks` is not positive.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let parts = Tensor::arange(5)?.chunk(3, 0)?;
    /// assert_eq!(parts[0].to_vec::<i64>()?, [0, 1]);
    /// assert_eq!(parts[2].to_vec::<i64>()?, [4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn chunk(&self, chunks: i64, dim: i64) -> Result<Vec<Tensor>> {
        let _running = crate::source::operation();
        const OP: &str = "chunk";
        let x = self.resolve(OP)?;
        let shape = x.shape();
        if shape.is_empty() {
            return Err(Error::runtime(OP, "chunk expects at least a 1-dimensional tensor"));
        }
        if chunks <= 0 {
            return Err(Error::runtime(OP, format!("chunk expects `chunks` to be greater than 0, got: {chunks}")));
        }
        let whole = shape[wrap_dim(OP, dim, shape.len())?] as i64;
        match whole {
            0 => {
                check_pieces(chunks as usize)?;
                x.split_with_sizes(vec![0i64; chunks as usize], dim)
            }
            _ => x.split_evenly((whole as u64).div_ceil(chunks as u64) as i64, dim),
        }
    }

    /// A number of pieces along `dim` whose sizes differ by at most one, or cuts at the given indices.
    ///
    /// # Errors
    /// The number of pieces is not positive.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0, 1, 2, 3, 4])?;
    /// assert_eq!(x.tensor_split(2, 0)?[0].shape(), [3]);
    /// assert_eq!(x.tensor_split([1, 3], 0)?[1].to_vec::<i32>()?, [1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn tensor_split(&self, sections: impl Into<Sections>, dim: i64) -> Result<Vec<Tensor>> {
        let _running = crate::source::operation();
        const OP: &str = "tensor_split";
        let x = self.resolve(OP)?;
        let shape = x.shape();
        if shape.is_empty() {
            return Err(Error::runtime(
                OP,
                "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims",
            ));
        }
        let dim = wrap_dim(OP, dim, shape.len())?;
        let size = shape[dim] as i64;
        match sections.into() {
            Sections::One(count) if count <= 0 => {
                Err(Error::runtime(OP, format!("number of sections must be larger than 0, got {count}")))
            }
            Sections::One(count) => {
                check_pieces(count as usize)?;
                let (each, extra) = (size / count, size % count);
                let start = |i: i64| i * each + i.min(extra);
                (0..count).map(|i| x.slice(dim as i64, start(i), start(i + 1), 1)).collect()
            }
            Sections::Many(cuts) => {
                let starts = std::iter::once(0).chain(cuts.iter().copied());
                let ends = cuts.iter().copied().map(Some).chain([None]);
                starts.zip(ends).map(|(start, end)| x.slice(dim as i64, start, end, 1)).collect()
            }
        }
    }

    fn axis_split(&self, op: &'static str, least: usize, dim: usize, sections: Sections) -> Result<Vec<Tensor>> {
        let x = self.resolve(op)?;
        let shape = x.shape();
        if shape.len() < least {
            return Err(Error::runtime(
                op,
                format!(
                    "torch.{op} requires a tensor with at least {least} dimension, but got a tensor with {} dimensions!",
                    shape.len()
                ),
            ));
        }
        if let Sections::One(count) = sections
            && (count <= 0 || shape[dim] as i64 % count != 0)
        {
            return Err(Error::runtime(
                op,
                format!(
                    "torch.{op} attempted to split along dimension {dim}, but the size of the dimension {} is not divisible by the split_size {count}!",
                    shape[dim]
                ),
            ));
        }
        x.tensor_split(sections, dim as i64)
    }

    /// Equal pieces, or cuts at indices, along the columns: dimension 1, or 0 of a vector.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let parts = Tensor::zeros([2, 4])?.hsplit(2)?;
    /// assert_eq!(parts[0].shape(), [2, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn hsplit(&self, sections: impl Into<Sections>) -> Result<Vec<Tensor>> {
        let _running = crate::source::operation();
        self.axis_split("hsplit", 1, usize::from(self.dim() > 1), sections.into())
    }

    /// Equal pieces, or cuts at indices, along dimension 0.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let parts = Tensor::zeros([4, 2])?.vsplit([1, 3])?;
    /// assert_eq!(parts[1].shape(), [2, 2]);
    /// assert_eq!(parts.len(), 3);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn vsplit(&self, sections: impl Into<Sections>) -> Result<Vec<Tensor>> {
        let _running = crate::source::operation();
        self.axis_split("vsplit", 2, 0, sections.into())
    }

    /// Equal pieces, or cuts at indices, along dimension 2.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let parts = Tensor::zeros([1, 2, 4])?.dsplit(2)?;
    /// assert_eq!(parts[0].shape(), [1, 2, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn dsplit(&self, sections: impl Into<Sections>) -> Result<Vec<Tensor>> {
        let _running = crate::source::operation();
        self.axis_split("dsplit", 3, 2, sections.into())
    }

    /// Every index of `dim`, which disappears.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let rows = Tensor::new([[1, 2], [3, 4]])?.unbind(0)?;
    /// assert_eq!(rows[1].to_vec::<i32>()?, [3, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn unbind(&self, dim: i64) -> Result<Vec<Tensor>> {
        let _running = crate::source::operation();
        const OP: &str = "unbind";
        let x = self.resolve(OP)?;
        let shape = x.shape();
        if shape.is_empty() {
            return Err(Error::index(OP, "Dimension specified as 0 but tensor has no dimensions"));
        }
        let dim = wrap_dim(OP, dim, shape.len())?;
        check_pieces(shape[dim])?;
        let views = (0..shape[dim]).map(|index| ViewOp::Select { dim, index }).collect();
        x.viewed_many(OP, "UnbindBackward0", views, move |parts| Tensor::stack(parts, dim as i64))
    }
}
