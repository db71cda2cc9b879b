//! The views in the table of operations.

use crate::Tensor;
use crate::ops::by_hand;
use crate::ops::sample::{joined, shaped, shaped_pairs};

by_hand! {
    table: VIEWS;
    alias as "AliasBackward0": shaped(&[2, 3], &[0, 3], |x| x.alias());
    view as "ViewBackward0": shaped(&[2, 3], &[0, 3], |x| x.contiguous()?.view([3, -1]));
    view_as: shaped(&[2, 3], &[0, 3], |x| x.contiguous()?.view_as(&x.t()?));
    reshape: shaped(&[2, 3], &[0, 3], |x| x.reshape([3, -1]));
    reshape_as: shaped(&[2, 3], &[0, 3], |x| x.reshape_as(&x.t()?));
    flatten: shaped(&[2, 3, 2], &[2, 0, 2], |x| x.flatten(1, -1));
    unflatten: shaped(&[2, 6], &[0, 6], |x| x.unflatten(1, [2, -1]));
    ravel: shaped(&[2, 3], &[0, 3], |x| x.ravel());
    unsqueeze as "UnsqueezeBackward0": shaped(&[2, 3], &[0, 3], |x| x.unsqueeze(1));
    squeeze as "SqueezeBackward0": shaped(&[2, 1, 3, 1], &[0, 1, 3], |x| x.squeeze());
    squeeze_dim as "SqueezeBackward2": shaped(&[2, 1, 3, 1], &[0, 1, 3, 1], |x| x.squeeze_dim([0, 1, 3]));
    atleast_1d: shaped(&[], &[0], |x| x.atleast_1d());
    atleast_2d: shaped(&[3], &[0], |x| x.atleast_2d());
    atleast_3d: shaped(&[3], &[2, 0], |x| x.atleast_3d());
    expand as "ExpandBackward0": shaped(&[2, 1], &[0, 1], |x| x.expand([3, -1, 2]));
    expand_as: shaped(&[2, 1], &[0, 1], |x| x.expand_as(&x.detach().expand([-1, 3])?));
    broadcast_to: shaped(&[2, 1], &[0, 1], |x| x.broadcast_to([-1, 3]));
    permute as "PermuteBackward0": shaped(&[2, 3, 4], &[2, 0, 4], |x| x.permute([2, 0, 1]));
    transpose as "TransposeBackward0": shaped(&[2, 3, 4], &[2, 0, 4], |x| x.transpose(0, -1));
    swapaxes: shaped(&[2, 3], &[2, 0], |x| x.swapaxes(0, 1));
    swapdims: shaped(&[2, 3], &[2, 0], |x| x.swapdims(0, 1));
    t as "TBackward0": shaped(&[2, 3], &[2, 0], |x| x.t());
    T: shaped(&[2, 3, 4], &[2, 0], |x| x.T());
    mT: shaped(&[2, 3, 4], &[2, 0], |x| x.mT());
    movedim: shaped(&[2, 3, 4], &[2, 0, 1], |x| x.movedim([0, 1], [-1, 0]));
    moveaxis: shaped(&[2, 3, 4], &[2, 0, 1], |x| x.moveaxis(2, 0));
    select as "SelectBackward0": shaped(&[2, 3], &[2, 0], |x| x.select(0, -1));
    narrow: shaped(&[2, 3], &[0, 3], |x| x.narrow(1, 1, 2));
    slice as "SliceBackward0": shaped(&[2, 5], &[0, 5], |x| x.slice(1, -4, None, 2));
    diagonal as "DiagonalBackward0": shaped(&[3, 2, 4], &[3, 0, 4], |x| x.diagonal(1, 2, 0));
    unfold as "UnfoldBackward0": shaped(&[2, 5], &[0, 5], |x| x.unfold(1, 3, 1));
    as_strided as "AsStridedBackward0": shaped(&[3, 2], &[0, 2], |x| {
        // Overlapping, of a base that is not contiguous, and starts later.
        let base = x.contiguous()?;
        match x.numel() {
            0 => base.as_strided([0], [1], 0),
            _ => base.t()?.narrow(1, 1, 2)?.as_strided([2, 2], [1, 1], 2),
        }
    });
    split as "SplitBackward0": shaped(&[2, 5], &[0, 5], |x| joined(x.split(2, 1)?));
    split_with_sizes as "SplitWithSizesBackward0":
        shaped(&[2, 5], &[0, 5], |x| joined(x.split_with_sizes([1, 0, 4], 1)?));
    chunk: shaped(&[2, 5], &[0, 5], |x| joined(x.chunk(3, 1)?[1..].to_vec()));
    tensor_split: shaped(&[2, 5], &[0, 5], |x| joined(x.tensor_split([1, -1], 1)?));
    hsplit: shaped(&[2, 4], &[0, 4], |x| joined(x.hsplit(2)?));
    vsplit: shaped(&[4, 2], &[4, 0], |x| joined(x.vsplit([1])?));
    dsplit: shaped(&[1, 2, 4], &[0, 2, 4], |x| joined(x.dsplit(2)?));
    select_scatter as "SelectScatterBackward0":
        shaped_pairs((&[2, 3], &[3]), (&[2, 0], &[0]), |a, b| a.select_scatter(b, 0, -1));
    slice_scatter as "SliceScatterBackward0":
        shaped_pairs((&[2, 3], &[2, 2]), (&[0, 3], &[0, 2]), |a, b| a.slice_scatter(b, 1, None, None, 2));
    diagonal_scatter as "DiagonalScatterBackward0":
        shaped_pairs((&[2, 3], &[2]), (&[2, 0], &[0]), |a, b| a.diagonal_scatter(b, 1, 0, 1));
    // In the first tensor it is PyTorch's own, which finite differences do not confirm.
    as_strided_scatter as "AsStridedScatterBackward0": shaped(&[2], &[0], |x| {
        Tensor::ones_with([2, 3], x.dtype())?.as_strided_scatter(x, x.shape(), [3], 1)
    });
    broadcast_tensors: shaped_pairs((&[2, 1], &[3]), (&[0, 1], &[3]), |a, b| joined(Tensor::broadcast_tensors(&[a, b])?));
    unbind as "UnbindBackward0": shaped(&[2, 3], &[2, 0], |x| joined(x.unbind(0)?));
}

/// The rows of this family.
pub(crate) const TABLES: &[&[crate::ops::Row]] = &[VIEWS];
