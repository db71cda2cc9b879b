//! Writing pickles of protocol 2: plain values and containers.

use super::super::path::{Path, Step};
use super::super::{BigInt, Dict, DictKind, Dtype, Key, Object, PytorchError, Storage};
use super::MAX_DEPTH;
use super::globals::Global;
use super::opcode::*;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

pub(super) type Result<T, E = PytorchError> = std::result::Result<T, E>;

/// The storages of a file, in the order of their keys.
#[derive(Default)]
pub(in super::super) struct StorageKeys {
    keys: HashMap<usize, usize>,
    /// Each storage with the dtype it is saved as.
    pub storages: Vec<(Storage, Dtype)>,
}

impl StorageKeys {
    /// The key of a storage, a new one for a new storage.
    ///
    /// # Errors
    /// The storage has a key already, as one of another dtype: PyTorch's sentence.
    pub(super) fn key(&mut self, storage: &Storage, dtype: Dtype) -> Result<usize, &'static str> {
        let next = self.storages.len();
        let key = *self.keys.entry(storage.id()).or_insert(next);
        if key == next {
            self.storages.push((storage.clone(), dtype));
        }
        match self.storages[key].1 == dtype {
            true => Ok(key),
            false => Err("Cannot save multiple tensors or storages that view the same data as different types"),
        }
    }
}

/// The pickle of a value; the storages it refers to are added to `storages`.
pub(in super::super) fn write(object: &Object, storages: &mut StorageKeys) -> Result<Vec<u8>> {
    let mut writer = Writer { bytes: vec![PROTO, 2], memo: HashMap::new(), path: Path::default(), storages };
    writer.object(object)?;
    writer.bytes.push(STOP);
    Ok(writer.bytes)
}

/// What is written once and referred to later.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Memo<'o> {
    Text(&'o str),
    Global(Global),
    /// By its address.
    Array(usize),
}

pub(super) struct Writer<'o, 's> {
    bytes: Vec<u8>,
    memo: HashMap<Memo<'o>, u32>,
    path: Path<'o>,
    pub(super) storages: &'s mut StorageKeys,
}

impl<'o> Writer<'o, '_> {
    pub(super) fn object(&mut self, object: &'o Object) -> Result<()> {
        match object {
            Object::None => self.op(NONE),
            Object::Bool(v) => self.bool(*v),
            Object::Int(v) => self.int(*v),
            Object::BigInt(v) => self.long(v),
            Object::Float(v) => self.float(*v),
            Object::Complex(v) => self.call(Global::Complex, |w| w.float(v.re).and_then(|()| w.float(v.im))),
            Object::Str(text) => self.text(text),
            Object::Bytes(bytes) => self.encoded(Global::Encode, "latin1", bytes),
            Object::ByteArray(bytes) => self.encoded(Global::ByteArray, "latin-1", bytes),
            Object::List(items) => self.list(|w| w.items(items)),
            Object::Tuple(items) => self.tuple(|w| w.items(items)),
            Object::Set(keys) => self.call(Global::Set, |w| w.list(|w| keys.iter().try_for_each(|key| w.key(key)))),
            Object::Dict(dict) => self.dict(dict),
            Object::Size(sizes) => self.size(sizes),
            Object::Dtype(dtype) => self.global(Global::Dtype(*dtype)),
            Object::Device(device) => self.call(Global::Device, |w| w.text(device)),
            Object::Layout(layout) => self.call(Global::GetLayout, |w| w.new_text(&layout.to_string())),
            Object::QScheme(scheme) => self.global(Global::QScheme(*scheme)),
            Object::Tensor(array) => self.array(array),
            Object::Sparse(sparse) => self.sparse(sparse),
            Object::Quantized(quantized) => self.quantized(quantized),
        }
    }

    fn key(&mut self, key: &'o Key) -> Result<()> {
        match key {
            Key::None => self.op(NONE),
            Key::Bool(v) => self.bool(*v),
            Key::Int(v) => self.int(*v),
            Key::BigInt(v) => self.long(v),
            Key::Float(v) => self.float(v.0),
            Key::Str(text) => self.text(text),
            Key::Bytes(bytes) => self.encoded(Global::Encode, "latin1", bytes),
            Key::Tuple(keys) => {
                self.tuple(|w| keys.iter().try_for_each(|key| w.within(Step::Key(key), |w| w.key(key))))
            }
            Key::Size(sizes) => self.size(sizes),
            Key::Dtype(dtype) => self.global(Global::Dtype(*dtype)),
            Key::Device(device) => self.call(Global::Device, |w| w.text(device)),
        }
    }

    fn items(&mut self, items: &'o [Object]) -> Result<()> {
        let mut numbered = items.iter().enumerate();
        numbered.try_for_each(|(i, item)| self.within(Step::Index(i), |w| w.object(item)))
    }

    fn dict(&mut self, dict: &'o Dict) -> Result<()> {
        match dict.kind {
            DictKind::Plain => self.entries(true, dict)?,
            DictKind::Counter => self.call(Global::Counter, |w| w.entries(true, dict))?,
            DictKind::Ordered => {
                self.call(Global::OrderedDict, |_| Ok(()))?;
                self.entries(false, dict)?;
            }
        }
        match (dict.attributes.is_empty(), dict.kind) {
            (true, _) => Ok(()),
            (false, DictKind::Ordered) => {
                self.named(&dict.attributes)?;
                self.op(BUILD)
            }
            (false, kind) => self.fail(format!("a {} has no attributes: only an OrderedDict does", kind.name())),
        }
    }

    /// The entries, into a new plain dictionary or the one before.
    fn entries(&mut self, new: bool, dict: &'o Dict) -> Result<()> {
        if new {
            self.op(EMPTY_DICT)?;
        }
        self.op(MARK)?;
        for (key, value) in &dict.entries {
            self.key(key)?;
            self.within(Step::Key(key), |w| w.object(value))?;
        }
        self.op(SETITEMS)
    }

    /// Attributes as a dictionary.
    pub(super) fn named(&mut self, attributes: &'o indexmap::IndexMap<String, Object>) -> Result<()> {
        self.op(EMPTY_DICT)?;
        self.op(MARK)?;
        for (name, value) in attributes {
            self.text(name)?;
            self.within(Step::Attribute(name), |w| w.object(value))?;
        }
        self.op(SETITEMS)
    }

    fn size(&mut self, sizes: &[i64]) -> Result<()> {
        self.call(Global::Size, |w| w.tuple(|w| sizes.iter().try_for_each(|&size| w.int(size))))
    }

    /// Writes what is one step further down.
    fn within(&mut self, step: Step<'o>, write: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.path.push(step);
        if self.path.len() > MAX_DEPTH {
            return self.fail(format!("containers are nested more than {MAX_DEPTH} deep"));
        }
        write(self)?;
        self.path.pop();
        Ok(())
    }

    pub(super) fn fail(&self, problem: impl Into<String>) -> Result<()> {
        Err(PytorchError::Value { path: self.path.to_string(), problem: problem.into() })
    }

    /// A call of a class or function.
    pub(super) fn call(&mut self, global: Global, args: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.global(global)?;
        self.tuple(args)?;
        self.op(REDUCE)
    }

    pub(super) fn tuple(&mut self, items: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.op(MARK)?;
        items(self)?;
        self.op(TUPLE)
    }

    fn list(&mut self, items: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.op(EMPTY_LIST)?;
        self.op(MARK)?;
        items(self)?;
        self.op(APPENDS)
    }

    pub(super) fn op(&mut self, opcode: u8) -> Result<()> {
        self.bytes.push(opcode);
        Ok(())
    }

    pub(super) fn bool(&mut self, value: bool) -> Result<()> {
        self.op(if value { NEWTRUE } else { NEWFALSE })
    }

    pub(super) fn int(&mut self, value: i64) -> Result<()> {
        if let Ok(value) = u8::try_from(value) {
            self.bytes.extend([BININT1, value]);
        } else if let Ok(value) = u16::try_from(value) {
            self.with_bytes(BININT2, &value.to_le_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.with_bytes(BININT, &value.to_le_bytes());
        } else {
            return self.long(&BigInt::from(i128::from(value)));
        }
        Ok(())
    }

    /// A number that counts something.
    pub(super) fn count(&mut self, value: usize) -> Result<()> {
        match i64::try_from(value) {
            Ok(value) => self.int(value),
            Err(_) => self.fail(format!("{value} is beyond 64 bits")),
        }
    }

    fn long(&mut self, value: &BigInt) -> Result<()> {
        let bytes = value.to_le_bytes();
        match u8::try_from(bytes.len()) {
            Ok(length) => {
                self.bytes.extend([LONG1, length]);
                self.bytes.extend(bytes);
                Ok(())
            }
            Err(_) => self.fail("an integer of more than 255 bytes"),
        }
    }

    fn float(&mut self, value: f64) -> Result<()> {
        self.with_bytes(BINFLOAT, &value.to_be_bytes());
        Ok(())
    }

    /// A text, written once.
    pub(super) fn text(&mut self, text: &'o str) -> Result<()> {
        self.once(Memo::Text(text), |w| w.new_text(text))
    }

    /// A text, written again each time.
    pub(super) fn new_text(&mut self, text: &str) -> Result<()> {
        let Ok(length) = u32::try_from(text.len()) else { return self.fail("a text of 4 GiB or more") };
        self.with_bytes(BINUNICODE, &length.to_le_bytes());
        self.bytes.extend(text.as_bytes());
        Ok(())
    }

    /// Bytes, as a text with one character for each of them.
    fn encoded(&mut self, function: Global, encoding: &'static str, bytes: &[u8]) -> Result<()> {
        let text: String = bytes.iter().copied().map(char::from).collect();
        self.call(function, |w| w.new_text(&text).and_then(|()| w.text(encoding)))
    }

    pub(super) fn global(&mut self, global: Global) -> Result<()> {
        self.once(Memo::Global(global), |w| {
            let (module, name) = global.path();
            w.with_bytes(GLOBAL, format!("{module}\n{name}\n").as_bytes());
            Ok(())
        })
    }

    /// Writes what was not written yet, or refers to where it was.
    pub(super) fn once(&mut self, memo: Memo<'o>, write: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        if let Some(&number) = self.memo.get(&memo) {
            self.numbered(BINGET, LONG_BINGET, number);
            return Ok(());
        }
        write(self)?;
        let number = self.memo.len() as u32;
        if let Entry::Vacant(place) = self.memo.entry(memo) {
            place.insert(number);
            self.numbered(BINPUT, LONG_BINPUT, number);
        }
        Ok(())
    }

    fn numbered(&mut self, short: u8, long: u8, number: u32) {
        match u8::try_from(number) {
            Ok(number) => self.bytes.extend([short, number]),
            Err(_) => self.with_bytes(long, &number.to_le_bytes()),
        }
    }

    fn with_bytes(&mut self, opcode: u8, bytes: &[u8]) {
        self.bytes.push(opcode);
        self.bytes.extend(bytes);
    }
}
