//! Optimizers: options, groups, states, steps.

use super::describe::{leaf, number, refusal, tensor};
use super::facts;
use firebrick::optim::{
    self, ASGD, Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, LBFGS, Muon, NAdam, ParamGroup, RAdam, RMSprop,
    Rprop, SGD,
};
use firebrick::prelude::*;
use firebrick::{Key, Value};
use serde_json::{Map, Value as Json, json};

facts! { FACTS;
    "optim/8e6a7890" printed()?;
    "optim/f6be1dd6" defaults()?;
    "optim/532b5a14" skipped()?;
    "optim/53da87f3" load_errors()?;
    "optim/9a18e72e" added()?;
    "optim/455ce71f" closures()?;
    "optim/d048f16e" refusal(Muon::new([leaf([1.0])?], Muon::LR).build());
    "lazy/c50b4f3d" {
        let lazy = nn::Linear::lazy(4)?;
        json!({"returns": SGD::new(lazy.parameters(), 0.1).build()?.to_string()})
    };
}

/// An option or a state, as JSON has it.
fn plain(value: &Value) -> Result<Json> {
    Ok(match value {
        Value::None => Json::Null,
        Value::Bool(v) => json!(v),
        Value::Int(v) => json!(v),
        Value::Float(v) => number(*v),
        Value::Complex(v) => json!([number(v.re), number(v.im)]),
        Value::Str(v) => json!(v),
        Value::Tensor(v) => tensor(v)?,
        Value::List(items) | Value::Tuple(items) => items.iter().map(plain).collect::<Result<_>>()?,
        Value::Dict(entries) => {
            let entry = |(key, value): (&Key, &Value)| {
                let key = match key {
                    Key::Str(key) => key.clone(),
                    Key::Int(key) => key.to_string(),
                };
                Ok((key, plain(value)?))
            };
            Json::Object(entries.iter().map(entry).collect::<Result<_>>()?)
        }
    })
}

fn printed() -> Result<Json> {
    let (a, b) = (leaf([1.0])?, leaf([2.0])?);
    let sgd = SGD::new([&a], 0.1).momentum(0.9).build()?;
    let adam = Adam::new([&a, &b], Adam::LR).build()?;
    Ok(json!([sgd.to_string(), adam.to_string(), plain(&adam.state_dict())?]))
}

/// The options of the only group, without its parameters.
fn options(optimizer: &dyn Optimizer) -> Result<Json> {
    let options = optimizer.param_groups()[0].options();
    let entries = options.iter().map(|(name, value)| Ok((name.clone(), plain(value)?)));
    Ok(Json::Object(entries.collect::<Result<_>>()?))
}

fn defaults() -> Result<Json> {
    let mut all = Map::new();
    let p = Parameter::new(Tensor::ones([1, 1])?);
    macro_rules! each {
        ($($class:ident)*) => { $(
            all.insert(stringify!($class).to_owned(), options(&$class::new([&p], $class::LR).build()?)?);
        )* };
    }
    each! { SGD Adam AdamW Adamax NAdam RAdam RMSprop Adagrad Adadelta ASGD Rprop LBFGS Adafactor Muon }
    Ok(Json::Object(all))
}

fn skipped() -> Result<Json> {
    let (a, b) = (leaf([1.0])?, leaf([2.0])?);
    let mut optimizer = Adam::new([&a, &b], 0.1).build()?;
    a.set_grad(Some(&Tensor::new([1.0f32])?))?;
    optimizer.step()?;
    let states = optimizer.state_dict().get("state").and_then(|state| state.as_dict().map(|state| state.len()));
    Ok(json!([states, optimizer.state(&b).is_some(), tensor(&b)?]))
}

fn load_errors() -> Result<Json> {
    let (a, b) = (leaf([1.0])?, leaf([2.0])?);
    let groups = SGD::new([ParamGroup::new([&a]), ParamGroup::new([&b])], 0.1).build()?.state_dict();
    let params = SGD::new([&a, &b], 0.1).build()?.state_dict();
    let mut optimizer = SGD::new([&a], 0.1).build()?;
    Ok(json!([refusal(optimizer.load_state_dict(&groups)), refusal(optimizer.load_state_dict(&params))]))
}

fn added() -> Result<Json> {
    let (a, b) = (leaf([1.0])?, leaf([2.0])?);
    let mut optimizer = SGD::new([&a], 0.1).build()?;
    optimizer.add_param_group(ParamGroup::new([&b]).lr(0.5))?;
    let rates: Vec<f64> = optimizer.param_groups().iter().map(ParamGroup::get_lr).collect::<Result<_>>()?;
    Ok(json!([rates, refusal(optimizer.add_param_group(ParamGroup::new([&a])))]))
}

fn closures() -> Result<Json> {
    let p = leaf([1.0])?;
    let mut optimizer = optim::SGD::new([&p], 0.1).build()?;
    let loss: f64 = optimizer.step_with(&mut || Tensor::scalar(7.0))?.item()?;
    let () = optimizer.step()?;
    Ok(json!([loss, null, refusal(LBFGS::new([&p], LBFGS::LR).build()?.step())]))
}
