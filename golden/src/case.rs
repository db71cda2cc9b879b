//! Cases of a folder: `cases.json` and the tensors beside it.

use crate::compare::Bound;
use crate::tensors::Tensors;
use crate::value::Value;
use crate::{Out, wrong};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// One case: its JSON and the tensors it names.
pub struct Case {
    /// The whole entry.
    pub json: Json,
    /// The tensors of its group.
    pub tensors: Rc<Tensors>,
}

impl Case {
    /// The name, unique in its area.
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// A text of the entry; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_default()
    }

    /// A truth value of the entry.
    pub fn flag(&self, name: &str) -> bool {
        self.json[name].as_bool().unwrap_or(false)
    }

    /// Is it there and not null?
    pub fn has(&self, name: &str) -> bool {
        !self.json[name].is_null()
    }

    /// A value of the entry.
    pub fn value(&self, name: &str) -> Out<Value> {
        Value::parse(&self.json[name], &self.tensors)
    }

    /// A list of values of the entry.
    pub fn list(&self, name: &str) -> Out<Vec<Value>> {
        match self.value(name)? {
            Value::List(list) | Value::Tuple(list) => Ok(list),
            Value::None => Ok(Vec::new()),
            other => wrong(format!("{name} is {}", other.kind())),
        }
    }

    /// The values of an object of the entry, by name.
    pub fn map(&self, name: &str) -> Out<Vec<(String, Value)>> {
        let Some(map) = self.json[name].as_object() else { return Ok(Vec::new()) };
        map.iter().map(|(name, json)| Ok((name.clone(), Value::parse(json, &self.tensors)?))).collect()
    }

    /// The tolerance for outputs (`out`) or gradients (`grad`).
    pub fn bound(&self, of: &str) -> Bound {
        let pair = &self.json["f32_vs_f64"][of];
        let single = pair[0].as_f64().zip(pair[1].as_f64());
        Bound { single, ..Bound::default() }
    }
}

/// The cases of a folder; each tensor file is read once.
pub struct Cases {
    folder: PathBuf,
    files: HashMap<String, Rc<Tensors>>,
}

impl Cases {
    /// Reads `cases.json` of `folder`.
    pub fn read(folder: &Path) -> Result<Vec<Case>, String> {
        Cases::read_file(folder, "cases.json")
    }

    /// Reads the cases of a file of another name.
    pub fn read_file(folder: &Path, name: &str) -> Result<Vec<Case>, String> {
        let mut cases = Cases { folder: folder.to_owned(), files: HashMap::new() };
        let list = read_json(&folder.join(name))?;
        let Json::Array(list) = list else { return Err(format!("{}: not a list", folder.display())) };
        list.into_iter().map(|json| cases.case(json)).collect()
    }

    fn case(&mut self, json: Json) -> Result<Case, String> {
        let Some(file) = json["file"].as_str() else { return Ok(Case { json, tensors: Rc::default() }) };
        let tensors = match self.files.get(file) {
            Some(tensors) => tensors.clone(),
            None => {
                let tensors = Rc::new(Tensors::open(&self.folder.join(file))?);
                self.files.insert(file.to_owned(), tensors.clone());
                tensors
            }
        };
        Ok(Case { json, tensors })
    }
}

/// Reads a JSON file.
pub fn read_json(path: &Path) -> Result<Json, String> {
    let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))
}
