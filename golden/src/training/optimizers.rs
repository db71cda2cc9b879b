//! Optimizers by name.

use crate::functional::{Args, number};
use crate::value::Value;
use crate::{Failure, Out, not_built};
use firebrick::optim::{self, Optimizer, ParamGroup};
use firebrick::{Parameter, Scalar};

/// An optimizer with the options that are given by keyword.
macro_rules! built {
    ($class:ident, $groups:ident, $a:ident; $($take:ident $($option:ident)+;)*) => {{
        let lr = $a.maybe_scalar("lr")?.unwrap_or(optim::$class::LR.into());
        let mut builder = optim::$class::new($groups, lr);
        $($(if let Some(value) = $take(&mut $a, stringify!($option))? {
            builder = builder.$option(value);
        })+)*
        Box::new(builder.build()?) as Box<dyn Optimizer>
    }};
}

fn scalar(a: &mut Args, name: &str) -> Out<Option<Scalar>> {
    a.maybe_scalar(name)
}

fn int(a: &mut Args, name: &str) -> Out<Option<i64>> {
    a.maybe_int(name)
}

fn text(a: &mut Args, name: &str) -> Out<Option<String>> {
    a.maybe_text(name)
}

fn flag(a: &mut Args, name: &str) -> Out<Option<bool>> {
    a.maybe_bool(name)
}

fn pair(a: &mut Args, name: &str) -> Out<Option<(f64, f64)>> {
    let Some(list) = a.maybe_list(name)? else { return Ok(None) };
    let list: Vec<f64> = list.iter().map(|item| number(item).map(Scalar::to_f64)).collect::<Out<_>>()?;
    match list[..] {
        [a, b] => Ok(Some((a, b))),
        _ => Err(Failure::Types(format!("{name} of {} numbers", list.len()))),
    }
}

/// A boxed optimizer of this class with these keyword arguments.
pub fn build(class: &str, groups: Vec<ParamGroup>, options: Vec<(String, Value)>) -> Out<Box<dyn Optimizer>> {
    let mut a = Args::new([], options);
    let built = match class {
        "SGD" => built!(SGD, groups, a; scalar momentum dampening weight_decay; flag nesterov maximize;),
        "Adam" => built!(Adam, groups, a; pair betas; scalar eps weight_decay; flag amsgrad maximize;),
        "AdamW" => built!(AdamW, groups, a; pair betas; scalar eps weight_decay; flag amsgrad maximize;),
        "Adamax" => built!(Adamax, groups, a; pair betas; scalar eps weight_decay; flag maximize;),
        "NAdam" => built!(NAdam, groups, a; pair betas; scalar eps weight_decay momentum_decay;
            flag decoupled_weight_decay maximize;),
        "RAdam" => built!(RAdam, groups, a; pair betas; scalar eps weight_decay; flag decoupled_weight_decay maximize;),
        "RMSprop" => built!(RMSprop, groups, a; scalar alpha eps weight_decay momentum; flag centered maximize;),
        "Adagrad" => built!(Adagrad, groups, a; scalar lr_decay weight_decay initial_accumulator_value eps;
            flag maximize;),
        "Adadelta" => built!(Adadelta, groups, a; scalar rho eps weight_decay; flag maximize;),
        "ASGD" => built!(ASGD, groups, a; scalar lambd alpha t0 weight_decay; flag maximize;),
        "Rprop" => built!(Rprop, groups, a; pair etas step_sizes; flag maximize;),
        "Adafactor" => built!(Adafactor, groups, a; scalar beta2_decay d weight_decay; flag maximize;),
        "Muon" => built!(Muon, groups, a; scalar weight_decay momentum eps; int ns_steps; flag nesterov;
            text adjust_lr_fn;),
        "LBFGS" => built!(LBFGS, groups, a; int max_iter max_eval history_size;
            scalar tolerance_grad tolerance_change; text line_search_fn; flag maximize;),
        other => return not_built(format!("optim.{other}")),
    };
    a.finish().map_err(|failure| match failure {
        Failure::NotBuilt(what) => Failure::NotBuilt(format!("{what} of optim.{class}")),
        other => other,
    })?;
    Ok(built)
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
