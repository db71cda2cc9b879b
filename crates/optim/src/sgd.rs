//! Stochastic gradient descent.

use crate::optimizer::{State, buffer, printing};
use crate::{IntoParamGroups, Optimizer, OptimizerCore, ParamGroup};
use firebrick_core::backend::{Rule, SgdRule};
use firebrick_core::{Error, Result, Scalar, Tensor, Value, ops};
use indexmap::IndexMap;
use smallvec::{SmallVec, smallvec};

/// Stochastic gradient descent, with momentum and weight decay where asked for.
///
/// For each parameter `p` with gradient `g`:
/// ```text
/// g = g + weight_decay * p                    g = -g first, with maximize
/// b = momentum * b + (1 - dampening) * g      the first time: b = g
/// g = g + momentum * b                        with nesterov; else g = b
/// p = p - lr * g
/// ```
/// Sutskever et al., *On the importance of initialization and momentum in deep learning*, ICML 2013.
///
/// Compared with PyTorch 2.15 (`foreach=False`), whose operations it runs in the same order in one pass.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 0.1).momentum(0.9).build()?;
/// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
/// optimizer.step()?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.42000002]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct SGD {
    core: OptimizerCore,
}

/// Options of an [`SGD`] before it is built.
pub struct SGDBuilder {
    groups: Result<Vec<ParamGroup>>,
    lr: Scalar,
    momentum: Scalar,
    dampening: Scalar,
    weight_decay: Scalar,
    nesterov: bool,
    maximize: bool,
}

impl SGD {
    /// Options for `params`, at the defaults: plain gradient descent with the learning rate `lr`.
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Scalar>) -> SGDBuilder {
        SGDBuilder {
            groups: params.into_param_groups(),
            lr: lr.into(),
            momentum: Scalar::Int(0),
            dampening: Scalar::Int(0),
            weight_decay: Scalar::Int(0),
            nesterov: false,
            maximize: false,
        }
    }
}

impl SGDBuilder {
    /// How much of the last steps is kept.
    pub fn momentum(mut self, momentum: impl Into<Scalar>) -> Self {
        self.momentum = momentum.into();
        self
    }

    /// How much less the gradient counts beside the momentum.
    pub fn dampening(mut self, dampening: impl Into<Scalar>) -> Self {
        self.dampening = dampening.into();
        self
    }

    /// Draws parameters towards zero by this times their value.
    pub fn weight_decay(mut self, weight_decay: impl Into<Scalar>) -> Self {
        self.weight_decay = weight_decay.into();
        self
    }

    /// Nesterov's momentum, which looks a step ahead.
    pub fn nesterov(mut self, nesterov: bool) -> Self {
        self.nesterov = nesterov;
        self
    }

    /// Climbs instead of descending.
    pub fn maximize(mut self, maximize: bool) -> Self {
        self.maximize = maximize;
        self
    }

    /// The optimizer.
    ///
    /// # Errors
    /// A `ValueError` for a negative learning rate, momentum or weight decay, Nesterov's momentum without momentum
    /// or with dampening, no parameters, a tensor that is not a leaf, or a parameter in two groups.
    pub fn build(self) -> Result<SGD> {
        let negative = |what: &str, value: Scalar| match value.to_f64() < 0.0 {
            true => Err(Error::value("SGD", format!("Invalid {what}: {}", Value::from(value)))),
            false => Ok(()),
        };
        negative("learning rate", self.lr)?;
        negative("momentum value", self.momentum)?;
        negative("weight_decay value", self.weight_decay)?;
        if self.nesterov && (self.momentum.to_f64() <= 0.0 || self.dampening.to_f64() != 0.0) {
            return Err(Error::value("SGD", "Nesterov momentum requires a momentum and zero dampening"));
        }
        let defaults: [(&str, Value); 9] = [
            ("lr", self.lr.into()),
            ("momentum", self.momentum.into()),
            ("dampening", self.dampening.into()),
            ("weight_decay", self.weight_decay.into()),
            ("nesterov", self.nesterov.into()),
            ("maximize", self.maximize.into()),
            ("foreach", Value::None),
            ("differentiable", false.into()),
            ("fused", Value::None),
        ];
        let defaults = IndexMap::from(defaults.map(|(name, value)| (name.to_owned(), value)));
        Ok(SGD { core: OptimizerCore::from_groups(self.groups?, defaults)? })
    }
}

impl Optimizer for SGD {
    fn name(&self) -> &'static str {
        "SGD"
    }

    fn core(&self) -> &OptimizerCore {
        &self.core
    }

    fn core_mut(&mut self) -> &mut OptimizerCore {
        &mut self.core
    }

    fn step(&mut self) -> Result<()> {
        let OptimizerCore { groups, state, .. } = &mut self.core;
        let mut updates: Vec<(Rule, SmallVec<[Tensor; 5]>)> = Vec::new();
        for group in groups.iter() {
            let rule = SgdRule {
                lr: group.number("lr")?,
                momentum: group.number("momentum")?,
                dampening: group.number("dampening")?,
                weight_decay: group.number("weight_decay")?,
                nesterov: group.switch("nesterov")?,
                maximize: group.switch("maximize")?,
                first: false,
            };
            for param in &group.params {
                let Some(grad) = param.grad() else { continue };
                let mut rule = rule;
                let mut tensors: SmallVec<[Tensor; 5]> = smallvec![param.clone(), grad];
                if rule.momentum != 0.0 {
                    let state: &mut State = state.entry(param.id()).or_default();
                    rule.first = state.get("momentum_buffer").and_then(Value::as_tensor).is_none();
                    tensors.push(buffer(state, "momentum_buffer", param)?);
                }
                updates.push((Rule::Sgd(rule), tensors));
            }
        }
        let first: Vec<usize> = updates
            .iter()
            .filter(|(rule, _)| matches!(rule, Rule::Sgd(SgdRule { first: true, .. })))
            .map(|(_, tensors)| tensors[0].id())
            .collect();
        ops::optimizer_step(updates).inspect_err(|_| {
            // Buffers that were made for this step hold nothing.
            first.iter().for_each(|id| drop(state.shift_remove(id)));
        })
    }
}

printing!(SGD);
