//! The end of an archive, which says where the directory is.

use super::entry::CENTRAL;
use super::fields::{Extend, Fields};
use super::{ELSEWHERE, Result, Style, damaged, signature};
use std::ops::Range;

/// Bytes of the end and of what points to its large form.
const END: usize = 22;
const LOCATOR_64: usize = 20;
/// Bytes of the large form behind the number that says so.
const REST_64: u64 = 44;

/// How many entries the directory has, and where it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct End {
    pub count: u64,
    pub bytes: u64,
    pub start: u64,
}

/// Reading.
impl End {
    /// The end of the archive that `file` is, and where it begins.
    fn find(file: &[u8]) -> Result<(Self, usize)> {
        let sign = signature::END.to_le_bytes();
        // A comment of up to 65,535 bytes may follow.
        let from = file.len().saturating_sub(END + usize::from(u16::MAX));
        let mut ends = (from..file.len().saturating_sub(END - 1)).rev();
        let Some(at) = ends.find(|&at| file[at..].starts_with(&sign)) else {
            return damaged("the archive has no directory: the file is cut short or not an archive");
        };
        let mut fields = Fields(&file[at + sign.len()..]);
        let [_disk, _first_disk, _on_disk, count] = fields.u16s()?;
        let [bytes, start] = fields.u32s()?;
        let small = End { count: count.into(), bytes: bytes.into(), start: start.into() };
        Ok((Self::find_64(file, at)?.unwrap_or(small), at))
    }

    /// The large form, if the archive with the end at `end` has it.
    fn find_64(file: &[u8], end: usize) -> Result<Option<Self>> {
        let Some(at) = end.checked_sub(LOCATOR_64) else { return Ok(None) };
        let mut locator = Fields(&file[at..]);
        if locator.u32()? != signature::LOCATOR_64 {
            return Ok(None);
        }
        let [_disk] = locator.u32s()?;
        let start = usize::try_from(locator.u64()?).ok().filter(|&start| start < at);
        let Some(there) = start.and_then(|start| file.get(start..at)) else {
            return damaged("the end of the archive's directory is not within the file");
        };
        let mut fields = Fields(there);
        if fields.u32()? != signature::END_64 {
            return damaged("the end of the archive's directory is not where it should be");
        }
        let ([_rest], [_made_by, _version]) = (fields.u64s()?, fields.u16s()?);
        let ([_disk, _first_disk], [_on_disk, count, bytes, start]) = (fields.u32s()?, fields.u64s()?);
        Ok(Some(End { count, bytes, start }))
    }

    /// How many entries the directory of the archive that `file` is has, and where it is: before the end.
    pub fn directory(file: &[u8]) -> Result<(usize, Range<usize>)> {
        let (End { count, bytes, start }, end) = Self::find(file)?;
        match start.checked_add(bytes).filter(|&stop| stop <= end as u64) {
            Some(stop) if count <= bytes / CENTRAL as u64 => Ok((count as usize, start as usize..stop as usize)),
            Some(_) => damaged(format!("{count} records are more than a directory of {bytes} bytes can have")),
            None => damaged("the directory of the archive is not within the file"),
        }
    }
}

/// Writing.
impl End {
    /// The bytes that follow the directory: first the large form, where that is needed or usual.
    pub fn write(self, style: &Style, out: &mut Vec<u8>) {
        let End { count, bytes, start } = self;
        let few = u16::try_from(count);
        if style.long_end || few.is_err() || bytes.max(start) > style.largest {
            out.u32s([signature::END_64]);
            out.u64s([REST_64]);
            out.u16s(style.end_versions);
            out.u32s([0, 0]);
            out.u64s([count, count, bytes, start]);
            out.u32s([signature::LOCATOR_64, 0]);
            out.u64s([start + bytes]);
            out.u32s([1]);
        }
        out.u32s([signature::END]);
        let few = few.unwrap_or(u16::MAX);
        out.u16s([0, 0, few, few]);
        out.u32s([bytes, start].map(|number| u32::try_from(number).unwrap_or(ELSEWHERE)));
        out.u16s([0]);
    }
}
