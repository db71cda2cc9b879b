//! What each [`Order`] makes of one row.
//!
//! Which of several equal elements is picked follows PyTorch on Linux, whose CPU kernels partition with the C++
//! library's algorithms and with Hoare's selection.

use super::chunks;
use super::introsort::{partial_sort, select_nth, sort};
use super::key::Packed;
use crate::backend::Order;

/// Brings the results of `order` to the front of the returned slice; `nan` is the key of NaN.
pub(super) fn arrange<P: Packed>(order: Order, items: &mut [P], nan: Option<u64>) -> &[P] {
    match order {
        Order::Sort { .. } => chunks::sort(items),
        Order::Top { count, sorted, .. } => top(items, count, sorted),
        Order::Kth(k) => {
            select(items, k);
            return &items[k..];
        }
        Order::Mode => {
            let at = mode(items, nan);
            return &items[at..];
        }
    }
    items
}

/// The `count` smallest keys to the front.
fn top<P: Packed>(items: &mut [P], count: usize, sorted: bool) {
    let less = |a: &P, b: &P| a.key() < b.key();
    if count == 0 {
        return;
    }
    // As PyTorch: few out of many by a heap, else by partitioning.
    if count.saturating_mul(64) <= items.len() {
        return partial_sort(items, count, less);
    }
    select_nth(items, count - 1, less);
    if sorted {
        sort(&mut items[..count - 1], less);
    }
}

/// Hoare's selection around the median of three (Numerical Recipes, section 8.5): key number `k` to its place.
fn select<P: Packed>(items: &mut [P], k: usize) {
    let above = |a: P, b: P| a.key() > b.key();
    let (mut low, mut high) = (0, items.len() - 1);
    while high > low + 1 {
        items.swap(low + (high - low) / 2, low + 1);
        for (a, b) in [(low + 1, high), (low, high), (low + 1, low)] {
            if above(items[a], items[b]) {
                items.swap(a, b);
            }
        }
        let pivot = items[low];
        let (mut i, mut j) = (low + 1, high);
        loop {
            i += 1;
            while above(pivot, items[i]) {
                i += 1;
            }
            j -= 1;
            while above(items[j], pivot) {
                j -= 1;
            }
            if j < i {
                break;
            }
            items.swap(i, j);
        }
        items.swap(low, j);
        if j >= k {
            high = j.saturating_sub(1);
        }
        if j <= k {
            low = i;
        }
    }
    if high == low + 1 && above(items[low], items[high]) {
        items.swap(low, high);
    }
}

/// Where the last of the most frequent keys is after sorting, the smallest of several such keys. NaN equals nothing,
/// and is neither below nor above anything.
fn mode<P: Packed>(items: &mut [P], nan: Option<u64>) -> usize {
    sort(items, |a, b| a.key() < b.key() && Some(b.key()) != nan);
    let (mut best, mut most, mut count) = (0, 0, 0);
    for (i, item) in items.iter().enumerate() {
        count += 1;
        let goes_on = items.get(i + 1).is_some_and(|next| next.key() == item.key() && Some(next.key()) != nan);
        if !goes_on {
            if count > most {
                (best, most) = (i, count);
            }
            count = 0;
        }
    }
    best
}
