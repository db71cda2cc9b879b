//! Times what `compare.py` compares with PyTorch: small calls, kernels, training steps, files, memory.
//!
//! `cargo run --release -p bench -- --workloads all --threads 2 --secs 2` prints a line of JSON a workload.

mod files;
mod harness;
mod kernels;
mod training;

use firebrick::{Result, manual_seed};
use harness::Options;
use std::process::ExitCode;

/// A name, and what is run under it.
pub type Workload = (&'static str, fn(&Options, &str) -> Result<()>);

fn main() -> ExitCode {
    let options = match Options::from_args() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    let all: Vec<Workload> = [kernels::WORKLOADS, training::WORKLOADS, files::WORKLOADS].concat();
    if options.workloads == ["list"] {
        all.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    let every = options.workloads == ["all"];
    let unknown = options.workloads.iter().find(|&name| !every && !all.iter().any(|(known, _)| known == name));
    if let Some(name) = unknown {
        eprintln!("no workload is called {name:?}; --workloads list prints them");
        return ExitCode::FAILURE;
    }
    let mut status = ExitCode::SUCCESS;
    for (name, run) in all {
        if every || options.workloads.iter().any(|wanted| wanted == name) {
            manual_seed(0);
            if let Err(error) = run(&options, name) {
                options.failed(name, &error);
                status = ExitCode::FAILURE;
            }
        }
    }
    status
}
