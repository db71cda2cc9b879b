//! Initialization functions.

use super::Step;
use crate::functional::Args;
use crate::{Failure, Out, not_built};
use firebrick::Tensor;
use firebrick::nn::init::{self, FanMode, Nonlinearity};

/// Fills a new tensor with the function of the step.
pub fn run(step: &Step) -> Out<Tensor> {
    let (x, mut a) = (step.empty()?, step.arguments()?);
    let name = step.json["fn"].as_str().unwrap_or_default();
    match name {
        "uniform_" => init::uniform_(&x, a.float_or("a", 0.0)?, a.float_or("b", 1.0)?)?,
        "normal_" => init::normal_(&x, a.float_or("mean", 0.0)?, a.float_or("std", 1.0)?)?,
        "constant_" => init::constant_(&x, a.scalar("val")?)?,
        "ones_" => init::ones_(&x)?,
        "zeros_" => init::zeros_(&x)?,
        "eye_" => init::eye_(&x)?,
        "dirac_" => init::dirac_(&x, a.int_or("groups", 1)? as usize)?,
        "trunc_normal_" => {
            let (mean, std) = (a.float_or("mean", 0.0)?, a.float_or("std", 1.0)?);
            init::trunc_normal_(&x, mean, std, a.float_or("a", -2.0)?, a.float_or("b", 2.0)?)?
        }
        "xavier_uniform_" => init::xavier_uniform_(&x, a.float_or("gain", 1.0)?)?,
        "xavier_normal_" => init::xavier_normal_(&x, a.float_or("gain", 1.0)?)?,
        "kaiming_uniform_" => {
            let (slope, mode, nonlinearity) = kaiming(&mut a)?;
            init::kaiming_uniform_(&x, slope, mode, nonlinearity)?
        }
        "kaiming_normal_" => {
            let (slope, mode, nonlinearity) = kaiming(&mut a)?;
            init::kaiming_normal_(&x, slope, mode, nonlinearity)?
        }
        "orthogonal_" => init::orthogonal_(&x, a.float_or("gain", 1.0)?)?,
        "sparse_" => init::sparse_(&x, a.float("sparsity")?, a.float_or("std", 0.01)?)?,
        other => return not_built(format!("init.{other}")),
    };
    a.finish()?;
    Ok(x)
}

/// Slope, mode and nonlinearity.
fn kaiming(a: &mut Args) -> Out<(f64, FanMode, Nonlinearity)> {
    let slope = a.float_or("a", 0.0)?;
    let mode = if a.text_or("mode", "fan_in")? == "fan_out" { FanMode::FanOut } else { FanMode::FanIn };
    let name = a.text_or("nonlinearity", "leaky_relu")?;
    let nonlinearity = name.parse::<Nonlinearity>().map_err(Failure::Error)?;
    Ok((slope, mode, nonlinearity))
}
