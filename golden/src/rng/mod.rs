//! Random numbers: operations in order after one seed, compared bit for bit.

mod data;
mod init;

use crate::area::Runner;
use crate::case::{Case, Cases};
use crate::compare::{self, Bound};
use crate::functional::Args;
use crate::value::{IntoValue, Value};
use crate::{Failure, Out, not_built, wrong};
use firebrick::nn;
use firebrick::{DType, Tensor, TensorOptions, manual_seed};
use serde_json::Value as Json;
use std::path::Path;

/// One operation of a case.
type Draw = fn(&Step) -> Out<Value>;

macro_rules! draws {
    ($table:ident; $($name:literal |$s:ident| $body:expr;)*) => {
        const $table: &[(&str, Draw)] = &[$(($name, |$s| Ok(IntoValue::into_value($body)))),*];
    };
}

draws! { DRAWS;
    "rand" |s| Tensor::rand_with(s.size()?, s.options()?)?;
    "randn" |s| Tensor::randn_with(s.size()?, s.options()?)?;
    "randint" |s| Tensor::randint_with(s.int("low")?, s.int("high")?, s.size()?, s.dtype()?.unwrap_or(DType::I64))?;
    "randperm" |s| Tensor::randperm_with(s.int("n")? as usize, s.dtype()?.unwrap_or(DType::I64))?;
    "uniform_" |s| s.empty()?.uniform_(s.float("low")?, s.float("high")?)?.clone();
    "normal_" |s| s.empty()?.normal_(s.float("mean")?, s.float("std")?)?.clone();
    "normal_strided" |s| s.empty()?.t()?.normal_(s.float("mean")?, s.float("std")?)?.clone();
    "random_" |s| match s.floats("args")?[..] { [low, high] => s.empty()?.random_from_(low as i64, high as i64)?.clone(), _ => s.empty()?.random_()?.clone() };
    "bernoulli_" |s| s.empty()?.bernoulli_(s.float("p")?)?.clone();
    "bernoulli_tensor" |s| Tensor::full_with(s.size()?, s.float("p")?, s.options()?)?.bernoulli()?;
    "exponential_" |s| s.empty()?.exponential_(s.floats("args")?[0])?.clone();
    "geometric_" |s| s.empty()?.geometric_(s.floats("args")?[0])?.clone();
    "cauchy_" |s| s.empty()?.cauchy_(s.floats("args")?[0], s.floats("args")?[1])?.clone();
    "log_normal_" |s| s.empty()?.log_normal_(s.floats("args")?[0], s.floats("args")?[1])?.clone();
    "dropout" |s| s.ramp()?.dropout(s.float("p")?, true)?;
    "dropout1d" |s| s.ramp()?.dropout1d(s.float("p")?, true)?;
    "dropout2d" |s| s.ramp()?.dropout2d(s.float("p")?, true)?;
    "dropout3d" |s| s.ramp()?.dropout3d(s.float("p")?, true)?;
    "alpha_dropout" |s| s.ramp()?.alpha_dropout(s.float("p")?, true)?;
    "feature_alpha_dropout" |s| s.ramp()?.feature_alpha_dropout(s.float("p")?, true)?;
    "rrelu" |_s| Tensor::linspace(-3, 2, 12)?.rrelu(1.0 / 8.0, 1.0 / 3.0, true)?;
    "gumbel_softmax" |s| Tensor::arange_with(0.0, 6.0, 1.0, DType::F32)?.reshape([2, 3])?.mul(0.2)?.gumbel_softmax(0.7, s.flag("hard"), -1)?;
    "multinomial" |s| s.weights()?.multinomial(s.int("n")? as usize, s.flag("replacement"))?;
    "normal_mean_tensor" |_s| Tensor::normal(&Tensor::new([0f32, 1.0, 2.0, 3.0, 4.0, 5.0])?, &Tensor::new([1f32, 2.0, 3.0, 4.0, 5.0, 6.0])?)?;
    "fractional_max_pool2d" |_s| Tensor::arange(49.0)?.reshape([1, 1, 7, 7])?.fractional_max_pool2d(2, 3, None)?.0;
    "init" |s| init::run(s)?;
    "dataloader" |s| data::batches(s)?;
    "random_sampler" |s| data::random_sampler(s)?;
    "weighted_sampler" |s| data::weighted_sampler(s)?;
    "random_split" |s| data::split(s)?;
    "module" |s| module(s)?;
    "transformer_encoder" |s| {
        let layer = nn::TransformerEncoderLayer::builder(8, 2).dim_feedforward(16).build()?;
        state(&nn::TransformerEncoder::new(&layer, s.int("layers")? as usize)?)
    };
}

/// Runs `cases.json`.
pub fn run(folder: &Path, runner: &mut Runner) -> Result<(), String> {
    for case in Cases::read(folder)? {
        runner.case(case.text("group"), case.id(), || check(&case));
    }
    Ok(())
}

fn check(case: &Case) -> Out<()> {
    manual_seed(case.json["seed"].as_i64().unwrap_or_default());
    let steps = case.json["ops"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (i, (json, expected)) in steps.iter().zip(case.json["results"].as_array().into_iter().flatten()).enumerate() {
        let step = Step { json, case };
        let name = json["op"].as_str().unwrap_or_default();
        let Some((_, draw)) = DRAWS.iter().find(|(known, _)| *known == name) else { return not_built(name) };
        let got = draw(&step)?;
        let expected = expectation(expected, case)?;
        // LAPACK's decomposition behind `orthogonal_` rounds in an order of its own.
        let bound = if json["fn"] == "orthogonal_" { Bound::default() } else { Bound::EXACT };
        compare::value(&expected, &got, bound)
            .map_err(|error| Failure::Wrong(format!("operation {i}, {name}: {error}")))?;
    }
    Ok(())
}

/// The recorded result; parameters of a module are a dict by name.
fn expectation(json: &Json, case: &Case) -> Out<Value> {
    match json.as_object() {
        Some(map) if !map.keys().any(|key| key.starts_with('$')) => {
            let pair =
                |(name, json): (&String, &Json)| Ok((Value::Text(name.clone()), Value::parse(json, &case.tensors)?));
            map.iter().map(pair).collect::<Out<_>>().map(Value::Dict)
        }
        _ => Value::parse(json, &case.tensors),
    }
}

/// The parameters and buffers of a new module, by name.
fn module(step: &Step) -> Out<Value> {
    let class = step.json["class"].as_str().unwrap_or_default();
    let layer = crate::modules::construct(class, &mut step.arguments()?)?;
    Ok(state(layer.module()))
}

fn state(module: &dyn nn::Module) -> Value {
    let state = module.state_dict();
    Value::Dict(state.iter().map(|(name, x)| (Value::Text(name.to_owned()), Value::Tensor(x.clone()))).collect())
}

/// One operation with its arguments.
struct Step<'c> {
    json: &'c Json,
    case: &'c Case,
}

impl Step<'_> {
    fn float(&self, name: &str) -> Out<f64> {
        match Value::parse(&self.json[name], &self.case.tensors)? {
            Value::Float(v) => Ok(v),
            Value::Int(v) => Ok(v as f64),
            other => wrong(format!("{name} is a {}", other.kind())),
        }
    }

    fn floats(&self, name: &str) -> Out<Vec<f64>> {
        let list = self.json[name].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(list.iter().filter_map(Json::as_f64).collect())
    }

    fn int(&self, name: &str) -> Out<i64> {
        match Value::parse(&self.json[name], &self.case.tensors)? {
            Value::Int(v) => Ok(v),
            other => wrong(format!("{name} is a {}", other.kind())),
        }
    }

    fn flag(&self, name: &str) -> bool {
        self.json[name].as_bool().unwrap_or(false)
    }

    fn size(&self) -> Out<Vec<i64>> {
        Ok(crate::tensors::integers(&self.json["size"]))
    }

    fn dtype(&self) -> Out<Option<DType>> {
        let Some(name) = self.json["dtype"].as_str() else { return Ok(None) };
        DType::from_name(name).map(Some).ok_or_else(|| Failure::NotBuilt(format!("dtype {name}")))
    }

    fn options(&self) -> Out<TensorOptions> {
        Ok(self.dtype()?.map(TensorOptions::from).unwrap_or_default())
    }

    fn empty(&self) -> Out<Tensor> {
        Ok(Tensor::empty_with(self.size()?, self.options()?)?)
    }

    /// 1, 1.37, 1.74 and so on: what dropout is applied to.
    fn ramp(&self) -> Out<Tensor> {
        let shape = self.size()?;
        let data: Vec<f64> = (0..shape.iter().product()).map(|i: i64| 1.0 + 0.37 * i as f64).collect();
        Ok(Tensor::from_vec(data, shape)?.to(self.dtype()?.unwrap_or(DType::F32))?)
    }

    /// A list, or a list of lists, of weights.
    fn weights(&self) -> Out<Tensor> {
        let rows = self.json["weights"].as_array().map(Vec::as_slice).unwrap_or_default();
        let nested = rows.first().is_some_and(Json::is_array);
        let flat: Vec<f64> = match nested {
            true => rows.iter().flat_map(|row| row.as_array().into_iter().flatten()).filter_map(Json::as_f64).collect(),
            false => rows.iter().filter_map(Json::as_f64).collect(),
        };
        let shape = if nested { vec![rows.len(), flat.len() / rows.len()] } else { vec![rows.len()] };
        Ok(Tensor::from_vec(flat, shape)?.to(self.dtype()?.unwrap_or(DType::F32))?)
    }

    fn arguments(&self) -> Out<Args> {
        let list = self.json["args"].as_array().map(Vec::as_slice).unwrap_or_default();
        let keywords = self.json["kwargs"].as_object().into_iter().flatten();
        let keywords = keywords.map(|(name, json)| Ok((name.clone(), Value::parse(json, &self.case.tensors)?)));
        Ok(Args::new(Value::parse_all(list, &self.case.tensors)?, keywords.collect::<Out<_>>()?))
    }
}
