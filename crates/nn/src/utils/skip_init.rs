//! Modules whose parameters are about to be overwritten.

use crate::ModuleExt;
use firebrick_core::{Device, Result, default_device};

/// The module that `build` makes, without the work and the random numbers of its initialization: PyTorch's `skip_init`. It
/// is built on [`Device::Meta`] and then given memory, which is zero, on the default device.
///
/// # Errors
/// Those of `build`; memory that cannot be had.
///
/// ```
/// use firebrick::prelude::*;
/// let linear = nn::utils::skip_init(|| nn::Linear::new(2, 1))?;
/// linear.load_state_dict(&nn::Linear::new(2, 1)?.state_dict())?;
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn skip_init<M: ModuleExt>(build: impl FnOnce() -> Result<M>) -> Result<M> {
    let module = Device::Meta.scope(build)?;
    module.to_empty(default_device())?;
    Ok(module)
}
