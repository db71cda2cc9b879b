//! Names of the kernels that a backend runs: formulas by element, and reductions.

/// Declares kernels, each named after the PyTorch function it computes.
macro_rules! kernels {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident $(($($t:ty),+))?),* $(,)? })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum $name { $(
            #[doc = concat!("PyTorch's function of this name: `", stringify!($variant), "`.")]
            $variant $(($($t),+))?
        ),* }

        impl From<$name> for Map {
            fn from(kernel: $name) -> Map {
                Map::$name(kernel)
            }
        }
    )* };
}

kernels! {
    /// Formulas of one input. Numbers in brackets are the function's arguments in PyTorch's order.
    Unary {
        Neg, Abs, Sign, Square, Cube, InverseSquare, Sqrt, Rsqrt, Reciprocal, Exp, Exp2, Expm1, Log, Log2, Log10, Log1p, Sin,
        Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Tanh, Asinh, Acosh, Atanh, Erf, Erfc, Erfinv, Lgamma, Digamma, Polygamma(u32),
        I0, I1, Sinc, Entr, Ndtr, LogNdtr, Logit, LogitEps(f64), Sigmoid, Floor, Ceil, Round, RoundDecimals(i32), Trunc, Frac,
        Angle, Deg2rad, Rad2deg, NanToNum(f64, f64, f64), LogicalNot, BitwiseNot, IsNan, IsInf, IsPosInf, IsNegInf, IsFinite,
        Signbit, Relu, Hardtanh(f64, f64), LeakyRelu(f64), Threshold(f64, f64), Elu(f64, f64, f64), Gelu, GeluTanh, Silu, Mish,
        Softplus(f64, f64), Softsign, LogSigmoid, Hardsigmoid, Hardswish, Hardshrink(f64), Softshrink(f64),
    }
    /// Formulas of two inputs.
    Binary {
        Add, Sub, AddScaled(f64), AddScaledInt(i64), Mul, Div, FloorDivide, TruncDivide, Remainder, Fmod, Pow, Atan2, Hypot,
        Copysign, Nextafter, Maximum, Minimum, Fmax, Fmin, ClampMin, ClampMax, Heaviside, LogAddExp, LogAddExp2, Xlogy,
        Xlog1py, Ldexp, Gcd, Lcm, Eq, Ne, Lt, Le, Gt, Ge, LogicalAnd, LogicalOr, LogicalXor, BitwiseAnd, BitwiseOr, BitwiseXor,
        LeftShift(u32), RightShift(u32), SigmoidGrad, TanhGrad, ReluGrad, HardtanhGrad(f64, f64), LeakyReluGrad(f64),
        ThresholdGrad(f64), EluGrad(f64, f64, f64), GeluGrad, GeluTanhGrad, SiluGrad, MishGrad, SoftplusGrad(f64, f64),
        LogSigmoidGrad, HardsigmoidGrad, HardswishGrad, ShrinkGrad(f64),
    }
    /// Formulas of three inputs.
    Ternary { Where, MaskedFill, Lerp, Addcmul(f64), Addcdiv(f64), Clamp }
}

/// A formula applied to every element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Map {
    /// One input.
    Unary(Unary),
    /// Two inputs.
    Binary(Binary),
    /// Three inputs.
    Ternary(Ternary),
}

/// How elements become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reduce {
    /// Their sum.
    Sum,
    /// Their product.
    Prod,
    /// The largest; NaN where there is one.
    Max,
    /// The smallest; NaN where there is one.
    Min,
    /// Is one of them not zero?
    Any,
    /// Are all of them not zero?
    All,
    /// Sum of squared distances from their mean.
    SquaredDeviations,
    /// Sum of squares.
    SumOfSquares,
}
