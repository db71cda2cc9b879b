//! PyTorch's `.pt` files as the commands see them: the tensors in them, by dotted names.

use super::source::{Entry, Source};
use firebrick_core::{DType, Error, Result, Tensor};
use firebrick_io::pytorch::{Array, File, Format, LoadOptions};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::path::Path;

/// A file whose tensors look at it.
pub struct Checkpoint {
    format: Format,
    arrays: IndexMap<String, Array>,
}

impl Checkpoint {
    /// What a file of PyTorch before 1.6 begins with.
    pub const LEGACY: [u8; 4] = [0x80, 2, 0x8a, 10];

    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open_with(path, &LoadOptions::new().map_location(firebrick_core::Device::Cpu).mmap(true))?;
        let arrays = file.object().arrays().into_iter().map(|(name, array)| (name, array.clone())).collect();
        Ok(Checkpoint { format: file.format(), arrays })
    }

    fn array(&self, name: &str) -> Result<&Array> {
        self.arrays.get(name).ok_or_else(|| Error::value("tensor", format!("the file has no tensor {name:?}")))
    }
}

impl Source for Checkpoint {
    fn kind(&self) -> &'static str {
        match self.format {
            Format::Zip => "PyTorch checkpoint",
            Format::Legacy => "PyTorch checkpoint of before version 1.6",
        }
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        let mut first: HashMap<_, &str> = HashMap::new();
        let mut entries = Vec::new();
        for (name, array) in &self.arrays {
            let core = array.dtype().core();
            // Tensors of one record that look at the same part of it are one.
            let place = (array.storage().record().map(str::to_owned), array.dtype());
            let part = (array.offset(), array.shape().to_vec(), array.strides().to_vec());
            let kept = *first.entry((place, part)).or_insert(name.as_str());
            let is_tie = kept != name && array.numel() > 0;
            entries.push(Entry {
                name: name.clone(),
                dtype: core.map_or(array.dtype().name(), DType::name).to_string(),
                core,
                shape: array.shape().to_vec(),
                bytes: array.numel() * array.dtype().size(),
                tied_to: is_tie.then(|| kept.to_string()),
            });
        }
        Ok(entries)
    }

    fn metadata(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    fn tensor(&self, name: &str) -> Result<Tensor> {
        Ok(self.array(name)?.tensor()?.detach())
    }
}
