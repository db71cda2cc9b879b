//! Looks into files of tensors, converts and compares them: see `firebrick --help`.

mod args;
mod checkpoint;
mod convert;
mod diff;
mod inspect;
mod numbers;
mod output;
mod progress;
mod source;
mod stats;
mod values;
mod verify;

use args::{Args, Command};
use clap::Parser;
use firebrick_core::Error;
use std::io::{self, Write};
use std::process::ExitCode;

/// How a command ended that could do its work.
enum Outcome {
    /// What was asked holds.
    Fine,
    /// It does not: files differ, or one is damaged.
    Otherwise,
}

/// Why a command could not do its work.
enum Failure {
    Files(Error),
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Files(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Output(error)
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let run = match args.command {
        Command::Inspect(args) => inspect::run(&args, &mut out),
        Command::Convert(args) => convert::run(&args),
        Command::Diff(args) => diff::run(&args, &mut out),
        Command::Verify(args) => verify::run(&args, &mut out),
    };
    match run.and_then(|outcome| Ok(out.flush().map(|()| outcome)?)) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Otherwise) => ExitCode::from(1),
        // Who reads the output has seen enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Output(error)) => fail(&error.to_string()),
        Err(Failure::Files(error)) => fail(&output::described(&error)),
    }
}

fn fail(message: &str) -> ExitCode {
    let (style, plain) = (output::BAD, output::PLAIN);
    anstream::eprintln!("{style}error{plain}: {message}");
    ExitCode::from(2)
}
