//! The first few of a sequence in order, with equal elements where PyTorch leaves them.
//!
//! PyTorch's `topk` runs the partial sorts of the GNU C++ library, which keep no order among
//! equals. Which of several equal elements come out, and in which order, follows from the exact
//! exchanges, so these are the same ones: introselect and introsort (Musser, 1997) with the median
//! of three moved to the front, heaps when the recursion runs deep, insertion for short runs.

/// Runs no longer than this are left to insertion.
const SHORT: usize = 16;

/// Moves the first `count` elements of `values` by `before` to the front, in order.
pub(super) fn select<T: Copy>(values: &mut [T], count: usize, before: impl Fn(&T, &T) -> bool) {
    if count == 0 || values.is_empty() {
        return;
    }
    let count = count.min(values.len());
    // PyTorch's threshold between the two library calls.
    if count * 64 <= values.len() {
        heap_select(values, count, &before);
        sort_heap(&mut values[..count], &before);
    } else {
        nth_element(values, count - 1, &before);
        sort(&mut values[..count - 1], &before);
    }
}

fn depth_limit(length: usize) -> u32 {
    2 * length.checked_ilog2().unwrap_or(0)
}

fn nth_element<T: Copy>(values: &mut [T], nth: usize, before: &impl Fn(&T, &T) -> bool) {
    let (mut first, mut last) = (0, values.len());
    let mut depth = depth_limit(values.len());
    while last - first > 3 {
        if depth == 0 {
            heap_select(&mut values[first..last], nth + 1 - first, before);
            values.swap(first, nth);
            return;
        }
        depth -= 1;
        let cut = first + partition(&mut values[first..last], before);
        if cut <= nth { first = cut } else { last = cut }
    }
    insertion_sort(&mut values[first..last], before);
}

fn sort<T: Copy>(values: &mut [T], before: &impl Fn(&T, &T) -> bool) {
    sort_long_runs(values, depth_limit(values.len()), before);
    insertion_sort(values, before);
}

fn sort_long_runs<T: Copy>(mut values: &mut [T], mut depth: u32, before: &impl Fn(&T, &T) -> bool) {
    while values.len() > SHORT {
        if depth == 0 {
            make_heap(values, before);
            sort_heap(values, before);
            return;
        }
        depth -= 1;
        let cut = partition(values, before);
        let (head, tail) = values.split_at_mut(cut);
        sort_long_runs(tail, depth, before);
        values = head;
    }
}

/// Splits around the median of the second, middle and last element; returns where the second part
/// begins.
fn partition<T: Copy>(values: &mut [T], before: &impl Fn(&T, &T) -> bool) -> usize {
    let (a, b, c) = (1, values.len() / 2, values.len() - 1);
    let less = |i: usize, j: usize| before(&values[i], &values[j]);
    let median = match (less(a, b), less(b, c), less(a, c)) {
        (true, true, _) | (false, false, false) => b,
        (true, false, true) | (false, true, false) => c,
        (true, false, false) | (false, _, true) => a,
    };
    values.swap(0, median);
    let pivot = values[0];
    let (mut left, mut right) = (1, values.len());
    loop {
        while before(&values[left], &pivot) {
            left += 1;
        }
        right -= 1;
        while before(&pivot, &values[right]) {
            right -= 1;
        }
        if left >= right {
            return left;
        }
        values.swap(left, right);
        left += 1;
    }
}

/// Inserts each element behind the last that it does not precede.
fn insertion_sort<T: Copy>(values: &mut [T], before: &impl Fn(&T, &T) -> bool) {
    for i in 1..values.len() {
        let value = values[i];
        let mut hole = i;
        while hole > 0 && before(&value, &values[hole - 1]) {
            values[hole] = values[hole - 1];
            hole -= 1;
        }
        values[hole] = value;
    }
}

/// Leaves the first `count` of all as a heap, the last of them on top.
fn heap_select<T: Copy>(values: &mut [T], count: usize, before: &impl Fn(&T, &T) -> bool) {
    let (heap, rest) = values.split_at_mut(count);
    make_heap(heap, before);
    for value in rest {
        if before(value, &heap[0]) {
            let entering = std::mem::replace(value, heap[0]);
            sift(heap, 0, entering, before);
        }
    }
}

fn make_heap<T: Copy>(heap: &mut [T], before: &impl Fn(&T, &T) -> bool) {
    for parent in (0..heap.len() / 2).rev() {
        sift(heap, parent, heap[parent], before);
    }
}

fn sort_heap<T: Copy>(heap: &mut [T], before: &impl Fn(&T, &T) -> bool) {
    for last in (1..heap.len()).rev() {
        let value = heap[last];
        heap[last] = heap[0];
        sift(&mut heap[..last], 0, value, before);
    }
}

/// Moves a hole from `top` down to a leaf, then `value` from there up to its place.
fn sift<T: Copy>(heap: &mut [T], top: usize, value: T, before: &impl Fn(&T, &T) -> bool) {
    let mut hole = top;
    loop {
        let right = 2 * hole + 2;
        let child = match heap.len() {
            length if right < length => {
                if before(&heap[right], &heap[right - 1]) {
                    right - 1
                } else {
                    right
                }
            }
            length if right == length => right - 1,
            _ => break,
        };
        heap[hole] = heap[child];
        hole = child;
    }
    while hole > top {
        let parent = (hole - 1) / 2;
        if !before(&heap[parent], &value) {
            break;
        }
        heap[hole] = heap[parent];
        hole = parent;
    }
    heap[hole] = value;
}
