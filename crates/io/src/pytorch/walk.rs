//! All tensors of a tree.

use super::{Array, Key, Object};

impl Object {
    /// The tensors of the tree with their dotted names: `model.fc1.weight`, `state.0.exp_avg`. A sparse tensor is several:
    /// `s.indices`, `s.values`. The tensor that is the whole tree has an empty name.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_io::pytorch::Object;
    /// let layer = Object::dict([("weight", Tensor::new([1.0f32])?.into())]);
    /// let object = Object::dict([("layers", Object::List(vec![layer.clone(), layer]))]);
    /// let names: Vec<String> = object.arrays().into_iter().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["layers.0.weight", "layers.1.weight"]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn arrays(&self) -> Vec<(String, &Array)> {
        let mut found = Vec::new();
        self.find_arrays("", &mut found);
        found
    }

    fn find_arrays<'o>(&'o self, name: &str, found: &mut Vec<(String, &'o Array)>) {
        match self {
            Object::Tensor(array) => {
                found.push((name.to_owned(), array));
                array.attributes().iter().for_each(|(part, value)| value.find_arrays(&join(name, part), found));
            }
            Object::List(items) | Object::Tuple(items) => {
                let numbered = items.iter().enumerate().filter(|(_, item)| item.may_hold_arrays());
                numbered.for_each(|(i, item)| item.find_arrays(&join(name, i), found));
            }
            Object::Dict(dict) => {
                for (key, value) in dict.entries.iter().filter(|(_, value)| value.may_hold_arrays()) {
                    match key {
                        Key::Str(key) => value.find_arrays(&join(name, key), found),
                        key => value.find_arrays(&join(name, key), found),
                    }
                }
                dict.attributes.iter().for_each(|(part, value)| value.find_arrays(&join(name, part), found));
            }
            Object::Sparse(sparse) => {
                let parts =
                    if sparse.indices.len() == 1 { &["indices"][..] } else { &["compressed_indices", "plain_indices"] };
                found.extend(parts.iter().zip(&sparse.indices).map(|(part, array)| (join(name, part), array)));
                found.push((join(name, "values"), &sparse.values));
            }
            Object::Quantized(quantized) => {
                found.push((name.to_owned(), &quantized.array));
                let numbered = quantized.parameters.iter().enumerate();
                numbered.for_each(|(i, item)| item.find_arrays(&join(name, i), found));
            }
            _ => {}
        }
    }

    fn may_hold_arrays(&self) -> bool {
        matches!(
            self,
            Object::Tensor(_)
                | Object::Sparse(_)
                | Object::Quantized(_)
                | Object::Dict(_)
                | Object::List(_)
                | Object::Tuple(_)
        )
    }

    /// The sparse tensors of the tree.
    pub(super) fn sparse_tensors(&self) -> Vec<&super::Sparse> {
        let mut found = Vec::new();
        self.find_sparse(&mut found);
        found
    }

    fn find_sparse<'o>(&'o self, found: &mut Vec<&'o super::Sparse>) {
        match self {
            Object::Sparse(sparse) => found.push(sparse),
            Object::List(items) | Object::Tuple(items) => items.iter().for_each(|item| item.find_sparse(found)),
            Object::Dict(dict) => {
                dict.entries.values().chain(dict.attributes.values()).for_each(|value| value.find_sparse(found));
            }
            Object::Tensor(array) => array.attributes().values().for_each(|value| value.find_sparse(found)),
            _ => {}
        }
    }
}

pub(super) fn join(name: &str, part: impl std::fmt::Display) -> String {
    if name.is_empty() { part.to_string() } else { format!("{name}.{part}") }
}
