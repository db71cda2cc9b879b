//! Tensors out of safetensors files, whole or sharded.

use super::index::Index;
use super::{Entry, Header, SafetensorsError};
use crate::LoadOptions;
use crate::mmap::Mapping;
use firebrick_core::{Error, Result, StateDict, Tensor};
use indexmap::IndexMap;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;

/// Reads all tensors of a file, in the order of their data: Python's `safetensors.torch.load_file`.
///
/// The tensors look at the mapped file: nothing is read before it is used, and nothing that is written into a tensor
/// reaches the file (see [`Mapping::tensor`]). [`LoadOptions`] choose among the tensors, rename them or make copies.
///
/// Names that [`SaveOptions::ties`](super::SaveOptions::ties) or Python's `save_model` noted in the metadata are
/// there too, as the same tensor, so that `load_state_dict` of a model with tied weights finds all of them. The
/// Python library leaves them to `load_model`.
///
/// The path may be that of an index, `model.safetensors.index.json`: then the tensors of all its shards are read.
///
/// # Errors
/// A file that is not as the format says, one that cannot be read, or a tensor of a dtype that Firebrick does not have.
///
/// ```
/// use firebrick_core::{StateDict, Tensor};
/// use firebrick_io::{load_safetensors, save_safetensors};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.safetensors");
/// save_safetensors(&path, &StateDict::from_iter([("weight", Tensor::new([1.0f32, 2.0])?)]))?;
/// let weight = load_safetensors(&path)?.remove("weight");
/// assert_eq!(weight.map(|w| w.to_vec::<f32>()).transpose()?, Some(vec![1.0, 2.0]));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn load_safetensors(path: impl AsRef<Path>) -> Result<StateDict> {
    load_safetensors_with(path, &LoadOptions::new())
}

/// [`load_safetensors`] of some tensors, or under other names. The bytes of tensors that are not wanted are not read.
///
/// # Errors
/// As [`load_safetensors`] and [`LoadOptions::select`].
///
/// ```
/// use firebrick_core::{StateDict, Tensor};
/// use firebrick_io::{LoadOptions, load_safetensors_with, save_safetensors};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.safetensors");
/// let state = StateDict::from_iter([("module.a", Tensor::zeros([2])?), ("module.b", Tensor::ones([2])?)]);
/// save_safetensors(&path, &state)?;
///
/// let options = LoadOptions::new().include("*.b").rename_prefix("module.", "");
/// assert_eq!(load_safetensors_with(&path, &options)?.keys().collect::<Vec<_>>(), ["b"]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn load_safetensors_with(path: impl AsRef<Path>, options: &LoadOptions) -> Result<StateDict> {
    let path = path.as_ref();
    let load = || Reader::open(path)?.load(options);
    load().map_err(|error: Error| error.context(path.display()))
}

/// An open file, or all files of an index, to read one tensor after another: Python's `safetensors.safe_open`.
///
/// ```
/// use firebrick_core::Tensor;
/// use firebrick_io::{safetensors::Reader, save_safetensors};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.safetensors");
/// save_safetensors(&path, [("weight", &Tensor::new([1.0f32, 2.0])?)])?;
///
/// let file = Reader::open(&path)?;
/// assert_eq!(file.names().collect::<Vec<_>>(), ["weight"]);
/// assert_eq!(file.entry("weight")?.shape, [2]);
/// assert_eq!(file.tensor("weight")?.to_vec::<f32>()?, [1.0, 2.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
///
/// ```
/// use firebrick_core::Tensor;
/// use firebrick_io::safetensors::{Dtype, Reader};
/// use firebrick_io::{SaveOptions, save_safetensors_with};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.safetensors");
/// let x = Tensor::new([1.0f32, 2.0])?;
/// let options = SaveOptions::new().metadata("format", "pt").ties(true);
/// save_safetensors_with(&path, [("a", &x), ("b", &x)], &options)?;
///
/// let file = Reader::open(&path)?;
/// assert_eq!((file.names().collect::<Vec<_>>(), file.shards()), (vec!["a", "b"], 1));
/// assert_eq!((file.metadata()["format"].as_str(), file.stored_name("b")?), ("pt", "a"));
/// assert_eq!((file.entry("a")?.dtype, file.entry("a")?.shape.as_slice()), (Dtype::F32, [2].as_slice()));
/// assert_eq!(file.bytes("a")?, [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40]);
/// assert_eq!(file.tensor("b")?.to_vec::<f32>()?, [1.0, 2.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub struct Reader {
    files: Vec<File>,
    places: IndexMap<String, Place>,
    metadata: IndexMap<String, String>,
}

struct File {
    mapping: Mapping,
    header: Header,
    /// Where the data begins.
    start: usize,
}

/// Where a tensor is.
struct Place {
    file: usize,
    /// The name it has there: another one if it is a tie.
    stored: String,
}

impl Reader {
    /// Opens a file, or an index with all its shards. Of the tensors, nothing is read yet.
    ///
    /// # Errors
    /// A file that is not as the format says or cannot be read; an index that names a shard outside its folder, one
    /// that does not exist, or one that lacks a tensor.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SafetensorsError> {
        let path = path.as_ref();
        let mapping = Mapping::open(path)?;
        if Index::is_one(&mapping) {
            return Self::open_shards(Index::parse(&mapping)?, path.parent().unwrap_or(Path::new("")));
        }
        let file = File::new(mapping)?;
        let metadata = file.header.metadata().cloned().unwrap_or_default();
        let place = |name: &String| (name.clone(), Place { file: 0, stored: name.clone() });
        let places = file.header.tensors().keys().map(place).collect();
        let mut reader = Reader { files: vec![file], places, metadata };
        reader.add_ties();
        Ok(reader)
    }

    fn open_shards(index: Index, folder: &Path) -> Result<Self, SafetensorsError> {
        let text = |value: Value| value.as_str().map(str::to_string).unwrap_or_else(|| value.to_string());
        let metadata = index.metadata.into_iter().map(|(name, value)| (name, text(value))).collect();
        let mut reader = Reader { files: Vec::new(), places: IndexMap::new(), metadata };
        let mut shards: HashMap<String, usize> = HashMap::new();
        for (name, shard) in index.weight_map.0 {
            let file = match shards.get(&shard) {
                Some(&file) => file,
                None => {
                    let opened = Mapping::open(folder.join(&shard)).map_err(SafetensorsError::from).and_then(File::new);
                    let wrong = |error| SafetensorsError::Shard { shard: shard.clone(), error: Box::new(error) };
                    reader.files.push(opened.map_err(wrong)?);
                    shards.insert(shard.clone(), reader.files.len() - 1);
                    reader.files.len() - 1
                }
            };
            if !reader.files[file].header.tensors().contains_key(&name) {
                return Err(SafetensorsError::NotInShard { name, shard });
            }
            let place = Place { file, stored: name.clone() };
            if reader.places.insert(name.clone(), place).is_some() {
                return Err(SafetensorsError::DuplicateName { name });
            }
        }
        reader.add_ties();
        Ok(reader)
    }

    /// Names that the metadata gives tensors beside their own.
    fn add_ties(&mut self) {
        for (file, File { header, .. }) in self.files.iter().enumerate() {
            for (name, stored) in header.metadata().into_iter().flatten() {
                let is_here =
                    self.places.get(stored).is_some_and(|place| place.file == file && place.stored == *stored);
                if is_here && !self.places.contains_key(name) {
                    self.places.insert(name.clone(), Place { file, stored: stored.clone() });
                }
            }
        }
    }

    /// The names of the tensors: those with data in its order, shard by shard, then those that are ties.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// What comes with the tensors: the metadata of the file, or of the index. [`Reader`] shows it.
    pub fn metadata(&self) -> &IndexMap<String, String> {
        &self.metadata
    }

    /// How many files the tensors are in; [`Reader`] shows it.
    pub fn shards(&self) -> usize {
        self.files.len()
    }

    /// Dtype and shape of a tensor.
    ///
    /// # Errors
    /// There is no such tensor.
    pub fn entry(&self, name: &str) -> Result<&Entry, SafetensorsError> {
        self.find(name).map(|(_, _, entry)| entry)
    }

    /// The name under which the file has the data of `name`: another one where this is a tie. [`Reader`] shows it.
    ///
    /// # Errors
    /// There is no such tensor.
    pub fn stored_name(&self, name: &str) -> Result<&str, SafetensorsError> {
        self.find(name).map(|(_, stored, _)| stored)
    }

    /// The bytes of a tensor, in the file; [`Reader`] shows it.
    ///
    /// # Errors
    /// There is no such tensor.
    pub fn bytes(&self, name: &str) -> Result<&[u8], SafetensorsError> {
        let (file, stored, _) = self.find(name)?;
        file.header.bytes(&file.mapping[file.start..], stored)
    }

    /// A tensor that looks at the file: see [`Mapping::tensor`].
    ///
    /// # Errors
    /// There is no such tensor, or Firebrick does not have its dtype.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        self.read(name, true)
    }

    fn read(&self, name: &str, mapped: bool) -> Result<Tensor> {
        let (file, _, Entry { dtype, shape, data_offsets }) = self.find(name)?;
        let Some(core) = dtype.to_core() else {
            return Err(SafetensorsError::ForeignDtype { name: name.to_string(), dtype: *dtype }.into());
        };
        let range = file.start + data_offsets.start..file.start + data_offsets.end;
        match mapped {
            true => file.mapping.tensor(range, shape.as_slice(), core),
            false => file.mapping.copy(range, shape.as_slice(), core),
        }
    }

    fn find(&self, name: &str) -> Result<(&File, &str, &Entry), SafetensorsError> {
        let place = self.places.get(name).and_then(|Place { file, stored }| {
            let file = self.files.get(*file)?;
            Some((file, stored.as_str(), file.header.tensors().get(stored)?))
        });
        place.ok_or_else(|| SafetensorsError::NotFound { name: name.to_string() })
    }

    /// The tensors that `options` choose; ties are the same tensor.
    ///
    /// # Errors
    /// As [`load_safetensors_with`].
    ///
    /// ```
    /// use firebrick_core::{StateDict, Tensor};
    /// use firebrick_io::safetensors::Reader;
    /// use firebrick_io::{LoadOptions, save_safetensors};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("model.safetensors");
    /// save_safetensors(&path, &StateDict::from_iter([("a", Tensor::zeros([2])?), ("b", Tensor::ones([2])?)]))?;
    /// let state = Reader::open(&path)?.load(&LoadOptions::new().exclude("a"))?;
    /// assert_eq!(state.keys().collect::<Vec<_>>(), ["b"]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn load(&self, options: &LoadOptions) -> Result<StateDict> {
        let mut state = StateDict::new();
        let mut read: HashMap<&str, Tensor> = HashMap::new();
        for (name, new_name) in options.select(self.names())? {
            let stored = self.stored_name(name)?;
            let tensor = match read.get(stored) {
                Some(tensor) => tensor.clone(),
                None => {
                    let tensor =
                        self.read(name, options.is_mapped_or(true))?.to(options.target().unwrap_or_default())?;
                    read.insert(stored, tensor.clone());
                    tensor
                }
            };
            state.insert(new_name, tensor);
        }
        Ok(state)
    }
}

impl File {
    fn new(mapping: Mapping) -> Result<Self, SafetensorsError> {
        let (header, data) = Header::parse(&mapping)?;
        let start = mapping.len() - data.len();
        Ok(File { mapping, header, start })
    }
}
