//! The files that are changed: those of the repository, those that Firebrick writes, and PyTorch's where they are there.

use firebrick_core::{DType, Result, StateDict, Tensor, Value};
use firebrick_io::numpy::save_npy;
use firebrick_io::pytorch::{Object, to_bytes};
use firebrick_io::{SaveOptions, save_safetensors, save_safetensors_sharded};
use std::fs;
use std::path::Path;

/// Larger files only take time.
const LARGEST: u64 = 100 << 10;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// PyTorch's archives, and the older pickles in a row.
    Pt,
    /// Tensors with a JSON header.
    Safetensors,
    /// The index of a sharded file.
    Index,
    /// An array of NumPy.
    Npy,
    /// An archive of arrays.
    Npz,
}

/// A file to change.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// All samples, in the order of their names. The shards that an index names are written into `folder`.
///
/// # Errors
/// A file cannot be written or read.
pub fn samples(folder: &Path) -> Result<Vec<Sample>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut samples = written(folder)?;
    let folders =
        ["corpus", "../crates/io/tests/data", "../crates/io/tests/data/numpy", "../../shared/oracle/checkpoints"];
    for folder in folders {
        // The recorded files of PyTorch are not part of the repository.
        let Ok(files) = fs::read_dir(here.join(folder)) else { continue };
        for file in files {
            let file = file?;
            let kind = file.path().extension().and_then(|end| end.to_str()).and_then(kind);
            if let Some(kind) = kind.filter(|_| file.metadata().is_ok_and(|facts| facts.len() <= LARGEST)) {
                let name = file.file_name().to_string_lossy().into_owned();
                samples.push(Sample { name, kind, bytes: fs::read(file.path())? });
            }
        }
    }
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(samples)
}

fn kind(extension: &str) -> Option<Kind> {
    match extension {
        "pt" => Some(Kind::Pt),
        "safetensors" => Some(Kind::Safetensors),
        "npy" => Some(Kind::Npy),
        "npz" => Some(Kind::Npz),
        _ => None,
    }
}

/// What Firebrick's own writers write.
fn written(folder: &Path) -> Result<Vec<Sample>> {
    let state = state()?;
    let mut samples = vec![
        Sample { name: "written.pt".to_owned(), kind: Kind::Pt, bytes: to_bytes(&state)? },
        Sample { name: "written_tree.pt".to_owned(), kind: Kind::Pt, bytes: to_bytes(tree(&state)?)? },
    ];
    let mut add = |name: &str, kind, path: &Path| {
        samples.push(Sample { name: name.to_owned(), kind, bytes: fs::read(path)? });
        Ok::<_, std::io::Error>(())
    };
    let path = folder.join("whole.safetensors");
    save_safetensors(&path, &state)?;
    add("written.safetensors", Kind::Safetensors, &path)?;
    let index = save_safetensors_sharded(folder.join("part.safetensors"), &state, 64, &SaveOptions::new())?;
    add("written.index.json", Kind::Index, &index)?;
    let path = folder.join("array.npy");
    save_npy(&path, &Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?.t()?)?;
    add("written.npy", Kind::Npy, &path)?;
    Ok(samples)
}

fn state() -> Result<StateDict> {
    let mut state = StateDict::from_iter([
        ("fc.weight", Tensor::new([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]])?),
        ("fc.bias", Tensor::new([0.5f64, -0.5])?),
        ("steps", Tensor::new([7i64])?),
        ("mask", Tensor::new([true, false])?),
        ("empty", Tensor::zeros([0, 4])?),
        ("half", Tensor::ones([3])?.to(DType::F16)?),
    ]);
    for module in ["", "fc"] {
        state.metadata.entry(module.to_owned()).or_default().insert("version".to_owned(), 1);
    }
    Ok(state)
}

/// Values of most kinds.
fn tree(state: &StateDict) -> Result<Object> {
    let x = Tensor::new([1.0f32, 2.0, 3.0, 4.0])?;
    let group =
        Value::dict([("lr", 0.1.into()), ("betas", (0.9, 0.999).into()), ("params", Value::List(vec![0.into()]))]);
    let moments = Value::dict([("step", Tensor::new(3.0f32)?.into()), ("exp_avg", x.copy()?.into())]);
    let optimizer =
        Value::dict([("state", Value::dict([(0_i64, moments)])), ("param_groups", Value::List(vec![group]))]);
    Ok(Object::dict([
        ("model", state.into()),
        ("optimizer", optimizer.into()),
        ("views", Object::List(vec![x.narrow(0, 1, 2)?.into(), x.view([2, 2])?.t()?.into(), x.into()])),
        ("bytes", Object::Bytes(vec![0, 1, 255])),
        ("sizes", Object::Size(vec![2, 3])),
        ("none", Object::None),
        ("numbers", Object::Tuple(vec![(-1).into(), i64::MAX.into(), 0.5.into(), true.into(), "text".into()])),
    ]))
}
