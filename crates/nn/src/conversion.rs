//! `to`: other devices and dtypes behind the same handles.

use crate::Module;
use firebrick_core::autograd::no_grad;
use firebrick_core::{Error, Result, Tensor, To};

pub(crate) fn convert(module: &dyn Module, to: To) -> Result<()> {
    if let Some(dtype) = to.dtype
        && !(dtype.is_floating_point() || dtype.is_complex())
    {
        let message = format!(
            "nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=torch.{dtype}"
        );
        return Err(Error::type_("to", message));
    }
    let _recording = no_grad();
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
    let dtype = tensor.dtype();
    if !(dtype.is_floating_point() || dtype.is_complex()) {
        to.dtype = None;
    }
    if tensor.is_uninitialized() { tensor.uninitialized_to(to) } else { tensor.set_data(&tensor.to(to)?) }
}
