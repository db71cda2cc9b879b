//! Loaders and samplers: the orders in which items come.

use super::Step;
use crate::value::{IntoValue, Value};
use crate::{Out, not_built};
use firebrick::Generator;
use firebrick::data::{DataLoader, ListDataset, RandomSampler, Sampler, WeightedRandomSampler, random_split};

fn items(step: &Step) -> Out<ListDataset<i64>> {
    Ok(ListDataset((0..step.int("n")?).collect()))
}

/// The generator of the step, where it has one of its own.
fn generator(step: &Step) -> Option<Generator> {
    step.json["generator_seed"].as_i64().map(|seed| Generator::new().manual_seed(seed))
}

fn whole(list: Vec<usize>) -> Value {
    Value::List(list.into_iter().map(IntoValue::into_value).collect())
}

/// The batches of each epoch.
pub fn batches(step: &Step) -> Out<Value> {
    let mut loader = DataLoader::builder(items(step)?).batch_size(step.int("batch")? as usize).shuffle(true);
    loader = loader.drop_last(step.flag("drop_last"));
    if let Some(generator) = generator(step) {
        loader = loader.generator(&generator);
    }
    let loader = loader.build()?;
    let mut epochs = Vec::new();
    for _ in 0..step.int("epochs")? {
        let mut epoch = Vec::new();
        for batch in loader.iter() {
            let batch: Vec<i64> = batch?.to_vec()?;
            epoch.push(Value::List(batch.into_iter().map(Value::Int).collect()));
        }
        epochs.push(Value::List(epoch));
    }
    Ok(Value::List(epochs))
}

/// One pass of a `RandomSampler`.
pub fn random_sampler(step: &Step) -> Out<Value> {
    let mut sampler = RandomSampler::new(step.int("n")? as usize)?.replacement(step.flag("replacement"));
    if !step.json["num"].is_null() {
        sampler = sampler.num_samples(step.int("num")? as usize)?;
    }
    if let Some(generator) = generator(step) {
        sampler = sampler.generator(&generator);
    }
    Ok(whole(sampler.iter().collect::<firebrick::Result<Vec<_>>>()?))
}

/// One pass of a `WeightedRandomSampler`.
pub fn weighted_sampler(step: &Step) -> Out<Value> {
    let weights = step.floats("weights")?;
    let mut sampler = WeightedRandomSampler::new(&weights, step.int("num")? as usize, step.flag("replacement"))?;
    if let Some(generator) = generator(step) {
        sampler = sampler.generator(&generator);
    }
    Ok(whole(sampler.iter().collect::<firebrick::Result<Vec<_>>>()?))
}

/// The items of each part.
pub fn split(step: &Step) -> Out<Value> {
    let Some(list) = step.json["lengths"].as_array() else { return not_built("random_split without lengths") };
    let counts: Option<Vec<usize>> = list.iter().map(|n| n.as_u64().map(|n| n as usize)).collect();
    let fractions = step.floats("lengths")?;
    let items = items(step)?;
    let split = || match counts {
        Some(counts) => random_split(items, counts),
        None => random_split(items, fractions),
    };
    let parts = match generator(step) {
        Some(generator) => generator.scope(split)?,
        None => split()?,
    };
    Ok(Value::List(parts.iter().map(|part| whole(part.indices().to_vec())).collect()))
}
