//! Layers against PyTorch 2.15: initial values for a seed, printed forms, states, errors.
#![allow(clippy::unwrap_used)]

mod common;

use common::values;
use firebrick::nn::functional::{PadMode, PadOptions, pad_with};
use firebrick::prelude::*;
use firebrick::{BagMode, Generator, InterpolateOptions, Padding};

fn seeded<T>(make: impl FnOnce() -> Result<T>) -> Result<T> {
    Generator::new().manual_seed(0).scope(make)
}

fn first(tensor: &Tensor, count: usize) -> Vec<f32> {
    values(&tensor.detach())[..count].to_vec()
}

#[test]
fn initial_values_are_pytorchs_for_the_same_seed() -> Result<()> {
    let conv = seeded(|| nn::Conv1d::new(2, 3, 2))?;
    assert_eq!(first(&conv.weight, 4), [-0.003_743_41, 0.268_221_8, -0.411_522_57, -0.367_969_5]);
    let bias = conv.bias.as_ref().map(|bias| first(bias, 3));
    assert_eq!(bias, Some(vec![-0.477_674_25, -0.331_141_05, -0.206_111_55]));

    let circular = seeded(|| nn::Conv2d::builder(2, 2, 2).padding(1).padding_mode(PadMode::Circular).build())?;
    assert_eq!(first(&circular.weight, 4), [-0.002_646_990_6, 0.189_661_44, -0.290_990_38, -0.260_193_74]);
    assert_eq!(circular.bias.as_ref().map(|bias| first(bias, 2)), Some(vec![0.139_772_1, 0.212_140_08]));

    let grouped = seeded(|| nn::Conv2d::builder(4, 2, 1).groups(2).build())?;
    assert_eq!(first(&grouped.weight, 4), [-0.005_293_981, 0.379_322_9, -0.581_980_76, -0.520_387_5]);

    let lazy = seeded(|| {
        let lazy = nn::Conv2d::lazy(2, 2)?;
        lazy.call(Tensor::zeros([1, 3, 4, 4])?).map(|_| lazy)
    })?;
    assert_eq!(first(&lazy.weight, 4), [-0.002_161_258_8, 0.154_857_92, -0.237_592_67, -0.212_447_3]);

    let up = seeded(|| nn::ConvTranspose2d::builder(4, 2, 2).groups(2).build())?;
    assert_eq!(first(&up.weight, 4), [-0.003_743_41, 0.268_221_8, -0.411_522_57, -0.367_969_5]);
    assert_eq!(up.bias.as_ref().map(|bias| first(bias, 2)), Some(vec![0.197_667_6, 0.300_011_4]));

    let bilinear = seeded(|| nn::Bilinear::new(2, 3, 2))?;
    assert_eq!(first(&bilinear.weight, 4), [-0.005_293_981, 0.379_322_9, -0.581_980_76, -0.520_387_5]);
    assert_eq!(bilinear.bias.as_ref().map(|bias| first(bias, 2)), Some(vec![-0.675_533_4, -0.468_304_16]));

    let bag = seeded(|| nn::EmbeddingBag::builder(3, 2).padding_idx(1).build())?;
    assert_eq!(first(&bag.weight, 4), [1.540_996_1, -0.293_428_9, 0.0, 0.0]);

    let lstm = seeded(|| nn::LSTM::builder(2, 3).num_layers(2).bidirectional(true).proj_size(2).build())?;
    let weight = |name: &str| lstm.get_parameter(name).map(|p| first(p, 4));
    assert_eq!(weight("weight_ih_l0")?, [-0.004_322_517_7, 0.309_715_84, -0.475_185_33, -0.424_894_6]);
    assert_eq!(weight("weight_hr_l1_reverse")?, [0.102_550_015, 0.245_644_18, -0.196_199_52, 0.281_499_45]);

    let embedding = seeded(|| nn::Embedding::builder(3, 2).padding_idx(1).build())?;
    assert_eq!(first(&embedding.weight, 4), [1.540_996_1, -0.293_428_9, 0.0, 0.0]);
    Ok(())
}

#[test]
fn printed_forms_are_pytorchs() -> Result<()> {
    let same = nn::Conv2d::builder(1, 1, 3).padding(Padding::Same).padding_mode(PadMode::Reflect).build()?;
    let full = nn::Conv1d::builder(4, 4, 3).stride(2).padding(1).dilation(2).groups(2).bias(false).build()?;
    let pool = nn::MaxPool2d::builder([2, 3]).stride([1, 1]).padding([0, 1]).ceil_mode(true).build()?;
    let affine = nn::BatchNorm2d::builder(3).eps(1e-3).momentum(None).affine(false).build()?;
    let norm = nn::LayerNorm::builder([3, 4]).elementwise_affine(false).build()?;
    let embedding =
        nn::Embedding::builder(10, 3).padding_idx(-1).max_norm(1.0).norm_type(1.0).scale_grad_by_freq(true).build()?;
    let up = nn::ConvTranspose2d::builder(4, 2, 3).stride(2).padding(1).output_padding(1).dilation(2);
    let up = up.groups(2).bias(false).build()?;
    let bag = nn::EmbeddingBag::builder(3, 2).max_norm(1.0).norm_type(1.0).scale_grad_by_freq(true);
    let bag = bag.mode(BagMode::Sum).padding_idx(-1).build()?;
    let layers: Vec<(Box<dyn Module>, &str)> = vec![
        (Box::new(same), "Conv2d(1, 1, kernel_size=(3, 3), stride=(1, 1), padding=same, padding_mode=reflect)"),
        (
            Box::new(full),
            "Conv1d(4, 4, kernel_size=(3,), stride=(2,), padding=(1,), dilation=(2,), groups=2, bias=False)",
        ),
        (Box::new(nn::Conv2d::lazy(4, 3)?), "LazyConv2d(0, 4, kernel_size=(3, 3), stride=(1, 1))"),
        (Box::new(pool), "MaxPool2d(kernel_size=(2, 3), stride=(1, 1), padding=(0, 1), dilation=1, ceil_mode=True)"),
        (
            Box::new(affine),
            "BatchNorm2d(3, eps=0.001, momentum=None, affine=False, bias=False, track_running_stats=True)",
        ),
        (
            Box::new(nn::BatchNorm1d::lazy()?),
            "LazyBatchNorm1d(0, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)",
        ),
        (Box::new(norm), "LayerNorm((3, 4), eps=1e-05, elementwise_affine=False, bias=False)"),
        (Box::new(embedding), "Embedding(10, 3, padding_idx=9, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True)"),
        (
            Box::new(up),
            "ConvTranspose2d(4, 2, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), dilation=(2, 2), output_padding=(1, 1), groups=2, bias=False)",
        ),
        (Box::new(nn::ConvTranspose1d::lazy(4, 3)?), "LazyConvTranspose1d(0, 4, kernel_size=(3,), stride=(1,))"),
        (Box::new(nn::ZeroPad2d::new(1)), "ZeroPad2d((1, 1, 1, 1))"),
        (Box::new(nn::ConstantPad1d::new([1, 2], 3)), "ConstantPad1d(padding=(1, 2), value=3)"),
        (Box::new(nn::AvgPool1d::new(2)?), "AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))"),
        (Box::new(nn::AvgPool3d::new(2)?), "AvgPool3d(kernel_size=2, stride=2, padding=0)"),
        (
            Box::new(nn::LPPool1d::new(1.5, 3).stride(2)),
            "LPPool1d(norm_type=1.5, kernel_size=3, stride=2, ceil_mode=False)",
        ),
        (Box::new(nn::AdaptiveMaxPool2d::new([None, Some(3)])), "AdaptiveMaxPool2d(output_size=(None, 3))"),
        (Box::new(nn::AdaptiveAvgPool1d::new(3)), "AdaptiveAvgPool1d(output_size=3)"),
        (
            Box::new(nn::MaxUnpool1d::new(3).stride(2).padding(1)),
            "MaxUnpool1d(kernel_size=(3,), stride=(2,), padding=(1,))",
        ),
        (Box::new(nn::FractionalMaxPool2d::new(2, 3)?), "FractionalMaxPool2d()"),
        (
            Box::new(nn::GroupNorm::builder(2, 4).affine(false).build()?),
            "GroupNorm(2, 4, eps=1e-05, affine=False, bias=False)",
        ),
        (
            Box::new(nn::InstanceNorm2d::lazy()?),
            "LazyInstanceNorm2d(0, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)",
        ),
        (
            Box::new(nn::RMSNorm::builder([3, 4]).eps(1e-3).elementwise_affine(false).build()?),
            "RMSNorm((3, 4), eps=0.001, elementwise_affine=False)",
        ),
        (Box::new(nn::CrossMapLRN2d::new(3)), "CrossMapLRN2d(3, alpha=0.0001, beta=0.75, k=1)"),
        (Box::new(nn::PixelUnshuffle::new(2)), "PixelUnshuffle(downscale_factor=2)"),
        (Box::new(nn::Fold::new(4, 2)), "Fold(output_size=4, kernel_size=2, dilation=1, padding=0, stride=1)"),
        (
            Box::new(nn::UpsamplingBilinear2d::new(InterpolateOptions::new().scale_factor(1.5))),
            "UpsamplingBilinear2d(scale_factor=1.5, mode='bilinear')",
        ),
        (
            Box::new(bag),
            "EmbeddingBag(3, 2, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True, mode='sum', padding_idx=2)",
        ),
        (
            Box::new(nn::GRU::builder(2, 3).num_layers(2).bias(false).dropout(0.5).bidirectional(true).build()?),
            "GRU(2, 3, num_layers=2, bias=False, dropout=0.5, bidirectional=True)",
        ),
        (Box::new(nn::LSTM::builder(2, 3).proj_size(1).build()?), "LSTM(2, 3, proj_size=1)"),
        (
            Box::new(nn::RNNCell::builder(2, 3).nonlinearity(nn::RNNNonlinearity::Relu).build()?),
            "RNNCell(2, 3, nonlinearity=relu)",
        ),
        (Box::new(nn::Dropout1d::new(0.3)?.inplace(true)), "Dropout1d(p=0.3, inplace=True)"),
        (Box::new(nn::Flatten::between(0, -2)), "Flatten(start_dim=0, end_dim=-2)"),
        (Box::new(nn::Softmax::new(None)), "Softmax(dim=None)"),
        (Box::new(nn::Softmin::new(0)), "Softmin(dim=0)"),
        (Box::new(nn::Softplus::new().beta(2).threshold(-100)), "Softplus(beta=2, threshold=-100)"),
        (Box::new(nn::Softshrink::new().lambd(1)), "Softshrink(1)"),
        (Box::new(nn::Hardsigmoid::new().inplace(true)), "Hardsigmoid()"),
        (Box::new(nn::ELU::new().alpha(2).inplace(true)), "ELU(alpha=2, inplace=True)"),
        (Box::new(nn::ReLU6::new().inplace(true)), "ReLU6(inplace=True)"),
        (Box::new(nn::Threshold::new(1.0, 2.0).inplace(true)), "Threshold(threshold=1.0, value=2.0, inplace=True)"),
        (Box::new(nn::GLU::new(1)), "GLU(dim=1)"),
        (Box::new(nn::CrossEntropyLoss::new().label_smoothing(0.1)), "CrossEntropyLoss()"),
    ];
    for (layer, text) in layers {
        assert_eq!(layer.to_string(), text);
    }
    Ok(())
}

#[test]
fn convolutions_refuse_what_pytorch_refuses() -> Result<()> {
    let builder = || nn::Conv2d::builder(3, 2, 3);
    let message = |layer: Result<nn::Conv2d>| layer.map(drop).map_err(|error| error.to_string()).unwrap_err();
    assert_eq!(message(builder().groups(0).build()), "groups must be a positive integer");
    assert_eq!(message(builder().groups(2).build()), "in_channels must be divisible by groups");
    assert_eq!(message(nn::Conv2d::builder(4, 3, 3).groups(2).build()), "out_channels must be divisible by groups");
    assert_eq!(
        message(builder().padding(Padding::Same).stride(2).build()),
        "padding='same' is not supported for strided convolutions"
    );
    assert_eq!(
        message(nn::Conv2d::new(3, 1, -1)),
        "Trying to create tensor with negative dimension -1: [1, 3, -1, -1]"
    );
    let lazy = nn::Conv2d::lazy(4, 3)?;
    assert_eq!(
        lazy.call(Tensor::zeros([4, 4])?).unwrap_err().to_string(),
        "Expected 3D (unbatched) or 4D (batched) input to LazyConv2d, but got input of size: torch.Size([4, 4])"
    );
    Ok(())
}

#[test]
fn convolutions_pad_by_their_mode() -> Result<()> {
    let x = Tensor::new([[[1.0f32, 2.0, 3.0, 4.0]]])?;
    let builder = |size: i64| nn::Conv1d::builder(1, 1, size).bias(false);
    let reflect = builder(3).padding(2).padding_mode(PadMode::Reflect).build()?;
    nn::init::ones_(&reflect.weight)?;
    assert_eq!(values(&reflect.call(&x)?.detach()), [6.0, 5.0, 6.0, 9.0, 10.0, 9.0]);
    let circular = builder(4).padding(Padding::Same).padding_mode(PadMode::Circular).build()?;
    circular.weight.set_data(&Tensor::new([[[1.0f32, 10.0, 100.0, 1000.0]]])?)?;
    assert_eq!(values(&circular.call(&x)?.detach()), [3214.0, 4321.0, 1432.0, 2143.0]);
    Ok(())
}

#[test]
fn padding_says_what_does_not_fit() -> Result<()> {
    let message = |shape: &[i64], pad: &[i64], mode| {
        let options = PadOptions::new().mode(mode);
        pad_with(&Tensor::zeros(shape).unwrap(), pad, &options).unwrap_err().to_string()
    };
    assert_eq!(message(&[1, 2, 3], &[1], PadMode::Zeros), "Padding length must be divisible by 2");
    assert_eq!(
        message(&[1, 2, 3, 3], &[1, 1, 3, 2], PadMode::Reflect),
        "Argument #6: Padding size should be less than the corresponding input dimension, but got: padding (3, 2) at dimension 2 of input [1, 2, 3, 3]"
    );
    assert_eq!(
        message(&[1, 2, 3], &[-2, -2], PadMode::Replicate),
        "input (W: 3) is too small. Calculated output W: -1"
    );
    assert_eq!(message(&[1, 2, 3], &[4, 4], PadMode::Circular), "Padding value causes wrapping around more than once.");
    assert!(message(&[3], &[1, 1], PadMode::Reflect).starts_with("Padding size 2 is not supported for 1D input"));
    Ok(())
}

#[test]
fn batch_norm_averages_cumulatively_without_momentum() -> Result<()> {
    let norm = nn::BatchNorm1d::builder(2).momentum(None).build()?;
    let state = |name: &str| norm.get_buffer(name).and_then(|buffer| buffer.to_vec::<f32>());
    norm.call(Tensor::new([[1.0f32, 2.0], [3.0, 6.0]])?)?;
    assert_eq!((state("running_mean")?, state("running_var")?), (vec![2.0, 4.0], vec![2.0, 8.0]));
    norm.call(Tensor::new([[0.0f32, 0.0], [4.0, 2.0]])?)?;
    assert_eq!((state("running_mean")?, state("running_var")?), (vec![2.0, 2.5], vec![5.0, 5.0]));
    assert_eq!(norm.get_buffer("num_batches_tracked")?.item::<i64>()?, 2);
    norm.reset_running_stats()?;
    assert_eq!((state("running_mean")?, state("running_var")?), (vec![0.0; 2], vec![1.0; 2]));
    Ok(())
}

#[test]
fn batch_norm_refuses_other_dimensions_and_single_values() -> Result<()> {
    let message = |result: Result<Tensor>| result.unwrap_err().to_string();
    let call = |shape: &[i64]| nn::BatchNorm1d::new(3)?.call(Tensor::zeros(shape)?);
    assert_eq!(message(call(&[2, 3, 4, 4])), "expected 2D or 3D input (got 4D input)");
    assert_eq!(
        message(call(&[1, 3])),
        "Expected more than 1 value per channel when training, got input size torch.Size([1, 3])"
    );
    assert_eq!(message(call(&[2, 4])), "running_mean should contain 4 elements not 3");
    let images = nn::BatchNorm2d::new(3)?;
    assert_eq!(message(images.call(Tensor::zeros([2, 3])?)), "expected 4D input (got 2D input)");
    Ok(())
}

#[test]
fn batch_norm_reads_checkpoints_from_before_it_counted() -> Result<()> {
    let norm = nn::BatchNorm1d::new(2)?;
    assert_eq!(norm.state_dict().metadata[""]["version"], 2);
    let mut old = norm.state_dict();
    old.remove("num_batches_tracked");
    assert!(norm.load_state_dict(&old).is_err());
    old.metadata.clear();
    norm.load_state_dict(&old)?;
    Ok(())
}

#[test]
fn lazy_batch_norm_lists_its_members_and_reads_a_checkpoint() -> Result<()> {
    let lazy = nn::BatchNorm2d::lazy()?;
    let keys = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"];
    assert_eq!(lazy.state_dict().keys().collect::<Vec<_>>(), keys);
    assert!(lazy.weight.as_ref().is_some_and(|weight| weight.is_uninitialized()));
    lazy.load_state_dict(&nn::BatchNorm2d::new(4)?.state_dict())?;
    assert_eq!((lazy.num_features(), lazy.display_name()), (4, "BatchNorm2d".to_owned()));
    Ok(())
}

#[test]
fn embedding_scales_long_rows_in_place_and_trains_no_padding() -> Result<()> {
    let embedding = nn::Embedding::builder(3, 2).max_norm(1.0).padding_idx(0).build()?;
    embedding.weight.set_data(&Tensor::new([[0.0f32, 1.0], [2.0, 3.0], [4.0, 3.0]])?)?;
    let before = embedding.weight.version()?;
    let rows = embedding.call(Tensor::new([2i64, 0, 2])?)?;
    assert_eq!(embedding.weight.version()?, before + 1);
    let table = values(&embedding.weight.detach());
    assert_eq!(table[..4], [0.0, 1.0, 2.0, 3.0]);
    assert!((table[4] - 0.8).abs() < 1e-6 && (table[5] - 0.6).abs() < 1e-6);
    rows.sum()?.backward()?;
    let grad = embedding.weight.grad().map(|grad| values(&grad));
    assert_eq!(grad, Some(vec![0.0, 0.0, 0.0, 0.0, 2.0, 2.0]));
    Ok(())
}

#[test]
fn losses_keep_their_weights_as_buffers() -> Result<()> {
    let loss = nn::BCEWithLogitsLoss::new().weight(Tensor::ones([2])?).pos_weight(Tensor::ones([2])?);
    assert_eq!(loss.state_dict().keys().collect::<Vec<_>>(), ["weight", "pos_weight"]);
    assert!(loss.parameters().is_empty());
    assert!(nn::CrossEntropyLoss::new().state_dict().is_empty());
    Ok(())
}

#[test]
fn softmax_without_a_dimension_takes_pytorchs() -> Result<()> {
    for (shape, dim) in [(vec![3i64], 0), (vec![2, 3], 1), (vec![2, 3, 4], 0), (vec![2, 3, 4, 1], 1)] {
        let count: i64 = shape.iter().product();
        let x = Tensor::from_vec((0..count).map(|i| i as f32).collect(), shape)?;
        let (implicit, named) = (nn::Softmax::new(None).call(&x)?, nn::Softmax::new(dim).call(&x)?);
        assert_eq!(values(&implicit), values(&named));
    }
    Ok(())
}

#[test]
fn prelu_keeps_infinities_out_of_its_weights_gradient() -> Result<()> {
    let prelu = nn::PReLU::new(1)?;
    prelu.call(Tensor::new([f32::INFINITY, -2.0])?)?.sum()?.backward()?;
    assert_eq!(prelu.weight.grad().map(|grad| values(&grad)), Some(vec![-2.0]));
    Ok(())
}
