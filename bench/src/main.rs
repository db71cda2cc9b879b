//! Times what `compare.py` compares with PyTorch: small calls, kernels, forward passes, training steps, files, memory.
//!
//! `cargo run --release -p bench -- --workloads all --threads 2 --secs 2` prints a line of JSON a workload;
//! `--workloads list` prints the names, `--workloads machine` what the machine can do at best. With `--iters N` a
//! workload runs exactly so often, which is for profilers:
//! `perf record target/release/bench --workloads gpt_train --iters 10`.

mod files;
mod gpt;
mod harness;
mod kernels;
mod machine;
mod resnet;
mod table;
#[cfg(test)]
mod tests;
mod training;

use firebrick::{Error, Result, manual_seed};
use harness::Options;
use std::process::ExitCode;
use table::{WORKLOADS, Workload};

fn main() -> ExitCode {
    match Options::from_args(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<ExitCode> {
    options.set_threads()?;
    match options.workloads.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => WORKLOADS.iter().for_each(|workload| println!("{}", workload.name)),
        ["machine"] => machine::report(options),
        _ => return run_all(options, &chosen(&options.workloads)?),
    }
    Ok(ExitCode::SUCCESS)
}

/// The workloads with these names.
fn chosen(names: &[String]) -> Result<Vec<&'static Workload>> {
    if names == ["all"] {
        return Ok(WORKLOADS.iter().collect());
    }
    let find = |name: &String| {
        WORKLOADS.iter().find(|workload| workload.name == name).ok_or_else(|| {
            Error::value("bench", format!("no workload is called {name:?}; --workloads list prints them"))
        })
    };
    names.iter().map(find).collect()
}

/// Runs them all, whatever fails; the status says whether something did.
fn run_all(options: &Options, workloads: &[&Workload]) -> Result<ExitCode> {
    let mut status = ExitCode::SUCCESS;
    for workload in workloads {
        manual_seed(0);
        if let Err(error) = (workload.run)(options, workload) {
            options.failed(workload.name, &error);
            status = ExitCode::FAILURE;
        }
    }
    Ok(status)
}
