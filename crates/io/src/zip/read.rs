//! What is in an archive and where.

use super::end::End;
use super::entry::{DEFLATED, ENCRYPTED, Entry, STORED};
use super::fields::Fields;
use super::{Record, Result, ZipError, damaged};
use std::collections::HashSet;

/// The records of the archive that `file` is, in the order of its directory.
///
/// Every one lies within the file before the directory, and no two share a byte or a name.
pub(crate) fn records(file: &[u8]) -> Result<Vec<Record>> {
    let (count, directory) = End::directory(file)?;
    let (mut records, mut spans) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut rest = Fields(&file[directory.clone()]);
    for _ in 0..count {
        let entry = Entry::read(&mut rest)?;
        let start = entry.offset;
        let record = locate(entry, file)?;
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

/// The record, behind its own header.
fn locate(entry: Entry, file: &[u8]) -> Result<Record> {
    let name = entry.name;
    let deflated = match entry.method {
        STORED => false,
        DEFLATED => true,
        other => return damaged(format!("record {name:?} is compressed by method {other}, which is not read")),
    };
    if entry.flags & ENCRYPTED != 0 {
        return damaged(format!("record {name:?} is encrypted"));
    }
    let outside = || ZipError::Record { record: name.clone(), problem: "it is not within the file".to_owned() };
    let fits = |number: u64| usize::try_from(number).ok().filter(|&number| number <= file.len());
    let start = fits(entry.offset).ok_or_else(outside)?;
    let Some(header) = Entry::header_len(&file[start..])? else {
        return damaged(format!("record {name:?} does not begin as one"));
    };
    let begin = start + header;
    let end = fits(entry.packed).and_then(|packed| fits(begin as u64 + packed as u64)).ok_or_else(outside)?;
    let size = usize::try_from(entry.size).map_err(|_| outside())?;
    let record = Record { name, range: begin..end, deflated, size, crc: Some(entry.crc) };
    record.check_sizes()?;
    Ok(record)
}
