//! Whatever a caller gives, an operation returns `Ok` or `Err`: it never panics, aborts or hangs.
//!
//! Every row of the table of operations is called through its samples with inputs of every kind put in their place.
//! `OPERATION=name` checks a single one.
#![allow(clippy::unwrap_used, clippy::panic)]

mod adversary;

use adversary::{Failures, inputs, on_mock, uninitialized};
use firebrick_core::ops::{Row, table};
use firebrick_core::{DType, Device, Result, Tensor, accelerator};

fn rows() -> Vec<&'static Row> {
    let only = std::env::var("OPERATION").ok();
    table().into_iter().filter(|row| only.as_ref().is_none_or(|name| name == row.name)).collect()
}

/// Calls every sample of `rows` with what `replace` makes of its inputs, forward and backward.
fn every_row(
    what: &str,
    rows: impl IntoIterator<Item = &'static Row>,
    replace: impl Fn(&[Tensor]) -> Vec<Vec<Tensor>>,
    check: impl Fn(&Result<Tensor>) -> bool,
) {
    let mut failures = Failures::new(what);
    for row in rows {
        for (i, sample) in (row.samples)().unwrap().iter().enumerate() {
            for (k, given) in replace(&sample.inputs).into_iter().enumerate() {
                let name = format!("{} sample {i} replacement {k}: {}", row.name, adversary::described(&given));
                failures.run(&name, || {
                    let out = (sample.apply)(&given);
                    if !check(&out) {
                        return Some(format!("{:?}", out.map(|t| t.shape())));
                    }
                    if let Ok(out) = out
                        && out.requires_grad()
                        && let Ok(total) = out.sum()
                    {
                        let _ = total.backward();
                    }
                    None
                });
            }
        }
    }
    failures.report();
}

#[test]
fn inputs_of_any_shape_value_and_layout_do_no_harm() {
    let every = inputs();
    every_row(
        "shapes and values",
        rows(),
        |given| {
            let one = |at: usize| {
                every.iter().map(move |new| {
                    let mut given = given.to_vec();
                    given[at] = new.clone();
                    given
                })
            };
            let all = every.iter().map(|new| vec![new.clone(); given.len()]);
            (0..given.len()).flat_map(one).chain(all).collect()
        },
        |_| true,
    );
}

#[test]
fn inputs_of_every_dtype_do_no_harm() {
    every_row(
        "dtypes",
        rows(),
        |given| {
            let cast = |x: &Tensor, dtype| x.detach().to(dtype).unwrap();
            let one = |at: usize| {
                DType::ALL.into_iter().map(move |dtype| {
                    let mut given = given.to_vec();
                    given[at] = cast(&given[at], dtype);
                    given
                })
            };
            let all = DType::ALL.into_iter().map(|dtype| given.iter().map(|x| cast(x, dtype)).collect());
            (0..given.len()).flat_map(one).chain(all).collect()
        },
        |_| true,
    );
}

#[test]
fn inputs_of_different_devices_are_refused() {
    accelerator::enable_mock(2);
    every_row(
        "devices",
        // Assigning copies the value to where the tensor is.
        rows().into_iter().filter(|row| row.name != "set"),
        |given| {
            // A number of the processor may join any device.
            let ranked = |x: &Tensor| x.dim() > 0 && x.numel() > 0;
            let fits = |at: &usize| given.len() > 1 && given.iter().all(ranked) && *at < given.len();
            let moved = |at: usize| {
                let mut given = given.to_vec();
                given[at] = on_mock(&given[at], 0);
                given
            };
            (0..given.len()).filter(fits).map(moved).collect()
        },
        |out| match out {
            Ok(_) => false,
            Err(error) => error.to_string().starts_with("Expected all tensors to be on the same device"),
        },
    );
}

#[test]
fn inputs_that_are_all_on_another_device_give_the_same_numbers() {
    accelerator::enable_mock(2);
    let mut failures = Failures::new("one other device");
    for row in rows() {
        for (i, sample) in (row.samples)().unwrap().iter().enumerate() {
            failures.run(&format!("{} sample {i} on the mock device", row.name), || {
                let given: Vec<Tensor> = sample.inputs.iter().map(|x| on_mock(x, 1)).collect();
                // Samples that close over a tensor of the processor are refused, which is right.
                let Ok(out) = (sample.apply)(&given) else { return None };
                // `to` goes where its sample says.
                if out.device() == Device::Cpu && row.name != "to" {
                    return Some("the result is not on the device".into());
                }
                let random = row.name.contains("dropout") || matches!(row.name, "bernoulli" | "normal" | "rrelu");
                let expected = (sample.apply)(&sample.inputs).unwrap().to_vec::<f64>().unwrap();
                let got = out.to_vec::<f64>().unwrap();
                let same = got.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits());
                (!(random || same && got.len() == expected.len())).then(|| format!("{got:?} and not {expected:?}"))
            });
        }
    }
    failures.report();
}

#[test]
fn parameters_without_a_shape_are_refused_by_every_operation() {
    every_row(
        "uninitialized",
        rows(),
        |given| {
            let one = |at: usize| {
                let mut given = given.to_vec();
                given[at] = uninitialized();
                given
            };
            (0..given.len()).map(one).collect()
        },
        |out| match out {
            Ok(_) => false,
            Err(error) => error.to_string().contains("uninitialized parameter"),
        },
    );
}
