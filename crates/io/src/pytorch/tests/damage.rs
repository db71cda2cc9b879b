use super::*;

/// A file with something of everything, a kilobyte and a half.
fn small() -> Vec<u8> {
    let x = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]]).unwrap();
    let mut state = firebrick_core::StateDict::from_iter([("w", x.clone()), ("t", x.t().unwrap())]);
    state.metadata.insert(String::new(), [("version".to_owned(), 1)].into_iter().collect());
    let rest = [("lr", Object::Float(0.1)), ("ids", Object::List(vec![Object::Int(7), Object::from("a")]))];
    to_bytes(Object::List(vec![state.into(), Object::dict(rest)])).unwrap()
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let whole = small();
    for length in 0..whole.len() {
        assert!(read(whole[..length].to_vec()).is_err(), "{length} of {} bytes were read", whole.len());
    }
}

#[test]
fn a_flipped_bit_is_an_error_or_changes_nothing() {
    let whole = small();
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(object) = read(bytes) {
            assert!(to_bytes(object).unwrap() == whole, "bit {bit} changed what is read");
        }
    }
}

#[test]
fn a_flipped_bit_does_no_harm_where_checksums_are_not_compared() {
    let whole = small();
    let options = LoadOptions::new().verify(false);
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(file) = File::from_bytes(bytes, &options) {
            for (_, array) in file.object().arrays() {
                let _ = array.tensor().and_then(|tensor| tensor.sum().map(drop));
            }
        }
    }
}
