//! Archives of arrays, written: `.npz` files.

use super::array::write_array;
use crate::atomic::atomic_write;
use crate::zip::{Style, Writer};
use firebrick_core::{Error, Result, Tensor};
use std::collections::HashSet;
use std::io::Write;
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
///
/// ```
/// use firebrick_core::{StateDict, Tensor};
/// use firebrick_io::numpy::{load_npz, save_npz_compressed};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("arrays.npz");
/// save_npz_compressed(&path, &StateDict::from_iter([("x", Tensor::zeros([1000])?)]))?;
/// assert!(std::fs::metadata(&path)?.len() < 1000);
/// assert_eq!(load_npz(&path)?.get("x").map(|x| x.numel()), Some(1000));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
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

/// An archive that is being written, array after array.
///
/// ```
/// use firebrick_core::Tensor;
/// use firebrick_io::numpy::{NpzReader, NpzWriter};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("arrays.npz");
/// let mut file = std::fs::File::create(&path)?;
/// let mut archive = NpzWriter::new(&mut file, false);
/// archive.add("x", &Tensor::new([1.0f32, 2.0])?)?;
/// assert!(archive.add("x", &Tensor::new([3.0f32])?).is_err()); // the name is given
/// archive.finish()?;
/// let archive = NpzReader::open(&path)?;
/// archive.verify("x")?;
/// assert_eq!(archive.tensor("x")?.to_vec::<f32>()?, [1.0, 2.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub struct NpzWriter<'w> {
    archive: Writer<'w>,
    compressed: bool,
    names: HashSet<String>,
}

impl<'w> NpzWriter<'w> {
    /// An archive to be written to `out`, deflated or not.
    pub fn new(out: &'w mut dyn Write, compressed: bool) -> Self {
        NpzWriter { archive: Writer::new(out, Style::NUMPY), compressed, names: HashSet::new() }
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
        self.archive.write(name, self.compressed, |out| write_array(out, tensor))
    }

    /// Writes the directory, without which the archive is none.
    ///
    /// # Errors
    /// An I/O error.
    pub fn finish(self) -> Result<()> {
        Ok(self.archive.finish()?)
    }
}
