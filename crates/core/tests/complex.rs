//! Complex numbers: values, views, texts and refusals are PyTorch 2.15's.
#![allow(clippy::unwrap_used, clippy::panic)]

use firebrick_core::autograd::Backward;
use firebrick_core::{Complex, DType, ErrorKind, Result, Scalar, Tensor, TensorOptions};

type C = Complex<f64>;
/// A function of one complex tensor, by name, and its values at [`Z`].
type Unary = (&'static str, fn(&Tensor) -> Result<Tensor>, [(f64, f64); 3]);
/// A function of two, at [`Z`] and [`W`].
type Binary = (&'static str, fn(&Tensor, &Tensor) -> Result<Tensor>, [(f64, f64); 3]);

fn tensor(numbers: &[(f64, f64)]) -> Tensor {
    Tensor::new(numbers.iter().map(|&z| C::from(z)).collect::<Vec<_>>()).unwrap()
}

/// The imaginary unit, without dimensions.
fn imaginary() -> Tensor {
    tensor(&[(0.0, 1.0)]).select(0, 0).unwrap()
}

fn numbers(x: &Tensor) -> Vec<(f64, f64)> {
    x.detach().to_vec::<C>().unwrap().into_iter().map(Into::into).collect()
}

#[track_caller]
fn assert_close(got: &Tensor, expected: &[(f64, f64)], name: &str) {
    let got = numbers(got);
    assert_eq!(got.len(), expected.len(), "{name}");
    for (a, b) in got.iter().zip(expected) {
        let close = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-12 * b.abs() + 1e-14;
        assert!(close(a.0, b.0) && close(a.1, b.1), "{name}: {got:?} and not {expected:?}");
    }
}

#[track_caller]
fn assert_refused<T>(result: Result<T>, kind: ErrorKind, text: &str) {
    match result {
        Ok(_) => panic!("not refused: {text}"),
        Err(error) => assert_eq!((error.kind(), error.to_string()), (kind, text.to_owned())),
    }
}

const Z: [(f64, f64); 3] = [(0.5, -1.5), (-2.0, 0.25), (30.0, -0.5)];
const W: [(f64, f64); 3] = [(2.0, -0.5), (0.25, 1.0), (-1.5, 2.0)];

#[test]
fn functions_of_one_number_have_pytorchs_values() {
    #[rustfmt::skip]
    let cases: [Unary; 24] = [
        ("exp", Tensor::exp, [(0.11662592901934636, -1.644591201830844), (0.13112803702368245, 0.03348248489957025), (9378263740830.588, -5123368832027.49)]),
        ("exp2", Tensor::exp2, [(0.7162440799296136, -1.2194238057237445), (0.2462558441364415, 0.04310521115420535), (1009899395.0313842, -364725535.8788152)]),
        ("expm1", Tensor::expm1, [(-0.8833740709806535, -1.644591201830844), (-0.8688719629763175, 0.03348248489957025), (9378263740829.588, -5123368832027.49)]),
        ("log", Tensor::log, [(0.45814536593707755, -1.2490457723982544), (0.7008992738279278, 3.017237659043032), (3.4013362512644925, -0.016665123713940747)]),
        ("log2", Tensor::log2, [(0.6609640474436812, -1.8019921416822866), (1.0111839065142272, 4.352953807884807), (4.907090942095141, -0.02404269133790338)]),
        ("log10", Tensor::log10, [(0.1989700043360188, -0.5424536865971469), (0.30439668699346534, 1.3103696659130737), (1.4771815650216613, -0.007237571269199492)]),
        ("log1p", Tensor::log1p, [(0.752038698388137, -std::f64::consts::FRAC_PI_4), (0.03031231090821742, 2.896613990462929), (3.434117260409927, -0.016127633843636236)]),
        ("sqrt", Tensor::sqrt, [(1.0200830432087846, -0.7352342586156433), (0.08821688351624482, 1.4169623207895539), (5.477415739988841, -0.0456419618059719)]),
        ("rsqrt", Tensor::rsqrt, [(0.645157163811143, 0.46500297420214187), (0.04376783093289818, -0.7030101815281647), (0.1825551715418697, 0.0015211874654987648)]),
        ("reciprocal", Tensor::reciprocal, [(0.2, 0.6), (-0.49230769230769234, -0.06153846153846154), (0.03332407664537629, 0.0005554012774229381)]),
        ("sin", Tensor::sin, [(1.1278052468056998, -1.8686185191826468), (-0.9378612777147958, -0.10512381651256378), (-1.1141301137721413, -0.08037970640202408)]),
        ("cos", Tensor::cos, [(2.064433656760715, 1.0208309495976966), (-0.4292192986881662, 0.22969972965814137), (0.17393794006397062, -0.5148586409941532)]),
        ("tan", Tensor::tan, [(0.0793244548039567, -0.9443729864226215), (1.596689210770756, 1.099398135211779), (-0.5160442066390076, -1.9896149465597472)]),
        ("asin", Tensor::asin, [(0.2734872901415568, -1.226456871251406), (-1.427924144520526, 1.3287633703408075), (1.5541219412511131, -4.094205769930384)]),
        ("acos", Tensor::acos, [(1.2973090366533397, 1.226456871251406), (2.9987204713154227, -1.3287633703408075), (0.01667438554378342, 4.094205769930384)]),
        ("atan", Tensor::atan, [(1.2767950250211129, -0.6412373393653842), (-1.1121113339878292, 0.04954423214593717), (1.5374845670769548, -0.0005547852484783332)]),
        ("sinh", Tensor::sinh, [(0.03686082371280446, -1.1248012470579227), (-3.514110100973512, 0.9307821094643965), (4689131870415.294, -2561684416013.745)]),
        ("cosh", Tensor::cosh, [(0.07976510530654189, -0.5197899547729212), (3.645238137997194, -0.8972996245648264), (4689131870415.294, -2561684416013.745)]),
        ("tanh", Tensor::tanh, [(2.124799127742996, -0.2551492218136516), (-0.968214572183509, 0.017009461384601497), (1.0, -1.473669946993437e-26)]),
        ("asinh", Tensor::asinh, [(1.0693110431581105, -1.1711572594583726), (-1.4492081522551188, 0.11147792536848178), (4.094760862879286, -0.016655877294793755)]),
        ("acosh", Tensor::acosh, [(1.226456871251406, -1.2973090366533397), (1.3287633703408075, 2.9987204713154223), (4.094205769930384, -0.01667438554378353)]),
        ("atanh", Tensor::atanh, [(0.14694666622552977, -1.0172219678978514), (-0.5358800995910896, 1.489877611175685), (0.03333640996522904, -1.5702403081194498)]),
        ("sigmoid", Tensor::sigmoid, [(0.7174196103060387, -0.4161906065612849), (0.11670074733243299, 0.026146512968650146), (0.9999999999999178, -4.486283431890525e-14)]),
        ("sgn", Tensor::sgn, [(0.31622776601683794, -0.9486832980505138), (-0.9922778767136677, 0.12403473458920847), (0.9998611400396, -0.016664352333993333)]),
    ];
    for (name, f, expected) in cases {
        assert_close(&f(&tensor(&Z)).unwrap(), &expected, name);
    }
    assert_eq!(tensor(&[(3.0, 4.0)]).abs().unwrap().to_vec::<f64>().unwrap(), [5.0]);
    assert_eq!(tensor(&[(0.0, 2.0)]).angle().unwrap().to_vec::<f64>().unwrap(), [std::f64::consts::FRAC_PI_2]);
}

#[test]
fn cuts_follow_the_signs_of_zeros() {
    let x = tensor(&[(-1.0, 0.0), (-1.0, -0.0), (2.0, 0.0), (2.0, -0.0)]);
    let pi = std::f64::consts::PI;
    let expected = [(0.0, 1.0), (0.0, -1.0), (std::f64::consts::SQRT_2, 0.0), (std::f64::consts::SQRT_2, -0.0)];
    assert_close(&x.sqrt().unwrap(), &expected, "sqrt");
    let ln = std::f64::consts::LN_2;
    assert_close(&x.log().unwrap(), &[(0.0, pi), (0.0, -pi), (ln, 0.0), (ln, -0.0)], "log");
    let (quarter, high) = (pi / 2.0, 1.3169578969248166);
    let expected = [(-quarter, 0.0), (-quarter, -0.0), (quarter, high), (quarter, -high)];
    assert_close(&x.asin().unwrap(), &expected, "asin");
    assert_close(&x.acos().unwrap(), &[(pi, 0.0), (pi, 0.0), (0.0, -high), (0.0, high)], "acos");
    let expected = [(0.0, pi), (0.0, -pi), (high, 0.0), (high, -0.0)];
    assert_close(&x.acosh().unwrap(), &expected, "acosh");
}

#[test]
fn functions_of_two_numbers_have_pytorchs_values() {
    #[rustfmt::skip]
    let cases: [Binary; 6] = [
        ("add", |a, b| a.add(b), [(2.5, -2.0), (-1.75, 1.25), (28.5, 1.5)]),
        ("sub", |a, b| a.sub(b), [(-1.5, -1.0), (-2.25, -0.75), (31.5, -2.5)]),
        ("mul", |a, b| a.mul(b), [(0.25, -3.25), (-0.75, -1.9375), (-44.0, 60.75)]),
        ("div", |a, b| a.div(b), [(0.4117647058823529, -0.6470588235294118), (-0.23529411764705882, 1.9411764705882353), (-7.36, -9.48)]),
        ("pow", |a, b| a.pow(b), [(-1.2254588977097145, -0.5390871713441688), (0.006724707506771936, 0.05791910287252814), (0.005381075785593217, 0.0032584699093458763)]),
        ("logaddexp", |a, b| a.logaddexp(b), [(2.127670811843734, -0.6660150501491789), (0.32650982394211175, 0.9333983453212064), (29.999999999999982, -0.4999999999999875)]),
    ];
    for (name, f, expected) in cases {
        assert_close(&f(&tensor(&Z), &tensor(&W)).unwrap(), &expected, name);
    }
    assert_close(&tensor(&[(1.0, 1.0)]).div(0).unwrap(), &[(f64::INFINITY, f64::INFINITY)], "div by zero");
    let equal = tensor(&[(1.0, 2.0), (1.0, 0.0)]).eq(1.0).unwrap();
    assert_eq!(equal.to_vec::<bool>().unwrap(), [false, true]);
    assert_eq!(tensor(&[(1.0, 2.0), (1.0, 0.0)]).isreal().unwrap().to_vec::<bool>().unwrap(), [false, true]);
}

#[test]
fn dtypes_promote_as_in_pytorch() {
    use DType::{C64, C128, F64};
    for real in DType::ALL.into_iter().filter(|dtype| !dtype.is_complex()) {
        let wide = real == F64;
        assert_eq!(real.promote(C64), if wide { C128 } else { C64 }, "{real}");
        assert_eq!(real.promote(C128), C128, "{real}");
        assert!(real.can_cast(C64) && !C64.can_cast(real));
        let x = Tensor::ones_with([2], real).unwrap();
        // A complex number, or a tensor without dimensions, keeps the width of a floating-point tensor.
        assert_eq!(Tensor::result_type(&x, Complex::new(0.0, 1.0)).unwrap(), real.to_complex(), "{real}");
        let wanted = if real.is_floating_point() { real.to_complex() } else { C128 };
        assert_eq!(Tensor::result_type(&x, imaginary()).unwrap(), wanted, "{real}");
    }
    assert!(C128.can_cast(C64));
    assert_eq!(DType::from_name("torch.complex64"), Some(C64));
    assert_eq!(tensor(&Z).sum().unwrap().dtype(), C128);
    assert_eq!(Tensor::scalar(Complex::new(0.0f32, 1.0)).unwrap().dtype(), C64);
}

#[test]
fn casts_keep_the_real_part_and_ask_bool_of_both() {
    let x = tensor(&[(1.5, 2.0), (0.0, -1.0), (0.0, 0.0)]);
    assert_eq!(x.to(DType::F32).unwrap().to_vec::<f32>().unwrap(), [1.5, 0.0, 0.0]);
    assert_eq!(x.to(DType::I32).unwrap().to_vec::<i32>().unwrap(), [1, 0, 0]);
    assert_eq!(x.to(DType::Bool).unwrap().to_vec::<bool>().unwrap(), [true, true, false]);
    assert_eq!(x.to(DType::C64).unwrap().to_vec::<Complex<f32>>().unwrap()[0], Complex::new(1.5, 2.0));
    let y = Tensor::new([true, false]).unwrap().to(DType::C128).unwrap();
    assert_eq!(numbers(&y), [(1.0, 0.0), (0.0, 0.0)]);
    assert_eq!(x.select(0, 0).unwrap().item_scalar().unwrap(), Scalar::Complex(C::new(1.5, 2.0)));
    assert_refused(
        x.select(0, 0).unwrap().item::<f64>(),
        ErrorKind::Runtime,
        "value cannot be converted to type double without overflow",
    );
}

#[test]
fn parts_are_views_that_record() {
    let x = tensor(&[(1.0, 2.0), (3.0, 4.0)]);
    x.requires_grad_(true).unwrap();
    let y = x.mul(1.0).unwrap();
    y.imag().unwrap().mul_(10.0).unwrap();
    assert_eq!(numbers(&y), [(1.0, 20.0), (3.0, 40.0)]);
    assert_eq!(y.imag().unwrap().grad_fn(), Some("SelectBackward0"));
    y.view_as_real().unwrap().sum().unwrap().backward().unwrap();
    assert_eq!(numbers(&x.grad().unwrap()), [(1.0, 10.0), (1.0, 10.0)]);
    let parts = Tensor::new([[1.0f64, 2.0]]).unwrap();
    parts.view_as_complex().unwrap().mul_(Complex::new(0.0, 1.0)).unwrap();
    assert_eq!(parts.to_vec::<f64>().unwrap(), [-2.0, 1.0]);
}

#[test]
fn pairs_that_are_no_complex_numbers_are_refused() {
    let view = |x: Result<Tensor>| x.unwrap().view_as_complex();
    let zeros = |shape: &[usize]| Tensor::zeros(shape);
    let runtime = ErrorKind::Runtime;
    assert_refused(view(zeros(&[3])), runtime, "Tensor must have a last dimension of size 2");
    assert_refused(view(zeros(&[])), runtime, "Input tensor must have one or more dimensions");
    assert_refused(view(zeros(&[2, 3]).unwrap().t()), runtime, "Tensor must have a last dimension with stride 1");
    assert_refused(
        view(zeros(&[3, 3]).unwrap().narrow(1, 0, 2)),
        runtime,
        "Tensor must have a stride divisible by 2 for all but last dimension",
    );
    assert_refused(
        view(zeros(&[4]).unwrap().narrow(0, 1, 2)),
        runtime,
        "Tensor must have a storage_offset divisible by 2",
    );
    assert_refused(
        Tensor::ones([2]).unwrap().imag(),
        ErrorKind::Type,
        "imag is not implemented for tensors with non-complex dtypes.",
    );
}

#[test]
fn gradients_of_real_inputs_are_real() {
    let x = Tensor::new([2.0f64, 3.0]).unwrap();
    x.requires_grad_(true).unwrap();
    let y = x.mul(tensor(&[(1.0, 1.0), (0.0, 2.0)])).unwrap();
    y.abs().unwrap().pow(2).unwrap().sum().unwrap().backward().unwrap();
    let grad = x.grad().unwrap().to_vec::<f64>().unwrap();
    assert!((grad[0] - 8.0).abs() < 1e-12 && (grad[1] - 24.0).abs() < 1e-12, "{grad:?}");
}

#[test]
fn backward_refuses_a_complex_loss() {
    let x = Tensor::ones([1]).unwrap();
    x.requires_grad_(true).unwrap();
    let y = x.mul(Complex::new(0.0, 1.0)).unwrap();
    assert_refused(
        y.backward(),
        ErrorKind::Runtime,
        "grad can be implicitly created only for real scalar outputs but got torch.complex64",
    );
    assert_refused(
        y.backward_with(Backward::new().gradient(&Tensor::ones([1]).unwrap())),
        ErrorKind::Runtime,
        "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: grad_output[0] has a dtype of torch.float32 and output[0] has a dtype of torch.complex64.",
    );
}

#[test]
fn what_has_no_order_is_refused_in_pytorchs_words() {
    let x = tensor(&Z).to(DType::C64).unwrap();
    let no = ErrorKind::NotImplemented;
    assert_refused(x.lt(&x), no, "\"lt_cpu\" not implemented for 'ComplexFloat'");
    assert_refused(x.ge(1), no, "\"ge_cpu\" not implemented for 'ComplexFloat'");
    assert_refused(x.max(), no, "\"max_all\" not implemented for 'ComplexFloat'");
    assert_refused(x.argmax(), ErrorKind::Type, "argmax(): does not support complex input");
    assert_refused(x.relu(), no, "clamp is not supported for complex types");
    assert_refused(x.floor(), no, "floor is not supported for complex inputs");
    assert_refused(
        x.sign(),
        no,
        "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead.",
    );
    assert_refused(x.abs_(), ErrorKind::Runtime, "In-place abs is not supported for complex tensors.");
    assert_refused(
        Tensor::full_with([2], C::new(0.0, 1.0), DType::F32),
        ErrorKind::Runtime,
        "value cannot be converted to type float without overflow",
    );
    let mask = Tensor::new([true, false, true]).unwrap();
    assert_refused(
        Tensor::new([1i64, 2, 3]).unwrap().masked_fill(&mask, imaginary()),
        ErrorKind::Runtime,
        "value cannot be converted to type int64_t without overflow",
    );
    assert_refused(
        Tensor::ones([3]).unwrap().add_(&x),
        ErrorKind::Runtime,
        "result type ComplexFloat can't be cast to the desired output type Float",
    );
}

/// With a generator of its own: tests run side by side.
fn seeded<T>(seed: i64, draw: impl FnOnce() -> T) -> T {
    firebrick_core::Generator::new().manual_seed(seed).scope(draw)
}

#[test]
fn random_numbers_are_pytorchs_for_the_same_seed() {
    let x = seeded(0, || Tensor::randn_with([10_000], DType::C128)).unwrap();
    let variance = x.var().unwrap().item::<f64>().unwrap();
    assert!((variance - 1.0).abs() < 0.05, "{variance}");
    let drawn = seeded(0, || Tensor::randn_with([2], DType::C128)).unwrap();
    let expected = [(1.089648797921442, -0.20748556905971358), (-1.5406367468421671, 0.40194161080369084)];
    assert_close(&drawn, &expected, "randn");
    let drawn = Tensor::zeros_with([9], DType::C128).unwrap();
    seeded(0, || drawn.normal_(1.0, 2.0).map(drop)).unwrap();
    assert_close(&drawn.narrow(0, 8, 1).unwrap(), &[(1.9543926908204323, 2.4804912141060114)], "normal_");
    // Uniform parts are the real numbers of the same seed.
    let z = seeded(3, || Tensor::rand_with([4], TensorOptions::new().dtype(DType::C64))).unwrap();
    let r = seeded(3, || Tensor::rand([4, 2])).unwrap();
    assert!(z.view_as_real().unwrap().equal(&r).unwrap());
}

#[test]
fn complex_tensors_print_as_in_pytorch() {
    let x = Tensor::new([Complex::new(1.0f32, 2.0), Complex::new(0.0, 3.0)]).unwrap();
    assert_eq!(x.to_string(), "tensor([1.+2.j, 0.+3.j])");
    assert_eq!(
        Tensor::zeros_with([2, 2], DType::C128).unwrap().to_string(),
        "tensor([[0.+0.j, 0.+0.j],\n        [0.+0.j, 0.+0.j]], dtype=torch.complex128)"
    );
    assert_eq!(Tensor::scalar(Complex::new(1.5f64, 2.25)).unwrap().to_string(), "tensor(1.5000+2.2500j)");
    assert_eq!(Tensor::zeros_with([0], DType::C64).unwrap().to_string(), "tensor([], dtype=torch.complex64)");
    let mixed = Tensor::new(
        [[(1.0f32, 2.0), (3.5, -4.0)], [(0.0, 1e5), (0.0, 0.0)]].map(|row| row.map(|(re, im)| Complex::new(re, im))),
    );
    assert_eq!(
        mixed.unwrap().to_string(),
        "tensor([[1.0000+2.0000e+00j, 3.5000-4.0000e+00j],\n        [0.0000+1.0000e+05j, 0.0000+0.0000e+00j]])"
    );
    x.requires_grad_(true).unwrap();
    assert_eq!(x.unsqueeze(0).unwrap().adjoint().unwrap().grad_fn(), Some("ConjBackward0"));
}

#[test]
fn everything_works_on_another_device() {
    firebrick_core::accelerator::enable_mock(1);
    let mock = firebrick_core::Device::Mock(0);
    let (a, b) = (tensor(&Z).reshape([1, 3]).unwrap(), tensor(&W).reshape([3, 1]).unwrap());
    let there = |x: &Tensor| x.to(mock).unwrap();
    let product = there(&a).matmul(&there(&b)).unwrap().exp().unwrap();
    assert_eq!(numbers(&product), numbers(&a.matmul(&b).unwrap().exp().unwrap()));
}

#[test]
fn dropout_draws_one_number_for_both_parts() {
    let mask = |x: Tensor| seeded(0, || x.dropout(0.5, true)).unwrap();
    let real = mask(Tensor::ones([12]).unwrap());
    let complex = mask(Tensor::full([12], Complex::new(1.0f32, 1.0)).unwrap());
    assert!(complex.real().unwrap().equal(&real).unwrap() && complex.imag().unwrap().equal(&real).unwrap());
}

#[test]
fn complex_numbers_are_no_indices_masks_or_probabilities() {
    let (x, z) = (Tensor::ones([3]).unwrap(), tensor(&Z));
    let table = Tensor::ones([3, 2]).unwrap();
    let refused = [
        ("gather", x.gather(0, &z)),
        ("index_select", x.index_select(0, &z)),
        ("index", x.index(&[Some(z.clone())])),
        ("index_add", x.index_add(0, &z, &x, 1)),
        ("index_fill", x.index_fill(0, &z, 1)),
        ("take", x.take(&z)),
        ("put", x.put(&z, &x, false)),
        ("scatter", x.scatter(0, &z, &x)),
        ("where", Tensor::where_(&z, &x, &x)),
        ("masked_fill", x.masked_fill(&z, 1)),
        ("masked_select", x.masked_select(&z)),
        ("masked_scatter", x.masked_scatter(&z, &x)),
        ("embedding", table.embedding(&z, None, false)),
        ("one_hot", z.one_hot(-1)),
        ("multinomial", z.multinomial(1, true)),
        ("bernoulli", z.bernoulli()),
        ("softmax", z.softmax(0)),
        ("randint_like", z.randint_like(0, 3)),
        ("arange", Tensor::arange_with(0, 3, 1, DType::C64)),
        ("randint", Tensor::randint_with(0, 3, [2], DType::C64)),
        ("randperm", Tensor::randperm_with(3, DType::C64)),
    ];
    for (name, result) in refused {
        assert!(result.is_err(), "{name}");
    }
    assert_eq!(z.nonzero().unwrap().shape(), [3, 1]);
    let mixed = Tensor::cat(&[&x, &z], 0).unwrap();
    assert_eq!((mixed.dtype(), mixed.shape()), (DType::C128, [6].into()));
    z.uniform_(0.0, 1.0).unwrap();
    assert!(z.imag().unwrap().gt(0).unwrap().all().unwrap().item::<bool>().unwrap());
}
