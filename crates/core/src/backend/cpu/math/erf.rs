//! The error function and the normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, SQRT_2};

use super::exp_log::{clamp, exp, exp_sum};
use super::poly::MulAdd;
use super::wide;

/// `P(Z > |x|)` for a standard normal `Z`: the tail that GELU and `erf` are made of. At most 4.1 ulp up to
/// 12.9, where results become subnormal.
#[inline(always)]
pub fn gaussian_tail<const FMA: bool>(x: f32) -> f32 {
    let t = clamp(x.abs(), 0.0, 15.0);
    let square = t * t;
    // What the rounding of t^2 lost: the exponential magnifies it.
    let lost = if FMA { t.mul_add(t, -square) } else { (t as f64 * t as f64 - square as f64) as f32 };
    exp_sum::<FMA>(-0.5 * square, -0.5 * lost) * mills::<FMA>(t)
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
    let tail = 2.0 * exp::<FMA>(-a * a) * mills::<FMA>(a * std::f32::consts::SQRT_2);
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

/// The normal distribution function `P(Z < x)`. At most 0.51 ulp.
#[inline(always)]
pub fn ndtr<const FMA: bool>(x: f32) -> f32 {
    (0.5 * erfc_wide::<FMA>(-x as f64 * FRAC_1_SQRT_2)) as f32
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

/// `e^-v` for `v = 2 sqrt(2 / pi) (x + 0.044715 x^3)`. At most 1.6 ulp for `|x|` below 9.9,
/// where it becomes subnormal.
#[inline(always)]
pub fn gelu_tanh_exp<const FMA: bool>(x: f32) -> f32 {
    // The exponential magnifies the rounding of its argument, so that is found in f64 and split in two.
    let x = clamp(x, -15.0, 15.0) as f64;
    let v = gelu_tanh_argument(x);
    let high = v as f32;
    let low = (v - high as f64) as f32;
    exp_sum::<FMA>(-high, -low)
}

/// The exponent of [`gelu_tanh_exp`] with its sign changed.
#[inline(always)]
fn gelu_tanh_argument(x: f64) -> f64 {
    const SCALE: f64 = SQRT_2 * FRAC_2_SQRT_PI;
    x * (SCALE + (0.044_715 * SCALE) * (x * x))
}

/// The same in `f64`.
#[inline]
pub fn gelu_tanh_exp_f64(x: f64) -> f64 {
    (-gelu_tanh_argument(x)).exp()
}

/// `P(Z > |x|)` in `f64`.
#[inline]
pub fn gaussian_tail_f64(x: f64) -> f64 {
    0.5 * libm::erfc(x.abs() * FRAC_1_SQRT_2)
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
