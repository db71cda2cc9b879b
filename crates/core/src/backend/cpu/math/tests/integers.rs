//! Integer arithmetic: values from PyTorch 2.15, `int64`.

use super::super::int;

const MIN: i64 = i64::MIN;

#[test]
fn division_follows_the_signs_python_and_c_give_it() {
    for (x, y, floor, trunc, remainder, fmod) in [
        (7, 3, 2, 2, 1, 1),
        (-7, 3, -3, -2, 2, -1),
        (7, -3, -3, -2, -2, 1),
        (-7, -3, 2, 2, -1, -1),
        (MIN, 2, MIN / 2, MIN / 2, 0, 0),
        (5, MIN, -1, 0, MIN + 5, 5),
        (MIN, -1, MIN, MIN, 0, 0),
    ] {
        assert_eq!(int::floor_divide(x, y), Some(floor), "{x} // {y}");
        assert_eq!(int::trunc_divide(x, y), Some(trunc), "{x} / {y}");
        assert_eq!(int::remainder(x, y), Some(remainder), "{x} % {y}");
        assert_eq!(int::fmod(x, y), Some(fmod), "fmod({x}, {y})");
    }
}

#[test]
fn division_by_zero_is_reported() {
    for f in [int::floor_divide, int::trunc_divide, int::remainder, int::fmod] {
        assert_eq!(f(1, 0), None);
    }
}

#[test]
fn powers_wrap_and_negative_exponents_keep_only_units() {
    for (base, exponent, expected) in [
        (2, -1, 0),
        (1, -1, 1),
        (-1, -1, -1),
        (-1, -2, 1),
        (-1, -3, -1),
        (0, -1, 0),
        (0, 0, 1),
        (3, 41, -420_491_770_248_316_829),
        (-2, 63, MIN),
        (2, 64, 0),
    ] {
        assert_eq!(int::pow(base, exponent), expected, "{base}^{exponent}");
    }
}

#[test]
fn common_divisors_and_multiples_are_not_negative_but_for_the_smallest_number() {
    for (x, y, expected) in
        [(0, 0, 0), (0, -5, 5), (-4, 6, 2), (MIN, 0, MIN), (MIN, MIN, MIN), (MIN, 2, 2), (5, MIN, -1)]
    {
        assert_eq!(int::gcd(x, y), expected, "gcd({x}, {y})");
    }
    for (x, y, expected) in [(0, 0, 0), (0, -5, 0), (-4, 6, 12), (7, -3, 21), (MIN, 0, 0), (MIN, 1, MIN), (5, MIN, MIN)]
    {
        assert_eq!(int::lcm(x, y), expected, "lcm({x}, {y})");
    }
}

#[test]
fn shifts_out_of_range_leave_zero_or_the_sign() {
    for (x, shift, bits, expected) in
        [(1, 63, 64, MIN), (-1, 63, 64, MIN), (1, 64, 64, 0), (1, -1, 64, 0), (-8, 1, 64, -16), (1, 32, 32, 0)]
    {
        assert_eq!(int::left_shift(x, shift, bits), expected, "{x} << {shift}");
    }
    for (x, shift, bits, expected) in [
        (8, 1, 64, 4),
        (-8, 1, 64, -4),
        (8, 64, 64, 0),
        (-8, 64, 64, -1),
        (8, -1, 64, 0),
        (-8, -1, 64, -1),
        (MIN, 63, 64, -1),
        (1 << 62, 62, 64, 1),
        (200, 8, 8, 0),
        (-100, 32, 32, -1),
    ] {
        assert_eq!(int::right_shift(x, shift, bits), expected, "{x} >> {shift}");
    }
}

#[test]
fn the_smallest_number_wraps() {
    assert_eq!((int::abs(MIN), int::neg(MIN), int::add(i64::MAX, 1), int::sub(MIN, 1)), (MIN, MIN, MIN, i64::MAX));
    assert_eq!((int::mul(MIN, -1), int::sign(MIN), int::sign(0), int::sign(9)), (MIN, -1, 0, 1));
    assert_eq!((int::maximum(-1, 2), int::minimum(-1, 2)), (2, -1));
}
