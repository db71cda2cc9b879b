//! Changes files at random and reads them: see the library's own page.

use firebrick_core::{Error, Result};
use fuzz::memory::Counting;
use fuzz::run::{End, Options, run};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[global_allocator]
static MEMORY: Counting = Counting;

const HELP: &str = "\
cargo run -p fuzz -- [--minutes 60 | --executions 10000] [--seed 0] [--readers pt,npy] [--findings fuzz/findings]
Exit code 1 if something was found: the files that it was found with are in the folder of findings.";

fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error:#}\n{HELP}");
            return ExitCode::FAILURE;
        }
    };
    match run(&options) {
        Ok(report) => {
            println!("{report:?}");
            if report.findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The options; none if help is asked for.
fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("findings");
    let mut options =
        Options { seed: 0, end: End::After(Duration::from_secs(60)), readers: Vec::new(), findings: folder };
    while let Some(name) = arguments.next() {
        if name == "--help" {
            return Ok(None);
        }
        let value = arguments.next().unwrap_or_default();
        let number =
            || value.parse::<u64>().map_err(|_| Error::value("fuzz", format!("{name} takes a number, not {value:?}")));
        match name.as_str() {
            "--minutes" => options.end = End::After(Duration::from_secs(number()?.saturating_mul(60))),
            "--executions" => options.end = End::Executions(number()?),
            "--seed" => options.seed = number()?,
            "--readers" => options.readers = value.split(',').map(str::to_owned).collect(),
            "--findings" => options.findings = value.into(),
            _ => return Err(Error::value("fuzz", format!("there is no option {name:?}"))),
        }
    }
    Ok(Some(options))
}
