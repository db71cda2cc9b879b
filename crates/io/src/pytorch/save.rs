//! Writing files.

use super::archive::Writer;
use super::pickle::{self, StorageKeys};
use super::{Object, PytorchError};
use crate::atomic::atomic_write;
use firebrick_core::{Error, Result};
use std::io::Write;
use std::path::Path;

/// Writes a value to a file, which is replaced whole: PyTorch's `torch.save`.
///
/// `torch.load` reads the file, with `weights_only=True`, too: values, dtypes, strides, order and `_metadata` are the same,
/// and tensors of one storage share memory there. As in PyTorch, a view brings its whole storage along, once for all views
/// of it; `contiguous()` or `deep_copy()` before saving leaves the rest out. The same value gives the same bytes, where
/// PyTorch adds a random number.
///
/// The file is on the disk before it takes the place of the old one. The bytes of tensors go straight from their memory to
/// the file; nobody can change a tensor meanwhile. Tensors of other devices go by way of main memory.
///
/// # Errors
/// A lazy layer's parameter without shape, views of one storage as different dtypes, containers nested more than 256 deep,
/// or an I/O error. The error names the place of the value; the old file is untouched.
///
/// ```
/// use firebrick_core::Tensor;
/// use firebrick_io::pytorch::{load, save, Object};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("two.pt");
/// let x = Tensor::new([1.0f32, 2.0, 3.0])?;
/// let tail = x.narrow(0, 1, 2)?;
/// save(Object::dict([("x", x.into()), ("tail", tail.into())]), &path)?;
///
/// let loaded = load(&path)?;
/// let tensor = |key: &str| loaded.get(key).and_then(Object::as_array).expect("saved above").tensor();
/// tensor("x")?.fill_(5.0)?;
/// assert_eq!(tensor("tail")?.to_vec::<f32>()?, [5.0, 5.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn save(object: impl Into<Object>, path: impl AsRef<Path>) -> Result<()> {
    let (object, path) = (object.into(), path.as_ref());
    let written = atomic_write(path, |file| write(&object, file));
    written.map_err(|error| Error::from(error).context(path.display()))
}

/// The bytes of the file that [`save`] writes.
///
/// # Errors
/// As [`save`], apart from those of the file system.
///
/// ```
/// use firebrick_io::LoadOptions;
/// use firebrick_io::pytorch::{File, Object, to_bytes};
/// let bytes = to_bytes(Object::Str("text".to_owned()))?;
/// assert_eq!(bytes[..4], *b"PK\x03\x04"); // an archive
/// assert_eq!(File::from_bytes(bytes, &LoadOptions::new())?.object().as_str(), Some("text"));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn to_bytes(object: impl Into<Object>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(&object.into(), &mut bytes)?;
    Ok(bytes)
}

fn write(object: &Object, file: &mut dyn Write) -> Result<(), PytorchError> {
    let mut storages = StorageKeys::default();
    let pickle = pickle::write(object, &mut storages)?;
    let mut archive = Writer::new(file);
    archive.record("data.pkl", &pickle)?;
    archive.record(".format_version", b"1")?;
    archive.record(".storage_alignment", Writer::ALIGNMENT.to_string().as_bytes())?;
    archive.record("byteorder", if cfg!(target_endian = "little") { b"little" } else { b"big" })?;
    for (key, (storage, dtype)) in storages.storages.iter().enumerate() {
        // What is left over behind the last whole element belongs to no tensor.
        let whole = storage.bytes() / dtype.size() * dtype.size();
        storage.with_bytes(|bytes| archive.record(&format!("data/{key}"), &bytes[..whole]))??;
    }
    archive.record("version", b"3\n")?;
    Ok(archive.finish()?)
}
