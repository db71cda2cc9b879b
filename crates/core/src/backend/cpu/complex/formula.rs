//! Which elementwise kernels know complex numbers, and their formulas.

use super::math::C;
use crate::Complex;
use crate::backend::{Binary, Map, Ternary, Unary};
use std::f64::consts::{LN_2, LN_10};

/// The value of one element from those of the operands; a kernel of fewer does not look at the others.
pub(crate) type Formula = Box<dyn Fn([C; 3]) -> C + Send + Sync>;

/// The formula of a kernel; `None` where it is one of real numbers only. Real results have no imaginary part.
pub(crate) fn formula(kernel: Map) -> Option<Formula> {
    match kernel {
        Map::Unary(kernel) => unary(kernel),
        Map::Binary(kernel) => binary(kernel),
        Map::Ternary(kernel) => ternary(kernel),
    }
}

fn unary(kernel: Unary) -> Option<Formula> {
    use Unary as U;
    let f: fn(C) -> C = match kernel {
        U::Neg => C::neg,
        U::Abs => |z| C::real(z.abs()),
        U::Angle => |z| C::real(z.angle()),
        U::Sign => C::sgn,
        U::Square => |z| z.mul(z),
        U::Cube => |z| z.mul(z).mul(z),
        U::InverseSquare => |z| z.mul(z).reciprocal(),
        U::Sqrt => C::sqrt,
        U::Rsqrt => |z| z.sqrt().reciprocal(),
        U::Reciprocal => C::reciprocal,
        U::Exp => C::exp,
        U::Exp2 => |z| z.scale(LN_2).exp(),
        U::Expm1 => C::expm1,
        U::Log => C::log,
        U::Log2 => |z| z.log().scale(1.0 / LN_2),
        U::Log10 => |z| z.log().scale(1.0 / LN_10),
        U::Log1p => C::log1p,
        U::Sin => C::sin,
        U::Cos => C::cos,
        U::Tan => C::tan,
        U::Asin => C::asin,
        U::Acos => C::acos,
        U::Atan => C::atan,
        U::Sinh => C::sinh,
        U::Cosh => C::cosh,
        U::Tanh => C::tanh,
        U::Asinh => C::asinh,
        U::Acosh => C::acosh,
        U::Atanh => C::atanh,
        U::Sinc => C::sinc,
        U::Sigmoid => C::sigmoid,
        U::Silu => |z| z.mul(z.sigmoid()),
        U::LogicalNot => |z| C::truth(z.is_zero()),
        U::IsNan => |z| C::truth(z.is_nan()),
        U::IsInf => |z| C::truth(z.re.is_infinite() || z.im.is_infinite()),
        U::IsFinite => |z| C::truth(z.is_finite()),
        U::NanToNum(nan, largest, lowest) => {
            let part = move |v: f64| match v {
                v if v.is_nan() => nan,
                f64::INFINITY => largest,
                f64::NEG_INFINITY => lowest,
                v => v,
            };
            return Some(Box::new(move |[z, ..]| Complex::new(part(z.re), part(z.im))));
        }
        _ => return None,
    };
    Some(Box::new(move |[z, ..]| f(z)))
}

fn binary(kernel: Binary) -> Option<Formula> {
    use Binary as B;
    let f: fn(C, C) -> C = match kernel {
        B::Add => C::add,
        B::Sub => C::sub,
        B::Mul => C::mul,
        B::Div => C::div,
        B::Pow => C::pow,
        B::LogAddExp => |a, b| {
            let (large, small) = if a.re >= b.re { (a, b) } else { (b, a) };
            large.add(small.sub(large).exp().log1p())
        },
        B::Ldexp => |a, b| a.mul(C::real(2.0).pow(b)),
        B::Eq => |a, b| C::truth(a == b),
        B::Ne => |a, b| C::truth(a != b),
        B::LogicalAnd => |a, b| C::truth(!a.is_zero() && !b.is_zero()),
        B::LogicalOr => |a, b| C::truth(!a.is_zero() || !b.is_zero()),
        B::LogicalXor => |a, b| C::truth(a.is_zero() != b.is_zero()),
        B::SigmoidGrad => |g, y| g.mul(y).mul(C::ONE.sub(y)),
        B::TanhGrad => |g, y| g.mul(C::ONE.sub(y.mul(y))),
        B::SiluGrad => |g, z| {
            let s = z.sigmoid();
            g.mul(s).mul(C::ONE.add(z.mul(C::ONE.sub(s))))
        },
        B::AddScaled(factor) => return Some(Box::new(move |[a, b, _]| a.add(b.scale(factor)))),
        _ => return None,
    };
    Some(Box::new(move |[a, b, _]| f(a, b)))
}

fn ternary(kernel: Ternary) -> Option<Formula> {
    Some(match kernel {
        Ternary::Where => Box::new(|[condition, a, b]| if condition.is_zero() { b } else { a }),
        Ternary::MaskedFill => Box::new(|[a, mask, b]| if mask.is_zero() { a } else { b }),
        Ternary::Lerp => Box::new(|[start, end, weight]| match weight.abs() < 0.5 {
            true => start.add(weight.mul(end.sub(start))),
            false => end.sub(end.sub(start).mul(C::ONE.sub(weight))),
        }),
        Ternary::Addcmul(value) => Box::new(move |[x, a, b]| x.add(a.mul(b).scale(value))),
        Ternary::Addcdiv(value) => Box::new(move |[x, a, b]| x.add(a.div(b).scale(value))),
        Ternary::Clamp => return None,
    })
}
