//! Containers.

use super::describe::{outcome, refusal, returned, tensor};
use super::models::{keys, names};
use super::{does_not_compile, facts};
use firebrick::nn::{Forward, Module, boxed};
use firebrick::prelude::*;
use serde_json::{Value as Json, json};
use std::sync::Arc;

facts! { FACTS;
    "containers/6142b472" twice()?;
    "containers/3545d867" module_list()?;
    "containers/a035c0c3" {
        let mut list = nn::ModuleList::from([relu(), tanh()]);
        json!([refusal(list.get(2)), refusal(list.get(-3)), does_not_compile(), refusal(list.pop(5))])
    };
    "containers/f0e3bd40" module_dict()?;
    "containers/8908df08" sequential()?;
    "containers/124d429e" parameter_list()?;
    "containers/60d97a7e" parameter_dict()?;
}

type Layer = Box<dyn Forward>;

fn relu() -> Layer {
    boxed(nn::ReLU::new())
}

fn tanh() -> Layer {
    boxed(nn::Tanh::new())
}

fn gelu() -> Layer {
    boxed(nn::GELU::new())
}

fn silu() -> Layer {
    boxed(nn::SiLU::new())
}

fn mish() -> Layer {
    boxed(nn::Mish::new())
}

fn elu() -> Layer {
    boxed(nn::ELU::new())
}

/// Names with types.
fn typed(module: &dyn Module) -> Vec<Json> {
    module.named_children().into_iter().map(|(name, child)| json!([name, child.type_name()])).collect()
}

/// One module in two places.
fn twice() -> Result<Json> {
    let layer = Arc::new(super::models::linear([[2.0]], Some([1.0]))?);
    let m = nn::Sequential::new().add(layer.clone()).add(layer.clone());
    let x = Tensor::new([[3.0f32]])?;
    let (once, both) = (layer.call(layer.call(&x)?)?, m.call(&x)?);
    let equal = once.to_vec::<f32>()? == both.to_vec::<f32>()?;
    Ok(json!([names(m.named_parameters()), keys(&m.state_dict()), m.len(), equal]))
}

fn module_list() -> Result<Json> {
    let mut list = nn::ModuleList::from([relu()]);
    let at = &raw const list;
    let appended = std::ptr::eq(list.append(tanh()), at);
    let extended = std::ptr::eq(list.extend([boxed(nn::Sigmoid::new()), gelu()]), at);
    list.insert(1, silu())?;
    let (named, last) = (typed(&list), list.get(-1)?.to_string());
    let part = list.share(1..3);
    let length = list.len();
    let sum = nn::ModuleList::from([relu()]) + [tanh()];
    let listed = list.attributes().contains(&"0");
    list += [relu()];
    Ok(json!({
        "append returns self": appended,
        "extend returns self": extended,
        "insert returns": null,
        "names": named,
        "[-1]": last,
        "[1:3]": part.to_string(),
        "slice keys": names(part.named_children()),
        "len": length,
        "+": sum.to_string(),
        "len after +=": list.len(),
        "dir contains '0'": listed,
    }))
}

fn module_dict() -> Result<Json> {
    let mut dict = nn::ModuleDict::from_entries([("z", relu()), ("a", tanh())])?;
    let order = |dict: &nn::ModuleDict| dict.keys().map(str::to_owned).collect::<Vec<_>>();
    let first = order(&dict);
    let plain = order(dict.update([("m", gelu()), ("b", elu())])?);
    let ordered = order(dict.update([("y", silu()), ("c", mish())])?);
    let pairs = order(dict.update([("q", relu()), ("p", relu())])?);
    dict.insert("z", boxed(nn::Sigmoid::new()))?;
    let (kept, popped) = (typed(&dict), dict.pop("a")?.to_string());
    let contains = [dict.contains_key("a"), dict.contains_key("z")];
    let missing = (refusal(dict.get("nope")), refusal(dict.pop("nope")));
    let mut refused = |name: &str| refusal(dict.insert(name, relu()));
    let (dotted, method, empty) = (refused("a.b"), refused("keys"), refused(""));
    dict.clear();
    Ok(json!({
        "init dict order": first,
        "update plain dict": plain,
        "update OrderedDict": ordered,
        "update pairs": pairs,
        "reassign keeps place": kept,
        "pop": popped,
        "contains": contains,
        "missing": missing.0,
        "pop missing": missing.1,
        "update int": does_not_compile(),
        "update bad pairs": does_not_compile(),
        "update pair of wrong type": does_not_compile(),
        "key with dot": dotted,
        "key 'keys' (a method name)": method,
        "key empty": empty,
        "key int": does_not_compile(),
        "value int": does_not_compile(),
        "len after clear": dict.len(),
    }))
}

/// A model of these layers.
fn of<const N: usize>(layers: [Layer; N]) -> nn::Sequential {
    layers.into_iter().collect()
}

fn sequential() -> Result<Json> {
    let mut s = of([relu(), tanh(), gelu()]);
    let last = s.get(-1)?.to_string();
    let part = s.share(0..2);
    let shares = part.get(0)?.core().id() == s.get(0)?.core().id();
    let out_of_range = (refusal(s.get(3)), refusal(s.get(-4)));
    s.pop(1)?;
    let deleted = names(s.named_children());
    let at = &raw const s;
    let appended = std::ptr::eq(s.append(elu()), at);
    let after_append = names(s.named_children());
    s.insert(0, silu())?;
    let inserted = typed(&s);
    let beyond = refusal(s.insert(100, relu()));
    s.extend(of([mish()]));
    let extended = typed(&s);
    let popped = s.pop(0)?.to_string();
    let after_pop = typed(&s);
    let mut twofold = (of([relu(), tanh()]) * 2)?;
    let shared = twofold.get(0)?.core().id() == twofold.get(2)?.core().id();
    let repeated = twofold.to_string();
    twofold.drain(1..);
    let mut replaced = of([relu(), tanh()]);
    replaced.set(-1, elu())?;
    let named = || nn::Sequential::new().add_named("a", relu())?.add_named("b", tanh());
    let mut after_named = named()?;
    after_named.append(gelu());
    let mut cut = named()?.add_named("c", gelu())?;
    cut.pop(1)?;
    let empty = nn::Sequential::new().call(Tensor::ones([1])?);
    Ok(json!({
        "[-1]": last,
        "[0:2]": part.to_string(),
        "slice shares": shares,
        "slice type": part.type_name(),
        "[3]": out_of_range.0,
        "[-4]": out_of_range.1,
        "names after del [1]": deleted,
        "append returns self": appended,
        "names after append": after_append,
        "names after insert 0": inserted,
        "insert 100": beyond,
        "insert non-module": does_not_compile(),
        "after extend": extended,
        "pop(0)": popped,
        "after pop": after_pop,
        "+": (of([relu()]) + of([tanh()])).to_string(),
        "+ list": does_not_compile(),
        "*2": repeated,
        "*2 shares modules": shared,
        "*0": refusal(of([relu()]) * 0),
        "*1.5": does_not_compile(),
        "setitem -1": replaced.to_string(),
        "ctor non-module": does_not_compile(),
        "empty forward": returned(empty, |x| tensor(&x))?,
        "two inputs": does_not_compile(),
        "del slice 1:": twofold.to_string(),
        "OrderedDict names, index 0, attribute": [named()?.get(0)?.to_string(), named()?.get_submodule("a")?.to_string()],
        "del on named": names(cut.named_children()),
        "append to named": names(after_named.named_children()),
    }))
}

fn parameter_list() -> Result<Json> {
    let one = || Ok::<_, Error>(Parameter::new(Tensor::ones([1])?));
    let mut list = nn::ParameterList::new();
    list.append(one()?).append(one()?).extend([one()?, one()?]);
    let sliced = list.slice(0..2);
    let _ = (returned(list.get(0), |p| tensor(p))?, sliced.len());
    let listed = names(list.named_parameters());
    Ok(json!([listed, "Parameter", "ParameterList", list.len(), keys(&list.state_dict()), refusal(list.get(10))]))
}

fn parameter_dict() -> Result<Json> {
    let of = |value: f64| Ok::<_, Error>(Parameter::new(Tensor::full([1], value)?));
    let mut dict = nn::ParameterDict::from_entries([("a", of(1.0)?), ("b", of(0.0)?)])?;
    let order = |dict: &nn::ParameterDict| dict.keys().map(str::to_owned).collect::<Vec<_>>();
    let (first, a, none) = (order(&dict), dict.get("a")?.to_string(), dict.get("nope").ok().map(|_| "a parameter"));
    dict.set_default("z", of(2.0)?)?;
    let (added, popped) = (order(&dict), dict.pop("b")?.to_string());
    let rest = order(&dict);
    let (last, _) = dict.pop_item()?;
    let joined = order(&(dict.copy() | nn::ParameterDict::from_keys(["n"], &of(3.0)?)?));
    let missing = outcome(dict.get("nope"), |_| Ok(Json::Null))?;
    Ok(json!([first, a, none, added, popped, rest, last, joined, missing]))
}
