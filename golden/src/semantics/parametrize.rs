//! Parameters that are computed from others.

use super::describe::tensor;
use super::facts;
use super::models::{keys, linear};
use firebrick::nn::utils;
use firebrick::nn::utils::parametrize::{self, Parametrization};
use firebrick::prelude::*;
use serde_json::{Value as Json, json};

facts! { FACTS;
    "parametrize/3b7843d4" doubled()?;
    "parametrize/0460e465" as_vector()?;
    "parametrize/93edc6bf" {
        let mut m = nn::Linear::new(2, 3)?;
        utils::parametrizations::spectral_norm(&mut m, "weight")?;
        json!([keys(&m.state_dict()), m.to_string()])
    };
    "parametrize/90e822b7" {
        let mut m = nn::Linear::new(3, 3)?;
        utils::parametrizations::orthogonal(&mut m, "weight")?;
        json!([keys(&m.state_dict()), m.to_string()])
    };
    "parametrize/cf7c67c8" {
        let mut m = nn::Linear::new(2, 3)?;
        utils::spectral_norm(&mut m, "weight")?;
        keys(&m.state_dict())
    };
}

/// Twice its input.
#[derive(Module)]
struct Double {
    core: Core,
}

impl nn::Forward for Double {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        x.mul(2)
    }
}

impl Parametrization for Double {
    type Originals = Tensor;
}

fn doubled() -> Result<Json> {
    let mut m = nn::Linear::new(2, 2)?;
    let before = m.weight.mul(2)?.to_vec::<f32>()?;
    parametrize::register_parametrization(&mut m, "weight", Double { core: Core::new() })?;
    let (class, saved) = (m.display_name(), keys(&m.state_dict()));
    let equal = parametrize::parametrized(&m, "weight")?.to_vec::<f32>()? == before;
    parametrize::remove_parametrizations(&mut m, "weight", true)?;
    Ok(json!([class, saved, equal, [json!(keys(&m.state_dict())), json!(m.display_name())]]))
}

fn as_vector() -> Result<Json> {
    let m = linear([[0.0, 0.0]], Some([0.0]))?;
    utils::vector_to_parameters(&Tensor::new([1.0f32, 2.0, 3.0])?, m.parameters())?;
    let bias = m.get_parameter("bias")?;
    let vector = utils::parameters_to_vector(m.parameters())?;
    Ok(json!([tensor(&m.weight)?, tensor(bias)?, tensor(&vector)?]))
}
