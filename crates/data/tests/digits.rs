//! The digits inside the program, and files that do not hold digits.

#![allow(clippy::unwrap_used)]

use firebrick_data::digits::{Digits, DigitsError};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

const PACKED: &[u8] = include_bytes!("../data/digits.csv.gz");

fn pack(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// A line of pixels that are `pixel`, and a label.
fn line(pixel: &str, label: &str) -> String {
    format!("{pixel},").repeat(64) + label
}

fn message(text: impl AsRef<[u8]>) -> String {
    Digits::read(pack(text).as_slice()).unwrap_err().to_string()
}

#[test]
fn the_digits_are_those_of_scikit_learn() {
    let digits = Digits::load().unwrap();
    assert_eq!(digits.len(), 1797);
    assert_eq!(digits.images.len(), 1797 * 64);
    // What load_digits() of scikit-learn 1.9.1 gives: sum, maximum, and images of each digit.
    assert_eq!(digits.images.iter().sum::<f32>(), 561_718.0);
    assert_eq!(digits.images.iter().copied().fold(0.0, f32::max), 16.0);
    let count = |digit| digits.labels.iter().filter(|label| **label == digit).count();
    let counts: Vec<usize> = (0..10).map(count).collect();
    assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
}

#[test]
fn line_ends_and_spaces_of_other_systems_are_read() {
    let text = format!("{}\r\n{}", line("16", "9"), line(" 0", " 3 "));
    let digits = Digits::read(pack(text).as_slice()).unwrap();
    assert_eq!(digits.labels, [9, 3]);
    assert_eq!(digits.image(1).unwrap(), [0.0; 64]);
}

#[test]
fn an_image_that_is_not_there_is_an_error() {
    let digits = Digits::load().unwrap();
    for index in [1797, usize::MAX] {
        let error = digits.image(index).unwrap_err();
        assert!(error.kind() == firebrick_core::ErrorKind::Index, "{error}");
        assert_eq!(error.to_string(), format!("image {index} is out of range of 1797 images"));
    }
}

#[test]
fn a_wrong_line_is_named_with_what_was_found_and_expected() {
    let good = line("1", "1");
    let second = |bad: String| message(format!("{good}\n{bad}\n{good}\n"));
    let pixel = |word| second(line("1", "1").replacen("1,", &format!("{word},"), 1));
    assert_eq!(pixel("17"), "line 2, column 1: found \"17\", expected a pixel from 0 to 16");
    assert_eq!(pixel("-1"), "line 2, column 1: found \"-1\", expected a pixel from 0 to 16");
    assert_eq!(pixel("x"), "line 2, column 1: found \"x\", expected a pixel from 0 to 16");
    assert_eq!(pixel(""), "line 2, column 1: found \"\", expected a pixel from 0 to 16");
    assert_eq!(pixel("1.5"), "line 2, column 1: found \"1.5\", expected a pixel from 0 to 16");
    let huge = "9".repeat(30);
    assert!(pixel(&huge).contains(&huge));
    let label = second(line("1", "10"));
    assert_eq!(label, "line 2, column 65: found \"10\", expected a label from 0 to 9");
    let few = second("1,2,3".to_string());
    assert_eq!(few, "line 2: found 3 values, expected 65: 64 pixels and the label");
    let many = second(line("1", "1,1"));
    assert_eq!(many, "line 2: found 66 values, expected 65: 64 pixels and the label");
    let none = second(String::new());
    assert_eq!(none, "line 2: found 1 values, expected 65: 64 pixels and the label");
    let binary = message(b"\xff\xfe\n");
    assert_eq!(binary, "line 1: found 1 values, expected 65: 64 pixels and the label");
    let endless = message("1,".repeat(1 << 20));
    assert_eq!(endless, "line 1: more than 1024 bytes, expected 65 short numbers and a line end");
    assert_eq!(message(""), "the file holds no digits");
}

#[test]
fn bytes_that_are_not_gzip_are_refused() {
    for bytes in [&b"0,1,2\n"[..], &[], &PACKED[..5]] {
        let error = Digits::read(bytes).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("line 1: cannot unpack the file, expected gzip"), "{text}");
    }
}

#[test]
fn a_file_cut_short_or_damaged_is_an_error() {
    for len in (0..PACKED.len()).step_by(997).chain([PACKED.len() - 1]) {
        assert!(Digits::read(&PACKED[..len]).is_err(), "cut to {len} bytes");
    }
    let mut damaged = PACKED.to_vec();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    assert!(Digits::read(damaged.as_slice()).is_err());
}

#[test]
fn a_file_is_opened_by_its_path() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits.csv.gz");
    assert_eq!(Digits::open(path).unwrap(), Digits::load().unwrap());
    let error = Digits::open("no/such/digits.csv.gz").unwrap_err();
    assert!(matches!(error, DigitsError::Open { .. }));
    assert!(error.to_string().starts_with("cannot open \"no/such/digits.csv.gz\": "));
}
