//! AVX2 with FMA, and AVX-512.

use std::arch::x86_64::*;
use std::hint::black_box;

use super::Simd;

/// Eight `f32` (AVX2).
#[derive(Clone, Copy)]
pub(crate) struct F32x8(__m256);
/// Four `f64` (AVX2).
#[derive(Clone, Copy)]
pub(crate) struct F64x4(__m256d);
/// Sixteen `f32` (AVX-512).
#[derive(Clone, Copy)]
pub(crate) struct F32x16(__m512);
/// Eight `f64` (AVX-512).
#[derive(Clone, Copy)]
pub(crate) struct F64x8(__m512d);

/// The window of `LANES` entries that starts `count` before the middle selects the first `count` lanes.
static WINDOW_32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
static WINDOW_64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

#[inline(always)]
unsafe fn mask_32(count: usize) -> __m256i {
    // SAFETY: `count <= 8`, so the window lies inside the table.
    unsafe { _mm256_loadu_si256(WINDOW_32.as_ptr().add(8 - count).cast()) }
}

#[inline(always)]
unsafe fn mask_64(count: usize) -> __m256i {
    // SAFETY: `count <= 4`, so the window lies inside the table.
    unsafe { _mm256_loadu_si256(WINDOW_64.as_ptr().add(4 - count).cast()) }
}

/// Implements [`Simd`] by naming the instruction of each method.
macro_rules! simd {
    ($type:ident, $elem:ty, $lanes:literal, square $square:literal $transpose:path,
     $splat:ident $load:ident $store:ident $add:ident $fma:ident $max:ident $zero:ident,
     $load_first:expr, $store_first:expr, $sum:expr) => {
        // SAFETY (of every block below): the instruction set and the pointers are the caller's promise.
        impl Simd for $type {
            type Elem = $elem;
            const LANES: usize = $lanes;
            const SQUARE: usize = $square;

            #[inline(always)]
            unsafe fn splat(x: $elem) -> Self {
                // SAFETY: above.
                $type(unsafe { $splat(x) })
            }

            #[inline(always)]
            unsafe fn load(from: *const $elem) -> Self {
                // SAFETY: above.
                $type(unsafe { $load(from) })
            }

            #[inline(always)]
            unsafe fn load_first(from: *const $elem, count: usize) -> Self {
                // SAFETY: above.
                $type(unsafe { $load_first(from, count) })
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut $elem) {
                // SAFETY: above.
                unsafe { $store(to, self.0) }
            }

            #[inline(always)]
            unsafe fn store_first(self, to: *mut $elem, count: usize) {
                // SAFETY: above.
                unsafe { $store_first(to, count, self.0) }
            }

            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: above.
                $type(unsafe { $add(self.0, other.0) })
            }

            #[inline(always)]
            unsafe fn mul_add(self, a: Self, b: Self) -> Self {
                // SAFETY: above.
                $type(unsafe { $fma(self.0, a.0, b.0) })
            }

            #[inline(always)]
            unsafe fn relu(self) -> Self {
                // The instruction returns its second operand if either is not a number.
                // SAFETY: above.
                $type(unsafe { $max($zero(), self.0) })
            }

            #[inline(always)]
            unsafe fn sum(self) -> $elem {
                // SAFETY: above.
                unsafe { $sum(self.0) }
            }

            #[inline(always)]
            unsafe fn transpose(from: *const $elem, across: isize, count: usize, to: *mut $elem, row: usize) {
                // SAFETY: above.
                unsafe { $transpose(from, across, count, to, row) }
            }
        }
    };
}

simd!(F32x8, f32, 8, square 8 transpose_f32,
    _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_fmadd_ps _mm256_max_ps _mm256_setzero_ps,
    |from, count| _mm256_maskload_ps(from, mask_32(count)),
    |to, count, x| store_first_f32(to, count, x),
    sum_f32);

simd!(F64x4, f64, 4, square 4 transpose_f64,
    _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_add_pd _mm256_fmadd_pd _mm256_max_pd _mm256_setzero_pd,
    |from, count| _mm256_maskload_pd(from, mask_64(count)),
    |to, count, x| store_first_f64(to, count, x),
    sum_f64);

simd!(F32x16, f32, 16, square 8 transpose_f32,
    _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_fmadd_ps _mm512_max_ps _mm512_setzero_ps,
    |from, count| _mm512_maskz_loadu_ps(((1_u32 << count) - 1) as __mmask16, from),
    |to, count, x| _mm512_mask_storeu_ps(to, ((1_u32 << count) - 1) as __mmask16, x),
    |x| _mm512_reduce_add_ps(x));

simd!(F64x8, f64, 8, square 4 transpose_f64,
    _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_add_pd _mm512_fmadd_pd _mm512_max_pd _mm512_setzero_pd,
    |from, count| _mm512_maskz_loadu_pd(((1_u32 << count) - 1) as __mmask8, from),
    |to, count, x| _mm512_mask_storeu_pd(to, ((1_u32 << count) - 1) as __mmask8, x),
    |x| _mm512_reduce_add_pd(x));

/// Writes the first `count` lanes. In pieces: a masked store takes tens of steps on some processors.
#[inline(always)]
unsafe fn store_first_f32(mut to: *mut f32, count: usize, x: __m256) {
    // SAFETY: the caller has AVX2, and promises `count` elements.
    unsafe {
        if count == 8 {
            return _mm256_storeu_ps(to, x);
        }
        let mut rest = _mm256_castps256_ps128(x);
        if count & 4 != 0 {
            _mm_storeu_ps(to, rest);
            to = to.add(4);
            rest = _mm256_extractf128_ps::<1>(x);
        }
        if count & 2 != 0 {
            _mm_storel_pd(to.cast(), _mm_castps_pd(rest));
            to = to.add(2);
            rest = _mm_movehl_ps(rest, rest);
        }
        if count & 1 != 0 {
            _mm_store_ss(to, rest);
        }
    }
}

/// The same for double precision.
#[inline(always)]
unsafe fn store_first_f64(mut to: *mut f64, count: usize, x: __m256d) {
    // SAFETY: as above.
    unsafe {
        if count == 4 {
            return _mm256_storeu_pd(to, x);
        }
        let mut rest = _mm256_castpd256_pd128(x);
        if count & 2 != 0 {
            _mm_storeu_pd(to, rest);
            to = to.add(2);
            rest = _mm256_extractf128_pd::<1>(x);
        }
        if count & 1 != 0 {
            _mm_store_sd(to, rest);
        }
    }
}

#[inline(always)]
unsafe fn sum_f32(x: __m256) -> f32 {
    // SAFETY: the caller has AVX2.
    unsafe {
        let four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
    }
}

#[inline(always)]
unsafe fn sum_f64(x: __m256d) -> f64 {
    // SAFETY: the caller has AVX2.
    unsafe {
        let two = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd::<1>(x));
        _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)))
    }
}

/// Up to eight rows of eight become columns of eight rows. Rows that are missing are read from the last one. Halves of
/// rows meet where they are loaded, which takes no shuffle.
#[inline(always)]
unsafe fn transpose_f32(from: *const f32, across: isize, count: usize, to: *mut f32, row: usize) {
    // Opaque, so that no table of addresses is made for all squares: there are no registers for it.
    let (across, row) = (black_box(across), black_box(row));
    // SAFETY: the caller's promise. A count that is known makes better code.
    unsafe { if count == 8 { square_f32(from, across, 8, to, row) } else { square_f32(from, across, count, to, row) } }
}

#[inline(always)]
unsafe fn square_f32(from: *const f32, across: isize, count: usize, to: *mut f32, row: usize) {
    // SAFETY: the caller has AVX2, and promises the pointers.
    unsafe {
        let half = |i: usize, first: usize| _mm_loadu_ps(from.offset(i.min(count - 1) as isize * across).add(first));
        for first in [0, 4] {
            let both = |i| _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(half(i, first)), half(i + 4, first));
            let r = [both(0), both(1), both(2), both(3)];
            let low = [_mm256_unpacklo_ps(r[0], r[1]), _mm256_unpacklo_ps(r[2], r[3])];
            let high = [_mm256_unpackhi_ps(r[0], r[1]), _mm256_unpackhi_ps(r[2], r[3])];
            let columns = [
                _mm256_shuffle_ps::<0x44>(low[0], low[1]),
                _mm256_shuffle_ps::<0xee>(low[0], low[1]),
                _mm256_shuffle_ps::<0x44>(high[0], high[1]),
                _mm256_shuffle_ps::<0xee>(high[0], high[1]),
            ];
            for (i, column) in columns.into_iter().enumerate() {
                store_first_f32(to.add((first + i) * row), count, column);
            }
        }
    }
}

/// Up to four rows of four become columns of four rows, likewise.
#[inline(always)]
unsafe fn transpose_f64(from: *const f64, across: isize, count: usize, to: *mut f64, row: usize) {
    let (across, row) = (black_box(across), black_box(row));
    // SAFETY: the caller has AVX2, and promises the pointers.
    unsafe {
        let half = |i: usize, first: usize| _mm_loadu_pd(from.offset(i.min(count - 1) as isize * across).add(first));
        for first in [0, 2] {
            let both = |i| _mm256_insertf128_pd::<1>(_mm256_castpd128_pd256(half(i, first)), half(i + 2, first));
            let r = [both(0), both(1)];
            store_first_f64(to.add(first * row), count, _mm256_unpacklo_pd(r[0], r[1]));
            store_first_f64(to.add((first + 1) * row), count, _mm256_unpackhi_pd(r[0], r[1]));
        }
    }
}
