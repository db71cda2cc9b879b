//! Runs Firebrick against results recorded from PyTorch.
//!
//! A folder of cases (`modules`, `functional`, `rng`, ...) holds JSON and safetensors files; every case that can be
//! constructed is run and compared. A case is skipped only where the operation, class or argument it names does not
//! exist yet, and the name is reported.
//!
//! | file | what it holds |
//! |---|---|
//! | `value`, `tensors`, `case` | the format of the files |
//! | `compare` | how near a result must be |
//! | `compact` | choosing the small set in `cases` |
//! | `area`, `report`, `differences` | running, counting, deliberate differences |
//! | `functional`, `promotion`, `broadcasting` | operations |
//! | `modules`, `rng`, `semantics` | classes, random numbers, facts about behaviour |
//! | `checkpoints` | `.pt` files |

pub mod area;
pub mod broadcasting;
pub mod case;
pub mod checkpoints;
pub mod compact;
pub mod compare;
pub mod differences;
pub mod functional;
pub mod modules;
pub mod promotion;
pub mod report;
pub mod rng;
pub mod semantics;
pub mod tensors;
pub mod training;
pub mod value;

/// Why a case did not produce a result.
#[derive(Debug)]
pub enum Failure {
    /// What Firebrick does not have yet.
    NotBuilt(String),
    /// An argument of a kind that the Rust function cannot be given.
    Types(String),
    /// The error that Firebrick returned.
    Error(firebrick::Error),
    /// Another result than expected.
    Wrong(String),
}

impl From<firebrick::Error> for Failure {
    fn from(error: firebrick::Error) -> Self {
        Failure::Error(error)
    }
}

/// The result of running a case.
pub type Out<T> = Result<T, Failure>;

/// A failure that names what is not built.
pub fn not_built<T>(what: impl Into<String>) -> Out<T> {
    Err(Failure::NotBuilt(what.into()))
}

/// A failure that says what is wrong.
pub fn wrong<T>(what: impl Into<String>) -> Out<T> {
    Err(Failure::Wrong(what.into()))
}
