//! Methods of every module.

use super::describe::{refusal, tensor};
use super::facts;
use super::models::linear;
use firebrick::autograd;
use firebrick::prelude::*;
use serde_json::{Value as Json, json};
use std::sync::Arc;

facts! { FACTS;
    "module_methods/0ec4d30f" {
        let m = nn::Sequential::new().add(nn::Sequential::new().add(nn::ReLU::new())).add(nn::ReLU::new());
        m.eval();
        let child = m.get_submodule("0")?;
        child.train(true);
        m.named_modules().into_iter().map(|(name, m)| json!([name, m.is_training()])).collect::<Json>()
    };
    "module_methods/292b1b6f" nn::Linear::new(1, 1)?.is_training();
    "module_methods/8d59bf38" {
        let inner = nn::Sequential::new().add(nn::ReLU::new());
        applied(&nn::Sequential::new().add(nn::Linear::new(1, 1)?).add(inner))?
    };
    "module_methods/0c67dae2" {
        let relu = Arc::new(nn::ReLU::new());
        applied(&nn::Sequential::new().add(relu.clone()).add(relu))?
    };
    "module_methods/1d90fd2b" refusal(nn::Linear::new(1, 1)?.to(DType::I64));
    "module_methods/e76e9a77" {
        let m = nn::Linear::new(1, 1)?;
        let before = m.weight.clone();
        m.to(DType::F64)?;
        json!([m.weight.ptr_eq(&before), m.weight.dtype().name()])
    };
    "module_methods/3a74b980" {
        let m = nn::Linear::new(1, 1)?;
        m.call(Tensor::ones([1, 1])?)?.sum()?.backward()?;
        m.double()?;
        m.weight.grad().map(|g| g.dtype().name())
    };
    "module_methods/a9d554cd" {
        let m = nn::Linear::new(1, 1)?;
        m.requires_grad_(false)?;
        refusal(m.call(Tensor::ones([1, 1])?)?.sum()?.backward())
    };
    "module_methods/3155d177" deep_copied()?;
    "module_methods/5bdcf42d" refusal(nn::Linear::new(2, 2)?.half()?.call(Tensor::ones([1, 2])?));
    "module_methods/8561a816" {
        let relu = Arc::new(nn::ReLU::new());
        nn::Sequential::new().add(relu.clone()).add(relu).modules().len()
    };
}

/// The classes in the order in which `apply` visits them.
fn applied(module: &nn::Sequential) -> Result<Vec<String>> {
    let mut seen = Vec::new();
    module.apply(|m| {
        seen.push(m.display_name());
        Ok(())
    })?;
    Ok(seen)
}

/// A module whose two children are one layer, copied.
fn deep_copied() -> Result<Json> {
    let layer = Arc::new(linear([[2.0]], None)?);
    let m = nn::Sequential::new().add(layer.clone()).add(layer.clone());
    m.call(Tensor::ones([1, 1])?)?.sum()?.backward()?;
    let copy = m.deep_clone()?;
    let (a, b) = (copy.get_parameter("0.weight")?, copy.get_parameter("1.weight")?);
    let equal = a.to_vec::<f32>()? == layer.weight.to_vec::<f32>()?;
    let _guard = autograd::ModeGuard::no_grad();
    let grad = a.grad().map(|g| tensor(&g)).transpose()?;
    Ok(json!([a.ptr_eq(&layer.weight), equal, a.requires_grad(), a.grad_fn(), a.ptr_eq(b), grad.is_some()]))
}
