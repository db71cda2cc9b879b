//! Facts about behaviour: each a program, written here in Rust, whose result is compared with PyTorch's.
//!
//! A fact is found by its identifier; its function returns JSON that must equal the recorded result exactly. The
//! description in the file (`program`) is what the function does.

mod autograd;
mod containers;
mod describe;
mod grad_modes;
mod hooks;
mod init;
mod layers;
mod lazy;
mod load_state_dict;
mod models;
mod module_methods;
mod names;
mod optim;
mod parametrize;
mod refused;
mod registration;
mod repr;
mod state_dict;
mod tensor_repr;
mod ties;

use crate::area::Runner;
use crate::case::{Case, Cases};
use crate::{Out, not_built, wrong};
use firebrick::manual_seed;
use serde_json::{Value as Json, json};
use std::path::Path;

/// One fact: its identifier and the program.
type Fact = (&'static str, fn() -> Out<Json>);

/// Facts of a topic.
macro_rules! facts {
    ($table:ident; $($id:literal $body:expr;)*) => {
        /// The facts of this topic.
        pub const $table: &[super::Fact] = &[$(($id, || Ok(serde_json::Value::from($body)))),*];
    };
}

pub(crate) use facts;

const TABLES: &[&[Fact]] = &[
    autograd::FACTS,
    containers::FACTS,
    grad_modes::FACTS,
    hooks::FACTS,
    init::FACTS,
    layers::FACTS,
    lazy::FACTS,
    load_state_dict::FACTS,
    module_methods::FACTS,
    names::FACTS,
    optim::FACTS,
    parametrize::FACTS,
    refused::FACTS,
    registration::FACTS,
    repr::FACTS,
    state_dict::FACTS,
    tensor_repr::FACTS,
    ties::FACTS,
];

/// Runs `semantics.json`.
pub fn run(folder: &Path, runner: &mut Runner) -> Result<(), String> {
    for case in Cases::read_file(folder, "semantics.json")? {
        runner.case(case.text("topic"), case.id(), || check(&case));
    }
    Ok(())
}

fn check(case: &Case) -> Out<()> {
    let Some((_, fact)) = TABLES.iter().flat_map(|t| t.iter()).find(|(id, _)| *id == case.id()) else {
        return not_built(format!("the fact {}", case.id()));
    };
    manual_seed(0);
    let (got, expected) = (fact()?, &case.json["result"]);
    if agrees(&got, expected) { Ok(()) } else { wrong(format!("got {got}, expected {expected}")) }
}

/// A part of a fact whose program does not compile in Rust, where PyTorch raises an exception.
pub(crate) fn does_not_compile() -> Json {
    json!({"does not compile": true})
}

/// Equal, except that what does not compile agrees with any exception.
fn agrees(got: &Json, expected: &Json) -> bool {
    match (got, expected) {
        (Json::Array(got), Json::Array(expected)) => {
            got.len() == expected.len() && got.iter().zip(expected).all(|(g, e)| agrees(g, e))
        }
        _ if *got == does_not_compile() => expected.get("raises").is_some(),
        (Json::Object(got), Json::Object(expected)) => {
            got.len() == expected.len() && got.iter().all(|(key, g)| expected.get(key).is_some_and(|e| agrees(g, e)))
        }
        _ => got == expected,
    }
}
