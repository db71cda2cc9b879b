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
    let batch = Walk::new(&out.shape[..rank], [&a.strides[..rank], &b.strides[..rank], &out.strides[..rank]]);
    let last = batch.shape.len() - 1;
    // The two innermost merged dimensions go along; outer ones are walked.
    let inner = last.saturating_sub(1);
    let size = |d: usize| if d <= last { batch.shape[d] } else { 1 };
    let step = |i: usize, d: usize| if d <= last { batch.strides[i][d] as isize } else { 0 };
    let sizes = if last == 0 { [1, size(0)] } else { [size(inner), size(last)] };
    let steps = |i: usize| if last == 0 { [0, step(i, 0)] } else { [step(i, inner), step(i, last)] };
    let strides = |body: &Body| [body.strides[rank] as isize, body.strides[rank + 1] as isize];
    let outer: usize = batch.shape[..inner].iter().product();
    for index in 0..outer {
        let mut rest = index;
        let mut at = [0isize; 3];
        for d in (0..inner).rev() {
            let position = (rest % batch.shape[d]) as isize;
            rest /= batch.shape[d];
            for (i, at) in at.iter_mut().enumerate() {
                *at += position * batch.strides[i][d] as isize;
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
