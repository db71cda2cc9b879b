//! Every failure that the doctor knows, seeded in a model, is found under its name; see `healthy.rs` for the opposite.
#![allow(clippy::unwrap_used)]

use firebrick::doctor::{FindingKind as Kind, Report, doctor, traced, watch};
use firebrick::nn::functional as F;
use firebrick::prelude::*;
use firebrick::{Generator, accelerator, catch_warnings};

/// What `forward` does with the features between the two parts.
#[derive(Clone, Copy, PartialEq)]
enum Between {
    Nothing,
    Detach,
    Argmax,
    NoGrad,
}

/// A convolution with its norm, and a head of two layers.
#[derive(Module)]
struct Net {
    core: Core,
    conv: nn::Conv2d,
    norm: nn::BatchNorm2d,
    head: nn::Sequential,
    spare: Option<nn::Linear>,
    #[module(skip)]
    between: Between,
}

impl Net {
    fn new(between: Between) -> Result<Self> {
        let head = nn::Sequential::new().add(nn::Linear::new(64, 8)?).add(nn::ReLU::new()).add(nn::Linear::new(8, 3)?);
        let (conv, norm) = (nn::Conv2d::builder(1, 4, 3).bias(false).build()?, nn::BatchNorm2d::new(4)?);
        Ok(Net { core: Core::new(), conv, norm, head, spare: None, between })
    }

    fn features(&self, x: Tensor) -> Result<Tensor> {
        self.norm.call(self.conv.call(x)?)?.relu()?.flatten(1, -1)
    }
}

impl nn::Forward for Net {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let x = match self.between {
            Between::Nothing => self.features(x)?,
            Between::Detach => self.features(x)?.detach(),
            Between::Argmax => self.features(x)?.argmax_dim(0, true)?.to(DType::F32)?.expand([5, 64])?,
            Between::NoGrad => {
                let features = self.features(x)?;
                autograd::no_grad(|| features.mul(2.0))?
            }
        };
        self.head.call(x)
    }
}

fn seeded<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    Generator::new().manual_seed(3).scope(f)
}

fn adam(model: &Net) -> Result<optim::Adam> {
    optim::Adam::new(model.parameters(), 1e-3).build()
}

fn backward(model: &Net) -> Result<()> {
    let x = Tensor::randn([5, 1, 6, 6])?;
    F::cross_entropy(&model.call(x)?, &Tensor::new([0i64, 1, 2, 0, 1])?)?.backward()
}

/// The texts of the findings of one kind at a path.
fn texts(report: &Report, kind: Kind, path: &str) -> Vec<String> {
    report.of(kind).filter(|finding| finding.path == path).map(|finding| finding.text.clone()).collect()
}

#[track_caller]
fn the_one(report: &Report, kind: Kind, path: &str) -> String {
    let found = texts(report, kind, path);
    assert_eq!(found.len(), 1, "{kind:?} at {path:?} in {report}");
    found[0].clone()
}

/// Everything found after one pass of a model whose fault `seed` makes.
fn report_of(seed: impl FnOnce(&mut Net) -> Result<()>) -> Result<Report> {
    seeded(|| {
        let mut model = Net::new(Between::Nothing)?;
        let optimizer = adam(&model)?;
        seed(&mut model)?;
        backward(&model)?;
        doctor(&model, &optimizer)
    })
}

#[test]
fn a_cut_path_is_named_with_operation_module_and_line() -> Result<()> {
    let text = |between| {
        seeded(|| {
            let model = Net::new(between)?;
            let (_, report) = traced(&model, &adam(&model)?, || backward(&model))?;
            assert_eq!(report.findings().len(), 3, "{report}");
            Ok([the_one(&report, Kind::NoGradient, "conv.weight"), the_one(&report, Kind::NoGradient, "norm.bias")])
        })
    };
    for text in text(Between::Detach)? {
        assert!(text.contains("cut by `detach` in Net at") && text.contains("tests/doctor.rs:"), "{text}");
    }
    for text in text(Between::Argmax)? {
        assert!(text.contains("ends at `argmax` in Net at") && text.contains("no gradient"), "{text}");
    }
    for text in text(Between::NoGrad)? {
        assert!(text.contains("`no_grad` around `mul` in Net at") && text.contains("tests/doctor.rs:"), "{text}");
    }
    Ok(())
}

#[test]
fn a_result_that_leads_nowhere_is_named() -> Result<()> {
    seeded(|| {
        let mut model = Net::new(Between::Nothing)?;
        model.spare = Some(nn::Linear::new(64, 2)?);
        let (_, report) = traced(&model, &adam(&model)?, || {
            let x = Tensor::randn([5, 1, 6, 6])?;
            let features = model.features(x)?;
            let unused = model.spare.as_ref().map(|spare| spare.call(&features)).transpose()?;
            drop(unused);
            model.head.call(features)?.square()?.mean()?.backward()
        })?;
        let text = the_one(&report, Kind::NoGradient, "spare.weight");
        assert!(text.contains("AddmmBackward0") && text.contains("is no part of the loss"), "{text}");
        Ok(())
    })
}

#[test]
fn without_a_trace_it_says_whether_the_module_was_called() -> Result<()> {
    let report = report_of(|model| {
        model.spare = Some(nn::Linear::new(2, 2)?);
        Ok(())
    })?;
    let text = the_one(&report, Kind::NoGradient, "spare.weight");
    assert!(text.contains("its module was not called"), "{text}");
    let report = report_of(|model| {
        model.between = Between::Detach;
        Ok(())
    })?;
    let text = the_one(&report, Kind::NoGradient, "conv.weight");
    assert!(text.contains("though its module was called"), "{text}");
    Ok(())
}

#[test]
fn a_loss_without_gradients_is_one_finding() -> Result<()> {
    seeded(|| {
        let model = Net::new(Between::Nothing)?;
        let optimizer = adam(&model)?;
        let report = doctor(&model, &optimizer)?;
        assert!(the_one(&report, Kind::NoGradient, "").contains("call `backward`"));
        let (_, report) = traced(&model, &optimizer, || model.call(Tensor::ones([5, 1, 6, 6])?)?.detach().sum())?;
        assert!(the_one(&report, Kind::NoGradient, "").contains("cut by `detach` at"), "{report}");
        Ok(())
    })
}

#[test]
fn zero_nan_and_infinite_gradients() -> Result<()> {
    let report = report_of(|model| autograd::no_grad(|| model.norm.bias.as_ref().unwrap().fill_(-1e3).map(drop)))?;
    assert!(the_one(&report, Kind::ZeroGradient, "conv.weight").contains("never active"));
    let of = |value: f64| {
        seeded(|| {
            let model = Net::new(Between::Nothing)?;
            backward(&model)?;
            let grad = model.head.get_parameter("2.bias")?.grad().unwrap();
            grad.set(1, value)?;
            doctor(&model, &adam(&model)?)
        })
    };
    assert!(the_one(&of(f64::NAN)?, Kind::NanGradient, "head.2.bias").contains("detect_anomaly"));
    assert!(the_one(&of(f64::INFINITY)?, Kind::InfiniteGradient, "head.2.bias").contains("overflow"));
    assert!(the_one(&of(f64::NEG_INFINITY)?, Kind::InfiniteGradient, "head.2.bias").contains("overflow"));
    Ok(())
}

#[test]
fn what_the_optimizer_does_not_hold_holds_twice_or_holds_for_nothing() -> Result<()> {
    let report = report_of(|model| model.head.set(2, nn::Linear::new(8, 3)?).map(drop))?;
    let text = the_one(&report, Kind::NotHeld, "head.2.weight");
    assert!(text.contains("it took another's place after the optimizer was made"), "{text}");
    assert_eq!(texts(&report, Kind::HeldOutside, "").len(), 2, "{report}");
    assert!(report.to_string().contains("shape [8, 3]") || report.to_string().contains("shape [3, 8]"), "{report}");
    seeded(|| {
        let model = Net::new(Between::Nothing)?;
        let conv = &model.conv.weight;
        let (optimizer, _) = catch_warnings(|| optim::SGD::new([conv, conv], 0.1).build());
        backward(&model)?;
        let report = doctor(&model, &optimizer?)?;
        assert!(the_one(&report, Kind::HeldTwice, "conv.weight").contains("2 times"));
        assert_eq!(report.of(Kind::NotHeld).count(), 6, "{report}");
        Ok(())
    })
}

#[test]
fn frozen_norms_and_evaluation_mode() -> Result<()> {
    let report = report_of(|model| model.norm.requires_grad_(false).map(drop))?;
    assert!(the_one(&report, Kind::FrozenStatistics, "norm").contains("call `eval()` on it"));
    let report = report_of(|model| {
        model.norm.requires_grad_(false)?.eval();
        Ok(())
    })?;
    assert!(report.is_healthy(), "a norm that is frozen altogether is no failure: {report}");
    let report = report_of(|model| {
        model.head.eval();
        Ok(())
    })?;
    assert!(the_one(&report, Kind::Evaluating, "head").contains("call `train(true)`"));
    let report = report_of(|model| {
        model.eval();
        Ok(())
    })?;
    assert_eq!(report.findings().len(), 1, "{report}");
    the_one(&report, Kind::Evaluating, "");
    Ok(())
}

#[test]
fn gradients_that_vanish_or_explode_are_named_by_layer() -> Result<()> {
    let deep = |scale: f64, activation: fn() -> Box<dyn nn::Forward>| {
        seeded(|| {
            let mut model = nn::Sequential::new();
            for _ in 0..10 {
                let layer = nn::Linear::new(16, 16)?;
                autograd::no_grad(|| layer.weight.mul_(scale).map(drop))?;
                model = model.add(layer).add(activation());
            }
            model.call(Tensor::randn([8, 16])?)?.square()?.sum()?.backward()?;
            let optimizer = optim::SGD::new(model.parameters(), 0.1).build()?;
            doctor(&model, &optimizer)
        })
    };
    let report = deep(0.05, || nn::boxed(nn::Sigmoid::new()))?;
    assert!(the_one(&report, Kind::VanishingGradient, "0.weight").contains("of 18.weight"), "{report}");
    assert!(texts(&report, Kind::VanishingGradient, "18.weight").is_empty());
    let report = deep(30.0, || nn::boxed(nn::Identity::new()))?;
    assert!(the_one(&report, Kind::ExplodingGradient, "0.weight").contains("clip_grad_norm_"), "{report}");
    Ok(())
}

#[test]
fn mixed_devices_and_dtypes() -> Result<()> {
    accelerator::enable_mock(1);
    seeded(|| {
        let model = Net::new(Between::Nothing)?;
        let optimizer = adam(&model)?;
        backward(&model)?;
        model.head.to(Device::Mock(0))?;
        let report = doctor(&model, &optimizer)?;
        assert!(the_one(&report, Kind::MixedDevices, "head.0.weight").contains("is mock:0 where"), "{report}");
        model.head.to(Device::Cpu)?;
        model.norm.double()?;
        let report = doctor(&model, &optimizer)?;
        let text = the_one(&report, Kind::MixedDtypes, "norm.running_mean");
        assert!(text.contains("is torch.float64 where most of the model is torch.float32"), "{text}");
        Ok(())
    })
}

#[test]
fn watching_finds_the_cut_in_the_first_step_by_itself() -> Result<()> {
    seeded(|| {
        let model = Net::new(Between::Detach)?;
        let mut optimizer = adam(&model)?;
        let watching = watch(&model, &optimizer);
        let (result, warnings) = catch_warnings(|| {
            for _ in 0..10 {
                optimizer.zero_grad()?;
                backward(&model)?;
                optimizer.step()?;
            }
            Ok::<_, Error>(())
        });
        result?;
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert!(warnings[0].starts_with("conv.weight: no gradient: its path to the loss is cut by `detach`"));
        assert_eq!(watching.report().findings().len(), 3);
        Ok(())
    })
}

/// What is warned of while a loop keeps what `keep` makes of each loss.
fn kept_by(mut keep: impl FnMut(&Tensor) -> Result<()>) -> Result<Vec<String>> {
    seeded(|| {
        let model = Net::new(Between::Nothing)?;
        let mut optimizer = adam(&model)?;
        let _watching = watch(&model, &optimizer);
        let (result, warnings) = catch_warnings(|| {
            for _ in 0..10 {
                optimizer.zero_grad()?;
                let loss = model.call(Tensor::randn([5, 1, 6, 6])?)?.square()?.mean()?;
                loss.backward()?;
                keep(&loss)?;
                optimizer.step()?;
            }
            Ok::<_, Error>(())
        });
        result?;
        Ok(warnings)
    })
}

#[test]
fn a_loss_added_up_with_its_history_is_noticed_and_named() -> Result<()> {
    let mut total = Tensor::zeros(())?;
    let warnings = kept_by(|loss| {
        total = total.add(loss)?;
        Ok(())
    })?;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let text = &warnings[0];
    assert!(text.contains("AddBackward0 at") && text.contains("tests/doctor.rs:"), "{text}");
    assert!(text.contains("goes on with results of earlier steps"), "{text}");
    let mut losses = Vec::new();
    let warnings = kept_by(|loss| {
        losses.push(loss.clone());
        Ok(())
    })?;
    assert!(warnings[0].contains("MeanBackward0 at") && warnings[0].contains("still held"), "{warnings:?}");
    Ok(())
}

#[test]
fn a_loss_added_up_without_its_history_is_no_failure() -> Result<()> {
    let (mut total, mut sum) = (Tensor::zeros(())?, 0.0);
    let warnings = kept_by(|loss| {
        total = total.add(loss.detach())?;
        sum += loss.item::<f64>()?;
        Ok(())
    })?;
    assert_eq!(warnings, Vec::<String>::new());
    assert!((total.item::<f64>()? - sum).abs() < 1e-3);
    Ok(())
}

/// What is warned of while a loop runs `backward` on each loss.
fn kept_graphs(mut backward: impl FnMut(&Net, &Tensor) -> Result<()>) -> Result<Vec<String>> {
    seeded(|| {
        let model = Net::new(Between::Nothing)?;
        let mut optimizer = adam(&model)?;
        let _watching = watch(&model, &optimizer);
        let (result, warnings) = catch_warnings(|| {
            for _ in 0..8 {
                optimizer.zero_grad()?;
                let y = model.call(Tensor::randn([5, 1, 6, 6])?)?;
                backward(&model, &y)?;
                optimizer.step()?;
            }
            Ok::<_, Error>(())
        });
        result?;
        Ok(warnings)
    })
}

fn keeping() -> autograd::Backward {
    autograd::Backward::new().retain_graph(true)
}

#[test]
fn a_graph_that_is_kept_for_nothing_is_noticed_and_named() -> Result<()> {
    let mut line = 0;
    let warnings = kept_graphs(|_, y| {
        line = line!() + 1;
        y.square()?.mean()?.backward_with(keeping())
    })?;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains(&format!("tests/doctor.rs:{line}:")), "{warnings:?}");
    assert!(warnings[0].contains("leave `retain_graph` out"), "{warnings:?}");
    let model = seeded(|| Net::new(Between::Nothing))?;
    let step = || model.call(Tensor::ones([5, 1, 6, 6])?)?.square()?.mean()?.backward_with(keeping());
    let (_, report) = traced(&model, &adam(&model)?, step)?;
    assert_eq!(texts(&report, Kind::KeptGraph, "").len(), 1, "{report}");
    Ok(())
}

#[test]
fn a_graph_that_is_walked_again_is_no_failure() -> Result<()> {
    let twice = kept_graphs(|_, y| {
        y.square()?.mean()?.backward_with(keeping())?;
        y.abs()?.mean()?.backward()
    })?;
    let of_gradients = kept_graphs(|model, y| {
        let loss = y.square()?.mean()?;
        let weight = &model.head.get_parameter("0.weight")?.clone();
        let grads = autograd::Grad::new(&[&loss], &[weight]).create_graph(true).run()?;
        loss.add(&grads[0].square()?.sum()?)?.backward()
    })?;
    let by_grad = kept_graphs(|model, y| {
        let loss = y.square()?.mean()?;
        let weight = &model.head.get_parameter("0.weight")?.clone();
        autograd::Grad::new(&[&loss], &[weight]).retain_graph(true).run()?;
        loss.backward()
    })?;
    assert_eq!([twice, of_gradients, by_grad], [const { Vec::<String>::new() }; 3]);
    Ok(())
}
