//! One file of every kind. `check.py` says what must be in each.

use crate::net::Net;
use firebrick::io::numpy::save_npy;
use firebrick::io::pytorch::{Array, BigInt, Dict, DictKind, Dtype, Key, Object, Storage, save};
use firebrick::io::{SaveOptions, save_safetensors, save_safetensors_sharded, save_safetensors_with};
use firebrick::prelude::*;
use firebrick::{Complex, StateDict};
use std::path::Path;

/// Bytes of the tensor of each dtype: 0, 1, 2 ...; of bools, 0, 1, 0, 1 ....
const BYTES: u8 = 48;

pub fn all(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    dtypes(folder)?;
    save(views()?, folder.join("views.pt"))?;
    save(nested()?, folder.join("nested.pt"))?;
    model(folder)
}

fn pattern(dtype: Dtype) -> Vec<u8> {
    (0..BYTES).map(|byte| if dtype == Dtype::Bool { byte % 2 } else { byte }).collect()
}

/// A tensor of every dtype, in every format that has it.
fn dtypes(folder: &Path) -> Result<()> {
    let (mut all, mut computable) = (Vec::new(), StateDict::new());
    for &dtype in Dtype::ALL {
        let quantized = matches!(dtype, Dtype::QI8 | Dtype::QU8 | Dtype::QI32 | Dtype::QU4X2 | Dtype::QU2X4);
        if quantized || dtype.name().starts_with("bits") {
            // PyTorch has no plain tensors of the one and no way to save the other.
            continue;
        }
        let storage = Storage::from_bytes(dtype, &pattern(dtype))?;
        let numel = usize::from(BYTES) / dtype.size();
        all.push((dtype.name(), Array::new(storage, dtype, &[numel], &[1], 0)?.into()));
        if let Some(core) = dtype.core() {
            computable.insert(dtype.name(), Tensor::from_bytes(&pattern(dtype), [numel], core)?);
        }
    }
    save(Object::dict(all), folder.join("dtypes.pt"))?;
    for (name, tensor) in computable.iter().filter(|(name, _)| *name != "bfloat16") {
        save_npy(folder.join(format!("{name}.npy")), tensor)?;
    }
    // The format has no complex128.
    computable.remove("complex128");
    save_safetensors(folder.join("dtypes.safetensors"), &computable)?;
    save_safetensors_sharded(folder.join("shards.safetensors"), &computable, 100, &SaveOptions::new())?;
    save_npy(folder.join("fortran.npy"), &count([3, 4])?.t()?)
}

/// 0, 1, 2 ... in single precision.
fn count<const N: usize>(shape: [usize; N]) -> Result<Tensor> {
    let numbers: Vec<f32> = (0..shape.iter().product::<usize>()).map(|number| number as f32).collect();
    Tensor::from_vec(numbers, shape)
}

/// Views of one storage, and tensors without elements or dimensions.
fn views() -> Result<Object> {
    let base = count([3, 4])?;
    let entries: [(&str, Object); 9] = [
        ("transposed", base.t()?.into()),
        ("part", base.narrow(1, 1, 2)?.into()),
        ("row", base.select(0, 2)?.into()),
        ("expanded", base.select(1, 3)?.unsqueeze(1)?.expand([3, 5])?.into()),
        ("windows", base.as_strided([4, 4], [2, 1], Some(1))?.into()),
        ("base", (&base).into()),
        ("again", (&base).into()),
        ("empty", Tensor::zeros([0, 3])?.into()),
        ("scalar", Tensor::new(2.5f64)?.into()),
    ];
    Ok(Object::dict(entries))
}

/// Containers in containers, and values of every kind.
fn nested() -> Result<Object> {
    let mut ordered = Dict::new(DictKind::Ordered);
    ordered.entries.insert("z".into(), Object::List(vec![]));
    ordered.entries.insert("a".into(), Object::Tuple(vec![]));
    let mut numbered = Dict::default();
    numbered.entries.insert(Key::Int(-5), "negative".into());
    numbered.entries.insert(Key::Tuple(vec![1_i64.into(), "x".into()]), Object::None);
    let values = vec![
        Object::None,
        true.into(),
        Object::Int(i64::MIN),
        Object::BigInt(BigInt::from(1_i128 << 100)),
        (-0.5).into(),
        f64::INFINITY.into(),
        Object::Complex(Complex::new(1.0, -2.0)),
        "text \u{1f525} \n'\"".into(),
        Object::Bytes(vec![0, 255, 10]),
        Object::Size(vec![2, 3]),
        Object::Dtype(Dtype::BF16),
        Object::Device("cuda:1".to_owned()),
    ];
    let deep = (0..50).fold(Object::Int(7), |inner, _| Object::List(vec![inner]));
    let weight = count([2])?;
    weight.requires_grad_(true)?;
    Ok(Object::dict([
        ("values", Object::Tuple(values)),
        ("set", Object::Set(vec![1_i64.into(), "x".into()])),
        ("ordered", ordered.into()),
        ("numbered", numbered.into()),
        ("deep", deep),
        ("parameter", Array::from(&Parameter::new(count([2])?)).into()),
        ("requires_grad", (&weight).into()),
    ]))
}

/// A network's state, with metadata and ties, in both formats.
fn model(folder: &Path) -> Result<()> {
    firebrick::manual_seed(0);
    let net = Net::new()?;
    let x = Tensor::randn([6, 4])?;
    net.call(&x)?;
    net.eval();
    let state = net.state_dict();
    save(Object::dict([("x", x.clone().into()), ("y", net.call(&x)?.detach().into())]), folder.join("forward.pt"))?;
    save_safetensors_with(folder.join("model.safetensors"), &state, &SaveOptions::new().ties(true))?;
    save(state, folder.join("model.pt"))
}
