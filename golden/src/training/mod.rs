//! Training runs: losses by step, parameters after the first step and at the end, the optimizer's state.

mod models;
mod optimizers;

use crate::area::Runner;
use crate::case::{Case, Cases};
use crate::compare::{self, Bound};
use crate::functional::{self, Args};
use crate::value::Value;
use crate::{Failure, Out, not_built, wrong};
use firebrick::nn::utils::clip_grad_norm_;
use firebrick::nn::{LoadOptions, ModuleExt};
use firebrick::optim::Optimizer;
use firebrick::{DType, StateDict, Tensor, autograd, manual_seed};
use models::Model;
use std::path::Path;

/// Runs `cases.json`.
pub fn run(folder: &Path, runner: &mut Runner) -> Result<(), String> {
    for case in Cases::read(folder)? {
        runner.case(case.text("group"), case.id(), || check(&case));
    }
    Ok(())
}

fn check(case: &Case) -> Out<()> {
    if let Some(class) = case.json["scheduler"]["class"].as_str() {
        return not_built(format!("optim.lr_scheduler.{class}"));
    }
    let options = &case.json["options"];
    let supported = ["steps", "params", "freeze", "accumulate", "clip", "eval_between"];
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
    let keywords = match Value::parse(&spec["kwargs"], &case.tensors)? {
        Value::Dict(pairs) => pairs.into_iter().filter_map(|(name, value)| match name {
            Value::Text(name) => Some((name, value)),
            _ => None,
        }),
        other => return wrong(format!("kwargs is a {}", other.kind())),
    };
    let mut optimizer = optimizers::build(spec["class"].as_str().unwrap_or_default(), groups, keywords.collect())?;
    if case.has("random") {
        manual_seed(seed + 1);
    }
    steps(case, &*model, &mut *optimizer)?;
    finish(case, &*model, &*optimizer)
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

fn steps(case: &Case, model: &dyn Model, optimizer: &mut dyn Optimizer) -> Out<()> {
    let batches = case.list("batches")?;
    let losses = case.list("losses")?;
    let parts = case.json["options"]["accumulate"].as_u64().unwrap_or(1) as usize;
    for (step, expected) in losses.iter().enumerate() {
        let rates: Vec<f64> = optimizer.param_groups().iter().map(|g| g.get_lr()).collect::<firebrick::Result<_>>()?;
        let wanted: Vec<f64> =
            case.json["lrs"][step].as_array().into_iter().flatten().filter_map(|lr| lr.as_f64()).collect();
        if rates != wanted {
            return wrong(format!("learning rates before step {step}: got {rates:?}, expected {wanted:?}"));
        }
        optimizer.zero_grad()?;
        let mut loss = 0.0;
        for part in 0..parts {
            let batch = batches[(step * parts + part) % batches.len()].tensors();
            let part = loss_of(case, model, &batch)?.div(parts as f64)?;
            part.backward()?;
            loss += part.item::<f64>()?;
        }
        if let Some(limit) = case.json["options"]["clip"].as_f64() {
            let parameters: Vec<_> = model.module().parameters();
            let norm = clip_grad_norm_(parameters.iter().map(|p| &**p), limit)?.item()?;
            near(case, &format!("norm of the gradients of step {step}"), &case.json["grad_norms"][step], norm)?;
        }
        optimizer.step()?;
        compare::value(expected, &Value::Float(loss), bound(case))
            .map_err(|error| Failure::Wrong(format!("loss of step {step}: {error}")))?;
        if step == 0 {
            parameters(case, model, "after_step_1")?;
        }
        if case.json["options"]["eval_between"].as_bool() == Some(true) {
            model.module().eval();
            let loss = autograd::no_grad(|| loss_of(case, model, &batches[0].tensors())).and_then(|x| Ok(x.item()?));
            model.module().train(true);
            near(case, &format!("evaluation loss after step {step}"), &case.json["eval_losses"][step], loss?)?;
        }
    }
    Ok(())
}

/// The loss of a batch: inputs and targets.
fn loss_of(case: &Case, model: &dyn Model, batch: &[Tensor]) -> Out<Tensor> {
    let output = model.run(&batch[0])?;
    let args = Args::new([Value::Tensor(output), Value::Tensor(batch[1].clone())], vec![]);
    match functional::call(case.text("loss"), args)? {
        Value::Tensor(loss) => Ok(loss),
        other => wrong(format!("the loss is a {}", other.kind())),
    }
}

/// Compares one number.
fn near(case: &Case, what: &str, expected: &serde_json::Value, got: f64) -> Out<()> {
    let expected = Value::Float(expected.as_f64().unwrap_or(f64::NAN));
    compare::value(&expected, &Value::Float(got), bound(case))
        .map_err(|error| Failure::Wrong(format!("{what}: {error}")))
}

/// Rounding errors of float32 grow from step to step.
fn bound(case: &Case) -> Bound {
    match case.text("dtype") {
        "float64" => Bound::default(),
        _ => Bound { single: Some((1e-5, 1.0)), ..Bound::default() },
    }
}

fn parameters(case: &Case, model: &dyn Model, name: &str) -> Out<()> {
    let state = model.module().state_dict();
    for (key, expected) in case.map(name)? {
        let Some(got) = state.get(&key) else { return wrong(format!("{name} has no {key}")) };
        compare::value(&expected, &Value::Tensor(got.clone()), bound(case))
            .map_err(|error| Failure::Wrong(format!("{key} of {name}: {error}")))?;
    }
    Ok(())
}

fn finish(case: &Case, model: &dyn Model, optimizer: &dyn Optimizer) -> Out<()> {
    parameters(case, model, "final")?;
    model.module().eval();
    let batch = case.list("batches")?[0].tensors();
    let output: Tensor = autograd::no_grad(|| model.run(&batch[0]))?;
    compare::value(&case.value("eval_output_of_batch_0")?, &Value::Tensor(output), bound(case))
        .map_err(|error| Failure::Wrong(format!("eval output: {error}")))?;
    let state = Value::from(optimizer.state_dict());
    compare::value(&case.value("optimizer_state")?, &state, bound(case))
        .map_err(|error| Failure::Wrong(format!("optimizer state: {error}")))
}
