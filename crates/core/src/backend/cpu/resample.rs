//! Linear maps along one dimension in which each element of the result is made of few elements of the input.
#![allow(unsafe_code)] // Tasks write disjoint parts of one slice.

use super::dense::{by_type, slice, slice_mut};
use super::float::Float;
use super::shared::Shared;
use crate::Result;
use crate::pool::parallel_for;
use crate::storage::check_list;
use crate::tensor::Body;
use std::sync::Arc;

/// For each element of the result the elements that it is made of, with their weights.
///
/// A matrix of which the zeros are not written down. Cloning shares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Taps(Arc<Rows>);

#[derive(Debug, PartialEq)]
struct Rows {
    /// Elements of the input.
    inputs: usize,
    /// Row `j` is made of the entries `starts[j]..starts[j + 1]`.
    starts: Vec<usize>,
    entries: Vec<(usize, f64)>,
}

impl Taps {
    /// The map with these rows from `inputs` elements; entries beyond them are left out.
    pub fn new(inputs: usize, rows: impl IntoIterator<Item = Vec<(usize, f64)>>) -> Self {
        let (mut starts, mut entries) = (vec![0], Vec::new());
        for row in rows {
            entries.extend(row.into_iter().filter(|&(index, _)| index < inputs));
            starts.push(entries.len());
        }
        Taps(Arc::new(Rows { inputs, starts, entries }))
    }

    /// Elements of the input.
    pub fn inputs(&self) -> usize {
        self.0.inputs
    }

    /// Elements of the result.
    pub fn outputs(&self) -> usize {
        self.0.starts.len() - 1
    }

    /// The adjoint map.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn transposed(&self) -> Result<Self> {
        check_list(self.inputs(), ROW_BYTES)?;
        let mut rows = vec![Vec::new(); self.inputs()];
        for j in 0..self.outputs() {
            for &(index, weight) in self.row(j) {
                rows[index].push((j, weight));
            }
        }
        Ok(Taps::new(self.outputs(), rows))
    }

    fn row(&self, j: usize) -> &[(usize, f64)] {
        &self.0.entries[self.0.starts[j]..self.0.starts[j + 1]]
    }
}

/// What a row of a map, or an element of its input, takes about.
pub(crate) const ROW_BYTES: usize = 32;

/// Elements that a task makes at least.
const TASK_ELEMENTS: usize = 1 << 13;

/// # Safety
/// Bodies are contiguous, f32 or f64, locked, and have `outer * n * inner` elements.
pub(crate) unsafe fn run(taps: &Taps, [outer, inner]: [usize; 2], x: &Body, out: &Body) {
    by_type!(out, T => apply::<T>(taps, [outer, inner], slice(x), slice_mut(out)))
}

fn apply<T: Float>(taps: &Taps, [outer, inner]: [usize; 2], input: &[T], output: &mut [T]) {
    let (n, m) = (taps.inputs(), taps.outputs());
    assert_eq!([input.len(), output.len()], [outer * n * inner, outer * m * inner], "sizes of a resampling");
    let parts = Shared::new(output);
    let grain = (TASK_ELEMENTS / (m * inner).max(1)).max(1);
    parallel_for(outer, grain, &|range| {
        for block in range {
            // SAFETY: each block has its own part.
            let to = unsafe { parts.take(block * m * inner..(block + 1) * m * inner) };
            let from = &input[block * n * inner..(block + 1) * n * inner];
            if inner == 1 { points(taps, from, to) } else { lines(taps, inner, from, to) }
        }
    });
}

/// Along the last dimension.
fn points<T: Float>(taps: &Taps, from: &[T], to: &mut [T]) {
    for (j, to) in to.iter_mut().enumerate() {
        let mut sum = T::ZERO;
        for &(index, weight) in taps.row(j) {
            sum += from[index] * T::from_f64(weight);
        }
        *to = sum;
    }
}

/// Along another one, a line of the last ones at a time.
fn lines<T: Float>(taps: &Taps, inner: usize, from: &[T], to: &mut [T]) {
    for (j, to) in to.chunks_exact_mut(inner).enumerate() {
        to.fill(T::ZERO);
        for &(index, weight) in taps.row(j) {
            let weight = T::from_f64(weight);
            for (to, &x) in to.iter_mut().zip(&from[index * inner..(index + 1) * inner]) {
                *to += x * weight;
            }
        }
    }
}
