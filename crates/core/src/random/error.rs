//! What can be wrong with a request for random numbers, in PyTorch's words.

use std::fmt;

/// A distribution's arguments, a generator's state or a sampler's settings were refused.
///
/// `Display` is PyTorch 2.15's sentence.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RandomError {
    /// A state of another length than PyTorch's 5056 bytes.
    #[error("Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be {0}")]
    StateSize(usize),
    /// A state whose counters no Mersenne Twister can have.
    #[error("Invalid mt19937 state")]
    InvalidState,
    /// More indices than there is memory for.
    #[error("not enough memory for {0} indices")]
    Room(usize),
    /// An argument the element type cannot hold.
    #[error("{argument} is out of bounds for {dtype}")]
    OutOfBounds {
        /// The argument as PyTorch names it.
        argument: &'static str,
        /// The element type as PyTorch names it here.
        dtype: &'static str,
    },
    /// `uniform_` with `from > to`.
    #[error("uniform_ expects to return a [from, to) range, but found from={from} > to={to}")]
    UniformOrder {
        /// Lower end.
        from: Number,
        /// Upper end.
        to: Number,
    },
    /// `uniform_` over a range wider than the largest number of the element type.
    #[error(
        "uniform_ expects to-from <= std::numeric_limits<{dtype}>::max(), but found to={to} and \
         from={from} which result in to-from to exceed the limit"
    )]
    UniformSpan {
        /// The element type as PyTorch names it here.
        dtype: &'static str,
        /// Lower end.
        from: Number,
        /// Upper end.
        to: Number,
    },
    /// `normal_` with a negative or undefined standard deviation.
    #[error("normal expects std >= 0.0, but found std {0}")]
    NormalStd(Number),
    /// A parameter that has to be positive.
    #[error("{op} expects {name} > 0.0, but found {name}={value}")]
    NotPositive {
        /// The operation.
        op: &'static str,
        /// The parameter.
        name: &'static str,
        /// What was given.
        value: Number,
    },
    /// A probability outside its interval.
    #[error("{op} expects p to be in {interval}, but got p={p}")]
    Probability {
        /// The operation.
        op: &'static str,
        /// The interval it accepts.
        interval: &'static str,
        /// What was given.
        p: Number,
    },
    /// A probability outside `[0, 1]` inside a tensor of probabilities.
    #[error(
        "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be \
         improved?  If so, please report an enhancement request to PyTorch.)"
    )]
    ProbabilityElement,
    /// A dropout probability outside `[0, 1]`.
    #[error("dropout probability has to be between 0 and 1, but got {0}")]
    Dropout(Number),
    /// `randint` or `random_` with an empty range.
    #[error("random_ expects 'from' to be less than 'to', but got from={from} >= to={to}")]
    EmptyRange {
        /// Lowest value.
        from: i64,
        /// One past the highest value.
        to: i64,
    },
    /// `random_` with a range that the element type's rounding leaves empty.
    #[error(
        "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got \
         from={from} >= to={to}"
    )]
    EmptyRoundedRange {
        /// Lowest value, rounded.
        from: i64,
        /// One past the highest value, rounded.
        to: i64,
    },
    /// `random_(from)` above the integers the element type counts one by one.
    #[error(
        "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to \
         dtype, but got from={from} > to_inc={to_inc}"
    )]
    AboveIntegers {
        /// Lowest value, rounded.
        from: i64,
        /// The highest value.
        to_inc: i64,
    },
    /// `random_` over all 64-bit integers, for a type without them.
    #[error("random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16")]
    FullRange,
    /// A permutation longer than the element type can number.
    #[error("{0}")]
    PermutationLength(&'static str),
    /// An operation the element type has no kernel for.
    #[error("\"{kernel}\" not implemented for '{dtype}'")]
    NotImplemented {
        /// PyTorch's name of the kernel.
        kernel: &'static str,
        /// The element type.
        dtype: &'static str,
    },
    /// Weights or a sample count `multinomial` refuses.
    #[error("{0}")]
    Multinomial(&'static str),
    /// A sampler of no samples.
    #[error("num_samples should be a positive integer value, but got num_samples={0}")]
    NumSamples(usize),
}

/// A number printed as PyTorch's messages print it: six significant digits, as C's `%g`.
///
/// ```
/// # use firebrick_core::random::Number;
/// assert_eq!(format!("{} {}", Number(1.0 / 3.0), Number(1e10)), "0.333333 1e+10");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(pub f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        if value.is_nan() {
            // C++ streams keep the sign; Rust would print NaN.
            return f.write_str(if value.is_sign_negative() { "-nan" } else { "nan" });
        }
        if value.is_infinite() || value == 0.0 {
            return write!(f, "{value}");
        }
        let scientific = format!("{value:.5e}");
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        if (-4..6).contains(&exponent) {
            let decimals = usize::try_from(5 - exponent).unwrap_or(0);
            return f.write_str(without_trailing_zeros(&format!("{value:.decimals$}")));
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(f, "{}e{sign}{:02}", without_trailing_zeros(digits), exponent.abs())
    }
}

fn without_trailing_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_c_prints_them() {
        // Expected strings are printf("%g") of the GNU C library.
        for (value, expected) in [
            (2.0, "2"),
            (-0.5, "-0.5"),
            (60_000.0, "60000"),
            (-3e38, "-3e+38"),
            (1_234_567.0, "1.23457e+06"),
            (0.000_012_345_678, "1.23457e-05"),
            (0.000_123_456_78, "0.000123457"),
            (999_999.5, "1e+06"),
            (1.0 / 3.0, "0.333333"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "nan"),
            (-0.0, "-0"),
        ] {
            assert_eq!(Number(value).to_string(), expected);
        }
    }
}
