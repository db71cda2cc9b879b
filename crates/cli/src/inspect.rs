//! `firebrick inspect`: what is in a file.

use super::args::Inspect;
use super::output::{self, FAINT, HEAD, PLAIN, count, grouped, number, shown, size};
use super::progress::Progress;
use super::source::{self, Chosen, Source};
use super::stats::Stats;
use super::{Failure, Outcome};
use firebrick_core::Result;
use indexmap::IndexMap;
use serde::{Serialize, Serializer};
use std::io::Write;

#[derive(Serialize)]
struct Report<'a> {
    file: String,
    kind: &'static str,
    #[serde(serialize_with = "as_map")]
    metadata: IndexMap<&'a str, &'a str>,
    tensors: Vec<Row<'a>>,
    total: Total,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    dtype: &'a str,
    shape: &'a [usize],
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    tied_to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<Stats>,
}

/// Of tensors that are tied, one counts.
#[derive(Default, Serialize)]
struct Total {
    tensors: usize,
    elements: usize,
    bytes: usize,
    #[serde(serialize_with = "as_map")]
    bytes_by_dtype: IndexMap<String, usize>,
}

fn as_map<K: Serialize, V: Serialize, S: Serializer>(map: &IndexMap<K, V>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(map)
}

pub fn run(args: &Inspect, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let source = source::open(&args.file)?;
    let chosen = source::choose(&*source, &args.filter.options())?;
    let metadata = source.metadata();
    let report = Report {
        file: args.file.display().to_string(),
        kind: source.kind(),
        metadata: metadata.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect(),
        tensors: rows(&*source, &chosen, args.stats)?,
        total: Total::of(&chosen),
    };
    match args.json {
        true => {
            serde_json::to_writer_pretty(&mut *out, &report).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        false => print(&report, out)?,
    }
    Ok(Outcome::Fine)
}

fn rows<'a>(source: &dyn Source, chosen: &'a [Chosen], with_stats: bool) -> Result<Vec<Row<'a>>> {
    let progress = Progress::new(if with_stats { source::total(chosen) } else { 0 });
    let row = |Chosen { entry, .. }: &'a Chosen| {
        progress.at(&entry.name);
        // Of what Firebrick has no tensors, it knows no values.
        let stats = match with_stats && entry.numbers.is_some() {
            true => Some(Stats::of(&entry.values(source)?)?),
            false => None,
        };
        progress.done(entry.bytes);
        Ok(Row {
            name: &entry.name,
            dtype: &entry.dtype,
            shape: &entry.shape,
            bytes: entry.bytes,
            tied_to: entry.tied_to.as_deref(),
            stats,
        })
    };
    chosen.iter().map(row).collect()
}

impl Total {
    fn of(chosen: &[Chosen]) -> Self {
        let mut total = Total::default();
        for Chosen { entry, .. } in chosen.iter().filter(|chosen| chosen.entry.tied_to.is_none()) {
            total.tensors += 1;
            total.elements = total.elements.saturating_add(entry.numel());
            total.bytes = total.bytes.saturating_add(entry.bytes);
            let of_dtype = total.bytes_by_dtype.entry(entry.dtype.clone()).or_default();
            *of_dtype = of_dtype.saturating_add(entry.bytes);
        }
        total
    }
}

fn print(report: &Report, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{HEAD}{}{PLAIN}: {}", shown(&report.file), report.kind)?;
    for (name, text) in &report.metadata {
        writeln!(out, "  {}: {}", shown(name), shown(text))?;
    }
    let with_stats = report.tensors.iter().any(|row| row.stats.is_some());
    let mut table = vec![heading(with_stats)];
    table.extend(report.tensors.iter().map(|row| cells(row, with_stats)));
    let width = |column: usize| table.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..table[0].len()).map(|column| width(column).unwrap_or(0)).collect();
    for (i, row) in table.iter().enumerate() {
        let last = row.len() - 1;
        if i == 0 {
            write!(out, "{FAINT}")?;
        }
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            // Numbers end together, texts begin together.
            match (column < 3, column == last) {
                (true, _) => write!(out, "{cell:width$}  ")?,
                (false, false) => write!(out, "{cell:>width$}  ")?,
                (false, true) => writeln!(out, "{cell:>width$}{PLAIN}")?,
            }
        }
    }
    let Total { tensors, elements, bytes, bytes_by_dtype } = &report.total;
    let parts: Vec<String> = bytes_by_dtype.iter().map(|(dtype, bytes)| format!("{dtype} {}", size(*bytes))).collect();
    let parts = if parts.len() > 1 { format!(" ({})", parts.join(", ")) } else { String::new() };
    writeln!(
        out,
        "{HEAD}{}, {}, {}{PLAIN}{parts}",
        count(*tensors, "tensor"),
        count(*elements, "element"),
        size(*bytes)
    )
}

fn heading(with_stats: bool) -> Vec<String> {
    let first = ["name", "dtype", "shape", "size"];
    let more = ["min", "max", "mean", "std", "zeros", "nan", "inf"];
    let more: &[&str] = if with_stats { &more } else { &[] };
    first.iter().chain(more).map(|title| title.to_string()).collect()
}

fn cells(row: &Row, with_stats: bool) -> Vec<String> {
    let size = match row.tied_to {
        Some(other) => format!("= {}", shown(other)),
        None => output::size(row.bytes),
    };
    let mut cells = vec![shown(row.name).into_owned(), row.dtype.to_string(), format!("{:?}", row.shape), size];
    if with_stats {
        let stats = row.stats.as_ref();
        let value = |part: fn(&Stats) -> Option<f64>| stats.and_then(part).map_or("-".to_string(), number);
        let number = |part: fn(&Stats) -> usize| stats.map_or("-".to_string(), |stats| grouped(part(stats)));
        cells.extend([value(|s| s.min), value(|s| s.max), value(|s| s.mean), value(|s| s.std)]);
        cells.extend([number(|s| s.zeros), number(|s| s.nan), number(|s| s.infinite)]);
    }
    cells
}
