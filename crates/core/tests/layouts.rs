//! Layouts of results: strides as PyTorch's, values as those of row-major operands.
#![allow(clippy::unwrap_used)]

use firebrick_core::MemoryFormat::{ChannelsLast, ChannelsLast3d};
use firebrick_core::autograd::Grad;
use firebrick_core::{
    AvgPoolOptions, ConvOptions, ConvTransposeOptions, DType, InterpolateMode, InterpolateOptions, PoolOptions, Result,
    Tensor,
};

fn numbers(list: &str) -> Vec<usize> {
    list.split(',').filter(|n| !n.is_empty()).map(|n| n.parse().unwrap()).collect()
}

/// The tensor that `shape/strides` describes, with small numbers of either sign.
fn operand(text: &str) -> Tensor {
    let dtype = if text.starts_with("i:") { DType::I32 } else { DType::F32 };
    let (shape, strides) = text.trim_start_matches("i:").split_once('/').unwrap();
    let (shape, strides) = (numbers(shape), numbers(strides));
    let reach: usize = shape.iter().zip(&strides).map(|(&n, s)| n.saturating_sub(1) * s).sum();
    let storage = Tensor::arange(reach as i64 + 1).unwrap().remainder(7).unwrap().sub(3).unwrap();
    storage.to(dtype).unwrap().as_strided(shape, strides, None).unwrap()
}

fn run(name: &str, x: &[Tensor]) -> Result<Tensor> {
    match name {
        "neg" => x[0].neg(),
        "exp" => x[0].exp(),
        "add_number" => x[0].add(2),
        "number_sub" => x[0].rsub(2, 1),
        "clamp" => x[0].clamp(0, 5),
        "to_f64" => x[0].to(DType::F64),
        "copy" => x[0].copy(),
        "zeros_like" => x[0].zeros_like(),
        "add" => x[0].add(&x[1]),
        "lt" => x[0].lt(&x[1]),
        "masked_fill" => x[0].masked_fill(&x[1].gt(0)?, 1),
        "where" => Tensor::where_(&x[0].gt(0)?, &x[1], &x[2]),
        "addcmul" => x[0].addcmul(&x[1], &x[2], 1),
        other => panic!("no operation {other}"),
    }
}

/// `layouts.py` wrote down what PyTorch 2.15 does.
#[test]
fn elementwise_results_lie_as_pytorchs() {
    let mut failures = Vec::new();
    let mut count = 0;
    for line in include_str!("data/layouts.txt").lines() {
        let (case, strides) = line.split_once(" =").unwrap();
        let mut words = case.split(' ');
        let name = words.next().unwrap();
        let operands: Vec<Tensor> = words.map(operand).collect();
        let row_major: Vec<Tensor> = operands.iter().map(|x| x.contiguous().unwrap()).collect();
        let (result, plain) = (run(name, &operands).unwrap(), run(name, &row_major).unwrap());
        assert_eq!(result.dtype(), plain.dtype(), "{case}");
        assert_eq!(result.to_vec::<f64>().unwrap(), plain.to_vec::<f64>().unwrap(), "{case}");
        let got = result.stride();
        if got[..] != numbers(strides.trim())[..] {
            failures.push(format!("{line}, got {got:?}"));
        }
        count += 1;
    }
    assert!(failures.is_empty() && count >= 150, "{} of {count}:\n{}", failures.len(), failures.join("\n"));
}

fn counted(shape: &[usize]) -> Tensor {
    let n = shape.iter().product::<usize>() as i64;
    Tensor::arange(n).unwrap().remainder(11).unwrap().to(DType::F32).unwrap().reshape(shape).unwrap()
}

fn channels_last(x: &Tensor) -> Tensor {
    x.contiguous_in(if x.dim() == 4 { ChannelsLast } else { ChannelsLast3d }).unwrap()
}

fn is_channels_last(x: &Tensor) -> bool {
    (x.is_contiguous_in(ChannelsLast) || x.is_contiguous_in(ChannelsLast3d)) && !x.is_contiguous()
}

fn interpolated(x: &Tensor, mode: InterpolateMode) -> Result<Tensor> {
    x.interpolate(&InterpolateOptions::new().scale_factor(2.0).mode(mode))
}

/// An operation; do its result, and the gradient for one that lies as the result does or is row-major, have their channels
/// last when the input has?
type Case = (&'static str, usize, [bool; 3], fn(&Tensor) -> Result<Tensor>);

/// What PyTorch 2.15 does in single precision.
const CASES: [Case; 25] = [
    ("conv2d", 4, [true, true, true], |x| x.conv2d(&counted(&[8, 4, 3, 3]), None, &ConvOptions::new())),
    ("conv2d with groups", 4, [true, true, true], |x| {
        x.conv2d(&counted(&[8, 2, 3, 3]), Some(&counted(&[8])), &ConvOptions::new().groups(2).padding(1))
    }),
    ("conv2d in double precision", 4, [true, true, true], |x| {
        x.to(DType::F64)?.conv2d(&counted(&[8, 4, 3, 3]).to(DType::F64)?, None, &ConvOptions::new())
    }),
    ("conv3d", 5, [true, true, true], |x| x.conv3d(&counted(&[8, 4, 3, 3, 3]), None, &ConvOptions::new())),
    ("conv_transpose2d", 4, [true, true, true], |x| {
        x.conv_transpose2d(&counted(&[4, 8, 3, 3]), Some(&counted(&[8])), &ConvTransposeOptions::new())
    }),
    ("max_pool2d", 4, [true, true, true], |x| x.max_pool2d(2, &PoolOptions::new())),
    ("max_pool3d", 5, [true, true, true], |x| x.max_pool3d(2, &PoolOptions::new())),
    ("avg_pool2d", 4, [true, true, true], |x| x.avg_pool2d(2, &AvgPoolOptions::new())),
    ("avg_pool3d", 5, [false, false, false], |x| x.avg_pool3d(2, &AvgPoolOptions::new())),
    ("adaptive_avg_pool3d", 5, [false, false, false], |x| x.adaptive_avg_pool3d(2)),
    ("batch_norm", 4, [true, true, true], |x| {
        let by_channel = counted(&[4]).add(1)?;
        x.batch_norm(None, None, Some(&by_channel), Some(&by_channel), true, 0.1, 1e-5)
    }),
    ("batch_norm of volumes", 5, [true, true, true], |x| {
        let by_channel = counted(&[4]).add(1)?;
        x.batch_norm(Some(&by_channel), Some(&by_channel), None, None, false, 0.1, 1e-5)
    }),
    ("instance_norm", 4, [false, false, false], |x| x.instance_norm(None, None, None, None, true, 0.1, 1e-5)),
    ("group_norm", 4, [true, true, true], |x| x.group_norm(2, None, None, 1e-5)),
    ("layer_norm", 4, [false, false, false], |x| x.layer_norm([6, 5], None, None, 1e-5)),
    ("interpolate bilinear", 4, [true, true, false], |x| interpolated(x, InterpolateMode::Bilinear)),
    ("interpolate trilinear", 5, [true, true, false], |x| interpolated(x, InterpolateMode::Trilinear)),
    ("constant_pad_nd", 4, [true, true, false], |x| x.constant_pad_nd([1, 1, 0, 2], 0.5)),
    ("flip", 4, [true, true, false], |x| x.flip(1)),
    ("roll", 4, [true, true, false], |x| x.roll(1, 1)),
    ("softmax", 4, [false, false, false], |x| x.softmax(1)),
    ("gather", 4, [false, false, false], |x| x.gather(1, &Tensor::zeros_with(x.shape(), DType::I64)?)),
    ("relu", 4, [true, true, true], |x| x.sub(4)?.relu()),
    ("add a bias", 4, [true, true, false], |x| x.add(counted(&[4, 1, 1]))),
    ("masked_fill", 4, [false, false, false], |x| x.masked_fill(&x.detach().gt(3)?, 0)),
];

#[test]
fn operations_of_images_keep_their_format_where_pytorch_does() {
    let mut failures = Vec::new();
    for (name, rank, expected, f) in CASES {
        let values = counted(&[2, 4, 6, 5, 4][..rank]);
        let x = channels_last(&values);
        x.requires_grad_(true).unwrap();
        values.requires_grad_(true).unwrap();
        let (out, plain) = (f(&x).unwrap(), f(&values).unwrap());
        let alike = out.sub(&plain).unwrap().abs().unwrap().max().unwrap().item::<f64>().unwrap();
        assert!(alike < 1e-5, "{name}: values differ by {alike}");
        let grad_of = |out: &Tensor, x: &Tensor, g: &Tensor| {
            Grad::new(&[out], &[x]).grad_outputs(&[Some(g.clone())]).retain_graph(true).run().unwrap().remove(0)
        };
        let g = counted(&plain.shape()).to(plain.dtype()).unwrap();
        let like_out = out.detach().zeros_like().unwrap().add(&g).unwrap();
        let grads = [grad_of(&out, &x, &like_out), grad_of(&out, &x, &g)];
        let wanted = grad_of(&plain, &values, &g);
        for grad in &grads {
            let apart = grad.sub(&wanted).unwrap().abs().unwrap().max().unwrap().item::<f64>().unwrap();
            assert!(apart < 1e-4, "{name}: gradients differ by {apart}");
        }
        let got = [is_channels_last(&out), is_channels_last(&grads[0]), is_channels_last(&grads[1])];
        if got != expected {
            failures.push(format!("{name}: {got:?}, not {expected:?}"));
        }
        assert!(is_channels_last(&plain) || plain.is_contiguous(), "{name}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn complex_results_lie_as_pytorchs() {
    type Case = (fn(&Tensor) -> Result<Tensor>, [usize; 2]);
    let cases: [Case; 8] = [
        (|z| z.mul(z), [1, 4]),
        (|z| z.mul(&z.real()?), [1, 4]),
        (|z| z.exp(), [1, 4]),
        (|z| z.abs(), [1, 4]),
        (|z| z.sgn(), [1, 4]),
        (|z| z.eq(z), [1, 4]),
        (|z| z.angle(), [3, 1]),
        (|z| Tensor::polar(&z.real()?, &z.imag()?), [1, 4]),
    ];
    let (re, im) = (counted(&[3, 4]).t().unwrap(), counted(&[4, 3]));
    let z = Tensor::complex(&re, &im).unwrap();
    let plain = z.contiguous().unwrap();
    assert_eq!(z.stride().to_vec(), [1, 4]);
    for (i, (f, strides)) in cases.into_iter().enumerate() {
        let (out, expected) = (f(&z).unwrap(), f(&plain).unwrap());
        assert_eq!(out.stride().to_vec(), strides, "case {i}");
        assert_eq!(out.to_vec::<firebrick_core::Complex<f64>>().unwrap(), expected.to_vec().unwrap(), "case {i}");
    }
}

#[test]
fn an_image_of_nearest_neighbours_has_the_format_of_the_first() {
    for shape in [&[2, 4, 6, 5][..], &[2, 4, 6, 5, 3]] {
        let (x, plain) = (channels_last(&counted(shape)), counted(shape));
        let (out, expected) = [&x, &plain].map(|x| interpolated(x, InterpolateMode::Nearest).unwrap()).into();
        assert!(is_channels_last(&out) && expected.is_contiguous());
        assert_eq!(out.to_vec::<f32>().unwrap(), expected.to_vec::<f32>().unwrap());
    }
}

#[test]
fn moved_elements_lie_as_before() {
    type Move = (fn(&Tensor) -> Result<Tensor>, [usize; 4]);
    // Strides that PyTorch 2.15 gives.
    let moves: [Move; 5] = [
        (|x| Ok(x.sort(1, false)?.0), [192, 1, 32, 8]),
        (|x| Ok(x.sort(2, true)?.1), [192, 1, 32, 8]),
        (|x| x.pixel_shuffle(2), [192, 1, 16, 2]),
        (|x| x.pixel_unshuffle(2), [192, 1, 64, 32]),
        (|x| x.channel_shuffle(2), [192, 1, 32, 8]),
    ];
    let plain = counted(&[2, 8, 6, 4]);
    let x = channels_last(&plain);
    for (i, (f, strides)) in moves.into_iter().enumerate() {
        let (out, expected) = (f(&x).unwrap(), f(&plain).unwrap());
        assert_eq!(out.stride().to_vec(), strides, "move {i}");
        assert_eq!(out.to_vec::<f64>().unwrap(), expected.to_vec::<f64>().unwrap(), "move {i}");
    }
    let turned = counted(&[3, 4]).t().unwrap();
    assert_eq!(turned.sort(0, false).unwrap().0.stride().to_vec(), [1, 4]);
}

#[test]
fn a_kernel_with_its_channels_last_makes_such_images() {
    let w = channels_last(&counted(&[8, 4, 3, 3]));
    let x = counted(&[2, 4, 6, 5]);
    assert!(is_channels_last(&x.conv2d(&w, None, &ConvOptions::new()).unwrap()));
    let w3 = channels_last(&counted(&[8, 4, 3, 3, 3]));
    let volume = counted(&[2, 4, 6, 5, 4]);
    assert!(is_channels_last(&volume.conv3d(&w3, None, &ConvOptions::new()).unwrap()));
    let double = volume.to(DType::F64).unwrap();
    let out = double.conv3d(&w3.to(DType::F64).unwrap(), None, &ConvOptions::new()).unwrap();
    assert!(out.is_contiguous());
}

#[test]
fn joined_images_have_the_format_that_all_parts_have() {
    let (x, plain) = (channels_last(&counted(&[2, 4, 6, 5])), counted(&[2, 4, 6, 5]));
    assert_eq!(Tensor::cat(&[&x, &x], 1).unwrap().stride().to_vec(), [240, 1, 40, 8]);
    assert!(Tensor::cat(&[&x, &plain], 1).unwrap().is_contiguous());
    let (joined, expected) = (Tensor::cat(&[&x, &x], 2).unwrap(), Tensor::cat(&[&plain, &plain], 2).unwrap());
    assert_eq!(joined.to_vec::<f32>().unwrap(), expected.to_vec::<f32>().unwrap());
}

/// `AccumulateGrad`'s contract: as the leaf where that has no gaps, else row-major.
#[test]
fn the_gradient_of_a_leaf_lies_as_the_leaf() {
    let strides = |leaf: &Tensor, f: &dyn Fn(&Tensor) -> Result<Tensor>| {
        leaf.requires_grad_(true).unwrap();
        f(leaf).unwrap().sum().unwrap().backward().unwrap();
        leaf.grad().unwrap().stride().to_vec()
    };
    let plain = counted(&[2, 4, 6, 5]);
    let times = |x: &Tensor| x.mul(&plain);
    assert_eq!(strides(&channels_last(&plain).detach(), &times), [120, 1, 20, 4]);
    assert_eq!(strides(&counted(&[3, 2]).t().unwrap().detach(), &|x| x.exp()), [1, 2]);
    let gaps = counted(&[3, 4]).narrow(1, 0, 2).unwrap().detach();
    assert_eq!(strides(&gaps, &|x| x.exp()), [2, 1]);
    let turned = |x: &Tensor| x.mul(channels_last(&counted(&[2, 4, 6, 5])));
    assert_eq!(strides(&counted(&[2, 4, 6, 5]), &turned), [120, 30, 5, 1]);
}
