//! Methods of every module.

use super::describe::{grad, refusal, returned, tensor};
use super::facts;
use super::models::linear;
use firebrick::nn::utils::{ClipOptions, clip_grad_norm_, clip_grad_norm_with, clip_grad_value_};
use firebrick::prelude::*;
use firebrick::{autograd, catch_warnings};
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
    "module_methods/1d7847ce" {
        let m = nn::Linear::new(1, 1)?;
        let (cast, warnings) = catch_warnings(|| m.to(DType::C64).map(|_| ()));
        cast?;
        // The fact holds the first sentence.
        let first = |text: &String| text.split(". ").next().map(str::to_owned);
        json!([warnings.iter().map(first).collect::<Vec<_>>(), m.weight.dtype().name()])
    };
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
    "module_methods/adcb6936" {
        let m = nn::BatchNorm1d::new(1)?;
        let state = m.half()?.state_dict();
        let dtypes = state.iter().map(|(name, t)| (name.to_owned(), json!(t.dtype().name())));
        Json::from(dtypes.collect::<serde_json::Map<_, _>>())
    };
    "module_methods/de04eb75" {
        let place = "nope".parse::<Device>();
        refusal(place.and_then(|place| nn::Linear::new(1, 1)?.to(place).map(|_| ())))
    };
    "module_methods/eb9c0c27" called_with_others()?;
    "module_methods/95f3d6c1" clipped_norms()?;
    "module_methods/6c412cb8" clipped_values()?;
    "module_methods/8561a816" {
        let relu = Arc::new(nn::ReLU::new());
        nn::Sequential::new().add(relu.clone()).add(relu).modules().len()
    };
}

/// A layer called with other weights, without any, and with one it does not have.
fn called_with_others() -> Result<Json> {
    let (m, x) = (nn::Linear::new(1, 1)?, Tensor::ones([1, 1])?);
    let before = m.weight.to_vec::<f32>()?;
    let state = |name: &str, value: f32| Ok::<_, Error>((name.to_owned(), Tensor::full([1, 1], value)?));
    let others = StateDict::from_iter([state("weight", 5.0)?, ("bias".to_owned(), Tensor::ones([1])?)]);
    let other = nn::functional_call(&m, &others, &x)?;
    let missing = nn::functional_call(&m, &StateDict::new(), &x);
    let extra = nn::functional_call(&m, &StateDict::from_iter([state("nope", 1.0)?]), &x);
    Ok(json!([
        tensor(&other)?,
        m.weight.to_vec::<f32>()? == before,
        returned(missing, |y| tensor(&y))?,
        returned(extra, |y| Ok(json!(y.shape().to_vec())))?
    ]))
}

fn with_grad(grad: &[f32]) -> Result<Parameter> {
    let p = Parameter::new(Tensor::zeros([grad.len()])?);
    p.set_grad(Some(&Tensor::from_slice(grad, [grad.len()])?))?;
    Ok(p)
}

fn clipped_norms() -> Result<Json> {
    let p = with_grad(&[3.0, 4.0])?;
    let norm = clip_grad_norm_([&p], 1.0)?;
    let clipped = grad(&p)?;
    let nan = with_grad(&[f32::NAN])?;
    let strict = clip_grad_norm_with([&nan], 1.0, &ClipOptions::new().error_if_nonfinite(true));
    let none = Parameter::new(Tensor::zeros([1])?);
    let without = tensor(&clip_grad_norm_([&none], 1.0)?)?;
    let empty = tensor(&clip_grad_norm_(Vec::<Tensor>::new(), 1.0)?)?;
    Ok(json!([tensor(&norm)?, clipped, refusal(strict), without, empty]))
}

fn clipped_values() -> Result<Json> {
    let (p, q) = (with_grad(&[-3.0, 0.5, 3.0])?, with_grad(&[3.0, -4.0])?);
    clip_grad_value_([&p], 1.0)?;
    let norm = clip_grad_norm_with([&q], 2.0, &ClipOptions::new().norm_type(f64::INFINITY))?;
    Ok(json!([null, grad(&p)?, tensor(&norm)?, grad(&q)?]))
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
