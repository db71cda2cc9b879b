//! Elements as unsigned integers in the same order.

use crate::{DType, Element};

/// How many bits the keys of `T` have.
pub(super) const fn key_bits<T: Element>() -> u32 {
    match T::DTYPE {
        DType::F16 | DType::BF16 => 32,
        dtype => dtype.size() as u32 * 8,
    }
}

/// Smaller for smaller elements, equal for equal ones; that of NaN, [`nan_key`], is above all others.
#[inline(always)]
pub(super) fn key<T: Element>(value: T) -> u64 {
    match T::DTYPE {
        // Adding zero makes the two zeros one.
        DType::F64 => {
            let v = value.to_f64() + 0.0;
            let bits = v.to_bits();
            let above = if v.is_sign_negative() { !bits } else { bits | 1 << 63 };
            if v.is_nan() { u64::MAX } else { above }
        }
        DType::F32 | DType::F16 | DType::BF16 => {
            let v = value.to_f32() + 0.0;
            let bits = v.to_bits();
            let above = if v.is_sign_negative() { !bits } else { bits | 1 << 31 };
            u64::from(if v.is_nan() { u32::MAX } else { above })
        }
        DType::Bool | DType::U8 => value.to_i64() as u64,
        // Signed integers, shifted to begin with zero.
        _ => (value.to_i64() as u64).wrapping_add(1 << (key_bits::<T>() - 1)) & (u64::MAX >> (64 - key_bits::<T>())),
    }
}

/// The key of NaN, for types that have it.
pub(super) fn nan_key<T: Element>() -> Option<u64> {
    T::DTYPE.is_floating_point().then_some(u64::MAX >> (64 - key_bits::<T>()))
}

/// A key above a place, in one integer.
pub(super) trait Packed: Copy + Ord + Default + Send + Sync + 'static {
    fn new(key: u64, place: usize) -> Self;
    fn key(self) -> u64;
    fn place(self) -> usize;
}

impl Packed for u64 {
    #[inline(always)]
    fn new(key: u64, place: usize) -> u64 {
        key << 32 | place as u64
    }
    #[inline(always)]
    fn key(self) -> u64 {
        self >> 32
    }
    #[inline(always)]
    fn place(self) -> usize {
        self as u32 as usize
    }
}

impl Packed for u128 {
    #[inline(always)]
    fn new(key: u64, place: usize) -> u128 {
        u128::from(key) << 64 | place as u128
    }
    #[inline(always)]
    fn key(self) -> u64 {
        (self >> 64) as u64
    }
    #[inline(always)]
    fn place(self) -> usize {
        self as u64 as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::{bf16, f16};

    fn rises<T: Element>(values: &[T]) {
        assert!(values.windows(2).all(|pair| key(pair[0]) < key(pair[1])), "{values:?}");
        assert!(values.iter().all(|&v| key_bits::<T>() == 64 || key(v) < 1 << key_bits::<T>()));
    }

    #[test]
    fn keys_rise_with_the_elements() {
        rises(&[false, true]);
        rises(&[0u8, 1, 127, 128, 255]);
        rises(&[i8::MIN, -1, 0, 1, i8::MAX]);
        rises(&[i16::MIN, -1, 0, 1, i16::MAX]);
        rises(&[i32::MIN, -1, 0, 1, i32::MAX]);
        rises(&[i64::MIN, -1, 0, 1, i64::MAX]);
        let numbers = [f64::NEG_INFINITY, -3.0, -2.5, -0.125, 0.0, 0.125, 2.5, 3.0, f64::INFINITY, f64::NAN];
        rises(&numbers);
        rises(&numbers.map(|v| v as f32));
        rises(&numbers.map(f16::from_f64));
        rises(&numbers.map(bf16::from_f64));
    }

    #[test]
    fn zeros_are_equal_and_so_are_nans() {
        assert_eq!((key(-0.0f64), key(-0.0f32)), (key(0.0f64), key(0.0f32)));
        assert_eq!(Some(key(-f64::NAN)), nan_key::<f64>());
        assert_eq!(Some(key(-f32::NAN)), nan_key::<f32>());
    }
}
