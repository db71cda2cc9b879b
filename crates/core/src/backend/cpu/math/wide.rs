//! Kernels in `f64` that vectorize, for `f32` functions that compute wide and round once.
//!
//! About `1e-14` relative; 64-bit integers are only shifted, added and masked, which AVX2 can do.

use super::poly::MulAdd;

/// Adding and subtracting this rounds a small number to the nearest integer, whose two's complement is then in
/// the low bits of the sum.
pub(super) const ROUND: f64 = 6_755_399_441_055_744.0;
/// The upper 32 bits of ln 2: a multiple of this by a small integer is exact.
const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `exp(x)` for `x` in -700 to 700; NaN stays NaN.
#[inline(always)]
pub(super) fn exp<const FMA: bool>(x: f64) -> f64 {
    let t = x.fma::<FMA>(std::f64::consts::LOG2_E, ROUND);
    let n = t - ROUND;
    let r = (-n).fma::<FMA>(LN2_HIGH, x);
    let r = (-n).fma::<FMA>(LN2_LOW, r);
    let p = r.poly::<FMA, _>([
        2.764_038_430_649_719e-7,
        2.764_060_466_239_151_6e-6,
        2.480_146_725_254_032e-5,
        0.000_198_411_693_270_736_48,
        0.001_388_888_896_821_987_8,
        0.008_333_333_386_317_97,
        0.041_666_666_666_451_88,
        0.166_666_666_665_525_8,
        0.500_000_000_000_002_6,
        1.0,
        1.0,
    ]);
    p * f64::from_bits(t.to_bits().wrapping_add(1023) << 52)
}

/// `k` and `2^-k` for the `k` that puts `u / 2^k` between `sqrt(1/2)` and `sqrt(2)`; `u` normal and below 2^1000.
#[inline(always)]
fn exponent(u: f64) -> (f64, f64) {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    // The offset keeps the shifted number positive: AVX2 has no arithmetic shift of 64 bits.
    let biased = u.to_bits().wrapping_sub(SQRT_HALF).wrapping_add(1024 << 52) >> 52;
    // With the exponent of 2^52 in front, the bits of an integer are that integer plus 2^52.
    let k = f64::from_bits(biased | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1024.0);
    (k, f64::from_bits(2047u64.wrapping_sub(biased) << 52))
}

/// `k ln 2 + log(1 + f)`, the latter as `2 atanh(f / (2 + f))`.
#[inline(always)]
fn log_split<const FMA: bool>(k: f64, f: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let p = z.poly::<FMA, _>([
        0.148_313_006_047_417_1,
        0.153_109_104_183_993_15,
        0.181_836_627_409_241_72,
        0.222_221_974_180_191_1,
        0.285_714_287_421_758_6,
        0.399_999_999_995_027_6,
        0.666_666_666_666_669_3,
    ]);
    let low = k.fma::<FMA>(LN2_LOW, -(s * (f - z * p)));
    k.fma::<FMA>(LN2_HIGH, f + low)
}

/// `log(x)` by IEEE rules for zero, infinity, NaN and negative numbers; not for subnormal `f64`.
#[inline(always)]
pub(super) fn log<const FMA: bool>(x: f64) -> f64 {
    let (k, inverse) = exponent(x);
    let y = log_split::<FMA>(k, x * inverse - 1.0);
    let y = if x == f64::INFINITY { x } else { y };
    let y = if x == 0.0 { f64::NEG_INFINITY } else { y };
    if x >= 0.0 { y } else { f64::NAN }
}

/// `log(1 + x)` by IEEE rules.
#[inline(always)]
pub(super) fn log1p<const FMA: bool>(x: f64) -> f64 {
    let (k, inverse) = exponent(1.0 + x);
    // 1 + f = (1 + x) / 2^k without the rounding of 1 + x.
    let y = log_split::<FMA>(k, x.fma::<FMA>(inverse, inverse - 1.0));
    let y = if x == f64::INFINITY { x } else { y };
    let y = if x == -1.0 { f64::NEG_INFINITY } else { y };
    if x >= -1.0 { y.copysign(x) } else { f64::NAN }
}
