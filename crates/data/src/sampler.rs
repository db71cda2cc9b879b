//! The orders in which a data set is visited.

use firebrick_core::Result;
use std::sync::Arc;

/// One pass of a sampler.
///
/// ```
/// use firebrick_core::Result;
/// use firebrick_data::Order;
/// let evens: Order<'_, usize> = Box::new((0..3).map(|i| Ok(2 * i)));
/// assert_eq!(evens.collect::<Result<Vec<_>>>()?, [0, 2, 4]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub type Order<'a, T> = Box<dyn Iterator<Item = Result<T>> + Send + 'a>;

/// An order in which a data set is visited: indices, or lists of indices for whole batches.
///
/// ```
/// use firebrick_core::Result;
/// use firebrick_data::{DataLoader, ListDataset, Order, Sampler};
/// struct Backwards(usize);
/// impl Sampler for Backwards {
///     type Item = usize;
///     fn iter(&self) -> Order<'_, usize> {
///         Box::new((0..self.0).rev().map(Ok))
///     }
///     fn len(&self) -> usize {
///         self.0
///     }
/// }
/// let loader = DataLoader::builder(ListDataset(vec![5_i32, 6, 7])).sampler(Backwards(3)).batch_size(2).build()?;
/// let batches = loader.iter().map(|batch| batch?.to_vec::<i32>()).collect::<Result<Vec<_>>>()?;
/// assert_eq!(batches, [vec![7, 6], vec![5]]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub trait Sampler: Send + Sync {
    /// `usize`, or `Vec<usize>` for batches.
    type Item;

    /// One pass. Random numbers are drawn while it is read, as by PyTorch's samplers, not when it is made.
    ///
    /// ```
    /// use firebrick_core::Result;
    /// use firebrick_data::{Sampler, SequentialSampler};
    /// assert_eq!(SequentialSampler::new(3).iter().collect::<Result<Vec<_>>>()?, [0, 1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn iter(&self) -> Order<'_, Self::Item>;

    /// Items of one pass.
    ///
    /// ```
    /// use firebrick_data::{BatchSampler, Sampler, SequentialSampler};
    /// assert_eq!(BatchSampler::new(SequentialSampler::new(5), 2, false)?.len(), 3);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn len(&self) -> usize;

    /// Whether a pass has no items.
    ///
    /// ```
    /// use firebrick_data::{BatchSampler, Sampler, SequentialSampler};
    /// assert!(BatchSampler::new(SequentialSampler::new(1), 2, true)?.is_empty());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

macro_rules! by_reference {
    ($($t:ty),*) => { $(
        impl<S: Sampler + ?Sized> Sampler for $t {
            type Item = S::Item;

            fn iter(&self) -> Order<'_, S::Item> {
                (**self).iter()
            }

            fn len(&self) -> usize {
                (**self).len()
            }
        }
    )* };
}
by_reference!(&S, Box<S>, Arc<S>);

/// The items in their order.
///
/// ```
/// use firebrick_core::Result;
/// use firebrick_data::{Sampler, SequentialSampler};
/// assert_eq!(SequentialSampler::new(3).iter().collect::<Result<Vec<_>>>()?, [0, 1, 2]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SequentialSampler {
    len: usize,
}

impl SequentialSampler {
    /// The order of a data set of `len` items.
    pub fn new(len: usize) -> Self {
        SequentialSampler { len }
    }
}

impl Sampler for SequentialSampler {
    type Item = usize;

    fn iter(&self) -> Order<'_, usize> {
        Box::new((0..self.len).map(Ok))
    }

    fn len(&self) -> usize {
        self.len
    }
}
