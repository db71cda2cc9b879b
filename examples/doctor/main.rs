//! Breaks a small network in nine ways that PyTorch lets pass, and prints what is said about each.
//!
//! `cargo run --release --example doctor`

mod faults;
mod model;

use firebrick::prelude::*;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

type Fault = fn() -> Result<String>;

const FAULTS: [(&str, Fault); 9] = [
    ("features are detached on the way", faults::detached),
    ("a layer is replaced after the optimizer was made", faults::replaced),
    ("the model is still in evaluation mode", faults::evaluating),
    ("the norm is frozen, and goes on averaging", faults::frozen_norm),
    ("no unit is active", faults::dead_units),
    ("a gradient is no number", faults::not_a_number),
    ("the loss is added up with its history", faults::added_up),
    ("the graph is kept for nothing", faults::kept_graph),
    ("the checkpoint has other names", faults::renamed_checkpoint),
];

/// Each fault starts from the same generator state.
fn run() -> Result<()> {
    firebrick::manual_seed(0);
    println!("== the model as it should be ==\n{}", faults::none()?);
    for (title, fault) in FAULTS {
        firebrick::manual_seed(0);
        println!("\n== {title} ==\n{}", fault()?);
    }
    Ok(())
}
