//! Groups and state of an optimizer.

use crate::hooks::{StepHookHandle, StepHooks};
use crate::{IntoParamGroups, ParamGroup};
use firebrick_core::{Complex, Error, Result, Tensor, Value, warn};
use indexmap::IndexMap;
use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What an optimizer keeps for one parameter, by PyTorch's names.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::State;
/// let state: State = [("step".to_owned(), 3.into())].into();
/// assert_eq!(state["step"].as_i64(), Some(3));
/// ```
pub type State = IndexMap<String, Value>;

/// Groups and state of an optimizer.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::OptimizerCore;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut core = OptimizerCore::new([&p], [("lr".to_owned(), 0.1.into())].into())?;
/// core.state_mut(&p).insert("step".to_owned(), 1.into());
/// assert_eq!(core.param_groups()[0].get_lr()?, 0.1);
/// assert_eq!(core.state_mut(&p)["step"].as_i64(), Some(1));
/// # Ok::<_, firebrick::Error>(())
/// ```
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
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::{OptimizerCore, ParamGroup};
    /// let (p, q) = (Parameter::new(Tensor::new([1.0f32])?), Parameter::new(Tensor::new([1.0f32])?));
    /// let groups = [ParamGroup::new([&p]), ParamGroup::new([&q]).lr(0.5)];
    /// let core = OptimizerCore::new(groups, [("lr".to_owned(), 0.1.into())].into())?;
    /// let lrs: Vec<f64> = core.param_groups().iter().map(ParamGroup::get_lr).collect::<Result<_>>()?;
    /// assert_eq!(lrs, [0.1, 0.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let (first, second) = (optim::SGD::new([&p], 0.1).build()?, optim::SGD::new([&p], 0.1).build()?);
    /// assert_ne!(first.core().id(), second.core().id());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What is kept for a parameter of one of the groups, empty at first.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 0.1).build()?;
    /// optimizer.core_mut().state_mut(&p).insert("note".to_owned(), "mine".into());
    /// assert_eq!(optimizer.state(&p).and_then(|state| state["note"].as_str()), Some("mine"));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn state_mut(&mut self, param: &Tensor) -> &mut State {
        self.state.entry(param.id()).or_default()
    }

    /// The groups, in order.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let optimizer = optim::SGD::new([&p], 0.1).build()?;
    /// assert_eq!(optimizer.core().param_groups()[0].params()[0].shape(), [1]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn param_groups(&self) -> &[ParamGroup] {
        &self.groups
    }

    /// The groups, so that options can be changed.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 0.1).build()?;
    /// optimizer.register_step_post_hook(|core| {
    ///     let group = &mut core.param_groups_mut()[0];
    ///     group.set_lr(group.get_lr()? / 2.0)
    /// });
    /// optimizer.step()?;
    /// assert_eq!(optimizer.param_groups()[0].get_lr()?, 0.05);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn param_groups_mut(&mut self) -> &mut [ParamGroup] {
        &mut self.groups
    }

    /// Calls `hook` before every step.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// optimizer.core().register_step_pre_hook(|core| core.param_groups_mut()[0].set_lr(0.25));
    /// p.set_grad(Some(&Tensor::new([1.0f32])?))?;
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [0.75]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn register_step_pre_hook(
        &self,
        hook: impl Fn(&mut OptimizerCore) -> Result<()> + Send + Sync + 'static,
    ) -> StepHookHandle {
        self.before.register(hook)
    }

    /// Calls `hook` after every step.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// optimizer.core().register_step_post_hook(|core| core.param_groups_mut()[0].set_lr(0.25));
    /// optimizer.step()?;
    /// assert_eq!(optimizer.param_groups()[0].get_lr()?, 0.25);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
