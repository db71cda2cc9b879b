//! Tensors through safetensors files.

use firebrick_core::{Complex, DType, Device, ErrorKind, Result, StateDict, Tensor, accelerator};
use firebrick_io::safetensors::Header;
use firebrick_io::{SaveOptions, load_safetensors, save_safetensors, save_safetensors_with};
use std::path::PathBuf;
use tempfile::TempDir;

fn file() -> Result<(TempDir, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("tensors.safetensors");
    Ok((folder, path))
}

#[test]
fn every_dtype_comes_back_with_its_bits() -> Result<()> {
    let (_folder, path) = file()?;
    let values = Tensor::new([[0.0f64, 1.0, 2.5], [100.0, 3.0, 0.0]])?;
    let mut state = StateDict::new();
    // The format has no complex128.
    for dtype in DType::ALL.into_iter().filter(|&dtype| dtype != DType::C128) {
        state.insert(dtype.name(), values.to(dtype)?);
    }
    state.insert("scalar", Tensor::scalar(1.5)?);
    state.insert("empty", Tensor::zeros([0, 3])?);
    save_safetensors(&path, &state)?;
    let loaded = load_safetensors(&path)?;
    assert_eq!(loaded.len(), state.len());
    for (name, tensor) in &state {
        let back = loaded.get(name).expect("every name is in the file");
        assert_eq!((back.dtype(), back.shape()), (tensor.dtype(), tensor.shape()), "{name}");
        assert_eq!(back.to_bytes()?, tensor.to_bytes()?, "{name}");
    }
    Ok(())
}

#[test]
fn views_and_device_tensors_are_written_as_their_elements() -> Result<()> {
    accelerator::enable_mock(1);
    let (_folder, path) = file()?;
    let base = Tensor::new([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]])?;
    let moved = base.to(Device::Mock(0))?.mul(2.0)?;
    save_safetensors(&path, [("transposed", &base.t()?), ("moved", &moved)])?;
    let loaded = load_safetensors(&path)?;
    let read = |name: &str| loaded.get(name).expect("saved above").to_vec::<f32>();
    assert_eq!(read("transposed")?, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(read("moved")?, [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
    Ok(())
}

#[test]
fn tied_tensors_are_refused_or_written_once() -> Result<()> {
    let (_folder, path) = file()?;
    let weight = Tensor::new([[1.0f32, 2.0]])?;
    let state = StateDict::from_iter([("out.weight", weight.clone()), ("emb.weight", weight.detach())]);
    let error = save_safetensors(&path, &state).expect_err("two names share memory");
    assert!(error.to_string().starts_with("Some tensors share memory"), "{error}");
    assert!(error.to_string().ends_with("[{'emb.weight', 'out.weight'}]."), "{error}");
    assert!(!path.exists());

    save_safetensors_with(&path, &state, &SaveOptions::new().ties(true).metadata("format", "pt"))?;
    let bytes = std::fs::read(&path)?;
    let (header, data) = Header::parse(&bytes)?;
    assert_eq!(data.len(), 8);
    assert_eq!(header.metadata().map(|m| m["out.weight"].as_str()), Some("emb.weight"));
    let loaded = load_safetensors(&path)?;
    let (a, b) = (loaded.get("emb.weight"), loaded.get("out.weight"));
    assert!(a.zip(b).is_some_and(|(a, b)| a.ptr_eq(b)));
    Ok(())
}

#[test]
fn disjoint_parts_of_one_storage_are_no_tie() -> Result<()> {
    let (_folder, path) = file()?;
    let all = Tensor::new([1.0f32, 2.0, 3.0, 4.0])?;
    let (low, high) = (all.narrow(0, 0, 2)?, all.narrow(0, 2, 2)?);
    save_safetensors(&path, [("low", &low), ("high", &high)])?;
    assert_eq!(load_safetensors(&path)?.get("high").expect("saved above").to_vec::<f32>()?, [3.0, 4.0]);
    assert!(save_safetensors(&path, [("low", &low), ("all", &all)]).is_err());
    Ok(())
}

#[test]
fn dtypes_that_tensors_do_not_have_are_named() -> Result<()> {
    let (_folder, path) = file()?;
    use firebrick_io::safetensors::Dtype;
    let header = Header::new([("scale", Dtype::F8E4M3, [2])], None)?;
    let mut bytes = Vec::new();
    header.write(&mut bytes, |_, _| Ok([0, 0].as_slice().into()))?;
    std::fs::write(&path, bytes)?;
    let error = load_safetensors(&path).err().expect("there is no such dtype");
    assert_eq!(error.kind(), ErrorKind::Type);
    assert_eq!(error.to_string(), "tensor \"scale\" has dtype F8_E4M3, which Firebrick does not have");
    Ok(())
}

#[test]
fn broken_and_missing_files_are_errors() -> Result<()> {
    let (_folder, path) = file()?;
    assert_eq!(load_safetensors(&path).err().map(|e| e.kind()), Some(ErrorKind::Io));
    std::fs::write(&path, [1, 2, 3])?;
    assert_eq!(load_safetensors(&path).err().map(|e| e.kind()), Some(ErrorKind::Value));
    Ok(())
}

#[test]
fn a_failed_save_leaves_the_old_file() -> Result<()> {
    let (_folder, path) = file()?;
    let x = Tensor::new([1.0f32])?;
    save_safetensors(&path, [("x", &x)])?;
    assert!(save_safetensors(&path, [("y", &x), ("y", &x.copy()?)]).is_err());
    assert!(load_safetensors(&path)?.contains_key("x"));
    Ok(())
}

#[test]
fn complex64_is_written_and_read_and_complex128_is_refused() -> Result<()> {
    let (_folder, path) = file()?;
    let z = Tensor::new([Complex::new(1.0f32, -2.0), Complex::new(0.5, 0.0)])?;
    save_safetensors(&path, [("z", &z)])?;
    let loaded = load_safetensors(&path)?;
    assert!(loaded.get("z").is_some_and(|x| x.dtype() == DType::C64 && x.equal(&z).is_ok_and(|equal| equal)));
    let refused = save_safetensors(&path, [("z", &z.to(DType::C128)?)]);
    assert!(refused.is_err_and(|error| error.kind() == ErrorKind::Type && error.to_string().contains("complex128")));
    Ok(())
}
