//! Writing a file so that a crash leaves the old one.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use tempfile::{Builder, NamedTempFile};

/// Bytes gathered before each write to the file.
const BUFFER: usize = 1 << 20;
/// Bytes after which the disk is set to work.
const SPAN: u64 = 16 << 20;

/// Writes the file at `path` by `write`, beside the old one, and puts it in its place when it is whole.
///
/// Whoever opens `path` finds the old file or the new one, never a part; memory maps of the old file
/// stay valid. The new file is on the disk before it takes the name. Permissions are the old file's,
/// or those of any new file. Where `path` is a symbolic link, the file it leads to is replaced.
///
/// # Errors
/// What `write` returns, or an I/O error; the old file is then untouched and nothing is left beside it.
///
/// ```
/// use std::io::{self, Write};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("losses.txt");
///
/// firebrick_io::atomic::atomic_write(&path, |file| file.write_all(b"0.5"))?;
/// let failed = firebrick_io::atomic::atomic_write(&path, |file| {
///     file.write_all(b"0.4")?;
///     Err(io::Error::other("interrupted"))
/// });
/// assert!(failed.is_err());
/// assert_eq!(std::fs::read(&path)?, b"0.5");
/// # Ok::<_, io::Error>(())
/// ```
pub fn atomic_write<E: From<io::Error>>(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    let path = path.as_ref();
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let beside = create_beside(&target, folder)?;
    let mut file = BufWriter::with_capacity(BUFFER, Early { file: beside.as_file(), begun: 0, written: 0 });
    write(&mut file)?;
    file.flush()?;
    drop(file);
    beside.as_file().sync_all()?;
    beside.persist(&target).map_err(|failed| failed.error)?;
    // The rename is done and the file whole: a file system that cannot sync a folder is no failure.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// A file whose bytes are on their way to the disk while the next ones are written, so that making sure of them in the end has
/// little to wait for.
struct Early<'f> {
    file: &'f File,
    /// Bytes that the disk was told of.
    begun: u64,
    written: u64,
}

impl Write for Early<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.written += written as u64;
        if self.written - self.begun >= SPAN {
            begin(self.file, self.begun, self.written - self.begun);
            self.begun = self.written;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Begins to move bytes of the file to the disk. This is for speed alone: what fails here fails in `sync_all`.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "the system is told of a range of a file; no memory is involved")]
fn begin(file: &File, start: u64, bytes: u64) {
    use std::os::fd::AsRawFd;
    if let (Ok(start), Ok(bytes)) = (start.try_into(), bytes.try_into()) {
        // SAFETY: the file is open, and the call takes no address.
        unsafe { libc::sync_file_range(file.as_raw_fd(), start, bytes, libc::SYNC_FILE_RANGE_WRITE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn begin(_: &File, _: u64, _: u64) {}

fn create_beside(target: &Path, folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".").suffix(".part");
    // A temporary file would otherwise be the owner's alone; the umask still applies to this.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.tempfile_in(folder)?;
    if let Ok(old) = fs::metadata(target) {
        file.as_file().set_permissions(old.permissions())?;
    }
    Ok(file)
}
