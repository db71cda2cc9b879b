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
    /// Averaged gradient descent; the average of the parameter.
    Asgd(AsgdRule),
    /// Resilient propagation; the previous gradient and the step sizes.
    Rprop(RpropRule),
    /// RMSprop; the average square, the momentum buffer where `momentum` is above zero, with `centered` the average.
    RmsProp(RmsPropRule),
    /// Adagrad; the sum of squares.
    Adagrad(AdagradRule),
    /// Adadelta; the average squares of the gradient and of the steps.
    Adadelta(AdadeltaRule),
    /// Adam and AdamW; the averages of the gradient and of its square, and with `amsgrad` the largest of the latter.
    Adam(AdamRule),
    /// Adamax; the average of the gradient and its decaying maximum.
    Adamax(AdamaxRule),
    /// NAdam; the averages of the gradient and of its square.
    NAdam(NAdamRule),
    /// RAdam; the averages of the gradient and of its square.
    RAdam(RAdamRule),
}

impl Rule {
    /// How many bodies go with the rule.
    pub(crate) fn bodies(&self) -> usize {
        2 + match self {
            Rule::Sgd(rule) => usize::from(rule.momentum != 0.0),
            Rule::Asgd(_) | Rule::Adagrad(_) => 1,
            Rule::RmsProp(rule) => 1 + usize::from(rule.momentum > 0.0) + usize::from(rule.centered),
            Rule::Rprop(_) | Rule::Adadelta(_) | Rule::Adamax(_) | Rule::NAdam(_) | Rule::RAdam(_) => 2,
            Rule::Adam(rule) => 2 + usize::from(rule.amsgrad),
        }
    }
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $t:ty,)* })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[allow(missing_docs, reason = "named as PyTorch's options")]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $t,)*
        }
    )* };
}

numbers! {
    /// Numbers of [`Rule::Sgd`].
    SgdRule {
        lr: f64,
        momentum: f64,
        dampening: f64,
        weight_decay: f64,
        nesterov: bool,
        maximize: bool,
        /// The momentum buffer holds nothing yet: it becomes the gradient, without dampening.
        first: bool,
    }

    /// Numbers of [`Rule::Asgd`].
    AsgdRule {
        weight_decay: f64,
        maximize: bool,
        /// What is left of the parameter: `1 - lambd * eta`.
        keep: f64,
        /// The learning rate of this step.
        eta: f64,
        /// The weight of this step in the average.
        mu: f64,
    }

    /// Numbers of [`Rule::Rprop`].
    RpropRule {
        etas: (f64, f64),
        step_sizes: (f64, f64),
        maximize: bool,
    }

    /// Numbers of [`Rule::RmsProp`].
    RmsPropRule {
        lr: f64,
        alpha: f64,
        eps: f64,
        weight_decay: f64,
        momentum: f64,
        centered: bool,
        maximize: bool,
    }

    /// Numbers of [`Rule::Adagrad`].
    AdagradRule {
        /// The learning rate of this step.
        lr: f64,
        eps: f64,
        weight_decay: f64,
        maximize: bool,
    }

    /// Numbers of [`Rule::Adadelta`].
    AdadeltaRule {
        lr: f64,
        rho: f64,
        eps: f64,
        weight_decay: f64,
        maximize: bool,
    }

    /// Numbers of [`Rule::Adam`].
    AdamRule {
        lr: f64,
        betas: (f64, f64),
        eps: f64,
        weight_decay: f64,
        /// The weight decay scales the parameter instead of joining the gradient: AdamW.
        decoupled: bool,
        amsgrad: bool,
        maximize: bool,
        /// Counts from 1.
        step: f64,
    }

    /// Numbers of [`Rule::Adamax`].
    AdamaxRule {
        /// The learning rate over the correction of the average.
        lr: f64,
        betas: (f64, f64),
        eps: f64,
        weight_decay: f64,
        maximize: bool,
    }

    /// Numbers of [`Rule::NAdam`].
    NAdamRule {
        lr: f64,
        betas: (f64, f64),
        eps: f64,
        weight_decay: f64,
        decoupled: bool,
        maximize: bool,
        /// `1 - betas.1^step`.
        correction: f64,
        /// What the gradient over its size is added by.
        grad_rate: f64,
        /// What the average over its size is added by.
        average_rate: f64,
    }

    /// Numbers of [`Rule::RAdam`].
    RAdamRule {
        lr: f64,
        betas: (f64, f64),
        eps: f64,
        weight_decay: f64,
        decoupled: bool,
        maximize: bool,
        /// `1 - betas.0^step`.
        correction1: f64,
        /// `1 - betas.1^step`.
        correction2: f64,
        /// `None` while too few steps are known to judge the squares by.
        rectification: Option<f64>,
    }
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
