//! What the program understands.

use super::numbers::Numbers;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand, ValueEnum};
use firebrick_core::DType;
use firebrick_io::{Float8, LoadOptions};
use std::path::PathBuf;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Looks into files of tensors, converts and compares them.
///
/// What kind a file is shows in its first bytes, whatever its name.
#[derive(Parser)]
#[command(name = "firebrick", version, styles = STYLES, after_help = "\
Exit codes: 0 success; 1 the files differ, or the file is damaged; 2 the work could not be done.
Colours are for terminals only, and off where NO_COLOR is set.")]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    Inspect(Inspect),
    Convert(Convert),
    Diff(Diff),
    Verify(Verify),
}

/// Lists the tensors of a file: names, dtypes, shapes, sizes, ties.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  firebrick inspect model.safetensors
  firebrick inspect --stats --include '*.weight' model.safetensors
  firebrick inspect --json model.safetensors.index.json | jq .total")]
pub struct Inspect {
    /// The file
    pub file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Read the tensors, too: smallest and largest value, mean, standard deviation, zeros, NaN, infinities
    #[arg(long)]
    pub stats: bool,
    #[command(flatten)]
    pub filter: Filter,
}

/// Writes the tensors of a file to a new one, of another kind or dtype or under other names.
///
/// From one .pt file to another, the versions of modules come along (`_metadata` of a state dict), under the names that their
/// tensors begin with then. Modules are left out of which no tensor is chosen, or whose tensors get names that no longer
/// begin alike.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  firebrick convert model.pt model.safetensors
  firebrick convert model.safetensors model.npz
  firebrick convert --dtype bfloat16 model.safetensors small.safetensors
  firebrick convert --dtype float8_e4m3fn model.pt tiny.safetensors
  firebrick convert --strip-prefix module. --rename gamma=weight old.safetensors new.safetensors")]
pub struct Convert {
    /// The file to read
    pub from: PathBuf,
    /// The file to write
    pub to: PathBuf,
    /// The kind of the new file, where its name does not say it
    #[arg(long, value_enum, value_name = "KIND")]
    pub kind: Option<Kind>,
    /// Convert tensors of floating point to this dtype: float64, float32, float16, bfloat16, float8_e4m3fn, float8_e5m2,
    /// float8_e4m3fnuz or float8_e5m2fnuz
    #[arg(long, value_parser = floating_dtype)]
    pub dtype: Option<Numbers>,
    /// Replace the file that is there
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub filter: Filter,
    #[command(flatten)]
    pub renames: Renames,
}

/// Compares two files tensor by tensor; the exit code is 1 when they differ.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  firebrick diff before.safetensors after.safetensors
  firebrick diff --rtol 1e-3 --atol 1e-6 model.safetensors half.safetensors
  firebrick diff --quiet a.npz b.npz && echo same")]
pub struct Diff {
    /// One file
    pub a: PathBuf,
    /// The other file
    pub b: PathBuf,
    /// Print nothing
    #[arg(long, short)]
    pub quiet: bool,
    /// Difference between two values that counts as none
    #[arg(long, default_value_t = 0.0)]
    pub atol: f64,
    /// The same, as a part of the value in the other file
    #[arg(long, default_value_t = 0.0)]
    pub rtol: f64,
    #[command(flatten)]
    pub filter: Filter,
    #[command(flatten)]
    pub renames: Renames,
}

/// Reads a whole file and checks that it is what it says; the exit code is 1 when it is damaged.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  firebrick verify model.safetensors
  firebrick verify model.safetensors.index.json")]
pub struct Verify {
    /// The file
    pub file: PathBuf,
}

/// Which tensors.
#[derive(clap::Args)]
pub struct Filter {
    /// Only tensors whose names match: * any characters, ? one, [0-9] one of a range, {a,b} one of several texts
    #[arg(long, value_name = "PATTERN")]
    pub include: Vec<String>,
    /// No tensors whose names match
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
}

/// What they are called.
#[derive(clap::Args)]
pub struct Renames {
    /// Take this off the beginning of names
    #[arg(long, value_name = "PREFIX")]
    pub strip_prefix: Vec<String>,
    /// Replace a text in names
    #[arg(long, value_name = "OLD=NEW", value_parser = old_and_new)]
    pub rename: Vec<(String, String)>,
    /// Put this before every name
    #[arg(long, value_name = "PREFIX")]
    pub add_prefix: Option<String>,
}

/// Kinds of files that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Pt,
    Safetensors,
    Npz,
    Npy,
}

impl Filter {
    pub fn options(&self) -> LoadOptions {
        let included = self.include.iter().fold(LoadOptions::new(), LoadOptions::include);
        self.exclude.iter().fold(included, LoadOptions::exclude)
    }
}

impl Renames {
    /// `options` with these rules: prefixes go, texts are replaced, the new prefix comes.
    pub fn options(&self, options: LoadOptions) -> LoadOptions {
        let stripped = self.strip_prefix.iter().fold(options, |options, prefix| options.rename_prefix(prefix, ""));
        let renamed = self.rename.iter().fold(stripped, |options, (old, new)| options.rename(old, new));
        self.add_prefix.iter().fold(renamed, |options, prefix| options.rename_prefix("", prefix))
    }
}

fn floating_dtype(name: &str) -> Result<Numbers, String> {
    let name = name.strip_prefix("torch.").unwrap_or(name);
    let core = match name {
        "double" | "f64" => Some(DType::F64),
        "float" | "f32" | "fp32" => Some(DType::F32),
        "half" | "f16" | "fp16" => Some(DType::F16),
        "bf16" => Some(DType::BF16),
        _ => DType::ALL.into_iter().find(|dtype| dtype.is_floating_point() && dtype.name() == name),
    };
    let found = core.map(Numbers::Core).or(Float8::from_name(name).map(Numbers::Float8));
    let kinds = || Float8::ALL.map(Float8::name).join(", ");
    found.ok_or_else(|| format!("float64, float32, float16, bfloat16, {} expected", kinds()))
}

fn old_and_new(rule: &str) -> Result<(String, String), String> {
    match rule.split_once('=') {
        Some((old, new)) if !old.is_empty() => Ok((old.to_string(), new.to_string())),
        _ => Err("OLD=NEW expected".to_string()),
    }
}
