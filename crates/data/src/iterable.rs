//! Data sets that are read from front to back.

use crate::sampler::Order;
use std::sync::Arc;

/// Items that come one after the other, such as the lines of a file: PyTorch's `IterableDataset`.
///
/// With workers every one of them reads a pass of its own, so each item comes once for each worker unless the data set
/// asks [`get_worker_info`](crate::get_worker_info) which part is its own.
///
/// ```
/// use firebrick_core::{Result, Tensor};
/// use firebrick_data::{DataLoader, IterableDataset, Order, get_worker_info};
/// struct Countdown;
/// impl IterableDataset for Countdown {
///     type Item = i64;
///     fn iter(&self) -> Order<'_, i64> {
///         let (id, workers) = get_worker_info().map_or((0, 1), |info| (info.id, info.num_workers));
///         Box::new((0..5).rev().skip(id).step_by(workers).map(Ok))
///     }
/// }
/// let loader = DataLoader::iterable(Countdown).batch_size(2).num_workers(2).build()?;
/// let batches = loader.iter().map(|batch| batch?.to_vec::<i64>()).collect::<Result<Vec<_>>>()?;
/// assert_eq!(batches, [vec![4, 2], vec![3, 1], vec![0]]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub trait IterableDataset: Send + Sync {
    /// One item.
    type Item;

    /// One pass over the items.
    ///
    /// ```
    /// use firebrick_core::Result;
    /// use firebrick_data::{IterableDataset, Order};
    /// struct Lines(&'static str);
    /// impl IterableDataset for Lines {
    ///     type Item = &'static str;
    ///     fn iter(&self) -> Order<'_, &'static str> {
    ///         Box::new(self.0.lines().map(Ok))
    ///     }
    /// }
    /// assert_eq!(Lines("fire\nbrick").iter().collect::<Result<Vec<_>>>()?, ["fire", "brick"]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn iter(&self) -> Order<'_, Self::Item>;
}

macro_rules! by_reference {
    ($($t:ty),*) => { $(
        impl<D: IterableDataset + ?Sized> IterableDataset for $t {
            type Item = D::Item;

            fn iter(&self) -> Order<'_, D::Item> {
                (**self).iter()
            }
        }
    )* };
}
by_reference!(&D, Box<D>, Arc<D>);

/// Iterable data sets one after the other. For those of several types take `Box<dyn IterableDataset<Item = ..>>`.
///
/// ```
/// use firebrick_core::Result;
/// use firebrick_data::{ChainDataset, IterableDataset, Order};
/// struct UpTo(i64);
/// impl IterableDataset for UpTo {
///     type Item = i64;
///     fn iter(&self) -> Order<'_, i64> {
///         Box::new((0..self.0).map(Ok))
///     }
/// }
/// let chain = ChainDataset::new(vec![UpTo(2), UpTo(3)]);
/// assert_eq!(chain.iter().collect::<Result<Vec<_>>>()?, [0, 1, 0, 1, 2]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChainDataset<D> {
    datasets: Vec<D>,
}

impl<D: IterableDataset> ChainDataset<D> {
    /// These data sets in this order.
    ///
    /// ```
    /// use firebrick_core::Result;
    /// use firebrick_data::{ChainDataset, IterableDataset, Order};
    /// struct UpTo(i64);
    /// impl IterableDataset for UpTo {
    ///     type Item = i64;
    ///     fn iter(&self) -> Order<'_, i64> {
    ///         Box::new((0..self.0).map(Ok))
    ///     }
    /// }
    /// let chain = ChainDataset::new(vec![UpTo(1), UpTo(2)]);
    /// assert_eq!(chain.datasets().len(), 2);
    /// assert_eq!(chain.iter().collect::<Result<Vec<_>>>()?, [0, 0, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new(datasets: Vec<D>) -> Self {
        ChainDataset { datasets }
    }

    /// The data sets.
    pub fn datasets(&self) -> &[D] {
        &self.datasets
    }
}

impl<D: IterableDataset> IterableDataset for ChainDataset<D> {
    type Item = D::Item;

    fn iter(&self) -> Order<'_, D::Item> {
        Box::new(self.datasets.iter().flat_map(IterableDataset::iter))
    }
}
