//! Data sets side by side.

use crate::Dataset;
use firebrick_core::{Error, Result};
use indexmap::IndexMap;

/// Data sets of one length: a tuple, a vector or an `IndexMap` of them, and an item of each.
///
/// ```
/// use firebrick_data::{Dataset, ListDataset, StackDataset};
/// let eyes = vec![ListDataset(vec!["left 0", "left 1"]), ListDataset(vec!["right 0", "right 1"])];
/// assert_eq!(StackDataset::new(eyes)?.get(1)?, ["left 1", "right 1"]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub trait Stack: Send + Sync {
    /// The items in the data sets' places.
    type Item;

    /// The data sets' lengths.
    ///
    /// ```
    /// use firebrick_data::{ListDataset, Stack};
    /// assert_eq!((ListDataset(vec!['a', 'b']), ListDataset(vec![1])).lengths(), [2, 1]);
    /// ```
    fn lengths(&self) -> Vec<usize>;

    /// The item of each data set.
    ///
    /// # Errors
    /// Those of the data sets.
    ///
    /// ```
    /// use firebrick_data::{ListDataset, Stack};
    /// assert_eq!((ListDataset(vec!['a', 'b']), ListDataset(vec![1, 2])).get(1)?, ('b', 2));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn get(&self, index: usize) -> Result<Self::Item>;
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => { $(
        impl<$($name: Dataset),+> Stack for ($($name,)+) {
            type Item = ($($name::Item,)+);

            #[allow(non_snake_case)] // the parameters' names stand for the fields
            fn lengths(&self) -> Vec<usize> {
                let ($($name,)+) = self;
                vec![$($name.len()),+]
            }

            #[allow(non_snake_case)]
            fn get(&self, index: usize) -> Result<Self::Item> {
                let ($($name,)+) = self;
                Ok(($($name.get(index)?,)+))
            }
        }
    )* };
}
tuples! {
    A;
    A B;
    A B C;
    A B C D;
}

impl<D: Dataset> Stack for Vec<D> {
    type Item = Vec<D::Item>;

    fn lengths(&self) -> Vec<usize> {
        self.iter().map(Dataset::len).collect()
    }

    fn get(&self, index: usize) -> Result<Self::Item> {
        self.iter().map(|dataset| dataset.get(index)).collect()
    }
}

impl<D: Dataset> Stack for IndexMap<String, D> {
    type Item = IndexMap<String, D::Item>;

    fn lengths(&self) -> Vec<usize> {
        self.values().map(Dataset::len).collect()
    }

    fn get(&self, index: usize) -> Result<Self::Item> {
        self.iter().map(|(name, dataset)| Ok((name.clone(), dataset.get(index)?))).collect()
    }
}

/// Data sets of one length side by side, such as images in one and labels in another.
///
/// ```
/// use firebrick_data::{Dataset, ListDataset, StackDataset};
/// let (images, labels) = (ListDataset(vec!["cat.png", "dog.png"]), ListDataset(vec![0, 1]));
/// let pairs = StackDataset::new((images, labels))?;
/// assert_eq!((pairs.len(), pairs.get(1)?), (2, ("dog.png", 1)));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct StackDataset<S> {
    datasets: S,
    len: usize,
}

impl<S: Stack> StackDataset<S> {
    /// A data set of a tuple, a vector or an `IndexMap` of data sets.
    ///
    /// # Errors
    /// No data sets; data sets of different lengths.
    ///
    /// ```
    /// use firebrick_data::{Dataset, ListDataset, StackDataset};
    /// assert_eq!(StackDataset::new((ListDataset(vec!['a', 'b']), ListDataset(vec![1, 2])))?.get(0)?, ('a', 1));
    /// let refused = StackDataset::new((ListDataset(vec!['a', 'b']), ListDataset(vec![1]))).unwrap_err();
    /// assert_eq!(refused.to_string(), "Size mismatch between datasets");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new(datasets: S) -> Result<Self> {
        const OP: &str = "StackDataset";
        let lengths = datasets.lengths();
        match lengths.first() {
            None => Err(Error::value(OP, "At least one dataset should be passed")),
            Some(&len) if lengths.iter().all(|&other| other == len) => Ok(StackDataset { datasets, len }),
            Some(_) => Err(Error::value(OP, "Size mismatch between datasets").given(format!("{lengths:?} items"))),
        }
    }

    /// The data sets.
    ///
    /// ```
    /// use firebrick_data::{ListDataset, StackDataset};
    /// let pairs = StackDataset::new((ListDataset(vec!['a', 'b']), ListDataset(vec![1, 2])))?;
    /// assert_eq!(pairs.datasets().1.0, [1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn datasets(&self) -> &S {
        &self.datasets
    }
}

impl<S: Stack> Dataset for StackDataset<S> {
    type Item = S::Item;

    fn len(&self) -> usize {
        self.len
    }

    fn get(&self, index: usize) -> Result<S::Item> {
        self.datasets.get(index)
    }
}
