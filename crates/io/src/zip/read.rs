//! What is in an archive and where.

use super::{IN_EXTRA, Record, Result, ZIP64_TAG, ZipError, signature};
use std::collections::HashSet;
use std::ops::Range;

/// Bytes of the fixed part of each structure.
const LOCAL: usize = 30;
const CENTRAL: usize = 46;
const END: usize = 22;
const LOCATOR_64: usize = 20;
/// The flag of encrypted records.
const ENCRYPTED: u16 = 1;

/// The records of the archive that `file` is, in the order of its directory.
///
/// Every one lies within the file before the directory, and no two share a byte or a name.
pub(crate) fn records(file: &[u8]) -> Result<Vec<Record>> {
    let (count, directory) = find_directory(file)?;
    let (mut records, mut spans) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut rest = Fields(&file[directory.clone()]);
    for _ in 0..count {
        let entry = Entry::parse(&mut rest)?;
        let start = entry.offset;
        let record = entry.locate(file)?;
        if record.range.end > directory.start {
            return record.fail("it reaches into the directory of the archive");
        }
        spans.push((start as usize, record.range.end));
        records.push(record);
    }
    spans.sort_unstable();
    if spans.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        return damaged("two records of the archive share bytes");
    }
    let mut names = HashSet::with_capacity(count);
    match records.iter().find(|record| !names.insert(record.name.as_str())) {
        Some(twice) => damaged(format!("{:?} is in the archive twice", twice.name)),
        None => Ok(records),
    }
}

/// How many entries the directory has, and where it is.
fn find_directory(file: &[u8]) -> Result<(usize, Range<usize>)> {
    let sign = signature::END.to_le_bytes();
    // A comment of up to 65,535 bytes may follow.
    let from = file.len().saturating_sub(END + usize::from(u16::MAX));
    let mut ends = (from..file.len().saturating_sub(END - 1)).rev();
    let Some(end) = ends.find(|&at| file[at..].starts_with(&sign)) else {
        return damaged("the archive has no directory: the file is cut short or not an archive");
    };
    let mut fields = Fields(&file[end + 4..]);
    let [_, _, _, count] = fields.u16s()?;
    let [bytes, start] = fields.u32s()?;
    let (count, bytes, start) = match find_end_64(file, end) {
        Some(found) => found?,
        None => (count.into(), bytes.into(), start.into()),
    };
    let stop = start.checked_add(bytes).filter(|&stop| stop <= end as u64);
    match stop {
        Some(stop) if count <= bytes / CENTRAL as u64 => Ok((count as usize, start as usize..stop as usize)),
        Some(_) => damaged(format!("{count} records are more than a directory of {bytes} bytes can have")),
        None => damaged("the directory of the archive is not within the file"),
    }
}

/// Count, bytes and start of the directory in the larger form, if the archive has one.
fn find_end_64(file: &[u8], end: usize) -> Option<Result<(u64, u64, u64)>> {
    let at = end.checked_sub(LOCATOR_64)?;
    let mut locator = Fields(&file[at..]);
    if locator.u32().ok()? != signature::LOCATOR_64 {
        return None;
    }
    let mut read = || {
        let [_, low, high] = locator.u32s()?;
        let start = u64::from(high) << 32 | u64::from(low);
        let there = usize::try_from(start).ok().filter(|&start| start < at).and_then(|start| file.get(start..at));
        let Some(there) = there else { return damaged("the end of the archive's directory is not within the file") };
        let mut fields = Fields(there);
        if fields.u32()? != signature::END_64 {
            return damaged("the end of the archive's directory is not where it should be");
        }
        fields.take(8 + 2 + 2 + 4 + 4 + 8)?;
        let [count, bytes, start] = fields.u64s()?;
        Ok((count, bytes, start))
    };
    Some(read())
}

/// What the directory says of one record.
struct Entry {
    name: String,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    /// Where the record's own header begins.
    offset: u64,
}

impl Entry {
    fn parse(rest: &mut Fields<'_>) -> Result<Self> {
        if rest.u32()? != signature::CENTRAL {
            return damaged("an entry of the archive's directory does not begin as one");
        }
        let [_, _, flags, method, _, _] = rest.u16s()?;
        let [crc, packed, size] = rest.u32s()?;
        let [name, extra, comment, _, _] = rest.u16s()?;
        let [_, offset] = rest.u32s()?;
        let Ok(name) = std::str::from_utf8(rest.take(name.into())?) else {
            return damaged("a name in the archive is not UTF-8");
        };
        let mut large = Fields(zip64_extra(rest.take(extra.into())?));
        rest.take(comment.into())?;
        let mut wide = |number: u32| if number == IN_EXTRA { large.u64() } else { Ok(number.into()) };
        let (size, packed, offset) = (wide(size)?, wide(packed)?, wide(offset)?);
        Ok(Entry { name: name.to_owned(), flags, method, crc, packed, size, offset })
    }

    /// The record, behind its own header.
    fn locate(self, file: &[u8]) -> Result<Record> {
        let name = self.name;
        let deflated = match self.method {
            0 => false,
            8 => true,
            other => return damaged(format!("record {name:?} is compressed by method {other}, which is not read")),
        };
        if self.flags & ENCRYPTED != 0 {
            return damaged(format!("record {name:?} is encrypted"));
        }
        let outside = || ZipError::Record { record: name.clone(), problem: "it is not within the file".to_owned() };
        let fits = |number: u64| usize::try_from(number).ok().filter(|&number| number <= file.len());
        let start = fits(self.offset).ok_or_else(outside)?;
        let mut header = Fields(&file[start..]);
        if header.u32()? != signature::LOCAL {
            return damaged(format!("record {name:?} does not begin as one"));
        }
        header.take(LOCAL - 4 - 4)?;
        let [own_name, extra] = header.u16s()?;
        let begin = start + LOCAL + usize::from(own_name) + usize::from(extra);
        let end = fits(self.packed).and_then(|packed| fits(begin as u64 + packed as u64)).ok_or_else(outside)?;
        let size = usize::try_from(self.size).map_err(|_| outside())?;
        let record = Record { name, range: begin..end, deflated, size, crc: Some(self.crc) };
        record.check_sizes()?;
        Ok(record)
    }
}

/// The extra field with sizes of 64 bits; empty if there is none.
fn zip64_extra(extra: &[u8]) -> &[u8] {
    let mut rest = Fields(extra);
    while let Ok([tag, bytes]) = rest.u16s() {
        match rest.take(bytes.into()) {
            Ok(field) if tag == ZIP64_TAG => return field,
            Ok(_) => {}
            Err(_) => break,
        }
    }
    &[]
}

/// Numbers, lowest byte first, one after the other.
struct Fields<'f>(&'f [u8]);

impl<'f> Fields<'f> {
    fn take(&mut self, bytes: usize) -> Result<&'f [u8]> {
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

    fn u32(&mut self) -> Result<u32> {
        self.number(4).map(|number| number as u32)
    }

    fn u64(&mut self) -> Result<u64> {
        self.number(8)
    }

    fn u16s<const N: usize>(&mut self) -> Result<[u16; N]> {
        let mut numbers = [0; N];
        numbers.iter_mut().try_for_each(|number| self.number(2).map(|n| *number = n as u16))?;
        Ok(numbers)
    }

    fn u32s<const N: usize>(&mut self) -> Result<[u32; N]> {
        let mut numbers = [0; N];
        numbers.iter_mut().try_for_each(|number| self.u32().map(|n| *number = n))?;
        Ok(numbers)
    }

    fn u64s<const N: usize>(&mut self) -> Result<[u64; N]> {
        let mut numbers = [0; N];
        numbers.iter_mut().try_for_each(|number| self.u64().map(|n| *number = n))?;
        Ok(numbers)
    }
}

fn damaged<T>(problem: impl Into<String>) -> Result<T> {
    Err(ZipError::Archive(problem.into()))
}
