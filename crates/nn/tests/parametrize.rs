//! Computed parameters: names, printing, training, inverses, removal; PyTorch 2.15's texts.

mod common;

use common::{Bare, keys, message, names, values};
use firebrick::autograd;
use firebrick::nn::utils::parametrize::{
    Parametrization, cached, is_parametrized, parametrized, register_parametrization as register,
    register_parametrization_unchecked, remove_parametrizations as remove, set_parametrized,
};
use firebrick::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A parametrization with this computation and inverse.
macro_rules! parametrization {
    ($name:ident, |$x:ident| $forward:expr $(, |$y:ident| $inverse:expr)?) => {
        #[derive(Module)]
        struct $name {
            core: Core,
        }
        impl nn::Forward for $name {
            fn forward(&self, $x: Tensor) -> Result<Tensor> {
                $forward
            }
        }
        impl Parametrization for $name {
            type Originals = Tensor;
            $(fn right_inverse(&self, $y: Tensor) -> Result<Option<Tensor>> {
                $inverse.map(Some)
            })?
        }
    };
}

parametrization!(Double, |x| x.mul(2));
parametrization!(Halved, |x| x.mul(2), |y| y.div(2));
parametrization!(FirstRow, |x| x.narrow(0, 0, 1));
parametrization!(Wide, |x| x.to(DType::F64));
parametrization!(NarrowInverse, |x| x.mul(2), |y| y.narrow(0, 0, 1));
parametrization!(WideInverse, |x| x.mul(2), |y| y.to(DType::F64));

/// The sum of two originals.
#[derive(Module)]
struct Sum {
    core: Core,
}
impl nn::Forward<(Tensor, Tensor)> for Sum {
    fn forward(&self, (a, b): (Tensor, Tensor)) -> Result<Tensor> {
        a.add(&b)
    }
}
impl Parametrization for Sum {
    type Originals = (Tensor, Tensor);
    fn right_inverse(&self, value: Tensor) -> Result<Option<(Tensor, Tensor)>> {
        Ok(Some((value.div(2)?, value.div(2)?)))
    }
}

/// Counts how often it is asked.
#[derive(Module)]
struct Counted {
    core: Core,
    #[module(skip)]
    calls: Arc<AtomicUsize>,
}
impl nn::Forward for Counted {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        self.calls.fetch_add(1, Relaxed);
        Ok(x)
    }
}
impl Parametrization for Counted {
    type Originals = Tensor;
}

fn core() -> Core {
    Core::new()
}

fn layer() -> Result<nn::Linear> {
    common::constant_linear(2, 2, 3.0, 1.0)
}

#[test]
fn the_original_moves_below_parametrizations() -> Result<()> {
    let mut m = layer()?;
    let weight = m.weight.clone();
    register(&mut m, "weight", Double { core: core() })?;
    assert_eq!(keys(&m.state_dict()), ["bias", "parametrizations.weight.original"]);
    assert_eq!(names(m.named_parameters()), ["bias", "parametrizations.weight.original"]);
    assert_eq!(
        names(m.named_modules()),
        ["", "parametrizations", "parametrizations.weight", "parametrizations.weight.0"]
    );
    assert!(m.get_parameter("parametrizations.weight.original")?.ptr_eq(&weight), "an optimizer stays linked");
    assert_eq!(
        m.to_string(),
        "ParametrizedLinear(\n  in_features=2, out_features=2, bias=True\n  (parametrizations): ModuleDict(\n    \
         (weight): ParametrizationList(\n      (0): Double()\n    )\n  )\n)"
    );
    register(&mut m, "weight", Double { core: core() })?;
    register(&mut m, "bias", Double { core: core() })?;
    assert_eq!(keys(&m.state_dict()), ["parametrizations.weight.original", "parametrizations.bias.original"]);
    assert!(m.to_string().contains("(weight): ParametrizationList(\n      (0-1): 2 x Double()\n    )\n    (bias):"));
    assert_eq!(values(&parametrized(&m, "weight")?.detach()), [12.0; 4]);
    assert_eq!(values(&m.call(Tensor::ones([1, 2])?)?.detach()), [26.0; 2]);
    Ok(())
}

#[test]
fn gradients_reach_the_original_and_training_moves_it() -> Result<()> {
    let mut m = layer()?;
    let mut optimizer = optim::SGD::new(m.parameters(), 0.5).build()?;
    register(&mut m, "weight", Double { core: core() })?;
    m.call(Tensor::ones([1, 2])?)?.sum()?.backward()?;
    let original = m.get_parameter("parametrizations.weight.original")?;
    assert_eq!(original.grad().map(|g| values(&g)), Some(vec![2.0; 4]));
    optimizer.step()?;
    assert_eq!(values(&original.detach()), [2.0; 4]);
    assert_eq!(values(&parametrized(&m, "weight")?.detach()), [4.0; 4]);
    Ok(())
}

#[test]
fn outside_of_calls_the_field_has_a_shape_but_no_values() -> Result<()> {
    let mut m = layer()?;
    register(&mut m, "weight", Double { core: core() })?;
    assert_eq!((m.weight.shape()?.to_vec(), m.in_features()), (vec![2, 2], 2));
    assert!(message(m.weight.add(1)).contains("computed during each call"));
    assert!(message(m.weight.set_data(&Tensor::ones([2, 2])?)).contains("computed during each call"));
    assert_eq!(message(m.get_parameter("weight")), "`weight` is not an nn.Parameter");
    m.double()?;
    assert_eq!(m.call(Tensor::ones([1, 2])?.to(DType::F64)?)?.dtype(), DType::F64);
    assert_eq!(m.weight.dtype(), DType::F64, "the field follows");
    Ok(())
}

#[test]
fn an_inverse_keeps_the_value_and_takes_assignments() -> Result<()> {
    let mut m = layer()?;
    register(&mut m, "weight", Halved { core: core() })?;
    assert_eq!(values(&parametrized(&m, "weight")?.detach()), [3.0; 4]);
    set_parametrized(&m, "weight", &Tensor::ones([2, 2])?)?;
    let original = m.get_parameter("parametrizations.weight.original")?;
    assert_eq!(values(&original.detach()), [0.5; 4]);
    assert_eq!(
        message(set_parametrized(&m, "weight", &Tensor::ones([2, 2])?.to(DType::F64)?)),
        "The tensor returned by `right_inverse` has dtype torch.float64 while `original` has dtype torch.float32"
    );
    let mut m = layer()?;
    register(&mut m, "weight", Double { core: core() })?;
    assert_eq!(
        message(set_parametrized(&m, "weight", &Tensor::ones([2, 2])?)),
        "parametrization Double does not implement right_inverse."
    );
    Ok(())
}

#[test]
fn removing_leaves_the_value_or_the_original() -> Result<()> {
    for (leave, expected) in [(true, 6.0), (false, 3.0)] {
        let mut m = layer()?;
        let weight = m.weight.clone();
        register(&mut m, "weight", Double { core: core() })?;
        remove(&mut m, "weight", leave)?;
        assert_eq!(keys(&m.state_dict()), ["bias", "weight"], "as PyTorch orders it");
        assert_eq!(m.to_string(), "Linear(in_features=2, out_features=2, bias=True)");
        assert!(m.weight.ptr_eq(&weight) && m.get_parameter("weight")?.ptr_eq(&weight));
        assert_eq!(values(&m.weight.detach()), [expected; 4]);
        assert!(!is_parametrized(&m, None));
        m.call(Tensor::ones([1, 2])?)?.sum()?.backward()?;
        assert_eq!(weight.grad().map(|g| values(&g)), Some(vec![1.0; 4]));
        register(&mut m, "weight", Double { core: core() })?;
        assert_eq!(keys(&m.state_dict()), ["bias", "parametrizations.weight.original"]);
        assert_eq!(values(&m.call(Tensor::ones([1, 2])?)?.detach()), [4.0f32.mul_add(expected, 1.0); 2]);
    }
    let mut m = layer()?;
    assert!(message(remove(&mut m, "weight", true)).starts_with(
        "Module Linear(in_features=2, out_features=2, bias=True) does not have a parametrization on weight"
    ));
    Ok(())
}

#[test]
fn several_originals_are_numbered() -> Result<()> {
    let mut m = layer()?;
    register(&mut m, "weight", Sum { core: core() })?;
    assert_eq!(
        keys(&m.state_dict()),
        ["bias", "parametrizations.weight.original0", "parametrizations.weight.original1"]
    );
    assert_eq!(values(&m.call(Tensor::ones([1, 2])?)?.detach()), [7.0; 2]);
    set_parametrized(&m, "weight", &Tensor::ones([2, 2])?)?;
    let first = m.get_parameter("parametrizations.weight.original0")?;
    assert_eq!((values(&first.detach()), first.requires_grad()), (vec![0.5; 4], true));
    assert_eq!(
        message(remove(&mut m, "weight", false)),
        "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a sequence of tensors."
    );
    remove(&mut m, "weight", true)?;
    assert_eq!(keys(&m.state_dict()), ["bias", "weight"]);
    assert_eq!((values(&m.weight.detach()), m.weight.requires_grad(), m.weight.is_leaf()), (vec![1.0; 4], true, true));
    Ok(())
}

#[test]
fn what_changes_shape_or_dtype_is_refused_and_changes_nothing() -> Result<()> {
    let first = |what: &str, own: &str, new: &str| {
        format!(
            "Registering a parametrization may not change the {what} of the tensor, unless `unsafe` flag is enabled.\nunparametrized {what}: {own}\nparametrized {what}: {new}"
        )
    };
    let next = |what: &str, own: &str, new: &str| {
        format!(
            "Registering a parametrization may not change the {what} of the tensor, unless the `unsafe` flag is enabled.\nmodule.weight.{what}: {own}\nparametrization(module.weight).{what}: {new}"
        )
    };
    let inverse = |what: &str, own: &str, new: &str| {
        format!(
            "The tensor returned by parametrization.right_inverse must have the same {what} as module.weight, unless the `unsafe` flag is enabled.\nmodule.weight.{what}: {own}\nreturned {what}: {new}"
        )
    };
    let (square, row) = ("torch.Size([2, 2])", "torch.Size([1, 2])");
    let (single, double) = ("torch.float32", "torch.float64");
    let mut m = layer()?;
    assert_eq!(message(register(&mut m, "weight", FirstRow { core: core() })), first("shape", square, row));
    assert_eq!(message(register(&mut m, "weight", Wide { core: core() })), first("dtype", single, double));
    assert_eq!(message(register(&mut m, "weight", NarrowInverse { core: core() })), first("shape", square, row));
    assert_eq!(
        message(register(&mut m, "weight", WideInverse { core: core() })),
        "When `right_inverse` outputs one tensor, it may not change the dtype.\noriginal.dtype: torch.float32\nright_inverse(original).dtype: torch.float64"
    );
    assert_eq!(
        (keys(&m.state_dict()), values(&m.weight.detach())),
        (vec!["weight".into(), "bias".into()], vec![3.0; 4])
    );
    register(&mut m, "weight", Double { core: core() })?;
    assert_eq!(message(register(&mut m, "weight", FirstRow { core: core() })), next("shape", square, row));
    assert_eq!(message(register(&mut m, "weight", Wide { core: core() })), next("dtype", single, double));
    assert_eq!(message(register(&mut m, "weight", NarrowInverse { core: core() })), inverse("shape", square, row));
    assert_eq!(message(register(&mut m, "weight", WideInverse { core: core() })), inverse("dtype", single, double));
    register_parametrization_unchecked(&mut m, "weight", FirstRow { core: core() })?;
    assert_eq!(parametrized(&m, "weight")?.shape(), [1, 2]);
    Ok(())
}

#[test]
fn only_members_with_values_can_be_parametrized() -> Result<()> {
    let text = |module: &str, name: &str| {
        format!("Module '{module}' does not have a parameter, a buffer, or a parametrized element with name '{name}'")
    };
    let mut m = layer()?;
    let shown = m.to_string();
    assert_eq!(message(register(&mut m, "nope", Double { core: core() })), text(&shown, "nope"));
    assert_eq!(message(register(&mut m, "in_features", Double { core: core() })), text(&shown, "in_features"));
    let mut lazy = nn::Linear::lazy(2)?;
    assert!(message(register(&mut lazy, "weight", Double { core: core() })).starts_with("Can't access the shape"));
    Ok(())
}

#[test]
fn buffers_and_members_registered_by_name_can_be() -> Result<()> {
    let mut norm = nn::BatchNorm1d::new(2)?;
    register(&mut norm, "running_mean", Double { core: core() })?;
    assert_eq!(
        keys(&norm.state_dict()),
        ["weight", "bias", "running_var", "num_batches_tracked", "parametrizations.running_mean.original"]
    );
    assert!(norm.to_string().starts_with("ParametrizedBatchNorm1d(\n  2, eps=1e-05"));
    let mut m = Bare::new();
    m.register_parameter("w", Some(Parameter::new(Tensor::ones([1])?)))?;
    register(&mut m, "w", Double { core: core() })?;
    assert_eq!(keys(&m.state_dict()), ["parametrizations.w.original"]);
    assert_eq!(
        message(m.register_parameter("w", Some(Parameter::new(Tensor::ones([1])?)))),
        "attribute 'w' already exists"
    );
    assert!(m.core().parameter("w").is_some_and(|w| w.is_placeholder()));
    assert!(is_parametrized(&m, None) && is_parametrized(&m, Some("w")) && !is_parametrized(&m, Some("v")));
    remove(&mut m, "w", true)?;
    assert_eq!(m.core().parameter("w").map(|w| values(&w.detach())), Some(vec![2.0]));
    Ok(())
}

#[test]
fn a_copy_has_its_own_original_and_a_checkpoint_goes_round() -> Result<()> {
    let mut m = layer()?;
    register(&mut m, "weight", Double { core: core() })?;
    let copy = m.deep_clone()?;
    let path = "parametrizations.weight.original";
    assert!(!copy.get_parameter(path)?.ptr_eq(m.get_parameter(path)?));
    autograd::no_grad(|| copy.get_parameter(path)?.zero_().map(|_| ()))?;
    assert_eq!(values(&copy.call(Tensor::ones([1, 2])?)?.detach()), [1.0; 2]);
    assert_eq!(values(&m.call(Tensor::ones([1, 2])?)?.detach()), [13.0; 2]);
    copy.load_state_dict(&m.state_dict())?;
    assert_eq!(values(&copy.call(Tensor::ones([1, 2])?)?.detach()), [13.0; 2]);
    assert!(m.load_state_dict(&layer()?.state_dict()).is_err());
    Ok(())
}

#[test]
fn cached_values_are_computed_once() -> Result<()> {
    let calls = Arc::new(AtomicUsize::new(0));
    let mut m = layer()?;
    register(&mut m, "weight", Counted { core: core(), calls: calls.clone() })?;
    let x = Tensor::ones([1, 2])?;
    let count = |f: &dyn Fn() -> Result<()>| -> Result<usize> {
        calls.store(0, Relaxed);
        f()?;
        Ok(calls.load(Relaxed))
    };
    let twice = || m.call(&x).and_then(|_| m.call(&x)).map(|_| ());
    assert_eq!(count(&twice)?, 2);
    let guard = cached();
    let inner = cached();
    assert_eq!(count(&twice)?, 1);
    drop(inner);
    assert_eq!(count(&twice)?, 0);
    drop(guard);
    assert_eq!(count(&twice)?, 2);
    Ok(())
}

#[test]
fn a_parametrization_takes_the_mode_of_its_module() -> Result<()> {
    let mut m = layer()?;
    m.eval();
    register(&mut m, "bias", Double { core: core() })?;
    let modes: Vec<bool> = m.modules().iter().map(|m| m.is_training()).collect();
    assert_eq!(modes, [false, true, true, false]);
    Ok(())
}
