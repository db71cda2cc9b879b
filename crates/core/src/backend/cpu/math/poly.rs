//! Multiply-add and polynomials, with or without the fused instruction.

/// Arithmetic whose `FMA` parameter says whether the code around it is compiled for a processor with fused
/// multiply-add.
///
/// `f32::mul_add` compiles to one instruction inside a function with `#[target_feature(enable = "fma")]` and to a
/// call of a slow library routine anywhere else, and `cfg!(target_feature)` does not see that attribute.
/// So the loop, which knows, passes the fact down as a constant.
pub(super) trait MulAdd: Copy {
    /// `self * a + b`, rounded once if `FMA` and twice otherwise.
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

macro_rules! mul_add {
    ($($float:ty)*) => { $(
        impl MulAdd for $float {
            #[inline(always)]
            fn fma<const FMA: bool>(self, a: Self, b: Self) -> Self {
                if FMA { self.mul_add(a, b) } else { self * a + b }
            }
        }
    )* };
}
mul_add!(f32 f64);
