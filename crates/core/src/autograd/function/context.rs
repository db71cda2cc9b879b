//! What the two directions of a custom operation know and say.

use crate::autograd::node::{Node, OutputInfo};
use crate::autograd::saved::Saved;
use crate::tensor::Body;
use crate::{Error, Result, Tensor};
use smallvec::SmallVec;
use std::sync::Arc;

/// What [`Function::forward`](super::Function::forward) knows, and tells about its results.
///
/// ```
/// # use firebrick_core::autograd::function::{BackwardContext, ForwardContext, Function, OutputGrads};
/// # use firebrick_core::{Parameter, Result, Tensor};
/// /// `x * y`, in which a frozen factor costs nothing.
/// struct Product;
/// impl Function for Product {
///     const NAME: &'static str = "ProductBackward";
///     fn forward(&mut self, ctx: &mut ForwardContext, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
///         assert_eq!(ctx.needs_input_grad(), [true, false]);
///         ctx.save_for_backward(&[&inputs[1]]);
///         Ok(vec![inputs[0].mul(&inputs[1])?])
///     }
///     fn backward(&self, ctx: &BackwardContext, grads: &OutputGrads) -> Result<Vec<Option<Tensor>>> {
///         Ok(vec![Some(grads.get(0)?.mul(&ctx.saved_tensors()?[0])?), None])
///     }
/// }
/// let (x, y) = (Parameter::new(Tensor::new([2.0f32])?), Tensor::new([3.0f32])?);
/// Product.apply(&[&x, &y])?[0].backward()?;
/// assert_eq!(x.grad().map(|grad| grad.to_vec::<f32>()).transpose()?, Some(vec![3.0]));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub struct ForwardContext {
    needs_input_grad: SmallVec<[bool; 4]>,
    pub(super) to_save: Vec<Tensor>,
    pub(super) dirty: Vec<Tensor>,
    pub(super) non_differentiable: Vec<Tensor>,
    pub(super) materialize: bool,
}

fn owned(tensors: &[&Tensor]) -> Vec<Tensor> {
    tensors.iter().map(|&t| t.clone()).collect()
}

impl ForwardContext {
    pub(super) fn new(needs_input_grad: SmallVec<[bool; 4]>) -> Self {
        let (to_save, dirty, non_differentiable) = (Vec::new(), Vec::new(), Vec::new());
        ForwardContext { needs_input_grad, to_save, dirty, non_differentiable, materialize: true }
    }

    /// Keeps tensors for the backward pass: inputs, results, or others, which count as constants there. A later call
    /// replaces what an earlier one kept.
    ///
    /// ```
    /// # use firebrick_core::autograd::function::{BackwardContext, ForwardContext, Function, OutputGrads};
    /// # use firebrick_core::{Parameter, Result, Tensor};
    /// struct Square;
    /// impl Function for Square {
    ///     const NAME: &'static str = "SquareBackward";
    ///     fn forward(&mut self, ctx: &mut ForwardContext, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    ///         ctx.save_for_backward(&[&inputs[0]]);
    ///         Ok(vec![inputs[0].square()?])
    ///     }
    ///     fn backward(&self, ctx: &BackwardContext, grads: &OutputGrads) -> Result<Vec<Option<Tensor>>> {
    ///         Ok(vec![Some(grads.get(0)?.mul(&ctx.saved_tensors()?[0])?.mul(2)?)])
    ///     }
    /// }
    /// let x = Parameter::new(Tensor::new([3.0f32])?);
    /// Square.apply(&[&x])?[0].backward()?;
    /// assert_eq!(x.grad().map(|grad| grad.to_vec::<f32>()).transpose()?, Some(vec![6.0]));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn save_for_backward(&mut self, tensors: &[&Tensor]) {
        self.to_save = owned(tensors);
    }

    /// Says which inputs were changed in place. They must be among the results.
    ///
    /// ```
    /// # use firebrick_core::autograd::function::{BackwardContext, ForwardContext, Function, OutputGrads};
    /// # use firebrick_core::{Parameter, Result, Tensor};
    /// struct Double;
    /// impl Function for Double {
    ///     const NAME: &'static str = "DoubleBackward";
    ///     fn forward(&mut self, ctx: &mut ForwardContext, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    ///         inputs[0].mul_(2)?;
    ///         ctx.mark_dirty(&[&inputs[0]]);
    ///         Ok(inputs.to_vec())
    ///     }
    ///     fn backward(&self, _: &BackwardContext, grads: &OutputGrads) -> Result<Vec<Option<Tensor>>> {
    ///         Ok(vec![Some(grads.get(0)?.mul(2)?)])
    ///     }
    /// }
    /// let x = Parameter::new(Tensor::new([3.0f32])?);
    /// let y = x.mul(1)?;
    /// Double.apply(&[&y])?;
    /// assert_eq!((y.grad_fn(), y.to_vec::<f32>()?), (Some("DoubleBackward"), vec![6.0]));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn mark_dirty(&mut self, tensors: &[&Tensor]) {
        self.dirty = owned(tensors);
    }

    /// Says which results have no gradient. Those of integers never have one.
    ///
    /// ```
    /// # use firebrick_core::autograd::function::{BackwardContext, ForwardContext, Function, OutputGrads};
    /// # use firebrick_core::{Parameter, Result, Tensor};
    /// struct SignAndSize;
    /// impl Function for SignAndSize {
    ///     const NAME: &'static str = "SignAndSizeBackward";
    ///     fn forward(&mut self, ctx: &mut ForwardContext, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    ///         let sign = inputs[0].sign()?;
    ///         ctx.mark_non_differentiable(&[&sign]);
    ///         ctx.save_for_backward(&[&sign]);
    ///         Ok(vec![sign, inputs[0].abs()?])
    ///     }
    ///     fn backward(&self, ctx: &BackwardContext, grads: &OutputGrads) -> Result<Vec<Option<Tensor>>> {
    ///         Ok(vec![Some(grads.get(1)?.mul(&ctx.saved_tensors()?[0])?)])
    ///     }
    /// }
    /// let x = Parameter::new(Tensor::new([-3.0f32])?);
    /// let results = SignAndSize.apply(&[&x])?;
    /// assert!(!results[0].requires_grad() && results[1].requires_grad());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn mark_non_differentiable(&mut self, tensors: &[&Tensor]) {
        self.non_differentiable = owned(tensors);
    }

    /// Are gradients that did not arrive given to `backward` as zeros? They are unless this turns it off.
    ///
    /// ```
    /// # use firebrick_core::autograd::function::{BackwardContext, ForwardContext, Function, OutputGrads};
    /// # use firebrick_core::{Parameter, Result, Tensor};
    /// struct Twice;
    /// impl Function for Twice {
    ///     const NAME: &'static str = "TwiceBackward";
    ///     fn forward(&mut self, ctx: &mut ForwardContext, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    ///         ctx.set_materialize_grads(false);
    ///         Ok(vec![inputs[0].copy()?, inputs[0].copy()?])
    ///     }
    ///     fn backward(&self, _: &BackwardContext, grads: &OutputGrads) -> Result<Vec<Option<Tensor>>> {
    ///         assert!(grads.maybe(1).is_none()); // zeros otherwise
    ///         Ok(vec![grads.maybe(0).cloned()])
    ///     }
    /// }
    /// let x = Parameter::new(Tensor::new([3.0f32])?);
    /// Twice.apply(&[&x])?[0].backward()?;
    /// assert_eq!(x.grad().map(|grad| grad.to_vec::<f32>()).transpose()?, Some(vec![1.0]));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn set_materialize_grads(&mut self, on: bool) {
        self.materialize = on;
    }

    /// Which inputs require grad.
    pub fn needs_input_grad(&self) -> &[bool] {
        &self.needs_input_grad
    }

    pub(super) fn is_dirty(&self, tensor: &Tensor) -> bool {
        self.dirty.iter().any(|t| t.ptr_eq(tensor))
    }
}

/// What [`Function::backward`](super::Function::backward) knows.
///
/// ```
/// # use firebrick_core::autograd::function::{BackwardContext, ForwardContext, Function, OutputGrads};
/// # use firebrick_core::{Parameter, Result, Tensor};
/// /// The sum of two tensors, of which a frozen one gets no gradient.
/// struct Sum;
/// impl Function for Sum {
///     const NAME: &'static str = "SumBackward";
///     fn forward(&mut self, _: &mut ForwardContext, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
///         Ok(vec![inputs[0].add(&inputs[1])?])
///     }
///     fn backward(&self, ctx: &BackwardContext, grads: &OutputGrads) -> Result<Vec<Option<Tensor>>> {
///         let grad = |&wanted: &bool| if wanted { grads.maybe(0).cloned() } else { None };
///         Ok(ctx.needs_input_grad().iter().map(grad).collect())
///     }
/// }
/// let (x, y) = (Parameter::new(Tensor::new([3.0f32])?), Tensor::new([4.0f32])?);
/// Sum.apply(&[&x, &y])?[0].backward()?;
/// assert!(x.grad().is_some() && y.grad().is_none());
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub struct BackwardContext<'a> {
    pub(super) node: &'a Arc<Node>,
    pub(super) saved: &'a [Saved],
    pub(super) needs_input_grad: &'a [bool],
}

impl BackwardContext<'_> {
    /// The tensors that `forward` saved, in its order; [`ForwardContext`] shows it.
    ///
    /// # Errors
    /// One was changed in place since.
    pub fn saved_tensors(&self) -> Result<Vec<Tensor>> {
        self.saved.iter().map(|saved| saved.unpack(self.node)).collect()
    }

    /// Which inputs required grad.
    pub fn needs_input_grad(&self) -> &[bool] {
        self.needs_input_grad
    }
}

/// The gradients of the outputs, one for each.
///
/// ```
/// # use firebrick_core::autograd::function::{BackwardContext, ForwardContext, Function, OutputGrads};
/// # use firebrick_core::{Parameter, Result, Tensor};
/// struct Halves;
/// impl Function for Halves {
///     const NAME: &'static str = "HalvesBackward";
///     fn forward(&mut self, _: &mut ForwardContext, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
///         Ok(vec![inputs[0].div(2)?, inputs[0].div(2)?])
///     }
///     fn backward(&self, _: &BackwardContext, grads: &OutputGrads) -> Result<Vec<Option<Tensor>>> {
///         assert_eq!(grads.len(), 2);
///         assert!(grads.get(2).is_err() && grads.maybe(2).is_none());
///         Ok(vec![Some(grads.get(0)?.add(grads.get(1)?)?.div(2)?)])
///     }
/// }
/// let x = Parameter::new(Tensor::new([3.0f32])?);
/// let halves = Halves.apply(&[&x])?;
/// halves[0].add(&halves[1])?.backward()?;
/// assert_eq!(x.grad().map(|grad| grad.to_vec::<f32>()).transpose()?, Some(vec![1.0]));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub struct OutputGrads {
    name: &'static str,
    grads: SmallVec<[Option<Tensor>; 2]>,
}

impl OutputGrads {
    pub(super) fn new(
        name: &'static str,
        arrived: &[Option<Tensor>],
        outputs: &[OutputInfo],
        materialize: bool,
    ) -> Result<Self> {
        let grad = |(grad, info): (&Option<Tensor>, &OutputInfo)| match grad {
            None if materialize => {
                let zeros = Body::zeros(info.shape.clone(), info.dtype, info.device)?;
                Ok(Some(Tensor::from_body(zeros)))
            }
            grad => Ok(grad.clone()),
        };
        Ok(OutputGrads { name, grads: arrived.iter().zip(outputs).map(grad).collect::<Result<_>>()? })
    }

    /// How many outputs there are.
    #[allow(clippy::len_without_is_empty, reason = "an operation has outputs")]
    pub fn len(&self) -> usize {
        self.grads.len()
    }

    /// The gradient of one output.
    ///
    /// # Errors
    /// There is no such output; no gradient arrived and [`ForwardContext::set_materialize_grads`] is off.
    pub fn get(&self, output: usize) -> Result<&Tensor> {
        self.maybe(output).ok_or_else(|| {
            Error::runtime(self.name, format!("there is no gradient of output {output}"))
                .given(format!("{} outputs", self.grads.len()))
                .remedy("ask `maybe` where gradients are not materialized")
        })
    }

    /// The gradient of one output; `None` where none arrived.
    pub fn maybe(&self, output: usize) -> Option<&Tensor> {
        self.grads.get(output)?.as_ref()
    }

    pub(super) fn any_requires_grad(&self) -> bool {
        self.grads.iter().flatten().any(Tensor::requires_grad)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Tensor> {
        self.grads.iter().flatten()
    }
}
