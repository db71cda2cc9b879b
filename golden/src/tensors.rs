//! Tensors of a group of cases: one safetensors file.

use crate::{Out, not_built, wrong};
use firebrick::io::safetensors::Header;
use firebrick::{DType, Tensor};
use serde_json::Value as Json;
use std::path::Path;

/// The contents of one safetensors file; empty where a group has no tensors.
#[derive(Default)]
pub struct Tensors {
    file: Vec<u8>,
    header: Header,
    data: usize,
}

impl Tensors {
    /// Reads a file.
    pub fn open(path: &Path) -> Result<Tensors, String> {
        let file = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let (header, data) = Header::parse(&file).map_err(|error| format!("{}: {error}", path.display()))?;
        let data = file.len() - data.len();
        Ok(Tensors { header, data, file })
    }

    /// The header: names, dtypes and shapes.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The bytes of one tensor.
    pub fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.header.bytes(&self.file[self.data..], key).ok()
    }

    /// The tensor that a `$t` tag names, with the strides it had.
    pub fn get(&self, tag: &Json) -> Out<Tensor> {
        let key = tag["$t"].as_str().unwrap_or_default();
        let name = tag["dtype"].as_str().unwrap_or_default();
        let Some(dtype) = DType::from_name(name) else { return not_built(format!("dtype {name}")) };
        let shape = integers(&tag["shape"]);
        let Some(bytes) = self.bytes(key) else { return wrong(format!("the file has no tensor {key}")) };
        // The format lacks complex128; both complex types are stored as their parts, which have the same bytes.
        let tensor = Tensor::from_bytes(bytes, &shape[..], dtype)?;
        match tag.get("stride") {
            Some(stride) => strided(&tensor, &integers(stride)),
            None => Ok(tensor),
        }
    }
}

/// A list of integers.
pub fn integers(json: &Json) -> Vec<i64> {
    json.as_array().map(|list| list.iter().filter_map(Json::as_i64).collect()).unwrap_or_default()
}

/// The elements of `tensor` in memory laid out with these strides.
fn strided(tensor: &Tensor, strides: &[i64]) -> Out<Tensor> {
    let shape = tensor.shape();
    let last: i64 = shape.iter().zip(strides).map(|(&n, &s)| (n.max(1) as i64 - 1) * s).sum();
    let memory = Tensor::zeros_with([last + 1], tensor.dtype())?;
    // Where several indices share a place they hold one value, so each is written by itself.
    let mut once = (tensor.clone(), memory.as_strided(&shape, strides, 0)?);
    for (dim, (&size, &stride)) in shape.iter().zip(strides).enumerate() {
        if stride == 0 && size > 1 {
            once = (once.0.narrow(dim as i64, 0, 1)?, once.1.narrow(dim as i64, 0, 1)?);
        }
    }
    once.1.copy_(&once.0)?;
    Ok(memory.as_strided(&shape, strides, 0)?.detach())
}
