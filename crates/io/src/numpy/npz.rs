//! Archives of arrays, read: `.npz` files.

use super::NumpyError;
use super::header::Header;
use crate::LoadOptions;
use crate::mmap::Mapping;
use crate::zip::{self, Record};
use firebrick_core::{DType, Error, Result, StateDict, Tensor};
use indexmap::IndexMap;
use std::path::Path;

/// Bytes that a header is likely to have at most; longer ones are asked for again.
const HEAD: usize = 1 << 10;

/// Reads all arrays of an archive: `np.load(path)`.
///
/// Arrays that are stored look at the mapped file, as [`Mapping::tensor`] says; deflated ones are inflated, and their
/// checksums compared.
///
/// # Errors
/// A file that is not as the format says or cannot be read; arrays of Python objects, and of what tensors do not have.
///
/// ```
/// use firebrick_core::{StateDict, Tensor};
/// use firebrick_io::numpy::{load_npz, save_npz};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("arrays.npz");
/// save_npz(&path, &StateDict::from_iter([("a", Tensor::zeros([2])?), ("b", Tensor::ones([3])?)]))?;
/// assert_eq!(load_npz(&path)?.keys().collect::<Vec<_>>(), ["a", "b"]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn load_npz(path: impl AsRef<Path>) -> Result<StateDict> {
    load_npz_with(path, &LoadOptions::new())
}

/// [`load_npz`] of some arrays, or under other names. Arrays that are not wanted are not read.
///
/// # Errors
/// As [`load_npz`] and [`LoadOptions::select`].
///
/// ```
/// use firebrick_core::{StateDict, Tensor};
/// use firebrick_io::LoadOptions;
/// use firebrick_io::numpy::{load_npz_with, save_npz};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("arrays.npz");
/// save_npz(&path, &StateDict::from_iter([("a", Tensor::zeros([2])?), ("b", Tensor::ones([3])?)]))?;
/// let state = load_npz_with(&path, &LoadOptions::new().include("b"))?;
/// assert_eq!(state.keys().collect::<Vec<_>>(), ["b"]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn load_npz_with(path: impl AsRef<Path>, options: &LoadOptions) -> Result<StateDict> {
    let path = path.as_ref();
    let load = || {
        let archive = NpzReader::open(path)?;
        let mut state = StateDict::new();
        for (name, new_name) in options.select(archive.names())? {
            state.insert(
                new_name,
                archive.read(name, options.is_mapped_or(true))?.to(options.target().unwrap_or_default())?,
            );
        }
        Ok(state)
    };
    load().map_err(|error: Error| error.context(path.display()))
}

/// An open archive, to read one array after another. Records that are not called `*.npy` are passed over.
///
/// ```
/// use firebrick_core::{DType, Tensor};
/// use firebrick_io::numpy::{NpzReader, save_npz_compressed};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("arrays.npz");
/// save_npz_compressed(&path, [("x", &Tensor::new([1.0f32, 2.0])?)])?;
///
/// let archive = NpzReader::open(&path)?;
/// assert_eq!(archive.names().collect::<Vec<_>>(), ["x"]);
/// assert_eq!(archive.form("x")?, (DType::F32, vec![2]));
/// assert_eq!(archive.tensor("x")?.to_vec::<f32>()?, [1.0, 2.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub struct NpzReader {
    file: Mapping,
    records: IndexMap<String, Record>,
}

impl NpzReader {
    /// Opens an archive. Of the arrays, nothing is read yet.
    ///
    /// # Errors
    /// A file that is no archive or a damaged one, has a name twice, or cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, NumpyError> {
        let file = Mapping::open(path)?;
        let arrays = zip::records(&file)?.into_iter();
        let named = |record: Record| Some((record.name.strip_suffix(".npy")?.to_owned(), record));
        let records = arrays.filter_map(named).collect();
        Ok(NpzReader { file, records })
    }

    /// The names of the arrays, in their order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.records.keys().map(String::as_str)
    }

    /// Dtype and shape of an array.
    ///
    /// # Errors
    /// There is no such array, or it cannot be read.
    pub fn form(&self, name: &str) -> Result<(DType, Vec<usize>)> {
        let header = self.header(name)?;
        Ok((header.descr.dtype, header.shape))
    }

    /// Reads an array.
    ///
    /// # Errors
    /// There is no such array, or it cannot be read.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        self.read(name, true)
    }

    /// Compares an array with its checksum, which [`NpzReader::tensor`] does for deflated ones only.
    /// [`NpzWriter`](super::NpzWriter) shows it.
    ///
    /// # Errors
    /// There is no such array, or it is not what was written.
    pub fn verify(&self, name: &str) -> Result<()> {
        let bytes = self.record(name)?.read(&self.file, true).map_err(NumpyError::from)?;
        Ok(Header::parse(&bytes).map(drop)?)
    }

    fn read(&self, name: &str, mapped: bool) -> Result<Tensor> {
        let record = self.record(name)?;
        if record.deflated {
            let bytes = record.read(&self.file, true).map_err(NumpyError::from)?;
            return Header::parse(&bytes)?.tensor(&bytes, None);
        }
        let mapped = mapped.then_some((&self.file, record.range.start));
        self.header(name)?.tensor(&self.file[record.range.clone()], mapped)
    }

    fn header(&self, name: &str) -> Result<Header, NumpyError> {
        let record = self.record(name)?;
        let mut most = HEAD;
        loop {
            let head = record.head(&self.file, most)?;
            match Header::parse_head(&head, record.size) {
                Err(NumpyError::HeaderCutShort { .. }) if most < record.size => most = most.saturating_mul(8),
                parsed => return parsed,
            }
        }
    }

    fn record(&self, name: &str) -> Result<&Record, NumpyError> {
        self.records.get(name).ok_or_else(|| NumpyError::NotFound(name.to_string()))
    }
}
