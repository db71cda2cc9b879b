//! One method of pruning over several parameters at once.

use super::{PruningMethod, PruningType, custom_from_mask, mask, method, value};
use crate::Module;
use crate::submodule::{find_parent, get};
use crate::utils::parameters_to_vector;
use crate::utils::parametrize::unrecorded;
use firebrick_core::{Error, Result, StateDict, Tensor};

const OP: &str = "global_unstructured";

/// Prunes the parameters at these paths as if they were one vector.
///
/// PyTorch takes pairs of a module and a name; here they are named from a common root.
///
/// # Errors
/// A path that leads nowhere; a method that does not prune single elements.
///
/// ```
/// use firebrick::nn::utils::prune;
/// use firebrick::prelude::*;
/// let mut model = nn::Sequential::new().add(nn::Linear::new(2, 2)?).add(nn::Linear::new(2, 2)?);
/// let method = prune::L1Unstructured::new(0.25)?;
/// prune::global_unstructured(&mut model, &["0.weight", "1.weight"], &method)?;
/// let kept = [0, 1].map(|i| model.get_buffer(&format!("{i}.weight_mask")).and_then(|mask| mask.sum()?.item::<f32>()));
/// let [first, second] = kept;
/// assert_eq!(first? + second?, 6.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn global_unstructured(root: &mut dyn Module, paths: &[&str], method: &dyn PruningMethod) -> Result<()> {
    global_unstructured_with(root, paths, method, &StateDict::new())
}

/// [`global_unstructured`] by scores instead of values, for the paths that have some.
///
/// # Errors
/// As there; scores with more or fewer elements than their parameter.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::prune;
/// let mut model = nn::Sequential::new().add(nn::Linear::new(2, 1)?).add(nn::Linear::new(2, 1)?);
/// let (first, second) = (Tensor::new([[9.0f32, 8.0]])?, Tensor::new([[7.0f32, 6.0]])?);
/// let scores = StateDict::from_iter([("0.weight", first), ("1.weight", second)]);
/// let method = prune::L1Unstructured::new(0.5)?;
/// prune::global_unstructured_with(&mut model, &["0.weight", "1.weight"], &method, &scores)?;
/// assert_eq!(model.get_buffer("0.weight_mask")?.to_vec::<f32>()?, [1.0, 1.0]);
/// assert_eq!(model.get_buffer("1.weight_mask")?.to_vec::<f32>()?, [0.0, 0.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn global_unstructured_with(
    root: &mut dyn Module,
    paths: &[&str],
    method: &dyn PruningMethod,
    importance_scores: &StateDict,
) -> Result<()> {
    if method.pruning_type() != PruningType::Unstructured {
        return Err(Error::type_(OP, "Only \"unstructured\" PRUNING_TYPE supported for the `pruning_method`.")
            .given(format!("{:?}", method.pruning_type())));
    }
    let masks = unrecorded(|| masks(root.as_dyn(), paths, method, importance_scores))?;
    for (path, mask) in paths.iter().zip(masks) {
        let (parent, name) = split(path);
        custom_from_mask(find_parent(root, parent)?, name, &mask)?;
    }
    Ok(())
}

/// The new mask of each parameter.
fn masks(
    root: &dyn Module,
    paths: &[&str],
    method: &dyn PruningMethod,
    importance_scores: &StateDict,
) -> Result<Vec<Tensor>> {
    let (mut scores, mut before, mut shapes) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        let (parent, name) = split(path);
        let module = get(root, parent)?;
        let own = value(module, name)?.detach();
        let given = importance_scores.get(path).map_or_else(|| own.clone(), Tensor::detach);
        if given.numel() != own.numel() {
            let text = format!("the importance scores of {path} have {} elements", given.numel());
            return Err(Error::value(OP, text).expected(own.numel().to_string()));
        }
        before.push(match mask(module, name) {
            Some(mask) => mask.detach(),
            None => own.ones_like()?,
        });
        shapes.push(own.shape());
        scores.push(given);
    }
    let mask = method::combined(method, &parameters_to_vector(&scores)?, &parameters_to_vector(&before)?)?;
    let mut start = 0;
    let mut part = |shape: &firebrick_core::Dims| {
        let count = shape.iter().product::<usize>() as i64;
        start += count;
        mask.narrow(0, start - count, count)?.view(shape)
    };
    shapes.iter().map(&mut part).collect()
}

/// The module's path and the parameter's name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}
