//! Files made here: what survives, what is refused, what damage does. Files that PyTorch made are among the recorded cases.
#![allow(clippy::unwrap_used)]

mod damage;
mod legacy;
mod refusals;
mod round_trips;

use super::archive::Writer;
use super::{Array, File, Object, Storage, to_bytes};
use crate::LoadOptions;
use firebrick_core::{Result, Tensor};

/// An archive of a pickle and storages.
fn archive(pickle: &[u8], storages: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes);
    writer.record("data.pkl", pickle).unwrap();
    for (key, storage) in storages.iter().enumerate() {
        writer.record(&format!("data/{key}"), storage).unwrap();
    }
    writer.record("version", b"3\n").unwrap();
    writer.finish().unwrap();
    bytes
}

/// Everything in a file.
fn read(bytes: Vec<u8>) -> Result<Object> {
    let file = File::from_bytes(bytes, &LoadOptions::new())?;
    file.read()?;
    Ok(file.into_object())
}

/// Written and read again.
fn again(object: &Object) -> Object {
    read(to_bytes(object.clone()).unwrap()).unwrap()
}

/// The tensor of a key.
fn tensor(object: &Object, key: &str) -> Tensor {
    array(object, key).tensor().unwrap()
}

fn array(object: &Object, key: &str) -> Array {
    object.get(key).and_then(Object::as_array).unwrap().clone()
}

/// A pickle that makes a float tensor of storage "0": `_rebuild_tensor_v2` of these numbers.
fn float_pickle(numel: u8, offset: u8, size: u8, stride: u8) -> Vec<u8> {
    let mut pickle = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n".to_vec();
    pickle.extend(b"X\x01\0\0\x000X\x03\0\0\0cpuK");
    pickle.push(numel);
    pickle.extend([b't', b'Q', b'K', offset, b'K', size, 0x85, b'K', stride, 0x85, 0x89]);
    pickle.extend(b"ccollections\nOrderedDict\n)RtR.");
    pickle
}
