//! Tensors that look at a mapped file.

use firebrick_core::{DType, Device, Result, Tensor, accelerator, memory_stats};
use firebrick_io::mmap::Mapping;
use firebrick_io::{LoadOptions, load_safetensors, load_safetensors_with, save_safetensors};
use std::fs;

/// Elements of a tensor that is not small.
const MANY: usize = 100_000;

fn saved(tensors: &[(&str, Tensor)]) -> Result<(tempfile::TempDir, std::path::PathBuf)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("x.safetensors");
    save_safetensors(&path, tensors.iter().map(|(name, tensor)| (*name, tensor)))?;
    Ok((folder, path))
}

fn numbers() -> Result<Tensor> {
    Tensor::arange(MANY as i64)?.to(DType::F32)
}

#[test]
fn writing_into_a_tensor_changes_neither_the_file_nor_its_neighbours() -> Result<()> {
    let (_folder, path) = saved(&[("a", numbers()?), ("b", numbers()?), ("small", Tensor::ones([3])?)])?;
    let before = fs::read(&path)?;
    let (first, second) = (load_safetensors(&path)?, load_safetensors(&path)?);
    let get = |name: &str| first.get(name).expect("saved above");
    get("a").fill_(7.0)?;
    get("small").add_(1.0)?;
    assert!(get("a").equal(&Tensor::full([MANY], 7.0)?)?);
    assert!(get("b").equal(&numbers()?)?);
    assert!(second.get("a").expect("saved above").equal(&numbers()?)?);
    assert_eq!(fs::read(&path)?, before);
    assert_eq!(second.get("small").expect("saved above").to_vec::<f32>()?, [1.0; 3]);
    Ok(())
}

#[test]
fn a_tensor_outlives_the_file_and_its_replacement() -> Result<()> {
    let (folder, path) = saved(&[("a", numbers()?)])?;
    let state = load_safetensors(&path)?;
    let a = state.get("a").expect("saved above");
    save_safetensors(&path, [("a", &Tensor::zeros([MANY])?)])?;
    assert!(a.equal(&numbers()?)?);
    // Over the very file that is being looked at.
    save_safetensors(&path, [("a", &a.neg()?)])?;
    save_safetensors(&path, &load_safetensors(&path)?)?;
    assert!(load_safetensors(&path)?.get("a").expect("saved above").equal(&numbers()?.neg()?)?);
    drop(folder);
    assert!(a.equal(&numbers()?)?);
    Ok(())
}

#[test]
fn gradients_flow_through_a_tensor_that_is_a_leaf_of_its_own() -> Result<()> {
    let (_folder, path) = saved(&[("a", numbers()?), ("b", numbers()?)])?;
    let state = load_safetensors(&path)?;
    let (a, b) = (state.get("a").expect("saved above"), state.get("b").expect("saved above"));
    b.requires_grad_(true)?;
    let loss = (b * b)?.sum()?;
    // In one file, but not in one storage: what the graph keeps of `b` is not changed by this.
    a.zero_()?;
    loss.backward()?;
    let expected = numbers()?.mul(2)?;
    assert!(b.grad().is_some_and(|grad| grad.equal(&expected).is_ok_and(|equal| equal)));
    Ok(())
}

#[test]
fn memory_is_taken_for_copies_only() -> Result<()> {
    let numel = 40 << 20;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bytes");
    fs::File::create(&path)?.set_len(numel as u64)?;
    let file = Mapping::open(&path)?;
    let before = memory_stats().in_use;
    let mapped = file.tensor(0..numel, [numel], DType::U8)?;
    // Other tests take memory at the same time, but less than this.
    assert!(memory_stats().in_use < before + numel / 2);
    assert_eq!(mapped.body().storage.bytes(), numel);
    let copied = file.copy(0..numel, [numel], DType::U8)?;
    assert!(memory_stats().in_use > before + numel / 2);
    drop((mapped, copied));
    Ok(())
}

#[test]
fn elements_that_do_not_lie_right_and_bools_are_copied() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bytes");
    let mut bytes = vec![0u8; 1];
    bytes.extend((0..MANY).flat_map(|i| (i as f32).to_ne_bytes()));
    fs::write(&path, &bytes)?;
    let file = Mapping::open(&path)?;
    let x = file.tensor(1..1 + 4 * MANY, [MANY], DType::F32)?;
    assert!(x.equal(&numbers()?)?);
    let x = file.tensor(0..MANY, [MANY], DType::Bool)?;
    assert!(x.to_bytes()?.iter().zip(&bytes).all(|(&bool, &byte)| bool == u8::from(byte != 0)));
    Ok(())
}

#[test]
fn ranges_outside_the_file_and_shapes_of_another_size_are_errors() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bytes");
    fs::write(&path, vec![0u8; MANY])?;
    let file = Mapping::open(&path)?;
    assert!(file.tensor(0..MANY + 1, [MANY + 1], DType::U8).is_err());
    assert!(file.tensor(MANY + 1..MANY + 1, [0], DType::U8).is_err());
    #[allow(clippy::reversed_empty_ranges, reason = "it must be refused")]
    let reversed = file.tensor(5..4, [0], DType::U8);
    assert!(reversed.is_err());
    assert!(file.tensor(0..MANY, [MANY - 1], DType::U8).is_err());
    assert!(file.tensor(0..MANY, [usize::MAX, 2], DType::U8).is_err());
    assert_eq!(file.tensor(MANY..MANY, [3, 0], DType::F64)?.shape(), [3, 0]);
    Ok(())
}

#[test]
fn copies_and_other_devices_are_options() -> Result<()> {
    accelerator::enable_mock(1);
    let (_folder, path) = saved(&[("a", numbers()?)])?;
    let state = load_safetensors_with(&path, &LoadOptions::new().mmap(false).map_location(Device::Mock(0)))?;
    let a = state.get("a").expect("saved above");
    assert_eq!(a.device(), Device::Mock(0));
    assert!(a.to(Device::Cpu)?.equal(&numbers()?)?);
    Ok(())
}
