//! The error bounds stated in the documentation, measured against `f64` over the whole range of `f32`.

use super::super::{Lane, Real, activation, special};

/// Numbers spread evenly over the bit patterns of finite `f32`, subnormal numbers and both signs included, and
/// evenly over the interval where most functions bend.
fn sweep() -> impl Iterator<Item = f32> {
    let patterns = (0..0x7f80_0000u32).step_by(2003).map(f32::from_bits);
    let middle = (0..400_000).map(|i| i as f32 * (25.0 / 400_000.0));
    patterns.chain(middle).flat_map(|x| [x, -x])
}

/// The distance of `y` from `exact` in units in the last place of the nearest `f32`, subnormal or not.
fn ulp(y: f32, exact: f64) -> f64 {
    let nearest = exact as f32;
    if nearest.is_nan() || y.is_nan() {
        return if nearest.is_nan() && y.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if nearest == y {
        return if y.is_infinite() { 0.0 } else { ((y as f64 - exact) / unit(nearest)).abs() };
    }
    if nearest.is_infinite() != y.is_infinite() {
        // The last finite number beside infinity is one unit away.
        return if (nearest.abs() == f32::MAX) || (y.abs() == f32::MAX) { 1.0 } else { f64::INFINITY };
    }
    ((y as f64 - exact) / unit(nearest)).abs()
}

/// The spacing of `f32` at `x`.
fn unit(x: f32) -> f64 {
    let exponent = ((x.to_bits() >> 23) & 0xff).max(1) as i32;
    2f64.powi(exponent - 150)
}

/// The largest error of `f` over the sweep, where.
fn worst(f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, inside: impl Fn(f32) -> bool) -> (f64, f32) {
    sweep().filter(|&x| inside(x)).fold((0.0, 0.0), |worst, x| {
        let error = ulp(f(x), exact(x as f64));
        if error > worst.0 { (error, x) } else { worst }
    })
}

macro_rules! bounds {
    ($($name:ident: $bound:literal, |$x:ident| $fast:expr, $exact:expr $(, if $inside:expr)?;)*) => { $(
        #[test]
        fn $name() {
            fn fast<const FMA: bool>($x: f32) -> f32 {
                let $x = Lane::<f32, FMA>($x);
                $fast.0
            }
            let exact = |$x: f64| -> f64 { $exact };
            let inside = |$x: f32| -> bool { let _ = $x; true $(&& $inside)? };
            let (plain, at_plain) = worst(fast::<false>, exact, inside);
            let (fused, at_fused) = worst(fast::<true>, exact, inside);
            println!("{}: {plain:.3} at {at_plain:e}, {fused:.3} at {at_fused:e} fused", stringify!($name));
            assert!(plain <= $bound && fused <= $bound, "{plain} at {at_plain:e}, {fused} at {at_fused:e} fused");
        }
    )* };
}

/// `P(Z > |x|)`.
fn tail(x: f64) -> f64 {
    0.5 * libm::erfc(x.abs() * std::f64::consts::FRAC_1_SQRT_2)
}

bounds! {
    exp: 1.2, |x| x.exp(), x.exp();
    exp2: 1.1, |x| x.exp2(), x.exp2();
    expm1: 1.5, |x| x.expm1(), x.exp_m1();
    log: 0.8, |x| x.log(), x.ln();
    log2: 1.4, |x| x.log2(), x.log2();
    log10: 1.9, |x| x.log10(), x.log10();
    log1p: 1.4, |x| x.log1p(), x.ln_1p();
    sin: 0.51, |x| x.sin(), x.sin();
    cos: 0.51, |x| x.cos(), x.cos();
    tan: 0.51, |x| x.tan(), x.tan();
    asin: 0.51, |x| x.asin(), x.asin();
    acos: 0.51, |x| x.acos(), x.acos();
    atan: 0.51, |x| x.atan(), x.atan();
    sinh: 0.51, |x| x.sinh(), x.sinh();
    cosh: 0.51, |x| x.cosh(), x.cosh();
    tanh: 2.4, |x| x.tanh(), x.tanh();
    asinh: 0.51, |x| x.asinh(), libm::asinh(x);
    acosh: 0.51, |x| x.acosh(), libm::acosh(x), if x >= 1.0;
    atanh: 0.51, |x| x.atanh(), libm::atanh(x);
    erf: 1.2, |x| x.erf(), libm::erf(x);
    erfc: 0.51, |x| x.erfc(), libm::erfc(x);
    erfinv: 0.7, |x| x.erfinv(), super::super::erf::erfinv_f64(x);
    log_ndtr: 0.51, |x| x.log_ndtr(), super::super::erf::log_ndtr_f64(x);
    exp_normal: 1.2, |x| x.exp_normal(), x.exp(), if (-87.3..88.3).contains(&x);
    ndtr_near: 4.5, |x| x.ndtr_near(), 1.0 - tail(x), if x > 0.0;
    lgamma: 0.51, |x| x.lgamma(), libm::lgamma(x);
    digamma: 0.51, |x| x.digamma(), super::super::gamma::digamma(x);
    i0: 0.51, |x| x.i0(), super::super::gamma::i0(x);
    sigmoid: 2.4, |x| special::sigmoid(x), 1.0 / (1.0 + (-x).exp()), if x > -88.0;
    logsigmoid: 1.7, |x| special::logsigmoid(x), x.min(0.0) - (-x.abs()).exp().ln_1p();
    softplus: 1.7, |x| activation::softplus(x, Lane(1.0), Lane(20.0)), if x > 20.0 { x } else { x.exp().ln_1p() };
    gelu: 4.5, |x| activation::gelu(x), gelu_exact(x), if x > -1.0;
    gelu_tanh: 4.0, |x| activation::gelu_tanh(x), gelu_tanh_exact(x), if x > -1.0;
    silu: 2.5, |x| activation::silu(x), x / (1.0 + (-x).exp()), if x > -88.0;
    mish: 3.6, |x| activation::mish(x), mish_exact(x), if x > -87.0;
}

fn gelu_exact(x: f64) -> f64 {
    x * if x > 0.0 { 1.0 - tail(x) } else { tail(x) }
}

/// Both forms of GELU lose digits below -1, as the tail gets small, but no more than `x` itself has.
#[test]
fn gelu_is_as_exact_as_its_input() {
    fn check<const FMA: bool>(x: f32) {
        let rounding = if FMA { 2.3e-7 } else { 3.0e-7 };
        let lane = Lane::<f32, FMA>(x);
        let wide = x as f64;
        for (y, exact, bound) in [
            (activation::gelu(lane).0, gelu_exact(wide), rounding),
            (activation::gelu_tanh(lane).0, gelu_tanh_exact(wide), 1.5e-7),
        ] {
            let error = (y as f64 - exact).abs();
            assert!(error <= bound * wide.abs() + 1e-44, "{y} for {x}, not {exact}");
        }
    }
    sweep().for_each(check::<false>);
    sweep().for_each(check::<true>);
}

#[test]
fn exponentials_of_sums_end_in_zero_and_infinity() {
    for x in [-88.0, -1000.0, f32::NEG_INFINITY] {
        assert_eq!(Lane::<f32, true>(x).exp_normal().0, 0.0);
    }
    for x in [88.8, 1000.0, f32::INFINITY] {
        assert_eq!(Lane::<f32, true>(x).exp_normal().0, f32::INFINITY);
    }
    assert!(Lane::<f32, true>(f32::NAN).exp_normal().0.is_nan());
}

fn gelu_tanh_exact(x: f64) -> f64 {
    x / (1.0 + (-gelu_tanh_argument(x)).exp())
}

fn gelu_tanh_argument(x: f64) -> f64 {
    (8.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x)
}

fn mish_exact(x: f64) -> f64 {
    if x > 40.0 {
        return x;
    }
    x * x.exp().ln_1p().tanh()
}

/// Pairs of numbers of all sizes and of like sizes, by a linear congruential generator.
fn pairs() -> impl Iterator<Item = (f32, f32)> {
    let mut state = 1u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    };
    (0..400_000).map(move |i| {
        let (x, y) = (f32::from_bits(next()), f32::from_bits(next()));
        // Every other pair has exponents around zero.
        if i % 2 == 0 { (x, y) } else { (near_one(x), near_one(y)) }
    })
}

/// `x` with its exponent brought to within 16 of zero.
fn near_one(x: f32) -> f32 {
    let exponent = (x.to_bits() >> 23) % 32 + 111;
    f32::from_bits((x.to_bits() & 0x807f_ffff) | exponent << 23)
}

/// The largest error of `f` over the pairs.
fn worst_of_pairs(f: impl Fn(f32, f32) -> f32, exact: impl Fn(f64, f64) -> f64) -> f64 {
    pairs().map(|(x, y)| ulp(f(x, y), exact(x as f64, y as f64))).fold(0.0, f64::max)
}

#[test]
fn functions_of_two_numbers_round_once() {
    assert!(worst_of_pairs(|x, y| Lane::<_, false>(x).pow(Lane(y)).0, f64::powf) <= 0.51);
    assert!(worst_of_pairs(|x, y| Lane::<_, true>(x).pow(Lane(y)).0, f64::powf) <= 0.51);
    assert!(worst_of_pairs(|x, y| Lane::<_, false>(x).atan2(Lane(y)).0, f64::atan2) <= 0.51);
    assert!(worst_of_pairs(|x, y| Lane::<_, true>(x).atan2(Lane(y)).0, f64::atan2) <= 0.51);
    assert!(worst_of_pairs(|x, y| Lane::<_, false>(x).hypot(Lane(y)).0, f64::hypot) <= 0.51);
    assert_eq!(worst_of_pairs(|x, y| Lane::<_, false>(x).fmod(Lane(y)).0, |x, y| x % y), 0.0);
}

#[test]
fn integers_have_exact_powers_and_logarithms() {
    for n in -149..128 {
        let power = 2f64.powi(n) as f32;
        assert_eq!(Lane::<f32, false>(n as f32).exp2().0, power);
        assert_eq!(Lane::<f32, false>(power).log2().0, n as f32);
        assert_eq!(Lane::<f32, true>(power).log2().0, n as f32);
    }
    for n in 1..256 {
        let x = n as f32;
        for (exponent, exact) in
            [(2.0, x * x), (3.0, x * x * x), (0.5, x.sqrt()), (-1.0, 1.0 / x), (1.0, x), (0.0, 1.0)]
        {
            assert_eq!(Lane::<f32, false>(x).pow(Lane(exponent)).0, exact, "{x}^{exponent}");
        }
    }
}
