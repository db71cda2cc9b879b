//! Devices beside the CPU: `torch.accelerator`.

use crate::{Device, Result, backend};

/// The accelerator that `to(accelerator::current()...)` would use; `None` on a machine without one.
///
/// The mock devices of [`enable_mock`] are never the current accelerator.
///
/// ```
/// # use firebrick_core::accelerator;
/// assert_eq!(accelerator::current(), None);
/// ```
pub fn current() -> Option<Device> {
    None
}

/// Is there an accelerator?
///
/// ```
/// # use firebrick_core::accelerator;
/// assert!(!accelerator::is_available());
/// ```
pub fn is_available() -> bool {
    current().is_some()
}

/// Waits until everything asked of a device so far is done.
///
/// # Errors
/// The device is not there.
///
/// ```
/// # use firebrick_core::{Tensor, accelerator};
/// let x = Tensor::ones([2])?;
/// accelerator::synchronize(x.device())?;
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn synchronize(device: Device) -> Result<()> {
    backend::of(device)?.synchronize()
}

/// Switches on `count` mock devices ([`Device::Mock`]), for tests that need a device beside the CPU.
///
/// ```
/// use firebrick_core::{Device, Tensor, accelerator};
/// accelerator::enable_mock(1);
/// let x = Tensor::ones([2])?.to(Device::Mock(0))?;
/// assert!(x.add(&Tensor::ones([2])?).is_err());
/// assert_eq!(x.mul(2.0)?.to(Device::Cpu)?.to_vec::<f32>()?, [2.0, 2.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn enable_mock(count: usize) {
    backend::enable_mock(count);
}

/// How many mock devices are switched on.
///
/// ```
/// # use firebrick_core::accelerator;
/// accelerator::enable_mock(2);
/// assert_eq!(accelerator::mock_count(), 2);
/// ```
pub fn mock_count() -> usize {
    backend::mock_count()
}
