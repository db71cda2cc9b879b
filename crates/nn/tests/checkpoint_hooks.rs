//! Hooks of saving and loading, and state beside parameters and buffers.

mod common;

use common::{Mlp, keys, message, values};
use firebrick::nn::{Custom, LoadOptions, StateDictOptions};
use firebrick::prelude::*;
use std::sync::{Arc, Mutex};

#[test]
fn hooks_change_what_is_saved_and_loaded() -> Result<()> {
    let m = Mlp::new(1, 1, 1)?;
    m.fc1.register_state_dict_post_hook(|_, state, prefix| {
        if let Some(weight) = state.remove(&format!("{prefix}weight")) {
            state.insert(format!("{prefix}w"), weight);
        }
    });
    assert_eq!(keys(&m.state_dict()), ["fc1.bias", "fc1.w", "fc2.weight", "fc2.bias"]);
    let rename = m.fc1.register_load_state_dict_pre_hook(|_, loading| {
        let prefix = loading.prefix;
        if let Some(weight) = loading.state.remove(&format!("{prefix}w")) {
            loading.state.insert(format!("{prefix}weight"), weight);
        }
        Ok(())
    });
    assert_eq!(m.load_state_dict(&m.state_dict())?.to_string(), "<All keys matched successfully>");
    rename.remove();
    assert!(m.load_state_dict(&m.state_dict()).is_err());
    m.register_load_state_dict_post_hook(|_, keys| {
        keys.missing_keys.clear();
        keys.unexpected_keys.clear();
        Ok(())
    });
    m.load_state_dict(&m.state_dict())?;
    Ok(())
}

#[test]
fn hooks_see_where_they_are_and_add_what_does_not_match() -> Result<()> {
    let net = nn::Sequential::new().add(nn::Linear::new(1, 1)?);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let linear = net.get(0)?;
    let log = seen.clone();
    linear.register_state_dict_pre_hook(move |_, prefix, keep_vars| {
        log.lock().expect("not poisoned").push(format!("{prefix} {keep_vars}"))
    });
    net.state_dict();
    net.state_dict_with(&StateDictOptions::new().prefix("q.").keep_vars(true));
    assert_eq!(seen.lock().expect("not poisoned").split_off(0), ["0. false", "q.0. true"]);
    let log = seen.clone();
    linear.register_load_state_dict_pre_hook(move |_, loading| {
        log.lock().expect("not poisoned").push(format!(
            "{} {:?} {}",
            loading.prefix,
            loading.version(),
            loading.strict
        ));
        loading.errors.push("my error".to_owned());
        loading.keys.missing_keys.push("mine".to_owned());
        Ok(())
    });
    let head = "Error(s) in loading state_dict for Sequential:\n\t";
    let strict = message(net.load_state_dict(&net.state_dict()));
    assert_eq!(strict, format!("{head}Missing key(s) in state_dict: \"mine\". \n\tmy error"));
    let lax = message(net.load_state_dict_with(&net.state_dict(), &LoadOptions::new().strict(false)));
    assert_eq!(lax, format!("{head}my error"));
    let log = seen.lock().expect("not poisoned");
    assert_eq!(*log, ["0. false", "0. Some(1) true", "0. false", "0. Some(1) false"]);
    Ok(())
}

#[test]
fn post_hooks_see_the_metadata_of_their_module() -> Result<()> {
    let linear = nn::Linear::new(1, 1)?;
    linear.register_state_dict_post_hook(|_, state, prefix| {
        let path = prefix.trim_end_matches('.').to_owned();
        state.metadata.entry(path).or_default().insert("version".to_owned(), 7);
    });
    let net = nn::Sequential::new().add(linear);
    assert_eq!(net.state_dict().metadata["0"]["version"], 7);
    Ok(())
}

/// A module with a number beside its parameter.
#[derive(Module)]
#[module(custom)]
struct Counting {
    core: Core,
    weight: Parameter,
    inner: nn::Linear,
    #[module(skip)]
    count: Arc<Mutex<i64>>,
}

impl Custom for Counting {
    fn get_extra_state(&self) -> Option<Tensor> {
        Tensor::scalar(*self.count.lock().expect("not poisoned")).ok()
    }
    fn set_extra_state(&self, state: &Tensor) -> Result<()> {
        *self.count.lock().expect("not poisoned") = state.item()?;
        Ok(())
    }
}

fn counting(count: i64) -> Result<Counting> {
    let (weight, inner) = (Parameter::new(Tensor::ones([1])?), nn::Linear::new(1, 1)?);
    Ok(Counting { core: Core::new(), weight, inner, count: Arc::new(Mutex::new(count)) })
}

#[test]
fn extra_state_is_saved_behind_the_modules_own_members() -> Result<()> {
    let m = counting(3)?;
    let mut state = m.state_dict();
    assert_eq!(keys(&state), ["weight", "_extra_state", "inner.weight", "inner.bias"]);
    let net = nn::ModuleList::from([counting(4)?]);
    assert_eq!(keys(&net.state_dict())[1], "0._extra_state");
    state.insert("_extra_state", Tensor::scalar(7i64)?);
    m.load_state_dict(&state)?;
    assert_eq!(*m.count.lock().expect("not poisoned"), 7);
    state.remove("_extra_state");
    let head = "Error(s) in loading state_dict for";
    assert_eq!(
        message(m.load_state_dict(&state)),
        format!("{head} Counting:\n\tMissing key(s) in state_dict: \"_extra_state\". ")
    );
    let lax = m.load_state_dict_with(&state, &LoadOptions::new().strict(false))?;
    assert_eq!(lax.to_string(), "_IncompatibleKeys(missing_keys=['_extra_state'], unexpected_keys=[])");
    let linear = nn::Linear::new(1, 1)?;
    let mut with = linear.state_dict();
    with.insert("_extra_state", Tensor::ones([1])?);
    assert_eq!(
        message(linear.load_state_dict(&with)),
        format!("{head} Linear:\n\tUnexpected key(s) in state_dict: \"_extra_state\". ")
    );
    Ok(())
}

#[test]
fn an_extra_state_that_does_not_fit_leaves_the_parameters() -> Result<()> {
    let m = counting(3)?;
    let mut state = counting(3)?.state_dict();
    state.insert("weight", Tensor::zeros([1])?);
    state.insert("_extra_state", Tensor::ones([2])?);
    assert!(message(m.load_state_dict(&state)).contains("cannot be converted to Scalar"));
    assert_eq!((values(&m.weight), *m.count.lock().expect("not poisoned")), (vec![1.0], 3));
    m.load_state_dict_with(&counting(9)?.state_dict(), &LoadOptions::new().dry_run(true))?;
    assert_eq!(*m.count.lock().expect("not poisoned"), 3);
    let boxed: Box<dyn nn::Module> = Box::new(m);
    assert!(boxed.get_extra_state().is_some());
    Ok(())
}
