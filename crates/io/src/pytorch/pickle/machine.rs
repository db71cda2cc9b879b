//! The machine that reads a pickle.

use super::super::error::{PickleProblem, PytorchError};
use super::super::{BigInt, DictKind, Dtype, Object, Storage};
use super::budget::Budget;
use super::globals::Global;
use super::opcode::*;
use super::{Id, Node, Part};
use std::collections::HashMap;

pub(super) type Result<T, E = PickleProblem> = std::result::Result<T, E>;

/// A storage that a pickle refers to.
pub(in super::super) struct StorageRequest<'p> {
    pub dtype: Dtype,
    pub key: &'p str,
    pub location: &'p str,
    pub numel: usize,
}

impl StorageRequest<'_> {
    /// Bytes of the storage; `None` beyond what can be counted.
    pub fn bytes(&self) -> Option<usize> {
        self.numel.checked_mul(self.dtype.size())
    }
}

/// Where a pickle's storages come from.
pub(in super::super) trait Storages {
    /// The storage, the same one for the same key; an error is a sentence.
    fn find(&mut self, request: &StorageRequest<'_>) -> Result<Storage, String>;
}

/// A pickle among others in a record.
pub(in super::super) struct Pickle<'p> {
    /// The record, for messages.
    pub record: &'p str,
    pub bytes: &'p [u8],
    /// Where the pickle begins.
    pub start: usize,
    /// Bytes of the file, to which memory is proportional.
    pub file: usize,
}

/// Reads a pickle; returns its value and where it ends.
pub(in super::super) fn read(
    pickle: &Pickle<'_>,
    storages: &mut dyn Storages,
) -> Result<(Object, usize), PytorchError> {
    let mut machine = Machine::new(pickle, storages);
    let value = machine.run().and_then(|root| machine.build(root));
    match value {
        Ok(value) => Ok((value, machine.at)),
        Err(problem) => Err(PytorchError::Pickle { record: pickle.record.to_owned(), at: machine.begun, problem }),
    }
}

/// The state of reading.
pub(super) struct Machine<'p> {
    bytes: &'p [u8],
    at: usize,
    /// Where the operation at work begins.
    begun: usize,
    pub(super) nodes: Vec<Node>,
    stack: Vec<Id>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    pub(super) budget: Budget,
    storages: &'p mut dyn Storages,
}

impl<'p> Machine<'p> {
    fn new(pickle: &Pickle<'p>, storages: &'p mut dyn Storages) -> Self {
        Machine {
            bytes: pickle.bytes,
            at: pickle.start,
            begun: pickle.start,
            nodes: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            budget: Budget::new(pickle.file),
            storages,
        }
    }

    /// Runs up to the end of the pickle; returns its value.
    fn run(&mut self) -> Result<Id> {
        loop {
            self.begun = self.at;
            let opcode = self.byte()?;
            if opcode == STOP {
                return self.pop();
            }
            self.step(opcode)?;
        }
    }

    fn step(&mut self, opcode: u8) -> Result<()> {
        match opcode {
            PROTO => self.byte().map(drop),
            MARK => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            BINGET => self.byte().and_then(|number| self.get(number.into())),
            LONG_BINGET => self.array().map(u32::from_le_bytes).and_then(|number| self.get(number)),
            BINPUT => self.byte().and_then(|number| self.put(number.into())),
            LONG_BINPUT => self.array().map(u32::from_le_bytes).and_then(|number| self.put(number)),
            TUPLE | TUPLE1 | TUPLE2 | TUPLE3 => self.tuple(opcode),
            APPEND | APPENDS => self.append(opcode),
            SETITEM | SETITEMS => self.set_items(opcode),
            GLOBAL => self.global(),
            REDUCE | NEWOBJ => self.call(opcode),
            BUILD => self.build_state(),
            BINPERSID => self.persistent(),
            _ => {
                let node = self.literal(opcode)?;
                let id = self.node(node)?;
                self.stack.push(id);
                Ok(())
            }
        }
    }

    /// The operations that put one new value on the stack.
    fn literal(&mut self, opcode: u8) -> Result<Node> {
        Ok(Node::Leaf(match opcode {
            NONE => Object::None,
            NEWTRUE => Object::Bool(true),
            NEWFALSE => Object::Bool(false),
            BININT => Object::Int(i32::from_le_bytes(self.array()?).into()),
            BININT1 => Object::Int(self.byte()?.into()),
            BININT2 => Object::Int(u16::from_le_bytes(self.array()?).into()),
            LONG1 => {
                let bytes = self.byte()?;
                let number = BigInt::from_le_bytes(self.take(bytes.into())?);
                number.to_i64().map_or(Object::BigInt(number), Object::Int)
            }
            BINFLOAT => Object::Float(f64::from_be_bytes(self.array()?)),
            BINUNICODE => {
                let bytes = u32::from_le_bytes(self.array()?);
                let text = std::str::from_utf8(self.take(bytes as usize)?).map_err(|_| PickleProblem::NotText)?;
                Object::Str(text.to_owned())
            }
            SHORT_BINSTRING => {
                let bytes = self.byte()?;
                Object::Bytes(self.take(bytes.into())?.to_vec())
            }
            EMPTY_TUPLE => return Ok(Node::Tuple(Vec::new())),
            EMPTY_LIST => return Ok(Node::List(Vec::new())),
            EMPTY_SET => return Ok(Node::Set(Vec::new())),
            EMPTY_DICT => return Ok(Node::dict(DictKind::Plain)),
            other => return Err(PickleProblem::Opcode(other)),
        }))
    }

    fn tuple(&mut self, opcode: u8) -> Result<()> {
        let items = match opcode {
            TUPLE => self.pop_mark()?,
            _ => {
                let count = usize::from(opcode - TUPLE1) + 1;
                let from = self.stack.len().checked_sub(count).filter(|&from| from >= self.floor());
                self.stack.split_off(from.ok_or(PickleProblem::EmptyStack)?)
            }
        };
        self.push(Node::Tuple(items))
    }

    fn append(&mut self, opcode: u8) -> Result<()> {
        let items = if opcode == APPEND { vec![self.pop()?] } else { self.pop_mark()? };
        let list = self.top()?;
        match &mut self.nodes[list] {
            Node::List(list) => {
                list.extend(items);
                Ok(())
            }
            other => Err(wrong(name(opcode), "a list", other)),
        }
    }

    fn set_items(&mut self, opcode: u8) -> Result<()> {
        let items = match opcode {
            SETITEM => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => self.pop_mark()?,
        };
        let (pairs, odd) = items.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(PickleProblem::Impossible("a key without a value".to_owned()));
        }
        let dict = self.top()?;
        match &mut self.nodes[dict] {
            Node::Dict { entries, .. } => {
                entries.extend(pairs.iter().map(|&[key, value]| (key, value)));
                Ok(())
            }
            other => Err(wrong(name(opcode), "a dict", other)),
        }
    }

    fn global(&mut self) -> Result<()> {
        let module = self.line()?;
        let name = self.line()?;
        match Global::find(module, name) {
            Some(global) => self.push(Node::Global(global)),
            None => Err(PickleProblem::Global(format!("{module}.{name}"))),
        }
    }

    fn call(&mut self, opcode: u8) -> Result<()> {
        let (args, function) = (self.pop()?, self.pop()?);
        let Node::Global(global) = self.nodes[function] else {
            return Err(wrong(name(opcode), "a class or function to call", &self.nodes[function]));
        };
        let Node::Tuple(args) = &self.nodes[args] else {
            return Err(wrong(name(opcode), "a tuple of arguments", &self.nodes[args]));
        };
        let args = args.clone();
        let made = self.rebuild(global, &args)?;
        self.push(made)
    }

    /// Attributes for an ordered dictionary. Old files set up tensors this way, which PyTorch no longer writes.
    fn build_state(&mut self) -> Result<()> {
        let state = self.pop()?;
        let target = self.top()?;
        if !matches!(self.nodes[state], Node::Dict { .. }) {
            return Err(wrong("BUILD", "a dict of attributes", &self.nodes[state]));
        }
        match &mut self.nodes[target] {
            Node::Dict { kind: DictKind::Ordered, attributes, .. } => {
                attributes.push(state);
                Ok(())
            }
            other => Err(wrong("BUILD", "an OrderedDict", other)),
        }
    }

    /// A reference to a storage.
    fn persistent(&mut self) -> Result<()> {
        let id = self.pop()?;
        let part = self.storage_part(id)?;
        self.push(Node::Storage(part))
    }

    /// The storage, from wherever they come.
    pub(super) fn find_storage(&mut self, dtype: Dtype, key: &str, location: &str, numel: usize) -> Result<Storage> {
        let request = StorageRequest { dtype, key, location, numel };
        self.storages.find(&request).map_err(PickleProblem::Impossible)
    }

    fn get(&mut self, number: u32) -> Result<()> {
        let id = *self.memo.get(&number).ok_or(PickleProblem::Undefined(number))?;
        self.stack.push(id);
        Ok(())
    }

    fn put(&mut self, number: u32) -> Result<()> {
        let id = self.top()?;
        self.memo.insert(number, id);
        Ok(())
    }

    /// A new value, not on the stack.
    pub(super) fn node(&mut self, node: Node) -> Result<Id> {
        self.budget.take(node.held())?;
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    fn push(&mut self, node: Node) -> Result<()> {
        let id = self.node(node)?;
        self.stack.push(id);
        Ok(())
    }

    /// How low the stack may be taken: values below the last mark are out of reach.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Id> {
        let there = self.stack.len() > self.floor();
        there.then(|| self.stack.pop()).flatten().ok_or(PickleProblem::EmptyStack)
    }

    fn top(&self) -> Result<Id> {
        let there = self.stack.len() > self.floor();
        there.then(|| self.stack.last().copied()).flatten().ok_or(PickleProblem::EmptyStack)
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>> {
        let mark = self.marks.pop().ok_or(PickleProblem::NoMark)?;
        Ok(self.stack.split_off(mark))
    }

    fn take(&mut self, bytes: usize) -> Result<&'p [u8]> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..bytes).ok_or(PickleProblem::CutShort { needs: bytes, left: rest.len() })?;
        self.at += bytes;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// A text up to the end of its line.
    fn line(&mut self) -> Result<&'p str> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
            return Err(PickleProblem::CutShort { needs: rest.len() + 1, left: rest.len() });
        };
        let line = self.take(length + 1)?;
        std::str::from_utf8(&line[..length]).map_err(|_| PickleProblem::NotText)
    }
}

impl Node {
    pub(super) fn dict(kind: DictKind) -> Node {
        Node::Dict { kind, entries: Vec::new(), attributes: Vec::new() }
    }

    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Node::Leaf(object) => object.kind(),
            Node::List(_) => "list",
            Node::Tuple(_) => "tuple",
            Node::Set(_) => "set",
            Node::Dict { kind, .. } => kind.name(),
            Node::Global(global) => global.text(),
            Node::Storage(_) => "storage",
        }
    }

    /// Bytes beyond the node itself. What containers hold takes a byte in the file for each item, and is not counted.
    fn held(&self) -> usize {
        match self {
            Node::Leaf(object) => object.held(),
            Node::Storage(Part { .. }) => size_of::<Part>(),
            _ => 0,
        }
    }
}

/// The refusal of a value of the wrong kind.
pub(super) fn wrong(what: &'static str, expected: &'static str, found: &Node) -> PickleProblem {
    PickleProblem::Wrong { what, expected, found: found.kind().to_owned() }
}
