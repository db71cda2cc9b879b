//! Opening files.

use super::archive::Archive;
use super::pickle::{self, Pickle, StorageRequest, Storages};
use super::source::{FileBytes, Source};
use super::{Array, Object, PytorchError, Sparse, Storage, legacy};
use crate::LoadOptions;
use crate::mmap::Mapping;
use crate::zip::is_archive;
use firebrick_core::{Device, Error, Result};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Reads a file that `torch.save` wrote, with all its tensors: PyTorch's `torch.load` with `weights_only=True`.
///
/// The formats of PyTorch 0.4 to 2.15 are read. Nothing in a file is executed, and memory is taken in proportion to the
/// file's size, whatever the file says.
///
/// Tensors of one storage share memory again. Values that are the same object in Python are equal ones here.
///
/// # Errors
/// A file that is damaged, that names anything but tensors and plain values, or whose tensors were on a device that is not
/// there (see [`LoadOptions::map_location`]). The error names the record, the byte and what was found there.
///
/// ```
/// use firebrick_core::{StateDict, Tensor};
/// use firebrick_io::pytorch::{load, save};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.pt");
/// save(&StateDict::from_iter([("weight", Tensor::new([[1.0f32, 2.0]])?)]), &path)?;
///
/// let state = load(&path)?.state_dict()?;
/// assert_eq!(state.get("weight").map(|w| w.shape()), Some([1, 2].into()));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn load(path: impl AsRef<Path>) -> Result<Object> {
    load_with(path, &LoadOptions::new())
}

/// [`load`] with options.
///
/// # Errors
/// As [`load`]; options that choose or rename tensors, which [`load_tensors`](super::load_tensors) takes.
///
/// ```
/// use firebrick_core::{Device, Tensor};
/// use firebrick_io::LoadOptions;
/// use firebrick_io::pytorch::{load_with, save};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.pt");
/// save(Tensor::new([1.0f32, 2.0])?, &path)?;
/// let options = LoadOptions::new().map_location(Device::Cpu).mmap(true);
/// let x = load_with(&path, &options)?.as_array().expect("saved above").tensor()?;
/// assert_eq!(x.to_vec::<f32>()?, [1.0, 2.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn load_with(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Object> {
    if options.is_partial() {
        return Err(Error::value("load", "the tree of a file is read whole, under the names that are there")
            .remedy("`pytorch::load_tensors` chooses among the tensors of the tree and renames them"));
    }
    let file = File::open_with(path, options)?;
    file.read()?;
    Ok(file.into_object())
}

/// The format of a file.
///
/// ```
/// use firebrick_io::LoadOptions;
/// use firebrick_io::pytorch::{File, Format, Object, to_bytes};
/// let file = File::from_bytes(to_bytes(Object::Int(7))?, &LoadOptions::new())?;
/// assert_eq!(file.format(), Format::Zip);
/// assert_eq!(file.into_object().as_i64(), Some(7));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The archive of PyTorch 1.6 and later.
    Zip,
    /// The pickles in a row of earlier versions.
    Legacy,
}

/// A file whose tensors are described but not read: that takes the time of reading its index, whatever the file's size.
///
/// ```
/// use firebrick_core::Tensor;
/// use firebrick_io::pytorch::{File, Object, save};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("checkpoint.pt");
/// let weight = Tensor::new([[1.0f32, 2.0]])?;
/// save(Object::dict([("epoch", Object::Int(3)), ("model", Object::dict([("weight", weight.into())]))]), &path)?;
///
/// let file = File::open(&path)?;
/// let weight = file.array("model.weight").expect("saved above");
/// assert_eq!((weight.shape(), weight.dtype().name()), ([1, 2].as_slice(), "float32"));
/// assert!(!weight.storage().is_in_memory());
/// assert_eq!(weight.tensor()?.to_vec::<f32>()?, [1.0, 2.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct File {
    object: Object,
    format: Format,
    name: String,
    pub(super) options: LoadOptions,
}

impl File {
    /// Opens a file; [`File`] shows it.
    ///
    /// # Errors
    /// As [`load`], except that damage within tensors shows when these are read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &LoadOptions::new())
    }

    /// [`File::open`] with options.
    ///
    /// # Errors
    /// As [`File::open`].
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_io::pytorch::{File, Object, save};
    /// use firebrick_io::LoadOptions;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("model.pt");
    /// let state = [("a", Tensor::zeros([2])?.into()), ("b", Tensor::ones([2])?.into())];
    /// save(Object::dict(state), &path)?;
    /// let file = File::open_with(&path, &LoadOptions::new().include("b").rename("b", "bias"))?;
    /// assert_eq!(file.tensors()?.keys().collect::<Vec<_>>(), ["bias"]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn open_with(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self> {
        let name = path.as_ref().display().to_string();
        let open = || {
            let mapped = match std::fs::metadata(&path)?.len() {
                // An empty file cannot be mapped everywhere.
                0 => FileBytes::Owned(Vec::new()),
                _ => FileBytes::Mapped(Mapping::open(&path)?),
            };
            parse(mapped, options)
        };
        let (object, format) = open().map_err(|error| Error::from(error).given(name.clone()))?;
        Ok(File { object, format, name, options: options.clone() })
    }

    /// Opens a file that is in memory.
    ///
    /// # Errors
    /// As [`File::open`].
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_io::pytorch::{File, Object, to_bytes};
    /// use firebrick_io::LoadOptions;
    /// let bytes = to_bytes(Object::dict([("x", Tensor::new([1.0f32, 2.0])?.into())]))?;
    /// let file = File::from_bytes(bytes, &LoadOptions::new())?;
    /// assert_eq!(file.array("x").map(|x| x.numel()), Some(2));
    /// assert!(File::from_bytes(b"no file".to_vec(), &LoadOptions::new()).is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn from_bytes(bytes: Vec<u8>, options: &LoadOptions) -> Result<Self> {
        let (object, format) = parse(FileBytes::Owned(bytes), options)?;
        Ok(File { object, format, name: "bytes in memory".to_owned(), options: options.clone() })
    }

    /// What the file holds; [`Quantized`](super::Quantized) shows it, and [`Object`] what can be done with it.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// What the file holds; [`Format`] shows it. Tensors that were not read are still read from the file when they are asked for.
    pub fn into_object(self) -> Object {
        self.object
    }

    /// The format; [`Format`] shows it.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The tensor of a dotted name, as [`Object::arrays`] gives it.
    pub fn array(&self, name: &str) -> Option<&Array> {
        self.object.arrays().into_iter().find(|(own, _)| own == name).map(|(_, array)| array)
    }

    /// Reads all tensors that were not read yet.
    ///
    /// # Errors
    /// Damage, or not enough memory.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_io::pytorch::{File, Object, to_bytes};
    /// use firebrick_io::LoadOptions;
    /// let bytes = to_bytes(Object::dict([("x", Tensor::new([1.0f32, 2.0])?.into())]))?;
    /// let file = File::from_bytes(bytes, &LoadOptions::new())?;
    /// let storage = file.array("x").expect("saved above").storage().clone();
    /// assert!(!storage.is_in_memory());
    /// file.read()?;
    /// assert!(storage.is_in_memory());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn read(&self) -> Result<()> {
        let arrays = self.object.arrays();
        let read = arrays.iter().try_for_each(|(_, array)| array.storage().memory().map(drop));
        let sparse = || self.object.sparse_tensors().into_iter().try_for_each(Sparse::check_indices);
        read.and_then(|()| sparse()).map_err(|error| error.given(self.name.clone()))
    }
}

fn parse(file: FileBytes, options: &LoadOptions) -> Result<(Object, Format), PytorchError> {
    let file = Arc::new(file);
    if is_archive(&file) {
        return Ok((zip(file, options)?, Format::Zip));
    }
    Ok((legacy::read(file, options)?, Format::Legacy))
}

/// Versions of the archive that PyTorch 2.15 reads.
const VERSIONS: std::ops::RangeInclusive<u64> = 1..=10;
const PICKLE: &str = "data.pkl";
/// The most bytes that the number of the version or the name of the byte order take.
const LONGEST_TEXT: usize = 64;

fn zip(file: Arc<FileBytes>, options: &LoadOptions) -> Result<Object, PytorchError> {
    let archive = Archive::parse(&file)?;
    let text = |name: &str| -> Result<Option<String>, PytorchError> {
        let Some(record) = archive.get(name) else { return Ok(None) };
        // What is no such text is neither inflated nor repeated in an error.
        if record.size > LONGEST_TEXT {
            record.fail(format!("{} bytes are too many", record.size))?;
        }
        Ok(Some(String::from_utf8_lossy(&record.read(&file, options.verifies())?).into_owned()))
    };
    if archive.get("constants.pkl").is_some() {
        return Err(PytorchError::Unsupported("the file is a TorchScript archive, whose code is not read"));
    }
    let version = text(".data/version")?.or(text("version")?);
    let version = version.ok_or_else(|| PytorchError::NoRecord { name: "version".to_owned() })?;
    if !version.trim().parse().is_ok_and(|version| VERSIONS.contains(&version)) {
        let problem = format!("{:?} is no version that is read", version.trim());
        return Err(PytorchError::Record { record: "version".to_owned(), problem });
    }
    let big_endian = match text("byteorder")?.as_deref() {
        None | Some("little") => false,
        Some("big") => true,
        Some(other) => {
            let problem = format!("Unknown endianness type: {other}");
            return Err(PytorchError::Record { record: "byteorder".to_owned(), problem });
        }
    };
    let record = archive.get(PICKLE).ok_or_else(|| PytorchError::NoRecord { name: PICKLE.to_owned() })?;
    let bytes = record.read(&file, options.verifies())?;
    let pickle = Pickle { record: PICKLE, bytes: &bytes, start: 0, file: file.len() };
    let mut storages = Records { archive: &archive, file: &file, options, big_endian, found: HashMap::new() };
    pickle::read(&pickle, &mut storages).map(|(object, _)| object)
}

/// The storages of an archive, each a record.
struct Records<'f> {
    archive: &'f Archive,
    file: &'f Arc<FileBytes>,
    options: &'f LoadOptions,
    big_endian: bool,
    found: HashMap<String, Storage>,
}

impl Storages for Records<'_> {
    fn find(&mut self, request: &StorageRequest<'_>) -> Result<Storage, String> {
        let device = self.options.device(request.location)?;
        let name = format!("data/{}", request.key);
        let record = self.archive.get(&name).ok_or_else(|| format!("the archive has no record {name:?}"))?;
        if request.bytes() != Some(record.size) {
            let StorageRequest { numel, dtype, .. } = request;
            return Err(format!(
                "record size ({} bytes) does not match expected size ({numel} elements * {} bytes/element) of {dtype} in record {name:?}",
                record.size,
                dtype.size(),
            ));
        }
        if let Some(storage) = self.found.get(request.key) {
            return Ok(storage.clone());
        }
        let swap = if self.big_endian { request.dtype.swapped() } else { 1 };
        let source = Source::new(self.file, record.clone(), swap, self.options, device);
        let storage = Storage::in_file(request.dtype, source);
        self.found.insert(request.key.to_owned(), storage.clone());
        Ok(storage)
    }
}

impl LoadOptions {
    /// Where tensors go that were on the device `location`; an error is PyTorch's sentence.
    pub(super) fn device(&self, location: &str) -> Result<Device, String> {
        match (self.target(), location.split(':').next()) {
            (_, Some("meta")) => Err("a tensor of the device meta has no values".to_owned()),
            (Some(device), _) => Ok(device),
            (None, Some("cpu")) => Ok(Device::Cpu),
            (None, Some("cuda")) => Err(
                "Attempting to deserialize object on a CUDA device but CUDA is not available. On a machine with a CPU only, use LoadOptions::new().map_location(Device::Cpu) to map your storages to the CPU.".to_owned(),
            ),
            _ => Err(format!(
                "don't know how to restore data location of torch.storage.UntypedStorage (tagged with {location}): use LoadOptions::new().map_location(Device::Cpu) to map your storages to the CPU"
            )),
        }
    }
}
