//! Weights with a structure: identities, orthogonal and sparse matrices.

use super::{normal_, write};
use firebrick_core::autograd::no_grad;
use firebrick_core::{DType, Device, Error, Result, Tensor, TensorOptions, linalg};

fn check_matrix(op: &'static str, tensor: &Tensor) -> Result<(usize, usize)> {
    let shape = tensor.shape();
    match shape[..] {
        [rows, columns] => Ok((rows, columns)),
        _ => Err(Error::value(op, "Only tensors with 2 dimensions are supported").given(format!("shape {shape:?}"))),
    }
}

/// The identity matrix, cut or padded with zeros to the tensor's shape.
///
/// # Errors
/// Not two dimensions.
///
/// ```
/// use firebrick_core::Tensor;
/// let weight = Tensor::empty([2, 3])?;
/// firebrick_nn::init::eye_(&weight)?;
/// assert_eq!(weight.to_vec::<f32>()?, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn eye_(tensor: &Tensor) -> Result<&Tensor> {
    let (rows, columns) = check_matrix("eye_", tensor)?;
    let mut values = vec![0.0; rows * columns];
    for i in 0..rows.min(columns) {
        values[i * columns + i] = 1.0;
    }
    write(tensor, &values)
}

/// Dirac's delta in the middle of the kernels of a convolution `(out, in, kernel...)`, so that each of `groups` passes
/// on as many channels as it can.
///
/// # Errors
/// Not three to five dimensions; `groups` does not divide the output channels.
///
/// ```
/// use firebrick::nn::init;
/// use firebrick::prelude::*;
/// assert_eq!(init::dirac_(&Tensor::empty([2, 2, 1])?, 1)?.to_vec::<f32>()?, [1.0, 0.0, 0.0, 1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn dirac_(tensor: &Tensor, groups: usize) -> Result<&Tensor> {
    const OP: &str = "dirac_";
    let shape = tensor.shape();
    if !(3..=5).contains(&shape.len()) {
        return Err(
            Error::value(OP, "Only tensors with 3, 4, or 5 dimensions are supported").given(format!("shape {shape:?}"))
        );
    }
    if groups == 0 || !shape[0].is_multiple_of(groups) {
        return Err(Error::value(OP, "dim 0 must be divisible by groups").given(format!("{} and {groups}", shape[0])));
    }
    let per_group = shape[0] / groups;
    let field: usize = shape[2..].iter().product();
    let middle = shape[2..].iter().fold(0, |at, &size| at * size + size / 2);
    let mut values = vec![0.0; tensor.numel()];
    if !values.is_empty() {
        for group in 0..groups {
            for channel in 0..per_group.min(shape[1]) {
                let out = group * per_group + channel;
                values[(out * shape[1] + channel) * field + middle] = 1.0;
            }
        }
    }
    write(tensor, &values)
}

/// A matrix with orthonormal rows or columns, whichever are fewer, times `gain`; dimensions after the first count as
/// one.
///
/// Saxe et al., *Exact solutions to the nonlinear dynamics of learning in deep linear neural networks* (2014), by the
/// QR decomposition of normal numbers with the signs of Mezzadri, arXiv:math-ph/0609050. The draws are PyTorch's; the
/// decomposition is computed in double precision and differs from LAPACK's by its roundings.
///
/// # Errors
/// Fewer than two dimensions; a dtype other than float32 and float64.
///
/// ```
/// use firebrick::nn::init;
/// use firebrick::prelude::*;
/// let q = Tensor::empty([3, 3])?;
/// init::orthogonal_(&q, 1.0)?;
/// assert!(q.matmul(&q.t()?)?.allclose(&Tensor::eye(3)?, 0.0, 1e-6, false)?);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn orthogonal_(tensor: &Tensor, gain: f64) -> Result<&Tensor> {
    const OP: &str = "orthogonal_";
    let shape = tensor.shape();
    if shape.len() < 2 {
        return Err(
            Error::value(OP, "Only tensors with 2 or more dimensions are supported").given(format!("shape {shape:?}"))
        );
    }
    if tensor.numel() == 0 {
        return Ok(tensor);
    }
    let dtype = tensor.dtype();
    let (rows, columns) = (shape[0], tensor.numel() / shape[0]);
    if tensor.is_meta() {
        return Ok(tensor);
    }
    let flat = Tensor::randn_with([rows, columns], TensorOptions::from(dtype).device(Device::Cpu))?;
    if !matches!(dtype, DType::F32 | DType::F64) {
        return Err(Error::not_implemented(OP, format!("\"geqrf_cpu\" not implemented for '{}'", dtype.scalar_name())));
    }
    let wide = rows < columns;
    let flat = if wide { flat.t()? } else { flat };
    no_grad(|| {
        // The signs that make the diagonal of R positive make Q uniform among the orthogonal matrices.
        let (q, r) = linalg::qr(&flat.to(DType::F64)?, "reduced")?;
        let q = q.mul(&r.diagonal(0, 0, 1)?.sgn()?)?;
        let q = if wide { q.t()? } else { q };
        tensor.copy_(&q.reshape(&shape)?)?.mul_(gain).map(|_| tensor)
    })
}

/// Normal numbers of mean 0, of which a random share of `sparsity` in each column, rounded up, is zero.
///
/// Martens, *Deep learning via Hessian-free optimization* (2010). PyTorch takes the columns' permutations from its
/// default generator even when it is given another; here all draws come from one.
///
/// # Errors
/// Not two dimensions; `std` below 0; a dtype that is no floating-point one.
///
/// ```
/// use firebrick::nn::init;
/// use firebrick::prelude::*;
/// let weight = init::sparse_(&Tensor::empty([4, 2])?, 0.5, 1.0)?.ne(0)?;
/// assert_eq!(weight.sum_dim(0, false)?.to_vec::<i64>()?, [2, 2]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn sparse_(tensor: &Tensor, sparsity: f64, std: f64) -> Result<&Tensor> {
    let (rows, columns) = check_matrix("sparse_", tensor)?;
    let zeros = (sparsity * rows as f64).ceil() as usize;
    normal_(tensor, 0.0, std)?;
    if tensor.is_meta() {
        return Ok(tensor);
    }
    let mut values = tensor.to_vec::<f64>()?;
    for column in 0..columns {
        for row in Tensor::randperm_with(rows, Device::Cpu)?.to_vec::<i64>()?.into_iter().take(zeros) {
            values[row as usize * columns + column] = 0.0;
        }
    }
    write(tensor, &values)
}
