//! `state_dict` and `load_state_dict`.

mod common;

use common::{Bare, Mlp, constant_linear, keys, message, values};
use firebrick::nn::{LoadOptions, StateDictOptions};
use firebrick::prelude::*;
use std::sync::Arc;

fn model() -> Result<nn::Sequential> {
    Ok(nn::Sequential::new().add(nn::Linear::new(3, 4)?).add(nn::ReLU::new()).add(nn::Linear::new(4, 2)?))
}

#[test]
fn a_models_own_state_matches() -> Result<()> {
    let m = model()?;
    let result = m.load_state_dict(&m.state_dict())?;
    assert!(result.missing_keys.is_empty() && result.unexpected_keys.is_empty());
    assert_eq!(result.to_string(), "<All keys matched successfully>");
    Ok(())
}

#[test]
fn problems_are_reported_all_at_once_in_pytorchs_words() -> Result<()> {
    let m = model()?;
    let loaded = |change: &dyn Fn(&mut StateDict) -> Result<()>| -> Result<String> {
        let mut state = m.state_dict();
        change(&mut state)?;
        Ok(message(m.load_state_dict(&state)))
    };
    let head = "Error(s) in loading state_dict for Sequential:\n\t";
    let text = loaded(&|s| {
        s.remove("2.bias");
        Ok(())
    })?;
    assert_eq!(text, format!("{head}Missing key(s) in state_dict: \"2.bias\". "));
    let text = loaded(&|s| {
        s.insert("foo", Tensor::zeros([1])?);
        s.insert("1.bar", Tensor::zeros([1])?);
        Ok(())
    })?;
    assert_eq!(text, format!("{head}Unexpected key(s) in state_dict: \"foo\", \"1.bar\". "));
    let text = loaded(&|s| {
        s.remove("0.bias");
        s.insert("zzz", Tensor::zeros([1])?);
        Ok(())
    })?;
    assert_eq!(
        text,
        format!("{head}Missing key(s) in state_dict: \"0.bias\". \n\tUnexpected key(s) in state_dict: \"zzz\". ")
    );
    let text = loaded(&|s| {
        s.remove("2.bias");
        s.insert("foo", Tensor::zeros([1])?);
        s.insert("0.weight", Tensor::zeros([3, 4])?);
        s.insert("2.weight", Tensor::zeros([1])?);
        Ok(())
    })?;
    assert_eq!(
        text,
        format!(
            "{head}Missing key(s) in state_dict: \"2.bias\". \n\tUnexpected key(s) in state_dict: \"foo\". \n\t\
             size mismatch for 0.weight: copying a param with shape torch.Size([3, 4]) from checkpoint, \
             the shape in current model is torch.Size([4, 3]).\n\t\
             size mismatch for 2.weight: copying a param with shape torch.Size([1]) from checkpoint, \
             the shape in current model is torch.Size([2, 4])."
        )
    );
    Ok(())
}

#[test]
fn the_error_names_the_root_and_keeps_the_order_of_keys() -> Result<()> {
    #[derive(Module)]
    struct Net {
        core: Core,
        lin: nn::Linear,
    }
    let net = Net { core: Core::new(), lin: nn::Linear::new(1, 1)? };
    assert_eq!(
        message(net.load_state_dict(&StateDict::new())),
        "Error(s) in loading state_dict for Net:\n\tMissing key(s) in state_dict: \"lin.weight\", \"lin.bias\". "
    );
    let linear = nn::Linear::builder(1, 1).bias(false).build()?;
    let mut state = linear.state_dict();
    for key in ["z", "a", "m"] {
        state.insert(key, Tensor::zeros([1])?);
    }
    assert_eq!(
        message(linear.load_state_dict(&state)),
        "Error(s) in loading state_dict for Linear:\n\tUnexpected key(s) in state_dict: \"z\", \"a\", \"m\". "
    );
    let linear = nn::Linear::new(1, 1)?;
    let mut state = linear.state_dict();
    state.insert("weight.foo", Tensor::zeros([1])?);
    assert_eq!(
        message(linear.load_state_dict(&state)),
        "Error(s) in loading state_dict for Linear:\n\tUnexpected key(s) in state_dict: \"weight.foo\". "
    );
    let three = (0..3).map(|_| nn::Linear::new(1, 1)).collect::<Result<Vec<_>>>()?;
    let three: nn::Sequential = three.into_iter().map(|l| nn::boxed(l)).collect();
    assert_eq!(
        message(three.load_state_dict(&StateDict::new())),
        "Error(s) in loading state_dict for Sequential:\n\tMissing key(s) in state_dict: \"0.weight\", \"0.bias\", \
         \"1.weight\", \"1.bias\", \"2.weight\", \"2.bias\". "
    );
    Ok(())
}

#[test]
fn unexpected_keys_come_module_by_module_and_pass_over_empty_children() -> Result<()> {
    let inner = nn::Sequential::new().add(nn::Linear::new(1, 1)?);
    let net = nn::Sequential::new().add(nn::Linear::new(1, 1)?).add(inner);
    let mut state = net.state_dict();
    for key in ["1.0.zz", "0.yy", "q.r", "1.xx", "5.w"] {
        state.insert(key, Tensor::zeros([1])?);
    }
    assert_eq!(
        message(net.load_state_dict(&state)),
        "Error(s) in loading state_dict for Sequential:\n\tUnexpected key(s) in state_dict: \"q.r\", \"5.w\", \
         \"0.yy\", \"1.xx\", \"1.0.zz\". "
    );
    let mut bare = Bare::new();
    bare.add_empty_module("c")?;
    let below = StateDict::from_iter([("c.weight", Tensor::zeros([1])?)]);
    assert_eq!(bare.load_state_dict(&below)?.to_string(), "<All keys matched successfully>");
    Ok(())
}

#[test]
fn a_failed_load_changes_nothing() -> Result<()> {
    let m = model()?;
    let before: Vec<Vec<f32>> = m.parameters().iter().map(|p| values(p)).collect();
    let mut state = model()?.state_dict();
    state.insert("2.bias", Tensor::zeros([7])?);
    assert!(m.load_state_dict(&state).is_err());
    let lax = LoadOptions::new().strict(false);
    assert!(m.load_state_dict_with(&state, &lax).is_err(), "a wrong shape is an error even when not strict");
    let after: Vec<Vec<f32>> = m.parameters().iter().map(|p| values(p)).collect();
    assert_eq!(before, after);
    state.remove("2.bias");
    m.load_state_dict_with(&state, &lax.clone().dry_run(true))?;
    assert_eq!(before, m.parameters().iter().map(|p| values(p)).collect::<Vec<_>>());
    m.load_state_dict_with(&state, &lax)?;
    assert_ne!(before[0], values(&m.parameters()[0]));
    Ok(())
}

#[test]
fn a_lax_load_returns_what_did_not_match() -> Result<()> {
    let m = model()?;
    let mut state = m.state_dict();
    state.remove("2.bias");
    state.insert("foo", Tensor::zeros([1])?);
    let result = m.load_state_dict_with(&state, &LoadOptions::new().strict(false))?;
    assert_eq!(result.missing_keys, ["2.bias"]);
    assert_eq!(result.unexpected_keys, ["foo"]);
    assert_eq!(result.to_string(), "_IncompatibleKeys(missing_keys=['2.bias'], unexpected_keys=['foo'])");
    Ok(())
}

#[test]
fn loading_keeps_identity_dtype_and_flags() -> Result<()> {
    let linear = nn::Linear::new(2, 1)?;
    linear.weight.requires_grad_(false)?;
    let held = linear.parameters();
    let memory = linear.weight.detach();
    let state = StateDict::from_iter([("weight", Tensor::new([[0.1f64, 0.2]])?), ("bias", Tensor::new([3i64])?)]);
    linear.load_state_dict(&state)?;
    assert!(held[0].ptr_eq(&linear.weight) && !linear.weight.requires_grad() && held[1].requires_grad());
    assert_eq!(linear.weight.dtype(), DType::F32);
    assert_eq!(values(&memory), [0.1, 0.2]);
    assert_eq!(values(&linear.bias.as_ref().expect("a bias").detach()), [3.0]);
    Ok(())
}

#[test]
fn assigning_shares_memory_and_keeps_identity() -> Result<()> {
    let linear = nn::Linear::new(2, 1)?;
    linear.weight.requires_grad_(false)?;
    let held = linear.parameters();
    let given = Tensor::new([[0.1f64, 0.2]])?;
    let state = StateDict::from_iter([("weight", given.clone()), ("bias", Tensor::new([1.0f32])?)]);
    let assign = LoadOptions::new().assign(true);
    assert_eq!(linear.load_state_dict_with(&state, &assign)?.to_string(), "<All keys matched successfully>");
    assert!(held[0].ptr_eq(&linear.weight) && linear.weight.shares_storage(&given));
    assert_eq!(linear.weight.dtype(), DType::F64);
    assert!(!linear.weight.requires_grad() && held[1].requires_grad());
    let wrong = StateDict::from_iter([("weight", Tensor::zeros([2, 2])?), ("bias", Tensor::zeros([1])?)]);
    assert_eq!(
        message(linear.load_state_dict_with(&wrong, &assign)),
        "Error(s) in loading state_dict for Linear:\n\tsize mismatch for weight: copying a param with shape \
         torch.Size([2, 2]) from checkpoint, the shape in current model is torch.Size([1, 2])."
    );
    Ok(())
}

#[test]
fn of_tied_entries_the_later_wins() -> Result<()> {
    #[derive(Module)]
    struct Tied {
        core: Core,
        a: nn::Linear,
        b: nn::Linear,
    }
    let unbiased = || nn::Linear::builder(1, 1).bias(false).build();
    let mut m = Tied { core: Core::new(), a: unbiased()?, b: unbiased()? };
    m.b.weight = m.a.weight.clone();
    let state = StateDict::from_iter([("a.weight", Tensor::new([[1.0f32]])?), ("b.weight", Tensor::new([[2.0f32]])?)]);
    m.load_state_dict(&state)?;
    assert_eq!(values(&m.a.weight), [2.0]);
    Ok(())
}

#[test]
fn an_old_scalar_of_one_dimension_loads() -> Result<()> {
    let mut m = Bare::new();
    m.register_parameter("scale", Some(Parameter::new(Tensor::scalar(0.0)?.to(DType::F32)?)))?;
    m.load_state_dict(&StateDict::from_iter([("scale", Tensor::new([5.0f32])?)]))?;
    assert_eq!(m.get_parameter("scale")?.item::<f32>()?, 5.0);
    Ok(())
}

#[test]
fn entries_are_detached_and_share_memory() -> Result<()> {
    let linear = nn::Linear::new(1, 1)?;
    let state = linear.state_dict();
    let weight = state.get("weight").expect("a weight");
    assert!(!weight.requires_grad() && weight.shares_storage(&linear.weight));
    weight.copy_(&Tensor::new([[9.0f32]])?)?;
    assert_eq!(values(&linear.weight), [9.0]);
    let kept = linear.state_dict_with(&StateDictOptions::new().keep_vars(true));
    assert!(kept.get("weight").expect("a weight").ptr_eq(&linear.weight));
    let mut both = linear.state_dict_with(&StateDictOptions::new().prefix("p."));
    linear.state_dict_into(&mut both, &StateDictOptions::new().prefix("x."));
    assert_eq!(keys(&both), ["p.weight", "p.bias", "x.weight", "x.bias"]);
    Ok(())
}

#[test]
fn hints_are_in_the_long_form_only() -> Result<()> {
    let m = Mlp::new(1, 1, 1)?;
    let mut wrapped = StateDict::from_iter(m.state_dict().iter().map(|(k, t)| (format!("module.{k}"), t.clone())));
    let error = m.load_state_dict(&wrapped).expect_err("every key is off");
    assert!(!error.to_string().contains("strip") && format!("{error:#}").contains("begin with \"module.\""));
    nn::utils::consume_prefix_in_state_dict_if_present(&mut wrapped, "module.");
    m.load_state_dict(&wrapped)?;
    let mut misspelt = m.state_dict();
    let weight = misspelt.remove("fc1.weight").expect("a weight");
    misspelt.insert("fc1.wieght", weight);
    let error = m.load_state_dict(&misspelt).expect_err("a misspelt key");
    assert!(format!("{error:#}").contains("did you mean \"fc1.wieght\" in the checkpoint for \"fc1.weight\""));
    Ok(())
}

#[test]
fn shared_modules_are_saved_under_each_name() -> Result<()> {
    let layer = Arc::new(constant_linear(1, 1, 2.0, 0.0)?);
    let net = nn::Sequential::new().add(layer.clone()).add(layer);
    assert_eq!(keys(&net.state_dict()), ["0.weight", "0.bias", "1.weight", "1.bias"]);
    assert_eq!(common::names(net.named_parameters()), ["0.weight", "0.bias"]);
    assert_eq!(values(&net.call(Tensor::ones([1, 1])?)?.detach()), [4.0], "the layer is applied twice");
    Ok(())
}
