//! Products of many matrices: powers, chains, and sums over a batch.

use super::batch::check_square;
use crate::ops::devices::same_device;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::ops::{by_hand, composed};
use crate::{DType, Error, Result, Tensor, TensorOptions};

/// The power `n` of every matrix; negative ones are those of the inverse.
///
/// # Shapes
/// `[.., n, n]` to itself.
///
/// # Errors
/// Matrices that are not square; those of [`inv`](crate::linalg::inv) for a negative power.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let x = Tensor::new([[1.0f32, 1.0], [0.0, 1.0]])?;
/// assert_eq!(linalg::matrix_power(&x, 5)?.to_vec::<f32>()?, [1.0, 5.0, 0.0, 1.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn matrix_power(x: &Tensor, n: i64) -> Result<Tensor> {
    const OP: &str = "linalg.matrix_power";
    let x = x.resolve(OP)?;
    check_square(OP, &x)?;
    if n == 0 {
        let shape = x.shape();
        let size = shape[shape.len() - 1] as i64;
        let eye = Tensor::eye_with(size, size, TensorOptions::from(x.dtype()).device(x.device()))?;
        // The input's gradient is zero, and not none.
        let out = x.copy()?;
        out.copy_(&eye.expand(&shape)?)?;
        return Ok(out);
    }
    let mut power = if n < 0 { super::inv(&x)? } else { x };
    let mut left = n.unsigned_abs();
    let mut out: Option<Tensor> = None;
    loop {
        if left & 1 == 1 {
            out = Some(match out {
                None => power.clone(),
                Some(out) => out.matmul(&power)?,
            });
        }
        left >>= 1;
        if left == 0 {
            break;
        }
        power = power.matmul(&power)?;
    }
    match out {
        Some(out) if n == 1 => out.copy(),
        Some(out) => Ok(out),
        None => Err(Error::runtime(OP, "a power without factors")),
    }
}

/// See [`Tensor::matrix_exp`].
///
/// # Errors
/// As there.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let x = Tensor::new([[0.0f64, 1.0], [0.0, 0.0]])?;
/// assert_eq!(linalg::matrix_exp(&x)?.to_vec::<f64>()?, [1.0, 1.0, 0.0, 1.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn matrix_exp(x: &Tensor) -> Result<Tensor> {
    x.matrix_exp()
}

fn check_chain(tensors: &[Tensor]) -> Result<()> {
    const OP: &str = "multi_dot";
    let count = tensors.len();
    let wrong = |text: String| Err(Error::runtime(OP, format!("multi_dot(): {text}")));
    if count < 2 {
        return wrong(format!("expected at least 2 tensors but got {count}"));
    }
    same_device(OP, tensors.iter().map(Tensor::device))?;
    for (i, name) in [(0, "first"), (count - 1, "last")] {
        let rank = tensors[i].dim();
        if !matches!(rank, 1 | 2) {
            return wrong(format!("the {name} tensor must be 1D or 2D but got {rank}D"));
        }
    }
    let dtype = tensors[0].dtype();
    for (i, tensor) in tensors.iter().enumerate().skip(1) {
        if i < count - 1 && tensor.dim() != 2 {
            return wrong(format!("tensor {i} must be 2D but got {}D", tensor.dim()));
        }
        if tensor.dtype() != dtype {
            let (first, other) = (dtype.c_name(), tensor.dtype().c_name());
            return wrong(format!(
                "all tensors must have be the same dtype but tensor 0 is {first} and tensor {i} {other}"
            ));
        }
    }
    Ok(())
}

/// The product of a chain of matrices in the order that multiplies the fewest numbers. The first and the last may be
/// vectors: a row and a column, whose dimension the result does not have.
///
/// # Errors
/// Fewer than two tensors, other numbers of dimensions, sizes that do not fit, different dtypes.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let (a, b) = (Tensor::ones([2, 3])?, Tensor::ones([3, 4])?);
/// assert_eq!(linalg::multi_dot(&[&a, &b, &Tensor::ones([4])?])?.to_vec::<f32>()?, [12.0, 12.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn multi_dot(tensors: &[impl AsRef<Tensor>]) -> Result<Tensor> {
    const OP: &str = "multi_dot";
    let mut chain: Vec<Tensor> = tensors.iter().map(|x| x.as_ref().resolve(OP)).collect::<Result<_>>()?;
    check_chain(&chain)?;
    let last = chain.len() - 1;
    let (row, column) = (chain[0].dim() == 1, chain[last].dim() == 1);
    if row {
        chain[0] = chain[0].unsqueeze(0)?;
    }
    if column {
        chain[last] = chain[last].unsqueeze(1)?;
    }
    for (i, pair) in chain.windows(2).enumerate() {
        let (a, b) = (pair[0].shape(), pair[1].shape());
        if a[1] != b[0] {
            return Err(Error::runtime(
                OP,
                format!("multi_dot(): tensors {i} and {} with shapes {a:?} and {b:?} cannot be multiplied", i + 1),
            ));
        }
    }
    let splits = best_splits(&chain);
    let mut out = product(&chain, &splits, 0, last)?;
    if column {
        out = out.squeeze_dim(1)?;
    }
    if row { out.squeeze_dim(0) } else { Ok(out) }
}

/// After which matrix the product of those from `i` to `j` is split, by `[i][j]` (Cormen et al., *Introduction to
/// Algorithms*, section 15.2).
fn best_splits(chain: &[Tensor]) -> Vec<Vec<usize>> {
    let count = chain.len();
    let size = |i: usize| if i == 0 { chain[0].shape()[0] } else { chain[i - 1].shape()[1] } as f64;
    let mut costs = vec![vec![0.0f64; count]; count];
    let mut splits = vec![vec![0; count]; count];
    for length in 1..count {
        for i in 0..count - length {
            let j = i + length;
            costs[i][j] = f64::INFINITY;
            for k in i..j {
                let cost = costs[i][k] + costs[k + 1][j] + size(i) * size(k + 1) * size(j + 1);
                if cost < costs[i][j] {
                    (costs[i][j], splits[i][j]) = (cost, k);
                }
            }
        }
    }
    splits
}

fn product(chain: &[Tensor], splits: &[Vec<usize>], i: usize, j: usize) -> Result<Tensor> {
    if i == j {
        return Ok(chain[i].clone());
    }
    let k = splits[i][j].clamp(i, j - 1);
    product(chain, splits, i, k)?.mm(&product(chain, splits, k + 1, j)?)
}

fn addbmm_of(add: &Tensor, a: &Tensor, b: &Tensor, beta: f64, alpha: f64) -> Result<Tensor> {
    const OP: &str = "addbmm";
    let (add, a, b) = (add.resolve(OP)?, a.resolve(OP)?, b.resolve(OP)?);
    same_device(OP, [add.device(), a.device(), b.device()])?;
    let (sa, sb) = (a.shape(), b.shape());
    for (name, shape) in [("batch1", &sa), ("batch2", &sb)] {
        if shape.len() != 3 {
            // PyTorch asks for the second's sizes first.
            if name == "batch2" {
                b.size(2)?;
            }
            return Err(Error::runtime(OP, format!("{name} must be a 3D tensor")));
        }
    }
    if sa[0] != sb[0] {
        let text = format!("batch1 and batch2 must have same number of batches, got {} and {}", sa[0], sb[0]);
        return Err(Error::runtime(OP, text));
    }
    if sa[2] != sb[1] {
        return Err(Error::runtime(
            OP,
            format!("Incompatible matrix sizes for bmm ({}x{} and {}x{})", sa[1], sa[2], sb[1], sb[2]),
        ));
    }
    let add = add.expand([sa[1], sb[2]])?;
    if matches!(add.dtype(), DType::F16 | DType::BF16) {
        // PyTorch adds one product after the other, and each sum rounds.
        let mut sum = if sa[0] == 0 { add.mul(beta)? } else { add };
        for i in 0..sa[0] as i64 {
            sum = sum.addmm(&a.select(0, i)?, &b.select(0, i)?, if i == 0 { beta } else { 1.0 }, alpha)?;
        }
        return Ok(sum);
    }
    // The sum over the batch is one more part of the sum within each product.
    let inner = crate::Dims::from([sa[0], sa[2]]).checked_numel(OP)?;
    let (left, right) = (a.transpose(0, 1)?.reshape([sa[1], inner])?, b.reshape([inner, sb[2]])?);
    add.addmm(&left, &right, beta, alpha)
}

impl Tensor {
    /// [`linalg::multi_dot`](crate::linalg::multi_dot) of matrices alone, of which there may be one.
    ///
    /// # Errors
    /// No matrix, something else than a matrix, sizes that do not fit.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::new([[1.0f32, 2.0]])?, Tensor::new([[3.0f32], [4.0]])?);
    /// assert_eq!(Tensor::chain_matmul(&[&a, &b, &a])?.to_vec::<f32>()?, [11.0, 22.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn chain_matmul(matrices: &[impl AsRef<Tensor>]) -> Result<Tensor> {
        const OP: &str = "chain_matmul";
        let matrices: Vec<Tensor> = matrices.iter().map(|x| x.as_ref().resolve(OP)).collect::<Result<_>>()?;
        if let Some(other) = matrices.iter().find(|x| x.dim() != 2) {
            return Err(Error::runtime(OP, format!("Tensor dimension is {}, expected 2 instead.", other.dim())));
        }
        match &matrices[..] {
            [] => Err(Error::runtime(OP, "chain_matmul(): Expected one or more matrices")),
            [one] => Ok(one.clone()),
            several => multi_dot(several),
        }
    }
}

composed! {
    table: METHODS;

    /// See [`linalg::matrix_power`](crate::linalg::matrix_power).
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1.0f32, 1.0], [0.0, 1.0]])?;
    /// assert_eq!(x.matrix_power(5)?.to_vec::<f32>()?, [1.0, 5.0, 0.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn matrix_power(&x, n: i64) -> Tensor {
        matrix_power(x, n)
    }
    samples: power_samples(|x, n| x.matrix_power(n));

    /// `beta * add + alpha * sum_i a[i] @ b[i]`: the products of two batches of matrices, summed; `add` broadcasts, and is
    /// not read where `beta` is 0.
    ///
    /// # Shapes
    /// `[m, n]`, `[b, m, k]` and `[b, k, n]` to `[m, n]`.
    ///
    /// # Errors
    /// Sizes that do not fit, different dtypes.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::ones([2, 1, 3])?, Tensor::ones([2, 3, 1])?);
    /// assert_eq!(Tensor::ones([1, 1])?.addbmm(&a, &b, 10.0, 1.0)?.to_vec::<f32>()?, [16.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn addbmm(&add, a: &Tensor, b: &Tensor, beta: f64, alpha: f64) -> Tensor {
        addbmm_of(add, a, b, beta, alpha)
    }
    samples: {
        let call = |x: &[Tensor]| x[0].addbmm(&x[1], &x[2], 0.5, 2.0);
        Ok(vec![
            sample::one(Trait::Plain, vec![ANY.tensor(&[2, 4], 1)?, ANY.tensor(&[3, 2, 2], 2)?, ANY.tensor(&[3, 2, 4], 3)?], call),
            sample::one(Trait::Broadcast, vec![ANY.tensor(&[1], 1)?, ANY.tensor(&[3, 2, 2], 2)?, ANY.tensor(&[3, 2, 4], 3)?], call),
            sample::one(Trait::Strided, vec![ANY.strided(&[2, 4], 1)?, ANY.strided(&[3, 2, 2], 2)?, ANY.strided(&[3, 2, 4], 3)?], call),
            sample::one(Trait::Empty, vec![ANY.tensor(&[2, 4], 1)?, ANY.tensor(&[3, 2, 0], 2)?, ANY.tensor(&[3, 0, 4], 3)?], call),
        ])
    };
}

fn power_samples(f: impl Fn(&Tensor, i64) -> Result<Tensor> + Copy + Send + Sync + 'static) -> Result<Vec<Sample>> {
    let mut all = sample::shaped(&[2, 2], &[0, 0], move |x| f(x, 3))?;
    for n in [-2, 0, 1, 2, 5] {
        all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[2, 2, 2], 13)?], move |x| f(&x[0], n)));
    }
    Ok(all)
}

by_hand! {
    table: CHAINS;
    linalg_matrix_power: power_samples(matrix_power);
    linalg_multi_dot: {
        let call = |x: &[Tensor]| multi_dot(x);
        Ok(vec![
            sample::one(Trait::Plain, vec![ANY.tensor(&[2, 3], 1)?, ANY.tensor(&[3, 1], 2)?, ANY.tensor(&[1, 4], 3)?], call),
            sample::one(Trait::Plain, vec![ANY.tensor(&[3], 1)?, ANY.tensor(&[3, 2], 2)?, ANY.tensor(&[2], 3)?], call),
            sample::one(Trait::Strided, vec![ANY.strided(&[2, 3], 1)?, ANY.strided(&[3, 2], 2)?], call),
            sample::one(Trait::Empty, vec![ANY.tensor(&[2, 0], 1)?, ANY.tensor(&[0, 2], 2)?], call),
        ])
    };
    chain_matmul: sample::shaped_pairs((&[2, 3], &[3, 2]), (&[2, 0], &[0, 2]), |a, b| Tensor::chain_matmul(&[a, b]));
}
