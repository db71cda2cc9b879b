//! Random numbers: PyTorch's CPU generator, bit for bit.
//!
//! Equal seeds give the numbers of PyTorch 2.15 (CPU, x86-64 with AVX2) for uniform, normal and
//! integer fills, permutations, Bernoulli masks, the other distributions, weighted drawing and the
//! orders of data loaders. Everything here works on slices of plain numbers and draws from an
//! [`Engine`]; a [`Generator`] is the shared handle that holds one.
//!
//! ```
//! use firebrick_core::random::{Generator, fill_normal};
//! let generator = Generator::new().manual_seed(0);
//! let mut values = [0.0_f32; 3];
//! fill_normal(&mut generator.lock(), &mut values, 0.0, 1.0, true)?;
//! assert_eq!(values, [1.540_996_1, -0.293_428_9, -2.178_789_4]); // torch.randn(3)
//! # Ok::<_, firebrick_core::random::RandomError>(())
//! ```
//!
//! The float64 functions (`sin`, `cos`, `ln`, `tan`, ...) are the platform's: bits are PyTorch's
//! where both link the same C library.

mod bernoulli;
mod cephes;
mod distributions;
mod engine;
mod error;
mod fused;
mod generator;
mod global;
mod integers;
mod mcg31;
mod mt19937;
mod multinomial;
mod normal;
mod permutation;
mod real;
mod sample;
mod sampler;
mod scope;
mod selection;
mod state;
#[cfg(test)]
mod tests;
mod uniform;

pub use bernoulli::{
    BernoulliRule, bernoulli_rule, fill_bernoulli, fill_bernoulli_each, fill_dropout, set_bernoulli_rule,
};
pub use distributions::{fill_cauchy, fill_exponential, fill_geometric, fill_log_normal};
pub use engine::Engine;
pub use error::{Number, RandomError};
pub use generator::{DEFAULT_SEED, Generator, Seed};
pub use global::{ForkRng, default_generator, fork_rng, get_rng_state, initial_seed, manual_seed, seed, set_rng_state};
pub use integers::{fill_randint, fill_random, fill_random_from};
pub use mt19937::{Mt19937, STATE_WORDS};
pub use multinomial::multinomial;
pub(crate) use multinomial::multinomial_in_order;
pub use normal::fill_normal;
pub use permutation::{fill_randperm, randperm};
pub use real::{Real, Sum};
pub use sample::Sample;
pub use sampler::{loader_seed, random_sampler_order, weighted_sampler_order};
pub use scope::current_generator;
pub use state::STATE_BYTES;
pub use uniform::fill_uniform;
