//! What must hold of every row of the operation table. `OPERATION=name` checks a single one.
#![allow(clippy::unwrap_used)]

use firebrick_core::autograd::{Grad, gradcheck, gradgradcheck};
use firebrick_core::ops::sample::Trait;
use firebrick_core::ops::{Row, table};
use firebrick_core::{Error, Result, Tensor};

/// Rows whose gradient refuses to be differentiated, as PyTorch's does.
const ONCE: [&str; 1] = ["ctc_loss"];

/// Rows that draw a number for each element, in the order in which the elements lie in memory, as PyTorch's do.
const DRAWN: [&str; 2] = ["dropout", "alpha_dropout"];

fn rows() -> Vec<&'static Row> {
    let only = std::env::var("OPERATION").ok();
    let rows: Vec<_> = table().into_iter().filter(|row| only.as_ref().is_none_or(|name| name == row.name)).collect();
    assert!(!rows.is_empty(), "no such operation");
    rows
}

/// Runs `check` on every sample and reports all failures at once, with the number of rows and samples.
fn every_sample(what: &str, check: impl Fn(&firebrick_core::ops::sample::Sample) -> Result<()>) {
    every_sample_of(rows(), what, check);
}

fn every_sample_of(
    rows: Vec<&'static Row>,
    what: &str,
    check: impl Fn(&firebrick_core::ops::sample::Sample) -> Result<()>,
) {
    let (mut failures, mut samples) = (Vec::new(), 0);
    for row in &rows {
        for (i, sample) in (row.samples)().unwrap().iter().enumerate() {
            samples += 1;
            if let Err(error) = check(sample) {
                failures.push(format!("{} sample {i} ({:?}): {error:#}", row.name, sample.traits));
            }
        }
    }
    println!("{what}: {} rows, {samples} samples", rows.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn first_derivatives_are_those_of_finite_differences() {
    every_sample("first derivatives", |s| gradcheck(|x| (s.apply)(x), &s.inputs));
}

#[test]
fn second_derivatives_are_those_of_finite_differences() {
    let twice = rows().into_iter().filter(|row| !ONCE.contains(&row.name)).collect();
    every_sample_of(twice, "second derivatives", |s| gradgradcheck(|x| (s.apply)(x), &s.inputs));
}

#[test]
fn gradients_that_pytorch_does_not_differentiate_are_refused_a_second_time() {
    let once = rows().into_iter().filter(|row| ONCE.contains(&row.name)).collect();
    every_sample_of(once, "refused second derivatives", |s| {
        let inputs: Vec<&Tensor> = s.inputs.iter().collect();
        let output = (s.apply)(&s.inputs)?.sum()?;
        let grads = Grad::new(&[&output], &inputs).create_graph(true).run()?;
        let refused = grads[0].sum()?.backward().map(drop);
        assert!(refused.is_err_and(|error| error.to_string().ends_with("is not implemented")));
        Ok(())
    });
}

/// A gradient may be one kernel where nothing records and a composed formula where its own graph is recorded.
#[test]
fn gradients_are_the_same_with_and_without_their_own_graph() {
    every_sample("both gradients", |s| {
        let inputs: Vec<&Tensor> = s.inputs.iter().collect();
        let run = |create_graph: bool| {
            let output = (s.apply)(&s.inputs)?;
            if !output.requires_grad() {
                return Ok(Vec::new());
            }
            let cotangent = Tensor::full_with(output.shape(), 0.7, output.dtype())?;
            let grads = Grad::new(&[&output], &inputs).grad_outputs(&[Some(cotangent)]).create_graph(create_graph);
            let grads = grads.run_allow_unused()?.into_iter().flatten();
            grads.map(|g| g.detach().to_vec::<f64>()).collect::<Result<Vec<_>>>()
        };
        let (kernel, composed) = (run(false)?, run(true)?);
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * (1.0 + b.abs());
        assert!(kernel.concat().iter().zip(&composed.concat()).all(close), "{kernel:?} and {composed:?}");
        Ok(())
    });
}

/// How elements lie in memory says nothing about their values, nor do the layouts of intermediate results.
#[test]
fn results_and_gradients_are_the_same_in_any_layout() {
    let rows = rows().into_iter().filter(|row| !DRAWN.contains(&row.name)).collect();
    every_sample_of(rows, "layouts", |s| {
        let run = |first_dim_inside: bool| -> Result<Vec<Vec<f64>>> {
            let lay = |x: &Tensor| match first_dim_inside && x.dim() > 1 {
                true => x.detach().transpose(0, -1)?.contiguous()?.transpose(0, -1)?.requires_grad_(true).cloned(),
                false => x.detach().contiguous()?.requires_grad_(true).cloned(),
            };
            let inputs = s.inputs.iter().map(lay).collect::<Result<Vec<_>>>()?;
            let output = (s.apply)(&inputs)?;
            let mut values = vec![output.detach().to_vec::<f64>()?];
            if output.requires_grad() {
                let cotangent = Tensor::arange(output.numel() as i64)?.to(output.dtype())?.reshape(output.shape())?;
                let inputs: Vec<&Tensor> = inputs.iter().collect();
                let grads = Grad::new(&[&output], &inputs).grad_outputs(&[Some(cotangent)]).run_allow_unused()?;
                values.extend(grads.iter().flatten().map(Tensor::to_vec::<f64>).collect::<Result<Vec<_>>>()?);
            }
            Ok(values)
        };
        let (row_major, other) = (run(false)?, run(true)?);
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * (1.0 + b.abs()) || a.is_nan() && b.is_nan();
        match other.concat().iter().zip(&row_major.concat()).all(close) {
            true => Ok(()),
            false => Err(Error::runtime("layouts", format!("{other:?} and {row_major:?}"))),
        }
    });
}

#[test]
fn every_row_has_plain_strided_empty_and_zero_dimensional_samples() {
    for row in rows() {
        let traits: Vec<Trait> = (row.samples)().unwrap().iter().map(|s| s.traits).collect();
        for wanted in [Trait::Plain, Trait::Strided, Trait::Empty] {
            assert!(traits.contains(&wanted), "{} has no {wanted:?} sample", row.name);
        }
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> = rows().iter().map(|row| row.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}
