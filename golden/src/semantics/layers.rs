//! What layers refuse, and what they warn of.

use super::describe::{refusal, returned};
use super::facts;
use firebrick::nn::functional::PadMode;
use firebrick::prelude::*;
use firebrick::{Padding, catch_warnings};
use serde_json::{Value as Json, json};

facts! { FACTS;
    "module_methods/68e043f5" {
        let m = nn::Conv2d::new(3, 2, 3)?;
        let call = |shape: &[usize]| m.call(Tensor::zeros(shape)?);
        let unbatched = returned(call(&[3, 5, 5]), |y| Ok(json!(y.shape().to_vec())))?;
        json!([refusal(call(&[1, 2, 5, 5])), refusal(call(&[5, 5])), unbatched, refusal(call(&[1, 3, 2, 2]))])
    };
    "module_methods/2706b5d1" {
        let same = nn::Conv2d::builder(1, 1, 3).padding(Padding::Same).stride(2).build();
        json!([
            refusal(nn::Conv2d::builder(3, 2, 3).groups(2).build()),
            refusal(nn::Conv2d::builder(2, 3, 3).groups(2).build()),
            refusal(same),
            refusal("foo".parse::<Padding>()),
            refusal("foo".parse::<PadMode>()),
            refusal(nn::Conv2d::builder(1, 1, 3).groups(0).build())
        ])
    };
    "module_methods/82c36807" batch_norm()?;
    "module_methods/9b449068" json!([refusal(nn::Dropout::new(1.5)), refusal(nn::Dropout::new(-0.1))]);
    "module_methods/e57545f6" cross_entropy()?;
    "module_methods/72e67f93" {
        let small = nn::MaxPool2d::new(3)?.call(Tensor::zeros([1, 2, 2])?);
        let padded = nn::MaxPool2d::builder(2).padding(2).build().and_then(|pool| pool.call(Tensor::zeros([1, 4, 4])?));
        json!([refusal(small), refusal(padded)])
    };
    "module_methods/b18e236e" {
        let flat = nn::Flatten::between(1, 0).call(Tensor::zeros([2, 2])?);
        let parts = nn::Unflatten::new(1, [2, 2]).call(Tensor::zeros([2, 6])?);
        let (result, warnings) = catch_warnings(|| nn::Softmax::new(None).call(Tensor::zeros([2, 2])?));
        result?;
        json!([refusal(flat), refusal(parts), warnings])
    };
    "module_methods/00c237a9" lstm()?;
    "module_methods/fb416cba" {
        let layer = nn::LayerNorm::new([3])?.call(Tensor::zeros([2, 4])?);
        let groups = nn::GroupNorm::new(2, 4)?.call(Tensor::zeros([1, 6, 2])?);
        json!([refusal(layer), refusal(nn::GroupNorm::new(2, 3)), refusal(groups)])
    };
}

fn lstm() -> Result<Json> {
    let m = nn::LSTM::new(3, 4)?;
    let call = |shape: &[usize]| m.call(Tensor::zeros(shape)?);
    let state = (Tensor::zeros([2, 1, 4])?, Tensor::zeros([2, 1, 4])?);
    let with_state = m.call((Tensor::zeros([1, 1, 3])?, Some(state)));
    let (built, warnings) = catch_warnings(|| nn::LSTM::builder(3, 4).dropout(0.5).build());
    built?;
    Ok(json!([refusal(call(&[1, 1, 2])), refusal(call(&[3])), refusal(with_state), warnings]))
}

fn batch_norm() -> Result<Json> {
    let m = nn::BatchNorm1d::new(2)?;
    let single = refusal(m.call(Tensor::zeros([1, 2])?));
    let evaluated = returned(m.eval().call(Tensor::zeros([1, 2])?), |y| Ok(json!(y.shape().to_vec())))?;
    m.train(true);
    let call = |shape: &[usize]| m.call(Tensor::zeros(shape)?);
    Ok(json!([single, evaluated, refusal(call(&[2, 2, 2, 2])), refusal(call(&[2, 3]))]))
}

fn cross_entropy() -> Result<Json> {
    let loss = nn::CrossEntropyLoss::new();
    let call = |rows: usize, target: Tensor| Ok::<_, Error>(refusal(loss.call((Tensor::zeros([rows, 3])?, target))));
    Ok(json!([
        call(1, Tensor::new([5i64])?)?,
        call(2, Tensor::new([0i64, 1, 2])?)?,
        call(2, Tensor::new([[0i64, 1], [1, 2]])?)?,
        call(2, Tensor::new([0i32, 1])?)?
    ]))
}
