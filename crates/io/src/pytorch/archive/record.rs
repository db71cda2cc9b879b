//! One record of an archive.

use super::super::PytorchError;
use flate2::bufread::DeflateDecoder;
use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

/// The most that deflate makes of one byte.
const DEFLATE_LIMIT: usize = 1032;

/// How a record lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Method {
    Stored,
    Deflated,
}

/// Where the bytes of a record are. Its size is possible: it was compared with the bytes that are there.
#[derive(Clone, Debug)]
pub(in super::super) struct Record {
    /// The name, without the top folder.
    pub name: String,
    /// The bytes in the file.
    pub range: Range<usize>,
    pub method: Method,
    /// Bytes once inflated.
    pub size: usize,
    pub crc: Option<u32>,
}

impl Record {
    /// Bytes that lie in the file as they are, without a checksum.
    pub fn plain(name: String, range: Range<usize>) -> Self {
        Record { name, size: range.len(), range, method: Method::Stored, crc: None }
    }

    /// Can the sizes be true?
    pub fn check_sizes(&self) -> Result<(), PytorchError> {
        let there = self.range.len();
        let possible = match self.method {
            Method::Stored => self.size == there,
            Method::Deflated => self.size <= there.saturating_mul(DEFLATE_LIMIT),
        };
        if possible {
            Ok(())
        } else {
            self.fail(format!("{} bytes cannot be in the {there} that are there", self.size))
        }
    }

    /// Does it lie in the file as it is?
    pub fn stored(&self) -> bool {
        self.method == Method::Stored
    }

    /// The bytes, inflated, compared with the checksum where `verify` asks for that.
    pub fn read<'f>(&self, file: &'f [u8], verify: bool) -> Result<Cow<'f, [u8]>, PytorchError> {
        let Some(there) = file.get(self.range.clone()) else { return self.fail("it is behind the end of the file") };
        let bytes = match self.method {
            Method::Stored => Cow::Borrowed(there),
            Method::Deflated => Cow::Owned(self.inflate(there)?),
        };
        match self.crc {
            Some(crc) if verify && crc32fast::hash(&bytes) != crc => self.fail(
                "the bytes are not those that were written: their checksum differs (`LoadOptions::verify(false)` does not look)",
            ),
            _ => Ok(bytes),
        }
    }

    fn inflate(&self, there: &[u8]) -> Result<Vec<u8>, PytorchError> {
        let mut bytes = Vec::new();
        if bytes.try_reserve_exact(self.size).is_err() {
            return self.fail(format!("there is no memory for {} bytes", self.size));
        }
        let read = DeflateDecoder::new(there).take(self.size as u64).read_to_end(&mut bytes);
        match read {
            Ok(_) if bytes.len() == self.size => Ok(bytes),
            Ok(_) => self.fail(format!("it has {} bytes, not {}", bytes.len(), self.size)),
            Err(error) => self.fail(format!("it cannot be inflated: {error}")),
        }
    }

    pub fn fail<T>(&self, problem: impl Into<String>) -> Result<T, PytorchError> {
        Err(PytorchError::Record { record: self.name.clone(), problem: problem.into() })
    }
}
