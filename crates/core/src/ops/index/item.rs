//! What may stand in an index: integers, ranges, `..`, new dimensions, masks and index tensors.

use crate::{Integer, Tensor};
use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

/// Python's `...`: as many whole dimensions as the other parts of the index leave.
///
/// ```
/// # use firebrick_core::{Ellipsis, Tensor};
/// assert_eq!(Tensor::zeros([2, 3, 4])?.i((Ellipsis, 0))?.shape(), [2, 3]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ellipsis;

/// Python's `None` in an index: a new dimension of size 1.
///
/// ```
/// # use firebrick_core::{NewAxis, Tensor};
/// assert_eq!(Tensor::zeros([2, 3])?.i((0..1, NewAxis))?.shape(), [1, 1, 3]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewAxis;

/// Python's `start:stop:step`. Bounds may be left out, count from the end, or lie outside.
///
/// ```
/// use firebrick_core::{Slice, Tensor};
/// let x = Tensor::new([0, 1, 2, 3, 4])?;
/// assert_eq!(x.i(Slice::new(-4, None).step(2))?.to_vec::<i32>()?, [1, 3]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    pub(super) start: Option<i64>,
    pub(super) stop: Option<i64>,
    pub(super) step: i64,
}

impl Slice {
    /// `start:stop`.
    ///
    /// ```
    /// # use firebrick_core::{Slice, Tensor};
    /// let x = Tensor::new([0, 1, 2, 3, 4])?;
    /// assert_eq!(x.i(Slice::new(-2, None))?.to_vec::<i32>()?, [3, 4]);
    /// assert_eq!(x.i(Slice::new(None, 100))?.shape(), [5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new(start: impl Into<Option<i64>>, stop: impl Into<Option<i64>>) -> Self {
        Slice { start: start.into(), stop: stop.into(), step: 1 }
    }

    /// Every `step`-th index.
    ///
    /// # Errors
    /// A step below 1, when the index is used.
    ///
    /// ```
    /// # use firebrick_core::{Slice, Tensor};
    /// let x = Tensor::new([0, 1, 2, 3, 4])?;
    /// assert_eq!(x.i(Slice::new(None, None).step(2))?.to_vec::<i32>()?, [0, 2, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn step(mut self, step: i64) -> Self {
        self.step = step;
        self
    }
}

/// One part of an index.
///
/// ```
/// # use firebrick_core::{IndexItem, Tensor};
/// let index: Vec<IndexItem> = vec![1.into(), (0..2).into()];
/// assert_eq!(Tensor::new([[1, 2, 3], [4, 5, 6]])?.i(index)?.to_vec::<i32>()?, [4, 5]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone)]
pub enum IndexItem {
    /// One index; its dimension disappears.
    Int(i64),
    /// A range of indices.
    Slice(Slice),
    /// `...`
    Ellipsis,
    /// A new dimension.
    NewAxis,
    /// `True` or `False`: a new dimension of size 1 or 0.
    Bool(bool),
    /// Integers that name indices, or a mask.
    Tensor(Tensor),
}

macro_rules! items {
    ($($t:ty: |$x:pat_param| $e:expr;)*) => { $(
        impl From<$t> for IndexItem {
            fn from($x: $t) -> Self {
                $e
            }
        }
    )* };
}
items! {
    i32: |i| IndexItem::Int(i.into());
    i64: |i| IndexItem::Int(i);
    usize: |i| IndexItem::Int(i.to_i64());
    bool: |b| IndexItem::Bool(b);
    Slice: |s| IndexItem::Slice(s);
    RangeFull: |_| IndexItem::Slice(Slice::new(None, None));
    Ellipsis: |_| IndexItem::Ellipsis;
    NewAxis: |_| IndexItem::NewAxis;
    Tensor: |t| IndexItem::Tensor(t);
    &Tensor: |t| IndexItem::Tensor(t.clone());
}

/// One past `last`, the end of an inclusive range; -1 is the last index, after which there is no bound.
fn past(last: i64) -> Option<i64> {
    if last == -1 { None } else { Some(last.saturating_add(1)) }
}

macro_rules! ranges {
    ($($t:ident: |$r:ident| ($start:expr, $stop:expr);)*) => { $(
        impl<I: Integer> From<$t<I>> for IndexItem {
            fn from($r: $t<I>) -> Self {
                IndexItem::Slice(Slice::new($start, $stop))
            }
        }
    )* };
}
ranges! {
    Range: |r| (r.start.to_i64(), r.end.to_i64());
    RangeFrom: |r| (r.start.to_i64(), None);
    RangeTo: |r| (None, r.end.to_i64());
    RangeInclusive: |r| (r.start().to_i64(), past(r.end().to_i64()));
    RangeToInclusive: |r| (None, past(r.end.to_i64()));
}

/// An index: one part, a tuple of up to six, or a vector of [`IndexItem`]s.
///
/// ```
/// use firebrick_core::{IntoIndex, NewAxis, Tensor};
/// let x = Tensor::new([[1, 2, 3], [4, 5, 6]])?;
/// let index = (1, NewAxis, 1..).into_index();
/// assert_eq!(index.len(), 3);
/// assert_eq!(x.i(index)?.to_vec::<i32>()?, [5, 6]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub trait IntoIndex {
    /// The parts in order.
    fn into_index(self) -> Vec<IndexItem>;
}

impl<T: Into<IndexItem>> IntoIndex for T {
    fn into_index(self) -> Vec<IndexItem> {
        vec![self.into()]
    }
}

impl IntoIndex for Vec<IndexItem> {
    fn into_index(self) -> Vec<IndexItem> {
        self
    }
}

impl IntoIndex for () {
    fn into_index(self) -> Vec<IndexItem> {
        Vec::new()
    }
}

macro_rules! tuples {
    ($(($($t:ident $n:tt),+);)*) => { $(
        impl<$($t: Into<IndexItem>),+> IntoIndex for ($($t,)+) {
            fn into_index(self) -> Vec<IndexItem> {
                vec![$(self.$n.into()),+]
            }
        }
    )* };
}
tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
}
