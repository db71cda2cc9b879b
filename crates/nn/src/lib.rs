//! Modules, layers, initialization and stateless functions of Firebrick.
//!
//! | file | what it holds |
//! |---|---|
//! | `module`, `ext`, `downcast` | [`Module`], [`ModuleExt`]: the tree and its methods |
//! | `member`, `custom` | [`Member`], [`Custom`]: what a module holds, and what it may write by hand |
//! | `field`, `boxed`, `memo` | what may stand in a module, and how it is copied |
//! | `core`, `extra` | [`Core`]: mode, hooks, members registered at run time |
//! | `forward`, `call`, `args` | [`Forward`], [`Call`], [`Args`]: the computation and its inputs |
//! | `hooks`, `backward_hooks`, `global_hooks` | functions around the computation |
//! | `traverse`, `submodule`, `repr` | names, paths, printing |
//! | `state_dict`, `load_state_dict`, `load_report`, `hints` | checkpoints |
//! | `functional_call` | calls with other tensors in the places of parameters |
//! | [`checkpoint`] | memory for time: activations computed again |
//! | [`utils`] | norms, clipping, pruning, packed sequences |
//! | [`init`] | how parameters begin |
//! | `layers`, [`functional`] | what models are made of, as modules and as functions |
//! | [`inspect`] | tables of models, activations, differences |
//! | [`doctor`] | failures of training that raise no error |
//! | [`swa_utils`] | averages of weights |
//! | `lazy`, `conversion`, `scope` | first inputs, `to`, paths in errors |
//! | `options` | how the options of a function are written down |
//!
//! `visit`, which the derive writes, is the one description of a module; the rest are functions over it.

extern crate self as firebrick;

mod args;
mod backward_hooks;
mod boxed;
mod call;
pub mod checkpoint;
mod containers;
mod conversion;
mod core;
mod custom;
pub mod doctor;
mod downcast;
mod ext;
mod extra;
mod field;
mod forward;
pub mod functional;
mod functional_call;
mod global_hooks;
mod hints;
mod hooks;
pub mod init;
pub mod inspect;
mod layers;
mod lazy;
mod load_report;
mod load_state_dict;
mod member;
mod memo;
mod module;
mod options;
mod repr;
mod scope;
mod state_dict;
mod submodule;
mod traverse;

pub mod swa_utils;
pub mod utils;

pub use args::{Absent, Args, IntoArgs};
pub use backward_hooks::{Gradient, Gradients, ModuleInfo};
pub use call::Call;
pub use containers::{ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential};
pub use core::Core;
pub use custom::Custom;
pub use ext::ModuleExt;
pub use extra::StandIn;
pub use field::{Field, Flattened};
pub use firebrick_core::{Buffer, Parameter, Reduction};
pub use firebrick_derive::{Args, Module};
pub use forward::{CloneForward, Forward, boxed};
pub use functional_call::{functional_call, functional_call_strict};
pub use global_hooks::{
    register_module_forward_hook, register_module_forward_pre_hook, register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
};
pub use hooks::{HookHandle, HookOptions, ScopedHook};
pub use layers::*;
pub use load_report::LoadReport;
pub use load_state_dict::{IncompatibleKeys, LoadOptions, Loading};
pub use member::{Member, MemberKind, MemberMut, Visitor, VisitorMut};
pub use memo::Memo;
pub use module::Module;
pub use state_dict::StateDictOptions;
pub use traverse::Traversal;

pub(crate) use firebrick_core::warn;

/// What generated code names.
#[doc(hidden)]
pub mod __private {
    pub use crate::repr::repr;
    pub use crate::submodule::replace;
    pub use crate::{
        Args, Core, Custom, Field, Flattened, IntoArgs, Member, MemberMut, Memo, Module, Visitor, VisitorMut,
    };
    pub use firebrick_core::{Result, StateDict, Tensor};

    /// Copies a field marked `#[module(skip)]`: it needs `Clone`, or the mark `#[module(skip, default)]`.
    pub fn skip_needs_clone_else_default<T: Clone>(field: &T) -> T {
        field.clone()
    }

    /// Compiles for containers that `#[module(flatten)]` is for.
    pub fn require_flatten<T: Flattened>() {}
}
