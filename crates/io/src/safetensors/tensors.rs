//! Tensors into safetensors files and back.

use super::{Dtype, Header, SafetensorsError};
use crate::atomic::atomic_write;
use crate::mmap::Mapping;
use firebrick_core::{Body, DType, Error, Result, StateDict, Tensor};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// What [`save_safetensors_with`] writes beside the tensors.
#[derive(Clone, Debug, Default)]
pub struct SaveOptions {
    metadata: IndexMap<String, String>,
    ties: bool,
}

impl SaveOptions {
    /// No metadata; tied tensors are refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry to the metadata, such as `("format", "pt")`.
    pub fn metadata(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), text.into());
        self
    }

    /// Writes a tensor that has several names once, under the first of them in alphabetical order, and notes the
    /// others in the metadata, as Python's `safetensors.torch.save_model` does.
    pub fn ties(mut self, ties: bool) -> Self {
        self.ties = ties;
        self
    }
}

/// Writes tensors to a file, which is replaced whole: Python's `safetensors.torch.save_file`.
///
/// Tensors of other devices go by way of main memory. Ones that are not contiguous are written as if they were, where
/// the Python library (0.8) refuses them.
///
/// # Errors
/// Tensors that share memory (see [`SaveOptions::ties`]), complex128, which the format lacks, a name given twice, a lazy layer's parameter without shape,
/// or an I/O error. The old file is then untouched.
///
/// ```
/// use firebrick_core::{StateDict, Tensor};
/// use firebrick_io::{load_safetensors, save_safetensors};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.safetensors");
/// let state = StateDict::from_iter([("weight", Tensor::new([[1.0f32, 2.0]])?), ("steps", Tensor::new([7i64])?)]);
/// save_safetensors(&path, &state)?;
///
/// let loaded = load_safetensors(&path)?;
/// assert_eq!(loaded.get("weight").map(|w| w.shape()), Some([1, 2].into()));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn save_safetensors<'t, N: Into<String>>(
    path: impl AsRef<Path>,
    tensors: impl IntoIterator<Item = (N, &'t Tensor)>,
) -> Result<()> {
    save_safetensors_with(path, tensors, &SaveOptions::new())
}

/// [`save_safetensors`] with metadata, or for models with tied weights.
///
/// # Errors
/// As [`save_safetensors`].
pub fn save_safetensors_with<'t, N: Into<String>>(
    path: impl AsRef<Path>,
    tensors: impl IntoIterator<Item = (N, &'t Tensor)>,
    options: &SaveOptions,
) -> Result<()> {
    let path = path.as_ref();
    let mut tensors: Vec<(String, &Tensor)> = tensors.into_iter().map(|(name, tensor)| (name.into(), tensor)).collect();
    if let Some((name, _)) = tensors.iter().find(|(_, tensor)| tensor.is_uninitialized()) {
        return Err(Error::value(OP_SAVE, format!("tensor {name:?} has no shape yet: call the lazy layer once"))
            .given(path.display().to_string()));
    }
    let mut metadata = options.metadata.clone();
    if options.ties {
        note_ties(&mut tensors, &mut metadata);
    } else {
        refuse_shared(&tensors)?;
    }
    let entry = |(name, tensor): &(String, &Tensor)| match file_dtype(tensor.dtype()) {
        Some(dtype) => Ok((name.clone(), dtype, tensor.shape().to_vec())),
        None => Err(Error::type_(OP_SAVE, format!("the format has no {}", tensor.dtype()))
            .given(format!("tensor {name:?}"))
            .remedy("save its parts, as in `x.view_as_real()?`")),
    };
    let layout = tensors.iter().map(entry).collect::<Result<Vec<_>>>()?;
    let header = Header::new(layout, (!metadata.is_empty()).then_some(metadata))?;
    let by_name: HashMap<&str, &Tensor> = tensors.iter().map(|(name, tensor)| (name.as_str(), *tensor)).collect();
    let written = atomic_write(path, |file| -> Result<(), SafetensorsError> {
        header.write(file, |name, _| {
            let tensor = by_name.get(name).expect("the header has the names of these tensors");
            let bytes = tensor.to_bytes().map_err(|error| std::io::Error::other(error.to_string()))?;
            Ok(bytes.into())
        })
    });
    written.map_err(|error| Error::from(error).given(path.display().to_string()))
}

/// Reads all tensors of a file, in the order of their data: Python's `safetensors.torch.load_file`.
///
/// Names that [`SaveOptions::ties`] or Python's `save_model` noted in the metadata are there too, as the same tensor,
/// so that `load_state_dict` of a model with tied weights finds all of them. The Python library leaves them to
/// `load_model`.
///
/// # Errors
/// A file that is not as the format says, one that cannot be read, or a tensor of a dtype that Firebrick does not have.
pub fn load_safetensors(path: impl AsRef<Path>) -> Result<StateDict> {
    let path = path.as_ref();
    read(path).map_err(|error| error.given(path.display().to_string()))
}

const OP_SAVE: &str = "save_safetensors";
const OP_LOAD: &str = "load_safetensors";

fn read(path: &Path) -> Result<StateDict> {
    let file = Mapping::open(path).map_err(|error| Error::io(OP_LOAD, error.to_string()))?;
    let (header, data) = Header::parse(&file)?;
    let mut state = StateDict::new();
    for (name, entry) in header.tensors() {
        let dtype = core_dtype(entry.dtype).ok_or_else(|| {
            Error::type_(OP_LOAD, format!("tensor {name:?} has dtype {}, which Firebrick does not have", entry.dtype))
        })?;
        state.insert(name, Tensor::from_bytes(header.bytes(data, name)?, entry.shape.as_slice(), dtype)?);
    }
    for (name, kept) in header.metadata().into_iter().flatten() {
        if let (false, Some(tensor)) = (state.contains_key(name), state.get(kept).cloned()) {
            state.insert(name, tensor);
        }
    }
    Ok(state)
}

macro_rules! dtypes {
    ($($dtype:ident)*) => {
        fn file_dtype(dtype: DType) -> Option<Dtype> {
            match dtype {
                $(DType::$dtype => Some(Dtype::$dtype),)*
                DType::C128 => None,
            }
        }

        fn core_dtype(dtype: Dtype) -> Option<DType> {
            match dtype {
                $(Dtype::$dtype => Some(DType::$dtype),)*
                _ => None,
            }
        }
    };
}
dtypes!(Bool U8 I8 I16 I32 I64 F16 BF16 F32 F64 C64);

/// Keeps of each set of names for the same elements the first one.
fn note_ties(tensors: &mut Vec<(String, &Tensor)>, metadata: &mut IndexMap<String, String>) {
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut first: HashMap<_, String> = HashMap::new();
    tensors.retain(|(name, tensor)| {
        let body = tensor.body();
        if body.numel() == 0 {
            return true;
        }
        let elements = (Arc::as_ptr(&body.storage) as usize, body.offset, body.shape, body.strides, body.dtype);
        match first.get(&elements) {
            Some(kept) => {
                metadata.insert(name.clone(), kept.clone());
                false
            }
            None => first.insert(elements, name.clone()).is_none(),
        }
    });
}

/// The error of Python's library for tensors that share memory.
fn refuse_shared(tensors: &[(String, &Tensor)]) -> Result<()> {
    let mut spans: Vec<(usize, usize, usize, &str)> = tensors
        .iter()
        .filter_map(|(name, tensor)| {
            let body = tensor.body();
            let (start, end) = span(&body)?;
            Some((Arc::as_ptr(&body.storage) as usize, start, end, name.as_str()))
        })
        .collect();
    spans.sort_unstable();
    let shared = spans.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[1].1 < pair[0].2);
    match shared {
        None => Ok(()),
        Some(pair) => {
            let mut names = [pair[0].3, pair[1].3];
            names.sort_unstable();
            Err(Error::runtime(
                OP_SAVE,
                format!(
                    "Some tensors share memory, this will lead to duplicate memory on disk and potential differences when loading them again: [{{'{}', '{}'}}].",
                    names[0], names[1]
                ),
            )
            .remedy("save with SaveOptions::new().ties(true), which writes the tensor once"))
        }
    }
}

/// First element and the one behind the last, in the storage.
fn span(body: &Body) -> Option<(usize, usize)> {
    let reach: usize = body.shape.iter().zip(&body.strides).map(|(&n, &stride)| n.saturating_sub(1) * stride).sum();
    (body.numel() > 0).then_some((body.offset, body.offset + reach + 1))
}
