//! Initialization. Expected numbers are PyTorch 2.15's after `torch.manual_seed(0)`.
#![allow(clippy::unwrap_used)]

use firebrick_core::{DType, ErrorKind, Generator, Parameter, Result, Tensor, TensorOptions};
use firebrick_nn::init::{self, FanMode, Nonlinearity};

fn drawn(shape: &[usize], dtype: DType, f: impl FnOnce(&Tensor) -> Result<&Tensor>) -> Vec<f32> {
    let weight = Tensor::empty_with(shape, TensorOptions::from(dtype)).unwrap();
    Generator::new().manual_seed(0).scope(|| f(&weight).map(drop)).unwrap();
    weight.to_vec().unwrap()
}

#[test]
fn xavier_normal_counts_the_kernel_in_both_fans() {
    let expected = [
        0.629109,
        -0.11979185,
        -0.889487,
        0.2320611,
        -0.4427544,
        -0.5709742,
        0.16466565,
        0.34212282,
        -0.29363567,
        -0.1646643,
        -0.24357536,
        0.074316084,
    ];
    assert_eq!(drawn(&[2, 2, 3], DType::F32, |w| init::xavier_normal_(w, 1.0)), expected);
}

#[test]
fn a_narrow_truncation_rejects_by_density() {
    fn narrow(w: &Tensor) -> Result<&Tensor> {
        init::trunc_normal_(w, 0.0, 1.0, 0.5, 0.6)
    }
    assert_eq!(drawn(&[4], DType::F32, narrow), [0.5496257, 0.5768222, 0.5088478, 0.513203]);
    assert_eq!(drawn(&[4], DType::BF16, narrow), [0.55078125, 0.578125, 0.5078125, 0.51171875]);
}

#[test]
fn a_wide_truncation_draws_whole_fills_again() {
    let expected = [
        -0.343_261_72,
        0.031_585_693,
        -0.250_488_28,
        -0.433_837_9,
        -0.093_322_754,
        0.118_347_17,
        0.566_894_53,
        0.177_856_45,
        0.598_632_8,
        -0.391_845_7,
        -0.341_308_6,
        -0.395_263_67,
        -0.446_289_06,
        -0.463_623_05,
        -0.173_339_84,
        0.183_471_68,
        0.123_901_37,
        0.314_697_27,
        0.033_538_82,
        0.385_253_9,
    ];
    assert_eq!(drawn(&[20], DType::F16, |w| init::trunc_normal_(w, 0.0, 1.0, -0.5, 0.6)), expected);
}

#[test]
fn sparse_zeroes_a_share_of_every_column() {
    let expected = [
        0.0,
        0.0,
        -0.021787893,
        0.0,
        0.0,
        0.0,
        0.0,
        0.008380263,
        -0.007192576,
        -0.004033435,
        -0.0059663537,
        0.0018203649,
    ];
    assert_eq!(drawn(&[6, 2], DType::F32, |w| init::sparse_(w, 0.4, 0.01)), expected);
}

#[test]
fn an_orthogonal_matrix_is_lapacks_up_to_rounding() {
    let expected = [0.5349525, -0.16993009, -0.7563608, 0.34018382, -0.37648898, -0.9248777];
    let got = drawn(&[3, 2], DType::F32, |w| init::orthogonal_(w, 1.0));
    assert!(got.iter().zip(expected).all(|(a, b): (_, f32)| (a - b).abs() < 3e-7), "{got:?}");
}

#[test]
fn a_parameter_that_requires_grad_is_written_without_history() {
    let weight = Parameter::new(Tensor::empty([4, 3]).unwrap());
    init::kaiming_normal_(&weight, 0.0, FanMode::FanOut, Nonlinearity::Relu).unwrap();
    init::orthogonal_(&weight, 2.0).unwrap();
    assert!(weight.requires_grad() && weight.is_leaf());
}

#[test]
fn refusals_are_pytorchs() {
    let vector = Tensor::empty([3]).unwrap();
    let cases = [
        (
            init::xavier_uniform_(&vector, 1.0).err(),
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions",
        ),
        (init::eye_(&vector).err(), "Only tensors with 2 dimensions are supported"),
        (init::dirac_(&vector, 1).err(), "Only tensors with 3, 4, or 5 dimensions are supported"),
        (init::orthogonal_(&vector, 1.0).err(), "Only tensors with 2 or more dimensions are supported"),
        ("swish".parse::<Nonlinearity>().err(), "Unsupported nonlinearity swish"),
        ("fan_sum".parse::<FanMode>().err(), "Mode fan_sum not supported, please use one of ['fan_in', 'fan_out']"),
    ];
    for (error, text) in cases {
        let error = error.unwrap();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Value, text));
    }
}
