//! Trains a convolutional network on 1,797 handwritten digits and says how well it reads them.
//!
//! A fifth of the digits is held back: nothing is trained or chosen on it. The epoch to keep is chosen on another part.
//!
//! `cargo run --release --example digits`

mod confusion;
mod model;
mod options;
mod progress;
mod report;
mod svg;

use firebrick::data::digits::Digits;
use firebrick::data::{DataLoader, Dataset, Subset, TensorDataset, random_split};
use firebrick::optim::Optimizer;
use firebrick::prelude::*;
use model::DigitsCnn;
use options::Options;
use progress::Progress;
use report::{Epoch, Report};
use std::process::ExitCode;
use std::sync::Arc;

type Images = Subset<Arc<TensorDataset<(Tensor, Tensor)>>>;

fn main() -> ExitCode {
    match run(&Options::from_command_line()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("digits: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    if let Some(threads) = options.threads {
        firebrick::pool::set_num_threads(threads)?;
    }
    firebrick::manual_seed(options.seed);
    let parts = random_split(Digits::load()?.to_dataset(true)?, [0.65, 0.15, 0.2])?;
    let [train, validation, held_back] = &parts[..] else { return Err("three parts were asked for".into()) };
    println!("{} digits to train on, {} to choose on, {} held back", train.len(), validation.len(), held_back.len());

    let model = DigitsCnn::new()?;
    let mut report = Report::new(&options.out)?;
    train_model(&model, train, validation, options, &mut report)?;

    model.load_state_dict(&report.best_state()?)?;
    let chosen = evaluate(&model, held_back)?;
    let path = report.save_model(&model.state_dict())?;
    let restored = DigitsCnn::new()?;
    restored.load_state_dict(&firebrick::io::load_safetensors(&path)?)?;
    let reloaded = evaluate(&restored, held_back)?;
    report.finish(&chosen, &reloaded)?;
    Ok(())
}

/// Trains epoch by epoch and keeps the state that reads the validation part best.
fn train_model(
    model: &DigitsCnn,
    train: &Images,
    validation: &Images,
    options: &Options,
    report: &mut Report,
) -> Result<()> {
    let loader = DataLoader::builder(train.clone()).batch_size(options.batch_size).shuffle(true).build()?;
    // Parameters are handles: the optimizer may hold them before the first batch has given them shapes.
    let mut optimizer = optim::AdamW::new(model.parameters(), options.lr).build()?;
    for epoch in 1..=options.epochs {
        let mut progress = Progress::epoch(epoch, options.epochs, loader.len());
        model.train(true);
        for batch in loader.iter() {
            let (images, labels) = batch?;
            optimizer.zero_grad()?;
            let loss = nn::functional::cross_entropy(&model.call(&images)?, &labels)?;
            loss.backward()?;
            optimizer.step()?;
            progress.step(labels.numel(), loss.item()?);
        }
        let result = evaluate(model, validation)?;
        let kept = report.epoch(progress.loss(), &result, model)?;
        progress.finish(&result.line(kept));
    }
    Ok(())
}

/// Loss, accuracy and answers over a part, without recording and in evaluation mode.
fn evaluate(model: &DigitsCnn, part: &Images) -> Result<Epoch> {
    model.eval();
    autograd::inference_mode(|| {
        let mut result = Epoch::default();
        for batch in DataLoader::builder(part.clone()).batch_size(256).build()?.iter() {
            let (images, labels) = batch?;
            let scores = model.call(&images)?;
            let loss = nn::functional::cross_entropy(&scores, &labels)?;
            result.add(loss.item()?, &labels.to_vec()?, &scores.argmax_dim(1, false)?.to_vec()?);
        }
        Ok(result)
    })
}
