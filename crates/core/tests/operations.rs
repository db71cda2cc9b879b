//! What must hold of every row of the operation table. `OPERATION=name` checks a single one.
#![allow(clippy::unwrap_used)]

use firebrick_core::autograd::{Grad, gradcheck, gradgradcheck};
use firebrick_core::ops::sample::Trait;
use firebrick_core::ops::{Row, table};
use firebrick_core::{Result, Tensor};

/// Rows whose gradient refuses to be differentiated, as PyTorch's does.
const ONCE: [&str; 1] = ["ctc_loss"];

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
