//! Writing an archive as PyTorch does, byte for byte the same at every run.

use super::ALIGNMENT;
use crate::zip::{IN_EXTRA, ZIP64_TAG, signature};
use crc32fast::Hasher;
use std::io::{self, Write};

/// The folder that all records are in.
const FOLDER: &str = "archive/";
/// Bytes of a record's own header without name and extra fields.
const LOCAL: u64 = 30;
/// Bytes that are summed and written in one go, while they are in the cache.
const CHUNK: usize = 1 << 20;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
/// Checksum and sizes follow the bytes.
const DESCRIPTOR: u16 = 1 << 3;
/// The tag of the extra field that fills up to the alignment, and what it is filled with: PyTorch's.
const PADDING_TAG: &[u8; 2] = b"FB";
const PADDING: u8 = b'Z';

/// An archive that is being written.
pub(in super::super) struct Writer<'w> {
    out: &'w mut dyn Write,
    at: u64,
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    offset: u64,
    size: u64,
    crc: u32,
}

impl<'w> Writer<'w> {
    pub fn new(out: &'w mut dyn Write) -> Self {
        Writer { out, at: 0, entries: Vec::new() }
    }

    /// Writes a record. Its bytes begin at a multiple of [`ALIGNMENT`].
    pub fn record(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut entry = Entry { name: format!("{FOLDER}{name}"), offset: self.at, size: bytes.len() as u64, crc: 0 };
        self.put(&entry.local_header())?;
        let mut sum = Hasher::new();
        for chunk in bytes.chunks(CHUNK) {
            sum.update(chunk);
            self.put(chunk)?;
        }
        entry.crc = sum.finalize();
        if entry.size > 0 {
            self.put(&entry.descriptor())?;
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Writes the directory.
    pub fn finish(mut self) -> io::Result<()> {
        let start = self.at;
        for entry in std::mem::take(&mut self.entries) {
            self.put(&entry.central_header())?;
            self.entries.push(entry);
        }
        let (count, bytes) = (self.entries.len() as u64, self.at - start);
        let end = end_of_directory(count, bytes, start);
        self.put(&end)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

impl Entry {
    fn flags(&self) -> u16 {
        if self.size > 0 { UTF8 | DESCRIPTOR } else { UTF8 }
    }

    fn local_header(&self) -> Vec<u8> {
        let mut extra = self.zip64();
        let fixed = LOCAL as usize + self.name.len() + extra.len() + 4;
        let padding = (ALIGNMENT - (self.offset as usize + fixed) % ALIGNMENT) % ALIGNMENT;
        extra.extend(PADDING_TAG);
        extra.extend((padding as u16).to_le_bytes());
        extra.extend(std::iter::repeat_n(PADDING, padding));
        let mut header = Vec::with_capacity(fixed + padding);
        header.extend(signature::LOCAL.to_le_bytes());
        extend_u16s(&mut header, [0, self.flags(), 0, 0, 0]);
        // Checksum and sizes are in the descriptor; those beyond 32 bits are in the extra field, too.
        let size = if self.is_large() { IN_EXTRA } else { 0 };
        extend_u32s(&mut header, [0, size, size]);
        extend_u16s(&mut header, [self.name.len() as u16, extra.len() as u16]);
        header.extend(self.name.as_bytes());
        header.extend(extra);
        header
    }

    fn descriptor(&self) -> Vec<u8> {
        let mut descriptor = Vec::new();
        extend_u32s(&mut descriptor, [signature::DESCRIPTOR, self.crc]);
        match self.is_large() || self.is_far() {
            true => [self.size, self.size].iter().for_each(|size| descriptor.extend(size.to_le_bytes())),
            false => extend_u32s(&mut descriptor, [self.size as u32, self.size as u32]),
        }
        descriptor
    }

    fn central_header(&self) -> Vec<u8> {
        let extra = self.zip64();
        let mut header = Vec::new();
        header.extend(signature::CENTRAL.to_le_bytes());
        extend_u16s(&mut header, [0, 0, self.flags(), 0, 0, 0]);
        let size = short(self.size);
        extend_u32s(&mut header, [self.crc, size, size]);
        extend_u16s(&mut header, [self.name.len() as u16, extra.len() as u16, 0, 0, 0]);
        extend_u32s(&mut header, [0, short(self.offset)]);
        header.extend(self.name.as_bytes());
        header.extend(extra);
        header
    }

    fn is_large(&self) -> bool {
        short(self.size) == IN_EXTRA
    }

    fn is_far(&self) -> bool {
        short(self.offset) == IN_EXTRA
    }

    /// The extra field with what needs more than 32 bits.
    fn zip64(&self) -> Vec<u8> {
        let mut numbers = Vec::new();
        if self.is_large() {
            numbers.extend([self.size, self.size]);
        }
        if self.is_far() {
            numbers.push(self.offset);
        }
        let mut extra = Vec::new();
        if !numbers.is_empty() {
            extend_u16s(&mut extra, [ZIP64_TAG, 8 * numbers.len() as u16]);
            numbers.iter().for_each(|number| extra.extend(number.to_le_bytes()));
        }
        extra
    }
}

/// The end of the archive in its large and its small form.
fn end_of_directory(count: u64, bytes: u64, start: u64) -> Vec<u8> {
    const LARGE: u64 = 44;
    let mut end = Vec::new();
    end.extend(signature::END_64.to_le_bytes());
    end.extend(LARGE.to_le_bytes());
    // Made by version 3.0 of the format on a Unix, readable by 4.5, which has Zip64.
    extend_u16s(&mut end, [0x031e, 45]);
    extend_u32s(&mut end, [0, 0]);
    [count, count, bytes, start].iter().for_each(|number| end.extend(number.to_le_bytes()));
    extend_u32s(&mut end, [signature::LOCATOR_64, 0]);
    end.extend((start + bytes).to_le_bytes());
    extend_u32s(&mut end, [1, signature::END]);
    let few = count.min(u16::MAX.into()) as u16;
    extend_u16s(&mut end, [0, 0, few, few]);
    extend_u32s(&mut end, [short(bytes), short(start)]);
    extend_u16s(&mut end, [0]);
    end
}

/// The number in 32 bits, or the sign that it is elsewhere.
fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(IN_EXTRA)
}

fn extend_u16s<const N: usize>(bytes: &mut Vec<u8>, numbers: [u16; N]) {
    numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
}

fn extend_u32s<const N: usize>(bytes: &mut Vec<u8>, numbers: [u32; N]) {
    numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
}
