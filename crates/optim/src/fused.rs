//! The step of an optimizer whose update is one rule: all parameters in one pass.

use crate::optimizer_core::buffer;
use crate::{OptimizerCore, ParamGroup, State};
use firebrick_core::backend::Rule;
use firebrick_core::{DType, Device, Result, Tensor, TensorOptions, Value, default_dtype, ops};
use indexmap::IndexMap;
use smallvec::{SmallVec, smallvec};

/// One parameter that has a gradient, at its step.
pub(crate) struct Slot<'a> {
    param: &'a Tensor,
    states: &'a mut IndexMap<usize, State>,
    /// Parameter, gradient, and the buffers that were asked for, in order.
    tensors: SmallVec<[Tensor; 5]>,
    /// Numbers of the state, to be written when the step has succeeded.
    numbers: &'a mut Vec<(Tensor, f64)>,
}

impl Slot<'_> {
    fn state(&mut self) -> &mut State {
        self.states.entry(self.param.id()).or_default()
    }

    /// Whether the state has this entry.
    pub fn has(&self, name: &str) -> bool {
        self.states.get(&self.param.id()).is_some_and(|state| state.contains_key(name))
    }

    /// The number of this step, from 1; the state counts it under `step`.
    pub fn step(&mut self) -> Result<f64> {
        let step = self.number("step", 0.0)? + 1.0;
        self.set_number("step", step)?;
        Ok(step)
    }

    /// A number of the state: a tensor on the CPU, as in PyTorch; `first` the first time.
    pub fn number(&mut self, name: &str, first: f64) -> Result<f64> {
        number(self.state(), name, first)?.item()
    }

    /// Sets a number of the state once the step has succeeded.
    pub fn set_number(&mut self, name: &str, value: f64) -> Result<()> {
        let tensor = number(self.state(), name, value)?;
        self.numbers.push((tensor, value));
        Ok(())
    }

    /// Multiplies a number of the state once the step has succeeded; returns the product, rounded as it will be held.
    pub fn scale_number(&mut self, name: &str, first: f64, factor: f64) -> Result<f64> {
        let tensor = number(self.state(), name, first)?;
        let product = tensor.mul(factor)?.item()?;
        self.numbers.push((tensor, product));
        Ok(product)
    }

    /// Adds a buffer of the state to what the rule works on; of `first` the first time.
    pub fn buffer(&mut self, name: &str, first: f64) -> Result<()> {
        let param = self.param;
        let tensor = buffer(self.state(), name, param, first)?;
        self.tensors.push(tensor);
        Ok(())
    }
}

/// A tensor without dimensions, in the state under `name`.
pub(crate) fn number(state: &mut State, name: &str, first: f64) -> Result<Tensor> {
    if let Some(Value::Tensor(tensor)) = state.get(name) {
        return Ok(tensor.clone());
    }
    // Old checkpoints hold a plain number.
    let so_far = state.get(name).and_then(Value::as_f64).unwrap_or(first);
    let dtype = if default_dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    let tensor = Tensor::full_with((), so_far, TensorOptions::from(dtype).device(Device::Cpu))?;
    state.insert(name.to_owned(), tensor.clone().into());
    Ok(tensor)
}

/// The state that a parameter has before its first step, for optimizers that make it at once.
pub(crate) fn begin(state: &mut State, param: &Tensor, name: &str, first: f64) -> Result<()> {
    number(state, "step", 0.0)?;
    buffer(state, name, param, first).map(drop)
}

/// One step: `read` takes a group's options, `rule` makes of them the rule of one parameter.
///
/// # Errors
/// Those of `read` and `rule`; a parameter differs from its gradient or state. Nothing has changed then.
pub(crate) fn step<N>(
    core: &mut OptimizerCore,
    read: impl Fn(&ParamGroup) -> Result<N>,
    rule: impl Fn(&N, &mut Slot<'_>) -> Result<Rule>,
) -> Result<()> {
    let OptimizerCore { groups, state: states, .. } = core;
    let known = states.len();
    let mut numbers = Vec::new();
    let mut collect = || {
        let mut updates = Vec::new();
        for group in groups.iter() {
            let options = read(group)?;
            for param in &group.params {
                let Some(grad) = param.grad() else { continue };
                let tensors = smallvec![param.clone(), grad];
                let mut slot = Slot { param, states: &mut *states, tensors, numbers: &mut numbers };
                let rule = rule(&options, &mut slot)?;
                updates.push((rule, slot.tensors));
            }
        }
        Ok(updates)
    };
    collect().and_then(ops::optimizer_step).inspect_err(|_| states.truncate(known))?;
    numbers.into_iter().try_for_each(|(tensor, value)| tensor.fill_(value).map(drop))
}
