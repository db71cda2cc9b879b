//! Inverse trigonometric and hyperbolic functions, by Kahan's formulas: exact at their cuts, signs of zeros included.
//!
//! W. Kahan, *Branch cuts for complex elementary functions, or much ado about nothing's sign bit* (1987).

use super::math::C;
use crate::Complex;

impl C {
    /// The roots of `1 - z` and `1 + z`.
    fn roots_around_one(self) -> (C, C) {
        (Complex::new(1.0 - self.re, -self.im).sqrt(), Complex::new(1.0 + self.re, self.im).sqrt())
    }

    pub(super) fn asin(self) -> C {
        let (below, above) = self.roots_around_one();
        Complex::new(self.re.atan2(below.mul(above).re), below.conj().mul(above).im.asinh())
    }

    pub(super) fn acos(self) -> C {
        let (below, above) = self.roots_around_one();
        Complex::new(2.0 * below.re.atan2(above.re), above.conj().mul(below).im.asinh())
    }

    pub(super) fn acosh(self) -> C {
        let (below, above) = (Complex::new(self.re - 1.0, self.im).sqrt(), Complex::new(self.re + 1.0, self.im).sqrt());
        Complex::new(below.conj().mul(above).re.asinh(), 2.0 * below.im.atan2(above.re))
    }

    pub(super) fn atanh(self) -> C {
        let Complex { re, im } = self;
        let below = (1.0 - re) * (1.0 - re) + im * im;
        let length = if below.is_finite() { 0.25 * (4.0 * re / below).ln_1p() } else { 0f64.copysign(re) };
        Complex::new(length, 0.5 * (2.0 * im).atan2((1.0 - re) * (1.0 + re) - im * im))
    }

    pub(super) fn asinh(self) -> C {
        self.times_i().asin().over_i()
    }

    pub(super) fn atan(self) -> C {
        self.times_i().atanh().over_i()
    }
}
