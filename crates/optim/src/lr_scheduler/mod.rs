//! Schedulers of learning rates: PyTorch's `torch.optim.lr_scheduler`.
//!
//! | file | what it holds |
//! |---|---|
//! | `scheduler` | [`Scheduler`]: what all of them do; [`Schedule`]: what one of them is |
//! | `fields` | options of a schedule as entries of its state |
//! | `per_group` | [`PerGroup`]: one number for all groups, or one for each |
//! | `step`, `lambda`, `linear`, `decay`, `cosine`, `warm_restarts`, `cyclic`, `one_cycle`, `swa` | schedules |
//! | `plateau` | [`ReduceLROnPlateau`] |
//! | `combined` | [`SequentialLR`], [`ChainedScheduler`] |
//!
//! A schedule is its options; building it for an optimizer gives a scheduler, which sets the first learning rate at
//! once. The scheduler is handed the optimizer at every step.
//!
//! ```
//! use firebrick::prelude::*;
//! use optim::lr_scheduler::{LrScheduler, Schedule, StepLR};
//! let p = Parameter::new(Tensor::new([1.0f32])?);
//! let mut optimizer = optim::SGD::new([&p], 0.1).build()?;
//! let mut scheduler = StepLR::new(2).gamma(0.5).build(&mut optimizer)?;
//! let mut lrs = Vec::new();
//! for _epoch in 0..4 {
//!     optimizer.step()?;
//!     scheduler.step(&mut optimizer)?;
//!     lrs.extend(scheduler.get_last_lr());
//! }
//! assert_eq!(lrs, [0.1, 0.05, 0.05, 0.025]);
//! # Ok::<_, firebrick::Error>(())
//! ```

mod combined;
mod cosine;
mod cyclic;
mod decay;
mod fields;
mod lambda;
mod linear;
mod one_cycle;
mod per_group;
mod plateau;
mod scheduler;
mod step;
mod swa;
mod warm_restarts;

pub use combined::{ChainedScheduler, SequentialLR};
pub use cosine::CosineAnnealingLR;
pub use cyclic::CyclicLR;
pub use decay::{ExponentialLR, PolynomialLR};
pub use fields::Fields;
pub use lambda::{LambdaLR, MultiplicativeLR};
pub use linear::{ConstantLR, LinearLR};
pub use one_cycle::OneCycleLR;
pub use per_group::PerGroup;
pub use plateau::{Plateau, ReduceLROnPlateau};
pub use scheduler::{Clock, LrScheduler, Schedule, Scheduler};
pub use step::{MultiStepLR, StepLR};
pub use swa::SWALR;
pub use warm_restarts::CosineAnnealingWarmRestarts;

use firebrick_core::{Error, Result};

/// Python's quotient, which refuses zero.
fn quotient(a: f64, b: f64) -> Result<f64> {
    match b {
        0.0 => Err(Error::value("lr_scheduler", "float division by zero")),
        b => Ok(a / b),
    }
}
