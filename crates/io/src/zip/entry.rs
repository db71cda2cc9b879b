//! What an archive says of a record: in the header before its bytes, behind them, and in the directory.

use super::fields::{Extend, Fields};
use super::{ELSEWHERE, Result, Style, damaged, signature};

/// Bytes of a header, and of an entry of the directory, apart from the texts.
const LOCAL: usize = 30;
pub(super) const CENTRAL: usize = 46;

/// Flags of records: their bytes are encrypted; checksum and sizes follow the bytes; the name is UTF-8.
pub(super) const ENCRYPTED: u16 = 1;
const DESCRIPTOR: u16 = 1 << 3;
const UTF8: u16 = 1 << 11;

/// How the bytes of records lie.
pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;

/// The tag of the extra field with numbers of 64 bits.
const LONG_TAG: u16 = 1;
/// The tag of the extra field that fills up to the alignment, and what it is filled with: PyTorch's.
const PADDING_TAG: u16 = u16::from_le_bytes(*b"FB");
const PADDING: u8 = b'Z';

/// A record, as its headers describe it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry {
    pub name: String,
    pub flags: u16,
    pub method: u16,
    pub crc: u32,
    /// Bytes in the file.
    pub packed: u64,
    /// Bytes once inflated.
    pub size: u64,
    /// Where the record's own header begins.
    pub offset: u64,
}

/// What both headers of a record have, in this order, before the name.
struct Common {
    version: u16,
    flags: u16,
    method: u16,
    time: [u16; 2],
    crc: u32,
    packed: u32,
    size: u32,
    name: u16,
    extra: u16,
}

impl Common {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        let [version, flags, method, time, date] = fields.u16s()?;
        let [crc, packed, size] = fields.u32s()?;
        let [name, extra] = fields.u16s()?;
        Ok(Common { version, flags, method, time: [time, date], crc, packed, size, name, extra })
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.u16s([self.version, self.flags, self.method]);
        bytes.u16s(self.time);
        bytes.u32s([self.crc, self.packed, self.size]);
        bytes.u16s([self.name, self.extra]);
    }
}

/// Reading.
impl Entry {
    /// An entry of the directory.
    pub fn read(fields: &mut Fields<'_>) -> Result<Self> {
        if fields.u32()? != signature::CENTRAL {
            return damaged("an entry of the archive's directory does not begin as one");
        }
        let [_made_by] = fields.u16s()?;
        let common = Common::read(fields)?;
        let [comment, _disk, _internal] = fields.u16s()?;
        let [_attributes, offset] = fields.u32s()?;
        let Ok(name) = std::str::from_utf8(fields.take(common.name.into())?) else {
            return damaged("a name in the archive is not UTF-8");
        };
        let mut long = Fields(long_numbers(fields.take(common.extra.into())?));
        fields.take(comment.into())?;
        let mut wide = |number: u32| if number == ELSEWHERE { long.u64() } else { Ok(number.into()) };
        let (size, packed, offset) = (wide(common.size)?, wide(common.packed)?, wide(offset)?);
        let Common { flags, method, crc, .. } = common;
        Ok(Entry { name: name.to_owned(), flags, method, crc, packed, size, offset })
    }

    /// Bytes of the header that `bytes` begin with; `None` if they begin with something else.
    pub fn header_len(bytes: &[u8]) -> Result<Option<usize>> {
        let mut fields = Fields(bytes);
        if fields.u32()? != signature::LOCAL {
            return Ok(None);
        }
        let Common { name, extra, .. } = Common::read(&mut fields)?;
        Ok(Some(LOCAL + usize::from(name) + usize::from(extra)))
    }
}

/// The extra field with numbers of 64 bits; empty if there is none.
fn long_numbers(extra: &[u8]) -> &[u8] {
    let mut rest = Fields(extra);
    while let Ok([tag, bytes]) = rest.u16s() {
        match rest.take(bytes.into()) {
            Ok(field) if tag == LONG_TAG => return field,
            Ok(_) => {}
            Err(_) => break,
        }
    }
    &[]
}

/// Writing.
impl Entry {
    /// A record that begins at `offset` and of which nothing else is known yet.
    pub fn new(name: String, offset: u64, style: &Style) -> Self {
        let flags = if style.ascii_is_utf8 || !name.is_ascii() { UTF8 } else { 0 };
        Entry { name, flags, offset, ..Entry::default() }
    }

    /// Has checksum and sizes follow the bytes.
    pub fn describe_behind(&mut self) {
        self.flags |= DESCRIPTOR;
    }

    /// The header before the bytes, which begin at a multiple of the alignment.
    pub fn header(&self, style: &Style) -> Vec<u8> {
        let is_long = style.long_header || self.is_long(style);
        let mut extra = self.long_numbers(is_long, style.header_has_offset && self.is_far(style));
        self.align(&mut extra, style.alignment);
        let (crc, packed, size) = match self.flags & DESCRIPTOR {
            0 => (self.crc, self.packed, self.size),
            _ => (0, 0, 0),
        };
        let mut header = Vec::with_capacity(LOCAL + self.name.len() + extra.len());
        header.u32s([signature::LOCAL]);
        self.common(style, crc, [packed, size].map(|size| short(size, is_long)), extra.len()).write(&mut header);
        header.extend(self.name.as_bytes());
        header.extend(extra);
        header
    }

    /// Lengthens the last part of the header so that it ends at a multiple of `alignment`.
    fn align(&self, extra: &mut Vec<u8>, alignment: u64) {
        if alignment > 1 {
            let end = self.offset + (LOCAL + self.name.len() + extra.len() + 4) as u64;
            let padding = (end.next_multiple_of(alignment) - end) as u16;
            extra.u16s([PADDING_TAG, padding]);
            extra.extend(std::iter::repeat_n(PADDING, padding.into()));
        }
    }

    /// Checksum and sizes, behind the bytes.
    pub fn descriptor(&self, style: &Style) -> Vec<u8> {
        let mut descriptor = Vec::new();
        descriptor.u32s([signature::DESCRIPTOR, self.crc]);
        match self.is_long(style) || self.is_far(style) {
            true => descriptor.u64s([self.packed, self.size]),
            false => descriptor.u32s([self.packed as u32, self.size as u32]),
        }
        descriptor
    }

    /// The entry of the directory: in the large form only where it must be.
    pub fn write(&self, style: &Style, directory: &mut Vec<u8>) {
        let (is_long, is_far) = (self.is_long(style), self.is_far(style));
        let extra = self.long_numbers(is_long, is_far);
        directory.u32s([signature::CENTRAL]);
        directory.u16s([style.versions[0]]);
        let sizes = [self.packed, self.size].map(|size| short(size, is_long));
        self.common(style, self.crc, sizes, extra.len()).write(directory);
        directory.u16s([0, 0, 0]);
        directory.u32s([style.attributes, short(self.offset, is_far)]);
        directory.extend(self.name.as_bytes());
        directory.extend(extra);
    }

    fn common(&self, style: &Style, crc: u32, [packed, size]: [u32; 2], extra: usize) -> Common {
        let (name, extra) = (self.name.len() as u16, extra as u16);
        let Entry { flags, method, .. } = *self;
        Common { version: style.versions[1], flags, method, time: style.time, crc, packed, size, name, extra }
    }

    /// The extra field with what needs 64 bits; empty if nothing does.
    fn long_numbers(&self, has_sizes: bool, has_offset: bool) -> Vec<u8> {
        let mut numbers = Vec::new();
        if has_sizes {
            numbers.u64s([self.size, self.packed]);
        }
        if has_offset {
            numbers.u64s([self.offset]);
        }
        let mut extra = Vec::new();
        if !numbers.is_empty() {
            extra.u16s([LONG_TAG, numbers.len() as u16]);
            extra.extend(numbers);
        }
        extra
    }

    fn is_long(&self, style: &Style) -> bool {
        self.size.max(self.packed) > style.largest
    }

    fn is_far(&self, style: &Style) -> bool {
        self.offset > style.largest
    }
}

/// The number in 32 bits, or the sign that it is elsewhere.
fn short(number: u64, is_long: bool) -> u32 {
    if is_long { ELSEWHERE } else { number as u32 }
}
