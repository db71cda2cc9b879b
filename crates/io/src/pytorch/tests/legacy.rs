use super::super::Format;
use super::*;

/// A file of the older format: one float tensor, elements 1 to 3 of a storage of 4. `view` says which part of the storage
/// is meant.
fn legacy(view: &[u8], numel: u64) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
    let pickle = float_pickle(4, 1, 2, 1);
    let end = pickle.windows(2).position(|part| part == b"tQ").unwrap();
    file.extend(&pickle[..end]);
    file.extend(view);
    file.extend(&pickle[end..]);
    file.extend(b"\x80\x02]X\x01\0\0\x000a.");
    file.extend(numel.to_le_bytes());
    file.extend([1.0f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat());
    file
}

#[test]
fn the_older_format_is_read() {
    let file = File::from_bytes(legacy(b"N", 4), &LoadOptions::new()).unwrap();
    assert_eq!(file.format(), Format::Legacy);
    let x = file.object().as_array().unwrap();
    assert!(!x.storage().is_in_memory());
    assert_eq!(x.tensor().unwrap().to_vec::<f32>().unwrap(), [2.0, 3.0]);
}

#[test]
fn parts_of_storages_are_counted_from_where_they_begin() {
    let part = read(legacy(b"(X\x01\0\0\0vK\x01K\x03t", 4)).unwrap();
    assert_eq!(part.as_array().unwrap().tensor().unwrap().to_vec::<f32>().unwrap(), [3.0, 4.0]);
    assert!(read(legacy(b"(X\x01\0\0\0vK\x01K\x02t", 4)).is_err());
    assert!(read(legacy(b"(X\x01\0\0\0vK\x02K\x03t", 4)).is_err());
}

#[test]
fn sizes_that_differ_are_refused() {
    let error = read(legacy(b"N", 3)).unwrap_err().to_string();
    assert!(error.contains("it has 3 elements, not 4"), "{error}");
}

#[test]
fn a_file_of_the_older_format_cut_anywhere_is_an_error() {
    let whole = legacy(b"N", 4);
    for length in 0..whole.len() {
        assert!(read(whole[..length].to_vec()).is_err(), "{length} of {} bytes were read", whole.len());
    }
}

#[test]
fn a_flipped_bit_in_the_older_format_does_no_harm() {
    let whole = legacy(b"N", 4);
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(object) = read(bytes) {
            assert!(object.arrays().iter().all(|(_, array)| array.storage().bytes() <= whole.len()));
        }
    }
}
