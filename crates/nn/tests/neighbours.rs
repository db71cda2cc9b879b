//! Layers that pool, resample and unfold, against PyTorch 2.15.
#![allow(clippy::unwrap_used)]

mod common;

use common::values;
use firebrick::nn::functional::{self as F, FractionalSize, UnpoolOptions};
use firebrick::prelude::*;
use firebrick::{Generator, GridMode, GridPadding, InterpolateMode, InterpolateOptions};

fn message<T>(result: Result<T>) -> String {
    result.map(drop).unwrap_err().to_string()
}

fn counted(shape: &[i64]) -> Result<Tensor> {
    let count: i64 = shape.iter().product();
    Tensor::from_vec((0..count).map(|i| i as f32).collect(), shape.to_vec())
}

#[test]
fn a_transposed_convolution_has_the_size_that_is_asked_for() -> Result<()> {
    let up = nn::ConvTranspose2d::builder(4, 2, 3).stride(2).build()?;
    let x = Tensor::ones([1, 4, 5, 5])?;
    assert_eq!(up.call(&x)?.shape(), [1, 2, 11, 11]);
    assert_eq!(up.call_with_size(&x, [1, 2, 12, 11])?.shape(), [1, 2, 12, 11]);
    assert_eq!(
        message(up.call_with_size(&x, [20, 20])),
        "requested an output size of (20, 20), but valid sizes range from [11, 11] to [12, 12] (for an input of torch.Size([5, 5]))"
    );
    assert_eq!(
        message(up.call_with_size(&x, [12])),
        "ConvTranspose2D: for 4D input, output_size must have 2 or 4 elements (got 1)"
    );
    let reflected = nn::ConvTranspose2d::builder(4, 2, 3).padding_mode(F::PadMode::Reflect).build();
    assert_eq!(message(reflected), "Only \"zeros\" padding mode is supported for ConvTranspose2d");
    let too_far = nn::ConvTranspose2d::builder(4, 2, 3).output_padding(1).build()?;
    assert_eq!(
        message(too_far.call(&x)),
        "output padding must be smaller than either stride or dilation, but got output_padding_height: 1 output_padding_width: 1 stride_height: 1 stride_width: 1 dilation_height: 1 dilation_width: 1"
    );
    Ok(())
}

#[test]
fn pooling_and_its_inverse_keep_places() -> Result<()> {
    let x = counted(&[1, 1, 4, 4])?;
    let (y, indices) = nn::MaxPool2d::new(2)?.call_with_indices(&x)?;
    let back = nn::MaxUnpool2d::new(2).call((&y, &indices))?;
    let kept = [0., 0., 0., 0., 0., 5., 0., 7., 0., 0., 0., 0., 0., 13., 0., 15.];
    assert_eq!(values(&back), kept);
    let options = UnpoolOptions::new().output_size([9, 9]);
    assert_eq!(
        message(F::max_unpool2d(&y, &indices, 2, &options)),
        "invalid output_size \"(9, 9)\" (dim 0 must be between 2 and 6)"
    );
    assert_eq!(
        message(F::max_unpool2d(&y, &indices.add(100)?, 2, &UnpoolOptions::new())),
        "Found an invalid max index: 115 (output volumes are of size 4x4)"
    );
    Ok(())
}

#[test]
fn fractional_pooling_draws_pytorchs_steps() -> Result<()> {
    let pool = nn::FractionalMaxPool2d::new(2, 3)?;
    let y = Generator::new().manual_seed(0).scope(|| pool.call(counted(&[1, 1, 7, 7])?))?;
    assert_eq!(values(&y), [8., 10., 13., 29., 31., 34., 43., 45., 48.]);
    let ratio = nn::FractionalMaxPool2d::new(2, FractionalSize::Ratio(vec![1.5]));
    assert_eq!(message(ratio), "output_ratio must be between 0 and 1 (got 1.5)");
    Ok(())
}

#[test]
fn interpolation_says_what_does_not_fit() -> Result<()> {
    let x = Tensor::zeros([1, 4, 4, 4])?;
    let options = InterpolateOptions::new;
    assert_eq!(message(x.interpolate(&options())), "either size or scale_factor should be defined");
    assert_eq!(
        message(x.interpolate(&options().size(3).mode(InterpolateMode::Linear))),
        "Got 4D input, but linear mode needs 3D input"
    );
    assert_eq!(
        message(x.interpolate(&options().size(0))),
        "Input and output sizes should be greater than 0, but got input (H: 4, W: 4) output (H: 0, W: 0)"
    );
    assert_eq!(
        message(x.interpolate(&options().scale_factor(f64::INFINITY))),
        "value cannot be converted to type int64_t without overflow"
    );
    Ok(())
}

#[test]
fn a_grid_outside_sees_zeros_the_border_or_a_reflection() -> Result<()> {
    let x = Tensor::new([[[[1.0f32, 2.0, 3.0]]]])?;
    let grid = Tensor::new([[[[-2.0f32, 0.0]]]])?;
    let at = |padding| x.grid_sample(&grid, GridMode::Bilinear, padding, true).map(|y| values(&y));
    assert_eq!(at(GridPadding::Zeros)?, [0.0]);
    assert_eq!(at(GridPadding::Border)?, [1.0]);
    assert_eq!(at(GridPadding::Reflection)?, [2.0]);
    Ok(())
}

#[test]
fn an_empty_bag_is_zero_and_a_padding_row_counts_in_none() -> Result<()> {
    let bag = nn::EmbeddingBag::builder(4, 1).padding_idx(3).build()?;
    bag.weight.set_data(&Tensor::new([[1.0f32], [2.0], [4.0], [8.0]])?)?;
    let (numbers, offsets) = (Tensor::new([0i64, 3, 2])?, Tensor::new([0i64, 0, 2])?);
    let means = bag.call((&numbers, Some(&offsets), None::<Tensor>))?;
    assert_eq!(values(&means.detach()), [0.0, 1.0, 4.0]);
    means.sum()?.backward()?;
    assert_eq!(bag.weight.grad().map(|g| values(&g)), Some(vec![1.0, 0.0, 1.0, 0.0]));
    Ok(())
}

#[test]
fn instance_norm_takes_images_without_batch() -> Result<()> {
    let norm = nn::InstanceNorm1d::builder(3).affine(true).build()?;
    assert_eq!(norm.call(Tensor::ones([3, 5])?)?.shape(), [3, 5]);
    assert_eq!(
        message(norm.call(Tensor::zeros([2, 4, 5])?)),
        "expected input's size at dim=1 to match num_features (3), but got: 4."
    );
    assert_eq!(message(nn::GroupNorm::new(3, 10)), "num_channels (10) must be divisible by num_groups (3)");
    Ok(())
}
