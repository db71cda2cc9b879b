//! The share of one process among several.

use crate::sampler::{Order, Sampler};
use firebrick_core::random::randperm;
use firebrick_core::{Error, Generator, Result};
use std::sync::atomic::{AtomicU64, Ordering};

/// Every `num_replicas`-th item from `rank` on, of an order that all processes shuffle alike: PyTorch's
/// `DistributedSampler`.
///
/// All ranks have equally many items: where the items do not divide evenly the first ones come twice, or with
/// `drop_last` the last ones not at all. Orders are PyTorch 2.15's.
///
/// ```
/// use firebrick_data::{DistributedSampler, Sampler};
/// let sampler = DistributedSampler::new(5, 2, 1)?.shuffle(false);
/// assert_eq!(sampler.iter().collect::<firebrick_core::Result<Vec<_>>>()?, [1, 3, 0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Debug)]
pub struct DistributedSampler {
    items: usize,
    num_replicas: usize,
    rank: usize,
    shuffle: bool,
    seed: u64,
    drop_last: bool,
    epoch: AtomicU64,
}

impl DistributedSampler {
    /// The share of process `rank` of `num_replicas` in a data set of `len` items; shuffled unless told otherwise.
    ///
    /// # Errors
    /// `rank` is not below `num_replicas`.
    ///
    /// ```
    /// use firebrick_core::Result;
    /// use firebrick_data::{DistributedSampler, Sampler};
    /// let sampler = DistributedSampler::new(5, 2, 0)?.seed(7).shuffle(true).drop_last(false);
    /// assert_eq!(sampler.iter().collect::<Result<Vec<_>>>()?, [0, 3, 4]);
    /// assert!(DistributedSampler::new(5, 2, 2).is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new(len: usize, num_replicas: usize, rank: usize) -> Result<Self> {
        if rank >= num_replicas {
            let last = num_replicas as i128 - 1;
            return Err(Error::value(
                "DistributedSampler",
                format!("Invalid rank {rank}, rank should be in the interval [0, {last}]"),
            ));
        }
        let epoch = AtomicU64::new(0);
        Ok(DistributedSampler { items: len, num_replicas, rank, shuffle: true, seed: 0, drop_last: false, epoch })
    }

    /// Is every epoch in another random order? On unless set.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// The seed of the orders, which must be the same in all processes; 0 unless set.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Are items left out, rather than repeated, to make the shares equal? Off unless set.
    ///
    /// ```
    /// use firebrick_core::Result;
    /// use firebrick_data::{DistributedSampler, Sampler};
    /// let share = DistributedSampler::new(5, 2, 0)?.shuffle(false);
    /// assert_eq!(share.iter().collect::<Result<Vec<_>>>()?, [0, 2, 4]);
    /// assert_eq!(share.drop_last(true).iter().collect::<Result<Vec<_>>>()?, [0, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn drop_last(mut self, drop_last: bool) -> Self {
        self.drop_last = drop_last;
        self
    }

    /// Chooses the order of the next pass; without it every pass has the same one.
    ///
    /// A loader takes the sampler for itself: give it an [`Arc`](std::sync::Arc) and keep another to call this.
    ///
    /// ```
    /// use firebrick_core::Result;
    /// use firebrick_data::{DistributedSampler, Sampler};
    /// let sampler = DistributedSampler::new(5, 2, 0)?.seed(7);
    /// assert_eq!(sampler.iter().collect::<Result<Vec<_>>>()?, [0, 3, 4]);
    /// sampler.set_epoch(1);
    /// assert_eq!(sampler.iter().collect::<Result<Vec<_>>>()?, [3, 2, 0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn set_epoch(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::Relaxed);
    }
}

impl Sampler for DistributedSampler {
    type Item = usize;

    fn iter(&self) -> Order<'_, usize> {
        let shuffled = self.shuffle.then(|| {
            let seed = self.seed.wrapping_add(self.epoch.load(Ordering::Relaxed));
            randperm(&mut Generator::new().manual_seed(seed).lock(), self.items)
        });
        let shuffled = match shuffled.transpose() {
            Ok(shuffled) => shuffled,
            Err(error) => return Box::new(std::iter::once(Err(error.into()))),
        };
        // Places behind the last item are those of a second round from the first item on.
        let place = move |i: usize| {
            let [rank, i, replicas, items] = [self.rank, i, self.num_replicas, self.items].map(|n| n as u128);
            ((rank + i * replicas) % items) as usize
        };
        let item = move |place: usize| shuffled.as_ref().map_or(place, |order| order[place] as usize);
        Box::new((0..self.len()).map(move |i| Ok(item(place(i)))))
    }

    fn len(&self) -> usize {
        match self.drop_last {
            true => self.items / self.num_replicas,
            false => self.items.div_ceil(self.num_replicas),
        }
    }
}
