//! `Module`: a node of the tree. The derive describes it once; everything else is a function over `visit`.

use crate::load_report::LoadReport;
use crate::load_state_dict::{self, IncompatibleKeys, LoadOptions};
use crate::state_dict::{self, StateDictOptions};
use crate::traverse::{self, Traversal};
use crate::{Core, Field, Memo, extra, submodule};
use firebrick_core::{Buffer, Error, Parameter, Result, StateDict, Tensor};
use std::any::Any;
use std::fmt;

/// One thing a module holds under a name.
#[derive(Clone, Copy)]
pub enum Member<'m> {
    /// A trained tensor.
    Parameter(&'m Parameter),
    /// A tensor that is moved, and saved when persistent, but not trained.
    Buffer(&'m Buffer),
    /// A child.
    Module(&'m dyn Module),
    /// A registered name that holds nothing: PyTorch's `register_parameter(name, None)`.
    Empty(MemberKind),
}

/// What a name was registered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// A [`Parameter`].
    Parameter,
    /// A [`Buffer`].
    Buffer,
    /// A [`Module`].
    Module,
}

/// One place in a module, open to replacement.
pub enum MemberMut<'m> {
    /// A trained tensor.
    Parameter(&'m mut Parameter),
    /// A tensor that is not trained.
    Buffer(&'m mut Buffer),
    /// A child, as the place it sits in: a field, a `Box` or an `Arc`.
    Module(&'m mut dyn Module),
}

impl Member<'_> {
    /// What the name was registered for.
    pub fn kind(&self) -> MemberKind {
        match self {
            Member::Parameter(_) => MemberKind::Parameter,
            Member::Buffer(_) => MemberKind::Buffer,
            Member::Module(_) => MemberKind::Module,
            Member::Empty(kind) => *kind,
        }
    }
}

/// Receives each member with its name.
pub type Visitor<'f, 'm> = &'f mut dyn FnMut(&str, Member<'m>);
/// Receives each member with its name, open to change.
pub type VisitorMut<'f, 'm> = &'f mut dyn FnMut(&str, MemberMut<'m>);

/// Behaviour that a module may write by hand, after `#[module(custom)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` says `#[module(custom)]` but has no `impl Custom`",
    label = "no `impl Custom`",
    note = "write `impl nn::Custom for {Self}`, or leave `#[module(custom)]` out"
)]
pub trait Custom {
    /// The text between the parentheses of the printed form, such as `in_features=2, out_features=3`.
    fn extra_repr(&self) -> String {
        String::new()
    }

    /// Replaces the whole printed form.
    fn repr(&self) -> Option<String> {
        None
    }

    /// PyTorch's `_version`, written into the metadata of a `state_dict`.
    fn version(&self) -> i64 {
        1
    }

    /// Adapts the entries of an older checkpoint before they are read: PyTorch's `_load_from_state_dict`.
    ///
    /// `state` is a copy made for this load, `prefix` (empty or ending in a dot) precedes the module's keys in it,
    /// and `version` is the one the checkpoint was written with, when it says so.
    ///
    /// # Errors
    /// Whatever makes the checkpoint unreadable: one more line of the error that `load_state_dict` returns.
    fn migrate(&self, state: &mut StateDict, prefix: &str, version: Option<i64>) -> Result<()> {
        let _ = (state, prefix, version);
        Ok(())
    }

    /// What the module saves beside its parameters and buffers, under `_extra_state`; `None`, the default, is nothing.
    ///
    /// PyTorch's may be any object that Python can pickle; here it is a tensor, which every checkpoint can hold.
    fn get_extra_state(&self) -> Option<Tensor> {
        None
    }

    /// Takes up what [`Custom::get_extra_state`] saved. Runs when the whole checkpoint is found to fit, just before
    /// parameters and buffers are written.
    ///
    /// # Errors
    /// A state that does not fit; parameters and buffers then stay as they are.
    fn set_extra_state(&self, state: &Tensor) -> Result<()> {
        let _ = state;
        let message = "Reached a code path in Module.set_extra_state() that should never be called.";
        Err(Error::runtime("set_extra_state", message).remedy("a module with `get_extra_state` needs this one, too"))
    }
}

/// A node of the module tree: PyTorch's `nn.Module` without `forward`, which is [`Forward`](crate::Forward).
///
/// Derived, never written by hand. State (`train`, `to`, `load_state_dict`, hooks) changes through `&self`;
/// structure (adding, replacing members) needs `&mut self`. Methods with type parameters are in
/// [`ModuleExt`](crate::ModuleExt).
///
/// ```
/// use firebrick::prelude::*;
///
/// #[derive(Module)]
/// struct Mlp { core: Core, fc1: nn::Linear, fc2: nn::Linear }
///
/// let mlp = Mlp { core: Core::new(), fc1: nn::Linear::new(3, 8)?, fc2: nn::Linear::new(8, 2)? };
/// let names: Vec<_> = mlp.named_parameters().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]);
/// assert!(mlp.fc1.is_training());
/// # Ok::<_, firebrick::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a module",
    label = "not a module",
    note = "for your own layer type, add `#[derive(Module)]` to it"
)]
pub trait Module: Field + Custom + Any + Send + Sync + fmt::Display + fmt::Debug {
    /// The state every module carries.
    fn core(&self) -> &Core;
    /// The same for changes of structure; `None` while the module is shared by several owners.
    fn core_mut(&mut self) -> Option<&mut Core>;
    /// The name of the type, as PyTorch prints it.
    fn type_name(&self) -> &'static str;
    /// The names of all fields, registered or not.
    fn attributes(&self) -> &'static [&'static str];
    /// The module itself behind any `Box`, `Arc` or enum.
    fn as_dyn(&self) -> &dyn Module;
    /// The same, open to change; `None` while it is shared by several owners.
    fn as_dyn_mut(&mut self) -> Option<&mut dyn Module>;
    /// Reports every declared parameter, buffer and child, in declaration order.
    fn visit_declared<'m>(&'m self, f: Visitor<'_, 'm>);
    /// Reports the place of every member, declared or registered at run time.
    fn visit_mut<'m>(&'m mut self, f: VisitorMut<'_, 'm>);
    /// A copy whose type is forgotten.
    ///
    /// # Errors
    /// When memory for the copy cannot be had.
    fn clone_dyn(&self, memo: &mut Memo) -> Result<Box<dyn Module>>;
    /// Puts a module of the same type into this place.
    ///
    /// # Errors
    /// Gives `new` back when its type does not fit.
    fn replace(&mut self, new: Box<dyn Any>) -> Result<(), Box<dyn Any>>;
    /// Is this an enum whose `forward` calls the module it holds, which then runs the hooks?
    fn delegates(&self) -> bool {
        false
    }

    /// Reports every member: declared ones that are not hidden, then those registered at run time.
    fn visit<'m>(&'m self, f: Visitor<'_, 'm>) {
        extra::visit(self.core(), &mut |f| self.visit_declared(f), f);
    }

    /// The name the module prints under: its type, `Lazy` before it until a lazy module is initialized.
    fn display_name(&self) -> String {
        let core = self.core();
        let name = core.renamed().unwrap_or(self.type_name());
        if core.is_lazy() { format!("Lazy{name}") } else { name.to_owned() }
    }

    /// Is the module in training mode? New modules are.
    fn is_training(&self) -> bool {
        self.core().is_training()
    }

    /// Every parameter with its dotted name, tied ones once.
    fn named_parameters(&self) -> Vec<(String, Parameter)> {
        traverse::named_parameters(self.as_dyn(), &Traversal::new())
    }
    /// [`Module::named_parameters`] with options.
    fn named_parameters_with(&self, options: &Traversal) -> Vec<(String, Parameter)> {
        traverse::named_parameters(self.as_dyn(), options)
    }
    /// Every parameter, tied ones once: what an optimizer takes.
    fn parameters(&self) -> Vec<Parameter> {
        self.parameters_with(&Traversal::new())
    }
    /// [`Module::parameters`] with options.
    fn parameters_with(&self, options: &Traversal) -> Vec<Parameter> {
        self.named_parameters_with(options).into_iter().map(|(_, p)| p).collect()
    }

    /// Every buffer with its dotted name, persistent or not.
    fn named_buffers(&self) -> Vec<(String, Buffer)> {
        traverse::named_buffers(self.as_dyn(), &Traversal::new())
    }
    /// [`Module::named_buffers`] with options.
    fn named_buffers_with(&self, options: &Traversal) -> Vec<(String, Buffer)> {
        traverse::named_buffers(self.as_dyn(), options)
    }
    /// Every buffer, persistent or not.
    fn buffers(&self) -> Vec<Buffer> {
        self.buffers_with(&Traversal::new())
    }
    /// [`Module::buffers`] with options.
    fn buffers_with(&self, options: &Traversal) -> Vec<Buffer> {
        self.named_buffers_with(options).into_iter().map(|(_, b)| b).collect()
    }

    /// This module (under `""`) and everything below it, parents first, shared modules once.
    fn named_modules(&self) -> Vec<(String, &dyn Module)> {
        traverse::named_modules(self.as_dyn(), &Traversal::new())
    }
    /// [`Module::named_modules`] with options; `recurse` does not apply.
    fn named_modules_with(&self, options: &Traversal) -> Vec<(String, &dyn Module)> {
        traverse::named_modules(self.as_dyn(), options)
    }
    /// This module and everything below it, parents first, shared modules once.
    fn modules(&self) -> Vec<&dyn Module> {
        self.named_modules().into_iter().map(|(_, m)| m).collect()
    }
    /// The direct children with their names, shared ones once.
    fn named_children(&self) -> Vec<(String, &dyn Module)> {
        traverse::named_children(self.as_dyn())
    }
    /// The direct children, shared ones once.
    fn children(&self) -> Vec<&dyn Module> {
        self.named_children().into_iter().map(|(_, m)| m).collect()
    }

    /// The module at a dotted path; the empty path is this module.
    ///
    /// # Errors
    /// An `AttributeError` that names the part of the path that is not a module.
    fn get_submodule(&self, target: &str) -> Result<&dyn Module> {
        submodule::get(self.as_dyn(), target)
    }
    /// The parameter at a dotted path.
    ///
    /// # Errors
    /// An `AttributeError` when there is none.
    fn get_parameter(&self, target: &str) -> Result<&Parameter> {
        submodule::get_parameter(self.as_dyn(), target)
    }
    /// The buffer at a dotted path.
    ///
    /// # Errors
    /// An `AttributeError` when there is none.
    fn get_buffer(&self, target: &str) -> Result<&Buffer> {
        submodule::get_buffer(self.as_dyn(), target)
    }

    /// Every parameter and persistent buffer by its dotted name, detached but sharing memory with the model.
    fn state_dict(&self) -> StateDict {
        state_dict::collect(self.as_dyn(), &StateDictOptions::new())
    }
    /// [`Module::state_dict`] with a prefix, or with the parameters themselves rather than detached tensors.
    fn state_dict_with(&self, options: &StateDictOptions) -> StateDict {
        state_dict::collect(self.as_dyn(), options)
    }
    /// Adds this module's entries to `destination`.
    fn state_dict_into(&self, destination: &mut StateDict, options: &StateDictOptions) {
        state_dict::collect_into(self.as_dyn(), destination, options);
    }

    /// Copies a `state_dict` into the module, in place. Everything is checked before anything is written.
    ///
    /// # Errors
    /// Every missing, unexpected or misshapen key at once, in PyTorch's words; the model is then unchanged.
    fn load_state_dict(&self, state: &StateDict) -> Result<IncompatibleKeys> {
        load_state_dict::load(self.as_dyn(), state, &LoadOptions::new())
    }
    /// [`Module::load_state_dict`] with options: not strict, by assignment, or only as a check.
    ///
    /// # Errors
    /// As [`Module::load_state_dict`]; missing and unexpected keys only when strict.
    fn load_state_dict_with(&self, state: &StateDict, options: &LoadOptions) -> Result<IncompatibleKeys> {
        load_state_dict::load(self.as_dyn(), state, options)
    }

    /// What [`Module::load_state_dict_with`] would do: a dry run that prints all of it, and is no error.
    ///
    /// # Errors
    /// Those of hooks, and of entries that cannot be read.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::LoadOptions;
    /// let linear = nn::Linear::new(3, 2)?;
    /// let state = StateDict::from_iter([("wieght", Tensor::zeros([2, 3])?)]);
    /// let report = linear.load_report(&state, &LoadOptions::new())?;
    /// assert_eq!(
    ///     report.to_string(),
    ///     "Linear: 0 of 2 entries fit\n  left at its initialization: weight [2, 3]\n  left at its initialization: bias [2]\n  \
    ///      not used: wieght\n  hint: did you mean \"wieght\" in the checkpoint for \"weight\" in the model?"
    /// );
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn load_report(&self, state: &StateDict, options: &LoadOptions) -> Result<LoadReport> {
        load_state_dict::report(self.as_dyn(), state, options)
    }

    /// Forgets the gradients of every parameter (PyTorch's `set_to_none=True`).
    fn zero_grad(&self) {
        for parameter in self.parameters() {
            parameter.set_grad(None).expect("clearing a gradient checks nothing");
        }
    }
    /// [`Module::zero_grad`], or, with `set_to_none` false, sets the gradients to zero in place, cut off from any
    /// history.
    ///
    /// # Errors
    /// A gradient that may not be written in place.
    fn zero_grad_with(&self, set_to_none: bool) -> Result<()> {
        if set_to_none {
            self.zero_grad();
            return Ok(());
        }
        for grad in self.parameters().iter().filter_map(|parameter| parameter.grad()) {
            if grad.grad_fn().is_some() {
                grad.detach_()?;
            } else {
                grad.requires_grad_(false)?;
            }
            grad.zero_()?;
        }
        Ok(())
    }

    /// Registers a parameter under a name that is no field; `None` leaves a listed, empty slot.
    ///
    /// # Errors
    /// A `KeyError` for a malformed or taken name.
    fn register_parameter(&mut self, name: &str, parameter: Option<Parameter>) -> Result<()> {
        extra::register_parameter(exclusive(self.as_dyn_mut(), "register_parameter")?, name, parameter)
    }
    /// Registers a buffer under a name that is no field; `None` leaves a listed, empty slot.
    ///
    /// # Errors
    /// A `KeyError` for a malformed or taken name.
    fn register_buffer(&mut self, name: &str, buffer: Option<Buffer>) -> Result<()> {
        extra::register_buffer(exclusive(self.as_dyn_mut(), "register_buffer")?, name, buffer)
    }
}

impl dyn Module {
    /// The module as its own type, when that is `M`.
    pub fn downcast_ref<M: Module>(&self) -> Option<&M> {
        (self.as_dyn() as &dyn Any).downcast_ref()
    }

    /// Is the module an `M`? Python's `isinstance`.
    pub fn is<M: Module>(&self) -> bool {
        self.downcast_ref::<M>().is_some()
    }

    /// The module as its own type, open to change.
    pub fn downcast_mut<M: Module>(&mut self) -> Option<&mut M> {
        (self.as_dyn_mut()? as &mut dyn Any).downcast_mut()
    }
}

/// Two names are one module when they have one core.
pub(crate) fn identity(module: &dyn Module) -> u64 {
    module.core().id()
}

/// The error for a structural change of a module that several `Arc`s own.
pub(crate) fn exclusive<'m>(module: Option<&'m mut dyn Module>, op: &'static str) -> Result<&'m mut dyn Module> {
    module.ok_or_else(|| {
        Error::runtime(op, "the module is shared by several owners, so its structure cannot change")
            .remedy("change it before sharing it through `Arc`, or change a `deep_clone`")
    })
}
