//! Captured and replaced outputs, tables of models, shapes before training, differences of models.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Mlp, constant_linear, values};
use firebrick::Generator;
use firebrick::nn::inspect::{Difference, Pattern, capture, check, diff, patch, summary};
use firebrick::prelude::*;

/// A block with attention, whose second output is the weights.
#[derive(Module)]
struct Block {
    core: Core,
    attn: nn::MultiheadAttention,
    mlp: Mlp,
}

#[derive(Module)]
struct Encoder {
    core: Core,
    layers: nn::ModuleList<Block>,
    head: nn::Linear,
}

impl nn::Forward for Block {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let (y, _) = self.attn.call((&x, &x, &x))?;
        self.mlp.call(x.add(&y)?)
    }
}

impl nn::Forward for Encoder {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let x = self.layers.iter().try_fold(x, |x, layer| layer.call(x))?;
        self.head.call(x)
    }
}

fn encoder() -> Result<Encoder> {
    let block = || -> Result<Block> {
        Ok(Block { core: Core::new(), attn: nn::MultiheadAttention::new(4, 2)?, mlp: Mlp::new(4, 6, 4)? })
    };
    let layers = nn::ModuleList::from(vec![block()?, block()?]);
    Ok(Encoder { core: Core::new(), layers, head: nn::Linear::new(4, 3)? })
}

fn seeded<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    Generator::new().manual_seed(5).scope(f)
}

#[test]
fn captured_outputs_have_names_values_and_gradients() -> Result<()> {
    seeded(|| {
        let model = encoder()?;
        let x = Tensor::randn([5, 2, 4])?;
        let (y, seen) = capture(&model, "layers.*.mlp", || model.call(&x))?;
        assert_eq!(seen.names(), ["layers.0.mlp", "layers.1.mlp"]);
        assert_eq!(values(&model.head.call(seen.get("layers.1.mlp")?)?.detach()), values(&y.detach()));
        assert!(seen.grad("layers.1.mlp")?.is_none());
        y.sum()?.backward()?;
        // The gradient of the sum in what the last layer reads is the sum of its weight's rows.
        let expected = model.head.weight.detach().sum_dim(0, false)?.expand([5, 2, 4])?;
        assert!(seen.grad("layers.1.mlp")?.unwrap().allclose(&expected, 1e-5, 1e-6, false)?);
        let error = seen.get("layers.7.mlp").unwrap_err();
        assert!(format!("{error:#}").contains("layers.0.mlp, layers.1.mlp"), "{error:#}");
        Ok(())
    })
}

#[test]
fn modules_are_chosen_by_pattern_and_type_and_seen_once_a_call() -> Result<()> {
    seeded(|| {
        let model = encoder()?;
        let x = Tensor::randn([5, 2, 4])?;
        let names = |pattern: Pattern| -> Result<Vec<String>> {
            let (_, seen) = capture(&model, pattern, || model.call(&x))?;
            Ok(seen.names().into_iter().map(str::to_owned).collect())
        };
        assert_eq!(names(Pattern::class("Mlp"))?, ["layers.0.mlp", "layers.1.mlp"]);
        assert_eq!(names("**.fc?".into()).unwrap_err().to_string(), "no module fits '**.fc?'");
        assert_eq!(names("**.fc*".into())?.len(), 4);
        assert_eq!(names("head".into())?, ["head"]);
        let error = names("heed".into()).unwrap_err();
        assert!(format!("{error:#}").contains("did you mean 'head'?"), "{error:#}");
        let (_, seen) = capture(&model, "layers.0.attn", || model.call(&x))?;
        let outputs: Vec<_> = seen.iter().map(|a| (a.call, a.output, a.tensor.shape().to_vec())).collect();
        assert_eq!(outputs, [(0, 0, vec![5, 2, 4]), (0, 1, vec![2, 5, 5])]);
        let (_, seen) = capture(&model, "head", || model.call(&x).and_then(|_| model.call(&x)))?;
        assert_eq!(seen.iter().map(|a| a.call).collect::<Vec<_>>(), [0, 1]);
        Ok(())
    })
}

#[test]
fn hooks_are_taken_off_when_the_run_ends_or_fails() -> Result<()> {
    let model = nn::Sequential::new().add(constant_linear(2, 2, 1.0, 0.0)?).add(nn::ReLU::new());
    let x = Tensor::ones([1, 2])?;
    capture(&model, "0", || model.call(Tensor::ones([1, 3])?)).unwrap_err();
    let zeros = |_: &str, y: &Tensor| y.zeros_like().map(Some);
    assert_eq!(values(&patch(&model, "0", zeros, || model.call(&x))?.detach()), [0.0, 0.0]);
    assert_eq!(values(&model.call(&x)?.detach()), [2.0, 2.0]);
    let error = patch(&model, "1", |_, _| Err(Error::runtime("mine", "no")), || model.call(&x)).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.module_path()), ("no", Some("1")));
    assert_eq!(values(&model.call(&x)?.detach()), [2.0, 2.0]);
    Ok(())
}

#[test]
fn a_summary_counts_what_there_is() -> Result<()> {
    let model = nn::Sequential::new()
        .add(nn::Conv2d::new(3, 8, 3)?)
        .add(nn::BatchNorm2d::new(8)?)
        .add(nn::Flatten::new())
        .add(nn::Linear::new(128, 10)?);
    model.get_submodule("3")?.requires_grad_(false)?;
    let table = summary(&model, Tensor::zeros([2, 3, 6, 6])?)?;
    let row = |name: &str| table.row(name).unwrap().clone();
    // 8 kernels of 3 * 3 * 3 numbers, at each of 4 * 4 places of 2 images.
    assert_eq!((row("0").parameters, row("0").multiply_adds), (8 * 27 + 8, 2 * 16 * 8 * 27));
    assert_eq!((row("0").input, row("0").output), (Some(vec![vec![2, 3, 6, 6]]), Some(vec![vec![2, 8, 4, 4]])));
    assert_eq!((row("1").parameters, row("1").buffers, row("1").bytes), (16, 17, 4 * 32 + 8));
    assert_eq!((row("3").parameters, row("3").trainable, row("3").multiply_adds), (1290, 0, 2 * 128 * 10));
    let all = row("");
    assert_eq!((all.parameters, all.trainable, all.multiply_adds), (224 + 16 + 1290, 240, 6912 + 2560));
    assert_eq!(row("0").activation_bytes, 4 * 2 * 8 * 16);
    let text = table.to_string();
    let line = text.lines().find(|line| line.contains("3: Linear")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>()[2..], ["[2,", "10]", "1,290", "0", "0", "2,560", "5,160"]);
    let norm = model.get_submodule("1")?;
    assert!(norm.is_training() && model.is_training(), "modes are restored");
    assert_eq!(norm.get_buffer("num_batches_tracked")?.item::<i64>()?, 0, "statistics are not updated");
    Ok(())
}

#[test]
fn the_first_module_that_does_not_fit_is_named_with_the_shapes_on_the_way() -> Result<()> {
    let mut model = encoder()?;
    model.layers.get_mut(1)?.mlp.fc2 = nn::Linear::new(7, 4)?;
    let error = check(&model, Tensor::zeros([5, 2, 4])?).unwrap_err();
    assert_eq!(error.module_path(), Some("layers.1.mlp.fc2"));
    let text = format!("{error:#}");
    assert!(
        text.starts_with("in layers.1.mlp.fc2 (Linear(in_features=7, out_features=4, bias=True)): addmm: mat1"),
        "{text}"
    );
    for way in [
        "layers.0: Block [5, 2, 4] -> [5, 2, 4]",
        "layers.1.attn: MultiheadAttention [5, 2, 4], [5, 2, 4], [5, 2, 4] -> [5, 2, 4], [2, 5, 5]",
        "layers.1.mlp.fc1: Linear [5, 2, 4] -> [5, 2, 6]",
        "layers.1.mlp.fc2: Linear [5, 2, 6] -> ?",
    ] {
        assert!(text.contains(way), "{way} in {text}");
    }
    model.layers.get_mut(1)?.mlp.fc2 = nn::Linear::new(6, 4)?;
    check(&model, Tensor::zeros([5, 2, 4])?)
}

#[test]
fn models_and_state_dicts_are_compared_by_name() -> Result<()> {
    let a = Mlp::new(2, 3, 1)?;
    let b = a.deep_clone()?;
    let same = diff(&a, &b)?;
    assert_eq!((same.entries.len(), same.equal, same.to_string()), (0, 4, "4 equal".to_owned()));
    b.fc1.weight.detach().set((0, 1), f64::NAN)?;
    b.fc2.double()?;
    let mut state = b.state_dict();
    state.remove("fc1.bias");
    state.insert("fc2.bias", Tensor::zeros([2])?);
    state.insert("fc3.bias", Tensor::zeros([4])?);
    let found = diff(&a, &state)?;
    let entries: Vec<(&str, &Difference)> = found.entries.iter().map(|(name, d)| (name.as_str(), d)).collect();
    assert_eq!(entries.len(), 5, "{found}");
    assert!(
        matches!(entries[0], ("fc1.weight", Difference::Values { largest, count: 1, of: 6, .. }) if largest.is_nan())
    );
    assert_eq!(entries[1], ("fc1.bias", &Difference::OnlyFirst(vec![3])));
    assert_eq!(entries[2], ("fc2.weight", &Difference::Dtype(DType::F32, DType::F64)));
    assert_eq!(entries[3], ("fc2.bias", &Difference::Shape(vec![1], vec![2])));
    assert_eq!(entries[4], ("fc3.bias", &Difference::OnlySecond(vec![4])));
    a.fc1.weight.detach().set((0, 1), f64::NAN)?;
    assert_eq!(diff(&a, &b)?.entries.len(), 2, "NaN equals NaN");
    Ok(())
}
