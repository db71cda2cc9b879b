//! Tensors by name, in order: what a module saves.

use super::Tensor;
use indexmap::IndexMap;

/// An ordered map from dotted names to tensors, with the versions of the modules that wrote it (`_metadata`).
///
/// ```
/// # use firebrick_core::{StateDict, Tensor};
/// let mut state = StateDict::new();
/// state.insert("weight", Tensor::zeros([2])?);
/// assert_eq!(state.keys().collect::<Vec<_>>(), ["weight"]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct StateDict {
    tensors: IndexMap<String, Tensor>,
    /// By module path, the numbers noted about that module, such as its `version`.
    pub metadata: IndexMap<String, IndexMap<String, i64>>,
}

impl StateDict {
    /// No tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tensor of this name.
    ///
    /// ```
    /// # use firebrick_core::{StateDict, Tensor};
    /// let mut state = StateDict::new();
    /// state.insert("weight", Tensor::zeros([2])?);
    /// assert!(state.get("weight").is_some() && state.get("bias").is_none());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// Adds or replaces a tensor; returns the one it replaced.
    ///
    /// ```
    /// # use firebrick_core::{StateDict, Tensor};
    /// let mut state = StateDict::new();
    /// assert!(state.insert("weight", Tensor::zeros([2])?).is_none());
    /// assert!(state.insert("weight", Tensor::ones([2])?).is_some());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn insert(&mut self, name: impl Into<String>, tensor: Tensor) -> Option<Tensor> {
        self.tensors.insert(name.into(), tensor)
    }

    /// Takes a tensor out; the others keep their order.
    ///
    /// ```
    /// # use firebrick_core::{StateDict, Tensor};
    /// let mut state = StateDict::new();
    /// state.insert("weight", Tensor::zeros([2])?);
    /// assert!(state.remove("weight").is_some() && state.is_empty());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn remove(&mut self, name: &str) -> Option<Tensor> {
        self.tensors.shift_remove(name)
    }

    /// Is there a tensor of this name?
    ///
    /// ```
    /// # use firebrick_core::{StateDict, Tensor};
    /// let mut state = StateDict::new();
    /// state.insert("weight", Tensor::zeros([2])?);
    /// assert!(state.contains_key("weight"));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn contains_key(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The names, in order.
    ///
    /// ```
    /// # use firebrick_core::{StateDict, Tensor};
    /// let mut state = StateDict::new();
    /// state.insert("weight", Tensor::zeros([2])?);
    /// state.insert("bias", Tensor::zeros([2])?);
    /// assert_eq!(state.keys().collect::<Vec<_>>(), ["weight", "bias"]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The tensors, in order.
    ///
    /// ```
    /// # use firebrick_core::{StateDict, Tensor};
    /// let mut state = StateDict::new();
    /// state.insert("weight", Tensor::zeros([2, 3])?);
    /// assert_eq!(state.values().map(|t| t.numel()).sum::<usize>(), 6);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Tensor> {
        self.tensors.values()
    }

    /// Names and tensors, in order.
    ///
    /// ```
    /// # use firebrick_core::{StateDict, Tensor};
    /// let mut state = StateDict::new();
    /// state.insert("weight", Tensor::zeros([2, 3])?);
    /// assert!(state.iter().all(|(name, tensor)| name == "weight" && tensor.numel() == 6));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// How many tensors there are.
    ///
    /// ```
    /// # use firebrick_core::{StateDict, Tensor};
    /// let mut state = StateDict::new();
    /// state.insert("weight", Tensor::zeros([2, 3])?);
    /// assert_eq!(state.len(), 1);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }
}

impl<K: Into<String>> FromIterator<(K, Tensor)> for StateDict {
    fn from_iter<I: IntoIterator<Item = (K, Tensor)>>(iter: I) -> Self {
        let tensors = iter.into_iter().map(|(name, tensor)| (name.into(), tensor)).collect();
        StateDict { tensors, metadata: IndexMap::new() }
    }
}

impl<'s> IntoIterator for &'s StateDict {
    type Item = (&'s str, &'s Tensor);
    type IntoIter = Box<dyn Iterator<Item = Self::Item> + 's>;
    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}
