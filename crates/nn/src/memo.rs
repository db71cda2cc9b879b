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
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::{Field, Memo};
    /// let linear = nn::Linear::new(3, 2)?;
    /// let form = linear.clone_with(&mut Memo::of_forms())?;
    /// assert_eq!(form.weight.shape()?, [2, 3]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn of_forms() -> Self {
        Memo { forms: true, ..Self::default() }
    }

    /// The copy of a tensor: a leaf of its own with equal values, gradient and `requires_grad`.
    ///
    /// # Errors
    /// When the tensor has a history, as PyTorch's `deepcopy`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::Memo;
    /// let x = Tensor::new([1.0f32])?;
    /// let mut memo = Memo::new();
    /// let (one, two) = (memo.tensor(&x)?, memo.tensor(&x)?);
    /// assert_eq!(one.id(), two.id()); // a tie is kept
    /// assert_ne!(one.id(), x.id());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::Memo;
    /// let weight = Parameter::new(Tensor::new([1.0f32])?);
    /// let copy = Memo::new().parameter(&weight)?;
    /// assert!(copy.requires_grad() && copy.id() != weight.id());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn parameter(&mut self, original: &Parameter) -> Result<Parameter> {
        Ok(Parameter::from_handle(self.tensor(original)?))
    }

    /// The copy of a buffer, persistent as the original is.
    ///
    /// # Errors
    /// As [`Memo::tensor`].
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::Memo;
    /// let buffer = Buffer::non_persistent(Tensor::new([1.0f32])?);
    /// assert!(!Memo::new().buffer(&buffer)?.is_persistent());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
