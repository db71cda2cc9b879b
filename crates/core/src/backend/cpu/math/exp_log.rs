//! Exponentials and logarithms in `f32`.
//!
//! Range reduction and one polynomial each, no table, no branch. Bounds are the largest error found in sweeps over
//! the whole range, in units in the last place of the correctly rounded result.

use super::poly::MulAdd;

/// Adding and subtracting this rounds a small number to the nearest integer, whose two's complement is then in
/// the low bits of the sum.
const ROUND: f32 = 12_582_912.0;
/// The upper bits of ln 2: a multiple of this by an integer below 2^9 is exact.
const LN2_HIGH: f32 = 0.693_145_75;
const LN2_LOW: f32 = 1.428_606_8e-6;

/// `2^n` for integer `n` from -126 to 127, zero for -127 and infinity for 128, from the bits of `n + ROUND` or any number
/// ending in those of `n`.
#[inline(always)]
fn exp2_int(n: u32) -> f32 {
    f32::from_bits((n << 23).wrapping_add(127 << 23))
}

/// `p * 2^n` for `p` near 1 and `n` from -252 to 254, from the bits of `n + ROUND`: half of `n` goes into the exponent of
/// `p`, the rest is a factor, so that both ends are rounded once.
#[inline(always)]
fn scale(p: f32, n: u32) -> f32 {
    let half = (n & !1) << 22;
    let rest = f32::from_bits((n << 23).wrapping_sub(half).wrapping_add(127 << 23));
    f32::from_bits(p.to_bits().wrapping_add(half)) * rest
}

/// `x = n ln 2 + r`: `r` and `n + ROUND`.
#[inline(always)]
fn reduce<const FMA: bool>(x: f32) -> (f32, f32) {
    let t = x.fma::<FMA>(std::f32::consts::LOG2_E, ROUND);
    let n = t - ROUND;
    let r = (-n).fma::<FMA>(LN2_HIGH, x);
    ((-n).fma::<FMA>(LN2_LOW, r), t)
}

/// `exp(r) - 1` for `|r| <= ln(2) / 2`.
#[inline(always)]
fn expm1_reduced<const FMA: bool>(r: f32) -> f32 {
    let q = r.poly::<FMA, _>([1.995_009_2e-4, 1.393_307e-3, 8.333_201_5e-3, 4.166_648_5e-2, 0.166_666_67, 0.5]);
    (r * r).fma::<FMA>(q, r)
}

/// `exp(r)` for `|r| <= ln(2) / 2`, to 3e-9.
#[inline(always)]
fn exp_reduced<const FMA: bool>(r: f32) -> f32 {
    r.poly::<FMA, _>([1.381_46e-3, 8.368_72e-3, 4.166_839e-2, 0.166_665_21, 0.499_999_93, 1.0, 1.0])
}

/// `x` within `low` to `high`; NaN stays NaN.
#[inline(always)]
pub(super) fn clamp(x: f32, low: f32, high: f32) -> f32 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// `e^x`. At most 1.2 (0.9 with FMA) ulp.
#[inline(always)]
pub fn exp<const FMA: bool>(x: f32) -> f32 {
    let (r, t) = reduce::<FMA>(clamp(x, -104.0, 89.0));
    scale(exp_reduced::<FMA>(r), t.to_bits())
}

/// [`exp`] for sums and quotients in which the ends of the range do not count: zero where the result is below the smallest
/// normal number, infinity above 1.7e38.
#[inline(always)]
pub fn exp_normal<const FMA: bool>(x: f32) -> f32 {
    let (r, t) = reduce::<FMA>(clamp(x, -88.0, 89.0));
    exp_reduced::<FMA>(r) * exp2_int(t.to_bits())
}

/// `2^x`, exact where `x` is an integer. At most 1.1 ulp.
#[inline(always)]
pub fn exp2<const FMA: bool>(x: f32) -> f32 {
    let x = clamp(x, -151.0, 128.0);
    let t = x + ROUND;
    let r = x - (t - ROUND);
    let p = r.poly::<FMA, _>([
        1.467_333_7e-5,
        1.545_229_3e-4,
        1.333_665_7e-3,
        9.618_087e-3,
        5.550_406e-2,
        0.240_226_5,
        std::f32::consts::LN_2,
        1.0,
    ]);
    scale(p, t.to_bits())
}

/// `e^x - 1`, accurate around zero. At most 1.5 ulp.
#[inline(always)]
pub fn expm1<const FMA: bool>(x: f32) -> f32 {
    let (r, t) = reduce::<FMA>(clamp(x, -20.0, 89.0));
    let p = expm1_reduced::<FMA>(r);
    // Half the scale: the whole one overflows before the result does. At n = 0 halving would lose a subnormal bit.
    let half = exp2_int(t.to_bits().wrapping_sub(1));
    let y = p.fma::<FMA>(half, half - 0.5) * 2.0;
    let y = if t == ROUND { p } else { y };
    y.copysign(x)
}

/// `tanh(x)` as `e / (e + 2)` with `e = expm1(2 |x|)`. At most 2.4 ulp.
#[inline(always)]
pub fn tanh<const FMA: bool>(x: f32) -> f32 {
    let (r, t) = reduce::<FMA>(clamp(2.0 * x.abs(), 0.0, 18.1));
    let s = exp2_int(t.to_bits());
    let e = expm1_reduced::<FMA>(r).fma::<FMA>(s, s - 1.0);
    (e / (e + 2.0)).copysign(x)
}

/// The bits of `sqrt(1/2)`: mantissas are taken from there to `sqrt(2)`.
const SQRT_HALF: u32 = 0x3f35_04f3;

/// `x = 2^k (1 + f)` for a normal positive `x`: the exponent `k` and `f`.
#[inline(always)]
fn split(x: f32) -> (i32, f32) {
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF);
    let mantissa = (shifted & 0x007f_ffff).wrapping_add(SQRT_HALF);
    ((shifted as i32) >> 23, f32::from_bits(mantissa) - 1.0)
}

/// The same for subnormal `x` too.
#[inline(always)]
fn split_any(x: f32) -> (f32, f32) {
    let tiny = x < f32::MIN_POSITIVE;
    let (k, f) = split(if tiny { x * 8_388_608.0 } else { x });
    (if tiny { k - 23 } else { k } as f32, f)
}

/// `log(1 + f) - f` for `1 + f` in `sqrt(1/2)` to `sqrt(2)`, in two addends: the large `-f^2/2` and the rest.
#[inline(always)]
fn log1p_tail<const FMA: bool>(f: f32) -> (f32, f32) {
    let z = f * f;
    let p = f.poly::<FMA, _>([
        6.915_147_6e-2,
        -0.117_891_185,
        0.118_726_76,
        -0.123_844_41,
        0.142_187_15,
        -0.166_692_48,
        0.200_022_24,
        -0.249_999_87,
        0.333_333_1,
    ]);
    (-0.5 * z, f * z * p)
}

/// `k ln 2 + log(1 + f)`.
#[inline(always)]
fn log_split<const FMA: bool>(k: f32, f: f32) -> f32 {
    let (large, rest) = log1p_tail::<FMA>(f);
    let low = k.fma::<FMA>(LN2_LOW, rest) + large;
    k.fma::<FMA>(LN2_HIGH, f + low)
}

/// The rules a logarithm of `x` has at and outside the ends of its range.
#[inline(always)]
fn log_edges(x: f32, y: f32) -> f32 {
    let y = if x == f32::INFINITY { x } else { y };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x >= 0.0 { y } else { f32::NAN }
}

/// The natural logarithm. At most 0.8 ulp.
#[inline(always)]
pub fn log<const FMA: bool>(x: f32) -> f32 {
    let (k, f) = split_any(x);
    log_edges(x, log_split::<FMA>(k, f))
}

/// The logarithm to base 2, exact at powers of 2. At most 1.4 ulp.
#[inline(always)]
pub fn log2<const FMA: bool>(x: f32) -> f32 {
    let (k, f) = split_any(x);
    let (large, rest) = log1p_tail::<FMA>(f);
    let tail = large + rest;
    // log2(e) = 1 + 0.4427: the part of the product that rounds is the smaller one.
    let low = f.fma::<FMA>(0.442_695_05, tail * std::f32::consts::LOG2_E);
    log_edges(x, k + (f + low))
}

/// The logarithm to base 10. At most 1.9 (1.0 with FMA) ulp.
#[inline(always)]
pub fn log10<const FMA: bool>(x: f32) -> f32 {
    let (k, f) = split_any(x);
    let (large, rest) = log1p_tail::<FMA>(f);
    // log10(e) and log10(2), each in an upper and a lower part.
    let low = f.fma::<FMA>(-1.010_305e-8, (large + rest) * std::f32::consts::LOG10_E);
    let low = k.fma::<FMA>(4.605_039e-6, low);
    let y = f.fma::<FMA>(std::f32::consts::LOG10_E, low);
    log_edges(x, k.fma::<FMA>(0.301_025_4, y))
}

/// `log(1 + x)`, accurate around zero. At most 1.4 ulp.
#[inline(always)]
pub fn log1p<const FMA: bool>(x: f32) -> f32 {
    let u = 1.0 + x;
    let (k, f) = split(u);
    // 1 + f = (1 + x) / 2^k without the rounding of 1 + x, which is harmless where x is large.
    let inverse = f32::from_bits(((127 - k) as u32) << 23);
    let f = if x < 16_777_216.0 { x.fma::<FMA>(inverse, inverse - 1.0) } else { f };
    log_edges(u, log_split::<FMA>(k as f32, f)).copysign(x)
}
