//! What a reduction does with its elements.

use super::super::number::{Number, Sum};

/// One reduction. Elements go into a cell of their own precision, now and then a cell goes into a total.
pub(super) trait Op<A: Number>: Copy + Sync {
    /// Holds many elements without loss; at most eight bytes.
    type Total: Copy;
    /// The cell and the total of no elements.
    fn start(self) -> (A, Self::Total);
    /// The cell with one more element. `shift` is a number of the output: its mean, say.
    fn take(self, cell: A, element: A, shift: A) -> A;
    /// Two cells in one.
    fn join(self, a: A, b: A) -> A;
    /// The total with a cell.
    fn add(self, total: Self::Total, cell: A) -> Self::Total;
    /// Two totals in one.
    fn merge(self, a: Self::Total, b: Self::Total) -> Self::Total;
    /// The result.
    fn finish(self, total: Self::Total, shift: A) -> A;
}

/// A sum over mapped elements, and what is made of it.
#[derive(Clone, Copy)]
pub(super) struct Summing<M, F> {
    pub map: M,
    pub finish: F,
}

impl<A, M, F> Op<A> for Summing<M, F>
where
    A: Number,
    M: Fn(A, A) -> A + Copy + Sync,
    F: Fn(A::Sum, A) -> A + Copy + Sync,
{
    type Total = A::Sum;

    #[inline(always)]
    fn start(self) -> (A, A::Sum) {
        (A::ZERO, A::Sum::ZERO)
    }
    #[inline(always)]
    fn take(self, cell: A, element: A, shift: A) -> A {
        cell.add((self.map)(element, shift))
    }
    #[inline(always)]
    fn join(self, a: A, b: A) -> A {
        a.add(b)
    }
    #[inline(always)]
    fn add(self, total: A::Sum, cell: A) -> A::Sum {
        total.plus(cell.widen())
    }
    #[inline(always)]
    fn merge(self, a: A::Sum, b: A::Sum) -> A::Sum {
        a.plus(b)
    }
    #[inline(always)]
    fn finish(self, total: A::Sum, shift: A) -> A {
        (self.finish)(total, shift)
    }
}

/// Mapped elements combined two by two.
#[derive(Clone, Copy)]
pub(super) struct Folding<A, M, F> {
    pub start: A,
    pub map: M,
    pub join: F,
}

impl<A, M, F> Op<A> for Folding<A, M, F>
where
    A: Number,
    M: Fn(A) -> A + Copy + Sync,
    F: Fn(A, A) -> A + Copy + Sync,
{
    type Total = A;

    #[inline(always)]
    fn start(self) -> (A, A) {
        (self.start, self.start)
    }
    #[inline(always)]
    fn take(self, cell: A, element: A, _: A) -> A {
        (self.join)(cell, (self.map)(element))
    }
    #[inline(always)]
    fn join(self, a: A, b: A) -> A {
        (self.join)(a, b)
    }
    #[inline(always)]
    fn add(self, total: A, cell: A) -> A {
        (self.join)(total, cell)
    }
    #[inline(always)]
    fn merge(self, a: A, b: A) -> A {
        (self.join)(a, b)
    }
    #[inline(always)]
    fn finish(self, total: A, _: A) -> A {
        total
    }
}
