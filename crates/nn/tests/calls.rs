//! `call`: inputs of every kind, modules behind pointers and enums, paths in errors, standing in.

mod common;

use common::{Mlp, constant_linear, names, values};
use firebrick::nn::{HookOptions, boxed};
use firebrick::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

fn ones(shape: [usize; 2]) -> Result<Tensor> {
    Tensor::ones(shape)
}

#[derive(Module)]
struct Add {
    core: Core,
    bias: Parameter,
}

/// Two tensors and an optional one in, two out.
impl nn::Forward<(Tensor, Tensor, Option<Tensor>), (Tensor, Tensor)> for Add {
    fn forward(&self, (x, y, z): (Tensor, Tensor, Option<Tensor>)) -> Result<(Tensor, Tensor)> {
        let y = match z {
            Some(z) => y.add(&z)?,
            None => y,
        };
        Ok((x, y.add(&self.bias)?))
    }
}

#[test]
fn several_inputs_are_tuples_and_options() -> Result<()> {
    let add = Add { core: Core::new(), bias: Parameter::new(Tensor::ones([2])?) };
    let x = ones([1, 2])?;
    let second = |(_, y): (Tensor, Tensor)| values(&y.detach());
    assert_eq!(second(add.call((&x, &x, Absent))?), [2.0, 2.0]);
    assert_eq!(second(add.call((&x, x.clone(), None::<Tensor>))?), [2.0, 2.0]);
    assert_eq!(second(add.call((&x, &add.bias, Some(&x)))?), [3.0, 3.0]);
    Ok(())
}

#[derive(Clone, Args)]
struct Batch {
    tokens: Tensor,
    mask: Option<Tensor>,
    step: usize,
}

#[derive(Args)]
enum Outcome {
    Scores { scores: Tensor, step: usize },
    Nothing,
}

#[derive(Module)]
struct Scorer {
    core: Core,
}

impl nn::Forward<Batch, Outcome> for Scorer {
    fn forward(&self, batch: Batch) -> Result<Outcome> {
        match batch.mask {
            Some(mask) => Ok(Outcome::Scores { scores: batch.tokens.mul(&mask)?, step: batch.step + 1 }),
            None => Ok(Outcome::Nothing),
        }
    }
}

#[test]
fn own_types_are_inputs_and_outputs() -> Result<()> {
    let scorer = Scorer { core: Core::new() };
    let tensors = Arc::new(AtomicUsize::new(0));
    let seen = tensors.clone();
    scorer.register_forward_hook_any(HookOptions::new(), move |_, input, output| {
        let outputs = output.map_or(0, |output| output.tensors().len());
        seen.store(10 * input.tensors().len() + outputs, SeqCst);
        Ok(())
    });
    let x = ones([1, 2])?;
    let batch = Batch { tokens: x.clone(), mask: Some(x), step: 1 };
    let Outcome::Scores { scores, step } = scorer.call(batch.clone())? else { panic!("a mask was given") };
    assert_eq!((values(&scores), step, tensors.load(SeqCst)), (vec![1.0, 1.0], 2, 21));
    assert!(matches!(scorer.call(Batch { mask: None, ..batch })?, Outcome::Nothing));
    assert_eq!(tensors.load(SeqCst), 10);
    Ok(())
}

#[derive(Module)]
struct Residual<M> {
    core: Core,
    body: M,
    scale: f64,
}

impl<M: nn::Forward> nn::Forward for Residual<M> {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        self.body.call(&x)?.mul(self.scale)?.add(&x)
    }
}

#[test]
fn generic_blocks_take_concrete_boxed_and_shared_bodies() -> Result<()> {
    let body = || constant_linear(2, 2, 1.0, 0.0);
    let x = ones([1, 2])?;
    let outputs = [
        Residual { core: Core::new(), body: body()?, scale: 0.5 }.call(&x)?,
        Residual { core: Core::new(), body: boxed(body()?), scale: 0.5 }.call(&x)?,
        Residual { core: Core::new(), body: Arc::new(body()?), scale: 0.5 }.call(&x)?,
        Residual { core: Core::new(), body: nn::Sequential::new().add(body()?), scale: 0.5 }.call(&x)?,
    ];
    assert!(outputs.iter().all(|y| values(&y.detach()) == [2.0, 2.0]));
    Ok(())
}

#[derive(Module)]
enum Activation {
    Relu(nn::ReLU),
    Linear(nn::Linear),
}

impl nn::Forward for Activation {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        match self {
            Activation::Relu(module) => module.call(x),
            Activation::Linear(module) => module.call(x),
        }
    }
}

#[test]
fn an_enum_is_the_module_it_holds() -> Result<()> {
    let linear = Activation::Linear(constant_linear(2, 2, 1.0, 0.0)?);
    assert_eq!(linear.to_string(), "Linear(in_features=2, out_features=2, bias=True)");
    assert_eq!(names(linear.named_parameters()), ["weight", "bias"]);
    assert!(linear.as_dyn().is::<nn::Linear>());
    let runs = Arc::new(AtomicUsize::new(0));
    let count = runs.clone();
    linear.register_forward_hook(move |_, _, _| {
        count.fetch_add(1, SeqCst);
        Ok(None)
    });
    linear.call(ones([1, 2])?)?;
    assert_eq!(runs.load(SeqCst), 1, "the hook of the enum and of its module is one hook");
    let mut holder = nn::ModuleList::from(vec![Activation::Relu(nn::ReLU::new())]);
    holder.set_submodule("0", linear.deep_clone()?)?;
    assert_eq!(holder.get_parameter("0.weight")?.shape()?, [2, 2]);
    holder.set_submodule("0", nn::Linear::new(3, 3)?).expect_err("a place of another type");
    assert_eq!(holder[0].call(ones([1, 2])?)?.shape(), [1, 2]);
    Ok(())
}

#[test]
fn a_boxed_module_is_itself_a_module() -> Result<()> {
    let net: Box<dyn nn::Forward> = Box::new(Mlp::new(2, 3, 1)?);
    assert_eq!(net.call(ones([4, 2])?)?.shape(), [4, 1]);
    assert_eq!(net.parameters().len(), 4);
    net.eval();
    assert!(!net.is_training());
    fn apply(m: &dyn nn::Forward, x: &Tensor) -> Result<Tensor> {
        m.call(x)
    }
    assert_eq!(apply(&*net, &ones([4, 2])?)?.shape(), [4, 1]);
    let copy = net.deep_clone()?;
    assert!(!copy.parameters()[0].ptr_eq(&net.parameters()[0]) && !copy.is_training());
    Ok(())
}

#[test]
fn errors_name_the_module_in_which_they_arose() -> Result<()> {
    #[derive(Module)]
    struct Outer {
        core: Core,
        blocks: nn::ModuleList<Mlp>,
    }
    impl nn::Forward for Outer {
        fn forward(&self, x: Tensor) -> Result<Tensor> {
            self.blocks.iter().try_fold(x, |x, block| block.call(x))
        }
    }
    let blocks = nn::ModuleList::from(vec![Mlp::new(2, 3, 2)?, Mlp::new(2, 3, 2)?]);
    let mut outer = Outer { core: Core::new(), blocks };
    outer.blocks.get_mut(1)?.fc2 = nn::Linear::new(7, 2)?;
    let error = outer.call(ones([4, 2])?).expect_err("shapes do not fit");
    assert_eq!(error.module_path(), Some("blocks.1.fc2"));
    let text = format!("{error:#}");
    assert!(
        text.starts_with("in blocks.1.fc2 (Linear(in_features=7, out_features=2, bias=True)): addmm: mat1"),
        "{text}"
    );
    assert!(!error.to_string().contains("blocks"));
    let error = nn::Linear::new(2, 1)?.call(ones([1, 5])?).expect_err("shapes do not fit");
    assert_eq!(error.module_path(), None);
    Ok(())
}

#[test]
fn backward_errors_are_located_in_the_model() -> Result<()> {
    let net = nn::Sequential::new().add(nn::Linear::new(2, 2)?).add(nn::Linear::new(2, 1)?);
    let x = ones([1, 2])?;
    let y = net.call(&x)?.sum()?;
    autograd::no_grad(|| net.get_parameter("1.weight")?.mul_(2.0).map(drop))?;
    let error = y.backward().expect_err("a saved tensor was changed");
    assert_eq!(error.module_path(), Some("1"));
    assert!(
        format!("{error:?}").starts_with("Runtime: in 1 (Linear(in_features=2, out_features=1, bias=True)): one of")
    );
    assert_eq!(net.locate(error).module_path(), Some("1"));
    Ok(())
}

#[test]
fn a_computed_tensor_stands_in_for_a_hidden_parameter() -> Result<()> {
    let mut linear = constant_linear(2, 1, 3.0, 0.0)?;
    let original = Parameter::new(linear.weight.detach());
    linear.register_parameter("original", Some(original.clone()))?;
    let core = linear.core_mut().expect("one owner");
    core.hide("weight", true);
    core.rename(Some("ParametrizedLinear".to_owned()));
    core.stand_in(
        "weight",
        Some(Arc::new(|module: &dyn Module| {
            let original = module.get_parameter("original")?;
            let linear = module.downcast_ref::<nn::Linear>().expect("a Linear");
            Ok(vec![(linear.weight.clone(), original.mul(2.0)?)])
        })),
    );
    assert_eq!(names(linear.named_parameters()), ["bias", "original"]);
    assert_eq!(linear.state_dict().keys().collect::<Vec<_>>(), ["bias", "original"]);
    assert_eq!(linear.to_string(), "ParametrizedLinear(in_features=2, out_features=1, bias=True)");
    let y = linear.call(ones([1, 2])?)?;
    assert_eq!(values(&y.detach()), [12.0]);
    y.sum()?.backward()?;
    assert_eq!(original.grad().map(|g| values(&g)), Some(vec![2.0, 2.0]));
    assert!(linear.weight.grad().is_none());
    let copy = linear.deep_clone()?;
    copy.get_parameter("original")?.set_data(&Tensor::zeros([1, 2])?)?;
    assert_eq!(values(&copy.call(ones([1, 2])?)?.detach()), [0.0]);
    let core = linear.core_mut().expect("one owner");
    core.stand_in("weight", None);
    core.hide("weight", false);
    core.rename(None);
    assert!(linear.unregister("original"));
    assert_eq!(values(&linear.call(ones([1, 2])?)?.detach()), [6.0]);
    assert_eq!(names(linear.named_parameters()), ["weight", "bias"]);
    Ok(())
}
