//! Multiply-add and polynomials, with or without the fused instruction.

/// Arithmetic whose `FMA` parameter says whether the code around it is compiled for a processor with fused
/// multiply-add.
///
/// `f32::mul_add` compiles to one instruction inside a function with `#[target_feature(enable = "fma")]` and to a
/// call of a slow library routine anywhere else, and `cfg!(target_feature)` does not see that attribute.
/// So the loop, which knows, passes the fact down as a constant.
pub(super) trait MulAdd: Copy {
    /// `self * a + b`, rounded once if `FMA`; otherwise as near to that as costs little.
    fn fma<const FMA: bool>(self, a: Self, b: Self) -> Self;

    /// The polynomial in `self` with these coefficients, highest power first, by Horner's rule.
    #[inline(always)]
    fn poly<const FMA: bool, const N: usize>(self, coefficients: [Self; N]) -> Self {
        let mut sum = coefficients[0];
        for &c in &coefficients[1..] {
            sum = sum.fma::<FMA>(self, c);
        }
        sum
    }
}

impl MulAdd for f32 {
    /// Without an instruction for it, in double precision, which holds the product exactly.
    #[inline(always)]
    fn fma<const FMA: bool>(self, a: Self, b: Self) -> Self {
        if FMA { self.mul_add(a, b) } else { (f64::from(self) * f64::from(a) + f64::from(b)) as f32 }
    }
}

impl MulAdd for f64 {
    #[inline(always)]
    fn fma<const FMA: bool>(self, a: Self, b: Self) -> Self {
        if FMA { self.mul_add(a, b) } else { self * a + b }
    }
}
