//! Transformers: layers, stacks of layers, and the model of both.
//!
//! | file | what it holds |
//! |---|---|
//! | `calls` | masks and hints of one call |
//! | `config` | what a layer is built from, and the options that all builders share |
//! | `activation` | the function between the two linear maps of a layer |
//! | `causal` | the mask under which nothing sees what comes after it |
//! | `encoder_layer`, `decoder_layer` | one layer |
//! | `encoder`, `decoder` | several, and a norm |
//! | `model` | encoder and decoder |

mod activation;
mod calls;
mod causal;
mod config;
mod decoder;
mod decoder_layer;
mod encoder;
mod encoder_layer;
mod model;

pub use activation::Activation;
pub use calls::{
    TransformerCall, TransformerDecoderCall, TransformerDecoderLayerCall, TransformerEncoderCall,
    TransformerEncoderLayerCall,
};
pub use decoder::TransformerDecoder;
pub use decoder_layer::{TransformerDecoderLayer, TransformerDecoderLayerBuilder};
pub use encoder::TransformerEncoder;
pub use encoder_layer::{TransformerEncoderLayer, TransformerEncoderLayerBuilder};
pub use model::{Transformer, TransformerBuilder};
