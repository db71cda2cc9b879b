//! Models in another memory format compute what they computed.
#![allow(clippy::unwrap_used)]

use firebrick::prelude::*;
use firebrick::{Generator, MemoryFormat};

#[test]
fn a_model_in_channels_last_has_the_same_results_and_gradients() {
    Generator::new()
        .manual_seed(3)
        .scope(|| {
            let model =
                nn::Sequential::new().add(nn::Conv2d::new(3, 8, 3)?).add(nn::BatchNorm2d::new(8)?).add(nn::ReLU::new());
            let x = Tensor::randn([2, 3, 6, 5])?;
            let run = |x: &Tensor| -> firebrick::Result<[Vec<f32>; 2]> {
                model.zero_grad();
                let y = model.call(x)?;
                y.pow(2)?.sum()?.backward()?;
                let grad = model.get_parameter("0.weight")?.grad().unwrap();
                Ok([y.to_vec()?, grad.to_vec()?])
            };
            let before = run(&x)?;
            model.to(MemoryFormat::ChannelsLast)?;
            assert_eq!(model.get_parameter("0.weight")?.stride().to_vec(), [27, 1, 9, 3]);
            assert_eq!(model.get_parameter("1.weight")?.stride().to_vec(), [1]);
            // Sums over a channel go along memory, so they are rounded otherwise.
            let after = run(&x.to(MemoryFormat::ChannelsLast)?)?;
            let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4 * (1.0 + b.abs());
            assert!(after.concat().iter().zip(&before.concat()).all(close));
            Ok::<_, firebrick::Error>(())
        })
        .unwrap();
}

/// As PyTorch 2.15 has them.
#[test]
fn layers_give_images_the_format_of_their_input() {
    use nn::functional::{self as F, PadMode, PadOptions};
    let x = Tensor::randn([2, 4, 6, 5]).unwrap().to(MemoryFormat::ChannelsLast).unwrap();
    let model = || {
        let features = nn::Sequential::new()
            .add(nn::Conv2d::new(4, 8, 3)?)
            .add(nn::BatchNorm2d::new(8)?)
            .add(nn::ReLU::new())
            .add(nn::Dropout::new(0.5)?)
            .add(nn::MaxPool2d::new(2)?);
        features.call(&x)
    };
    let features = model().unwrap();
    assert_eq!((features.shape().to_vec(), features.stride().to_vec()), (vec![2, 8, 2, 1], vec![16, 1, 8, 8]));
    let padded = |mode| F::pad_with(&x, [1, 1, 1, 1], &PadOptions::new().mode(mode)).unwrap();
    for mode in [PadMode::Reflect, PadMode::Replicate, PadMode::Zeros] {
        assert_eq!(padded(mode).stride().to_vec(), [224, 1, 28, 4], "{mode:?}");
    }
    assert!(padded(PadMode::Circular).is_contiguous());
}

#[test]
fn a_format_for_another_rank_changes_nothing() {
    let model = nn::Sequential::new().add(nn::Conv2d::new(3, 8, 3).unwrap()).add(nn::Conv2d::new(8, 2, 1).unwrap());
    let error = nn::utils::convert_conv2d_weight_memory_format(&model, MemoryFormat::ChannelsLast3d).unwrap_err();
    assert_eq!(error.to_string(), "required rank 5 tensor to use channels_last_3d format");
    assert_eq!(model.get_parameter("0.weight").unwrap().stride().to_vec(), [27, 9, 3, 1]);
}
