//! Optimizers of Firebrick.
//!
//! | file | what it holds |
//! |---|---|
//! | `optimizer`, `optimizer_core` | [`Optimizer`]: what all of them do; [`OptimizerCore`]: groups and state |
//! | `builder` | [`Builder`]: an optimizer's options |
//! | `param_group` | [`ParamGroup`]: parameters with their options |
//! | `params` | [`IntoParamGroups`]: what optimizers are built from |
//! | `fused` | the step of all parameters in one pass |
//! | `grad_scaler` | [`GradScaler`]: losses scaled for gradients in 16 bits |
//! | `hooks` | hooks around the step |
//! | [`lr_scheduler`] | learning rates that change from epoch to epoch |
//! | `state_dict` | saving and loading |
//! | `sgd`, `adam`, `rmsprop` .. | one optimizer each |
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

pub mod lr_scheduler;

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod asgd;
mod builder;
mod fused;
mod grad_scaler;
mod hooks;
mod lbfgs;
mod muon;
mod nadam;
mod optimizer;
mod optimizer_core;
mod param_group;
mod params;
mod radam;
mod rmsprop;
mod rprop;
mod sgd;
mod state_dict;

pub use adadelta::Adadelta;
pub use adafactor::Adafactor;
pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use adamax::Adamax;
pub use asgd::ASGD;
pub use builder::{Builder, FromOptions};
pub use grad_scaler::{GradScaler, GradScalerBuilder};
pub use hooks::StepHookHandle;
pub use lbfgs::LBFGS;
pub use muon::Muon;
pub use nadam::NAdam;
pub use optimizer::{Closure, Optimizer};
pub use optimizer_core::{OptimizerCore, State};
pub use param_group::ParamGroup;
pub use params::{GroupItem, IntoParamGroups};
pub use radam::RAdam;
pub use rmsprop::RMSprop;
pub use rprop::Rprop;
pub use sgd::SGD;
