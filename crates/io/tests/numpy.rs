//! NumPy's files: its own, damaged ones, and ones written again. `data/numpy_files.py` wrote those in `data/numpy`.

#![allow(clippy::unwrap_used)]

use firebrick_core::{Complex, DType, ErrorKind, Result, Tensor};
use firebrick_io::LoadOptions;
use firebrick_io::numpy::{NpzReader, load_npy, load_npz, load_npz_with, save_npy, save_npz, save_npz_compressed};
use std::fs;
use std::path::PathBuf;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/numpy").join(name)
}

const NAMES: &[(&str, DType)] = &[
    ("b1", DType::Bool),
    ("u1", DType::U8),
    ("i1", DType::I8),
    ("i2", DType::I16),
    ("i4", DType::I32),
    ("i8", DType::I64),
    ("f2", DType::F16),
    ("f4", DType::F32),
    ("f8", DType::F64),
    ("c8", DType::C64),
    ("c16", DType::C128),
];

#[test]
fn every_dtype_is_read() -> Result<()> {
    for &(name, dtype) in NAMES {
        let x = load_npy(path(&format!("{name}.npy")))?;
        assert_eq!((x.dtype(), x.shape()), (dtype, [2, 3].into()), "{name}");
        let expected = Tensor::new([[0i64, 1, 2], [3, 4, 5]])?.to(dtype)?;
        assert!(x.equal(&expected)?, "{name}");
    }
    Ok(())
}

#[test]
fn shapes_orders_and_versions_are_read() -> Result<()> {
    let read = |name: &str| load_npy(path(&format!("{name}.npy")));
    assert_eq!(read("scalar")?.item::<f32>()?, 1.5);
    assert_eq!(read("empty")?.shape(), [0, 3]);
    let x = read("fortran")?;
    assert_eq!((x.shape(), x.stride()), ([3, 2].into(), [1, 3].into()));
    assert_eq!(x.to_vec::<f32>()?, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    let x = read("three")?;
    assert_eq!((x.shape(), x.stride()), ([2, 3, 4].into(), [1, 2, 6].into()));
    assert!(x.equal(&Tensor::arange(24)?.to(DType::F64)?.view([2, 3, 4])?)?);
    assert_eq!(read("big_f8")?.to_vec::<f64>()?, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let x = read("big_c8")?;
    assert_eq!(
        (x.shape(), x.select(0, 1)?.select(0, 1)?.item::<Complex<f32>>()?),
        ([3, 2].into(), Complex::new(4.0, 1.0))
    );
    for version in ["version_2", "version_3"] {
        assert_eq!(read(version)?.to_vec::<f32>()?, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }
    Ok(())
}

#[test]
fn written_files_are_numpy_s() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let again = folder.path().join("again.npy");
    let others = ["scalar", "empty", "vector", "fortran", "three", "column"];
    for name in NAMES.iter().map(|(name, _)| *name).chain(others) {
        let original = path(&format!("{name}.npy"));
        save_npy(&again, &load_npy(&original)?)?;
        assert_eq!(fs::read(&again)?, fs::read(&original)?, "{name}");
    }
    Ok(())
}

#[test]
fn what_tensors_do_not_have_is_refused_by_name() -> Result<()> {
    let message = |name: &str| {
        let error = load_npy(path(&format!("{name}.npy"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type, "{name}");
        error.to_string()
    };
    assert!(message("object").contains("pickled Python objects (dtype \"|O\")"));
    assert!(message("u2").contains("NumPy's dtype \"<u2\""));
    assert!(message("record").contains("records of several fields"));
    assert!(message("text").contains("NumPy's dtype \"<U2\""));
    let folder = tempfile::tempdir()?;
    let target = folder.path().join("x.npy");
    let error = save_npy(&target, &Tensor::ones([2])?.to(DType::BF16)?).unwrap_err();
    assert!(error.kind() == ErrorKind::Type && !target.exists());
    Ok(())
}

#[test]
fn arrays_look_at_the_file_and_do_not_change_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let target = folder.path().join("x.npy");
    save_npy(&target, &Tensor::ones([300, 100])?)?;
    let before = fs::read(&target)?;
    let x = load_npy(&target)?;
    x.mul_(2)?;
    assert_eq!((x.sum()?.item::<f32>()?, fs::read(&target)?), (60_000.0, before));
    Ok(())
}

#[test]
fn headers_that_lie_are_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let target = folder.path().join("x.npy");
    let read = |shape: &str| {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}");
        let mut file = b"\x93NUMPY\x01\0".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.into_bytes());
        file.extend([0; 8]);
        fs::write(&target, file).unwrap();
        load_npy(&target)
    };
    assert_eq!(read("(2,)")?.shape(), [2]);
    assert_eq!(read("(1,)")?.shape(), [1]);
    assert!(read("(3,)").unwrap_err().to_string().contains("the array takes 12 bytes, but 8 follow"));
    for shape in
        ["(4611686018427387904,)", "(0, 4294967296, 4294967296)", "(18446744073709551615,)", "(0, 9223372036854775808)"]
    {
        assert_eq!(read(shape).unwrap_err().kind(), ErrorKind::Value, "{shape}");
    }
    for shape in ["2", "(-2,)", "('2',)", "(2.0,)", "None"] {
        assert!(read(shape).unwrap_err().to_string().starts_with("the header is not valid"), "{shape}");
    }
    Ok(())
}

#[test]
fn archives_are_read_stored_and_deflated() -> Result<()> {
    for file in ["stored.npz", "packed.npz"] {
        let arrays = load_npz(path(file))?;
        assert_eq!(arrays.keys().collect::<Vec<_>>(), ["weight", "layer/bias", "scalar"]);
        let array = |name: &str| arrays.get(name).unwrap();
        assert_eq!(array("weight").to_vec::<f32>()?, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!((array("layer/bias").shape(), array("layer/bias").stride()), ([3, 2].into(), [1, 3].into()));
        assert_eq!(array("layer/bias").to_vec::<i64>()?, [0, 3, 1, 4, 2, 5]);
        assert_eq!((array("scalar").dtype(), array("scalar").item::<bool>()?), (DType::Bool, true));
        let reader = NpzReader::open(path(file))?;
        reader.names().try_for_each(|name| reader.verify(name))?;
        assert_eq!(reader.form("layer/bias")?, (DType::I64, vec![3, 2]));
    }
    Ok(())
}

#[test]
fn stored_archives_are_numpy_s_and_deflated_ones_come_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let again = folder.path().join("again.npz");
    let arrays = load_npz(path("stored.npz"))?;
    save_npz(&again, &arrays)?;
    assert_eq!(fs::read(&again)?, fs::read(path("stored.npz"))?);
    save_npz_compressed(&again, &arrays)?;
    let back = load_npz(&again)?;
    assert!(back.keys().eq(arrays.keys()));
    for (name, array) in &arrays {
        assert!(back.get(name).unwrap().equal(array)?, "{name}");
    }
    assert_eq!(
        save_npz(&again, [("x", &Tensor::ones([1])?), ("x", &Tensor::ones([1])?)]).unwrap_err().kind(),
        ErrorKind::Key
    );
    Ok(())
}

#[test]
fn archives_are_read_in_part_and_objects_in_them_are_refused() -> Result<()> {
    let wanted = LoadOptions::new().include("layer/*").rename_prefix("layer/", "");
    assert_eq!(load_npz_with(path("packed.npz"), &wanted)?.keys().collect::<Vec<_>>(), ["bias"]);
    let objects = path("objects.npz");
    let error = load_npz(&objects).err().unwrap();
    assert!(error.kind() == ErrorKind::Type && error.to_string().contains("pickled Python objects"), "{error}");
    assert_eq!(load_npz_with(&objects, &LoadOptions::new().exclude("y"))?.len(), 1);
    Ok(())
}

#[test]
fn a_turned_bit_is_noticed_by_the_checksum() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let target = folder.path().join("x.npz");
    save_npz(&target, [("x", &Tensor::ones([4])?)])?;
    let mut bytes = fs::read(&target)?;
    let data = bytes.windows(4).position(|bytes| bytes == 1.0f32.to_le_bytes()).unwrap();
    bytes[data] ^= 1;
    fs::write(&target, bytes)?;
    let error = NpzReader::open(&target)?.verify("x").unwrap_err();
    assert!(error.to_string().contains("its checksum differs"), "{error}");
    Ok(())
}
