//! The processor: loops over tiles, compiled for several instruction sets and picked at run time.
#![allow(unsafe_code, reason = "kernels")]

pub mod conv;
pub mod float;
pub mod gemm;
pub mod math;
pub mod pooling;

mod layout;
mod map;
mod matmul;
mod reduce;
mod scratch;
mod shared;
mod simd;
mod tiles;

use super::{Backend, Map, Product, Reduce};
use crate::storage::{Block, lock};
use crate::tensor::Body;
use crate::{DType, Element, Result, Scalar, dispatch};
use smallvec::SmallVec;

/// Main memory and the processor's cores.
pub struct Cpu;

impl Backend for Cpu {
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

    fn fill(&self, out: &Body, value: Scalar) -> Result<()> {
        let _locked = lock(&[], &[out]);
        dispatch!(out.dtype, T => {
            let value: T = match value {
                Scalar::Float(v) => Element::from_f64(v),
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
        unsafe { layout::copy(src, out) }
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
        // SAFETY: the storages are locked; ranks are equal.
        unsafe { reduce::run(op, compute, input, out) }
        Ok(())
    }

    fn reduce_index(&self, largest: bool, input: &Body, dim: usize, out: &Body, indices: &Body) -> Result<()> {
        let _locked = lock(&[input], &[out, indices]);
        // SAFETY: the storages are locked; `out` and `indices` have the shape of `input` with size 1 at `dim`.
        unsafe { reduce::with_index(largest, input, dim, out, indices) }
        Ok(())
    }

    fn matmul(&self, product: Product, a: &Body, b: &Body, bias: Option<&Body>, out: &Body) -> Result<()> {
        let reads: SmallVec<[&Body; 3]> = [a, b].into_iter().chain(bias).collect();
        let _locked = lock(&reads, &[out]);
        // SAFETY: the storages are locked; `ops` has checked the shapes and made `out` afresh.
        unsafe { matmul::run(product, a, b, bias, out) }
        Ok(())
    }
}
