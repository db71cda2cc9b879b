//! What the generated part of every operation is made of.

use crate::autograd::{Edge, Function, Grads, Node, OutputInfo, Saved, inplace, no_grad, records};
use crate::backend;
use crate::ops::devices::same_device;
use crate::tensor::copy::expanded;
use crate::{Body, Error, Result, Tensor};
use smallvec::{SmallVec, smallvec};
use std::borrow::Cow;
use std::sync::Arc;

pub(crate) type Edges = SmallVec<[Option<Edge>; 2]>;

/// A tensor input, required or optional.
pub(crate) trait Slot: Sized {
    /// The input when it is saved for the gradient.
    type Saved: Unpacked;
    type Ref<'a>
    where
        Self: 'a;
    fn resolved(self, op: &'static str) -> Result<Self>;
    fn slot(&self) -> Self::Ref<'_>;
    /// Does the operation hold a handle of its own, which may be the last?
    fn is_owned(&self) -> bool {
        false
    }
    fn wants_grad(&self) -> bool;
    /// Is it a plain number rather than a tensor?
    fn is_number(&self) -> bool;
    fn edge(&self) -> Option<Edge>;
    fn saved(&self, wanted: bool) -> Result<SavedSlot<Self::Saved>>;
}

/// What a saved input is when the gradient is computed.
pub(crate) trait Unpacked: Sized {
    type Ref<'a>
    where
        Self: 'a;
    fn unpack(saved: &Option<Saved>, node: &Arc<Node>) -> Result<Self>;
    fn slot(&self) -> Self::Ref<'_>;
}

impl Unpacked for Tensor {
    type Ref<'a> = &'a Tensor;

    fn unpack(saved: &Option<Saved>, node: &Arc<Node>) -> Result<Self> {
        match saved {
            Some(saved) => saved.unpack(node),
            // Not wanted: no formula that runs looks at it.
            None => Tensor::zeros([0]),
        }
    }

    fn slot(&self) -> &Tensor {
        self
    }
}

impl Unpacked for Option<Tensor> {
    type Ref<'a> = Option<&'a Tensor>;

    fn unpack(saved: &Option<Saved>, node: &Arc<Node>) -> Result<Self> {
        saved.as_ref().map(|saved| saved.unpack(node)).transpose()
    }

    fn slot(&self) -> Option<&Tensor> {
        self.as_ref()
    }
}

/// A saved input; `None` where it was absent or not wanted.
pub(crate) struct SavedSlot<S> {
    saved: Option<Saved>,
    wants_grad: bool,
    _slot: std::marker::PhantomData<fn() -> S>,
}

impl<S: Unpacked> SavedSlot<S> {
    fn new(saved: Option<Saved>, wants_grad: bool) -> Self {
        SavedSlot { saved, wants_grad, _slot: std::marker::PhantomData }
    }

    /// Does the input want a gradient? Asked by what is saved for its sake.
    pub fn wants_grad(&self) -> bool {
        self.wants_grad
    }

    pub fn unpack(&self, node: &Arc<Node>) -> Result<S> {
        S::unpack(&self.saved, node)
    }
}

impl<'t> Slot for Cow<'t, Tensor> {
    type Saved = Tensor;
    type Ref<'a>
        = &'a Tensor
    where
        Self: 'a;

    #[inline]
    fn resolved(self, op: &'static str) -> Result<Self> {
        Tensor::resolved_input(self, op)
    }

    #[inline]
    fn slot(&self) -> &Tensor {
        self
    }

    #[inline]
    fn is_owned(&self) -> bool {
        matches!(self, Cow::Owned(_))
    }

    #[inline]
    fn wants_grad(&self) -> bool {
        self.requires_grad()
    }

    #[inline]
    fn is_number(&self) -> bool {
        self.is_wrapped_number()
    }

    fn edge(&self) -> Option<Edge> {
        Tensor::edge(self)
    }

    fn saved(&self, wanted: bool) -> Result<SavedSlot<Tensor>> {
        saved(self, wanted)
    }
}

/// Saves a tensor for the gradient, where it is wanted there.
pub(crate) fn saved(tensor: &Tensor, wanted: bool) -> Result<SavedSlot<Tensor>> {
    let saved = if wanted { Some(Saved::input(tensor)?) } else { None };
    Ok(SavedSlot::new(saved, tensor.requires_grad()))
}

impl<'t> Slot for Option<Cow<'t, Tensor>> {
    type Saved = Option<Tensor>;
    type Ref<'a>
        = Option<&'a Tensor>
    where
        Self: 'a;

    fn resolved(self, op: &'static str) -> Result<Self> {
        self.map(|t| Tensor::resolved_input(t, op)).transpose()
    }

    #[inline]
    fn slot(&self) -> Option<&Tensor> {
        self.as_deref()
    }

    #[inline]
    fn wants_grad(&self) -> bool {
        self.as_deref().is_some_and(Tensor::requires_grad)
    }

    fn is_number(&self) -> bool {
        false
    }

    fn edge(&self) -> Option<Edge> {
        self.as_deref().and_then(Tensor::edge)
    }

    fn saved(&self, wanted: bool) -> Result<SavedSlot<Option<Tensor>>> {
        let saved = self.as_deref().filter(|_| wanted).map(Saved::input).transpose()?;
        Ok(SavedSlot::new(saved, self.wants_grad()))
    }
}

/// What an operation returns: its first tensor is the differentiable one.
pub(crate) trait Primary {
    /// How many further tensors there are.
    type Others<'a>
    where
        Self: 'a;
    fn primary(&self) -> &Tensor;
    fn others(&self) -> Self::Others<'_>;
}

impl Primary for Tensor {
    type Others<'a> = [&'a Tensor; 0];
    #[inline]
    fn primary(&self) -> &Tensor {
        self
    }
    fn others(&self) -> [&Tensor; 0] {
        []
    }
}

impl Primary for (Tensor, Tensor) {
    type Others<'a> = [&'a Tensor; 1];
    fn primary(&self) -> &Tensor {
        &self.0
    }
    fn others(&self) -> [&Tensor; 1] {
        [&self.1]
    }
}

impl Primary for (Tensor, Tensor, Tensor) {
    type Others<'a> = [&'a Tensor; 2];
    fn primary(&self) -> &Tensor {
        &self.0
    }
    fn others(&self) -> [&Tensor; 2] {
        [&self.1, &self.2]
    }
}

/// Does the operation save nothing?
pub(crate) const fn is_empty(names: &[&str]) -> bool {
    names.is_empty()
}

/// What PyTorch calls the node: it has names of their own for some overloads.
pub(crate) struct Name {
    pub usual: &'static str,
    pub with_number: Option<&'static str>,
    pub in_place: Option<&'static str>,
}

impl Name {
    #[inline]
    pub fn choose(self, number: bool, in_place: bool) -> &'static str {
        let special =
            if in_place && self.in_place.is_some() { self.in_place } else { self.with_number.filter(|_| number) };
        special.unwrap_or(self.usual)
    }
}

/// [`attach`] for a formula of real numbers, which that of complex ones is made of.
pub(crate) fn attach_formula(
    out: &Tensor,
    name: &'static str,
    edges: Edges,
    keeps_nothing: bool,
    function: Function,
    in_place: Option<&'static str>,
) {
    let function = if out.is_complex() { crate::ops::complex::conjugated(function) } else { function };
    attach(out, name, edges, keeps_nothing, function, in_place);
}

/// Makes `out` the result of a new node; for an in-place operation, the new value of what it was before.
pub(crate) fn attach(
    out: &Tensor,
    name: &'static str,
    edges: Edges,
    keeps_nothing: bool,
    function: Function,
    in_place: Option<&'static str>,
) {
    if in_place.is_some() {
        inplace::rebase(out, name, edges, keeps_nothing, function);
    } else {
        out.set_node(Node::new(name, edges, smallvec![OutputInfo::of(out)], keeps_nothing, function), 0);
    }
}

/// The result of an operation that has no kernel for writing in place: it is copied into the target.
pub(crate) fn into_target<R: IntoTarget>(result: Result<R>, target: Option<(&'static str, &Tensor)>) -> Result<R> {
    match target {
        None => result,
        Some((op, target)) => result?.into_target(op, target),
    }
}

pub(crate) trait IntoTarget: Sized {
    fn into_target(self, op: &'static str, target: &Tensor) -> Result<Self>;
}

impl IntoTarget for Tensor {
    fn into_target(self, op: &'static str, target: &Tensor) -> Result<Tensor> {
        inplace::check(op, target, &[&self])?;
        let (to, from) = (target.body(), self.body());
        check_writable(op, &to, &from.shape, from.dtype)?;
        backend::of(to.device())?.copy(&expanded(op, &from, &to.shape)?, &to)?;
        target.changed();
        Ok(target.clone())
    }
}

macro_rules! no_target {
    ($($t:ty),*) => { $(
        impl IntoTarget for $t {
            fn into_target(self, op: &'static str, _: &Tensor) -> Result<Self> {
                Err(Error::runtime(op, "an operation with several results has no in-place form"))
            }
        }
    )* };
}
no_target!((Tensor, Tensor), (Tensor, Tensor, Tensor));

/// Can a result of `shape` and `dtype` be written into `target`?
pub(crate) fn check_writable(
    op: &'static str,
    target: &crate::Body,
    shape: &crate::Dims,
    dtype: crate::DType,
) -> Result<()> {
    if target.shape != *shape {
        return Err(Error::runtime(
            op,
            format!("output with shape {:?} doesn't match the broadcast shape {shape:?}", target.shape),
        ));
    }
    if !dtype.can_cast(target.dtype) {
        return Err(Error::runtime(
            op,
            format!(
                "result type {} can't be cast to the desired output type {}",
                dtype.scalar_name(),
                target.dtype.scalar_name()
            ),
        ));
    }
    Ok(())
}

/// Records `out` as the result of an operation on `inputs` whose gradient needs no values, only shapes and indices:
/// `backward` gets the result's gradient and which inputs want one.
pub(crate) fn linear(
    name: &'static str,
    inputs: &[&Tensor],
    out: Tensor,
    backward: impl Fn(&Tensor, &[bool]) -> Result<Grads> + Send + Sync + 'static,
) -> Tensor {
    if records(inputs.iter().copied()) && out.is_differentiable() {
        let edges = inputs.iter().map(|t| t.edge()).collect();
        attach(&out, name, edges, true, of_first(backward), None);
    }
    out
}

/// As [`linear`], for an operation that overwrites part of its first input: on a copy, or in place.
pub(crate) fn written(
    name: &'static str,
    inputs: &[&Tensor],
    in_place: Option<&'static str>,
    write: impl FnOnce(&Body) -> Result<()>,
    backward: impl Fn(&Tensor, &[bool]) -> Result<Grads> + Send + Sync + 'static,
) -> Result<Tensor> {
    written_with(name, inputs, in_place, true, write, |_| Ok(of_first(backward)))
}

/// As [`written`], with a gradient that may keep tensors: `function` makes it from the result where one is recorded.
pub(crate) fn written_with(
    name: &'static str,
    inputs: &[&Tensor],
    in_place: Option<&'static str>,
    keeps_nothing: bool,
    write: impl FnOnce(&Body) -> Result<()>,
    function: impl FnOnce(&Tensor) -> Result<Function>,
) -> Result<Tensor> {
    same_device(name, inputs.iter().map(|t| t.device()))?;
    let recording = records(inputs.iter().copied());
    let edges: Edges = if recording { inputs.iter().map(|t| t.edge()).collect() } else { Edges::new() };
    let out = match in_place {
        Some(op) => {
            inplace::check(op, inputs[0], &inputs[1..])?;
            inputs[0].clone()
        }
        None => no_grad(|| inputs[0].contiguous_copy())?,
    };
    write(&out.body())?;
    if in_place.is_some() {
        out.changed();
    }
    if recording && out.is_differentiable() {
        attach(&out, name, edges, keeps_nothing, function(&out)?, in_place);
    }
    Ok(out)
}

fn of_first(backward: impl Fn(&Tensor, &[bool]) -> Result<Grads> + Send + Sync + 'static) -> Function {
    Function::new(move |_: &Arc<Node>, grads: &[Option<Tensor>], needs: &[bool]| match &grads[0] {
        Some(grad) => backward(grad, needs),
        None => Ok(Grads::from_elem(None, needs.len())),
    })
}
