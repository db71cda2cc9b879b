//! How modules print.

use super::facts;
use crate::Out;
use crate::functional::Args;
use crate::modules::construct;
use crate::value::{IntoValue, Value};
use firebrick::prelude::*;

facts! { FACTS;
    "repr/8199ab28" {
        let last = nn::Linear::builder(3, 1).bias(false).build()?;
        nn::Sequential::new().add(nn::Linear::new(2, 3)?).add(nn::ReLU::new()).add(last).to_string()
    };
    "repr/885aeb3b" nn::Sequential::new().add(square()?).add(square()?).add(square()?).to_string();
    "repr/d93692b1" {
        let mut list: nn::ModuleList<Box<dyn nn::Forward>> = nn::ModuleList::new();
        list.append(nn::boxed(square()?)).append(nn::boxed(square()?)).append(nn::boxed(nn::ReLU::new()));
        list.append(nn::boxed(square()?)).append(nn::boxed(square()?)).append(nn::boxed(nn::Linear::new(2, 3)?));
        list.to_string()
    };
    "repr/ce529da9" nn::Sequential::new().to_string();
    "repr/1da96506" nn::ModuleList::<nn::Linear>::new().to_string();
    "repr/393cee4b" nn::ModuleDict::<nn::Linear>::new().to_string();
    "repr/e9f2b94a" {
        let entries = [("a", nn::boxed(nn::ReLU::new())), ("b", nn::boxed(nn::Linear::new(1, 1)?))];
        nn::ModuleDict::from_entries(entries)?.to_string()
    };
    "repr/fccbf70b" {
        let inner = nn::Sequential::new().add(nn::ReLU::new());
        nn::Sequential::new().add(nn::Sequential::new().add(inner)).to_string()
    };
    "repr/80befadb" {
        let mut list = nn::ParameterList::new();
        list.append(Parameter::new(Tensor::ones([2])?)).append(Parameter::new(Tensor::ones([1, 3])?));
        list.to_string()
    };
    "repr/498c6f69" {
        let mut dict = nn::ParameterDict::new();
        dict.insert("a", Parameter::new(Tensor::ones([2])?))?;
        dict.insert("b", Parameter::new(Tensor::ones([1])?))?;
        dict.to_string()
    };
    "repr/4c0e6153" nn::ParameterList::new().to_string();
    "repr/31b4758d" text("MultiheadAttention", &[4, 2], &[])?;
    "repr/378c10d4" text("GRUCell", &[2, 3], &[("bias", false.into_value())])?;
    "repr/64a9877e" text("RNN", &[2, 3], &[("nonlinearity", "relu".into_value())])?;
    "repr/c6aa180d" text("RNNCell", &[2, 3], &[("nonlinearity", "relu".into_value())])?;
    "repr/5a4de201" text("Conv2d", &[1, 1, 3], &[("padding", "same".into_value())])?;
    "repr/78fe44bb" text("Conv1d", &[1, 2, 3], &[])?;
    "repr/df91eb59" text("MaxPool2d", &[2], &[])?;
    "repr/7829c462" text("AvgPool2d", &[], &[("kernel_size", pair(2, 3)), ("stride", 1.into_value()), ("padding", 1.into_value())])?;
    "repr/a8e7de8c" text("AdaptiveAvgPool2d", &[], &[("output_size", Value::Tuple(vec![Value::None, Value::Int(3)]))])?;
    "repr/b9f508ef" text("RMSNorm", &[3], &[])?;
    "repr/19751dd9" text("InstanceNorm2d", &[3], &[])?;
    "repr/da64fd9b" text("Embedding", &[5, 3], &[("max_norm", 1.0.into_value()), ("scale_grad_by_freq", true.into_value()), ("sparse", true.into_value())])?;
    "repr/413096fa" text("Dropout", &[], &[("p", 0.2.into_value()), ("inplace", true.into_value())])?;
    "repr/21cccb99" text("LeakyReLU", &[], &[("negative_slope", 0.2.into_value())])?;
    "repr/4e6a8465" text("ReLU", &[], &[("inplace", true.into_value())])?;
    "repr/77165c31" text("GELU", &[], &[])?;
    "repr/c22c0aa4" text("PReLU", &[3], &[])?;
    "repr/7239a727" text("Flatten", &[], &[])?;
    "repr/5e93b415" text("Unflatten", &[1], &[("unflattened_size", pair(2, 3))])?;
    "repr/8225c4df" text("CrossEntropyLoss", &[], &[])?;
    "repr/92f6bad7" text("ZeroPad2d", &[1], &[])?;
    "repr/72426798" text("Identity", &[], &[])?;
    "repr/2b8661c5" text("Bilinear", &[1, 2, 3], &[])?;
    "repr/488a72c3" text("ReLU6", &[], &[])?;
    "repr/cd7c0a45" text("Softplus", &[], &[])?;
    "repr/42848150" text("LocalResponseNorm", &[2], &[])?;
    "repr/8bbc9032" text("CosineSimilarity", &[], &[])?;
    "repr/799f7247" transformer_encoder()?;
    "repr/1304f57d" text("Transformer", &[], &[
        ("d_model", 4.into_value()), ("nhead", 2.into_value()), ("num_encoder_layers", 1.into_value()), ("num_decoder_layers", 1.into_value()),
        ("dim_feedforward", 8.into_value()),
    ])?;
}

fn square() -> Result<nn::Linear> {
    nn::Linear::new(2, 2)
}

fn pair(a: i64, b: i64) -> Value {
    Value::Tuple(vec![Value::Int(a), Value::Int(b)])
}

/// The printed form of a module of this class.
fn text(class: &str, args: &[i64], keywords: &[(&str, Value)]) -> Out<String> {
    let keywords = keywords.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut args = Args::new(args.iter().map(|&n| Value::Int(n)), keywords);
    Ok(construct(class, &mut args)?.module().to_string())
}

fn transformer_encoder() -> Out<String> {
    let layer = crate::value::Construct {
        class: "TransformerEncoderLayer".to_owned(),
        args: vec![Value::Int(4), Value::Int(2), Value::Int(8)],
        kwargs: Vec::new(),
    };
    let mut args = Args::new([Value::Construct(Box::new(layer)), Value::Int(2)], Vec::new());
    Ok(construct("TransformerEncoder", &mut args)?.module().to_string())
}
