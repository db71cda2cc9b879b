//! Normalization of contiguous bodies. Sums run in double precision, so that statistics are at least PyTorch's.

use super::dense::{by_type, slice, slice_mut};
use super::layout::Shared;
use crate::Element;
use crate::backend::{ChannelNorm, RowNorm};
use crate::tensor::Body;

/// Elements of one channel or row that one task is worth waking for.
const GRAIN: usize = 1 << 14;

/// What a normalization reads beside its input.
#[derive(Clone, Copy)]
pub(crate) struct Affine<'a> {
    pub weight: Option<&'a Body>,
    pub bias: Option<&'a Body>,
}

/// Calls `f(first, length)` for each contiguous piece of a channel.
fn pieces(n: &ChannelNorm, channel: usize, mut f: impl FnMut(usize, usize)) {
    for image in 0..n.images {
        f((image * n.channels + channel) * n.places, n.places);
    }
}

fn each_channel(n: &ChannelNorm, f: &(dyn Fn(usize) + Sync)) {
    let grain = GRAIN / (n.images * n.places).max(1) + 1;
    crate::pool::parallel_for(n.channels, grain, &|range| range.for_each(f));
}

/// Mean and biased variance of every channel.
///
/// # Safety
/// Bodies are contiguous, locked, f32 or f64 of one type, and have the lengths that `n` says.
pub(crate) unsafe fn channel_statistics(n: &ChannelNorm, x: &Body, mean: &Body, variance: &Body) {
    by_type!(x, T => {
        let x: &[T] = slice(x);
        let (means, variances) = (Shared(mean.ptr().cast::<T>()), Shared(variance.ptr().cast::<T>()));
        each_channel(n, &|c| {
            let count = (n.images * n.places) as f64;
            let mut sum = 0.0;
            pieces(n, c, |at, len| sum += x[at..at + len].iter().map(|v| v.to_f64()).sum::<f64>());
            let mean = sum / count;
            let mut squares = 0.0;
            pieces(n, c, |at, len| {
                squares += x[at..at + len].iter().map(|v| (v.to_f64() - mean) * (v.to_f64() - mean)).sum::<f64>();
            });
            *means.get().add(c) = Element::from_f64(mean);
            *variances.get().add(c) = Element::from_f64(squares / count);
        });
    });
}

/// `(x - mean) * invstd * weight + bias`, channel by channel.
///
/// # Safety
/// As [`channel_statistics`].
pub(crate) unsafe fn channel_forward(n: &ChannelNorm, x: &Body, mean: &Body, invstd: &Body, affine: Affine, out: &Body) {
    by_type!(x, T => {
        let (x, mean, invstd): (&[T], &[T], &[T]) = (slice(x), slice(mean), slice(invstd));
        let (weight, bias) = (affine.weight.map(|b| slice::<T>(b)), affine.bias.map(|b| slice::<T>(b)));
        let to = Shared(out.ptr().cast::<T>());
        each_channel(n, &|c| {
            let scale = weight.map_or(invstd[c], |w| invstd[c] * w[c]);
            let shift = bias.map_or(T::default(), |b| b[c]) - mean[c] * scale;
            pieces(n, c, |at, len| {
                let out = std::slice::from_raw_parts_mut(to.get().add(at), len);
                out.iter_mut().zip(&x[at..at + len]).for_each(|(out, &x)| *out = x * scale + shift);
            });
        });
    });
}

/// Gradients of [`channel_forward`]; in training the statistics are the input's own.
///
/// # Safety
/// As [`channel_statistics`].
#[allow(clippy::too_many_arguments, reason = "three gradients of four inputs")]
pub(crate) unsafe fn channel_backward(
    n: &ChannelNorm,
    g: &Body,
    x: &Body,
    mean: &Body,
    invstd: &Body,
    weight: Option<&Body>,
    grads: [&Body; 3],
) {
    by_type!(x, T => {
        let (g, x, mean, invstd): (&[T], &[T], &[T], &[T]) = (slice(g), slice(x), slice(mean), slice(invstd));
        let weight = weight.map(|b| slice::<T>(b));
        let [gx, gw, gb] = grads.map(|b| Shared(b.ptr().cast::<T>()));
        each_channel(n, &|c| {
            let (m, s) = (mean[c].to_f64(), invstd[c].to_f64());
            let (mut sum, mut dot) = (0.0, 0.0);
            pieces(n, c, |at, len| {
                for (g, x) in g[at..at + len].iter().zip(&x[at..at + len]) {
                    sum += g.to_f64();
                    dot += g.to_f64() * (x.to_f64() - m);
                }
            });
            *gw.get().add(c) = Element::from_f64(dot * s);
            *gb.get().add(c) = Element::from_f64(sum);
            let count = (n.images * n.places) as f64;
            let scale = s * weight.map_or(1.0, |w| w[c].to_f64());
            let (slope, offset) = if n.training { (dot * s * s / count, sum / count) } else { (0.0, 0.0) };
            let (scale, slope, offset): (T, T, T) = (Element::from_f64(scale), Element::from_f64(slope), Element::from_f64(offset));
            pieces(n, c, |at, len| {
                let out = std::slice::from_raw_parts_mut(gx.get().add(at), len);
                for ((out, &g), &x) in out.iter_mut().zip(&g[at..at + len]).zip(&x[at..at + len]) {
                    *out = (g - offset - (x - mean[c]) * slope) * scale;
                }
            });
        });
    });
}

/// Each row normalized to mean 0 and variance 1, then `* weight + bias`; keeps mean and reciprocal deviation.
///
/// # Safety
/// Bodies are contiguous, locked, f32 or f64 of one type, and have the lengths that `n` says.
pub(crate) unsafe fn row_forward(n: &RowNorm, x: &Body, affine: Affine, out: &Body, mean: &Body, invstd: &Body) {
    by_type!(x, T => {
        let x: &[T] = slice(x);
        let (weight, bias) = (affine.weight.map(|b| slice::<T>(b)), affine.bias.map(|b| slice::<T>(b)));
        let (to, means, invstds) =
            (Shared(out.ptr().cast::<T>()), Shared(mean.ptr().cast::<T>()), Shared(invstd.ptr().cast::<T>()));
        crate::pool::parallel_for(n.rows, GRAIN / n.columns.max(1) + 1, &|range| {
            for r in range {
                let row = &x[r * n.columns..(r + 1) * n.columns];
                let count = n.columns as f64;
                let mean = row.iter().map(|v| v.to_f64()).sum::<f64>() / count;
                let variance = row.iter().map(|v| (v.to_f64() - mean) * (v.to_f64() - mean)).sum::<f64>() / count;
                let invstd = 1.0 / (variance + n.eps).sqrt();
                let (m, s): (T, T) = (Element::from_f64(mean), Element::from_f64(invstd));
                *means.get().add(r) = m;
                *invstds.get().add(r) = s;
                let out = std::slice::from_raw_parts_mut(to.get().add(r * n.columns), n.columns);
                for (i, (out, &x)) in out.iter_mut().zip(row).enumerate() {
                    let y = (x - m) * s;
                    let y = weight.map_or(y, |w| y * w[i]);
                    *out = bias.map_or(y, |b| y + b[i]);
                }
            }
        });
    });
}

/// Gradients of [`row_forward`].
///
/// # Safety
/// As [`row_forward`]; the gradients of weight and bias are written whole.
#[allow(clippy::too_many_arguments, reason = "three gradients of four inputs")]
pub(crate) unsafe fn row_backward(
    n: &RowNorm,
    g: &Body,
    x: &Body,
    mean: &Body,
    invstd: &Body,
    weight: Option<&Body>,
    grads: [&Body; 3],
) {
    by_type!(x, T => {
        let (g, x, mean, invstd): (&[T], &[T], &[T], &[T]) = (slice(g), slice(x), slice(mean), slice(invstd));
        let weight = weight.map(|b| slice::<T>(b));
        let to = Shared(grads[0].ptr().cast::<T>());
        crate::pool::parallel_for(n.rows, GRAIN / n.columns.max(1) + 1, &|range| {
            for r in range {
                let at = r * n.columns;
                let (g, x) = (&g[at..at + n.columns], &x[at..at + n.columns]);
                let (m, s) = (mean[r].to_f64(), invstd[r].to_f64());
                let (mut sum, mut dot) = (0.0, 0.0);
                for i in 0..n.columns {
                    let scaled = g[i].to_f64() * weight.map_or(1.0, |w| w[i].to_f64());
                    sum += scaled;
                    dot += scaled * (x[i].to_f64() - m) * s;
                }
                let count = n.columns as f64;
                let (offset, slope) = (sum / count, dot / count);
                let out = std::slice::from_raw_parts_mut(to.get().add(at), n.columns);
                for i in 0..n.columns {
                    let scaled = g[i].to_f64() * weight.map_or(1.0, |w| w[i].to_f64());
                    out[i] = Element::from_f64((scaled - offset - (x[i].to_f64() - m) * s * slope) * s);
                }
            }
        });
        // Columns in double precision, rows in order: the result does not depend on the number of threads.
        let (mut weights, mut biases) = (vec![0.0f64; n.columns], vec![0.0f64; n.columns]);
        for r in 0..n.rows {
            let (m, s) = (mean[r].to_f64(), invstd[r].to_f64());
            let at = r * n.columns;
            for i in 0..n.columns {
                let g = g[at + i].to_f64();
                weights[i] += g * (x[at + i].to_f64() - m) * s;
                biases[i] += g;
            }
        }
        let (gw, gb): (&mut [T], &mut [T]) = (slice_mut(grads[1]), slice_mut(grads[2]));
        for i in 0..n.columns {
            (gw[i], gb[i]) = (Element::from_f64(weights[i]), Element::from_f64(biases[i]));
        }
    });
}
