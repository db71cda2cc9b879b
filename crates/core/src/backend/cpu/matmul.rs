//! Matrix products of bodies: their strides go to the microkernels, which pack what they need.

use super::gemm::{Bias, Gemm, Mat, MatMut};
use super::layout::Walk;
use crate::DType;
use crate::backend::Product;
use crate::tensor::Body;
use half::{bf16, f16};

/// See [`Backend::matmul`](crate::backend::Backend::matmul).
///
/// # Safety
/// The storages are locked, shapes fit, and `out` overlaps nothing.
pub(crate) unsafe fn run(product: Product, a: &Body, b: &Body, bias: Option<&Body>, out: &Body) {
    let Product { alpha, beta } = product;
    // SAFETY (all arms): the types are those of the bodies, whose strides stay within them.
    match out.dtype {
        DType::F32 => each::<f32>(a, b, bias, out, (alpha as f32, beta as f32), |g| unsafe { g.run() }),
        DType::F64 => each::<f64>(a, b, bias, out, (alpha, beta), |g| unsafe { g.run() }),
        DType::F16 => {
            let scales = (f16::from_f64(alpha), f16::from_f64(beta));
            each::<f16>(a, b, bias, out, scales, |g| unsafe { g.run_half(alpha as f32, beta as f32) });
        }
        DType::BF16 => {
            let scales = (bf16::from_f64(alpha), bf16::from_f64(beta));
            each::<bf16>(a, b, bias, out, scales, |g| unsafe { g.run_half(alpha as f32, beta as f32) });
        }
        DType::I64 => each::<i64>(a, b, bias, out, (alpha as i64, beta as i64), |g| unsafe { g.run_integer() }),
        DType::I32 => each::<i32>(a, b, bias, out, (alpha as i32, beta as i32), |g| unsafe { g.run_integer() }),
        DType::I16 => each::<i16>(a, b, bias, out, (alpha as i16, beta as i16), |g| unsafe { g.run_integer() }),
        DType::I8 => each::<i8>(a, b, bias, out, (alpha as i8, beta as i8), |g| unsafe { g.run_integer() }),
        DType::U8 | DType::Bool => {
            each::<u8>(a, b, bias, out, (alpha as u8, beta as u8), |g| unsafe { g.run_integer() });
        }
        DType::C64 | DType::C128 => crate::no_complex_kernel(),
    }
}

/// Hands the batch to `go` in pieces of at most two batch dimensions.
fn each<T: Copy>(a: &Body, b: &Body, bias: Option<&Body>, out: &Body, (alpha, beta): (T, T), go: impl Fn(&Gemm<T>)) {
    let rank = out.shape.len() - 2;
    let batch = (rank > 0)
        .then(|| Walk::new(&out.shape[..rank], [&a.strides[..rank], &b.strides[..rank], &out.strides[..rank]]));
    // The two innermost merged dimensions go along; outer ones are walked.
    let dims = batch.as_ref().map_or(0, |batch| batch.shape.len());
    let inner = dims.saturating_sub(2);
    let from_last = |n: usize| dims.checked_sub(n).zip(batch.as_ref());
    let sizes = [2, 1].map(|n| from_last(n).map_or(1, |(d, batch)| batch.shape[d]));
    let steps = |i: usize| [2, 1].map(|n| from_last(n).map_or(0, |(d, batch)| batch.strides[i][d] as isize));
    let strides = |body: &Body| [body.strides[rank] as isize, body.strides[rank + 1] as isize];
    let outer = batch.as_ref().map_or(&[][..], |batch| &batch.shape[..inner]);
    for index in 0..outer.iter().product() {
        let mut rest = index;
        let mut at = [0isize; 3];
        for (d, &size) in outer.iter().enumerate().rev() {
            let position = (rest % size) as isize;
            rest /= size;
            for (i, at) in at.iter_mut().enumerate() {
                *at += position * batch.as_ref().map_or(0, |batch| batch.strides[i][d] as isize);
            }
        }
        let mat = |body: &Body, i: usize| {
            let [row, column] = strides(body);
            Mat::new(body.ptr().cast::<T>().cast_const().wrapping_offset(at[i]), row, column).batched(steps(i))
        };
        let [row, column] = strides(out);
        go(&Gemm {
            m: out.shape[rank],
            n: out.shape[rank + 1],
            k: a.shape[rank + 1],
            batch: sizes,
            a: mat(a, 0),
            b: mat(b, 1),
            c: MatMut::new(out.ptr().cast::<T>().wrapping_offset(at[2]), row, column).batched(steps(2)),
            alpha,
            beta,
            bias: bias.map(|bias| Bias::Column(bias.ptr().cast::<T>().cast_const())),
            relu: false,
        });
    }
}
