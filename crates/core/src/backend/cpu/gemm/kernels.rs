//! The table of compiled kernels of one element type and instruction set, and the choice among them at run time.

use super::dot::{self, Dot, Lines};
use super::pack::{self, Pack};
use super::tile::{self, DIRECT, GATHERED, LINES, PACKED, Tile};
use crate::backend::cpu::simd::{Simd, portable::Lanes};

/// A compiled [`tile::multiply`].
pub(crate) type TileKernel<T> = unsafe fn(&Tile<T>);

/// A compiled [`dot::multiply`].
pub(crate) type DotKernel<T> = unsafe fn(&Dot<T>);

/// Kernels of one element type and instruction set. Kernels that work on up to `rows` rows are listed by the number of
/// rows less one, then by the number of vectors less one.
pub struct Kernels<T: 'static> {
    /// Elements in a vector.
    pub(crate) lanes: usize,
    /// Both operands packed.
    pub(crate) packed: &'static [[TileKernel<T>; 2]],
    /// The left operand packed, rows of the right operand found through a table of offsets.
    pub(crate) gathered: &'static [[TileKernel<T>; 2]],
    /// The right operand packed, rows of the left operand in lines found through a table of offsets.
    pub(crate) lines: &'static [[TileKernel<T>; 2]],
    /// Neither packed.
    pub(crate) direct: &'static [[TileKernel<T>; 2]],
    /// One row by [`ROW_VECTORS`] vectors, neither packed.
    pub(crate) row: TileKernel<T>,
    /// Scalar products of contiguous rows: up to four rows by one and by several columns.
    pub(crate) dot: [[DotKernel<T>; 2]; dot::ROWS],
    /// Scalar products of one sequence of lines with up to `rows` others.
    pub(crate) dot_lines: &'static [unsafe fn(&Lines<T>)],
    /// Copies a panel into the order in which kernels read it.
    pub(crate) pack: unsafe fn(&Pack<T>),
    /// The same for a panel along whose sum memory runs, with nothing between its width and the padded one written.
    pub(crate) transpose: unsafe fn(&Pack<T>),
}

impl<T> Kernels<T> {
    /// Rows of the largest tile.
    pub(crate) fn rows(&self) -> usize {
        self.packed.len()
    }

    /// Columns of the largest tile.
    pub(crate) fn columns(&self) -> usize {
        2 * self.lanes
    }
}

/// Vectors that the row kernel keeps at once: enough to hide the latency of an addition.
pub(crate) const ROW_VECTORS: usize = 8;

/// A table for vector type `$simd`, whose functions are compiled for `$features`.
macro_rules! kernels {
    ($name:ident: $elem:ty = $simd:ty, $(#[$features:meta])? tiles [$($rows:literal)*]) => {
        mod $name {
            use super::*;

            $(#[$features])?
            unsafe fn tile<const R: usize, const V: usize, const MODE: u8>(t: &Tile<$elem>) {
                // SAFETY: this function runs only where its instruction set was found; the rest is the caller's.
                unsafe { tile::multiply::<$simd, R, V, MODE>(t) }
            }

            $(#[$features])?
            unsafe fn dot<const R: usize, const C: usize>(d: &Dot<$elem>) {
                // SAFETY: as above.
                unsafe { dot::multiply::<$simd, R, C>(d) }
            }

            $(#[$features])?
            unsafe fn dot_lines<const R: usize>(d: &Lines<$elem>) {
                // SAFETY: as above.
                unsafe { dot::add_lines::<$simd, R>(d) }
            }

            $(#[$features])?
            unsafe fn pack(p: &Pack<$elem>) {
                // SAFETY: as above.
                unsafe { pack::panel::<$simd>(p) }
            }

            $(#[$features])?
            unsafe fn transpose(p: &Pack<$elem>) {
                // SAFETY: as above.
                unsafe { pack::squares::<$simd>(p) }
            }

            pub(super) static KERNELS: Kernels<$elem> = Kernels {
                lanes: <$simd as Simd>::LANES,
                packed: &[$([tile::<$rows, 1, PACKED>, tile::<$rows, 2, PACKED>]),*],
                gathered: &[$([tile::<$rows, 1, GATHERED>, tile::<$rows, 2, GATHERED>]),*],
                lines: &[$([tile::<$rows, 1, LINES>, tile::<$rows, 2, LINES>]),*],
                direct: &[$([tile::<$rows, 1, DIRECT>, tile::<$rows, 2, DIRECT>]),*],
                row: tile::<1, ROW_VECTORS, DIRECT>,
                dot: [
                    [dot::<1, 1>, dot::<1, { dot::COLUMNS[0] }>],
                    [dot::<2, 1>, dot::<2, { dot::COLUMNS[1] }>],
                    [dot::<3, 1>, dot::<3, { dot::COLUMNS[2] }>],
                    [dot::<4, 1>, dot::<4, { dot::COLUMNS[3] }>],
                ],
                dot_lines: &[$(dot_lines::<$rows>),*],
                pack,
                transpose,
            };
        }
    };
}

// Portable vectors have 128 bits: a tile of four by two fits the sixteen registers of SSE2.
kernels!(portable_f32: f32 = Lanes<f32, 4>, tiles [1 2 3 4]);
kernels!(portable_f64: f64 = Lanes<f64, 2>, tiles [1 2 3 4]);

/// Twelve sums, two vectors of the right operand and one broadcast element fill the sixteen registers of AVX2; 28 sums
/// those of AVX-512, which reads the broadcast element from memory.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::*;
    use crate::backend::cpu::simd::x86::{F32x8, F32x16, F64x4, F64x8};
    use crate::backend::cpu::simd::{Level, level};

    kernels!(avx2_f32: f32 = F32x8, #[target_feature(enable = "avx2,fma")]
        tiles [1 2 3 4 5 6]);
    kernels!(avx2_f64: f64 = F64x4, #[target_feature(enable = "avx2,fma")]
        tiles [1 2 3 4 5 6]);
    kernels!(avx512_f32: f32 = F32x16, #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
        tiles [1 2 3 4 5 6 7 8 9 10 11 12 13 14]);
    kernels!(avx512_f64: f64 = F64x8, #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
        tiles [1 2 3 4 5 6 7 8 9 10 11 12 13 14]);

    pub(super) fn has_avx2() -> bool {
        level() >= Level::Avx2
    }

    pub(super) fn has_avx512() -> bool {
        level() >= Level::Avx512
    }

    pub(super) static F32: [&Kernels<f32>; 2] = [&avx512_f32::KERNELS, &avx2_f32::KERNELS];
    pub(super) static F64: [&Kernels<f64>; 2] = [&avx512_f64::KERNELS, &avx2_f64::KERNELS];
}

/// Every table that this processor can run, the best first.
fn runnable<T>(_wide: &[&'static Kernels<T>], portable: &'static Kernels<T>) -> Vec<&'static Kernels<T>> {
    let mut all = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        let has = [x86::has_avx512(), x86::has_avx2()];
        all.extend(_wide.iter().zip(has).filter(|(_, has)| *has).map(|(kernels, _)| *kernels));
    }
    all.push(portable);
    all
}

macro_rules! choose {
    ($name:ident, $all:ident, $elem:ty, $wide:ident, $portable:ident) => {
        /// Every table that this processor can run, the best first.
        pub(crate) fn $all() -> Vec<&'static Kernels<$elem>> {
            #[cfg(target_arch = "x86_64")]
            let wide = &x86::$wide;
            #[cfg(not(target_arch = "x86_64"))]
            let wide = &[];
            runnable(wide, &$portable::KERNELS)
        }

        /// The best table that this processor can run.
        pub(crate) fn $name() -> &'static Kernels<$elem> {
            static BEST: std::sync::OnceLock<&'static Kernels<$elem>> = std::sync::OnceLock::new();
            BEST.get_or_init(|| $all()[0])
        }
    };
}
choose!(f32, all_f32, f32, F32, portable_f32);
choose!(f64, all_f64, f64, F64, portable_f64);
