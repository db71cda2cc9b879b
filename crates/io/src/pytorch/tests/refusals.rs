use super::*;
use firebrick_core::Device;

/// The refusal of a pickle.
fn refusal(pickle: &[u8]) -> String {
    read(archive(pickle, &[&[0; 16]])).unwrap_err().to_string()
}

#[test]
fn refusals_name_the_record_the_byte_and_what_is_there() {
    let cases: [(&[u8], &str); 16] = [
        (b"\x80\x02cposix\nsystem\nX\x02\0\0\0ls\x85R.", "data.pkl, byte 2: Unsupported global: GLOBAL posix.system"),
        (b"\x80\x02c__builtin__\neval\n.", "data.pkl, byte 2: Unsupported global: GLOBAL __builtin__.eval"),
        (b"\x80\x02ctorch\nserialization.os.system\n.", "GLOBAL torch.serialization.os.system"),
        (b"\x80\x02ctorch\ntorch.float32\n.", "GLOBAL torch.torch.float32"),
        (b"\x80\x04\x95\0\0\0\0\0\0\0\x10N.", "data.pkl, byte 2: Unsupported operand 149 (FRAME)"),
        (b"\x80\x02N\xff.", "data.pkl, byte 3: Unsupported operand 255"),
        (b"\x80\x02X\xff\xff\xff\x7fabc", "byte 2: the pickle is cut short: 2147483647 bytes are needed, 3 are left"),
        (b"\x80\x02N", "byte 3: the pickle is cut short"),
        (b"\x80\x02.", "byte 2: there is no value to take"),
        (b"\x80\x02t.", "byte 2: there is no mark to go back to"),
        (b"\x80\x02N(\x85.", "byte 4: there is no value to take"),
        (b"\x80\x02h\x05.", "byte 2: nothing is stored under number 5"),
        (b"\x80\x02K\x01Na.", "byte 5: APPEND takes a list, not int"),
        (b"\x80\x02K\x01)R.", "byte 5: REDUCE takes a class or function to call, not int"),
        (b"\x80\x02}(]Nu.", "a dict takes keys"),
        (b"\x80\x02]q\0h\0a.", "a container holds itself"),
    ];
    for (pickle, expected) in cases {
        let found = refusal(pickle);
        assert!(found.contains(expected), "{found:?} does not say {expected:?}");
    }
}

#[test]
fn tensors_outside_their_storage_are_refused() {
    assert!(read(archive(&float_pickle(4, 0, 4, 1), &[&[0; 16]])).is_ok());
    assert!(read(archive(&float_pickle(4, 0, 9, 0), &[&[0; 16]])).is_ok());
    for (offset, size, stride) in [(0, 5, 1), (1, 4, 1), (0, 3, 2), (4, 1, 1)] {
        let found = refusal(&float_pickle(4, offset, size, stride));
        assert!(found.contains("does not fit into its storage of 16 bytes"), "{found}");
    }
    assert!(refusal(&float_pickle(5, 0, 1, 1)).contains("does not match expected size"));
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| [&b"\x80\x02"[..], &b"]".repeat(depth), &b"a".repeat(depth - 1), b"."].concat();
    assert!(read(archive(&nested(200), &[])).is_ok());
    assert!(refusal(&nested(100_000)).contains("nested more than 256 deep"));

    let deep = (0..300).fold(Object::None, |inner, _| Object::List(vec![inner]));
    assert!(to_bytes(deep).unwrap_err().to_string().contains("nested more than 256 deep"));
}

#[test]
fn memory_is_in_proportion_to_the_file() {
    // Each list holds the one before it twice.
    let mut laughs = b"\x80\x02]q\0".to_vec();
    for level in 0..60 {
        laughs.extend([b']', b'(', b'h', level, b'h', level, b'e', b'q', level + 1]);
    }
    laughs.push(b'.');
    assert!(refusal(&laughs).contains("bytes that a file of this size may take"));

    // One long text, many times.
    let mut texts = [&b"\x80\x02]X\0\0\x01\0"[..], &b"a".repeat(1 << 16), b"q\0a("].concat();
    texts.extend(b"h\0".repeat(10_000));
    texts.extend(b"e.");
    assert!(refusal(&texts).contains("bytes that a file of this size may take"), "{}", refusal(&texts));
}

/// Where the entries of the archive's directory begin.
fn entries(archive: &[u8]) -> Vec<usize> {
    (0..archive.len()).filter(|&at| archive[at..].starts_with(b"PK\x01\x02")).collect()
}

#[test]
fn archives_that_lie_are_refused() {
    let whole = archive(&float_pickle(4, 0, 4, 1), &[&[0; 16]]);
    let at = entries(&whole);
    let lie = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        read(bytes).unwrap_err().to_string()
    };
    let (first, second) = (at[0], at[1]);
    let shared = lie(&|b| b.copy_within(first + 42..first + 46, second + 42));
    assert!(shared.contains("share bytes"), "{shared}");
    let large = lie(&|b| b[second + 24..second + 28].copy_from_slice(&i32::MAX.to_le_bytes()));
    assert!(large.contains("\"archive/data/0\": 2147483647 bytes cannot be in the 16"), "{large}");
    let bomb = lie(&|b| {
        b[second + 10] = 8;
        b[second + 24..second + 28].copy_from_slice(&i32::MAX.to_le_bytes());
    });
    assert!(bomb.contains("cannot be in the 16"), "{bomb}");
    let sum = lie(&|b| b[second + 16] ^= 1);
    assert!(sum.contains("checksum"), "{sum}");
    let locked = lie(&|b| b[second + 8] |= 1);
    assert!(locked.contains("encrypted"), "{locked}");
}

#[test]
fn tensors_of_devices_that_are_not_there_need_a_map_location() {
    let mut pickle = float_pickle(1, 0, 1, 1);
    let at = pickle.windows(3).position(|part| part == b"cpu").unwrap();
    pickle.splice(at..at + 3, *b"cuda:0");
    pickle[at - 4] = 6;
    let bytes = archive(&pickle, &[&[0; 4]]);
    assert!(read(bytes.clone()).unwrap_err().to_string().contains("Attempting to deserialize object on a CUDA device"));
    let mapped = File::from_bytes(bytes, &LoadOptions::new().map_location(Device::Cpu)).unwrap();
    assert_eq!(mapped.object().as_array().unwrap().tensor().unwrap().device(), Device::Cpu);
}

#[test]
fn views_of_one_storage_as_two_dtypes_are_not_written() {
    let z = Tensor::new([firebrick_core::Complex::new(1.0f32, 2.0)]).unwrap();
    let both = Object::dict([("z", z.clone().into()), ("parts", z.view_as_real().unwrap().into())]);
    let error = to_bytes(both).unwrap_err().to_string();
    assert!(error.starts_with("['parts']: Cannot save multiple tensors"), "{error}");
}
