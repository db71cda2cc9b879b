//! `nn.Module` for Rust: PyTorch's exact behaviour, plus the failures PyTorch hides made loud.
//!
//! Whoever comes from PyTorch finds what is the same and what is not in [`from_pytorch`].
//!
//! ```
//! use firebrick::prelude::*;
//!
//! #[derive(Module)]
//! struct Mlp { core: Core, fc1: nn::Linear, fc2: nn::Linear }
//!
//! impl nn::Forward for Mlp {
//!     fn forward(&self, x: Tensor) -> Result<Tensor> {
//!         let x = self.fc1.call(x)?.relu()?;
//!         self.fc2.call(x)
//!     }
//! }
//!
//! let mlp = Mlp { core: Core::new(), fc1: nn::Linear::new(3, 8)?, fc2: nn::Linear::new(8, 2)? };
//! assert_eq!(mlp.call(Tensor::zeros([4, 3])?)?.shape(), [4, 2]);
//! # Ok::<_, firebrick::Error>(())
//! ```

pub use firebrick_core::*;
pub use firebrick_data as data;
pub use firebrick_io as io;
pub use firebrick_io::{load, save};

/// Optimizers, schedulers of learning rates and averages of weights: PyTorch's `torch.optim`.
pub mod optim {
    pub use firebrick_nn::swa_utils;
    pub use firebrick_optim::*;
}

/// Modules, layers, initialization and stateless functions: PyTorch's `torch.nn`.
pub mod nn {
    pub use firebrick_nn::*;
}

#[doc = include_str!("from_pytorch.md")]
pub mod from_pytorch {}

#[doc(hidden)]
pub use firebrick_nn::__private;

/// What almost every program uses.
///
/// `Forward` is left out on purpose: with it in scope, `module.forward(x)` would compile and skip the hooks that
/// `module.call(x)` runs. Implement it as `nn::Forward`.
pub mod prelude {
    pub use crate::nn::{self, Absent, Args, Call, Core, Module, ModuleExt};
    pub use crate::optim::{self, Optimizer};
    pub use crate::{Buffer, DType, Device, Error, Parameter, Result, StateDict, Tensor, autograd};
}
