//! Random operations on tensors. Expected numbers are PyTorch 2.15's after `torch.manual_seed(0)`.
#![allow(clippy::unwrap_used)]

use firebrick_core::{DType, Device, ErrorKind, Generator, Result, Tensor, TensorOptions, accelerator, autograd};

fn seeded<R>(f: impl FnOnce() -> R) -> R {
    Generator::new().manual_seed(0).scope(f)
}

fn floats(x: &Tensor) -> Vec<f32> {
    x.to_vec().unwrap()
}

fn transposed() -> Tensor {
    Tensor::ones([3, 2]).unwrap().t().unwrap()
}

#[test]
fn a_transposed_tensor_is_filled_in_the_order_of_its_memory() {
    let x = transposed();
    seeded(|| x.uniform_(0.0, 1.0).map(drop)).unwrap();
    assert_eq!(floats(&x), [0.4962566, 0.08847743, 0.30742282, 0.7682218, 0.13203049, 0.6340787]);
    let y = seeded(|| x.randn_like()).unwrap();
    assert_eq!(y.stride(), [1, 2]);
    assert_eq!(floats(&y), [1.5409961, -2.1787894, -1.0845224, -0.2934289, 0.56843126, -1.3985955]);
    let p = Tensor::new([0.2f32, 0.5, 0.8]).unwrap();
    seeded(|| x.bernoulli_each_(&p).map(drop)).unwrap();
    assert_eq!(floats(&x), [0.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
}

#[test]
fn a_tensor_with_gaps_takes_scalar_normal_numbers_and_keeps_what_lies_between() {
    let whole = Tensor::zeros([4, 8]).unwrap();
    let x = whole.narrow(1, 0, 2).unwrap();
    seeded(|| x.normal_(0.0, 1.0).map(drop)).unwrap();
    let expected = [1.5409961, -0.2934289, -2.1787894, 0.56843126, -1.0845224, -1.3985955, 0.40334684, 0.83802634];
    assert_eq!(floats(&x), expected);
    let rest: f32 = floats(&whole).iter().sum::<f32>() - expected.iter().sum::<f32>();
    assert!(rest.abs() < 1e-6, "{rest}");
}

#[test]
fn a_large_transposed_tensor_does_not_take_the_block_path() {
    let x = Tensor::zeros([3, 8]).unwrap().t().unwrap();
    seeded(|| x.normal_(0.0, 1.0).map(drop)).unwrap();
    assert_eq!(floats(&x)[..4], [1.5409961, -0.7192576, -0.5663175, -0.2934289]);
}

#[test]
fn dropout_draws_its_mask_in_the_order_of_the_input_memory() {
    let y = seeded(|| transposed().dropout(0.5, true)).unwrap();
    assert_eq!(floats(&y), [0.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn multinomial_of_a_transposed_matrix_draws_in_the_order_of_its_memory() {
    let weights = Tensor::new([[0.1f32, 0.2], [0.5, 0.2], [0.3, 0.9], [0.4, 0.4]]).unwrap().t().unwrap();
    let drawn = seeded(|| weights.multinomial(2, false)).unwrap();
    assert_eq!(drawn.to_vec::<i64>().unwrap(), [3, 1, 3, 2]);
}

#[test]
fn dropout_that_drops_nothing_or_everything_draws_nothing() {
    let x = Tensor::ones([4]).unwrap();
    let after = seeded(|| {
        assert!(x.dropout(0.0, true)?.ptr_eq(&x));
        assert!(x.dropout(0.5, false)?.ptr_eq(&x));
        assert_eq!(floats(&x.dropout(1.0, true)?), [0.0; 4]);
        Tensor::rand([2])
    });
    assert_eq!(floats(&after.unwrap()), [0.4962566, 0.7682218]);
}

#[test]
fn the_gradient_of_dropout_is_its_mask() {
    let x = Tensor::ones([5]).unwrap();
    x.requires_grad_(true).unwrap();
    let y = seeded(|| x.dropout(0.5, true)).unwrap();
    assert_eq!(y.grad_fn(), Some("MulBackward0"));
    y.sum().unwrap().backward().unwrap();
    assert_eq!(floats(&x.grad().unwrap()), [0.0, 0.0, 2.0, 0.0, 0.0]);
    let y = seeded(|| x.mul(1.0)?.dropout_(0.5, true).cloned()).unwrap();
    assert_eq!((y.grad_fn(), floats(&y)), (Some("MulBackward0"), vec![0.0, 0.0, 2.0, 0.0, 0.0]));
    assert_eq!(x.alpha_dropout(0.5, true).unwrap().grad_fn(), Some("AddBackward0"));
}

#[test]
fn fills_in_place_obey_autograd() {
    let leaf = Tensor::ones([2]).unwrap();
    leaf.requires_grad_(true).unwrap();
    let refused = leaf.uniform_(0.0, 1.0).err().unwrap();
    assert_eq!(refused.to_string(), "a leaf Variable that requires grad is being used in an in-place operation.");
    let before = leaf.version().unwrap();
    autograd::no_grad(|| leaf.normal_(0.0, 1.0).map(drop)).unwrap();
    assert_eq!(leaf.version().unwrap(), before + 1);
    type Fill = fn(&Tensor) -> Result<&Tensor>;
    let fills: [(Fill, &str); 9] = [
        (|x| x.uniform_(0.0, 1.0), "UniformBackward0"),
        (|x| x.normal_(0.0, 1.0), "NormalBackward0"),
        (|x| x.exponential_(1.0), "ExponentialBackward0"),
        (|x| x.geometric_(0.5), "GeometricBackward0"),
        (|x| x.cauchy_(0.0, 1.0), "CauchyBackward0"),
        (|x| x.log_normal_(1.0, 2.0), "LogNormalBackward0"),
        (|x| x.random_(), "RandomBackward2"),
        (|x| x.random_from_(0, 2), "RandomBackward0"),
        (|x| x.bernoulli_(0.5), "BernoulliBackward2"),
    ];
    for (fill, name) in fills {
        let x = leaf.mul(2.0).unwrap();
        fill(&x).unwrap();
        assert_eq!(x.grad_fn(), Some(name));
        leaf.set_grad(None).unwrap();
        x.sum().unwrap().backward().unwrap();
        assert_eq!(floats(&leaf.grad().unwrap()), [0.0, 0.0], "{name}");
    }
}

#[test]
fn draws_by_tensors_have_zero_gradients() {
    let p = Tensor::new([0.5f32, 1.0]).unwrap();
    p.requires_grad_(true).unwrap();
    let draws = [
        (p.bernoulli().unwrap(), "BernoulliBackward0"),
        (Tensor::normal(&p, 1.0).unwrap(), "NormalBackward1"),
        (Tensor::normal(1.0, &p).unwrap(), "NormalBackward2"),
        (Tensor::normal(&p, &p).unwrap(), "NormalBackward3"),
    ];
    for (draw, name) in draws {
        assert_eq!(draw.grad_fn(), Some(name));
        p.set_grad(None).unwrap();
        draw.sum().unwrap().backward().unwrap();
        assert_eq!(floats(&p.grad().unwrap()), [0.0, 0.0], "{name}");
    }
    let spread = Tensor::new([1.0f32, 2.0]).unwrap();
    assert_eq!(floats(&seeded(|| Tensor::normal(1.0, &spread)).unwrap()), [2.540996, 0.4131422]);
}

#[test]
fn a_device_gets_the_numbers_of_the_host() {
    accelerator::enable_mock(1);
    let options = TensorOptions::from(Device::Mock(0));
    let pairs = seeded(|| {
        Ok::<_, firebrick_core::Error>([
            Tensor::randn_with([20], options)?,
            Tensor::zeros_with([3, 2], options)?.t()?.uniform_(0.0, 1.0)?.clone(),
            Tensor::ones_with([4, 5], options)?.dropout(0.5, true)?,
            Tensor::ones_with([4], options)?.multinomial(2, false)?,
        ])
    });
    let host = seeded(|| {
        Ok::<_, firebrick_core::Error>([
            Tensor::randn([20])?,
            Tensor::zeros([3, 2])?.t()?.uniform_(0.0, 1.0)?.clone(),
            Tensor::ones([4, 5])?.dropout(0.5, true)?,
            Tensor::ones([4])?.multinomial(2, false)?,
        ])
    });
    for (there, here) in pairs.unwrap().iter().zip(&host.unwrap()) {
        assert_eq!(there.device(), Device::Mock(0));
        assert_eq!(there.to_bytes().unwrap(), here.to_bytes().unwrap());
    }
}

#[test]
fn refusals_are_pytorchs() {
    let whole = |dtype| Tensor::zeros_with([3], TensorOptions::from(dtype)).unwrap();
    let x = whole(DType::F32);
    let long = whole(DType::I64);
    let cases = [
        (long.uniform_(0.0, 1.0).err(), "\"check_uniform_bounds\" not implemented for 'Long'"),
        (long.normal_(0.0, 1.0).err(), "\"normal_kernel_cpu\" not implemented for 'Long'"),
        (
            long.cauchy_(0.0, 1.0).err(),
            "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you specified long int",
        ),
        (
            long.exponential_(1.0).err(),
            "Exponential distribution is a continuous probability distribution. dtype must be a floating point but you specified Long",
        ),
        (long.dropout_(0.5, true).err(), "result type Float can't be cast to the desired output type Long"),
        (long.bernoulli().err(), "\"bernoulli_tensor_cpu_p_\" not implemented for 'Long'"),
        (long.multinomial(1, true).err(), "multinomial only supports floating-point dtypes for input, got: Long"),
        (x.uniform_(2.0, 1.0).err(), "uniform_ expects to return a [from, to) range, but found from=2 > to=1"),
        (x.exponential_(-1.0).err(), "exponential_ expects lambda > 0.0, but found lambda=-1"),
        (x.dropout(1.5, true).err(), "dropout probability has to be between 0 and 1, but got 1.5"),
        (x.dropout2d(0.5, true).err(), "Feature dropout requires at least 2 dimensions in the input"),
        (Tensor::randint(5, 5, [3]).err(), "random_ expects 'from' to be less than 'to', but got from=5 >= to=5"),
        (Tensor::normal(&x, -1.0).err(), "normal expects std >= 0.0, but found std -1"),
        (Tensor::rand([-3]).err(), "Trying to create tensor with negative dimension -3: [-3]"),
    ];
    for (error, text) in cases {
        assert_eq!(error.map(|e| e.to_string()).as_deref(), Some(text));
    }
    assert_eq!(x.dropout(1.5, true).err().map(|e| e.kind()), Some(ErrorKind::Value));
    assert!(Tensor::zeros_with([0], DType::I64).unwrap().normal_(0.0, 1.0).is_ok());
}

#[test]
fn the_outer_generator_is_back_after_a_scope() {
    let outer = Generator::new().manual_seed(0);
    let drawn = outer.scope(|| {
        let first = Tensor::rand([1])?;
        Generator::new().manual_seed(9).scope(|| Tensor::rand([5]))?;
        Ok::<_, firebrick_core::Error>([first, Tensor::rand([1])?])
    });
    assert_eq!(drawn.unwrap().map(|x| x.item::<f32>().unwrap()), [0.4962566, 0.7682218]);
}
