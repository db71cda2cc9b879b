//! Half precision: converted whole to `f32`, accumulated there, rounded once.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::{Bias, Gemm, Mat, MatMut, batch_offset};
use crate::backend::cpu::scratch::Scratch;
use crate::pool::parallel_for;

/// `f16` or `bf16`.
pub trait Half: Copy + Send + Sync + 'static {
    /// Converts each value to the same one in `f32`. The slices have the same length.
    fn widen(from: &[Self], to: &mut [f32]);
    /// Converts each value to the nearest one, ties to even. The slices have the same length.
    fn narrow(from: &[f32], to: &mut [Self]);
    /// Not-a-number.
    const NAN: Self;
}

macro_rules! half {
    ($($type:ident)*) => {$(
        impl Half for $type {
            const NAN: Self = $type::NAN;

            fn widen(from: &[Self], to: &mut [f32]) {
                from.convert_to_f32_slice(to);
            }

            fn narrow(from: &[f32], to: &mut [Self]) {
                to.convert_from_f32_slice(from);
            }
        }
    )*};
}
half!(f16 bf16);

/// Elements that a conversion task takes at least.
const TASK_ELEMENTS: usize = 1 << 14;

/// Elements that pass through the stack at a time when they are not neighbours.
const PIECE: usize = 64;

/// A batch of matrices in `f32`: rows and columns contiguous one after another, in whichever order the original has.
struct Wide {
    values: Scratch<f32>,
    strides: [isize; 2],
    batch_strides: [isize; 2],
}

/// Pointers that tasks may share because they write disjoint lines.
#[derive(Clone, Copy)]
struct Lines<H> {
    half: *mut H,
    wide: *mut f32,
    /// Distance between elements of a line of `half`; those of `wide` are neighbours.
    step: isize,
    len: usize,
}

// SAFETY: tasks are given disjoint lines.
unsafe impl<H: Send> Send for Lines<H> {}
// SAFETY: as above.
unsafe impl<H: Sync> Sync for Lines<H> {}

impl<H: Half> Lines<H> {
    /// The line that starts at these distances.
    fn at(self, half: isize, wide: isize) -> Self {
        Lines { half: self.half.wrapping_offset(half), wide: self.wide.wrapping_offset(wide), ..self }
    }

    /// Fills the line of `wide` from that of `half`, or the other way round.
    unsafe fn convert(self, widen: bool) {
        for start in (0..self.len).step_by(if self.step == 1 { self.len.max(1) } else { PIECE }) {
            let here = if self.step == 1 { self.len } else { (self.len - start).min(PIECE) };
            let half = self.half.wrapping_offset(start as isize * self.step);
            // SAFETY: the line lies in both matrices; `wide` was written before it is read.
            unsafe {
                let wide = self.wide.add(start);
                match (self.step, widen) {
                    (1, true) => {
                        let to = std::slice::from_raw_parts_mut(wide, here);
                        H::widen(std::slice::from_raw_parts(half, here), to);
                    }
                    (1, false) => {
                        let to = std::slice::from_raw_parts_mut(half, here);
                        H::narrow(std::slice::from_raw_parts(wide, here), to);
                    }
                    (step, true) => {
                        let mut piece = [H::NAN; PIECE];
                        for (i, x) in piece.iter_mut().enumerate().take(here) {
                            *x = *half.offset(i as isize * step);
                        }
                        H::widen(&piece[..here], std::slice::from_raw_parts_mut(wide, here));
                    }
                    (step, false) => {
                        let mut piece = [H::NAN; PIECE];
                        H::narrow(std::slice::from_raw_parts(wide, here), &mut piece[..here]);
                        for (i, x) in piece.iter().enumerate().take(here) {
                            *half.offset(i as isize * step) = *x;
                        }
                    }
                }
            }
        }
    }
}

/// Allocates the `f32` image of a batch of `rows` by `columns` matrices. A batch dimension without distance stays so.
fn image<H>(mat: &Mat<H>, rows: usize, columns: usize, batch: [usize; 2]) -> Wide {
    let size = (rows * columns) as isize;
    let inner = if mat.batch_strides[1] == 0 { 0 } else { size };
    let distinct = if inner == 0 { 1 } else { batch[1] };
    let outer = if mat.batch_strides[0] == 0 { 0 } else { size * distinct as isize };
    let total = rows * columns * distinct * if outer == 0 { 1 } else { batch[0] };
    // Lines follow the original's neighbours.
    let by_rows = mat.column_stride == 1 || mat.row_stride != 1;
    let strides = if by_rows { [columns as isize, 1] } else { [1, rows as isize] };
    Wide { values: Scratch::new(total), strides, batch_strides: [outer, inner] }
}

/// Converts between a batch of matrices and its image, on as many threads as pay.
unsafe fn convert<H: Half>(mat: &Mat<H>, wide: &Wide, [rows, columns]: [usize; 2], batch: [usize; 2], widen: bool) {
    let by_rows = wide.strides[1] == 1;
    let (lines, len) = if by_rows { (rows, columns) } else { (columns, rows) };
    let (line_step, step) =
        if by_rows { (mat.row_stride, mat.column_stride) } else { (mat.column_stride, mat.row_stride) };
    let distinct = [0, 1].map(|d| if wide.batch_strides[d] == 0 { 1 } else { batch[d] });
    let all = Lines { half: mat.ptr.cast_mut(), wide: wide.values.as_ptr(), step, len };
    let [strides, wide_strides] = [mat.batch_strides, wide.batch_strides];
    let grain = (TASK_ELEMENTS / len.max(1)).max(1);
    parallel_for(lines * distinct[0] * distinct[1], grain, &|range| {
        for index in range {
            let (matrix, line) = (index / lines, (index % lines) as isize);
            let half = batch_offset(strides, distinct, matrix) + line * line_step;
            let wide = batch_offset(wide_strides, distinct, matrix) + line * len as isize;
            // SAFETY: the line belongs to the matrices, and to this task alone.
            unsafe { all.at(half, wide).convert(widen) }
        }
    });
}

impl<H: Half> Gemm<H> {
    /// Computes the product with operands, bias and sums in `f32`, and rounds each element once.
    ///
    /// `alpha` and `beta` are given apart because they are not limited to the values of `H`; the fields are not used.
    ///
    /// # Safety
    /// As for [`Gemm::run`].
    pub unsafe fn run_half(&self, alpha: f32, beta: f32) {
        let (m, n, k, batch) = (self.m, self.n, self.k, self.batch);
        if m * n * batch[0] * batch[1] == 0 {
            return;
        }
        let result = Mat {
            ptr: self.c.ptr.cast_const(),
            row_stride: self.c.row_stride,
            column_stride: self.c.column_stride,
            batch_strides: self.c.batch_strides,
        };
        let a = image(&self.a, m, k, batch);
        let b = image(&self.b, k, n, batch);
        let c = image(&result, m, n, batch);
        let bias_len = if matches!(self.bias, Some(Bias::Row(_))) { m } else { n };
        let bias_values = Scratch::<f32>::new(bias_len);
        // SAFETY: the images have the sizes of the matrices, which are the caller's promise.
        unsafe {
            convert(&self.a, &a, [m, k], batch, true);
            convert(&self.b, &b, [k, n], batch, true);
            if beta != 0.0 {
                convert(&result, &c, [m, n], batch, true);
            }
            let widened = |ptr: *const H| {
                let line = Lines { half: ptr.cast_mut(), wide: bias_values.as_ptr(), step: 1, len: bias_len };
                line.convert(true);
                bias_values.as_ptr().cast_const()
            };
            let bias = self.bias.map(|bias| match bias {
                Bias::Row(ptr) => Bias::Row(widened(ptr)),
                Bias::Column(ptr) => Bias::Column(widened(ptr)),
            });
            let mat = |w: &Wide| Mat::new(w.values.as_ptr(), w.strides[0], w.strides[1]).batched(w.batch_strides);
            let to = MatMut::new(c.values.as_ptr(), c.strides[0], c.strides[1]).batched(c.batch_strides);
            Gemm { m, n, k, batch, a: mat(&a), b: mat(&b), c: to, alpha, beta, bias, relu: self.relu }.run();
            convert(&result, &c, [m, n], batch, false);
        }
    }
}
