//! Groups and state of an optimizer.

use crate::hooks::{StepHookHandle, StepHooks};
use crate::{IntoParamGroups, ParamGroup};
use firebrick_core::{Complex, Error, Result, Tensor, Value, warn};
use indexmap::IndexMap;
use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What an optimizer keeps for one parameter, by PyTorch's names.
pub type State = IndexMap<String, Value>;

/// Groups and state of an optimizer.
pub struct OptimizerCore {
    id: u64,
    pub(crate) defaults: IndexMap<String, Value>,
    pub(crate) groups: Vec<ParamGroup>,
    /// By [`Tensor::id`], which is stable since the groups keep the parameters; in the order of first updates.
    pub(crate) state: IndexMap<usize, State>,
    before: StepHooks,
    after: StepHooks,
    /// Has a step been made? Schedulers warn when theirs comes first.
    pub(crate) stepped: bool,
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
        let (before, after) = (StepHooks::default(), StepHooks::default());
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Relaxed);
        let mut core =
            OptimizerCore { id, defaults, groups: Vec::new(), state: IndexMap::new(), before, after, stepped: false };
        groups.into_iter().try_for_each(|group| core.add_param_group(group))?;
        Ok(core)
    }

    /// Identity of the optimizer: a number of its own.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What is kept for a parameter of one of the groups, empty at first.
    pub fn state_mut(&mut self, param: &Tensor) -> &mut State {
        self.state.entry(param.id()).or_default()
    }

    /// The groups, in order.
    pub fn param_groups(&self) -> &[ParamGroup] {
        &self.groups
    }

    /// The groups, so that options can be changed.
    pub fn param_groups_mut(&mut self) -> &mut [ParamGroup] {
        &mut self.groups
    }

    /// Calls `hook` before every step.
    pub fn register_step_pre_hook(
        &self,
        hook: impl Fn(&mut OptimizerCore) -> Result<()> + Send + Sync + 'static,
    ) -> StepHookHandle {
        self.before.register(hook)
    }

    /// Calls `hook` after every step.
    pub fn register_step_post_hook(
        &self,
        hook: impl Fn(&mut OptimizerCore) -> Result<()> + Send + Sync + 'static,
    ) -> StepHookHandle {
        self.after.register(hook)
    }

    /// Calls the hooks before a step.
    pub(crate) fn begin_step(&mut self) -> Result<()> {
        self.stepped = true;
        let hooks = self.before.list();
        hooks.into_iter().try_for_each(|hook| hook(self))
    }

    /// Calls the hooks after a step.
    pub(crate) fn end_step(&mut self) -> Result<()> {
        let hooks = self.after.list();
        hooks.into_iter().try_for_each(|hook| hook(self))
    }

    pub(crate) fn add_param_group(&mut self, mut group: ParamGroup) -> Result<()> {
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

/// A tensor of a parameter's state, of `first` the first time, which follows the parameter to another device or dtype.
pub(crate) fn buffer(state: &mut State, name: &str, param: &Tensor, first: f64) -> Result<Tensor> {
    let found = state.get(name).and_then(Value::as_tensor);
    let tensor = match found {
        Some(tensor) if tensor.device() == param.device() && tensor.dtype() == param.dtype() => {
            return Ok(tensor.clone());
        }
        Some(tensor) => tensor.to((param.device(), param.dtype()))?,
        // Each part of a complex parameter is one of its own.
        None if param.is_complex() => param.full_like(Complex::new(first, first))?,
        None => param.full_like(first)?,
    };
    state.insert(name.to_owned(), tensor.clone().into());
    Ok(tensor)
}

/// PyTorch's error of optimizers that know real numbers only.
pub(crate) fn refuse_complex(optimizer: &'static str, groups: &[ParamGroup]) -> Result<()> {
    match groups.iter().flat_map(|group| &group.params).any(Tensor::is_complex) {
        true => Err(Error::runtime(optimizer, format!("{optimizer} does not support complex parameters"))),
        false => Ok(()),
    }
}
