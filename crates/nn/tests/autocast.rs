//! Autocast: which dtype every operation computes in, and the numbers of a training step, against PyTorch 2.15.
#![allow(clippy::unwrap_used)]

mod common;

use common::values;
use firebrick::amp::autocast;
use firebrick::nn::functional as F;
use firebrick::prelude::*;
use firebrick::{ConvOptions, Generator, Padding, Reduction, catch_warnings, linalg};

/// What an operation does under autocast to bfloat16.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Computes in bfloat16, but double precision stays.
    Lower,
    /// Computes in single precision at least.
    Single,
    /// Computes as its operands are.
    Same,
}

type Run = fn(DType) -> Result<Tensor>;

/// Ones of this shape.
fn a<const N: usize>(shape: [i64; N], dtype: DType) -> Result<Tensor> {
    Tensor::ones_with(shape, dtype)
}

/// A matrix that all factorizations take.
fn eye(dtype: DType) -> Result<Tensor> {
    Tensor::eye(2)?.to(dtype)
}

fn i(numbers: &[i64]) -> Result<Tensor> {
    Tensor::from_slice(numbers, [numbers.len()])
}

#[rustfmt::skip]
const CALLS: &[(&str, Kind, Run)] = &[
    ("mm", Kind::Lower, |d| a([2, 2], d)?.mm(&a([2, 2], d)?)),
    ("bmm", Kind::Lower, |d| a([1, 2, 2], d)?.bmm(&a([1, 2, 2], d)?)),
    ("matmul", Kind::Lower, |d| a([2, 2], d)?.matmul(&a([2, 2], d)?)),
    ("matmul of vectors", Kind::Lower, |d| a([2], d)?.matmul(&a([2], d)?)),
    ("matmul of a matrix and a vector", Kind::Lower, |d| a([2, 2], d)?.matmul(&a([2], d)?)),
    ("linear", Kind::Lower, |d| F::linear(&a([2, 2], d)?, &a([2, 2], d)?, Some(&a([2], d)?))),
    ("addmm", Kind::Lower, |d| a([2, 2], d)?.addmm(&a([2, 2], d)?, &a([2, 2], d)?, 1.0, 1.0)),
    ("baddbmm", Kind::Lower, |d| a([1, 2, 2], d)?.baddbmm(&a([1, 2, 2], d)?, &a([1, 2, 2], d)?, 1.0, 1.0)),
    ("addbmm", Kind::Lower, |d| a([2, 2], d)?.addbmm(&a([1, 2, 2], d)?, &a([1, 2, 2], d)?, 1.0, 1.0)),
    ("inner", Kind::Lower, |d| a([2, 2], d)?.inner(&a([2, 2], d)?)),
    ("multi_dot", Kind::Lower, |d| linalg::multi_dot(&[a([2, 2], d)?, a([2, 2], d)?, a([2, 2], d)?])),
    ("conv1d", Kind::Lower, |d| F::conv1d(&a([1, 1, 4], d)?, &a([1, 1, 2], d)?, None)),
    ("conv2d", Kind::Lower, |d| F::conv2d(&a([1, 1, 4, 4], d)?, &a([1, 1, 2, 2], d)?, None)),
    ("conv2d with same padding", Kind::Lower, |d| F::conv2d_with(&a([1, 1, 4, 4], d)?, &a([1, 1, 2, 2], d)?, None, &ConvOptions::new().padding(Padding::Same))),
    ("conv3d", Kind::Lower, |d| F::conv3d(&a([1, 1, 4, 4, 4], d)?, &a([1, 1, 2, 2, 2], d)?, None)),
    ("conv_tbc", Kind::Lower, |d| F::conv_tbc(&a([4, 1, 1], d)?, &a([2, 1, 1], d)?, &a([1], d)?, 0)),
    ("conv_transpose1d", Kind::Lower, |d| F::conv_transpose1d(&a([1, 1, 4], d)?, &a([1, 1, 2], d)?, None)),
    ("conv_transpose2d", Kind::Lower, |d| F::conv_transpose2d(&a([1, 1, 4, 4], d)?, &a([1, 1, 2, 2], d)?, None)),
    ("prelu", Kind::Lower, |d| F::prelu(&a([2], d)?, &a([1], d)?)),
    ("mv", Kind::Same, |d| a([2, 2], d)?.mv(&a([2], d)?)),
    ("dot", Kind::Same, |d| a([2], d)?.dot(&a([2], d)?)),
    ("outer", Kind::Same, |d| a([2], d)?.outer(&a([2], d)?)),
    ("bilinear", Kind::Same, |d| F::bilinear(&a([2, 2], d)?, &a([2, 2], d)?, &a([3, 2, 2], d)?, None)),
    ("softmax", Kind::Same, |d| F::softmax(&a([2, 2], d)?, -1)),
    ("layer_norm", Kind::Same, |d| F::layer_norm(&a([2, 2], d)?, [2])),
    ("sum", Kind::Same, |d| a([2], d)?.sum()),
    ("avg_pool2d", Kind::Same, |d| F::avg_pool2d(&a([1, 1, 4, 4], d)?, 2)),
    ("max_pool2d", Kind::Same, |d| F::max_pool2d(&a([1, 1, 4, 4], d)?, 2)),
    ("cosine_similarity", Kind::Same, |d| F::cosine_similarity(&a([2, 2], d)?, &a([2, 2], d)?, 1, 1e-8)),
    ("gelu", Kind::Same, |d| F::gelu(&a([2], d)?, "none")),
    ("multilabel_soft_margin_loss", Kind::Same, |d| F::multilabel_soft_margin_loss(&a([2, 2], d)?, &a([2, 2], d)?, None, Reduction::Mean)),
    ("prod", Kind::Single, |d| a([2], d)?.prod()),
    ("trace", Kind::Single, |d| a([2, 2], d)?.trace()),
    ("avg_pool3d", Kind::Single, |d| F::avg_pool3d(&a([1, 1, 4, 4, 4], d)?, 2)),
    ("max_pool3d", Kind::Single, |d| F::max_pool3d(&a([1, 1, 4, 4, 4], d)?, 2)),
    ("adaptive_avg_pool3d", Kind::Single, |d| F::adaptive_avg_pool3d(&a([1, 1, 4, 4, 4], d)?, 2)),
    ("adaptive_max_pool3d", Kind::Single, |d| F::adaptive_max_pool3d(&a([1, 1, 4, 4, 4], d)?, 2)),
    ("reflection padding", Kind::Single, |d| F::pad_with(&a([1, 1, 4], d)?, [1, 1], &F::PadOptions::new().mode(F::PadMode::Reflect))),
    ("replication padding", Kind::Single, |d| F::pad_with(&a([1, 1, 4, 4], d)?, [1, 1, 1, 1], &F::PadOptions::new().mode(F::PadMode::Replicate))),
    ("circular padding", Kind::Same, |d| F::pad_with(&a([1, 1, 4], d)?, [1, 1], &F::PadOptions::new().mode(F::PadMode::Circular))),
    ("grid_sample", Kind::Single, |d| F::grid_sample(&a([1, 1, 2, 2], d)?, &a([1, 2, 2, 2], d)?)),
    ("mse_loss", Kind::Single, |d| F::mse_loss(&a([2], d)?, &a([2], d)?)),
    ("l1_loss", Kind::Single, |d| F::l1_loss(&a([2], d)?, &a([2], d)?)),
    ("smooth_l1_loss", Kind::Single, |d| F::smooth_l1_loss(&a([2], d)?, &a([2], d)?)),
    ("huber_loss", Kind::Single, |d| F::huber_loss(&a([2], d)?, &a([2], d)?)),
    ("binary_cross_entropy", Kind::Single, |d| F::binary_cross_entropy(&a([2], d)?, &a([2], d)?)),
    ("binary_cross_entropy_with_logits", Kind::Single, |d| F::binary_cross_entropy_with_logits(&a([2], d)?, &a([2], d)?)),
    ("cross_entropy", Kind::Single, |d| F::cross_entropy(&a([2, 2], d)?, &i(&[0, 1])?)),
    ("nll_loss", Kind::Single, |d| F::nll_loss(&a([2, 2], d)?, &i(&[0, 1])?)),
    ("kl_div", Kind::Single, |d| F::kl_div(&a([2], d)?, &a([2], d)?)),
    ("cosine_embedding_loss", Kind::Single, |d| F::cosine_embedding_loss(&a([2, 2], d)?, &a([2, 2], d)?, &a([2], d)?, 0.0, Reduction::Mean)),
    ("hinge_embedding_loss", Kind::Single, |d| F::hinge_embedding_loss(&a([2], d)?, &a([2], d)?, 1.0, Reduction::Mean)),
    ("margin_ranking_loss", Kind::Single, |d| F::margin_ranking_loss(&a([2], d)?, &a([2], d)?, &a([2], d)?, 0.0, Reduction::Mean)),
    ("soft_margin_loss", Kind::Single, |d| F::soft_margin_loss(&a([2], d)?, &a([2], d)?, Reduction::Mean)),
    ("multi_margin_loss", Kind::Single, |d| nn::MultiMarginLoss::new().call((a([2, 2], d)?, i(&[0, 1])?))),
    ("triplet_margin_loss", Kind::Single, |d| nn::TripletMarginLoss::new().call((a([2, 2], d)?, a([2, 2], d)?, a([2, 2], d)?))),
    ("poisson_nll_loss", Kind::Single, |d| nn::PoissonNLLLoss::new().call((a([2], d)?, a([2], d)?))),
    ("cdist", Kind::Single, |d| a([2, 2], d)?.cdist(&a([2, 2], d)?, 2.0, "use_mm_for_euclid_dist")),
    ("cholesky", Kind::Single, |d| linalg::cholesky(&eye(d)?, false)),
    ("inv", Kind::Single, |d| linalg::inv(&eye(d)?)),
    ("solve", Kind::Single, |d| linalg::solve(&eye(d)?, &eye(d)?, true)),
];

#[test]
fn every_operation_computes_in_the_dtype_it_has_in_pytorch() -> Result<()> {
    let (single, double, brain) = (DType::F32, DType::F64, DType::BF16);
    let mut wrong = Vec::new();
    for &(name, kind, call) in CALLS {
        let expected = match kind {
            Kind::Lower => [(single, brain), (brain, brain), (double, double)],
            Kind::Single => [(single, single), (brain, single), (double, double)],
            Kind::Same => [(single, single), (brain, brain), (double, double)],
        };
        for (given, expected) in expected {
            match autocast(Device::Cpu).scope(|| call(given)) {
                Ok(y) if y.dtype() == expected => {}
                Ok(y) => wrong.push(format!("{name} of {given} gives {}, expected {expected}", y.dtype())),
                Err(error) => wrong.push(format!("{name} of {given}: {error}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

fn close(got: &Tensor, expected: &[f32]) {
    let got = values(&got.detach().to(DType::F32).unwrap());
    // Two units in the last place of bfloat16.
    let same = got.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 0.016 * b.abs() + 1e-6);
    assert!(same && got.len() == expected.len(), "got {got:?}, expected {expected:?}");
}

#[test]
fn a_training_step_has_pytorchs_numbers_and_gradients_in_single_precision() -> Result<()> {
    let model = Generator::new().manual_seed(0).scope(|| {
        Ok::<_, Error>(
            nn::Sequential::new().add(nn::Linear::new(3, 4)?).add(nn::ReLU::new()).add(nn::Linear::new(4, 2)?),
        )
    })?;
    let x = Tensor::arange(6.0)?.reshape([2, 3])?.div(5.0)?;
    let (y, loss) = autocast(Device::Cpu).scope(|| {
        let y = model.call(&x)?;
        let loss = F::mse_loss(&y, &Tensor::ones([2, 2])?)?;
        Ok((y, loss))
    })?;
    assert_eq!((y.dtype(), loss.dtype()), (DType::BF16, DType::F32));
    close(&y, &[-0.080_566_41, 0.052_978_52, -0.104_003_9, 0.045_898_44]);
    close(&loss, &[1.048_402]);
    loss.backward()?;
    let grad = model.get_parameter("0.weight")?.grad().unwrap();
    assert_eq!(grad.dtype(), DType::F32);
    close(&grad, &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.142_578_1, 0.189_453_1, 0.236_328_1, 0.0, 0.0, 0.0]);
    close(&model.get_parameter("2.bias")?.grad().unwrap(), &[-1.093_75, -0.949_218_8]);
    Ok(())
}

#[test]
fn an_lstm_runs_in_the_lower_dtype() -> Result<()> {
    let lstm = Generator::new().manual_seed(0).scope(|| nn::LSTM::new(2, 3))?;
    let call = || -> Result<(Tensor, (Tensor, Tensor))> { lstm.call(Tensor::ones([2, 1, 2])?) };
    let (output, (_, cell)) = autocast(Device::Cpu).scope(call)?;
    assert_eq!((output.dtype(), cell.dtype()), (DType::BF16, DType::BF16));
    close(&output, &[-0.269_531_2, -0.124_023_4, 0.074_218_75, -0.388_671_9, -0.192_382_8, 0.118_164_1]);
    let gru = nn::GRU::new(2, 3)?;
    let call = || -> Result<(Tensor, Tensor)> { gru.call(Tensor::ones([2, 1, 2])?) };
    assert_eq!(autocast(Device::Cpu).scope(call)?.0.dtype(), DType::F32);
    Ok(())
}

#[test]
fn stretches_nest_and_end() -> Result<()> {
    let x = Tensor::ones([2, 2])?;
    let dtype = || x.mm(&x).map(|y| y.dtype());
    let half = autocast(Device::Cpu).dtype(DType::F16);
    half.scope(|| {
        assert_eq!(dtype()?, DType::F16);
        // The dtype of the stretch around it.
        autocast(Device::Cpu).scope(|| dtype().map(|inner| assert_eq!(inner, DType::F16)))?;
        autocast(Device::Cpu).enabled(false).scope(|| dtype().map(|inner| assert_eq!(inner, DType::F32)))?;
        assert_eq!(dtype()?, DType::F16);
        assert!(half.scope(|| Err::<(), _>(Error::runtime("test", "left early"))).is_err());
        assert_eq!(dtype()?, DType::F16);
        Ok(())
    })?;
    assert_eq!(dtype()?, DType::F32);
    let (double, warnings) = catch_warnings(|| autocast(Device::Cpu).dtype(DType::F64).scope(dtype));
    assert_eq!(double?, DType::F32);
    assert_eq!(warnings.len(), 1);
    assert!(autocast(Device::Mock(0)).enter().is_err());
    Ok(())
}

#[test]
fn parameters_are_cast_once_and_again_when_they_change() -> Result<()> {
    let w = Parameter::new(Tensor::ones([2, 2])?);
    let x = Tensor::ones([2, 2])?;
    let of = |caches: bool| {
        autocast(Device::Cpu).cache_enabled(caches).scope(|| {
            let unrecorded = autograd::no_grad(|| x.mm(&w))?;
            let first = x.mm(&w)?;
            autograd::no_grad(|| w.add_(1.0).map(drop))?;
            Ok((unrecorded, first, x.mm(&w)?))
        })
    };
    for caches in [true, false] {
        nn::init::ones_(&w)?;
        let (unrecorded, first, second) = of(caches)?;
        assert!(!unrecorded.requires_grad() && first.requires_grad());
        close(&first, &[2.0; 4]);
        close(&second, &[4.0; 4]);
        second.sum()?.backward()?;
        assert_eq!(w.grad().map(|g| g.dtype()), Some(DType::F32));
    }
    Ok(())
}

#[test]
fn in_place_operations_keep_the_dtype_of_their_target() -> Result<()> {
    let x = Tensor::ones([2, 2])?;
    autocast(Device::Cpu).scope(|| {
        x.addmm_(&x.copy()?, &x.copy()?, 1.0, 1.0)?;
        // And what follows is cast again.
        x.mm(&x).map(|y| assert_eq!(y.dtype(), DType::BF16))
    })?;
    assert_eq!((x.dtype(), values(&x)), (DType::F32, vec![3.0; 4]));
    Ok(())
}

#[test]
fn joined_tensors_take_the_widest_dtype() -> Result<()> {
    let [single, brain, half] = [DType::F32, DType::BF16, DType::F16].map(|d| Tensor::ones_with([1], d));
    let (single, brain, half) = (single?, brain?, half?);
    autocast(Device::Cpu).scope(|| {
        assert_eq!(Tensor::cat(&[&brain, &single], 0)?.dtype(), DType::F32);
        assert_eq!(Tensor::stack(&[&single, &half], 0)?.dtype(), DType::F32);
        assert_eq!(single.index_copy(0, &i(&[0])?, &brain)?.dtype(), DType::F32);
        let refused = Tensor::cat(&[&half, &brain], 0).unwrap_err();
        assert_eq!(refused.to_string(), "Unexpected floating ScalarType in at::autocast::prioritize");
        Ok(())
    })
}
