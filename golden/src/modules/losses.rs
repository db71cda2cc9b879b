//! Losses.

use super::classes::classes;
use super::{Layer, with};
use crate::Out;
use crate::functional::Args;
use firebrick::Tensor;
use firebrick::nn::functional::KLDivReduction;
use firebrick::nn::{self, Call, Forward, Reduction};

/// A loss between an input and a target.
fn loss<M: Forward<(Tensor, Tensor)>>(module: M) -> Box<dyn Layer> {
    with(module, |module: &M, a| {
        let pair = (a.x()?, a.tensor("target")?);
        Ok(module.call(pair)?)
    })
}

/// A loss with the tensors that were given to its constructor.
macro_rules! given {
    ($a:ident, $loss:expr, $($name:ident),+) => {{
        let mut loss = $loss;
        $(if let Some(tensor) = $a.maybe_tensor(stringify!($name))? {
            loss = loss.$name(tensor);
        })+
        loss
    }};
}

classes! { CLASSES;
    "CrossEntropyLoss" |a| { let made = given!(a, nn::CrossEntropyLoss::new(), weight); let made = made.ignore_index(a.int_or("ignore_index", -100)?).reduction(reduction(a)?); loss(made.label_smoothing(a.float_or("label_smoothing", 0.0)?)) };
    "NLLLoss" |a| { let made = given!(a, nn::NLLLoss::new(), weight); let made = made.ignore_index(a.int_or("ignore_index", -100)?); loss(made.reduction(reduction(a)?)) };
    "MSELoss" |a| loss(nn::MSELoss::new().reduction(reduction(a)?));
    "L1Loss" |a| loss(nn::L1Loss::new().reduction(reduction(a)?));
    "SmoothL1Loss" |a| { let made = nn::SmoothL1Loss::new().reduction(reduction(a)?); loss(made.beta(a.float_or("beta", 1.0)?)) };
    "HuberLoss" |a| { let made = nn::HuberLoss::new().reduction(reduction(a)?); loss(made.delta(a.float_or("delta", 1.0)?)) };
    "BCELoss" |a| { let made = given!(a, nn::BCELoss::new(), weight); loss(made.reduction(reduction(a)?)) };
    "BCEWithLogitsLoss" |a| { let made = given!(a, nn::BCEWithLogitsLoss::new(), weight); let made = made.reduction(reduction(a)?); loss(given!(a, made, pos_weight)) };
    "KLDivLoss" |a| { let made = nn::KLDivLoss::new().reduction(divergence(a)?); loss(made.log_target(a.flag("log_target")?)) };
}

fn reduction(a: &mut Args) -> Out<Reduction> {
    Ok(Reduction::from_name(&a.text_or("reduction", "mean")?)?)
}

fn divergence(a: &mut Args) -> Out<KLDivReduction> {
    match a.text_or("reduction", "mean")?.as_str() {
        "batchmean" => Ok(KLDivReduction::BatchMean),
        name => Ok(Reduction::from_name(name)?.into()),
    }
}
