//! Complex numbers: how they are made and taken apart, and which operations know them.
//!
//! A complex tensor holds pairs of real numbers. [`Tensor::view_as_real`] shows them without copying, and most operations on
//! complex numbers are ones on that view; elementwise formulas have a kernel of their own. None of it is tuned.
//!
//! # Gradients
//! The gradient of a real result `L` in `z = x + iy` is `dL/dx + i dL/dy`, PyTorch's convention. For a function with a
//! complex derivative `f'` that is `g * conj(f'(z))`, where the formula of real numbers reads `g * f'(z)`. So one rule,
//! [`conjugated`], makes every such formula the complex one: give it the conjugate of `g` and take the conjugate of what
//! it returns. Functions without a complex derivative (`abs`, `angle`, `sgn`, the parts) have formulas of their own.
//!
//! # Differences from PyTorch 2.15
//! - There is no complex32: a small floating dtype beside a complex number becomes complex64.
//! - [`Tensor::conj`] makes a new tensor rather than a view.
//! - complex64 is computed in double precision and rounded once, so nothing overflows on the way.
//! - Zero to the power of zero is one, also where PyTorch gives NaN, for two tensors.
//! - The table of an embedding has a gradient, which PyTorch refuses.
//! - What is in PyTorch and not here refuses as if it were in neither: `logcumsumexp`, factors (`alpha`, `value`) with an
//!   imaginary part, `logspace` between complex bounds, most of linear algebra.

mod admit;
mod parts;

pub(crate) use admit::{admit, check, refusal};

use crate::autograd::{Function, Grads, Node};
use crate::{Result, Tensor};
use std::sync::Arc;

/// The rows of this family.
pub(crate) const TABLES: &[&[crate::ops::Row]] = &[parts::PARTS];

/// The gradient of a function of complex numbers from the formula of real ones.
pub(crate) fn conjugated(formula: Function) -> Function {
    Function::new(move |node: &Arc<Node>, grads: &[Option<Tensor>], needs: &[bool]| {
        let grads = conj_all(grads)?;
        conj_all(&formula.run(node, &grads, needs)?)
    })
}

fn conj_all(grads: &[Option<Tensor>]) -> Result<Grads> {
    grads.iter().map(|grad| grad.as_ref().map(Tensor::conj).transpose()).collect()
}
