//! What all optimizers do.

use crate::hooks::StepHookHandle;
use crate::{OptimizerCore, ParamGroup, State, state_dict};
use firebrick_core::{Result, Tensor, Value, autograd};

/// What computes the loss and its gradients.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::Closure;
/// let p = Parameter::new(Tensor::new([3.0f32])?);
/// let mut evaluate = || {
///     let loss = p.pow(2)?.sum()?;
///     loss.backward()?;
///     Ok(loss)
/// };
/// let closure: &mut Closure<'_> = &mut evaluate;
/// let loss = optim::SGD::new([&p], 0.5).build()?.step_with(closure)?;
/// assert_eq!((loss.item::<f32>()?, p.to_vec::<f32>()?), (9.0, vec![0.0]));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub type Closure<'a> = dyn FnMut() -> Result<Tensor> + 'a;

/// An optimizer: PyTorch's `torch.optim.Optimizer`.
///
/// A new kind holds an [`OptimizerCore`] and writes `update`; the rest is here.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::OptimizerCore;
/// /// Steps of `lr` by the sign of the gradient.
/// struct Signs {
///     core: OptimizerCore,
/// }
///
/// impl Optimizer for Signs {
///     fn name(&self) -> &'static str {
///         "Signs"
///     }
///
///     fn core(&self) -> &OptimizerCore {
///         &self.core
///     }
///
///     fn core_mut(&mut self) -> &mut OptimizerCore {
///         &mut self.core
///     }
///
///     fn update(&mut self) -> Result<()> {
///         for group in self.core.param_groups() {
///             let lr = group.get_lr()?;
///             for (p, g) in group.params().iter().filter_map(|p| Some((p, p.grad()?))) {
///                 autograd::no_grad(|| p.sub_(g.sign()?.mul(lr)?))?;
///             }
///         }
///         Ok(())
///     }
/// }
///
/// let p = Parameter::new(Tensor::new([1.0f32, -1.0])?);
/// let mut optimizer = Signs { core: OptimizerCore::new([&p], [("lr".to_owned(), 0.25.into())].into())? };
/// p.set_grad(Some(&Tensor::new([7.0f32, -0.1])?))?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.75, -0.75]);
/// assert_eq!(optimizer.repr(), "Signs (\nParameter Group 0\n    lr: 0.25\n)");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub trait Optimizer {
    /// PyTorch's name of the class.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let optimizer: Box<dyn optim::Optimizer> = Box::new(optim::AdamW::new([&p], 0.1).build()?);
    /// assert_eq!(optimizer.name(), "AdamW");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn name(&self) -> &'static str;

    /// Groups and state.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let optimizer = optim::SGD::new([&p], 0.1).build()?;
    /// assert_eq!(optimizer.core().param_groups()[0].get_lr()?, 0.1);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn core(&self) -> &OptimizerCore;

    /// Groups and state, to be changed.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 0.1).build()?;
    /// optimizer.core_mut().param_groups_mut()[0].set_lr(0.01)?;
    /// assert_eq!(optimizer.param_groups()[0].get_lr()?, 0.01);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn core_mut(&mut self) -> &mut OptimizerCore;

    /// The update itself, without the hooks: what a kind of optimizer is.
    ///
    /// # Errors
    /// Those of [`Optimizer::step`].
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 0.5).build()?;
    /// optimizer.register_step_pre_hook(|_| Err(Error::runtime("step", "hooks run")));
    /// p.set_grad(Some(&Tensor::new([1.0f32])?))?;
    /// assert!(optimizer.step().is_err());
    /// optimizer.update()?;
    /// assert_eq!(p.to_vec::<f32>()?, [0.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn update(&mut self) -> Result<()>;

    /// Calls the closure, then updates: for kinds that call it several times.
    ///
    /// # Errors
    /// Those of [`Optimizer::step_with`].
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([3.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 0.5).build()?;
    /// let loss = optimizer.update_with(&mut || {
    ///     let loss = p.pow(2)?.sum()?;
    ///     loss.backward()?;
    ///     Ok(loss)
    /// })?;
    /// assert_eq!((loss.item::<f32>()?, p.to_vec::<f32>()?), (9.0, vec![0.0]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn update_with(&mut self, closure: &mut Closure<'_>) -> Result<Tensor> {
        let loss = autograd::enable_grad(closure)?;
        self.update()?;
        Ok(loss)
    }

    /// Updates every parameter that has a gradient; others are skipped. Nothing is recorded.
    ///
    /// # Errors
    /// A parameter differs from its gradient in shape, dtype or device, or an option is of the wrong kind; nothing
    /// has changed then. The errors of step hooks.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (p, q) = (Parameter::new(Tensor::new([1.0f32])?), Parameter::new(Tensor::new([1.0f32])?));
    /// let mut optimizer = optim::SGD::new([&p, &q], 0.1).build()?;
    /// p.mul(2.0)?.sum()?.backward()?;
    /// optimizer.step()?;
    /// assert_eq!((p.item::<f32>()?, q.item::<f32>()?), (0.8, 1.0)); // q has no gradient
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn step(&mut self) -> Result<()> {
        self.core_mut().begin_step()?;
        self.update()?;
        self.core_mut().end_step()
    }

    /// Calls `closure`, which computes the loss and its gradients, then steps; returns the loss.
    ///
    /// # Errors
    /// Those of the closure, after which no step is made, and of [`Optimizer::step`].
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([3.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 0.5).build()?;
    /// let loss = optimizer.step_with(&mut || {
    ///     p.set_grad(None)?;
    ///     let loss = p.pow(2)?.sum()?;
    ///     loss.backward()?;
    ///     Ok(loss)
    /// })?;
    /// assert_eq!((loss.item::<f32>()?, p.to_vec::<f32>()?), (9.0, vec![0.0]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn step_with(&mut self, closure: &mut Closure<'_>) -> Result<Tensor> {
        self.core_mut().begin_step()?;
        let loss = self.update_with(closure)?;
        self.core_mut().end_step()?;
        Ok(loss)
    }

    /// Calls `hook` before every step, with groups and state.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// optimizer.register_step_pre_hook(|core| core.param_groups_mut()[0].set_lr(0.25));
    /// p.set_grad(Some(&Tensor::new([1.0f32])?))?;
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [0.75]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn register_step_pre_hook(
        &self,
        hook: impl Fn(&mut OptimizerCore) -> Result<()> + Send + Sync + 'static,
    ) -> StepHookHandle
    where
        Self: Sized,
    {
        self.core().register_step_pre_hook(hook)
    }

    /// Calls `hook` after every step, with groups and state.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// optimizer.register_step_post_hook(|core| core.param_groups_mut()[0].set_lr(0.25));
    /// p.set_grad(Some(&Tensor::new([1.0f32])?))?;
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [0.0]);
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [-0.25]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn register_step_post_hook(
        &self,
        hook: impl Fn(&mut OptimizerCore) -> Result<()> + Send + Sync + 'static,
    ) -> StepHookHandle
    where
        Self: Sized,
    {
        self.core().register_step_post_hook(hook)
    }

    /// Clears the gradients of all parameters: PyTorch's `zero_grad(set_to_none=True)`.
    ///
    /// # Errors
    /// None at present.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let optimizer = optim::SGD::new([&p], 0.1).build()?;
    /// p.mul(2.0)?.sum()?.backward()?;
    /// optimizer.zero_grad()?;
    /// assert!(p.grad().is_none());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn zero_grad(&self) -> Result<()> {
        self.zero_grad_with(true)
    }

    /// Clears the gradients, or, with `set_to_none` false, sets them to zero in place.
    ///
    /// # Errors
    /// A gradient that may not be written in place.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let optimizer = optim::SGD::new([&p], 0.1).build()?;
    /// p.mul(2.0)?.sum()?.backward()?;
    /// optimizer.zero_grad_with(false)?;
    /// assert_eq!(p.grad().map(|grad| grad.item::<f32>()).transpose()?, Some(0.0));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let optimizer = optim::SGD::new([&p], 0.1).momentum(0.9).build()?;
    /// let [group] = optimizer.param_groups() else { panic!("one group") };
    /// assert_eq!((group.params().len(), group.number("momentum")?), (1, 0.9));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn param_groups(&self) -> &[ParamGroup] {
        &self.core().groups
    }

    /// The groups, so that options can be changed.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 0.1).build()?;
    /// for group in optimizer.param_groups_mut() {
    ///     group.set_lr(group.get_lr()? / 2.0)?;
    /// }
    /// assert_eq!(optimizer.param_groups()[0].get_lr()?, 0.05);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn param_groups_mut(&mut self) -> &mut [ParamGroup] {
        &mut self.core_mut().groups
    }

    /// Adds a group, for instance of layers that are no longer frozen.
    ///
    /// # Errors
    /// A tensor that is not a leaf, a parameter that another group has, names beside missing names.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::ParamGroup;
    /// let (head, body) = (nn::Linear::new(2, 1)?, nn::Linear::new(3, 2)?);
    /// let mut optimizer = optim::SGD::new(head.parameters(), 0.1).momentum(0.9).build()?;
    /// optimizer.add_param_group(ParamGroup::new(body.parameters()).lr(0.01))?;
    /// let added = &optimizer.param_groups()[1];
    /// assert_eq!((added.get_lr()?, added.number("momentum")?), (0.01, 0.9));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn add_param_group(&mut self, group: ParamGroup) -> Result<()> {
        self.core_mut().add_param_group(group)
    }

    /// What is kept for a parameter; `None` before the first step that updated it.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 0.1).momentum(0.9).build()?;
    /// assert!(optimizer.state(&p).is_none());
    /// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
    /// optimizer.step()?;
    /// let buffer = optimizer.state(&p).and_then(|state| state["momentum_buffer"].as_tensor());
    /// assert_eq!(buffer.map(|buffer| buffer.item::<f32>()).transpose()?, Some(2.0));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn state(&self, param: &Tensor) -> Option<&State> {
        self.core().state.get(&param.id())
    }

    /// The options of all groups and the state of all parameters, which are numbered in order:
    /// `{'state': {0: {..}}, 'param_groups': [{.., 'params': [0]}]}`. Tensors are the optimizer's own.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::Rprop::new([&p], 0.1).build()?;
    /// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
    /// optimizer.step()?;
    /// let state = optimizer.state_dict();
    /// let step_size = state.get("state").and_then(|all| all.get(0)?.get("step_size")?.as_tensor());
    /// assert_eq!(step_size.map(|size| size.to_vec::<f32>()).transpose()?, Some(vec![0.1]));
    /// let group = state.get("param_groups").and_then(|groups| groups.as_slice()?.first());
    /// assert_eq!(group.and_then(|group| group.get("lr")?.as_f64()), Some(0.1));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let before = optim::SGD::new([&p], 0.1).momentum(0.9).build()?;
    /// let mut resumed = optim::SGD::new([&p], 1.0).build()?;
    /// resumed.load_state_dict(&before.state_dict())?;
    /// let group = &resumed.param_groups()[0];
    /// assert_eq!((group.get_lr()?, group.number("momentum")?), (0.1, 0.9));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn load_state_dict(&mut self, state_dict: &Value) -> Result<()> {
        state_dict::load(self.core_mut(), state_dict)
    }

    /// The text that PyTorch prints: every group with its options by name.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let optimizer = optim::Rprop::new([&p], 0.1).build()?;
    /// let text = optimizer.repr();
    /// assert!(text.starts_with("Rprop (\nParameter Group 0\n    capturable: False\n"));
    /// assert!(text.ends_with("    maximize: False\n    step_sizes: (1e-06, 50)\n)"));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn repr(&self) -> String {
        let mut text = format!("{} (", self.name());
        for (i, group) in self.param_groups().iter().enumerate() {
            text += &format!("\nParameter Group {i}\n");
            let mut options: Vec<_> = group.options.iter().collect();
            options.sort_by_key(|(name, _)| *name);
            for (name, value) in options {
                text += &format!("    {name}: {}\n", formatted(value));
            }
        }
        text + ")"
    }
}

/// Python's `format(value)`, which of a text is the text and of a tensor without dimensions its number.
fn formatted(value: &Value) -> String {
    match value {
        Value::Str(text) => text.clone(),
        Value::Tensor(tensor) if tensor.dim() == 0 => {
            tensor.item_scalar().map_or_else(|_| value.to_string(), |number| Value::from(number).to_string())
        }
        value => value.to_string(),
    }
}

/// Writes [`Optimizer`] for types that hold a `core`, with a function that updates it (and one for closures), and
/// `Display` and `Debug` as PyTorch prints optimizers.
macro_rules! optimizer {
    ($t:ident, $update:path $(, $update_with:path)?) => {
        impl $crate::Optimizer for $t {
            fn name(&self) -> &'static str {
                stringify!($t)
            }

            fn core(&self) -> &$crate::OptimizerCore {
                &self.core
            }

            fn core_mut(&mut self) -> &mut $crate::OptimizerCore {
                &mut self.core
            }

            fn update(&mut self) -> firebrick_core::Result<()> {
                $update(&mut self.core)
            }

            $(fn update_with(&mut self, closure: &mut $crate::Closure<'_>) -> firebrick_core::Result<firebrick_core::Tensor> {
                $update_with(&mut self.core, closure)
            })?
        }

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
    };
}
pub(crate) use optimizer;
