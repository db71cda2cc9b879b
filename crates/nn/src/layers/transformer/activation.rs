//! The function between the two linear maps of a layer.

use crate::{Call, Field, Forward, Memo, Visitor, VisitorMut};
use firebrick_core::{Error, Result, Tensor};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

type Function = Arc<dyn Fn(&Tensor) -> Result<Tensor> + Send + Sync>;

/// What a transformer layer applies between its two linear maps: a name, a function or a module.
///
/// A module is a member of the layer, named `activation`, and each layer has a copy of its own.
///
/// ```
/// use firebrick::prelude::*;
/// let gelu: nn::Activation = "gelu".parse()?;
/// let tanh = nn::Activation::function(|x| x.tanh());
/// let prelu = nn::Activation::module(nn::PReLU::new(1)?);
/// assert_eq!([gelu, tanh, prelu].map(|a| format!("{a:?}")), ["gelu", "function", "PReLU"]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Default)]
pub enum Activation {
    /// `max(0, x)`.
    #[default]
    ReLU,
    /// `x P(X <= x)` for a standard normal `X`.
    GELU,
    /// Any function.
    Function(Function),
    /// Any module from tensor to tensor.
    Module(Box<dyn Forward>),
}

impl Activation {
    /// Any function.
    pub fn function(f: impl Fn(&Tensor) -> Result<Tensor> + Send + Sync + 'static) -> Self {
        Activation::Function(Arc::new(f))
    }

    /// Any module from tensor to tensor.
    pub fn module(module: impl Forward) -> Self {
        Activation::Module(Box::new(module))
    }

    /// The function.
    pub(super) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Activation::ReLU => x.relu(),
            Activation::GELU => x.gelu("none"),
            Activation::Function(function) => function(x),
            Activation::Module(module) => module.call(x),
        }
    }

    /// Is it what PyTorch's fused layer knows: ReLU or GELU, as a function or a module?
    pub(super) fn is_relu_or_gelu(&self) -> bool {
        match self {
            Activation::ReLU | Activation::GELU => true,
            Activation::Function(_) => false,
            Activation::Module(module) => matches!(module.type_name(), "ReLU" | "GELU"),
        }
    }
}

impl FromStr for Activation {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "relu" => Ok(Activation::ReLU),
            "gelu" => Ok(Activation::GELU),
            _ => Err(Error::runtime("Transformer", format!("activation should be relu/gelu, not {name}"))),
        }
    }
}

impl fmt::Debug for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Activation::ReLU => "relu",
            Activation::GELU => "gelu",
            Activation::Function(_) => "function",
            Activation::Module(module) => module.type_name(),
        })
    }
}

/// Only a module is listed.
impl Field for Activation {
    fn visit_as<'m>(&'m self, name: &str, f: Visitor<'_, 'm>) {
        if let Activation::Module(module) = self {
            module.visit_as(name, f);
        }
    }

    fn visit_as_mut<'m>(&'m mut self, name: &str, f: VisitorMut<'_, 'm>) {
        if let Activation::Module(module) = self {
            module.visit_as_mut(name, f);
        }
    }

    fn clone_with(&self, memo: &mut Memo) -> Result<Self> {
        Ok(match self {
            Activation::ReLU => Activation::ReLU,
            Activation::GELU => Activation::GELU,
            Activation::Function(function) => Activation::Function(function.clone()),
            Activation::Module(module) => Activation::Module(module.clone_with(memo)?),
        })
    }
}
