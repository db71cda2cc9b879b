//! Every reader, on small files cut at every byte and with every bit turned: an error or tensors, never a panic, and never
//! more memory than the file justifies.

#![allow(clippy::unwrap_used)]

use firebrick_core::{DType, Result, StateDict, Tensor};
use firebrick_io::numpy::{load_npy, load_npz, save_npy, save_npz, save_npz_compressed};
use firebrick_io::{SaveOptions, load_safetensors, save_safetensors_sharded, save_safetensors_with};
use std::fs;
use std::path::Path;

/// Reads the file after every possible small damage; `limit` is how many bytes of tensors there may be for a byte of the
/// file. Returns how many of the damaged files were read all the same.
fn damage(path: &Path, limit: usize, read: impl Fn(&Path) -> Result<StateDict>) -> usize {
    let whole = fs::read(path).unwrap();
    let mut accepted = 0;
    let mut check = |bytes: &[u8]| {
        fs::write(path, bytes).unwrap();
        if let Ok(state) = read(path) {
            let taken: usize = state.values().map(|x| x.numel() * x.dtype().size()).sum();
            assert!(taken <= limit * bytes.len(), "{taken} bytes out of a file of {}", bytes.len());
            state.values().for_each(|x| drop(x.to_bytes().unwrap()));
            accepted += 1;
        }
    };
    for end in 0..whole.len() {
        check(&whole[..end]);
    }
    for bit in 0..8 * whole.len() {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        check(&bytes);
    }
    fs::write(path, whole).unwrap();
    assert!(read(path).is_ok(), "the file as it was");
    accepted
}

fn state() -> Result<StateDict> {
    let x = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
    let state = [("a", x.clone()), ("b", x.to(DType::I64)?), ("ok", x.to(DType::Bool)?), ("tied", x)];
    Ok(StateDict::from_iter(state))
}

#[test]
fn safetensors() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("x.safetensors");
    save_safetensors_with(&path, &state()?, &SaveOptions::new().ties(true))?;
    let accepted = damage(&path, 2, |path| load_safetensors(path));
    // Turned bits of the data, and some of names, go unnoticed.
    assert!(accepted > 8 * 52);
    Ok(())
}

#[test]
fn indices_of_shards() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let index =
        save_safetensors_sharded(folder.path().join("x.safetensors"), &state()?, 20, &SaveOptions::new().ties(true))?;
    damage(&index, 2, |path| load_safetensors(path));
    Ok(())
}

#[test]
fn npy() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("x.npy");
    save_npy(&path, &Tensor::new([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]])?.t()?)?;
    let read = |path: &Path| Ok(StateDict::from_iter([("x", load_npy(path)?)]));
    let accepted = damage(&path, 1, read);
    assert!(accepted > 8 * 24);
    Ok(())
}

#[test]
fn npz() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("x.npz");
    let x = Tensor::new([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]])?;
    let arrays = [("x", x.clone()), ("y", x.t()?.to(DType::I64)?)];
    let arrays = || arrays.iter().map(|(name, array)| (*name, array));
    save_npz(&path, arrays())?;
    damage(&path, 1, |path| load_npz(path));
    save_npz_compressed(&path, arrays())?;
    damage(&path, 1032, |path| load_npz(path));
    Ok(())
}
