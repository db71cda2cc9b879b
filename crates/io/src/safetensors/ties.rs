//! Tensors that look at the same memory.

use super::save::OP;
use firebrick_core::{Body, Error, Result, Tensor};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::sync::Arc;

/// Keeps of each set of names for the same elements the first in alphabetical order; returns the others, each with the
/// one that is kept.
pub(super) fn note_ties(tensors: &mut IndexMap<String, &Tensor>) -> Vec<(String, String)> {
    let elements = |tensor: &Tensor| {
        let body = tensor.body();
        let storage = Arc::as_ptr(&body.storage) as usize;
        (body.numel() > 0).then_some((storage, body.offset, body.shape, body.strides, body.dtype))
    };
    let mut first: HashMap<_, &String> = HashMap::new();
    for (name, tensor) in &*tensors {
        if let Some(elements) = elements(tensor) {
            first.entry(elements).and_modify(|kept| *kept = (*kept).min(name)).or_insert(name);
        }
    }
    let kept = |(name, tensor): (&String, &&Tensor)| {
        let kept = first.get(&elements(tensor)?)?;
        (*kept != name).then(|| (name.clone(), String::clone(kept)))
    };
    let mut ties: Vec<_> = tensors.iter().filter_map(kept).collect();
    ties.sort();
    tensors.retain(|name, _| ties.binary_search_by(|(tied, _)| tied.cmp(name)).is_err());
    ties
}

/// The error of Python's library for tensors that share memory.
pub(super) fn refuse_shared(tensors: &IndexMap<String, &Tensor>) -> Result<()> {
    let mut spans: Vec<_> = tensors.iter().filter_map(|(name, tensor)| span(name, &tensor.body())).collect();
    spans.sort_unstable();
    let shared = spans.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[1].1 < pair[0].2);
    let Some([(.., a), (.., b)]) = shared else { return Ok(()) };
    let (first, second) = (a.min(b), a.max(b));
    let message = format!(
        "Some tensors share memory, this will lead to duplicate memory on disk and potential differences when loading them again: [{{'{first}', '{second}'}}]."
    );
    Err(Error::runtime(OP, message).remedy("save with SaveOptions::new().ties(true), which writes the tensor once"))
}

/// Where a tensor lies: its storage, its first byte there and the one behind its last.
fn span<'n>(name: &'n str, body: &Body) -> Option<(usize, usize, usize, &'n str)> {
    let reach: usize = body.shape.iter().zip(&body.strides).map(|(&n, &stride)| n.saturating_sub(1) * stride).sum();
    let (storage, size) = (Arc::as_ptr(&body.storage) as usize, body.dtype.size());
    (body.numel() > 0).then_some((storage, body.offset * size, (body.offset + reach + 1) * size, name))
}
