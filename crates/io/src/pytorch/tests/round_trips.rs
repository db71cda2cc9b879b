use super::super::{BigInt, Class, Dict, DictKind, Dtype, Key, Layout, QScheme, Quantized, Sparse};
use super::*;
use firebrick_core::{Complex, DType, Parameter, StateDict, Value};

#[test]
fn values_of_every_kind_survive() {
    let mut ordered = Dict::new(DictKind::Ordered);
    ordered.entries.insert(Key::Tuple(vec![Key::Int(1), Key::from("a")]), Object::Bool(true));
    ordered.attributes.insert("_metadata".into(), Object::dict([("", Object::Int(1))]));
    let mut counter = Dict::new(DictKind::Counter);
    counter.entries.insert("word".into(), Object::Int(3));
    let numbers = [0, 255, 256, 65_535, 65_536, -1, i64::from(i32::MIN), i64::MAX, i64::MIN].map(Object::Int);
    let object = Object::List(vec![
        Object::None,
        Object::List(numbers.to_vec()),
        Object::BigInt(BigInt::from(-(1i128 << 100))),
        Object::Float(f64::NEG_INFINITY),
        Object::Complex(Complex::new(1.5, -0.0)),
        Object::from("Grüße, мир"),
        Object::Bytes(vec![0, 127, 128, 255]),
        Object::ByteArray(vec![]),
        Object::Tuple(vec![]),
        Object::Tuple(vec![Object::Int(1), Object::Tuple(vec![Object::None; 4])]),
        Object::Set(vec![Key::Int(2), Key::Bytes(vec![1])]),
        ordered.into(),
        counter.into(),
        Object::Size(vec![2, 3]),
        Object::Dtype(Dtype::BF16),
        Object::Device("cuda:1".into()),
        Object::Layout(Layout::SparseCsr),
        Object::QScheme(QScheme::PerTensorAffine),
    ]);
    assert_eq!(format!("{:?}", again(&object)), format!("{object:?}"));
}

#[test]
fn every_dtype_survives_with_its_bytes() {
    let bytes: Vec<u8> = (0..16).collect();
    for &dtype in Dtype::ALL {
        let storage = Storage::from_bytes(dtype, &bytes).unwrap();
        let made = Array::new(storage, dtype, &[16 / dtype.size()], &[1], 0).unwrap();
        let read = again(&Object::dict([("x", made.clone().into())]));
        let found = array(&read, "x");
        assert_eq!((found.dtype(), found.shape()), (dtype, made.shape()));
        let expected =
            if dtype == Dtype::Bool { bytes.iter().map(|b| u8::from(*b > 0)).collect() } else { bytes.clone() };
        assert_eq!(found.storage().with_bytes(<[u8]>::to_vec).unwrap(), expected, "{dtype}");
        assert_eq!(found.tensor().is_ok(), dtype.core().is_some(), "{dtype}");
    }
}

#[test]
fn views_keep_their_geometry_and_their_memory() {
    let x = Tensor::arange(12).unwrap().reshape([3, 4]).unwrap();
    let views =
        [("x", x.clone()), ("t", x.t().unwrap()), ("row", x.narrow(0, 1, 1).unwrap()), ("other", x.copy().unwrap())];
    let read = again(&Object::dict(views.map(|(name, view)| (name, view.into()))));
    assert_eq!(
        read.as_dict().unwrap().entries.keys().collect::<Vec<_>>(),
        ["x", "t", "row", "other"].map(Key::from).iter().collect::<Vec<_>>()
    );
    let (t, row) = (array(&read, "t"), array(&read, "row"));
    assert_eq!((t.shape(), t.strides(), t.offset()), (&[4, 3][..], &[1, 4][..], 0));
    assert_eq!((row.shape(), row.strides(), row.offset()), (&[1, 4][..], &[4, 1][..], 4));
    assert!(t.storage().is_same(row.storage()) && !t.storage().is_same(array(&read, "other").storage()));
    tensor(&read, "row").fill_(-1).unwrap();
    assert_eq!(tensor(&read, "x").to_vec::<i64>().unwrap()[3..9], [3, -1, -1, -1, -1, 8]);
    assert_eq!(tensor(&read, "other").to_vec::<i64>().unwrap()[4], 4);
}

#[test]
fn one_tensor_under_two_names_is_one_tensor_again() {
    let shared = Array::from(Tensor::ones([2]).unwrap());
    let read = again(&Object::dict([("a", shared.clone().into()), ("b", shared.into())]));
    assert!(array(&read, "a").is_same(&array(&read, "b")));
}

#[test]
fn classes_gradients_and_attributes_survive() {
    let weight = Parameter::new(Tensor::ones([2]).unwrap());
    let frozen = Parameter::frozen(Tensor::ones([2]).unwrap());
    let leaf = Tensor::zeros([1]).unwrap();
    leaf.requires_grad_(true).unwrap();
    let noted = |form: &mut super::super::array::Form| {
        form.attributes.insert("note".into(), Object::from("kept"));
    };
    let read = again(&Object::dict([
        ("weight", Array::from(&weight).reformed(noted).unwrap().into()),
        ("frozen", Array::from(&frozen).into()),
        ("leaf", Object::from(leaf)),
        ("plain", Array::from(Tensor::zeros([1]).unwrap()).reformed(noted).unwrap().into()),
    ]));
    let facts = |key| {
        let array = array(&read, key);
        (array.class(), array.requires_grad(), array.tensor().unwrap().requires_grad(), array.attributes().len())
    };
    assert_eq!(facts("weight"), (Class::Parameter, true, true, 1));
    assert_eq!(facts("frozen"), (Class::Parameter, false, false, 0));
    assert_eq!(facts("leaf"), (Class::Tensor, true, true, 0));
    assert_eq!(facts("plain"), (Class::Tensor, false, false, 1));
}

#[test]
fn state_dicts_survive_with_the_versions_of_modules() {
    let mut state = StateDict::from_iter([("b", Tensor::ones([2]).unwrap()), ("a", Tensor::zeros([1]).unwrap())]);
    state.metadata.insert("norm".into(), [("version".to_owned(), 2)].into_iter().collect());
    let read = again(&Object::from(&state)).state_dict().unwrap();
    assert_eq!(read.keys().collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(read.metadata, state.metadata);

    let nested = Object::dict([("model", Object::from(&state))]);
    let error = nested.state_dict().map(drop).unwrap_err();
    assert!(error.to_string().contains("['model']"), "{error}");
}

#[test]
fn values_of_optimizers_survive() {
    let value = Value::dict([(
        "state",
        Value::Dict([(0.into(), Value::dict([("step", Tensor::ones([1]).unwrap().into())]))].into_iter().collect()),
    )]);
    assert_eq!(again(&Object::from(&value)).to_value().unwrap().to_string(), value.to_string());
    let error = Object::List(vec![Object::None, Object::Dtype(Dtype::F32)]).to_value().unwrap_err();
    assert_eq!(error.to_string(), "[1]: a value cannot be a torch.dtype");
}

#[test]
fn sparse_and_quantized_tensors_are_carried() {
    let indices = Tensor::new([[0i64, 2], [1, 0]]).unwrap();
    let sparse = Sparse {
        layout: Layout::SparseCoo,
        shape: vec![3, 2],
        indices: vec![indices.into()],
        values: Tensor::ones([2]).unwrap().into(),
        coalesced: Some(true),
    };
    let ints = Array::new(Storage::from_bytes(Dtype::QI8, &[1, 2, 3]).unwrap(), Dtype::QI8, &[3], &[1], 0).unwrap();
    let parameters = vec![Object::Float(0.5), Object::Int(0)];
    let quantized = Quantized { array: ints, scheme: QScheme::PerTensorAffine, parameters };
    let read = again(&Object::List(vec![Object::Sparse(sparse.clone().into()), Object::Quantized(quantized.into())]));
    let names: Vec<String> = read.arrays().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["0.indices", "0.values", "1"]);

    let outside = Sparse { shape: vec![2, 2], ..sparse };
    let error = super::read(to_bytes(Object::Sparse(outside.into())).unwrap()).unwrap_err();
    assert!(error.to_string().contains("found index 2"), "{error}");
}

#[test]
fn opening_reads_no_tensor_and_finds_each_where_it_lies() {
    let two = Object::dict([("a", Tensor::ones([3]).unwrap().into()), ("b", Tensor::zeros([70]).unwrap().into())]);
    let bytes = to_bytes(two.clone()).unwrap();
    assert_eq!(bytes, to_bytes(two).unwrap());
    let file = File::from_bytes(bytes.clone(), &LoadOptions::new()).unwrap();
    let (a, b) = (file.array("a").unwrap(), file.array("b").unwrap());
    for array in [a, b] {
        assert_eq!(array.storage().file_range().unwrap().start % 64, 0);
        assert!(!array.storage().is_in_memory());
    }
    assert_eq!(bytes[a.storage().file_range().unwrap()], 1.0f32.to_le_bytes().repeat(3));
    a.tensor().unwrap();
    assert!(a.storage().is_in_memory() && !b.storage().is_in_memory());
    assert_eq!((a.storage().record(), a.tensor().unwrap().dtype()), (Some("data/0"), DType::F32));
}

#[test]
fn files_of_the_other_byte_order_are_turned() {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes);
    writer.record("data.pkl", &float_pickle(2, 0, 2, 1)).unwrap();
    writer.record("byteorder", b"big").unwrap();
    writer.record("data/0", &[1.5f32.to_be_bytes(), (-2.0f32).to_be_bytes()].concat()).unwrap();
    writer.record("version", b"3\n").unwrap();
    writer.finish().unwrap();
    let read = read(bytes).unwrap();
    assert_eq!(read.as_array().unwrap().tensor().unwrap().to_vec::<f32>().unwrap(), [1.5, -2.0]);
}
