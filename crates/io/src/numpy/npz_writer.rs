//! Archives of arrays, written: `.npz` files.

use super::array::write_array;
use crate::atomic::atomic_write;
use crate::zip::{ZIP64_TAG, signature};
use crc32fast::Hasher;
use firebrick_core::{Error, Result, Tensor};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::collections::HashSet;
use std::io::{self, Write};
use std::path::Path;

/// Writes arrays by name to an archive, which is replaced whole: `np.savez(path, **arrays)`.
///
/// # Errors
/// A name given twice, bfloat16, which NumPy does not have, a lazy layer's parameter without shape, or an I/O error.
/// The old file is then untouched.
///
/// ```
/// use firebrick_core::{StateDict, Tensor};
/// use firebrick_io::numpy::{load_npz, save_npz};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("arrays.npz");
/// save_npz(&path, &StateDict::from_iter([("x", Tensor::new([1.0f32, 2.0])?)]))?;
/// assert_eq!(load_npz(&path)?.get("x").map(|x| x.shape()), Some([2].into()));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn save_npz<'t, N: Into<String>>(
    path: impl AsRef<Path>,
    tensors: impl IntoIterator<Item = (N, &'t Tensor)>,
) -> Result<()> {
    save(path.as_ref(), tensors, false)
}

/// [`save_npz`], deflated: `np.savez_compressed(path, **arrays)`. Loading copies such arrays.
///
/// # Errors
/// As [`save_npz`].
pub fn save_npz_compressed<'t, N: Into<String>>(
    path: impl AsRef<Path>,
    tensors: impl IntoIterator<Item = (N, &'t Tensor)>,
) -> Result<()> {
    save(path.as_ref(), tensors, true)
}

fn save<'t, N: Into<String>>(
    path: &Path,
    tensors: impl IntoIterator<Item = (N, &'t Tensor)>,
    compressed: bool,
) -> Result<()> {
    let written = atomic_write(path, |file| {
        let mut archive = NpzWriter::new(file, compressed);
        tensors.into_iter().try_for_each(|(name, tensor)| archive.add(&name.into(), tensor))?;
        archive.finish()
    });
    written.map_err(|error: Error| error.context(path.display()))
}

const OP: &str = "save_npz";

/// Sizes and offsets beyond this are written in the large form, as Python does.
const SHORT: u64 = (1 << 31) - 1;
/// Records beyond this many are counted in the large form.
const FEW: u64 = u16::MAX as u64;
/// The version of the format that has the large form.
const VERSION: u16 = 45;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
/// Midnight of the first of January 1980, the earliest there is.
const TIME: [u16; 2] = [0, 0x21];
/// Readable and writable by the owner, for Unix.
const ATTRIBUTES: u32 = 0o600 << 16;

/// An archive that is being written, array after array.
pub struct NpzWriter<'w> {
    out: &'w mut dyn Write,
    compressed: bool,
    names: HashSet<String>,
    at: u64,
    directory: Vec<u8>,
}

/// One record, as its headers describe it.
struct Record {
    name: String,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    offset: u64,
}

impl<'w> NpzWriter<'w> {
    /// An archive to be written to `out`, deflated or not.
    pub fn new(out: &'w mut dyn Write, compressed: bool) -> Self {
        NpzWriter { out, compressed, names: HashSet::new(), at: 0, directory: Vec::new() }
    }

    /// Writes one array.
    ///
    /// # Errors
    /// As [`save_npz`].
    pub fn add(&mut self, name: &str, tensor: &Tensor) -> Result<()> {
        let written = self.write(format!("{name}.npy"), tensor);
        written.map_err(|error| error.context(format!("array {name:?}")))
    }

    fn write(&mut self, name: String, tensor: &Tensor) -> Result<()> {
        if name.len() > usize::from(u16::MAX) {
            return Err(Error::value(OP, "a name is longer than archives allow"));
        }
        if !self.names.insert(name.clone()) {
            return Err(Error::key(OP, "the name is given twice"));
        }
        // The header says what follows, so that the elements are gone over twice rather than copied.
        let mut sum = Sum::default();
        write_array(&mut sum, tensor)?;
        let flags = if name.is_ascii() { 0 } else { UTF8 };
        let (crc, size) = (sum.hasher.finalize(), sum.size);
        let mut record = Record { name, flags, method: 0, crc, packed: size, size, offset: self.at };
        if !self.compressed {
            self.put(&record.local())?;
            write_array(self.out, tensor)?;
            self.at += size;
        } else {
            let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
            write_array(&mut packed, tensor)?;
            let packed = packed.finish()?;
            (record.method, record.packed) = (8, packed.len() as u64);
            self.put(&record.local())?;
            self.put(&packed)?;
        }
        record.extend_directory(&mut self.directory);
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// Writes the directory, without which the archive is none.
    ///
    /// # Errors
    /// An I/O error.
    pub fn finish(self) -> Result<()> {
        let (count, bytes, start) = (self.names.len() as u64, self.directory.len() as u64, self.at);
        let mut end = self.directory;
        if count > FEW || bytes > SHORT || start > SHORT {
            u32s(&mut end, [signature::END_64]);
            u64s(&mut end, [44]);
            u16s(&mut end, [VERSION; 2]);
            u32s(&mut end, [0, 0]);
            u64s(&mut end, [count, count, bytes, start]);
            u32s(&mut end, [signature::LOCATOR_64, 0]);
            u64s(&mut end, [start + bytes]);
            u32s(&mut end, [1]);
        }
        u32s(&mut end, [signature::END]);
        let few = count.min(FEW) as u16;
        u16s(&mut end, [0, 0, few, few]);
        u32s(&mut end, [bytes, start].map(|number| u32::try_from(number).unwrap_or(u32::MAX)));
        u16s(&mut end, [0]);
        Ok(self.out.write_all(&end)?)
    }
}

impl Record {
    /// The header before the bytes: in the large form always, as NumPy does.
    fn local(&self) -> Vec<u8> {
        let mut header = Vec::new();
        u32s(&mut header, [signature::LOCAL]);
        u16s(&mut header, [VERSION, self.flags, self.method]);
        u16s(&mut header, TIME);
        u32s(&mut header, [self.crc, u32::MAX, u32::MAX]);
        u16s(&mut header, [self.name.len() as u16, 20]);
        header.extend(self.name.as_bytes());
        u16s(&mut header, [ZIP64_TAG, 16]);
        u64s(&mut header, [self.size, self.packed]);
        header
    }

    /// The entry of the directory: in the large form only where it must be.
    fn extend_directory(&self, directory: &mut Vec<u8>) {
        let large = self.size > SHORT || self.packed > SHORT;
        let mut extra: Vec<u64> = if large { vec![self.size, self.packed] } else { Vec::new() };
        if self.offset > SHORT {
            extra.push(self.offset);
        }
        let short = |number: u64, large: bool| if large { u32::MAX } else { number as u32 };
        u32s(directory, [signature::CENTRAL]);
        // Made by this version on a Unix.
        u16s(directory, [3 << 8 | VERSION, VERSION, self.flags, self.method]);
        u16s(directory, TIME);
        u32s(directory, [self.crc, short(self.packed, large), short(self.size, large)]);
        let extra_len = if extra.is_empty() { 0 } else { 4 + 8 * extra.len() as u16 };
        u16s(directory, [self.name.len() as u16, extra_len, 0, 0, 0]);
        u32s(directory, [ATTRIBUTES, short(self.offset, self.offset > SHORT)]);
        directory.extend(self.name.as_bytes());
        if !extra.is_empty() {
            u16s(directory, [ZIP64_TAG, extra_len - 4]);
            extra.iter().for_each(|&number| u64s(directory, [number]));
        }
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

fn u16s<const N: usize>(bytes: &mut Vec<u8>, numbers: [u16; N]) {
    numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
}

fn u32s<const N: usize>(bytes: &mut Vec<u8>, numbers: [u32; N]) {
    numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
}

fn u64s<const N: usize>(bytes: &mut Vec<u8>, numbers: [u64; N]) {
    numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
}
