#![allow(clippy::unwrap_used)]

use super::*;
use crate::backend::cpu::gemm::kernels::{Kernels, all_f32, all_f64};

/// A small generator of test cases: the low bits of a linear congruence are poor, the high ones good enough.
pub(crate) struct Cases(pub(crate) u64);

impl Cases {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Eighths in [-2, 2]: products and sums of these are exact in `f32` for the sizes tested.
    pub(crate) fn value(&mut self) -> f64 {
        (self.below(33) as f64 - 16.0) / 8.0
    }
}

/// Values of a batch of matrices, with strides that reach all of them.
struct Stored {
    len: usize,
    start: usize,
    strides: [isize; 2],
    batch_strides: [isize; 2],
}

/// Lays out a batch of matrices: row by row, column by column, with gaps, or backwards; operands may be shared by a
/// batch dimension.
fn layout(cases: &mut Cases, rows: usize, columns: usize, batch: [usize; 2], may_share: bool) -> Stored {
    let (r, c) = (rows.max(1) as isize, columns.max(1) as isize);
    let gap = cases.below(3) as isize;
    let (strides, size) = match cases.below(6) {
        0 | 1 => ([c, 1], r * c),
        2 => ([c + gap, 1], r * (c + gap)),
        3 => ([1, r], r * c),
        4 => ([1, r + gap], c * (r + gap)),
        _ => ([2 * c + gap, 2], r * (2 * c + gap)),
    };
    let share = |cases: &mut Cases| may_share && cases.below(3) == 0;
    let inner = if share(cases) { 0 } else { size };
    let outer = if share(cases) { 0 } else { inner.max(size) * batch[1] as isize };
    let len = inner.max(size) as usize * batch[1].max(1) * batch[0].max(1) + 1;
    if cases.below(8) == 0 {
        // Rows backwards.
        let start = ((r - 1) * strides[0]) as usize;
        return Stored { len, start, strides: [-strides[0], strides[1]], batch_strides: [outer, inner] };
    }
    Stored { len, start: 0, strides, batch_strides: [outer, inner] }
}

impl Stored {
    fn at(&self, batch: [usize; 2], row: usize, column: usize) -> usize {
        let [b, s] = [self.batch_strides, self.strides];
        let offset = batch[0] as isize * b[0] + batch[1] as isize * b[1] + row as isize * s[0] + column as isize * s[1];
        (self.start as isize + offset) as usize
    }

    fn mat<T>(&self, values: &[T]) -> Mat<T> {
        Mat::new(values[self.start..].as_ptr(), self.strides[0], self.strides[1]).batched(self.batch_strides)
    }

    fn mat_mut<T>(&self, values: &mut [T]) -> MatMut<T> {
        MatMut::new(values[self.start..].as_mut_ptr(), self.strides[0], self.strides[1]).batched(self.batch_strides)
    }
}

/// A random product: everything in `f64`, with its result computed by the definition.
struct Case {
    sizes: [usize; 3],
    batch: [usize; 2],
    layouts: [Stored; 3],
    values: [Vec<f64>; 3],
    alpha: f64,
    beta: f64,
    bias: Option<(bool, Vec<f64>)>,
    relu: bool,
    expected: Vec<f64>,
}

impl Case {
    fn new(cases: &mut Cases, [m, n, k]: [usize; 3], batch: [usize; 2]) -> Case {
        let layouts =
            [layout(cases, m, k, batch, true), layout(cases, k, n, batch, true), layout(cases, m, n, batch, false)];
        let beta = cases.pick(&[0.0, 0.0, 1.0, -0.5]);
        let mut values = [0, 1, 2].map(|i| (0..layouts[i].len).map(|_| cases.value()).collect::<Vec<_>>());
        if beta == 0.0 {
            // Must not be read.
            values[2].fill(f64::NAN);
        }
        let bias = match cases.below(3) {
            0 => None,
            by => {
                let by_row = by == 1;
                Some((by_row, (0..if by_row { m } else { n }).map(|_| cases.value()).collect()))
            }
        };
        let (alpha, relu) = (cases.pick(&[1.0, 1.0, 2.0, -0.25]), cases.below(3) == 0);
        let mut case = Case { sizes: [m, n, k], batch, layouts, values, alpha, beta, bias, relu, expected: Vec::new() };
        case.expected = case.by_definition();
        case
    }

    fn by_definition(&self) -> Vec<f64> {
        let [m, n, k] = self.sizes;
        let mut expected = self.values[2].clone();
        for (b0, b1) in (0..self.batch[0]).flat_map(|b0| (0..self.batch[1]).map(move |b1| (b0, b1))) {
            for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
                let a = |p| self.values[0][self.layouts[0].at([b0, b1], i, p)];
                let b = |p| self.values[1][self.layouts[1].at([b0, b1], p, j)];
                let mut x = self.alpha * (0..k).map(|p| a(p) * b(p)).sum::<f64>();
                let to = self.layouts[2].at([b0, b1], i, j);
                if self.beta != 0.0 {
                    x += self.beta * expected[to];
                }
                if let Some((by_row, bias)) = &self.bias {
                    x += bias[if *by_row { i } else { j }];
                }
                expected[to] = if self.relu { x.max(0.0) } else { x };
            }
        }
        expected
    }

    /// Runs the product in another element type.
    fn run<T: Copy>(&self, to: impl Fn(f64) -> T, from: impl Fn(T) -> f64, run: impl Fn(&Gemm<T>)) -> Vec<f64> {
        let [m, n, k] = self.sizes;
        let [a, b, mut c] = [0, 1, 2].map(|i| self.values[i].iter().map(|&x| to(x)).collect::<Vec<T>>());
        let bias = self.bias.as_ref().map(|(by_row, bias)| (*by_row, bias.iter().map(|&x| to(x)).collect::<Vec<T>>()));
        run(&Gemm {
            m,
            n,
            k,
            batch: self.batch,
            a: self.layouts[0].mat(&a),
            b: self.layouts[1].mat(&b),
            c: self.layouts[2].mat_mut(&mut c),
            alpha: to(self.alpha),
            beta: to(self.beta),
            bias: bias.as_ref().map(
                |(by_row, bias)| {
                    if *by_row { Bias::Row(bias.as_ptr()) } else { Bias::Column(bias.as_ptr()) }
                },
            ),
            relu: self.relu,
        });
        c.into_iter().map(from).collect()
    }

    /// Elements outside the result must not have changed, so all of the memory is compared.
    fn check(&self, got: &[f64], tolerance: f64, what: &str) {
        for (i, (&got, &expected)) in got.iter().zip(&self.expected).enumerate() {
            let same = (got.is_nan() && expected.is_nan()) || (got - expected).abs() <= tolerance;
            assert!(same, "{what} {:?} at {i}: {got} for {expected}", self.sizes);
        }
    }
}

fn check_all_kernels(case: &Case) {
    fn each<T: Float>(kernels: Vec<&'static Kernels<T>>) -> impl Iterator<Item = (&'static Kernels<T>, String)> {
        kernels.into_iter().map(|k| (k, format!("{} lanes", k.lanes)))
    }
    for (kernels, name) in each(all_f32()) {
        // SAFETY: the layouts describe the vectors.
        let got = case.run(|x| x as f32, f64::from, |gemm| unsafe { gemm.run_with(kernels) });
        case.check(&got, 0.0, &format!("f32 {name}"));
    }
    for (kernels, name) in each(all_f64()) {
        // SAFETY: as above.
        let got = case.run(|x| x, |x| x, |gemm| unsafe { gemm.run_with(kernels) });
        case.check(&got, 0.0, &format!("f64 {name}"));
    }
}

#[test]
fn small_products_of_any_strides_match_the_definition_exactly() {
    let mut cases = Cases(1);
    for _ in 0..600 {
        let sizes = [0; 3].map(|_| cases.pick(&[1, 1, 2, 3, 4, 5, 7, 8, 13, 15, 16, 17, 31, 33, 40]));
        let batch = [cases.pick(&[1, 1, 2]), cases.pick(&[1, 1, 3])];
        check_all_kernels(&Case::new(&mut cases, sizes, batch));
    }
}

#[test]
fn large_products_of_any_strides_match_the_definition_exactly() {
    let mut cases = Cases(2);
    for _ in 0..40 {
        let sizes = [0; 3].map(|_| cases.pick(&[3, 47, 64, 65, 97, 130, 200]));
        check_all_kernels(&Case::new(&mut cases, sizes, [1, 1 + usize::from(sizes[0] < 100)]));
    }
    // Sums cut into several blocks, and thin results.
    for sizes in [[20, 20, 1000], [1, 700, 900], [700, 1, 900], [2, 300, 500], [300, 3, 500], [70, 400, 800]] {
        for _ in 0..4 {
            check_all_kernels(&Case::new(&mut cases, sizes, [1, 1]));
        }
    }
}

#[test]
fn an_empty_sum_leaves_scaled_c_and_bias() {
    let mut cases = Cases(3);
    for sizes in [[1, 1, 0], [5, 7, 0], [1, 200, 0], [200, 300, 0], [200, 1, 0]] {
        for _ in 0..10 {
            check_all_kernels(&Case::new(&mut cases, sizes, [1, 2]));
        }
    }
}

#[test]
fn empty_results_touch_nothing() {
    for sizes in [[0, 3, 3], [3, 0, 3], [0, 0, 0]] {
        check_all_kernels(&Case::new(&mut Cases(4), sizes, [1, 1]));
    }
    check_all_kernels(&Case::new(&mut Cases(4), [2, 2, 2], [0, 1]));
}

#[test]
fn not_a_number_passes_the_activation() {
    for kernels in all_f32() {
        for bias in [0.0, 1.0] {
            let (a, b, mut c) = ([f32::NAN, -1.0], [1.0], [7.0; 2]);
            let bias = [bias; 2];
            let mats = (Mat::new(a.as_ptr(), 1, 1), Mat::new(b.as_ptr(), 1, 1), MatMut::new(c.as_mut_ptr(), 1, 1));
            let mut gemm = Gemm::new([2, 1, 1], mats.0, mats.1, mats.2);
            (gemm.bias, gemm.relu) = (Some(Bias::Row(bias.as_ptr())), true);
            // SAFETY: the sizes are those of the arrays.
            unsafe { gemm.run_with(kernels) };
            assert!(c[0].is_nan() && c[1] == 0.0);
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let mut cases = Cases(5);
    let (m, n, k) = (150, 333, 517);
    let a: Vec<f32> = (0..m * k).map(|_| cases.value() as f32 * 0.3).collect();
    let b: Vec<f32> = (0..k * n).map(|_| cases.value() as f32 * 0.7).collect();
    let product = || {
        let mut c = vec![0.0_f32; m * n];
        let (a, b) = (Mat::new(a.as_ptr(), k as isize, 1), Mat::new(b.as_ptr(), 1, k as isize));
        let c_mat = MatMut::new(c.as_mut_ptr(), n as isize, 1);
        // SAFETY: the sizes are those of the vectors.
        unsafe { Gemm::new([m, n, k], a, b, c_mat).run() };
        c
    };
    let before = num_threads();
    let results = [1, 2, 3, 7].map(|threads| {
        crate::pool::set_num_threads(threads).unwrap();
        product()
    });
    crate::pool::set_num_threads(before).unwrap();
    assert!(results.iter().all(|r| r == &results[0]));
}

#[test]
fn half_precision_rounds_the_single_precision_result_once() {
    let mut cases = Cases(6);
    for _ in 0..60 {
        let sizes = [0; 3].map(|_| cases.pick(&[1, 2, 5, 16, 33, 70]));
        let case = Case::new(&mut cases, sizes, [1, 2]);
        let (alpha, beta) = (case.alpha as f32, case.beta as f32);
        let rounded = |to: fn(f64) -> f64| case.expected.iter().map(|&x| to(x)).collect::<Vec<_>>();
        // SAFETY (both): the layouts describe the vectors.
        let got = case.run(::half::f16::from_f64, ::half::f16::to_f64, |g| unsafe { g.run_half(alpha, beta) });
        let expected = rounded(|x| ::half::f16::from_f64(x).to_f64());
        assert!(got.iter().zip(&expected).all(|(a, b)| a == b || a.is_nan() && b.is_nan()), "{sizes:?}");
        let got = case.run(::half::bf16::from_f64, ::half::bf16::to_f64, |g| unsafe { g.run_half(alpha, beta) });
        let expected = rounded(|x| ::half::bf16::from_f64(x).to_f64());
        assert!(got.iter().zip(&expected).all(|(a, b)| a == b || a.is_nan() && b.is_nan()), "{sizes:?}");
    }
}

#[test]
fn integers_match_the_definition_and_wrap() {
    let mut cases = Cases(7);
    for _ in 0..100 {
        let sizes = [0; 3].map(|_| cases.pick(&[0, 1, 2, 5, 16, 33]));
        let mut case = Case::new(&mut cases, sizes, [2, 1]);
        // Whole numbers: the integers mean the same modulo their range.
        (case.alpha, case.beta) = (case.alpha * 4.0, case.beta * 2.0);
        case.relu = false;
        let whole = |x: &mut f64| *x = if x.is_nan() { 77.0 } else { *x * 8.0 };
        case.values.iter_mut().flatten().for_each(whole);
        if let Some((_, bias)) = &mut case.bias {
            bias.iter_mut().for_each(whole);
        }
        case.expected = case.by_definition();
        // SAFETY (each): the layouts describe the vectors.
        let got = case.run(|x| x as i64, |x| x as f64, |g| unsafe { g.run_integer() });
        case.check(&got, 0.0, "i64");
        let got = case.run(|x| x as i64 as i32, f64::from, |g| unsafe { g.run_integer() });
        case.check(&got, 0.0, "i32");
        case.expected.iter_mut().for_each(|x| *x = f64::from(*x as i64 as i8));
        let got = case.run(|x| x as i64 as i8, f64::from, |g| unsafe { g.run_integer() });
        case.check(&got, 0.0, "i8");
    }
}
