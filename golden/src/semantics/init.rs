//! Initialization.

use super::describe::refusal;
use super::{does_not_compile, facts};
use firebrick::nn::init::{Nonlinearity, calculate_gain};
use firebrick::prelude::*;
use serde_json::{Value as Json, json};

facts! { FACTS;
    "init/ede832a7" gains()?;
}

fn gains() -> Result<Json> {
    let names =
        ["linear", "conv1d", "conv2d", "conv3d", "conv_transpose2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"];
    let gain = |name: &&str| {
        let gain = calculate_gain(name.parse()?, None);
        // Python's gain of the linear ones is the integer 1.
        Ok(((*name).to_owned(), if gain == 1.0 { json!(1) } else { json!(gain) }))
    };
    let all = names.iter().map(gain).collect::<Result<serde_json::Map<_, _>>>()?;
    let slope = calculate_gain(Nonlinearity::LeakyRelu, 0.2);
    Ok(json!([all, slope, refusal("nope".parse::<Nonlinearity>()), does_not_compile()]))
}
