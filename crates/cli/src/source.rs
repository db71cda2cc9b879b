//! Files of tensors, of whatever kind, as the commands see them.

use super::checkpoint::Checkpoint;
use super::numbers::Numbers;
use firebrick_core::{DType, Error, Result, Tensor};
use firebrick_io::LoadOptions;
use firebrick_io::numpy::{NpzReader, load_npy};
use firebrick_io::pytorch::{Array, Dict};
use firebrick_io::safetensors::Reader;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A file that is open. Nothing of its tensors was read yet.
pub trait Source: Send + Sync {
    /// What kind of file it is.
    fn kind(&self) -> &'static str;
    /// What is in it, in its order.
    fn entries(&self) -> Result<Vec<Entry>>;
    /// What comes with the tensors.
    fn metadata(&self) -> Vec<(String, String)> {
        Vec::new()
    }
    /// Reads one tensor; of eight-bit floating point, the bytes.
    fn tensor(&self, name: &str) -> Result<Tensor>;
    /// The tensor as a `.pt` file takes it, whatever its dtype, if it comes from one.
    fn array(&self, _name: &str) -> Option<Array> {
        None
    }
    /// What a state dict of the tensors that `options` choose notes about their modules.
    fn modules(&self, _options: &LoadOptions) -> Result<Dict> {
        Ok(Dict::default())
    }
    /// Compares one tensor with its checksum, if the file has any.
    fn verify(&self, _name: &str) -> Result<()> {
        Ok(())
    }
}

/// What a file says of one tensor.
#[derive(Clone, Debug)]
pub struct Entry {
    pub name: String,
    /// PyTorch's name of the dtype, or the file's if PyTorch has none.
    pub dtype: String,
    /// The dtype, if its values are known.
    pub numbers: Option<Numbers>,
    pub shape: Vec<usize>,
    pub bytes: usize,
    /// The name of the tensor that this is another name of.
    pub tied_to: Option<String>,
}

impl Entry {
    pub fn numel(&self) -> usize {
        count(&self.shape)
    }

    /// The dtype.
    ///
    /// # Errors
    /// Its values are not known.
    pub fn numbers(&self) -> Result<Numbers> {
        self.numbers.ok_or_else(|| {
            let message = format!("tensor {:?} has dtype {}, which Firebrick does not have", self.name, self.dtype);
            Error::type_("tensor", message).remedy("leave it out, as in --exclude NAME")
        })
    }

    /// Reads the values.
    pub fn values(&self, source: &dyn Source) -> Result<Tensor> {
        self.numbers()?.decoded(source.tensor(&self.name)?)
    }
}

/// Elements of a shape. Sizes that cannot be may stand beside a 0.
pub fn count(shape: &[usize]) -> usize {
    match shape.contains(&0) {
        true => 0,
        false => shape.iter().fold(1, |count: usize, &size| count.saturating_mul(size)),
    }
}

/// Bytes of so many elements of `size` bytes each. A tensor whose elements lie on each other may have more than can be counted.
pub fn bytes(shape: &[usize], size: usize) -> usize {
    count(shape).saturating_mul(size)
}

/// Bytes of several tensors.
pub fn total<'c>(chosen: impl IntoIterator<Item = &'c Chosen>) -> usize {
    chosen.into_iter().fold(0, |total: usize, chosen| total.saturating_add(chosen.entry.bytes))
}

/// A tensor that was chosen: what the file says of it, and the name it gets.
#[derive(Clone)]
pub struct Chosen {
    pub entry: Entry,
    pub name: String,
}

/// Opens a file, whose kind its first bytes tell. Of a file that is none of them, its name says what is missed.
pub fn open(path: &Path) -> Result<Box<dyn Source>> {
    // Arrays and checkpoints name the file themselves.
    let named = |error: Error| error.context(path.display());
    let mut first = [0; 8];
    let read = File::open(path).and_then(|mut file| file.read(&mut first)).map_err(|error| named(error.into()))?;
    match &first[..read] {
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Ok(Box::new(Npy::open(path)?)),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => archive(path),
        start if start.starts_with(&Checkpoint::LEGACY) => Ok(Box::new(Checkpoint::open(path)?)),
        _ => match (Reader::open(path), path.extension().and_then(|extension| extension.to_str())) {
            (Ok(reader), _) => Ok(Box::new(reader)),
            (_, Some("pt" | "pth" | "bin")) => Ok(Box::new(Checkpoint::open(path)?)),
            (_, Some("npy")) => Ok(Box::new(Npy::open(path)?)),
            (_, Some("npz")) => archive(path),
            (Err(error), _) => Err(named(error.into())),
        },
    }
}

/// Opens an archive, of a checkpoint or of arrays. Of two errors, that of the kind which the
/// file's name promises counts.
fn archive(path: &Path) -> Result<Box<dyn Source>> {
    let no_checkpoint = match Checkpoint::open(path) {
        Ok(checkpoint) => return Ok(Box::new(checkpoint)),
        Err(error) => error,
    };
    let promises_arrays = path.extension().is_some_and(|extension| extension == "npz");
    match NpzReader::open(path) {
        Ok(reader) if promises_arrays || reader.names().next().is_some() => Ok(Box::new(reader)),
        Err(error) if promises_arrays => Err(Error::from(error).context(path.display())),
        _ => Err(no_checkpoint),
    }
}

/// The tensors that `options` choose, with the names they get.
pub fn choose(source: &dyn Source, options: &LoadOptions) -> Result<Vec<Chosen>> {
    let entries = source.entries()?;
    let by_name: HashMap<&str, &Entry> = entries.iter().map(|entry| (entry.name.as_str(), entry)).collect();
    let chosen = options.select(entries.iter().map(|entry| entry.name.as_str()))?;
    Ok(chosen.into_iter().map(|(old, name)| Chosen { entry: by_name[old].clone(), name }).collect())
}

impl Source for Reader {
    fn kind(&self) -> &'static str {
        if self.shards() > 1 { "sharded safetensors" } else { "safetensors" }
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        let entry = |name: &str| {
            let found = self.entry(name)?;
            let numbers = Numbers::of_safetensors(found.dtype);
            let stored = self.stored_name(name)?;
            Ok(Entry {
                name: name.to_string(),
                dtype: numbers.map_or(found.dtype.name(), Numbers::name).to_string(),
                numbers,
                shape: found.shape.clone(),
                bytes: found.data_offsets.len(),
                tied_to: (stored != name).then(|| stored.to_string()),
            })
        };
        self.names().map(entry).collect()
    }

    fn metadata(&self) -> Vec<(String, String)> {
        let is_tie = |name: &str| self.stored_name(name).is_ok_and(|stored| stored != name);
        let pairs = Reader::metadata(self).iter().filter(|(name, _)| !is_tie(name));
        pairs.map(|(name, text)| (name.clone(), text.clone())).collect()
    }

    fn tensor(&self, name: &str) -> Result<Tensor> {
        let entry = Reader::entry(self, name)?;
        match entry.dtype.float8() {
            Some(_) => Tensor::from_bytes(self.bytes(name)?, entry.shape.as_slice(), DType::U8),
            None => Reader::tensor(self, name),
        }
    }
}

/// A file of one array, which is called what the file is called.
struct Npy {
    name: String,
    array: Tensor,
}

impl Npy {
    fn open(path: &Path) -> Result<Self> {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Npy { name, array: load_npy(path)? })
    }
}

impl Source for Npy {
    fn kind(&self) -> &'static str {
        "NumPy array"
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        Ok(vec![Entry {
            name: self.name.clone(),
            dtype: self.array.dtype().name().to_string(),
            numbers: Some(Numbers::Core(self.array.dtype())),
            shape: self.array.shape().to_vec(),
            bytes: bytes(&self.array.shape(), self.array.dtype().size()),
            tied_to: None,
        }])
    }

    fn tensor(&self, _name: &str) -> Result<Tensor> {
        Ok(self.array.clone())
    }
}

impl Source for NpzReader {
    fn kind(&self) -> &'static str {
        "NumPy archive"
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        let entry = |name: &str| {
            let (dtype, shape) = self.form(name)?;
            let bytes = bytes(&shape, dtype.size());
            let (name, numbers) = (name.to_string(), Numbers::Core(dtype));
            let dtype = numbers.name().to_string();
            Ok(Entry { name, dtype, numbers: Some(numbers), shape, bytes, tied_to: None })
        };
        self.names().map(entry).collect()
    }

    fn tensor(&self, name: &str) -> Result<Tensor> {
        NpzReader::tensor(self, name)
    }

    fn verify(&self, name: &str) -> Result<()> {
        NpzReader::verify(self, name)
    }
}
