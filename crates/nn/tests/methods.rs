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

#[test]
fn gradients_are_forgotten_or_set_to_zero_in_place() -> Result<()> {
    let m = nn::Linear::new(1, 1)?;
    m.call(Tensor::ones([1, 1])?)?.sum()?.backward()?;
    let grad = m.weight.grad().expect("a gradient");
    m.zero_grad_with(false)?;
    assert!(m.weight.grad().is_some_and(|g| g.ptr_eq(&grad)));
    assert_eq!(values(&grad), [0.0]);
    let y = m.call(Tensor::ones([1, 1])?)?.square()?.sum()?;
    y.backward_with(firebrick::autograd::Backward::new().create_graph(true))?;
    m.zero_grad_with(false)?;
    assert!(m.weight.grad().is_some_and(|g| g.grad_fn().is_none() && !g.requires_grad()));
    m.zero_grad_with(true)?;
    assert!(m.weight.grad().is_none());
    Ok(())
}

#[test]
fn type_casts_integers_as_well() -> Result<()> {
    let norm = nn::BatchNorm1d::new(1)?;
    norm.type_(DType::F16)?;
    assert!(norm.state_dict().values().all(|t| t.dtype() == DType::F16));
    assert_eq!(
        message(nn::Linear::new(1, 1)?.type_(DType::I32)),
        "data set to a tensor that requires gradients must be floating point or complex dtype"
    );
    Ok(())
}

#[test]
fn empty_memory_on_a_device_keeps_handles_shapes_and_dtypes() -> Result<()> {
    firebrick::accelerator::enable_mock(1);
    let net = nn::ModuleList::from([nn::BatchNorm1d::new(2)?]);
    let weight = net[0].weight.clone().expect("affine");
    net.to_empty_with(Device::Mock(0), false)?;
    assert_eq!(weight.device(), Device::Cpu, "the list itself has nothing");
    net.to_empty(Device::Mock(0))?;
    assert!(net.state_dict().values().all(|t| t.device() == Device::Mock(0)));
    assert_eq!((weight.shape()?.to_vec(), weight.requires_grad()), (vec![2], true));
    assert_eq!(net.get_buffer("0.num_batches_tracked")?.dtype(), DType::I64);
    let lazy = nn::Linear::lazy(2)?;
    lazy.to_empty(Device::Mock(0))?;
    assert!(lazy.weight.is_uninitialized() && lazy.weight.device() == Device::Mock(0));
    Ok(())
}

#[test]
fn layers_are_made_on_the_device_and_of_the_dtype_asked_for() -> Result<()> {
    firebrick::accelerator::enable_mock(1);
    let (device, dtype) = (Device::Mock(0), DType::F64);
    let made: Vec<Box<dyn nn::Module>> = vec![
        Box::new(nn::Linear::builder(2, 3).device(device).dtype(dtype).build()?),
        Box::new(nn::Linear::lazy_builder(3).device(device).dtype(dtype).build()?),
        Box::new(nn::Conv1d::builder(2, 3, 1).device(device).dtype(dtype).build()?),
        Box::new(nn::Conv2d::builder(2, 3, 1).device(device).dtype(dtype).build()?),
        Box::new(nn::Conv3d::lazy_builder(3, 1).device(device).dtype(dtype).build()?),
        Box::new(nn::BatchNorm2d::builder(2).device(device).dtype(dtype).build()?),
        Box::new(nn::BatchNorm1d::lazy_builder().device(device).dtype(dtype).build()?),
        Box::new(nn::LayerNorm::builder([2]).device(device).dtype(dtype).build()?),
        Box::new(nn::Embedding::builder(4, 2).device(device).dtype(dtype).build()?),
        Box::new(nn::PReLU::builder(1).device(device).dtype(dtype).build()?),
    ];
    for module in &made {
        for (name, tensor) in module.state_dict_with(&nn::StateDictOptions::new().keep_vars(true)).iter() {
            let expected = if name == "num_batches_tracked" { DType::I64 } else { dtype };
            assert_eq!((tensor.device(), tensor.dtype()), (device, expected), "{module} {name}");
        }
    }
    Ok(())
}

#[test]
fn threads_share_a_model_as_it_is() -> Result<()> {
    let m = nn::Linear::new(1, 1)?;
    m.share_memory()?;
    let before = m.weight.item::<f32>()?;
    std::thread::scope(|scope| {
        scope.spawn(|| firebrick::autograd::no_grad(|| m.weight.add_(1).map(|_| ())).expect("a sum"));
    });
    assert_eq!(m.weight.item::<f32>()?, before + 1.0);
    assert!(
        message(nn::Linear::lazy(1)?.share_memory()).starts_with("Can't share memory on an uninitialized parameter")
    );
    Ok(())
}

#[test]
fn tensors_are_mapped_behind_their_handles() -> Result<()> {
    let m = nn::Linear::new(1, 1)?;
    let held = m.weight.clone();
    m.call(Tensor::ones([1, 1])?)?.sum()?.backward()?;
    m.map_tensors(|tensor| tensor.full_like(7.0))?;
    assert_eq!((values(&held.detach()), held.grad().map(|g| values(&g))), (vec![7.0], Some(vec![7.0])));
    assert!(m.map_tensors(|_| Err(Error::runtime("map", "no"))).is_err());
    Ok(())
}

#[test]
fn devices_are_read_from_pytorchs_strings() {
    assert_eq!("cpu".parse::<Device>().ok(), Some(Device::Cpu));
    assert_eq!("cpu:0".parse::<Device>().ok(), Some(Device::Cpu));
    assert_eq!("mock:12".parse::<Device>().ok(), Some(Device::Mock(12)));
    assert_eq!(message("".parse::<Device>()), "Device string must not be empty");
    for text in ["cuda:-1", "cpu:x", "cpu:01", "cpu:", "cpu:1:2", "9", " cpu", "nope:x", "cpu1"] {
        assert_eq!(message(text.parse::<Device>()), format!("Invalid device string: '{text}'"));
    }
    let unknown = message("nope:1".parse::<Device>());
    assert!(unknown.starts_with("Expected one of cpu, cuda, ipu,") && unknown.ends_with("device string: nope"));
    assert!(message("cuda:0".parse::<Device>()).contains("no device of type cuda"));
}
