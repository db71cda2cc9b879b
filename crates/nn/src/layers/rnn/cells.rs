//! Single steps of recurrent units.

use super::step::{RNNNonlinearity, State, Unit};
use crate::{Core, Custom, Forward, Module, init};
use firebrick_core::text::Repr;
use firebrick_core::{
    DType, Device, Error, Parameter, RecurrentWeights as Weights, Result, Tensor, TensorOptions, default_device,
    default_dtype,
};

/// What a cell is built from.
#[derive(Clone, Debug)]
struct Config {
    unit: Unit,
    input_size: usize,
    hidden_size: usize,
    bias: bool,
    dtype: DType,
    device: Device,
}

/// Parameters in PyTorch's order: the weights of input and state, then their biases.
struct Parts([Parameter; 2], [Option<Parameter>; 2]);

impl Parts {
    fn new(config: &Config) -> Result<Self> {
        let options = TensorOptions::new().dtype(config.dtype).device(config.device);
        let rows = config.unit.gates().saturating_mul(config.hidden_size);
        let weight = |columns: usize| Tensor::empty_with([rows, columns], options).map(Parameter::new);
        let bias = || config.bias.then(|| Tensor::empty_with([rows], options).map(Parameter::new)).transpose();
        Ok(Parts([weight(config.input_size)?, weight(config.hidden_size)?], [bias()?, bias()?]))
    }

    fn reset(&self, hidden_size: usize) -> Result<()> {
        let bound = if hidden_size > 0 { 1.0 / (hidden_size as f64).sqrt() } else { 0.0 };
        for parameter in self.0.iter().chain(self.1.iter().flatten()) {
            init::uniform_(parameter, -bound, bound)?;
        }
        Ok(())
    }
}

/// An input with batch, and whether it came with one.
fn batched(class: &'static str, input: &Tensor) -> Result<(Tensor, bool)> {
    match input.dim() {
        2 => Ok((input.clone(), true)),
        1 => Ok((input.unsqueeze(0)?, false)),
        rank => Err(Error::value(class, format!("{class}: Expected input to be 1D or 2D, got {rank}D instead"))),
    }
}

/// Refuses sizes that do not fit.
fn check(class: &'static str, config: &Config, input: &Tensor, states: &[&Tensor]) -> Result<()> {
    let refuse = |text: String| Err(Error::runtime(class, text));
    let (batch, features) = (input.size(0)?, input.size(1)?);
    if features != config.input_size {
        return refuse(format!("input has inconsistent input_size: got {features} expected {}", config.input_size));
    }
    for (i, state) in states.iter().enumerate() {
        if state.size(0)? != batch {
            return refuse(format!("Input batch size {batch} doesn't match hidden{i} batch size {}", state.size(0)?));
        }
        let size = state.size(-1)?;
        if size != config.hidden_size {
            let wanted = config.hidden_size;
            return refuse(format!("hidden{i} has inconsistent hidden_size: got {size}, expected {wanted}"));
        }
    }
    Ok(())
}

macro_rules! cell {
    ($(#[$doc:meta])* $name:ident, $(#[$options:meta])* $builder:ident, $unit:expr) => {
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            /// `[gates * hidden_size, input_size]`.
            pub weight_ih: Parameter,
            /// `[gates * hidden_size, hidden_size]`.
            pub weight_hh: Parameter,
            /// `[gates * hidden_size]`.
            pub bias_ih: Option<Parameter>,
            /// `[gates * hidden_size]`.
            pub bias_hh: Option<Parameter>,
            #[module(skip)]
            config: Config,
        }

        impl $name {
            /// A cell with biases.
            ///
            /// # Errors
            /// When memory for the parameters cannot be had.
            pub fn new(input_size: usize, hidden_size: usize) -> Result<Self> {
                Self::builder(input_size, hidden_size).build()
            }

            /// A cell with options.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let cell = nn::", stringify!($name), "::builder(3, 4).bias(false).build()?;")]
            #[doc = concat!("assert_eq!(cell.to_string(), \"", stringify!($name), "(3, 4, bias=False)\");")]
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn builder(input_size: usize, hidden_size: usize) -> $builder {
                let (dtype, device) = (default_dtype(), default_device());
                $builder(Config { unit: $unit, input_size, hidden_size, bias: true, dtype, device })
            }

            fn weights(&self) -> Weights<'_> {
                Weights {
                    input: &self.weight_ih,
                    hidden: &self.weight_hh,
                    input_bias: self.bias_ih.as_deref(),
                    hidden_bias: self.bias_hh.as_deref(),
                    projection: None,
                }
            }
        }

        #[doc = concat!("Options of [`", stringify!($name), "`].")]
        ///
        $(#[$options])*
        #[derive(Clone, Debug)]
        pub struct $builder(Config);

        impl $builder {
            /// Are there biases? There are by default.
            pub fn bias(mut self, bias: bool) -> Self {
                self.0.bias = bias;
                self
            }

            $crate::layers::placement::placement!($name::builder(3, 4), in 0);

            /// The cell.
            ///
            /// # Errors
            /// When memory for the parameters cannot be had.
            pub fn build(self) -> Result<$name> {
                let parts = Parts::new(&self.0)?;
                parts.reset(self.0.hidden_size)?;
                let Parts([weight_ih, weight_hh], [bias_ih, bias_hh]) = parts;
                Ok($name { core: Core::new(), weight_ih, weight_hh, bias_ih, bias_hh, config: self.0 })
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                let config = &self.config;
                let mut text = format!("{}, {}", config.input_size, config.hidden_size);
                if !config.bias {
                    text += &format!(", bias={}", false.repr());
                }
                if let Unit::Elman(function) = config.unit
                    && function != RNNNonlinearity::Tanh
                {
                    text += &format!(", nonlinearity={}", function.name());
                }
                text
            }
        }
    };
}

/// The calls of cells whose state is one tensor.
macro_rules! single_state {
    ($name:ident) => {
        impl Forward<(Tensor, Option<Tensor>)> for $name {
            fn forward(&self, (input, state): (Tensor, Option<Tensor>)) -> Result<Tensor> {
                const CLASS: &str = stringify!($name);
                let (x, with_batch) = batched(CLASS, &input)?;
                let hidden = match state {
                    Some(state) if !matches!(state.dim(), 1 | 2) => {
                        let text = format!("{CLASS}: Expected hidden to be 1D or 2D, got {}D instead", state.dim());
                        return Err(Error::value(CLASS, text));
                    }
                    Some(state) if with_batch => state,
                    Some(state) => state.unsqueeze(0)?,
                    None => x.detach().new_zeros([x.size(0)?, self.config.hidden_size])?,
                };
                check(CLASS, &self.config, &x, &[&hidden])?;
                let next = self.config.unit.step(&x, &State { hidden, cell: None }, &self.weights())?.hidden;
                if with_batch { Ok(next) } else { next.squeeze_dim(0) }
            }
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                self.forward((input, None))
            }
        }
    };
}

cell! {
    /// One step of an Elman unit: `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`.
    ///
    /// # Shapes
    /// Input `[N, input_size]` or `[input_size]`, state and result `[N, hidden_size]` or `[hidden_size]`; `None` is a state
    /// of zeros.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let cell = nn::RNNCell::new(3, 4)?;
    /// let first = cell.call(Tensor::ones([2, 3])?)?;
    /// assert_eq!(cell.call((Tensor::ones([2, 3])?, Some(first)))?.shape(), [2, 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    RNNCell,
    /// ```
    /// use firebrick::prelude::*;
    /// let cell = nn::RNNCell::builder(3, 4)
    ///     .bias(false)
    ///     .nonlinearity(nn::RNNNonlinearity::Relu)
    ///     .dtype(DType::F64)
    ///     .device(Device::Cpu)
    ///     .build()?;
    /// assert_eq!(cell.to_string(), "RNNCell(3, 4, bias=False, nonlinearity=relu)");
    /// nn::init::ones_(&cell.weight_ih)?;
    /// assert_eq!(cell.call(Tensor::ones_with([3], DType::F64)?)?.to_vec::<f64>()?, [3.0; 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    RNNCellBuilder, Unit::Elman(RNNNonlinearity::Tanh)
}

impl RNNCellBuilder {
    /// The unit's function; the hyperbolic tangent unless set.
    pub fn nonlinearity(mut self, nonlinearity: RNNNonlinearity) -> Self {
        self.0.unit = Unit::Elman(nonlinearity);
        self
    }
}

single_state! { RNNCell }

cell! {
    /// One step of a gated recurrent unit; see [`GRU`](crate::GRU).
    ///
    /// # Shapes
    /// As [`RNNCell`].
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::GRUCell::new(3, 4)?.call(Tensor::ones([2, 3])?)?.shape(), [2, 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    GRUCell,
    /// ```
    /// use firebrick::prelude::*;
    /// let cell = nn::GRUCell::builder(3, 4).bias(false).build()?;
    /// assert_eq!((cell.weight_ih.shape()?, cell.weight_hh.shape()?), ([12, 3].into(), [12, 4].into()));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    GRUCellBuilder, Unit::Gru
}

single_state! { GRUCell }

cell! {
    /// One step of a long short-term memory unit; see [`LSTM`](crate::LSTM). State and result are pairs of hidden state
    /// and cell.
    ///
    /// # Shapes
    /// As [`RNNCell`].
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (hidden, cell) = nn::LSTMCell::new(3, 4)?.call(Tensor::ones([3])?)?;
    /// assert_eq!((hidden.shape().to_vec(), cell.shape().to_vec()), (vec![4], vec![4]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    LSTMCell,
    /// ```
    /// use firebrick::prelude::*;
    /// let cell = nn::LSTMCell::builder(3, 4).bias(false).dtype(DType::F64).build()?;
    /// let (hidden, _) = cell.call(Tensor::ones_with([2, 3], DType::F64)?)?;
    /// assert_eq!((hidden.shape().to_vec(), hidden.dtype()), (vec![2, 4], DType::F64));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    LSTMCellBuilder, Unit::Lstm
}

impl Forward<(Tensor, Option<(Tensor, Tensor)>), (Tensor, Tensor)> for LSTMCell {
    fn forward(&self, (input, state): (Tensor, Option<(Tensor, Tensor)>)) -> Result<(Tensor, Tensor)> {
        const CLASS: &str = "LSTMCell";
        let (x, with_batch) = batched(CLASS, &input)?;
        let (hidden, cell) = match state {
            None => {
                let zeros = x.detach().new_zeros([x.size(0)?, self.config.hidden_size])?;
                (zeros.clone(), zeros)
            }
            Some((hidden, cell)) => {
                for (i, state) in [&hidden, &cell].into_iter().enumerate() {
                    if !matches!(state.dim(), 1 | 2) {
                        let text = format!("LSTMCell: Expected hx[{i}] to be 1D or 2D, got {}D instead", state.dim());
                        return Err(Error::value(CLASS, text));
                    }
                }
                if with_batch { (hidden, cell) } else { (hidden.unsqueeze(0)?, cell.unsqueeze(0)?) }
            }
        };
        check(CLASS, &self.config, &x, &[&hidden, &cell])?;
        let next = self.config.unit.step(&x, &State { hidden, cell: Some(cell) }, &self.weights())?;
        let cell = next.cell.ok_or_else(|| Error::runtime(CLASS, "the cell state is gone"))?;
        if with_batch { Ok((next.hidden, cell)) } else { Ok((next.hidden.squeeze_dim(0)?, cell.squeeze_dim(0)?)) }
    }
}

impl Forward<Tensor, (Tensor, Tensor)> for LSTMCell {
    fn forward(&self, input: Tensor) -> Result<(Tensor, Tensor)> {
        self.forward((input, None))
    }
}
