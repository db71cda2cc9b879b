//! Activations with limits: values cut off or replaced.

use super::activation::text;
use crate::{Core, Custom, Forward, Module};
use firebrick_core::{Error, Result, Scalar, Tensor};

fn with_inplace(text: String, inplace: bool) -> String {
    match (inplace, text.is_empty()) {
        (false, _) => text,
        (true, true) => "inplace=True".to_owned(),
        (true, false) => text + ", inplace=True",
    }
}

/// Cuts elements off at two bounds.
///
/// # Errors
/// `min_val` not below `max_val`, when built.
///
/// ```
/// use firebrick::prelude::*;
/// let hardtanh = nn::Hardtanh::new(-2.0, 3)?;
/// assert_eq!(hardtanh.to_string(), "Hardtanh(min_val=-2.0, max_val=3)");
/// let x = Tensor::new([-5.0f32, 1.0, 9.0])?;
/// assert_eq!(hardtanh.call(&x)?.to_vec::<f32>()?, [-2.0, 1.0, 3.0]);
/// hardtanh.inplace(true).call(&x)?;
/// assert_eq!(x.to_vec::<f32>()?, [-2.0, 1.0, 3.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct Hardtanh {
    core: Core,
    #[module(skip)]
    min_val: Scalar,
    #[module(skip)]
    max_val: Scalar,
    inplace: bool,
}

impl Hardtanh {
    /// Cuts off below `min_val` and above `max_val`; PyTorch's defaults are -1 and 1.
    ///
    /// # Errors
    /// `min_val` not below `max_val`.
    pub fn new(min_val: impl Into<Scalar>, max_val: impl Into<Scalar>) -> Result<Self> {
        let (min_val, max_val) = (min_val.into(), max_val.into());
        if max_val.to_f64() > min_val.to_f64() {
            return Ok(Hardtanh { core: Core::new(), min_val, max_val, inplace: false });
        }
        let (min, max) = (text(min_val), text(max_val));
        Err(Error::value("Hardtanh", format!("max_val ({max}) must be greater than min_val ({min})")))
    }

    /// Overwrites the input when `inplace`; it does not unless set.
    pub fn inplace(mut self, inplace: bool) -> Self {
        self.inplace = inplace;
        self
    }
}

impl Default for Hardtanh {
    fn default() -> Self {
        Hardtanh { core: Core::new(), min_val: Scalar::Float(-1.0), max_val: Scalar::Float(1.0), inplace: false }
    }
}

impl Forward for Hardtanh {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        let (min_val, max_val) = (self.min_val.to_f64(), self.max_val.to_f64());
        if self.inplace {
            input.hardtanh_(min_val, max_val)?;
            return Ok(input);
        }
        input.hardtanh(min_val, max_val)
    }
}

impl Custom for Hardtanh {
    fn extra_repr(&self) -> String {
        with_inplace(format!("min_val={}, max_val={}", text(self.min_val), text(self.max_val)), self.inplace)
    }
}

/// `min(max(0, x), 6)`.
///
/// ```
/// use firebrick::prelude::*;
/// let x = Tensor::new([-1.0f32, 2.0, 9.0])?;
/// assert_eq!(nn::ReLU6::new().call(&x)?.to_vec::<f32>()?, [0.0, 2.0, 6.0]);
/// nn::ReLU6::new().inplace(true).call(&x)?;
/// assert_eq!(x.to_vec::<f32>()?, [0.0, 2.0, 6.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct ReLU6 {
    core: Core,
    inplace: bool,
}

impl ReLU6 {
    /// The layer.
    pub fn new() -> Self {
        ReLU6 { core: Core::new(), inplace: false }
    }

    /// Overwrites the input when `inplace`; it does not unless set.
    pub fn inplace(mut self, inplace: bool) -> Self {
        self.inplace = inplace;
        self
    }
}

impl Default for ReLU6 {
    fn default() -> Self {
        Self::new()
    }
}

impl Forward for ReLU6 {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        if self.inplace {
            input.hardtanh_(0.0, 6.0)?;
            return Ok(input);
        }
        input.relu6()
    }
}

impl Custom for ReLU6 {
    fn extra_repr(&self) -> String {
        with_inplace(String::new(), self.inplace)
    }
}

/// `x` above `threshold`, else `value`.
///
/// ```
/// use firebrick::prelude::*;
/// let threshold = nn::Threshold::new(0.1, 20);
/// assert_eq!(threshold.to_string(), "Threshold(threshold=0.1, value=20)");
/// let x = Tensor::new([0.0f32, 1.0])?;
/// assert_eq!(threshold.call(&x)?.to_vec::<f32>()?, [20.0, 1.0]);
/// threshold.inplace(true).call(&x)?;
/// assert_eq!(x.to_vec::<f32>()?, [20.0, 1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct Threshold {
    core: Core,
    #[module(skip)]
    threshold: Scalar,
    #[module(skip)]
    value: Scalar,
    inplace: bool,
}

impl Threshold {
    /// Puts `value` where an element is not above `threshold`.
    pub fn new(threshold: impl Into<Scalar>, value: impl Into<Scalar>) -> Self {
        Threshold { core: Core::new(), threshold: threshold.into(), value: value.into(), inplace: false }
    }

    /// Overwrites the input when `inplace`; it does not unless set.
    pub fn inplace(mut self, inplace: bool) -> Self {
        self.inplace = inplace;
        self
    }
}

impl Forward for Threshold {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        let (threshold, value) = (self.threshold.to_f64(), self.value.to_f64());
        if self.inplace {
            input.threshold_(threshold, value)?;
            return Ok(input);
        }
        input.threshold(threshold, value)
    }
}

impl Custom for Threshold {
    fn extra_repr(&self) -> String {
        with_inplace(format!("threshold={}, value={}", text(self.threshold), text(self.value)), self.inplace)
    }
}
