//! Members registered at run time by name rather than by a field, and members hidden from listings.

use crate::{Member, MemberKind, MemberMut, Memo, Module, Visitor, VisitorMut};
use firebrick_core::{Buffer, Error, Parameter, Result, Tensor};
use indexmap::{IndexMap, IndexSet};
use std::sync::Arc;

/// Computes the tensors that take the places of parameters during a call; [`Core::stand_in`](crate::Core::stand_in) shows one.
pub type StandIn = Arc<dyn Fn(&dyn Module) -> Result<Vec<(Parameter, Tensor)>> + Send + Sync>;

/// What a core holds beyond its fixed part.
#[derive(Default)]
pub(crate) struct Extra {
    members: IndexMap<String, Slot>,
    hidden: IndexSet<String>,
    /// Places of members whose values are computed; not listed.
    places: IndexMap<String, Slot>,
    name: Option<String>,
    stand_ins: IndexMap<String, StandIn>,
}

pub(crate) enum Slot {
    Parameter(Parameter),
    Buffer(Buffer),
    Module(Box<dyn Module>),
    Empty(MemberKind),
}

impl Slot {
    /// The parameter or buffer in it.
    pub fn tensor(&self) -> Option<&Tensor> {
        match self {
            Slot::Parameter(parameter) => Some(parameter),
            Slot::Buffer(buffer) => Some(buffer),
            _ => None,
        }
    }

    fn member(&self) -> Member<'_> {
        match self {
            Slot::Parameter(parameter) => Member::Parameter(parameter),
            Slot::Buffer(buffer) => Member::Buffer(buffer),
            Slot::Module(module) => Member::Module(module.as_dyn()),
            Slot::Empty(kind) => Member::Empty(*kind),
        }
    }

    fn clone_with(&self, memo: &mut Memo) -> Result<Slot> {
        Ok(match self {
            Slot::Parameter(parameter) => Slot::Parameter(memo.parameter(parameter)?),
            Slot::Buffer(buffer) => Slot::Buffer(memo.buffer(buffer)?),
            Slot::Module(module) => Slot::Module(module.clone_dyn(memo)?),
            Slot::Empty(kind) => Slot::Empty(*kind),
        })
    }
}

impl Extra {
    pub fn member(&self, name: &str) -> Option<Member<'_>> {
        self.members.get(name).map(Slot::member)
    }

    /// A member for use in `forward`: also one whose value is computed and which is not listed.
    pub fn usable(&self, name: &str) -> Option<Member<'_>> {
        self.places.get(name).map(Slot::member).or_else(|| self.member(name))
    }

    /// The place of a computed member that is no field.
    pub fn place(&self, name: &str) -> Option<&Tensor> {
        self.places.get(name).and_then(Slot::tensor)
    }

    /// The child of this name, open to change.
    pub fn module_mut(&mut self, name: &str) -> Option<&mut dyn Module> {
        match self.members.get_mut(name)? {
            Slot::Module(module) => module.as_dyn_mut(),
            _ => None,
        }
    }

    /// Takes a member off the listings; `place` is what `forward` finds under its name from now on.
    pub fn set_aside(&mut self, name: &str, place: Slot) {
        self.members.shift_remove(name);
        self.hidden.insert(name.to_owned());
        self.places.insert(name.to_owned(), place);
    }

    /// Ends [`Extra::set_aside`]: the member is listed again, behind the others as PyTorch lists it.
    pub fn bring_back(&mut self, name: &str, member: Slot) {
        self.places.shift_remove(name);
        self.members.insert(name.to_owned(), member);
    }

    pub fn remove(&mut self, name: &str) -> bool {
        self.members.shift_remove(name).is_some()
    }

    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub fn set_name(&mut self, name: Option<String>) {
        self.name = name;
    }

    pub fn hide(&mut self, name: &str, hidden: bool) {
        if hidden {
            self.hidden.insert(name.to_owned());
        } else {
            self.hidden.shift_remove(name);
        }
    }

    /// What computes tensors for each call.
    pub fn stand_ins(&self) -> impl Iterator<Item = &StandIn> {
        self.stand_ins.values()
    }

    /// What was set under this name.
    pub fn stand_in_of(&self, name: &str) -> Option<&StandIn> {
        self.stand_ins.get(name)
    }

    /// The names under which computations were set.
    pub fn stand_in_names(&self) -> impl Iterator<Item = &str> {
        self.stand_ins.keys().map(String::as_str)
    }

    /// Does anything stand in for a parameter?
    pub fn is_standing_in(&self) -> bool {
        !self.stand_ins.is_empty()
    }

    pub fn set_stand_in(&mut self, name: &str, compute: Option<StandIn>) {
        match compute {
            Some(compute) => drop(self.stand_ins.insert(name.to_owned(), compute)),
            None => drop(self.stand_ins.shift_remove(name)),
        }
    }

    pub fn visit_mut<'m>(&'m mut self, f: VisitorMut<'_, 'm>) {
        for (name, slot) in &mut self.members {
            match slot {
                Slot::Parameter(parameter) => f(name, MemberMut::Parameter(parameter)),
                Slot::Buffer(buffer) => f(name, MemberMut::Buffer(buffer)),
                Slot::Module(module) => f(name, MemberMut::Module(module)),
                Slot::Empty(_) => {}
            }
        }
    }

    pub fn clone_with(&self, memo: &mut Memo) -> Result<Extra> {
        let mut copy = |slots: &IndexMap<String, Slot>| {
            slots.iter().map(|(name, slot)| Ok((name.clone(), slot.clone_with(memo)?))).collect::<Result<_>>()
        };
        Ok(Extra {
            members: copy(&self.members)?,
            places: copy(&self.places)?,
            hidden: self.hidden.clone(),
            name: self.name.clone(),
            stand_ins: self.stand_ins.clone(),
        })
    }
}

/// The error for a structural change of a module that several `Arc`s own.
pub(crate) fn exclusive<'m>(module: Option<&'m mut dyn Module>, op: &'static str) -> Result<&'m mut dyn Module> {
    module.ok_or_else(|| {
        Error::runtime(op, "the module is shared by several owners, so its structure cannot change")
            .remedy("change it before sharing it through `Arc`, or change a `deep_clone`")
    })
}

/// `Module::visit`: declared members that are not hidden, then those registered by name.
pub(crate) fn visit<'m>(core: &'m crate::Core, declared: &mut dyn FnMut(Visitor<'_, 'm>), f: Visitor<'_, 'm>) {
    let Some(extra) = core.extra() else { return declared(f) };
    if extra.hidden.is_empty() {
        declared(f);
    } else {
        declared(&mut |name, member| {
            if !extra.hidden.contains(name) {
                f(name, member);
            }
        });
    }
    for (name, slot) in &extra.members {
        f(name, slot.member());
    }
}

/// Registers or replaces a parameter, as PyTorch's `register_parameter` does.
pub(crate) fn register_parameter(module: &mut dyn Module, name: &str, parameter: Option<Parameter>) -> Result<()> {
    let op = "register_parameter";
    check_name(op, "parameter", name)?;
    if parameter.as_ref().is_some_and(|parameter| parameter.grad_fn().is_some()) {
        return Err(Error::value(
            op,
            format!(
                "Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. To express '{name}' as a function of another Tensor, compute the value in the forward() method."
            ),
        ));
    }
    let slot = parameter.map_or(Slot::Empty(MemberKind::Parameter), Slot::Parameter);
    insert(module, op, name, MemberKind::Parameter, slot)
}

/// Registers or replaces a buffer, as PyTorch's `register_buffer` does.
pub(crate) fn register_buffer(module: &mut dyn Module, name: &str, buffer: Option<Buffer>) -> Result<()> {
    let op = "register_buffer";
    check_name(op, "buffer", name)?;
    let slot = buffer.map_or(Slot::Empty(MemberKind::Buffer), Slot::Buffer);
    insert(module, op, name, MemberKind::Buffer, slot)
}

/// Registers or replaces a child, as PyTorch's `add_module` does.
pub(crate) fn add_module(module: &mut dyn Module, name: &str, child: Option<Box<dyn Module>>) -> Result<()> {
    let op = "add_module";
    check_free(module, op, name, MemberKind::Module)?;
    check_module_name(op, name)?;
    let slot = child.map_or(Slot::Empty(MemberKind::Module), Slot::Module);
    insert(module, op, name, MemberKind::Module, slot)
}

/// Takes off what was registered by name; `false` when nothing was.
pub(crate) fn unregister(module: &mut dyn Module, name: &str) -> bool {
    module.core_mut().is_some_and(|core| core.extra_mut().remove(name))
}

fn check_name(op: &'static str, kind: &str, name: &str) -> Result<()> {
    if name.contains('.') {
        return Err(Error::key(op, format!("{kind} name can't contain \".\"")).given(format!("{name:?}")));
    }
    if name.is_empty() {
        return Err(Error::key(op, format!("{kind} name can't be empty string \"\"")));
    }
    Ok(())
}

/// The rule for names of children, which `ModuleDict` and `Sequential` share.
pub(crate) fn check_module_name(op: &'static str, name: &str) -> Result<()> {
    if name.contains('.') {
        return Err(Error::key(op, format!("module name can't contain \".\", got: {name}")));
    }
    if name.is_empty() {
        return Err(Error::key(op, "module name can't be empty string \"\""));
    }
    Ok(())
}

/// A name may be registered again for the same kind of member, but not over anything else.
fn check_free(module: &dyn Module, op: &'static str, name: &str, kind: MemberKind) -> Result<()> {
    let registered = module.core().extra().and_then(|extra| extra.member(name)).map(|m| m.kind());
    let taken = match registered {
        Some(known) => known != kind,
        None => has_attribute(module, name),
    };
    if !taken {
        return Ok(());
    }
    let error = Error::key(op, format!("attribute '{name}' already exists"));
    Err(if module.attributes().contains(&name) {
        error.remedy(format!("`{name}` is a field of {}: assign to it instead", module.type_name()))
    } else {
        error
    })
}

fn insert(module: &mut dyn Module, op: &'static str, name: &str, kind: MemberKind, slot: Slot) -> Result<()> {
    check_free(module, op, name, kind)?;
    let core = module.core_mut().ok_or_else(|| Error::runtime(op, "the module is shared by several owners"))?;
    // The old value is dropped here, after its place was taken.
    core.extra_mut().members.insert(name.to_owned(), slot);
    Ok(())
}

/// Python's `hasattr`: a field, a registered member or a method of `nn.Module`.
pub(crate) fn has_attribute(module: &dyn Module, name: &str) -> bool {
    let set_aside = module.core().extra().is_some_and(|extra| extra.places.contains_key(name));
    if set_aside || METHODS.contains(&name) || module.attributes().contains(&name) {
        return true;
    }
    let mut found = false;
    module.visit(&mut |n, _| {
        found |= n.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    });
    found
}

/// Is this the name of a method of PyTorch's `nn.Module`?
pub(crate) fn is_method(name: &str) -> bool {
    name != "training" && METHODS.contains(&name)
}

/// The public methods of PyTorch 2.15's `nn.Module`, whose names no member can take.
const METHODS: &[&str] = &[
    "T_destination",
    "add_module",
    "apply",
    "bfloat16",
    "buffers",
    "call_super_init",
    "children",
    "compile",
    "cpu",
    "cuda",
    "double",
    "dump_patches",
    "eval",
    "extra_repr",
    "float",
    "forward",
    "get_buffer",
    "get_extra_state",
    "get_parameter",
    "get_submodule",
    "half",
    "ipu",
    "load_state_dict",
    "modules",
    "mtia",
    "named_buffers",
    "named_children",
    "named_modules",
    "named_parameters",
    "parameters",
    "register_backward_hook",
    "register_buffer",
    "register_forward_hook",
    "register_forward_pre_hook",
    "register_full_backward_hook",
    "register_full_backward_pre_hook",
    "register_load_state_dict_post_hook",
    "register_load_state_dict_pre_hook",
    "register_module",
    "register_parameter",
    "register_state_dict_post_hook",
    "register_state_dict_pre_hook",
    "requires_grad_",
    "set_extra_state",
    "set_submodule",
    "share_memory",
    "state_dict",
    "to",
    "to_empty",
    "train",
    "training",
    "type",
    "xpu",
    "zero_grad",
];
