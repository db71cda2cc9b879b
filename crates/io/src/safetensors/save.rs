//! Tensors into a safetensors file.

use super::ties::{note_ties, refuse_shared};
use super::{Dtype, Header, SafetensorsError};
use crate::atomic::atomic_write;
use firebrick_core::{Error, Result, Tensor};
use indexmap::IndexMap;
use std::path::Path;

/// What [`save_safetensors_with`] writes beside the tensors.
///
/// ```
/// use firebrick_core::Tensor;
/// use firebrick_io::{SaveOptions, load_safetensors, save_safetensors_with};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.safetensors");
/// let x = Tensor::new([1.0f32, 2.0])?;
/// let tied = [("a", &x), ("b", &x)];
/// assert!(save_safetensors_with(&path, tied, &SaveOptions::new()).is_err());
/// save_safetensors_with(&path, tied, &SaveOptions::new().ties(true).metadata("format", "pt"))?;
/// let state = load_safetensors(&path)?;
/// assert_eq!(state.get("a").map(Tensor::id), state.get("b").map(Tensor::id));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct SaveOptions {
    pub(super) metadata: IndexMap<String, String>,
    ties: bool,
}

impl SaveOptions {
    /// No metadata; tied tensors are refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry to the metadata, such as `("format", "pt")`; there is none unless set.
    pub fn metadata(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), text.into());
        self
    }

    /// Writes a tensor that has several names once, under the first of them in alphabetical order, and notes the
    /// others in the metadata, as Python's `safetensors.torch.save_model` does. Ties are refused unless set.
    pub fn ties(mut self, ties: bool) -> Self {
        self.ties = ties;
        self
    }
}

/// Writes tensors to a file, which is replaced whole: Python's `safetensors.torch.save_file`.
///
/// Elements go to the file out of the tensors' own memory. Tensors of other devices go by way of main memory, one after
/// another. Ones that are not contiguous are written as if they were, where the Python library (0.8) refuses them.
///
/// # Errors
/// Tensors that share memory (see [`SaveOptions::ties`]), complex128, which the format lacks, a name given twice, a
/// lazy layer's parameter without shape, or an I/O error. The old file is then untouched.
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

/// [`save_safetensors`] with metadata, or for models with tied weights; [`SaveOptions`] shows it.
///
/// # Errors
/// As [`save_safetensors`].
pub fn save_safetensors_with<'t, N: Into<String>>(
    path: impl AsRef<Path>,
    tensors: impl IntoIterator<Item = (N, &'t Tensor)>,
    options: &SaveOptions,
) -> Result<()> {
    let path = path.as_ref();
    let save = || {
        let Plan { tensors, ties } = Plan::new(tensors, options)?;
        write_file(path, &tensors, options.metadata.clone().into_iter().chain(ties).collect())
    };
    save().map_err(|error| error.context(path.display()))
}

pub(super) const OP: &str = "save_safetensors";

/// What is to be written, in the order given.
pub(super) struct Plan<'t> {
    pub tensors: IndexMap<String, &'t Tensor>,
    /// Names that are not written, each with the one that has the same elements.
    pub ties: Vec<(String, String)>,
}

impl<'t> Plan<'t> {
    /// Checks what can be wrong with the tensors before a file is touched.
    pub fn new<N: Into<String>>(
        tensors: impl IntoIterator<Item = (N, &'t Tensor)>,
        options: &SaveOptions,
    ) -> Result<Self> {
        let mut plan = Plan { tensors: IndexMap::new(), ties: Vec::new() };
        for (name, tensor) in tensors {
            let name = name.into();
            if tensor.is_uninitialized() {
                let message = format!("tensor {name:?} has no shape yet: call the lazy layer once");
                return Err(Error::value(OP, message));
            }
            if plan.tensors.contains_key(&name) {
                return Err(SafetensorsError::DuplicateName { name }.into());
            }
            plan.tensors.insert(name, tensor);
        }
        match options.ties {
            true => plan.ties = note_ties(&mut plan.tensors),
            false => refuse_shared(&plan.tensors)?,
        }
        Ok(plan)
    }
}

/// Writes one file of `tensors`.
pub(super) fn write_file(
    path: &Path,
    tensors: &IndexMap<String, &Tensor>,
    metadata: IndexMap<String, String>,
) -> Result<()> {
    let entry = |(name, tensor): (&String, &&Tensor)| match Dtype::from_core(tensor.dtype()) {
        Some(dtype) => Ok((name.clone(), dtype, tensor.shape().to_vec())),
        None => Err(Error::type_(OP, format!("the format has no {}", tensor.dtype()))
            .given(format!("tensor {name:?}"))
            .remedy("save its parts, as in `x.view_as_real()?`")),
    };
    let layout = tensors.iter().map(entry).collect::<Result<Vec<_>>>()?;
    let header = Header::new(layout, (!metadata.is_empty()).then_some(metadata))?;
    atomic_write(path, |file| {
        file.write_all(&header.to_bytes()?)?;
        header.tensors().keys().try_for_each(|name| tensors[name].write_bytes(file))
    })
}
