//! The processor: loops over tiles, compiled for several instruction sets and picked at run time.
#![allow(unsafe_code, reason = "kernels")]

pub mod conv;
mod convolve;
mod copy;
pub mod float;
pub mod gemm;
pub mod math;
mod pool;
pub mod pooling;

mod along;
mod attention;
pub(crate) mod complex;
mod dense;
mod index;
mod layout;
mod linalg;
mod loss;
mod map;
mod matmul;
mod median;
mod norm;
mod number;
mod optim;
mod order;
mod recurrent;
mod reduce;
pub mod resample;
mod rows;
mod scan;
mod scratch;
mod shared;
mod simd;
mod softmax;
mod tiles;

use super::{
    Alignment, Attention, AverageDivisor as Divisor, Backend, ClassLoss, ConvShape, Factor, Indexing, Map, Memory,
    NormGrad, NormRows, Order, PointwiseLoss, PoolShape, Product, Reduce, Scan, Taps, Update, Windows,
};
use crate::storage::{Block, lock};
use crate::tensor::Body;
use crate::{DType, Element, Result, Scalar, dispatch};
use smallvec::SmallVec;

/// Main memory and the processor's cores.
pub(crate) struct Cpu;

impl Memory for Cpu {
    #[inline]
    fn allocate(&self, bytes: usize) -> Result<Block> {
        Block::new(bytes)
    }

    fn synchronize(&self) -> Result<()> {
        Ok(())
    }

    fn to_host(&self, src: &Body, host: &Body) -> Result<()> {
        self.copy(src, host)
    }

    fn from_host(&self, host: &Body, dst: &Body) -> Result<()> {
        self.copy(host, dst)
    }
}

impl Backend for Cpu {
    fn fill(&self, out: &Body, value: Scalar) -> Result<()> {
        let _locked = lock(&[], &[out]);
        if out.dtype.is_complex() {
            // SAFETY: the storage is locked for writing.
            unsafe { complex::fill_all(out, value) };
            return Ok(());
        }
        dispatch!(out.dtype, T => {
            let value: T = match value {
                Scalar::Float(v) => Element::from_f64(v),
                // Only bool takes one with an imaginary part: it asks whether either part is there.
                Scalar::Complex(v) => Element::from_f64(if v.re == 0.0 { v.im } else { v.re }),
                other => Element::from_i64(other.to_i64()),
            };
            // SAFETY: the storage is locked for writing.
            unsafe { layout::fill(out, value) }
        });
        Ok(())
    }

    fn copy(&self, src: &Body, out: &Body) -> Result<()> {
        let _locked = lock(&[src], &[out]);
        // SAFETY: the storages are locked; shapes are equal.
        unsafe { copy::copy(src, out) }
        Ok(())
    }

    fn add_overlapping(&self, src: &Body, out: &Body) -> Result<()> {
        let _locked = lock(&[src], &[out]);
        // SAFETY: the storages are locked; shapes and dtypes are equal.
        unsafe { layout::add_overlapping(src, out) }
        Ok(())
    }

    fn map(&self, kernel: Map, compute: DType, inputs: &[&Body], out: &Body) -> Result<()> {
        let _locked = lock(inputs, &[out]);
        // SAFETY: the storages are locked; inputs have the shape of `out`.
        unsafe { map::run(kernel, compute, inputs, out) }
    }

    fn reduce(&self, op: Reduce, compute: DType, input: &Body, out: &Body) -> Result<()> {
        let _locked = lock(&[input], &[out]);
        // SAFETY: the storages are locked; ranks are equal; `out` is fresh.
        unsafe { reduce::run(op, compute, input, out) }
        Ok(())
    }

    fn index(&self, kind: Indexing, dim: usize, spread: &Body, index: &Body, table: &Body) -> Result<Option<i64>> {
        let _locked = match kind {
            Indexing::Gather => lock(&[index, table], &[spread]),
            _ => lock(&[index, spread], &[table]),
        };
        // SAFETY: the storages are locked; shapes and dtypes were checked.
        Ok(unsafe { index::run(kind, dim, spread, index, table) })
    }

    fn reduce_index(&self, largest: bool, input: &Body, dim: usize, out: &Body, indices: &Body) -> Result<()> {
        let _locked = lock(&[input], &[out, indices]);
        // SAFETY: the storages are locked; `out` and `indices` have the shape of `input` with size 1 at `dim`.
        unsafe { reduce::with_index(largest, input, dim, out, indices) }
        Ok(())
    }

    fn softmax(&self, log: bool, input: &Body, dim: usize, out: &Body) -> Result<()> {
        let _locked = lock(&[input], &[out]);
        // SAFETY: the storages are locked; shapes and dtypes are equal; `out` is fresh.
        unsafe { softmax::forward(log, input, dim, out) }
        Ok(())
    }

    fn softmax_grad(&self, log: bool, grad: &Body, result: &Body, dim: usize, out: &Body) -> Result<()> {
        let _locked = lock(&[grad, result], &[out]);
        // SAFETY: the storages are locked; shapes and dtypes are equal; `out` is fresh.
        unsafe { softmax::backward(log, grad, result, dim, out) }
        Ok(())
    }

    fn attention(&self, attention: &Attention, inputs: [&Body; 3], out: &Body, totals: &Body) -> Result<()> {
        let reads: SmallVec<[&Body; 4]> = inputs.into_iter().chain(&attention.mask).collect();
        let _locked = lock(&reads, &[out, totals]);
        // SAFETY: the storages are locked; `ops` checked shapes and dtypes, and the written bodies are fresh.
        unsafe { attention::forward(attention, inputs, out, totals) }
        Ok(())
    }

    fn attention_grad(
        &self,
        attention: &Attention,
        grad: &Body,
        inputs: [&Body; 3],
        noted: [&Body; 2],
        out: [&Body; 3],
    ) -> Result<()> {
        let reads: SmallVec<[&Body; 7]> =
            inputs.into_iter().chain(noted).chain([grad]).chain(&attention.mask).collect();
        let _locked = lock(&reads, &out);
        // SAFETY: as above.
        unsafe { attention::backward(attention, grad, inputs, noted, out) }
        Ok(())
    }

    fn normalize_rows(&self, norm: &NormRows, x: &Body, out: &Body, mean: &Body, rstd: &Body) -> Result<()> {
        let reads: SmallVec<[&Body; 3]> = norm.bodies().chain([x]).collect();
        let _locked = lock(&reads, &[out, mean, rstd]);
        // SAFETY: the storages are locked; bodies are contiguous, and the written ones fresh.
        unsafe { norm::rows_forward(norm, x, out, mean, rstd) }
        Ok(())
    }

    fn normalize_rows_grad(
        &self,
        norm: &NormRows,
        grad: &Body,
        x: &Body,
        noted: [&Body; 2],
        out: &NormGrad,
    ) -> Result<()> {
        let reads: SmallVec<[&Body; 6]> = norm.bodies().chain([grad, x]).chain(noted).collect();
        let _locked = lock(&reads, &out.bodies().collect::<SmallVec<[&Body; 3]>>());
        // SAFETY: as above.
        unsafe { norm::rows_grad(norm, grad, x, noted, out) }
        Ok(())
    }

    fn channel_statistics(&self, x: &Body, mean: &Body, variance: &Body) -> Result<()> {
        let _locked = lock(&[x], &[mean, variance]);
        // SAFETY: as above.
        unsafe { norm::statistics(x, mean, variance) }
        Ok(())
    }

    fn normalize_channels(
        &self,
        x: &Body,
        noted: [&Body; 2],
        weight: Option<&Body>,
        bias: Option<&Body>,
        out: &Body,
    ) -> Result<()> {
        let reads: SmallVec<[&Body; 5]> = noted.into_iter().chain([x]).chain(weight).chain(bias).collect();
        let _locked = lock(&reads, &[out]);
        // SAFETY: as above.
        unsafe { norm::apply(x, noted, weight, bias, out) }
        Ok(())
    }

    fn normalize_channels_grad(
        &self,
        grad: &Body,
        x: &Body,
        noted: [&Body; 2],
        weight: Option<&Body>,
        training: bool,
        out: &NormGrad,
    ) -> Result<()> {
        let reads: SmallVec<[&Body; 5]> = noted.into_iter().chain([grad, x]).chain(weight).collect();
        let _locked = lock(&reads, &out.bodies().collect::<SmallVec<[&Body; 3]>>());
        // SAFETY: as above.
        unsafe { norm::channels_grad(grad, x, noted, weight, training, out) }
        Ok(())
    }

    fn pointwise_loss(
        &self,
        loss: PointwiseLoss,
        inputs: [&Body; 2],
        factors: [Option<&Body>; 2],
        scale: Option<f64>,
        out: &Body,
    ) -> Result<()> {
        let _locked =
            lock(&inputs.into_iter().chain(factors.into_iter().flatten()).collect::<SmallVec<[&Body; 4]>>(), &[out]);
        // SAFETY: the storages are locked; shapes are equal; `out` is fresh.
        unsafe { loss::pointwise(loss, (inputs, factors), scale, out) }
    }

    fn pointwise_loss_grad(
        &self,
        loss: PointwiseLoss,
        grad: &Body,
        inputs: [&Body; 2],
        factors: [Option<&Body>; 2],
        scale: f64,
        out: &Body,
    ) -> Result<()> {
        let reads: SmallVec<[&Body; 5]> =
            inputs.into_iter().chain(factors.into_iter().flatten()).chain([grad]).collect();
        let _locked = lock(&reads, &[out]);
        // SAFETY: as above.
        unsafe { loss::pointwise_grad(loss, grad, (inputs, factors), scale, out) }
        Ok(())
    }

    fn class_loss(&self, loss: &ClassLoss, x: &Body, target: &Body, out: [&Body; 3]) -> Result<()> {
        let reads: SmallVec<[&Body; 3]> = [x, target].into_iter().chain(&loss.weight).collect();
        let _locked = lock(&reads, &out);
        // SAFETY: the storages are locked; bodies are contiguous, and the written ones fresh.
        unsafe { loss::classes(loss, x, target, out) }
    }

    fn class_loss_grad(
        &self,
        loss: &ClassLoss,
        factors: &Body,
        x: &Body,
        target: &Body,
        sums: &Body,
        out: &Body,
    ) -> Result<()> {
        let _locked = lock(&[factors, x, target, sums], &[out]);
        // SAFETY: as above.
        unsafe { loss::classes_grad(loss, factors, x, target, sums, out) }
    }

    fn ctc_loss(&self, alignment: &Alignment, log_probs: &Body, alpha: &Body, losses: &Body) -> Result<()> {
        let _locked = lock(&[log_probs], &[alpha, losses]);
        // SAFETY: the storages are locked; bodies are contiguous, and the written ones fresh.
        unsafe { loss::ctc(alignment, log_probs, alpha, losses) }
        Ok(())
    }

    fn ctc_loss_grad(
        &self,
        alignment: &Alignment,
        grads: &Body,
        log_probs: &Body,
        noted: [&Body; 2],
        out: &Body,
    ) -> Result<()> {
        let _locked = lock(&[grads, log_probs, noted[0], noted[1]], &[out]);
        // SAFETY: as above.
        unsafe { loss::ctc_grad(alignment, grads, log_probs, noted, out) }
        Ok(())
    }

    fn median(&self, skip_nan: bool, input: &Body, dim: usize, out: &Body, indices: &Body) -> Result<()> {
        let _locked = lock(&[input], &[out, indices]);
        // SAFETY: the storages are locked; `out` and `indices` have the shape of `input` with size 1 at `dim`.
        unsafe { median::run(skip_nan, input, dim, out, indices) }
        Ok(())
    }

    fn scan(
        &self,
        op: Scan,
        compute: DType,
        input: &Body,
        dim: usize,
        out: &Body,
        indices: Option<&Body>,
    ) -> Result<()> {
        let written: SmallVec<[&Body; 2]> = [Some(out), indices].into_iter().flatten().collect();
        let _locked = lock(&[input], &written);
        // SAFETY: the storages are locked; shapes are equal; the outputs are contiguous.
        unsafe { scan::run(op, compute, input, dim, out, indices) }
        Ok(())
    }

    fn order(&self, order: Order, input: &Body, dim: usize, out: &Body, indices: &Body) -> Result<()> {
        let _locked = lock(&[input], &[out, indices]);
        // SAFETY: the storages are locked; `ops` made contiguous outputs of the lengths that `order` has.
        unsafe { order::run(order, input, dim, out, indices) }
    }

    fn sort_rows(&self, rows: &Body, numbers: &Body) -> Result<()> {
        let _locked = lock(&[rows], &[numbers]);
        // SAFETY: the storages are locked; `ops` made contiguous bodies of fitting shapes.
        unsafe { order::sort_rows(rows, numbers) }
        Ok(())
    }

    fn search(&self, right: bool, bounds: &Body, sorter: Option<&Body>, values: &Body, out: &Body) -> Result<()> {
        let reads: SmallVec<[&Body; 3]> = [bounds, values].into_iter().chain(sorter).collect();
        let _locked = lock(&reads, &[out]);
        // SAFETY: the storages are locked; `ops` made contiguous bodies of fitting shapes, and checked the sorter.
        unsafe { order::search(right, bounds, sorter, values, out) }
        Ok(())
    }

    fn matmul(&self, product: Product, a: &Body, b: &Body, bias: Option<&Body>, out: &Body) -> Result<()> {
        let reads: SmallVec<[&Body; 3]> = [a, b].into_iter().chain(bias).collect();
        let _locked = lock(&reads, &[out]);
        // SAFETY: the storages are locked; `ops` has checked the shapes and made `out` afresh.
        unsafe { matmul::run(product, a, b, bias, out) }
        Ok(())
    }

    fn factorize(&self, factor: Factor, inputs: &[&Body], out: &[&Body]) -> Result<()> {
        let _locked = lock(inputs, out);
        // SAFETY: the storages are locked; `ops` made contiguous bodies of fitting shapes.
        unsafe { linalg::run(factor, inputs, out) }
        Ok(())
    }

    fn conv_forward(&self, shape: &ConvShape, x: &Body, w: &Body, bias: Option<&Body>, out: &Body) -> Result<()> {
        let reads: SmallVec<[&Body; 3]> = [x, w].into_iter().chain(bias).collect();
        let _locked = lock(&reads, &[out]);
        // SAFETY: the storages are locked; `ops` made contiguous bodies of the shape's sizes.
        unsafe { convolve::forward(shape, x, w, bias, out) }
        Ok(())
    }

    fn conv_input_grad(&self, shape: &ConvShape, g: &Body, w: &Body, out: &Body) -> Result<()> {
        let _locked = lock(&[g, w], &[out]);
        // SAFETY: as in `conv_forward`.
        unsafe { convolve::input_grad(shape, g, w, out) }
        Ok(())
    }

    fn conv_weight_grad(&self, shape: &ConvShape, x: &Body, g: &Body, out: &Body) -> Result<()> {
        let _locked = lock(&[x, g], &[out]);
        // SAFETY: as in `conv_forward`.
        unsafe { convolve::weight_grad(shape, x, g, out) }
        Ok(())
    }

    fn take_rows(&self, table: &Body, numbers: &Body, out: &Body) -> Result<()> {
        let _locked = lock(&[table, numbers], &[out]);
        // SAFETY: the storages are locked; `ops` made contiguous bodies of fitting shapes.
        unsafe { rows::take(table, numbers, out) }
    }

    fn add_rows(&self, rows: &Body, numbers: &Body, skip: Option<i64>, by_frequency: bool, out: &Body) -> Result<()> {
        let _locked = lock(&[rows, numbers], &[out]);
        // SAFETY: as in `take_rows`.
        unsafe { rows::add(rows, numbers, skip, by_frequency, out) }
    }

    fn avg_pool(&self, shape: &PoolShape, divisor: Divisor, x: &Body, out: &Body) -> Result<()> {
        let _locked = lock(&[x], &[out]);
        // SAFETY: as in `max_pool_forward`.
        unsafe { pool::average_forward(shape, divisor, x, out) }
        Ok(())
    }

    fn avg_pool_grad(&self, shape: &PoolShape, divisor: Divisor, g: &Body, out: &Body) -> Result<()> {
        let _locked = lock(&[g], &[out]);
        // SAFETY: as in `max_pool_forward`.
        unsafe { pool::average_backward(shape, divisor, g, out) }
        Ok(())
    }

    fn window_winners(&self, windows: &Windows, x: &Body, indices: &Body) -> Result<()> {
        let _locked = lock(&[x], &[indices]);
        // SAFETY: as in `max_pool_forward`.
        unsafe { pool::winners(windows, x, indices) }
        Ok(())
    }

    fn resample(&self, taps: &Taps, [outer, inner]: [usize; 2], x: &Body, out: &Body) -> Result<()> {
        let _locked = lock(&[x], &[out]);
        // SAFETY: the storages are locked; `ops` made contiguous bodies of these sizes.
        unsafe { resample::run(taps, [outer, inner], x, out) }
        Ok(())
    }

    fn max_pool_forward(&self, shape: &PoolShape, x: &Body, out: &Body, indices: &Body) -> Result<()> {
        let _locked = lock(&[x], &[out, indices]);
        // SAFETY: the storages are locked; `ops` made contiguous bodies of the shape's sizes.
        unsafe { pool::max_forward(shape, x, out, indices) }
        Ok(())
    }

    fn max_pool_backward(&self, shape: &PoolShape, g: &Body, indices: &Body, out: &Body) -> Result<()> {
        let _locked = lock(&[g, indices], &[out]);
        // SAFETY: as in `max_pool_forward`.
        unsafe { pool::max_backward(shape, g, indices, out) }
        Ok(())
    }

    fn lstm_step(&self, gates: &Body, cell: &Body, out: [&Body; 2]) -> Result<()> {
        let _locked = lock(&[cell], &[gates, out[0], out[1]]);
        // SAFETY: the storages are locked; `ops` made contiguous bodies of fitting shapes.
        unsafe { recurrent::forward(gates, cell, out) }
        Ok(())
    }

    fn lstm_step_grad(&self, gates: &Body, cells: [&Body; 2], hidden: &Body, out: [&Body; 2]) -> Result<()> {
        let _locked = lock(&[gates, cells[0], cells[1], hidden], &out);
        // SAFETY: as above.
        unsafe { recurrent::backward(gates, cells, hidden, out) }
        Ok(())
    }

    fn optimizer_step(&self, updates: &[Update]) -> Result<()> {
        let is_grad = |slot: usize| slot == super::GRAD;
        let bodies = || updates.iter().flat_map(|update| update.bodies.iter().enumerate());
        let reads: Vec<&Body> = bodies().filter(|&(slot, _)| is_grad(slot)).map(|(_, body)| body).collect();
        let writes: Vec<&Body> = bodies().filter(|&(slot, _)| !is_grad(slot)).map(|(_, body)| body).collect();
        let _locked = lock(&reads, &writes);
        // SAFETY: the storages are locked; `ops` checked that the bodies of an update have one shape and dtype.
        unsafe { optim::run(updates) }
        Ok(())
    }
}
