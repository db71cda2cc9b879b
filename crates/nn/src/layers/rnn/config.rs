//! What recurrent layers are built from, their parameters, and their run over layers and directions.

use super::step::{State, Unit};
use crate::utils::rnn::PackedSequence;
use crate::{Core, Module, init, warn};
use firebrick_core::amp::autocast_cast;
use firebrick_core::text::{Repr, python_float, python_tuple};
use firebrick_core::{
    DType, Device, Error, Parameter, RecurrentWeights as Weights, Result, Tensor, TensorOptions, default_device,
    default_dtype,
};

/// What the parameters of one layer take at least, whatever their sizes: names, handles and storages.
const LAYER_BYTES: usize = 4096;

/// What a recurrent layer is built from.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub unit: Unit,
    pub input_size: usize,
    pub hidden_size: usize,
    pub num_layers: usize,
    pub bias: bool,
    pub batch_first: bool,
    pub dropout: f64,
    pub bidirectional: bool,
    pub proj_size: usize,
    pub dtype: DType,
    pub device: Device,
}

impl Config {
    pub fn new(unit: Unit, input_size: usize, hidden_size: usize) -> Self {
        Config {
            unit,
            input_size,
            hidden_size,
            num_layers: 1,
            bias: true,
            batch_first: false,
            dropout: 0.0,
            bidirectional: false,
            proj_size: 0,
            dtype: default_dtype(),
            device: default_device(),
        }
    }

    /// PyTorch's checks.
    pub fn check(&self) -> Result<()> {
        let refuse = |text: &str| Err(Error::value("RNN", text));
        if !(0.0..=1.0).contains(&self.dropout) {
            return refuse(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed",
            );
        }
        if self.dropout > 0.0 && self.num_layers == 1 {
            warn(&format!(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers greater than 1, but got dropout={} and num_layers=1",
                python_float(self.dropout)
            ));
        }
        for (name, size) in
            [("input_size", self.input_size), ("hidden_size", self.hidden_size), ("num_layers", self.num_layers)]
        {
            if size == 0 {
                return refuse(&format!("{name} must be greater than zero"));
            }
        }
        if self.proj_size >= self.hidden_size {
            return refuse("proj_size has to be smaller than hidden_size");
        }
        // Refuses more layers than there is memory to list.
        let options = TensorOptions::from(DType::U8).device(Device::Cpu);
        Tensor::empty_with([self.num_layers, self.directions(), LAYER_BYTES], options)?;
        Ok(())
    }

    pub fn directions(&self) -> usize {
        if self.bidirectional { 2 } else { 1 }
    }

    /// Size of the hidden state that is handed on.
    pub fn state_size(&self) -> usize {
        if self.proj_size > 0 { self.proj_size } else { self.hidden_size }
    }

    /// Names and shapes of the parameters, in PyTorch's order.
    fn parameters(&self) -> Vec<(String, Vec<usize>)> {
        let (rows, state) = (self.unit.gates().saturating_mul(self.hidden_size), self.state_size());
        let mut all = Vec::new();
        for layer in 0..self.num_layers {
            for direction in 0..self.directions() {
                let inputs = if layer == 0 { self.input_size } else { state.saturating_mul(self.directions()) };
                let mut push = |name: &str, shape: Vec<usize>| all.push((full_name(name, layer, direction), shape));
                push("weight_ih", vec![rows, inputs]);
                push("weight_hh", vec![rows, state]);
                if self.bias {
                    push("bias_ih", vec![rows]);
                    push("bias_hh", vec![rows]);
                }
                if self.proj_size > 0 {
                    push("weight_hr", vec![self.proj_size, self.hidden_size]);
                }
            }
        }
        all
    }

    /// Gives a layer its parameters and draws them.
    pub fn register(&self, layer: &mut dyn Module) -> Result<()> {
        let options = TensorOptions::new().dtype(self.dtype).device(self.device);
        for (name, shape) in self.parameters() {
            let parameter = Parameter::new(Tensor::empty_with(shape, options)?);
            crate::extra::register_parameter(layer, &name, Some(parameter))?;
        }
        self.reset(layer.core())
    }

    /// Uniform within one over the root of the hidden size.
    pub fn reset(&self, core: &Core) -> Result<()> {
        let bound = 1.0 / (self.hidden_size as f64).sqrt();
        for (name, _) in self.parameters() {
            init::uniform_(parameter(core, &name)?, -bound, bound)?;
        }
        Ok(())
    }

    pub fn extra_repr(&self) -> String {
        let mut text = format!("{}, {}", self.input_size, self.hidden_size);
        if self.proj_size != 0 {
            text += &format!(", proj_size={}", self.proj_size);
        }
        if self.num_layers != 1 {
            text += &format!(", num_layers={}", self.num_layers);
        }
        let flags = [("bias", self.bias, true), ("batch_first", self.batch_first, false)];
        for (name, on, usual) in flags {
            if on != usual {
                text += &format!(", {name}={}", on.repr());
            }
        }
        if self.dropout != 0.0 {
            text += &format!(", dropout={}", python_float(self.dropout));
        }
        if self.bidirectional {
            text += &format!(", bidirectional={}", true.repr());
        }
        text
    }

    fn weights<'a>(&self, core: &'a Core, layer: usize, direction: usize) -> Result<Weights<'a>> {
        let get = |name: &str| parameter(core, &full_name(name, layer, direction)).map(|p| &**p);
        let maybe = |name: &str, there: bool| there.then(|| get(name)).transpose();
        Ok(Weights {
            input: get("weight_ih")?,
            hidden: get("weight_hh")?,
            input_bias: maybe("bias_ih", self.bias)?,
            hidden_bias: maybe("bias_hh", self.bias)?,
            projection: maybe("weight_hr", self.proj_size > 0)?,
        })
    }

    /// [`Config::run`] over a packed sequence; states are of the sequences in their original order.
    pub fn run_packed(
        &self,
        core: &Core,
        input: &PackedSequence,
        first: Option<State>,
        training: bool,
    ) -> Result<(PackedSequence, State)> {
        let sizes = input.sizes("RNN")?;
        let (hidden, cell) = (self.expected(sizes[0], self.state_size()), self.expected(sizes[0], self.hidden_size));
        let zeros = |shape: [usize; 3]| input.data.detach().new_zeros(shape);
        let is_lstm = self.unit == Unit::Lstm;
        let first = match first {
            Some(state) => state.ordered(input.sorted_indices.as_ref())?,
            None => State { hidden: zeros(hidden)?, cell: is_lstm.then(|| zeros(cell)).transpose()? },
        };
        if !is_lstm {
            let rank = input.data.dim();
            if rank != 2 {
                return Err(Error::runtime("RNN", format!("input must have 2 dimensions, got {rank}")));
            }
            self.check_input(core, &input.data)?;
        }
        check_state(if is_lstm { "hidden[0]" } else { "hidden" }, &first.hidden, hidden)?;
        first.cell.iter().try_for_each(|state| check_state("hidden[1]", state, cell))?;
        let (output, last) = self.run(core, (&input.data, Some(&sizes)), first, training)?;
        Ok((input.with_data(output), last.ordered(input.unsorted_indices.as_ref())?))
    }

    /// PyTorch's checks of a batched input.
    pub fn check_input(&self, core: &Core, input: &Tensor) -> Result<()> {
        let (got, want) = (input.dtype(), parameter(core, "weight_ih_l0")?.dtype());
        if got != want {
            return Err(Error::value(
                "RNN",
                format!(
                    "RNN input dtype ({got}) does not match weight dtype ({want}). Convert input: input.to({want}), or convert model: model.to({got})"
                ),
            ));
        }
        let features = input.size(-1)?;
        if features != self.input_size {
            return Err(Error::runtime(
                "RNN",
                format!("input.size(-1) must be equal to input_size. Expected {}, got {features}", self.input_size),
            ));
        }
        Ok(())
    }

    /// The size that a state has to have for a batch.
    pub fn expected(&self, batch: usize, size: usize) -> [usize; 3] {
        [self.num_layers * self.directions(), batch, size]
    }

    /// The last layer's hidden states and the state of every layer and direction after the last step: of an input
    /// `[L, N, features]`, or of the rows of a packed sequence with so many sequences at each step.
    pub fn run(
        &self,
        core: &Core,
        (input, sizes): (&Tensor, Option<&[usize]>),
        first: State,
        training: bool,
    ) -> Result<(Tensor, State)> {
        if input.size(0)? == 0 {
            return Err(Error::runtime("RNN", "Expected sequence length to be larger than 0 in RNN"));
        }
        // Of the layers, autocast knows LSTM; cells and the others follow their products.
        let cast = |x: &Tensor| if self.unit == Unit::Lstm { autocast_cast("lstm", x) } else { Ok(x.clone()) };
        let first = State { hidden: cast(&first.hidden)?, cell: first.cell.as_ref().map(cast).transpose()? };
        let (mut x, mut hidden, mut cells) = (cast(input)?, Vec::new(), Vec::new());
        for layer in 0..self.num_layers {
            let mut outputs = Vec::with_capacity(2);
            for direction in 0..self.directions() {
                let index = (layer * self.directions() + direction) as i64;
                let own = State {
                    hidden: first.hidden.select(0, index)?,
                    cell: first.cell.as_ref().map(|cell| cell.select(0, index)).transpose()?,
                };
                let weights = self.weights(core, layer, direction)?;
                let (output, last) = match sizes {
                    Some(sizes) => self.unit.run_packed((&x, sizes), own, &weights, direction == 1)?,
                    None => self.unit.run(&x, own, &weights, direction == 1)?,
                };
                outputs.push(output);
                hidden.push(last.hidden);
                cells.extend(last.cell);
            }
            x = if outputs.len() == 1 { outputs.remove(0) } else { Tensor::cat(&outputs, -1)? };
            if self.dropout != 0.0 && training && layer + 1 < self.num_layers {
                x = x.dropout(self.dropout, true)?;
            }
        }
        let cell = if cells.is_empty() { None } else { Some(Tensor::stack(&cells, 0)?) };
        Ok((x, State { hidden: Tensor::stack(&hidden, 0)?, cell }))
    }
}

/// Refuses a state of another size.
pub(super) fn check_state(name: &str, state: &Tensor, expected: [usize; 3]) -> Result<()> {
    if state.shape() == expected {
        return Ok(());
    }
    let sizes = expected.map(|size| size as i64);
    let text = format!("Expected {name} size {}, got {:?}", python_tuple(&sizes), state.shape());
    Err(Error::runtime("RNN", text))
}

fn full_name(name: &str, layer: usize, direction: usize) -> String {
    format!("{name}_l{layer}{}", if direction == 1 { "_reverse" } else { "" })
}

fn parameter<'a>(core: &'a Core, name: &str) -> Result<&'a Parameter> {
    core.parameter(name).ok_or_else(|| Error::runtime("RNN", format!("the parameter {name} is gone")))
}
