//! Packing: panels of an operand in the order in which a microkernel reads them.

use crate::backend::cpu::float::Float;
use crate::backend::cpu::simd::Simd;

/// A panel to be packed: `to[p * padded + i] = from[i * across + p * along]` for `i < width`, and zero up to `padded`.
pub(crate) struct Pack<T> {
    pub(crate) from: *const T,
    /// Distance between neighbours in the panel.
    pub(crate) across: isize,
    /// Distance along the sum.
    pub(crate) along: isize,
    pub(crate) width: usize,
    pub(crate) padded: usize,
    pub(crate) depth: usize,
    pub(crate) to: *mut T,
}

/// Bytes of a cache line.
const LINE_BYTES: usize = 64;

/// Packs one panel.
///
/// # Safety
/// The processor has the instruction set of `S`, the elements named above can be read, and `padded * depth` elements
/// can be written at `to`.
#[inline(always)]
pub(crate) unsafe fn panel<S: Simd>(p: &Pack<S::Elem>) {
    // SAFETY: the caller's promise.
    unsafe {
        if p.across == 1 {
            rows::<S>(p);
        } else if p.along == 1 && p.width > 1 {
            squares::<S>(p);
        } else {
            elements(p, 0, p.depth);
        }
        for q in 0..if p.padded > p.width { p.depth } else { 0 } {
            for i in p.width..p.padded {
                *p.to.add(q * p.padded + i) = S::Elem::ZERO;
            }
        }
    }
}

/// Neighbours in the panel are neighbours in memory: copies vectors.
#[inline(always)]
unsafe fn rows<S: Simd>(p: &Pack<S::Elem>) {
    // SAFETY: the caller's promise.
    unsafe {
        for q in 0..p.depth {
            let from = p.from.offset(q as isize * p.along);
            let to = p.to.add(q * p.padded);
            let mut i = 0;
            while i + S::LANES <= p.width {
                S::load(from.add(i)).store(to.add(i));
                i += S::LANES;
            }
            if i < p.width {
                S::load_first(from.add(i), p.width - i).store_first(to.add(i), p.width - i);
            }
        }
    }
}

/// The sum runs along memory: transposes squares, a cache line of every row before the next.
///
/// # Safety
/// As for [`panel`].
#[inline(always)]
pub(super) unsafe fn squares<S: Simd>(p: &Pack<S::Elem>) {
    // SAFETY: the caller's promise.
    unsafe {
        let whole = p.depth - p.depth % S::SQUARE;
        let line = LINE_BYTES / size_of::<S::Elem>();
        for first in (0..whole).step_by(line) {
            for i in (0..p.width).step_by(S::SQUARE) {
                // The last square overlaps the one before it, so that it is whole.
                let i = i.min(p.width.saturating_sub(S::SQUARE));
                let count = (p.width - i).min(S::SQUARE);
                for q in (first..whole.min(first + line)).step_by(S::SQUARE) {
                    let from = p.from.offset(i as isize * p.across).add(q);
                    S::transpose(from, p.across, count, p.to.add(q * p.padded + i), p.padded);
                }
            }
        }
        elements(p, whole, p.depth);
    }
}

/// Any distances, one by one.
#[inline(always)]
unsafe fn elements<T: Float>(p: &Pack<T>, start: usize, end: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        for q in start..end {
            let from = p.from.offset(q as isize * p.along);
            for i in 0..p.width {
                *p.to.add(q * p.padded + i) = *from.offset(i as isize * p.across);
            }
        }
    }
}
