//! What all optimizers do.

use crate::hooks::StepHookHandle;
use crate::{OptimizerCore, ParamGroup, State, state_dict};
use firebrick_core::{Result, Tensor, Value, autograd};

/// What computes the loss and its gradients.
pub type Closure<'a> = dyn FnMut() -> Result<Tensor> + 'a;

/// An optimizer: PyTorch's `torch.optim.Optimizer`.
///
/// A new kind holds an [`OptimizerCore`] and writes `update`; the rest is here.
pub trait Optimizer {
    /// PyTorch's name of the class.
    fn name(&self) -> &'static str;

    /// Groups and state.
    fn core(&self) -> &OptimizerCore;

    /// Groups and state, to be changed.
    fn core_mut(&mut self) -> &mut OptimizerCore;

    /// The update itself, without the hooks: what a kind of optimizer is.
    ///
    /// # Errors
    /// Those of [`Optimizer::step`].
    fn update(&mut self) -> Result<()>;

    /// Calls the closure, then updates: for kinds that call it several times.
    ///
    /// # Errors
    /// Those of [`Optimizer::step_with`].
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
    fn step(&mut self) -> Result<()> {
        self.core_mut().begin_step()?;
        self.update()?;
        self.core_mut().end_step()
    }

    /// Calls `closure`, which computes the loss and its gradients, then steps; returns the loss.
    ///
    /// # Errors
    /// Those of the closure, after which no step is made, and of [`Optimizer::step`].
    fn step_with(&mut self, closure: &mut Closure<'_>) -> Result<Tensor> {
        self.core_mut().begin_step()?;
        let loss = self.update_with(closure)?;
        self.core_mut().end_step()?;
        Ok(loss)
    }

    /// Calls `hook` before every step, with groups and state.
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
