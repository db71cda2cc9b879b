//! Command line of the golden tests: `golden DIR... [options]`.

use golden::area::{AREAS, Selection, run};
use golden::compact::{Limits, compact};
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

       golden compact SOURCE TARGET [--per-group N] [--case-bytes N]

  writes a small choice of the cases of SOURCE to TARGET: N of each operation (2), none with more bytes (8192)
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

/// The subcommand `compact`.
fn choose(words: &[String]) -> Result<(), String> {
    let mut limits = Limits { per_group: 2, case_bytes: 8192 };
    let mut folders = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|n| n.parse().ok()).ok_or_else(|| format!("{word} needs a number"));
        match word.as_str() {
            "--per-group" => limits.per_group = number()?,
            "--case-bytes" => limits.case_bytes = number()?,
            folder => folders.push(PathBuf::from(folder)),
        }
    }
    match &folders[..] {
        [source, target] => compact(source, target, limits),
        _ => Err(HELP.to_owned()),
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "compact") {
        return match choose(&words[1..]) {
            Ok(()) => ExitCode::SUCCESS,
            Err(text) => {
                eprintln!("{text}");
                ExitCode::from(2)
            }
        };
    }
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
