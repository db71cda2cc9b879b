//! Registering members.

use super::describe::{outcome, raised, refusal, tensor};
use super::models::{Bare, keys, names};
use super::{does_not_compile, facts};
use crate::Out;
use crate::functional::Args;
use crate::modules::construct;
use firebrick::prelude::*;
use serde_json::{Value as Json, json};

facts! { FACTS;
    "registration/f1f73c1d" refused_parameter("a.b")?;
    "registration/67234e05" refused_parameter(".")?;
    "registration/9d8a6744" refused_parameter("a.")?;
    "registration/b1d25877" refused_buffer("")?;
    "registration/a3dc81bc" refused_buffer(".")?;
    "registration/c74f12bc" refused_buffer("a.")?;
    "registration/3f24835c" refused_module(".")?;
    "registration/09b49453" refused_module("a.")?;
    "registration/63b02e5c" refused_module("train")?;
    "registration/38504758" {
        let x = super::describe::leaf([1.0])?;
        let p = Parameter::new(x.mul(2)?);
        json!([p.grad_fn().is_none(), p.is_leaf(), p.requires_grad()])
    };
    "registration/e6f01cbc" duplicates()?;
    "registration/a66c7d2c" hidden()?;
    "registration/16050c9c" order()?;
    "registration/87a097e5" reassigned()?;
    "registration/0d6c535b" reassigned_child()?;
    "registration/a1bb97b3" {
        let mut m = Bare::new();
        for name in ["w", "v", "w"] {
            m.register_parameter(name, Some(ones(1)?))?;
        }
        names(m.named_parameters())
    };
}

fn ones(n: usize) -> Result<Parameter> {
    Ok(Parameter::new(Tensor::ones([n])?))
}

fn refused_parameter(name: &str) -> Result<Json> {
    Ok(refusal(Bare::new().register_parameter(name, Some(ones(1)?))))
}

fn refused_buffer(name: &str) -> Result<Json> {
    Ok(refusal(Bare::new().register_buffer(name, Some(Buffer::new(Tensor::ones([1])?)))))
}

fn refused_module(name: &str) -> Result<Json> {
    Ok(refusal(Bare::new().add_module(name, nn::Linear::new(1, 1)?)))
}

fn duplicates() -> Out<Json> {
    let tanh = construct("Tanh", &mut Args::default())?.into_forward()?;
    let mut m = Bare::new();
    let none = |(): ()| Ok(json!({"returns": null}));
    let buffer = |value: f64| Ok::<_, Error>(Some(Buffer::new(Tensor::full([2], value)?)));
    m.register_parameter("w", Some(ones(2)?))?;
    let twice = outcome(m.register_parameter("w", Some(ones(3)?)), none)?;
    let shape: Vec<usize> = m.get_parameter("w")?.shape()?.to_vec();
    let buffer_over = refusal(m.register_buffer("w", buffer(1.0)?));
    let module_over = refusal(m.add_module("w", nn::ReLU::new()));
    m.add_module("c", nn::ReLU::new())?;
    let module_twice = outcome(m.add_module("c", tanh), none)?;
    let module = m.get_submodule("c")?.to_string();
    m.register_buffer("b", buffer(0.0)?)?;
    let buffer_twice = outcome(m.register_buffer("b", buffer(1.0)?), none)?;
    let then = tensor(m.get_buffer("b")?)?;
    let parameter_over = refusal(m.register_parameter("b", Some(ones(1)?)));
    Ok(json!({
        "parameter twice": twice,
        "shape then": shape,
        "buffer over parameter": buffer_over,
        "module over parameter": module_over,
        "module twice": module_twice,
        "module then": module,
        "buffer twice": buffer_twice,
        "buffer then": then,
        "parameter over buffer": parameter_over,
    }))
}

/// A buffer that is not saved.
fn hidden() -> Result<Json> {
    let mut m = Bare::new();
    m.register_buffer("p", Some(Buffer::new(Tensor::ones([1])?)))?;
    m.register_buffer("np", Some(Buffer::non_persistent(Tensor::ones([1])?)))?;
    let state = m.state_dict();
    m.load_state_dict(&state)?;
    let mut with_key = state.clone();
    with_key.insert("np", Tensor::ones([1])?);
    let load = m.load_state_dict(&with_key).map_or_else(|error| raised(&error), |_| Json::Null);
    Ok(json!({"state_dict": keys(&state), "named_buffers": names(m.named_buffers()), "load with key": load}))
}

/// A parameter, then nothing, then a parameter under one name.
fn reassigned() -> Result<Json> {
    let mut m = Bare::new();
    m.register_parameter("w", Some(ones(1)?))?;
    m.register_parameter("w", None)?;
    let (mut slots, value) = (Vec::new(), m.core().parameter("w").map(|_| "a parameter"));
    m.visit(&mut |name, _| slots.push(name.to_owned()));
    let empty = json!([slots == ["w"], value, names(m.named_parameters()), keys(&m.state_dict())]);
    m.register_parameter("w", Some(ones(1)?))?;
    Ok(json!({
        "assign tensor over parameter": does_not_compile(),
        "after None: in _parameters": empty,
        "after Parameter again": names(m.named_parameters()),
    }))
}

/// A child, then nothing, then a child under one name.
fn reassigned_child() -> Result<Json> {
    let mut m = Bare::new();
    m.add_module("c", nn::Linear::new(1, 1)?)?;
    m.add_empty_module("c")?;
    let mut slots = Vec::new();
    m.visit(&mut |name, _| slots.push(name.to_owned()));
    let empty = json!([slots, names(m.named_children()), names(m.named_modules()), m.to_string()]);
    m.add_module("c", nn::ReLU::new())?;
    Ok(json!({
        "assign int over module": does_not_compile(),
        "after None": empty,
        "after ReLU": names(m.named_children()),
    }))
}

fn order() -> Result<Json> {
    let mut m = Bare::new();
    m.add_module("c", nn::Linear::new(1, 1)?)?;
    m.register_buffer("b", Some(Buffer::new(Tensor::ones([1])?)))?;
    m.register_parameter("w", Some(ones(1)?))?;
    Ok(json!([keys(&m.state_dict()), names(m.named_parameters())]))
}
