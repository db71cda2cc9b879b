//! Layers as functions: PyTorch's `torch.nn.functional`.
//!
//! | file | what it holds |
//! |---|---|
//! | `activation`, `attention`, `multi_head_attention` | activation functions, softmax, attention |
//! | `linear`, `conv`, `padding`, `embedding`, `embedding_bag` | affine maps, convolutions, maximum pooling, padding, lookup |
//! | `pooling`, `max_unpool`, `vision` | averages and other poolings; interpolation, patches, grids |
//! | `norm`, `response`, `dropout` | normalization, dropout |
//! | `loss`, `likelihood`, `margin`, `distance`, `ctc`, `linear_cross_entropy` | losses, distances |
//!
//! A function takes what is always given; its form that ends in `_with` takes the options too.

mod activation;
mod attention;
mod conv;
mod ctc;
mod distance;
mod dropout;
mod embedding;
mod embedding_bag;
mod likelihood;
mod linear;
mod linear_cross_entropy;
mod loss;
mod margin;
mod max_unpool;
mod multi_head_attention;
mod norm;
mod padding;
mod pooling;
mod response;
mod vision;

pub use activation::*;
pub use attention::*;
pub use conv::*;
pub use ctc::ctc_loss;
pub use distance::*;
pub use dropout::{alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout};
pub use embedding::{EmbeddingOptions, embedding, embedding_with, one_hot};
pub use embedding_bag::{embedding_bag, embedding_bag_with};
pub use likelihood::{gaussian_nll_loss, poisson_nll_loss};
pub use linear::{bilinear, linear};
pub use linear_cross_entropy::*;
pub use loss::*;
pub use margin::*;
pub use max_unpool::*;
pub use multi_head_attention::{MultiHeadAttentionOptions, multi_head_attention_forward};
pub use norm::*;
pub use padding::{PadMode, PadOptions, pad, pad_with};
pub use pooling::*;
pub use response::local_response_norm;
pub use vision::*;

pub(crate) use dropout::{expect_images, expect_volumes};
pub(crate) use multi_head_attention::canonical_mask;
