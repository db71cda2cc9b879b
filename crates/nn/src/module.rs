//! `Module`: a node of the tree. The derive describes it once; everything else is a function over `visit`.

use crate::load_report::LoadReport;
use crate::load_state_dict::{self, IncompatibleKeys, LoadOptions};
use crate::state_dict::{self, StateDictOptions};
use crate::traverse::{self, Traversal};
use crate::{Core, Custom, Field, Memo, Visitor, VisitorMut, extra, submodule};
use firebrick_core::{Buffer, Parameter, Result, StateDict};
use std::any::Any;
use std::fmt;

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
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::ReLU::new());
    /// assert!(net.core().is_training());
    /// ```
    fn core(&self) -> &Core;
    /// The same for changes of structure; `None` while the module is shared by several owners.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use std::sync::Arc;
    /// let mut shared = Arc::new(nn::ReLU::new());
    /// assert!(shared.core_mut().is_some());
    /// let _other = shared.clone();
    /// assert!(shared.core_mut().is_none());
    /// ```
    fn core_mut(&mut self) -> Option<&mut Core>;
    /// The name of the type, as PyTorch prints it.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::Linear::new(3, 2)?.type_name(), "Linear");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn type_name(&self) -> &'static str;
    /// The names of all fields, registered or not.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// #[derive(Module)]
    /// struct Scale { core: Core, factor: f64 }
    ///
    /// assert_eq!(Scale { core: Core::new(), factor: 2.5 }.attributes(), ["core", "factor"]);
    /// ```
    fn attributes(&self) -> &'static [&'static str];
    /// The module itself behind any `Box`, `Arc` or enum.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let layer: Box<dyn nn::Forward> = Box::new(nn::ReLU::new());
    /// assert!(layer.as_dyn().is::<nn::ReLU>());
    /// ```
    fn as_dyn(&self) -> &dyn Module;
    /// The same, open to change; `None` while it is shared by several owners. `downcast_mut` builds on it.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut layer: Box<dyn nn::Forward> = Box::new(nn::Linear::new(3, 2)?);
    /// let linear = layer.as_dyn_mut().and_then(|module| module.downcast_mut::<nn::Linear>());
    /// linear.expect("it is one").bias = None;
    /// assert_eq!(layer.parameters().len(), 1);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn as_dyn_mut(&mut self) -> Option<&mut dyn Module>;
    /// Reports every declared parameter, buffer and child, in declaration order.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut names = Vec::new();
    /// nn::Linear::new(3, 2)?.visit_declared(&mut |name, _| names.push(name.to_owned()));
    /// assert_eq!(names, ["weight", "bias"]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn visit_declared<'m>(&'m self, f: Visitor<'_, 'm>);
    /// Reports the place of every member, declared or registered at run time.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut linear = nn::Linear::new(3, 2)?;
    /// let shared = Parameter::new(Tensor::zeros([2])?);
    /// linear.visit_mut(&mut |name, member| {
    ///     if let ("bias", nn::MemberMut::Parameter(place)) = (name, member) {
    ///         *place = shared.clone();
    ///     }
    /// });
    /// assert_eq!(linear.bias.map(|bias| bias.id()), Some(shared.id()));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn visit_mut<'m>(&'m mut self, f: VisitorMut<'_, 'm>);
    /// A copy whose type is forgotten.
    ///
    /// # Errors
    /// When memory for the copy cannot be had.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::new(3, 2)?;
    /// let copy = linear.clone_dyn(&mut nn::Memo::new())?;
    /// assert!(copy.get_parameter("weight")?.equal(&linear.weight)?);
    /// assert_ne!(copy.get_parameter("weight")?.id(), linear.weight.id());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn clone_dyn(&self, memo: &mut Memo) -> Result<Box<dyn Module>>;
    /// Puts a module of the same type into this place.
    ///
    /// # Errors
    /// Gives `new` back when its type does not fit.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut linear = nn::Linear::new(3, 2)?;
    /// assert!(linear.replace(Box::new(nn::Linear::new(5, 2)?)).is_ok());
    /// assert_eq!(linear.in_features(), 5);
    /// assert!(linear.replace(Box::new(nn::ReLU::new())).is_err());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn replace(&mut self, new: Box<dyn Any>) -> Result<(), Box<dyn Any>>;
    /// Is this an enum whose `forward` calls the module it holds, which then runs the hooks?
    #[doc(hidden)]
    fn delegates(&self) -> bool {
        false
    }

    /// Reports every member: declared ones that are not hidden, then those registered at run time.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut linear = nn::Linear::new(3, 2)?;
    /// linear.register_buffer("count", Some(Buffer::new(Tensor::zeros([1])?)))?;
    /// let mut names = Vec::new();
    /// linear.visit(&mut |name, _| names.push(name.to_owned()));
    /// assert_eq!(names, ["weight", "bias", "count"]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn visit<'m>(&'m self, f: Visitor<'_, 'm>) {
        extra::visit(self.core(), &mut |f| self.visit_declared(f), f);
    }

    /// The name the module prints under: its type, `Lazy` before it until a lazy module is initialized.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let lazy = nn::Linear::lazy(2)?;
    /// assert_eq!(lazy.display_name(), "LazyLinear");
    /// lazy.call(Tensor::ones([4, 3])?)?;
    /// assert_eq!(lazy.display_name(), "Linear");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn display_name(&self) -> String {
        let core = self.core();
        let name = core.renamed().unwrap_or(self.type_name());
        if core.is_lazy() { format!("Lazy{name}") } else { name.to_owned() }
    }

    /// Is the module in training mode? New modules are.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let dropout = nn::Dropout::new(0.5)?;
    /// assert!(dropout.is_training());
    /// assert!(!dropout.eval().is_training());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn is_training(&self) -> bool {
        self.core().is_training()
    }

    /// Every parameter with its dotted name, tied ones once.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::Linear::new(3, 2)?);
    /// let names: Vec<_> = net.named_parameters().into_iter().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["0.weight", "0.bias"]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn named_parameters(&self) -> Vec<(String, Parameter)> {
        traverse::named_parameters(self.as_dyn(), &Traversal::new())
    }
    /// [`Module::named_parameters`] with options.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::Linear::new(3, 2)?);
    /// assert_eq!(net.named_parameters_with(&nn::Traversal::new().prefix("net"))[0].0, "net.0.weight");
    /// assert!(net.named_parameters_with(&nn::Traversal::new().recurse(false)).is_empty());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn named_parameters_with(&self, options: &Traversal) -> Vec<(String, Parameter)> {
        traverse::named_parameters(self.as_dyn(), options)
    }
    /// Every parameter, tied ones once: what an optimizer takes.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::new(3, 2)?;
    /// assert_eq!(linear.parameters().iter().map(|parameter| parameter.numel()).sum::<Result<usize>>()?, 8);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn parameters(&self) -> Vec<Parameter> {
        self.parameters_with(&Traversal::new())
    }
    /// [`Module::parameters`] with options, as [`Traversal`] shows.
    fn parameters_with(&self, options: &Traversal) -> Vec<Parameter> {
        self.named_parameters_with(options).into_iter().map(|(_, p)| p).collect()
    }

    /// Every buffer with its dotted name, persistent or not.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let names: Vec<_> = nn::BatchNorm1d::new(2)?.named_buffers().into_iter().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["running_mean", "running_var", "num_batches_tracked"]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn named_buffers(&self) -> Vec<(String, Buffer)> {
        traverse::named_buffers(self.as_dyn(), &Traversal::new())
    }
    /// [`Module::named_buffers`] with options, as [`Traversal`] shows.
    fn named_buffers_with(&self, options: &Traversal) -> Vec<(String, Buffer)> {
        traverse::named_buffers(self.as_dyn(), options)
    }
    /// Every buffer, persistent or not.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::BatchNorm1d::new(2)?.buffers()[1].to_vec::<f32>()?, [1.0, 1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn buffers(&self) -> Vec<Buffer> {
        self.buffers_with(&Traversal::new())
    }
    /// [`Module::buffers`] with options, as [`Traversal`] shows.
    fn buffers_with(&self, options: &Traversal) -> Vec<Buffer> {
        self.named_buffers_with(options).into_iter().map(|(_, b)| b).collect()
    }

    /// This module (under `""`) and everything below it, parents first, shared modules once.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::Linear::new(3, 2)?).add(nn::ReLU::new());
    /// let names: Vec<_> = net.named_modules().into_iter().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["", "0", "1"]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn named_modules(&self) -> Vec<(String, &dyn Module)> {
        traverse::named_modules(self.as_dyn(), &Traversal::new())
    }
    /// [`Module::named_modules`] with options, as [`Traversal`] shows; `recurse` does not apply.
    fn named_modules_with(&self, options: &Traversal) -> Vec<(String, &dyn Module)> {
        traverse::named_modules(self.as_dyn(), options)
    }
    /// This module and everything below it, parents first, shared modules once.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::Linear::new(3, 2)?).add(nn::ReLU::new());
    /// let linear = net.modules().into_iter().filter(|module| module.is::<nn::Linear>()).count();
    /// assert_eq!((net.modules().len(), linear), (3, 1));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn modules(&self) -> Vec<&dyn Module> {
        self.named_modules().into_iter().map(|(_, m)| m).collect()
    }
    /// The direct children with their names, shared ones once.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let inner = nn::Sequential::new().add(nn::ReLU::new());
    /// let net = nn::Sequential::new().add_named("body", inner)?.add_named("head", nn::Linear::new(3, 2)?)?;
    /// let names: Vec<_> = net.named_children().into_iter().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["body", "head"]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn named_children(&self) -> Vec<(String, &dyn Module)> {
        traverse::named_children(self.as_dyn())
    }
    /// The direct children, shared ones once.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::Linear::new(3, 2)?).add(nn::ReLU::new());
    /// assert_eq!(net.children()[1].to_string(), "ReLU()");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn children(&self) -> Vec<&dyn Module> {
        self.named_children().into_iter().map(|(_, m)| m).collect()
    }

    /// The module at a dotted path; the empty path is this module.
    ///
    /// # Errors
    /// An `AttributeError` that names the part of the path that is not a module.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::Sequential::new().add(nn::ReLU::new()));
    /// assert_eq!(net.get_submodule("0.0")?.type_name(), "ReLU");
    /// assert!(net.get_submodule("0.1").is_err());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn get_submodule(&self, target: &str) -> Result<&dyn Module> {
        submodule::get(self.as_dyn(), target)
    }
    /// The parameter at a dotted path.
    ///
    /// # Errors
    /// An `AttributeError` when there is none.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::Linear::new(3, 2)?);
    /// assert_eq!(net.get_parameter("0.weight")?.shape()?, [2, 3]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn get_parameter(&self, target: &str) -> Result<&Parameter> {
        submodule::get_parameter(self.as_dyn(), target)
    }
    /// The buffer at a dotted path.
    ///
    /// # Errors
    /// An `AttributeError` when there is none.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::BatchNorm1d::new(2)?);
    /// assert_eq!(net.get_buffer("0.running_var")?.to_vec::<f32>()?, [1.0, 1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn get_buffer(&self, target: &str) -> Result<&Buffer> {
        submodule::get_buffer(self.as_dyn(), target)
    }

    /// Every parameter and persistent buffer by its dotted name, detached but sharing memory with the model.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let state = nn::Linear::new(3, 2)?.state_dict();
    /// assert_eq!(state.keys().collect::<Vec<_>>(), ["weight", "bias"]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn state_dict(&self) -> StateDict {
        state_dict::collect(self.as_dyn(), &StateDictOptions::new())
    }
    /// [`Module::state_dict`] with a prefix, or with the parameters themselves rather than detached tensors, as
    /// [`StateDictOptions`] shows.
    fn state_dict_with(&self, options: &StateDictOptions) -> StateDict {
        state_dict::collect(self.as_dyn(), options)
    }
    /// Adds this module's entries to `destination`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut state = StateDict::new();
    /// nn::Linear::new(3, 2)?.state_dict_into(&mut state, &nn::StateDictOptions::new().prefix("encoder."));
    /// nn::PReLU::new(1)?.state_dict_into(&mut state, &nn::StateDictOptions::new().prefix("act."));
    /// assert_eq!(state.keys().collect::<Vec<_>>(), ["encoder.weight", "encoder.bias", "act.weight"]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn state_dict_into(&self, destination: &mut StateDict, options: &StateDictOptions) {
        state_dict::collect_into(self.as_dyn(), destination, options);
    }

    /// Copies a `state_dict` into the module, in place. Everything is checked before anything is written.
    ///
    /// # Errors
    /// Every missing, unexpected or misshapen key at once, in PyTorch's words; the model is then unchanged.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (trained, fresh) = (nn::Linear::new(3, 2)?, nn::Linear::new(3, 2)?);
    /// fresh.load_state_dict(&trained.state_dict())?;
    /// assert!(fresh.weight.equal(&trained.weight)?);
    /// assert!(nn::Linear::new(4, 2)?.load_state_dict(&trained.state_dict()).is_err());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn load_state_dict(&self, state: &StateDict) -> Result<IncompatibleKeys> {
        load_state_dict::load(self.as_dyn(), state, &LoadOptions::new())
    }
    /// [`Module::load_state_dict`] with options: not strict, by assignment, or only as a check.
    ///
    /// # Errors
    /// As [`Module::load_state_dict`]; missing and unexpected keys only when strict.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::new(3, 2)?;
    /// let weight = StateDict::from_iter([("weight", Tensor::zeros([2, 3])?)]);
    /// let keys = linear.load_state_dict_with(&weight, &nn::LoadOptions::new().strict(false))?;
    /// assert_eq!(keys.missing_keys, ["bias"]);
    /// assert_eq!(linear.weight.to_vec::<f32>()?, [0.0; 6]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
    /// let linear = nn::Linear::new(3, 2)?;
    /// let state = StateDict::from_iter([("weight", Tensor::zeros([2, 3])?)]);
    /// let report = linear.load_report(&state, &nn::LoadOptions::new())?.to_string();
    /// assert_eq!(report, "Linear: 1 of 2 entries fit\n  left at its initialization: bias [2]");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn load_report(&self, state: &StateDict, options: &LoadOptions) -> Result<LoadReport> {
        load_state_dict::report(self.as_dyn(), state, options)
    }

    /// Forgets the gradients of every parameter (PyTorch's `set_to_none=True`).
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::new(3, 2)?;
    /// linear.call(Tensor::ones([1, 3])?)?.sum()?.backward()?;
    /// linear.zero_grad();
    /// assert!(linear.weight.grad().is_none());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn zero_grad(&self) {
        self.zero_grad_with(true).expect("clearing a gradient checks nothing");
    }
    /// [`Module::zero_grad`], or, with `set_to_none` false, sets the gradients to zero in place, cut off from any
    /// history.
    ///
    /// # Errors
    /// A gradient that may not be written in place.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::new(3, 2)?;
    /// linear.call(Tensor::ones([1, 3])?)?.sum()?.backward()?;
    /// linear.zero_grad_with(false)?;
    /// assert_eq!(linear.weight.grad().map(|grad| grad.to_vec::<f32>()).transpose()?, Some(vec![0.0; 6]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn zero_grad_with(&self, set_to_none: bool) -> Result<()> {
        traverse::zero_grad(&self.parameters(), set_to_none)
    }

    /// Registers a parameter under a name that is no field; `None` leaves a listed, empty slot.
    ///
    /// # Errors
    /// A `KeyError` for a malformed or taken name.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut relu = nn::ReLU::new();
    /// relu.register_parameter("gain", Some(Parameter::new(Tensor::ones([1])?)))?;
    /// assert_eq!(relu.named_parameters()[0].0, "gain");
    /// assert!(relu.register_parameter("a.b", None).is_err());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn register_parameter(&mut self, name: &str, parameter: Option<Parameter>) -> Result<()> {
        extra::register_parameter(extra::exclusive(self.as_dyn_mut(), "register_parameter")?, name, parameter)
    }
    /// Registers a buffer under a name that is no field; `None` leaves a listed, empty slot.
    ///
    /// # Errors
    /// A `KeyError` for a malformed or taken name.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut relu = nn::ReLU::new();
    /// relu.register_buffer("calls", Some(Buffer::new(Tensor::zeros([1])?)))?;
    /// assert_eq!(relu.state_dict().keys().collect::<Vec<_>>(), ["calls"]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn register_buffer(&mut self, name: &str, buffer: Option<Buffer>) -> Result<()> {
        extra::register_buffer(extra::exclusive(self.as_dyn_mut(), "register_buffer")?, name, buffer)
    }
}
