//! What an optimizer asks a backend to do with one parameter.

use crate::tensor::Body;
use smallvec::SmallVec;

/// The formula of an optimizer, with the numbers of one parameter group.
///
/// The bodies that go with it are the parameter, its gradient and the buffers named at each variant, in this order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Stochastic gradient descent; the momentum buffer where `momentum` is not zero.
    Sgd(SgdRule),
    /// Adam and AdamW; the averages of the gradient and of its square, and with `amsgrad` the largest of the latter.
    Adam(AdamRule),
}

/// Numbers of [`Rule::Sgd`], named as PyTorch's options.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct SgdRule {
    pub lr: f64,
    pub momentum: f64,
    pub dampening: f64,
    pub weight_decay: f64,
    pub nesterov: bool,
    pub maximize: bool,
    /// The momentum buffer holds nothing yet: it becomes the gradient, without dampening.
    pub first: bool,
}

/// Numbers of [`Rule::Adam`], named as PyTorch's options.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct AdamRule {
    pub lr: f64,
    pub betas: (f64, f64),
    pub eps: f64,
    pub weight_decay: f64,
    /// The weight decay scales the parameter instead of joining the gradient: AdamW.
    pub decoupled: bool,
    pub amsgrad: bool,
    pub maximize: bool,
    /// Counts from 1.
    pub step: f64,
}

/// Where the gradient stands among the bodies: the only one that is not written.
pub(crate) const GRAD: usize = 1;

/// The update of one parameter. The bodies have one shape, dtype (a floating one) and device.
#[derive(Clone)]
pub(crate) struct Update {
    /// The formula.
    pub rule: Rule,
    /// Parameter, gradient, buffers.
    pub bodies: SmallVec<[Body; 5]>,
}
