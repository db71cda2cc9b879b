//! Full backward hooks: they see the gradients of a module's inputs and outputs, and may replace them.
//!
//! The tensors that enter and leave a module pass through an identity operation whose gradient runs the hooks, as
//! in PyTorch's `BackwardHookFunction`.

use crate::hooks::Hooks;
use crate::{Args, Module};
use firebrick_core::autograd::{is_grad_enabled, record};
use firebrick_core::{Error, Result, Tensor};
use parking_lot::Mutex;
use std::sync::Arc;

/// The gradient of one tensor; `None` where there is none. [`ModuleInfo`] shows hooks that take it.
pub type Gradient = Option<Tensor>;
/// The gradients of the tensors in a module's input or output, in order. [`ModuleInfo`] shows hooks that take them.
pub type Gradients = [Gradient];

pub(crate) type BackwardPreHook = Arc<dyn Fn(&ModuleInfo, &Gradients) -> Result<Option<Vec<Gradient>>> + Send + Sync>;
pub(crate) type BackwardHook =
    Arc<dyn Fn(&ModuleInfo, &Gradients, &Gradients) -> Result<Option<Vec<Gradient>>> + Send + Sync>;

/// The module whose gradients a backward hook sees. Backward may run when the module itself is gone.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::HookOptions;
/// let linear = nn::Linear::builder(1, 1).bias(false).build()?;
/// autograd::no_grad(|| linear.weight.fill_(2.0))?;
/// linear.register_full_backward_pre_hook(HookOptions::new(), |module, grad_output| {
///     assert_eq!((module.type_name(), module.is_training()), ("Linear", true));
///     Ok(Some(vec![grad_output[0].as_ref().map(|grad| grad.mul(10.0)).transpose()?]))
/// });
/// let id = linear.core().id();
/// linear.register_full_backward_hook(HookOptions::new(), move |module, grad_input, _| {
///     assert_eq!(module.id(), id);
///     assert_eq!(grad_input[0].as_ref().map(|grad| grad.item::<f32>()).transpose()?, Some(20.0));
///     Ok(None)
/// });
/// let x = Parameter::new(Tensor::new([[3.0f32]])?);
/// linear.call(&x)?.backward()?;
/// assert_eq!(x.grad().map(|grad| grad.item::<f32>()).transpose()?, Some(20.0));
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ModuleInfo {
    name: String,
    id: u64,
    training: bool,
}

impl ModuleInfo {
    /// The name of the module's type, as it prints.
    pub fn type_name(&self) -> &str {
        &self.name
    }
    /// Identity of the module: its [`Core::id`](crate::Core::id).
    pub fn id(&self) -> u64 {
        self.id
    }
    /// Was the module in training mode when it was called?
    pub fn is_training(&self) -> bool {
        self.training
    }
}

/// The backward hooks of one call.
pub(crate) struct BackwardPass {
    info: ModuleInfo,
    pre: Vec<BackwardPreHook>,
    hooks: Vec<BackwardHook>,
    inputs: usize,
    /// Gradients of the inputs will be seen.
    tracks_input: bool,
    /// Of the outputs, from when they are known until the inputs' are.
    grad_outputs: Mutex<Option<Vec<Gradient>>>,
}

const NAME: &str = "BackwardHookFunctionBackward";

impl BackwardPass {
    /// The pass for a call of `module`, with its input led through; `None` when no hook asks for one.
    pub fn begin(module: &dyn Module, tables: &[&Hooks], input: &mut dyn Args) -> Result<Option<Arc<BackwardPass>>> {
        let pre: Vec<_> = tables.iter().flat_map(|t| t.backward_pre.values().cloned()).collect();
        let hooks: Vec<_> = tables.iter().flat_map(|t| t.backward.values().cloned()).collect();
        if pre.is_empty() && hooks.is_empty() {
            return Ok(None);
        }
        let core = module.core();
        let info = ModuleInfo { name: module.display_name(), id: core.id(), training: core.is_training() };
        let tensors = input.tensors();
        let pass = Arc::new(BackwardPass {
            info,
            pre,
            hooks,
            inputs: tensors.len(),
            tracks_input: is_grad_enabled() && tensors.iter().any(Tensor::requires_grad),
            grad_outputs: Mutex::new(None),
        });
        let this = pass.clone();
        lead_through(input, tensors, move |grads| this.on_grad_input(grads))?;
        Ok(Some(pass))
    }

    /// Leads the output of the call through.
    pub fn end(self: Arc<Self>, output: &mut dyn Args) -> Result<()> {
        let tensors = output.tensors();
        lead_through(output, tensors, move |grads| self.on_grad_output(grads))
    }

    fn on_grad_output(&self, mut grads: Vec<Gradient>) -> Result<Vec<Gradient>> {
        for hook in &self.pre {
            if let Some(new) = hook(&self.info, &grads)? {
                check_count("Backward pre hook returned an invalid number of grad_output", &new, grads.len())?;
                grads = new;
            }
        }
        if self.tracks_input {
            *self.grad_outputs.lock() = Some(grads.clone());
            return Ok(grads);
        }
        let none = vec![None; self.inputs];
        for hook in &self.hooks {
            if hook(&self.info, &none, &grads)?.is_some_and(|new| new.iter().any(Option::is_some)) {
                return Err(Error::runtime(
                    "backward hook",
                    "Backward hook for Modules where no input requires gradient should always return None or None for all gradients.",
                ));
            }
        }
        Ok(grads)
    }

    fn on_grad_input(&self, mut grads: Vec<Gradient>) -> Result<Vec<Gradient>> {
        // None: the gradient reached the input without passing through the output, as in a double backward.
        let Some(grad_outputs) = self.grad_outputs.lock().take() else { return Ok(grads) };
        for hook in &self.hooks {
            if let Some(new) = hook(&self.info, &grads, &grad_outputs)? {
                check_count("Backward hook returned an invalid number of grad_input", &new, grads.len())?;
                grads = new;
            }
        }
        Ok(grads)
    }
}

fn check_count(what: &str, new: &[Gradient], expected: usize) -> Result<()> {
    if new.len() == expected {
        return Ok(());
    }
    let message = format!("{what}, got {}, but expected {expected}", new.len());
    Err(Error::runtime("backward hook", message))
}

/// Replaces the tensors in `args` by the outputs of an identity operation whose gradient is `on_grads`, which
/// sees one entry for every tensor. Tensors that record nothing stay as they are.
fn lead_through(
    args: &mut dyn Args,
    tensors: Vec<Tensor>,
    on_grads: impl Fn(Vec<Gradient>) -> Result<Vec<Gradient>> + Send + Sync + 'static,
) -> Result<()> {
    let recorded: Vec<usize> = (0..tensors.len()).filter(|&i| tensors[i].requires_grad()).collect();
    if recorded.is_empty() || !is_grad_enabled() {
        return Ok(());
    }
    let inputs: Vec<&Tensor> = recorded.iter().map(|&i| &tensors[i]).collect();
    let outputs = inputs.iter().map(|&t| t.clone()).collect();
    let (places, count) = (recorded.clone(), tensors.len());
    let outputs = record(NAME, &inputs, outputs, move |grads| {
        let mut all = vec![None; count];
        for (&place, grad) in places.iter().zip(grads) {
            all[place] = grad.clone();
        }
        let mut all = on_grads(all)?;
        Ok(places.iter().map(|&place| all[place].take()).collect())
    })?;
    let mut replaced = recorded.into_iter().zip(outputs).peekable();
    let mut index = 0;
    args.visit_tensors_mut(&mut |tensor| {
        if let Some((_, output)) = replaced.next_if(|(place, _)| *place == index) {
            *tensor = output;
        }
        index += 1;
    });
    Ok(())
}
