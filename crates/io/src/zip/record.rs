//! One record of an archive.

use super::{Result, ZipError};
use flate2::bufread::DeflateDecoder;
use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

/// The most that deflate makes of one byte.
const DEFLATE_LIMIT: usize = 1032;

/// Where the bytes of a record are. Its size is possible: it was compared with the bytes that are there.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub name: String,
    /// The bytes in the file.
    pub range: Range<usize>,
    pub deflated: bool,
    /// Bytes once inflated.
    pub size: usize,
    pub crc: Option<u32>,
}

impl Record {
    /// Bytes that lie in the file as they are, without a checksum.
    pub fn plain(name: String, range: Range<usize>) -> Self {
        Record { name, size: range.len(), range, deflated: false, crc: None }
    }

    /// Can the sizes be true?
    pub(super) fn check_sizes(&self) -> Result<()> {
        let there = self.range.len();
        let possible = match self.deflated {
            false => self.size == there,
            true => self.size <= there.saturating_mul(DEFLATE_LIMIT),
        };
        match possible {
            true => Ok(()),
            false => self.fail(format!("{} bytes cannot be in the {there} that are there", self.size)),
        }
    }

    /// The bytes, inflated, compared with the checksum where `verify` asks for that.
    pub fn read<'f>(&self, file: &'f [u8], verify: bool) -> Result<Cow<'f, [u8]>> {
        let bytes = self.head(file, self.size)?;
        if verify {
            self.check_crc(crc32fast::hash(&bytes))?;
        }
        Ok(bytes)
    }

    /// The first bytes, at most `most`, inflated.
    pub fn head<'f>(&self, file: &'f [u8], most: usize) -> Result<Cow<'f, [u8]>> {
        let Some(there) = file.get(self.range.clone()) else { return self.fail("it is behind the end of the file") };
        let most = most.min(self.size);
        if !self.deflated {
            return Ok(there[..most].into());
        }
        let mut bytes = Vec::new();
        if bytes.try_reserve_exact(most).is_err() {
            return self.fail(format!("there is no memory for {most} bytes"));
        }
        match DeflateDecoder::new(there).take(most as u64).read_to_end(&mut bytes) {
            Ok(_) if bytes.len() == most => Ok(bytes.into()),
            Ok(_) => self.fail(format!("it has {} bytes, not {most}", bytes.len())),
            Err(error) => self.fail(format!("it cannot be inflated: {error}")),
        }
    }

    /// Is `found` the checksum of the bytes that were written?
    pub fn check_crc(&self, found: u32) -> Result<()> {
        match self.crc {
            Some(crc) if crc != found => self.fail(
                "the bytes are not those that were written: its checksum differs (`LoadOptions::verify(false)` does not look)",
            ),
            _ => Ok(()),
        }
    }

    pub fn fail<T>(&self, problem: impl Into<String>) -> Result<T> {
        Err(ZipError::Record { record: self.name.clone(), problem: problem.into() })
    }
}
