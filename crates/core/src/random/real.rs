//! The floating element types' ways to uniform and normal numbers.

use half::{bf16, f16};

use super::engine::Engine;
use super::normal;
use super::sample::Sample;
use super::uniform;

/// A floating element type; [`fill_normal`](super::fill_normal) shows one.
pub trait Real: Sample + PartialOrd {
    /// The type sums are formed in: float32 for the two small types, the type itself otherwise.
    type Sum: Sum;

    /// The value in the type sums are formed in.
    #[doc(hidden)]
    fn widen(self) -> Self::Sum;
    /// A float64 in the type sums are formed in.
    #[doc(hidden)]
    fn sum_from_f64(value: f64) -> Self::Sum;
    /// The value rounded to this type.
    #[doc(hidden)]
    fn narrow(value: Self::Sum) -> Self;

    /// Fills `out` with `[from, to)` uniforms; the bounds are already checked.
    #[doc(hidden)]
    fn uniform(engine: &mut Engine, out: &mut [Self], from: f64, to: f64);
    /// Fills 16 or more elements with normal numbers by the block path.
    #[doc(hidden)]
    fn normal_blocks(engine: &mut Engine, out: &mut [Self], mean: f64, std: f64);
}

/// A type that weights are summed in: `f32` or `f64`.
pub trait Sum: Copy + PartialOrd + std::ops::AddAssign + std::ops::Div<Output = Self> + From<f32> + Into<f64> {}

impl Sum for f32 {}
impl Sum for f64 {}

impl Real for f64 {
    type Sum = f64;

    fn widen(self) -> f64 {
        self
    }

    fn sum_from_f64(value: f64) -> f64 {
        value
    }

    fn narrow(value: f64) -> Self {
        value
    }

    fn uniform(engine: &mut Engine, out: &mut [Self], from: f64, to: f64) {
        uniform::fill_f64(engine, out, from, to);
    }

    fn normal_blocks(engine: &mut Engine, out: &mut [Self], mean: f64, std: f64) {
        normal::blocks_f64(engine, out, mean, std);
    }
}

impl Real for f32 {
    type Sum = f32;

    fn widen(self) -> f32 {
        self
    }

    fn sum_from_f64(value: f64) -> f32 {
        value as f32
    }

    fn narrow(value: f32) -> Self {
        value
    }

    fn uniform(engine: &mut Engine, out: &mut [Self], from: f64, to: f64) {
        uniform::fill_f32(engine, out, from as f32, to as f32);
    }

    fn normal_blocks(engine: &mut Engine, out: &mut [Self], mean: f64, std: f64) {
        normal::blocks_f32(engine, out, mean as f32, std as f32);
    }
}

macro_rules! small_types {
    ($($ty:ty),*) => {
        $(impl Real for $ty {
            type Sum = f32;

            fn widen(self) -> f32 {
                self.to_f32()
            }

            fn sum_from_f64(value: f64) -> f32 {
                value as f32
            }

            fn narrow(value: f32) -> Self {
                <$ty>::from_f32(value)
            }

            fn uniform(engine: &mut Engine, out: &mut [Self], from: f64, to: f64) {
                uniform::fill_small(engine, out, from as f32, to as f32);
            }

            fn normal_blocks(engine: &mut Engine, out: &mut [Self], mean: f64, std: f64) {
                normal::blocks_small(engine, out, mean as f32, std as f32);
            }
        })*
    };
}
small_types!(f16, bf16);
