//! The module system, section by section, printing what PyTorch 2.15 prints for the same seed.
//!
//! `cargo run --release --example tour -- --seed 0`

mod models;
mod python;
mod sections;

use firebrick::prelude::*;
use std::process::ExitCode;

fn main() -> ExitCode {
    let seed = match seed(std::env::args().skip(1)) {
        Ok(seed) => seed,
        Err(text) => {
            eprintln!("{text}\nusage: tour [--seed N]");
            return ExitCode::from(2);
        }
    };
    match tour(seed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn seed(mut args: impl Iterator<Item = String>) -> Result<i64, String> {
    match (args.next().as_deref(), args.next(), args.next()) {
        (None, ..) => Ok(0),
        (Some("--seed"), Some(text), None) => {
            text.parse().map_err(|_| format!("--seed takes an integer, not {text:?}"))
        }
        (Some(other), ..) => Err(format!("unexpected argument {other:?}, or --seed without its number")),
    }
}

type Section = fn() -> Result<()>;

const SECTIONS: [(&str, Section); 11] = [
    ("parameters", sections::parameters),
    ("functional and module", sections::functional_and_module),
    ("a tensor is not a parameter", sections::a_tensor_is_not_a_parameter),
    ("buffers", sections::buffers),
    ("submodules", sections::submodules),
    ("containers", sections::containers),
    ("state dict", sections::state_dict),
    ("train and eval", sections::train_and_eval),
    ("lazy modules", sections::lazy_modules),
    ("one model with everything", sections::one_model_with_everything),
    ("hooks", sections::hooks),
];

/// Each section starts from the same generator state, so that it can be checked on its own.
fn tour(seed: i64) -> Result<()> {
    for (title, section) in SECTIONS {
        println!("\n== {title} ==");
        firebrick::manual_seed(seed);
        section()?;
    }
    Ok(())
}
