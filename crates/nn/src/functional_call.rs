//! Calling a module with other tensors in the places of its parameters and buffers.

use crate::{Args, Call, Forward, IntoArgs, Module, Traversal};
use firebrick_core::{Error, Result, StateDict, Tensor, substitute};
use std::collections::{BTreeSet, HashMap};

const OP: &str = "functional_call";

/// `module.call(input)`, with the tensors of `tensors` in the places of the parameters and buffers of those names:
/// PyTorch's `torch.func.functional_call`.
///
/// Gradients flow to the tensors that are given. What is not named keeps its own; names that the module lacks are passed
/// over, if the module they would be in exists. Changes in place (running statistics) happen to the given buffers. Tied
/// parameters are one tensor, so one name stands for all (PyTorch's `tie_weights=True`).
///
/// # Errors
/// Different tensors for tied names; a path that leads nowhere; those of the call.
///
/// ```
/// use firebrick::prelude::*;
/// let linear = nn::Linear::new(1, 1)?;
/// let other = StateDict::from_iter([("weight", Tensor::new([[2.0f32]])?), ("bias", Tensor::new([1.0f32])?)]);
/// let y = nn::functional_call(&linear, &other, Tensor::new([[3.0f32]])?)?;
/// assert_eq!(y.item::<f32>()?, 7.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn functional_call<I, O, M>(module: &M, tensors: &StateDict, input: impl IntoArgs<I>) -> Result<O>
where
    I: Args + Clone,
    O: Args,
    M: Forward<I, O> + ?Sized,
{
    let members = members(module.as_dyn());
    for name in tensors.keys().filter(|name| !members.contains_key(*name)) {
        let parent = name.rsplit_once('.').map_or("", |(parent, _)| parent);
        module.get_submodule(parent)?;
    }
    call(module, &members, tensors, input)
}

/// [`functional_call`] that wants a tensor for every parameter and buffer and nothing else: PyTorch's `strict=True`.
///
/// # Errors
/// Missing and unexpected names, all at once; otherwise as [`functional_call`].
///
/// ```
/// use firebrick::prelude::*;
/// let linear = nn::Linear::new(1, 1)?;
/// let weight = StateDict::from_iter([("weight", Tensor::new([[2.0f32]])?)]);
/// let refused = nn::functional_call_strict(&linear, &weight, Tensor::ones([1, 1])?).unwrap_err();
/// assert_eq!(refused.to_string(), "Error(s) in reparametrizing for Linear:\n\tMissing key(s): 'bias'.");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn functional_call_strict<I, O, M>(module: &M, tensors: &StateDict, input: impl IntoArgs<I>) -> Result<O>
where
    I: Args + Clone,
    O: Args,
    M: Forward<I, O> + ?Sized,
{
    let members = members(module.as_dyn());
    // A name that is tied to a given one counts as given.
    let given: Vec<usize> = tensors.keys().filter_map(|name| members.get(name)).map(Tensor::id).collect();
    let missing: BTreeSet<&str> =
        members.iter().filter(|(_, member)| !given.contains(&member.id())).map(|(name, _)| name.as_str()).collect();
    let unexpected: BTreeSet<&str> = tensors.keys().filter(|name| !members.contains_key(*name)).collect();
    let quoted = |names: &BTreeSet<&str>| names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let mut lines = String::new();
    if !unexpected.is_empty() {
        lines.push_str(&format!("\n\tUnexpected key(s): {}.", quoted(&unexpected)));
    }
    if !missing.is_empty() {
        lines.push_str(&format!("\n\tMissing key(s): {}.", quoted(&missing)));
    }
    if !lines.is_empty() {
        let name = module.as_dyn().display_name();
        return Err(Error::runtime(OP, format!("Error(s) in reparametrizing for {name}:{lines}")));
    }
    call(module, &members, tensors, input)
}

/// Every parameter and buffer under each of its names.
fn members(module: &dyn Module) -> HashMap<String, Tensor> {
    let all = Traversal::new().remove_duplicate(false);
    let parameters = module.named_parameters_with(&all).into_iter().map(|(name, p)| (name, (*p).clone()));
    let buffers = module.named_buffers_with(&all).into_iter().map(|(name, b)| (name, (*b).clone()));
    parameters.chain(buffers).collect()
}

fn call<I, O, M>(
    module: &M,
    members: &HashMap<String, Tensor>,
    tensors: &StateDict,
    input: impl IntoArgs<I>,
) -> Result<O>
where
    I: Args + Clone,
    O: Args,
    M: Forward<I, O> + ?Sized,
{
    let mut pairs: Vec<(&Tensor, &Tensor)> = Vec::new();
    for (name, tensor) in tensors {
        let Some(member) = members.get(name) else { continue };
        match pairs.iter().find(|(known, _)| known.ptr_eq(member)) {
            Some((_, known)) if !known.ptr_eq(tensor) => return Err(tied(members, member)),
            Some(_) => {}
            None => pairs.push((member, tensor)),
        }
    }
    let _standing_in = substitute(&pairs);
    module.call(input)
}

fn tied(members: &HashMap<String, Tensor>, member: &Tensor) -> Error {
    let names: BTreeSet<String> =
        members.iter().filter(|(_, other)| other.ptr_eq(member)).map(|(name, _)| format!("'{name}'")).collect();
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    Error::value(
        OP,
        format!(
            "functional_call got multiple values for keys [{names}], which are tied. Consider using tie_weights=False"
        ),
    )
}
