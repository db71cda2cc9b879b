//! Integers beyond 64 bits: kept, printed, written again.

use std::fmt;

/// An integer of any size, as pickles hold it: two's complement, lowest byte first, no byte more than needed.
///
/// ```
/// use firebrick_io::pytorch::BigInt;
/// let large = BigInt::from(-(1i128 << 70));
/// assert!(large.is_negative() && large.to_i64().is_none());
/// assert_eq!(large.to_string(), "-1180591620717411303424");
/// let small = BigInt::from_le_bytes(&[7, 0, 0]);
/// assert_eq!((small.to_le_bytes(), small.to_i64()), ([7].as_slice(), Some(7)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BigInt(Vec<u8>);

impl BigInt {
    /// The integer in two's complement, lowest byte first.
    pub fn from_le_bytes(bytes: &[u8]) -> Self {
        let mut bytes = bytes.to_vec();
        // A last byte that only repeats the sign says nothing.
        while let [.., before, last] = bytes[..] {
            if last != if before < 0x80 { 0 } else { 0xff } {
                break;
            }
            bytes.pop();
        }
        BigInt(bytes)
    }

    /// The bytes: two's complement, lowest first.
    pub fn to_le_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The number, if it fits.
    pub fn to_i64(&self) -> Option<i64> {
        let negative = self.is_negative();
        let mut bytes = [if negative { 0xff } else { 0 }; 8];
        bytes.get_mut(..self.0.len())?.copy_from_slice(&self.0);
        Some(i64::from_le_bytes(bytes))
    }

    /// Is it below zero?
    pub fn is_negative(&self) -> bool {
        self.0.last().is_some_and(|&byte| byte >= 0x80)
    }
}

impl From<i128> for BigInt {
    fn from(number: i128) -> Self {
        BigInt::from_le_bytes(&number.to_le_bytes())
    }
}

impl fmt::Display for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let negative = self.is_negative();
        let mut carry = negative;
        let mut magnitude: Vec<u8> = self.0.clone();
        if negative {
            for byte in &mut magnitude {
                (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
            }
        }
        // Nine digits at a time, lowest first, by long division.
        let mut groups = Vec::new();
        while magnitude.iter().any(|&byte| byte != 0) {
            let mut rest = 0u64;
            for byte in magnitude.iter_mut().rev() {
                let part = rest << 8 | u64::from(*byte);
                *byte = (part / 1_000_000_000) as u8;
                rest = part % 1_000_000_000;
            }
            groups.push(rest);
        }
        let digits = groups.iter().rev().map(|group| format!("{group:09}")).collect::<String>();
        let digits = digits.trim_start_matches('0');
        f.pad_integral(!negative, "", if digits.is_empty() { "0" } else { digits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_print_as_python_does() {
        for number in [0, 1, -1, 255, -256, 1 << 70, -(1 << 70), i128::MAX, i128::MIN + 1] {
            assert_eq!(BigInt::from(number).to_string(), number.to_string());
        }
        assert_eq!(BigInt::from_le_bytes(&[]).to_string(), "0");
    }

    #[test]
    fn integers_take_the_bytes_they_need() {
        assert_eq!(BigInt::from(127).to_le_bytes(), [127]);
        assert_eq!(BigInt::from(128).to_le_bytes(), [128, 0]);
        assert_eq!(BigInt::from(-128).to_le_bytes(), [128]);
        assert_eq!(BigInt::from(i128::from(i64::MIN)).to_i64(), Some(i64::MIN));
        assert_eq!(BigInt::from(1 << 70).to_i64(), None);
    }
}
