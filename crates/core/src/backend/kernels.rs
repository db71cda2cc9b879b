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
        Neg, Abs, Sign, Square, Sqrt, Rsqrt, Reciprocal, Exp, Exp2, Expm1, Log, Log2, Log10, Log1p, Sin, Cos, Tan, Asin,
        Acos, Atan, Sinh, Cosh, Tanh, Asinh, Acosh, Atanh, Erf, Erfc, Erfinv, Lgamma, Digamma, I0, Sinc, Floor, Ceil, Round,
        Trunc, Frac, Relu, Sigmoid, LogSigmoid, Gelu, GeluTanh, Silu, LogicalNot, BitwiseNot, IsNan, IsInf, IsFinite,
        Signbit, Clamp(f64, f64), ClampInt(i64, i64), Positive, Ndtr, LogNdtr, Deg2rad, Rad2deg,
    }
    /// Formulas of two inputs.
    Binary {
        Add, Sub, Mul, Div, FloorDivide, TruncDivide, Remainder, Fmod, Pow, Atan2, Hypot, Copysign, Nextafter, Maximum,
        Minimum, Fmax, Fmin, Heaviside, LogAddExp, LogAddExp2, Xlogy, Xlog1py, Eq, Ne, Lt, Le, Gt, Ge, LogicalAnd, LogicalOr,
        LogicalXor, BitwiseAnd, BitwiseOr, BitwiseXor, SigmoidGrad, TanhGrad, ReluGrad, GeluGrad, GeluTanhGrad, SiluGrad,
    }
    /// Formulas of three inputs.
    Ternary { Where, Lerp, Addcmul(f64), Addcdiv(f64), Clamp }
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

/// `out = alpha * a @ b + beta * out + bias`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Product {
    /// Scales the product.
    pub alpha: f64,
    /// Scales what the result held; with zero it is not read.
    pub beta: f64,
}

/// What an index along one dimension is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indexing {
    /// Elements are picked.
    Gather,
    /// Elements are overwritten; the last one in the index's order stays.
    Scatter,
    /// Elements are added to.
    ScatterAdd,
}
