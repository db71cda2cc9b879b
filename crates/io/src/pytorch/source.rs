//! Bytes of a file that a storage is filled with.

use super::storage::copied;
use super::{Dtype, PytorchError};
use crate::LoadOptions;
use crate::mmap::Mapping;
use crate::zip::Record;
use firebrick_core::{DType, Device, Result, Storage as Memory, Tensor};
use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

/// Where in a file the bytes are, and how they are read.
#[derive(Clone)]
pub(super) struct Source {
    file: Arc<FileBytes>,
    record: Record,
    /// Bytes to reverse together, for files of the other byte order; otherwise 1.
    swap: usize,
    mmap: bool,
    verify: bool,
    /// Where the memory goes.
    device: Device,
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

impl Source {
    pub fn new(file: &Arc<FileBytes>, record: Record, swap: usize, options: &LoadOptions, device: Device) -> Self {
        let (mmap, verify) = (options.is_mapped_or(false), options.verifies());
        Source { file: file.clone(), record, swap, mmap, verify, device }
    }

    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Do the bytes lie in the file as they are in memory?
    pub fn lies_as_it_is(&self) -> bool {
        self.swap == 1 && !self.record.deflated
    }

    /// The memory of a storage of `dtype`.
    pub fn memory(&self, dtype: Dtype) -> Result<Arc<Memory>> {
        match &*self.file {
            FileBytes::Mapped(mapping) if self.lies_as_it_is() => self.memory_of(mapping, dtype),
            _ => copied(dtype, &self.bytes()?, self.device),
        }
    }

    /// A view of the file where that is wanted and possible, otherwise bytes that are read into place.
    fn memory_of(&self, file: &Mapping, dtype: Dtype) -> Result<Arc<Memory>> {
        let (range, verify) = (self.record.range.clone(), self.verify && self.record.crc.is_some());
        let usable = dtype != Dtype::Bool && range.start.is_multiple_of(dtype.swapped()) && self.device == Device::Cpu;
        let len = range.len();
        let tensor = if self.mmap && usable {
            if verify {
                self.record.check_crc(file.crc(range.clone())?).map_err(PytorchError::from)?;
            }
            file.tensor(range, [len], DType::U8)?
        } else {
            let (block, crc) = file.read(range, verify)?;
            if verify {
                self.record.check_crc(crc).map_err(PytorchError::from)?;
            }
            Tensor::from_block(block, [len], dtype.in_memory())?.to(self.device)?
        };
        Ok(tensor.body().storage)
    }

    /// The bytes in this machine's order.
    pub fn bytes(&self) -> Result<Cow<'_, [u8]>, PytorchError> {
        let mut bytes = self.record.read(&self.file, self.verify)?;
        if self.swap > 1 {
            bytes.to_mut().chunks_exact_mut(self.swap).for_each(<[u8]>::reverse);
        }
        Ok(bytes)
    }
}
