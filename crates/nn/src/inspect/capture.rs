//! Outputs of the parts of a model: seen, and replaced.

use super::Pattern;
use crate::{Args, HookOptions, Module, ModuleExt, ScopedHook};
use firebrick_core::{Error, Result, Tensor};
use parking_lot::Mutex;
use std::sync::Arc;

/// One tensor that a module returned.
#[derive(Clone, Debug)]
pub struct Activation {
    /// The dotted name of the module.
    pub name: String,
    /// Which of the module's outputs it is, counted from 0.
    pub output: usize,
    /// Which call of the module it comes from, counted from 0.
    pub call: usize,
    /// The tensor itself. It keeps its gradient.
    pub tensor: Tensor,
}

/// What [`capture`] saw, in the order of the calls.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::inspect::capture;
/// let model = nn::Sequential::new().add(nn::ReLU::new()).add(nn::Tanh::new());
/// let (_, seen) = capture(&model, "*", || model.call(Tensor::new([-1.0f32])?))?;
/// assert_eq!(seen.iter().map(|activation| activation.name.as_str()).collect::<Vec<_>>(), ["0", "1"]);
/// assert!(seen.get("2").is_err());
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Captured {
    activations: Vec<Activation>,
}

impl Captured {
    /// Everything that was seen; [`Captured`] shows it.
    pub fn iter(&self) -> impl Iterator<Item = &Activation> {
        self.activations.iter()
    }

    /// The names of the modules that were seen, in the order of their first calls; [`capture`] shows it.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for activation in self.iter().filter(|activation| activation.output == 0 && activation.call == 0) {
            names.push(&activation.name);
        }
        names
    }

    /// The first output of the last call of the module of this name; [`capture`] shows it.
    ///
    /// # Errors
    /// A `KeyError` when it was not seen.
    pub fn get(&self, name: &str) -> Result<&Tensor> {
        let found = self.activations.iter().rev().find(|activation| activation.name == name && activation.output == 0);
        found.map(|activation| &activation.tensor).ok_or_else(|| {
            Error::key("capture", format!("'{name}'")).expected(format!("one of {}", self.names().join(", ")))
        })
    }

    /// The gradient of what [`Captured::get`] gives; `None` before a backward pass that reached it. [`capture`]
    /// shows it.
    ///
    /// # Errors
    /// As there.
    pub fn grad(&self, name: &str) -> Result<Option<Tensor>> {
        Ok(self.get(name)?.grad())
    }
}

/// Runs `run`, and gives beside its result what the modules meant by `pattern` returned meanwhile; after a backward pass
/// their gradients, too.
///
/// Outputs that record keep their gradients (`retain_grad`). A module that is called several times is seen as often.
///
/// # Errors
/// No module fits the pattern; the errors of `run`.
///
/// ```
/// use firebrick::nn::inspect::{Pattern, capture};
/// use firebrick::prelude::*;
/// let model = nn::Sequential::new().add(nn::ReLU::new()).add(nn::Linear::new(2, 1)?);
/// let x = Tensor::new([[-1.0f32, 2.0]])?;
/// let (y, seen) = capture(&model, "*", || model.call(&x))?;
/// assert_eq!(seen.names(), ["0", "1"]);
/// assert_eq!(seen.get("0")?.to_vec::<f32>()?, [0.0, 2.0]);
/// y.sum()?.backward()?;
/// assert_eq!(seen.grad("1")?.map(|grad| grad.to_vec::<f32>()).transpose()?, Some(vec![1.0]));
/// let (_, seen) = capture(&model, Pattern::class("Linear"), || model.call(&x))?;
/// assert_eq!(seen.names(), ["1"]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn capture<T, M: Module + ?Sized>(
    model: &M,
    pattern: impl Into<Pattern>,
    run: impl FnOnce() -> Result<T>,
) -> Result<(T, Captured)> {
    let seen: Arc<Mutex<Captured>> = Arc::default();
    let mut hooks: Vec<ScopedHook> = Vec::new();
    for (name, module) in pattern.into().find("capture", model.as_dyn())? {
        let seen = seen.clone();
        let hook = module.register_forward_hook_any(HookOptions::new(), move |_, _, output| {
            output.map_or(Ok(()), |output| note(&seen, &name, output))
        });
        hooks.push(hook.scoped());
    }
    let value = run()?;
    drop(hooks);
    let captured = std::mem::take(&mut *seen.lock());
    Ok((value, captured))
}

fn note(seen: &Mutex<Captured>, name: &str, output: &dyn Args) -> Result<()> {
    let tensors = output.tensors();
    for tensor in tensors.iter().filter(|tensor| tensor.requires_grad()) {
        tensor.retain_grad()?;
    }
    let mut seen = seen.lock();
    let call = seen.iter().filter(|activation| activation.name == name && activation.output == 0).count();
    let activation = |(output, tensor)| Activation { name: name.to_owned(), output, call, tensor };
    seen.activations.extend(tensors.into_iter().enumerate().map(activation));
    Ok(())
}

/// Runs `run` while `replace` may put other tensors in the places of what the modules meant by `pattern` return. It
/// gets the module's name and each tensor of its output; `None` leaves the tensor as it is.
///
/// # Errors
/// No module fits the pattern; the errors of `run` and of `replace`.
///
/// ```
/// use firebrick::nn::inspect::patch;
/// use firebrick::prelude::*;
/// let model = nn::Sequential::new().add(nn::ReLU::new()).add(nn::Softmax::new(-1));
/// let x = Tensor::new([3.0f32, 1.0])?;
/// let y = patch(&model, "0", |_, y| y.zeros_like().map(Some), || model.call(&x))?;
/// assert_eq!(y.to_vec::<f32>()?, [0.5, 0.5]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn patch<T, M: Module + ?Sized>(
    model: &M,
    pattern: impl Into<Pattern>,
    replace: impl Fn(&str, &Tensor) -> Result<Option<Tensor>> + Send + Sync + 'static,
    run: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let replace = Arc::new(replace);
    let mut hooks: Vec<ScopedHook> = Vec::new();
    for (name, module) in pattern.into().find("patch", model.as_dyn())? {
        let replace = replace.clone();
        let hook = module.register_forward_hook_any(HookOptions::new(), move |_, _, output| {
            let mut outcome = Ok(());
            if let Some(output) = output {
                output.visit_tensors_mut(&mut |tensor| match replace(&name, tensor) {
                    Ok(Some(new)) => *tensor = new,
                    Ok(None) => {}
                    Err(error) => outcome = Err(error),
                });
            }
            outcome
        });
        hooks.push(hook.scoped());
    }
    let value = run();
    drop(hooks);
    value
}
