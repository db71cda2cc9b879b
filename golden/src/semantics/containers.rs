//! Containers.

use super::describe::{refusal, returned, tensor};
use super::facts;
use super::models::{keys, names};
use firebrick::prelude::*;
use serde_json::{Value as Json, json};
use std::sync::Arc;

facts! { FACTS;
    "containers/6142b472" twice()?;
    "containers/124d429e" parameter_list()?;
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

fn parameter_list() -> Result<Json> {
    let one = || Ok::<_, Error>(Parameter::new(Tensor::ones([1])?));
    let mut list = nn::ParameterList::new();
    list.append(one()?).append(one()?).extend([one()?, one()?]);
    let sliced = list.slice(0..2);
    let _ = (returned(list.get(0), |p| tensor(p))?, sliced.len());
    let listed = names(list.named_parameters());
    Ok(json!([listed, "Parameter", "ParameterList", list.len(), keys(&list.state_dict()), refusal(list.get(10))]))
}
