//! Computed tensors kept for a while, so that a parametrization runs once instead of at every use.

use firebrick_core::{Result, Tensor};
use std::cell::RefCell;
use std::collections::HashMap;

#[derive(Default)]
struct Cache {
    /// How many guards there are.
    depth: usize,
    /// By the module's core and the tensor's name.
    tensors: HashMap<(u64, String), Tensor>,
}

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::default();
}

/// Keeps computed tensors until the guard is dropped: PyTorch's `with parametrize.cached():`.
///
/// For this thread, from the first use of a parametrized tensor to the end of the guard, that tensor is computed once.
/// A change of the original meanwhile does not show.
///
/// ```
/// use firebrick::nn::utils::{parametrizations, parametrize};
/// use firebrick::prelude::*;
/// let mut linear = nn::Linear::new(2, 2)?;
/// parametrizations::orthogonal(&mut linear, "weight")?;
/// let weight = || parametrize::parametrized(&linear, "weight");
/// let guard = parametrize::cached();
/// let (one, again) = (weight()?, weight()?);
/// assert_eq!(one.id(), again.id()); // computed once
/// drop(guard);
/// assert_ne!(weight()?.id(), one.id());
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn cached() -> Cached {
    CACHE.with_borrow_mut(|cache| cache.depth += 1);
    Cached(())
}

/// Ends the keeping of computed tensors when it is dropped; made by [`cached`].
#[must_use = "computed tensors are kept as long as the guard"]
pub struct Cached(());

impl Drop for Cached {
    fn drop(&mut self) {
        let gone = CACHE.with_borrow_mut(|cache| {
            cache.depth -= 1;
            if cache.depth == 0 { std::mem::take(&mut cache.tensors) } else { HashMap::new() }
        });
        drop(gone);
    }
}

/// The kept tensor, or what `compute` gives, which is kept under a guard.
pub(super) fn get(core: u64, name: &str, compute: impl FnOnce() -> Result<Tensor>) -> Result<Tensor> {
    let key = (core, name.to_owned());
    if let Some(known) = CACHE.with_borrow(|cache| cache.tensors.get(&key).cloned()) {
        return Ok(known);
    }
    let tensor = compute()?;
    CACHE.with_borrow_mut(|cache| {
        if cache.depth > 0 {
            cache.tensors.insert(key, tensor.clone());
        }
    });
    Ok(tensor)
}
