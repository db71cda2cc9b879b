//! `to` and its like: other devices, dtypes and contents behind the same handles.

use crate::{Module, Traversal, warn};
use firebrick_core::autograd::ModeGuard;
use firebrick_core::{DType, Device, Error, Result, Tensor, TensorOptions, To};

/// Puts what `f` makes of every parameter, gradient and buffer behind its handle: PyTorch's `_apply`.
pub(crate) fn change_all(
    module: &dyn Module,
    recurse: bool,
    f: &mut dyn FnMut(&Tensor) -> Result<Tensor>,
) -> Result<()> {
    let _no_grad = ModeGuard::no_grad();
    let options = Traversal::new().recurse(recurse);
    for parameter in module.parameters_with(&options) {
        parameter.set_data(&f(&parameter)?)?;
        if let Some(grad) = parameter.grad() {
            grad.set_data(&f(&grad)?)?;
        }
    }
    module.buffers_with(&options).iter().try_for_each(|buffer| buffer.set_data(&f(buffer)?))
}

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
    // The device changes for every tensor, the dtype for floating-point and complex ones.
    change_all(module, true, &mut |tensor| {
        let dtype = to.dtype.filter(|_| tensor.dtype().is_differentiable());
        // A memory format is meant for images and volumes.
        let memory_format = to.memory_format.filter(|_| matches!(tensor.dim(), 4 | 5));
        let to = To { dtype, memory_format, ..to };
        tensor.to(to).map_err(|error| if error.lacks_data() { nothing_to_move() } else { error })
    })
}

/// PyTorch's error for tensors without data that are moved to a device.
#[cold]
fn nothing_to_move() -> Error {
    Error::not_implemented(
        "to",
        "Cannot copy out of meta tensor; no data! Please use torch.nn.Module.to_empty() instead of torch.nn.Module.to() when moving module from meta to a different device.",
    )
    .remedy("call `to_empty(device)`, then load or initialize the parameters")
}

/// Every parameter and buffer in this dtype, integers as well.
pub(crate) fn cast_all(module: &dyn Module, dtype: DType) -> Result<()> {
    change_all(module, true, &mut |tensor| tensor.to(dtype))
}

/// Memory without values on another device.
pub(crate) fn empty_all(module: &dyn Module, device: Device, recurse: bool) -> Result<()> {
    change_all(module, recurse, &mut |tensor| {
        if tensor.is_uninitialized() {
            return tensor.to(device);
        }
        Tensor::empty_with(tensor.shape(), TensorOptions::new().dtype(tensor.dtype()).device(device))
    })
}

/// Is there a value behind every parameter and buffer?
pub(crate) fn check_initialized(module: &dyn Module) -> Result<()> {
    let waiting = |tensor: &Tensor| tensor.is_uninitialized();
    if module.parameters().iter().any(|p| waiting(p)) || module.buffers().iter().any(|b| waiting(b)) {
        return Err(Error::runtime(
            "share_memory",
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters before calling `module.share_memory()`.",
        ));
    }
    Ok(())
}
