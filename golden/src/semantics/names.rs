//! Names, paths and lookups.

use super::describe::{raised, returned};
use super::facts;
use super::models::{Bare, Tied, keys, names};
use firebrick::nn::Traversal;
use firebrick::prelude::*;
use serde_json::{Value as Json, json};

facts! { FACTS;
    "names/cc676a1b" { let m = Tied::new()?; json!([m.parameters().len(), keys(&m.state_dict())]) };
    "names/41b9d8e8" {
        let m = Tied::new()?;
        let all = Traversal::new().remove_duplicate(false);
        json!([names(m.named_modules()), names(m.named_modules_with(&all))])
    };
    "names/5785420c" Tied::new()?.to_string();
    "names/ed676614" {
        let m = nn::Sequential::new().add(nn::Linear::new(1, 1)?).add(nn::Sequential::new().add(nn::ReLU::new()));
        names(m.named_modules_with(&Traversal::new().prefix("root")))
    };
    "names/10ecb757" { let m = nested()?; submodule(&m, "")? };
    "names/12088626" { let m = nested()?; submodule(&m, "net.lin")? };
    "names/efa452a2" { let m = nested()?; submodule(&m, "net.x")? };
    "names/c5ee6acc" parameter("net.lin")?;
    "names/96d272ff" parameter("net.nope")?;
    "names/8520560d" parameter("w")?;
    "names/6b0df09d" buffer("net.lin.weight")?;
    "names/5573c86e" buffer("net.nope")?;
    "names/5f7adc5b" buffer("net.x")?;
    "names/11acaf32" buffer("")?;
    "names/ef36a5b4" set("net.lin", false)?;
    "names/02b8a7ad" set("net.new", false)?;
    "names/6febaaa6" set("net.new", true)?;
    "names/47e59581" set("", false)?;
    "names/5194262d" set("net.x", false)?;
    "names/7bf3be02" set("q.r", false)?;
}

/// A module with a child, a buffer and a plain number.
#[derive(Module)]
#[module(name = "Module")]
struct Inner {
    core: Core,
    lin: Box<dyn nn::Forward>,
    buf: Buffer,
    x: i64,
}

fn nested() -> Result<Bare> {
    let lin = nn::boxed(nn::Linear::new(2, 3)?);
    let inner = Inner { core: Core::new(), lin, buf: Buffer::new(Tensor::zeros([1])?), x: 3 };
    let mut m = Bare::new();
    m.add_module("net", inner)?;
    Ok(m)
}

fn submodule(m: &Bare, path: &str) -> Result<Json> {
    returned(m.get_submodule(path), |found| Ok(found.to_string().into()))
}

fn parameter(path: &str) -> Result<Json> {
    Ok(nested()?.get_parameter(path).map_or_else(|error| raised(&error), |_| Json::Null))
}

fn buffer(path: &str) -> Result<Json> {
    Ok(nested()?.get_buffer(path).map_or_else(|error| raised(&error), |_| Json::Null))
}

fn set(path: &str, strict: bool) -> Result<Json> {
    let mut m = nested()?;
    let relu = nn::boxed(nn::ReLU::new());
    let set = if strict { m.set_submodule_strict(path, relu) } else { m.set_submodule(path, relu) };
    returned(set, |()| {
        // What was set is what is found.
        let found = m.get_submodule(path)?.to_string();
        Ok(if found == "ReLU()" { "None".into() } else { found.into() })
    })
}
