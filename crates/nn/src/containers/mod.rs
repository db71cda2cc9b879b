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

use crate::{Forward, Identity};
use firebrick_core::{Error, Result};
use std::any::Any;
use std::ops::{Bound, Range, RangeBounds};
use std::sync::Arc;

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

/// The part of `0..len` that a range names, as a Python slice does: negative bounds count from the end, and what lies
/// outside is cut off.
fn slice(range: impl RangeBounds<isize>, len: usize) -> Range<usize> {
    let at = |index: isize| if index < 0 { index.saturating_add_unsigned(len).max(0) as usize } else { index as usize };
    let start = match range.start_bound() {
        Bound::Included(&start) => at(start),
        Bound::Excluded(&start) => at(start).saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&end) if end < 0 && end.unsigned_abs() > len => 0,
        Bound::Included(&end) => at(end).saturating_add(1),
        Bound::Excluded(&end) => at(end),
        Bound::Unbounded => len,
    };
    let end = end.min(len);
    start.min(end)..end
}

/// Another handle to the layer in `place`, which is put behind an `Arc` for that.
fn share(place: &mut Box<dyn Forward>) -> Box<dyn Forward> {
    if let Some(shared) = (&**place as &dyn Any).downcast_ref::<Arc<dyn Forward>>() {
        return Box::new(shared.clone());
    }
    let layer = std::mem::replace(place, Box::new(Identity::new()));
    let shared: Arc<dyn Forward> = Arc::from(layer);
    *place = Box::new(shared.clone());
    Box::new(shared)
}
