//! Flatten and its inverse.

use crate::{Core, Custom, Forward, Module};
use firebrick_core::text::python_tuple;
use firebrick_core::{Result, Sizes, Tensor};

/// Merges a run of dimensions into one.
///
/// # Shapes
/// `[N, *]` to `[N, product of *]`, unless other dimensions are named.
///
/// # Errors
/// A dimension out of range; a start after the end.
///
/// ```
/// use firebrick::prelude::*;
/// let flatten = nn::Flatten::new();
/// assert_eq!(flatten.to_string(), "Flatten(start_dim=1, end_dim=-1)");
/// assert_eq!(flatten.call(Tensor::ones([2, 3, 4])?)?.shape(), [2, 12]);
/// assert_eq!(nn::Flatten::between(0, -2).call(Tensor::ones([2, 3, 4])?)?.shape(), [6, 4]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct Flatten {
    core: Core,
    start_dim: i64,
    end_dim: i64,
}

impl Flatten {
    /// Merges all dimensions but the first.
    pub fn new() -> Self {
        Self::between(1, -1)
    }

    /// Merges `start_dim` to `end_dim`, both included; negative ones count from the end.
    pub fn between(start_dim: i64, end_dim: i64) -> Self {
        Flatten { core: Core::new(), start_dim, end_dim }
    }
}

impl Default for Flatten {
    fn default() -> Self {
        Self::new()
    }
}

impl Forward for Flatten {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        input.flatten(self.start_dim, self.end_dim)
    }
}

impl Custom for Flatten {
    fn extra_repr(&self) -> String {
        format!("start_dim={}, end_dim={}", self.start_dim, self.end_dim)
    }
}

/// Splits a dimension into several; one size may be -1.
///
/// # Errors
/// Sizes whose product is not the dimension's.
///
/// ```
/// use firebrick::prelude::*;
/// let unflatten = nn::Unflatten::new(1, [2, -1]);
/// assert_eq!(unflatten.to_string(), "Unflatten(dim=1, unflattened_size=(2, -1))");
/// assert_eq!(unflatten.call(Tensor::ones([3, 8])?)?.shape(), [3, 2, 4]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct Unflatten {
    core: Core,
    dim: i64,
    #[module(skip)]
    unflattened_size: Sizes,
}

impl Unflatten {
    /// Splits `dim` into dimensions of these sizes.
    pub fn new(dim: i64, unflattened_size: impl Into<Sizes>) -> Self {
        Unflatten { core: Core::new(), dim, unflattened_size: unflattened_size.into() }
    }
}

impl Forward for Unflatten {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        input.unflatten(self.dim, &self.unflattened_size)
    }
}

impl Custom for Unflatten {
    fn extra_repr(&self) -> String {
        format!("dim={}, unflattened_size={}", self.dim, python_tuple(&self.unflattened_size))
    }
}
