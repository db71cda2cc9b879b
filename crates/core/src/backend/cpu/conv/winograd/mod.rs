//! Fast convolution with kernels of 3x3 at steps of one, in single precision, by the algorithm F(4x4, 3x3) of Winograd.
//!
//! Sixteen outputs of a tile depend on 36 inputs. Both, and the kernel, are taken for polynomials: their values at 36
//! points are multiplied instead, which takes 36 multiplications for each pair of channels rather than 144, and summed
//! over channels, as 36 matrix products. Lavin and Gray, *Fast Algorithms for Convolutional Neural Networks* (2015),
//! equation 8: `y = A^T ((G g G^T) * (B^T d B)) A`. The gradient of the input is the same with kernels turned round; that
//! of the weight is `G^T sum((B^T d B) * (A dy A^T)) G`, over all tiles.
//!
//! | file | holds |
//! |---|---|
//! | `transform` | the matrices, and the kernels that apply them |
//! | `kernels` | those compiled for each instruction set |
//! | `tiles` | where tiles lie, and how pixels become lanes of channels and back |
//! | `products` | the matrix products |
//! | `forward`, `weight_grad` | the two computations |
//!
//! # Exactness
//! The points are 0, ±3/4, ±3/2 and infinity in each dimension, and sums run over 32 channels or tiles at a time. Against
//! double precision, with inputs that are normally distributed or those of a rectified layer and 64 to 512 channels, the
//! largest error of outputs and of gradients of inputs was at most twice the direct way's: 6e-6 of the root mean square
//! of the result, where the direct way had 3e-6 to 5e-6. For gradients of weights it was at most 7e-6, where the direct
//! way had 1e-6 to 4e-6. With the usual points 0, ±1, ±2 and whole sums it is up to sixteen times the direct way's.
//!
//! Rounding is relative to the largest numbers that a tile meets, not to those that one output meets: an input may
//! disturb outputs beside it that do not depend on it, by about a millionth of what it contributes to those that do. Zeros
//! alone give zeros. What is infinite or not a number would spread over its tile, and so would what overflows on the way.
//! Such a result is not finite everywhere: then the direct way computes all of it anew. Results do not depend on the
//! number of threads.

mod forward;
pub(in crate::backend::cpu) mod kernels;
mod products;
mod tiles;
mod transform;
mod weight_grad;

#[cfg(test)]
mod tests;

use super::ConvShape;
use super::correlate::{Correlation, FEW_POSITIONS};
use crate::backend::cpu::float::Float;
use crate::backend::cpu::gemm::kernels::Kernels;
use forward::Forward;
use transform::{PRODUCTS, TAPS};
use weight_grad::WeightGrad;

/// What a tile costs for each of its channels, before and after the products, in multiplications for each point.
const TILE_COST: f64 = 30.0;

/// What a kernel costs, in multiplications for each point.
const KERNEL_COST: f64 = 15.0;

/// What a kernel costs the direct way, in multiplications for each of its elements.
const DIRECT_KERNEL_COST: f64 = 40.0;

/// The same where there are few positions, and kernels are read where they are.
const FEW_KERNEL_COST: f64 = 10.0;

/// The part of the direct way's time that may remain, so that rounding is not given away for little.
const WORTHWHILE: f64 = 0.8;

/// Channels on either side from which tiles are taken: with fewer, most of the time would go into transforms, and small
/// networks had better keep the rounding of the direct way.
const LEAST_CHANNELS: usize = 48;

/// Kernels at all points take up to so many bytes: four times the memory of the weight.
const LARGEST: usize = 256 << 20;

/// Computes `result` if this is a computation that tiles are made for, if they are the faster way, and if everything
/// stays finite; says whether it did.
pub(super) fn correlate<T: Float>(all: &Correlation<'_, T>, source: &[T], result: &mut [T]) -> bool {
    let plan = T::transforms(all.kernels.lanes).and_then(|transforms| Forward::new(all, transforms));
    let pixels = result.len() / all.rows;
    plan.is_some_and(|plan| pays::<T>([all.channels, all.rows], plan.tiles(), pixels) && plan.run(source, result))
}

/// Likewise for the gradient of the weight.
pub(super) fn weight_grad<T: Float>(
    kernels: &'static Kernels<T>,
    s: &ConvShape,
    input: &[T],
    grad_output: &[T],
    grad_weight: &mut [T],
) -> bool {
    let plan = T::transforms(kernels.lanes).and_then(|transforms| WeightGrad::new(kernels, transforms, s));
    let (channels, pixels) = ([s.in_channels, s.out_channels], s.batch * s.output_size());
    plan.is_some_and(|plan| pays::<T>(channels, plan.tiles(), pixels) && plan.run(input, grad_output, grad_weight))
}

/// Whether the products saved are worth the transforms.
fn pays<T>(channels: [usize; 2], tiles: usize, pixels: usize) -> bool {
    let [inputs, outputs, tiles] = [channels[0], channels[1], tiles].map(|n| n as f64);
    let pairs = inputs * outputs;
    let by_tiles = PRODUCTS as f64 * (tiles * (pairs + TILE_COST * (inputs + outputs)) + KERNEL_COST * pairs);
    let kernel = if pixels <= FEW_POSITIONS { FEW_KERNEL_COST } else { DIRECT_KERNEL_COST };
    let direct = TAPS as f64 * pairs * (pixels as f64 + kernel);
    let fits = pairs * (PRODUCTS * size_of::<T>()) as f64 <= LARGEST as f64;
    fits && channels[0].min(channels[1]) >= LEAST_CHANNELS && by_tiles < WORTHWHILE * direct
}
