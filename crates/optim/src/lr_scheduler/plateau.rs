//! Learning rates that fall when nothing gets better.

use super::PerGroup;
use super::fields::{fields, read, setters};
use super::scheduler::{numbers, present_lrs};
use crate::{Optimizer, OptimizerCore};
use firebrick_core::{Error, Result, Scalar, Value};

const OP: &str = "ReduceLROnPlateau";

/// Multiplies the learning rate by `factor` when a number, such as the loss of the validation set, has not become
/// better for more than `patience` epochs.
///
/// Compared with PyTorch 2.15.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::ReduceLROnPlateau;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let mut scheduler = ReduceLROnPlateau::new().factor(0.5).patience(1).build(&mut optimizer)?;
/// for loss in [3.0, 2.0, 2.0, 2.0] {
///     scheduler.step(&mut optimizer, loss)?;
/// }
/// assert_eq!(scheduler.get_last_lr(), [0.5]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ReduceLROnPlateau {
    mode: String,
    factor: Scalar,
    patience: i64,
    threshold: Scalar,
    threshold_mode: String,
    cooldown: i64,
    min_lr: PerGroup,
    eps: Scalar,
}

impl Default for ReduceLROnPlateau {
    fn default() -> Self {
        ReduceLROnPlateau {
            mode: "min".to_owned(),
            factor: 0.1.into(),
            patience: 10,
            threshold: 1e-4.into(),
            threshold_mode: "rel".to_owned(),
            cooldown: 0,
            min_lr: 0.into(),
            eps: 1e-8.into(),
        }
    }
}

setters!(ReduceLROnPlateau {
    /// Whether `min` (unless set) or `max` is better.
    mode: String;
    /// What the learning rate is multiplied by; less than 1, and 0.1 unless set.
    factor: Scalar;
    /// Epochs without improvement that are borne; 10 unless set.
    patience: i64;
    /// How much better counts as better; 1e-4 unless set.
    threshold: Scalar;
    /// Whether the threshold is a part of the best number (`rel`, unless set) or a difference (`abs`).
    threshold_mode: String;
    /// Epochs after a fall that are not counted; 0 unless set.
    cooldown: i64;
    /// The least learning rate; 0 unless set.
    min_lr: PerGroup;
    /// The least change of a learning rate that is made; 1e-8 unless set.
    eps: Scalar;
});

impl ReduceLROnPlateau {
    /// By 0.1 after ten epochs in which the number has not become smaller.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::ReduceLROnPlateau;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let mut scheduler = ReduceLROnPlateau::new()
    ///     .mode("max")
    ///     .factor(0.5)
    ///     .patience(0)
    ///     .threshold(0.1)
    ///     .threshold_mode("abs")
    ///     .cooldown(1)
    ///     .min_lr(0.3)
    ///     .eps(1e-3)
    ///     .build(&mut optimizer)?;
    /// let mut lrs = Vec::new();
    /// for accuracy in [1.0, 1.05, 1.05, 1.05] {
    ///     scheduler.step(&mut optimizer, accuracy)?;
    ///     lrs.extend(scheduler.get_last_lr());
    /// }
    /// assert_eq!(lrs, [1.0, 0.5, 0.5, 0.3]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The scheduler of an optimizer.
    ///
    /// # Errors
    /// A factor of 1 or more; a list of least learning rates of another length than there are groups; an unknown mode.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::ReduceLROnPlateau;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let refused = ReduceLROnPlateau::new().factor(1.0).build(&mut optimizer).unwrap_err();
    /// assert_eq!(refused.to_string(), "Factor should be < 1.0.");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn build(self, optimizer: &mut dyn Optimizer) -> Result<Plateau> {
        let groups = &optimizer.core().groups;
        if self.factor.to_f64() >= 1.0 {
            return Err(Error::value(OP, "Factor should be < 1.0."));
        }
        let (default_min_lr, min_lrs) = match self.min_lr {
            PerGroup::All(lr) => (Some(lr), vec![lr; groups.len()]),
            PerGroup::Each(list) if list.len() == groups.len() => (None, list),
            PerGroup::Each(list) => {
                let text = format!("expected {} min_lrs, got {}", groups.len(), list.len());
                return Err(Error::value(OP, text));
            }
        };
        let mode_worse = check_modes(&self.mode, &self.threshold_mode)?;
        Ok(Plateau {
            factor: self.factor,
            default_min_lr,
            min_lrs,
            patience: self.patience,
            cooldown: self.cooldown,
            eps: self.eps,
            last_epoch: 0,
            last_lr: present_lrs(groups)?,
            mode_worse,
            mode: self.mode,
            threshold: self.threshold,
            threshold_mode: self.threshold_mode,
            best: mode_worse,
            cooldown_counter: 0,
            num_bad_epochs: 0,
        })
    }
}

/// The worst number of a mode.
fn check_modes(mode: &str, threshold_mode: &str) -> Result<f64> {
    let worse = match mode {
        "min" => f64::INFINITY,
        "max" => f64::NEG_INFINITY,
        other => return Err(Error::value(OP, format!("mode {other} is unknown!"))),
    };
    match threshold_mode {
        "rel" | "abs" => Ok(worse),
        other => Err(Error::value(OP, format!("threshold mode {other} is unknown!"))),
    }
}

/// The scheduler of [`ReduceLROnPlateau`].
///
/// It is no [`LrScheduler`](super::LrScheduler), since its step takes a number, and so no part of combined ones.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::ReduceLROnPlateau;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let mut scheduler: optim::lr_scheduler::Plateau = ReduceLROnPlateau::new().patience(0).build(&mut optimizer)?;
/// scheduler.step(&mut optimizer, 2.0)?;
/// scheduler.step(&mut optimizer, 2.0)?;
/// assert_eq!(scheduler.get_last_lr(), [0.1]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plateau {
    factor: Scalar,
    default_min_lr: Option<Scalar>,
    min_lrs: Vec<Scalar>,
    patience: i64,
    cooldown: i64,
    eps: Scalar,
    last_epoch: i64,
    last_lr: Vec<Value>,
    mode_worse: f64,
    mode: String,
    threshold: Scalar,
    threshold_mode: String,
    best: f64,
    cooldown_counter: i64,
    num_bad_epochs: i64,
}

fields!(Plateau {
    factor => "factor",
    default_min_lr => "default_min_lr",
    min_lrs => "min_lrs",
    patience => "patience",
    cooldown => "cooldown",
    eps => "eps",
    last_epoch => "last_epoch",
    last_lr => "_last_lr",
    mode_worse => "mode_worse",
    mode => "mode",
    threshold => "threshold",
    threshold_mode => "threshold_mode",
    best => "best",
    cooldown_counter => "cooldown_counter",
    num_bad_epochs => "num_bad_epochs",
});

impl Plateau {
    /// Ends an epoch whose number is `metrics`.
    ///
    /// # Errors
    /// Groups were added while each had a least learning rate of its own.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::ReduceLROnPlateau;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let mut scheduler = ReduceLROnPlateau::new().patience(0).factor(0.5).build(&mut optimizer)?;
    /// for loss in [2.0, 1.0, 1.0] {
    ///     scheduler.step(&mut optimizer, loss)?;
    /// }
    /// assert_eq!(optimizer.param_groups()[0].get_lr()?, 0.5);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn step(&mut self, optimizer: &mut dyn Optimizer, metrics: f64) -> Result<()> {
        let core = optimizer.core_mut();
        self.last_epoch += 1;
        if self.is_better(metrics) {
            self.best = metrics;
            self.num_bad_epochs = 0;
        } else {
            self.num_bad_epochs += 1;
        }
        if self.cooldown_counter > 0 {
            self.cooldown_counter -= 1;
            self.num_bad_epochs = 0;
        }
        if self.num_bad_epochs > self.patience {
            self.reduce(core)?;
            self.cooldown_counter = self.cooldown;
            self.num_bad_epochs = 0;
        }
        self.last_lr = present_lrs(&core.groups)?;
        Ok(())
    }

    fn is_better(&self, metrics: f64) -> bool {
        let (best, threshold) = (self.best, self.threshold.to_f64());
        match (self.mode.as_str(), self.threshold_mode.as_str()) {
            ("min", "rel") => metrics < best * (1.0 - threshold),
            ("min", _) => metrics < best - threshold,
            (_, "rel") => metrics > best * (threshold + 1.0),
            _ => metrics > best + threshold,
        }
    }

    fn reduce(&mut self, core: &mut OptimizerCore) -> Result<()> {
        let groups = core.groups.len();
        if self.min_lrs.len() != groups {
            let Some(least) = self.default_min_lr else { return Err(self.groups_differ(groups)) };
            self.min_lrs = vec![least; groups];
        }
        for (group, least) in core.groups.iter_mut().zip(&self.min_lrs) {
            let old = group.get_lr()?;
            let new = (old * self.factor.to_f64()).max(least.to_f64());
            if old - new > self.eps.to_f64() {
                group.set_lr(new)?;
            }
        }
        Ok(())
    }

    #[cold]
    fn groups_differ(&self, groups: usize) -> Error {
        Error::runtime(
            OP,
            format!(
                "The number of param groups in the `optimizer` ({groups}) differs from when `ReduceLROnPlateau` was initialized ({}), usually due to a new param group being added to the optimizer. Please modify the `min_lrs` field to match the length of the `optimizer` param groups.",
                self.min_lrs.len()
            ),
        )
    }

    /// The learning rates after the last step.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::ReduceLROnPlateau;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 0.25).build()?;
    /// assert_eq!(ReduceLROnPlateau::new().build(&mut optimizer)?.get_last_lr(), [0.25]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn get_last_lr(&self) -> Vec<f64> {
        numbers(&self.last_lr)
    }

    /// Options and counts, by PyTorch's names.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::ReduceLROnPlateau;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let mut scheduler = ReduceLROnPlateau::new().build(&mut optimizer)?;
    /// scheduler.step(&mut optimizer, 2.5)?;
    /// assert_eq!(scheduler.state_dict().get("best").and_then(|best| best.as_f64()), Some(2.5));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn state_dict(&self) -> Value {
        Value::dict(super::Fields::save(self))
    }

    /// Takes over what [`Plateau::state_dict`] returned.
    ///
    /// # Errors
    /// An entry of another kind, an unknown mode; nothing has changed then.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::ReduceLROnPlateau;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let mut before = ReduceLROnPlateau::new().patience(0).build(&mut optimizer)?;
    /// before.step(&mut optimizer, 2.5)?;
    /// let mut resumed = ReduceLROnPlateau::new().build(&mut optimizer)?;
    /// resumed.load_state_dict(&before.state_dict())?;
    /// resumed.step(&mut optimizer, 2.5)?; // no better than the best of before
    /// assert_eq!(resumed.get_last_lr(), [0.1]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn load_state_dict(&mut self, state_dict: &Value) -> Result<()> {
        let mode: String = read(state_dict, "mode")?.unwrap_or_else(|| self.mode.clone());
        let threshold_mode: String = read(state_dict, "threshold_mode")?.unwrap_or_else(|| self.threshold_mode.clone());
        let mode_worse = check_modes(&mode, &threshold_mode)?;
        super::Fields::load(self, state_dict)?;
        self.mode_worse = mode_worse;
        Ok(())
    }
}
