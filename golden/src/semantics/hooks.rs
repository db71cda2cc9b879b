//! Hooks around the computation.

use super::describe::{grad, outcome, raised, refusal, tensor};
use super::facts;
use super::models::linear;
use firebrick::nn::HookOptions;
use firebrick::prelude::*;
use firebrick::{autograd, catch_warnings};
use serde_json::{Value as Json, json};
use std::sync::{Arc, Mutex};

facts! { FACTS;
    "hooks/018faea8" ordered(false)?;
    "hooks/b3a10646" ordered(true)?;
    "hooks/83eed8dd" replaced()?;
    "hooks/af6d4803" always_called()?;
    "hooks/45ac72b1" removed()?;
    "hooks/2dde6afe" nested()?;
    "hooks/d18fd494" backward(2.0)?;
    "hooks/3962d4d5" backward_order()?;
    "hooks/40419e1f" backward_nested()?;
    "hooks/15ad5e8d" two_inputs()?;
    "hooks/e4e2dbea" keywords()?;
    "hooks/1444b3c4" always_called_and_failing()?;
    "hooks/755d95ae" always_called_after_a_pre_hook()?;
    "hooks/f4568b4c" {
        let (m, log) = double();
        let hook = log.clone();
        let _handle = m.register_forward_hook(move |_, _: &Tensor, _: &Tensor| {
            hook.add("hook");
            Ok(None)
        });
        nn::Forward::forward(&m, one()?)?;
        json!(log.lines())
    };
    "hooks/afd23acf" {
        let (m, log) = (linear([[3.0, 5.0]], None)?, Log::default());
        let _handle = m.register_full_backward_hook(HookOptions::new(), |_, grads, _| {
            Ok(Some(vec![grads[0].clone(), grads[0].clone()]))
        });
        pass(&m, &log)?
    };
    "hooks/4d81fb25" {
        let m = nn::Linear::new(1, 1)?;
        let _handle = m.register_full_backward_hook(HookOptions::new(), |_, _, _| Ok(None));
        let x = Tensor::ones([1, 1])?;
        x.requires_grad_(true)?;
        refusal(m.call(&x)?.add_(1))
    };
}

/// Lines in the order in which they were written.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: impl Into<String>) {
        if let Ok(mut lines) = self.0.lock() {
            lines.push(line.into());
        }
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().map(|lines| lines.clone()).unwrap_or_default()
    }
}

/// Doubles a number and notes that it was called.
#[derive(Module)]
struct Double {
    core: Core,
    #[module(skip)]
    log: Log,
}

impl nn::Forward for Double {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let value: f64 = x.item()?;
        self.log.add(format!("m.forward({value:.1})"));
        x.mul(2)
    }
}

/// The keyword input of a forward.
#[derive(Args, Clone)]
struct Keywords {
    k: i64,
}

impl nn::Forward<(Tensor, Keywords)> for Double {
    fn forward(&self, (x, keywords): (Tensor, Keywords)) -> Result<Tensor> {
        let value: f64 = x.item()?;
        self.log.add(format!("m.forward({value:.1}, k={})", keywords.k));
        x.mul(2)
    }
}

impl nn::Forward<(Tensor, i64)> for Double {
    fn forward(&self, (x, k): (Tensor, i64)) -> Result<Tensor> {
        nn::Forward::forward(self, (x, Keywords { k }))
    }
}

fn double() -> (Double, Log) {
    let log = Log::default();
    (Double { core: Core::new(), log: log.clone() }, log)
}

fn one() -> Result<Tensor> {
    Tensor::scalar(1.0)
}

fn with_log(log: &Log, result: Result<Tensor>) -> Result<Json> {
    let result = outcome(result, |y| Ok(json!({"returns": tensor(&y)?})))?;
    Ok(json!({"log": log.lines(), "result": result}))
}

fn ordered(prepend: bool) -> Result<Json> {
    let (m, log) = double();
    let mut handles = Vec::new();
    for name in ["A", "B"] {
        let (log, options) = (log.clone(), HookOptions::new().prepend(prepend));
        handles.push(m.register_forward_pre_hook_with(options, move |_, _: &Tensor| {
            log.add(format!("pre {name}"));
            Ok(None)
        }));
    }
    for name in ["C", "D"] {
        let (log, options) = (log.clone(), HookOptions::new().prepend(prepend));
        handles.push(m.register_forward_hook_with(options, move |_, _: &Tensor, _: Option<&Tensor>| {
            log.add(format!("post {name}"));
            Ok(None)
        }));
    }
    with_log(&log, m.call(one()?))
}

fn replaced() -> Result<Json> {
    let (m, log) = double();
    let _first = m.register_forward_hook(|_, _: &Tensor, y: &Tensor| y.add(100).map(Some));
    let seen = log.clone();
    let _second = m.register_forward_hook(move |_, _: &Tensor, y: &Tensor| {
        seen.add(format!("2nd sees {:.1}", y.item::<f64>()?));
        Ok(None)
    });
    with_log(&log, m.call(one()?))
}

fn always_called() -> Result<Json> {
    let (m, log) = double();
    let (usual, always) = (log.clone(), log.clone());
    let _usual = m.register_forward_hook(move |_, _: &Tensor, _: &Tensor| {
        usual.add("usual");
        Ok(None)
    });
    let _always = m.register_forward_hook_with(
        HookOptions::new().always_call(true),
        move |_, _: &Tensor, output: Option<&Tensor>| {
            always.add(format!("always output={}", if output.is_some() { "a tensor" } else { "None" }));
            Ok(None)
        },
    );
    let result = m.call(Tensor::ones([2])?);
    let result = result.map_or_else(|error| raised(&error), |_| Json::Null);
    Ok(json!({"result": result, "log": log.lines()}))
}

fn division_by_zero<T>() -> Result<T> {
    Err(Error::runtime("hook", "division by zero"))
}

fn always_called_and_failing() -> Result<Json> {
    let (m, _) = double();
    let options = HookOptions::new().always_call(true);
    let _handle = m.register_forward_hook_with(options, |_, _: &Tensor, _: Option<&Tensor>| division_by_zero());
    let (result, warnings) = catch_warnings(|| m.call(Tensor::ones([2])?));
    Ok(json!({"result": null, "warnings": warnings, "raised": refusal(result)}))
}

fn always_called_after_a_pre_hook() -> Result<Json> {
    let (m, log) = double();
    let (_pre, always) = (m.register_forward_pre_hook(|_, _: &Tensor| division_by_zero()), log.clone());
    let options = HookOptions::new().always_call(true);
    let _always = m.register_forward_hook_with(options, move |_, _: &Tensor, output: Option<&Tensor>| {
        always.add(format!("always output={}", if output.is_some() { "a tensor" } else { "None" }));
        Ok(None)
    });
    let result = m.call(one()?);
    Ok(json!({"log": log.lines(), "result": refusal(result)}))
}

fn two_inputs() -> Result<Json> {
    let (m, log) = double();
    let _handle = m.register_forward_pre_hook(|_, (x, _): &(Tensor, i64)| Ok(Some((x.add(1)?, 7))));
    with_log(&log, m.call((one()?, 3i64)))
}

fn keywords() -> Result<Json> {
    let (m, log) = double();
    let seen = log.clone();
    let _handle = m.register_forward_pre_hook_any(HookOptions::new(), move |_, input| {
        let k: Option<i64> = input.keyword("k");
        seen.add(format!("kwargs {{'k': {}}}", k.unwrap_or_default()));
        let mut outcome = Ok(());
        input.visit_tensors_mut(&mut |x| match x.add(1) {
            Ok(more) => *x = more,
            Err(error) => outcome = Err(error),
        });
        outcome?;
        input.set_keyword("k", 5i64)
    });
    with_log(&log, m.call((one()?, Keywords { k: 3 })))
}

fn removed() -> Result<Json> {
    let (m, log) = (nn::Identity::new(), Log::default());
    let hook = |log: Log| {
        move |_: &dyn Module, _: &Tensor, _: &Tensor| {
            log.add("hook");
            Ok(None)
        }
    };
    let handle = m.register_forward_hook(hook(log.clone()));
    handle.remove();
    handle.remove();
    m.call(one()?)?;
    {
        let _scoped = m.register_forward_hook(hook(log.clone())).scoped();
        m.call(one()?)?;
    }
    m.call(one()?)?;
    Ok(json!(log.lines()))
}

fn nested() -> Result<Json> {
    let inner = nn::Sequential::new().add(nn::ReLU::new());
    let (m, log) = (nn::Sequential::new().add(nn::Identity::new()).add(inner), Log::default());
    let mut handles = Vec::new();
    for (name, module) in m.named_modules() {
        let name = if name.is_empty() { "root".to_owned() } else { name };
        let (before, after) = ((name.clone(), log.clone()), (name, log.clone()));
        handles.push(module.register_forward_pre_hook_any(HookOptions::new(), move |_, _| {
            before.1.add(format!("pre {}", before.0));
            Ok(())
        }));
        handles.push(module.register_forward_hook_any(HookOptions::new(), move |_, _, _| {
            after.1.add(format!("post {}", after.0));
            Ok(())
        }));
    }
    m.call(one()?)?;
    Ok(json!(log.lines()))
}

/// A layer of weight `[[3, 5]]`, its input `[[1, 2]]`, and what backward leaves behind.
fn pass(m: &nn::Linear, log: &Log) -> Result<Json> {
    let x = Tensor::new([[1.0f32, 2.0]])?;
    x.requires_grad_(true)?;
    let result = m.call(&x)?.sum()?.backward();
    let result = outcome(result, |()| Ok(json!({"returns": null})))?;
    Ok(json!({"log": log.lines(), "result": result, "x.grad": grad(&x)?, "w.grad": grad(&m.weight)?}))
}

/// A full backward hook that returns the input's gradient times `factor`.
fn backward(factor: f64) -> Result<Json> {
    let (m, log) = (linear([[3.0, 5.0]], None)?, Log::default());
    let _handle = m.register_full_backward_hook(HookOptions::new(), move |_, grad_input, _| {
        let grads = grad_input.iter().map(|g| g.as_ref().map(|g| g.mul(factor)).transpose());
        Ok(Some(grads.collect::<Result<Vec<_>>>()?))
    });
    pass(&m, &log)
}

fn backward_order() -> Result<Json> {
    let (m, log) = (linear([[3.0, 5.0]], None)?, Log::default());
    let mut handles = Vec::new();
    for name in ["A", "B"] {
        let log = log.clone();
        handles.push(m.register_full_backward_pre_hook(HookOptions::new(), move |_, _| {
            log.add(format!("pre {name}"));
            Ok(None)
        }));
    }
    for name in ["C", "D"] {
        let log = log.clone();
        handles.push(m.register_full_backward_hook(HookOptions::new(), move |_, _, _| {
            log.add(format!("post {name}"));
            Ok(None)
        }));
    }
    pass(&m, &log)
}

fn backward_nested() -> Result<Json> {
    let m = nn::Sequential::new().add(nn::Linear::new(2, 2)?).add(nn::Linear::new(2, 1)?);
    let log = Log::default();
    let mut handles = Vec::new();
    for (name, module) in m.named_modules() {
        let (log, name) = (log.clone(), if name.is_empty() { "root".to_owned() } else { name });
        handles.push(module.register_full_backward_hook(HookOptions::new(), move |_, _, _| {
            log.add(name.clone());
            Ok(None)
        }));
    }
    let x = Tensor::new([[1.0f32, 2.0]])?;
    x.requires_grad_(true)?;
    let result = outcome(m.call(&x)?.sum()?.backward(), |()| Ok(json!({"returns": null})))?;
    let _recording = autograd::ModeGuard::enable_grad();
    Ok(json!({"log": log.lines(), "result": result, "x.grad": grad(&x)?, "w.grad": null}))
}
