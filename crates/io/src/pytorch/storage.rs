//! The memory that arrays are views of: still in the file, or in main memory.

use super::archive::Record;
use super::{Dtype, PytorchError};
use crate::mmap::Mapping;
use firebrick_core::{DType, Device, Error, Result, Storage as Memory, Tensor};
use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::{Arc, OnceLock};

/// Memory that one or more [`Array`](super::Array)s are views of. Clones are the same storage.
#[derive(Clone)]
pub struct Storage(Arc<Inner>);

struct Inner {
    dtype: Dtype,
    bytes: usize,
    /// Empty for memory that was never in a file.
    source: OnceLock<Source>,
    /// Filled when a tensor is made of it, or from the start.
    memory: OnceLock<Arc<Memory>>,
}

/// Where in a file the bytes are.
pub(super) struct Source {
    pub file: Arc<FileBytes>,
    pub record: Record,
    /// Bytes to reverse together, for files of the other byte order; otherwise 1.
    pub swap: usize,
    /// Is the record's checksum to be compared?
    pub verify: bool,
    /// Where the memory goes.
    pub device: Device,
}

/// The bytes of a whole file.
pub(super) enum FileBytes {
    Mapped(Mapping),
    Owned(Vec<u8>),
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            FileBytes::Mapped(mapping) => mapping,
            FileBytes::Owned(bytes) => bytes,
        }
    }
}

impl Storage {
    /// A storage of elements of `dtype` with a copy of `bytes`, in this machine's byte order. It can hold dtypes that
    /// Firebrick does not compute with.
    ///
    /// # Errors
    /// When memory cannot be had.
    pub fn from_bytes(dtype: Dtype, bytes: &[u8]) -> Result<Self> {
        let memory = copied(dtype, bytes, Device::Cpu)?;
        Ok(Storage::in_memory(dtype, memory))
    }

    pub(super) fn in_memory(dtype: Dtype, memory: Arc<Memory>) -> Self {
        let bytes = memory.bytes();
        Storage(Arc::new(Inner { dtype, bytes, source: OnceLock::new(), memory: memory.into() }))
    }

    /// A storage of a file of which the place is not known yet; see [`Storage::settle`].
    pub(super) fn unsettled(dtype: Dtype, bytes: usize) -> Self {
        Storage(Arc::new(Inner { dtype, bytes, source: OnceLock::new(), memory: OnceLock::new() }))
    }

    pub(super) fn in_file(dtype: Dtype, source: Source) -> Self {
        let bytes = source.record.size;
        Storage(Arc::new(Inner { dtype, bytes, source: source.into(), memory: OnceLock::new() }))
    }

    /// Says where the bytes are.
    pub(super) fn settle(&self, source: Source) {
        // The place of a storage is found once.
        let _ = self.0.source.set(source);
    }

    /// The dtype that the file gives the storage; `torch.uint8` where it gives none.
    pub fn dtype(&self) -> Dtype {
        self.0.dtype
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }

    /// The record of the file that holds the storage, such as `data/0`.
    pub fn record(&self) -> Option<&str> {
        self.0.source.get().map(|source| source.record.name.as_str())
    }

    /// Where in the file the bytes are, if they lie there as they are.
    pub fn file_range(&self) -> Option<Range<usize>> {
        let source = self.0.source.get().filter(|source| source.swap == 1)?;
        source.record.stored().then(|| source.record.range.clone())
    }

    /// Was it read, or never in a file?
    pub fn is_in_memory(&self) -> bool {
        self.0.memory.get().is_some()
    }

    /// Do both stand for the same memory?
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
        let source = self.0.source.get().ok_or_else(|| Error::runtime("load", "a storage has no bytes in the file"))?;
        let read = copied(self.0.dtype, &source.bytes()?, source.device)?;
        // Another thread may have been first: whose memory it is, is the storage's from now on.
        Ok(self.0.memory.get_or_init(|| read).clone())
    }

    /// Calls `f` with the bytes as they are now; those of another device are copied to main memory.
    ///
    /// # Errors
    /// What the file holds is not what it says, or memory cannot be had.
    pub fn with_bytes<R>(&self, f: impl FnOnce(&[u8]) -> R) -> Result<R> {
        match (self.0.memory.get(), self.0.source.get()) {
            (None, Some(source)) => Ok(f(&source.bytes()?)),
            _ => self.memory()?.with_bytes(f),
        }
    }
}

impl Source {
    /// The bytes in this machine's order.
    fn bytes(&self) -> Result<Cow<'_, [u8]>, PytorchError> {
        let mut bytes = self.record.read(&self.file, self.verify)?;
        if self.swap > 1 {
            bytes.to_mut().chunks_exact_mut(self.swap).for_each(<[u8]>::reverse);
        }
        Ok(bytes)
    }
}

/// Memory with a copy of the bytes. Bools are made 0 or 1.
fn copied(dtype: Dtype, bytes: &[u8], device: Device) -> Result<Arc<Memory>> {
    let as_dtype = if dtype == Dtype::Bool { DType::Bool } else { DType::U8 };
    let memory = Tensor::from_bytes(bytes, [bytes.len()], as_dtype)?;
    Ok(memory.to(device)?.body().storage)
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Storage({}, {} bytes)", self.0.dtype, self.0.bytes)
    }
}
