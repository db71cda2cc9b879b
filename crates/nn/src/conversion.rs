//! `to`: other devices and dtypes behind the same handles.

use crate::Module;
use firebrick_core::autograd::ModeGuard;
use firebrick_core::{Error, Result, Tensor, To};

pub(crate) fn convert(module: &dyn Module, to: To) -> Result<()> {
    if let Some(dtype) = to.dtype
        && !dtype.is_floating_point()
    {
        let message =
            format!("nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}");
        return Err(Error::type_("to", message));
    }
    let _no_grad = ModeGuard::no_grad();
    for parameter in module.parameters() {
        change(&parameter, to)?;
        if let Some(grad) = parameter.grad() {
            change(&grad, to)?;
        }
    }
    module.buffers().iter().try_for_each(|buffer| change(buffer, to))
}

/// The device changes for every tensor, the dtype for floating-point ones.
fn change(tensor: &Tensor, mut to: To) -> Result<()> {
    if !tensor.is_floating_point() {
        to.dtype = None;
    }
    tensor.set_data(&tensor.to(to)?)
}
