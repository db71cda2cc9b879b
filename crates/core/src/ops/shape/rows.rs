//! This family in the table of operations.

use crate::ops::sample::{joined, shaped, shaped_pairs};
use crate::ops::{Row, by_hand};
use crate::{Result, Tensor, ops::sample::Sample};

fn both(f: fn(&[&Tensor]) -> Result<Tensor>) -> Result<Vec<Sample>> {
    shaped_pairs((&[2, 3], &[2, 3]), (&[0, 3], &[0, 3]), move |a, b| f(&[a, b]))
}

by_hand! {
    table: SHAPES;
    cat as "CatBackward0": shaped_pairs((&[2, 3], &[2, 1]), (&[2, 0], &[2, 3]), |a, b| Tensor::cat(&[a, b], -1));
    concat: both(|list| Tensor::concat(list, 0));
    stack as "StackBackward0": both(|list| Tensor::stack(list, 1));
    hstack: both(|list| Tensor::hstack(list));
    vstack: both(|list| Tensor::vstack(list));
    dstack: both(|list| Tensor::dstack(list));
    column_stack: shaped_pairs((&[2], &[2, 3]), (&[0], &[0, 3]), |a, b| Tensor::column_stack(&[a, b]));
    repeat as "RepeatBackward0": shaped(&[2, 3], &[0, 3], |x| x.repeat([2, 1, 3]));
    tile: shaped(&[2, 3], &[0, 3], |x| x.tile(2));
    repeat_interleave: shaped(&[2, 3], &[0, 3], |x| x.repeat_interleave(2, 1));
    repeat_interleave_by: shaped(&[2, 3], &[0, 3], |x| x.repeat_interleave_by(&Tensor::new([2i64, 0, 1])?, 1));
    flip as "FlipBackward0": shaped(&[2, 3], &[0, 3], |x| x.flip([0, 1]));
    fliplr: shaped(&[2, 3], &[0, 3], |x| x.fliplr());
    flipud: shaped(&[2, 3], &[0, 3], |x| x.flipud());
    roll as "RollBackward0": shaped(&[2, 3], &[0, 3], |x| x.roll([1, -2], [0, 1]));
    rot90 as "Rot90Backward0": shaped(&[2, 3], &[0, 3], |x| x.rot90(1, [0, 1]));
    tril as "TrilBackward0": shaped(&[2, 3, 3], &[0, 3], |x| x.tril(-1));
    triu as "TriuBackward0": shaped(&[2, 3, 3], &[0, 3], |x| x.triu(1));
    diag as "DiagonalBackward0_copy": shaped(&[2, 3], &[0, 3], |x| x.diag(1));
    diag_embed as "DiagEmbedBackward0": shaped(&[2, 3], &[0, 3], |x| x.diag_embed(1, 0, -1));
    diagflat: shaped(&[2, 2], &[0, 3], |x| x.diagflat(-1));
    constant_pad_nd as "ConstantPadNdBackward0": shaped(&[2, 3], &[0, 3], |x| x.constant_pad_nd([-1, 2, 1, 0], 0.5));
    meshgrid: shaped_pairs((&[2], &[3]), (&[0], &[3]), |a, b| joined(Tensor::meshgrid(&[a, b], "xy")?));
    cartesian_prod: shaped_pairs((&[2], &[3]), (&[0], &[3]), |a, b| Tensor::cartesian_prod(&[a, b]));
    block_diag as "BlockDiagBackward0":
        shaped_pairs((&[2, 3], &[2]), (&[0, 3], &[2]), |a, b| Tensor::block_diag(&[a, b]));
}

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[SHAPES, super::shuffle::SHUFFLE];
