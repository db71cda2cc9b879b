//! Scaling of losses, so that gradients in 16 bits do not vanish.

mod builder;

pub use builder::GradScalerBuilder;

use crate::{Optimizer, OptimizerCore, ParamGroup};
use firebrick_core::autograd::no_grad;
use firebrick_core::{DType, Error, Result, Tensor, TensorOptions, Value};
use indexmap::IndexMap;

const OP: &str = "GradScaler";

/// What has been done for an optimizer since the last update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Ready,
    Unscaled,
    Stepped,
}

#[derive(Debug)]
struct Progress {
    stage: Stage,
    /// Was a gradient found that is not finite? `None` where none was looked at.
    found_inf: Option<bool>,
}

/// Scales losses up and gradients down again, and passes over steps whose gradients overflowed: PyTorch's
/// `torch.amp.GradScaler`.
///
/// The scale halves after an overflow and doubles after 2000 steps without one. On the CPU's bfloat16 there is nothing to
/// scale, on float16 there is.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::amp::GradScaler;
/// let w = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&w], 0.5).build()?;
/// let mut scaler = GradScaler::new();
/// let loss = w.mul(2.0)?.sum()?;
/// scaler.scale(&loss)?.backward()?;
/// scaler.step(&mut optimizer)?;
/// scaler.update()?;
/// assert_eq!(w.item::<f32>()?, 0.0); // 1 - 0.5 * 2
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Debug)]
pub struct GradScaler {
    enabled: bool,
    scale: f32,
    growth_tracker: i64,
    /// Has something been scaled?
    started: bool,
    growth_factor: f64,
    backoff_factor: f64,
    growth_interval: i64,
    optimizers: IndexMap<u64, Progress>,
}

impl Default for GradScaler {
    fn default() -> Self {
        Self::new()
    }
}

impl GradScaler {
    /// A scaler with PyTorch's defaults.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// let scaler = GradScaler::new();
    /// assert_eq!((scaler.get_scale(), scaler.get_growth_interval()), (65536.0, 2000));
    /// ```
    pub fn new() -> Self {
        Self::builder().made()
    }

    /// A scaler with options.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// use firebrick::prelude::*;
    /// let scaler = GradScaler::builder().init_scale(4.0).build()?;
    /// assert_eq!((scaler.get_scale(), scaler.get_growth_factor(), scaler.get_backoff_factor()), (4.0, 2.0, 0.5));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn builder() -> GradScalerBuilder {
        GradScalerBuilder::new()
    }

    /// `outputs` times the scale, for `backward`.
    ///
    /// # Errors
    /// Those of the product.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// use firebrick::prelude::*;
    /// let mut scaler = GradScaler::builder().init_scale(4.0).build()?;
    /// assert_eq!(scaler.scale(&Tensor::new([1.5f32])?)?.to_vec::<f32>()?, [6.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn scale(&mut self, outputs: &Tensor) -> Result<Tensor> {
        if !self.enabled {
            return Ok(outputs.clone());
        }
        self.started = true;
        outputs.mul(&Tensor::full_with((), self.get_scale(), TensorOptions::from(DType::F32).device(outputs.device()))?)
    }

    /// [`GradScaler::scale`] of several tensors.
    ///
    /// # Errors
    /// Those of the products.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// use firebrick::prelude::*;
    /// let mut scaler = GradScaler::builder().init_scale(4.0).build()?;
    /// let losses = scaler.scale_all(&[Tensor::new(1.0f32)?, Tensor::new(0.5f32)?])?;
    /// assert_eq!((losses[0].item::<f32>()?, losses[1].item::<f32>()?), (4.0, 2.0));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn scale_all(&mut self, outputs: &[Tensor]) -> Result<Vec<Tensor>> {
        outputs.iter().map(|output| self.scale(output)).collect()
    }

    /// Divides the gradients of the optimizer's parameters by the scale, in place, for instance to clip them before
    /// [`GradScaler::step`], which does it otherwise.
    ///
    /// # Errors
    /// Nothing was scaled yet; called twice or after `step`; gradients of float16, which would overflow.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let mut scaler = GradScaler::builder().init_scale(4.0).build()?;
    /// scaler.scale(&p.mul(3.0)?.sum()?)?.backward()?;
    /// scaler.unscale_(&optimizer)?;
    /// assert_eq!(nn::utils::clip_grad_norm_([&p], 1.5)?.item::<f32>()?, 3.0);
    /// scaler.step(&mut optimizer)?;
    /// assert!((p.item::<f32>()? + 0.5).abs() < 1e-5); // 1 - 1.5
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn unscale_(&mut self, optimizer: &(impl Optimizer + ?Sized)) -> Result<()> {
        if !self.enabled {
            return Ok(());
        }
        self.check_started("unscale_")?;
        match self.stage(optimizer.core()) {
            Stage::Ready => {}
            Stage::Unscaled => {
                let text = "unscale_() has already been called on this optimizer since the last update().";
                return Err(Error::runtime(OP, text));
            }
            Stage::Stepped => return Err(Error::runtime(OP, "unscale_() is being called after step().")),
        }
        let inverse = (1.0 / f64::from(self.scale)) as f32;
        let found_inf = no_grad(|| unscale(optimizer.core().param_groups(), inverse))?;
        self.optimizers.insert(optimizer.core().id(), Progress { stage: Stage::Unscaled, found_inf });
        Ok(())
    }

    /// Steps, unless a gradient is not finite. `true` if a step was made.
    ///
    /// # Errors
    /// Nothing was scaled yet; called twice without `update`; no parameter has a gradient; those of the optimizer.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 0.5).build()?;
    /// let mut scaler = GradScaler::new();
    /// scaler.scale(&p.div(0.0)?)?.backward()?;
    /// assert!(!scaler.step(&mut optimizer)?);
    /// assert_eq!(p.to_vec::<f32>()?, [1.0]); // the gradient was infinite
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn step(&mut self, optimizer: &mut (impl Optimizer + ?Sized)) -> Result<bool> {
        if !self.enabled {
            return optimizer.step().map(|()| true);
        }
        self.check_started("step")?;
        match self.stage(optimizer.core()) {
            Stage::Stepped => {
                return Err(Error::runtime(OP, "step() has already been called since the last update()."));
            }
            Stage::Ready => self.unscale_(optimizer)?,
            Stage::Unscaled => {}
        }
        let progress = self.optimizers.get_mut(&optimizer.core().id());
        let Some((progress, found_inf)) = progress.and_then(|p| p.found_inf.map(|found| (p, found))) else {
            return Err(Error::runtime(OP, "No inf checks were recorded for this optimizer."));
        };
        if !found_inf {
            optimizer.step()?;
        }
        progress.stage = Stage::Stepped;
        Ok(!found_inf)
    }

    /// Changes the scale by what the steps since the last update found.
    ///
    /// # Errors
    /// Nothing was scaled yet, or no gradient was looked at.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 0.5).build()?;
    /// let mut scaler = GradScaler::new();
    /// scaler.scale(&p.div(0.0)?)?.backward()?;
    /// scaler.step(&mut optimizer)?;
    /// scaler.update()?;
    /// assert_eq!(scaler.get_scale(), 32768.0);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn update(&mut self) -> Result<()> {
        if !self.enabled {
            return Ok(());
        }
        self.check_started("update")?;
        let mut found = self.optimizers.values().filter_map(|progress| progress.found_inf).peekable();
        if found.peek().is_none() {
            return Err(Error::runtime(OP, "No inf checks were recorded prior to update."));
        }
        if found.any(|found| found) {
            self.scale = (f64::from(self.scale) * self.backoff_factor) as f32;
            self.growth_tracker = 0;
        } else if self.growth_tracker + 1 == self.growth_interval {
            let grown = (f64::from(self.scale) * self.growth_factor) as f32;
            self.scale = if grown.is_finite() { grown } else { self.scale };
            self.growth_tracker = 0;
        } else {
            self.growth_tracker += 1;
        }
        self.optimizers.clear();
        Ok(())
    }

    /// [`GradScaler::update`] to a scale of one's own: PyTorch's `update(new_scale)`.
    ///
    /// # Errors
    /// Nothing was scaled yet.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// use firebrick::prelude::*;
    /// let mut scaler = GradScaler::new();
    /// scaler.scale(&Tensor::new([1.0f32])?)?;
    /// scaler.update_to(16.0)?;
    /// assert_eq!(scaler.get_scale(), 16.0);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn update_to(&mut self, new_scale: f64) -> Result<()> {
        if !self.enabled {
            return Ok(());
        }
        self.check_started("update")?;
        self.scale = new_scale as f32;
        self.optimizers.clear();
        Ok(())
    }

    /// The scale; 1 where scaling is off.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// assert_eq!(GradScaler::new().get_scale(), 65536.0);
    /// assert_eq!(GradScaler::builder().enabled(false).build()?.get_scale(), 1.0);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn get_scale(&self) -> f64 {
        if self.enabled { self.scale.into() } else { 1.0 }
    }

    /// Does it do anything?
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// assert!(GradScaler::new().is_enabled());
    /// assert!(!GradScaler::builder().enabled(false).build()?.is_enabled());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// What the scale is multiplied by when it grows.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// assert_eq!(GradScaler::new().get_growth_factor(), 2.0);
    /// ```
    pub fn get_growth_factor(&self) -> f64 {
        self.growth_factor
    }

    /// Sets what the scale is multiplied by when it grows.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// let mut scaler = GradScaler::new();
    /// scaler.set_growth_factor(4.0);
    /// assert_eq!(scaler.get_growth_factor(), 4.0);
    /// ```
    pub fn set_growth_factor(&mut self, factor: f64) {
        self.growth_factor = factor;
    }

    /// What the scale is multiplied by after an overflow.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// assert_eq!(GradScaler::new().get_backoff_factor(), 0.5);
    /// ```
    pub fn get_backoff_factor(&self) -> f64 {
        self.backoff_factor
    }

    /// Sets what the scale is multiplied by after an overflow.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// let mut scaler = GradScaler::new();
    /// scaler.set_backoff_factor(0.25);
    /// assert_eq!(scaler.get_backoff_factor(), 0.25);
    /// ```
    pub fn set_backoff_factor(&mut self, factor: f64) {
        self.backoff_factor = factor;
    }

    /// After how many steps without an overflow the scale grows.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// assert_eq!(GradScaler::new().get_growth_interval(), 2000);
    /// ```
    pub fn get_growth_interval(&self) -> i64 {
        self.growth_interval
    }

    /// Sets after how many steps without an overflow the scale grows.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// let mut scaler = GradScaler::new();
    /// scaler.set_growth_interval(100);
    /// assert_eq!(scaler.get_growth_interval(), 100);
    /// ```
    pub fn set_growth_interval(&mut self, steps: i64) {
        self.growth_interval = steps;
    }

    /// Scale, factors and progress by PyTorch's names; empty where scaling is off.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// let text = GradScaler::new().state_dict().to_string();
    /// assert!(text.starts_with("{'scale': 65536.0, 'growth_factor': 2.0, 'backoff_factor': 0.5,"));
    /// assert!(text.ends_with("'growth_interval': 2000, '_growth_tracker': 0}"));
    /// ```
    pub fn state_dict(&self) -> Value {
        if !self.enabled {
            return Value::Dict(IndexMap::default());
        }
        Value::dict([
            ("scale", self.get_scale().into()),
            ("growth_factor", self.growth_factor.into()),
            ("backoff_factor", self.backoff_factor.into()),
            ("growth_interval", self.growth_interval.into()),
            ("_growth_tracker", self.growth_tracker.into()),
        ])
    }

    /// Takes over what [`GradScaler::state_dict`] returned; nothing where scaling is off.
    ///
    /// # Errors
    /// An empty state, or one without an entry; nothing has changed then.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// let saved = GradScaler::builder().init_scale(32.0).build()?.state_dict();
    /// let mut scaler = GradScaler::new();
    /// scaler.load_state_dict(&saved)?;
    /// assert_eq!(scaler.get_scale(), 32.0);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn load_state_dict(&mut self, state: &Value) -> Result<()> {
        if !self.enabled {
            return Ok(());
        }
        if state.as_dict().is_none_or(IndexMap::is_empty) {
            return Err(Error::runtime(
                OP,
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler.",
            ));
        }
        let missing = |name: &str| Error::key(OP, format!("'{name}'"));
        let number = |name: &str| state.get(name).and_then(Value::as_f64).ok_or_else(|| missing(name));
        let count = |name: &str| state.get(name).and_then(Value::as_i64).ok_or_else(|| missing(name));
        let (scale, growth, backoff) = (number("scale")?, number("growth_factor")?, number("backoff_factor")?);
        let (interval, tracker) = (count("growth_interval")?, count("_growth_tracker")?);
        (self.scale, self.growth_factor, self.backoff_factor) = (scale as f32, growth, backoff);
        (self.growth_interval, self.growth_tracker) = (interval, tracker);
        Ok(())
    }

    fn check_started(&self, function: &str) -> Result<()> {
        match self.started {
            true => Ok(()),
            false => Err(Error::runtime(
                OP,
                format!(
                    "Attempted {function} but _scale is None.  This may indicate your script did not use scaler.scale(loss or outputs) earlier in the iteration."
                ),
            )),
        }
    }

    fn stage(&self, optimizer: &OptimizerCore) -> Stage {
        self.optimizers.get(&optimizer.id()).map_or(Stage::Ready, |progress| progress.stage)
    }
}

/// Multiplies every gradient by `inverse`; was one not finite? `None` where there are no gradients.
fn unscale(groups: &[ParamGroup], inverse: f32) -> Result<Option<bool>> {
    let grads: Vec<Tensor> = groups.iter().flat_map(ParamGroup::params).filter_map(Tensor::grad).collect();
    if grads.iter().any(|grad| grad.dtype() == DType::F16) {
        return Err(Error::value(OP, "Attempting to unscale FP16 gradients."));
    }
    let mut found = None;
    for grad in &grads {
        let finite = grad.detach().isfinite()?.all()?.item::<bool>()?;
        found = Some(found.unwrap_or(false) || !finite);
        grad.detach().mul_(f64::from(inverse))?;
    }
    Ok(found)
}
