//! Single precision logarithm, sine and cosine, and the normal numbers made of them.
//!
//! Polynomials of S. Moshier's Cephes library (`logf.c`, `sinf.c`), evaluated in the order, and
//! with the fused multiply-adds, of PyTorch 2.15's AVX2 normal kernel: results are equal to the
//! last bit. The platform's own functions would differ in one number of seven, by up to 3 ulp.

use super::fused::fused_kernel;

#[allow(clippy::excessive_precision)] // the library's own decimals
mod coefficients {
    pub const LOG: [f32; 9] = [
        7.037_683_629_2e-2,
        -1.151_461_031_0e-1,
        1.167_699_874_0e-1,
        -1.242_014_084_6e-1,
        1.424_932_278_7e-1,
        -1.666_805_766_5e-1,
        2.000_071_476_5e-1,
        -2.499_999_399_3e-1,
        3.333_333_117_4e-1,
    ];
    pub const SIN: [f32; 3] = [-1.951_529_589_1e-4, 8.332_160_873_6e-3, -1.666_665_461_1e-1];
    pub const COS: [f32; 3] = [2.443_315_711_809_948e-5, -1.388_731_625_493_765e-3, 4.166_664_568_298_827e-2];
    /// ln 2 in two parts, the second exact in few bits.
    pub const LN_2: [f32; 2] = [-2.121_944_40e-4, 0.693_359_375];
    /// -pi/4 in three parts, for a reduction without cancellation.
    pub const MINUS_QUARTER_PI: [f32; 3] =
        [-0.785_156_25, -2.418_756_484_985_351_562_5e-4, -3.774_894_977_445_941_08e-8];
    pub const FOUR_OVER_PI: f32 = 1.273_239_544_735_16;
}
use coefficients::{COS, FOUR_OVER_PI, LN_2, LOG, MINUS_QUARTER_PI, SIN};

const SQRT_HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// The natural logarithm of a normal positive number.
#[inline(always)]
fn ln(value: f32) -> f32 {
    let bits = value.to_bits();
    let exponent = ((bits >> 23) as i32 - 0x7F) as f32 + 1.0;
    let significand = f32::from_bits((bits & 0x007F_FFFF) | 0x3F00_0000);
    // Brings the significand from [0.5, 1) to [sqrt(0.5), sqrt(2)), then subtracts 1.
    let small = significand < SQRT_HALF;
    let exponent = exponent - if small { 1.0 } else { 0.0 };
    let x = (significand - 1.0) + if small { significand } else { 0.0 };
    let z = x * x;
    let mut y = LOG[0];
    for &coefficient in &LOG[1..] {
        y = y.mul_add(x, coefficient);
    }
    y *= x;
    y = y.mul_add(z, exponent * LN_2[0]);
    y = (-z).mul_add(0.5, y);
    exponent.mul_add(LN_2[1], x + y)
}

/// Sine and cosine of a number in `[0, 8)`.
#[inline(always)]
fn sin_cos(angle: f32) -> (f32, f32) {
    // The even multiple of pi/4 nearest to the angle; its bits say which octant.
    let octant = ((angle * FOUR_OVER_PI) as i32 + 1) & !1;
    let multiple = octant as f32;
    let mut x = angle;
    for part in MINUS_QUARTER_PI {
        x = multiple.mul_add(part, x);
    }
    let z = x * x;
    let cos = COS[0].mul_add(z, COS[1]).mul_add(z, COS[2]) * z;
    let cos = cos.mul_add(z, -z * 0.5) + 1.0;
    let sin = SIN[0].mul_add(z, SIN[1]).mul_add(z, SIN[2]) * z;
    let sin = sin.mul_add(x, x);
    let (s, c) = if octant & 2 == 0 { (sin, cos) } else { (cos, sin) };
    let sin_sign = (octant as u32 & 4) << 29;
    let cos_sign = (!(octant - 2) as u32 & 4) << 29;
    (f32::from_bits(s.to_bits() ^ sin_sign), f32::from_bits(c.to_bits() ^ cos_sign))
}

/// Elements transformed together.
const BLOCK: usize = 16;
const HALF: usize = BLOCK / 2;
/// Pairs gathered before the arithmetic, which then runs over whole vectors.
const PAIRS: usize = 128;

fused_kernel! {
    /// Turns whole blocks of 16 uniforms into normal numbers: element `j < 8` of a block gives the
    /// distance, element `j + 8` the angle, and their places take the cosine and the sine.
    pub(super) fn box_muller(values: &mut [f32], mean: f32, std: f32) {
        debug_assert!(values.len().is_multiple_of(BLOCK));
        let (mut first, mut second) = ([0.0_f32; PAIRS], [0.0_f32; PAIRS]);
        for part in values.chunks_mut(2 * PAIRS) {
            for (i, block) in part.chunks_exact(BLOCK).enumerate() {
                first[i * HALF..][..HALF].copy_from_slice(&block[..HALF]);
                second[i * HALF..][..HALF].copy_from_slice(&block[HALF..]);
            }
            let pairs = part.len() / 2;
            for (a, b) in first[..pairs].iter_mut().zip(&mut second[..pairs]) {
                let radius = (-2.0 * ln(1.0 - *a)).sqrt();
                let (sin, cos) = sin_cos(2.0 * std::f32::consts::PI * *b);
                *a = (radius * cos).mul_add(std, mean);
                *b = (radius * sin).mul_add(std, mean);
            }
            for (i, block) in part.chunks_exact_mut(BLOCK).enumerate() {
                block[..HALF].copy_from_slice(&first[i * HALF..][..HALF]);
                block[HALF..].copy_from_slice(&second[i * HALF..][..HALF]);
            }
        }
    }
}
