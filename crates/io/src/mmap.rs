//! Files mapped into memory, as bytes and as the memory of tensors.
#![allow(unsafe_code)] // Mapping a file is unsafe: another process may change it meanwhile.

use crc32fast::Hasher;
use firebrick_core::{Block, DType, Error, Result, Sizes, Tensor, pool};
use memmap2::{Mmap, MmapOptions, MmapRaw};
use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

/// Tensors with fewer bytes are copied: this takes less time than mapping them.
const SMALL: usize = 64 << 10;
/// Bytes that are read, and summed up while they are in the cache, in one go.
const PART: usize = 512 << 10;

/// The bytes of a file, read from the disk as they are touched.
///
/// As with `torch.load(mmap=True)`, the file should stay as it is while it is mapped, by this or by a tensor: whether
/// what another program writes into it is seen is undefined, and on Unix, touching bytes that it has cut off
/// ends the program with `SIGBUS`. Files that [`atomic_write`](crate::atomic::atomic_write) replaces keep
/// their old bytes for whoever mapped them.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("bytes");
/// std::fs::write(&path, [1, 2, 3])?;
/// assert_eq!(firebrick_io::mmap::Mapping::open(&path)?[1..], [2, 3]);
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Mapping {
    file: File,
    map: Mmap,
}

impl Mapping {
    /// Maps the file at `path`, to be read only.
    ///
    /// # Errors
    /// The file cannot be opened or mapped.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = File::open(path)?;
        // SAFETY: the map is read-only and private to this value, lives as long as its borrows, and is
        // read as plain bytes, for which every content is valid. That the file is not changed in place
        // is the caller's part, stated above; Firebrick's own writers only ever replace files.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Mapping { file, map })
    }

    /// A tensor of the bytes in `range`, which are its elements in row-major order and in this machine's byte order.
    ///
    /// Nothing is read before it is used, and nothing is copied: the tensor looks at the file. Each has a private map
    /// of its own, so that what is written into the tensor stays in memory and never reaches the file. Small tensors,
    /// bools, and elements that do not lie as their dtype must, are copied at once.
    ///
    /// # Errors
    /// Bytes behind the end of the file, or not as many as the shape takes.
    ///
    /// ```
    /// use firebrick_core::DType;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("bytes");
    /// std::fs::write(&path, [0, 1, 2, 3])?;
    /// let file = firebrick_io::mmap::Mapping::open(&path)?;
    /// assert_eq!(file.tensor(1..3, [2], DType::U8)?.to_vec::<u8>()?, [1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn tensor(&self, range: Range<usize>, shape: impl Into<Sizes>, dtype: DType) -> Result<Tensor> {
        let aligned = range.start.is_multiple_of(dtype.to_real().size());
        if range.len() >= SMALL && aligned && dtype != DType::Bool && range.end <= self.map.len() {
            // Maps are limited in number; a tensor that cannot have one is copied.
            if let Ok(block) = self.block(&range) {
                return Tensor::from_block(block, shape, dtype);
            }
        }
        self.copy(range, shape, dtype)
    }

    /// [`Mapping::tensor`] in memory of its own.
    ///
    /// # Errors
    /// As [`Mapping::tensor`].
    ///
    /// ```
    /// use firebrick_core::DType;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("bytes");
    /// std::fs::write(&path, 2.5f32.to_le_bytes())?;
    /// let file = firebrick_io::mmap::Mapping::open(&path)?;
    /// assert_eq!(file.copy(0..4, [1], DType::F32)?.to_vec::<f32>()?, [2.5]);
    /// assert!(file.copy(0..8, [2], DType::F32).is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn copy(&self, range: Range<usize>, shape: impl Into<Sizes>, dtype: DType) -> Result<Tensor> {
        Tensor::from_block(self.read(range, false)?.0, shape, dtype)
    }

    /// The bytes in `range` in memory of their own, and their checksum where `sum` asks for it, else 0. They are read into
    /// place by several threads: going through the map would touch its pages first.
    pub(crate) fn read(&self, range: Range<usize>, sum: bool) -> Result<(Block, u32)> {
        self.check(&range)?;
        let block = Block::new(range.len())?;
        let crc = in_parts(range.len(), |part, hasher| {
            // SAFETY: the part lies within the block, which nobody else has yet, and no other part shares bytes with it.
            let to = unsafe { block.as_ptr().add(part.start) };
            let from = range.start + part.start;
            // SAFETY: as above.
            unsafe { self.read_into(from, to, part.len())? };
            if sum {
                // SAFETY: the bytes were just read.
                hasher.update(unsafe { std::slice::from_raw_parts(to, part.len()) });
            }
            Ok(())
        });
        Ok((block, crc?))
    }

    /// The checksum of the bytes in `range`, which are read without touching the map.
    pub(crate) fn crc(&self, range: Range<usize>) -> Result<u32> {
        self.check(&range)?;
        let crc = in_parts(range.len(), |part, hasher| {
            let mut bytes = vec![0; part.len()];
            // SAFETY: the vector has that many bytes.
            unsafe { self.read_into(range.start + part.start, bytes.as_mut_ptr(), part.len())? };
            hasher.update(&bytes);
            Ok(())
        });
        Ok(crc?)
    }

    fn check(&self, range: &Range<usize>) -> Result<()> {
        match self.map.get(range.clone()) {
            Some(_) => Ok(()),
            None => Err(Error::value("tensor", format!("bytes {range:?} of a file that has {}", self.map.len()))),
        }
    }

    /// Reads the bytes from `from` on.
    ///
    /// # Safety
    /// `len` bytes from `to` on may be written, and the file's map has the bytes.
    #[cfg(unix)]
    unsafe fn read_into(&self, from: usize, to: *mut u8, len: usize) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        let mut done = 0;
        while done < len {
            let at = libc::off_t::try_from(from + done).map_err(io::Error::other)?;
            // SAFETY: what is written lies within the `len` bytes.
            let read = unsafe { libc::pread(self.file.as_raw_fd(), to.add(done).cast(), len - done, at) };
            match usize::try_from(read) {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file was cut off meanwhile")),
                Ok(read) => done += read,
                Err(_) => match io::Error::last_os_error() {
                    error if error.kind() == io::ErrorKind::Interrupted => {}
                    error => return Err(error),
                },
            }
        }
        Ok(())
    }

    #[cfg(not(unix))]
    unsafe fn read_into(&self, from: usize, to: *mut u8, len: usize) -> io::Result<()> {
        // SAFETY: the caller vouches for both; a map and memory of one's own share no bytes.
        unsafe { std::ptr::copy_nonoverlapping(self.map[from..from + len].as_ptr(), to, len) };
        Ok(())
    }

    /// A private map of the part `range`, which the file has.
    fn block(&self, range: &Range<usize>) -> io::Result<Block> {
        let mut options = MmapOptions::new();
        // A file may be larger than memory: nothing is set aside for pages that nobody writes.
        options.offset(range.start as u64).len(range.len()).no_reserve_swap();
        // SAFETY: as for `open`; and what is written stays in the map's own pages.
        let map = MmapRaw::from(unsafe { options.map_copy(&self.file)? });
        let start = NonNull::new(map.as_mut_ptr()).ok_or(io::ErrorKind::InvalidData)?;
        // SAFETY: the map has that many bytes, readable and writable, stays where it is until its only handle is
        // dropped, and nobody else has its address. Every content is valid as bytes, which is what the block holds.
        Ok(unsafe { Block::foreign(start, range.len(), Arc::new(map)) })
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}

/// Works on `len` bytes part by part, on several threads; returns the checksum of all that `work` gave the sums of its parts.
fn in_parts(len: usize, work: impl Fn(Range<usize>, &mut Hasher) -> io::Result<()> + Sync) -> io::Result<u32> {
    let done = Mutex::new(Ok(Vec::new()));
    pool::parallel_for(len.div_ceil(PART), 1, &|parts| {
        let mut sum = Hasher::new();
        let first = parts.start;
        let worked = parts.into_iter().try_for_each(|part| work(part * PART..len.min((part + 1) * PART), &mut sum));
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        match (worked, &mut *done) {
            (Ok(()), Ok(sums)) => sums.push((first, sum)),
            (Err(error), done) => *done = Err(error),
            (Ok(()), Err(_)) => {}
        }
    });
    let mut sums = done.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    sums.sort_unstable_by_key(|&(first, _)| first);
    let mut whole = Hasher::new();
    sums.iter().for_each(|(_, sum)| whole.combine(sum));
    Ok(whole.finalize())
}
