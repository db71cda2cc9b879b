//! What all optimizers share: groups of parameters, state by parameter, and the methods over them.

use crate::{IntoParamGroups, ParamGroup, state_dict};
use firebrick_core::{Error, Result, Tensor, Value, autograd, warn};
use indexmap::IndexMap;
use std::collections::HashSet;
use std::fmt;

/// What an optimizer keeps for one parameter, by PyTorch's names.
pub type State = IndexMap<String, Value>;

/// An optimizer: PyTorch's `torch.optim.Optimizer`.
///
/// A new kind holds an [`OptimizerCore`] and writes `step`; the rest is here.
pub trait Optimizer {
    /// PyTorch's name of the class.
    fn name(&self) -> &'static str;

    /// Groups and state.
    fn core(&self) -> &OptimizerCore;

    /// Groups and state, to be changed.
    fn core_mut(&mut self) -> &mut OptimizerCore;

    /// Updates every parameter that has a gradient; others are skipped. Nothing is recorded.
    ///
    /// # Errors
    /// A parameter differs from its gradient in shape, dtype or device, or an option is of the wrong kind; nothing
    /// has changed then.
    fn step(&mut self) -> Result<()>;

    /// Calls `closure`, which computes the loss and its gradients, then steps; returns the loss.
    ///
    /// # Errors
    /// Those of the closure, after which no step is made, and of [`Optimizer::step`].
    fn step_with(&mut self, closure: &mut dyn FnMut() -> Result<Tensor>) -> Result<Tensor> {
        let loss = autograd::enable_grad(closure)?;
        self.step()?;
        Ok(loss)
    }

    /// Clears the gradients of all parameters: PyTorch's `zero_grad(set_to_none=True)`.
    ///
    /// # Errors
    /// None at present.
    fn zero_grad(&self) -> Result<()> {
        self.zero_grad_with(true)
    }

    /// Clears the gradients, or, with `set_to_none` false, sets them to zero in place.
    ///
    /// # Errors
    /// A gradient that may not be written in place.
    fn zero_grad_with(&self, set_to_none: bool) -> Result<()> {
        for param in self.param_groups().iter().flat_map(ParamGroup::params) {
            match param.grad() {
                Some(grad) if !set_to_none => {
                    if grad.grad_fn().is_some() {
                        grad.detach_()?;
                    } else {
                        grad.requires_grad_(false)?;
                    }
                    grad.zero_()?;
                }
                Some(_) => param.set_grad(None)?,
                None => {}
            }
        }
        Ok(())
    }

    /// The groups, in order.
    fn param_groups(&self) -> &[ParamGroup] {
        &self.core().groups
    }

    /// The groups, so that options can be changed.
    fn param_groups_mut(&mut self) -> &mut [ParamGroup] {
        &mut self.core_mut().groups
    }

    /// Adds a group, for instance of layers that are no longer frozen.
    ///
    /// # Errors
    /// A tensor that is not a leaf, a parameter that another group has, names beside missing names.
    fn add_param_group(&mut self, group: ParamGroup) -> Result<()> {
        self.core_mut().add_param_group(group)
    }

    /// What is kept for a parameter; `None` before the first step that updated it.
    fn state(&self, param: &Tensor) -> Option<&State> {
        self.core().state.get(&param.id())
    }

    /// The options of all groups and the state of all parameters, which are numbered in order:
    /// `{'state': {0: {..}}, 'param_groups': [{.., 'params': [0]}]}`. Tensors are the optimizer's own.
    fn state_dict(&self) -> Value {
        state_dict::save(self.core())
    }

    /// Takes over what [`Optimizer::state_dict`] returned. Tensors are copied, converted to the dtype of their
    /// parameter and moved to its device.
    ///
    /// PyTorch 2.15 shares the tensors with the dictionary where they need no conversion; here two optimizers
    /// never share state.
    ///
    /// # Errors
    /// Another number of groups, or of parameters in a group, or a dictionary of another form; nothing has changed
    /// then.
    fn load_state_dict(&mut self, state_dict: &Value) -> Result<()> {
        state_dict::load(self.core_mut(), state_dict)
    }

    /// The text that PyTorch prints: every group with its options by name.
    fn repr(&self) -> String {
        let mut text = format!("{} (", self.name());
        for (i, group) in self.param_groups().iter().enumerate() {
            text += &format!("\nParameter Group {i}\n");
            let mut options: Vec<_> = group.options.iter().collect();
            options.sort_by_key(|(name, _)| *name);
            for (name, value) in options {
                match value {
                    Value::Str(value) => text += &format!("    {name}: {value}\n"),
                    value => text += &format!("    {name}: {value}\n"),
                }
            }
        }
        text + ")"
    }
}

/// Writes `Display` and `Debug` as PyTorch prints optimizers.
macro_rules! printing {
    ($($t:ty),*) => { $(
        impl std::fmt::Display for $t {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::Optimizer::repr(self))
            }
        }
        impl std::fmt::Debug for $t {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    )* };
}
pub(crate) use printing;

/// Groups and state of an optimizer.
pub struct OptimizerCore {
    pub(crate) defaults: IndexMap<String, Value>,
    pub(crate) groups: Vec<ParamGroup>,
    /// By [`Tensor::id`], which is stable since the groups keep the parameters; in the order of first updates.
    pub(crate) state: IndexMap<usize, State>,
}

impl OptimizerCore {
    /// An optimizer's parts: the options by name, in PyTorch's order, are the defaults of every group.
    ///
    /// # Errors
    /// No parameters, a tensor that is not a leaf, a parameter in two groups.
    pub fn new(params: impl IntoParamGroups, defaults: IndexMap<String, Value>) -> Result<Self> {
        Self::from_groups(params.into_param_groups()?, defaults)
    }

    pub(crate) fn from_groups(groups: Vec<ParamGroup>, defaults: IndexMap<String, Value>) -> Result<Self> {
        let mut core = OptimizerCore { defaults, groups: Vec::new(), state: IndexMap::new() };
        groups.into_iter().try_for_each(|group| core.add_param_group(group))?;
        Ok(core)
    }

    /// What is kept for a parameter of one of the groups, empty at first.
    pub fn state_mut(&mut self, param: &Tensor) -> &mut State {
        self.state.entry(param.id()).or_default()
    }

    fn add_param_group(&mut self, mut group: ParamGroup) -> Result<()> {
        const OP: &str = "add_param_group";
        if group.names_missing {
            return Err(Error::value(
                OP,
                "all optimizer params should be with/without names. Some param names are missing",
            ));
        }
        if group.params.iter().any(|param| !(param.is_leaf() || param.retains_grad())) {
            return Err(Error::value(OP, "can't optimize a non-leaf Tensor")
                .remedy("give the parameters themselves, or detached tensors"));
        }
        let named = group.options.contains_key("param_names");
        group.set_defaults(&self.defaults);
        let ids: HashSet<usize> = group.params.iter().map(Tensor::id).collect();
        if ids.len() != group.params.len() {
            warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; see github.com/pytorch/pytorch/issues/40967 for more information",
            );
        }
        if self.groups.iter().any(|other| other.options.contains_key("param_names") != named) {
            let how = if named { "with names" } else { "without names" };
            return Err(Error::value(
                OP,
                format!(
                    "all optimizer param groups should be with/without names. cannot add param group {how} to the optimizer"
                ),
            ));
        }
        if self.groups.iter().flat_map(|other| &other.params).any(|param| ids.contains(&param.id())) {
            return Err(Error::value(OP, "some parameters appear in more than one parameter group"));
        }
        self.groups.push(group);
        Ok(())
    }
}

impl fmt::Debug for OptimizerCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.groups).finish()
    }
}

/// A tensor of a parameter's state, which follows the parameter to another device or dtype.
pub(crate) fn buffer(state: &mut State, name: &str, param: &Tensor) -> Result<Tensor> {
    let found = state.get(name).and_then(Value::as_tensor);
    let tensor = match found {
        Some(tensor) if tensor.device() == param.device() && tensor.dtype() == param.dtype() => {
            return Ok(tensor.clone());
        }
        Some(tensor) => tensor.to((param.device(), param.dtype()))?,
        None => param.zeros_like()?,
    };
    state.insert(name.to_owned(), tensor.clone().into());
    Ok(tensor)
}
