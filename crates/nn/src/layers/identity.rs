//! Identity: returns its input.

use crate::{Core, Forward, Module};
use firebrick_core::{Result, Tensor};

/// Returns its input. Stands where a model has a place for a layer and needs none.
///
/// ```
/// use firebrick::prelude::*;
/// let x = Tensor::ones([2])?;
/// assert!(nn::Identity::new().call(&x)?.ptr_eq(&x));
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
pub struct Identity {
    core: Core,
}

impl Identity {
    /// The layer.
    pub fn new() -> Self {
        Identity { core: Core::new() }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}

impl Forward for Identity {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        Ok(input)
    }
}
