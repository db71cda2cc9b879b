//! Linear algebra: PyTorch's `torch.linalg`, and what every matrix product of it and of [`Tensor`](crate::Tensor) is made
//! of.
//!
//! Factorizations compute in double precision whatever the dtype, and round once at the end. All of them take batches:
//! the last two dimensions are those of the matrices.
//!
//! | function | gives |
//! |---|---|
//! | [`solve`], [`inv`], [`solve_triangular`], [`lu`], [`lu_factor`] | solutions by elimination |
//! | [`det`], [`slogdet`] | determinants |
//! | [`cholesky`], [`qr`], [`svd`], [`svdvals`], [`eigh`], [`eigvalsh`] | factors and spectra |
//! | [`geqrf`], [`householder_product`] | reflections |
//! | [`norm`], [`vector_norm`], [`matrix_norm`] | norms |
//! | [`matrix_power`], [`matrix_exp`], [`multi_dot`], [`cross`], [`vecdot`] | products |

mod batch;
mod bilinear;
mod chains;
mod cholesky;
mod contract;
mod determinant;
mod distance;
mod einsum;
mod equation;
mod exponential;
mod householder;
mod lu;
mod matmul;
mod norms;
mod products;
mod qr;
mod renorm;
mod run;
mod solve;
mod statistics;
mod svd;
mod vectors;

pub use chains::{matrix_exp, matrix_power, multi_dot};
pub use cholesky::{cholesky, cholesky_ex};
pub use contract::ContractDims;
pub use determinant::{det, slogdet};
pub use householder::{geqrf, householder_product};
pub use lu::{lu, lu_factor, lu_factor_ex};
pub use norms::{NormOrder, matrix_norm, norm, vector_norm};
pub use qr::qr;
pub use solve::{inv, inv_ex, solve, solve_ex, solve_triangular};
pub use statistics::CovWeights;
pub use svd::{eigh, eigvalsh, svd, svdvals};
pub use vectors::{cross, vecdot};

use crate::ops::Row;

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[
    products::PRODUCTS,
    matmul::MATMUL,
    bilinear::BILINEAR,
    contract::CONTRACT,
    einsum::EINSUM,
    vectors::VECTORS,
    vectors::METHODS,
    chains::CHAINS,
    chains::METHODS,
    statistics::STATISTICS,
    distance::DISTANCES,
    distance::DIST,
    renorm::RENORM,
    lu::LU,
    determinant::DETERMINANTS,
    determinant::METHODS,
    solve::SOLVE,
    solve::METHODS,
    cholesky::CHOLESKY,
    cholesky::METHODS,
    qr::QR,
    householder::HOUSEHOLDER,
    exponential::EXPONENTIAL,
    svd::SVD,
    norms::NORMS,
];
