//! The three kinds of number that kernels of several elements at once compute in, and the loads and stores of tiles.
//!
//! A kernel is written once, over [`Number`]; [`compiled`] makes one copy for each kind and instruction set.

use super::layout::{Shared, convert};
use super::math::{Lane, Real};
use crate::tensor::Body;
use crate::{DType, Element, dispatch};
use std::mem::MaybeUninit;

/// Elements that are loaded and stored together where they have to be converted.
pub(crate) const TILE: usize = 256;

/// Room for one tile.
pub(crate) type Tile<A> = [MaybeUninit<A>; TILE];

/// A tile that nothing has been written to.
#[inline(always)]
pub(crate) fn tile<A: Number>() -> Tile<A> {
    [const { MaybeUninit::uninit() }; TILE]
}

/// `f64` for floating point, `i64` for integers.
pub(crate) trait Sum: Copy + Send + Sync {
    const ZERO: Self;
    fn plus(self, other: Self) -> Self;
    fn to_f64(self) -> f64;
}

impl Sum for f64 {
    const ZERO: Self = 0.0;
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
}

impl Sum for i64 {
    const ZERO: Self = 0;
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self as f64
    }
}

/// `f32` and `f64` as lanes, and `i64`, which stands for every integer.
pub(crate) trait Number: Copy + PartialOrd + Send + Sync + 'static {
    /// The element that has the same bits.
    type Raw: Element;
    /// What many of them are added up in.
    type Sum: Sum;
    /// As part of a sum.
    fn widen(self) -> Self::Sum;
    /// The nearest number to a sum.
    fn narrow(sum: Self::Sum) -> Self;
    const ZERO: Self;
    const ONE: Self;
    /// Not above any number.
    const LOWEST: Self;
    /// Not below any number.
    const HIGHEST: Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// `self * a + b`.
    fn mul_add(self, a: Self, b: Self) -> Self;
    fn abs(self) -> Self;
    /// The exponential; in single precision zero where it is not a normal number.
    fn exp(self) -> Self;
    fn log(self) -> Self;
    fn log1p(self) -> Self;
    fn div(self, other: Self) -> Self;
    fn pow(self, exponent: Self) -> Self;
    fn is_nan(self) -> bool;
    fn from_f64(value: f64) -> Self;
    fn to_f64(self) -> f64;
    /// Converts `n` elements `stride` apart; compiled for the widest instructions.
    ///
    /// # Safety
    /// The elements lie within the port's body, and `to` has room for them.
    unsafe fn gather(from: Port, at: usize, stride: usize, n: usize, to: *mut Self);
    /// The way back.
    ///
    /// # Safety
    /// The elements lie within the port's body and belong to this task.
    unsafe fn scatter(values: &[Self], to: Port, at: usize, stride: usize);
    /// The larger; NaN where one is.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if other > self || other.is_nan() { other } else { self }
    }
    /// The larger; the first where the second is NaN. One instruction.
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        if other > self { other } else { self }
    }
    /// The smaller; NaN where one is.
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if other < self || other.is_nan() { other } else { self }
    }
}

macro_rules! float_number {
    ($($t:ident, $gather:ident, $scatter:ident;)*) => { $(
        impl<const FMA: bool> Number for Lane<$t, FMA> {
            type Raw = $t;
            type Sum = f64;
            #[inline(always)]
            fn widen(self) -> f64 { self.0 as f64 }
            #[inline(always)]
            fn narrow(sum: f64) -> Self { Lane(sum as $t) }
            const ZERO: Self = Lane(0.0);
            const ONE: Self = Lane(1.0);
            const LOWEST: Self = Lane($t::NEG_INFINITY);
            const HIGHEST: Self = Lane($t::INFINITY);
            #[inline(always)]
            fn add(self, other: Self) -> Self { Lane(self.0 + other.0) }
            #[inline(always)]
            fn sub(self, other: Self) -> Self { Lane(self.0 - other.0) }
            #[inline(always)]
            fn mul(self, other: Self) -> Self { Lane(self.0 * other.0) }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self { Real::mul_add(self, a, b) }
            #[inline(always)]
            fn abs(self) -> Self { Lane(self.0.abs()) }
            #[inline(always)]
            fn exp(self) -> Self { Real::exp_normal(self) }
            #[inline(always)]
            fn log(self) -> Self { Real::log(self) }
            #[inline(always)]
            fn log1p(self) -> Self { Real::log1p(self) }
            #[inline(always)]
            fn div(self, other: Self) -> Self { Lane(self.0 / other.0) }
            #[inline(always)]
            fn pow(self, exponent: Self) -> Self { Real::pow(self, exponent) }
            #[inline(always)]
            fn is_nan(self) -> bool { self.0.is_nan() }
            #[inline(always)]
            fn from_f64(value: f64) -> Self { Lane(value as $t) }
            #[inline(always)]
            fn to_f64(self) -> f64 { self.0 as f64 }
            #[inline(always)]
            unsafe fn gather(from: Port, at: usize, stride: usize, n: usize, to: *mut Self) {
                $gather(from, at, stride, n, Shared(to.cast::<$t>()));
            }
            #[inline(always)]
            unsafe fn scatter(values: &[Self], to: Port, at: usize, stride: usize) {
                // SAFETY: a lane is its number.
                let values = unsafe { std::slice::from_raw_parts(values.as_ptr().cast::<$t>(), values.len()) };
                $scatter(values, to, at, stride);
            }
        }
    )* };
}
float_number! { f32, gather_f32, scatter_f32; f64, gather_f64, scatter_f64; }

impl Number for i64 {
    type Raw = i64;
    type Sum = i64;
    #[inline(always)]
    fn widen(self) -> i64 {
        self
    }
    #[inline(always)]
    fn narrow(sum: i64) -> Self {
        sum
    }
    const ZERO: Self = 0;
    const ONE: Self = 1;
    const LOWEST: Self = i64::MIN;
    const HIGHEST: Self = i64::MAX;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.wrapping_mul(other)
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        self.wrapping_mul(a).wrapping_add(b)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.wrapping_abs()
    }
    #[inline(always)]
    fn exp(self) -> Self {
        (self as f64).exp() as i64
    }
    #[inline(always)]
    fn log(self) -> Self {
        (self as f64).ln() as i64
    }
    #[inline(always)]
    fn log1p(self) -> Self {
        (self as f64).ln_1p() as i64
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.checked_div(other).unwrap_or(0)
    }
    #[inline(always)]
    fn pow(self, exponent: Self) -> Self {
        (self as f64).powf(exponent as f64) as i64
    }
    #[inline(always)]
    fn is_nan(self) -> bool {
        false
    }
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as i64
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self as f64
    }
    #[inline(always)]
    unsafe fn gather(from: Port, at: usize, stride: usize, n: usize, to: *mut Self) {
        gather_i64(from, at, stride, n, Shared(to));
    }
    #[inline(always)]
    unsafe fn scatter(values: &[Self], to: Port, at: usize, stride: usize) {
        scatter_i64(values, to, at, stride);
    }
}

/// The three types that kernels compute in, as elements.
pub(crate) trait Computed: Element {
    /// A number of this type; with what instructions is not said.
    type As: Number<Raw = Self>;
}
impl Computed for f32 {
    type As = S;
}
impl Computed for f64 {
    type As = D;
}
impl Computed for i64 {
    type As = i64;
}

/// Where the elements of a body begin, and their type.
#[derive(Clone, Copy)]
pub(crate) struct Port {
    start: Shared<u8>,
    dtype: DType,
}

impl Port {
    pub fn new(body: &Body) -> Port {
        Port { start: Shared(body.ptr()), dtype: body.dtype }
    }

    /// Memory that is no tensor's.
    pub fn raw<T: Element>(start: *mut T) -> Port {
        Port { start: Shared(start.cast()), dtype: T::DTYPE }
    }

    /// The address of element `at`, where the elements have the bits of `A` already.
    #[inline(always)]
    pub fn direct<A: Number>(self, at: usize) -> Option<*mut A> {
        // SAFETY: callers pass elements of the body.
        (self.dtype == A::Raw::DTYPE).then(|| unsafe { self.start.get().cast::<A>().add(at) })
    }

    /// `n` elements `stride` apart from `at` on: in place where that is possible, else by way of `buffer`.
    ///
    /// # Safety
    /// The elements lie within the body, which is locked; `n <= TILE` unless they are used in place.
    #[inline(always)]
    pub unsafe fn load<A: Number>(self, at: usize, stride: usize, n: usize, buffer: &mut Tile<A>) -> &[A] {
        match self.direct::<A>(at) {
            // SAFETY: a lane is its number.
            Some(start) if stride == 1 => unsafe { std::slice::from_raw_parts(start, n) },
            _ => unsafe {
                A::gather(self, at, stride, n, buffer.as_mut_ptr().cast());
                std::slice::from_raw_parts(buffer.as_ptr().cast(), n)
            },
        }
    }

    /// Writes values `stride` apart from `at` on.
    ///
    /// # Safety
    /// The elements lie within the body, which is locked for writing, and belong to this task.
    #[inline(always)]
    pub unsafe fn store<A: Number>(self, at: usize, stride: usize, values: &[A]) {
        match self.direct::<A>(at) {
            // SAFETY: as above.
            Some(start) if stride == 1 => unsafe {
                std::ptr::copy_nonoverlapping(values.as_ptr(), start, values.len());
            },
            _ => unsafe { A::scatter(values, self, at, stride) },
        }
    }
}

#[inline(always)]
fn gather<A: Number>(from: Port, at: usize, stride: usize, n: usize, to: Shared<A::Raw>) {
    dispatch!(from.dtype, S => {
        // SAFETY: `Number::gather`'s caller vouches for both ends.
        unsafe {
            let (from, to) = (from.start.get().cast::<S>().add(at), to.get());
            match stride {
                0 => {
                    let value = convert::<S, A::Raw>(*from);
                    for i in 0..n {
                        *to.add(i) = value;
                    }
                }
                1 => {
                    for i in 0..n {
                        *to.add(i) = convert::<S, A::Raw>(*from.add(i));
                    }
                }
                _ => {
                    for i in 0..n {
                        *to.add(i) = convert::<S, A::Raw>(*from.add(i * stride));
                    }
                }
            }
        }
    });
}

#[inline(always)]
fn scatter<A: Number>(values: &[A::Raw], to: Port, at: usize, stride: usize) {
    dispatch!(to.dtype, D => {
        // SAFETY: `Number::scatter`'s caller vouches for the output.
        unsafe {
            let to = to.start.get().cast::<D>().add(at);
            if stride == 1 {
                for (i, &v) in values.iter().enumerate() {
                    *to.add(i) = convert::<A::Raw, D>(v);
                }
            } else {
                for (i, &v) in values.iter().enumerate() {
                    *to.add(i * stride) = convert::<A::Raw, D>(v);
                }
            }
        }
    });
}

/// Functions that run `$body` compiled for the widest instructions there are: `$plain` without, `$fused` with fused
/// multiply-add.
macro_rules! compiled {
    ($($vis:vis fn $name:ident($($arg:ident: $t:ty),*) = $plain:expr, $fused:expr;)*) => { $(
        $vis fn $name($($arg: $t),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma,f16c")]
                fn wide($($arg: $t),*) {
                    $fused($($arg),*)
                }
                #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,f16c")]
                fn widest($($arg: $t),*) {
                    $fused($($arg),*)
                }
                match $crate::backend::cpu::simd::level() {
                    // SAFETY (of both): the processor has the features.
                    $crate::backend::cpu::simd::Level::Avx512 => return unsafe { widest($($arg),*) },
                    $crate::backend::cpu::simd::Level::Avx2 => return unsafe { wide($($arg),*) },
                    $crate::backend::cpu::simd::Level::Baseline => {}
                }
            }
            if cfg!(target_arch = "aarch64") { $fused($($arg),*) } else { $plain($($arg),*) }
        }
    )* };
}
pub(crate) use compiled;

/// Single precision without and with fused multiply-add, and double precision.
pub(crate) type S = Lane<f32, false>;
/// See [`S`].
pub(crate) type SFused = Lane<f32, true>;
/// See [`S`].
pub(crate) type D = Lane<f64, false>;
/// See [`S`].
pub(crate) type DFused = Lane<f64, true>;

compiled! {
    fn gather_f32(from: Port, at: usize, stride: usize, n: usize, to: Shared<f32>) = gather::<S>, gather::<SFused>;
    fn gather_f64(from: Port, at: usize, stride: usize, n: usize, to: Shared<f64>) = gather::<D>, gather::<DFused>;
    fn gather_i64(from: Port, at: usize, stride: usize, n: usize, to: Shared<i64>) = gather::<i64>, gather::<i64>;
    fn scatter_f32(values: &[f32], to: Port, at: usize, stride: usize) = scatter::<S>, scatter::<SFused>;
    fn scatter_f64(values: &[f64], to: Port, at: usize, stride: usize) = scatter::<D>, scatter::<DFused>;
    fn scatter_i64(values: &[i64], to: Port, at: usize, stride: usize) = scatter::<i64>, scatter::<i64>;
}
