//! Safetensors files: the Python library's own, damaged ones, and files replaced whole.

#![allow(clippy::unwrap_used)]

use firebrick_io::atomic::atomic_write;
use firebrick_io::mmap::Mapping;
use firebrick_io::safetensors::{Dtype, Header, SafetensorsError};
use std::io;

/// Written by `safetensors` 0.8 from PyTorch 2.15, see `data/python.py`.
const PYTHON: &[u8] = include_bytes!("data/python.safetensors");

fn file(json: &str, data: usize) -> Vec<u8> {
    let mut file = (json.len() as u64).to_le_bytes().to_vec();
    file.extend(json.as_bytes());
    file.resize(file.len() + data, 7);
    file
}

fn write(header: &Header, source: &Header, data: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let bytes = |name: &str, _: &_| source.bytes(data, name).map(Into::into);
    header.write(&mut file, bytes).unwrap();
    file
}

#[test]
fn a_file_of_the_python_library_is_read() {
    let (header, data) = Header::parse(PYTHON).unwrap();
    let metadata = header.metadata().unwrap();
    assert_eq!(metadata["format"], "pt é \"\\");
    assert_eq!(header.tensors().len(), 27);
    assert!(header.tensors()["scalar"].shape.is_empty());
    assert_eq!(header.bytes(data, "scalar").unwrap(), 1.5f32.to_le_bytes());
    assert_eq!(header.tensors()["empty"].shape, [0, 4]);
    assert!(header.bytes(data, "empty").unwrap().is_empty());
    assert_eq!(header.tensors()["größe \"q\"\n\\"].dtype, Dtype::I64);
    assert_eq!(header.bytes(data, "odd").unwrap(), [1, 1, 1]);
    let missing = header.bytes(data, "weight").unwrap_err();
    assert_eq!(missing.to_string(), "no tensor is called \"weight\"");
}

#[test]
fn the_same_tensors_in_any_order_give_the_python_library_s_file() {
    let (header, data) = Header::parse(PYTHON).unwrap();
    let tensors = header.tensors().iter().rev();
    let tensors = tensors.map(|(name, t)| (name.clone(), t.dtype, t.shape.clone()));
    let again = Header::new(tensors, header.metadata().cloned()).unwrap();
    assert_eq!(again, header);
    assert_eq!(write(&again, &header, data), PYTHON);
}

#[test]
fn an_empty_file_has_an_empty_header() {
    let header = Header::new::<String, Vec<usize>>([], None).unwrap();
    let bytes = header.to_bytes().unwrap();
    assert_eq!(bytes, b"\x08\0\0\0\0\0\0\0{}      ");
    assert_eq!(Header::parse(&bytes).unwrap(), (header, &[][..]));

    let header = Header::new::<String, Vec<usize>>([], Some(Default::default())).unwrap();
    let bytes = header.to_bytes().unwrap();
    assert_eq!(Header::parse(&bytes).unwrap(), (header, &[][..]));
}

#[test]
fn data_in_any_order_and_unknown_keys_are_read_as_the_python_library_reads_them() {
    let json = r#" {"b":{"shape":[1],"extra":[{}],"dtype":"U8","data_offsets":[2,3]},"__metadata__":null,
        "a":{"dtype":"F16","shape":[],"data_offsets":[0,2]}}"#;
    let file = file(json, 3);
    let (header, data) = Header::parse(&file).unwrap();
    assert_eq!(header.tensors().keys().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(header.bytes(data, "b").unwrap(), [7]);
    assert_eq!(header.metadata(), None);
}

/// A header, the number of data bytes behind it, and a part of the error it must give.
const MALFORMED: &[(&str, usize, &str)] = &[
    ("", 0, "the header is not valid: EOF"),
    ("[]", 0, "expected an object of tensors"),
    ("{", 0, "EOF while parsing"),
    ("{} x", 0, "trailing characters"),
    ("{}", 1, "the tensors take 0 bytes, but 1 follow the header"),
    (r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, 3, "the tensors take 4 bytes, but 3 follow"),
    (r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, 5, "the tensors take 4 bytes, but 5 follow"),
    (
        r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,3]}}"#,
        3,
        "shape [4] takes 4 bytes, but its offsets are 0 to 3",
    ),
    (
        r#"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,4]}}"#,
        4,
        "shape [4] takes 16 bytes, but its offsets are 0 to 4",
    ),
    (r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}"#, 4, "but its offsets are 4 to 0"),
    (
        r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[1,5]}}"#,
        5,
        "tensor \"a\" begins at 1, but the one before it ends at 0",
    ),
    (
        r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}}"#,
        7,
        "tensor \"b\" begins at 3, but the one before it ends at 4",
    ),
    (
        r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
        4,
        "tensor \"b\" begins at 0, but the one before it ends at 4",
    ),
    (
        r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[5,9]}}"#,
        9,
        "tensor \"b\" begins at 5, but the one before it ends at 4",
    ),
    (
        r#"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
        0,
        "\"a\" is in the header twice",
    ),
    (r#"{"__metadata__":{"k":"1","k":"2"}}"#, 0, "\"k\" is in the header twice"),
    (r#"{"__metadata__":{},"__metadata__":{}}"#, 0, "duplicate field `__metadata__`"),
    (r#"{"__metadata__":{"k":1}}"#, 0, "expected a string"),
    (r#"{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#, 0, "duplicate field `dtype`"),
    (
        r#"{"a":{"dtype":"X8","shape":[0],"data_offsets":[0,0]}}"#,
        0,
        "tensor \"a\" has dtype \"X8\", which the format does not know",
    ),
    (r#"{"a":{"shape":[0],"data_offsets":[0,0]}}"#, 0, "missing field `dtype`"),
    (r#"{"a":{"dtype":"U8","data_offsets":[0,0]}}"#, 0, "missing field `shape`"),
    (r#"{"a":{"dtype":"U8","shape":[0]}}"#, 0, "missing field `data_offsets`"),
    (r#"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0]}}"#, 0, "invalid length 1"),
    (r#"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}}"#, 0, "trailing characters"),
    (r#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}"#, 0, "invalid value: integer `-1`"),
    (r#"{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}"#, 1, "invalid type: floating point"),
    (r#"{"a":{"dtype":"U8","shape":[1e400],"data_offsets":[0,1]}}"#, 1, "number out of range"),
    (r#"{"a":{"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,1]}}"#, 1, "invalid type: floating point"),
    (
        r#"{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#,
        0,
        "tensor \"a\" of dtype U8 and shape [4294967296, 4294967296] is larger than any memory",
    ),
    (r#"{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}"#, 0, "is larger than any memory"),
    (r#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}"#, 1, "does not fill whole bytes"),
    (r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551615]}}"#, 1, "but its offsets are 0 to"),
    (r#"{"a":null}"#, 0, "invalid type: null"),
    (r#"{"a":{"dtype":"\ud800","shape":[0],"data_offsets":[0,0]}}"#, 0, "the header is not valid"),
];

#[test]
fn malformed_headers_are_refused_by_name() {
    for (json, data, expected) in MALFORMED {
        let message = Header::parse(&file(json, *data)).unwrap_err().to_string();
        assert!(message.contains(expected), "{json}: {message}");
    }
    let deep = format!("{{\"a\":{{\"x\":{}", "[".repeat(100_000));
    assert!(Header::parse(&file(&deep, 0)).is_err());
}

#[test]
fn sizes_a_file_gives_are_not_believed() {
    let error = |bytes: &[u8]| Header::parse(bytes).unwrap_err().to_string();
    assert!(error(b"").contains("it has 0 bytes"));
    assert!(error(b"1234567").contains("it has 7 bytes"));
    assert!(error(&[255; 8]).contains("header of 18446744073709551615 bytes"));
    let length = |n: u64| [&n.to_le_bytes()[..], b"{}"].concat();
    assert!(error(&length(100_000_001)).contains("more than the 100000000"));
    assert!(error(&length(100_000_000)).contains("takes 100000000 bytes, but only 2 follow"));
    assert!(error(&length(3)).contains("takes 3 bytes, but only 2 follow"));
    assert!(error(b"\x02\0\0\0\0\0\0\0\xff\xfe").contains("not UTF-8"));
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    for len in 0..PYTHON.len() {
        assert!(Header::parse(&PYTHON[..len]).is_err(), "cut to {len} bytes");
    }
}

#[test]
fn flipped_bits_never_panic_and_never_read_outside() {
    let header_len = PYTHON.len() - Header::parse(PYTHON).unwrap().1.len();
    let mut refused = 0;
    for bit in 0..header_len * 8 {
        let mut file = PYTHON.to_vec();
        file[bit / 8] ^= 1 << (bit % 8);
        let Ok((header, data)) = Header::parse(&file) else {
            refused += 1;
            continue;
        };
        for name in header.tensors().keys() {
            assert!(header.bytes(data, name).is_ok(), "bit {bit}, tensor {name}");
        }
    }
    assert!(refused > header_len * 4, "{refused} of {} refused", header_len * 8);
}

#[test]
fn tensors_that_cannot_be_written_are_refused() {
    let new = |tensors: &[(&str, Dtype, &[usize])]| {
        let tensors = tensors.iter().map(|(name, dtype, shape)| (*name, *dtype, shape.to_vec()));
        Header::new(tensors, None).unwrap_err()
    };
    let huge = &[usize::MAX / 8][..];
    let error = new(&[("a", Dtype::U8, &[1]), ("a", Dtype::F32, &[1])]);
    assert!(matches!(error, SafetensorsError::DuplicateName { name } if name == "a"));
    let error = new(&[("__metadata__", Dtype::U8, &[1])]);
    assert!(matches!(error, SafetensorsError::ReservedName));
    let error = new(&[("a", Dtype::F4, &[1])]);
    assert!(matches!(error, SafetensorsError::PartOfByte { .. }));
    let error = new(&[("a", Dtype::U16, huge)]);
    assert!(matches!(error, SafetensorsError::TooLarge { .. }));

    let header = Header::new([("a", Dtype::U8, [2])], None).unwrap();
    let short = header.write(&mut Vec::new(), |_, _| Ok([1].as_slice().into()));
    let message = short.unwrap_err().to_string();
    assert_eq!(message, "tensor \"a\" takes 2 bytes, but 1 were given to be written");
}

#[test]
fn a_failed_write_leaves_the_old_file_and_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    atomic_write(&path, |file| file.write_all(PYTHON)).unwrap();
    let before = Mapping::open(&path).unwrap();
    let header = Header::new([("a", Dtype::U8, [2])], None).unwrap();
    let failed = atomic_write(&path, |file| header.write(file, |_, _| Err(io::Error::other("no power").into())));
    assert_eq!(failed.unwrap_err().to_string(), "no power");
    assert_eq!(std::fs::read(&path).unwrap(), PYTHON);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    atomic_write::<io::Error>(&path, |_| Ok(())).unwrap();
    assert!(std::fs::read(&path).unwrap().is_empty());
    assert_eq!(&before[..], PYTHON, "the map keeps the replaced file");
    assert!(Mapping::open(&path).unwrap().is_empty());
}

#[test]
fn a_file_in_a_missing_folder_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/model.safetensors");
    let error = atomic_write(&path, |file| file.write_all(PYTHON)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(Mapping::open(&path).is_err());
}

#[cfg(unix)]
#[test]
fn a_replaced_file_keeps_its_permissions_and_the_link_to_it() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("file"), folder.path().join("link"));
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    std::fs::write(folder.path().join("usual"), "").unwrap();
    atomic_write(&path, |file| file.write_all(b"1")).unwrap();
    assert_eq!(mode(&path), mode(&folder.path().join("usual")));

    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    symlink(&path, &link).unwrap();
    atomic_write(&link, |file| file.write_all(b"2")).unwrap();
    assert!(link.is_symlink());
    assert_eq!((std::fs::read(&path).unwrap(), mode(&path)), (b"2".to_vec(), 0o640));
}
