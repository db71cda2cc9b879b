//! Layers as functions: PyTorch's `torch.nn.functional`.
//!
//! | file | what it holds |
//! |---|---|
//! | `activation` | activation functions, softmax |
//! | `linear`, `conv`, `padding`, `embedding` | affine maps, convolutions, pooling, padding, lookup |
//! | `norm`, `dropout` | normalization, dropout |
//! | `loss`, `likelihood`, `margin`, `distance` | losses, distances |
//!
//! A function takes what is always given; its form that ends in `_with` takes the options too.

mod activation;
mod conv;
mod distance;
mod dropout;
mod embedding;
mod likelihood;
mod linear;
mod loss;
mod margin;
mod norm;
mod options;
mod padding;

pub use activation::*;
pub use conv::*;
pub use distance::*;
pub use dropout::{alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout};
pub use embedding::{EmbeddingOptions, embedding, embedding_with, one_hot};
pub use likelihood::{gaussian_nll_loss, poisson_nll_loss};
pub use linear::linear;
pub use loss::*;
pub use margin::*;
pub use norm::*;
pub use padding::{PadMode, PadOptions, pad, pad_with};

pub(crate) use dropout::{expect_images, expect_volumes};
