//! One pass with workers: batches are asked for ahead and given out in order.

use crate::crew::{Crew, CrewOptions};
use crate::sampler::Order;
use firebrick_core::Result;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::iter::Fuse;

/// Most batches under way, whatever was asked for.
const MOST: usize = 1 << 20;

/// Where workers wait between two passes.
pub(crate) type Home<B> = Mutex<Option<Crew<B>>>;

/// A batch that was asked for.
struct Slot<B> {
    worker: usize,
    /// `Ok(None)`: the worker's stream has ended.
    batch: Option<Result<Option<B>>>,
}

/// One pass: tasks go to the workers in turn, `prefetch_factor` for each of them ahead of what was given out.
///
/// Which worker makes a batch depends on the number of workers alone, and batches come in the order of the tasks, so
/// nothing depends on how quick a worker is.
pub(crate) struct Prefetch<'a, B> {
    /// `None` once the pass is over.
    crew: Option<Crew<B>>,
    /// Where workers that outlive the pass go.
    home: Option<&'a Home<B>>,
    order: Fuse<Order<'a, Vec<usize>>>,
    /// Batches that are under way, the next one first.
    slots: VecDeque<Slot<B>>,
    /// Batches that have been given out.
    given: usize,
    /// Whether a worker's stream has not ended.
    active: Vec<bool>,
    /// Whose turn it is.
    turn: usize,
}

impl<'a, B> Prefetch<'a, B> {
    /// Begins a pass, and the first batches of it.
    pub fn new(
        mut crew: Crew<B>,
        options: &CrewOptions,
        home: Option<&'a Home<B>>,
        order: Order<'a, Vec<usize>>,
    ) -> Self {
        crew.begin();
        let active = vec![true; options.num_workers];
        let (crew, order, slots) = (Some(crew), order.fuse(), VecDeque::new());
        let mut pass = Prefetch { crew, home, order, slots, given: 0, active, turn: 0 };
        let ahead = options.prefetch_factor.saturating_mul(options.num_workers).min(MOST);
        while pass.slots.len() < ahead && pass.ask() {}
        pass
    }

    /// Asks for one more batch, if there is one.
    fn ask(&mut self) -> bool {
        let workers = self.active.len();
        let Some(worker) = (0..workers).map(|i| (self.turn + i) % workers).find(|&worker| self.active[worker]) else {
            return false;
        };
        let (Some(crew), Some(indices)) = (&self.crew, self.order.next()) else { return false };
        self.turn = (worker + 1) % workers;
        let batch = match indices {
            Ok(indices) => {
                crew.send(worker, self.given + self.slots.len(), indices);
                None
            }
            Err(error) => Some(Err(error)),
        };
        self.slots.push_back(Slot { worker, batch });
        true
    }

    /// Waits for an answer, whichever comes first.
    fn receive(&mut self) -> Result<()> {
        let Some(crew) = &mut self.crew else { return Ok(()) };
        let (number, batch) = crew.receive()?;
        if let Some(slot) = self.slots.get_mut(number - self.given) {
            slot.batch = Some(batch);
        }
        Ok(())
    }

    /// Sends the workers home, or ends them.
    fn finish(&mut self) {
        self.slots.clear();
        let Some(mut crew) = self.crew.take() else { return };
        crew.rest();
        if let Some(home) = self.home.filter(|_| !crew.is_stuck()) {
            // A second pass at the same time has workers of its own: those of the last one stay.
            let others = home.lock().replace(crew);
            drop(others);
        }
    }
}

impl<B> Iterator for Prefetch<'_, B> {
    type Item = Result<B>;

    fn next(&mut self) -> Option<Result<B>> {
        loop {
            let Some(first) = self.slots.front() else {
                self.finish();
                return None;
            };
            if first.batch.is_none() {
                if let Err(timeout) = self.receive() {
                    self.finish();
                    return Some(Err(timeout));
                }
                continue;
            }
            let Slot { worker, batch } = self.slots.pop_front()?;
            self.given += 1;
            let batch = batch?.transpose();
            self.active[worker] &= batch.is_some();
            self.ask();
            if batch.is_some() {
                return batch;
            }
        }
    }
}

impl<B> Drop for Prefetch<'_, B> {
    fn drop(&mut self) {
        self.finish();
    }
}
