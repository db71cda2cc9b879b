//! The scalar functions elementwise kernels are made of.
//!
//! Everything here is a pure function of numbers, `#[inline(always)]`, and free of branches wherever that is
//! possible, so that a loop over it vectorizes once it stands in a function with `#[target_feature]`.
//! A formula is generic over [`Real`]; the loop decides what a number is by wrapping it in a [`Lane`]:
//!
//! ```text
//! use crate::backend::cpu::math::{Lane, Real, activation};
//!
//! fn tile<const FMA: bool>(x: &[f32], y: &mut [f32]) {
//!     for (y, &x) in y.iter_mut().zip(x) {
//!         *y = activation::silu(Lane::<f32, FMA>(x)).0;
//!     }
//! }
//! let mut y = [0.0; 2];
//! tile::<false>(&[0.0, 20.0], &mut y);
//! assert_eq!(y, [0.0, 20.0]);
//! ```
//!
//! What the standard library has as a method of `f32` (and `erf`, `lgamma` and the like) is a method of [`Real`]
//! under PyTorch's name; what is composed of those is a free function in the module of its family.
//!
//! Three ways to compute, by how often a function is used:
//! - In `f32` throughout: `exp`, `log` and their kin, `tanh`, `erf`, what is behind GELU, and everything
//!   composed of them.
//! - In `f64` with polynomials that vectorize (`wide`), rounded once at the end: trigonometry and its inverses,
//!   the other hyperbolic functions, `erfc`, `erfinv`, `pow`. Half the lanes, but no error to manage.
//! - One call per element: `lgamma`, `digamma`, `i0`, `fmod` beyond a quotient of 2^28, and every `f64` function.
//!
//! Values at NaN, infinities, signed zeros and subnormal numbers are those of PyTorch 2.15 on a CPU, except that
//! subnormal numbers are never flushed to zero.

pub mod activation;
pub mod activation_grad;
pub mod binary;
pub mod erf;
pub mod exp_log;
pub mod gamma;
pub mod hyperbolic;
pub mod int;
mod poly;
pub mod power;
pub mod real;
pub mod rounding;
pub mod special;
pub(crate) mod steps;
#[cfg(test)]
mod tests;
pub mod trig;
mod wide;

pub use real::{Lane, Real};
