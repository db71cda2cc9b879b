//! Long short-term memory: one step from its gates, and one direction of one layer over a sequence: as one function, or,
//! in half precision, of complex numbers and where the backward pass is recorded, by operations that have gradients.

mod composed;
mod fused;

use crate::ops::by_hand;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{Result, Tensor};

const OP: &str = "lstm";

/// The parameters of one direction of one recurrent layer with `G` gates.
///
/// ```
/// # use firebrick_core::{RecurrentWeights, Tensor};
/// let (input, hidden) = (Tensor::zeros([4, 2])?, Tensor::zeros([4, 1])?);
/// let weights = RecurrentWeights { input: &input, hidden: &hidden, input_bias: None, hidden_bias: None, projection: None };
/// let (x, state) = (Tensor::ones([3, 1, 2])?, Tensor::ones([1, 1])?);
/// let (_, _, cell) = x.lstm_layer(&state, &state, &weights, false)?;
/// assert_eq!(cell.to_vec::<f32>()?, [0.125]); // Half of it is kept at each of three steps.
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RecurrentWeights<'t> {
    /// From the input to the gates: `[G * H, features]`.
    pub input: &'t Tensor,
    /// From the hidden state to the gates: `[G * H, H]`, with a projection `[G * H, P]`.
    pub hidden: &'t Tensor,
    /// Is added to what the input gives: `[G * H]`.
    pub input_bias: Option<&'t Tensor>,
    /// Is added to what the hidden state gives: `[G * H]`.
    pub hidden_bias: Option<&'t Tensor>,
    /// From the hidden state to a smaller one, of a long short-term memory: `[P, H]`.
    pub projection: Option<&'t Tensor>,
}

/// The inputs of a layer.
#[derive(Clone, Copy)]
struct Inputs<'t> {
    x: &'t Tensor,
    weights: RecurrentWeights<'t>,
    hidden: &'t Tensor,
    cell: &'t Tensor,
}

impl<'t> Inputs<'t> {
    /// In the order in which PyTorch's function has them.
    fn list(&self) -> [Option<&'t Tensor>; 8] {
        let RecurrentWeights { input, hidden, input_bias, hidden_bias, projection } = self.weights;
        let (state, cell) = (Some(self.hidden), Some(self.cell));
        [Some(self.x), Some(input), Some(hidden), input_bias, hidden_bias, state, cell, projection]
    }

    /// From a list that begins as [`Inputs::list`].
    fn of(list: &'t [Option<Tensor>]) -> Option<Self> {
        let [Some(x), Some(input), Some(weight), input_bias, hidden_bias, Some(hidden), Some(cell), projection, ..] =
            list
        else {
            return None;
        };
        let (input_bias, hidden_bias) = (input_bias.as_ref(), hidden_bias.as_ref());
        let projection = projection.as_ref();
        let weights = RecurrentWeights { input, hidden: weight, input_bias, hidden_bias, projection };
        Some(Inputs { x, weights, hidden, cell })
    }
}

impl Tensor {
    /// One step of a long short-term memory, from what input and hidden state give to its gates, `self`: hidden state and
    /// next cell.
    ///
    /// `i, f, g, o` are four blocks of the gates: `cell' = sigmoid(f) cell + sigmoid(i) tanh(g)` and
    /// `hidden = sigmoid(o) tanh(cell')`. Hochreiter and Schmidhuber, *Long Short-Term Memory*, Neural Computation 9
    /// (1997).
    ///
    /// # Shapes
    /// `[N, 4 * H]` and `[N, H]` to two of `[N, H]`.
    ///
    /// # Errors
    /// Shapes that do not fit.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (_, cell) = Tensor::zeros([1, 4])?.lstm_step(&Tensor::ones([1, 1])?)?;
    /// assert_eq!(cell.to_vec::<f32>()?, [0.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn lstm_step(&self, cell: &Tensor) -> Result<(Tensor, Tensor)> {
        composed::step(self, cell)
    }

    /// One direction of one layer of a long short-term memory over the sequence `self`, from its end when `reverse`: the
    /// hidden states in the order of the sequence, and hidden state and cell after the last step. Each step is one of
    /// [`Tensor::lstm_step`].
    ///
    /// # Shapes
    /// `[L, N, features]`, hidden state `[N, H]`, with a projection `[N, P]`, cell `[N, H]` to `[L, N, H]` or
    /// `[L, N, P]`, and the shapes of hidden state and cell.
    ///
    /// # Errors
    /// Shapes or dtypes that do not fit; no steps.
    ///
    /// See [`RecurrentWeights`] for an example.
    pub fn lstm_layer(
        &self,
        hidden: &Tensor,
        cell: &Tensor,
        weights: &RecurrentWeights<'_>,
        reverse: bool,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        let given = Inputs { x: self, weights: *weights, hidden, cell };
        let mut resolved = Vec::with_capacity(8);
        for input in given.list() {
            resolved.push(input.map(|t| t.resolve(OP)).transpose()?);
        }
        let inputs = Inputs::of(&resolved).unwrap_or(given);
        let [hidden, last, cell] = match fused::Layer::of(&inputs, reverse) {
            Some(layer) => layer.run(&inputs)?,
            None => composed::layer(&inputs, reverse)?,
        };
        Ok((hidden, last, cell))
    }
}

fn step_samples() -> Result<Vec<Sample>> {
    let both = |x: &[Tensor]| {
        let (hidden, cell) = x[0].lstm_step(&x[1])?;
        Tensor::cat(&[hidden, cell], 0)
    };
    Ok(vec![
        sample::one(Trait::Plain, vec![ANY.tensor(&[2, 12], 1)?, ANY.tensor(&[2, 3], 2)?], both),
        sample::one(Trait::Strided, vec![ANY.strided(&[2, 8], 3)?, ANY.strided(&[2, 2], 4)?], both),
        sample::one(Trait::Empty, vec![ANY.tensor(&[0, 8], 5)?, ANY.tensor(&[0, 2], 6)?], both),
    ])
}

/// The options of a layer, as samples have them.
#[derive(Clone, Copy)]
struct Options {
    biased: bool,
    projected: bool,
    reverse: bool,
}

impl Options {
    /// A layer with cells of 2 over `steps` and `batch` sequences.
    fn sample(self, traits: Trait, steps: usize, batch: usize) -> Result<Sample> {
        let state = if self.projected { 1 } else { 2 };
        let mut shapes: Vec<Vec<usize>> =
            vec![vec![steps, batch, 3], vec![8, 3], vec![8, state], vec![batch, state], vec![batch, 2]];
        if self.biased {
            shapes.extend([vec![8], vec![8]]);
        }
        if self.projected {
            shapes.push(vec![state, 2]);
        }
        let draw = |shape: &[usize], seed| match traits {
            Trait::Strided => ANY.strided(shape, seed),
            _ => ANY.tensor(shape, seed),
        };
        let inputs = shapes.iter().zip(1..).map(|(shape, seed)| draw(shape, seed)).collect::<Result<Vec<_>>>()?;
        Ok(sample::one(traits, inputs, move |x| self.call(x)))
    }

    /// All results, which are weighed so that none can stand for another.
    fn call(self, x: &[Tensor]) -> Result<Tensor> {
        let [input, hidden] = [&x[1], &x[2]];
        let (input_bias, hidden_bias) = if self.biased { (Some(&x[5]), Some(&x[6])) } else { (None, None) };
        let projection = x.last().filter(|_| self.projected);
        let weights = RecurrentWeights { input, hidden, input_bias, hidden_bias, projection };
        let (all, last, cell) = x[0].lstm_layer(&x[3], &x[4], &weights, self.reverse)?;
        Tensor::cat(&[all.flatten(0, -1)?, last.mul(2)?.flatten(0, -1)?, cell.mul(3)?.flatten(0, -1)?], 0)
    }
}

fn layer_samples() -> Result<Vec<Sample>> {
    let plain = Options { biased: true, projected: false, reverse: false };
    let backward = Options { biased: false, reverse: true, ..plain };
    let projected = Options { projected: true, ..plain };
    Ok(vec![
        plain.sample(Trait::Plain, 3, 2)?,
        backward.sample(Trait::Plain, 3, 2)?,
        plain.sample(Trait::Plain, 1, 1)?,
        projected.sample(Trait::Plain, 2, 2)?,
        Options { reverse: true, ..projected }.sample(Trait::Strided, 2, 2)?,
        plain.sample(Trait::Strided, 2, 2)?,
        plain.sample(Trait::Empty, 2, 0)?,
    ])
}

by_hand! {
    table: RECURRENT;
    lstm_step: step_samples();
    lstm_layer as "MkldnnRnnLayerBackward0": layer_samples();
}
