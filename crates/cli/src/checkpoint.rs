//! PyTorch's `.pt` files as the commands see them: the tensors in them, by dotted names.

use super::numbers::Numbers;
use super::source::{Entry, Source, bytes};
use firebrick_core::{Error, Result, Tensor};
use firebrick_io::LoadOptions;
use firebrick_io::pytorch::{Array, Dict, Dtype, File, Format, Storage};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A file whose tensors look at it.
pub struct Checkpoint {
    file: File,
    arrays: IndexMap<String, Array>,
    /// The storage that was read last, as the file has it and as it was read: only one is kept at a time.
    last: Mutex<Option<(Storage, Storage)>>,
}

impl Checkpoint {
    /// What a file of PyTorch before 1.6 begins with.
    pub const LEGACY: [u8; 4] = [0x80, 2, 0x8a, 10];

    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open_with(path, &LoadOptions::new().map_location(firebrick_core::Device::Cpu).mmap(true))?;
        let arrays = file.object().arrays().into_iter().map(|(name, array)| (name, array.clone())).collect();
        Ok(Checkpoint { file, arrays, last: Mutex::default() })
    }

    fn find(&self, name: &str) -> Result<&Array> {
        self.arrays.get(name).ok_or_else(|| Error::value("tensor", format!("the file has no tensor {name:?}")))
    }

    fn read(&self, of: &Storage) -> Storage {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((storage, read)) if storage.is_same(of) => read.clone(),
            _ => {
                let read = of.unread();
                *last = Some((of.clone(), read.clone()));
                read
            }
        }
    }
}

impl Source for Checkpoint {
    fn kind(&self) -> &'static str {
        match self.file.format() {
            Format::Zip => "PyTorch checkpoint",
            Format::Legacy => "PyTorch checkpoint of before version 1.6",
        }
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        let mut first: HashMap<_, &str> = HashMap::new();
        let mut entries = Vec::new();
        for (name, array) in &self.arrays {
            // Tensors of one record that look at the same part of it are one.
            let place = (array.storage().record().map(str::to_owned), array.dtype());
            let part = (array.offset(), array.shape().to_vec(), array.strides().to_vec());
            let kept = *first.entry((place, part)).or_insert(name.as_str());
            let is_tie = kept != name && array.numel() > 0;
            entries.push(Entry {
                name: name.clone(),
                dtype: array.dtype().name().to_string(),
                numbers: Numbers::of_pytorch(array.dtype()),
                shape: array.shape().to_vec(),
                bytes: bytes(array.shape(), array.dtype().size()),
                tied_to: is_tie.then(|| kept.to_string()),
            });
        }
        Ok(entries)
    }

    fn tensor(&self, name: &str) -> Result<Tensor> {
        let array = self.find(name)?;
        let storage = self.read(array.storage());
        let array = match array.dtype().float8() {
            Some(_) => Array::new(storage, Dtype::U8, array.shape(), array.strides(), array.offset())?,
            None => array.over(storage)?,
        };
        Ok(array.tensor()?.detach())
    }

    fn array(&self, name: &str) -> Option<Array> {
        self.arrays.get(name).cloned()
    }

    fn modules(&self, options: &LoadOptions) -> Result<Dict> {
        self.file.object().metadata(options)
    }
}
