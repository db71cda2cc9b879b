//! SGD, Adam and AdamW against PyTorch 2.15.

use firebrick::prelude::*;
use firebrick::{Value, accelerator};
use optim::{ASGD, Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, NAdam, ParamGroup, RAdam, RMSprop, Rprop, SGD};

const GRADS: [[f64; 3]; 5] =
    [[1.0, -2.0, 0.5], [0.25, 3.0, -1.0], [-4.0, 0.125, 2.0], [0.0, 1.0, -0.75], [0.5, -0.5, 8.0]];

type Build = fn(&[Tensor]) -> Result<Box<dyn Optimizer>>;

/// Optimizers, and the parameter `[0.5, -1.5, 2.0]` after the five gradients, by PyTorch in float64.
fn cases() -> Vec<(Build, [f64; 3])> {
    vec![
        (|p| Ok(Box::new(SGD::new(p, 0.1).build()?)), [0.725, -1.6625, 1.1249999999999998]),
        (
            |p| Ok(Box::new(SGD::new(p, 0.1).momentum(0.9).build()?)),
            [1.038515, -1.8865550000000002, 0.9396449999999996],
        ),
        (
            |p| Ok(Box::new(SGD::new(p, 0.1).momentum(0.9).dampening(0.3).weight_decay(0.05).build()?)),
            [0.7310879782408373, -1.4523579756478309, 1.095431374465871],
        ),
        (
            |p| {
                let sgd = SGD::new(p, 0.1).momentum(0.9).nesterov(true).weight_decay(0.01).maximize(true);
                Ok(Box::new(sgd.build()?))
            },
            [-0.217849432635323, -0.9642387564147484, 3.7943416634105076],
        ),
        (|p| Ok(Box::new(Adam::new(p, 0.01).build()?)), [0.49253170701607407, -1.4998416772924095, 1.9824279768110253]),
        (
            |p| Ok(Box::new(Adam::new(p, 0.01).amsgrad(true).weight_decay(0.1).build()?)),
            [0.49172058588318823, -1.4969506398026131, 1.9768980893984143],
        ),
        (
            |p| Ok(Box::new(Adam::new(p, 0.01).maximize(true).betas((0.3, 0.6)).eps(1e-3).build()?)),
            [0.5038673714770829, -1.4947899941117169, 2.019504046403824],
        ),
        (
            |p| Ok(Box::new(RMSprop::new(p, 0.01).build()?)),
            [0.4603825659398847, -1.5003760335871703, 1.8375784081775726],
        ),
        (
            |p| Ok(Box::new(RMSprop::new(p, 0.01).momentum(0.9).centered(true).weight_decay(0.1).alpha(0.8).build()?)),
            [0.429002001158618, -1.4691404754799156, 1.884381372870191],
        ),
        (
            |p| Ok(Box::new(RMSprop::new(p, 0.01).centered(true).maximize(true).eps(0.1).build()?)),
            [0.4941515571767297, -1.4882405113534245, 2.1109584330725175],
        ),
        (|p| Ok(Box::new(Adagrad::new(p, 0.1).build()?)), [0.4605660073711504, -1.5001429787647311, 1.837517507068868]),
        (
            |p| {
                Ok(Box::new(
                    Adagrad::new(p, 0.1)
                        .lr_decay(0.2)
                        .weight_decay(0.1)
                        .initial_accumulator_value(0.5)
                        .maximize(true)
                        .build()?,
                ))
            },
            [0.5301193345848477, -1.5040582239624094, 2.053811561276076],
        ),
        (|p| Ok(Box::new(Adadelta::new(p, 1.0).build()?)), [0.4992856563277142, -1.50161900094991, 1.9905794960135934]),
        (
            |p| Ok(Box::new(Adadelta::new(p, 0.5).rho(0.7).eps(1e-3).weight_decay(0.1).maximize(true).build()?)),
            [0.506758545768775, -1.4747012824112633, 2.0691058787604715],
        ),
        (
            |p| Ok(Box::new(Adamax::new(p, 0.01).build()?)),
            [0.4897816278147944, -1.4967368557449114, 1.9866302051033102],
        ),
        (
            |p| Ok(Box::new(Adamax::new(p, 0.01).betas((0.4, 0.7)).weight_decay(0.1).maximize(true).build()?)),
            [0.5061904009237779, -1.4926400145331946, 2.012402901053988],
        ),
        (
            |p| Ok(Box::new(NAdam::new(p, 0.01).build()?)),
            [0.49656599133736457, -1.5007029231326792, 1.9791441260677887],
        ),
        (
            |p| {
                Ok(Box::new(
                    NAdam::new(p, 0.01)
                        .momentum_decay(0.1)
                        .weight_decay(0.1)
                        .decoupled_weight_decay(true)
                        .maximize(true)
                        .build()?,
                ))
            },
            [0.5009359153940032, -1.4918180887782688, 2.0107111414869707],
        ),
        (|p| Ok(Box::new(RAdam::new(p, 0.01).build()?)), [0.5072915714918967, -1.500183874386987, 1.9697193714198775]),
        (
            |p| {
                Ok(Box::new(
                    RAdam::new(p, 0.01).betas((0.5, 0.9)).weight_decay(0.1).decoupled_weight_decay(true).build()?,
                ))
            },
            [0.5149865720981808, -1.5020805720249901, 1.9389731999789102],
        ),
        (
            |p| Ok(Box::new(RAdam::new(p, 0.01).betas((0.5, 0.8)).weight_decay(0.1).maximize(true).build()?)),
            [0.4800125156357875, -1.4829390097217068, 2.041067645636169],
        ),
        (|p| Ok(Box::new(ASGD::new(p, 0.1).build()?)), [0.7249674237831744, -1.6624195607646461, 1.1249268310100218]),
        (
            |p| Ok(Box::new(ASGD::new(p, 0.1).lambd(0.1).alpha(0.5).t0(2).weight_decay(0.1).maximize(true).build()?)),
            [0.23656386613093366, -1.2012179064831958, 2.66440892043867],
        ),
        (|p| Ok(Box::new(Rprop::new(p, 0.1).build()?)), [0.22000000000000003, -1.51, 1.825]),
        (
            |p| Ok(Box::new(Rprop::new(p, 0.1).etas((0.3, 1.5)).step_sizes((0.05, 0.12)).maximize(true).build()?)),
            [0.77, -1.475, 2.1999999999999997],
        ),
        (
            |p| Ok(Box::new(Adafactor::new(p, 0.1).build()?)),
            [0.4538800325452923, -1.5498834745959758, 1.6800256999550027],
        ),
        (
            |p| {
                Ok(Box::new(
                    Adafactor::new(p, 0.1)
                        .beta2_decay(-0.5)
                        .d(2.0)
                        .weight_decay(0.1)
                        .eps(Some(1e-3), 0.5)
                        .maximize(true)
                        .build()?,
                ))
            },
            [0.5405941133423504, -1.349588209588794, 2.1616631640516615],
        ),
        (|p| Ok(Box::new(AdamW::new(p, 0.01).build()?)), [0.4922869552332984, -1.4990943327369366, 1.9814320630533406]),
        (
            |p| Ok(Box::new(AdamW::new(p, 0.01).amsgrad(true).weight_decay(0.2).maximize(true).build()?)),
            [0.5023864683242045, -1.4851682849864611, 1.9975743400239077],
        ),
    ]
}

fn leaf(values: &[f64], dtype: DType) -> Result<Tensor> {
    let tensor = Tensor::from_slice(values, [values.len()])?.to(dtype)?;
    tensor.requires_grad_(true)?;
    Ok(tensor)
}

fn close(got: &Tensor, expected: &[f64], tolerance: f64) -> Result<()> {
    for (got, expected) in got.to_vec::<f64>()?.iter().zip(expected) {
        assert!((got - expected).abs() <= tolerance * expected.abs().max(1.0), "{got} is not {expected}");
    }
    Ok(())
}

/// Runs the five steps on tensors of `dtype`, after `prepare` has had the parameter.
fn run(build: Build, dtype: DType, prepare: impl Fn(&Tensor, usize) -> Result<()>) -> Result<Tensor> {
    let param = leaf(&[0.5, -1.5, 2.0], dtype)?;
    let mut optimizer = build(std::slice::from_ref(&param))?;
    for (step, grad) in GRADS.iter().enumerate() {
        prepare(&param, step)?;
        param.set_grad(Some(&Tensor::new(*grad)?.to((param.device(), dtype))?))?;
        optimizer.step()?;
    }
    Ok(param)
}

#[test]
fn steps_are_pytorch_s() -> Result<()> {
    for (build, expected) in cases() {
        close(&run(build, DType::F64, |_, _| Ok(()))?, &expected, 1e-15)?;
        close(&run(build, DType::F32, |_, _| Ok(()))?, &expected, 5e-7)?;
        close(&run(build, DType::F16, |_, _| Ok(()))?, &expected, 5e-3)?;
        close(&run(build, DType::BF16, |_, _| Ok(()))?, &expected, 5e-2)?;
    }
    Ok(())
}

#[test]
fn state_follows_a_parameter_to_another_device_and_dtype() -> Result<()> {
    accelerator::enable_mock(1);
    for (build, expected) in cases() {
        let moved = run(build, DType::F64, |param, step| match step {
            2 => param.set_data(&param.detach().to(Device::Mock(0))?),
            _ => Ok(()),
        })?;
        assert_eq!(moved.device(), Device::Mock(0));
        close(&moved, &expected, 1e-15)?;
    }
    Ok(())
}

#[test]
fn parameters_in_one_pass_do_not_mix() -> Result<()> {
    // Sizes around the kernels' tiles and grains, in one optimizer and each in its own.
    let sizes = [1, 255, 256, 257, 8191, 40_000, 3];
    let make = || sizes.iter().map(|&n| leaf(&(0..n).map(|i| (i as f64).sin()).collect::<Vec<_>>(), DType::F32));
    let (together, apart) = (make().collect::<Result<Vec<_>>>()?, make().collect::<Result<Vec<_>>>()?);
    let mut one = Adam::new(&together, 0.01).build()?;
    let mut each = apart.iter().map(|p| Adam::new([p], 0.01).build()).collect::<Result<Vec<_>>>()?;
    for _ in 0..3 {
        for param in together.iter().chain(&apart) {
            param.set_grad(Some(&autograd::no_grad(|| param.mul(3.0))?))?;
        }
        one.step()?;
        each.iter_mut().try_for_each(Adam::step)?;
    }
    for (a, b) in together.iter().zip(&apart) {
        assert_eq!(a.to_vec::<f32>()?, b.to_vec::<f32>()?);
    }
    Ok(())
}

#[test]
fn layouts_and_shared_memory_give_the_same_numbers() -> Result<()> {
    let start = Tensor::new([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]])?;
    let grad = Tensor::new([[0.5f32, -1.0, 2.0], [1.0, 0.25, -4.0]])?;
    let plain = Parameter::new(start.copy()?);
    let columns = Parameter::new(start.t()?.contiguous()?.t()?);
    // Two parameters that are one piece of memory: the second update sees the first one's result.
    let (first, second) = (Parameter::new(start.copy()?), start.copy()?);
    let alias = Parameter::new(first.detach());
    let twice = Parameter::new(second);
    let mut optimizer = SGD::new([&plain, &columns, &first, &alias], 0.1).weight_decay(0.5).build()?;
    for param in [&plain, &columns, &first, &alias, &twice] {
        param.set_grad(Some(&grad))?;
    }
    optimizer.step()?;
    let mut again = SGD::new([&twice], 0.1).weight_decay(0.5).build()?;
    again.step()?;
    again.step()?;
    assert_eq!(columns.to_vec::<f32>()?, plain.to_vec::<f32>()?);
    assert_eq!(first.to_vec::<f32>()?, twice.to_vec::<f32>()?);
    Ok(())
}

#[test]
fn parameters_without_gradient_are_skipped() -> Result<()> {
    let (a, b) = (leaf(&[1.0], DType::F32)?, leaf(&[2.0], DType::F32)?);
    let mut optimizer = Adam::new([&a, &b], 0.1).build()?;
    a.set_grad(Some(&Tensor::new([1.0f32])?))?;
    let version = a.version()?;
    optimizer.step()?;
    assert!(optimizer.state(&a).is_some() && optimizer.state(&b).is_none());
    assert_eq!(b.item::<f32>()?, 2.0);
    assert!(a.version()? > version);
    assert!(a.is_leaf() && a.requires_grad());
    Ok(())
}

#[test]
fn a_step_between_forward_and_backward_is_noticed() -> Result<()> {
    let w = leaf(&[3.0], DType::F32)?;
    let mut optimizer = SGD::new([&w], 0.1).build()?;
    let loss = w.mul(&w)?.sum()?;
    w.set_grad(Some(&Tensor::new([1.0f32])?))?;
    optimizer.step()?;
    let error = loss.backward().expect_err("the saved value was changed");
    assert!(error.to_string().contains("modified by an inplace operation"), "{error}");
    Ok(())
}

#[test]
fn handles_stay_linked_through_lazy_initialization_and_new_data() -> Result<()> {
    let lazy = Parameter::uninitialized(DType::F32, Device::Cpu)?;
    let mut optimizer = SGD::new([&lazy], 0.5).momentum(0.9).build()?;
    optimizer.zero_grad()?;
    optimizer.step()?;
    lazy.set_data(&Tensor::new([1.0f32, 2.0])?)?;
    lazy.sum()?.backward()?;
    optimizer.step()?;
    assert_eq!(lazy.to_vec::<f32>()?, [0.5, 1.5]);
    Ok(())
}

#[test]
fn zero_grad_clears_or_zeroes() -> Result<()> {
    let p = leaf(&[1.0], DType::F32)?;
    let grad = Tensor::new([2.0f32])?;
    p.set_grad(Some(&grad))?;
    let optimizer = SGD::new([&p], 0.1).build()?;
    optimizer.zero_grad_with(false)?;
    assert_eq!(grad.item::<f32>()?, 0.0);
    optimizer.zero_grad()?;
    assert!(p.grad().is_none());
    Ok(())
}

#[test]
fn step_with_returns_the_closure_s_loss() -> Result<()> {
    let p = leaf(&[1.0], DType::F32)?;
    let mut optimizer = SGD::new([&p], 0.1).build()?;
    let loss = autograd::no_grad(|| {
        optimizer.step_with(&mut || {
            let loss = p.mul(7.0)?.sum()?;
            loss.backward()?;
            Ok(loss)
        })
    })?;
    assert_eq!(loss.item::<f32>()?, 7.0);
    close(&p, &[0.3], 1e-6)
}

#[test]
fn mismatched_gradients_change_nothing() -> Result<()> {
    let (a, b) = (leaf(&[1.0], DType::F32)?, leaf(&[2.0, 3.0], DType::F32)?);
    let mut optimizer = SGD::new([&a, &b], 0.1).build()?;
    for p in [&a, &b] {
        p.set_grad(Some(&p.ones_like()?))?;
    }
    b.set_data(&Tensor::zeros([3])?)?;
    assert!(optimizer.step().is_err());
    assert_eq!(a.item::<f32>()?, 1.0);
    Ok(())
}

#[test]
fn groups_have_their_own_options() -> Result<()> {
    let (a, b) = (leaf(&[1.0], DType::F64)?, leaf(&[1.0], DType::F64)?);
    let groups = [ParamGroup::new([&a]).weight_decay(0.5), ParamGroup::new([&b]).lr(0.25)];
    let mut optimizer = SGD::new(groups, 0.5).build()?;
    for p in [&a, &b] {
        p.set_grad(Some(&p.ones_like()?))?;
    }
    optimizer.step()?;
    close(&a, &[0.25], 1e-15)?;
    close(&b, &[0.75], 1e-15)?;
    optimizer.param_groups_mut()[0].set_lr(0.0)?;
    optimizer.step()?;
    close(&a, &[0.25], 1e-15)?;
    assert_eq!(optimizer.param_groups()[1].get("momentum").and_then(Value::as_i64), Some(0));
    Ok(())
}

/// Each part of a complex parameter is one of its own.
#[test]
fn complex_parameters_take_pytorchs_steps() -> Result<()> {
    for (build, _) in cases() {
        let parts = [[1.0, 2.0], [-0.5, 0.25]];
        let (real, complex) = (Tensor::new(parts)?, Tensor::new(parts)?.view_as_complex()?.copy()?);
        let (real, complex) = (Parameter::new(real), Parameter::new(complex));
        let mut both = [build(&[(*real).clone()])?, build(&[(*complex).clone()])?];
        if both[1].name() == "Adafactor" {
            complex.set_grad(Some(&complex.detach()))?;
            let refusal = both[1].step().err().map(|error| error.to_string());
            assert_eq!(refusal.as_deref(), Some("Adafactor does not support complex parameters"));
            continue;
        }
        for _ in 0..3 {
            real.set_grad(Some(&real.detach().mul(2.0)?))?;
            complex.set_grad(Some(&complex.detach().mul(2.0)?))?;
            both.iter_mut().try_for_each(|optimizer| optimizer.step())?;
        }
        assert!(complex.detach().view_as_real()?.equal(&real)?, "{}", both[0].repr());
    }
    Ok(())
}
