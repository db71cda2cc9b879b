//! The orders in which a data set is visited.

use firebrick_core::Result;

/// One pass of a sampler.
pub type Order<'a, T> = Box<dyn Iterator<Item = Result<T>> + Send + 'a>;

/// An order in which a data set is visited: indices, or lists of indices for whole batches.
pub trait Sampler: Send + Sync {
    /// `usize`, or `Vec<usize>` for batches.
    type Item;

    /// One pass. Random numbers are drawn while it is read, as by PyTorch's samplers, not when it is made.
    fn iter(&self) -> Order<'_, Self::Item>;

    /// Items of one pass.
    fn len(&self) -> usize;

    /// Whether a pass has no items.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<S: Sampler + ?Sized> Sampler for Box<S> {
    type Item = S::Item;

    fn iter(&self) -> Order<'_, S::Item> {
        (**self).iter()
    }

    fn len(&self) -> usize {
        (**self).len()
    }
}

/// The items in their order.
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
