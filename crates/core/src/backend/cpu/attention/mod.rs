//! Attention in tiles: the weights of a few queries for a few keys are computed, used and forgotten.
//!
//! A row of weights is a softmax whose largest score and total are kept up to date from tile to tile (Milakov and
//! Gimelshein, 2018; Dao et al., *FlashAttention*, 2022). The forward pass notes the logarithm of each row's total, from
//! which the backward pass computes the weights of a tile anew. Products are those of `gemm`; what lies between two of
//! them is in `rows`. With causal attention, tiles of keys that no query of the tile sees are left out.
#![allow(unsafe_code)] // Matrix products of parts of bodies.

mod backward;
mod forward;
mod rows;

pub(crate) use backward::backward;
pub(crate) use forward::forward;

use super::gemm::problem::{Problem, View};
use super::gemm::tile::Finish;
use super::shared::Shared;
use crate::backend::Attention;
use crate::pool::{num_threads, parallel_for};
use crate::tensor::Body;
use crate::{Dims, Element};
use rows::Rows;
use std::ops::Range;

/// Queries of a tile.
const QUERIES: usize = 64;

/// Keys of a tile. The scores of a tile stay in the second-level cache.
const KEYS: usize = 128;

/// A batch of matrices, in the batch's order.
struct Stack<T> {
    start: Shared<T>,
    batch: Dims,
    /// Along the dimensions of the batch, then from row to row and from column to column.
    strides: Dims,
}

impl<T: Element> Stack<T> {
    fn new(body: &Body) -> Self {
        let batch = Dims::from_slice(&body.shape[..body.shape.len() - 2]);
        Stack { start: Shared(body.ptr().cast()), batch, strides: body.strides.clone() }
    }

    /// From row to row.
    fn row(&self) -> isize {
        self.strides[self.batch.len()] as isize
    }

    /// A matrix of the batch from one of its rows on.
    fn view(&self, index: usize, row: usize) -> View<T> {
        let (mut rest, mut at) = (index, row * self.row() as usize);
        for (size, stride) in self.batch.iter().zip(&self.strides).rev() {
            at += rest % size * stride;
            rest /= size;
        }
        View { ptr: self.start.at(at), row: self.row(), column: self.strides[self.batch.len() + 1] as isize }
    }

    /// The address of a row, to be written.
    fn at(&self, index: usize, row: usize) -> *mut T {
        self.view(index, row).ptr.cast_mut()
    }
}

/// What both passes are told.
struct Job<T> {
    query: Stack<T>,
    key: Stack<T>,
    value: Stack<T>,
    mask: Option<Stack<T>>,
    /// Matrices of the batch.
    heads: usize,
    queries: usize,
    keys: usize,
    /// Elements of a query and of a value.
    widths: [usize; 2],
    scale: T,
    causal: bool,
}

impl<T: Rows> Job<T> {
    fn new(attention: &Attention, [query, key, value]: [&Body; 3]) -> Self {
        let rank = query.shape.len();
        Job {
            query: Stack::new(query),
            key: Stack::new(key),
            value: Stack::new(value),
            mask: attention.mask.as_ref().map(Stack::new),
            heads: query.shape[..rank - 2].iter().product(),
            queries: query.shape[rank - 2],
            keys: key.shape[rank - 2],
            widths: [query.shape[rank - 1], value.shape[rank - 1]],
            scale: <T as Element>::from_f64(attention.scale),
            causal: attention.causal,
        }
    }

    /// The tiles along the queries.
    fn blocks(&self) -> usize {
        self.queries.div_ceil(QUERIES)
    }

    /// The queries of a tile.
    fn block(&self, index: usize) -> Range<usize> {
        index * QUERIES..((index + 1) * QUERIES).min(self.queries)
    }

    /// How many of the first keys the queries before `end` see.
    fn seen(&self, end: usize) -> usize {
        if self.causal { end.min(self.keys) } else { self.keys }
    }

    /// The scores of some queries for some keys, scaled, into rows of [`KEYS`].
    unsafe fn scores(&self, head: usize, queries: &Range<usize>, keys: &Range<usize>, to: *mut T) {
        let key = self.key.view(head, keys.start).transposed();
        let sizes = [queries.len(), keys.len(), self.widths[0]];
        // SAFETY: rows and columns lie in the bodies, and `to` has room for a tile.
        unsafe { product(sizes, self.query.view(head, queries.start), key, (to, KEYS as isize), (self.scale, false)) }
    }

    /// What the softmax of a tile needs to know.
    fn tile(&self, head: usize, queries: &Range<usize>, keys: &Range<usize>, scores: *mut T) -> rows::Tile<T> {
        let mask = self.mask.as_ref().map(|mask| {
            let view = mask.view(head, queries.start);
            (view.at(0, keys.start), view.row)
        });
        let causal = self.causal.then_some((queries.start + 1) as isize - keys.start as isize);
        rows::Tile { scores, queries: queries.len(), keys: keys.len(), causal, mask }
    }
}

/// `c = alpha a b`, or that added to `c`, whose columns are neighbours.
unsafe fn product<T: Rows>(
    [m, n, k]: [usize; 3],
    a: View<T>,
    b: View<T>,
    (c, row): (*mut T, isize),
    (alpha, adds): (T, bool),
) {
    let finish = Finish { alpha, beta: if adds { T::ONE } else { T::ZERO }, ..Finish::OVERWRITE };
    // SAFETY: the caller's promise.
    unsafe { Problem { m, n, k, a, b, c, c_strides: [row, 1], finish, threads: 1, kernels: T::kernels() }.run() }
}

/// Runs `task` for each index: tasks side by side where there are enough of them, else one by one, with several threads
/// in each product.
fn each(count: usize, task: &(dyn Fn(usize) + Sync)) {
    let grain = if count < 2 * num_threads() { count } else { 1 };
    parallel_for(count, grain, &|range| range.for_each(task));
}
