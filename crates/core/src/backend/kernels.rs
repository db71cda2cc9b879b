//! Names of the kernels that a backend runs: formulas by element, and reductions.

use crate::DType;
use crate::tensor::Body;
use std::ops::Range;

/// Declares kernels, each named after the PyTorch function it computes.
macro_rules! kernels {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident $(($($t:ty),+))?),* $(,)? })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub(crate) enum $name { $(
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

/// A dtype of 16 bits, to which PyTorch rounds each step of some formulas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Small {
    F16,
    BF16,
}

/// A formula of one number whose steps round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum UnarySteps {
    Cube,
    InverseSquare,
    Rsqrt,
    Logit,
    LogitEps(f64),
}

/// A formula of two numbers whose steps round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum BinarySteps {
    TruncDivide,
    Xlogy,
    Xlog1py,
    Ldexp,
}

impl Map {
    /// The kernel for results of `dtype`: in steps where PyTorch computes it so.
    pub fn for_dtype(self, dtype: DType) -> Map {
        let small = match dtype {
            DType::F16 => Small::F16,
            DType::BF16 => Small::BF16,
            _ => return self,
        };
        let unary = |formula| Map::Unary(Unary::Steps(formula, small));
        let binary = |formula| Map::Binary(Binary::Steps(formula, small));
        match self {
            Map::Unary(Unary::Cube) if small == Small::BF16 => unary(UnarySteps::Cube),
            Map::Unary(Unary::InverseSquare) if small == Small::BF16 => unary(UnarySteps::InverseSquare),
            Map::Unary(Unary::Rsqrt) => unary(UnarySteps::Rsqrt),
            Map::Unary(Unary::Logit) => unary(UnarySteps::Logit),
            Map::Unary(Unary::LogitEps(eps)) => unary(UnarySteps::LogitEps(eps)),
            Map::Binary(Binary::TruncDivide) => binary(BinarySteps::TruncDivide),
            Map::Binary(Binary::Xlogy) => binary(BinarySteps::Xlogy),
            Map::Binary(Binary::Xlog1py) => binary(BinarySteps::Xlog1py),
            Map::Binary(Binary::Ldexp) => binary(BinarySteps::Ldexp),
            other => other,
        }
    }
}

kernels! {
    /// Formulas of one input. Numbers in brackets are the function's arguments in PyTorch's order.
    Unary {
        Neg, Abs, Sign, Square, Cube, InverseSquare, Sqrt, Rsqrt, Reciprocal, Exp, Exp2, Expm1, Log, Log2, Log10, Log1p, Sin,
        Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Tanh, Asinh, Acosh, Atanh, Erf, Erfc, Erfinv, Lgamma, Digamma, Polygamma(u32),
        I0, I1, Sinc, Entr, LogNdtr, Logit, LogitEps(f64), Sigmoid, Floor, Ceil, Round, RoundDecimals(i32), Trunc, Frac,
        Angle, Deg2rad, Rad2deg, NanToNum(f64, f64, f64), LogicalNot, BitwiseNot, IsNan, IsInf, IsPosInf, IsNegInf, IsFinite,
        Signbit, Relu, Hardtanh(f64, f64), LeakyRelu(f64), Threshold(f64, f64), Elu(f64, f64, f64), Gelu, GeluTanh, Silu, Mish,
        Softplus(f64, f64), LogSigmoid, Hardsigmoid, Hardswish, Hardshrink(f64), Softshrink(f64),
        Steps(UnarySteps, Small),
    }
    /// Formulas of two inputs.
    Binary {
        Add, Sub, AddScaled(f64), AddScaledInt(i64), Mul, Div, FloorDivide, TruncDivide, Remainder, Fmod, Pow, Atan2, Hypot,
        Copysign, Nextafter, Maximum, Minimum, Fmax, Fmin, ClampMin, ClampMax, Heaviside, LogAddExp, LogAddExp2, Xlogy,
        Xlog1py, Ldexp, Gcd, Lcm, Eq, Ne, Lt, Le, Gt, Ge, LogicalAnd, LogicalOr, LogicalXor, BitwiseAnd, BitwiseOr, BitwiseXor,
        LeftShift(u32), RightShift(u32), SigmoidGrad, TanhGrad, ReluGrad, HardtanhGrad(f64, f64), LeakyReluGrad(f64),
        ThresholdGrad(f64), EluGrad(f64, f64, f64), GeluGrad, GeluTanhGrad, SiluGrad, MishGrad, SoftplusGrad(f64, f64),
        LogSigmoidGrad, HardsigmoidGrad, HardswishGrad, ShrinkGrad(f64),
        Steps(BinarySteps, Small),
    }
    /// Formulas of three inputs.
    Ternary { Where, MaskedFill, Lerp, Addcmul(f64), Addcdiv(f64), Clamp }
}

/// A formula applied to every element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Map {
    /// One input.
    Unary(Unary),
    /// Two inputs.
    Binary(Binary),
    /// Three inputs.
    Ternary(Ternary),
}

/// How elements become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reduce {
    /// Their sum.
    Sum,
    /// The sum of those that are numbers.
    NanSum,
    /// Their mean.
    Mean,
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
    /// How many are not zero?
    CountNonzero,
    /// How many are not NaN?
    CountNumbers,
    /// The sum of squared distances from their mean, over their number less the correction.
    Var {
        /// 1 for an unbiased estimate.
        correction: f64,
    },
    /// The square root of that.
    Std {
        /// 1 for an unbiased estimate.
        correction: f64,
    },
    /// The norm of this order: 1, 2, an infinity, or any number but 0.
    Norm(f64),
    /// The logarithm of the sum of their exponentials.
    LogSumExp,
}

/// What element `k` of a running result says about the elements up to `k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// Their sum.
    Sum,
    /// Their product.
    Prod,
    /// The largest; NaN from the first on.
    Max,
    /// The smallest; NaN from the first on.
    Min,
    /// The logarithm of the sum of their exponentials.
    LogSumExp,
}

/// Which elements along a dimension are wanted, and in which order. NaN counts as larger than every number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// All of them, equal ones as they were.
    Sort {
        /// From the largest to the smallest.
        descending: bool,
    },
    /// The smallest or largest ones.
    Top {
        /// How many.
        count: usize,
        /// The largest?
        largest: bool,
        /// Must they be in order?
        sorted: bool,
    },
    /// The one that comes after so many smaller ones.
    Kth(usize),
    /// The most frequent one, of several the smallest. NaN equals nothing.
    Mode,
}

impl Order {
    /// Do the largest elements come first?
    pub fn is_descending(self) -> bool {
        matches!(self, Order::Sort { descending: true } | Order::Top { largest: true, .. })
    }
}

/// `out = alpha * a @ b + beta * out + bias`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Product {
    /// Scales the product.
    pub alpha: f64,
    /// Scales what the result held; with zero it is not read.
    pub beta: f64,
}

/// What becomes of every matrix of a batch. Matrices are `[batch, rows, columns]` and float64, lists of `k =
/// min(rows, columns)` numbers `[batch, k]`, single ones `[batch]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Factor {
    /// `L` and `U` in one matrix, pivots (int32, counted from 1), and the first pivot that is zero (int32; 0: none).
    Lu,
    /// From those two and a right side, the solution of `A X = B`, or of `A^T X = B`.
    LuSolve {
        /// Is it the second?
        transposed: bool,
    },
    /// `L`, of which the upper triangle is zero, and the order of the first leading minor that is not positive (int32).
    Cholesky,
    /// `Q`, with as many columns as are wanted, and `R`.
    Qr,
    /// What `Q` and `R` are made of: `R` above the vectors of the reflections in one matrix, and their factors.
    Reflections,
    /// Eigenvalues, ascending, and eigenvectors of the symmetric matrix with this lower triangle.
    Eigh,
    /// Singular values, falling; and where wanted `U` and `V^T`, in the sizes that are wanted.
    Svd,
    /// From a triangle and a right side, the solution of `A X = B`.
    Triangular {
        /// Which triangle is read?
        upper: bool,
        /// Is the diagonal taken for ones?
        unit: bool,
    },
}

/// What an index along one dimension is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Indexing {
    /// Elements are picked.
    Gather,
    /// Elements are overwritten; the last one in the index's order stays.
    Scatter,
    /// Elements are added to.
    ScatterAdd,
    /// Elements are multiplied.
    ScatterMul,
    /// The larger of two stays; NaN where there is one.
    ScatterMax,
    /// The smaller of two stays; NaN where there is one.
    ScatterMin,
}

/// How queries attend to keys.
#[derive(Clone)]
pub struct Attention {
    /// The factor of the scores.
    pub scale: f64,
    /// Does each query see the keys up to its own place alone?
    pub causal: bool,
    /// Is added to the scores, in whose shape it is.
    pub mask: Option<Body>,
}

/// How rows `[rows, n]` are normalized: each by its own mean and variance, then by channel.
#[derive(Clone)]
pub struct NormRows {
    /// Row `r` holds the channels of group `r % groups`.
    pub groups: usize,
    /// Elements of one channel in a row.
    pub inner: usize,
    /// Is added to the variance.
    pub eps: f64,
    /// One factor a channel.
    pub weight: Option<Body>,
    /// One addend a channel.
    pub bias: Option<Body>,
}

impl NormRows {
    /// The bodies that are read.
    pub fn bodies(&self) -> impl Iterator<Item = &Body> {
        self.weight.iter().chain(&self.bias)
    }
}

/// Where the gradients of a normalization go; `None` where one is not wanted.
#[derive(Clone, Default)]
pub struct NormGrad {
    /// Of the input, in its shape.
    pub input: Option<Body>,
    /// Of the factors, one a channel.
    pub weight: Option<Body>,
    /// Of the addends, one a channel.
    pub bias: Option<Body>,
}

impl NormGrad {
    /// The bodies that are written.
    pub fn bodies(&self) -> impl Iterator<Item = &Body> {
        self.input.iter().chain(&self.weight).chain(&self.bias)
    }
}

/// A loss of an element `x` and its target `y`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PointwiseLoss {
    /// `(x - y)^2`.
    Mse,
    /// `(x - y)^2 / (2 beta)` within `beta`, else `|x - y| - beta / 2`.
    SmoothL1(f64),
    /// `(x - y)^2 / 2` within `delta`, else `delta (|x - y| - delta / 2)`.
    Huber(f64),
    /// `-(y log(x) + (1 - y) log(1 - x))`, logarithms cut off at -100.
    BinaryCrossEntropy,
    /// The same of the sigmoid of `x`, with a weight for `y = 1`.
    BinaryCrossEntropyWithLogits,
}

/// How class scores are held against classes.
#[derive(Clone)]
pub struct ClassLoss {
    /// Are the scores logits rather than log probabilities?
    pub logits: bool,
    /// Rows of this class do not count.
    pub ignore_index: i64,
    /// One factor a class.
    pub weight: Option<Body>,
}

/// The labels that sequences of log probabilities are held against.
#[derive(Clone)]
pub struct Alignment {
    /// The class that stands for no label.
    pub blank: usize,
    /// The labels of all sequences; those that belong to one are classes.
    pub labels: Vec<usize>,
    /// One for each of the batch.
    pub sequences: Vec<Sequence>,
    /// Is the gradient of an infinite loss zero?
    pub zero_infinity: bool,
}

/// What counts of a sequence.
#[derive(Clone)]
pub struct Sequence {
    /// How many steps of the log probabilities.
    pub steps: usize,
    /// Which of the labels.
    pub labels: Range<usize>,
}
