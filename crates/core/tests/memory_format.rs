//! Memory formats: strides as PyTorch's, values and gradients as before.
#![allow(clippy::unwrap_used)]

use firebrick_core::MemoryFormat::{ChannelsLast, ChannelsLast3d, Contiguous, Preserve};
use firebrick_core::{DType, MemoryFormat, Tensor};

fn counted(shape: &[usize]) -> Tensor {
    let n = shape.iter().product::<usize>() as i64;
    Tensor::arange(n).unwrap().to(DType::F32).unwrap().reshape(shape).unwrap()
}

/// Strides after `to` and `contiguous` in a format, as PyTorch 2.15 has them.
#[test]
fn strides_are_pytorchs() {
    type Case = (&'static [usize], MemoryFormat, &'static [usize], &'static [usize]);
    let cases: [Case; 6] = [
        (&[2, 3, 4, 5], ChannelsLast, &[60, 1, 15, 3], &[60, 1, 15, 3]),
        // One channel or one pixel lies in both formats; `to` makes it unmistakable.
        (&[2, 1, 4, 5], ChannelsLast, &[20, 1, 5, 1], &[20, 20, 5, 1]),
        (&[2, 3, 1, 1], ChannelsLast, &[3, 1, 3, 3], &[3, 1, 1, 1]),
        (&[1, 1, 1, 5], ChannelsLast, &[5, 1, 5, 1], &[5, 5, 5, 1]),
        (&[2, 3, 4, 5, 6], ChannelsLast3d, &[360, 1, 90, 18, 3], &[360, 1, 90, 18, 3]),
        (&[2, 3, 4, 5], Contiguous, &[60, 20, 5, 1], &[60, 20, 5, 1]),
    ];
    for (shape, format, moved, made) in cases {
        let x = counted(shape);
        assert_eq!(x.to(format).unwrap().stride().to_vec(), moved, "{shape:?} to {format}");
        assert_eq!(x.contiguous_in(format).unwrap().stride().to_vec(), made, "{shape:?} in {format}");
    }
}

#[test]
fn values_stay_and_the_way_back_is_row_major() {
    let x = counted(&[2, 3, 4, 5]);
    let last = x.to(ChannelsLast).unwrap();
    assert!(last.is_contiguous_in(ChannelsLast) && !last.is_contiguous_in(Contiguous));
    assert_eq!(last.to_vec::<f32>().unwrap(), x.to_vec::<f32>().unwrap());
    assert_eq!(last.to(Preserve).unwrap().stride().to_vec(), [60, 1, 15, 3]);
    assert_eq!(last.to(DType::F64).unwrap().stride().to_vec(), [60, 1, 15, 3]);
    assert_eq!(last.to(Contiguous).unwrap().stride().to_vec(), [60, 20, 5, 1]);
    // What speaks of no format is left as it lies.
    assert_eq!(x.permute([0, 2, 3, 1]).unwrap().to(Contiguous).unwrap().stride().to_vec(), [60, 5, 1, 20]);
}

#[test]
fn gradients_go_through() {
    let x = counted(&[1, 2, 2, 2]).requires_grad_(true).unwrap().clone();
    let last = x.to(ChannelsLast).unwrap();
    last.mul(&last).unwrap().sum().unwrap().backward().unwrap();
    assert_eq!(x.grad().unwrap().to_vec::<f32>().unwrap(), [0., 2., 4., 6., 8., 10., 12., 14.]);
    assert_eq!(x.grad().unwrap().stride().to_vec(), [8, 4, 2, 1]);
}

#[test]
fn a_format_is_for_its_rank() {
    let x = counted(&[2, 3, 4]);
    for result in [x.to(ChannelsLast), x.contiguous_in(ChannelsLast), x.copy_in(ChannelsLast)] {
        assert_eq!(result.unwrap_err().to_string(), "required rank 4 tensor to use channels_last format");
    }
    let error = counted(&[1, 2, 3, 4]).to(ChannelsLast3d).unwrap_err();
    assert_eq!(error.to_string(), "required rank 5 tensor to use channels_last_3d format");
    assert!(!x.is_contiguous_in(ChannelsLast));
}
