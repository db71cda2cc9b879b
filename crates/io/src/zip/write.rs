//! Writing an archive, record after record.

use super::end::End;
use super::entry::{DEFLATED, Entry};
use super::style::Style;
use crc32fast::Hasher;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::{self, Write};

/// Bytes that are summed and written in one go, while they are in the cache.
const CHUNK: usize = 1 << 20;

/// An archive that is being written. Of what was written, only the directory is kept.
pub(crate) struct Writer<'w> {
    out: Counted<'w>,
    style: Style,
    count: u64,
    directory: Vec<u8>,
}

impl<'w> Writer<'w> {
    pub fn new(out: &'w mut dyn Write, style: Style) -> Self {
        Writer { out: Counted { out, at: 0 }, style, count: 0, directory: Vec::new() }
    }

    /// Writes bytes as they are; they are gone over once, and their checksum follows them.
    pub fn store(&mut self, name: String, bytes: &[u8]) -> io::Result<()> {
        let mut entry = Entry::new(name, self.out.at, &self.style);
        if !bytes.is_empty() {
            entry.describe_behind();
        }
        (entry.packed, entry.size) = (bytes.len() as u64, bytes.len() as u64);
        self.out.write_all(&entry.header(&self.style))?;
        let mut sum = Hasher::new();
        for chunk in bytes.chunks(CHUNK) {
            sum.update(chunk);
            self.out.write_all(chunk)?;
        }
        entry.crc = sum.finalize();
        if !bytes.is_empty() {
            self.out.write_all(&entry.descriptor(&self.style))?;
        }
        self.note(&entry);
        Ok(())
    }

    /// Writes what `write` writes, deflated or not. Its checksum goes before it, so that `write` is called twice rather than
    /// that bytes are gathered in memory; deflated ones are.
    pub fn write<E: From<io::Error>>(
        &mut self,
        name: String,
        deflate: bool,
        write: impl Fn(&mut dyn Write) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut entry = Entry::new(name, self.out.at, &self.style);
        let mut sum = Sum::default();
        write(&mut sum)?;
        (entry.crc, entry.packed, entry.size) = (sum.hasher.finalize(), sum.size, sum.size);
        if deflate {
            let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
            write(&mut packed)?;
            let packed = packed.finish()?;
            (entry.method, entry.packed) = (DEFLATED, packed.len() as u64);
            self.out.write_all(&entry.header(&self.style))?;
            self.out.write_all(&packed)?;
        } else {
            self.out.write_all(&entry.header(&self.style))?;
            write(&mut self.out)?;
        }
        self.note(&entry);
        Ok(())
    }

    fn note(&mut self, entry: &Entry) {
        entry.write(&self.style, &mut self.directory);
        self.count += 1;
    }

    /// Writes the directory, without which the archive is none.
    pub fn finish(mut self) -> io::Result<()> {
        let end = End { count: self.count, bytes: self.directory.len() as u64, start: self.out.at };
        end.write(&self.style, &mut self.directory);
        self.out.write_all(&self.directory)
    }
}

/// Counts what is written.
struct Counted<'w> {
    out: &'w mut dyn Write,
    at: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Takes bytes for their checksum and number.
#[derive(Default)]
struct Sum {
    hasher: Hasher,
    size: u64,
}

impl Write for Sum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
