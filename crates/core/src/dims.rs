//! Shapes and the integer lists that requests are made of.

use crate::{Error, Result};
use smallvec::SmallVec;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

/// Sizes or strides of a tensor: up to five dimensions without an allocation, returned by value.
///
/// `Display` is PyTorch's `torch.Size([2, 3])`, `Debug` the bare list `[2, 3]`.
///
/// ```
/// # use firebrick_core::Dims;
/// let mut shape: Dims = [2, 3].as_slice().into();
/// shape.push(4);
/// assert_eq!(shape, [2, 3, 4]);
/// assert_eq!((shape.numel(), shape.contiguous_strides()), (24, [12, 4, 1].as_slice().into()));
/// ```
#[derive(Clone)]
pub struct Dims(Repr);

/// With five, a tensor's body stays within 128 bytes, up to which moving it is a few registers and no call.
const INLINE: usize = 5;

/// Copying the inline form is a move of a few registers, which every operation does several times.
#[derive(Clone)]
enum Repr {
    Inline(u8, [usize; INLINE]),
    Heap(Vec<usize>),
}

impl Dims {
    /// No dimensions; [`Dims::from_slice`] shows it.
    #[inline]
    pub fn new() -> Self {
        Dims(Repr::Inline(0, [0; INLINE]))
    }

    /// A copy of `dims`.
    ///
    /// ```
    /// # use firebrick_core::Dims;
    /// let mut dims = Dims::from_slice(&[2, 3]);
    /// dims.insert(0, 5);
    /// assert_eq!(dims, [5, 2, 3]);
    /// assert_eq!((dims.remove(1), dims.numel()), (2, 15));
    /// assert_eq!((Dims::new().numel(), Dims::repeat(1, 3)), (1, [1, 1, 1].into()));
    /// ```
    #[inline]
    pub fn from_slice(dims: &[usize]) -> Self {
        if dims.len() > INLINE {
            return Dims(Repr::Heap(dims.to_vec()));
        }
        let mut data = [0; INLINE];
        data[..dims.len()].copy_from_slice(dims);
        Dims(Repr::Inline(dims.len() as u8, data))
    }

    /// `len` times `value`; [`Dims::from_slice`] shows it.
    pub fn repeat(value: usize, len: usize) -> Self {
        if len > INLINE { Dims(Repr::Heap(vec![value; len])) } else { Dims(Repr::Inline(len as u8, [value; INLINE])) }
    }

    /// Appends one dimension.
    pub fn push(&mut self, value: usize) {
        match &mut self.0 {
            Repr::Inline(len, data) if usize::from(*len) < INLINE => {
                data[usize::from(*len)] = value;
                *len += 1;
            }
            Repr::Inline(_, data) => {
                let mut dims = data.to_vec();
                dims.push(value);
                self.0 = Repr::Heap(dims);
            }
            Repr::Heap(dims) => dims.push(value),
        }
    }

    /// Inserts a dimension before `at`; [`Dims::from_slice`] shows it.
    pub fn insert(&mut self, at: usize, value: usize) {
        self.push(value);
        self[at..].rotate_right(1);
    }

    /// Removes and returns the dimension `at`; [`Dims::from_slice`] shows it.
    pub fn remove(&mut self, at: usize) -> usize {
        let removed = self[at];
        self[at..].rotate_left(1);
        match &mut self.0 {
            Repr::Inline(len, _) => *len -= 1,
            Repr::Heap(dims) => {
                dims.pop();
            }
        }
        removed
    }

    /// Product of all sizes; 1 for no dimensions.
    #[inline]
    pub fn numel(&self) -> usize {
        // Without a size of 0 the product was checked when the shape was made; with one, what comes before may wrap.
        self.iter().fold(1, |n: usize, &d| n.wrapping_mul(d))
    }

    /// Product of all sizes, or PyTorch's error when it exceeds what 64 bits hold.
    ///
    /// A size of 0 counts as 1 for the limit, so that the product of any of the sizes fits, too. PyTorch lets such
    /// shapes pass, and wraps.
    ///
    /// ```
    /// # use firebrick_core::Dims;
    /// assert_eq!(Dims::from_slice(&[2, 0, 3]).checked_numel("zeros")?, 0);
    /// assert!(Dims::repeat(1 << 33, 2).checked_numel("zeros").is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn checked_numel(&self, op: &'static str) -> Result<usize> {
        self.extent()
            .map(|extent| if self.contains(&0) { 0 } else { extent })
            .ok_or_else(|| Error::runtime(op, "numel: integer multiplication overflow").given(format!("{self:?}")))
    }

    /// Product of all sizes but those of 0; `None` when it exceeds what 64 bits hold.
    pub(crate) fn extent(&self) -> Option<usize> {
        let product = self.iter().try_fold(1usize, |n, &d| n.checked_mul(d.max(1)));
        product.filter(|&n| n <= isize::MAX as usize)
    }

    /// Row-major strides of this shape, as PyTorch computes them (a size of 0 counts as 1).
    #[inline]
    pub fn contiguous_strides(&self) -> Dims {
        let mut strides = self.clone();
        let mut step = 1usize;
        for i in (0..self.len()).rev() {
            strides[i] = step;
            step = step.saturating_mul(self[i].max(1));
        }
        strides
    }
}

impl Default for Dims {
    fn default() -> Self {
        Dims::new()
    }
}

impl Deref for Dims {
    type Target = [usize];
    #[inline]
    fn deref(&self) -> &[usize] {
        match &self.0 {
            Repr::Inline(len, data) => &data[..usize::from(*len)],
            Repr::Heap(dims) => dims,
        }
    }
}

impl DerefMut for Dims {
    #[inline]
    fn deref_mut(&mut self) -> &mut [usize] {
        match &mut self.0 {
            Repr::Inline(len, data) => &mut data[..usize::from(*len)],
            Repr::Heap(dims) => dims,
        }
    }
}

impl PartialEq for Dims {
    #[inline]
    fn eq(&self, other: &Dims) -> bool {
        // A loop over a few numbers: a call of `memcmp` costs more.
        self.len() == other.len() && self.iter().zip(other.iter()).all(|(a, b)| a == b)
    }
}

impl Eq for Dims {}

impl Hash for Dims {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self[..].hash(state);
    }
}

impl fmt::Debug for Dims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self[..], f)
    }
}

impl fmt::Display for Dims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "torch.Size({self:?})")
    }
}

impl FromIterator<usize> for Dims {
    fn from_iter<I: IntoIterator<Item = usize>>(iter: I) -> Self {
        let mut dims = Dims::new();
        iter.into_iter().for_each(|size| dims.push(size));
        dims
    }
}

impl<'a> IntoIterator for &'a Dims {
    type Item = &'a usize;
    type IntoIter = std::slice::Iter<'a, usize>;
    fn into_iter(self) -> Self::IntoIter {
        self[..].iter()
    }
}

impl From<&[usize]> for Dims {
    fn from(dims: &[usize]) -> Self {
        Dims::from_slice(dims)
    }
}

impl<const N: usize> From<[usize; N]> for Dims {
    fn from(dims: [usize; N]) -> Self {
        Dims::from_slice(&dims)
    }
}

impl<const N: usize> PartialEq<[usize; N]> for Dims {
    fn eq(&self, other: &[usize; N]) -> bool {
        self[..] == other[..]
    }
}

impl PartialEq<[usize]> for Dims {
    fn eq(&self, other: &[usize]) -> bool {
        self[..] == *other
    }
}

impl PartialEq<&[usize]> for Dims {
    fn eq(&self, other: &&[usize]) -> bool {
        self[..] == **other
    }
}

/// A list of integers as PyTorch takes them: sizes (where -1 may mean "infer") or dimensions
/// (where negative ones count from the end).
///
/// Made from numbers, arrays, slices and vectors of any common integer type, and from `()` for none.
///
/// ```
/// # use firebrick_core::Tensor;
/// assert_eq!(Tensor::zeros([2, 3])?.shape(), [2, 3]);
/// assert_eq!(Tensor::zeros(vec![2usize, 3])?.shape(), [2, 3]);
/// assert_eq!(Tensor::zeros(5)?.shape(), [5]);
/// assert_eq!(Tensor::zeros(())?.shape(), []);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes(SmallVec<[i64; 6]>);

/// An integer that may stand in [`Sizes`].
///
/// ```
/// # use firebrick_core::Integer;
/// assert_eq!((7usize.to_i64(), u64::MAX.to_i64()), (7, i64::MAX));
/// ```
pub trait Integer: Copy {
    /// The value; numbers beyond `i64` saturate and are refused where they are used.
    fn to_i64(self) -> i64;
}

macro_rules! integers {
    ($($t:ty),*) => { $(
        impl Integer for $t {
            #[inline]
            fn to_i64(self) -> i64 {
                i64::try_from(self).unwrap_or(i64::MAX)
            }
        }
        impl From<$t> for Sizes {
            fn from(value: $t) -> Self {
                Sizes(SmallVec::from_slice(&[value.to_i64()]))
            }
        }
    )* };
}
integers!(i32, i64, isize, u32, u64, usize);

impl Sizes {
    /// As a shape: every entry must be 0 or more.
    ///
    /// ```
    /// # use firebrick_core::Sizes;
    /// assert_eq!(Sizes::from([2, 3]).to_shape("zeros")?, [2, 3]);
    /// assert!(Sizes::from([2, -1]).to_shape("zeros").is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn to_shape(&self, op: &'static str) -> Result<Dims> {
        if self.0.iter().any(|&s| s < 0) {
            let list = &self.0[..];
            return Err(Error::runtime(
                op,
                format!("Trying to create tensor with negative dimension {}: {list:?}", self.first_negative()),
            ));
        }
        let shape: Dims = self.0.iter().map(|&s| s as usize).collect();
        match shape.checked_numel(op) {
            Ok(_) => Ok(shape),
            Err(_) => {
                let list = &self.0[..];
                Err(Error::runtime(op, format!("Storage size calculation overflowed with sizes={list:?}")))
            }
        }
    }

    fn first_negative(&self) -> i64 {
        self.0.iter().copied().find(|&s| s < 0).unwrap_or(0)
    }
}

impl Deref for Sizes {
    type Target = [i64];
    fn deref(&self) -> &[i64] {
        &self.0
    }
}

impl FromIterator<i64> for Sizes {
    fn from_iter<I: IntoIterator<Item = i64>>(iter: I) -> Self {
        Sizes(iter.into_iter().collect())
    }
}

impl<T: Integer, const N: usize> From<[T; N]> for Sizes {
    fn from(list: [T; N]) -> Self {
        Sizes(list.iter().map(|v| v.to_i64()).collect())
    }
}

impl<T: Integer, const N: usize> From<&[T; N]> for Sizes {
    fn from(list: &[T; N]) -> Self {
        Sizes::from(&list[..])
    }
}

impl<T: Integer> From<&[T]> for Sizes {
    fn from(list: &[T]) -> Self {
        Sizes(list.iter().map(|v| v.to_i64()).collect())
    }
}

impl<T: Integer> From<Vec<T>> for Sizes {
    fn from(list: Vec<T>) -> Self {
        Sizes::from(&list[..])
    }
}

impl<T: Integer> From<&Vec<T>> for Sizes {
    fn from(list: &Vec<T>) -> Self {
        Sizes::from(&list[..])
    }
}

impl From<&Sizes> for Sizes {
    fn from(list: &Sizes) -> Self {
        list.clone()
    }
}

impl From<&Dims> for Sizes {
    fn from(dims: &Dims) -> Self {
        Sizes::from(&dims[..])
    }
}

impl From<Dims> for Sizes {
    fn from(dims: Dims) -> Self {
        Sizes::from(&dims[..])
    }
}

impl From<()> for Sizes {
    fn from((): ()) -> Self {
        Sizes::default()
    }
}

/// Resolves a possibly negative dimension of a tensor with `rank` dimensions.
///
/// A 0-dimensional tensor accepts -1 and 0, as in PyTorch.
///
/// ```
/// # use firebrick_core::wrap_dim;
/// assert_eq!(wrap_dim("sum", -1, 3)?, 2);
/// let error = wrap_dim("sum", 3, 3).map_err(|e| e.to_string());
/// let text = "Dimension out of range (expected to be in range of [-3, 2], but got 3)";
/// assert_eq!(error, Err(text.into()));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[inline]
pub fn wrap_dim(op: &'static str, dim: i64, rank: usize) -> Result<usize> {
    let bound = rank.max(1) as i64;
    if dim >= -bound && dim < bound {
        return Ok(if dim < 0 { dim + bound } else { dim } as usize);
    }
    Err(Error::index(
        op,
        format!("Dimension out of range (expected to be in range of [{}, {}], but got {dim})", -bound, bound - 1),
    ))
}

/// Resolves several dimensions and refuses one that is named twice.
///
/// ```
/// # use firebrick_core::wrap_dims;
/// assert_eq!(wrap_dims("sum", &[0, -1], 3)?.as_slice(), [0, 2]);
/// assert!(wrap_dims("sum", &[0, -3], 3).is_err());
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn wrap_dims(op: &'static str, dims: &[i64], rank: usize) -> Result<SmallVec<[usize; 6]>> {
    let mut out = SmallVec::new();
    for &dim in dims {
        let dim = wrap_dim(op, dim, rank)?;
        if out.contains(&dim) {
            return Err(Error::runtime(op, format!("dim {dim} appears multiple times in the list of dims")));
        }
        out.push(dim);
    }
    Ok(out)
}

/// The shape two operands broadcast to.
///
/// ```
/// # use firebrick_core::broadcast_shapes;
/// assert_eq!(broadcast_shapes("add", &[3, 1], &[4])?, [3, 4]);
/// assert!(broadcast_shapes("add", &[3], &[4]).is_err());
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[inline]
pub fn broadcast_shapes(op: &'static str, a: &[usize], b: &[usize]) -> Result<Dims> {
    if a == b {
        return Ok(Dims::from_slice(a));
    }
    let rank = a.len().max(b.len());
    let mut out = Dims::repeat(1, rank);
    for i in 0..rank {
        // Compared from the last dimension on; a missing one counts as 1.
        let size = |s: &[usize]| if i < s.len() { s[s.len() - 1 - i] } else { 1 };
        out[rank - 1 - i] = match (size(a), size(b)) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            (x, y) => {
                return Err(Error::runtime(
                    op,
                    format!(
                        "The size of tensor a ({x}) must match the size of tensor b ({y}) at non-singleton dimension {}",
                        rank - 1 - i
                    ),
                )
                .given(format!("{a:?} and {b:?}"))
                .expected("sizes that are equal or 1, compared from the last dimension"));
            }
        };
    }
    Ok(out)
}
