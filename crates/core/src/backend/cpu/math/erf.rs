//! The error function and the normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use super::exp_log::{clamp, exp_normal};
use super::poly::MulAdd;
use super::wide;

/// The normal distribution function to an absolute error of 2.3e-7 (3e-7 without FMA), which is what GELU needs: 0 below -5.3 and 1 above.
/// At most 3.4 (4.5 without FMA) ulp from -1 up.
///
/// `P(0 < Z < x)` as `x` times a quotient of polynomials in `x^2` without a negative term, so that nothing cancels. Beyond
/// 5.3 the quotient stays and the product grows past 1/2, where it is cut off.
#[inline(always)]
pub fn ndtr_near<const FMA: bool>(x: f32) -> f32 {
    let z = x * x;
    let z = if z > 28.09 { 28.09 } else { z };
    let p = z.poly::<FMA, _>([2.716_767e-8, 7.114_051e-6, 1.760_825e-4, 5.160_375_5e-3, 3.654_079_5e-2, 0.446_591_97]);
    let q =
        z.poly::<FMA, _>([1.390_029_2e-6, 7.875_969_5e-5, 2.036_855_8e-3, 3.131_082_3e-2, 0.278_167_37, 1.119_440_1]);
    0.5 + clamp(x * p / q, -0.5, 0.5)
}

/// `exp(t^2 / 2) P(Z > t)` for `t` from 0 to 15, as `p / (sqrt(2 pi) t p + q)`.
///
/// No polynomial has a negative term, so nothing cancels; where `t` is large `q` is negligible and the rounding of
/// `p` divides out.
#[inline(always)]
fn mills<const FMA: bool>(t: f32) -> f32 {
    const SQRT_2PI: f32 = 2.506_628_3;
    let p = t.poly::<FMA, _>([1.258_923_1e-3, 1.502_248_4e-2, 8.581_132_4e-2, 0.283_877_8, 0.543_730_14, 0.5]);
    let q = t.poly::<FMA, _>([3.155_943_7e-3, 3.764_091_8e-2, 0.209_114_54, 0.632_030_67, 1.0]);
    p / (t * SQRT_2PI).fma::<FMA>(p, q)
}

/// The error function in `f32`. At most 1.2 ulp.
#[inline(always)]
pub fn erf<const FMA: bool>(x: f32) -> f32 {
    let z = x * x;
    let p = z.poly::<FMA, _>([
        7.920_368e-5,
        -8.030_761_4e-4,
        5.190_734e-3,
        -2.685_512_6e-2,
        0.112_836_18,
        -0.376_126_3,
        0.128_379_17,
    ]);
    let small = x.fma::<FMA>(p, x);
    let a = clamp(x.abs(), 0.0, 4.5);
    let tail = 2.0 * exp_normal::<FMA>(-a * a) * mills::<FMA>(a * std::f32::consts::SQRT_2);
    if x.abs() < 1.0 { small } else { (1.0 - tail).copysign(x) }
}

/// `exp(t^2) erfc(t)` for `t >= 0`, to about 1e-11.
#[inline(always)]
fn erfcx<const FMA: bool>(t: f64) -> f64 {
    let u = 1.0 / t.fma::<FMA>(0.3, 1.0);
    let p = u.poly::<FMA, _>([
        0.007_363_101_359_693_696,
        -0.054_341_929_551_596_59,
        0.166_515_860_287_656_2,
        -0.271_908_859_975_231_9,
        0.267_272_614_334_717_7,
        -0.194_168_121_350_724_56,
        0.101_405_875_874_294_27,
        -0.012_876_692_725_323_206,
        0.052_606_022_492_740_136,
        0.068_562_443_848_029_23,
        0.098_438_823_023_599_84,
        0.124_568_780_710_212_73,
        0.146_408_037_420_215_88,
        0.161_640_293_897_680_1,
        0.169_256_875_287_974_84,
        0.169_256_875_063_928_7,
    ]);
    u * p
}

/// `erfc` of an `f64`, to about 1e-11 relative for every result within the range of `f32`.
#[inline(always)]
fn erfc_wide<const FMA: bool>(t: f64) -> f64 {
    let a = t.abs();
    let a = if a > 11.0 { 11.0 } else { a };
    let upper = wide::exp::<FMA>(-a * a) * erfcx::<FMA>(a);
    if t < 0.0 { 2.0 - upper } else { upper }
}

/// `1 - erf(x)` without cancellation. At most 0.51 ulp.
#[inline(always)]
pub fn erfc<const FMA: bool>(x: f32) -> f32 {
    erfc_wide::<FMA>(x as f64) as f32
}

/// `log(ndtr(x))`, finite as far as `-x^2 / 2` is. At most 0.51 ulp.
#[inline(always)]
pub fn log_ndtr<const FMA: bool>(x: f32) -> f32 {
    let t = x as f64 * FRAC_1_SQRT_2;
    let upper = 0.5 * erfc_wide::<FMA>(t);
    let scaled = wide::log::<FMA>(0.5 * erfcx::<FMA>(t.abs())) - t * t;
    (if t < -1.0 { scaled } else { wide::log1p::<FMA>(-upper) }) as f32
}

/// The inverse of `erf`, to about 1e-8: a polynomial in `w = -log(1 - x^2)` or its root.
/// Giles, *Approximating the erfinv function*, GPU Computing Gems (2011), chapter 10.
#[inline(always)]
fn erfinv_wide<const FMA: bool>(x: f64) -> f64 {
    let w = -wide::log::<FMA>((1.0 - x) * (1.0 + x));
    let central = (w - 2.5).poly::<FMA, _>([
        -1.977_394_702_803_332_3e-11,
        1.235_938_326_696_935_1e-10,
        8.063_197_222_347_186e-10,
        -1.086_381_336_898_012_7e-8,
        1.387_351_489_557_351_8e-8,
        4.787_015_026_093_285e-7,
        -3.417_691_945_640_861_5e-6,
        -4.996_029_296_635_735e-6,
        0.000_218_251_471_412_101_23,
        -0.001_252_707_928_321_251_3,
        -0.004_177_318_236_031_105,
        0.246_640_276_740_523_66,
        1.501_409_351_146_375_7,
    ]);
    let tail = (w.sqrt() - 4.0).poly::<FMA, _>([
        7.000_068_503_460_549e-8,
        -5.243_379_340_983_922e-7,
        8.655_992_189_532_504e-7,
        2.741_952_728_392_829_5e-6,
        -1.259_847_412_883_848e-5,
        2.093_836_894_156_721_3e-5,
        -2.698_746_290_785_841e-5,
        5.186_373_853_490_019_5e-5,
        -0.000_122_239_175_110_105_49,
        0.000_323_498_336_417_061_77,
        -0.000_867_392_104_787_407_5,
        0.001_259_263_991_189_784_4,
        1.009_493_072_967_392_5,
        3.839_783_817_628_283,
    ]);
    let y = x * if w < 5.0 { central } else { tail };
    if w == f64::INFINITY { w.copysign(x) } else { y }
}

/// The inverse of `erf`: infinite at 1 and -1, NaN beyond. At most 0.7 ulp.
#[inline(always)]
pub fn erfinv<const FMA: bool>(x: f32) -> f32 {
    erfinv_wide::<FMA>(x as f64) as f32
}

/// The normal distribution function in `f64`.
#[inline]
pub fn ndtr_f64(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// The inverse of `erf` in `f64`: the approximation above and one step of Halley's method.
#[inline]
pub fn erfinv_f64(x: f64) -> f64 {
    let y = erfinv_wide::<false>(x);
    if !y.is_finite() || y == 0.0 {
        return y;
    }
    let a = y.abs();
    let excess = if a < 0.5 { libm::erf(a) - x.abs() } else { (1.0 - x.abs()) - libm::erfc(a) };
    let step = excess / (FRAC_2_SQRT_PI * (-a * a).exp());
    (a - step / (1.0 + a * step)).copysign(x)
}

/// `log(ndtr(x))` in `f64`.
#[inline]
pub fn log_ndtr_f64(x: f64) -> f64 {
    let t = x * FRAC_1_SQRT_2;
    if t >= -1.0 || t.is_nan() {
        (-0.5 * libm::erfc(t)).ln_1p()
    } else if t > -26.0 {
        (0.5 * libm::erfc(-t)).ln()
    } else {
        // erfc underflows from here on; its asymptotic series has converged.
        let z = -0.5 / (t * t);
        let series = z * (1.0 + z * (3.0 + z * (15.0 + z * (105.0 + z * 945.0))));
        -t * t - (-2.0 * t * std::f64::consts::PI.sqrt()).ln() + series.ln_1p()
    }
}
