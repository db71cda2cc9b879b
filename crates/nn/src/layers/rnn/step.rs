//! One step of each recurrent unit, and a run of steps over a sequence.

use firebrick_core::{Error, RecurrentWeights as Weights, Result, Tensor};
use std::str::FromStr;

/// The function of an Elman unit.
///
/// ```
/// use firebrick::prelude::*;
/// let relu: nn::RNNNonlinearity = "relu".parse()?;
/// assert_eq!((relu, nn::RNNNonlinearity::default().name()), (nn::RNNNonlinearity::Relu, "tanh"));
/// # Ok::<_, firebrick::Error>(())
/// ```
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
                let (hidden, cell) = gates.add(&carried)?.lstm_step(cell)?;
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
        if let (Unit::Lstm, Some(cell)) = (self, &first.cell) {
            let (hidden, last, cell) = input.lstm_layer(&first.hidden, cell, weights, reverse)?;
            return Ok((hidden, State { hidden: last, cell: Some(cell) }));
        }
        // What the input gives to the gates is one product for all steps.
        let gates = input.linear(weights.input, weights.input_bias)?.unbind(0)?;
        let mut state = first;
        let hidden = in_turn(gates.len(), reverse, |t| {
            state = self.advance(&gates[t], &state, weights)?;
            Ok(state.hidden.clone())
        })?;
        Ok((Tensor::stack(&hidden, 0)?, state))
    }

    /// [`Unit::run`] over the rows of a packed sequence with so many sequences at each step: `[rows, features]`.
    pub fn run_packed(
        self,
        (rows, sizes): (&Tensor, &[usize]),
        first: State,
        weights: &Weights<'_>,
        reverse: bool,
    ) -> Result<(Tensor, State)> {
        let gates = split(&rows.linear(weights.input, weights.input_bias)?, sizes)?;
        // The state of the sequences that run, and the last states of those that are over, shortest last.
        let (mut state, mut over) =
            (first.part(0, if reverse { sizes[sizes.len() - 1] } else { sizes[0] })?, Vec::new());
        let hidden = in_turn(gates.len(), reverse, |t| {
            let (count, wanted) = (state.count()?, sizes[t]);
            if wanted < count {
                over.push(state.part(wanted, count - wanted)?);
                state = state.part(0, wanted)?;
            } else if wanted > count {
                state = State::cat(&[state.clone(), first.part(count, wanted - count)?])?;
            }
            state = self.advance(&gates[t], &state, weights)?;
            Ok(state.hidden.clone())
        })?;
        over.push(state);
        over.reverse();
        Ok((Tensor::cat(&hidden, 0)?, State::cat(&over)?))
    }
}

/// What `step` gives for each of `count` steps, taken from the end when `reverse`, in the order of the steps.
fn in_turn(count: usize, reverse: bool, step: impl FnMut(usize) -> Result<Tensor>) -> Result<Vec<Tensor>> {
    if !reverse {
        return (0..count).map(step).collect();
    }
    let mut all = (0..count).rev().map(step).collect::<Result<Vec<_>>>()?;
    all.reverse();
    Ok(all)
}

/// The rows of each step.
fn split(rows: &Tensor, sizes: &[usize]) -> Result<Vec<Tensor>> {
    let width = rows.size(-1)?;
    let mut start = 0;
    let mut parts = Vec::with_capacity(sizes.len());
    for (t, &size) in sizes.iter().enumerate() {
        if t > 0 && size > sizes[t - 1] {
            let before = sizes[t - 1];
            let text =
                format!("output with shape [{before}, {width}] doesn't match the broadcast shape [{size}, {width}]");
            return Err(Error::runtime("RNN", text).expected("batch_sizes that never grow"));
        }
        parts.push(rows.narrow(0, start, size as i64)?);
        start += size as i64;
    }
    Ok(parts)
}

impl State {
    /// How many sequences it is the state of.
    fn count(&self) -> Result<usize> {
        self.hidden.size(0)
    }

    /// The state of some sequences.
    fn part(&self, start: usize, count: usize) -> Result<State> {
        let part = |x: &Tensor| x.narrow(0, start as i64, count as i64);
        Ok(State { hidden: part(&self.hidden)?, cell: self.cell.as_ref().map(part).transpose()? })
    }

    /// The states of several groups of sequences.
    fn cat(parts: &[State]) -> Result<State> {
        let hidden: Vec<&Tensor> = parts.iter().map(|part| &part.hidden).collect();
        let cells: Vec<&Tensor> = parts.iter().filter_map(|part| part.cell.as_ref()).collect();
        let cell = if cells.is_empty() { None } else { Some(Tensor::cat(&cells, 0)?) };
        Ok(State { hidden: Tensor::cat(&hidden, 0)?, cell })
    }

    /// Hidden state and cell of an LSTM.
    pub fn into_pair(self) -> Result<(Tensor, Tensor)> {
        let cell = self.cell.ok_or_else(|| Error::runtime("LSTM", "the cell state is gone"))?;
        Ok((self.hidden, cell))
    }

    /// The states of all layers in another order of the sequences.
    pub fn ordered(&self, order: Option<&Tensor>) -> Result<State> {
        let Some(order) = order else { return Ok(self.clone()) };
        let ordered = |x: &Tensor| x.index_select(1, order);
        Ok(State { hidden: ordered(&self.hidden)?, cell: self.cell.as_ref().map(ordered).transpose()? })
    }
}

fn gate_error() -> Error {
    Error::runtime("RNN", "the weights have no whole number of gates")
}
