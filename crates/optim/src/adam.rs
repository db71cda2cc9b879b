//! Adam and AdamW.

use crate::optimizer::{State, buffer, printing};
use crate::{IntoParamGroups, Optimizer, OptimizerCore, ParamGroup};
use firebrick_core::backend::{AdamRule, Rule};
use firebrick_core::{DType, Error, Result, Scalar, Tensor, TensorOptions, Value, default_dtype, ops};
use indexmap::IndexMap;
use smallvec::{SmallVec, smallvec};
use std::marker::PhantomData;

/// Adam: steps scaled by running averages of the gradient and of its square.
///
/// For each parameter `p` with gradient `g`, at step `t` counted from 1:
/// ```text
/// g = g + weight_decay * p                          g = -g first, with maximize
/// m = beta1 * m + (1 - beta1) * g
/// v = beta2 * v + (1 - beta2) * g^2                 with amsgrad, the largest v so far is used below
/// p = p - lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps)
/// ```
/// Kingma and Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015; amsgrad: Reddi et al., *On the Convergence
/// of Adam and Beyond*, ICLR 2018.
///
/// Compared with PyTorch 2.15 (`foreach=False`), whose operations it runs in the same order in one pass.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::Adam::new([&p], 1e-3).build()?;
/// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.999]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct Adam {
    core: OptimizerCore,
}

/// Adam whose weight decay scales the parameters instead of joining the gradient: `p = p - lr * weight_decay * p`
/// comes first, and the rest is [`Adam`]'s.
///
/// Loshchilov and Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::AdamW::new([&p], 0.1).weight_decay(0.5).build()?;
/// p.set_grad(Some(&Tensor::new([0.0f32])?))?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.95]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct AdamW(Adam);

/// Options of an [`Adam`] or [`AdamW`] before it is built.
pub struct AdamBuilder<O> {
    groups: Result<Vec<ParamGroup>>,
    lr: Scalar,
    betas: (f64, f64),
    eps: Scalar,
    weight_decay: Scalar,
    amsgrad: bool,
    maximize: bool,
    decoupled: bool,
    kind: PhantomData<O>,
}

impl Adam {
    /// Options for `params`, at the defaults: betas 0.9 and 0.999, eps 1e-8, no weight decay.
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Scalar>) -> AdamBuilder<Adam> {
        AdamBuilder::new(params.into_param_groups(), lr.into(), Scalar::Int(0), false)
    }
}

impl AdamW {
    /// Options for `params`, at the defaults: betas 0.9 and 0.999, eps 1e-8, weight decay 0.01.
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Scalar>) -> AdamBuilder<AdamW> {
        AdamBuilder::new(params.into_param_groups(), lr.into(), Scalar::Float(0.01), true)
    }
}

impl From<Adam> for AdamW {
    fn from(adam: Adam) -> Self {
        AdamW(adam)
    }
}

impl<O: From<Adam>> AdamBuilder<O> {
    fn new(groups: Result<Vec<ParamGroup>>, lr: Scalar, weight_decay: Scalar, decoupled: bool) -> Self {
        let eps = Scalar::Float(1e-8);
        let betas = (0.9, 0.999);
        AdamBuilder {
            groups,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad: false,
            maximize: false,
            decoupled,
            kind: PhantomData,
        }
    }

    /// How much of the running averages of the gradient and of its square is kept at each step.
    pub fn betas(mut self, betas: (f64, f64)) -> Self {
        self.betas = betas;
        self
    }

    /// Added to the denominator.
    pub fn eps(mut self, eps: impl Into<Scalar>) -> Self {
        self.eps = eps.into();
        self
    }

    /// Draws parameters towards zero by this times their value.
    pub fn weight_decay(mut self, weight_decay: impl Into<Scalar>) -> Self {
        self.weight_decay = weight_decay.into();
        self
    }

    /// Divides by the largest average of squares so far rather than the current one.
    pub fn amsgrad(mut self, amsgrad: bool) -> Self {
        self.amsgrad = amsgrad;
        self
    }

    /// Climbs instead of descending.
    pub fn maximize(mut self, maximize: bool) -> Self {
        self.maximize = maximize;
        self
    }

    /// Weight decay as in AdamW (`true`, its default) or in Adam.
    pub fn decoupled_weight_decay(mut self, decoupled: bool) -> Self {
        self.decoupled = decoupled;
        self
    }

    /// The optimizer.
    ///
    /// # Errors
    /// A `ValueError` for a negative learning rate, eps or weight decay, betas outside `[0, 1)`, no parameters, a
    /// tensor that is not a leaf, or a parameter in two groups.
    pub fn build(self) -> Result<O> {
        let invalid = |what: &str, value: Value| Err(Error::value("Adam", format!("Invalid {what}: {value}")));
        let refused = |value: Scalar| value.to_f64().is_nan() || value.to_f64() < 0.0;
        if refused(self.lr) {
            return invalid("learning rate", self.lr.into());
        }
        if refused(self.eps) {
            return invalid("epsilon value", self.eps.into());
        }
        for (i, beta) in [self.betas.0, self.betas.1].into_iter().enumerate() {
            if !(0.0..1.0).contains(&beta) {
                return invalid(&format!("beta parameter at index {i}"), beta.into());
            }
        }
        if refused(self.weight_decay) {
            return invalid("weight_decay value", self.weight_decay.into());
        }
        let defaults: [(&str, Value); 11] = [
            ("lr", self.lr.into()),
            ("betas", self.betas.into()),
            ("eps", self.eps.into()),
            ("weight_decay", self.weight_decay.into()),
            ("amsgrad", self.amsgrad.into()),
            ("maximize", self.maximize.into()),
            ("foreach", Value::None),
            ("capturable", false.into()),
            ("differentiable", false.into()),
            ("fused", Value::None),
            ("decoupled_weight_decay", self.decoupled.into()),
        ];
        let defaults = IndexMap::from(defaults.map(|(name, value)| (name.to_owned(), value)));
        Ok(Adam { core: OptimizerCore::from_groups(self.groups?, defaults)? }.into())
    }
}

impl Optimizer for Adam {
    fn name(&self) -> &'static str {
        "Adam"
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
        let mut steps = Vec::new();
        for group in groups.iter() {
            let rule = AdamRule {
                lr: group.number("lr")?,
                betas: group.pair("betas")?,
                eps: group.number("eps")?,
                weight_decay: group.number("weight_decay")?,
                decoupled: group.switch("decoupled_weight_decay")?,
                amsgrad: group.switch("amsgrad")?,
                maximize: group.switch("maximize")?,
                step: 0.0,
            };
            for param in &group.params {
                let Some(grad) = param.grad() else { continue };
                let state: &mut State = state.entry(param.id()).or_default();
                let count = step_count(state)?;
                let step = count.item::<f64>()? + 1.0;
                let mut tensors: SmallVec<[Tensor; 5]> = smallvec![param.clone(), grad];
                tensors.push(buffer(state, "exp_avg", param)?);
                tensors.push(buffer(state, "exp_avg_sq", param)?);
                if rule.amsgrad {
                    tensors.push(buffer(state, "max_exp_avg_sq", param)?);
                }
                steps.push((count, step));
                updates.push((Rule::Adam(AdamRule { step, ..rule }), tensors));
            }
        }
        ops::optimizer_step(updates)?;
        steps.into_iter().try_for_each(|(count, step)| count.fill_(step).map(drop))
    }
}

/// The number of steps made: a tensor, as in PyTorch, on the CPU.
fn step_count(state: &mut State) -> Result<Tensor> {
    if let Some(count) = state.get("step").and_then(Value::as_tensor) {
        return Ok(count.clone());
    }
    // Old checkpoints hold a number.
    let so_far = state.get("step").and_then(Value::as_f64).unwrap_or(0.0);
    let dtype = if default_dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    let count = Tensor::full_with((), so_far, TensorOptions::new().dtype(dtype))?;
    state.insert("step".to_owned(), count.clone().into());
    Ok(count)
}

impl Optimizer for AdamW {
    fn name(&self) -> &'static str {
        "AdamW"
    }

    fn core(&self) -> &OptimizerCore {
        self.0.core()
    }

    fn core_mut(&mut self) -> &mut OptimizerCore {
        self.0.core_mut()
    }

    fn step(&mut self) -> Result<()> {
        self.0.step()
    }
}

printing!(Adam, AdamW);
