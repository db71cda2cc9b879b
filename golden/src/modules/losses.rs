//! Losses.

use super::classes::{classes, dtype, size};
use super::{Layer, with};
use crate::Failure;
use crate::functional::distances::{distance, pairwise};
use crate::functional::ints;
use crate::functional::losses::{chunks, divergence, lengths, reduction};
use firebrick::nn::{self, Call, Forward};
use firebrick::{Lengths, Tensor};

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

/// A module of two tensors, or of three.
macro_rules! of {
    ($module:expr, $($name:literal)+) => {
        with($module, |module, a| {
            let tensors = (a.x()?, $(a.tensor($name)?),+);
            Ok(module.call(tensors)?)
        })
    };
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
    "PoissonNLLLoss" |a| {
        let loss = nn::PoissonNLLLoss::new().log_input(a.bool_or("log_input", true)?).full(a.flag("full")?);
        let (_, loss) = (a.take("size_average"), loss.eps(a.float_or("eps", 1e-8)?));
        of!(loss.reduction(reduction(a)?), "target")
    };
    "GaussianNLLLoss" |a| { let loss = nn::GaussianNLLLoss::new().full(a.flag("full")?).eps(a.float_or("eps", 1e-6)?); of!(loss.reduction(reduction(a)?), "target" "var") };
    "HingeEmbeddingLoss" |a| { let loss = nn::HingeEmbeddingLoss::new().margin(a.float_or("margin", 1.0)?); of!(loss.reduction(reduction(a)?), "target") };
    "MarginRankingLoss" |a| { let loss = nn::MarginRankingLoss::new().margin(a.float_or("margin", 0.0)?); of!(loss.reduction(reduction(a)?), "input2" "target") };
    "SoftMarginLoss" |a| of!(nn::SoftMarginLoss::new().reduction(reduction(a)?), "target");
    "MultiMarginLoss" |a| {
        let loss = nn::MultiMarginLoss::new().p(a.int_or("p", 1)?).margin(a.float_or("margin", 1.0)?);
        of!(given!(a, loss, weight).reduction(reduction(a)?), "target")
    };
    "MultiLabelMarginLoss" |a| of!(nn::MultiLabelMarginLoss::new().reduction(reduction(a)?), "target");
    "MultiLabelSoftMarginLoss" |a| of!(given!(a, nn::MultiLabelSoftMarginLoss::new(), weight).reduction(reduction(a)?), "target");
    "CosineEmbeddingLoss" |a| { let loss = nn::CosineEmbeddingLoss::new().margin(a.float_or("margin", 0.0)?); of!(loss.reduction(reduction(a)?), "input2" "target") };
    "TripletMarginLoss" |a| {
        let loss = nn::TripletMarginLoss::new().margin(a.float_or("margin", 1.0)?).p(a.float_or("p", 2.0)?);
        let loss = loss.eps(a.float_or("eps", 1e-6)?).swap(a.flag("swap")?);
        of!(loss.reduction(reduction(a)?), "positive" "negative")
    };
    "TripletMarginWithDistanceLoss" |a| {
        let loss = nn::TripletMarginWithDistanceLoss::new(distance(a)?).margin(a.float_or("margin", 1.0)?)?;
        of!(loss.swap(a.flag("swap")?).reduction(reduction(a)?), "positive" "negative")
    };
    "CTCLoss" |a| {
        let made = nn::CTCLoss::new().blank(a.int_or("blank", 0)?).reduction(reduction(a)?);
        with(made.zero_infinity(a.flag("zero_infinity")?), |module, a| {
            let (x, targets) = (a.x()?, a.tensor("targets")?);
            Ok(match (lengths(a, "input_lengths")?, lengths(a, "target_lengths")?) {
                (Lengths::List(inputs), Lengths::List(labels)) => module.call((x, targets, inputs, labels))?,
                (Lengths::Tensor(inputs), Lengths::Tensor(labels)) => module.call((x, targets, inputs, labels))?,
                _ => return Err(Failure::Types("lengths of two kinds".into())),
            })
        })
    };
    "LinearCrossEntropyLoss" |a| {
        let mut made = nn::LinearCrossEntropyLoss::builder(size(a, "in_features")?, size(a, "num_classes")?);
        let out_features = a.take("out_features").map(|sizes| ints("out_features", &sizes)).transpose()?;
        made = made.out_features(out_features.unwrap_or_default().iter().map(|&n| n as usize).collect::<Vec<_>>());
        made = given!(a, made.bias(a.flag("bias")?).reduction(reduction(a)?), weight).dtype(dtype(a)?);
        if let Some(class) = a.maybe_int("ignore_index")? {
            made = made.ignore_index(class);
        }
        made = made.label_smoothing(a.float_or("label_smoothing", 0.0)?);
        if let Some(options) = chunks(a)? {
            made = made.options(options);
        }
        of!(made.build()?, "target")
    };
    "AdaptiveLogSoftmaxWithLoss" |a| {
        let (inputs, classes) = (size(a, "in_features")?, size(a, "n_classes")?);
        let made = nn::AdaptiveLogSoftmaxWithLoss::builder(inputs, classes, a.ints("cutoffs")?);
        let made = made.div_value(a.float_or("div_value", 4.0)?).head_bias(a.flag("head_bias")?);
        of!(made.dtype(dtype(a)?).build()?, "target")
    };
    "PairwiseDistance" |a| of!(pairwise(a)?, "x2");
    "CosineSimilarity" |a| { let module = nn::CosineSimilarity::new().dim(a.int_or("dim", 1)?); of!(module.eps(a.float_or("eps", 1e-8)?), "x2") };
}
