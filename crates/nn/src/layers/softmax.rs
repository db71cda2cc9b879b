//! Softmax and its relatives as layers.

use crate::functional;
use crate::{Core, Custom, Forward, Module};
use firebrick_core::text::Repr;
use firebrick_core::{Error, Result, Tensor};

macro_rules! softmaxes {
    ($($(#[$doc:meta])* $name:ident: $function:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            dim: Option<i64>,
        }

        impl $name {
            /// Along `dim`; `None` is PyTorch's deprecated choice by the number of dimensions, with its warning.
            pub fn new(dim: impl Into<Option<i64>>) -> Self {
                $name { core: Core::new(), dim: dim.into() }
            }
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                functional::$function(&input, self.dim)
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                format!("dim={}", self.dim.repr())
            }
        }
    )* };
}

softmaxes! {
    /// `exp(x_i) / sum_j exp(x_j)` along a dimension.
    ///
    /// # Shapes
    /// Any shape, same shape out.
    ///
    /// # Errors
    /// The dimension is out of range.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let softmax = nn::Softmax::new(1);
    /// assert_eq!(softmax.to_string(), "Softmax(dim=1)");
    /// assert_eq!(softmax.call(Tensor::zeros([1, 4])?)?.to_vec::<f32>()?, [0.25; 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Softmax: softmax;

    /// `x_i - ln sum_j exp(x_j)` along a dimension.
    ///
    /// # Shapes
    /// Any shape, same shape out.
    ///
    /// # Errors
    /// The dimension is out of range.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::LogSoftmax::new(0).call(Tensor::zeros([2])?)?.to_vec::<f32>()?;
    /// assert!((y[0] + 2f32.ln()).abs() < 1e-6);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    LogSoftmax: log_softmax;

    /// [`Softmax`] of `-x`.
    ///
    /// # Shapes
    /// Any shape, same shape out.
    ///
    /// # Errors
    /// The dimension is out of range.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::Softmin::new(0).call(Tensor::new([0.0f32, 1.0])?)?.to_string(), "tensor([0.7311, 0.2689])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Softmin: softmin;
}

/// [`Softmax`] over the channels at each place of an image.
///
/// # Shapes
/// `[N, C, H, W]` or `[C, H, W]`, same shape out.
///
/// # Errors
/// Other numbers of dimensions.
///
/// ```
/// use firebrick::prelude::*;
/// let y = nn::Softmax2d::new().call(Tensor::new([[[0.0f32]], [[1.0]]])?)?.flatten(0, -1)?;
/// assert_eq!(y.to_string(), "tensor([0.2689, 0.7311])");
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
pub struct Softmax2d {
    core: Core,
}

impl Softmax2d {
    /// The layer.
    pub fn new() -> Self {
        Softmax2d { core: Core::new() }
    }
}

impl Default for Softmax2d {
    fn default() -> Self {
        Self::new()
    }
}

impl Forward for Softmax2d {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        let rank = input.dim();
        if rank != 3 && rank != 4 {
            let text = format!("Softmax2d: expected input to be 3D or 4D, got {rank}D instead");
            return Err(Error::value("Softmax2d", text));
        }
        input.softmax(-3)
    }
}
