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
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::Member;
/// let linear = nn::Linear::new(3, 2)?;
/// let mut names = Vec::new();
/// linear.visit(&mut |name, member| {
///     if let Member::Parameter(parameter) = member {
///         names.push(format!("{name} {:?}", parameter.size(0)));
///     }
/// });
/// assert_eq!(names, ["weight Ok(2)", "bias Ok(2)"]);
/// # Ok::<_, firebrick::Error>(())
/// ```
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
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::MemberKind;
    /// let net = nn::Sequential::new().add(nn::ReLU::new());
    /// net.visit(&mut |_, member| assert_eq!(member.kind(), MemberKind::Module));
    /// ```
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
///
/// ```
/// use firebrick::prelude::*;
/// #[derive(Module)]
/// #[module(custom)]
/// struct Scale {
///     core: Core,
///     factor: f64,
/// }
///
/// impl nn::Custom for Scale {
///     fn extra_repr(&self) -> String {
///         format!("factor={}", self.factor)
///     }
/// }
///
/// assert_eq!(Scale { core: Core::new(), factor: 2.5 }.to_string(), "Scale(factor=2.5)");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` says `#[module(custom)]` but has no `impl Custom`",
    label = "no `impl Custom`",
    note = "write `impl nn::Custom for {Self}`, or leave `#[module(custom)]` out"
)]
pub trait Custom {
    /// The text between the parentheses of the printed form, such as `in_features=2, out_features=3`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::Custom;
    /// assert_eq!(nn::Linear::new(3, 2)?.extra_repr(), "in_features=3, out_features=2, bias=True");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn extra_repr(&self) -> String {
        String::new()
    }

    /// Replaces the whole printed form.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// #[derive(Module)]
    /// #[module(custom)]
    /// struct Secret { core: Core }
    ///
    /// impl nn::Custom for Secret {
    ///     fn repr(&self) -> Option<String> {
    ///         Some("<secret>".to_owned())
    ///     }
    /// }
    ///
    /// assert_eq!(Secret { core: Core::new() }.to_string(), "<secret>");
    /// ```
    fn repr(&self) -> Option<String> {
        None
    }

    /// PyTorch's `_version`, written into the metadata of a `state_dict`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let state = nn::BatchNorm1d::new(2)?.state_dict();
    /// assert_eq!(state.metadata[""]["version"], 2);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// #[derive(Module)]
    /// #[module(custom)]
    /// struct Scale { core: Core, factor: Parameter }
    ///
    /// impl nn::Custom for Scale {
    ///     fn version(&self) -> i64 {
    ///         2
    ///     }
    ///
    ///     fn migrate(&self, state: &mut StateDict, prefix: &str, version: Option<i64>) -> Result<()> {
    ///         if version.unwrap_or(1) < 2 && let Some(old) = state.remove(&format!("{prefix}alpha")) {
    ///             state.insert(format!("{prefix}factor"), old);
    ///         }
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let scale = Scale { core: Core::new(), factor: Parameter::new(Tensor::zeros([1])?) };
    /// scale.load_state_dict(&StateDict::from_iter([("alpha", Tensor::new([2.5f32])?)]))?;
    /// assert_eq!(scale.factor.to_vec::<f32>()?, [2.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn migrate(&self, state: &mut StateDict, prefix: &str, version: Option<i64>) -> Result<()> {
        let _ = (state, prefix, version);
        Ok(())
    }

    /// What the module saves beside its parameters and buffers, under `_extra_state`; `None`, the default, is nothing.
    ///
    /// PyTorch's may be any object that Python can pickle; here it is a tensor, which every checkpoint can hold.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
    /// #[derive(Module)]
    /// #[module(custom)]
    /// struct Counter { core: Core, #[module(skip)] count: Arc<AtomicI64> }
    ///
    /// impl nn::Custom for Counter {
    ///     fn get_extra_state(&self) -> Option<Tensor> {
    ///         Tensor::new(self.count.load(Relaxed)).ok()
    ///     }
    ///
    ///     fn set_extra_state(&self, state: &Tensor) -> Result<()> {
    ///         self.count.store(state.item()?, Relaxed);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let counter = |count: i64| Counter { core: Core::new(), count: Arc::new(count.into()) };
    /// let (saved, loaded) = (counter(7), counter(0));
    /// loaded.load_state_dict(&saved.state_dict())?;
    /// assert_eq!(loaded.count.load(Relaxed), 7);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
    /// The same, open to change; `None` while it is shared by several owners.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut layer: Box<dyn nn::Forward> = Box::new(nn::ReLU::new());
    /// let inner = layer.as_dyn_mut().and_then(|module| module.downcast_mut::<nn::ReLU>());
    /// assert!(inner.is_some());
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
    /// use firebrick::nn::MemberMut;
    /// let mut linear = nn::Linear::new(3, 2)?;
    /// let shared = Parameter::new(Tensor::zeros([2])?);
    /// linear.visit_mut(&mut |name, member| {
    ///     if let ("bias", MemberMut::Parameter(place)) = (name, member) {
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
    /// use firebrick::nn::Memo;
    /// let linear = nn::Linear::new(3, 2)?;
    /// let copy = linear.clone_dyn(&mut Memo::new())?;
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
    /// use firebrick::nn::Traversal;
    /// let net = nn::Sequential::new().add(nn::Linear::new(3, 2)?);
    /// assert_eq!(net.named_parameters_with(&Traversal::new().prefix("net"))[0].0, "net.0.weight");
    /// assert!(net.named_parameters_with(&Traversal::new().recurse(false)).is_empty());
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
    /// [`Module::parameters`] with options.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::Traversal;
    /// let net = nn::Sequential::new().add(nn::Linear::new(3, 2)?);
    /// assert!(net.parameters_with(&Traversal::new().recurse(false)).is_empty());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
    /// [`Module::named_buffers`] with options.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::Traversal;
    /// let named = nn::BatchNorm1d::new(2)?.named_buffers_with(&Traversal::new().prefix("bn"));
    /// assert_eq!(named[0].0, "bn.running_mean");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
    /// [`Module::buffers`] with options.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::Traversal;
    /// let net = nn::Sequential::new().add(nn::BatchNorm1d::new(2)?);
    /// assert_eq!((net.buffers().len(), net.buffers_with(&Traversal::new().recurse(false)).len()), (3, 0));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
    /// [`Module::named_modules`] with options; `recurse` does not apply.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::Traversal;
    /// let net = nn::Sequential::new().add(nn::ReLU::new());
    /// let named = net.named_modules_with(&Traversal::new().prefix("net"));
    /// assert_eq!(named.into_iter().map(|(name, _)| name).collect::<Vec<_>>(), ["net", "net.0"]);
    /// ```
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
    /// [`Module::state_dict`] with a prefix, or with the parameters themselves rather than detached tensors.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::StateDictOptions;
    /// let linear = nn::Linear::new(3, 2)?;
    /// let state = linear.state_dict_with(&StateDictOptions::new().prefix("fc.").keep_vars(true));
    /// assert_eq!(state.get("fc.weight").map(|tensor| tensor.id()), Some(linear.weight.id()));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn state_dict_with(&self, options: &StateDictOptions) -> StateDict {
        state_dict::collect(self.as_dyn(), options)
    }
    /// Adds this module's entries to `destination`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::StateDictOptions;
    /// let mut state = StateDict::new();
    /// nn::Linear::new(3, 2)?.state_dict_into(&mut state, &StateDictOptions::new().prefix("encoder."));
    /// nn::PReLU::new(1)?.state_dict_into(&mut state, &StateDictOptions::new().prefix("act."));
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
    /// use firebrick::nn::LoadOptions;
    /// let linear = nn::Linear::new(3, 2)?;
    /// let weight = StateDict::from_iter([("weight", Tensor::zeros([2, 3])?)]);
    /// let keys = linear.load_state_dict_with(&weight, &LoadOptions::new().strict(false))?;
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
        for parameter in self.parameters() {
            parameter.set_grad(None).expect("clearing a gradient checks nothing");
        }
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
        extra::register_parameter(exclusive(self.as_dyn_mut(), "register_parameter")?, name, parameter)
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
        extra::register_buffer(exclusive(self.as_dyn_mut(), "register_buffer")?, name, buffer)
    }
}

impl dyn Module {
    /// The module as its own type, when that is `M`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::Linear::new(3, 2)?);
    /// let linear = net.get_submodule("0")?.downcast_ref::<nn::Linear>();
    /// assert_eq!(linear.map(|linear| linear.out_features()), Some(2));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn downcast_ref<M: Module>(&self) -> Option<&M> {
        (self.as_dyn() as &dyn Any).downcast_ref()
    }

    /// Is the module an `M`? Python's `isinstance`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::ReLU::new());
    /// assert!(net.children()[0].is::<nn::ReLU>() && !net.children()[0].is::<nn::Linear>());
    /// ```
    pub fn is<M: Module>(&self) -> bool {
        self.downcast_ref::<M>().is_some()
    }

    /// The module as its own type, open to change.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut layer: Box<dyn nn::Forward> = Box::new(nn::Linear::new(3, 2)?);
    /// let linear = layer.as_dyn_mut().and_then(|module| module.downcast_mut::<nn::Linear>());
    /// linear.expect("it is one").bias = None;
    /// assert_eq!(layer.parameters().len(), 1);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
