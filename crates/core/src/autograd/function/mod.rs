//! Operations whose gradient the caller writes: PyTorch's `torch.autograd.Function`.
//!
//! ```
//! use firebrick_core::autograd::function::{BackwardContext, ForwardContext, Function, OutputGrads};
//! use firebrick_core::{Result, Tensor};
//!
//! /// `exp(factor * x)`.
//! struct ScaledExp {
//!     factor: f64, // what is no tensor is a field
//! }
//!
//! impl Function for ScaledExp {
//!     const NAME: &'static str = "ScaledExpBackward";
//!
//!     fn forward(&mut self, ctx: &mut ForwardContext, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
//!         let out = inputs[0].mul(self.factor)?.exp()?;
//!         ctx.save_for_backward(&[&out]);
//!         Ok(vec![out])
//!     }
//!
//!     fn backward(&self, ctx: &BackwardContext, grads: &OutputGrads) -> Result<Vec<Option<Tensor>>> {
//!         let out = &ctx.saved_tensors()?[0];
//!         Ok(vec![Some(grads.get(0)?.mul(out)?.mul(self.factor)?)])
//!     }
//! }
//!
//! let x = Tensor::new([0.0f64, 1.0])?;
//! x.requires_grad_(true)?;
//! let y = ScaledExp { factor: 2.0 }.apply(&[&x])?.remove(0);
//! y.sum()?.backward()?;
//! assert_eq!(y.grad_fn(), Some("ScaledExpBackward"));
//! let grad = x.grad().map(|g| g.to_vec::<f64>()).transpose()?;
//! assert_eq!(grad, Some(vec![2.0, 2.0 * 2f64.exp()]));
//! # Ok::<_, firebrick_core::Error>(())
//! ```

mod apply;
mod context;
mod record;
mod refuse;

pub use context::{BackwardContext, ForwardContext, OutputGrads};
pub use record::record;

pub(crate) use refuse::refusing_gradients;

use crate::{Result, Tensor};

/// An operation with a gradient of its own.
///
/// The value is used up by [`Function::apply`]. What is no tensor (factors, flags, shapes) are its fields, which `forward` may set
/// for `backward` to read.
///
/// Differences from PyTorch 2.15: there is one context for each direction, so that nothing can be saved in `backward`;
/// arguments and results are tensors only; forward-mode derivatives, `vmap` and `setup_context` do not exist.
///
/// ```
/// # use firebrick_core::autograd::function::{BackwardContext, ForwardContext, Function, OutputGrads};
/// # use firebrick_core::{Parameter, Result, Tensor};
/// /// Rounds forward, and is the identity backward.
/// struct StraightThrough;
/// impl Function for StraightThrough {
///     const NAME: &'static str = "StraightThroughBackward";
///     fn forward(&mut self, _: &mut ForwardContext, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
///         Ok(vec![inputs[0].round()?])
///     }
///     fn backward(&self, _: &BackwardContext, grads: &OutputGrads) -> Result<Vec<Option<Tensor>>> {
///         Ok(vec![Some(grads.get(0)?.clone())])
///     }
/// }
/// let x = Parameter::new(Tensor::new([0.75f32])?);
/// let y = StraightThrough.apply(&[&x])?.remove(0);
/// y.backward()?;
/// assert_eq!(y.item::<f32>()?, 1.0);
/// assert_eq!(x.grad().map(|grad| grad.to_vec::<f32>()).transpose()?, Some(vec![1.0]));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub trait Function: Send + Sync + Sized + 'static {
    /// What `grad_fn` prints: by PyTorch's custom the name of the function with `Backward` behind it.
    const NAME: &'static str;

    /// PyTorch's `@once_differentiable`: `backward` runs without recording, and the gradient of what it returns is
    /// an error rather than a wrong number.
    const ONCE_DIFFERENTIABLE: bool = false;

    /// Computes the results. Nothing is recorded meanwhile. An input may be returned as it is; one that was changed in
    /// place must be, and be marked by [`ForwardContext::mark_dirty`].
    ///
    /// # Errors
    /// Whatever goes wrong; `apply` returns it.
    fn forward(&mut self, ctx: &mut ForwardContext, inputs: &[Tensor]) -> Result<Vec<Tensor>>;

    /// Computes the gradients of the inputs from those of the outputs: one for each input, `None` where there is none.
    /// They may have the input's shape, or one that it broadcasts to.
    ///
    /// Made of differentiable operations it is itself differentiable, under `create_graph`.
    ///
    /// # Errors
    /// Whatever goes wrong; the backward pass returns it.
    fn backward(&self, ctx: &BackwardContext<'_>, grads: &OutputGrads) -> Result<Vec<Option<Tensor>>>;

    /// Runs the operation on `inputs` and records it, where one of them requires grad.
    ///
    /// An input that `forward` returned as it is comes back as a view of it, unless it was marked dirty.
    ///
    /// # Errors
    /// Those of `forward`; a leaf that requires grad was changed in place, a marked tensor was not returned. In the
    /// backward pass, those of `backward`; gradients of another number or shape.
    ///
    /// ```
    /// # use firebrick_core::autograd::function::{BackwardContext, ForwardContext, Function, OutputGrads};
    /// # use firebrick_core::{Parameter, Result, Tensor};
    /// struct Negative;
    /// impl Function for Negative {
    ///     const NAME: &'static str = "NegativeBackward";
    ///     fn forward(&mut self, _: &mut ForwardContext, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    ///         Ok(vec![inputs[0].neg()?])
    ///     }
    ///     fn backward(&self, _: &BackwardContext, grads: &OutputGrads) -> Result<Vec<Option<Tensor>>> {
    ///         Ok(vec![Some(grads.get(0)?.neg()?)])
    ///     }
    /// }
    /// let x = Parameter::new(Tensor::new([2.0f32])?);
    /// assert_eq!(Negative.apply(&[&x])?[0].grad_fn(), Some("NegativeBackward"));
    /// assert_eq!(Negative.apply(&[&x.detach()])?[0].grad_fn(), None);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn apply(self, inputs: &[&Tensor]) -> Result<Vec<Tensor>> {
        apply::apply(self, inputs)
    }
}
