//! Optimizers of Firebrick.
//!
//! | file | what it holds |
//! |---|---|
//! | `optimizer` | [`Optimizer`]: what all of them do; [`OptimizerCore`]: groups and state |
//! | `param_group` | [`ParamGroup`]: parameters with their options |
//! | `params` | [`IntoParamGroups`]: what optimizers are built from |
//! | `state_dict` | saving and loading |
//! | `sgd`, `adam` | one optimizer each |
//!
//! An optimizer holds the parameters themselves, so it stays linked to a model that is moved, loaded, frozen or
//! initialized later.
//!
//! ```
//! use firebrick::prelude::*;
//! let model = nn::Linear::new(1, 1)?;
//! let mut optimizer = optim::SGD::new(model.parameters(), 0.05).momentum(0.9).build()?;
//! let (x, y) = (Tensor::new([[1.0f32], [2.0]])?, Tensor::new([[3.0f32], [5.0]])?);
//! for _ in 0..200 {
//!     optimizer.zero_grad()?;
//!     let error = (model.call(&x)? - &y)?;
//!     error.mul(&error)?.sum()?.backward()?;
//!     optimizer.step()?;
//! }
//! assert!((model.weight.item::<f32>()? - 2.0).abs() < 1e-2);
//! # Ok::<_, firebrick::Error>(())
//! ```

mod adam;
mod optimizer;
mod param_group;
mod params;
mod sgd;
mod state_dict;

pub use adam::{Adam, AdamBuilder, AdamW};
pub use optimizer::{Optimizer, OptimizerCore, State};
pub use param_group::ParamGroup;
pub use params::{GroupItem, IntoParamGroups};
pub use sgd::{SGD, SGDBuilder};
