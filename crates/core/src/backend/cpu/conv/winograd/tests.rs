#![allow(clippy::unwrap_used)]

use super::*;
use crate::backend::cpu::conv::{
    ConvDim, conv_forward, conv_input_grad, conv_weight_grad, forward_correlation, input_grad_correlations,
};
use crate::backend::cpu::gemm::kernels::all_f32;
use crate::backend::cpu::gemm::tests::Cases;
use crate::pool::{num_threads, set_num_threads};

/// Largest error in units of the largest result.
const TOLERANCE: f64 = 2e-6;

fn shape(batch: usize, channels: [usize; 2], size: [usize; 2], padding: [usize; 2]) -> ConvShape {
    let dims = [0, 1].map(|d| ConvDim { input: size[d], kernel: 3, stride: 1, padding: padding[d], dilation: 1 });
    ConvShape::new(batch, 1, channels, &dims)
}

/// Odd sizes, each kind of padding, blocks cut along both dimensions, both ways to share the work, parts and spans.
fn shapes() -> Vec<ConvShape> {
    vec![
        shape(1, [1, 1], [3, 3], [0, 0]),
        shape(1, [40, 70], [1, 1], [1, 1]),
        shape(3, [17, 5], [5, 7], [1, 1]),
        shape(2, [5, 33], [9, 4], [0, 2]),
        shape(1, [3, 2], [8, 8], [3, 4]),
        shape(5, [20, 36], [4, 4], [1, 1]),
        shape(1, [2, 3], [6, 200], [1, 0]),
        shape(32, [4, 7], [12, 11], [1, 1]),
        shape(4, [36, 33], [26, 29], [1, 1]),
    ]
}

struct Problem {
    shape: ConvShape,
    input: Vec<f32>,
    weight: Vec<f32>,
    grad: Vec<f32>,
    bias: [Vec<f32>; 2],
}

impl Problem {
    fn new(shape: ConvShape, seed: u64) -> Self {
        let mut cases = Cases(seed);
        let [input, weight, output] = shape.lens();
        let mut random = |len| (0..len).map(|_| cases.value() as f32 * 0.3).collect::<Vec<f32>>();
        let bias = [shape.out_channels, shape.in_channels].map(&mut random);
        Problem { shape, input: random(input), weight: random(weight), grad: random(output), bias }
    }

    /// The output and both gradients, by tiles whatever that costs, and whether each is finite.
    fn by_tiles(&self, kernels: &'static Kernels<f32>) -> [(Vec<f32>, bool); 3] {
        let (s, transforms) = (&self.shape, f32::transforms(kernels.lanes).unwrap());
        let correlate = |all: &Correlation<'_, f32>, source: &[f32], len: usize| {
            let mut result = vec![f32::NAN; len];
            let finite = Forward::new(all, transforms).unwrap().run(source, &mut result);
            (result, finite)
        };
        let [input, weight, output] = s.lens();
        let forward = forward_correlation(kernels, s, &self.weight, Some(&self.bias[0]));
        let forward = correlate(&forward, &self.input, output);
        let back = input_grad_correlations(kernels, s, &self.weight, Some(&self.bias[1])).next().unwrap();
        let back = correlate(&back, &self.grad, input);
        let mut result = vec![f32::NAN; weight];
        let plan = WeightGrad::new(kernels, transforms, s).unwrap();
        let finite = plan.run(&self.input, &self.grad, &mut result);
        [forward, back, (result, finite)]
    }

    /// The same in double precision, which takes the direct way.
    fn reference(&self) -> [Vec<f64>; 3] {
        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        let (s, [mut input, mut weight, mut output]) = (&self.shape, self.shape.lens().map(|len| vec![0.0; len]));
        let bias = [0, 1].map(|i| wide(&self.bias[i]));
        conv_forward(s, &wide(&self.input), &wide(&self.weight), Some(&bias[0]), &mut output);
        conv_input_grad(s, &wide(&self.grad), &wide(&self.weight), Some(&bias[1]), &mut input);
        conv_weight_grad(s, &wide(&self.input), &wide(&self.grad), &mut weight);
        [output, input, weight]
    }
}

fn assert_close(got: &[f32], reference: &[f64], name: &str) {
    let scale = reference.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    for (got, reference) in got.iter().zip(reference) {
        let error = (f64::from(*got) - reference).abs();
        assert!(error <= TOLERANCE * scale, "{name}: {got} for {reference}, with a scale of {scale}");
    }
}

#[test]
fn tiles_give_what_double_precision_gives() {
    for (seed, shape) in shapes().into_iter().enumerate() {
        let problem = Problem::new(shape, 21 + seed as u64);
        let reference = problem.reference();
        for kernels in all_f32() {
            let results = problem.by_tiles(kernels);
            for (what, ((got, finite), reference)) in results.iter().zip(&reference).enumerate() {
                assert!(*finite);
                assert_close(got, reference, &format!("result {what} of {shape:?}, {} lanes", kernels.lanes));
            }
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let before = num_threads();
    for (seed, shape) in shapes().into_iter().enumerate() {
        let problem = Problem::new(shape, 41 + seed as u64);
        let results = [1, 2, 3].map(|threads| {
            set_num_threads(threads).unwrap();
            problem.by_tiles(all_f32()[0])
        });
        assert!(results.iter().all(|r| r == &results[0]), "{shape:?}");
    }
    set_num_threads(before).unwrap();
}

#[test]
fn zeros_give_the_bias_alone() {
    let mut problem = Problem::new(shape(2, [20, 9], [7, 6], [1, 1]), 61);
    problem.input.fill(0.0);
    let [(output, _), _, (weight, _)] = problem.by_tiles(all_f32()[0]);
    let size = problem.shape.output_size();
    assert!(output.iter().enumerate().all(|(i, x)| *x == problem.bias[0][i / size % 9]));
    assert!(weight.iter().all(|x| *x == 0.0));
}

/// A shape for which tiles are taken.
fn chosen() -> ConvShape {
    shape(1, [64, 64], [20, 20], [1, 1])
}

#[test]
fn what_is_not_finite_is_noticed_and_stays_where_it_belongs() {
    let (mut problem, middle) = (Problem::new(chosen(), 62), 20 * 10 + 10);
    let s = problem.shape;
    let (input, grad) = (problem.input[middle], problem.grad[middle]);
    for value in [f32::NAN, f32::NEG_INFINITY, f32::MAX] {
        let mut got = s.lens().map(|len| vec![0.0; len]);
        (problem.input[middle], problem.grad[middle]) = (value, grad);
        let [(_, output_finite), _, (_, weight_finite)] = problem.by_tiles(all_f32()[0]);
        conv_forward(&s, &problem.input, &problem.weight, Some(&problem.bias[0]), &mut got[2]);
        conv_weight_grad(&s, &problem.input, &problem.grad, &mut got[1]);
        let [output, _, weight] = problem.reference();
        (problem.input[middle], problem.grad[middle]) = (input, value);
        let [_, (_, input_finite), _] = problem.by_tiles(all_f32()[0]);
        conv_input_grad(&s, &problem.grad, &problem.weight, Some(&problem.bias[1]), &mut got[0]);
        let [_, input, _] = problem.reference();
        assert!(!output_finite && !weight_finite && !input_finite);
        for (got, reference) in got.iter().flatten().zip([input, weight, output].iter().flatten()) {
            let expected = *reference as f32;
            let close = (got - expected).abs() <= 1e-4 + 1e-5 * expected.abs();
            assert!(close || *got == expected || got.is_nan() && expected.is_nan(), "{got} for {reference}");
        }
    }
}

#[test]
fn tiles_are_for_many_channels_and_pixels_in_single_precision() {
    let pays = |s: ConvShape| {
        let plan = WeightGrad::new(all_f32()[0], f32::transforms(all_f32()[0].lanes).unwrap(), &s).unwrap();
        pays::<f32>([s.in_channels, s.out_channels], plan.tiles(), s.batch * s.output_size())
    };
    assert!(
        pays(chosen()) && pays(shape(8, [64, 64], [56, 56], [1, 1])) && pays(shape(1, [128, 128], [16, 16], [1, 1]))
    );
    assert!(!pays(shape(8, [32, 64], [28, 28], [1, 1])), "the transforms would cost as much as the products");
    assert!(!pays(shape(1, [512, 512], [4, 4], [1, 1])), "the kernels would cost more than the products");
    assert!(!pays(shape(64, [2048, 2048], [16, 16], [1, 1])), "the kernels would take a gigabyte");
    assert!((1..=16).all(|lanes| f64::transforms(lanes).is_none()));
}

#[test]
fn other_kernels_go_the_direct_way() {
    let transforms = f32::transforms(all_f32()[0].lanes).unwrap();
    let dim = ConvDim { input: 9, kernel: 3, stride: 1, padding: 1, dilation: 1 };
    let others = [
        ConvShape::new(1, 2, [4, 4], &[dim; 2]),
        ConvShape::new(1, 1, [4, 4], &[dim; 3]),
        ConvShape::new(1, 1, [4, 4], &[dim]),
        ConvShape::new(1, 1, [4, 4], &[dim, ConvDim { stride: 2, ..dim }]),
        ConvShape::new(1, 1, [4, 4], &[ConvDim { dilation: 2, ..dim }, dim]),
        ConvShape::new(1, 1, [4, 4], &[dim, ConvDim { kernel: 5, ..dim }]),
    ];
    for s in others {
        let weight = vec![0.0; s.lens()[1]];
        assert!(Forward::new(&forward_correlation(all_f32()[0], &s, &weight, None), transforms).is_none(), "{s:?}");
        let mut back = input_grad_correlations(all_f32()[0], &s, &weight, None);
        assert!(back.all(|all| Forward::new(&all, transforms).is_none()), "{s:?}");
        assert!(WeightGrad::new(all_f32()[0], transforms, &s).is_none(), "{s:?}");
    }
}
