//! Two models or state dicts, entry by entry.

use super::table;
use crate::Module;
use firebrick_core::autograd::ModeGuard;
use firebrick_core::{DType, Result, StateDict, Tensor};
use std::fmt;

/// Something with named tensors: a module (its parameters and persistent buffers) or a [`StateDict`].
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::inspect::States;
/// let linear = nn::Linear::new(2, 1)?;
/// assert_eq!(linear.states().len(), linear.state_dict().states().len());
/// # Ok::<_, firebrick::Error>(())
/// ```
pub trait States {
    /// The tensors by name.
    fn states(&self) -> StateDict;
}

impl<M: Module + ?Sized> States for M {
    fn states(&self) -> StateDict {
        self.state_dict()
    }
}

impl States for StateDict {
    fn states(&self) -> StateDict {
        self.clone()
    }
}

/// How one entry differs.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::inspect::{Difference, diff};
/// let found = diff(&nn::Linear::new(2, 1)?, &nn::Linear::new(3, 1)?)?;
/// assert_eq!(found.entries[0], ("weight".to_owned(), Difference::Shape(vec![1, 2], vec![1, 3])));
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// Only the first has it, of this shape.
    OnlyFirst(Vec<usize>),
    /// Only the second has it, of this shape.
    OnlySecond(Vec<usize>),
    /// The shapes differ.
    Shape(Vec<usize>, Vec<usize>),
    /// The values differ, and perhaps the dtypes.
    Values {
        /// The largest absolute difference; NaN where only one of two numbers is NaN.
        largest: f64,
        /// How many numbers differ.
        count: u64,
        /// Of how many.
        of: u64,
        /// Both dtypes.
        dtypes: (DType, DType),
    },
    /// The values are equal, the dtypes are not.
    Dtype(DType, DType),
}

/// What [`diff`] found. `Display` prints one line an entry.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::inspect::diff;
/// let linear = nn::Linear::new(2, 1)?;
/// let found = diff(&linear, &linear)?;
/// assert_eq!((found.entries.len(), found.equal), (0, 2));
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// The entries that differ: those of the first in its order, then what only the second has.
    pub entries: Vec<(String, Difference)>,
    /// How many entries are equal.
    pub equal: usize,
}

/// Compares two models or state dicts by name. NaN equals NaN.
///
/// # Errors
/// Values that cannot be read.
///
/// ```
/// use firebrick::nn::inspect::diff;
/// use firebrick::prelude::*;
/// let a = nn::Linear::new(2, 1)?;
/// let b = a.deep_clone()?;
/// assert!(diff(&a, &b)?.entries.is_empty());
/// autograd::no_grad(|| b.weight.add_(0.5).map(drop))?;
/// assert!(diff(&a, &b.state_dict())?.to_string().starts_with("weight  2 of 2 numbers, by up to 5.0e-1"));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn diff<A: States + ?Sized, B: States + ?Sized>(first: &A, second: &B) -> Result<Diff> {
    let _no_grad = ModeGuard::no_grad();
    let (first, second) = (first.states(), second.states());
    let mut out = Diff::default();
    for (name, a) in first.iter() {
        let difference = match second.get(name) {
            None => Some(Difference::OnlyFirst(a.shape().to_vec())),
            Some(b) => compare(a, b)?,
        };
        match difference {
            Some(difference) => out.entries.push((name.to_owned(), difference)),
            None => out.equal += 1,
        }
    }
    let only_second = second.iter().filter(|(name, _)| first.get(name).is_none());
    out.entries.extend(only_second.map(|(name, b)| (name.to_owned(), Difference::OnlySecond(b.shape().to_vec()))));
    Ok(out)
}

fn compare(a: &Tensor, b: &Tensor) -> Result<Option<Difference>> {
    if a.shape() != b.shape() || a.is_uninitialized() != b.is_uninitialized() {
        return Ok(Some(Difference::Shape(a.shape().to_vec(), b.shape().to_vec())));
    }
    let dtypes = (a.dtype(), b.dtype());
    if a.is_uninitialized() || a.numel() == 0 {
        return Ok((dtypes.0 != dtypes.1).then_some(Difference::Dtype(dtypes.0, dtypes.1)));
    }
    let wide = if a.is_complex() || b.is_complex() { DType::C128 } else { DType::F64 };
    let (x, y) =
        (a.detach().to((firebrick_core::Device::Cpu, wide))?, b.detach().to((firebrick_core::Device::Cpu, wide))?);
    let both_nan = x.isnan()?.logical_and(&y.isnan()?)?;
    let differ = x.ne(&y)?.logical_and(&both_nan.logical_not()?)?;
    let count = differ.sum()?.item::<i64>()? as u64;
    if count == 0 {
        return Ok((dtypes.0 != dtypes.1).then_some(Difference::Dtype(dtypes.0, dtypes.1)));
    }
    let gaps = x.sub(&y)?.abs()?;
    let largest = gaps.masked_select(&differ)?.max()?.item::<f64>()?;
    Ok(Some(Difference::Values { largest, count, of: x.numel() as u64, dtypes }))
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::OnlyFirst(shape) => write!(f, "only in the first: {shape:?}"),
            Difference::OnlySecond(shape) => write!(f, "only in the second: {shape:?}"),
            Difference::Shape(a, b) => write!(f, "shape {a:?} and {b:?}"),
            Difference::Dtype(a, b) => write!(f, "equal values, {a} and {b}"),
            Difference::Values { largest, count, of, dtypes: (a, b) } => {
                write!(f, "{} of {} numbers, by up to {largest:.1e}", table::grouped(*count), table::grouped(*of))?;
                if a == b { Ok(()) } else { write!(f, ", {a} and {b}") }
            }
        }
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.entries.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (name, difference) in &self.entries {
            writeln!(f, "{name:<width$}  {difference}")?;
        }
        write!(f, "{} equal", self.equal)
    }
}
