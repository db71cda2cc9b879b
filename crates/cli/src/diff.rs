//! `firebrick diff`: what two files have in common and what not.

use super::args::Diff;
use super::output::{BAD, CHANGED, GOOD, PLAIN, count, grouped, number, shown};
use super::progress::Progress;
use super::source::{self, Chosen, Source};
use super::values::chunks;
use super::{Failure, Outcome};
use firebrick_core::{DType, Result, Tensor};
use std::collections::{HashMap, HashSet};
use std::io::Write;

/// Which differences between two values count.
#[derive(Clone, Copy)]
struct Tolerance {
    atol: f64,
    rtol: f64,
}

/// How the values of two tensors of one shape differ.
#[derive(Debug, Default, PartialEq)]
struct Difference {
    /// Values that differ, of how many.
    count: usize,
    total: usize,
    /// The largest difference, where it is, in row-major order, and the two values there.
    largest: f64,
    at: usize,
    values: (f64, f64),
}

#[derive(Default)]
struct Tally {
    same: usize,
    different: usize,
    only: [usize; 2],
}

pub fn run(args: &Diff, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let options = args.renames.options(args.filter.options());
    let (a, b) = (source::open(&args.a)?, source::open(&args.b)?);
    let (left, right) = (source::choose(&*a, &options)?, source::choose(&*b, &options)?);
    let tolerance = Tolerance { atol: args.atol, rtol: args.rtol };
    let mut sink = std::io::sink();
    let out: &mut dyn Write = if args.quiet { &mut sink } else { out };
    let tally = compare(&*a, &left, &*b, &right, tolerance, out)?;
    let Tally { same, different, only: [only_a, only_b] } = tally;
    let fine = different + only_a + only_b == 0;
    let style = if fine { GOOD } else { BAD };
    writeln!(
        out,
        "{style}{} the same{PLAIN}, {different} different, {only_a} only in the first file, {only_b} only in the second",
        count(same, "tensor")
    )?;
    Ok(if fine { Outcome::Fine } else { Outcome::Otherwise })
}

fn compare(
    a: &dyn Source,
    left: &[Chosen],
    b: &dyn Source,
    right: &[Chosen],
    tolerance: Tolerance,
    out: &mut dyn Write,
) -> Result<Tally, Failure> {
    let progress = Progress::new(source::total(left));
    let others: HashMap<&str, &Chosen> = right.iter().map(|chosen| (chosen.name.as_str(), chosen)).collect();
    let mut tally = Tally::default();
    for x in left {
        progress.at(&x.name);
        match others.get(x.name.as_str()) {
            None => {
                tally.only[0] += 1;
                writeln!(out, "{BAD}- {}{PLAIN}  {}", shown(&x.name), described(x))?;
            }
            Some(y) => match difference(a, x, b, y, tolerance)? {
                None => tally.same += 1,
                Some(text) => {
                    tally.different += 1;
                    writeln!(out, "{CHANGED}~ {}{PLAIN}  {text}", shown(&x.name))?;
                }
            },
        }
        progress.done(x.entry.bytes);
    }
    let names: HashSet<&str> = left.iter().map(|chosen| chosen.name.as_str()).collect();
    for y in right.iter().filter(|chosen| !names.contains(chosen.name.as_str())) {
        tally.only[1] += 1;
        writeln!(out, "{GOOD}+ {}{PLAIN}  {}", shown(&y.name), described(y))?;
    }
    Ok(tally)
}

fn described(chosen: &Chosen) -> String {
    format!("{} {:?}", chosen.entry.dtype, chosen.entry.shape)
}

/// What differs between two tensors of one name; `None` if nothing does.
fn difference(a: &dyn Source, x: &Chosen, b: &dyn Source, y: &Chosen, tolerance: Tolerance) -> Result<Option<String>> {
    if x.entry.shape != y.entry.shape {
        return Ok(Some(format!("shape {:?} and {:?}", x.entry.shape, y.entry.shape)));
    }
    let mut texts = Vec::new();
    if x.entry.dtype != y.entry.dtype {
        texts.push(format!("dtype {} and {}", x.entry.dtype, y.entry.dtype));
    }
    let (x_values, y_values) = (x.entry.values(a)?, y.entry.values(b)?);
    if let Some(found) = Difference::between(&x_values, &y_values, tolerance)? {
        let at = index(found.at, &x_values.shape(), found.total / x_values.numel().max(1));
        let (p, q) = found.values;
        texts.push(format!(
            "{} of {} differ, by at most {} (at {at:?}: {} and {})",
            grouped(found.count),
            count(found.total, "value"),
            number(found.largest),
            number(p),
            number(q)
        ));
    }
    Ok((!texts.is_empty()).then(|| texts.join("; ")))
}

/// The index of an element by its place in row-major order; elements may have several parts.
fn index(place: usize, shape: &[usize], parts: usize) -> Vec<usize> {
    let mut place = place / parts.max(1);
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&size| {
            let at = place % size.max(1);
            place /= size.max(1);
            at
        })
        .collect();
    index.reverse();
    index
}

impl Difference {
    fn between(x: &Tensor, y: &Tensor, tolerance: Tolerance) -> Result<Option<Difference>> {
        // One that is complex makes the other so.
        let complex = |t: &Tensor, other: &Tensor| match other.is_complex() && !t.is_complex() {
            true => t.to(DType::C128),
            false => Ok(t.clone()),
        };
        let (x, y) = (complex(x, y)?, complex(y, x)?);
        let mut found = Difference::default();
        for (p, q) in chunks(&x)?.zip(chunks(&y)?) {
            found.add(&p?, &q?, tolerance)?;
        }
        Ok((found.count > 0).then_some(found))
    }

    /// Compares the next values.
    fn add(&mut self, x: &Tensor, y: &Tensor, tolerance: Tolerance) -> Result<()> {
        let integers = [x, y].iter().all(|t| !t.dtype().is_floating_point());
        if x.dtype() == y.dtype() && x.to_bytes()? == y.to_bytes()? {
            self.total += x.numel();
            return Ok(());
        }
        let (p, q) = (x.to_vec::<f64>()?, y.to_vec::<f64>()?);
        // Large integers are not exact as numbers of floating point.
        let exact: Option<(Vec<i64>, Vec<i64>)> = if integers { Some((x.to_vec()?, y.to_vec()?)) } else { None };
        for (i, (p, q)) in p.into_iter().zip(q).enumerate() {
            let distance = match &exact {
                Some((p, q)) => p[i].abs_diff(q[i]) as f64,
                None if p == q || (p.is_nan() && q.is_nan()) => 0.0,
                None if p.is_nan() || q.is_nan() => f64::INFINITY,
                None => (p - q).abs(),
            };
            let allowed = tolerance.atol + tolerance.rtol * if q.is_finite() { q.abs() } else { 0.0 };
            if distance > allowed {
                if self.count == 0 || distance > self.largest {
                    (self.largest, self.at, self.values) = (distance, self.total + i, (p, q));
                }
                self.count += 1;
            }
        }
        self.total += x.numel();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXACT: Tolerance = Tolerance { atol: 0.0, rtol: 0.0 };

    #[test]
    fn the_largest_difference_is_found_and_tolerated() -> Result<()> {
        let x = Tensor::arange(100_000)?.to(DType::F32)?;
        let y = x.copy()?;
        assert_eq!(Difference::between(&x, &y, EXACT)?, None);
        y.narrow(0, 70_000, 1)?.add_(0.5)?;
        y.narrow(0, 3, 1)?.sub_(0.25)?;
        let found = Difference::between(&x, &y, EXACT)?;
        let expected = Difference { count: 2, total: 100_000, largest: 0.5, at: 70_000, values: (7e4, 70_000.5) };
        assert_eq!(found, Some(expected));
        assert_eq!(Difference::between(&x, &y, Tolerance { atol: 0.5, rtol: 0.0 })?, None);
        let relative = Difference::between(&x, &y, Tolerance { atol: 0.0, rtol: 1e-3 })?;
        assert_eq!(relative.map(|found| (found.count, found.at)), Some((1, 3)));
        Ok(())
    }

    #[test]
    fn nan_equals_nan_and_nothing_else_and_large_integers_are_exact() -> Result<()> {
        let nan = Tensor::new([f64::NAN, 1.0])?;
        // Another NaN: the bytes differ.
        assert_eq!(Difference::between(&nan, &nan.neg()?.abs()?.mul(Tensor::new([-1.0, 1.0])?)?, EXACT)?, None);
        let found = Difference::between(&nan, &Tensor::new([2.0f64, 1.0])?, EXACT)?;
        assert_eq!(found.map(|found| (found.count, found.largest)), Some((1, f64::INFINITY)));
        let (p, q) = (Tensor::new([i64::MAX, i64::MIN])?, Tensor::new([i64::MAX - 1, i64::MIN])?);
        assert_eq!(Difference::between(&p, &q, EXACT)?.map(|found| (found.count, found.largest)), Some((1, 1.0)));
        Ok(())
    }

    #[test]
    fn places_become_indices() {
        assert_eq!(index(7, &[2, 4], 1), [1, 3]);
        assert_eq!(index(7, &[2, 2], 2), [1, 1]);
        assert!(index(0, &[], 1).is_empty());
    }
}
