//! Complex numbers.

/// A complex number, laid out as its real and its imaginary part: an element of complex tensors.
///
/// A type of Firebrick's own rather than `num_complex`'s: elements of tensors need a `PartialOrd`, which that crate
/// rightly leaves out, and the functions that it offers lose digits near cuts and zeros. Conversions from and to pairs
/// are all that another crate's type needs. Here the order is the only one there can be: a number is comparable to itself
/// alone.
///
/// ```
/// use firebrick_core::{Complex, Tensor};
/// let x = Tensor::new([Complex::new(3.0f32, 4.0), Complex::from(1.0)])?;
/// assert_eq!(x.abs()?.to_vec::<f32>()?, [5.0, 1.0]);
/// assert_eq!(x.to_vec::<Complex<f32>>()?[0].im, 4.0);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Complex<T> {
    /// The real part.
    pub re: T,
    /// The imaginary part.
    pub im: T,
}

impl<T> Complex<T> {
    /// `re + im i`.
    ///
    /// ```
    /// # use firebrick_core::Complex;
    /// let z = Complex::new(1.0f32, 2.0);
    /// assert_eq!((z.re, z.im), (1.0, 2.0));
    /// ```
    #[inline]
    pub const fn new(re: T, im: T) -> Self {
        Complex { re, im }
    }
}

impl<T: PartialEq> PartialOrd for Complex<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (self == other).then_some(std::cmp::Ordering::Equal)
    }
}

impl<T: Default> From<T> for Complex<T> {
    fn from(re: T) -> Self {
        Complex { re, im: T::default() }
    }
}

impl<T> From<(T, T)> for Complex<T> {
    fn from((re, im): (T, T)) -> Self {
        Complex { re, im }
    }
}

impl<T> From<Complex<T>> for (T, T) {
    fn from(number: Complex<T>) -> Self {
        (number.re, number.im)
    }
}
