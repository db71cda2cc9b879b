//! Activation checkpointing: the gradients of a plain call, and errors for what is not the same twice.
#![allow(clippy::unwrap_used)]

mod common;

use common::values;
use firebrick::autograd::{self, saved_tensors_hooks};
use firebrick::prelude::*;
use firebrick::utils::checkpoint::{CheckpointOptions, checkpoint, checkpoint_sequential, checkpoint_with};
use firebrick::{Generator, amp};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

fn mlp() -> Result<Arc<nn::Sequential>> {
    let layers = nn::Sequential::new().add(nn::Linear::new(3, 8)?).add(nn::Tanh::new());
    Ok(Arc::new(layers.add(nn::Dropout::new(0.5)?).add(nn::Linear::new(8, 2)?)))
}

fn gradients(module: &dyn Module) -> Vec<Vec<f32>> {
    let all = module.parameters().iter().map(|p| values(&p.grad().unwrap())).collect();
    module.zero_grad();
    all
}

#[test]
fn gradients_are_those_of_a_plain_call_dropout_included() -> Result<()> {
    let model = mlp()?;
    let x = Tensor::rand([4, 3])?;
    x.requires_grad_(true)?;
    let of = |checkpointed: bool| -> Result<(Vec<Vec<f32>>, Vec<f32>)> {
        Generator::new().manual_seed(7).scope(|| {
            let (inner, x) = (model.clone(), x.clone());
            let y: Tensor = match checkpointed {
                true => checkpoint(move |x: Tensor| inner.call(x), &x)?,
                false => model.call(&x)?,
            };
            // What is drawn between the passes does not matter.
            let noise = Tensor::rand([4, 2])?;
            y.mul(&noise)?.sum()?.backward()?;
            let grad = values(&x.grad().unwrap());
            x.set_grad(None)?;
            Ok((gradients(&*model), grad))
        })
    };
    assert_eq!(of(true)?, of(false)?);
    Ok(())
}

#[test]
fn the_function_runs_again_once_for_each_backward_pass() -> Result<()> {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let x = Tensor::new([0.5f32, 1.0])?;
    x.requires_grad_(true)?;
    let y: Tensor = checkpoint(
        move |x: Tensor| {
            counted.fetch_add(1, Relaxed);
            x.exp()?.sin()?.mul(&x)
        },
        &x,
    )?;
    assert_eq!(runs.load(Relaxed), 1);
    let loss = y.sum()?;
    loss.backward_with(autograd::Backward::new().retain_graph(true))?;
    assert_eq!(runs.load(Relaxed), 2);
    let first = values(&x.grad().unwrap());
    x.set_grad(None)?;
    loss.backward()?;
    assert_eq!(runs.load(Relaxed), 3);
    assert_eq!(values(&x.grad().unwrap()), first);
    Ok(())
}

#[test]
fn second_derivatives_and_nested_checkpoints_work() -> Result<()> {
    let x = Tensor::new([0.3f64, 0.9])?;
    x.requires_grad_(true)?;
    let f = |x: &Tensor| -> Result<Tensor> { x.exp()?.sin()?.mul(x) };
    let second = |y: Tensor| -> Result<Vec<f64>> {
        let first = autograd::Grad::new(&[&y.sum()?], &[&x]).create_graph(true).run()?.remove(0);
        autograd::grad(&first.mul(&first)?.sum()?, &x)?.to_vec()
    };
    let plain = second(f(&f(&x)?)?)?;
    let inner = move |x: Tensor| -> Result<Tensor> { checkpoint(move |x: Tensor| f(&x), x) };
    let outer: Tensor = checkpoint(move |x: Tensor| inner(inner(x)?), &x)?;
    let nested = second(outer)?;
    assert!(plain.iter().zip(&nested).all(|(a, b)| (a - b).abs() < 1e-12), "{plain:?} {nested:?}");
    Ok(())
}

#[test]
fn autocast_and_stand_ins_of_the_first_run_are_there_in_the_second() -> Result<()> {
    let linear = Arc::new(nn::Linear::new(2, 2)?);
    let given = StateDict::from_iter([("weight", Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?)]);
    let weight = given.get("weight").unwrap().clone();
    weight.requires_grad_(true)?;
    let x = Tensor::ones([1, 2])?;
    x.requires_grad_(true)?;

    #[derive(Module)]
    struct Checkpointed {
        core: Core,
        inner: Arc<nn::Linear>,
    }
    impl nn::Forward for Checkpointed {
        fn forward(&self, x: Tensor) -> Result<Tensor> {
            let inner = self.inner.clone();
            checkpoint(move |x: Tensor| inner.call(x), x)
        }
    }

    let model = Checkpointed { core: Core::new(), inner: linear };
    let given = StateDict::from_iter([("inner.weight", weight.clone())]);
    let y = amp::autocast(Device::Cpu).scope(|| nn::functional_call(&model, &given, &x))?;
    assert_eq!(y.dtype(), DType::BF16);
    y.sum()?.backward()?;
    assert_eq!(values(&x.grad().unwrap()), [4.0, 6.0]);
    assert_eq!(values(&weight.grad().unwrap()), [1.0; 4]);
    Ok(())
}

/// The error of backward through a function that does something else the second time.
fn changed(f: impl Fn(&Tensor, bool) -> Result<Tensor> + Send + Sync + 'static, options: CheckpointOptions) -> Error {
    let runs = AtomicUsize::new(0);
    let x = Tensor::ones([2]).unwrap();
    x.requires_grad_(true).unwrap();
    let y: Tensor = checkpoint_with(move |x: Tensor| f(&x, runs.fetch_add(1, Relaxed) == 0), &x, options).unwrap();
    y.sum().and_then(|y| y.backward()).unwrap_err()
}

#[test]
fn what_differs_the_second_time_is_an_error() {
    let options = CheckpointOptions::new();
    let fewer = changed(|x, first| if first { x.exp()?.sin() } else { x.exp() }, options);
    assert_eq!(
        fewer.to_string(),
        "torch.utils.checkpoint: A different number of tensors was saved during the original forward and recomputation.\nNumber of tensors saved during forward: 2\nNumber of tensors saved during recomputation: 1."
    );
    let more = changed(|x, first| if first { x.exp() } else { x.exp()?.sin() }, options);
    assert_eq!(
        more.to_string(),
        "torch.utils.checkpoint: trying to save more tensors during recomputation than during the original forward pass."
    );
    let other = changed(|x, first| if first { x.exp() } else { x.narrow(0, 0, 1)?.exp() }, options);
    assert_eq!(
        other.to_string(),
        "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than during the forward pass.\ntensor at position 0:\nsaved metadata: {'shape': torch.Size([2]), 'dtype': torch.float32, 'device': device(type='cpu')}\nrecomputed metadata: {'shape': torch.Size([1]), 'dtype': torch.float32, 'device': device(type='cpu')}\n."
    );
}

#[test]
fn a_sequence_is_cut_into_segments() -> Result<()> {
    let layers: Vec<Arc<dyn nn::Forward>> =
        vec![Arc::new(nn::Linear::new(2, 3)?), Arc::new(nn::Tanh::new()), Arc::new(nn::Linear::new(3, 1)?)];
    let x = Tensor::rand([4, 2])?;
    let plain = layers.iter().try_fold(x.clone(), |x, layer| layer.call(x))?;
    for segments in 1..=3 {
        let y = checkpoint_sequential(&layers, segments, x.clone())?;
        assert_eq!(values(&y.detach()), values(&plain.detach()));
        y.sum()?.backward()?;
    }
    let refused = |segments| checkpoint_sequential(&layers, segments, x.clone()).unwrap_err().to_string();
    assert_eq!(refused(0), "integer division or modulo by zero");
    assert_eq!(refused(4), "range() arg 3 must not be zero");
    Ok(())
}

#[test]
fn hooks_on_saved_tensors_must_give_back_what_fits() -> Result<()> {
    let x = Tensor::ones([2])?;
    x.requires_grad_(true)?;
    let hooks = saved_tensors_hooks(|t| Ok(t.clone()), |t: &Tensor| t.narrow(0, 0, 1));
    let y = x.exp()?.sum()?;
    drop(hooks);
    assert_eq!(y.backward().unwrap_err().to_string(), "the hook gave another tensor back than was saved");
    // Without hooks again.
    x.exp()?.sum()?.backward()?;
    Ok(())
}
