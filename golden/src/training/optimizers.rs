//! Optimizers by name.

use crate::functional::{Args, number};
use crate::value::Value;
use crate::{Failure, Out, not_built};
use firebrick::optim::{self, Optimizer, ParamGroup};
use firebrick::{Parameter, Scalar};

/// A boxed optimizer of this class with these keyword arguments.
pub fn build(class: &str, groups: Vec<ParamGroup>, options: Vec<(String, Value)>) -> Out<Box<dyn Optimizer>> {
    let mut a = Args::new([], options);
    let lr = rate(&mut a)?;
    let built: Box<dyn Optimizer> = match class {
        "SGD" => Box::new(sgd(groups, lr, &mut a)?),
        "Adam" => Box::new(adam(optim::Adam::new(groups, lr), &mut a)?.build()?),
        "AdamW" => Box::new(adam(optim::AdamW::new(groups, lr), &mut a)?.build()?),
        other => return not_built(format!("optim.{other}")),
    };
    a.finish().map_err(|failure| match failure {
        Failure::NotBuilt(what) => Failure::NotBuilt(format!("{what} of optim.{class}")),
        other => other,
    })?;
    Ok(built)
}

/// The learning rate, PyTorch's default where none is given.
fn rate(a: &mut Args) -> Out<Scalar> {
    a.scalar_or("lr", 0.001)
}

fn sgd(groups: Vec<ParamGroup>, lr: Scalar, a: &mut Args) -> Out<optim::SGD> {
    let mut builder = optim::SGD::new(groups, lr);
    builder = builder.momentum(a.scalar_or("momentum", 0)?).dampening(a.scalar_or("dampening", 0)?);
    builder = builder.weight_decay(a.scalar_or("weight_decay", 0)?);
    Ok(builder.nesterov(a.flag("nesterov")?).maximize(a.flag("maximize")?).build()?)
}

fn adam<O: From<optim::Adam>>(mut builder: optim::AdamBuilder<O>, a: &mut Args) -> Out<optim::AdamBuilder<O>> {
    if let Some(betas) = a.maybe_list("betas")? {
        let betas: Vec<f64> = betas.iter().map(|beta| number(beta).map(Scalar::to_f64)).collect::<Out<_>>()?;
        builder = builder.betas((betas[0], betas[1]));
    }
    if let Some(eps) = a.maybe_scalar("eps")? {
        builder = builder.eps(eps);
    }
    if let Some(decay) = a.maybe_scalar("weight_decay")? {
        builder = builder.weight_decay(decay);
    }
    Ok(builder.amsgrad(a.flag("amsgrad")?).maximize(a.flag("maximize")?))
}

/// The groups of parameters that `how` asks for.
pub fn groups(parameters: Vec<(String, Parameter)>, how: &str) -> Out<Vec<ParamGroup>> {
    let pick = |wanted: &dyn Fn(&str, &Parameter) -> bool| {
        ParamGroup::new(
            parameters.iter().filter(|(name, p)| wanted(name, p)).map(|(_, p)| p.clone()).collect::<Vec<_>>(),
        )
    };
    Ok(match how {
        "" => vec![pick(&|_, _| true)],
        "weights_only_2d" => vec![pick(&|_, p| p.dim() == 2)],
        "two_groups" => vec![
            pick(&|name, _| name.ends_with("weight")).weight_decay(0.1),
            pick(&|name, _| !name.ends_with("weight")).lr(0.05).weight_decay(0.0),
        ],
        other => return not_built(format!("parameter groups {other}")),
    })
}
