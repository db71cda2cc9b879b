//! `state_dict`.

use super::describe::tensor;
use super::facts;
use super::models::{keys, linear};
use firebrick::nn::StateDictOptions;
use firebrick::prelude::*;
use serde_json::{Value as Json, json};

facts! { FACTS;
    "state_dict/7d6f91e3" keys(&nn::Linear::new(1, 1)?.state_dict_with(&StateDictOptions::new().prefix("p.")));
    "state_dict/7935f729" values()?;
    "state_dict/26059a9b" {
        let model = linear([[1.0]], None)?;
        model.state_dict().get("weight").map(|w| w.fill_(9.0).map(|_| ())).transpose()?;
        tensor(&model.weight)?
    };
    "state_dict/e6f1c234" metadata()?;
    "state_dict/72a47264" {
        let mut destination = StateDict::new();
        nn::Linear::new(1, 1)?.state_dict_into(&mut destination, &StateDictOptions::new().prefix("x."));
        // `state_dict_into` adds to the very map it is given; there is nothing to return.
        json!([true, keys(&destination)])
    };
}

fn values() -> Result<Json> {
    let model = nn::Linear::new(1, 1)?;
    let (plain, kept) = (model.state_dict(), model.state_dict_with(&StateDictOptions::new().keep_vars(true)));
    let (plain, kept) = match (plain.get("weight"), kept.get("weight")) {
        (Some(plain), Some(kept)) => (plain.clone(), kept.clone()),
        _ => return Err(Error::key("state_dict", "weight")),
    };
    let of = |x: &Tensor| if x.ptr_eq(&model.weight) { "Parameter" } else { "Tensor" };
    Ok(json!([
        of(&plain),
        plain.requires_grad(),
        plain.shares_storage(&model.weight),
        of(&kept),
        kept.requires_grad(),
        kept.ptr_eq(&model.weight)
    ]))
}

fn metadata() -> Result<Json> {
    let model = nn::Sequential::new().add(nn::Linear::new(1, 1)?).add(nn::ReLU::new()).add(nn::Linear::new(1, 1)?);
    let state = model.state_dict();
    let entries = state.metadata.iter().map(|(path, notes)| {
        let notes: serde_json::Map<String, Json> = notes.iter().map(|(name, n)| (name.clone(), (*n).into())).collect();
        (path.clone(), Json::from(notes))
    });
    // Both maps keep the order of insertion, as an OrderedDict does.
    Ok(json!(["OrderedDict", "OrderedDict", entries.collect::<serde_json::Map<_, _>>()]))
}
