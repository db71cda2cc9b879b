//! How results of elementwise operations lie in memory.

use crate::backend::{Binary, Map, Ternary, Unary};
use crate::tensor::layout::result_strides;
use crate::{Body, DType, Dims, Tensor};

/// The input that says where, whose dtype is not that of the others.
pub(super) fn mask(kernel: Map) -> Option<usize> {
    match kernel {
        Map::Ternary(Ternary::Where) => Some(0),
        Map::Ternary(Ternary::MaskedFill) => Some(1),
        _ => None,
    }
}

/// Strides of the result of a kernel, `None` where they are row-major.
pub(super) fn of_result(kernel: Map, dtype: DType, shape: &Dims, inputs: &[&Tensor], bodies: &[Body]) -> Option<Dims> {
    let takes_number = |kernel| clamps(kernel) || matches!(kernel, Map::Binary(Binary::Pow));
    match kernel {
        // PyTorch makes these row-major whatever they are given.
        Map::Ternary(Ternary::MaskedFill) | Map::Unary(Unary::LogSigmoid) => None,
        Map::Unary(Unary::Angle) if bodies[0].dtype.is_complex() => None,
        // To these a number is no operand.
        _ if takes_number(kernel) && inputs[1].is_wrapped_number() => result_strides(shape, &bodies[..1], dtype, None),
        Map::Unary(_) => result_strides(shape, &bodies[..1], dtype, None),
        // Of these gradients the input comes first.
        Map::Binary(Binary::ReluGrad | Binary::LeakyReluGrad(_) | Binary::ThresholdGrad(_)) => {
            result_strides(shape, &[bodies[1].clone(), bodies[0].clone()], dtype, None)
        }
        _ => result_strides(shape, bodies, dtype, mask(kernel)),
    }
}

pub(super) fn clamps(kernel: Map) -> bool {
    matches!(kernel, Map::Binary(Binary::ClampMin | Binary::ClampMax) | Map::Ternary(Ternary::Clamp))
}
