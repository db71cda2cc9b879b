//! Modules: construction, description, state, output, gradients.

mod activations;
mod classes;
mod images;
mod layer;
mod losses;
mod pools;
mod recurrent;
mod transformers;

pub use classes::{construct, names};
pub use layer::{Layer, Plain, With, plain, with};

use crate::area::Runner;
use crate::case::{Case, Cases};
use crate::compare::{self, Bound};
use crate::functional::{Args, compare_gradients, expect_error};
use crate::value::Value;
use crate::{Failure, Out, wrong};
use firebrick::nn::ModuleExt;
use firebrick::{DType, StateDict, Tensor, autograd};
use serde_json::Value as Json;
use std::path::Path;

/// Runs `cases.json`.
pub fn run(folder: &Path, runner: &mut Runner) -> Result<(), String> {
    for case in Cases::read(folder)? {
        let class = case.text("class").trim_start_matches("torch.nn.").to_owned();
        runner.case(&class, case.id(), || check(&case, &class));
    }
    Ok(())
}

fn check(case: &Case, class: &str) -> Out<()> {
    let layer = match (build(case, class), case.text("error_at")) {
        (built, "constructor") => {
            return expect_error(case.text("error_type"), case.text("error_message"), built.map(drop));
        }
        (built, _) => built?,
    };
    let module = layer.module();
    let inputs = Inputs::read(case)?;
    if case.has("lazy") {
        uninitialized(case, &*layer)?;
        // The first call gives the parameters their shapes.
        autograd::no_grad(|| layer.call(&mut inputs.arguments()?))?;
    }
    if case.flag("expect_error") {
        let result = layer.call(&mut inputs.arguments()?).map(drop);
        return expect_error(case.text("error_type"), case.text("error_message"), result);
    }
    module.train(case.flag("train"));
    describe(case, &*layer)?;
    load(case, &*layer)?;
    forward(case, &*layer, &inputs)
}

/// Constructs the module and casts it.
fn build(case: &Case, class: &str) -> Out<Box<dyn Layer>> {
    let mut args = arguments(&case.json["ctor"], case)?;
    let layer = construct(class, &mut args)?;
    // A module that is to fail was called as it was constructed.
    if case.flag("expect_error") {
        return Ok(layer);
    }
    if let Some(dtype) = DType::from_name(case.text("dtype")) {
        layer.module().to(dtype)?;
    }
    Ok(layer)
}

/// The arguments of a constructor or a call.
pub fn arguments(json: &Json, case: &Case) -> Out<Args> {
    let positional = Value::parse_all(json["args"].as_array().map(Vec::as_slice).unwrap_or_default(), &case.tensors)?;
    let keywords = json["kwargs"].as_object().into_iter().flatten();
    let keywords = keywords.map(|(name, json)| Ok((name.clone(), Value::parse(json, &case.tensors)?)));
    Ok(Args::new(positional, keywords.collect::<Out<_>>()?))
}

/// The arguments of the call, with the tensors among them.
struct Inputs {
    given: Args,
    leaves: Vec<Tensor>,
    inplace: bool,
}

impl Inputs {
    fn read(case: &Case) -> Out<Inputs> {
        let given = arguments(&case.json["inputs"], case)?;
        // `Hardsigmoid(True)` does not print that it works in place.
        let unprinted = case.json["ctor"]["args"] == serde_json::json!([true]);
        let inplace = case.text("repr").contains("inplace=True") || unprinted;
        Ok(Inputs { leaves: given.tensors_given(), given, inplace })
    }

    /// A copy for one call; a module that overwrites its input gets a clone of the leaf.
    fn arguments(&self) -> Out<Args> {
        if self.inplace { self.given.copied() } else { Ok(self.given.clone()) }
    }
}

/// Checks what a lazy module says before its first call.
fn uninitialized(case: &Case, layer: &dyn Layer) -> Out<()> {
    let (lazy, module) = (&case.json["lazy"], layer.module());
    same("lazy repr", &lazy["repr"], module.to_string().into())?;
    same("class before the first call", &lazy["class_before"], module.display_name().into())?;
    let parameters = module.named_parameters().into_iter().filter(|(_, p)| p.is_uninitialized()).map(|(name, _)| name);
    let buffers = module.named_buffers().into_iter().filter(|(_, b)| b.is_uninitialized()).map(|(name, _)| name);
    same("uninitialized members", &lazy["uninitialized"], parameters.chain(buffers).collect())?;
    same("lazy state_dict keys", &lazy["state_dict_keys"], module.state_dict().keys().collect())
}

/// Checks everything a module says of itself.
fn describe(case: &Case, layer: &dyn Layer) -> Out<()> {
    let module = layer.module();
    let buffers = module.named_buffers();
    let modules =
        module.named_modules().into_iter().map(|(name, m)| Json::from(vec![name, m.display_name()])).collect();
    same("repr", &case.json["repr"], module.to_string().into())?;
    let parameters = module.named_parameters().into_iter().map(|(name, _)| name).collect();
    same("named_parameters", &case.json["named_parameters"], parameters)?;
    same("named_buffers", &case.json["named_buffers"], buffers.iter().map(|(name, _)| name.as_str()).collect())?;
    let hidden = buffers.iter().filter(|(_, b)| !b.is_persistent()).map(|(name, _)| name.as_str());
    same("non_persistent_buffers", &case.json["non_persistent_buffers"], hidden.collect())?;
    same("named_modules", &case.json["named_modules"], modules)?;
    let children = module.named_children().into_iter().map(|(name, _)| name).collect();
    same("named_children", &case.json["named_children"], children)?;
    same("state_dict keys", &case.json["state_dict_keys"], module.state_dict().keys().collect())
}

fn same(what: &str, expected: &Json, got: Json) -> Out<()> {
    if *expected == got { Ok(()) } else { wrong(format!("{what}: got {got}, expected {expected}")) }
}

/// Puts the recorded state into the module.
fn load(case: &Case, layer: &dyn Layer) -> Out<()> {
    let module = layer.module();
    let mut state = StateDict::new();
    for (name, value) in case.map("state_before")? {
        if let Value::Tensor(tensor) = value {
            state.insert(name, tensor);
        }
    }
    module.load_state_dict(&state)?;
    let hidden = case.map("non_persistent_state")?;
    for (name, value) in hidden {
        if let Value::Tensor(tensor) = value {
            module.get_buffer(&name)?.copy_(&tensor)?;
        }
    }
    Ok(())
}

fn forward(case: &Case, layer: &dyn Layer, inputs: &Inputs) -> Out<()> {
    let module = layer.module();
    let mut args = inputs.arguments()?;
    let output = layer.call(&mut args)?;
    args.finish()?;
    let bound = case.bound("out");
    if case.flag("random") {
        return shapes(case, &output);
    }
    compare::value(&case.value("output")?, &output, bound)
        .map_err(|error| Failure::Wrong(format!("output: {error}")))?;
    state_after(case, layer, bound)?;
    let cotangents = case.list("cotangents")?;
    let outputs = output.tensors();
    let roots = outputs.iter().zip(&cotangents).filter_map(|(output, cotangent)| match cotangent {
        Value::Tensor(cotangent) => Some((output, Some(cotangent.clone()))),
        _ => None,
    });
    let (roots, cotangents): (Vec<_>, Vec<_>) = roots.unzip();
    if roots.is_empty() {
        return Ok(());
    }
    autograd::backward(&roots, &cotangents, autograd::Backward::new())?;
    let bound = case.bound("grad");
    for (name, expected) in case.map("param_grads")? {
        let leaf = (**module.get_parameter(&name)?).clone();
        compare_gradients(&[expected], &[leaf], bound).map_err(|error| match error {
            Failure::Wrong(text) => Failure::Wrong(format!("{name}: {text}")),
            other => other,
        })?;
    }
    compare_gradients(&case.list("input_grads")?, &inputs.leaves, bound)
}

/// Checks the shapes alone, for modules that draw random numbers.
fn shapes(case: &Case, output: &Value) -> Out<()> {
    let shapes = output.tensors().iter().map(|x| x.shape().iter().copied().collect::<Json>()).collect();
    same("shapes", &case.json["output_shapes"], shapes)
}

/// Checks which entries of the state the call changed, and how.
fn state_after(case: &Case, layer: &dyn Layer, bound: Bound) -> Out<()> {
    let state = layer.module().state_dict();
    let changed = case.map("state_after_changed")?;
    for (name, before) in case.map("state_before")? {
        let after = changed.iter().find(|(changed, _)| *changed == name);
        let (expected, bound) = after.map_or((&before, Bound::EXACT), |(_, after)| (after, bound));
        let Some(got) = state.get(&name) else { return wrong(format!("{name} is gone from the state")) };
        compare::value(expected, &Value::Tensor(got.clone()), bound)
            .map_err(|error| Failure::Wrong(format!("{name} after the call: {error}")))?;
    }
    Ok(())
}
