//! Functions of one complex number, in double precision.

use crate::Complex;

/// The number that formulas compute in.
pub(crate) type C = Complex<f64>;

impl C {
    pub(super) const ZERO: C = Complex::new(0.0, 0.0);
    pub(super) const ONE: C = Complex::new(1.0, 0.0);

    pub(super) fn real(re: f64) -> C {
        Complex::new(re, 0.0)
    }

    pub(super) fn truth(value: bool) -> C {
        C::real(f64::from(u8::from(value)))
    }

    pub(super) fn is_zero(self) -> bool {
        self == C::ZERO
    }

    pub(super) fn conj(self) -> C {
        Complex::new(self.re, -self.im)
    }

    pub(super) fn neg(self) -> C {
        Complex::new(-self.re, -self.im)
    }

    pub(super) fn add(self, other: C) -> C {
        Complex::new(self.re + other.re, self.im + other.im)
    }

    pub(super) fn sub(self, other: C) -> C {
        Complex::new(self.re - other.re, self.im - other.im)
    }

    pub(super) fn scale(self, factor: f64) -> C {
        Complex::new(self.re * factor, self.im * factor)
    }

    pub(super) fn mul(self, other: C) -> C {
        Complex::new(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)
    }

    /// The quotient, scaled by the larger part of the divisor so that its square does not overflow (Smith, 1962).
    pub(super) fn div(self, other: C) -> C {
        if other.is_zero() {
            return Complex::new(self.re / other.re.abs(), self.im / other.re.abs());
        }
        if other.re.abs() >= other.im.abs() {
            let ratio = other.im / other.re;
            let length = other.re + other.im * ratio;
            Complex::new((self.re + self.im * ratio) / length, (self.im - self.re * ratio) / length)
        } else {
            let ratio = other.re / other.im;
            let length = other.re * ratio + other.im;
            Complex::new((self.re * ratio + self.im) / length, (self.im * ratio - self.re) / length)
        }
    }

    pub(super) fn reciprocal(self) -> C {
        C::ONE.div(self)
    }

    pub(super) fn abs(self) -> f64 {
        self.re.hypot(self.im)
    }

    pub(super) fn angle(self) -> f64 {
        self.im.atan2(self.re)
    }

    /// The number of length 1 in the same direction; 0 of 0.
    pub(super) fn sgn(self) -> C {
        if self.is_zero() { C::ZERO } else { self.scale(1.0 / self.abs()) }
    }

    pub(super) fn exp(self) -> C {
        if self.im == 0.0 {
            return Complex::new(self.re.exp(), self.im);
        }
        let (sin, cos) = self.im.sin_cos();
        // In two halves: the length may exceed what a number holds where the parts do not.
        let length = (self.re / 2.0).exp();
        Complex::new(length * cos * length, length * sin * length)
    }

    /// `exp(z) - 1` without loss where `z` is small.
    pub(super) fn expm1(self) -> C {
        let half = (self.im / 2.0).sin();
        let re = self.re.exp_m1() * self.im.cos() - 2.0 * half * half;
        Complex::new(re, self.re.exp() * self.im.sin())
    }

    pub(super) fn log(self) -> C {
        let (large, small) = match self.re.abs() >= self.im.abs() {
            true => (self.re.abs(), self.im.abs()),
            false => (self.im.abs(), self.re.abs()),
        };
        // Near a length of one its logarithm is made of the distance from one.
        let length = match (0.5..2.0).contains(&large) && small < 2.0 {
            true => 0.5 * ((large - 1.0) * (large + 1.0) + small * small).ln_1p(),
            false => self.abs().ln(),
        };
        Complex::new(length, self.angle())
    }

    pub(super) fn log1p(self) -> C {
        let Complex { re, im } = self;
        let length = match re.abs() < 0.5 && im.abs() < 0.5 {
            true => 0.5 * (re * (2.0 + re) + im * im).ln_1p(),
            false => C::ONE.add(self).log().re,
        };
        Complex::new(length, im.atan2(1.0 + re))
    }

    pub(super) fn sqrt(self) -> C {
        if self.is_zero() {
            return Complex::new(0.0, self.im);
        }
        if self.im.is_infinite() {
            return Complex::new(f64::INFINITY, self.im);
        }
        let root = (self.re.abs() / 2.0 + self.abs() / 2.0).sqrt();
        match self.re >= 0.0 {
            true => Complex::new(root, self.im / (2.0 * root)),
            false => Complex::new(self.im.abs() / (2.0 * root), root.copysign(self.im)),
        }
    }

    /// The power, by the logarithm; that of zero is zero, or one where the exponent is zero.
    pub(super) fn pow(self, exponent: C) -> C {
        match (self.is_zero(), exponent.is_zero()) {
            (_, true) => C::ONE,
            (true, false) if exponent.re > 0.0 => C::ZERO,
            _ => self.log().mul(exponent).exp(),
        }
    }

    pub(super) fn sinh(self) -> C {
        let (sin, cos) = self.im.sin_cos();
        Complex::new(self.re.sinh() * cos, self.re.cosh() * sin)
    }

    pub(super) fn cosh(self) -> C {
        let (sin, cos) = self.im.sin_cos();
        Complex::new(self.re.cosh() * cos, self.re.sinh() * sin)
    }

    /// Kahan's formula, *Branch cuts for complex elementary functions* (1987); far out the limit, which it would overflow.
    pub(super) fn tanh(self) -> C {
        if self.re.abs() > 20.0 {
            let (sin, cos) = self.im.sin_cos();
            return Complex::new(1f64.copysign(self.re), 4.0 * sin * cos * (-2.0 * self.re.abs()).exp());
        }
        let (tan, sinh) = (self.im.tan(), self.re.sinh());
        let beta = 1.0 + tan * tan;
        let length = 1.0 + beta * sinh * sinh;
        Complex::new(beta * (1.0 + sinh * sinh).sqrt() * sinh / length, tan / length)
    }

    pub(super) fn sin(self) -> C {
        self.times_i().sinh().over_i()
    }

    pub(super) fn cos(self) -> C {
        self.times_i().cosh()
    }

    pub(super) fn tan(self) -> C {
        self.times_i().tanh().over_i()
    }

    pub(super) fn times_i(self) -> C {
        Complex::new(-self.im, self.re)
    }

    pub(super) fn over_i(self) -> C {
        Complex::new(self.im, -self.re)
    }

    pub(super) fn sigmoid(self) -> C {
        match self.re < 0.0 {
            true => self.exp().div(C::ONE.add(self.exp())),
            false => C::ONE.add(self.neg().exp()).reciprocal(),
        }
    }

    pub(super) fn sinc(self) -> C {
        let z = self.scale(std::f64::consts::PI);
        if z.is_zero() { C::ONE } else { z.sin().div(z) }
    }

    pub(super) fn is_nan(self) -> bool {
        self.re.is_nan() || self.im.is_nan()
    }

    pub(super) fn is_finite(self) -> bool {
        self.re.is_finite() && self.im.is_finite()
    }
}
