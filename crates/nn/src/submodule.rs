//! Members by dotted path, with PyTorch's errors for paths that lead nowhere.

use crate::extra::{self, exclusive, has_attribute};
use crate::{Member, MemberMut, Module};
use firebrick_core::{Buffer, Error, Parameter, Result};
use std::any::Any;

pub(crate) fn get<'m>(module: &'m dyn Module, target: &str) -> Result<&'m dyn Module> {
    if target.is_empty() {
        return Ok(module);
    }
    match find(module, target) {
        Some(Member::Module(found)) => Ok(found),
        _ => Err(no_module(module, target)),
    }
}

pub(crate) fn get_parameter<'m>(module: &'m dyn Module, target: &str) -> Result<&'m Parameter> {
    match find(module, target) {
        Some(Member::Parameter(found)) => Ok(found),
        _ => Err(no_member(module, "get_parameter", target, "an nn.Parameter")),
    }
}

pub(crate) fn get_buffer<'m>(module: &'m dyn Module, target: &str) -> Result<&'m Buffer> {
    match find(module, target) {
        Some(Member::Buffer(found)) => Ok(found),
        _ => Err(no_member(module, "get_buffer", target, "a buffer")),
    }
}

/// Puts `new` at `target`: into the field that is there, or as a member registered at run time.
pub(crate) fn set<M: Module>(module: &mut dyn Module, target: &str, new: M, strict: bool) -> Result<()> {
    const OP: &str = "set_submodule";
    if target.is_empty() {
        return Err(Error::value(OP, "Cannot set the submodule without a target name!"));
    }
    let (parent_path, name) = target.rsplit_once('.').unwrap_or(("", target));
    let mut new = new;
    if let Some(Member::Module(_)) = find(module, target) {
        let slot = exclusive(find_slot(module, target), OP)?;
        match slot.replace(Box::new(new)) {
            Ok(()) => return Ok(()),
            Err(back) => new = *back.downcast().expect("a slot gives back what it was given"),
        }
        let parent = find_parent(module, parent_path)?;
        if parent.core().module(name).is_none() {
            return Err(wrong_type::<M>(module, target));
        }
    } else {
        let parent = get(module, parent_path)?;
        if has_attribute(parent, name) {
            return Err(Error::attribute(OP, format!("`{name}` is not an nn.Module")));
        }
        if strict {
            return Err(has_no(parent, OP, name));
        }
    }
    let parent = find_parent(module, parent_path)?;
    extra::add_module(parent, name, Some(Box::new(new)))
}

/// `slot` takes `new` if it is of its own type; for generated code.
///
/// # Errors
/// Gives `new` back when it is of another type.
pub fn replace<T: Any>(slot: &mut T, new: Box<dyn Any>) -> Result<(), Box<dyn Any>> {
    new.downcast::<T>().map(|new| *slot = *new)
}

pub(crate) fn find_parent<'m>(module: &'m mut dyn Module, path: &str) -> Result<&'m mut dyn Module> {
    let parent =
        if path.is_empty() { module.as_dyn_mut() } else { find_slot(module, path).and_then(|s| s.as_dyn_mut()) };
    exclusive(parent, "set_submodule")
}

/// `rest` of `path` after `name`, when `path` is `name` or goes on below it.
fn below<'p>(path: &'p str, name: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(name)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
}

fn find<'m>(module: &'m dyn Module, path: &str) -> Option<Member<'m>> {
    let mut found = None;
    module.visit(&mut |name, member| {
        if found.is_none() && below(path, name).is_some() {
            found = Some((member, below(path, name).map(str::to_owned)));
        }
    });
    match found? {
        (Member::Module(child), Some(rest)) if !rest.is_empty() => find(child, &rest),
        (member, Some(rest)) if rest.is_empty() => Some(member),
        _ => None,
    }
}

/// The place of the module at `path`; `None` also where a shared module stands in between.
fn find_slot<'m>(module: &'m mut dyn Module, path: &str) -> Option<&'m mut dyn Module> {
    let mut found: Option<(&'m mut dyn Module, String)> = None;
    module.visit_mut(&mut |name, member| {
        if let MemberMut::Module(slot) = member
            && found.is_none()
            && let Some(rest) = below(path, name)
        {
            found = Some((slot, rest.to_owned()));
        }
    });
    let (slot, rest) = found?;
    if rest.is_empty() { Some(slot) } else { find_slot(slot.as_dyn_mut()?, &rest) }
}

fn has_no(module: &dyn Module, op: &'static str, name: &str) -> Error {
    let error = Error::attribute(op, format!("{} has no attribute `{name}`", module.display_name()));
    let mut names = Vec::new();
    module.visit(&mut |n, _| names.push(n.to_owned()));
    if names.is_empty() { error } else { error.expected(format!("one of {}", names.join(", "))) }
}

/// Follows `target` as far as it leads and says what stops it.
fn no_module(module: &dyn Module, target: &str) -> Error {
    const OP: &str = "get_submodule";
    let mut step: Option<(&dyn Module, &str)> = None;
    let mut in_list = false;
    let (item, rest) = target.split_once('.').unwrap_or((target, ""));
    module.visit(&mut |name, member| {
        in_list |= name.strip_prefix(item).is_some_and(|tail| tail.starts_with('.'));
        if let (Member::Module(child), Some(rest), None) = (member, below(target, name), step) {
            step = Some((child, rest));
        }
    });
    if let Some((child, rest)) = step {
        return no_module(child, rest);
    }
    if in_list && !rest.is_empty() {
        let key = rest.split('.').next().unwrap_or(rest);
        return Error::attribute(OP, format!("ModuleList has no attribute `{key}`")).given(target.to_owned());
    }
    if has_attribute(module, item) {
        return Error::attribute(OP, format!("`{item}` is not an nn.Module"));
    }
    has_no(module, OP, item)
}

fn no_member(module: &dyn Module, op: &'static str, target: &str, what: &str) -> Error {
    let (path, name) = target.rsplit_once('.').unwrap_or(("", target));
    match get(module, path) {
        Err(error) => error,
        Ok(parent) if has_attribute(parent, name) => Error::attribute(op, format!("`{name}` is not {what}")),
        Ok(parent) => has_no(parent, op, name),
    }
}

fn wrong_type<M: Module>(module: &dyn Module, target: &str) -> Error {
    let holds = get(module, target).map_or_else(|_| String::new(), Module::display_name);
    Error::type_("set_submodule", format!("`{target}` cannot hold a module of another type"))
        .given(std::any::type_name::<M>())
        .expected(format!("the type of the field, which holds a {holds}"))
        .remedy("for a field of type `Box<dyn Forward>` pass `nn::boxed(module)`; to hold either, make it an enum")
}
