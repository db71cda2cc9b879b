//! Parameters that share options.

use crate::params::{GroupItem, Items};
use firebrick_core::{Error, Result, Scalar, Tensor, Value};
use indexmap::IndexMap;
use std::fmt;

/// Parameters and the options that are used for them; what a group leaves open is the optimizer's default.
///
/// PyTorch's dictionary `{"params": .., "lr": .., ..}`, with the same names in the same order.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::ParamGroup;
/// let model = nn::Linear::new(3, 2)?;
/// let groups = [
///     ParamGroup::new([&model.weight]).weight_decay(0.1),
///     ParamGroup::new(model.bias.iter()).lr(0.05),
/// ];
/// let mut optimizer = optim::SGD::new(groups, 0.01).build()?;
/// let lrs: Vec<f64> = optimizer.param_groups().iter().map(|group| group.get_lr()).collect::<Result<_>>()?;
/// assert_eq!(lrs, [0.01, 0.05]);
/// optimizer.param_groups_mut()[0].set_lr(0.001)?;
/// # Ok::<_, firebrick::Error>(())
/// ```
///
/// Every option that several optimizers share has a method; [`option`](ParamGroup::option) sets the others:
///
/// ```
/// use firebrick::prelude::*;
/// use optim::ParamGroup;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let group = ParamGroup::new([&p]).momentum(0.9).dampening(0.1).nesterov(false).maximize(true);
/// let group = group.eps(1e-6).amsgrad(true).option("rho", 0.5);
/// let text = "1 parameters, momentum: 0.9, dampening: 0.1, nesterov: False, maximize: True, eps: 1e-06";
/// assert_eq!(format!("{group:?}"), format!("{text}, amsgrad: True, rho: 0.5"));
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone)]
pub struct ParamGroup {
    pub(crate) params: Vec<Tensor>,
    pub(crate) options: IndexMap<String, Value>,
    /// Some of the parameters came with names and others without, which `add_param_group` refuses.
    pub(crate) names_missing: bool,
}

macro_rules! options {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        pub fn $name(self, $name: impl Into<Scalar>) -> Self {
            self.option(stringify!($name), $name.into())
        }
    )* };
}

impl ParamGroup {
    /// A group of parameters (with names, if it is given pairs) with no options of its own.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::ParamGroup;
    /// let model = nn::Linear::new(3, 2)?;
    /// let group = ParamGroup::new(model.named_parameters());
    /// assert_eq!(group.params().len(), 2);
    /// assert_eq!(group.get("param_names").map(ToString::to_string).as_deref(), Some("['weight', 'bias']"));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn new(params: impl IntoIterator<Item: GroupItem>) -> Self {
        let mut items = Items::default();
        params.into_iter().for_each(|item| item.add_to(&mut items));
        items.into_one_group()
    }

    options! {
        /// Learning rate.
        lr;
        /// Weight decay.
        weight_decay;
        /// Momentum.
        momentum;
        /// Dampening of the momentum.
        dampening;
        /// Nesterov's momentum?
        nesterov;
        /// Added to denominators.
        eps;
        /// Divide by the largest average so far?
        amsgrad;
        /// Climb instead of descending?
        maximize;
    }

    /// Coefficients of the running averages.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::ParamGroup;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let group = ParamGroup::new([&p]).betas((0.8, 0.9));
    /// assert_eq!(group.pair("betas")?, (0.8, 0.9));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn betas(self, betas: (f64, f64)) -> Self {
        self.option("betas", betas)
    }

    /// Any option by name. Ones that the optimizer does not know are kept and saved, as PyTorch's are.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::ParamGroup;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let group = ParamGroup::new([&p]).option("layer", "head").option("rho", 0.5);
    /// assert_eq!(format!("{group:?}"), "1 parameters, layer: 'head', rho: 0.5");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn option(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// The parameters.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::ParamGroup;
    /// let p = Parameter::new(Tensor::zeros([3, 2])?);
    /// assert_eq!(ParamGroup::new([&p]).params()[0].shape(), [3, 2]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn params(&self) -> &[Tensor] {
        &self.params
    }

    /// The options by name, in PyTorch's order.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let optimizer = optim::SGD::new([&p], 0.1).build()?;
    /// let names: Vec<_> = optimizer.param_groups()[0].options().keys().take(3).collect();
    /// assert_eq!(names, ["lr", "momentum", "dampening"]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn options(&self) -> &IndexMap<String, Value> {
        &self.options
    }

    /// An option.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::ParamGroup;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let group = ParamGroup::new([&p]).momentum(0.9);
    /// assert_eq!(group.get("momentum").and_then(|value| value.as_f64()), Some(0.9));
    /// assert!(group.get("lr").is_none());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.options.get(name)
    }

    /// Sets an option.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 0.1).momentum(0.9).build()?;
    /// optimizer.param_groups_mut()[0].set("momentum", 0.5);
    /// assert_eq!(optimizer.param_groups()[0].number("momentum")?, 0.5);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.options.insert(name.to_owned(), value.into());
    }

    /// The learning rate.
    ///
    /// # Errors
    /// The group has none.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::ParamGroup;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// assert_eq!(ParamGroup::new([&p]).lr(0.1).get_lr()?, 0.1);
    /// assert!(ParamGroup::new([&p]).get_lr().is_err());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn get_lr(&self) -> Result<f64> {
        self.number("lr")
    }

    /// Sets the learning rate; one that is a tensor is written in place, as PyTorch's schedulers do.
    ///
    /// # Errors
    /// The tensor cannot be written.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (p, lr) = (Parameter::new(Tensor::new([1.0f32])?), Tensor::new(0.1f32)?);
    /// let mut optimizer = optim::SGD::new([&p], lr.clone()).build()?;
    /// optimizer.param_groups_mut()[0].set_lr(0.5)?;
    /// assert_eq!(lr.item::<f32>()?, 0.5);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn set_lr(&mut self, lr: f64) -> Result<()> {
        match self.get("lr") {
            Some(Value::Tensor(tensor)) => tensor.fill_(lr).map(drop),
            _ => {
                self.set("lr", lr);
                Ok(())
            }
        }
    }

    /// An option that is a number.
    ///
    /// # Errors
    /// A `KeyError` when there is none, a `TypeError` when it is no number.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::ParamGroup;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let group = ParamGroup::new([&p]).momentum(0.9).option("layer", "head");
    /// assert_eq!(group.number("momentum")?, 0.9);
    /// assert_eq!(group.number("eps").unwrap_err().to_string(), "'eps'");
    /// assert!(group.number("layer").is_err());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn number(&self, name: &str) -> Result<f64> {
        self.read(name, "a number", |value| match value {
            // A learning rate may be a tensor of one element.
            Value::Tensor(tensor) => tensor.item().ok(),
            value => value.as_f64(),
        })
    }

    /// An option that is a switch.
    ///
    /// # Errors
    /// A `KeyError` when there is none, a `TypeError` when it is no switch.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::ParamGroup;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let group = ParamGroup::new([&p]).nesterov(true);
    /// assert!(group.switch("nesterov")?);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn switch(&self, name: &str) -> Result<bool> {
        self.read(name, "a truth value", Value::as_bool)
    }

    /// An option that is a pair of numbers.
    ///
    /// # Errors
    /// A `KeyError` when there is none, a `TypeError` when it is no pair.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::ParamGroup;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let group = ParamGroup::new([&p]).option("etas", (0.5, 1.2));
    /// assert_eq!(group.pair("etas")?, (0.5, 1.2));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn pair(&self, name: &str) -> Result<(f64, f64)> {
        self.read(name, "a pair of numbers", |value| match value.as_slice()? {
            [a, b] => Some((a.as_f64()?, b.as_f64()?)),
            _ => None,
        })
    }

    fn read<T>(&self, name: &str, expected: &str, read: impl FnOnce(&Value) -> Option<T>) -> Result<T> {
        let value = self.get(name).ok_or_else(|| Error::key("step", format!("'{name}'")))?;
        read(value).ok_or_else(|| {
            Error::type_("step", format!("the option {name} of a parameter group is not {expected}"))
                .given(value.to_string())
        })
    }

    /// Adds the defaults of the options that the group leaves open.
    pub(crate) fn set_defaults(&mut self, defaults: &IndexMap<String, Value>) {
        for (name, value) in defaults {
            self.options.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

impl fmt::Debug for ParamGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} parameters", self.params.len())?;
        self.options.iter().try_for_each(|(name, value)| write!(f, ", {name}: {value}"))
    }
}
