//! What can be wrong with a `.pt` file.

use crate::zip::ZipError;
use firebrick_core::{Error, ErrorKind};
use std::io;

/// Why a `.pt` file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PytorchError {
    /// The file is not an archive, or a damaged one.
    #[error("{0}")]
    Archive(String),
    /// The archive has no such record.
    #[error("the archive has no record {name:?}")]
    NoRecord {
        /// The record, without the top folder.
        name: String,
    },
    /// A record of the archive is damaged or not what the file says of it.
    #[error("record {record:?}: {problem}")]
    Record {
        /// The record, without the top folder.
        record: String,
        /// What is wrong.
        problem: String,
    },
    /// A pickle holds what is not understood or not allowed.
    #[error("{record}, byte {at}: {problem}")]
    Pickle {
        /// The record that holds the pickle.
        record: String,
        /// Where in the record the refused operation begins.
        at: usize,
        /// What is wrong.
        problem: PickleProblem,
    },
    /// A value that a `.pt` file cannot hold.
    #[error("{path}: {problem}")]
    Value {
        /// Where in the tree.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// The kind of file is one that is not read.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The memory of a tensor cannot be had.
    #[error(transparent)]
    Tensor(#[from] Error),
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Why a pickle is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PickleProblem {
    /// An opcode that is not among those that tensors need.
    #[error("Unsupported operand {0} ({name})", name = super::pickle::opcode_name(*.0))]
    Opcode(u8),
    /// A class or function that is not among those that tensors need.
    #[error(
        "Unsupported global: GLOBAL {0} was not an allowed global: nothing but tensors and plain values is ever loaded"
    )]
    Global(String),
    /// The pickle ends within an operation, or before its end.
    #[error("the pickle is cut short: {needs} bytes are needed, {left} are left")]
    CutShort {
        /// Bytes that the operation takes.
        needs: usize,
        /// Bytes that there are.
        left: usize,
    },
    /// An operation takes more values than there are.
    #[error("there is no value to take")]
    EmptyStack,
    /// An operation goes back to a mark that was never set.
    #[error("there is no mark to go back to")]
    NoMark,
    /// A value is fetched that was never stored.
    #[error("nothing is stored under number {0}")]
    Undefined(u32),
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    NotText,
    /// An operation, or a function that a tensor is rebuilt by, was given what it does not take.
    #[error("{what} takes {expected}, not {found}")]
    Wrong {
        /// The operation or function.
        what: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What it was given.
        found: String,
    },
    /// What was asked for cannot be.
    #[error("{0}")]
    Impossible(String),
    /// Containers within containers, deeper than any file needs.
    #[error("containers are nested more than {0} deep")]
    TooDeep(usize),
    /// A container that holds itself.
    #[error("a container holds itself")]
    HoldsItself,
    /// Small in the file, but out of all proportion in memory.
    #[error("the values would take more than the {0} bytes that a file of this size may take")]
    TooMuch(usize),
}

impl From<ZipError> for PytorchError {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Archive(problem) => PytorchError::Archive(problem),
            ZipError::Record { record, problem } => PytorchError::Record { record, problem },
        }
    }
}

impl From<PytorchError> for Error {
    fn from(error: PytorchError) -> Self {
        const OP: &str = "pytorch";
        match error {
            PytorchError::Tensor(error) => error,
            PytorchError::Io(error) => Error::io(OP, error.to_string()),
            PytorchError::NoRecord { .. } => Error::key(OP, error.to_string()),
            PytorchError::Value { .. } => Error::type_(OP, error.to_string()),
            other => Error::new(ErrorKind::Value, OP, other.to_string()),
        }
    }
}
