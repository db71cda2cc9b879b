//! Lists of parameters, buffers, modules and children: plain functions over `visit`.

use crate::{Member, Module};
use firebrick_core::{Buffer, Parameter, Result};
use std::collections::HashSet;

/// Options of the `named_*_with` methods.
///
/// ```
/// use firebrick::nn::Traversal;
/// use firebrick::prelude::*;
/// let net = nn::Sequential::new().add(nn::BatchNorm1d::new(2)?);
/// let (named, own) = (Traversal::new().prefix("net"), Traversal::new().recurse(false));
/// assert_eq!(net.named_parameters_with(&named)[0].0, "net.0.weight");
/// assert_eq!(net.named_buffers_with(&named)[0].0, "net.0.running_mean");
/// assert_eq!(net.named_modules_with(&named)[1].0, "net.0");
/// assert_eq!((net.parameters_with(&own).len(), net.buffers_with(&own).len()), (0, 0));
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Traversal {
    prefix: String,
    recurse: bool,
    remove_duplicate: bool,
}

impl Traversal {
    /// PyTorch's defaults: no prefix, through all children, shared members once.
    ///
    /// ```
    /// use firebrick::nn::Traversal;
    /// use firebrick::prelude::*;
    /// use std::sync::Arc;
    /// let shared = Arc::new(nn::Linear::new(3, 3)?);
    /// let net = nn::Sequential::new().add(shared.clone()).add(shared);
    /// let all = Traversal::new().prefix("net").recurse(true).remove_duplicate(false);
    /// assert_eq!((net.parameters().len(), net.parameters_with(&all).len()), (2, 4));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn new() -> Self {
        Traversal { prefix: String::new(), recurse: true, remove_duplicate: true }
    }
    /// Put before every name, with a dot between.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }
    /// Go into children (unless set), or stay with the module's own members.
    pub fn recurse(mut self, recurse: bool) -> Self {
        self.recurse = recurse;
        self
    }
    /// List tied parameters and shared modules once (unless set), or under each of their names.
    pub fn remove_duplicate(mut self, remove_duplicate: bool) -> Self {
        self.remove_duplicate = remove_duplicate;
        self
    }
}

impl Default for Traversal {
    fn default() -> Self {
        Self::new()
    }
}

/// Two names are one module when they have one core.
pub(crate) fn identity(module: &dyn Module) -> u64 {
    module.core().id()
}

/// `prefix.name`, or `name` alone.
pub(crate) fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

/// Calls `f` on every module with its path, parents first; `f` says whether to go on below it.
pub(crate) fn walk<'m>(prefix: &str, module: &'m dyn Module, f: &mut dyn FnMut(&str, &'m dyn Module) -> bool) {
    if f(prefix, module) {
        module.visit(&mut |name, member| {
            if let Member::Module(child) = member {
                walk(&join(prefix, name), child, f);
            }
        });
    }
}

pub(crate) fn named_modules<'m>(module: &'m dyn Module, options: &Traversal) -> Vec<(String, &'m dyn Module)> {
    let (mut out, mut seen) = (Vec::new(), HashSet::new());
    walk(&options.prefix, module, &mut |path, module| {
        let fresh = !options.remove_duplicate || seen.insert(identity(module));
        if fresh {
            out.push((path.to_owned(), module));
        }
        fresh
    });
    out
}

pub(crate) fn named_children(module: &dyn Module) -> Vec<(String, &dyn Module)> {
    let (mut out, mut seen) = (Vec::new(), HashSet::new());
    module.visit(&mut |name, member| {
        if let Member::Module(child) = member
            && seen.insert(identity(child))
        {
            out.push((name.to_owned(), child));
        }
    });
    out
}

pub(crate) fn named_parameters(module: &dyn Module, options: &Traversal) -> Vec<(String, Parameter)> {
    members(module, options, |member| match member {
        Member::Parameter(parameter) => Some((parameter.id(), parameter.clone())),
        _ => None,
    })
}

pub(crate) fn named_buffers(module: &dyn Module, options: &Traversal) -> Vec<(String, Buffer)> {
    members(module, options, |member| match member {
        Member::Buffer(buffer) => Some((buffer.id(), buffer.clone())),
        _ => None,
    })
}

/// The members that `pick` recognizes (with the identity of their tensor), module by module.
fn members<T>(
    module: &dyn Module,
    options: &Traversal,
    pick: impl Fn(Member<'_>) -> Option<(usize, T)>,
) -> Vec<(String, T)> {
    let modules = if options.recurse { named_modules(module, options) } else { vec![(options.prefix.clone(), module)] };
    let (mut out, mut seen) = (Vec::new(), HashSet::new());
    for (path, module) in modules {
        module.visit(&mut |name, member| {
            if let Some((id, found)) = pick(member)
                && (!options.remove_duplicate || seen.insert(id))
            {
                out.push((join(&path, name), found));
            }
        });
    }
    out
}

/// Forgets the gradients, or sets them to zero in place, cut off from any history.
pub(crate) fn zero_grad(parameters: &[Parameter], set_to_none: bool) -> Result<()> {
    if set_to_none {
        return parameters.iter().try_for_each(|parameter| parameter.set_grad(None));
    }
    for grad in parameters.iter().filter_map(|parameter| parameter.grad()) {
        if grad.grad_fn().is_some() {
            grad.detach_()?;
        } else {
            grad.requires_grad_(false)?;
        }
        grad.zero_()?;
    }
    Ok(())
}

/// Calls `f` on everything below and then on the module itself.
pub(crate) fn apply(module: &dyn Module, f: &mut dyn FnMut(&dyn Module) -> Result<()>) -> Result<()> {
    module.children().into_iter().try_for_each(|child| apply(child, f))?;
    f(module)
}
