//! Optimizers before they are built.

use crate::{IntoParamGroups, OptimizerCore, ParamGroup};
use firebrick_core::{Error, Result, Value};
use std::marker::PhantomData;

/// Options of an optimizer before it is built, at PyTorch's defaults: made by `new` of the optimizer `O`, whose
/// options are the methods. [`build`](Builder::build) ends it.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 0.1).momentum(0.9).nesterov(true).build()?;
/// p.set_grad(Some(&Tensor::new([1.0f32])?))?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.81]); // 1 - 0.1 * (1 + 0.9)
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct Builder<O> {
    params: Result<Vec<ParamGroup>>,
    options: ParamGroup,
    kind: PhantomData<O>,
}

/// What an optimizer is made of its options by.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::{FromOptions, OptimizerCore, ParamGroup};
/// struct Still(OptimizerCore);
///
/// impl FromOptions for Still {
///     fn check(options: &ParamGroup) -> Result<()> {
///         options.number("lr").map(drop)
///     }
///
///     fn from_core(core: OptimizerCore) -> Result<Self> {
///         Ok(Still(core))
///     }
/// }
///
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// assert!(Still::check(&ParamGroup::new([&p])).is_err());
/// let still = Still::from_core(OptimizerCore::new([&p], [("lr".to_owned(), 0.1.into())].into())?)?;
/// assert_eq!(still.0.param_groups()[0].get_lr()?, 0.1);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub trait FromOptions: Sized {
    /// Refuses options outside their domain; `options` is a group without parameters.
    ///
    /// # Errors
    /// A `ValueError` in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::{FromOptions, ParamGroup};
    /// let options = ParamGroup::new(Vec::<Tensor>::new()).lr(-1.0).momentum(0.9);
    /// let refused = optim::SGD::check(&options).unwrap_err();
    /// assert_eq!(refused.to_string(), "Invalid learning rate: -1.0");
    /// ```
    fn check(options: &ParamGroup) -> Result<()>;

    /// The optimizer of groups that have all their options.
    ///
    /// # Errors
    /// Groups that the optimizer cannot work on.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::{FromOptions, OptimizerCore};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let options = [
    ///     ("lr", 0.1.into()),
    ///     ("etas", (0.5, 1.2).into()),
    ///     ("step_sizes", (1e-6, 50.0).into()),
    ///     ("maximize", false.into()),
    /// ];
    /// let options = options.map(|(name, value)| (name.to_owned(), value)).into();
    /// let mut optimizer = optim::Rprop::from_core(OptimizerCore::new([&p], options)?)?;
    /// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [0.9]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn from_core(core: OptimizerCore) -> Result<Self>;
}

impl<O> Builder<O> {
    /// Options by name, in PyTorch's order.
    pub(crate) fn new<const N: usize>(params: impl IntoParamGroups, options: [(&str, Value); N]) -> Self {
        let mut group = ParamGroup::new(std::iter::empty::<ParamGroup>());
        options.into_iter().for_each(|(name, value)| group.set(name, value));
        Builder { params: params.into_param_groups(), options: group, kind: PhantomData }
    }

    pub(crate) fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.options.set(name, value);
        self
    }
}

impl<O: FromOptions> Builder<O> {
    /// The optimizer.
    ///
    /// # Errors
    /// A `ValueError` for an option outside its domain, no parameters, a tensor that is not a leaf, or a parameter in
    /// two groups.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let optimizer = optim::SGD::new([&p], 0.1).build()?;
    /// assert_eq!(optimizer.param_groups().len(), 1);
    /// let refused = optim::SGD::new([&p], -0.1).build().unwrap_err();
    /// assert_eq!(refused.to_string(), "Invalid learning rate: -0.1");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn build(self) -> Result<O> {
        if let Some(Value::Tensor(lr)) = self.options.get("lr")
            && lr.numel() != 1
        {
            return Err(Error::value("optimizer", "Tensor lr must be 1-element"));
        }
        O::check(&self.options)?;
        O::from_core(OptimizerCore::from_groups(self.params?, self.options.options)?)
    }
}

/// Options as methods of a [`Builder`], each one setting the option of its name.
macro_rules! options {
    ($($t:ty),+ => $options:tt) => { $($crate::builder::options!(@ $t $options);)+ };
    (@ $t:ty { $($(#[$doc:meta])* $name:ident: $kind:ty;)* }) => {
        impl $crate::Builder<$t> {
            $(
                $(#[$doc])*
                pub fn $name(self, $name: impl Into<$kind>) -> Self {
                    let value: $kind = $name.into();
                    self.set(stringify!($name), value)
                }
            )*
        }
    };
}
pub(crate) use options;

/// Refuses an option that is negative or NaN: `Invalid {what}: {value}`.
pub(crate) fn not_negative(options: &ParamGroup, name: &str, what: &str) -> Result<()> {
    within(options, name, what, |value| value >= 0.0)
}

/// Refuses an option that is not in its domain.
pub(crate) fn within(options: &ParamGroup, name: &str, what: &str, domain: impl FnOnce(f64) -> bool) -> Result<()> {
    match domain(options.number(name)?) {
        true => Ok(()),
        false => Err(invalid(what, options.get(name).cloned().unwrap_or_default())),
    }
}

/// Refuses coefficients of running averages outside `[0, 1)`.
pub(crate) fn betas(options: &ParamGroup) -> Result<()> {
    let (first, second) = options.pair("betas")?;
    for (i, beta) in [first, second].into_iter().enumerate() {
        if !(0.0..1.0).contains(&beta) {
            return Err(invalid(&format!("beta parameter at index {i}"), beta.into()));
        }
    }
    Ok(())
}

pub(crate) fn invalid(what: &str, value: Value) -> Error {
    Error::value("optimizer", format!("Invalid {what}: {value}"))
}
