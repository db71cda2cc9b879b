//! The transforms of F(4x4, 3x3), written once for every kind of vector.
//!
//! Each is a small matrix applied along both dimensions of a square. With the points 0, `±a`, `±b` and infinity, rows of
//! opposite points share their even and odd parts. Lanes are channels.

use crate::backend::cpu::float::Float;
use crate::backend::cpu::simd::Simd;

/// Side of the square of outputs of a tile.
pub(super) const OUTPUTS: usize = 4;
/// Side of the square of inputs that those depend on.
pub(super) const INPUTS: usize = 6;
/// Side of the kernel.
pub(super) const KERNEL: usize = 3;
/// Elements of the kernel.
pub(super) const TAPS: usize = KERNEL * KERNEL;
/// Products that a tile takes for each pair of channels.
pub(super) const PRODUCTS: usize = INPUTS * INPUTS;

/// The points: of those tried, the pair of least error. It is exact in binary, as are all that follows from it but
/// the scales of the kernel.
const A: f64 = 0.75;
const B: f64 = 1.5;
const A2: f64 = A * A;
const B2: f64 = B * B;
/// One over the product of the distances of 0, `a` and `b` from all other points.
const SCALE_0: f64 = 1.0 / (A2 * B2);
const SCALE_A: f64 = 1.0 / (2.0 * A2 * (A2 - B2));
const SCALE_B: f64 = 1.0 / (2.0 * B2 * (B2 - A2));

/// A matrix of `M` rows and `N` columns.
pub(super) trait Matrix<const N: usize, const M: usize> {
    /// The matrix times a column.
    ///
    /// # Safety
    /// The processor has the instruction set of `S`.
    unsafe fn apply<S: Simd>(x: [S; N]) -> [S; M];
}

/// From inputs to values at the points.
pub(super) struct Input;
/// From the kernel to values at the points.
pub(super) struct Kernel;
/// From values at the points to outputs.
pub(super) struct Output;
/// The transpose of [`Output`].
pub(super) struct OutputTransposed;
/// The transpose of [`Kernel`].
pub(super) struct KernelTransposed;

/// `x * factor + y`.
#[inline(always)]
unsafe fn fma<S: Simd>(x: S, factor: f64, y: S) -> S {
    // SAFETY: the caller's promise.
    unsafe { x.mul_add(S::splat(S::Elem::from_f64(factor)), y) }
}

/// `x * factor`.
#[inline(always)]
unsafe fn scaled<S: Simd>(x: S, factor: f64) -> S {
    // SAFETY: the caller's promise.
    unsafe { fma(x, factor, S::splat(S::Elem::ZERO)) }
}

impl Matrix<INPUTS, INPUTS> for Input {
    #[inline(always)]
    unsafe fn apply<S: Simd>(d: [S; INPUTS]) -> [S; INPUTS] {
        // SAFETY: the caller's promise.
        unsafe {
            let (even_a, odd_a) = (fma(d[2], -B2, d[4]), fma(d[1], -B2, d[3]));
            let (even_b, odd_b) = (fma(d[2], -A2, d[4]), fma(d[1], -A2, d[3]));
            [
                fma(d[0], A2 * B2, fma(d[2], -A2 - B2, d[4])),
                fma(odd_a, A, even_a),
                fma(odd_a, -A, even_a),
                fma(odd_b, B, even_b),
                fma(odd_b, -B, even_b),
                fma(d[1], A2 * B2, fma(d[3], -A2 - B2, d[5])),
            ]
        }
    }
}

impl Matrix<KERNEL, INPUTS> for Kernel {
    #[inline(always)]
    unsafe fn apply<S: Simd>(g: [S; KERNEL]) -> [S; INPUTS] {
        // SAFETY: the caller's promise.
        unsafe {
            let even_a = fma(g[2], A2 * SCALE_A, scaled(g[0], SCALE_A));
            let even_b = fma(g[2], B2 * SCALE_B, scaled(g[0], SCALE_B));
            [
                scaled(g[0], SCALE_0),
                fma(g[1], A * SCALE_A, even_a),
                fma(g[1], -A * SCALE_A, even_a),
                fma(g[1], B * SCALE_B, even_b),
                fma(g[1], -B * SCALE_B, even_b),
                g[2],
            ]
        }
    }
}

impl Matrix<INPUTS, OUTPUTS> for Output {
    #[inline(always)]
    unsafe fn apply<S: Simd>(m: [S; INPUTS]) -> [S; OUTPUTS] {
        // SAFETY: the caller's promise.
        unsafe {
            let (even_a, odd_a) = (m[1].add(m[2]), fma(m[2], -1.0, m[1]));
            let (even_b, odd_b) = (m[3].add(m[4]), fma(m[4], -1.0, m[3]));
            [
                m[0].add(even_a).add(even_b),
                fma(odd_b, B, scaled(odd_a, A)),
                fma(even_b, B2, scaled(even_a, A2)),
                fma(odd_b, B * B2, fma(odd_a, A * A2, m[5])),
            ]
        }
    }
}

impl Matrix<OUTPUTS, INPUTS> for OutputTransposed {
    #[inline(always)]
    unsafe fn apply<S: Simd>(y: [S; OUTPUTS]) -> [S; INPUTS] {
        // SAFETY: the caller's promise.
        unsafe {
            let (even_a, odd_a) = (fma(y[2], A2, y[0]), fma(y[3], A * A2, scaled(y[1], A)));
            let (even_b, odd_b) = (fma(y[2], B2, y[0]), fma(y[3], B * B2, scaled(y[1], B)));
            [y[0], even_a.add(odd_a), fma(odd_a, -1.0, even_a), even_b.add(odd_b), fma(odd_b, -1.0, even_b), y[3]]
        }
    }
}

impl Matrix<INPUTS, KERNEL> for KernelTransposed {
    #[inline(always)]
    unsafe fn apply<S: Simd>(u: [S; INPUTS]) -> [S; KERNEL] {
        // SAFETY: the caller's promise.
        unsafe {
            let (even_a, odd_a) = (u[1].add(u[2]), fma(u[2], -1.0, u[1]));
            let (even_b, odd_b) = (u[3].add(u[4]), fma(u[4], -1.0, u[3]));
            [
                fma(u[0], SCALE_0, fma(even_a, SCALE_A, scaled(even_b, SCALE_B))),
                fma(odd_a, A * SCALE_A, scaled(odd_b, B * SCALE_B)),
                fma(even_a, A2 * SCALE_A, fma(even_b, B2 * SCALE_B, u[5])),
            ]
        }
    }
}

/// A square of `N` by `N` vectors to be turned into values at the points.
pub(super) struct Expand<'a, T> {
    /// Where each element of the square has its channels, row by row.
    pub(super) from: &'a [*const T],
    pub(super) vectors: usize,
    pub(super) to: *mut T,
    /// Distance between points.
    pub(super) step: usize,
}

/// Values at the points to be turned into a square of `M` by `M` vectors.
pub(super) struct Contract<'a, T> {
    pub(super) from: *const T,
    /// Distance between points.
    pub(super) step: usize,
    pub(super) vectors: usize,
    /// One element for each channel, added to every element of the square, or null.
    pub(super) bias: *const T,
    /// Where each element of the square has its channels, row by row.
    pub(super) to: &'a [*mut T],
}

/// `matrix x matrix^T` for a square of vectors `x`.
///
/// # Safety
/// The processor has the instruction set of `S`; `e` has `N * N` addresses of as many vectors as it says, and room for
/// those at `to`.
#[inline(always)]
pub(super) unsafe fn expand<S: Simd, F: Matrix<N, INPUTS>, const N: usize>(e: &Expand<'_, S::Elem>) {
    // SAFETY: the caller's promise.
    unsafe {
        let from = &e.from[..N * N];
        for at in (0..e.vectors * S::LANES).step_by(S::LANES) {
            let mut rows = [[S::splat(S::Elem::ZERO); N]; INPUTS];
            for j in 0..N {
                let mut column = [S::splat(S::Elem::ZERO); N];
                for (i, x) in column.iter_mut().enumerate() {
                    *x = S::load(from[i * N + j].add(at));
                }
                for (row, x) in rows.iter_mut().zip(F::apply(column)) {
                    row[j] = x;
                }
            }
            for (i, row) in rows.into_iter().enumerate() {
                for (j, x) in F::apply(row).into_iter().enumerate() {
                    x.store(e.to.add((i * INPUTS + j) * e.step + at));
                }
            }
        }
    }
}

/// `matrix x matrix^T + bias` for the values `x` at the points; says whether all results are finite.
///
/// # Safety
/// The processor has the instruction set of `S`; `c` has `M * M` addresses with room for as many vectors as it says,
/// which can be read at `from` and the bias.
#[inline(always)]
pub(super) unsafe fn contract<S: Simd, F: Matrix<INPUTS, M>, const M: usize>(c: &Contract<'_, S::Elem>) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let to = &c.to[..M * M];
        // Zero times infinity is not a number, and neither is a sum with one.
        let mut zeros = S::splat(S::Elem::ZERO);
        for at in (0..c.vectors * S::LANES).step_by(S::LANES) {
            let bias = if c.bias.is_null() { S::splat(S::Elem::ZERO) } else { S::load(c.bias.add(at)) };
            let mut rows = [[S::splat(S::Elem::ZERO); INPUTS]; M];
            for j in 0..INPUTS {
                let mut column = [S::splat(S::Elem::ZERO); INPUTS];
                for (i, x) in column.iter_mut().enumerate() {
                    *x = S::load(c.from.add((i * INPUTS + j) * c.step + at));
                }
                for (row, x) in rows.iter_mut().zip(F::apply(column)) {
                    row[j] = x;
                }
            }
            for (i, row) in rows.into_iter().enumerate() {
                for (j, x) in F::apply(row).into_iter().enumerate() {
                    let x = x.add(bias);
                    zeros = x.mul_add(S::splat(S::Elem::ZERO), zeros);
                    x.store(to[i * M + j].add(at));
                }
            }
        }
        zeros.sum() == S::Elem::ZERO
    }
}

/// A matrix to be transposed: `to[j * to_row + i] = from[i * from_row + j]`.
pub(super) struct Turn<T> {
    pub(super) from: *const T,
    pub(super) from_row: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) to: *mut T,
    pub(super) to_row: usize,
}

/// Transposes, in squares where columns are enough for one; the last ones overlap those before them.
///
/// # Safety
/// The processor has the instruction set of `S`, and both matrices are there.
#[inline(always)]
pub(super) unsafe fn turn<S: Simd>(t: &Turn<S::Elem>) {
    // Where rows are far apart, only as many as a square has are walked at a time.
    let by_rows = t.from_row >= t.to_row;
    let [outer, inner] = if by_rows { [t.rows, t.columns] } else { [t.columns, t.rows] };
    for x in (0..outer).step_by(S::SQUARE) {
        for y in (0..inner).step_by(S::SQUARE) {
            let (i, j) = if by_rows { (x, y) } else { (y, x) };
            // SAFETY: the caller's promise.
            unsafe { square::<S>(t, i, j) }
        }
    }
}

/// The square of [`turn`] that starts at (`i`, `j`), as far as there is one.
#[inline(always)]
unsafe fn square<S: Simd>(t: &Turn<S::Elem>, i: usize, j: usize) {
    let rows = (t.rows - i).min(S::SQUARE);
    // SAFETY: the caller's promise.
    unsafe {
        if t.columns >= S::SQUARE {
            let j = j.min(t.columns - S::SQUARE);
            let (from, to) = (t.from.add(i * t.from_row + j), t.to.add(j * t.to_row + i));
            return S::transpose(from, t.from_row as isize, rows, to, t.to_row);
        }
        for j in 0..t.columns {
            for i in i..i + rows {
                *t.to.add(j * t.to_row + i) = *t.from.add(i * t.from_row + j);
            }
        }
    }
}
