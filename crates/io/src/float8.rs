//! The eight-bit floating-point types of checkpoints: to single precision and back, as PyTorch does it.

use firebrick_core::{DType, Error, Result, Tensor};
use std::fmt;

/// One of PyTorch's eight-bit floating-point types. Firebrick keeps and converts them, but does not compute with them.
///
/// A number is a sign, an exponent and a fraction, which the names count: `e4m3` has four bits of exponent and three of fraction.
/// Types with `n` have no infinities, those with `uz` no negative zero. Half and double precision go by way of single precision.
///
/// ```
/// use firebrick_io::Float8;
/// assert_eq!(Float8::E4M3Fn.to_f32(0b0_1000_100), 3.0);
/// assert_eq!(Float8::E4M3Fn.from_f32(3.1), 0b0_1000_100);
/// // Beyond the largest number, PyTorch 2.15 takes the largest, infinity or NaN, as the type has it.
/// assert_eq!(Float8::E4M3Fn.to_f32(Float8::E4M3Fn.from_f32(1e6)), 448.0);
/// assert_eq!(Float8::E5M2.to_f32(Float8::E5M2.from_f32(1e6)), f32::INFINITY);
/// assert!(Float8::E5M2Fnuz.to_f32(Float8::E5M2Fnuz.from_f32(1e6)).is_nan());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Float8 {
    /// `torch.float8_e4m3fn`, up to 448.
    E4M3Fn,
    /// `torch.float8_e5m2`, up to 57,344.
    E5M2,
    /// `torch.float8_e4m3fnuz`, up to 240.
    E4M3Fnuz,
    /// `torch.float8_e5m2fnuz`, up to 57,344.
    E5M2Fnuz,
}

/// Bits of the fraction of single precision, the bias of its exponent, and its infinity.
const FRACTION: u32 = 23;
const BIAS: u32 = 127;
const INFINITY: u32 = 0x7f80_0000;

/// How a type lays out its bits.
struct Layout {
    fraction: u32,
    bias: u32,
    /// The largest number.
    largest: u8,
    /// What larger numbers and infinities become, and what NaN becomes.
    beyond: u8,
    nan: u8,
    /// Does the type have NaN in the place of the negative zero, and no sign of it?
    unsigned_zero: bool,
}

impl Float8 {
    /// All of them.
    pub const ALL: [Float8; 4] = [Float8::E4M3Fn, Float8::E5M2, Float8::E4M3Fnuz, Float8::E5M2Fnuz];

    /// PyTorch's name without the `torch.` before it.
    ///
    /// ```
    /// use firebrick_io::Float8;
    /// assert_eq!(Float8::E5M2.name(), "float8_e5m2");
    /// assert_eq!(Float8::from_name("float8_e5m2"), Some(Float8::E5M2));
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Float8::E4M3Fn => "float8_e4m3fn",
            Float8::E5M2 => "float8_e5m2",
            Float8::E4M3Fnuz => "float8_e4m3fnuz",
            Float8::E5M2Fnuz => "float8_e5m2fnuz",
        }
    }

    /// The type with this PyTorch name; [`Float8::name`] shows it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|float8| float8.name() == name)
    }

    const fn layout(self) -> Layout {
        let (fraction, bias, largest, beyond, nan, unsigned_zero) = match self {
            Float8::E4M3Fn => (3, 7, 0x7e, 0x7e, 0x7f, false),
            Float8::E5M2 => (2, 15, 0x7b, 0x7c, 0x7f, false),
            Float8::E4M3Fnuz => (3, 8, 0x7f, 0x80, 0x80, true),
            Float8::E5M2Fnuz => (2, 16, 0x7f, 0x80, 0x80, true),
        };
        Layout { fraction, bias, largest, beyond, nan, unsigned_zero }
    }

    /// The largest number.
    ///
    /// ```
    /// use firebrick_io::Float8;
    /// assert_eq!((Float8::E4M3Fn.largest(), Float8::E5M2.largest()), (448.0, 57344.0));
    /// ```
    pub fn largest(self) -> f32 {
        self.to_f32(self.layout().largest)
    }

    /// The number that a byte stands for, exactly.
    pub fn to_f32(self, byte: u8) -> f32 {
        let Layout { fraction, bias, largest, unsigned_zero, .. } = self.layout();
        if unsigned_zero && byte == 0x80 {
            return f32::from_bits(INFINITY | 1);
        }
        let (sign, code) = (u32::from(byte & 0x80) << 24, u32::from(byte & 0x7f));
        let part = code & ((1 << fraction) - 1);
        let magnitude = match code >> fraction {
            // What no number has: infinity, or a NaN that is made quiet.
            _ if code > largest.into() && part == 0 => INFINITY,
            _ if code > largest.into() => INFINITY | 1 << (FRACTION - 1) | part << (FRACTION - fraction),
            0 => (part as f32 * power(1 - bias as i32 - fraction as i32)).to_bits(),
            _ => (code << (FRACTION - fraction)) + ((BIAS - bias) << FRACTION),
        };
        f32::from_bits(sign | magnitude)
    }

    /// The byte of the nearest number, of the two nearest that whose last bit is 0.
    pub fn from_f32(self, value: f32) -> u8 {
        let Layout { fraction, bias, largest, beyond, nan, unsigned_zero } = self.layout();
        let sign = if value.is_sign_negative() { 0x80 } else { 0 };
        let magnitude = value.abs().to_bits();
        let smallest_normal = (BIAS + 1 - bias) << FRACTION;
        let code = if value.is_nan() {
            nan
        } else if magnitude < smallest_normal {
            // Below the normal numbers, which are all multiples of one step.
            (value.abs() * power(bias as i32 - 1 + fraction as i32)).round_ties_even() as u8
        } else {
            let drop = FRACTION - fraction;
            let exact = magnitude - ((BIAS - bias) << FRACTION);
            let rounded = (exact + (1 << (drop - 1)) - 1 + (exact >> drop & 1)) >> drop;
            u8::try_from(rounded).ok().filter(|&code| code <= largest).unwrap_or(beyond)
        };
        if unsigned_zero && code == 0 { 0 } else { sign | code }
    }

    /// The numbers that the bytes of a tensor of `torch.uint8` stand for, in single precision.
    ///
    /// # Errors
    /// A tensor of another dtype.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_io::Float8;
    /// let bytes = Float8::E4M3Fn.encode(&Tensor::new([1.0f32, -2.0, 0.3])?)?;
    /// assert_eq!(bytes.to_vec::<u8>()?, [56, 192, 42]);
    /// assert_eq!(Float8::E4M3Fn.decode(&bytes)?.to_vec::<f32>()?, [1.0, -2.0, 0.3125]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn decode(self, bytes: &Tensor) -> Result<Tensor> {
        if bytes.dtype() != DType::U8 {
            return Err(Error::type_("decode", format!("bytes are uint8, not {}", bytes.dtype())));
        }
        let table: Vec<f32> = (0..=u8::MAX).map(|byte| self.to_f32(byte)).collect();
        let values: Vec<f32> = bytes.to_bytes()?.into_iter().map(|byte| table[usize::from(byte)]).collect();
        Tensor::from_vec(values, bytes.shape())
    }

    /// The bytes, a tensor of `torch.uint8`, of the numbers nearest to those of a tensor of floating point. [`Float8::decode`]
    /// shows it.
    ///
    /// # Errors
    /// A tensor of another dtype.
    pub fn encode(self, values: &Tensor) -> Result<Tensor> {
        if !values.dtype().is_floating_point() {
            return Err(Error::type_("encode", format!("{} is not of floating point", values.dtype())));
        }
        let values = values.to(DType::F32)?;
        let bytes: Vec<u8> = values.to_vec::<f32>()?.into_iter().map(|value| self.from_f32(value)).collect();
        Tensor::from_vec(bytes, values.shape())
    }
}

impl fmt::Display for Float8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Two to a power that single precision has as a normal number.
fn power(exponent: i32) -> f32 {
    f32::from_bits(((exponent + BIAS as i32) as u32) << FRACTION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back_and_the_values_are_the_known_ones() {
        for float8 in Float8::ALL {
            for byte in 0..=u8::MAX {
                let value = float8.to_f32(byte);
                let back = float8.from_f32(value);
                assert!(back == byte || value.is_nan() && float8.to_f32(back).is_nan(), "{float8} {byte:#x}");
            }
        }
        assert_eq!(Float8::ALL.map(Float8::largest), [448.0, 57344.0, 240.0, 57344.0]);
        let smallest = Float8::ALL.map(|float8| float8.to_f32(1));
        assert_eq!(smallest, [9, 16, 10, 17].map(|n| 0.5f32.powi(n)));
    }

    #[test]
    fn rounding_and_what_is_beyond_are_pytorchs() {
        // `torch.tensor([..]).to(dtype).view(torch.uint8)` of PyTorch 2.15.
        let values = [
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
            464.0,
            480.0,
            240.0,
            248.0,
            61440.0,
            -0.0,
            -1e-30,
            0.5f32.powi(10),
        ];
        let expected: [[u8; 11]; 4] = [
            [0x7e, 0xfe, 0x7f, 0x7e, 0x7e, 0x77, 0x78, 0x7e, 0x80, 0x80, 0x00],
            [0x7c, 0xfc, 0x7f, 0x5f, 0x60, 0x5c, 0x5c, 0x7c, 0x80, 0x80, 0x14],
            [0x80, 0x80, 0x80, 0x80, 0x80, 0x7f, 0x80, 0x80, 0x00, 0x00, 0x01],
            [0x80, 0x80, 0x80, 0x63, 0x64, 0x60, 0x60, 0x80, 0x00, 0x00, 0x18],
        ];
        for (float8, expected) in Float8::ALL.into_iter().zip(expected) {
            assert_eq!(values.map(|value| float8.from_f32(value)), expected, "{float8}");
        }
    }
}
