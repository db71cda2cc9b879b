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

use crate::{Module, ModuleExt, ModuleList};
use firebrick_core::{DType, Device, Result, Tensor, TensorOptions};

/// What one layer takes at least, whatever its sizes: names, handles and storages of its parameters.
const LAYER_BYTES: usize = 1 << 14;

/// Copies of a layer, one for each place of a stack.
fn copies<M: Module>(layer: &M, count: usize) -> Result<ModuleList<M>> {
    // Refuses more layers than there is memory to list.
    Tensor::empty_with([count, LAYER_BYTES], TensorOptions::from(DType::U8).device(Device::Cpu))?;
    (0..count).map(|_| layer.deep_clone()).collect()
}
