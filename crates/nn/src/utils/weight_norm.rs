//! Weight normalization in its older form.

use super::computed;
use super::parametrize::{listed, unrecorded};
use crate::extra::{self, Slot, exclusive};
use crate::{Module, warn};
use firebrick_core::{Error, Parameter, Result, Tensor, wrap_dim};

const OP: &str = "weight_norm";

/// The norm of every slice along the dimension, of the whole without one.
pub(super) fn lengths(weight: &Tensor, dim: Option<i64>) -> Result<Tensor> {
    let Some(dim) = dim.filter(|&dim| dim != -1) else { return weight.norm(2.0) };
    let dim = wrap_dim("norm_except_dim", dim, weight.dim())?;
    let mut shape = vec![1; weight.dim()];
    shape[dim] = weight.shape()[dim] as i64;
    let rows = weight.transpose(0, dim as i64)?.reshape([shape[dim], -1])?;
    rows.norm_dim(2.0, 1, false)?.reshape(&shape[..])
}

/// `direction * length / norm(direction)`.
pub(super) fn combined(length: &Tensor, direction: &Tensor, dim: Option<i64>) -> Result<Tensor> {
    direction.mul(&length.div(&lengths(direction, dim)?)?)
}

/// Makes the parameter `name` of the length of each of its slices along `dim`, `weight_g`, and a direction, `weight_v`:
/// PyTorch's `torch.nn.utils.weight_norm`. `None` is one length for all.
///
/// [`parametrizations::weight_norm`](super::parametrizations::weight_norm) is the newer form; this one warns of it.
///
/// # Errors
/// No such parameter, one without values yet, or one that is normalized already.
///
/// ```
/// use firebrick::prelude::*;
/// let mut linear = nn::Linear::new(2, 3)?;
/// nn::utils::weight_norm(&mut linear, "weight", 0)?;
/// assert_eq!(linear.state_dict().keys().collect::<Vec<_>>(), ["bias", "weight_g", "weight_v"]);
/// nn::utils::remove_weight_norm(&mut linear, "weight")?;
/// assert_eq!(linear.state_dict().keys().collect::<Vec<_>>(), ["bias", "weight"]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn weight_norm(module: &mut dyn Module, name: &str, dim: impl Into<Option<i64>>) -> Result<()> {
    let (module, dim) = (exclusive(module.as_dyn_mut(), OP)?, dim.into());
    warn("`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.");
    if module.core().parameter(&format!("{name}_g")).is_some() {
        let message = format!("Cannot register two weight_norm hooks on the same parameter {name}");
        return Err(Error::runtime(OP, message));
    }
    let Some(Slot::Parameter(weight)) = listed(module, name) else {
        let message = format!("'{}' object has no attribute '{name}'", module.type_name());
        return Err(Error::attribute(OP, message));
    };
    if weight.is_uninitialized() {
        return Err(Error::value(
            OP,
            "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to run the dummy forward before applying weight normalization",
        ));
    }
    let length = Parameter::new(unrecorded(|| lengths(&weight, dim))?);
    let owned = name.to_owned();
    computed::begin(module, &key(name), name, &weight, move |module| {
        let part = |part: &str| module.core().parameter(&format!("{owned}_{part}"));
        let (Some(length), Some(direction)) = (part("g"), part("v")) else { return Ok(None) };
        combined(length, direction, dim).map(Some)
    })?;
    extra::register_parameter(module, &format!("{name}_g"), Some(length))?;
    extra::register_parameter(module, &format!("{name}_v"), Some(weight))
}

/// Ends [`weight_norm`]: the parameter keeps the value that is computed now, and is the one that was the direction.
///
/// # Errors
/// A `ValueError` when the parameter is not normalized.
///
/// ```
/// use firebrick::prelude::*;
/// let mut linear = nn::Linear::new(2, 3)?;
/// let before = linear.weight.copy()?;
/// nn::utils::weight_norm(&mut linear, "weight", 0)?;
/// nn::utils::remove_weight_norm(&mut linear, "weight")?;
/// assert!(linear.weight.allclose(&before, 1e-5, 1e-6, false)?);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn remove_weight_norm(module: &mut dyn Module, name: &str) -> Result<()> {
    const OP: &str = "remove_weight_norm";
    let module = exclusive(module.as_dyn_mut(), OP)?;
    let weight = module.core().parameter(&format!("{name}_v")).cloned();
    let (Some(weight), Some(value)) = (weight, unrecorded(|| computed::value(module, &key(name)))?) else {
        return Err(Error::value(OP, format!("weight_norm of '{name}' not found in {module}")));
    };
    weight.set_data(&value)?;
    computed::end(module, &key(name), name, weight, &["g", "v"])
}

/// The name under which the computation stands in the core.
fn key(name: &str) -> String {
    format!("weight_norm.{name}")
}
