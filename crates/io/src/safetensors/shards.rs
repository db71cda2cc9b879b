//! One state in several files, with an index that says which tensor is where.

use super::SafetensorsError;
use super::index::NewIndex;
use super::save::{OP, Plan, SaveOptions, write_file};
use crate::atomic::atomic_write;
use firebrick_core::{Error, Result, Tensor};
use indexmap::IndexMap;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Writes tensors to as many files as are needed for none to have more than `max_shard_size` bytes of data: `save_torch_state_dict` of
/// Python's `huggingface_hub`.
///
/// `path` is that of the file there would be if all tensors fitted into one, which is then what is written. Otherwise the files beside
/// it are called like `model-00001-of-00003.safetensors`, and `model.safetensors.index.json` says which tensor is in which. Tensors go to the
/// files in the order given; one larger than `max_shard_size` has a file for itself. Returns the path to load from: that of the file or of
/// the index.
///
/// Each file is replaced whole, the index last. Files that an earlier call with the same `path` wrote and this one did not
/// are removed then. If the program ends in between, the old index may stand beside some of the new files.
///
/// # Errors
/// As [`save_safetensors`](super::save_safetensors); a path without a file name.
///
/// ```
/// use firebrick_core::{StateDict, Tensor};
/// use firebrick_io::{SaveOptions, load_safetensors, save_safetensors_sharded};
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let state = StateDict::from_iter([("a", Tensor::zeros([100])?), ("b", Tensor::ones([100])?)]);
/// let index = save_safetensors_sharded(folder.join("model.safetensors"), &state, 500, &SaveOptions::new())?;
/// assert_eq!(index, folder.join("model.safetensors.index.json"));
/// assert!(folder.join("model-00002-of-00002.safetensors").exists());
/// assert_eq!(load_safetensors(&index)?.len(), 2);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn save_safetensors_sharded<'t, N: Into<String>>(
    path: impl AsRef<Path>,
    tensors: impl IntoIterator<Item = (N, &'t Tensor)>,
    max_shard_size: usize,
    options: &SaveOptions,
) -> Result<PathBuf> {
    let path = path.as_ref();
    let save = || {
        let names = Names::of(path)?;
        let Plan { tensors, ties } = Plan::new(tensors, options)?;
        let shards = split(tensors, max_shard_size);
        let mut written = Vec::new();
        let mut index = IndexMap::new();
        for (i, shard) in shards.iter().enumerate() {
            let name = names.shard(i, shards.len());
            let here = ties.iter().filter(|(_, stored)| shard.contains_key(stored)).cloned();
            write_file(&names.folder.join(&name), shard, options.metadata.clone().into_iter().chain(here).collect())?;
            index.extend(shard.iter().map(|(tensor, value)| (tensor.as_str(), (i, bytes(value)))));
            written.push(name);
        }
        let entry = match &written[..] {
            [only] => only.clone(),
            _ => {
                let total: usize = index.values().map(|(_, bytes)| bytes).sum();
                let mut metadata = BTreeMap::from([("total_size", Value::from(total))]);
                metadata.extend(options.metadata.iter().map(|(name, text)| (name.as_str(), text.as_str().into())));
                let weight_map = index.iter().map(|(&tensor, &(i, _))| (tensor, written[i].as_str())).collect();
                let text = NewIndex { metadata, weight_map }.to_bytes()?;
                atomic_write(names.folder.join(names.index()), |file| file.write_all(&text))
                    .map_err(SafetensorsError::from)?;
                names.index()
            }
        };
        written.push(entry.clone());
        names.remove_others(&written).map_err(SafetensorsError::from)?;
        Ok(names.folder.join(entry))
    };
    save().map_err(|error: Error| error.context(path.display()))
}

fn bytes(tensor: &Tensor) -> usize {
    tensor.numel() * tensor.dtype().size()
}

type Shard<'t> = IndexMap<String, &'t Tensor>;

/// The tensors of each file, as huggingface's library splits them; at least one file.
fn split<'t>(tensors: Shard<'t>, limit: usize) -> Vec<Shard<'t>> {
    let (mut shards, mut current, mut size) = (Vec::new(), Shard::new(), 0);
    for (name, tensor) in tensors {
        let more = bytes(tensor);
        if more > limit {
            shards.push(Shard::from_iter([(name, tensor)]));
            continue;
        }
        if size + more > limit {
            shards.push(std::mem::take(&mut current));
            size = 0;
        }
        current.insert(name, tensor);
        size += more;
    }
    if !current.is_empty() || shards.is_empty() {
        shards.push(current);
    }
    shards
}

/// What the files of one state are called.
struct Names<'p> {
    folder: &'p Path,
    stem: &'p str,
    extension: &'p str,
}

impl<'p> Names<'p> {
    fn of(path: &'p Path) -> Result<Self> {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Error::value(OP, "the path does not end in the name of a file"))?;
        let (stem, extension) = name.split_at(name.rfind('.').unwrap_or(name.len()));
        Ok(Names { folder: path.parent().unwrap_or(Path::new("")), stem, extension })
    }

    fn shard(&self, index: usize, count: usize) -> String {
        let Names { stem, extension, .. } = self;
        match count {
            1 => format!("{stem}{extension}"),
            _ => format!("{stem}-{:05}-of-{count:05}{extension}", index + 1),
        }
    }

    fn index(&self) -> String {
        format!("{}.index.json", self.shard(0, 1))
    }

    /// Removes what an earlier call wrote and this one did not.
    fn remove_others(&self, written: &[String]) -> io::Result<()> {
        let written: HashSet<&str> = written.iter().map(String::as_str).collect();
        let folder = if self.folder.as_os_str().is_empty() { Path::new(".") } else { self.folder };
        for file in fs::read_dir(folder)? {
            let file = file?;
            if file.file_name().to_str().is_some_and(|name| self.is_ours(name) && !written.contains(name)) {
                fs::remove_file(file.path())?;
            }
        }
        Ok(())
    }

    fn is_ours(&self, name: &str) -> bool {
        let number = |text: &str| text.len() >= 5 && text.bytes().all(|digit| digit.is_ascii_digit());
        let shard = || {
            let numbers = name.strip_prefix(self.stem)?.strip_prefix('-')?.strip_suffix(self.extension)?;
            let (index, count) = numbers.split_once("-of-")?;
            Some(number(index) && number(count))
        };
        name == self.shard(0, 1) || name == self.index() || shard() == Some(true)
    }
}
