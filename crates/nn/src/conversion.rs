//! `to`: other devices and dtypes behind the same handles.

use crate::{Module, warn};
use firebrick_core::autograd::ModeGuard;
use firebrick_core::{DType, Error, Result, Tensor, To};

pub(crate) fn convert(module: &dyn Module, to: To) -> Result<()> {
    if let Some(dtype) = to.dtype
        && !dtype.is_differentiable()
    {
        let message =
            format!("nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}");
        return Err(Error::type_("to", message));
    }
    if to.dtype.is_some_and(DType::is_complex) {
        warn(
            "Complex modules are a new feature under active development whose design may change, and some modules might not work as expected when using complex tensors as parameters or buffers. Please file an issue at https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml if a complex module does not work as expected.",
        );
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

/// The device changes for every tensor, the dtype for floating-point and complex ones.
fn change(tensor: &Tensor, mut to: To) -> Result<()> {
    if !tensor.dtype().is_differentiable() {
        to.dtype = None;
    }
    tensor.set_data(&tensor.to(to)?)
}
