//! This family in the table of operations.

use super::Spacing;
use crate::Tensor;
use crate::ops::by_hand;
use crate::ops::sample::{joined, shaped, shaped_pairs};

by_hand! {
    table: CALCULUS;
    diff: shaped_pairs((&[2, 3], &[2, 1]), (&[0, 3], &[0, 1]), |a, b| a.diff(2, 1, Some(b), None));
    trapezoid: shaped_pairs((&[2, 3], &[3]), (&[0, 3], &[3]), |a, b| a.trapezoid(b, 1)?.add(a.trapezoid(0.5, 1)?));
    trapz: shaped(&[2, 3], &[3, 0], |x| x.trapz(2.0, 0));
    cumulative_trapezoid: shaped_pairs((&[2, 3], &[2, 3]), (&[0, 3], &[3]), |a, b| {
        a.cumulative_trapezoid(b, 1)?.add(a.cumulative_trapezoid(0.5, 1)?)
    });
    gradient: shaped_pairs((&[3, 4], &[4]), (&[3, 0], &[3]), |a, b| match a.numel() {
        0 => joined([a.gradient(0.5, crate::Sizes::from([0]), 2)?, b.gradient(2, None, 2)?].concat()),
        _ => {
            let uneven = Spacing::Coordinates(vec![Tensor::arange(3)?, b.clone()]);
            let even = Spacing::Each(vec![0.5.into(), 2.into()]);
            joined([a.gradient(uneven.clone(), None, 1)?, a.gradient(uneven, None, 2)?, a.gradient(even, None, 2)?].concat())
        }
    });
}
