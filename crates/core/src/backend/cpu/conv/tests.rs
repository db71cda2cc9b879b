#![allow(clippy::unwrap_used)]

use super::*;
use crate::backend::cpu::gemm::kernels::{all_f32, all_f64};
use crate::backend::cpu::gemm::tests::Cases;
use crate::pool::{num_threads, set_num_threads};

/// Calls `f(output element, input element, weight element)` for every product of the definition.
fn products(s: &ConvShape, mut f: impl FnMut(usize, usize, usize)) {
    let [channels, rows] = s.group_channels();
    for image in 0..s.batch {
        for out in 0..s.out_channels {
            let group = out / rows;
            for (at, q) in (0..s.output_size()).map(|i| (i, split(i, s.output))) {
                for (tap, t) in (0..s.kernel_size()).map(|i| (i, split(i, s.kernel))) {
                    let place =
                        [0, 1, 2].map(|d| (q[d] * s.stride[d] + t[d] * s.dilation[d]).wrapping_sub(s.padding[d]));
                    if (0..3).any(|d| place[d] >= s.input[d]) {
                        continue;
                    }
                    let from = (place[0] * s.input[1] + place[1]) * s.input[2] + place[2];
                    for c in 0..channels {
                        let input = (image * s.in_channels + group * channels + c) * s.input_size() + from;
                        let output = (image * s.out_channels + out) * s.output_size() + at;
                        f(output, input, (out * channels + c) * s.kernel_size() + tap);
                    }
                }
            }
        }
    }
}

fn random(cases: &mut Cases, len: usize) -> Vec<f64> {
    (0..len).map(|_| cases.value()).collect()
}

fn shape(cases: &mut Cases) -> ConvShape {
    let spatial = 1 + cases.below(3);
    let largest = [70, 20, 8][spatial - 1];
    let dims: Vec<ConvDim> = (0..spatial)
        .map(|_| {
            let (kernel, dilation) = (1 + cases.below(4), 1 + cases.below(2));
            let (stride, padding) = (1 + cases.below(3), cases.below(4));
            let input = (dilation * (kernel - 1) + 1).saturating_sub(2 * padding).max(1) + cases.below(largest);
            ConvDim { input, kernel, stride, padding, dilation }
        })
        .collect();
    let groups = cases.pick(&[1, 1, 2, 3]);
    let channels = [groups * cases.pick(&[1, 2, 5]), groups * cases.pick(&[1, 3, 17, 40])];
    ConvShape::new(1 + cases.below(3), groups, channels, &dims)
}

/// Compares all three computations with the definition, for every instruction set. The values are small fractions whose
/// sums are exact.
fn check(cases: &mut Cases, s: &ConvShape) {
    let [input_len, weight_len, output_len] = s.lens();
    let (input, weight, grad) = (random(cases, input_len), random(cases, weight_len), random(cases, output_len));
    let (bias, input_bias) = (random(cases, s.out_channels), random(cases, s.in_channels));
    let mut output: Vec<f64> = (0..output_len).map(|i| bias[i / s.output_size() % s.out_channels]).collect();
    let mut grad_input: Vec<f64> = (0..input_len).map(|i| input_bias[i / s.input_size() % s.in_channels]).collect();
    let mut grad_weight = vec![0.0; weight_len];
    products(s, |o, i, w| {
        output[o] += input[i] * weight[w];
        grad_input[i] += grad[o] * weight[w];
        grad_weight[w] += grad[o] * input[i];
    });
    macro_rules! check_type {
        ($type:ty, $all:ident) => {
            let to = |values: &[f64]| values.iter().map(|&x| x as $type).collect::<Vec<_>>();
            for kernels in $all() {
                let mut got = vec![<$type>::NAN; output_len];
                forward_with(kernels, s, &to(&input), &to(&weight), Some(&to(&bias)), &mut got);
                assert_eq!(got, to(&output), "forward {s:?} {}", kernels.lanes);
                let mut got = vec![<$type>::NAN; input_len];
                input_grad_with(kernels, s, &to(&grad), &to(&weight), Some(&to(&input_bias)), &mut got);
                assert_eq!(got, to(&grad_input), "input gradient {s:?} {}", kernels.lanes);
                let mut got = vec![<$type>::NAN; weight_len];
                weight_grad::run(kernels, s, &to(&input), &to(&grad), &mut got);
                assert_eq!(got, to(&grad_weight), "weight gradient {s:?} {}", kernels.lanes);
            }
        };
    }
    check_type!(f32, all_f32);
    check_type!(f64, all_f64);
}

#[test]
fn random_convolutions_match_the_definition_exactly() {
    let mut cases = Cases(11);
    for _ in 0..120 {
        let s = shape(&mut cases);
        check(&mut cases, &s);
    }
}

fn square(batch: usize, groups: usize, channels: [usize; 2], size: usize, kernel: usize, stride: usize) -> ConvShape {
    let dim = ConvDim { input: size, kernel, stride, padding: kernel / 2, dilation: 1 };
    ConvShape::new(batch, groups, channels, &[dim; 2])
}

#[test]
fn common_layers_match_the_definition_exactly() {
    let mut cases = Cases(12);
    let shapes = [
        square(2, 1, [3, 20], 33, 3, 1),
        square(2, 1, [100, 30], 7, 3, 1),
        square(5, 1, [40, 70], 4, 3, 1),
        square(1, 1, [100, 30], 5, 3, 1),
        square(1, 2, [20, 80], 6, 3, 2),
        square(1, 1, [30, 40], 5, 1, 2),
        square(2, 1, [16, 32], 14, 1, 1),
        square(2, 2, [16, 32], 14, 1, 2),
        square(1, 12, [12, 12], 20, 3, 1),
        square(3, 12, [12, 24], 9, 3, 2),
        square(2, 1, [3, 8], 30, 7, 2),
        square(1, 1, [1, 1], 1, 1, 1),
    ];
    for s in shapes {
        check(&mut cases, &s);
    }
}

#[test]
fn strides_beyond_the_kernel_leave_zero_gradients() {
    let dim = ConvDim { input: 11, kernel: 2, stride: 4, padding: 0, dilation: 1 };
    check(&mut Cases(13), &ConvShape::new(2, 1, [2, 3], &[dim; 2]));
}

#[test]
fn an_empty_batch_has_no_output_and_a_zero_gradient() {
    let s = square(0, 1, [2, 3], 5, 3, 1);
    check(&mut Cases(14), &s);
}

#[test]
fn gradients_do_not_depend_on_the_number_of_threads() {
    let mut cases = Cases(15);
    let before = num_threads();
    for s in [square(7, 1, [1, 8], 14, 3, 1), square(3, 1, [24, 20], 9, 3, 2)] {
        let [input, weight, output] = s.lens();
        let scaled = |v: Vec<f64>| v.into_iter().map(|x| x as f32 * 0.3).collect::<Vec<f32>>();
        let [input, grad] = [input, output].map(|len| scaled(random(&mut cases, len)));
        let results = [1, 2, 5].map(|threads| {
            set_num_threads(threads).unwrap();
            let mut got = vec![0.0; weight];
            conv_weight_grad(&s, &input, &grad, &mut got);
            got
        });
        assert!(results.iter().all(|r| r == &results[0]));
    }
    set_num_threads(before).unwrap();
}
