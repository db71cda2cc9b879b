//! Trigonometric functions and their inverses for `f32`, computed in `f64` and rounded once.
//!
//! Each is within 0.51 ulp of the correctly rounded value over the whole range.

use super::poly::MulAdd;
use super::wide::ROUND;

/// The binary digits of `2 / pi` after the point.
const TWO_OVER_PI: [u64; 5] =
    [0xa2f9_836e_4e44_1529, 0xfc27_57d1_f534_ddc0, 0xdb62_9599_3c43_9041, 0xfe51_63ab_debb_c561, 0xb724_6e3a_424d_d2e0];

/// The number made of `count <= 63` digits of `2 / pi` from digit `start` on.
const fn digits(start: usize, count: usize) -> f64 {
    let (word, shift) = (start / 64, start % 64);
    let pair = (TWO_OVER_PI[word] as u128) << 64 | TWO_OVER_PI[word + 1] as u128;
    let value = ((pair << shift) >> (128 - count)) as f64;
    value * f64::from_bits((1023 - (start + count) as u64) << 52)
}

/// `2 / pi` in an upper and a lower part, less the leading digits that add whole turns to the product with a number
/// from `2^(row + 25)`. The upper part has 29 digits, so that its product with 24 is exact.
/// Payne and Hanek, *Radian reduction for trigonometric functions*, SIGNUM Newsletter 18 (1983).
const REDUCTION: [(f64, f64); 128] = {
    let mut table = [(0.0, 0.0); 128];
    let mut row = 0;
    while row < 128 {
        // Numbers below 2^26 need every digit; `f32` ends in row 102.
        let start = if row > 102 { 102 } else { row };
        table[row] = (digits(start, 29), digits(start + 29, 63));
        row += 1;
    }
    table
};

/// `x = (q + r) pi / 2`, `|r| <= 1/2`: the angle `r pi / 2` and `q` modulo 2^51, for every `f32`.
#[inline(always)]
fn reduce<const FMA: bool>(x: f32) -> (f64, u64) {
    let row = (x.to_bits() >> 23 & 0xff).saturating_sub(152);
    let (high, low) = REDUCTION[(row & 127) as usize];
    let x = x as f64;
    let product = x * high;
    let t = x.fma::<FMA>(low, product) + ROUND;
    let r = x.fma::<FMA>(low, product - (t - ROUND));
    (r * std::f64::consts::FRAC_PI_2, t.to_bits())
}

/// Sine of an angle of at most pi / 4, given its square.
#[inline(always)]
fn sin_reduced<const FMA: bool>(a: f64, z: f64) -> f64 {
    let p = z.poly::<FMA, _>([
        -2.476_162_959_972_749_8e-8,
        2.755_535_745_439_44e-6,
        -0.000_198_412_638_215_793_8,
        0.008_333_333_325_269_237,
        -0.166_666_666_666_315_83,
        1.0,
    ]);
    a * p
}

/// Cosine of an angle of at most pi / 4, given its square.
#[inline(always)]
fn cos_reduced<const FMA: bool>(z: f64) -> f64 {
    z.poly::<FMA, _>([
        2.064_764_541_921_242e-9,
        -2.755_556_588_915_715_7e-7,
        2.480_158_096_605_88e-5,
        -0.001_388_888_887_826_459,
        0.041_666_666_666_602_2,
        -0.5,
        1.0,
    ])
}

/// The sine of `x` advanced by `quarter` right angles.
#[inline(always)]
fn sin_shifted<const FMA: bool>(x: f32, quarter: u64) -> f32 {
    let (a, q) = reduce::<FMA>(x);
    let q = q.wrapping_add(quarter);
    let z = a * a;
    let (sin, cos) = (sin_reduced::<FMA>(a, z), cos_reduced::<FMA>(z));
    let y = if q & 1 == 0 { sin } else { cos };
    f64::from_bits(y.to_bits() ^ (q & 2) << 62) as f32
}

/// The sine of `x` radians.
#[inline(always)]
pub fn sin<const FMA: bool>(x: f32) -> f32 {
    sin_shifted::<FMA>(x, 0)
}

/// The cosine of `x` radians.
#[inline(always)]
pub fn cos<const FMA: bool>(x: f32) -> f32 {
    sin_shifted::<FMA>(x, 1)
}

/// The tangent of `x` radians.
#[inline(always)]
pub fn tan<const FMA: bool>(x: f32) -> f32 {
    let (a, q) = reduce::<FMA>(x);
    let z = a * a;
    let (sin, cos) = (sin_reduced::<FMA>(a, z), cos_reduced::<FMA>(z));
    let odd = q & 1 == 1;
    ((if odd { -cos } else { sin }) / (if odd { sin } else { cos })) as f32
}

/// The angle of the point `(x, y)` for numbers that come from `f32`, by C's rules at zeros and infinities.
///
/// The point is turned into the eighth of the plane around a multiple of pi / 4, which leaves one division.
#[inline(always)]
fn angle<const FMA: bool>(y: f64, x: f64) -> f64 {
    const TAN_PI_8: f64 = 0.414_213_562_373_095_03;
    let (ax, ay) = (x.abs(), y.abs());
    let (min, max) = if ax < ay { (ax, ay) } else { (ay, ax) };
    let diagonal = min > TAN_PI_8 * max || min == f64::INFINITY;
    let q = if diagonal { (min - max) / (min + max) } else { min / max };
    // 0/0 and inf/inf.
    let q = if min == max { 0.0 } else { q };
    let z = q * q;
    let p = z.poly::<FMA, _>([
        0.030_891_070_303_160_573,
        -0.058_908_230_845_984_55,
        0.075_684_784_348_436_52,
        -0.090_791_292_796_134_99,
        0.111_104_493_667_986_36,
        -0.142_856_935_717_396_02,
        0.199_999_996_851_700_42,
        -0.333_333_333_316_943_3,
        1.0,
    ]);
    let offset = if diagonal { std::f64::consts::FRAC_PI_4 } else { 0.0 };
    let a = q.fma::<FMA>(p, offset);
    let a = if ax < ay { std::f64::consts::FRAC_PI_2 - a } else { a };
    let a = if x.is_sign_negative() { std::f64::consts::PI - a } else { a };
    let a = a.copysign(y);
    if x.is_nan() || y.is_nan() { f64::NAN } else { a }
}

/// The angle between the positive first axis and the point `(x, y)`, in -pi to pi.
#[inline(always)]
pub fn atan2<const FMA: bool>(y: f32, x: f32) -> f32 {
    angle::<FMA>(y as f64, x as f64) as f32
}

/// The inverse tangent.
#[inline(always)]
pub fn atan<const FMA: bool>(x: f32) -> f32 {
    angle::<FMA>(x as f64, 1.0) as f32
}

/// The inverse sine; NaN outside -1 to 1.
#[inline(always)]
pub fn asin<const FMA: bool>(x: f32) -> f32 {
    let x = x as f64;
    angle::<FMA>(x, ((1.0 - x) * (1.0 + x)).sqrt()) as f32
}

/// The inverse cosine; NaN outside -1 to 1.
#[inline(always)]
pub fn acos<const FMA: bool>(x: f32) -> f32 {
    let x = x as f64;
    angle::<FMA>(((1.0 - x) * (1.0 + x)).sqrt(), x) as f32
}
