//! `train`, `apply`, `to`, `requires_grad_`, `zero_grad`, `deep_clone`.

mod common;

use common::{Bare, Mlp, message, names, values};
use firebrick::ErrorKind;
use firebrick::prelude::*;
use std::sync::Arc;

fn nested() -> nn::Sequential {
    nn::Sequential::new().add(nn::Sequential::new().add(nn::ReLU::new())).add(nn::ReLU::new())
}

#[test]
fn modes_reach_the_whole_tree_below() -> Result<()> {
    let net = nested();
    assert!(net.is_training());
    net.eval();
    assert!(net.modules().iter().all(|m| !m.is_training()));
    net.get_submodule("0")?.train(true);
    let modes: Vec<(String, bool)> = net.named_modules().into_iter().map(|(n, m)| (n, m.is_training())).collect();
    let expected = [("", false), ("0", true), ("0.0", true), ("1", false)];
    assert_eq!(modes, expected.map(|(n, on)| (n.to_owned(), on)));
    Ok(())
}

#[test]
fn apply_visits_children_first() -> Result<()> {
    let order = |net: &nn::Sequential| -> Result<Vec<&'static str>> {
        let mut order = Vec::new();
        net.apply(|m| {
            order.push(m.type_name());
            Ok(())
        })?;
        Ok(order)
    };
    let net = nn::Sequential::new().add(nn::Linear::new(1, 1)?).add(nn::Sequential::new().add(nn::ReLU::new()));
    assert_eq!(order(&net)?, ["Linear", "ReLU", "Sequential", "Sequential"]);
    let relu = Arc::new(nn::ReLU::new());
    let shared = nn::Sequential::new().add(relu.clone()).add(relu);
    assert_eq!(order(&shared)?, ["ReLU", "Sequential"]);
    assert_eq!(shared.modules().len(), 2);
    let failed = net.apply(|_| Err(Error::value("init", "no")));
    assert_eq!(message(failed.map(drop)), "no");
    Ok(())
}

#[test]
fn to_casts_floating_point_members_behind_their_handles() -> Result<()> {
    let mut m = Bare::new();
    m.register_parameter("weight", Some(Parameter::new(Tensor::ones([1])?)))?;
    m.register_buffer("mean", Some(Buffer::new(Tensor::ones([1])?)))?;
    m.register_buffer("count", Some(Buffer::new(Tensor::new([1i64])?)))?;
    let held = m.parameters();
    held[0].set_grad(Some(&Tensor::ones([1])?))?;
    m.half()?;
    let dtypes: Vec<DType> = m.state_dict().values().map(Tensor::dtype).collect();
    assert_eq!(dtypes, [DType::F16, DType::F16, DType::I64]);
    m.to(DType::F64)?;
    assert!(held[0].ptr_eq(m.get_parameter("weight")?) && held[0].dtype() == DType::F64);
    assert_eq!(held[0].grad().map(|g| g.dtype()), Some(DType::F64));
    assert!(held[0].requires_grad() && held[0].is_leaf());
    let error = m.to(DType::I64).expect_err("an integer dtype");
    assert_eq!(error.kind(), ErrorKind::Type);
    assert_eq!(
        error.to_string(),
        "nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=torch.int64"
    );
    Ok(())
}

#[test]
fn freezing_and_forgetting_gradients() -> Result<()> {
    let m = Mlp::new(2, 2, 1)?;
    let x = Tensor::ones([1, 2])?;
    m.call(&x)?.sum()?.backward()?;
    assert!(m.parameters().iter().all(|p| p.grad().is_some()));
    m.zero_grad();
    assert!(m.parameters().iter().all(|p| p.grad().is_none()));
    m.requires_grad_(false)?;
    assert_eq!(
        message(m.call(&x)?.sum()?.backward()),
        "element 0 of tensors does not require grad and does not have a grad_fn"
    );
    Ok(())
}

#[test]
fn a_deep_clone_is_independent_and_keeps_ties_flags_and_gradients() -> Result<()> {
    #[derive(Module)]
    struct Tied {
        core: Core,
        fc1: nn::Linear,
        fc2: nn::Linear,
        enc: Arc<nn::Linear>,
        dec: Arc<nn::Linear>,
        head: Arc<dyn nn::Forward>,
        tail: Arc<dyn nn::Forward>,
    }
    let shared = Arc::new(nn::Linear::new(2, 2)?);
    let head: Arc<dyn nn::Forward> = Arc::new(nn::Linear::new(2, 2)?);
    let mut m = Tied {
        core: Core::new(),
        fc1: nn::Linear::new(2, 2)?,
        fc2: nn::Linear::new(2, 2)?,
        enc: shared.clone(),
        dec: shared,
        head: head.clone(),
        tail: head,
    };
    m.fc2.weight = m.fc1.weight.clone();
    m.fc1.requires_grad_(false)?;
    m.enc.weight.set_grad(Some(&Tensor::ones([2, 2])?))?;
    m.fc1.eval();
    m.register_parameter("tied", Some(m.fc1.weight.clone()))?;
    let copy = m.deep_clone()?;
    assert!(copy.fc1.weight.ptr_eq(&copy.fc2.weight) && copy.fc1.weight.ptr_eq(copy.get_parameter("tied")?));
    assert!(!copy.fc1.weight.ptr_eq(&m.fc1.weight) && !copy.fc1.weight.shares_storage(&m.fc1.weight));
    assert!(Arc::ptr_eq(&copy.enc, &copy.dec) && Arc::ptr_eq(&copy.head, &copy.tail));
    assert!(!copy.fc1.weight.requires_grad() && copy.enc.weight.requires_grad() && copy.fc1.weight.is_leaf());
    assert!(!copy.fc1.is_training() && copy.is_training());
    assert_eq!(copy.enc.weight.grad().map(|g| values(&g)), Some(vec![1.0; 4]));
    assert_eq!(values(&copy.fc1.weight), values(&m.fc1.weight));
    assert_eq!(names(copy.named_parameters()), names(m.named_parameters()));
    assert_ne!(copy.core.id(), m.core.id());
    Ok(())
}

#[test]
fn a_parameter_of_a_computed_tensor_is_a_leaf() -> Result<()> {
    let x = Tensor::ones([1])?;
    x.requires_grad_(true)?;
    let p = Parameter::new(x.mul(2.0)?);
    assert!(p.is_leaf() && p.requires_grad());
    Ok(())
}
