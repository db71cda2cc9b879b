//! Parameters cast to the lower dtype, kept while autocast lasts.

use crate::autograd::is_grad_enabled;
use crate::{DType, Result, Tensor};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// A cast parameter.
struct Entry {
    /// Keeps the identity that is the key.
    _of: Tensor,
    /// The parameter's memory, by its address, and what it had seen.
    storage: usize,
    version: u32,
    dtype: DType,
    recorded: bool,
    cast: Tensor,
}

thread_local! {
    static CACHE: RefCell<HashMap<usize, Entry>> = RefCell::default();
}

/// Forgets the casts of parameters on this thread, as the end of the outermost autocast does.
///
/// ```
/// # use firebrick_core::{Device, Parameter, Tensor, amp};
/// let (x, w) = (Tensor::ones([2, 2])?, Parameter::new(Tensor::ones([2, 2])?));
/// amp::autocast(Device::Cpu).scope(|| {
///     let before = x.mm(&w)?;
///     amp::clear_autocast_cache(); // the next product casts anew
///     assert!(before.equal(&x.mm(&w)?)?);
///     Ok(())
/// })?;
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn clear_autocast_cache() {
    // Dropped when the table is free again.
    let gone = CACHE.take();
    drop(gone);
}

/// `tensor` in `dtype`: the cast that is known, or a new one.
///
/// A parameter that was changed since is cast again, and so is one that was cast where nothing was recorded.
pub(super) fn cast(tensor: &Tensor, dtype: DType) -> Result<Tensor> {
    let (version, storage) = tensor.with_body(|b| (b.storage.version(), Arc::as_ptr(&b.storage) as usize));
    let recorded = is_grad_enabled();
    let known = CACHE.with_borrow(|cache| {
        let entry = cache.get(&tensor.id())?;
        let same = (entry.version, entry.storage, entry.dtype, entry.recorded) == (version, storage, dtype, recorded);
        same.then(|| entry.cast.clone())
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let cast = tensor.to(dtype)?;
    let entry = Entry { _of: tensor.clone(), version, storage, dtype, recorded, cast: cast.clone() };
    let old = CACHE.with_borrow_mut(|cache| cache.insert(tensor.id(), entry));
    drop(old);
    Ok(cast)
}
