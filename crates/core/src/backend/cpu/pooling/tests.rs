use super::*;
use crate::backend::cpu::gemm::tests::Cases;

/// `(i * 7919) % 23 - 11`: the input of the PyTorch results below.
fn input(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919) % 23) as f32 - 11.0).collect()
}

fn shape(spatial: [[usize; 2]; 3], kernel: usize, stride: usize, padding: usize, dilation: usize) -> PoolShape {
    let flat = |d: usize| spatial[d] == [1, 1];
    let per = |value: usize, none: usize| [0, 1, 2].map(|d| if flat(d) { none } else { value });
    PoolShape {
        planes: 2,
        input: spatial.map(|s| s[0]),
        kernel: per(kernel, 1),
        stride: per(stride, 1),
        padding: per(padding, 0),
        dilation: per(dilation, 1),
        output: spatial.map(|s| s[1]),
    }
}

fn same(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
}

const NAN: f32 = f32::NAN;

#[test]
fn maxima_and_indices_are_pytorchs_with_padding_ceil_mode_and_nan() {
    // F.max_pool2d(x, 3, 2, 1, 1, ceil_mode=True, return_indices=True), PyTorch 2.15.
    let s = shape([[1, 1], [5, 3], [6, 4]], 3, 2, 1, 1);
    let mut x = input(60);
    (x[15], x[30]) = (NAN, f32::NEG_INFINITY);
    let (mut y, mut at) = (vec![0.0; 24], vec![0; 24]);
    max_pool_forward(&s, &x, &mut y, &mut at);
    let values = [
        8.0, 10.0, 10.0, 1.0, 11.0, NAN, NAN, -3.0, 7.0, 10.0, 8.0, 8.0, 11.0, 9.0, 9.0, 4.0, 11.0, 10.0, 9.0, 0.0,
        10.0, 10.0, 11.0, 11.0,
    ];
    let places = [6, 3, 3, 5, 13, 15, 15, 11, 19, 26, 29, 29, 6, 9, 9, 5, 6, 19, 9, 11, 19, 19, 29, 29];
    assert!(same(&y, &values), "{y:?}");
    assert_eq!(at, places);
}

#[test]
fn dilated_maxima_are_pytorchs() {
    // F.max_pool2d(x, 2, 2, 1, 2, return_indices=True), PyTorch 2.15.
    let s = shape([[1, 1], [5, 3], [6, 3]], 2, 2, 1, 2);
    let mut x = input(60);
    (x[15], x[30]) = (NAN, f32::NEG_INFINITY);
    let (mut y, mut at) = (vec![0.0; 18], vec![0; 18]);
    max_pool_forward(&s, &x, &mut y, &mut at);
    let values = [-8.0, 6.0, 6.0, 7.0, 7.0, 6.0, 7.0, 7.0, -2.0, -5.0, 9.0, 9.0, 10.0, 10.0, 9.0, 10.0, 10.0, 1.0];
    assert!(same(&y, &values), "{y:?}");
    assert_eq!(at, [7, 9, 9, 19, 19, 9, 19, 19, 21, 7, 9, 9, 19, 19, 9, 19, 19, 21]);
}

#[test]
fn averages_are_pytorchs_for_every_divisor() {
    // F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, ...), PyTorch 2.15, times 36 or 4.
    let s = shape([[1, 1], [5, 3], [6, 4]], 3, 2, 1, 1);
    let cases: [(Divisor, f32, [f32; 24]); 3] = [
        (
            Divisor::WithPadding,
            36.0,
            [
                -60.0, 24.0, -8.0, -12.0, 88.0, 4.0, -44.0, -126.0, 24.0, 12.0, -20.0, -18.0, -12.0, 4.0, -28.0, 24.0,
                68.0, 20.0, -28.0, -72.0, 72.0, -8.0, 52.0, 18.0,
            ],
        ),
        (
            Divisor::WithoutPadding,
            36.0,
            [
                -135.0, 36.0, -12.0, -36.0, 132.0, 4.0, -44.0, -252.0, 54.0, 18.0, -30.0, -54.0, -27.0, 6.0, -42.0,
                72.0, 102.0, 20.0, -28.0, -144.0, 162.0, -12.0, 78.0, 54.0,
            ],
        ),
        (
            Divisor::Fixed(4),
            4.0,
            [
                -15.0, 6.0, -2.0, -2.0, 22.0, 1.0, -11.0, -21.0, 6.0, 3.0, -5.0, -3.0, -3.0, 1.0, -7.0, 4.0, 17.0, 5.0,
                -7.0, -12.0, 18.0, -2.0, 13.0, 3.0,
            ],
        ),
    ];
    for (divisor, scale, expected) in cases {
        let mut y = vec![NAN; 24];
        avg_pool_forward(&s, divisor, &input(60), &mut y);
        for (y, expected) in y.iter().zip(expected) {
            assert!((y * scale - expected).abs() < 1e-4, "{divisor:?} {} for {expected}", y * scale);
        }
    }
}

/// A random pooling whose last windows start inside the input or the padding before it.
fn random_shape(cases: &mut Cases, dilated: bool) -> PoolShape {
    let spatial = 1 + cases.below(3);
    let mut s = shape([[1, 1]; 3], 1, 1, 0, 1);
    s.planes = 1 + cases.below(4);
    for d in 3 - spatial..3 {
        (s.kernel[d], s.stride[d]) = (1 + cases.below(4), 1 + cases.below(3));
        s.padding[d] = cases.below(s.kernel[d] / 2 + 1);
        s.dilation[d] = if dilated { 1 + cases.below(2) } else { 1 };
        let reach = s.dilation[d] * (s.kernel[d] - 1) + 1;
        s.input[d] = reach + cases.below(9);
        let free = s.input[d] + 2 * s.padding[d] - reach;
        let rounded_up = free.div_ceil(s.stride[d]);
        let inside = rounded_up * s.stride[d] < s.input[d] + s.padding[d];
        s.output[d] = 1 + if inside && cases.below(2) == 0 { rounded_up } else { free / s.stride[d] };
    }
    s
}

/// The elements of the input in a window, in order.
fn window(s: &PoolShape, at: usize) -> Vec<usize> {
    let [_, height, width] = s.output;
    let q = [at / (height * width), at / width % height, at % width];
    let mut found = Vec::new();
    for z in 0..s.kernel[0] {
        for y in 0..s.kernel[1] {
            for x in 0..s.kernel[2] {
                let t = [z, y, x];
                let p = [0, 1, 2].map(|d| (q[d] * s.stride[d] + t[d] * s.dilation[d]).wrapping_sub(s.padding[d]));
                if (0..3).all(|d| p[d] < s.input[d]) {
                    found.push((p[0] * s.input[1] + p[1]) * s.input[2] + p[2]);
                }
            }
        }
    }
    found
}

#[test]
fn random_maxima_and_their_gradients_match_the_definition() {
    let mut cases = Cases(21);
    for _ in 0..200 {
        let s = random_shape(&mut cases, true);
        let x: Vec<f64> = (0..s.planes * s.input_size()).map(|_| cases.value()).collect();
        let outputs = s.planes * s.output_size();
        let grad: Vec<f64> = (0..outputs).map(|_| cases.value()).collect();
        let (mut y, mut at, mut grad_x) = (vec![f64::NAN; outputs], vec![-1; outputs], vec![f64::NAN; x.len()]);
        max_pool_forward(&s, &x, &mut y, &mut at);
        max_pool_backward(&s, &grad, &at, &mut grad_x);
        let mut expected = vec![0.0; x.len()];
        for i in 0..outputs {
            let (plane, q) = (i / s.output_size(), i % s.output_size());
            let from = &x[plane * s.input_size()..][..s.input_size()];
            let found = window(&s, q);
            let best = found.iter().copied().reduce(|a, b| if from[b] > from[a] { b } else { a });
            let best = best.expect("every window has an element");
            assert_eq!((y[i], at[i]), (from[best], best as i64), "{s:?}");
            expected[plane * s.input_size() + best] += grad[i];
        }
        assert_eq!(grad_x, expected);
    }
}

#[test]
fn random_averages_and_their_gradients_match_the_definition() {
    let mut cases = Cases(22);
    for _ in 0..200 {
        let s = random_shape(&mut cases, false);
        let x: Vec<f64> = (0..s.planes * s.input_size()).map(|_| cases.value()).collect();
        let outputs = s.planes * s.output_size();
        let grad: Vec<f64> = (0..outputs).map(|_| cases.value()).collect();
        for divisor in [Divisor::WithoutPadding, Divisor::Fixed(-3)] {
            let (mut y, mut grad_x) = (vec![f64::NAN; outputs], vec![f64::NAN; x.len()]);
            avg_pool_forward(&s, divisor, &x, &mut y);
            avg_pool_backward(&s, divisor, &grad, &mut grad_x);
            let mut expected = vec![0.0; x.len()];
            for i in 0..outputs {
                let (plane, found) = (i / s.output_size() * s.input_size(), window(&s, i % s.output_size()));
                let by = if divisor == Divisor::WithoutPadding { found.len() as f64 } else { -3.0 };
                let sum: f64 = found.iter().map(|at| x[plane + at]).sum();
                assert_eq!(y[i], sum / by, "{s:?}");
                found.iter().for_each(|at| expected[plane + at] += grad[i] / by);
            }
            assert!(grad_x.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12), "{s:?}");
        }
    }
}

#[test]
fn foreign_indices_are_passed_over() {
    let s = shape([[1, 1], [1, 1], [4, 2]], 2, 2, 0, 1);
    let mut grad_x = vec![NAN; 8];
    max_pool_backward(&s, &[1.0, 2.0, 3.0, 4.0], &[0, 4, -1, 3], &mut grad_x);
    assert_eq!(grad_x, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 4.0]);
}
