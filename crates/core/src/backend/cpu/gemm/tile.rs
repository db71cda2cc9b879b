//! The microkernel: a tile of the product kept in registers.

use crate::backend::cpu::float::Float;
use crate::backend::cpu::simd::Simd;

/// Left operand packed with its rows interleaved; right operand with rows at a fixed distance.
pub(crate) const PACKED: u8 = 0;
/// Both operands with any distances; nothing beyond the valid columns is read.
pub(crate) const DIRECT: u8 = 1;
/// Left operand packed; row `p` of the right operand at `b + offsets[p]`.
pub(crate) const GATHERED: u8 = 2;
/// Row `i` of the left operand at `a + offsets[i]`, in lines of `depth` neighbours; right operand packed.
pub(crate) const LINES: u8 = 3;

/// What happens to the sums of a tile: `c = relu(alpha * sum + beta * c + row_bias + column_bias)`.
#[derive(Clone, Copy)]
pub(crate) struct Finish<T> {
    pub(crate) alpha: T,
    /// Zero means that `c` is not read.
    pub(crate) beta: T,
    /// One element for each row, or null.
    pub(crate) row_bias: *const T,
    /// One element for each column, or null.
    pub(crate) column_bias: *const T,
    pub(crate) relu: bool,
}

impl<T: Float> Finish<T> {
    /// `c = sum`.
    pub(crate) const OVERWRITE: Self =
        Finish { alpha: T::ONE, beta: T::ZERO, row_bias: std::ptr::null(), column_bias: std::ptr::null(), relu: false };

    /// The same for the part of `c` that starts at (`row`, `column`).
    #[inline(always)]
    pub(crate) fn at(mut self, row: usize, column: usize) -> Self {
        if !self.row_bias.is_null() {
            self.row_bias = self.row_bias.wrapping_add(row);
        }
        if !self.column_bias.is_null() {
            self.column_bias = self.column_bias.wrapping_add(column);
        }
        self
    }

    /// The part of the work to be done after one block of the summation: only the first scales `c`, only the last adds
    /// the bias and applies the activation.
    pub(crate) fn stage(mut self, first: bool, last: bool) -> Self {
        if !first {
            self.beta = T::ONE;
        }
        if !last {
            self = Finish { alpha: self.alpha, beta: self.beta, ..Self::OVERWRITE };
        }
        self
    }

    /// Only a sum, or a sum added to `c`.
    #[inline(always)]
    fn is_plain(&self) -> bool {
        self.alpha == T::ONE
            && (self.beta == T::ZERO || self.beta == T::ONE)
            && self.row_bias.is_null()
            && self.column_bias.is_null()
            && !self.relu
    }

    /// Finishes one element.
    ///
    /// # Safety
    /// `c` must be valid for writes, and for reads unless `beta` is zero; the biases must have an element at `row` and
    /// `column`.
    #[inline(always)]
    pub(crate) unsafe fn element(&self, sum: T, c: *mut T, row: usize, column: usize) {
        let mut x = self.alpha * sum;
        // SAFETY: the caller's promise.
        unsafe {
            if self.beta != T::ZERO {
                x += self.beta * *c;
            }
            if !self.row_bias.is_null() {
                x += *self.row_bias.add(row);
            }
            if !self.column_bias.is_null() {
                x += *self.column_bias.add(column);
            }
            *c = if self.relu && x < T::ZERO { T::ZERO } else { x };
        }
    }
}

/// Rows that a pointer reaches.
const FEW: usize = 8;

/// One tile of the product.
pub(crate) struct Tile<T> {
    /// Length of the sums; of each of their `lines` where the kernel has some.
    pub(crate) depth: usize,
    /// Number of lines, and the distance between them in `a`; used by line kernels only.
    pub(crate) lines: (usize, isize),
    pub(crate) a: *const T,
    /// Distances in `a` between rows and along the sum; packed kernels know them.
    pub(crate) a_strides: [isize; 2],
    pub(crate) b: *const T,
    /// Distance between rows of `b`; not used by gathered kernels.
    pub(crate) b_stride: isize,
    /// Where rows of `b` start, for gathered kernels, or rows of `a`, for line kernels.
    pub(crate) offsets: *const isize,
    pub(crate) c: *mut T,
    /// Distance between rows of `c`.
    pub(crate) c_stride: isize,
    /// Valid columns in the last vector.
    pub(crate) last: usize,
    pub(crate) finish: Finish<T>,
}

/// Computes `ROWS` rows by `VECTORS` vectors of the product.
///
/// # Safety
/// The processor has the instruction set of `S`; the pointers of `t` reach what the mode reads: whole vectors of `b`,
/// except that `DIRECT` reads `t.last` columns of the last one; the tile of `c` is not used by anyone else.
#[inline(always)]
pub(crate) unsafe fn multiply<S: Simd, const ROWS: usize, const VECTORS: usize, const MODE: u8>(t: &Tile<S::Elem>) {
    // SAFETY: the caller's promise covers every access below.
    unsafe {
        let mut sums = [[S::splat(S::Elem::ZERO); VECTORS]; ROWS];
        let (mut a, mut b) = (t.a, t.b);
        let mut further = a.wrapping_offset(FEW as isize * t.a_strides[0]);
        let mut rows = [0; ROWS];
        if MODE == LINES {
            rows = t.offsets.cast::<[isize; ROWS]>().read();
        }
        for _ in 0..if MODE == LINES { t.lines.0 } else { 1 } {
            for p in 0..t.depth {
                if MODE == GATHERED {
                    b = t.b.offset(*t.offsets.add(p));
                }
                let mut row = [S::splat(S::Elem::ZERO); VECTORS];
                for (v, x) in row.iter_mut().enumerate() {
                    let from = b.add(v * S::LANES);
                    let ends = MODE == DIRECT && v + 1 == VECTORS;
                    *x = if ends { S::load_first(from, t.last) } else { S::load(from) };
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    let x = S::splat(match MODE {
                        DIRECT if i < FEW => *a.offset(i as isize * t.a_strides[0]),
                        DIRECT => *further.offset((i - FEW) as isize * t.a_strides[0]),
                        LINES => *a.offset(rows[i]).add(p),
                        _ => *a.add(i),
                    });
                    for (sum, y) in sums.iter_mut().zip(row) {
                        *sum = x.mul_add(y, *sum);
                    }
                }
                match MODE {
                    DIRECT => {
                        a = a.wrapping_offset(t.a_strides[1]);
                        further = further.wrapping_offset(t.a_strides[1]);
                    }
                    LINES => {}
                    _ => a = a.add(ROWS),
                }
                if MODE != GATHERED {
                    b = b.wrapping_offset(t.b_stride);
                }
            }
            if MODE == LINES {
                a = a.wrapping_offset(t.lines.1);
            }
        }
        if t.finish.is_plain() {
            store_plain(t, &sums);
        } else {
            store_finished(t, &sums);
        }
    }
}

/// Writes the sums, or adds them to what is there.
#[inline(always)]
unsafe fn store_plain<S: Simd, const ROWS: usize, const VECTORS: usize>(
    t: &Tile<S::Elem>,
    sums: &[[S; VECTORS]; ROWS],
) {
    let add = t.finish.beta != S::Elem::ZERO;
    // SAFETY: the caller of `multiply` promises the tile of `c`.
    unsafe {
        for (i, row) in sums.iter().enumerate() {
            let c = t.c.offset(i as isize * t.c_stride);
            for (v, &sum) in row.iter().enumerate() {
                let to = c.add(v * S::LANES);
                if v + 1 == VECTORS && t.last < S::LANES {
                    let sum = if add { sum.add(S::load_first(to, t.last)) } else { sum };
                    sum.store_first(to, t.last);
                } else {
                    let sum = if add { sum.add(S::load(to)) } else { sum };
                    sum.store(to);
                }
            }
        }
    }
}

/// Applies every step of [`Finish`]. The sums pass through memory first: choosing steps for each of up to 28 registers
/// in straight code would be longer than the kernel.
#[inline(always)]
unsafe fn store_finished<S: Simd, const ROWS: usize, const VECTORS: usize>(
    t: &Tile<S::Elem>,
    sums: &[[S; VECTORS]; ROWS],
) {
    let f = &t.finish;
    // SAFETY: the caller of `multiply` promises the tile of `c` and the biases; `spilled` has room for all sums.
    unsafe {
        let mut spilled = [[S::splat(S::Elem::ZERO); VECTORS]; ROWS];
        // Opaque, so that the sums stay in registers until here whatever the loop below does.
        let start = std::hint::black_box(spilled.as_mut_ptr().cast::<S>());
        for (i, row) in sums.iter().enumerate() {
            for (v, &sum) in row.iter().enumerate() {
                start.add(i * VECTORS + v).write(sum);
            }
        }
        let (alpha, beta) = (S::splat(f.alpha), S::splat(f.beta));
        for i in 0..ROWS {
            let c = t.c.offset(i as isize * t.c_stride);
            let bias = S::splat(if f.row_bias.is_null() { S::Elem::ZERO } else { *f.row_bias.add(i) });
            for v in 0..VECTORS {
                let to = c.add(v * S::LANES);
                let count = if v + 1 == VECTORS { t.last } else { S::LANES };
                let mut x = bias;
                if f.beta != S::Elem::ZERO {
                    x = beta.mul_add(S::load_first(to, count), x);
                }
                if !f.column_bias.is_null() {
                    x = x.add(S::load_first(f.column_bias.add(v * S::LANES), count));
                }
                x = alpha.mul_add(start.add(i * VECTORS + v).read(), x);
                if f.relu {
                    x = x.relu();
                }
                if count == S::LANES { x.store(to) } else { x.store_first(to, count) }
            }
        }
    }
}
