//! `firebrick verify`: is a file what it says, to the last byte?

use super::args::Verify;
use super::output::{BAD, CHANGED, GOOD, PLAIN, count, grouped, shown, size};
use super::progress::Progress;
use super::source::{self, Source};
use super::stats::Stats;
use super::{Failure, Outcome, output};
use firebrick_core::{Error, ErrorKind, Result};
use firebrick_io::LoadOptions;
use std::io::Write;

pub fn run(args: &Verify, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let file = args.file.display().to_string();
    let damaged = |out: &mut dyn Write, error: &Error| -> Result<Outcome, Failure> {
        writeln!(out, "{BAD}damaged{PLAIN}: {}", output::described(error))?;
        Ok(Outcome::Otherwise)
    };
    let source = match source::open(&args.file) {
        Ok(source) => source,
        // That it cannot be read says nothing about what it holds.
        Err(error) if error.kind() == ErrorKind::Io => return Err(error.into()),
        Err(error) => return damaged(out, &error),
    };
    match check(&*source, out)? {
        Ok(text) => {
            writeln!(out, "{GOOD}whole{PLAIN}: {}, {}, {text}", shown(&file), source.kind())?;
            Ok(Outcome::Fine)
        }
        Err(error) => damaged(out, &error.context(file)),
    }
}

/// Reads every tensor; returns what there is, or what is wrong. Values that are no numbers are worth a warning, but
/// may be meant.
fn check(source: &dyn Source, out: &mut dyn Write) -> Result<Result<String>, Failure> {
    let chosen = source::choose(source, &LoadOptions::new())?;
    let bytes = source::total(chosen.iter().filter(|chosen| chosen.entry.tied_to.is_none()));
    let progress = Progress::new(bytes);
    let mut unknown = 0;
    for chosen in chosen.iter().filter(|chosen| chosen.entry.tied_to.is_none()) {
        let entry = &chosen.entry;
        progress.at(&entry.name);
        if entry.numbers.is_none() {
            unknown += 1;
            continue;
        }
        let read = source.verify(&entry.name).and_then(|()| entry.values(source));
        let stats = match read.and_then(|tensor| Stats::of(&tensor)) {
            Ok(stats) => stats,
            Err(error) => return Ok(Err(error.context(format!("tensor {:?}", entry.name)))),
        };
        for (number, what) in [(stats.nan, "NaN"), (stats.infinite, "infinite")] {
            if number > 0 {
                let (name, number) = (shown(&entry.name), grouped(number));
                writeln!(out, "{CHANGED}warning{PLAIN}: {name}: {number} values are {what}")?;
            }
        }
        progress.done(entry.bytes);
    }
    let unread = if unknown > 0 { format!(", {unknown} of them of a dtype that is not read") } else { String::new() };
    Ok(Ok(format!("{}, {}{unread}", count(chosen.len(), "tensor"), size(bytes))))
}
