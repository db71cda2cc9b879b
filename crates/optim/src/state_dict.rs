//! Saving and loading an optimizer, in PyTorch's structure.

use crate::{OptimizerCore, State};
use firebrick_core::{Error, Key, Result, Tensor, Value, autograd};
use indexmap::IndexMap;
use std::collections::HashMap;

const OP: &str = "load_state_dict";

pub(crate) fn save(core: &OptimizerCore) -> Value {
    let mut numbers: HashMap<usize, i64> = HashMap::new();
    let mut next = 0;
    let mut groups = Vec::new();
    for group in &core.groups {
        let params = group.params.iter().map(|param| {
            let number = *numbers.entry(param.id()).or_insert(next);
            next += 1;
            Value::Int(number)
        });
        let params = Value::List(params.collect());
        let options = group.options.iter().map(|(name, value)| (name.as_str(), value.clone()));
        groups.push(Value::dict(options.chain([("params", params)])));
    }
    let state = core.state.iter().filter_map(|(id, state)| {
        let values = state.iter().map(|(name, value)| (name.as_str(), value.clone()));
        Some((*numbers.get(id)?, Value::dict(values)))
    });
    Value::dict([("state", Value::dict(state)), ("param_groups", Value::List(groups))])
}

/// A group as it was saved: its options, and the numbers of its parameters.
struct Saved {
    options: IndexMap<String, Value>,
    params: Vec<i64>,
}

pub(crate) fn load(core: &mut OptimizerCore, saved: &Value) -> Result<()> {
    let groups = list(saved, "param_groups")?.iter().map(read_group).collect::<Result<Vec<Saved>>>()?;
    if groups.len() != core.groups.len() {
        return Err(Error::value(OP, "loaded state dict has a different number of parameter groups")
            .given(groups.len().to_string())
            .expected(core.groups.len().to_string()));
    }
    for (i, (saved, own)) in groups.iter().zip(&core.groups).enumerate() {
        if saved.params.len() != own.params.len() {
            return Err(Error::value(
                OP,
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
            )
            .given(format!("{} parameters in group {i}", saved.params.len()))
            .expected(own.params.len().to_string()));
        }
    }
    let own = core.groups.iter().flat_map(|group| &group.params);
    let by_number: HashMap<i64, Tensor> =
        groups.iter().flat_map(|group| group.params.iter().copied()).zip(own.cloned()).collect();
    let state = read_state(saved, &by_number)?;
    core.state = state;
    for (own, saved) in core.groups.iter_mut().zip(groups) {
        let names = own.options.get("param_names").cloned();
        own.options = saved.options;
        if let Some(names) = names {
            own.options.entry("param_names".to_owned()).or_insert(names);
        }
        // Options that the version that saved it did not have.
        own.set_defaults(&core.defaults);
    }
    Ok(())
}

fn entry<'v>(value: &'v Value, key: &str) -> Result<&'v Value> {
    value.get(key).ok_or_else(|| Error::key(OP, format!("'{key}'")).expected("an optimizer's state_dict"))
}

fn list<'v>(value: &'v Value, key: &str) -> Result<&'v [Value]> {
    let found = entry(value, key)?;
    found.as_slice().ok_or_else(|| Error::type_(OP, format!("'{key}' is not a list")))
}

fn read_group(value: &Value) -> Result<Saved> {
    let params = list(value, "params")?.iter().map(|number| {
        number.as_i64().ok_or_else(|| Error::type_(OP, "'params' of a group holds something other than numbers"))
    });
    let params = params.collect::<Result<_>>()?;
    let options = value.as_dict().into_iter().flatten().filter_map(|(key, value)| match key {
        Key::Str(name) if name != "params" => Some((name.clone(), value.clone())),
        _ => None,
    });
    Ok(Saved { options: options.collect(), params })
}

fn read_state(saved: &Value, by_number: &HashMap<i64, Tensor>) -> Result<IndexMap<usize, State>> {
    let not_a_dict = || Error::type_(OP, "'state' is not a dictionary of dictionaries");
    let mut out = IndexMap::new();
    for (key, values) in entry(saved, "state")?.as_dict().ok_or_else(not_a_dict)? {
        // PyTorch also carries along what stands under other keys; no optimizer writes any.
        let Key::Int(number) = key else { continue };
        let Some(param) = by_number.get(number) else { continue };
        let mut state = State::new();
        for (name, value) in values.as_dict().ok_or_else(not_a_dict)? {
            if let Key::Str(name) = name {
                state.insert(name.clone(), converted(param, name, value)?);
            }
        }
        out.insert(param.id(), state);
    }
    Ok(out)
}

/// A value of a parameter's state, with tensors (but for the count of steps) of the parameter's dtype and device.
fn converted(param: &Tensor, name: &str, value: &Value) -> Result<Value> {
    let all = |items: &[Value]| items.iter().map(|item| converted(param, "", item)).collect::<Result<Vec<_>>>();
    Ok(match value {
        Value::Tensor(tensor) => {
            let copy = autograd::no_grad(|| tensor.detach().copy())?;
            Value::Tensor(match (name, param.is_floating_point()) {
                ("step", _) => copy,
                (_, true) => copy.to((param.device(), param.dtype()))?,
                (_, false) => copy.to(param.device())?,
            })
        }
        Value::List(items) => Value::List(all(items)?),
        Value::Tuple(items) => Value::Tuple(all(items)?),
        other => other.clone(),
    })
}
