//! Layers, one file a family.

mod activation;
mod batch_norm;
mod clipping;
mod conv;
mod distance;
mod dropout;
mod embedding;
mod flatten;
mod gated;
mod identity;
mod layer_norm;
mod likelihood;
mod linear;
mod loss;
mod margin;
mod pooling;
mod softmax;

pub use activation::*;
pub use batch_norm::{
    BatchNorm1d, BatchNorm1dBuilder, BatchNorm2d, BatchNorm2dBuilder, BatchNorm3d, BatchNorm3dBuilder,
};
pub use clipping::{Hardtanh, ReLU6, Threshold};
pub use conv::{Conv1d, Conv1dBuilder, Conv2d, Conv2dBuilder, Conv3d, Conv3dBuilder};
pub use distance::*;
pub use dropout::{AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout};
pub use embedding::{Embedding, EmbeddingBuilder};
pub use flatten::{Flatten, Unflatten};
pub use gated::{GELU, GLU, PReLU, PReLUBuilder, RReLU};
pub use identity::Identity;
pub use layer_norm::{LayerNorm, LayerNormBuilder};
pub use likelihood::{GaussianNLLLoss, PoissonNLLLoss};
pub use linear::{Linear, LinearBuilder};
pub use loss::*;
pub use margin::*;
pub use pooling::{MaxPool1d, MaxPool1dBuilder, MaxPool2d, MaxPool2dBuilder, MaxPool3d, MaxPool3dBuilder};
pub use softmax::{LogSoftmax, Softmax, Softmax2d, Softmin};
