//! Sorting by digits: a pass over the keys for each digit, the lowest first, keeps what earlier passes did.

use super::super::layout::Shared;
use super::key::Packed;
use crate::pool::parallel_for;

/// Rows shorter than this are sorted by comparison.
const LEAST: usize = 1 << 10;
/// A digit's bits: the counters of a chunk fit the first cache.
const BITS: u32 = 11;
const DIGITS: usize = 1 << BITS;
/// Elements of a chunk, which is counted and moved by one thread.
const CHUNK: usize = 1 << 16;
/// More chunks would spend more time on counters.
const MOST_CHUNKS: usize = 32;

/// Elements that [`sort`] needs as working room.
pub(super) fn room(size: usize) -> usize {
    if size < LEAST { 0 } else { size }
}

/// Sorts packed elements whose keys have `bits` bits and whose places rise; the result is in one of the two slices.
pub(super) fn sort<'a, P: Packed>(mut items: &'a mut [P], mut room: &'a mut [P], bits: u32) -> &'a mut [P] {
    if items.len() < LEAST {
        items.sort_unstable();
        return items;
    }
    let chunks = (items.len() / CHUNK).clamp(1, MOST_CHUNKS);
    let mut counts = vec![[0usize; DIGITS]; chunks];
    for shift in (0..bits).step_by(BITS as usize) {
        if pass(items, room, shift, &mut counts) {
            std::mem::swap(&mut items, &mut room);
        }
    }
    items
}

#[inline(always)]
fn digit<P: Packed>(item: P, shift: u32) -> usize {
    (item.key() >> shift) as usize % DIGITS
}

/// Moves the elements of `from` to `to`, by one digit; does nothing and says so where all have the same.
fn pass<P: Packed>(from: &[P], to: &mut [P], shift: u32, counts: &mut [[usize; DIGITS]]) -> bool {
    let (len, chunks) = (from.len(), counts.len());
    let chunk = |c: usize| &from[c * len / chunks..(c + 1) * len / chunks];
    let table = Shared(counts.as_mut_ptr());
    parallel_for(chunks, 1, &|range| {
        for c in range {
            // SAFETY: each chunk has counters of its own.
            let own = unsafe { &mut *table.get().add(c) };
            own.fill(0);
            chunk(c).iter().for_each(|&item| own[digit(item, shift)] += 1);
        }
    });
    let first = digit(from[0], shift);
    if counts.iter().map(|own| own[first]).sum::<usize>() == len {
        return false;
    }
    // Where the elements of each digit go that come from each chunk.
    let mut start = 0;
    for d in 0..DIGITS {
        for own in counts.iter_mut() {
            start += std::mem::replace(&mut own[d], start);
        }
    }
    let (table, to) = (Shared(counts.as_mut_ptr()), Shared(to.as_mut_ptr()));
    parallel_for(chunks, 1, &|range| {
        for c in range {
            // SAFETY: each chunk has counters of its own; together they name each place of `to` once.
            unsafe {
                let own = &mut *table.get().add(c);
                for &item in chunk(c) {
                    let place = &mut own[digit(item, shift)];
                    *to.get().add(*place) = item;
                    *place += 1;
                }
            }
        }
    });
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<P: Packed + std::fmt::Debug>(len: usize, bits: u32) {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> (64 - bits) & !0xf00
        };
        let mut items: Vec<P> = (0..len).map(|place| P::new(next(), place)).collect();
        let mut expected = items.clone();
        expected.sort_unstable();
        let mut space = vec![P::default(); room(len)];
        assert!(sort(&mut items, &mut space, bits) == expected, "{len} keys of {bits} bits");
    }

    #[test]
    fn sorts_as_comparison_does() {
        for len in [0, 1, 2, LEAST - 1, LEAST, 3 * CHUNK + 17] {
            check::<u64>(len, 8);
            check::<u64>(len, 32);
            check::<u128>(len, 64);
        }
    }

    #[test]
    fn one_key_leaves_everything_where_it_is() {
        let mut items: Vec<u64> = (0..LEAST).map(|place| Packed::new(7, place)).collect();
        let expected = items.clone();
        assert!(sort(&mut items, &mut vec![0; LEAST], 32) == expected);
    }
}
