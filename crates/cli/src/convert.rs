//! `firebrick convert`: a file as one of another kind, dtype by dtype, name by name.

use super::args::{Convert, Kind};
use super::output::{CHANGED, PLAIN, shown};
use super::progress::Progress;
use super::source::{self, Chosen, Source};
use super::stats::Stats;
use super::{Failure, Outcome};
use firebrick_core::{DType, Error, Result, Tensor};
use firebrick_io::atomic::atomic_write;
use firebrick_io::numpy::{NpzWriter, save_npy};
use firebrick_io::safetensors::{Dtype, Header};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::path::Path;

const OP: &str = "convert";

pub fn run(args: &Convert) -> Result<Outcome, Failure> {
    let kind = match args.kind {
        Some(kind) => kind,
        None => kind_of(&args.to)?,
    };
    if args.to.exists() && !args.force {
        let error = Error::value(OP, "the file is there already").given(args.to.display().to_string());
        return Err(error.remedy("--force replaces it").into());
    }
    let source = source::open(&args.from)?;
    let chosen = source::choose(&*source, &args.renames.options(args.filter.options()))?;
    let job = Job { source: &*source, chosen: &chosen, dtype: args.dtype, progress: progress(&chosen) };
    let written = match kind {
        Kind::Safetensors => job.safetensors(&args.to),
        Kind::Npz => job.npz(&args.to),
        Kind::Npy => job.npy(&args.to),
    };
    written.map_err(|error| error.context(format!("{} to {}", args.from.display(), args.to.display())))?;
    Ok(Outcome::Fine)
}

fn progress(chosen: &[Chosen]) -> Progress {
    Progress::new(chosen.iter().map(|chosen| chosen.entry.bytes).sum())
}

fn kind_of(path: &Path) -> Result<Kind> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => Ok(Kind::Safetensors),
        Some("npz") => Ok(Kind::Npz),
        Some("npy") => Ok(Kind::Npy),
        _ => Err(Error::value(OP, "the name of the new file does not say its kind")
            .given(path.display().to_string())
            .expected(".safetensors, .npz or .npy")
            .remedy("name the kind by --kind")),
    }
}

/// What is to be converted.
struct Job<'a> {
    source: &'a dyn Source,
    chosen: &'a [Chosen],
    dtype: Option<DType>,
    progress: Progress,
}

impl Job<'_> {
    /// The dtype that a tensor gets.
    fn dtype(&self, chosen: &Chosen) -> Result<DType> {
        let entry = &chosen.entry;
        let dtype = entry.core.ok_or_else(|| {
            let message = format!("tensor {:?} has dtype {}, which Firebrick does not have", entry.name, entry.dtype);
            Error::type_(OP, message).remedy("leave it out, as in --exclude NAME")
        })?;
        Ok(self.dtype.filter(|_| dtype.is_floating_point()).unwrap_or(dtype))
    }

    /// Reads and converts one tensor.
    fn tensor(&self, chosen: &Chosen) -> Result<Tensor> {
        self.progress.at(&chosen.name);
        let tensor = self.source.tensor(&chosen.entry.name)?;
        let converted = tensor.to(self.dtype(chosen)?)?;
        // Only this dtype has so small a range that trained weights may leave it.
        if converted.dtype() == DType::F16 && tensor.dtype() != DType::F16 {
            let lost = Stats::of(&converted)?.infinite - Stats::of(&tensor)?.infinite;
            if lost > 0 {
                let name = shown(&chosen.name);
                anstream::eprintln!("{CHANGED}warning{PLAIN}: {name}: {lost} values became infinite in float16");
            }
        }
        self.progress.done(chosen.entry.bytes);
        Ok(converted)
    }

    /// Each tensor is read when its turn has come in the file; ties are noted.
    fn safetensors(&self, path: &Path) -> Result<()> {
        let mut written: HashMap<&str, &Chosen> = HashMap::new();
        let mut first: HashMap<&str, &str> = HashMap::new();
        let mut metadata: IndexMap<String, String> = self.source.metadata().into_iter().collect();
        let mut layout = Vec::new();
        for chosen in self.chosen {
            let stored = chosen.entry.tied_to.as_deref().unwrap_or(&chosen.entry.name);
            if let Some(&kept) = first.get(stored) {
                metadata.insert(chosen.name.clone(), kept.to_string());
                continue;
            }
            first.insert(stored, &chosen.name);
            let dtype = self.dtype(chosen)?;
            let in_file = Dtype::from_core(dtype)
                .ok_or_else(|| Error::type_(OP, format!("safetensors have no {dtype}")).given(chosen.name.clone()))?;
            layout.push((chosen.name.clone(), in_file, chosen.entry.shape.clone()));
            written.insert(&chosen.name, chosen);
        }
        let header = Header::new(layout, (!metadata.is_empty()).then_some(metadata))?;
        atomic_write(path, |file| {
            file.write_all(&header.to_bytes()?)?;
            header.tensors().keys().try_for_each(|name| self.tensor(written[name.as_str()])?.write_bytes(file))
        })
    }

    fn npz(&self, path: &Path) -> Result<()> {
        atomic_write(path, |file| {
            let mut archive = NpzWriter::new(file, false);
            self.chosen.iter().try_for_each(|chosen| archive.add(&chosen.name, &self.tensor(chosen)?))?;
            archive.finish()
        })
    }

    fn npy(&self, path: &Path) -> Result<()> {
        match self.chosen {
            [only] => save_npy(path, &self.tensor(only)?),
            several => {
                Err(Error::value(OP, format!("a .npy file has one array, but {} tensors are chosen", several.len()))
                    .remedy("choose one, as in --include NAME, or write .npz"))
            }
        }
    }
}
