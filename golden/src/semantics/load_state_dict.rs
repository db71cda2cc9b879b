//! `load_state_dict`.

use super::describe::{outcome, raised, tensor};
use super::facts;
use super::models::{Bare, keys, linear};
use firebrick::nn::{IncompatibleKeys, LoadOptions};
use firebrick::prelude::*;
use serde_json::{Value as Json, json};

facts! { FACTS;
    "load_state_dict/4f8fac2e" { let m = model()?; result(m.load_state_dict(&m.state_dict()))? };
    "load_state_dict/37b1fbd5" altered(true, |state| { state.remove("2.bias"); Ok(()) })?;
    "load_state_dict/c8e025e8" altered(true, |state| { add(state, "foo")?; add(state, "1.bar") })?;
    "load_state_dict/848f8842" altered(true, |state| { state.remove("0.bias"); add(state, "zzz") })?;
    "load_state_dict/adc93c52" altered(true, |state| put(state, "0.weight", Tensor::zeros([3, 4])?))?;
    "load_state_dict/ebd98347" altered(true, |state| {
        state.remove("2.bias");
        add(state, "foo")?;
        put(state, "0.weight", Tensor::zeros([3, 4])?)?;
        put(state, "2.weight", Tensor::zeros([1])?)
    })?;
    "load_state_dict/76728830" altered(false, |state| { state.remove("2.bias"); add(state, "foo") })?;
    "load_state_dict/85dee20d" {
        let m = nn::Linear::builder(2, 1).bias(false).build()?;
        m.load_state_dict(&StateDict::from_iter([("weight", Tensor::new([[0.1f64, 0.2]])?)]))?;
        tensor(&m.weight)?
    };
    "load_state_dict/0d86bae8" identity()?;
    "load_state_dict/fe1671aa" assigned()?;
    "load_state_dict/d43556d8" {
        let m = nn::Linear::builder(1, 1).bias(false).build()?;
        let given = Parameter::frozen(Tensor::ones([1, 1])?);
        let state = StateDict::from_iter([("weight", (*given).clone())]);
        m.load_state_dict_with(&state, &LoadOptions::new().assign(true))?;
        json!({"is given object": m.weight.ptr_eq(&given), "requires_grad": m.weight.requires_grad()})
    };
    "load_state_dict/2c1547c6" {
        let m = nn::Linear::builder(2, 1).bias(false).build()?;
        let state = StateDict::from_iter([("weight", Tensor::zeros([2, 2])?)]);
        outcome(m.load_state_dict_with(&state, &LoadOptions::new().assign(true)), |_| Ok(Json::Null))?
    };
    "load_state_dict/42d106d3" {
        let net = Net { core: Core::new(), lin: nn::Linear::new(1, 1)? };
        outcome(net.load_state_dict(&StateDict::new()), |_| Ok(Json::Null))?
    };
    "load_state_dict/2f465fca" {
        let m = nn::Linear::new(1, 1)?;
        let mut state = m.state_dict();
        add(&mut state, "weight.foo")?;
        outcome(m.load_state_dict(&state), |_| Ok(Json::Null))?
    };
    "load_state_dict/67d7df7f" {
        let m = nn::Linear::builder(1, 1).bias(false).build()?;
        let mut state = m.state_dict();
        ["z", "a", "m"].iter().try_for_each(|name| add(&mut state, name))?;
        outcome(m.load_state_dict(&state), |_| Ok(Json::Null))?
    };
    "load_state_dict/98252076" {
        let layer = || nn::Linear::new(1, 1);
        let m = nn::Sequential::new().add(layer()?).add(layer()?).add(layer()?);
        outcome(m.load_state_dict(&StateDict::new()), |_| Ok(Json::Null))?
    };
    "load_state_dict/37ae05a7" tied()?;
    "load_state_dict/4b93ec26" {
        let m = nn::BatchNorm1d::new(2)?;
        let mut state = m.state_dict();
        state.remove("num_batches_tracked");
        outcome(m.load_state_dict(&state), |_| Ok(Json::Null))?
    };
    "load_state_dict/966eaf04" {
        let m = linear([[1.0]], None)?;
        m.load_state_dict(&StateDict::from_iter([("weight", Tensor::new([[3i64]])?)]))?;
        tensor(&m.weight)?
    };
}

/// A module with one child.
#[derive(Module)]
struct Net {
    core: Core,
    lin: nn::Linear,
}

fn model() -> Result<nn::Sequential> {
    Ok(nn::Sequential::new().add(nn::Linear::new(3, 4)?).add(nn::ReLU::new()).add(nn::Linear::new(4, 2)?))
}

fn add(state: &mut StateDict, name: &str) -> Result<()> {
    put(state, name, Tensor::zeros([1])?)
}

fn put(state: &mut StateDict, name: &str, x: Tensor) -> Result<()> {
    state.insert(name, x);
    Ok(())
}

/// Loads the model's own state after a change of it.
fn altered(strict: bool, change: impl FnOnce(&mut StateDict) -> Result<()>) -> Result<Json> {
    let m = model()?;
    let mut state = m.state_dict();
    change(&mut state)?;
    result(m.load_state_dict_with(&state, &LoadOptions::new().strict(strict)))
}

fn result(loaded: Result<IncompatibleKeys>) -> Result<Json> {
    Ok(match loaded {
        Ok(keys) => json!({
            "missing_keys": keys.missing_keys,
            "unexpected_keys": keys.unexpected_keys,
            "repr": keys.to_string(),
        }),
        Err(error) => raised(&error),
    })
}

fn identity() -> Result<Json> {
    let m = nn::Linear::new(2, 1)?;
    m.weight.requires_grad_(false)?;
    let (handle, body) = (m.weight.clone(), m.weight.detach());
    let state = StateDict::from_iter([("weight", Tensor::ones([1, 2])?), ("bias", Tensor::ones([1])?)]);
    m.load_state_dict(&state)?;
    Ok(json!({
        "same object": m.weight.ptr_eq(&handle),
        "same memory": m.weight.shares_storage(&body),
        "requires_grad": m.weight.requires_grad(),
        "bias requires_grad": m.bias.as_ref().is_some_and(|b| b.requires_grad()),
    }))
}

fn assigned() -> Result<Json> {
    let m = nn::Linear::new(2, 1)?;
    m.weight.requires_grad_(false)?;
    let old = m.weight.clone();
    let given = Tensor::new([[1.0f64, 2.0]])?;
    let state = StateDict::from_iter([("weight", given.clone()), ("bias", Tensor::new([3.0f64])?)]);
    let loaded = m.load_state_dict_with(&state, &LoadOptions::new().assign(true))?;
    Ok(json!({
        "result": loaded.to_string(),
        "is old object": m.weight.ptr_eq(&old),
        "shares memory with given": m.weight.shares_storage(&given),
        "dtype": m.weight.dtype().name(),
        "type": "Parameter",
        "weight.requires_grad (old was False)": m.weight.requires_grad(),
        "bias.requires_grad (old was True)": m.bias.as_ref().is_some_and(|b| b.requires_grad()),
    }))
}

/// Two children that share one weight.
fn tied() -> Result<Json> {
    let mut m = Bare::new();
    let (a, mut b) = (nn::Linear::builder(1, 1).bias(false).build()?, nn::Linear::builder(1, 1).bias(false).build()?);
    b.weight = a.weight.clone();
    m.add_module("a", a)?;
    m.add_module("b", b)?;
    let state = StateDict::from_iter([("a.weight", Tensor::new([[1.0f32]])?), ("b.weight", Tensor::new([[2.0f32]])?)]);
    m.load_state_dict(&state)?;
    let weight = m.get_parameter("a.weight")?;
    Ok(json!({"state_dict keys": keys(&m.state_dict()), "value": tensor(weight)?}))
}
