//! Normalization: of rows (layer and group norm) and of channels (batch norm), forward and backward.
//!
//! Statistics are taken in two passes over data that is in the cache or streamed: distances from the first element for
//! the mean, distances from the mean for the variance. That is as exact as Welford's recurrence and vectorizes; of
//! equal elements the variance is exactly zero.

mod channels;
mod rows;

pub(crate) use channels::{apply, grad as channels_grad, statistics};
pub(crate) use rows::{forward as rows_forward, grad as rows_grad};

use super::number::{Number, Port};
use super::scratch::Scratch;
use crate::tensor::Body;

/// The numbers of a contiguous body, or `count` times `otherwise`.
///
/// # Safety
/// The body is locked and has `count` elements.
#[inline(always)]
unsafe fn numbers<A: Number>(body: Option<&Body>, count: usize, otherwise: A) -> Scratch<A> {
    let room = Scratch::<A>::new(count);
    // SAFETY: there is room for `count` numbers.
    unsafe {
        match body {
            Some(body) => A::gather(Port::new(body), 0, 1, count, room.as_ptr()),
            None => (0..count).for_each(|i| room.as_ptr().add(i).write(otherwise)),
        }
    }
    room
}

/// # Safety
/// `count` numbers have been written.
#[inline(always)]
unsafe fn slice<A: Number>(room: &Scratch<A>, count: usize) -> &[A] {
    unsafe { std::slice::from_raw_parts(room.as_ptr(), count) }
}
