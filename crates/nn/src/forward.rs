//! `Forward`: the computation of a module, written by hand.

use crate::{Args, Memo, Module};
use firebrick_core::{Result, Tensor};
use std::sync::Arc;

/// What a module computes: PyTorch's `forward`.
///
/// `Box<dyn Forward>` is any tensor-to-tensor module. Several inputs or outputs are tuples and options, or a type
/// with `#[derive(Args)]`; a module may implement `Forward` for several inputs. Call modules with
/// [`Call::call`](crate::Call::call), which also runs hooks and lazy initialization.
///
/// ```
/// use firebrick::prelude::*;
///
/// #[derive(Module)]
/// struct Residual<M> { core: Core, body: M }
///
/// impl<M: nn::Forward> nn::Forward for Residual<M> {
///     fn forward(&self, x: Tensor) -> Result<Tensor> {
///         self.body.call(&x)?.add(&x)
///     }
/// }
///
/// let block = Residual { core: Core::new(), body: nn::Identity::new() };
/// assert_eq!(block.call(Tensor::ones([2])?)?.to_vec::<f32>()?, [2.0, 2.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `forward` from `{I}` to `{O}`",
    label = "no `forward` for this input and output",
    note = "from tensor to tensor: write `impl nn::Forward for {Self}` with `fn forward(&self, x: Tensor) -> Result<Tensor>`",
    note = "for other types: `impl nn::Forward<Input, Output> for {Self}`"
)]
pub trait Forward<I: Args + Clone = Tensor, O: Args = Tensor>: Module + CloneForward<I, O> {
    /// The computation.
    ///
    /// # Errors
    /// Whatever the operations in it return.
    fn forward(&self, input: I) -> Result<O>;

    /// Gives the uninitialized parameters of a lazy module their shapes and first values, once the first input is
    /// known. Runs without recording, before the first `forward`, when the core is [`Core::lazy`](crate::Core::lazy).
    ///
    /// # Errors
    /// When the input does not fit; the module stays lazy.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// #[derive(Module)]
    /// struct Scale { core: Core, factor: Parameter }
    ///
    /// impl nn::Forward for Scale {
    ///     fn forward(&self, x: Tensor) -> Result<Tensor> {
    ///         x.mul(&self.factor)
    ///     }
    ///
    ///     fn initialize(&self, x: &Tensor) -> Result<()> {
    ///         self.factor.set_data(&Tensor::ones([x.size(-1)?])?)
    ///     }
    /// }
    ///
    /// let scale = Scale { core: Core::lazy(), factor: Parameter::uninitialized(DType::F32, Device::Cpu)? };
    /// scale.call(Tensor::ones([2, 3])?)?;
    /// assert_eq!(scale.factor.shape()?, [3]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn initialize(&self, input: &I) -> Result<()> {
        let _ = input;
        Ok(())
    }
}

/// Copies a `Box<dyn Forward>`; implemented for every module that has a `forward`.
///
/// ```
/// use firebrick::nn::{CloneForward, Memo};
/// use firebrick::prelude::*;
/// let layer = nn::boxed(nn::Linear::new(3, 2)?);
/// let (copy, x) = (layer.clone_boxed(&mut Memo::new())?, Tensor::ones([1, 3])?);
/// assert!(copy.call(&x)?.equal(&layer.call(&x)?)?);
/// assert_ne!(copy.parameters()[0].id(), layer.parameters()[0].id());
/// # Ok::<_, firebrick::Error>(())
/// ```
pub trait CloneForward<I, O> {
    /// A copy whose type is forgotten.
    ///
    /// # Errors
    /// When memory for the copy cannot be had.
    fn clone_boxed(&self, memo: &mut Memo) -> Result<Box<dyn Forward<I, O>>>
    where
        I: Args + Clone,
        O: Args;
}

impl<I: Args + Clone, O: Args, M: Forward<I, O>> CloneForward<I, O> for M {
    fn clone_boxed(&self, memo: &mut Memo) -> Result<Box<dyn Forward<I, O>>> {
        Ok(Box::new(self.clone_with(memo)?))
    }
}

/// Forgets the type of a module, for lists of different layers.
///
/// ```
/// use firebrick::prelude::*;
/// let layers = nn::ModuleList::from(vec![nn::boxed(nn::Linear::new(2, 3)?), nn::boxed(nn::ReLU::new())]);
/// assert_eq!(layers.len(), 2);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn boxed<I: Args + Clone, O: Args>(module: impl Forward<I, O>) -> Box<dyn Forward<I, O>> {
    Box::new(module)
}

impl<I: Args + Clone, O: Args, M: Forward<I, O> + ?Sized> Forward<I, O> for Box<M>
where
    Box<M>: Module,
{
    fn forward(&self, input: I) -> Result<O> {
        (**self).forward(input)
    }
    fn initialize(&self, input: &I) -> Result<()> {
        (**self).initialize(input)
    }
}

impl<I: Args + Clone, O: Args, M: Forward<I, O> + ?Sized> Forward<I, O> for Arc<M>
where
    Arc<M>: Module,
{
    fn forward(&self, input: I) -> Result<O> {
        (**self).forward(input)
    }
    fn initialize(&self, input: &I) -> Result<()> {
        (**self).initialize(input)
    }
}
