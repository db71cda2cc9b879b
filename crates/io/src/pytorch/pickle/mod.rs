//! Python's pickles: the part that tensors and plain values need, as `torch.load(weights_only=True)` draws it.
//!
//! Reading is a machine with a stack: [`opcode`] lists its operations, [`machine`] runs them, [`globals`] lists the classes
//! and functions that they may name, and [`rebuild`] does what those would do. Nothing else is ever called. Values are
//! nodes that refer to each other by number while the machine runs, since a pickle may change a list after it put it
//! somewhere; [`build`] makes the tree of them in the end.

mod args;
mod budget;
mod build;
mod globals;
mod machine;
mod opcode;
mod rebuild;
mod rebuild_tensor;
mod tensors;
mod writer;

pub(super) use machine::{Pickle, StorageRequest, Storages, read};
pub(super) use opcode::name as opcode_name;
pub(super) use writer::{StorageKeys, write};

use super::{DictKind, Dtype, Object, Storage};
use globals::Global;
use std::ops::Range;

/// The number of a node.
type Id = usize;

/// The deepest nesting of containers, read and written. Far more than programs build, far less than a stack holds.
pub(super) const MAX_DEPTH: usize = 256;

/// A value while the machine runs.
enum Node {
    /// A value that holds no others.
    Leaf(Object),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Set(Vec<Id>),
    Dict {
        kind: DictKind,
        entries: Vec<(Id, Id)>,
        /// The dictionaries that attributes come from, the last one first in line.
        attributes: Vec<Id>,
    },
    /// A class, function or constant by name.
    Global(Global),
    Storage(Part),
}

/// A storage, or a part of one.
#[derive(Clone)]
struct Part {
    storage: Storage,
    dtype: Dtype,
    /// The elements that are meant, if not all.
    elements: Option<Range<usize>>,
}
