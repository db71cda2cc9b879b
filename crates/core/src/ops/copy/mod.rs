//! Rows of the copies, casts and spellings that are written out by hand.

use crate::ops::sample::{self, ABOVE_ONE, ANY, POSITIVE, Sample, Trait};
use crate::ops::{Row, by_hand};
use crate::{DType, Device, MemoryFormat, PoolOptions, Result, Tensor};

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[COPIES];

/// The elements as an image of so many channels and pixels.
fn image(x: &Tensor) -> Result<Tensor> {
    let pixels = if x.numel().is_multiple_of(2) { 2 } else { 1 };
    x.reshape([1, x.numel() / pixels, 1, pixels])
}

by_hand! {
    table: COPIES;
    copy as "CloneBackward0": sample::unary(ANY, |x| x.copy());
    contiguous as "CloneBackward0": sample::unary(ANY, |x| x.contiguous());
    copy_in as "CloneBackward0": sample::unary(ANY, |x| image(x)?.copy_in(MemoryFormat::ChannelsLast));
    contiguous_in as "CloneBackward0": sample::unary(ANY, |x| image(x)?.contiguous_in(MemoryFormat::ChannelsLast));
    to as "ToCopyBackward0": sample::unary(ANY, |x| x.mul(2.0)?.to(Device::Cpu)?.to(DType::F64));
    copy_ as "CopyBackwards": sample::pairs((ANY, ANY), |x, y| {
        let target = x.add(y)?;
        target.copy_(&y.mul(y)?.sum_to_size(y.shape())?)?;
        target.mul(x)
    });
    sum_to_size: stretched();
    square in square_: sample::unary(ANY, |x| x.square());
    float_power in float_power_: sample::pairs((POSITIVE, ANY), |x, y| x.float_power(y));
    relu6_: sample::unary(ABOVE_ONE, |x| Ok(x.mul(1.0)?.relu6_()?.clone()));
    max_pool1d_with_indices: pooled(&[1, 2, 5], |x| Ok(x.max_pool1d_with_indices(2, &PoolOptions::new())?.0));
    max_pool2d_with_indices: pooled(&[1, 2, 4, 4], |x| Ok(x.max_pool2d_with_indices(2, &PoolOptions::new())?.0));
    max_pool3d_with_indices: pooled(&[1, 1, 2, 4, 2], |x| Ok(x.max_pool3d_with_indices(2, &PoolOptions::new())?.0));
}

/// Sums that undo broadcasting.
fn stretched() -> Result<Vec<Sample>> {
    let call = |x: &[crate::Tensor]| x[0].sum_to_size([3, 1]);
    Ok(vec![
        sample::one(Trait::Plain, vec![ANY.tensor(&[2, 3, 4], 1)?], call),
        sample::one(Trait::Strided, vec![ANY.strided(&[3, 2], 2)?], call),
        sample::one(Trait::Empty, vec![ANY.tensor(&[0, 3, 4], 3)?], call),
    ])
}

/// Samples of a pooling, one of them without images.
fn pooled(shape: &[usize], f: fn(&crate::Tensor) -> Result<crate::Tensor>) -> Result<Vec<Sample>> {
    let mut none = shape.to_vec();
    none[0] = 0;
    let call = move |x: &[crate::Tensor]| f(&x[0]);
    Ok(vec![
        sample::one(Trait::Plain, vec![ANY.tensor(shape, 1)?], call),
        sample::one(Trait::Strided, vec![ANY.strided(shape, 2)?], call),
        sample::one(Trait::Empty, vec![ANY.tensor(&none, 3)?], call),
    ])
}
