//! The table of compiled transforms of one instruction set.

use super::transform::{self, Contract, Expand, Input, Kernel, KernelTransposed, Output, OutputTransposed, Turn};
use super::transform::{INPUTS, KERNEL, OUTPUTS};
use crate::backend::cpu::simd::{Simd, portable::Lanes};

/// Transforms compiled for one element type and instruction set.
pub struct Transforms<T> {
    /// Elements in a vector.
    pub(super) lanes: usize,
    /// Inputs to values at the points.
    pub(super) input: unsafe fn(&Expand<'_, T>),
    /// A kernel to values at the points.
    pub(super) kernel: unsafe fn(&Expand<'_, T>),
    /// Values at the points to outputs.
    pub(super) output: unsafe fn(&Contract<'_, T>) -> bool,
    /// The transpose of `output`.
    pub(super) output_transposed: unsafe fn(&Expand<'_, T>),
    /// The transpose of `kernel`.
    pub(super) kernel_transposed: unsafe fn(&Contract<'_, T>) -> bool,
    pub(super) turn: unsafe fn(&Turn<T>),
}

/// A table for vector type `$simd`, whose functions are compiled for `$features`.
macro_rules! transforms {
    ($name:ident = $simd:ty $(, #[$features:meta])?) => {
        mod $name {
            use super::*;

            type Elem = <$simd as Simd>::Elem;

            // SAFETY (of every block below): these functions run only where their instruction set was found; the rest is
            // the caller's promise.
            $(#[$features])?
            unsafe fn input(e: &Expand<'_, Elem>) {
                // SAFETY: above.
                unsafe { transform::expand::<$simd, Input, INPUTS>(e) }
            }

            $(#[$features])?
            unsafe fn kernel(e: &Expand<'_, Elem>) {
                // SAFETY: above.
                unsafe { transform::expand::<$simd, Kernel, KERNEL>(e) }
            }

            $(#[$features])?
            unsafe fn output(c: &Contract<'_, Elem>) -> bool {
                // SAFETY: above.
                unsafe { transform::contract::<$simd, Output, OUTPUTS>(c) }
            }

            $(#[$features])?
            unsafe fn output_transposed(e: &Expand<'_, Elem>) {
                // SAFETY: above.
                unsafe { transform::expand::<$simd, OutputTransposed, OUTPUTS>(e) }
            }

            $(#[$features])?
            unsafe fn kernel_transposed(c: &Contract<'_, Elem>) -> bool {
                // SAFETY: above.
                unsafe { transform::contract::<$simd, KernelTransposed, KERNEL>(c) }
            }

            $(#[$features])?
            unsafe fn turn(t: &Turn<Elem>) {
                // SAFETY: above.
                unsafe { transform::turn::<$simd>(t) }
            }

            pub(super) static TRANSFORMS: Transforms<Elem> = Transforms {
                lanes: <$simd as Simd>::LANES, input, kernel, output, output_transposed, kernel_transposed, turn,
            };
        }
    };
}

transforms!(portable = Lanes<f32, 4>);

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::*;
    use crate::backend::cpu::simd::x86::{F32x8, F32x16};

    transforms!(avx2 = F32x8, #[target_feature(enable = "avx2,fma")]);
    transforms!(avx512 = F32x16, #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]);

    pub(super) static ALL: [&Transforms<f32>; 2] = [&avx2::TRANSFORMS, &avx512::TRANSFORMS];
}

/// The transforms of the instruction set whose vectors have this many lanes.
pub(crate) fn f32(lanes: usize) -> Option<&'static Transforms<f32>> {
    #[cfg(target_arch = "x86_64")]
    if let Some(&found) = x86::ALL.iter().find(|t| t.lanes == lanes) {
        return Some(found);
    }
    Some(&portable::TRANSFORMS).filter(|t| t.lanes == lanes)
}
