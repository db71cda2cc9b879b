//! How a scaler of gradients is set up.

use super::{GradScaler, OP};
use firebrick_core::{Error, Result};
use indexmap::IndexMap;

/// Options of a [`GradScaler`].
///
/// ```
/// use firebrick::amp::GradScaler;
/// use firebrick::prelude::*;
/// let mut scaler = GradScaler::builder()
///     .init_scale(8.0)
///     .growth_factor(4.0)
///     .backoff_factor(0.25)
///     .growth_interval(1)
///     .enabled(true)
///     .build()?;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 0.5).build()?;
/// scaler.scale(&p.mul(1.0)?)?.backward()?;
/// scaler.step(&mut optimizer)?;
/// scaler.update()?;
/// assert_eq!(scaler.get_scale(), 32.0); // grown after one step without an overflow
/// p.set_grad(Some(&Tensor::new([f32::INFINITY])?))?;
/// scaler.step(&mut optimizer)?;
/// scaler.update()?;
/// assert_eq!(scaler.get_scale(), 8.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GradScalerBuilder {
    init_scale: f64,
    growth_factor: f64,
    backoff_factor: f64,
    growth_interval: i64,
    enabled: bool,
}

impl GradScalerBuilder {
    pub(super) fn new() -> Self {
        let (growth_factor, backoff_factor) = (2.0, 0.5);
        GradScalerBuilder { init_scale: 65536.0, growth_factor, backoff_factor, growth_interval: 2000, enabled: true }
    }

    /// The first scale; 65536 unless set.
    pub fn init_scale(mut self, scale: f64) -> Self {
        self.init_scale = scale;
        self
    }

    /// What the scale is multiplied by when it grows; 2 unless set.
    pub fn growth_factor(mut self, factor: f64) -> Self {
        self.growth_factor = factor;
        self
    }

    /// What the scale is multiplied by after an overflow; 0.5 unless set.
    pub fn backoff_factor(mut self, factor: f64) -> Self {
        self.backoff_factor = factor;
        self
    }

    /// After how many steps without an overflow the scale grows; 2000 unless set.
    pub fn growth_interval(mut self, steps: i64) -> Self {
        self.growth_interval = steps;
        self
    }

    /// Does it do anything? It does unless set; else losses stay as they are, and steps are plain ones.
    pub fn enabled(mut self, on: bool) -> Self {
        self.enabled = on;
        self
    }

    /// The scaler.
    ///
    /// # Errors
    /// Factors that do not grow or back off.
    ///
    /// ```
    /// use firebrick::amp::GradScaler;
    /// use firebrick::prelude::*;
    /// assert_eq!(GradScaler::builder().init_scale(128.0).build()?.get_scale(), 128.0);
    /// let refused = GradScaler::builder().growth_factor(1.0).build().unwrap_err();
    /// assert_eq!(refused.to_string(), "The growth factor must be > 1.0.");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn build(self) -> Result<GradScaler> {
        if self.enabled && self.growth_factor <= 1.0 {
            return Err(Error::value(OP, "The growth factor must be > 1.0."));
        }
        if self.enabled && self.backoff_factor >= 1.0 {
            return Err(Error::value(OP, "The backoff factor must be < 1.0."));
        }
        Ok(self.made())
    }

    pub(super) fn made(self) -> GradScaler {
        let GradScalerBuilder { init_scale, growth_factor, backoff_factor, growth_interval, enabled } = self;
        GradScaler {
            enabled,
            scale: init_scale as f32,
            growth_tracker: 0,
            started: false,
            growth_factor,
            backoff_factor,
            growth_interval,
            optimizers: IndexMap::new(),
        }
    }
}
