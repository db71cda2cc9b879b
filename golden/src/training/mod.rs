//! Training runs: losses by step, parameters after the first step and at the end, the optimizer's state.

mod models;
mod optimizers;
mod schedulers;

use crate::area::Runner;
use crate::case::{Case, Cases};
use crate::compare::{self, Bound};
use crate::functional::{self, Args};
use crate::value::Value;
use crate::{Failure, Out, not_built, wrong};
use firebrick::nn::utils::clip_grad_norm_;
use firebrick::nn::{LoadOptions, ModuleExt};
use firebrick::optim::Optimizer;
use firebrick::{DType, Error, StateDict, Tensor, autograd, manual_seed};
use models::Model;
use schedulers::Scheduler;
use serde_json::Value as Json;
use std::path::Path;

/// Runs `cases.json`.
pub fn run(folder: &Path, runner: &mut Runner) -> Result<(), String> {
    for case in Cases::read(folder)? {
        runner.case(case.text("group"), case.id(), || check(&case));
    }
    Ok(())
}

fn check(case: &Case) -> Out<()> {
    let options = &case.json["options"];
    let supported = ["steps", "params", "freeze", "average", "accumulate", "clip", "eval_between"];
    if let Some(name) = options.as_object().and_then(|map| map.keys().find(|name| !supported.contains(&name.as_str())))
    {
        return not_built(format!("the training option {name}"));
    }
    let seed = case.json["seed"].as_i64().unwrap_or_default();
    manual_seed(seed);
    let Some(model) = models::model(case.text("model"))? else {
        return not_built(format!("the model {}", case.text("model")));
    };
    let module = model.module();
    if let Some(dtype) = DType::from_name(case.text("dtype")) {
        module.to(dtype)?;
    }
    if case.text("model") == "LazyCNN" {
        autograd::no_grad(|| model.run(&case.list("batches")?[0].tensors()[0]).map_err(Failure::Error))?;
    }
    load(case, &*model)?;
    for (name, parameter) in module.named_parameters() {
        if options["freeze"].as_str().is_some_and(|prefix| name.starts_with(prefix)) {
            parameter.requires_grad_(false)?;
        }
    }
    let groups = optimizers::groups(module.named_parameters(), options["params"].as_str().unwrap_or_default())?;
    let spec = &case.json["optimizer"];
    let class = |spec: &Json| spec["class"].as_str().unwrap_or_default().to_owned();
    let mut optimizer = optimizers::build(&class(spec), groups, keywords(case, spec)?)?;
    let spec = &case.json["scheduler"];
    let mut scheduler = match spec.is_null() {
        true => None,
        false => Some(schedulers::build(&class(spec), keywords(case, spec)?, &mut *optimizer)?),
    };
    if case.has("random") {
        manual_seed(seed + 1);
    }
    let average = model.averaged(options["average"].as_str().unwrap_or_default())?;
    steps(case, &*model, &mut *optimizer, &mut |optimizer, loss| {
        average.as_ref().map_or(Ok(()), |average| average.update(model.module()))?;
        scheduler.as_mut().map_or(Ok(()), |scheduler| scheduler.step(optimizer, loss))
    })?;
    if let Some(average) = average {
        states(case, &average.state(), "averaged")?;
    }
    finish(case, &*model, &*optimizer, scheduler)
}

/// The keyword arguments of an optimizer or a scheduler.
fn keywords(case: &Case, spec: &Json) -> Out<Vec<(String, Value)>> {
    let kwargs = &spec["kwargs"];
    if let (Some(map), true) = (kwargs.as_object(), kwargs["$dict"].is_null()) {
        return map.iter().map(|(name, value)| Ok((name.clone(), Value::parse(value, &case.tensors)?))).collect();
    }
    match Value::parse(kwargs, &case.tensors)? {
        Value::Dict(pairs) => Ok(pairs
            .into_iter()
            .filter_map(|(name, value)| match name {
                Value::Text(name) => Some((name, value)),
                _ => None,
            })
            .collect()),
        other => wrong(format!("kwargs is a {}", other.kind())),
    }
}

/// Puts the initial parameters into the model.
fn load(case: &Case, model: &dyn Model) -> Out<()> {
    let mut state = StateDict::new();
    for (name, value) in case.map("initial")? {
        if let Value::Tensor(x) = value {
            state.insert(name, x);
        }
    }
    model.module().load_state_dict_with(&state, &LoadOptions::new().strict(false))?;
    Ok(())
}

/// Runs the steps; `after` is called with the loss after each of them.
fn steps(
    case: &Case,
    model: &dyn Model,
    optimizer: &mut dyn Optimizer,
    after: &mut dyn FnMut(&mut dyn Optimizer, f64) -> firebrick::Result<()>,
) -> Out<()> {
    let batches = case.list("batches")?;
    let losses = case.list("losses")?;
    let parts = case.json["options"]["accumulate"].as_u64().unwrap_or(1) as usize;
    for (step, expected) in losses.iter().enumerate().take(comparable(case)) {
        let own: Vec<_> = (0..parts).map(|part| batches[(step * parts + part) % batches.len()].tensors()).collect();
        let rates: Vec<f64> = optimizer.param_groups().iter().map(|g| g.get_lr()).collect::<firebrick::Result<_>>()?;
        let wanted: Vec<f64> =
            case.json["lrs"][step].as_array().into_iter().flatten().filter_map(|lr| lr.as_f64()).collect();
        if rates != wanted {
            return wrong(format!("learning rates before step {step}: got {rates:?}, expected {wanted:?}"));
        }
        let loss = optimize(case, model, optimizer, step, &own)?;
        after(optimizer, loss.item()?)?;
        compare::value(expected, &Value::Float(loss.item()?), bound(case))
            .map_err(|error| Failure::Wrong(format!("loss of step {step}: {error}")))?;
        if step == 0 {
            states(case, &model.module().state_dict(), "after_step_1")?;
        }
        if case.json["options"]["eval_between"].as_bool() == Some(true) {
            model.module().eval();
            let loss = autograd::no_grad(|| evaluate(case, model, &batches[0].tensors())).and_then(|x| Ok(x.item()?));
            model.module().train(true);
            near(case, &format!("evaluation loss after step {step}"), &case.json["eval_losses"][step], loss?)?;
        }
    }
    Ok(())
}

/// One step on the mean of the losses of `batches`, which is returned as it was before.
fn optimize(
    case: &Case,
    model: &dyn Model,
    optimizer: &mut dyn Optimizer,
    step: usize,
    batches: &[Vec<Tensor>],
) -> Out<Tensor> {
    let mut failure = None;
    let loss = optimizer.step_with(&mut || {
        differentiate(case, model, step, batches).map_err(|error| {
            failure = Some(error);
            Error::runtime("training", "the loss cannot be computed")
        })
    });
    match failure {
        Some(failure) => Err(failure),
        None => Ok(loss?),
    }
}

/// The mean of the losses of `batches`; its gradients are left in the parameters, cut to a norm where the case says so.
fn differentiate(case: &Case, model: &dyn Model, step: usize, batches: &[Vec<Tensor>]) -> Out<Tensor> {
    let parameters = model.module().parameters();
    parameters.iter().try_for_each(|parameter| parameter.set_grad(None))?;
    let mut mean = Tensor::scalar(0.0)?;
    for batch in batches {
        let part = evaluate(case, model, batch)?.div(batches.len() as f64)?;
        part.backward()?;
        mean = mean.add(part.detach())?;
    }
    if let Some(limit) = case.json["options"]["clip"].as_f64() {
        let norm = clip_grad_norm_(parameters.iter().map(|p| &**p), limit)?.item()?;
        near(case, &format!("norm of the gradients of step {step}"), &case.json["grad_norms"][step], norm)?;
    }
    Ok(mean)
}

fn evaluate(case: &Case, model: &dyn Model, batch: &[Tensor]) -> Out<Tensor> {
    let output = model.run(&batch[0])?;
    let args = Args::new([Value::Tensor(output), Value::Tensor(batch[1].clone())], vec![]);
    match functional::call(case.text("loss"), args)? {
        Value::Tensor(loss) => Ok(loss),
        other => wrong(format!("the loss is a {}", other.kind())),
    }
}

/// Compares one number.
fn near(case: &Case, what: &str, expected: &Json, got: f64) -> Out<()> {
    let expected = Value::Float(expected.as_f64().unwrap_or(f64::NAN));
    compare::value(&expected, &Value::Float(got), bound(case))
        .map_err(|error| Failure::Wrong(format!("{what}: {error}")))
}

/// Rounding errors of float32 grow from step to step. L-BFGS multiplies those of float64, too: PyTorch itself, run again
/// on another processor, is 1e-9 away from some losses.
fn bound(case: &Case) -> Bound {
    let (single, multiplies) = (case.text("dtype") != "float64", case.json["optimizer"]["class"] == "LBFGS");
    Bound {
        single: single.then_some((1e-5, 1.0)),
        loose: multiplies.then_some(if single { 1e-4 } else { 1e-7 }),
        ..Bound::default()
    }
}

/// The steps that can be compared: of L-BFGS in float32, in which PyTorch's second run has other losses (0.04 away) and
/// another number of evaluations in the end, the first ones.
fn comparable(case: &Case) -> usize {
    match (case.text("dtype"), case.json["optimizer"]["class"].as_str()) {
        ("float32", Some("LBFGS")) => 4,
        _ => usize::MAX,
    }
}

/// Compares parameters and buffers.
fn states(case: &Case, state: &StateDict, name: &str) -> Out<()> {
    for (key, expected) in case.map(name)? {
        let Some(got) = state.get(&key) else { return wrong(format!("{name} has no {key}")) };
        let got = Value::Tensor(got.clone());
        compare::value(&determined(case, &key, expected)?, &determined(case, &key, got)?, bound(case))
            .map_err(|error| Failure::Wrong(format!("{key} of {name}: {error}")))?;
    }
    Ok(())
}

/// The part of a parameter that the losses determine. The keys' part of an attention's bias moves all scores of a query
/// alike: its gradient is nothing but rounding errors, which Adam divides by their own size. PyTorch's float32 run is
/// 3e-3 away from its float64 run there, and 2e-6 at most elsewhere.
fn determined(case: &Case, key: &str, value: Value) -> Out<Value> {
    let adam = case.json["optimizer"]["class"].as_str().is_some_and(|class| class.starts_with("Adam"));
    match value {
        Value::Tensor(x) if adam && key.ends_with("in_proj_bias") => {
            let parts = x.detach().chunk(3, 0)?;
            Ok(Value::Tensor(Tensor::cat(&[&parts[0], &parts[2]], 0)?))
        }
        other => Ok(other),
    }
}

fn finish(case: &Case, model: &dyn Model, optimizer: &dyn Optimizer, scheduler: Option<Scheduler>) -> Out<()> {
    if comparable(case) < case.list("losses")?.len() {
        return Ok(());
    }
    states(case, &model.module().state_dict(), "final")?;
    model.module().eval();
    let batch = case.list("batches")?[0].tensors();
    let output: Tensor = autograd::no_grad(|| model.run(&batch[0]))?;
    compare::value(&case.value("eval_output_of_batch_0")?, &Value::Tensor(output), bound(case))
        .map_err(|error| Failure::Wrong(format!("eval output: {error}")))?;
    let state = Value::from(optimizer.state_dict());
    compare::value(&case.value("optimizer_state")?, &state, bound(case))
        .map_err(|error| Failure::Wrong(format!("optimizer state: {error}")))?;
    let Some(scheduler) = scheduler else { return Ok(()) };
    compare::value(&case.value("scheduler_state")?, &scheduler.state(), bound(case))
        .map_err(|error| Failure::Wrong(format!("scheduler state: {error}")))
}
