//! Pooling.

use super::{Args, operations};
use crate::Out;
use crate::value::IntoValue;
use firebrick::{PoolOptions, Tensor, autograd};

operations! { ROWS;
    "nn.functional.max_pool1d" |a| {
        let (x, kernel, options) = window(a)?;
        match a.flag("return_indices")? {
            true => x.max_pool1d_with_indices(kernel, &options)?.into_value(),
            false => x.max_pool1d(kernel, &options)?.into_value(),
        }
    };
    "nn.functional.max_pool2d" |a| {
        let (x, kernel, options) = window(a)?;
        match a.flag("return_indices")? {
            true => x.max_pool2d_with_indices(kernel, &options)?.into_value(),
            false => x.max_pool2d(kernel, &options)?.into_value(),
        }
    };
    "nn.functional.max_pool3d" |a| {
        let (x, kernel, options) = window(a)?;
        match a.flag("return_indices")? {
            true => x.max_pool3d_with_indices(kernel, &options)?.into_value(),
            false => x.max_pool3d(kernel, &options)?.into_value(),
        }
    };
    "nn.functional.max_pool2d_with_indices" |a| { let (x, kernel, options) = window(a)?; x.max_pool2d_with_indices(kernel, &options)? };
    "max_pool2d_with_indices_backward" |a| scattered(a)?;
}

/// The input, the window's size and the other options.
fn window(a: &mut Args) -> Out<(Tensor, Vec<i64>, PoolOptions)> {
    let (x, kernel) = (a.x()?, a.ints("kernel_size")?);
    let mut options = PoolOptions::new();
    if let Some(stride) = a.maybe_ints("stride")?.filter(|stride| !stride.is_empty()) {
        options = options.stride(stride);
    }
    options = options.padding(a.ints_or("padding", &[0])?).dilation(a.ints_or("dilation", &[1])?);
    Ok((x, kernel, options.ceil_mode(a.flag("ceil_mode")?)))
}

/// The gradient of the input where that of every maximum is one, as a function of the input: piecewise constant.
fn scattered(a: &mut Args) -> Out<Tensor> {
    let (x, kernel, options) = window(a)?;
    a.flag("return_indices")?;
    let (values, _) = x.max_pool2d_with_indices(kernel, &options)?;
    let ones = values.ones_like()?;
    ones.requires_grad_(true)?;
    let grads = autograd::Grad::new(&[&values], &[&x]).grad_outputs(&[Some(ones)]).create_graph(true).run()?;
    // PyTorch records the backward kernel against its input as well, with a gradient of zero.
    Ok(grads[0].add(&x.mul(0)?)?)
}
