//! Kernels give the same results however their operands lie in memory, and the right ones at sizes that take several pieces.
#![allow(clippy::unwrap_used)]

use firebrick_core::{Generator, Result, Tensor};

/// Matrices of `[rows, columns]` in different layouts: as they are, transposed, sliced, broadcast along either side.
fn layouts(rows: i64, columns: i64) -> Result<Vec<Tensor>> {
    let (r, c) = (rows, columns);
    Ok(vec![
        Tensor::randn([r, c])?,
        Tensor::randn([c, r])?.t()?,
        Tensor::randn([r, 2 * c])?.narrow(1, c / 2, c)?,
        Tensor::randn([r, c])?.flip([1])?,
        Tensor::randn([c])?.expand([r, c])?,
        Tensor::randn([r, 1])?.expand([r, c])?,
        Tensor::randn([1])?.expand([r, c])?,
    ])
}

/// The elements in row-major order, picked one by one.
fn elements(x: &Tensor) -> Result<Vec<f32>> {
    let all = x.shape().iter().product::<usize>();
    let columns = *x.shape().last().unwrap_or(&1);
    (0..all).map(|i| x.select(0, (i / columns) as i64)?.select(0, (i % columns) as i64)?.item::<f32>()).collect()
}

#[test]
fn copies_put_every_element_in_its_place() -> Result<()> {
    Generator::new().manual_seed(1).scope(|| {
        for (rows, columns) in [(3, 5), (16, 32), (48, 16), (33, 70)] {
            for x in layouts(rows, columns)? {
                assert_eq!(x.contiguous()?.to_vec::<f32>()?, elements(&x)?, "{rows} x {columns}");
            }
        }
        Ok(())
    })
}

#[test]
fn elementwise_results_do_not_depend_on_layouts() -> Result<()> {
    Generator::new().manual_seed(2).scope(|| {
        for (rows, columns) in [(3, 5), (64, 48), (160, 128), (7, 300), (300, 9), (2, 20_000)] {
            let all = layouts(rows, columns)?;
            for x in &all {
                for y in &all {
                    let (a, b) = (x.contiguous()?.to_vec::<f32>()?, y.contiguous()?.to_vec::<f32>()?);
                    let expected: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
                    assert_eq!(x.sub(y)?.contiguous()?.to_vec::<f32>()?, expected, "{rows} x {columns}");
                    let target = x.contiguous()?;
                    target.sub_(y)?;
                    assert_eq!(target.to_vec::<f32>()?, expected, "in place, {rows} x {columns}");
                }
            }
        }
        Ok(())
    })
}

#[test]
fn in_place_changes_of_views_stay_within_them() -> Result<()> {
    Generator::new().manual_seed(3).scope(|| {
        for (rows, columns) in [(32, 48), (5, 300)] {
            let base = Tensor::randn([columns, 2 * rows])?;
            let before = base.to_vec::<f32>()?;
            base.narrow(1, 0, rows)?.t()?.add_(1.0)?;
            let inside = |i: usize| i % (2 * rows as usize) < rows as usize;
            let expected = before.iter().enumerate().map(|(i, v)| if inside(i) { v + 1.0 } else { *v });
            assert_eq!(base.to_vec::<f32>()?, expected.collect::<Vec<_>>());
        }
        Ok(())
    })
}

fn close(found: &[f32], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((*f as f64 - e).abs() <= 2e-6 * e.abs().max(1.0), "{what}: element {i} is {f}, not {e}");
    }
}

#[test]
fn reductions_are_those_of_double_precision() -> Result<()> {
    Generator::new().manual_seed(4).scope(|| {
        for (rows, columns) in [(3, 5), (300, 40), (1000, 257), (33, 1500), (5000, 300)] {
            for x in layouts(rows, columns)? {
                let (v, n) = (x.contiguous()?.to_vec::<f32>()?, columns as usize);
                let column = |f: &dyn Fn(f64, f64) -> f64, first: f64| -> Vec<f64> {
                    (0..n).map(|c| v.iter().skip(c).step_by(n).fold(first, |a, &b| f(a, b as f64))).collect()
                };
                let what = format!("{rows} x {columns}");
                let sums = column(&|a, b| a + b, 0.0);
                let means: Vec<f64> = sums.iter().map(|s| s / rows as f64).collect();
                close(&x.mean_dim([0], false)?.to_vec::<f32>()?, &means, &what);
                close(&x.amax([0], false)?.to_vec::<f32>()?, &column(&f64::max, f64::NEG_INFINITY), &what);
                let lines: Vec<f64> =
                    v.chunks(n).map(|l| l.iter().map(|&v| v as f64).sum::<f64>() / n as f64).collect();
                close(&x.mean_dim([1], false)?.to_vec::<f32>()?, &lines, &what);
            }
        }
        Ok(())
    })
}

#[test]
fn softmax_is_that_of_double_precision_along_both_dimensions() -> Result<()> {
    Generator::new().manual_seed(5).scope(|| {
        for (rows, columns) in [(3, 5), (70, 300), (1100, 40)] {
            for x in layouts(rows, columns)? {
                let wide = x.to(firebrick_core::DType::F64)?;
                for dim in [0, 1] {
                    let what = format!("{rows} x {columns}, {dim}");
                    close(&x.softmax(dim)?.to_vec::<f32>()?, &wide.softmax(dim)?.to_vec::<f64>()?, &what);
                    close(&x.log_softmax(dim)?.to_vec::<f32>()?, &wide.log_softmax(dim)?.to_vec::<f64>()?, &what);
                }
            }
        }
        Ok(())
    })
}
