//! Vectors as arrays, which the compiler turns into whatever the target has by default: SSE2, NEON.

use super::Simd;
use crate::backend::cpu::float::Float;

/// `N` lanes of `T`.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<T, const N: usize>([T; N]);

// SAFETY (of every block below): pointers are the caller's promise.
impl<T: Float, const N: usize> Simd for Lanes<T, N> {
    type Elem = T;
    const LANES: usize = N;
    const SQUARE: usize = 4;

    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        Lanes([x; N])
    }

    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: above; an array may be read unaligned.
        Lanes(unsafe { from.cast::<[T; N]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const T, count: usize) -> Self {
        let mut lanes = [T::ZERO; N];
        for (i, lane) in lanes.iter_mut().enumerate().take(count) {
            // SAFETY: above.
            *lane = unsafe { *from.add(i) };
        }
        Lanes(lanes)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: above.
        unsafe { to.cast::<[T; N]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut T, count: usize) {
        for (i, lane) in self.0.iter().enumerate().take(count) {
            // SAFETY: above.
            unsafe { *to.add(i) = *lane }
        }
    }

    #[inline(always)]
    unsafe fn add(mut self, other: Self) -> Self {
        for i in 0..N {
            self.0[i] += other.0[i];
        }
        self
    }

    #[inline(always)]
    unsafe fn mul_add(mut self, a: Self, b: Self) -> Self {
        for i in 0..N {
            self.0[i] = self.0[i].mul_add(a.0[i], b.0[i]);
        }
        self
    }

    #[inline(always)]
    unsafe fn relu(mut self) -> Self {
        for lane in &mut self.0 {
            if *lane < T::ZERO {
                *lane = T::ZERO;
            }
        }
        self
    }

    #[inline(always)]
    unsafe fn sum(self) -> T {
        self.0.into_iter().fold(T::ZERO, |sum, lane| sum + lane)
    }

    #[inline(always)]
    unsafe fn transpose(from: *const T, across: isize, count: usize, to: *mut T, row: usize) {
        for i in 0..count {
            for j in 0..Self::SQUARE {
                // SAFETY: above.
                unsafe { *to.add(j * row + i) = *from.offset(i as isize * across).add(j) }
            }
        }
    }
}
