//! Keyword inputs: the named fields of an input type.

mod common;

use common::message;
use firebrick::nn::HookOptions;
use firebrick::prelude::*;
use std::sync::{Arc, Mutex};

#[derive(Args, Clone)]
struct Keywords {
    k: f64,
    mask: Option<Tensor>,
    r#type: String,
}

#[derive(Module)]
struct Scale {
    core: Core,
}

impl nn::Forward<(Tensor, Keywords)> for Scale {
    fn forward(&self, (x, keywords): (Tensor, Keywords)) -> Result<Tensor> {
        let y = x.mul(keywords.k)?;
        match keywords.mask {
            Some(mask) => y.mul(&mask),
            None => Ok(y),
        }
    }
}

fn keywords(k: f64) -> Keywords {
    Keywords { k, mask: None, r#type: "linear".to_owned() }
}

#[test]
fn hooks_read_and_replace_keywords_by_name() -> Result<()> {
    let scale = Scale { core: Core::new() };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    scale.register_forward_pre_hook_any(HookOptions::new(), move |_, input| {
        log.lock().expect("not poisoned").push(input.keywords().join(" "));
        let k: f64 = input.keyword("k").expect("a number");
        input.set_keyword("mask", Some(Tensor::full([1], 10.0f32)?))?;
        input.set_keyword("k", k + 1.0)
    });
    let log = seen.clone();
    scale.register_forward_hook_any(HookOptions::new(), move |_, input, _| {
        log.lock().expect("not poisoned").push(format!(
            "{:?} {:?}",
            input.keyword::<f64>("k"),
            input.keyword::<String>("type")
        ));
        Ok(())
    });
    assert_eq!(scale.call((Tensor::ones([1])?, keywords(3.0)))?.item::<f32>()?, 40.0);
    assert_eq!(*seen.lock().expect("not poisoned"), ["k mask type", "Some(4.0) Some(\"linear\")"]);
    Ok(())
}

#[test]
fn typed_hooks_see_fields() -> Result<()> {
    let scale = Scale { core: Core::new() };
    scale.register_forward_pre_hook(|_, (x, options): &(Tensor, Keywords)| {
        Ok(Some((x.clone(), Keywords { k: options.k * 2.0, ..options.clone() })))
    });
    assert_eq!(scale.call((Tensor::ones([1])?, keywords(3.0)))?.item::<f32>()?, 6.0);
    Ok(())
}

#[test]
fn keywords_that_are_not_there_are_type_errors() -> Result<()> {
    let scale = Scale { core: Core::new() };
    let handle = scale.register_forward_pre_hook_any(HookOptions::new(), |_, input| input.set_keyword("zz", 1.0));
    let call = || scale.call((Tensor::ones([1])?, keywords(1.0)));
    assert_eq!(message(call()), "got an unexpected keyword argument 'zz'");
    handle.remove();
    scale.register_forward_pre_hook_any(HookOptions::new(), |_, input| input.set_keyword("k", 1i64));
    assert_eq!(message(call()), "the keyword argument 'k' is of another type");
    Ok(())
}

#[test]
fn tuples_and_tensors_have_no_keywords_of_their_own() -> Result<()> {
    let input: Box<dyn nn::Args> = Box::new((Tensor::ones([1])?, 3i64));
    assert!(input.keywords().is_empty() && input.keyword::<i64>("k").is_none());
    let input: Box<dyn nn::Args> = Box::new(Some(keywords(2.0)));
    assert_eq!(input.keyword::<f64>("k"), Some(2.0));
    Ok(())
}
