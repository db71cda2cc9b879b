//! The format before PyTorch 1.6: pickles in a row, then the bytes of the storages.
//!
//! A magic number, a protocol number, facts about the machine, the value, and the keys of the storages are pickles. Then,
//! in the order of the keys, come the number of elements in eight bytes and the elements of each storage. The value is
//! read before it is known where its storages are.

use super::pickle::{self, Pickle, StorageRequest, Storages};
use super::source::{FileBytes, Source};
use super::{Object, PytorchError, Storage};
use crate::LoadOptions;
use crate::zip::Record;
use firebrick_core::Device;
use indexmap::IndexMap;
use std::collections::HashSet;
use std::sync::Arc;

const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
const PROTOCOL: i64 = 1001;
/// Where a tar archive says what it is.
const TAR: (usize, &[u8]) = (257, b"ustar");
/// Bytes of the number of elements before each storage.
const WORD: usize = size_of::<u64>();

type Result<T, E = PytorchError> = std::result::Result<T, E>;

pub(super) fn read(file: Arc<FileBytes>, options: &LoadOptions) -> Result<Object> {
    if file.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1)) {
        return Err(PytorchError::Unsupported(
            "the file is a tar archive, as PyTorch before 0.4 wrote it: save it again with a later version",
        ));
    }
    if file.is_empty() {
        return Err(PytorchError::Archive("the file is empty".to_owned()));
    }
    let mut found = Found { options, storages: IndexMap::new() };
    let mut at = 0;
    let mut next = |record: &str, found: &mut Found<'_>| {
        let (value, end) = pickle::read(&Pickle { record, bytes: &file, start: at, file: file.len() }, found)?;
        at = end;
        Ok::<_, PytorchError>(value)
    };
    match next("magic number", &mut found)? {
        Object::BigInt(number) if number == MAGIC.into() => {}
        _ => return Err(PytorchError::Archive("Invalid magic number; corrupt file?".to_owned())),
    }
    match next("protocol version", &mut found)?.as_i64() {
        Some(PROTOCOL) => {}
        other => return Err(PytorchError::Archive(format!("Invalid protocol version: {other:?}"))),
    }
    next("system", &mut found)?;
    let object = next("value", &mut found)?;
    let keys = next("storage keys", &mut found)?;
    found.settle(&file, at, &keys)?;
    Ok(object)
}

/// The storages that the value refers to, by key, and where each goes.
struct Found<'o> {
    options: &'o LoadOptions,
    storages: IndexMap<String, (Storage, Device)>,
}

impl Storages for Found<'_> {
    fn find(&mut self, request: &StorageRequest<'_>) -> Result<Storage, String> {
        let device = self.options.device(request.location)?;
        let (numel, dtype) = (request.numel, request.dtype);
        let bytes = request.bytes().ok_or_else(|| format!("a storage of {numel} {dtype} is larger than any memory"))?;
        let new = || (Storage::unsettled(dtype, bytes), device);
        let (storage, _) = self.storages.entry(request.key.to_owned()).or_insert_with(new);
        match storage.bytes() == bytes {
            true => Ok(storage.clone()),
            false => Err(format!(
                "storage {:?} has {} bytes in one place and {bytes} in another",
                request.key,
                storage.bytes()
            )),
        }
    }
}

impl Found<'_> {
    /// Finds the bytes of each storage, from `at` on.
    fn settle(&self, file: &Arc<FileBytes>, mut at: usize, keys: &Object) -> Result<()> {
        let mut seen = HashSet::new();
        for key in keys.as_slice().unwrap_or_default() {
            let key = key.as_str().unwrap_or_default();
            let fail = |problem: String| Err(PytorchError::Record { record: format!("storage {key:?}"), problem });
            let Some((storage, device)) = self.storages.get(key).filter(|_| seen.insert(key)) else {
                return fail("nothing refers to it, or it is there twice".to_owned());
            };
            let (bytes, start) = (storage.bytes(), at + WORD);
            let Some(numel) = file.get(at..start).and_then(|word| word.try_into().ok()).map(u64::from_le_bytes) else {
                return fail("the file ends before it".to_owned());
            };
            let dtype = storage.dtype();
            if numel != (bytes / dtype.size()) as u64 {
                return fail(format!("it has {numel} elements, not {}", bytes / dtype.size()));
            }
            let left = file.len() - start;
            if left < bytes {
                return fail(format!(
                    "unexpected EOF, expected {} more bytes. The file might be corrupted.",
                    bytes - left
                ));
            }
            at = start + bytes;
            let record = Record::plain(format!("storage {key:?}"), start..at);
            storage.settle(Source::new(file, record, 1, self.options, *device));
        }
        match self.storages.keys().find(|key| !seen.contains(key.as_str())) {
            None => Ok(()),
            Some(key) => Err(PytorchError::Archive(format!("the file has no bytes of storage {key:?}"))),
        }
    }
}
