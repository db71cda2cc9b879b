//! Sorting a row with several threads.

use super::super::layout::Shared;
use super::key::Packed;
use crate::pool::{num_threads, parallel_for};

/// Elements that one thread sorts before a second one is worth waking.
const GRAIN: usize = 1 << 13;

/// Sorts packed elements: chunks of them side by side, then as many runs are merged.
///
/// Comparing integers that carry their place beats moving them digit by digit: from some 100,000 on a pass over one
/// digit costs more than it saves.
pub(super) fn sort<P: Packed>(items: &mut [P]) {
    let (len, all) = (items.len(), Shared(items.as_mut_ptr()));
    parallel_for(len, GRAIN.max(len.div_ceil(num_threads())), &|range| {
        // SAFETY: the ranges of the tasks lie in the slice and do not overlap.
        unsafe { std::slice::from_raw_parts_mut(all.get().add(range.start), range.len()) }.sort_unstable();
    });
    if len >= 2 * GRAIN {
        // The stable sort finds the runs and merges them.
        items.sort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<P: Packed + std::fmt::Debug>(len: usize) {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 52
        };
        let mut items: Vec<P> = (0..len).map(|place| P::new(next(), place)).collect();
        sort(&mut items);
        assert!(items.is_sorted(), "{len} elements");
        let mut places: Vec<usize> = items.iter().map(|item| item.place()).collect();
        places.sort_unstable();
        assert!(places.into_iter().eq(0..len), "an element was lost");
    }

    #[test]
    fn rows_of_any_length_are_sorted() {
        for len in [0, 1, 2, GRAIN, 2 * GRAIN, 9 * GRAIN + 17] {
            check::<u64>(len);
            check::<u128>(len);
        }
    }
}
