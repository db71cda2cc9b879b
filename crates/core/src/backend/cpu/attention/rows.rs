//! What happens to a tile of scores between two products.

use super::{KEYS, QUERIES, View};
use crate::Element;
use crate::backend::cpu::along::{largest_of, sum_of};
use crate::backend::cpu::float::Float;
use crate::backend::cpu::number::{D, DFused, Number, S, SFused, compiled};

/// The scores of a few queries for a few keys, in rows of [`KEYS`].
pub(super) struct Tile<T> {
    pub(super) scores: *mut T,
    pub(super) queries: usize,
    pub(super) keys: usize,
    /// How many of these keys the first query sees, if each one sees one more than the one before it.
    pub(super) causal: Option<isize>,
    /// What is added to the scores: where it begins, and the distance between its rows.
    pub(super) mask: Option<(*const T, isize)>,
}

impl<T: Element> Tile<T> {
    /// The weights of this tile as an operand.
    pub(super) fn view(&self) -> View<T> {
        View { ptr: self.scores, row: KEYS as isize, column: 1 }
    }

    /// How many keys a query of the tile sees.
    fn seen(&self, query: usize) -> usize {
        self.causal.map_or(self.keys, |first| (first + query as isize).clamp(0, self.keys as isize) as usize)
    }

    /// The row of a query in `tile`, which has the form of the scores.
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the row is of the tile, of which this knows the form")]
    fn row<A: Number<Raw = T>>(&self, tile: *mut T, query: usize) -> &mut [A] {
        // SAFETY: a lane is its number; the tile has room for the row, and belongs to one task.
        unsafe { std::slice::from_raw_parts_mut(tile.add(query * KEYS).cast(), self.keys) }
    }

    /// Adds the mask to the first scores of a query.
    #[inline(always)]
    fn add_mask<A: Number<Raw = T>>(&self, query: usize, scores: &mut [A]) {
        if let Some((start, row)) = self.mask {
            let start = start.wrapping_offset(query as isize * row).cast::<A>();
            // SAFETY: the columns of the mask are neighbours, and there is one for each key.
            let mask = unsafe { std::slice::from_raw_parts(start, scores.len()) };
            scores.iter_mut().zip(mask).for_each(|(score, &mask)| *score = score.add(mask));
        }
    }
}

/// What is known of each row of weights so far, and where the means of the values are added up.
pub(super) struct State<T> {
    largest: [T; QUERIES],
    total: [f64; QUERIES],
    means: *mut T,
    stride: isize,
    width: usize,
}

impl<T: Float> State<T> {
    /// Nothing is known.
    pub(super) fn new(means: *mut T, stride: isize, width: usize) -> Self {
        State { largest: [T::NEG_INFINITY; QUERIES], total: [0.0; QUERIES], means, stride, width }
    }
}

impl<T: Element> State<T> {
    #[inline(always)]
    fn scale<A: Number<Raw = T>>(&mut self, query: usize, factor: f64) {
        let row = self.means.wrapping_offset(query as isize * self.stride).cast::<A>();
        let factor = A::from_f64(factor);
        // SAFETY: the row lies in the result, and belongs to this task.
        let row = unsafe { std::slice::from_raw_parts_mut(row, self.width) };
        row.iter_mut().for_each(|v| *v = v.mul(factor));
    }
}

/// `f32` and `f64`, with the functions that are compiled for them.
pub(super) trait Rows: Float + Element {
    /// Scores to weights, not yet divided by their total; what earlier tiles added up is brought to the same scale.
    fn weigh(tile: &Tile<Self>, state: &mut State<Self>);
    /// Divides the means by the totals, whose logarithms are noted: infinity where a query saw no key.
    fn finish(state: &mut State<Self>, totals: &mut [Self]);
    /// Scores to weights, and the gradients of the weights in `slopes` to those of the scores. Without `common`, the
    /// tile has all keys: totals, and what a query's gradients have in common, are then computed from the scores, whose
    /// rounding they share.
    fn slopes(tile: &Tile<Self>, slopes: *mut Self, totals: &[Self], common: Option<&[Self]>);
    /// The scalar product of two rows.
    ///
    /// # Safety
    /// Both have `n` elements.
    unsafe fn dot(rows: [*const Self; 2], n: usize) -> Self;
}

macro_rules! rows {
    ($($t:ident: $weigh:ident $finish:ident $slopes:ident $dot:ident, $plain:ident $fused:ident;)*) => { $(
        impl Rows for $t {
            fn weigh(tile: &Tile<Self>, state: &mut State<Self>) {
                $weigh(tile, state);
            }
            fn finish(state: &mut State<Self>, totals: &mut [Self]) {
                $finish(state, totals);
            }
            fn slopes(tile: &Tile<Self>, out: *mut Self, totals: &[Self], common: Option<&[Self]>) {
                $slopes(tile, out, totals, common);
            }
            unsafe fn dot([a, b]: [*const Self; 2], n: usize) -> Self {
                let mut sum = 0.0;
                // SAFETY: the caller's promise.
                let (a, b) = unsafe { (std::slice::from_raw_parts(a, n), std::slice::from_raw_parts(b, n)) };
                $dot(a, b, &mut sum);
                sum as $t
            }
        }

        compiled! {
            fn $weigh(tile: &Tile<$t>, state: &mut State<$t>) = weigh::<$plain>, weigh::<$fused>;
            fn $finish(state: &mut State<$t>, totals: &mut [$t]) = finish::<$plain>, finish::<$fused>;
            fn $slopes(tile: &Tile<$t>, out: *mut $t, totals: &[$t], common: Option<&[$t]>) = slopes::<$plain>, slopes::<$fused>;
            fn $dot(a: &[$t], b: &[$t], sum: &mut f64) = dot::<$plain>, dot::<$fused>;
        }
    )* };
}
rows! {
    f32: weigh_f32 finish_f32 slopes_f32 dot_f32, S SFused;
    f64: weigh_f64 finish_f64 slopes_f64 dot_f64, D DFused;
}

/// The elements as numbers.
#[inline(always)]
fn lanes<A: Number>(values: &[A::Raw]) -> &[A] {
    // SAFETY: a lane is its number.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), values.len()) }
}

#[inline(always)]
fn one<A: Number>(value: A::Raw) -> A {
    lanes::<A>(std::slice::from_ref(&value))[0]
}

#[inline(always)]
fn weigh<A: Number>(tile: &Tile<A::Raw>, state: &mut State<A::Raw>) {
    for query in 0..tile.queries {
        let (seen, hidden) = tile.row::<A>(tile.scores, query).split_at_mut(tile.seen(query));
        tile.add_mask(query, seen);
        hidden.fill(A::ZERO);
        let before: A = one(state.largest[query]);
        let largest = before.max(largest_of(seen));
        if largest == A::LOWEST {
            seen.fill(A::ZERO);
            continue;
        }
        seen.iter_mut().for_each(|v| *v = v.sub(largest).exp());
        let kept = before.sub(largest).exp().to_f64();
        state.total[query] = state.total[query] * kept + sum_of([&*seen], |[v]| v);
        state.largest[query] = Element::from_f64(largest.to_f64());
        if before != A::LOWEST && kept != 1.0 {
            state.scale::<A>(query, kept);
        }
    }
}

#[inline(always)]
fn finish<A: Number>(state: &mut State<A::Raw>, totals: &mut [A::Raw]) {
    for (query, noted) in totals.iter_mut().enumerate() {
        let (largest, total): (A, f64) = (one(state.largest[query]), state.total[query]);
        if largest == A::LOWEST {
            *noted = Element::from_f64(f64::INFINITY);
            continue;
        }
        state.scale::<A>(query, 1.0 / total);
        *noted = Element::from_f64(largest.to_f64() + total.ln());
    }
}

#[inline(always)]
fn slopes<A: Number>(tile: &Tile<A::Raw>, out: *mut A::Raw, totals: &[A::Raw], common: Option<&[A::Raw]>) {
    for (query, &total) in lanes::<A>(totals).iter().enumerate() {
        let seen = tile.seen(query);
        let (weights, hidden) = tile.row::<A>(tile.scores, query).split_at_mut(seen);
        let (slopes, rest) = tile.row::<A>(out, query).split_at_mut(seen);
        tile.add_mask(query, weights);
        let common = match common {
            Some(common) => {
                weights.iter_mut().for_each(|weight| *weight = weight.sub(total).exp());
                one(common[query])
            }
            None => {
                normalize(weights);
                A::from_f64(sum_of([&*weights, &*slopes], |[weight, slope]| weight.mul(slope)))
            }
        };
        for (weight, slope) in weights.iter().zip(slopes) {
            *slope = slope.sub(common).mul(*weight);
        }
        hidden.fill(A::ZERO);
        rest.fill(A::ZERO);
    }
}

/// All scores of a query to its weights; zeros where it sees no key.
#[inline(always)]
fn normalize<A: Number>(scores: &mut [A]) {
    let largest = largest_of(scores);
    if largest == A::LOWEST {
        scores.fill(A::ZERO);
        return;
    }
    scores.iter_mut().for_each(|v| *v = v.sub(largest).exp());
    let factor = A::from_f64(1.0 / sum_of([&*scores], |[v]| v));
    scores.iter_mut().for_each(|v| *v = v.mul(factor));
}

#[inline(always)]
fn dot<A: Number>(a: &[A::Raw], b: &[A::Raw], sum: &mut f64) {
    *sum = sum_of([lanes::<A>(a), lanes::<A>(b)], |[a, b]| a.mul(b));
}
