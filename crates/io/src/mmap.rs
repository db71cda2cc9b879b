//! Files mapped into memory.
#![allow(unsafe_code)] // Mapping a file is unsafe: another process may change it meanwhile.

use memmap2::Mmap;
use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;

/// The bytes of a file, read from the disk as they are touched.
///
/// The bytes are those at the time of reading: do not write into a mapped file in place. Files that
/// [`atomic_write`](crate::atomic::atomic_write) replaces keep their old bytes for whoever mapped them.
/// On Unix, touching bytes that another process has cut off ends the program with `SIGBUS`.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("bytes");
/// std::fs::write(&path, [1, 2, 3])?;
/// assert_eq!(firebrick_io::mmap::Mapping::open(&path)?[1..], [2, 3]);
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Mapping(Mmap);

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
        Ok(Mapping(map))
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
