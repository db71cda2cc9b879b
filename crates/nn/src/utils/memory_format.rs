//! Weights of convolutions in another order in memory.

use crate::Module;
use firebrick_core::autograd::ModeGuard;
use firebrick_core::{MemoryFormat, Result};

/// Lays out the weight of every `Conv2d` and `ConvTranspose2d` in and below `module`, behind its handle.
///
/// Results and gradients stay as they are: Firebrick's kernels read any format, and choose the layout they compute in.
/// The strides go into checkpoints, as PyTorch's do.
///
/// ```
/// use firebrick::{MemoryFormat, prelude::*};
/// let conv = nn::Conv2d::new(3, 8, 3)?;
/// nn::utils::convert_conv2d_weight_memory_format(&conv, MemoryFormat::ChannelsLast)?;
/// assert_eq!(conv.weight.stride().to_vec(), [27, 1, 9, 3]);
/// # Ok::<_, firebrick::Error>(())
/// ```
///
/// # Errors
/// A format for another rank, as [`MemoryFormat::ChannelsLast3d`] is.
pub fn convert_conv2d_weight_memory_format(module: &dyn Module, format: MemoryFormat) -> Result<()> {
    convert(module, &["Conv2d", "ConvTranspose2d"], format)
}

/// The same for every `Conv3d` and `ConvTranspose3d`, with [`MemoryFormat::ChannelsLast3d`] or
/// [`MemoryFormat::Contiguous`].
///
/// ```
/// use firebrick::{MemoryFormat, prelude::*};
/// let conv = nn::Conv3d::new(3, 8, 3)?;
/// nn::utils::convert_conv3d_weight_memory_format(&conv, MemoryFormat::ChannelsLast3d)?;
/// assert_eq!(conv.weight.stride().to_vec(), [81, 1, 27, 9, 3]);
/// # Ok::<_, firebrick::Error>(())
/// ```
///
/// # Errors
/// A format for another rank, as [`MemoryFormat::ChannelsLast`] is.
pub fn convert_conv3d_weight_memory_format(module: &dyn Module, format: MemoryFormat) -> Result<()> {
    convert(module, &["Conv3d", "ConvTranspose3d"], format)
}

fn convert(module: &dyn Module, types: &[&str], format: MemoryFormat) -> Result<()> {
    let _no_grad = ModeGuard::no_grad();
    let modules = module.modules();
    let weights = modules.iter().filter(|m| types.contains(&m.type_name())).map(|m| m.get_parameter("weight"));
    let weights = weights.collect::<Result<Vec<_>>>()?;
    // Every copy is made before the first weight changes.
    let copies = weights.iter().map(|weight| weight.copy_in(format)).collect::<Result<Vec<_>>>()?;
    weights.iter().zip(&copies).try_for_each(|(weight, copy)| weight.set_data(copy))
}
