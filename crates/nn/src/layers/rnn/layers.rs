//! `RNN`, `LSTM` and `GRU` over whole sequences.

use super::config::{Config, check_state};
use super::step::{RNNNonlinearity, State, Unit};
use crate::utils::rnn::PackedSequence;
use crate::{Core, Custom, Forward, Module};
use firebrick_core::{Error, Result, Tensor};

/// A sequence with its batch dimension second, and whether it came with one.
fn batched(class: &str, input: &Tensor, batch_first: bool, tensor: &str) -> Result<(Tensor, bool)> {
    match input.dim() {
        3 if batch_first => Ok((input.transpose(0, 1)?, true)),
        3 => Ok((input.clone(), true)),
        2 => Ok((input.unsqueeze(1)?, false)),
        rank => {
            let text = format!("{class}: Expected input to be 2D or 3D, got {rank}D{tensor} instead");
            Err(Error::value("RNN", text))
        }
    }
}

/// A result as the input came: batch first, or without batch.
fn unbatched(output: Tensor, with_batch: bool, batch_first: bool) -> Result<Tensor> {
    match (with_batch, batch_first) {
        (false, _) => output.squeeze_dim(1),
        (true, true) => output.transpose(0, 1),
        (true, false) => Ok(output),
    }
}

/// A hidden state as it was given for an input with or without batch.
fn given_state(state: Tensor, with_batch: bool) -> Result<Tensor> {
    let (rank, wanted) = (state.dim(), if with_batch { 3 } else { 2 });
    if rank != wanted {
        let kind = if with_batch { "batched 3-D" } else { "unbatched 2-D" };
        let text = format!("For {kind} input, hx should also be {wanted}-D but got {rank}-D tensor");
        return Err(Error::runtime("RNN", text));
    }
    if with_batch { Ok(state) } else { state.unsqueeze(1) }
}

macro_rules! recurrent {
    ($(#[$doc:meta])* $name:ident, $(#[$options:meta])* $builder:ident, $unit:expr) => {
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            #[module(skip)]
            config: Config,
        }

        impl $name {
            /// One layer in one direction, with biases.
            ///
            /// # Errors
            /// Sizes of zero.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let rnn = nn::", stringify!($name), "::new(3, 4)?;")]
            #[doc = concat!("assert_eq!(rnn.to_string(), \"", stringify!($name), "(3, 4)\");")]
            /// assert_eq!(rnn.call(Tensor::ones([5, 2, 3])?)?.0.shape(), [5, 2, 4]);
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn new(input_size: usize, hidden_size: usize) -> Result<Self> {
                Self::builder(input_size, hidden_size).build()
            }

            /// A layer with options.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let rnn = nn::", stringify!($name), "::builder(3, 4).num_layers(2).build()?;")]
            /// assert!(rnn.get_parameter("weight_hh_l1").is_ok());
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn builder(input_size: usize, hidden_size: usize) -> $builder {
                $builder(Config::new($unit, input_size, hidden_size))
            }

            /// Draws new values for the parameters: uniform within one over the root of the hidden size.
            ///
            /// # Errors
            /// When memory cannot be written.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let rnn = nn::", stringify!($name), "::new(3, 4)?;")]
            /// let weight = rnn.get_parameter("weight_ih_l0")?;
            /// let before = weight.to_vec::<f32>()?;
            /// rnn.reset_parameters()?;
            /// assert_ne!(weight.to_vec::<f32>()?, before);
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn reset_parameters(&self) -> Result<()> {
                self.config.reset(&self.core)
            }
        }

        #[doc = concat!("Options of [`", stringify!($name), "`].")]
        ///
        $(#[$options])*
        #[derive(Clone, Debug)]
        pub struct $builder(Config);

        impl $builder {
            /// How many layers stand on each other; one unless set.
            pub fn num_layers(mut self, layers: usize) -> Self {
                self.0.num_layers = layers;
                self
            }

            /// Are there biases? There are by default.
            pub fn bias(mut self, bias: bool) -> Self {
                self.0.bias = bias;
                self
            }

            /// Does the batch come first, rather than the sequence? The sequence unless set.
            pub fn batch_first(mut self, on: bool) -> Self {
                self.0.batch_first = on;
                self
            }

            /// Dropout between layers, while training; 0 unless set.
            pub fn dropout(mut self, p: f64) -> Self {
                self.0.dropout = p;
                self
            }

            /// Is the sequence read in both directions? Forward only unless set.
            pub fn bidirectional(mut self, on: bool) -> Self {
                self.0.bidirectional = on;
                self
            }

            $crate::layers::placement::placement!($name::builder(3, 4), in 0);

            /// The layer.
            ///
            /// # Errors
            /// Sizes of zero, a dropout that is no probability.
            pub fn build(self) -> Result<$name> {
                self.0.check()?;
                let mut layer = $name { core: Core::new(), config: self.0.clone() };
                self.0.register(&mut layer)?;
                Ok(layer)
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                self.config.extra_repr()
            }
        }
    };
}

/// The calls of layers whose state is one tensor.
macro_rules! single_state {
    ($name:ident, $tensor:literal) => {
        impl Forward<(Tensor, Option<Tensor>), (Tensor, Tensor)> for $name {
            fn forward(&self, (input, state): (Tensor, Option<Tensor>)) -> Result<(Tensor, Tensor)> {
                let config = &self.config;
                let (x, with_batch) = batched(stringify!($name), &input, config.batch_first, $tensor)?;
                let expected = config.expected(x.size(1)?, config.hidden_size);
                let hidden = match state {
                    Some(state) => given_state(state, with_batch)?,
                    None => x.detach().new_zeros(expected)?,
                };
                config.check_input(&self.core, &x)?;
                check_state("hidden", &hidden, expected)?;
                let (output, last) =
                    config.run(&self.core, (&x, None), State { hidden, cell: None }, self.is_training())?;
                let last = if with_batch { last.hidden } else { last.hidden.squeeze_dim(1)? };
                Ok((unbatched(output, with_batch, config.batch_first)?, last))
            }
        }

        impl Forward<Tensor, (Tensor, Tensor)> for $name {
            fn forward(&self, input: Tensor) -> Result<(Tensor, Tensor)> {
                self.forward((input, None))
            }
        }

        impl Forward<(PackedSequence, Option<Tensor>), (PackedSequence, Tensor)> for $name {
            fn forward(&self, (input, state): (PackedSequence, Option<Tensor>)) -> Result<(PackedSequence, Tensor)> {
                let first = state.map(|hidden| State { hidden, cell: None });
                let (output, last) = self.config.run_packed(&self.core, &input, first, self.is_training())?;
                Ok((output, last.hidden))
            }
        }

        impl Forward<PackedSequence, (PackedSequence, Tensor)> for $name {
            fn forward(&self, input: PackedSequence) -> Result<(PackedSequence, Tensor)> {
                self.forward((input, None))
            }
        }
    };
}

recurrent! {
    /// A recurrent network of Elman units: `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)` in each layer and direction.
    ///
    /// # Shapes
    /// Input `[L, N, input_size]`, `[N, L, input_size]` with `batch_first`, or `[L, input_size]`; first state
    /// `[layers * directions, N, hidden_size]` or `None` for zeros. Output `[L, N, directions * hidden_size]` and the last
    /// state. Of a [`PackedSequence`] the output is one, too.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let rnn = nn::RNN::builder(3, 4).num_layers(2).build()?;
    /// assert_eq!(rnn.to_string(), "RNN(3, 4, num_layers=2)");
    /// let (output, state) = rnn.call(Tensor::ones([5, 2, 3])?)?;
    /// assert_eq!((output.shape().to_vec(), state.shape().to_vec()), (vec![5, 2, 4], vec![2, 2, 4]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    RNN,
    /// ```
    /// use firebrick::prelude::*;
    /// let rnn = nn::RNN::builder(3, 4)
    ///     .nonlinearity(nn::RNNNonlinearity::Relu)
    ///     .batch_first(true)
    ///     .bias(false)
    ///     .dtype(DType::F64)
    ///     .device(Device::Cpu)
    ///     .build()?;
    /// assert_eq!(rnn.to_string(), "RNN(3, 4, bias=False, batch_first=True)");
    /// let (output, state) = rnn.call(Tensor::ones_with([2, 5, 3], DType::F64)?)?;
    /// assert_eq!((output.shape().to_vec(), state.shape().to_vec()), (vec![2, 5, 4], vec![1, 2, 4]));
    /// let rnn = nn::RNN::builder(3, 4).num_layers(2).bidirectional(true).dropout(0.5).build()?;
    /// assert_eq!(rnn.to_string(), "RNN(3, 4, num_layers=2, dropout=0.5, bidirectional=True)");
    /// let (output, state) = rnn.call(Tensor::ones([5, 2, 3])?)?;
    /// assert_eq!((output.shape().to_vec(), state.shape().to_vec()), (vec![5, 2, 8], vec![4, 2, 4]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    RNNBuilder, Unit::Elman(RNNNonlinearity::Tanh)
}

impl RNNBuilder {
    /// The units' function; the hyperbolic tangent unless set.
    pub fn nonlinearity(mut self, nonlinearity: RNNNonlinearity) -> Self {
        self.0.unit = Unit::Elman(nonlinearity);
        self
    }
}

single_state! { RNN, " tensor" }

recurrent! {
    /// A recurrent network of gated units. Cho et al., *Learning Phrase Representations* (2014).
    ///
    /// `r = sigmoid(W_ir x + W_hr h)`, `z = sigmoid(W_iz x + W_hz h)`, `n = tanh(W_in x + r * (W_hn h))`,
    /// `h' = (1 - z) * n + z * h`, each product with its bias.
    ///
    /// # Shapes
    /// As [`RNN`].
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let gru = nn::GRU::builder(3, 4).bidirectional(true).build()?;
    /// let (output, state) = gru.call(Tensor::ones([5, 3])?)?;
    /// assert_eq!((output.shape().to_vec(), state.shape().to_vec()), (vec![5, 8], vec![2, 4]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    GRU,
    /// ```
    /// use firebrick::prelude::*;
    /// let gru = nn::GRU::builder(3, 4).num_layers(3).dropout(0.25).batch_first(true).build()?;
    /// assert_eq!(gru.to_string(), "GRU(3, 4, num_layers=3, batch_first=True, dropout=0.25)");
    /// assert_eq!(gru.call(Tensor::ones([2, 5, 3])?)?.1.shape(), [3, 2, 4]);
    /// let gru = nn::GRU::builder(3, 4).bias(false).build()?;
    /// assert_eq!(gru.state_dict().keys().collect::<Vec<_>>(), ["weight_ih_l0", "weight_hh_l0"]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    GRUBuilder, Unit::Gru
}

single_state! { GRU, "" }

recurrent! {
    /// A recurrent network of long short-term memory units. Hochreiter and Schmidhuber (1997).
    ///
    /// `i, f, o = sigmoid(..)`, `g = tanh(..)`, each of `W_i x + b_i + W_h h + b_h`; `c' = f * c + i * g`,
    /// `h' = o * tanh(c')`, then projected where `proj_size` is set.
    ///
    /// # Shapes
    /// As [`RNN`], with a pair of hidden state and cell for the state; with projections hidden states have `proj_size`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let lstm = nn::LSTM::builder(3, 4).batch_first(true).build()?;
    /// assert_eq!(lstm.to_string(), "LSTM(3, 4, batch_first=True)");
    /// let (output, (hidden, cell)) = lstm.call(Tensor::ones([2, 5, 3])?)?;
    /// assert_eq!(output.shape(), [2, 5, 4]);
    /// assert_eq!((hidden.shape().to_vec(), cell.shape().to_vec()), (vec![1, 2, 4], vec![1, 2, 4]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    LSTM,
    /// ```
    /// use firebrick::prelude::*;
    /// let lstm = nn::LSTM::builder(3, 4).num_layers(2).bias(false).dropout(0.5).bidirectional(true).proj_size(2).build()?;
    /// assert_eq!(
    ///     lstm.to_string(),
    ///     "LSTM(3, 4, proj_size=2, num_layers=2, bias=False, dropout=0.5, bidirectional=True)"
    /// );
    /// let (output, (hidden, cell)) = lstm.call(Tensor::ones([5, 3])?)?;
    /// assert_eq!(output.shape(), [5, 4]); // two directions of two numbers
    /// assert_eq!((hidden.shape().to_vec(), cell.shape().to_vec()), (vec![4, 2], vec![4, 4]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    LSTMBuilder, Unit::Lstm
}

impl LSTMBuilder {
    /// Projects hidden states to this size; 0, the default, does not.
    pub fn proj_size(mut self, size: usize) -> Self {
        self.0.proj_size = size;
        self
    }
}

/// Hidden state and cell as they were given for an input with or without batch.
fn given_pair((hidden, cell): (Tensor, Tensor), with_batch: bool) -> Result<(Tensor, Tensor)> {
    let (wanted, ranks) = (if with_batch { 3 } else { 2 }, (hidden.dim(), cell.dim()));
    if ranks != (wanted, wanted) {
        let kind = if with_batch { "batched 3-D" } else { "unbatched 2-D" };
        let text = format!(
            "For {kind} input, hx and cx should also be {wanted}-D but got ({}-D, {}-D) tensors",
            ranks.0, ranks.1
        );
        return Err(Error::runtime("LSTM", text));
    }
    if with_batch { Ok((hidden, cell)) } else { Ok((hidden.unsqueeze(1)?, cell.unsqueeze(1)?)) }
}

impl Forward<(Tensor, Option<(Tensor, Tensor)>), (Tensor, (Tensor, Tensor))> for LSTM {
    fn forward(&self, (input, state): (Tensor, Option<(Tensor, Tensor)>)) -> Result<(Tensor, (Tensor, Tensor))> {
        let config = &self.config;
        let (x, with_batch) = batched("LSTM", &input, config.batch_first, "")?;
        let batch = x.size(1)?;
        let expected = [config.expected(batch, config.state_size()), config.expected(batch, config.hidden_size)];
        let zeros = |d: usize| x.detach().new_zeros(expected[d]);
        let (hidden, cell) = match state {
            Some(pair) => given_pair(pair, with_batch)?,
            None => (zeros(0)?, zeros(1)?),
        };
        config.check_input(&self.core, &x)?;
        check_state("hidden[0]", &hidden, expected[0])?;
        check_state("hidden[1]", &cell, expected[1])?;
        let first = State { hidden, cell: Some(cell) };
        let (output, last) = config.run(&self.core, (&x, None), first, self.is_training())?;
        let shaped = |state: Tensor| if with_batch { Ok(state) } else { state.squeeze_dim(1) };
        let output = unbatched(output, with_batch, config.batch_first)?;
        let (hidden, cell) = last.into_pair()?;
        Ok((output, (shaped(hidden)?, shaped(cell)?)))
    }
}

impl Forward<Tensor, (Tensor, (Tensor, Tensor))> for LSTM {
    fn forward(&self, input: Tensor) -> Result<(Tensor, (Tensor, Tensor))> {
        self.forward((input, None))
    }
}

impl Forward<(PackedSequence, Option<(Tensor, Tensor)>), (PackedSequence, (Tensor, Tensor))> for LSTM {
    fn forward(
        &self,
        (input, state): (PackedSequence, Option<(Tensor, Tensor)>),
    ) -> Result<(PackedSequence, (Tensor, Tensor))> {
        let first = state.map(|(hidden, cell)| State { hidden, cell: Some(cell) });
        let (output, last) = self.config.run_packed(&self.core, &input, first, self.is_training())?;
        Ok((output, last.into_pair()?))
    }
}

impl Forward<PackedSequence, (PackedSequence, (Tensor, Tensor))> for LSTM {
    fn forward(&self, input: PackedSequence) -> Result<(PackedSequence, (Tensor, Tensor))> {
        self.forward((input, None))
    }
}
