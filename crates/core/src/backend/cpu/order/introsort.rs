//! Introspective sort and selection (Musser, *Introspective Sorting and Selection Algorithms*, 1997) in the variant of
//! the GNU C++ library, on which the order of equal elements depends.
//!
//! Comparisons need not be consistent: with one that calls NaN equal to everything the order is as good as any.

/// Stretches this short are left to insertion.
const SHORT: usize = 16;

/// Sorts.
pub(super) fn sort<T: Copy>(items: &mut [T], mut less: impl FnMut(&T, &T) -> bool) {
    let less = &mut less;
    split(items, depth(items.len()), less);
    let (head, _) = items.split_at_mut(SHORT.min(items.len()));
    insertion(head, less);
    for i in SHORT..items.len() {
        insert(items, i, less);
    }
}

/// Brings the `count` smallest to the front, in order.
pub(super) fn partial_sort<T: Copy>(items: &mut [T], count: usize, mut less: impl FnMut(&T, &T) -> bool) {
    heap_select(items, count, &mut less);
    sort_heap(&mut items[..count], &mut less);
}

/// Brings element number `n` to its place, smaller ones before it.
pub(super) fn select_nth<T: Copy>(items: &mut [T], n: usize, mut less: impl FnMut(&T, &T) -> bool) {
    let less = &mut less;
    let (mut low, mut high, mut depth) = (0, items.len(), depth(items.len()));
    while high - low > 3 {
        if depth == 0 {
            heap_select(&mut items[low..high], n - low + 1, less);
            items.swap(low, n);
            return;
        }
        depth -= 1;
        let cut = low + partition(&mut items[low..high], less);
        if cut <= n {
            low = cut;
        } else {
            high = cut;
        }
    }
    insertion(&mut items[low..high], less);
}

/// Partitions that may fail to shrink the stretch before a heap takes over.
fn depth(len: usize) -> u32 {
    2 * len.checked_ilog2().unwrap_or(0)
}

/// Partitions until all stretches are short.
fn split<T: Copy>(mut items: &mut [T], mut depth: u32, less: &mut impl FnMut(&T, &T) -> bool) {
    while items.len() > SHORT {
        if depth == 0 {
            heap_select(items, items.len(), less);
            return sort_heap(items, less);
        }
        depth -= 1;
        let cut = partition(items, less);
        let (head, tail) = items.split_at_mut(cut);
        split(tail, depth, less);
        items = head;
    }
}

/// Parts around the median of three, which is brought to the front; returns where the upper part begins.
fn partition<T: Copy>(items: &mut [T], less: &mut impl FnMut(&T, &T) -> bool) -> usize {
    let (a, b, c) = (1, items.len() / 2, items.len() - 1);
    let mut below = |x: usize, y: usize| less(&items[x], &items[y]);
    let median = match below(a, b) {
        true if below(b, c) => b,
        true if below(a, c) => c,
        true => a,
        false if below(a, c) => a,
        false if below(b, c) => c,
        false => b,
    };
    items.swap(0, median);
    let pivot = items[0];
    let (mut i, mut j) = (1, items.len());
    loop {
        while i < items.len() && less(&items[i], &pivot) {
            i += 1;
        }
        j -= 1;
        while j > 0 && less(&pivot, &items[j]) {
            j -= 1;
        }
        if i >= j {
            return i.min(items.len() - 1).max(1);
        }
        items.swap(i, j);
        i += 1;
    }
}

fn insertion<T: Copy>(items: &mut [T], less: &mut impl FnMut(&T, &T) -> bool) {
    for i in 1..items.len() {
        if less(&items[i], &items[0]) {
            items[..=i].rotate_right(1);
        } else {
            insert(items, i, less);
        }
    }
}

/// Moves element `i` down to the first one that is not larger.
fn insert<T: Copy>(items: &mut [T], i: usize, less: &mut impl FnMut(&T, &T) -> bool) {
    let (value, mut at) = (items[i], i);
    while at > 0 && less(&value, &items[at - 1]) {
        items[at] = items[at - 1];
        at -= 1;
    }
    items[at] = value;
}

/// Makes a heap, largest first, of the `count` smallest.
fn heap_select<T: Copy>(items: &mut [T], count: usize, less: &mut impl FnMut(&T, &T) -> bool) {
    if count == 0 {
        return;
    }
    let (heap, rest) = items.split_at_mut(count);
    for root in (0..count / 2).rev() {
        let value = heap[root];
        sift(heap, root, value, less);
    }
    for item in rest {
        if less(item, &heap[0]) {
            let value = std::mem::replace(item, heap[0]);
            sift(heap, 0, value, less);
        }
    }
}

fn sort_heap<T: Copy>(heap: &mut [T], less: &mut impl FnMut(&T, &T) -> bool) {
    for last in (1..heap.len()).rev() {
        let value = heap[last];
        heap[last] = heap[0];
        sift(&mut heap[..last], 0, value, less);
    }
}

/// Lets the hole at `root` sink to a leaf along the larger children, then `value` rise from there.
fn sift<T: Copy>(heap: &mut [T], root: usize, value: T, less: &mut impl FnMut(&T, &T) -> bool) {
    let (len, mut hole) = (heap.len(), root);
    while 2 * hole + 2 < len {
        let right = 2 * hole + 2;
        let child = if less(&heap[right], &heap[right - 1]) { right - 1 } else { right };
        heap[hole] = heap[child];
        hole = child;
    }
    if 2 * hole + 1 < len {
        heap[hole] = heap[2 * hole + 1];
        hole = 2 * hole + 1;
    }
    while hole > root {
        let parent = (hole - 1) / 2;
        if !less(&heap[parent], &value) {
            break;
        }
        heap[hole] = heap[parent];
        hole = parent;
    }
    heap[hole] = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers with many equal ones.
    fn numbers(len: usize, seed: u64) -> Vec<u64> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 40
        };
        (0..len).map(|_| next() % (1 + len as u64 / 2)).collect()
    }

    #[test]
    fn results_are_in_order() {
        for (seed, len) in [0, 1, 2, 3, 4, 15, 16, 17, 100, 1000].into_iter().enumerate() {
            let all = numbers(len, seed as u64);
            let mut expected = all.clone();
            expected.sort_unstable();
            let mut sorted = all.clone();
            sort(&mut sorted, |a, b| a < b);
            assert_eq!(sorted, expected);
            for n in 0..len {
                let mut items = all.clone();
                select_nth(&mut items, n, |a, b| a < b);
                assert_eq!(items[n], expected[n]);
                assert!(items[..n].iter().all(|v| *v <= items[n]) && items[n..].iter().all(|v| *v >= items[n]));
                let mut items = all.clone();
                partial_sort(&mut items, n, |a, b| a < b);
                assert_eq!(items[..n], expected[..n]);
            }
        }
    }

    #[test]
    fn comparisons_without_sense_end() {
        for len in [2usize, 5, 17, 100, 500] {
            for always in [true, false] {
                let mut items: Vec<usize> = (0..len).collect();
                sort(&mut items, |_, _| always);
                select_nth(&mut items, len / 2, |_, _| always);
                let mut turn = 0;
                sort(&mut items, |_, _| {
                    turn += 1;
                    turn % 3 == 0
                });
                items.sort_unstable();
                assert!(items.iter().copied().eq(0..len), "an element was lost");
            }
        }
    }
}
