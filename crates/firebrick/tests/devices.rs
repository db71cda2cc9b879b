//! A training run on another device, and devices mixed by mistake. `Device::Mock` stands for an accelerator.
#![allow(clippy::unwrap_used)]

#[path = "../../../examples/digits/model.rs"]
mod model;

use firebrick::data::DataLoader;
use firebrick::data::digits::Digits;
use firebrick::prelude::*;
use firebrick::{Generator, accelerator};
use model::DigitsCnn;

const GPU: Device = Device::Mock(0);

/// The losses of the first steps of training the digits network on a device.
fn losses(device: Device) -> Result<Vec<f32>> {
    // With a generator of its own: tests run side by side.
    Generator::new().manual_seed(7).scope(|| train(device))
}

fn train(device: Device) -> Result<Vec<f32>> {
    let digits = Digits::load().unwrap().to_dataset(true)?;
    let loader = DataLoader::builder(digits).batch_size(64).shuffle(true).build()?;
    let model = DigitsCnn::new()?;
    // Built before the model moves: parameters are handles.
    let mut optimizer = optim::AdamW::new(model.parameters(), 1e-3).build()?;
    model.to(device)?;
    let mut losses = Vec::new();
    for batch in loader.iter().take(12) {
        let (images, labels) = batch?;
        optimizer.zero_grad()?;
        let scores = model.call(images.to(device)?)?;
        let loss = nn::functional::cross_entropy(&scores, &labels.to(device)?)?;
        assert_eq!(loss.device(), device);
        loss.backward()?;
        optimizer.step()?;
        losses.push(loss.item()?);
    }
    assert!(model.parameters().iter().all(|p| p.device() == device));
    Ok(losses)
}

#[test]
fn training_on_a_device_gives_the_losses_of_the_processor_bit_for_bit() -> Result<()> {
    accelerator::enable_mock(1);
    let expected = losses(Device::Cpu)?;
    let got = losses(GPU)?;
    let bits = |losses: &[f32]| losses.iter().map(|loss| loss.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&got), bits(&expected));
    assert!(expected[11] < 0.7 * expected[0], "the network does not learn: {expected:?}");
    Ok(())
}

#[test]
fn an_optimizer_built_before_the_model_moves_trains_it() -> Result<()> {
    accelerator::enable_mock(1);
    let layer = nn::Linear::new(2, 1)?;
    let mut optimizer = optim::SGD::new(layer.parameters(), 0.5).build()?;
    layer.to(GPU)?;
    let before = layer.weight.to(Device::Cpu)?.to_vec::<f32>()?;
    layer.call(Tensor::ones([1, 2])?.to(GPU)?)?.sum()?.backward()?;
    optimizer.step()?;
    assert_eq!(layer.weight.device(), GPU);
    let expected: Vec<f32> = before.iter().map(|w| w - 0.5).collect();
    assert_eq!(layer.weight.to(Device::Cpu)?.to_vec::<f32>()?, expected);
    Ok(())
}

#[test]
fn an_input_on_another_device_is_an_error_that_names_both_and_the_layer() -> Result<()> {
    accelerator::enable_mock(1);
    let model = nn::Sequential::new().add(nn::Linear::new(2, 2)?).add(nn::Linear::new(2, 1)?);
    model.to(GPU)?;
    let error = model.call(Tensor::ones([1, 2])?).unwrap_err();
    assert!(error.to_string().starts_with("Expected all tensors to be on the same device"), "{error}");
    assert!(error.to_string().contains("cpu") && error.to_string().contains("mock:0"), "{error}");
    assert_eq!(error.module_path(), Some("0"));
    Ok(())
}
