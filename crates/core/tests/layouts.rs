//! Layouts of results: strides as PyTorch's, values as those of row-major operands.
#![allow(clippy::unwrap_used)]

use firebrick_core::{DType, Result, Tensor};

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
