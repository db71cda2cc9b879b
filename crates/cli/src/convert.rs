//! `firebrick convert`: a file as one of another kind, dtype by dtype, name by name.

use super::args::{Convert, Kind};
use super::numbers::Numbers;
use super::output::{CHANGED, PLAIN, shown};
use super::progress::Progress;
use super::source::{self, Chosen, Source};
use super::stats::Stats;
use super::values::chunks;
use super::{Failure, Outcome};
use firebrick_core::{DType, Error, Result, Tensor};
use firebrick_io::LoadOptions;
use firebrick_io::atomic::atomic_write;
use firebrick_io::numpy::{NpzWriter, save_npy};
use firebrick_io::pytorch::{self, Array, Dict, DictKind, Storage};
use firebrick_io::safetensors::Header;
use indexmap::IndexMap;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

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
    let options = args.renames.options(args.filter.options());
    let chosen = source::choose(&*source, &options)?;
    let job = Arc::new(Job { source, dtype: args.dtype, progress: Progress::new(source::total(&chosen)), chosen });
    let written = match kind {
        Kind::Pt => job.pt(&args.to, &options),
        Kind::Safetensors => job.safetensors(&args.to),
        Kind::Npz => job.npz(&args.to),
        Kind::Npy => job.npy(&args.to),
    };
    written.map_err(|error| error.context(format!("from {}", args.from.display())))?;
    Ok(Outcome::Fine)
}

fn kind_of(path: &Path) -> Result<Kind> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("pt" | "pth") => Ok(Kind::Pt),
        Some("safetensors") => Ok(Kind::Safetensors),
        Some("npz") => Ok(Kind::Npz),
        Some("npy") => Ok(Kind::Npy),
        _ => Err(Error::value(OP, "the name of the new file does not say its kind")
            .given(path.display().to_string())
            .expected(".pt, .pth, .safetensors, .npz or .npy")
            .remedy("name the kind by --kind")),
    }
}

/// What is to be converted.
struct Job {
    source: Box<dyn Source>,
    chosen: Vec<Chosen>,
    dtype: Option<Numbers>,
    progress: Progress,
}

impl Job {
    /// The dtype that a tensor has, and the one that it gets.
    fn dtypes(&self, chosen: &Chosen) -> Result<[Numbers; 2]> {
        let from = chosen.entry.numbers()?;
        Ok([from, self.dtype.filter(|_| from.is_floating_point()).unwrap_or(from)])
    }

    /// Does a tensor of a `.pt` file go into another one as it is?
    fn is_kept(&self, chosen: &Chosen) -> bool {
        match (chosen.entry.numbers, self.dtype) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(from), Some(to)) => from == to || !from.is_floating_point(),
        }
    }

    /// Reads and converts one tensor.
    fn tensor(&self, chosen: &Chosen) -> Result<Tensor> {
        self.progress.at(&chosen.name);
        let [from, to] = self.dtypes(chosen)?;
        let mut tensor = self.source.tensor(&chosen.entry.name)?;
        if from != to {
            let values = from.decoded(tensor)?;
            tensor = to.encoded(&values)?;
            warn_of_losses(&chosen.name, &values, to, &tensor)?;
        }
        self.progress.done(chosen.entry.bytes);
        Ok(tensor)
    }

    /// The tensor of a kind of file that has no eight-bit floating point.
    fn computable(&self, chosen: &Chosen) -> Result<Tensor> {
        match self.dtypes(chosen)? {
            [_, Numbers::Float8(float8)] => Err(Error::type_(OP, format!("NumPy has no {float8}"))
                .given(format!("tensor {:?}", chosen.name))
                .remedy("convert it, as in --dtype float32")),
            _ => self.tensor(chosen),
        }
    }

    /// The tensors that are written, each with those that are the same.
    fn untied(&self) -> IndexMap<&str, Vec<&Chosen>> {
        let mut all: IndexMap<&str, Vec<&Chosen>> = IndexMap::new();
        for chosen in &self.chosen {
            all.entry(chosen.entry.tied_to.as_deref().unwrap_or(&chosen.entry.name)).or_default().push(chosen);
        }
        all
    }

    /// Each tensor is read when its turn has come in the file; ties are noted.
    fn safetensors(&self, path: &Path) -> Result<()> {
        let mut written: HashMap<&str, &Chosen> = HashMap::new();
        let mut metadata: IndexMap<String, String> = self.source.metadata().into_iter().collect();
        let mut layout = Vec::new();
        for same in self.untied().into_values() {
            let [first, ties @ ..] = &same[..] else { continue };
            metadata.extend(ties.iter().map(|tie| (tie.name.clone(), first.name.clone())));
            let [_, dtype] = self.dtypes(first)?;
            let in_file = dtype.to_safetensors().ok_or_else(|| {
                Error::type_(OP, format!("safetensors have no {}", dtype.name())).given(first.name.clone())
            })?;
            layout.push((first.name.clone(), in_file, first.entry.shape.clone()));
            written.insert(&first.name, first);
        }
        let header = Header::new(layout, (!metadata.is_empty()).then_some(metadata))?;
        let written = atomic_write(path, |file| {
            file.write_all(&header.to_bytes()?)?;
            header.tensors().keys().try_for_each(|name| self.tensor(written[name.as_str()])?.write_bytes(file))
        });
        written.map_err(|error: Error| error.context(path.display()))
    }

    /// A state dict. Each tensor is read when its turn has come in the file; ties stay ties, and what was noted about modules
    /// stays with them.
    fn pt(self: &Arc<Self>, path: &Path, options: &LoadOptions) -> Result<()> {
        let mut arrays: HashMap<&str, Array> = HashMap::new();
        for same in self.untied().into_values() {
            let array = self.array(same[0])?;
            arrays.extend(same.iter().map(|chosen| (chosen.name.as_str(), array.clone())));
        }
        let mut state = Dict::new(DictKind::Ordered);
        let entry = |chosen: &Chosen| Some((chosen.name.as_str().into(), arrays.remove(chosen.name.as_str())?.into()));
        state.entries = self.chosen.iter().filter_map(entry).collect();
        let modules = self.source.modules(options)?;
        if !modules.entries.is_empty() {
            state.attributes.insert(Dict::METADATA.to_owned(), modules.into());
        }
        pytorch::save(state, path)
    }

    /// A tensor of a `.pt` file that is made when it is written.
    fn array(self: &Arc<Self>, chosen: &Chosen) -> Result<Array> {
        if let Some(array) = self.source.array(&chosen.entry.name).filter(|_| self.is_kept(chosen)) {
            self.progress.done(chosen.entry.bytes);
            return Ok(array);
        }
        let dtype = self.dtypes(chosen)?[1].to_pytorch();
        let (job, own) = (self.clone(), chosen.clone());
        let make = move || job.tensor(&own);
        let shape = &chosen.entry.shape;
        let strides: Vec<usize> = (1..=shape.len()).map(|dim| source::count(&shape[dim..])).collect();
        let storage = Storage::made(dtype, source::bytes(shape, dtype.size()), make);
        Array::new(storage, dtype, shape, &strides, 0)
    }

    fn npz(&self, path: &Path) -> Result<()> {
        let written = atomic_write(path, |file| {
            let mut archive = NpzWriter::new(file, false);
            self.chosen.iter().try_for_each(|chosen| archive.add(&chosen.name, &self.computable(chosen)?))?;
            archive.finish()
        });
        written.map_err(|error| error.context(path.display()))
    }

    fn npy(&self, path: &Path) -> Result<()> {
        match &self.chosen[..] {
            [only] => save_npy(path, &self.computable(only)?),
            several => {
                Err(Error::value(OP, format!("a .npy file has one array, but {} tensors are chosen", several.len()))
                    .remedy("choose one, as in --include NAME, or write .npz"))
            }
        }
    }
}

/// Says how many values a dtype of small range has lost; trained weights may leave it.
fn warn_of_losses(name: &str, values: &Tensor, to: Numbers, converted: &Tensor) -> Result<()> {
    let (lost, how) = match to {
        Numbers::Core(DType::F16) => {
            let lost = Stats::of(converted)?.infinite - Stats::of(values)?.infinite;
            (lost, "became infinite in float16".to_owned())
        }
        Numbers::Float8(float8) => {
            let largest = float8.largest();
            let beyond = |value: &&f64| value.is_finite() && value.abs() > largest.into();
            let mut lost = 0;
            for chunk in chunks(values)? {
                lost += chunk?.to_vec::<f64>()?.iter().filter(beyond).count();
            }
            (lost, format!("are beyond {largest}, the largest of {float8}"))
        }
        Numbers::Core(_) => return Ok(()),
    };
    if lost > 0 {
        anstream::eprintln!("{CHANGED}warning{PLAIN}: {}: {lost} values {how}", shown(name));
    }
    Ok(())
}
