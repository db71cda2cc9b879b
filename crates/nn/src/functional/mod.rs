//! Layers as functions: PyTorch's `torch.nn.functional`.
//!
//! | file | what it holds |
//! |---|---|
//! | `activation` | activation functions, softmax |
//! | `linear`, `conv`, `padding`, `embedding` | affine maps, convolutions, pooling, padding, lookup |
//! | `norm`, `dropout` | normalization, dropout |
//! | `loss` | losses |
//!
//! A function takes what is always given; its form that ends in `_with` takes the options too.

mod activation;
mod conv;
mod dropout;
mod embedding;
mod linear;
mod loss;
mod norm;
mod options;
mod padding;

pub use activation::*;
pub use conv::*;
pub use dropout::{alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout};
pub use embedding::{EmbeddingOptions, embedding, embedding_with, one_hot};
pub use linear::linear;
pub use loss::*;
pub use norm::*;
pub use padding::{PadMode, PadOptions, pad, pad_with};

pub(crate) use dropout::{expect_images, expect_volumes};
