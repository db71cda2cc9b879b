//! Integer arithmetic, in `i64` for every integer type. Results wrap as PyTorch's do: the caller narrows them, which keeps the low bits.
//!
//! The functions that divide return `None` for a zero divisor, which PyTorch reports as "ZeroDivisionError".

/// `x / y` rounded down.
#[inline(always)]
pub fn floor_divide(x: i64, y: i64) -> Option<i64> {
    let quotient = trunc_divide(x, y)?;
    let rest = x.wrapping_sub(quotient.wrapping_mul(y));
    Some(if wrong_sign(rest, y) { quotient - 1 } else { quotient })
}

/// `x / y` rounded towards zero; the smallest number over -1 is itself.
#[inline(always)]
pub fn trunc_divide(x: i64, y: i64) -> Option<i64> {
    (y != 0).then(|| x.wrapping_div(y))
}

/// The remainder with the sign of `y`, as Python's `%`.
#[inline(always)]
pub fn remainder(x: i64, y: i64) -> Option<i64> {
    let rest = fmod(x, y)?;
    Some(if wrong_sign(rest, y) { rest + y } else { rest })
}

/// The remainder with the sign of `x`, as C's `%`.
#[inline(always)]
pub fn fmod(x: i64, y: i64) -> Option<i64> {
    (y != 0).then(|| x.wrapping_rem(y))
}

/// Whether a remainder must move by one divisor to get the divisor's sign.
#[inline(always)]
fn wrong_sign(rest: i64, divisor: i64) -> bool {
    rest != 0 && (rest < 0) != (divisor < 0)
}

/// `base^exponent`, wrapping. A negative exponent gives the reciprocal where that is an integer, for 1 and -1,
/// and 0 for every other base, 0 included. (By a negative *number* instead of a tensor PyTorch refuses; that is
/// the operation's check.)
#[inline]
pub fn pow(base: i64, exponent: i64) -> i64 {
    if exponent < 0 {
        return match base {
            1 => 1,
            -1 if exponent % 2 == 0 => 1,
            -1 => -1,
            _ => 0,
        };
    }
    let (mut result, mut base, mut exponent) = (1i64, base, exponent);
    while exponent != 0 {
        if exponent & 1 == 1 {
            result = result.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        exponent >>= 1;
    }
    result
}

/// `x + y`, wrapping.
#[inline(always)]
pub fn add(x: i64, y: i64) -> i64 {
    x.wrapping_add(y)
}

/// `x - y`, wrapping.
#[inline(always)]
pub fn sub(x: i64, y: i64) -> i64 {
    x.wrapping_sub(y)
}

/// `x * y`, wrapping.
#[inline(always)]
pub fn mul(x: i64, y: i64) -> i64 {
    x.wrapping_mul(y)
}

/// `-x`, wrapping.
#[inline(always)]
pub fn neg(x: i64) -> i64 {
    x.wrapping_neg()
}

/// The size of `x`; the smallest number has none and is returned.
#[inline(always)]
pub fn abs(x: i64) -> i64 {
    x.wrapping_abs()
}

/// -1, 0 or 1 by the sign of `x`.
#[inline(always)]
pub fn sign(x: i64) -> i64 {
    x.signum()
}

/// The larger number.
#[inline(always)]
pub fn maximum(x: i64, y: i64) -> i64 {
    if x > y { x } else { y }
}

/// The smaller number.
#[inline(always)]
pub fn minimum(x: i64, y: i64) -> i64 {
    if x < y { x } else { y }
}

/// The greatest common divisor by Euclid's algorithm on the sizes; 0 for two zeros. As in PyTorch the smallest
/// `i64` stays negative, and with it the result can be.
#[inline]
pub fn gcd(x: i64, y: i64) -> i64 {
    let (mut x, mut y) = (abs(x), abs(y));
    while x != 0 {
        (x, y) = (y.wrapping_rem(x), x);
    }
    y
}

/// The least common multiple; 0 if either is 0.
#[inline]
pub fn lcm(x: i64, y: i64) -> i64 {
    match gcd(x, y) {
        0 => 0,
        divisor => abs(x.wrapping_div(divisor).wrapping_mul(y)),
    }
}

/// `x << shift` in a type of `bits` bits; 0 for a negative shift and one of `bits` or more.
#[inline(always)]
pub fn left_shift(x: i64, shift: i64, bits: u32) -> i64 {
    let valid = (shift as u64) < bits as u64;
    if valid { x << (shift & 63) } else { 0 }
}

/// `x >> shift` with copies of the sign, in a type of `bits` bits; only the sign is left by a negative shift and
/// one of `bits` or more.
#[inline(always)]
pub fn right_shift(x: i64, shift: i64, bits: u32) -> i64 {
    let valid = (shift as u64) < bits as u64;
    x >> if valid { shift } else { 63 }
}
