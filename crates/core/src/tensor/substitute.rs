//! Operand resolution: the one door through which every operation gets its tensors.
//!
//! A per-thread table can put a computed, graph-carrying tensor in a parameter's place, which is what
//! `functional_call` and parametrizations are made of; autocast gives operands another dtype here, and
//! tensors without data stand in for all others where shapes alone are followed. While nothing is on, the door costs one
//! flag test. Another one keeps complex tensors from operations that know real numbers only.

use super::{AMBIGUOUS, COMPLEX, INFERENCE, PLACEHOLDER, Tensor, UNINITIALIZED};
use crate::{Error, Result};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// The table is not empty.
const SUBSTITUTING: u8 = 1;
/// Operations choose their dtype.
const AUTOCASTING: u8 = 2;
/// What becomes of tensors is noted: see `autograd::trace`.
const TRACED: u8 = 4;
/// Tensors without data stand in for all others: see `shapes_only`.
const FOLLOWING_SHAPES: u8 = 8;

thread_local! {
    static ACTIVE: Cell<u8> = const { Cell::new(0) };
    static TABLE: RefCell<HashMap<usize, Place>> = RefCell::default();
}

/// An original and what stands in for it, the innermost last.
struct Place {
    original: Tensor,
    stand_ins: Vec<Tensor>,
}

fn set_active(what: u8, on: bool) {
    ACTIVE.set(if on { ACTIVE.get() | what } else { ACTIVE.get() & !what });
}

/// Says whether the door asks autocast.
pub(crate) fn set_autocasting(on: bool) {
    set_active(AUTOCASTING, on);
}

/// Does the door ask autocast?
#[inline]
pub(crate) fn is_autocasting() -> bool {
    ACTIVE.get() & AUTOCASTING != 0
}

/// Does this thread note what becomes of tensors?
#[inline]
pub(crate) fn traced() -> bool {
    ACTIVE.get() & TRACED != 0
}

pub(crate) fn set_traced(on: bool) {
    set_active(TRACED, on);
}

/// Are shapes followed, and nothing computed?
#[inline]
pub(crate) fn is_following_shapes() -> bool {
    ACTIVE.get() & FOLLOWING_SHAPES != 0
}

/// Says whether they are; gives what was said before.
pub(crate) fn set_following_shapes(on: bool) -> bool {
    let before = is_following_shapes();
    set_active(FOLLOWING_SHAPES, on);
    before
}

/// Keeps tensors standing in for others until it is dropped; made by [`substitute`].
#[must_use = "the substitution lasts as long as the guard"]
pub struct Substitution {
    originals: Vec<Tensor>,
}

/// For this thread, until the guard is dropped, every operation that is given `pair.0` works on `pair.1`.
///
/// ```
/// use firebrick_core::{Tensor, substitute};
/// let (weight, computed) = (Tensor::new([1.0f32])?, Tensor::new([5.0f32])?);
/// let guard = substitute(&[(&weight, &computed)]);
/// assert_eq!(weight.mul(2.0)?.item::<f32>()?, 10.0);
/// drop(guard);
/// assert_eq!(weight.mul(2.0)?.item::<f32>()?, 2.0);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn substitute(pairs: &[(&Tensor, &Tensor)]) -> Substitution {
    TABLE.with_borrow_mut(|table| {
        for (original, stand_in) in pairs {
            let place = table.entry(original.id());
            let place = place.or_insert_with(|| Place { original: (*original).clone(), stand_ins: Vec::new() });
            place.stand_ins.push((*stand_in).clone());
        }
    });
    set_active(SUBSTITUTING, true);
    Substitution { originals: pairs.iter().map(|(original, _)| (*original).clone()).collect() }
}

/// The pairs in force on this thread, to be put in place again elsewhere.
///
/// ```
/// use firebrick_core::{Tensor, standing_in, substitute};
/// let (weight, computed) = (Tensor::new([1.0f32])?, Tensor::new([5.0f32])?);
/// let _guard = substitute(&[(&weight, &computed)]);
/// assert_eq!(standing_in().len(), 1);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn standing_in() -> Vec<(Tensor, Tensor)> {
    if ACTIVE.get() & SUBSTITUTING == 0 {
        return Vec::new();
    }
    TABLE.with_borrow(|table| {
        table.values().filter_map(|place| Some((place.original.clone(), place.stand_ins.last()?.clone()))).collect()
    })
}

impl Drop for Substitution {
    fn drop(&mut self) {
        // Dropped when the table is free again; the guard keeps the originals so long.
        let gone: Vec<Option<Tensor>> = TABLE.with_borrow_mut(|table| {
            let gone =
                self.originals.iter().map(|t| table.get_mut(&t.id()).and_then(|place| place.stand_ins.pop())).collect();
            table.retain(|_, place| !place.stand_ins.is_empty());
            set_active(SUBSTITUTING, !table.is_empty());
            gone
        });
        drop(gone);
    }
}

impl Tensor {
    /// The tensor that an operation given this one works on.
    ///
    /// # Errors
    /// It has no shape yet, being a lazy layer's parameter; it is complex, and the operation knows real numbers only.
    #[inline]
    pub(crate) fn resolve(&self, op: &'static str) -> Result<Tensor> {
        self.clone().resolved(op)
    }

    /// [`Tensor::resolve`] for what looks at the elements and makes no tensor of them: also where shapes alone are
    /// followed, those that are there can be looked at.
    #[inline]
    pub(crate) fn resolve_to_read(&self, op: &'static str) -> Result<Tensor> {
        let read = if ACTIVE.get() != 0 { self.replaced(op)? } else { self.check_usable(op).map(|()| None)? };
        Ok(read.unwrap_or_else(|| self.clone()))
    }

    /// [`Tensor::resolve`] for a handle that the operation owns, which may be the last one.
    #[inline]
    pub(crate) fn resolved(self, op: &'static str) -> Result<Tensor> {
        Ok(self.stand_in(op)?.unwrap_or(self))
    }

    /// [`Tensor::resolve`] for a handle that may be lent.
    #[inline]
    pub(crate) fn resolved_input<'t>(input: Cow<'t, Tensor>, op: &'static str) -> Result<Cow<'t, Tensor>> {
        Ok(match input.stand_in(op)? {
            Some(stand_in) => Cow::Owned(stand_in),
            None => input,
        })
    }

    /// What an operation works on in this tensor's place; `None`, where that is the tensor itself.
    #[inline]
    fn stand_in(&self, op: &'static str) -> Result<Option<Tensor>> {
        if ACTIVE.get() != 0 {
            return self.replaced_or_formed(op);
        }
        self.check_usable(op).map(|()| None)
    }

    #[cold]
    fn replaced_or_formed(&self, op: &'static str) -> Result<Option<Tensor>> {
        let replaced = self.replaced(op)?;
        let form = if is_following_shapes() { replaced.as_ref().unwrap_or(self).formed()? } else { None };
        Ok(form.or(replaced))
    }

    /// The tensor that stands in for this one, and what autocast makes of it; its use is noted where that is asked for.
    #[cold]
    fn replaced(&self, op: &'static str) -> Result<Option<Tensor>> {
        let stand_in =
            TABLE.with_borrow(|table| table.get(&self.id()).and_then(|place| place.stand_ins.last()).cloned());
        if traced() {
            crate::autograd::note_use(op, stand_in.as_ref().unwrap_or(self));
        }
        match &stand_in {
            Some(stand_in) => crate::ops::admit(op, stand_in)?,
            None => self.check_usable(op)?,
        }
        let cast = if is_autocasting() { crate::amp::cast(op, stand_in.as_ref().unwrap_or(self))? } else { None };
        Ok(cast.or(stand_in))
    }

    /// Refuses a tensor without values, and a complex one where the operation knows real numbers only.
    #[inline]
    fn check_usable(&self, op: &'static str) -> Result<()> {
        if self.flag(UNINITIALIZED | AMBIGUOUS | PLACEHOLDER | COMPLEX) {
            if self.flag(UNINITIALIZED) {
                return Err(uninitialized(op));
            }
            if self.flag(PLACEHOLDER) {
                return Err(computed(op));
            }
            crate::ops::admit(op, self)?;
            if crate::autograd::is_grad_enabled() {
                crate::views::refuse_stale(op, self)?;
            }
        }
        Ok(())
    }

    pub(crate) fn set_ambiguous(&self) {
        self.set_flag(AMBIGUOUS, true);
    }

    pub(crate) fn set_inference(&self, on: bool) {
        self.set_flag(INFERENCE, on);
    }

    pub(crate) fn set_flag_requires_grad(&self) {
        self.set_flag(super::REQUIRES_GRAD, true);
    }
}

#[cold]
pub(crate) fn computed(op: &'static str) -> Error {
    Error::runtime(op, "this parameter is computed during each call of its module and has no values outside of it")
        .remedy("ask for the computed tensor, as `nn::utils::parametrize::parametrized` does")
}

#[cold]
pub(crate) fn uninitialized(op: &'static str) -> Error {
    let message = format!(
        "Attempted to use an uninitialized parameter in {op}. This error happens when you are using a `LazyModule` or explicitly manipulating `torch.nn.parameter.UninitializedParameter` objects. When using LazyModules Call `forward` with a dummy batch to initialize the parameters before calling torch functions"
    );
    Error::value(op, message)
}
