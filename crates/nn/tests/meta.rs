//! Models without data: building, moving, loading, and following shapes through them.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Mlp, message, values};
use firebrick::nn::inspect::{check, summary};
use firebrick::nn::{LoadOptions, utils};
use firebrick::prelude::*;
use firebrick::{Generator, TensorOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const META: Device = Device::Meta;

fn on_meta(shape: &[usize]) -> Tensor {
    Tensor::zeros_with(shape, META).unwrap()
}

/// A residual network for images, `width` channels wide.
#[derive(Module)]
struct Residual {
    core: Core,
    stem: nn::Sequential,
    body: nn::ModuleList<nn::Sequential>,
    head: nn::Sequential,
}

impl Residual {
    fn new(width: usize, classes_from: usize) -> Result<Self> {
        let conv = |from: usize, kernel: usize, stride: usize| {
            nn::Conv2d::builder(from, width, kernel).stride(stride).padding(kernel / 2).bias(false).build()
        };
        let block = || {
            let first = nn::Sequential::new().add(conv(width, 3, 1)?).add(nn::BatchNorm2d::new(width)?);
            Ok::<_, Error>(first.add(nn::ReLU::new()).add(conv(width, 3, 1)?).add(nn::BatchNorm2d::new(width)?))
        };
        let stem = nn::Sequential::new().add(conv(3, 7, 2)?).add(nn::BatchNorm2d::new(width)?).add(nn::ReLU::new());
        let head = nn::Sequential::new().add(nn::AdaptiveAvgPool2d::new(1)).add(nn::Flatten::new());
        Ok(Residual {
            core: Core::new(),
            stem: stem.add(nn::MaxPool2d::builder(3).stride(2).padding(1).build()?),
            body: nn::ModuleList::from(vec![block()?, block()?]),
            head: head.add(nn::Dropout::new(0.5)?).add(nn::Linear::new(classes_from, 1000)?),
        })
    }
}

impl nn::Forward for Residual {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let x = self.stem.call(x)?;
        let x = self.body.iter().try_fold(x, |x, block| block.call(&x)?.add(&x)?.relu())?;
        self.head.call(x)
    }
}

#[test]
fn a_model_is_built_without_memory_or_draws() -> Result<()> {
    let generator = Generator::new().manual_seed(1);
    let before = generator.get_state();
    let model = generator.scope(|| {
        META.scope(|| {
            let init = nn::Linear::new(2, 2)?;
            nn::init::trunc_normal_(&init.weight, 0.0, 1.0, 0.5, 2.0)?;
            nn::init::orthogonal_(&init.weight, 1.0)?;
            nn::init::sparse_(&init.weight, 0.5, 0.1)?;
            let wide = 1 << 20;
            let attention = nn::TransformerEncoderLayer::builder(wide, 64).dim_feedforward(4 * wide).build()?;
            let (linear, embedding) = (nn::Linear::new(wide, 1 << 24)?, nn::Embedding::new(1 << 30, wide)?);
            let mut model = nn::Sequential::new().add(linear).add(attention).add(embedding);
            model.add_module("rnn", nn::LSTM::new(1 << 24, wide)?)?;
            Ok::<_, Error>((init, model))
        })
    })?;
    assert_eq!(generator.get_state(), before);
    assert!(model.1.parameters().iter().all(|parameter| parameter.is_meta()));
    assert_eq!(model.1.get_parameter("2.weight")?.shape()?, [1 << 30, 1 << 20]);
    assert_eq!(
        model.0.weight.to_string(),
        "Parameter containing:\ntensor(..., device='meta', size=(2, 2), requires_grad=True)"
    );
    Ok(())
}

#[test]
fn forward_backward_and_steps_run_without_data() -> Result<()> {
    let model = META.scope(|| Residual::new(64, 64))?;
    let mut optimizer = optim::AdamW::new(model.parameters(), 1e-3).build()?;
    let x = on_meta(&[100_000, 3, 224, 224]);
    let loss = nn::functional::cross_entropy(&model.call(&x)?, &on_meta(&[100_000]).to(DType::I64)?)?;
    loss.backward()?;
    for (name, parameter) in model.named_parameters() {
        let grad = parameter.grad().unwrap();
        assert!(grad.is_meta() && grad.shape() == parameter.shape()?, "{name}");
    }
    utils::clip_grad_norm_(model.parameters(), 1.0)?;
    optimizer.step()?;
    assert_eq!(message(loss.item::<f32>()), "Tensor.item() cannot be called on meta tensors");
    Ok(())
}

#[test]
fn moving_needs_memory_of_its_own() -> Result<()> {
    let layer = nn::Linear::new(2, 3)?;
    layer.call(Tensor::ones([1, 2])?)?.sum()?.backward()?;
    let held = layer.weight.clone();
    layer.to(META)?;
    assert!(held.is_meta() && held.grad().unwrap().is_meta() && held.requires_grad());
    assert_eq!(
        message(layer.to(Device::Cpu)),
        "Cannot copy out of meta tensor; no data! Please use torch.nn.Module.to_empty() instead of torch.nn.Module.to() when moving module from meta to a different device."
    );
    layer.to(DType::F64)?.to_empty(Device::Cpu)?;
    assert_eq!((held.device(), held.dtype(), held.shape()?.to_vec()), (Device::Cpu, DType::F64, vec![3, 2]));
    layer.reset_parameters()?;
    assert!(layer.weight.detach().ne(0)?.all()?.item::<bool>()?);
    Ok(())
}

#[test]
fn a_checkpoint_is_not_loaded_into_nothing() -> Result<()> {
    let (model, saved) = (META.scope(|| Mlp::new(2, 3, 1))?, Mlp::new(2, 3, 1)?);
    let error = model.load_state_dict(&saved.state_dict()).unwrap_err();
    let text = format!("{error:#}");
    let line = "for fc1.weight: copying from a non-meta parameter in the checkpoint to a meta parameter in the current model, which is a no-op. (Did you mean to pass `assign=True`";
    assert!(
        text.contains(line) && text.contains("for fc2.bias:") && text.contains("call `to_empty(device)`"),
        "{text}"
    );
    assert!(model.load_report(&saved.state_dict(), &LoadOptions::new())?.to_string().contains(line));
    let error = saved.load_state_dict(&model.state_dict()).unwrap_err().to_string();
    assert!(error.starts_with("While copying the parameter named \"fc1.weight\""), "{error}");
    assert!(error.ends_with("an exception occurred : Cannot copy out of meta tensor; no data!."), "{error}");
    let held = model.fc1.weight.clone();
    model.load_state_dict_with(&saved.state_dict(), &LoadOptions::new().assign(true))?;
    assert_eq!(values(&held.detach()), values(&saved.fc1.weight.detach()));
    let lazy = META.scope(|| nn::Linear::lazy(3))?;
    assert!(lazy.load_state_dict(&saved.fc1.state_dict()).is_err());
    lazy.to_empty(Device::Cpu)?.load_state_dict(&saved.fc1.state_dict())?;
    assert_eq!(values(&lazy.weight.detach()), values(&held.detach()));
    Ok(())
}

#[test]
fn skipping_the_initialization_draws_nothing() -> Result<()> {
    let generator = Generator::new().manual_seed(1);
    let before = generator.get_state();
    let model = generator.scope(|| utils::skip_init(|| Mlp::new(2, 3, 1)))?;
    assert_eq!((model.fc1.weight.device(), generator.get_state() == before), (Device::Cpu, true));
    let saved = Mlp::new(2, 3, 1)?;
    model.load_state_dict(&saved.state_dict())?;
    assert_eq!(values(&model.fc2.weight.detach()), values(&saved.fc2.weight.detach()));
    Ok(())
}

#[test]
fn shapes_are_checked_that_no_memory_could_hold() -> Result<()> {
    let model = Residual::new(64, 64)?;
    let batch = on_meta(&[1_000_000, 3, 224, 224]);
    check(&model, &batch)?;
    let table = summary(&model, &batch)?;
    assert_eq!(table.rows[0].output, Some(vec![vec![1_000_000, 1000]]));
    assert_eq!(table.row("stem.0").unwrap().activation_bytes, 4 * 1_000_000 * 64 * 112 * 112);
    assert_eq!(table.row("stem.0").unwrap().multiply_adds, 1_000_000 * 64 * 112 * 112 * 3 * 49);
    let error = check(&Residual::new(64, 65)?, &batch).unwrap_err();
    assert_eq!(error.module_path(), Some("head.3"));
    let text = format!("{error:#}");
    for way in [
        "stem.3: MaxPool2d [1000000, 64, 112, 112] -> [1000000, 64, 56, 56]",
        "body.1: Sequential [1000000, 64, 56, 56] -> [1000000, 64, 56, 56]",
        "head.3: Linear [1000000, 64] -> ?",
    ] {
        assert!(text.contains(way), "{way} in {text}");
    }
    Ok(())
}

#[test]
fn nothing_of_the_model_changes() -> Result<()> {
    let model = Residual::new(4, 4)?;
    let before: Vec<Vec<f64>> = model.state_dict().values().map(|t| t.to_vec().unwrap()).collect();
    let generator = Generator::new().manual_seed(1);
    let state = generator.get_state();
    generator.scope(|| check(&model, on_meta(&[1 << 20, 3, 64, 64])))?;
    assert_eq!(generator.get_state(), state);
    assert!(model.state_dict().values().map(|t| t.to_vec::<f64>().unwrap()).eq(before));
    assert!(model.is_training() && model.parameters().iter().all(|p| !p.is_meta() && p.grad().is_none()));
    assert!(!Tensor::ones([1])?.is_meta(), "new tensors have data again");
    assert_eq!(model.call(Tensor::ones([2, 3, 16, 16])?)?.shape(), [2, 1000]);
    Ok(())
}

#[test]
fn a_lazy_model_stays_lazy() -> Result<()> {
    let model = nn::Sequential::new().add(nn::Flatten::new()).add(nn::Linear::lazy(8)?).add(nn::Linear::new(8, 2)?);
    let images = on_meta(&[1 << 40, 3, 5, 5]);
    check(&model, &images)?;
    assert_eq!(summary(&model, &images)?.row("1").unwrap().parameters, 75 * 8 + 8);
    assert!(model.to_string().contains("LazyLinear") && model.get_parameter("1.weight")?.is_uninitialized());
    Ok(())
}

/// Takes a step of another size when the result is large.
#[derive(Module)]
struct Choosing {
    core: Core,
    first: nn::Linear,
}

impl nn::Forward for Choosing {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let x = self.first.call(x)?;
        if x.sum()?.item::<f32>()? > 0.0 { x.mul(2.0) } else { Ok(x) }
    }
}

#[test]
fn a_model_that_looks_at_values_is_named() -> Result<()> {
    let model = nn::Sequential::new().add(Choosing { core: Core::new(), first: nn::Linear::new(3, 2)? });
    let error = check(&model, Tensor::ones([4, 3])?).unwrap_err();
    assert_eq!(error.module_path(), Some("0"));
    let text = format!("{error:#}");
    assert!(text.contains("Tensor.item() cannot be called on meta tensors"), "{text}");
    assert!(
        text.contains("its `forward` looks at values") && text.contains("0.first: Linear [4, 3] -> [4, 2]"),
        "{text}"
    );
    // A table is made with data then.
    assert_eq!(summary(&model, Tensor::ones([4, 3])?)?.row("0").unwrap().output, Some(vec![vec![4, 2]]));
    Ok(())
}

/// What a model may do beside calling layers: constants that are no members, tensors made on the way, lengths that are read.
#[derive(Module)]
struct Mixed {
    core: Core,
    embedding: nn::Embedding,
    rnn: nn::GRU,
    norm: nn::BatchNorm1d,
    #[module(skip)]
    scale: Tensor,
    #[module(skip)]
    calls: Arc<AtomicUsize>,
}

impl nn::Forward<(Tensor, Tensor)> for Mixed {
    fn forward(&self, (words, lengths): (Tensor, Tensor)) -> Result<Tensor> {
        self.calls.fetch_add(1, Relaxed);
        let x = self.embedding.call(words)?.mul(&self.scale)?.add(Tensor::ones([4])?)?;
        let longest = lengths.to_vec::<i64>()?.into_iter().max().unwrap_or(0);
        let first = Tensor::zeros_with([1, x.size(1)? as i64, 4], TensorOptions::new().device(x.device()))?;
        let (x, _) = self.rnn.call((x.narrow(0, 0, longest)?, Some(first)))?;
        let position = Tensor::arange(x.size(0)? as i64)?.to(DType::F32)?.unsqueeze(1)?.unsqueeze(1)?;
        self.scale.mul_(3.0)?;
        self.norm.call(x.add(position)?.flatten(0, 1)?)
    }
}

#[test]
fn constants_and_tensors_made_on_the_way_have_shapes_too() -> Result<()> {
    let model = Mixed {
        core: Core::new(),
        embedding: nn::Embedding::new(10, 4)?,
        rnn: nn::GRU::new(4, 4)?,
        norm: nn::BatchNorm1d::new(4)?,
        scale: Tensor::new([1.0f32, 2.0, 3.0, 4.0])?,
        calls: Arc::default(),
    };
    let words = Tensor::zeros_with([7, 3], DType::I64)?;
    let table = summary(&model, (&words, &Tensor::new([5i64, 2, 4])?))?;
    assert_eq!(table.rows[0].output, Some(vec![vec![15, 4]]));
    assert_eq!((values(&model.scale), model.calls.load(Relaxed)), (vec![1.0, 2.0, 3.0, 4.0], 1));
    Ok(())
}

#[test]
fn attention_and_computed_parameters_are_followed() -> Result<()> {
    let encoder = nn::TransformerEncoder::new(&nn::TransformerEncoderLayer::builder(64, 4).build()?, 2)?;
    check(&encoder, on_meta(&[4096, 1 << 20, 64]))?;
    let mut linear = nn::Linear::new(8, 4)?;
    utils::parametrizations::spectral_norm(&mut linear, "weight")?;
    let before = linear.state_dict().values().map(|t| t.to_vec::<f64>().unwrap()).collect::<Vec<_>>();
    linear.train(true);
    check(&linear, on_meta(&[1 << 40, 8]))?;
    assert!(linear.state_dict().values().map(|t| t.to_vec::<f64>().unwrap()).eq(before));
    let error = check(&linear, on_meta(&[3, 7])).unwrap_err().to_string();
    assert!(error.contains("mat1 and mat2 shapes cannot be multiplied (3x7 and 8x4)"), "{error}");
    Ok(())
}
