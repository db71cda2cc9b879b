//! A parameter that is computed for each call from members under other names, as the older norms and pruning do it.

use super::parametrize::{exclusive_core, place_for, replace_field};
use crate::extra::{Slot, StandIn};
use crate::{Module, ModuleExt};
use firebrick_core::{Parameter, Result, Tensor};
use std::sync::Arc;

/// Takes the parameter off the listings: from now on `compute` gives what stands in its place during calls.
///
/// `key` names the computation; what it is made of is registered by the caller.
pub(super) fn begin(
    module: &mut dyn Module,
    key: &str,
    name: &str,
    weight: &Parameter,
    compute: impl Fn(&dyn Module) -> Result<Option<Tensor>> + Send + Sync + 'static,
) -> Result<()> {
    let place = place_for(&Slot::Parameter(weight.clone()), weight)?;
    replace_field(module, name, &place);
    let core = exclusive_core(module)?;
    core.extra_mut().set_aside(name, place);
    let owned = name.to_owned();
    let pairs = move |module: &dyn Module| {
        let place = module.core().extra().and_then(|extra| extra.place(&owned));
        let (Some(place), Some(value)) = (place, compute(module)?) else { return Ok(Vec::new()) };
        place.take_form_of(&value)?;
        Ok(vec![(Parameter::from_handle(place.clone()), value)])
    };
    core.stand_in(key, Some(Arc::new(pairs)));
    Ok(())
}

/// What is computed now; `None` when nothing goes by this key.
pub(super) fn value(module: &dyn Module, key: &str) -> Result<Option<Tensor>> {
    let compute: Option<&StandIn> = module.core().extra().and_then(|extra| extra.stand_in_of(key));
    let pairs = compute.map(|compute| compute(module)).transpose()?;
    Ok(pairs.and_then(|pairs| pairs.into_iter().next()).map(|(_, value)| value))
}

/// Ends [`begin`]: the members of these names go, and the parameter is a usual one again.
pub(super) fn end(module: &mut dyn Module, key: &str, name: &str, weight: Parameter, members: &[&str]) -> Result<()> {
    for part in members {
        module.unregister(&format!("{name}_{part}"));
    }
    let member = Slot::Parameter(weight);
    replace_field(module, name, &member);
    let core = exclusive_core(module)?;
    core.stand_in(key, None);
    core.extra_mut().bring_back(name, member);
    Ok(())
}
