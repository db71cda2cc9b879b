//! The memory that arrays are views of: still in the file, made when it is needed, or in main memory.

use super::Dtype;
use super::source::Source;
use firebrick_core::{Device, Error, Result, Storage as Memory, Tensor};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Memory that one or more [`Array`](super::Array)s are views of. Clones are the same storage.
///
/// ```
/// use firebrick_core::Tensor;
/// use firebrick_io::pytorch::{File, Object, to_bytes};
/// use firebrick_io::LoadOptions;
/// let x = Tensor::new([1.0f32, 2.0])?;
/// let bytes = to_bytes(Object::dict([("x", x.clone().into()), ("y", x.narrow(0, 1, 1)?.into())]))?;
/// let file = File::from_bytes(bytes.clone(), &LoadOptions::new())?;
/// let storage = |name: &str| file.array(name).expect("saved above").storage();
/// assert!(storage("x").is_same(storage("y")));
/// assert_eq!((storage("x").bytes(), storage("x").dtype().name()), (8, "float32"));
/// assert_eq!(storage("x").record(), Some("data/0"));
/// let range = storage("x").file_range().expect("stored as it is");
/// assert_eq!(bytes[range], [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Storage(Arc<Inner>);

struct Inner {
    dtype: Dtype,
    bytes: usize,
    /// Where the bytes come from; empty for memory that never was elsewhere.
    origin: OnceLock<Origin>,
    /// Filled when a tensor is made of it, or from the start.
    memory: OnceLock<Arc<Memory>>,
}

#[derive(Clone)]
enum Origin {
    File(Source),
    Made(Arc<dyn Fn() -> Result<Tensor> + Send + Sync>),
}

impl Storage {
    /// A storage of elements of `dtype` with a copy of `bytes`, in this machine's byte order. It can hold dtypes that
    /// Firebrick does not compute with.
    ///
    /// # Errors
    /// When memory cannot be had.
    ///
    /// ```
    /// use firebrick_io::pytorch::{Dtype, Storage};
    /// let storage = Storage::from_bytes(Dtype::U16, &[1, 0, 2, 0])?;
    /// assert!(storage.is_in_memory());
    /// assert_eq!(storage.with_bytes(<[u8]>::len)?, 4);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn from_bytes(dtype: Dtype, bytes: &[u8]) -> Result<Self> {
        let memory = copied(dtype, bytes, Device::Cpu)?;
        Ok(Storage::in_memory(dtype, memory))
    }

    /// A storage of so many bytes that are made each time they are needed: those of the tensor that `make` returns, in row-major
    /// order. Saving makes one storage after another and keeps none; a tensor that is asked for keeps its own.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_io::pytorch::{Array, Dtype, Object, Storage, load, save};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("made.pt");
    /// let storage = Storage::made(Dtype::F32, 8, || Tensor::new([1.0f32, 2.0]));
    /// save(Array::new(storage, Dtype::F32, &[2], &[1], 0)?, &path)?;
    ///
    /// let x = load(&path)?.as_array().expect("saved above").tensor()?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn made(dtype: Dtype, bytes: usize, make: impl Fn() -> Result<Tensor> + Send + Sync + 'static) -> Self {
        Storage::from_origin(dtype, bytes, Origin::Made(Arc::new(make)))
    }

    pub(super) fn in_memory(dtype: Dtype, memory: Arc<Memory>) -> Self {
        let bytes = memory.bytes();
        Storage(Arc::new(Inner { dtype, bytes, origin: OnceLock::new(), memory: memory.into() }))
    }

    /// A storage of a file of which the place is not known yet; see [`Storage::settle`].
    pub(super) fn unsettled(dtype: Dtype, bytes: usize) -> Self {
        Storage(Arc::new(Inner { dtype, bytes, origin: OnceLock::new(), memory: OnceLock::new() }))
    }

    pub(super) fn in_file(dtype: Dtype, source: Source) -> Self {
        Storage::from_origin(dtype, source.record().size, Origin::File(source))
    }

    fn from_origin(dtype: Dtype, bytes: usize, origin: Origin) -> Self {
        Storage(Arc::new(Inner { dtype, bytes, origin: origin.into(), memory: OnceLock::new() }))
    }

    /// Says where the bytes are.
    pub(super) fn settle(&self, source: Source) {
        // The place of a storage is found once.
        let _ = self.0.origin.set(Origin::File(source));
    }

    /// A storage of its own with the bytes that the file has, whether this one was read or not. It is this one again if it never
    /// was in a file.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_io::pytorch::{File, Object, to_bytes};
    /// use firebrick_io::LoadOptions;
    /// let bytes = to_bytes(Object::dict([("x", Tensor::new([1.0f32])?.into())]))?;
    /// let file = File::from_bytes(bytes, &LoadOptions::new())?;
    /// file.array("x").expect("saved above").tensor()?.fill_(5.0)?;
    /// let saved = file.array("x").expect("saved above").storage().unread();
    /// assert_eq!(saved.with_bytes(<[u8]>::to_vec)?, 1.0f32.to_ne_bytes());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn unread(&self) -> Self {
        let Some(origin) = self.0.origin.get() else { return self.clone() };
        Storage::from_origin(self.dtype(), self.bytes(), origin.clone())
    }

    fn source(&self) -> Option<&Source> {
        match self.0.origin.get() {
            Some(Origin::File(source)) => Some(source),
            _ => None,
        }
    }

    /// The dtype that the file gives the storage; `torch.uint8` where it gives none. [`Storage`] shows it.
    pub fn dtype(&self) -> Dtype {
        self.0.dtype
    }

    /// Bytes of memory; [`Storage`] shows it.
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }

    /// The record of the file that holds the storage, such as `data/0`; [`Storage`] shows it.
    pub fn record(&self) -> Option<&str> {
        self.source().map(|source| source.record().name.as_str())
    }

    /// Where in the file the bytes are, if they lie there as they are; [`Storage`] shows it.
    pub fn file_range(&self) -> Option<Range<usize>> {
        self.source().filter(|source| source.lies_as_it_is()).map(|source| source.record().range.clone())
    }

    /// Was it read, or never in a file? [`Storage::from_bytes`] shows it.
    pub fn is_in_memory(&self) -> bool {
        self.0.memory.get().is_some()
    }

    /// Do both stand for the same memory? [`Storage`] shows it.
    pub fn is_same(&self, other: &Storage) -> bool {
        self.id() == other.id()
    }

    /// The address that tells storages apart: that of the memory, once there is one.
    pub(super) fn id(&self) -> usize {
        match self.0.memory.get() {
            Some(memory) => Arc::as_ptr(memory) as usize,
            None => Arc::as_ptr(&self.0) as usize,
        }
    }

    /// The memory, read from the file the first time.
    ///
    /// # Errors
    /// What the file holds is not what it says, or memory cannot be had.
    pub(super) fn memory(&self) -> Result<Arc<Memory>> {
        if let Some(memory) = self.0.memory.get() {
            return Ok(memory.clone());
        }
        let read = match self.0.origin.get() {
            Some(Origin::File(source)) => source.memory(self.0.dtype)?,
            Some(Origin::Made(make)) => self.make(&**make, |bytes| copied(self.0.dtype, bytes, Device::Cpu))??,
            None => return Err(Error::runtime("load", "a storage has no bytes in the file")),
        };
        // Another thread may have been first: whose memory it is, is the storage's from now on.
        Ok(self.0.memory.get_or_init(|| read).clone())
    }

    /// Calls `f` with the bytes as they are now; those of another device are copied to main memory.
    /// [`Storage::from_bytes`] shows it.
    ///
    /// # Errors
    /// What the file holds is not what it says, or memory cannot be had.
    pub fn with_bytes<R>(&self, f: impl FnOnce(&[u8]) -> R) -> Result<R> {
        match (self.0.memory.get(), self.0.origin.get()) {
            (None, Some(Origin::File(source))) => Ok(f(&source.bytes()?)),
            (None, Some(Origin::Made(make))) => self.make(&**make, f),
            _ => self.memory()?.with_bytes(f),
        }
    }

    /// Calls `f` with the bytes that `make` makes.
    fn make<R>(&self, make: &dyn Fn() -> Result<Tensor>, f: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let made = make()?.detach().contiguous()?;
        let (size, found) = (made.dtype().size(), made.numel() * made.dtype().size());
        if found != self.bytes() {
            let problem = format!("{found} bytes were made for a storage of {}", self.bytes());
            return Err(Error::value("Storage", problem));
        }
        let body = made.body();
        let start = body.offset * size;
        body.storage.with_bytes(|bytes| f(&bytes[start..start + found]))
    }
}

/// Memory with a copy of the bytes. Bools are made 0 or 1.
pub(super) fn copied(dtype: Dtype, bytes: &[u8], device: Device) -> Result<Arc<Memory>> {
    let memory = Tensor::from_bytes(bytes, [bytes.len()], dtype.in_memory())?;
    Ok(memory.to(device)?.body().storage)
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Storage({}, {} bytes)", self.0.dtype, self.0.bytes)
    }
}
