//! Parameters that are computed from others: PyTorch's `torch.nn.utils.parametrize`.
//!
//! The original moves to `parametrizations.<name>.original`, where optimizers and checkpoints find it; during each
//! call of the module the computed tensor, with its history, stands in the parameter's place. Outside of calls the
//! field has a shape but no values: [`parametrized`] computes them.

mod cache;
mod list;
mod stage;

pub use cache::{Cached, cached};
pub use list::ParametrizationList;
pub use stage::{Originals, Parametrization};

use crate::extra::{self, Slot, exclusive};
use crate::{Forward, Member, MemberMut, Module, ModuleDict, ModuleExt};
use firebrick_core::autograd::ModeGuard;
use firebrick_core::{Buffer, Error, Parameter, Result, Tensor};
use stage::Stage;
use std::sync::Arc;

/// The name of the child that holds the originals.
const CHILD: &str = "parametrizations";

type Lists = ModuleDict<ParametrizationList>;

/// Computes a parameter or buffer of `module` by `parametrization` from now on; a second one is applied to the result of
/// the first.
///
/// Where the parametrization has a `right_inverse`, the original starts so that the computed value is the present one.
/// An optimizer that holds the parameter stays linked: it becomes the original.
///
/// # Errors
/// No parameter or buffer of this name; a result of another shape or dtype.
///
/// ```
/// use firebrick::nn::utils::parametrize;
/// use firebrick::prelude::*;
///
/// #[derive(Module)]
/// struct Symmetric { core: Core }
///
/// impl nn::Forward for Symmetric {
///     fn forward(&self, x: Tensor) -> Result<Tensor> {
///         x.triu(0)? + x.triu(1)?.transpose(0, 1)?
///     }
/// }
/// impl parametrize::Parametrization for Symmetric {
///     type Originals = Tensor;
/// }
///
/// let mut layer = nn::Linear::builder(2, 2).bias(false).build()?;
/// parametrize::register_parametrization(&mut layer, "weight", Symmetric { core: Core::new() })?;
/// assert_eq!(layer.state_dict().keys().collect::<Vec<_>>(), ["parametrizations.weight.original"]);
/// let w = parametrize::parametrized(&layer, "weight")?.to_vec::<f32>()?;
/// assert_eq!(w[1], w[2]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn register_parametrization<P>(module: &mut dyn Module, name: &str, parametrization: P) -> Result<()>
where
    P: Parametrization + Forward<P::Originals>,
{
    register(module, name, parametrization, true)
}

/// [`register_parametrization`] for one that changes shape or dtype: PyTorch's `unsafe=True`.
///
/// # Errors
/// No parameter or buffer of this name.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::parametrize;
///
/// #[derive(Module)]
/// struct Twice { core: Core }
///
/// impl nn::Forward for Twice {
///     fn forward(&self, x: Tensor) -> Result<Tensor> {
///         Tensor::cat(&[&x, &x], 0)
///     }
/// }
/// impl parametrize::Parametrization for Twice {
///     type Originals = Tensor;
/// }
///
/// let mut layer = nn::Linear::builder(2, 1).bias(false).build()?;
/// parametrize::register_parametrization_unchecked(&mut layer, "weight", Twice { core: Core::new() })?;
/// assert_eq!(layer.call(Tensor::ones([1, 2])?)?.shape(), [1, 2]); // two rows of one
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn register_parametrization_unchecked<P>(module: &mut dyn Module, name: &str, parametrization: P) -> Result<()>
where
    P: Parametrization + Forward<P::Originals>,
{
    register(module, name, parametrization, false)
}

fn register<P>(module: &mut dyn Module, name: &str, parametrization: P, checked: bool) -> Result<()>
where
    P: Parametrization + Forward<P::Originals>,
{
    const OP: &str = "register_parametrization";
    let module = exclusive(module.as_dyn_mut(), OP)?;
    parametrization.train(module.is_training());
    let stage: Box<dyn Stage> = Box::new(parametrization);
    if let Some(list) = lists(module).and_then(|lists| lists.get(name).ok()) {
        if checked {
            list.check_next(name, &*stage)?;
        }
        lists_mut(module, OP)?.get_mut(name)?.push(stage);
        return Ok(());
    }
    let Some(original) = listed(module, name) else {
        return Err(Error::value(
            OP,
            format!(
                "Module '{module}' does not have a parameter, a buffer, or a parametrized element with name '{name}'"
            ),
        ));
    };
    let list = ParametrizationList::new(stage, &original, checked)?;
    let place = place_for(&original, &list.evaluate()?)?;
    if lists(module).is_none() {
        let class = format!("Parametrized{}", module.type_name());
        extra::add_module(module, CHILD, Some(Box::new(Lists::new())))?;
        let core = exclusive_core(module)?;
        core.rename(Some(class));
        core.stand_in(CHILD, Some(Arc::new(compute_all)));
    }
    lists_mut(module, OP)?.insert(name, list)?;
    replace_field(module, name, &place);
    exclusive_core(module)?.extra_mut().set_aside(name, place);
    Ok(())
}

/// Is the tensor `name` of the module parametrized; with `None`, is any?
///
/// ```
/// use firebrick::nn::utils::parametrize;
/// use firebrick::prelude::*;
/// let mut linear = nn::Linear::new(3, 3)?;
/// nn::utils::parametrizations::orthogonal(&mut linear, "weight")?;
/// assert!(parametrize::is_parametrized(&linear, None) && !parametrize::is_parametrized(&linear, Some("bias")));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn is_parametrized(module: &dyn Module, name: Option<&str>) -> bool {
    lists(module).is_some_and(|lists| name.map_or(!lists.is_empty(), |name| lists.contains_key(name)))
}

/// The tensor that is computed for `name`: PyTorch's `module.weight`.
///
/// # Errors
/// A `ValueError` when `name` is not parametrized; the errors of the parametrizations.
///
/// ```
/// use firebrick::nn::utils::parametrize;
/// use firebrick::prelude::*;
/// let mut linear = nn::Linear::new(3, 3)?;
/// nn::utils::parametrizations::orthogonal(&mut linear, "weight")?;
/// let q = parametrize::parametrized(&linear, "weight")?;
/// assert!(q.matmul(&q.t()?)?.allclose(&Tensor::eye(3)?, 0.0, 1e-6, false)?);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn parametrized(module: &dyn Module, name: &str) -> Result<Tensor> {
    let module = module.as_dyn();
    cache::get(module.core().id(), name, || find(module, name)?.evaluate())
}

/// Changes the original so that the computed tensor is `value`: PyTorch's `module.weight = value`.
///
/// # Errors
/// A `ValueError` when `name` is not parametrized; a `RuntimeError` when a parametrization has no `right_inverse`.
///
/// ```
/// use firebrick::nn::utils::parametrize;
/// use firebrick::prelude::*;
/// let mut linear = nn::Linear::new(3, 3)?;
/// nn::utils::parametrizations::orthogonal(&mut linear, "weight")?;
/// parametrize::set_parametrized(&linear, "weight", &Tensor::eye(3)?)?;
/// assert!(parametrize::parametrized(&linear, "weight")?.allclose(&Tensor::eye(3)?, 0.0, 1e-6, false)?);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn set_parametrized(module: &dyn Module, name: &str, value: &Tensor) -> Result<()> {
    find(module, name)?.assign(value)
}

/// Makes `name` a usual parameter or buffer again, with the value that is computed now or, with `leave_parametrized`
/// false, with the original's.
///
/// # Errors
/// A `ValueError` when `name` is not parametrized, or when there is no single original to go back to.
///
/// ```
/// use firebrick::nn::utils::parametrize;
/// use firebrick::prelude::*;
/// let mut linear = nn::Linear::new(3, 3)?;
/// nn::utils::parametrizations::orthogonal(&mut linear, "weight")?;
/// parametrize::remove_parametrizations(&mut linear, "weight", true)?;
/// assert_eq!(linear.state_dict().keys().collect::<Vec<_>>(), ["bias", "weight"]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn remove_parametrizations(module: &mut dyn Module, name: &str, leave_parametrized: bool) -> Result<()> {
    const OP: &str = "remove_parametrizations";
    let module = exclusive(module.as_dyn_mut(), OP)?;
    let member = find(module, name)?.member(leave_parametrized)?;
    lists_mut(module, OP)?.pop(name)?;
    replace_field(module, name, &member);
    let emptied = lists(module).is_some_and(ModuleDict::is_empty);
    let core = exclusive_core(module)?;
    core.extra_mut().bring_back(name, member);
    if emptied {
        core.extra_mut().remove(CHILD);
        core.rename(None);
        core.stand_in(CHILD, None);
    }
    Ok(())
}

fn lists(module: &dyn Module) -> Option<&Lists> {
    module.core().module(CHILD)?.downcast_ref()
}

fn lists_mut<'m>(module: &'m mut dyn Module, op: &'static str) -> Result<&'m mut Lists> {
    let child = exclusive_core(module)?.extra_mut().module_mut(CHILD).and_then(|child| child.downcast_mut());
    child.ok_or_else(|| Error::runtime(op, "the module's `parametrizations` are something else"))
}

fn find<'m>(module: &'m dyn Module, name: &str) -> Result<&'m ParametrizationList> {
    lists(module).and_then(|lists| lists.get(name).ok()).ok_or_else(|| {
        let message = format!("Module {module} does not have a parametrization on {name}");
        Error::value("remove_parametrizations", message)
    })
}

pub(super) fn exclusive_core(module: &mut dyn Module) -> Result<&mut crate::Core> {
    module.core_mut().ok_or_else(|| Error::runtime("parametrize", "the module is shared by several owners"))
}

/// The tensor of this name as a call of the module sees it.
pub(super) fn current(module: &dyn Module, name: &str) -> Result<Option<Tensor>> {
    if is_parametrized(module, Some(name)) {
        return parametrized(module, name).map(Some);
    }
    Ok(listed(module.as_dyn(), name).and_then(|member| member.tensor().cloned()))
}

/// The parameter or buffer that the module lists under this name.
pub(super) fn listed(module: &dyn Module, name: &str) -> Option<Slot> {
    let mut found = None;
    module.visit(&mut |n, member| match member {
        Member::Parameter(parameter) if n == name => found = Some(Slot::Parameter(parameter.clone())),
        Member::Buffer(buffer) if n == name => found = Some(Slot::Buffer(buffer.clone())),
        _ => {}
    });
    found
}

/// What stands in the field of a computed member: the shape of the value, but no values.
pub(super) fn place_for(original: &Slot, value: &Tensor) -> Result<Slot> {
    let place = Tensor::placeholder(value)?;
    Ok(match original {
        Slot::Buffer(_) => Slot::Buffer(Buffer::non_persistent(place)),
        _ => Slot::Parameter(Parameter::from_handle(place)),
    })
}

/// Puts `member` into the field of this name, where there is one.
pub(super) fn replace_field(module: &mut dyn Module, name: &str, member: &Slot) {
    module.visit_mut(&mut |n, place| match (place, member) {
        (MemberMut::Parameter(place), Slot::Parameter(new)) if n == name => *place = new.clone(),
        (MemberMut::Buffer(place), Slot::Buffer(new)) if n == name => *place = new.clone(),
        _ => {}
    });
}

/// The computed tensors with the places in which they stand during a call.
fn compute_all(module: &dyn Module) -> Result<Vec<(Parameter, Tensor)>> {
    let Some(lists) = lists(module) else { return Ok(Vec::new()) };
    let extra = module.core().extra();
    let mut pairs = Vec::new();
    for (name, _) in lists.iter() {
        if let Some(place) = extra.and_then(|extra| extra.place(name)) {
            let value = parametrized(module, name)?;
            place.take_form_of(&value)?;
            pairs.push((Parameter::from_handle(place.clone()), value));
        }
    }
    Ok(pairs)
}

/// Runs `f` without recording.
pub(super) fn unrecorded<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    let _no_grad = ModeGuard::no_grad();
    f()
}
