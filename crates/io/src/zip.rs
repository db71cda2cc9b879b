//! Zip archives, read: which records there are, and their bytes.
//!
//! Stored and deflated records, in archives of any size. What the directory says is compared with the bytes that are there
//! before it is used: records lie within the file and share no bytes.

use flate2::bufread::DeflateDecoder;
use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::Range;

/// What an archive begins with: a record, or the end of a directory without any.
pub(crate) const MAGICS: [&[u8; 4]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

const LOCAL: u64 = 30;
const CENTRAL: u64 = 46;
const END: usize = 22;
const LOCATOR: usize = 20;
/// What a number of 32 bits is where the number itself is in the extra field.
const ELSEWHERE: u64 = u32::MAX as u64;
/// The most that deflate makes of one byte.
const DEFLATE_LIMIT: u64 = 1032;

/// One record.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub name: String,
    /// Its bytes in the file.
    pub range: Range<usize>,
    pub deflated: bool,
    /// Bytes once inflated.
    pub size: usize,
    crc: u32,
}

/// The records of the archive with the bytes `file`, in the order of its directory.
pub(crate) fn records(file: &[u8]) -> io::Result<Vec<Record>> {
    let (count, directory) = directory(file)?;
    let start = directory.start as u64;
    let mut rest = Fields(&file[directory]);
    // One after another, so that a count that lies takes no memory.
    let records: Vec<Record> = (0..count).map(|_| record(&mut rest, file, start)).collect::<io::Result<_>>()?;
    let mut spans: Vec<_> = records.iter().map(|record| (record.range.start, record.range.end)).collect();
    spans.sort_unstable();
    match spans.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        true => damaged("two records of the archive share bytes"),
        false => Ok(records),
    }
}

/// How many records the directory has, and where it is.
fn directory(file: &[u8]) -> io::Result<(u64, Range<usize>)> {
    // A comment of up to 65,535 bytes may follow the end.
    let last = file.len().saturating_sub(END);
    let first = last.saturating_sub(usize::from(u16::MAX));
    let found = (first..=last).rev().find(|&at| file[at..].starts_with(MAGICS[1]));
    let Some(end) = found else { return damaged("the archive has no directory: the file is cut short") };
    let mut fields = Fields(&file[end..]);
    fields.take(10)?;
    let (mut count, mut bytes, mut start) = (fields.number(2)?, fields.number(4)?, fields.number(4)?);
    let locator = end.checked_sub(LOCATOR).map(|at| &file[at..end]).filter(|text| text.starts_with(b"PK\x06\x07"));
    if let Some(locator) = locator {
        let at = Fields(&locator[8..]).number(8)?;
        let large = usize::try_from(at).ok().and_then(|at| file.get(at..end));
        let Some(large) = large.filter(|large| large.starts_with(b"PK\x06\x06")) else {
            return damaged("the large end of the archive's directory is not where it should be");
        };
        let mut fields = Fields(large);
        fields.take(32)?;
        (count, bytes, start) = (fields.number(8)?, fields.number(8)?, fields.number(8)?);
    }
    match start.checked_add(bytes) {
        Some(stop) if stop <= end as u64 => Ok((count, start as usize..stop as usize)),
        _ => damaged("the directory of the archive is not within the file"),
    }
}

/// The next record of the directory, which begins at `limit`.
fn record(rest: &mut Fields<'_>, file: &[u8], limit: u64) -> io::Result<Record> {
    let mut fixed = Fields(rest.take(CENTRAL as usize)?);
    if fixed.take(4)? != b"PK\x01\x02" {
        return damaged("an entry of the archive's directory does not begin as one");
    }
    fixed.take(4)?;
    let (flags, method) = (fixed.number(2)?, fixed.number(2)?);
    fixed.take(4)?;
    let (crc, packed, size) = (fixed.number(4)? as u32, fixed.number(4)?, fixed.number(4)?);
    let (name, extra, comment) = (fixed.number(2)?, fixed.number(2)?, fixed.number(2)?);
    fixed.take(8)?;
    let offset = fixed.number(4)?;
    let name = rest.take(name as usize)?;
    let mut large = Fields(large_numbers(rest.take(extra as usize)?));
    rest.take(comment as usize)?;
    let Ok(name) = String::from_utf8(name.to_vec()) else { return damaged("a name in the archive is not UTF-8") };
    let mut whole = |number: u64| if number == ELSEWHERE { large.number(8) } else { Ok(number) };
    let (size, packed, offset) = (whole(size)?, whole(packed)?, whole(offset)?);
    let deflated = match (flags & 1, method) {
        (0, 0) => false,
        (0, 8) => true,
        (0, other) => return damaged(format!("record {name:?} is compressed by method {other}, which is not read")),
        _ => return damaged(format!("record {name:?} is encrypted")),
    };
    let within = |at: u64, bytes: u64| at.checked_add(bytes).filter(|&end| end <= limit);
    let Some(header) = within(offset, LOCAL).and_then(|end| file.get(offset as usize..end as usize)) else {
        return damaged(format!("record {name:?} is not within the file"));
    };
    let mut lengths = Fields(&header[26..]);
    let begin = offset + LOCAL + lengths.number(2)? + lengths.number(2)?;
    let Some(end) = within(begin, packed).filter(|_| header.starts_with(MAGICS[0])) else {
        return damaged(format!("record {name:?} is not within the file"));
    };
    let possible = if deflated { size <= packed.saturating_mul(DEFLATE_LIMIT) } else { size == packed };
    if !possible {
        return damaged(format!("record {name:?}: {size} bytes cannot be in {packed}"));
    }
    Ok(Record { name, range: begin as usize..end as usize, deflated, size: size as usize, crc })
}

/// The extra field with numbers of 64 bits; empty if there is none.
fn large_numbers(extra: &[u8]) -> &[u8] {
    let mut rest = Fields(extra);
    while let (Ok(tag), Ok(bytes)) = (rest.number(2), rest.number(2)) {
        match rest.take(bytes as usize) {
            Ok(field) if tag == 1 => return field,
            Ok(_) => {}
            Err(_) => break,
        }
    }
    &[]
}

impl Record {
    /// The first bytes, at most `most`.
    pub fn head<'f>(&self, file: &'f [u8], most: usize) -> io::Result<Cow<'f, [u8]>> {
        let packed = &file[self.range.clone()];
        let most = most.min(self.size);
        if !self.deflated {
            return Ok(packed[..most].into());
        }
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(most).map_err(io::Error::other)?;
        DeflateDecoder::new(packed).take(most as u64).read_to_end(&mut bytes)?;
        match bytes.len() == most {
            true => Ok(bytes.into()),
            false => damaged(format!("record {:?} has {} bytes, not {most}", self.name, bytes.len())),
        }
    }

    /// All bytes, compared with their checksum.
    pub fn read<'f>(&self, file: &'f [u8]) -> io::Result<Cow<'f, [u8]>> {
        let bytes = self.head(file, self.size)?;
        match crc32fast::hash(&bytes) == self.crc {
            true => Ok(bytes),
            false => damaged(format!("record {:?} is not what was written: its checksum differs", self.name)),
        }
    }
}

/// Numbers, lowest byte first, one after another.
struct Fields<'f>(&'f [u8]);

impl<'f> Fields<'f> {
    fn take(&mut self, bytes: usize) -> io::Result<&'f [u8]> {
        let Some((taken, rest)) = self.0.split_at_checked(bytes) else {
            return damaged("the directory of the archive is cut short");
        };
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self, bytes: usize) -> io::Result<u64> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }
}

fn damaged<T>(problem: impl Into<String>) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::InvalidData, problem.into()))
}
