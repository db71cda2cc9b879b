//! Is a value the one that PyTorch found in the file?

use crate::tensors::{Tensors, integers};
use crate::{Out, wrong};
use firebrick::io::pytorch::{Array, Class, Dict, DictKind, Key, Object, Storage};
use serde_json::{Map, Value as Json};

/// One comparison: which storage is which is found on the way.
pub struct Comparison<'c> {
    values: &'c Tensors,
    /// Are only the first elements recorded, and the others zero?
    rest_is_zero: bool,
    /// Storages by their number in the case.
    storages: Vec<(i64, Storage)>,
}

impl<'c> Comparison<'c> {
    /// Nothing found yet.
    pub fn new(values: &'c Tensors, rest_is_zero: bool) -> Self {
        Comparison { values, rest_is_zero, storages: Vec::new() }
    }

    /// Compares the value at `path`.
    ///
    /// # Errors
    /// What differs.
    pub fn object(&mut self, path: &str, object: &Object, expected: &Json) -> Out<()> {
        let differs = || wrong(format!("{path}: {object:?}, expected {expected}"));
        match (object, expected) {
            (_, Json::Object(tags)) => self.tagged(path, object, tags),
            (Object::None, Json::Null) => Ok(()),
            (Object::Bool(found), Json::Bool(expected)) if found == expected => Ok(()),
            (Object::Int(found), Json::Number(number)) if number.as_i64() == Some(*found) => Ok(()),
            (Object::Float(found), Json::Number(number))
                if number.is_f64() && number.as_f64().map(f64::to_bits) == Some(found.to_bits()) =>
            {
                Ok(())
            }
            (Object::Str(found), Json::String(text)) if found == text => Ok(()),
            (Object::List(items), Json::Array(list)) => self.all(path, items, list),
            _ => differs(),
        }
    }

    fn tagged(&mut self, path: &str, object: &Object, tags: &Map<String, Json>) -> Out<()> {
        let Some((tag, inner)) = tags.iter().find(|(tag, _)| tag.starts_with('$')) else {
            return wrong(format!("{path}: an object without a tag"));
        };
        let list = || inner.as_array().map(Vec::as_slice).unwrap_or_default();
        let text = inner.as_str().unwrap_or_default();
        let same = match (tag.as_str(), object) {
            ("$t", Object::Tensor(array)) => return self.array(path, array, &Json::Object(tags.clone())),
            ("$tuple", Object::Tuple(items)) => return self.all(path, items, list()),
            ("$dict", Object::Dict(dict)) if dict.kind == DictKind::Plain => return self.entries(path, dict, list()),
            ("$odict", Object::Dict(dict)) if dict.kind == DictKind::Ordered => {
                self.entries(path, dict, list())?;
                return self.metadata(path, dict, tags.get("_metadata"));
            }
            ("$sparse", Object::Sparse(sparse)) => {
                let coo = tags.get("indices").map(|indices| vec![indices]);
                let parts = coo.unwrap_or_else(|| {
                    ["compressed_indices", "plain_indices"].iter().filter_map(|name| tags.get(*name)).collect()
                });
                for (array, expected) in sparse.indices.iter().zip(parts) {
                    self.array(path, array, expected)?;
                }
                self.array(path, &sparse.values, &tags["values"])?;
                sparse.layout.to_string() == text && as_integers(&sparse.shape) == integers(&tags["shape"])
            }
            ("$size", Object::Size(sizes)) => *sizes == integers(inner),
            ("$dtype", Object::Dtype(dtype)) => dtype.name() == text,
            ("$device", Object::Device(device)) => device == text,
            ("$int", Object::BigInt(number)) => number.to_string() == text,
            ("$int", Object::Int(number)) => number.to_string() == text,
            ("$f", Object::Float(number)) => match text {
                "nan" => number.is_nan(),
                "inf" => *number == f64::INFINITY,
                _ => *number == f64::NEG_INFINITY,
            },
            ("$complex", Object::Complex(number)) => {
                self.object(path, &Object::Float(number.re), &inner[0])?;
                return self.object(path, &Object::Float(number.im), &inner[1]);
            }
            ("$bytes" | "$bytearray", Object::Bytes(bytes) | Object::ByteArray(bytes)) => hex(bytes) == text,
            ("$set", Object::Set(keys)) => {
                let items: Vec<Object> = keys.iter().cloned().map(Object::from).collect();
                return self.all(path, &items, list());
            }
            _ => false,
        };
        if same { Ok(()) } else { wrong(format!("{path}: {object:?}, expected {tag} {inner}")) }
    }

    fn all(&mut self, path: &str, items: &[Object], list: &[Json]) -> Out<()> {
        if items.len() != list.len() {
            return wrong(format!("{path}: {} items, expected {}", items.len(), list.len()));
        }
        let mut pairs = items.iter().zip(list).enumerate();
        pairs.try_for_each(|(i, (item, expected))| self.object(&format!("{path}[{i}]"), item, expected))
    }

    fn entries(&mut self, path: &str, dict: &Dict, list: &[Json]) -> Out<()> {
        let keys: Vec<Object> = dict.entries.keys().cloned().map(Object::from).collect();
        let (names, values): (Vec<Json>, Vec<Json>) = list.iter().map(|p| (p[0].clone(), p[1].clone())).unzip();
        self.all(&format!("keys of {path}"), &keys, &names)?;
        let mut pairs = dict.entries.iter().zip(&values);
        pairs.try_for_each(|((key, value), expected)| self.object(&format!("{path}[{key}]"), value, expected))
    }

    /// The `_metadata` of a state dict: what was noted about each module, in order.
    fn metadata(&mut self, path: &str, dict: &Dict, expected: Option<&Json>) -> Out<()> {
        let found = dict.attributes.get("_metadata").map(plain);
        // As texts, since the order counts.
        match found.as_ref().map(Json::to_string) == expected.map(Json::to_string) {
            true => Ok(()),
            false => wrong(format!("{path}._metadata: {found:?}, expected {expected:?}")),
        }
    }

    fn array(&mut self, path: &str, array: &Array, expected: &Json) -> Out<()> {
        let class = if array.class() == Class::Parameter { "Parameter" } else { "Tensor" };
        let found = serde_json::json!({
            "dtype": array.dtype().name(),
            "shape": array.shape(),
            "stride": array.strides(),
            "offset": array.offset(),
            "storage_bytes": array.storage().bytes(),
            "requires_grad": array.requires_grad(),
            "cls": class,
        });
        for (fact, found) in found.as_object().into_iter().flatten() {
            if *found != expected[fact] {
                return wrong(format!("{path}: {fact} is {found}, expected {}", expected[fact]));
            }
        }
        self.storage(path, array, &expected["storage"])?;
        let bytes = elements(array)?;
        let recorded = self.values.bytes(expected["$t"].as_str().unwrap_or_default()).unwrap_or_default();
        let same = match bytes.strip_prefix(recorded) {
            Some(rest) => rest.is_empty() || (self.rest_is_zero && rest.iter().all(|&byte| byte == 0)),
            None => false,
        };
        if !same {
            return wrong(format!(
                "{path}: other elements: {:?}, expected {recorded:?}",
                bytes.get(..64).unwrap_or(&bytes)
            ));
        }
        if array.dtype().core().is_none() {
            return Ok(());
        }
        let tensor = array.tensor()?;
        if tensor.to_bytes()? == bytes && tensor.requires_grad() == array.requires_grad() {
            return Ok(());
        }
        wrong(format!("{path}: the tensor is not what the array says"))
    }

    /// Equal numbers share memory, different ones do not.
    fn storage(&mut self, path: &str, array: &Array, number: &Json) -> Out<()> {
        let number = number.as_i64().unwrap_or(-1);
        let known = self.storages.iter().find(|(own, storage)| *own == number || storage.is_same(array.storage()));
        match known {
            None => {
                self.storages.push((number, array.storage().clone()));
                Ok(())
            }
            Some((own, storage)) if *own == number && storage.is_same(array.storage()) => Ok(()),
            Some(_) => wrong(format!("{path}: memory is shared with another tensor than in PyTorch")),
        }
    }
}

/// The bytes of the elements in row-major order, gathered from their places.
fn elements(array: &Array) -> Out<Vec<u8>> {
    let size = array.dtype().size();
    let places: Vec<(usize, usize)> =
        array.shape().iter().zip(array.strides()).map(|(&n, &stride)| (n, stride * size)).collect();
    let mut gathered = Vec::new();
    array.storage().with_bytes(|bytes| gather(bytes, array.offset() * size, &places, size, &mut gathered))?;
    Ok(gathered)
}

/// Appends the elements from byte `at` on, given how many there are by dimension and how many bytes apart.
fn gather(bytes: &[u8], at: usize, places: &[(usize, usize)], size: usize, gathered: &mut Vec<u8>) {
    match *places {
        [] => gathered.extend_from_slice(&bytes[at..at + size]),
        [(n, step)] if step == size => gathered.extend_from_slice(&bytes[at..at + n * size]),
        [(n, step), ref rest @ ..] => (0..n).for_each(|i| gather(bytes, at + i * step, rest, size, gathered)),
    }
}

/// Dictionaries of numbers as JSON.
fn plain(object: &Object) -> Json {
    match object {
        Object::Dict(dict) => {
            let entry = |(key, value): (&Key, &Object)| match key {
                Key::Str(key) => (key.clone(), plain(value)),
                other => (other.to_string(), plain(value)),
            };
            Json::Object(dict.entries.iter().map(entry).collect())
        }
        Object::Bool(v) => (*v).into(),
        Object::Int(v) => (*v).into(),
        Object::Str(v) => v.as_str().into(),
        other => format!("{other:?}").into(),
    }
}

fn as_integers(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&n| n as i64).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
