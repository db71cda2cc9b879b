//! Pruning: parameters some of whose elements are held at zero, PyTorch's `torch.nn.utils.prune`.
//!
//! | file | what it holds |
//! |---|---|
//! | here | pruning a parameter, and making it permanent |
//! | `method` | [`PruningMethod`], [`Amount`]: what a method is |
//! | `methods` | the methods |
//! | `global` | one method over several parameters |
//!
//! The original moves to `weight_orig`, where optimizers and checkpoints find it, and the buffer `weight_mask` says what is
//! left; a call sees their product. Pruning again prunes what is left.
//!
//! PyTorch's `PruningContainer`, the list of the methods so far, does not exist: the mask is all that they leave behind.

mod global;
mod method;
mod methods;

pub use global::{global_unstructured, global_unstructured_with};
pub use method::{Amount, PruningMethod, PruningType};
pub use methods::{CustomFromMask, Identity, L1Unstructured, LnStructured, RandomStructured, RandomUnstructured};

use super::computed;
use super::parametrize::{current, listed, unrecorded};
use crate::Module;
use crate::extra::{self, Slot, exclusive};
use firebrick_core::linalg::NormOrder;
use firebrick_core::{Buffer, Error, Result, Tensor};

const OP: &str = "prune";

/// Prunes the parameter `name` by `method`. With `importance_scores`, of its shape, the method looks at those instead of the
/// values.
///
/// # Errors
/// No such parameter; scores of another shape; those of the method, after which nothing has changed.
///
/// ```
/// use firebrick::nn::utils::prune;
/// use firebrick::prelude::*;
/// let mut layer = nn::Linear::builder(2, 2).bias(false).build()?;
/// layer.weight.set_data(&Tensor::new([[1.0f32, -2.0], [0.5, 4.0]])?)?;
/// prune::apply(&mut layer, "weight", &prune::L1Unstructured::new(0.5)?, None)?;
/// assert_eq!(layer.state_dict().keys().collect::<Vec<_>>(), ["weight_orig", "weight_mask"]);
/// assert_eq!(prune::pruned(&layer, "weight")?.to_vec::<f32>()?, [0.0, -2.0, 0.0, 4.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn apply(
    module: &mut dyn Module,
    name: &str,
    method: &dyn PruningMethod,
    importance_scores: Option<&Tensor>,
) -> Result<()> {
    let module = exclusive(module.as_dyn_mut(), OP)?;
    let mask_before = mask(module, name).map(|mask| mask.detach());
    let mask = unrecorded(|| {
        let value = value(module, name)?.detach();
        let scores = importance_scores.map_or_else(|| value.clone(), Tensor::detach);
        if scores.shape() != value.shape() {
            let (got, want) = (scores.shape(), value.shape());
            return Err(Error::runtime(
                OP,
                format!(
                    "importance_scores should have the same shape as parameter {name} of {module}, got torch.Size({got:?}) vs torch.Size({want:?})"
                ),
            ));
        }
        match &mask_before {
            Some(before) => method::combined(method, &scores, before),
            None => method.compute_mask(&scores, &value.ones_like()?),
        }
    })?;
    if mask_before.is_none() {
        begin(module, name)?;
    }
    extra::register_buffer(module, &format!("{name}_mask"), Some(Buffer::new(mask)))
}

/// Puts the product of original and mask in the parameter's place; the mask is registered by the caller.
fn begin(module: &mut dyn Module, name: &str) -> Result<()> {
    let Some(Slot::Parameter(weight)) = listed(module, name) else {
        return Err(Error::key(OP, format!("'{name}'")).given(format!("{name} is no parameter of {module}")));
    };
    let owned = name.to_owned();
    computed::begin(module, &key(name), name, &weight, move |module| product(module, &owned))?;
    extra::register_parameter(module, &format!("{name}_orig"), Some(weight))
}

/// Original times mask; `None` where they are not there.
fn product(module: &dyn Module, name: &str) -> Result<Option<Tensor>> {
    let original = module.core().parameter(&format!("{name}_orig"));
    let (Some(original), Some(mask)) = (original, mask(module, name)) else { return Ok(None) };
    mask.to(original.dtype())?.mul(&**original).map(Some)
}

fn mask<'m>(module: &'m dyn Module, name: &str) -> Option<&'m Buffer> {
    let is_pruned = module.core().extra()?.stand_in_of(&key(name)).is_some();
    module.core().buffer(&format!("{name}_mask")).filter(|_| is_pruned)
}

/// The name under which the product stands in the core.
fn key(name: &str) -> String {
    format!("{OP}.{name}")
}

/// The values that a call of the module sees under this name, pruned or not: PyTorch's `module.weight`.
///
/// # Errors
/// No parameter of this name.
///
/// ```
/// use firebrick::nn::utils::prune;
/// use firebrick::prelude::*;
/// let mut layer = nn::Linear::builder(2, 1).bias(false).build()?;
/// layer.weight.set_data(&Tensor::new([[1.0f32, -2.0]])?)?;
/// prune::l1_unstructured(&mut layer, "weight", 1, None)?;
/// assert_eq!(prune::pruned(&layer, "weight")?.to_vec::<f32>()?, [0.0, -2.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn pruned(module: &dyn Module, name: &str) -> Result<Tensor> {
    value(module.as_dyn(), name)
}

fn value(module: &dyn Module, name: &str) -> Result<Tensor> {
    if let Some(value) = product(module, name)? {
        return Ok(value);
    }
    current(module, name)?.ok_or_else(|| {
        let message = format!("'{}' object has no attribute '{name}'", module.type_name());
        Error::attribute(OP, message)
    })
}

/// Is any parameter of the module, or of one in it, pruned?
///
/// ```
/// use firebrick::nn::utils::prune;
/// use firebrick::prelude::*;
/// let mut layer = nn::Linear::new(2, 1)?;
/// assert!(!prune::is_pruned(&layer));
/// prune::identity(&mut layer, "weight")?;
/// assert!(prune::is_pruned(&layer));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn is_pruned(module: &dyn Module) -> bool {
    module.modules().into_iter().any(|module| {
        let extra = module.core().extra();
        extra.is_some_and(|extra| extra.stand_in_names().any(|name| name.starts_with("prune.")))
    })
}

/// Makes pruning permanent: the original takes the pruned values and its old name, the mask goes.
///
/// # Errors
/// A `ValueError` when the parameter is not pruned.
///
/// ```
/// use firebrick::nn::utils::prune;
/// use firebrick::prelude::*;
/// let mut layer = nn::Linear::builder(2, 1).bias(false).build()?;
/// layer.weight.set_data(&Tensor::new([[1.0f32, -2.0]])?)?;
/// prune::l1_unstructured(&mut layer, "weight", 1, None)?;
/// prune::remove(&mut layer, "weight")?;
/// assert_eq!(layer.weight.to_vec::<f32>()?, [0.0, -2.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn remove(module: &mut dyn Module, name: &str) -> Result<()> {
    let module = exclusive(module.as_dyn_mut(), OP)?;
    let original = module.core().parameter(&format!("{name}_orig")).cloned();
    let (Some(original), Some(value)) = (original, unrecorded(|| computed::value(module, &key(name)))?) else {
        return Err(Error::value(
            OP,
            format!("Parameter '{name}' of module {module} has to be pruned before pruning can be removed"),
        ));
    };
    original.set_data(&value)?;
    computed::end(module, &key(name), name, original, &["orig", "mask"])
}

/// Prunes nothing, but makes the parameter a pruned one with a mask of ones.
///
/// # Errors
/// No such parameter.
///
/// ```
/// use firebrick::nn::utils::prune;
/// use firebrick::prelude::*;
/// let mut layer = nn::Linear::builder(2, 1).bias(false).build()?;
/// prune::identity(&mut layer, "weight")?;
/// assert_eq!(layer.get_buffer("weight_mask")?.to_vec::<f32>()?, [1.0, 1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn identity(module: &mut dyn Module, name: &str) -> Result<()> {
    apply(module, name, &Identity, None)
}

/// Prunes elements at random: a share of them, or a number.
///
/// # Errors
/// No such parameter; an amount that is no share and more than there is.
///
/// ```
/// use firebrick::nn::utils::prune;
/// use firebrick::prelude::*;
/// let mut layer = nn::Linear::builder(2, 2).bias(false).build()?;
/// prune::random_unstructured(&mut layer, "weight", 3)?;
/// assert_eq!(layer.get_buffer("weight_mask")?.sum()?.item::<f32>()?, 1.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn random_unstructured(module: &mut dyn Module, name: &str, amount: impl Into<Amount>) -> Result<()> {
    apply(module, name, &RandomUnstructured::new(amount)?, None)
}

/// Prunes the elements that are smallest by absolute value, or by `importance_scores`.
///
/// # Errors
/// As [`random_unstructured`]; scores of another shape.
///
/// ```
/// use firebrick::nn::utils::prune;
/// use firebrick::prelude::*;
/// let mut layer = nn::Linear::builder(2, 1).bias(false).build()?;
/// layer.weight.set_data(&Tensor::new([[1.0f32, -2.0]])?)?;
/// prune::l1_unstructured(&mut layer, "weight", 0.5, None)?;
/// assert_eq!(layer.get_buffer("weight_mask")?.to_vec::<f32>()?, [0.0, 1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn l1_unstructured(
    module: &mut dyn Module,
    name: &str,
    amount: impl Into<Amount>,
    importance_scores: Option<&Tensor>,
) -> Result<()> {
    apply(module, name, &L1Unstructured::new(amount)?, importance_scores)
}

/// Prunes slices along `dim` at random.
///
/// # Errors
/// As [`random_unstructured`]; a vector, or a dimension out of range.
///
/// ```
/// use firebrick::nn::utils::prune;
/// use firebrick::prelude::*;
/// let mut layer = nn::Linear::builder(2, 2).bias(false).build()?;
/// prune::random_structured(&mut layer, "weight", 1, 0)?;
/// assert_eq!(layer.get_buffer("weight_mask")?.sum_dim(0, false)?.to_vec::<f32>()?, [1.0, 1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn random_structured(module: &mut dyn Module, name: &str, amount: impl Into<Amount>, dim: i64) -> Result<()> {
    apply(module, name, &RandomStructured::new(amount, dim)?, None)
}

/// Prunes the slices along `dim` whose norm of order `n` is smallest, by values or by `importance_scores`.
///
/// # Errors
/// As [`random_structured`]; an order that is none.
///
/// ```
/// use firebrick::nn::utils::prune;
/// use firebrick::prelude::*;
/// let mut layer = nn::Linear::builder(2, 2).bias(false).build()?;
/// layer.weight.set_data(&Tensor::new([[1.0f32, -2.0], [3.0, 4.0]])?)?;
/// prune::ln_structured(&mut layer, "weight", 1, 2, 0, None)?;
/// assert_eq!(prune::pruned(&layer, "weight")?.to_vec::<f32>()?, [0.0, 0.0, 3.0, 4.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn ln_structured(
    module: &mut dyn Module,
    name: &str,
    amount: impl Into<Amount>,
    n: impl Into<NormOrder>,
    dim: i64,
    importance_scores: Option<&Tensor>,
) -> Result<()> {
    apply(module, name, &LnStructured::new(amount, n, dim)?, importance_scores)
}

/// Prunes where `mask`, of the parameter's shape, is zero.
///
/// # Errors
/// No such parameter; a mask of another shape.
///
/// ```
/// use firebrick::nn::utils::prune;
/// use firebrick::prelude::*;
/// let mut layer = nn::Linear::builder(2, 1).bias(false).build()?;
/// layer.weight.set_data(&Tensor::new([[1.0f32, -2.0]])?)?;
/// prune::custom_from_mask(&mut layer, "weight", &Tensor::new([[1.0f32, 0.0]])?)?;
/// assert_eq!(prune::pruned(&layer, "weight")?.to_vec::<f32>()?, [1.0, 0.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn custom_from_mask(module: &mut dyn Module, name: &str, mask: &Tensor) -> Result<()> {
    apply(module, name, &CustomFromMask::new(mask), None)
}
