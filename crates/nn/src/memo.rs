//! What a deep copy has copied so far, so that tied weights stay tied in the copy.

use firebrick_core::{Buffer, Parameter, Result, Tensor};
use std::any::{Any, TypeId};
use std::collections::HashMap;

/// Python's `memo` of `copy.deepcopy`.
#[derive(Default)]
pub struct Memo {
    /// Are copies without data?
    forms: bool,
    /// Copies by identity of the original, which is kept so that its address is not used again meanwhile.
    tensors: HashMap<usize, (Tensor, Tensor)>,
    shared: HashMap<(usize, TypeId), Box<dyn Any>>,
}

impl Memo {
    /// An empty memo, for one copy.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty memo, for one copy without data: every tensor is [`Tensor::form`] of the original.
    pub fn of_forms() -> Self {
        Memo { forms: true, ..Self::default() }
    }

    /// The copy of a tensor: a leaf of its own with equal values, gradient and `requires_grad`.
    ///
    /// # Errors
    /// When the tensor has a history, as PyTorch's `deepcopy`.
    pub fn tensor(&mut self, original: &Tensor) -> Result<Tensor> {
        if let Some((_, copy)) = self.tensors.get(&original.id()) {
            return Ok(copy.clone());
        }
        let copy = if self.forms { original.form()? } else { original.deep_copy()? };
        self.tensors.insert(original.id(), (original.clone(), copy.clone()));
        Ok(copy)
    }

    /// The copy of a parameter.
    ///
    /// # Errors
    /// As [`Memo::tensor`].
    pub fn parameter(&mut self, original: &Parameter) -> Result<Parameter> {
        Ok(Parameter::from_handle(self.tensor(original)?))
    }

    /// The copy of a buffer, persistent as the original is.
    ///
    /// # Errors
    /// As [`Memo::tensor`].
    pub fn buffer(&mut self, original: &Buffer) -> Result<Buffer> {
        let copy = self.tensor(original)?;
        Ok(if original.is_persistent() { Buffer::new(copy) } else { Buffer::non_persistent(copy) })
    }

    /// The copy of something shared, made by `copy` the first time its address is met.
    pub(crate) fn shared<T: Clone + 'static>(
        &mut self,
        address: usize,
        copy: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let key = (address, TypeId::of::<T>());
        if let Some(known) = self.shared.get(&key).and_then(|any| any.downcast_ref::<T>()) {
            return Ok(known.clone());
        }
        let made = copy(self)?;
        self.shared.insert(key, Box::new(made.clone()));
        Ok(made)
    }
}
