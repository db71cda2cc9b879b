//! What one operation works on lies on one device.

use crate::{Device, Element, Error, Result, Tensor};

/// Refuses different devices.
pub(crate) fn same_device(op: &'static str, devices: impl IntoIterator<Item = Device>) -> Result<()> {
    let mut devices = devices.into_iter();
    let Some(first) = devices.next() else { return Ok(()) };
    match devices.find(|&device| device != first) {
        Some(other) => Err(mixed_devices(op, first, other)),
        None => Ok(()),
    }
}

/// The elements of an operand that says what becomes of tensors on `device`: `unknown` everywhere, where none of them has
/// data. Other operands may lie on any device.
///
/// # Errors
/// The operand alone has no data.
pub(crate) fn values_for<T: Element>(op: &'static str, device: Device, operand: &Tensor, unknown: T) -> Result<Vec<T>> {
    if operand.is_meta() {
        same_device(op, [device, Device::Meta])?;
    }
    operand.values_or(unknown)
}

/// PyTorch's error.
#[cold]
pub(crate) fn mixed_devices(op: &'static str, first: Device, second: Device) -> Error {
    Error::runtime(
        op,
        format!("Expected all tensors to be on the same device, but found at least two devices, {first} and {second}!"),
    )
    .remedy("move one of them with `to(device)`")
}
