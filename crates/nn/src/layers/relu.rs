//! ReLU: negative elements become zero.

use crate::{Core, Custom, Forward, Module};
use firebrick_core::{Result, Tensor};

/// `max(0, x)`, element by element.
///
/// Nair and Hinton, *Rectified Linear Units Improve Restricted Boltzmann Machines*, ICML 2010.
///
/// # Shapes
/// Any shape, same shape out.
///
/// ```
/// use firebrick::prelude::*;
/// let y = nn::ReLU::new().call(Tensor::new([-1.0f32, 0.0, 2.0])?)?;
/// assert_eq!(y.to_vec::<f32>()?, [0.0, 0.0, 2.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct ReLU {
    core: Core,
    inplace: bool,
}

impl ReLU {
    /// The layer.
    pub fn new() -> Self {
        ReLU { core: Core::new(), inplace: false }
    }

    /// Overwrites the input when `inplace`.
    pub fn inplace(mut self, inplace: bool) -> Self {
        self.inplace = inplace;
        self
    }
}

impl Default for ReLU {
    fn default() -> Self {
        Self::new()
    }
}

impl Forward for ReLU {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        if self.inplace {
            input.relu_()?;
            return Ok(input);
        }
        input.relu()
    }
}

impl Custom for ReLU {
    fn extra_repr(&self) -> String {
        if self.inplace { "inplace=True".to_owned() } else { String::new() }
    }
}
