//! What each operation does under autocast on the CPU: PyTorch 2.15's lists, as its operations behave.

/// What becomes of the operands of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// Cast to the lower dtype.
    Lower,
    /// Cast from 16 bits to single precision.
    Single,
}

/// Operations that compute in the lower dtype, by the names under which they resolve their operands.
#[rustfmt::skip]
const LOWER: &[&str] = &[
    "addbmm", "addmm", "baddbmm", "bmm", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "linalg.vecdot", "linear", "lstm", "matmul", "mm", "prelu", "scaled_dot_product_attention",
];

/// Operations that compute in single precision at least. What is made of them, as a pseudoinverse of a singular value
/// decomposition, follows.
#[rustfmt::skip]
const SINGLE: &[&str] = &[
    // Poolings, padding, sampling.
    "adaptive_avg_pool3d", "adaptive_max_pool3d", "avg_pool3d", "fractional_max_pool2d", "fractional_max_pool3d",
    "grid_sample", "max_pool3d", "max_unpool2d", "max_unpool3d", "reflection_pad1d", "reflection_pad2d",
    "replication_pad",
    // Losses.
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "cross_entropy_loss",
    "ctc_loss", "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss", "margin_ranking_loss", "mse_loss",
    "multi_margin_loss", "multilabel_margin_loss", "nll_loss", "poisson_nll_loss", "smooth_l1_loss",
    "soft_margin_loss", "triplet_margin_loss",
    // Reductions and distances.
    "cdist", "nanquantile", "polar", "prod", "quantile", "trace", "view_as_complex",
    // Linear algebra.
    "geqrf", "linalg.cholesky", "linalg.eigh", "linalg.householder_product", "linalg.inv", "linalg.qr",
    "linalg.solve", "linalg.svd",
];

/// Operations on several operands that PyTorch lifts to the widest dtype among them.
pub(super) const PROMOTED: &[&str] = &["cat", "index_copy", "stack"];

/// What `op` does with its operands; `None` leaves them alone.
pub(super) fn policy(op: &str) -> Option<Policy> {
    if LOWER.contains(&op) {
        return Some(Policy::Lower);
    }
    SINGLE.contains(&op).then_some(Policy::Single)
}
