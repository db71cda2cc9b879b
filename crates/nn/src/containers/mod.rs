//! Containers that are modules: PyTorch's `ModuleList`, `ModuleDict`, `Sequential`, `ParameterList`, `ParameterDict`.

mod module_dict;
mod module_list;
mod parameter_dict;
mod parameter_list;
mod sequential;

pub use module_dict::ModuleDict;
pub use module_list::ModuleList;
pub use parameter_dict::ParameterDict;
pub use parameter_list::ParameterList;
pub use sequential::Sequential;

use firebrick_core::{Error, Result};
use std::ops::{Bound, Range, RangeBounds};

/// A Python index as a place among `len`: negative ones count from the end.
fn place(op: &'static str, index: isize, len: usize) -> Result<usize> {
    let at = if index < 0 { index.checked_add_unsigned(len) } else { Some(index) };
    at.and_then(|at| usize::try_from(at).ok()).filter(|at| *at < len).ok_or_else(|| {
        Error::index(op, format!("index {index} is out of range")).expected(format!("-{len} <= index < {len}"))
    })
}

/// A place to insert at, from `-len` to `len`.
fn insertion_place(op: &'static str, index: isize, len: usize) -> Result<usize> {
    let at = if index < 0 { index.checked_add_unsigned(len) } else { Some(index) };
    at.and_then(|at| usize::try_from(at).ok()).filter(|at| *at <= len).ok_or_else(|| {
        Error::index(op, format!("Index out of range: {index}")).expected(format!("-{len} <= index <= {len}"))
    })
}

/// The part of `0..len` that a range names; what lies outside is cut off, as in a Python slice.
fn slice(range: impl RangeBounds<usize>, len: usize) -> Range<usize> {
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&start) => start.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&end) => end.saturating_add(1),
        Bound::Excluded(&end) => end,
        Bound::Unbounded => len,
    };
    let end = end.min(len);
    start.min(end)..end
}
