//! Helpers around modules: PyTorch's `torch.nn.utils`.

mod clip_grad;
mod computed;
mod fuse;
mod memory_format;
mod orthogonal;
pub mod parametrizations;
pub mod parametrize;
pub mod prune;
pub mod rnn;
mod skip_init;
mod spectral_norm;
mod vector;
mod weight_norm;

pub use crate::state_dict::consume_prefix_in_state_dict_if_present;
pub use clip_grad::{
    ClipOptions, clip_grad_norm_, clip_grad_norm_with, clip_grad_value_, clip_grads_with_norm_, get_total_norm,
};
pub use fuse::{
    BatchNorm, Convolution, Normalization, fuse_conv_bn_eval, fuse_conv_bn_weights, fuse_linear_bn_eval,
    fuse_linear_bn_weights,
};
pub use memory_format::{convert_conv2d_weight_memory_format, convert_conv3d_weight_memory_format};
pub use skip_init::skip_init;
pub use spectral_norm::{SpectralNormOptions, remove_spectral_norm, spectral_norm, spectral_norm_with};
pub use vector::{parameters_to_vector, vector_to_parameters};
pub use weight_norm::{remove_weight_norm, weight_norm};
