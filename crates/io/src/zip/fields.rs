//! Numbers, lowest byte first, one after the other.

use super::{Result, damaged};

/// Reads them.
pub(super) struct Fields<'f>(pub &'f [u8]);

impl<'f> Fields<'f> {
    pub fn take(&mut self, bytes: usize) -> Result<&'f [u8]> {
        match self.0.split_at_checked(bytes) {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(taken)
            }
            None => damaged("a part of the archive's directory is cut short"),
        }
    }

    fn number(&mut self, bytes: usize) -> Result<u64> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    pub fn u32(&mut self) -> Result<u32> {
        self.number(4).map(|number| number as u32)
    }

    pub fn u64(&mut self) -> Result<u64> {
        self.number(8)
    }

    pub fn u16s<const N: usize>(&mut self) -> Result<[u16; N]> {
        let mut numbers = [0; N];
        numbers.iter_mut().try_for_each(|number| self.number(2).map(|n| *number = n as u16))?;
        Ok(numbers)
    }

    pub fn u32s<const N: usize>(&mut self) -> Result<[u32; N]> {
        let mut numbers = [0; N];
        numbers.iter_mut().try_for_each(|number| self.u32().map(|n| *number = n))?;
        Ok(numbers)
    }

    pub fn u64s<const N: usize>(&mut self) -> Result<[u64; N]> {
        let mut numbers = [0; N];
        numbers.iter_mut().try_for_each(|number| self.u64().map(|n| *number = n))?;
        Ok(numbers)
    }
}

/// Writes them.
pub(super) trait Extend {
    fn u16s<const N: usize>(&mut self, numbers: [u16; N]);
    fn u32s<const N: usize>(&mut self, numbers: [u32; N]);
    fn u64s<const N: usize>(&mut self, numbers: [u64; N]);
}

impl Extend for Vec<u8> {
    fn u16s<const N: usize>(&mut self, numbers: [u16; N]) {
        self.extend(numbers.into_iter().flat_map(u16::to_le_bytes));
    }

    fn u32s<const N: usize>(&mut self, numbers: [u32; N]) {
        self.extend(numbers.into_iter().flat_map(u32::to_le_bytes));
    }

    fn u64s<const N: usize>(&mut self, numbers: [u64; N]) {
        self.extend(numbers.into_iter().flat_map(u64::to_le_bytes));
    }
}
