//! The device of new tensors.

use crate::Device;
use std::cell::Cell;

thread_local! {
    static DEFAULT: Cell<Device> = const { Cell::new(Device::Cpu) };
}

/// Where a new tensor goes that is not told where: the CPU, unless inside [`Device::scope`].
///
/// ```
/// use firebrick_core::{Device, Tensor, default_device};
/// assert_eq!(default_device(), Device::Cpu);
/// Device::Meta.scope(|| assert_eq!(default_device(), Device::Meta));
/// ```
#[inline]
pub fn default_device() -> Device {
    DEFAULT.get()
}

/// Puts the device before back when it is dropped, also when a panic passes.
pub(crate) struct Restore(Device);

/// New tensors go to `device` as long as the guard lives.
pub(crate) fn default_to(device: Device) -> Restore {
    Restore(DEFAULT.replace(device))
}

impl Drop for Restore {
    fn drop(&mut self) {
        DEFAULT.set(self.0);
    }
}

impl Device {
    /// Runs `f` while new tensors that are not told where to go, and the layers that are built, go to this device, on this
    /// thread: PyTorch's `with torch.device(...)`.
    ///
    /// On [`Device::Meta`] a model of any size is built at once: no memory is taken, no random number drawn.
    ///
    /// ```
    /// use firebrick_core::{Device, Tensor};
    /// let x = Device::Meta.scope(|| Tensor::randn([1_000_000, 1_000_000]))?;
    /// assert!(x.is_meta());
    /// assert!(!Tensor::randn([2])?.is_meta());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn scope<T>(self, f: impl FnOnce() -> T) -> T {
        let _restore = default_to(self);
        f()
    }
}
