//! Command line of the golden tests: `golden DIR... [options]`.

use golden::area::{AREAS, Selection, run};
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Runs Firebrick against results recorded from PyTorch.

usage: golden DIR... [options]

  --area NAME      only this area (may be repeated)
  --only PREFIX    only cases whose identifier begins so
  --table          the table without the failures
  --quiet          the closing line alone
  --list-skipped   what is not built yet, with the number of cases
";

struct Options {
    folders: Vec<PathBuf>,
    selection: Selection,
    table_only: bool,
    quiet: bool,
    list_skipped: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        folders: Vec::new(),
        selection: Selection::default(),
        table_only: false,
        quiet: false,
        list_skipped: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut next = || words.next().ok_or_else(|| format!("{word} needs a value\n\n{HELP}"));
        match word.as_str() {
            "--area" => {
                let name = next()?;
                if !AREAS.iter().any(|area| area.name == name) {
                    let names: Vec<_> = AREAS.iter().map(|area| area.name).collect();
                    return Err(format!("no area {name}; there are {}", names.join(", ")));
                }
                options.selection.areas.push(name);
            }
            "--only" => options.selection.only = next()?,
            "--table" => options.table_only = true,
            "--quiet" => options.quiet = true,
            "--list-skipped" => options.list_skipped = true,
            "--help" | "-h" => return Err(HELP.to_owned()),
            flag if flag.starts_with('-') => return Err(format!("no option {flag}\n\n{HELP}")),
            folder => options.folders.push(folder.into()),
        }
    }
    if options.folders.is_empty() { Err(HELP.to_owned()) } else { Ok(options) }
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::from(2);
        }
    };
    // A panic inside a case is reported as its failure.
    std::panic::set_hook(Box::new(|_| {}));
    let report = match run(&options.folders, &options.selection, &mut |note| eprintln!("{note}")) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    if !options.quiet {
        if !options.table_only {
            report.failures().for_each(|line| println!("{line}"));
        }
        print!("{}", if options.list_skipped { report.skipped() } else { report.table() });
    }
    println!("{}", report.summary());
    if report.counts().failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
