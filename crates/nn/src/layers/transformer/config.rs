//! What a layer is built from, and the options that all builders share.

use super::Activation;
use crate::{Dropout, Field, LayerNorm, Linear, Memo, MultiheadAttention};
use firebrick_core::{DType, Device, Result, default_device, default_dtype};

/// What a layer is built from.
#[derive(Debug)]
pub(super) struct Config {
    pub d_model: usize,
    pub nhead: usize,
    pub dim_feedforward: usize,
    pub dropout: f64,
    pub activation: Activation,
    pub layer_norm_eps: f64,
    pub batch_first: bool,
    pub norm_first: bool,
    pub bias: bool,
    pub dtype: DType,
    pub device: Device,
}

impl Config {
    pub fn new(d_model: usize, nhead: usize) -> Self {
        Config {
            d_model,
            nhead,
            dim_feedforward: 2048,
            dropout: 0.1,
            activation: Activation::ReLU,
            layer_norm_eps: 1e-5,
            batch_first: false,
            norm_first: false,
            bias: true,
            dtype: default_dtype(),
            device: default_device(),
        }
    }

    /// The same for another layer.
    pub fn copy(&self) -> Result<Self> {
        let activation = self.activation.clone_with(&mut Memo::new())?;
        Ok(Config { activation, ..*self })
    }

    pub fn attention(&self) -> Result<MultiheadAttention> {
        let builder = MultiheadAttention::builder(self.d_model, self.nhead).dropout(self.dropout).bias(self.bias);
        builder.batch_first(self.batch_first).dtype(self.dtype).device(self.device).build()
    }

    /// The linear map into the wide space.
    pub fn widen(&self) -> Result<Linear> {
        self.linear(self.d_model, self.dim_feedforward)
    }

    /// The linear map back.
    pub fn narrow(&self) -> Result<Linear> {
        self.linear(self.dim_feedforward, self.d_model)
    }

    fn linear(&self, inputs: usize, outputs: usize) -> Result<Linear> {
        Linear::builder(inputs, outputs).bias(self.bias).dtype(self.dtype).device(self.device).build()
    }

    pub fn norm(&self) -> Result<LayerNorm> {
        let builder = LayerNorm::builder([self.d_model]).eps(self.layer_norm_eps).bias(self.bias);
        builder.dtype(self.dtype).device(self.device).build()
    }

    pub fn dropout(&self) -> Result<Dropout> {
        Dropout::new(self.dropout)
    }
}

/// The options that all builders share, for the builder, with a field `config`, of a layer.
macro_rules! shared_options {
    ($layer:ident) => {
        /// Features between the two linear maps; 2048 unless set.
        pub fn dim_feedforward(mut self, size: usize) -> Self {
            self.config.dim_feedforward = size;
            self
        }

        /// The share of elements and of attention's weights that is dropped while training; 0.1 unless set.
        pub fn dropout(mut self, p: f64) -> Self {
            self.config.dropout = p;
            self
        }

        /// What is applied between the two linear maps; ReLU unless set. By name: `"gelu".parse()?`.
        pub fn activation(mut self, activation: $crate::Activation) -> Self {
            self.config.activation = activation;
            self
        }

        /// What norms add to the variance; 1e-5 unless set.
        pub fn layer_norm_eps(mut self, eps: f64) -> Self {
            self.config.layer_norm_eps = eps;
            self
        }

        /// Does the batch come first, rather than the sequence? The sequence unless set.
        pub fn batch_first(mut self, on: bool) -> Self {
            self.config.batch_first = on;
            self
        }

        /// Do norms stand before attention and the linear maps, rather than behind the sums? Behind unless set.
        pub fn norm_first(mut self, on: bool) -> Self {
            self.config.norm_first = on;
            self
        }

        /// Do the linear maps and norms have biases? They do by default.
        pub fn bias(mut self, on: bool) -> Self {
            self.config.bias = on;
            self
        }

        $crate::layers::placement::placement!($layer::builder(4, 2), in config);
    };
}

pub(super) use shared_options;
