//! The index of a sharded file, `*.index.json`: which tensor is in which of the files beside it.

use super::SafetensorsError;
use super::json::Pairs;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Component, Path};

/// The index as it is read. Other keys are passed over.
#[derive(Deserialize)]
pub(super) struct Index {
    #[serde(default)]
    pub metadata: serde_json::Map<String, Value>,
    /// Names of tensors and of files.
    pub weight_map: Pairs<String>,
}

impl Index {
    /// Are these bytes an index rather than a file of tensors?
    ///
    /// Such a file begins with the length of its header, a number so small that some of its eight bytes are zero.
    pub fn is_one(bytes: &[u8]) -> bool {
        let length = bytes.get(..8).unwrap_or(bytes);
        bytes.trim_ascii_start().first() == Some(&b'{') && !length.contains(&0)
    }

    /// Reads an index and checks that no shard's name leads out of its folder.
    pub fn parse(bytes: &[u8]) -> Result<Self, SafetensorsError> {
        let index: Index = serde_json::from_slice(bytes).map_err(SafetensorsError::IndexNotValid)?;
        for (name, shard) in &index.weight_map.0 {
            let mut parts = Path::new(shard).components();
            if shard.is_empty() || !parts.all(|part| matches!(part, Component::Normal(_))) {
                return Err(SafetensorsError::ShardOutside { name: name.clone(), shard: shard.clone() });
            }
        }
        Ok(index)
    }
}

/// The index as it is written, sorted as huggingface's library sorts it.
#[derive(Serialize)]
pub(super) struct NewIndex<'a> {
    pub metadata: BTreeMap<&'a str, Value>,
    pub weight_map: BTreeMap<&'a str, &'a str>,
}

impl NewIndex<'_> {
    /// The text of the file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, SafetensorsError> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}
