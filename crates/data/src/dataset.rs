//! Data sets: items by index.

use crate::caught::caught;
use firebrick_core::{Error, Result};
use std::sync::Arc;

/// Items that are found by index: PyTorch's map-style `Dataset`.
///
/// References, boxes and `Arc`s of data sets are data sets.
///
/// ```
/// use firebrick_core::Result;
/// use firebrick_data::Dataset;
/// struct Squares;
/// impl Dataset for Squares {
///     type Item = i64;
///     fn len(&self) -> usize {
///         10
///     }
///     fn get(&self, index: usize) -> Result<i64> {
///         Ok((index * index) as i64)
///     }
/// }
/// assert_eq!(Squares.get(3)?, 9);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub trait Dataset: Send + Sync {
    /// One item, such as an image and its label.
    type Item;

    /// Number of items: Python's `len(dataset)`.
    ///
    /// ```
    /// use firebrick_data::{Dataset, ListDataset};
    /// assert_eq!(ListDataset(vec!['a', 'b']).len(), 2);
    /// ```
    fn len(&self) -> usize;

    /// The item at `index`: Python's `dataset[index]`.
    ///
    /// # Errors
    /// `index` is not below the length; the item cannot be read.
    ///
    /// ```
    /// use firebrick_data::{Dataset, ListDataset};
    /// let letters = ListDataset(vec!['a', 'b']);
    /// assert_eq!(letters.get(1)?, 'b');
    /// assert_eq!(letters.get(2).unwrap_err().to_string(), "list index out of range");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn get(&self, index: usize) -> Result<Self::Item>;

    /// Whether there are no items.
    ///
    /// ```
    /// use firebrick_data::{Dataset, ListDataset};
    /// assert!(ListDataset(Vec::<char>::new()).is_empty());
    /// ```
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Several items, in this order: PyTorch's `__getitems__`, for data sets that find many at once faster.
    ///
    /// # Errors
    /// Those of [`Dataset::get`], and its panics as errors; the error's details name the index.
    ///
    /// ```
    /// use firebrick_data::{Dataset, ListDataset};
    /// assert_eq!(ListDataset(vec!['a', 'b', 'c']).get_items(&[2, 0])?, ['c', 'a']);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn get_items(&self, indices: &[usize]) -> Result<Vec<Self::Item>> {
        let named = |index: usize| move |error: Error| error.context(format!("dataset index {index}"));
        let item = |&index: &usize| caught(|| self.get(index)).map_err(named(index));
        indices.iter().map(item).collect()
    }
}

macro_rules! by_reference {
    ($($t:ty),*) => { $(
        impl<D: Dataset + ?Sized> Dataset for $t {
            type Item = D::Item;

            fn len(&self) -> usize {
                (**self).len()
            }

            fn get(&self, index: usize) -> Result<D::Item> {
                (**self).get(index)
            }

            fn get_items(&self, indices: &[usize]) -> Result<Vec<D::Item>> {
                (**self).get_items(indices)
            }
        }
    )* };
}
by_reference!(&D, Box<D>, Arc<D>);

/// The error of an item that is not among `len`.
fn out_of_range(index: usize, len: usize) -> Error {
    Error::index("get", "list index out of range").given(index.to_string()).expected(format!("below {len}"))
}

/// A list as a data set of clones of its elements.
///
/// ```
/// use firebrick_data::{Dataset, ListDataset};
/// assert_eq!(ListDataset(vec!['a', 'b']).get(1)?, 'b');
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ListDataset<T>(pub Vec<T>);

impl<T: Clone + Send + Sync> Dataset for ListDataset<T> {
    type Item = T;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, index: usize) -> Result<T> {
        self.0.get(index).cloned().ok_or_else(|| out_of_range(index, self.len()))
    }
}

/// Some items of a data set, in an order of their own.
///
/// ```
/// use firebrick_data::{Dataset, ListDataset, Subset};
/// let subset = Subset::new(ListDataset(vec!['a', 'b', 'c']), vec![2, 0]);
/// assert_eq!((subset.len(), subset.get(0)?), (2, 'c'));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Subset<D> {
    dataset: D,
    indices: Vec<usize>,
}

impl<D: Dataset> Subset<D> {
    /// The items of `dataset` at `indices`.
    ///
    /// ```
    /// use firebrick_data::{Dataset, ListDataset, Subset};
    /// let subset = Subset::new(ListDataset(vec!['a', 'b', 'c']), vec![2, 2]);
    /// assert_eq!(subset.get_items(&[0, 1])?, ['c', 'c']);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new(dataset: D, indices: Vec<usize>) -> Self {
        Subset { dataset, indices }
    }

    /// The whole data set.
    ///
    /// ```
    /// use firebrick_data::{Dataset, ListDataset, Subset};
    /// let subset = Subset::new(ListDataset(vec!['a', 'b', 'c']), vec![2, 0]);
    /// assert_eq!((subset.len(), subset.dataset().len()), (2, 3));
    /// ```
    pub fn dataset(&self) -> &D {
        &self.dataset
    }

    /// Indices into the whole data set.
    ///
    /// ```
    /// use firebrick_data::{ListDataset, Subset};
    /// let subset = Subset::new(ListDataset(vec!['a', 'b', 'c']), vec![2, 0]);
    /// assert_eq!(subset.indices(), [2, 0]);
    /// ```
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// The index in the whole data set.
    fn inner(&self, index: usize) -> Result<usize> {
        self.indices.get(index).copied().ok_or_else(|| out_of_range(index, self.indices.len()))
    }
}

impl<D: Dataset> Dataset for Subset<D> {
    type Item = D::Item;

    fn len(&self) -> usize {
        self.indices.len()
    }

    fn get(&self, index: usize) -> Result<D::Item> {
        self.dataset.get(self.inner(index)?)
    }

    fn get_items(&self, indices: &[usize]) -> Result<Vec<D::Item>> {
        let inner = indices.iter().map(|&index| self.inner(index)).collect::<Result<Vec<usize>>>()?;
        self.dataset.get_items(&inner)
    }
}

/// Data sets one after the other. For those of several types take `Box<dyn Dataset<Item = ..>>`.
///
/// ```
/// use firebrick_data::{ConcatDataset, Dataset, ListDataset};
/// let both = ConcatDataset::new(vec![ListDataset(vec![1, 2]), ListDataset(vec![3])])?;
/// assert_eq!((both.len(), both.get(2)?), (3, 3));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConcatDataset<D> {
    datasets: Vec<D>,
    /// Where each data set ends.
    ends: Vec<usize>,
}

impl<D: Dataset> ConcatDataset<D> {
    /// These data sets in this order.
    ///
    /// # Errors
    /// There are none; more items than can be counted.
    ///
    /// ```
    /// use firebrick_data::{ConcatDataset, Dataset, ListDataset};
    /// let both = ConcatDataset::new(vec![ListDataset(vec![1, 2]), ListDataset(vec![3])])?;
    /// assert_eq!(both.get_items(&[0, 2])?, [1, 3]);
    /// assert!(ConcatDataset::<ListDataset<i32>>::new(Vec::new()).is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new(datasets: Vec<D>) -> Result<Self> {
        const OP: &str = "ConcatDataset";
        if datasets.is_empty() {
            return Err(Error::value(OP, "datasets should not be an empty iterable"));
        }
        let (mut ends, mut end) = (Vec::with_capacity(datasets.len()), 0usize);
        for dataset in &datasets {
            let next = end.checked_add(dataset.len());
            end = next.ok_or_else(|| {
                Error::value(OP, "the data sets have more items than can be counted")
                    .given(format!("{} items after {end}", dataset.len()))
                    .expected(format!("at most {} in all", usize::MAX))
            })?;
            ends.push(end);
        }
        Ok(ConcatDataset { ends, datasets })
    }

    /// The data sets.
    ///
    /// ```
    /// use firebrick_data::{ConcatDataset, Dataset, ListDataset};
    /// let both = ConcatDataset::new(vec![ListDataset(vec![1, 2]), ListDataset(vec![3])])?;
    /// assert_eq!(both.datasets()[0].len(), 2);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn datasets(&self) -> &[D] {
        &self.datasets
    }
}

impl<D: Dataset> Dataset for ConcatDataset<D> {
    type Item = D::Item;

    fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn get(&self, index: usize) -> Result<D::Item> {
        let at = self.ends.partition_point(|&end| end <= index);
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        self.datasets.get(at).ok_or_else(|| out_of_range(index, self.len()))?.get(index - start)
    }
}
