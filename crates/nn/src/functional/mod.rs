//! Layers as functions: PyTorch's `torch.nn.functional`.
//!
//! | file | what it holds |
//! |---|---|
//! | `activation`, `attention` | activation functions, softmax, attention |
//! | `linear`, `conv`, `padding`, `embedding`, `embedding_bag` | affine maps, convolutions, maximum pooling, padding, lookup |
//! | `pooling`, `vision` | averages and other poolings; interpolation, patches, grids |
//! | `norm`, `response`, `dropout` | normalization, dropout |
//! | `loss` | losses |
//!
//! A function takes what is always given; its form that ends in `_with` takes the options too.

mod activation;
mod attention;
mod conv;
mod dropout;
mod embedding;
mod embedding_bag;
mod linear;
mod loss;
mod norm;
mod options;
mod padding;
mod pooling;
mod response;
mod vision;

pub use activation::*;
pub use attention::*;
pub use conv::*;
pub use dropout::{alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout};
pub use embedding::{EmbeddingOptions, embedding, embedding_with, one_hot};
pub use embedding_bag::{embedding_bag, embedding_bag_with};
pub use linear::{bilinear, linear};
pub use loss::*;
pub use norm::*;
pub use padding::{PadMode, PadOptions, pad, pad_with};
pub use pooling::*;
pub use response::local_response_norm;
pub use vision::*;

pub(crate) use dropout::{expect_images, expect_volumes};
