//! Some of a file's tensors, under other names.

use super::{Array, File, LoadOptions};
use firebrick_core::{Error, Result, StateDict};
use indexmap::IndexMap;
use std::path::Path;

impl File {
    /// The tensors that [`LoadOptions`](crate::LoadOptions) choose among those of the whole tree, which are named as
    /// [`Object::arrays`](super::Object::arrays) names them. The records of others are not read.
    ///
    /// Versions of modules stay behind, and tensors are on the device that the file was opened for.
    ///
    /// # Errors
    /// As [`LoadOptions::select`](crate::LoadOptions::select); damage in what is read; a dtype that Firebrick does not compute with.
    pub fn tensors(&self, options: &crate::LoadOptions) -> Result<StateDict> {
        let arrays: IndexMap<String, &Array> = self.object().arrays().into_iter().collect();
        let selected = options.select(arrays.keys().map(String::as_str))?;
        let read = selected.into_iter().map(|(old, new)| match arrays.get(old) {
            Some(array) => Ok((new, array.tensor().map_err(|error| error.context(old))?)),
            None => Err(Error::key("load", format!("there is no tensor {old:?}"))),
        });
        read.collect()
    }
}

/// Some tensors of a `.pt` file: those that the options choose, under the names that they give, wherever they are in the file's
/// tree. Bytes of others are not read.
///
/// # Errors
/// As [`File::open`] and [`File::tensors`].
///
/// ```
/// use firebrick_core::{StateDict, Tensor};
/// use firebrick_io::pytorch::{Object, load_tensors, save};
/// use firebrick_io::LoadOptions;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("checkpoint.pt");
/// let model = StateDict::from_iter([("body.a", Tensor::zeros([2])?), ("head.b", Tensor::ones([3])?)]);
/// save(Object::dict([("epoch", Object::Int(3)), ("model", model.into())]), &path)?;
///
/// let body = load_tensors(&path, &LoadOptions::new().include("model.body.*").rename_prefix("model.body.", ""))?;
/// assert_eq!(body.keys().collect::<Vec<_>>(), ["a"]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn load_tensors(path: impl AsRef<Path>, options: &crate::LoadOptions) -> Result<StateDict> {
    let path = path.as_ref();
    let file = File::open_with(path, &LoadOptions::new().map_location(options.target()))?;
    file.tensors(options).map_err(|error| error.given(path.display().to_string()))
}
