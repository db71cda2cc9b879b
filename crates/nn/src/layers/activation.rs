//! Activation functions as layers: element by element, any shape, same shape out.

use crate::{Core, Custom, Forward, Module};
use firebrick_core::text::{Repr, python_complex, python_float};
use firebrick_core::{Result, Scalar, Tensor};

/// A number as Python prints it.
pub(super) fn text(number: Scalar) -> String {
    match number {
        Scalar::Bool(v) => v.repr(),
        Scalar::Int(v) => v.repr(),
        Scalar::Float(v) => python_float(v),
        Scalar::Complex(v) => python_complex(v.re, v.im),
    }
}

/// `Name: function` with the numbers it takes and their defaults, then its in-place form. `bare` prints the number
/// without its name, `unprinted` leaves `inplace=True` out, both as PyTorch does.
macro_rules! activations {
    ($(
        $(#[$doc:meta])*
        $name:ident: $function:ident $(($($number:ident = $default:literal $($bare:ident)?),+))?
            $(, $function_:ident $($unprinted:ident)?)?;
    )*) => { $(
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            $($(#[module(skip)] $number: Scalar,)+)?
            inplace: bool,
        }

        impl $name {
            /// The layer with PyTorch's defaults.
            pub fn new() -> Self {
                $name { core: Core::new(), $($($number: Scalar::Float($default),)+)? inplace: false }
            }

            $($(
                #[doc = concat!("Sets `", stringify!($number), "`; ", stringify!($default), " unless set.")]
                pub fn $number(mut self, $number: impl Into<Scalar>) -> Self {
                    self.$number = $number.into();
                    self
                }
            )+)?

            activations!(@inplace $name $($function_)?);
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                activations!(@forward self, input, $function, [$($function_)?], ($($(self.$number.to_f64()),+)?))
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                #[allow(unused_mut)]
                let mut parts: Vec<String> = vec![
                    $($(activations!(@number $number, self.$number $(, $bare)?),)+)?
                ];
                activations!(@printed parts, self.inplace $(, $($unprinted)?)?);
                parts.join(", ")
            }
        }
    )* };
    (@forward $this:ident, $input:ident, $function:ident, [], $numbers:tt) => { $input.$function $numbers };
    (@forward $this:ident, $input:ident, $function:ident, [$function_:ident], $numbers:tt) => {
        if $this.inplace {
            $input.$function_ $numbers?;
            Ok($input)
        } else {
            $input.$function $numbers
        }
    };
    (@inplace $name:ident) => {};
    (@inplace $name:ident $function_:ident) => {
        /// Overwrites the input when `inplace`; it does not unless set.
        ///
        /// ```
        /// use firebrick::prelude::*;
        /// let x = Tensor::new([-1.5f32, 2.0])?;
        #[doc = concat!("let y = nn::", stringify!($name), "::new().inplace(true).call(&x)?;")]
        /// assert_eq!(x.to_vec::<f32>()?, y.to_vec::<f32>()?); // the input holds the result
        /// # Ok::<_, firebrick::Error>(())
        /// ```
        pub fn inplace(mut self, inplace: bool) -> Self {
            self.inplace = inplace;
            self
        }
    };
    (@number $name:ident, $number:expr) => { format!(concat!(stringify!($name), "={}"), text($number)) };
    (@number $name:ident, $number:expr, bare) => { text($number) };
    (@printed $parts:ident, $inplace:expr, unprinted) => {};
    (@printed $parts:ident, $inplace:expr $(,)?) => {
        if $inplace {
            $parts.push("inplace=True".to_owned());
        }
    };
}

activations! {
    /// `max(0, x)`.
    ///
    /// Nair and Hinton, *Rectified Linear Units Improve Restricted Boltzmann Machines*, ICML 2010.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::ReLU::new().call(Tensor::new([-1.0f32, 0.0, 2.0])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [0.0, 0.0, 2.0]);
    /// assert_eq!(nn::ReLU::new().inplace(true).to_string(), "ReLU(inplace=True)");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ReLU: relu, relu_;

    /// `1 / (1 + exp(-x))`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::Sigmoid::new().call(Tensor::zeros([1])?)?.to_vec::<f32>()?, [0.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Sigmoid: sigmoid;

    /// `tanh(x)`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::Tanh::new().call(Tensor::zeros([1])?)?.to_vec::<f32>()?, [0.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Tanh: tanh;

    /// `x sigmoid(x)`, also called swish.
    ///
    /// Elfwing et al., *Sigmoid-Weighted Linear Units* (2017).
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::SiLU::new().call(Tensor::new([0.0f32, 1.0])?)?.to_vec::<f32>()?;
    /// assert!(y[0] == 0.0 && (y[1] - 0.731_058_6).abs() < 1e-6);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    SiLU: silu, silu_;

    /// `x tanh(ln(1 + exp(x)))`.
    ///
    /// Misra, *Mish: A Self Regularized Non-Monotonic Activation Function* (2019).
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::Mish::new().call(Tensor::new([-1.0f32, 1.0])?)?.to_string(), "tensor([-0.3034,  0.8651])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Mish: mish, mish_;

    /// `x` above zero, else `alpha (exp(x) - 1)`.
    ///
    /// Clevert et al., *Exponential Linear Units* (2015).
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::ELU::new().alpha(2.0).to_string(), "ELU(alpha=2.0)");
    /// ```
    ELU: elu(alpha = 1.0), elu_;

    /// `scale (max(0, x) + min(0, alpha (exp(x) - 1)))` with the constants that keep mean 0 and variance 1.
    ///
    /// Klambauer et al., *Self-Normalizing Neural Networks* (2017).
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::SELU::new().call(Tensor::new([-1.0f32, 2.0])?)?.to_string(), "tensor([-1.1113,  2.1014])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    SELU: selu, selu_;

    /// `max(0, x) + min(0, alpha (exp(x / alpha) - 1))`.
    ///
    /// Barron, *Continuously Differentiable Exponential Linear Units* (2017).
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::CELU::new().alpha(2.0).call(Tensor::new([-1.0f32, 2.0])?)?;
    /// assert_eq!(y.to_string(), "tensor([-0.7869,  2.0000])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    CELU: celu(alpha = 1.0), celu_;

    /// `x` above zero, else `negative_slope x`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::LeakyReLU::new().negative_slope(0.5).call(Tensor::new([-2.0f32, 2.0])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [-1.0, 2.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    LeakyReLU: leaky_relu(negative_slope = 0.01), leaky_relu_;

    /// `ln(1 + exp(beta x)) / beta`, and `x` itself where `beta x` is above `threshold`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::Softplus::new().call(Tensor::new([0.0f32, 30.0])?)?.to_string(), "tensor([ 0.6931, 30.0000])");
    /// let steep = nn::Softplus::new().beta(2.0).threshold(1.0); // 2 * 1 is above 1
    /// assert_eq!(steep.call(Tensor::new([0.0f32, 0.4, 1.0])?)?.to_string(), "tensor([0.3466, 0.5856, 1.0000])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Softplus: softplus(beta = 1.0, threshold = 20.0);

    /// `ln(sigmoid(x))`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::LogSigmoid::new().call(Tensor::new([0.0f32, -200.0])?)?;
    /// assert_eq!(y.to_string(), "tensor([  -0.6931, -200.0000])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    LogSigmoid: logsigmoid;

    /// `min(max(0, x + 3), 6) / 6`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::Hardsigmoid::new().call(Tensor::new([-4.0f32, 1.5])?)?.to_vec::<f32>()?, [0.0, 0.75]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Hardsigmoid: hardsigmoid, hardsigmoid_ unprinted;

    /// `x min(max(0, x + 3), 6) / 6`.
    ///
    /// Howard et al., *Searching for MobileNetV3* (2019).
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::Hardswish::new().call(Tensor::new([1.5f32, 4.0])?)?.to_vec::<f32>()?, [1.125, 4.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Hardswish: hardswish, hardswish_ unprinted;

    /// `x`, and zero within `[-lambd, lambd]`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let x = Tensor::new([0.4f32, 0.6])?;
    /// assert_eq!(nn::Hardshrink::new().call(&x)?.to_vec::<f32>()?, [0.0, 0.6]);
    /// assert_eq!(nn::Hardshrink::new().lambd(0.3).call(&x)?.to_vec::<f32>()?, [0.4, 0.6]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Hardshrink: hardshrink(lambd = 0.5 bare);

    /// `x` drawn towards zero by `lambd`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::Softshrink::new().lambd(1.0).call(Tensor::new([0.4f32, 1.5])?)?.to_vec::<f32>()?, [0.0, 0.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Softshrink: softshrink(lambd = 0.5 bare);

    /// `x / (1 + |x|)`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::Softsign::new().call(Tensor::new([-1.0f32, 3.0])?)?.to_vec::<f32>()?, [-0.5, 0.75]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Softsign: softsign;

    /// `x - tanh(x)`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::Tanhshrink::new().call(Tensor::new([0.0f32, 3.0])?)?.to_string(), "tensor([0.0000, 2.0049])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Tanhshrink: tanhshrink;
}
