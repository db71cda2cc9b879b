//! Lazy modules.

use super::describe::{outcome, refusal};
use super::facts;
use super::models::{keys, names};
use crate::Out;
use crate::functional::Args;
use crate::modules::construct;
use crate::value::Value;
use firebrick::catch_warnings;
use firebrick::prelude::*;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

facts! { FACTS;
    "lazy/d6808c3b" {
        let p = uninitialized()?;
        json!({"returns": [p.is_leaf(), p.requires_grad(), p.dtype().name(), "cpu"]})
    };
    "lazy/381ac13d" json!({"returns": uninitialized()?.to_string()});
    "lazy/d64d7492" {
        let layer = nn::Linear::lazy(1)?;
        layer.to(DType::F64)?;
        json!({"returns": layer.weight.dtype().name()})
    };
    "lazy/93d0ef1a" json!({"returns": uninitialized()?.grad().map(|_| "a gradient")});
    "lazy/5e309c8c" {
        let copy = uninitialized()?.deep_copy()?;
        json!({"returns": if copy.is_uninitialized() { "UninitializedParameter" } else { "Parameter" }})
    };
    "lazy/944bc326" materialized()?;
    "lazy/4fb36731" refusal(Buffer::uninitialized(DType::F32, Device::Cpu)?.shape());
    "lazy/43e1d2d9" before_and_after("LazyConv2d", &[2, 3], &[1, 3, 5, 5])?;
    "lazy/0c69fef5" before_and_after("LazyConvTranspose1d", &[2, 3], &[1, 3, 5])?;
    "lazy/65d34b8f" before_and_after("LazyBatchNorm2d", &[], &[2, 3, 2, 2])?;
    "lazy/7b77a584" json!([keys(&nn::Linear::lazy(4)?.state_dict()), kinds(&nn::Linear::lazy(4)?)]);
    "lazy/28aa1a35" {
        let layer = construct("LazyBatchNorm1d", &mut Args::default())?;
        json!([keys(&layer.module().state_dict()), kinds(layer.module())])
    };
    "lazy/47bf65c1" second_call("LazyConv2d", &[2, 3], &[1, 3, 5, 5], &[1, 4, 5, 5])?;
    "lazy/316cbdf5" first_call("LazyConv2d", &[2, 3], &[2, 3])?;
    "lazy/b52d7476" first_call("LazyBatchNorm2d", &[], &[2, 3, 4])?;
    "lazy/7340aeb2" refusal(nn::Linear::new(3, 4)?.load_state_dict(&nn::Linear::lazy(4)?.state_dict()));
    "lazy/60e3b5bc" in_sequence()?;
    "lazy/1152ad29" {
        let layer = nn::Linear::lazy(4)?;
        layer.double()?.call(Tensor::ones([1, 3])?.to(DType::F64)?)?;
        layer.weight.dtype().name()
    };
    "lazy/c97585c5" {
        // `p.data` is the same memory without history.
        let data = uninitialized()?.detach();
        json!({"returns": if data.requires_grad() { "Parameter" } else { "Tensor" }})
    };
    "lazy/297dbd44" json!({"returns": uninitialized()?.dim()});
    "lazy/c50b4f3d" {
        let optimizer = optim::SGD::new(nn::Linear::lazy(4)?.parameters(), 0.1).build()?;
        json!({"returns": optimizer.to_string()})
    };
    "lazy/551b4036" {
        let m = nn::Linear::lazy(4)?;
        let same = m.apply(|m| m.get_parameter("weight").map(|_| ()))?;
        json!({"returns": same.to_string()})
    };
    "lazy/70645658" {
        let (layer, warnings) = catch_warnings(|| nn::Linear::lazy(4));
        layer?;
        warnings
    };
    "lazy/bd8afe5e" {
        let (layer, calls) = (nn::Linear::lazy(1)?, Arc::new(AtomicUsize::new(0)));
        let counter = calls.clone();
        let _handle = layer.register_forward_hook(move |_, _, _| {
            counter.fetch_add(1, Relaxed);
            Ok(None)
        });
        layer.call(Tensor::ones([1, 2])?)?;
        layer.call(Tensor::ones([1, 2])?)?;
        calls.load(Relaxed)
    };
}

fn uninitialized() -> Result<Parameter> {
    Parameter::uninitialized(DType::F32, Device::Cpu)
}

fn materialized() -> Result<Json> {
    let p = uninitialized()?;
    p.set_data(&Tensor::empty([2, 3])?)?;
    let class = if p.is_uninitialized() { "UninitializedParameter" } else { "Parameter" };
    let double = uninitialized()?;
    double.set_data(&Tensor::empty_with([1], DType::F64)?)?;
    Ok(json!([class, p.shape()?.to_vec(), double.dtype().name(), double.requires_grad()]))
}

/// What each entry of the state is.
fn kinds(module: &dyn nn::Module) -> Vec<&'static str> {
    let parameters = module.named_parameters();
    let of = |(name, x): (&str, &Tensor)| match (x.is_uninitialized(), parameters.iter().any(|(p, _)| p == name)) {
        (true, true) => "UninitializedParameter",
        (true, false) => "UninitializedBuffer",
        (false, _) => "Tensor",
    };
    module.state_dict().iter().map(of).collect()
}

fn input(shape: &[i64]) -> Result<Args> {
    Ok(Args::new([Value::Tensor(Tensor::ones(shape)?)], Vec::new()))
}

fn make(class: &str, args: &[i64]) -> Out<Box<dyn crate::modules::Layer>> {
    construct(class, &mut Args::new(args.iter().map(|&n| Value::Int(n)), Vec::new()))
}

fn before_and_after(class: &str, args: &[i64], shape: &[i64]) -> Out<Json> {
    let layer = make(class, args)?;
    let before = layer.module().to_string();
    layer.call(&mut input(shape)?)?;
    Ok(json!([before, layer.module().to_string(), layer.module().display_name()]))
}

fn first_call(class: &str, args: &[i64], shape: &[i64]) -> Out<Json> {
    second_call(class, args, &[], shape)
}

/// What the last call says; the first one, where there is one, goes well.
fn second_call(class: &str, args: &[i64], first: &[i64], shape: &[i64]) -> Out<Json> {
    let layer = make(class, args)?;
    if !first.is_empty() {
        layer.call(&mut input(first)?)?;
    }
    match layer.call(&mut input(shape)?) {
        Ok(_) => Ok(Json::Null),
        Err(crate::Failure::Error(error)) => Ok(outcome(Err::<(), _>(error), |()| Ok(Json::Null))?),
        Err(other) => Err(other),
    }
}

fn in_sequence() -> Result<Json> {
    let m = nn::Sequential::new().add(nn::Linear::lazy(2)?).add(nn::ReLU::new()).add(nn::Linear::lazy(1)?);
    let before = names(m.named_parameters());
    m.call(Tensor::ones([1, 3])?)?;
    let after = m.named_parameters().into_iter().map(|(name, p)| Ok(json!([name, p.shape()?.to_vec()])));
    Ok(json!([before, after.collect::<Result<Vec<_>>>()?]))
}
