//! One step of each recurrent unit, and a run of steps over a sequence.

use firebrick_core::{Error, Result, Tensor};
use std::str::FromStr;

/// The function of an Elman unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RNNNonlinearity {
    /// The hyperbolic tangent.
    #[default]
    Tanh,
    /// Cut off below zero.
    Relu,
}

impl RNNNonlinearity {
    /// PyTorch's name.
    pub fn name(self) -> &'static str {
        match self {
            RNNNonlinearity::Tanh => "tanh",
            RNNNonlinearity::Relu => "relu",
        }
    }

    fn apply(self, x: &Tensor) -> Result<Tensor> {
        match self {
            RNNNonlinearity::Tanh => x.tanh(),
            RNNNonlinearity::Relu => x.relu(),
        }
    }
}

impl FromStr for RNNNonlinearity {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "tanh" => Ok(RNNNonlinearity::Tanh),
            "relu" => Ok(RNNNonlinearity::Relu),
            other => Err(Error::value("RNN", format!("Unknown nonlinearity '{other}'. Select from 'tanh' or 'relu'."))),
        }
    }
}

/// Which unit, by what it does with its gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Elman(RNNNonlinearity),
    Lstm,
    Gru,
}

impl Unit {
    /// Blocks of `hidden_size` rows in each weight.
    pub fn gates(self) -> usize {
        match self {
            Unit::Elman(_) => 1,
            Unit::Lstm => 4,
            Unit::Gru => 3,
        }
    }
}

/// The parameters of one unit.
pub(super) struct Weights<'a> {
    pub input: &'a Tensor,
    pub hidden: &'a Tensor,
    pub input_bias: Option<&'a Tensor>,
    pub hidden_bias: Option<&'a Tensor>,
    /// From the hidden state to a smaller one, of an LSTM with projections.
    pub projection: Option<&'a Tensor>,
}

/// The hidden state and, of an LSTM, the cell.
#[derive(Clone)]
pub(super) struct State {
    pub hidden: Tensor,
    pub cell: Option<Tensor>,
}

impl Unit {
    /// The next state from what the input gives to the gates.
    fn advance(self, gates: &Tensor, state: &State, weights: &Weights<'_>) -> Result<State> {
        let carried = state.hidden.linear(weights.hidden, weights.hidden_bias)?;
        match (self, &state.cell) {
            (Unit::Elman(function), _) => Ok(State { hidden: function.apply(&gates.add(&carried)?)?, cell: None }),
            (Unit::Lstm, Some(cell)) => {
                let parts = gates.add(&carried)?.chunk(4, -1)?;
                let [input, forget, new, output] = &parts[..] else { return Err(gate_error()) };
                let kept = forget.sigmoid()?.mul(cell)?;
                let cell = kept.add(&input.sigmoid()?.mul(&new.tanh()?)?)?;
                let hidden = output.sigmoid()?.mul(&cell.tanh()?)?;
                let hidden = match weights.projection {
                    Some(projection) => hidden.linear(projection, None)?,
                    None => hidden,
                };
                Ok(State { hidden, cell: Some(cell) })
            }
            (Unit::Lstm, None) => Err(Error::runtime("LSTM", "an LSTM needs a cell state")),
            (Unit::Gru, _) => {
                let (given, carried) = (gates.chunk(3, -1)?, carried.chunk(3, -1)?);
                let ([r, z, n], [hr, hz, hn]) = (&given[..], &carried[..]) else { return Err(gate_error()) };
                let (reset, update) = (r.add(hr)?.sigmoid()?, z.add(hz)?.sigmoid()?);
                let new = n.add(&reset.mul(hn)?)?.tanh()?;
                Ok(State { hidden: state.hidden.sub(&new)?.mul(&update)?.add(&new)?, cell: None })
            }
        }
    }

    /// One step from an input `[N, features]`.
    pub fn step(self, input: &Tensor, state: &State, weights: &Weights<'_>) -> Result<State> {
        self.advance(&input.linear(weights.input, weights.input_bias)?, state, weights)
    }

    /// All steps over `[L, N, features]`, from the end when `reverse`: the hidden states in the input's order, and the
    /// state after the last step.
    pub fn run(self, input: &Tensor, first: State, weights: &Weights<'_>, reverse: bool) -> Result<(Tensor, State)> {
        // What the input gives to the gates is one product for all steps.
        let mut gates = input.linear(weights.input, weights.input_bias)?.unbind(0)?;
        if reverse {
            gates.reverse();
        }
        let mut state = first;
        let mut hidden = Vec::with_capacity(gates.len());
        for gates in &gates {
            state = self.advance(gates, &state, weights)?;
            hidden.push(state.hidden.clone());
        }
        if reverse {
            hidden.reverse();
        }
        Ok((Tensor::stack(&hidden, 0)?, state))
    }
}

fn gate_error() -> Error {
    Error::runtime("RNN", "the weights have no whole number of gates")
}
