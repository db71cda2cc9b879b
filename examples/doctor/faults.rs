//! Nine ways to break a training, and one that is right.

use crate::model::Net;
use firebrick::doctor::{doctor, traced, watch};
use firebrick::nn::LoadOptions;
use firebrick::prelude::*;

fn sgd(model: &Net) -> Result<optim::SGD> {
    optim::SGD::new(model.parameters(), 0.1).build()
}

/// What is found after one backward pass.
fn found(model: &Net, optimizer: &optim::SGD) -> Result<String> {
    model.loss()?.backward()?;
    Ok(doctor(model, optimizer)?.to_string())
}

pub fn none() -> Result<String> {
    let model = Net::new()?;
    found(&model, &sgd(&model)?)
}

pub fn detached() -> Result<String> {
    let mut model = Net::new()?;
    model.detaches = true;
    let ((), report) = traced(&model, &sgd(&model)?, || model.loss()?.backward())?;
    Ok(report.to_string())
}

pub fn replaced() -> Result<String> {
    let mut model = Net::new()?;
    let optimizer = sgd(&model)?;
    model.classifier = nn::Linear::new(64, 3)?;
    found(&model, &optimizer)
}

pub fn evaluating() -> Result<String> {
    let model = Net::new()?;
    model.eval();
    found(&model, &sgd(&model)?)
}

pub fn frozen_norm() -> Result<String> {
    let model = Net::new()?;
    model.norm.requires_grad_(false)?;
    found(&model, &sgd(&model)?)
}

pub fn dead_units() -> Result<String> {
    let model = Net::new()?;
    if let Some(bias) = &model.norm.bias {
        autograd::no_grad(|| bias.fill_(-100.0).map(drop))?;
    }
    found(&model, &sgd(&model)?)
}

pub fn not_a_number() -> Result<String> {
    let model = Net::new()?;
    let backward = || {
        // The root of zero has no gradient, and an infinite one times zero is no number.
        let distance = model.loss()?.mul(0)?.sqrt()?.mul(0)?;
        distance.backward()
    };
    Ok(match autograd::detect_anomaly(backward) {
        Ok(()) => "nothing found".to_owned(),
        Err(error) => format!("{error:#}"),
    })
}

pub fn added_up() -> Result<String> {
    let model = Net::new()?;
    let mut optimizer = sgd(&model)?;
    let watching = watch(&model, &optimizer);
    let mut total = Tensor::zeros(())?;
    for _ in 0..6 {
        optimizer.zero_grad()?;
        let loss = model.loss()?;
        loss.backward()?;
        total = total.add(&loss)?;
        optimizer.step()?;
    }
    Ok(watching.report().to_string())
}

pub fn kept_graph() -> Result<String> {
    let model = Net::new()?;
    let backward = || model.loss()?.backward_with(autograd::Backward::new().retain_graph(true));
    let ((), report) = traced(&model, &sgd(&model)?, backward)?;
    Ok(report.to_string())
}

pub fn renamed_checkpoint() -> Result<String> {
    let (saved, model) = (Net::new()?, Net::new()?);
    let renamed = |key: &str| key.replace("classifier", "head");
    let state: StateDict = saved.state_dict().iter().map(|(key, value)| (renamed(key), value.clone())).collect();
    let options = LoadOptions::new();
    let (report, repaired) = (model.load_report(&state, &options)?, model.load_report(&state, &options.repair(true))?);
    Ok(format!("{report}\nand with repair(true)\n{repaired}"))
}
