//! `matmul` and `linear`: products of any rank, by the products of fixed rank.

use super::products::{added_matrices, mt};
use crate::autograd::is_grad_enabled;
use crate::ops::composed;
use crate::ops::devices::same_device;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::views::ViewOp;
use crate::{Dims, Error, Result, Tensor, broadcast_shapes};
use std::borrow::Cow;

fn unsafe_view(x: &Tensor, shape: Dims) -> Result<Tensor> {
    x.viewed("matmul", "UnsafeViewBackward0", ViewOp::View(shape))
}

fn without_dim(x: &Tensor, dim: usize) -> Result<Tensor> {
    x.viewed("matmul", "SqueezeBackward4", ViewOp::Squeeze(Dims::from([dim])))
}

/// Is a batch of rows times one matrix computed as one product? PyTorch's `should_fold`.
fn folds(a: &Tensor, b: &Tensor, larger: &Tensor, smaller: &Tensor) -> bool {
    if larger.dim() < 3 || smaller.dim() > 2 {
        return false;
    }
    if is_grad_enabled() && smaller.requires_grad() {
        return true;
    }
    // The product of a matrix and a batch would have to be transposed and copied.
    if a.dim() == 2 && b.dim() >= 3 {
        return false;
    }
    larger.with_body(|l| {
        let rank = l.shape.len();
        l.numel() == 0 || (0..rank - 2).all(|d| l.strides[d] == l.strides[d + 1] * l.shape[d + 1])
    })
}

/// All dimensions but the last in front become one.
fn fold(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let shape = a.shape();
    let k = shape[shape.len() - 1];
    let rows = Dims::from_slice(&shape[..shape.len() - 1]).checked_numel("matmul")?;
    let folded = a.reshape([rows, k])?;
    let mut out: Dims = shape[..shape.len() - 1].into();
    let product = if b.dim() == 1 {
        folded.mv(b)?
    } else {
        out.push(b.shape()[1]);
        folded.mm(b)?
    };
    unsafe_view(&product, out)
}

/// Batches broadcast, then every pair of matrices is multiplied; a vector is a matrix of one row or column meanwhile.
fn batched(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (sa, sb) = (a.shape(), b.shape());
    let (ra, rb) = (sa.len(), sb.len());
    let batch = broadcast_shapes("matmul", &sa[..ra.saturating_sub(2)], &sb[..rb.saturating_sub(2)])?;
    let flat = |x: &Tensor, rows: usize, columns: usize| {
        let mut full = batch.clone();
        full.push(rows);
        full.push(columns);
        x.expand(&full)?.reshape([batch.checked_numel("matmul")?, rows, columns])
    };
    let left = flat(a, if ra > 1 { sa[ra - 2] } else { 1 }, sa[ra - 1])?;
    let right = match rb {
        1 => flat(&b.unsqueeze(1)?, sb[0], 1)?,
        _ => flat(b, sb[rb - 2], sb[rb - 1])?,
    };
    let mut out = batch.clone();
    if ra > 1 {
        out.push(sa[ra - 2]);
    }
    if rb > 1 {
        out.push(sb[rb - 1]);
    }
    unsafe_view(&left.bmm(&right)?, out)
}

fn matmul_of(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    const OP: &str = "matmul";
    let (a, b) = (a.resolve(OP)?, b.resolve(OP)?);
    same_device(OP, [a.device(), b.device()])?;
    match (a.dim(), b.dim()) {
        (0, _) | (_, 0) => Err(Error::runtime(
            OP,
            format!("both arguments to matmul need to be at least 1D, but they are {}D and {}D", a.dim(), b.dim()),
        )),
        (1, 1) => a.dot(&b),
        (2, 1) => a.mv(&b),
        (1, 2) => without_dim(&a.unsqueeze(0)?.mm(&b)?, 0),
        (2, 2) => a.mm(&b),
        (ra, rb) if ra >= rb => {
            if folds(&a, &b, &a, &b) {
                fold(&a, &b)
            } else {
                batched(&a, &b)
            }
        }
        (ra, _) => {
            let turned = mt(&b)?;
            if !folds(&a, &b, &turned, &a) {
                return batched(&a, &b);
            }
            let product = fold(&turned, &if ra == 2 { a.t()? } else { a })?;
            if ra == 2 { mt(&product)?.contiguous_copy() } else { Ok(product) }
        }
    }
}

/// `x @ weight^T + bias` for a matrix, where nothing is recorded and so nobody sees the transposed weight.
fn linear_unrecorded(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Option<Result<Tensor>> {
    let bias = bias?;
    let (x, mut weight) = (x.body(), weight.body());
    if x.shape.len() != 2 || weight.shape.len() != 2 {
        return None;
    }
    weight.shape.swap(0, 1);
    weight.strides.swap(0, 1);
    Some(added_matrices(&bias.body(), &x, &weight, [1.0, 1.0]))
}

fn linear_of(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    const OP: &str = "linear";
    let resolved = |t| Tensor::resolved_input(Cow::Borrowed(t), OP);
    let (x, weight, bias) = (resolved(x)?, resolved(weight)?, bias.map(resolved).transpose()?);
    if !is_grad_enabled()
        && let Some(result) = linear_unrecorded(&x, &weight, bias.as_deref())
    {
        return result;
    }
    let transposed = weight.t()?;
    let Some(bias) = bias else { return matmul_of(&x, &transposed) };
    let shape = x.shape();
    if weight.dim() < 2 || shape.is_empty() {
        return matmul_of(&x, &transposed)?.add(&*bias);
    }
    if shape.len() == 2 {
        return bias.addmm(&x, &transposed, 1.0, 1.0);
    }
    let features = shape[shape.len() - 1];
    let rows = Dims::from_slice(&shape[..shape.len() - 1]).checked_numel(OP)?;
    let mut out = shape.clone();
    out[shape.len() - 1] = weight.shape()[0];
    unsafe_view(&bias.addmm(&x.reshape([rows, features])?, &transposed, 1.0, 1.0)?, out)
}

fn matmul_samples() -> Result<Vec<Sample>> {
    let call = |x: &[Tensor]| x[0].matmul(&x[1]);
    let shapes: [(&[usize], &[usize]); 8] = [
        (&[3], &[3]),
        (&[2, 3], &[3]),
        (&[3], &[3, 2]),
        (&[2, 2, 3], &[3, 2]),
        (&[2, 2, 3], &[3]),
        (&[3], &[2, 3, 2]),
        (&[2, 3], &[2, 3, 2]),
        (&[2, 1, 2, 3], &[2, 3, 2]),
    ];
    let mut samples = vec![
        sample::one(Trait::Strided, vec![ANY.strided(&[2, 3], 1)?, ANY.strided(&[3, 2], 2)?], call),
        sample::one(Trait::Empty, vec![ANY.tensor(&[2, 0], 3)?, ANY.tensor(&[0, 2], 4)?], call),
    ];
    for (a, b) in shapes {
        samples.push(sample::one(Trait::Plain, vec![ANY.tensor(a, 5)?, ANY.tensor(b, 6)?], call));
    }
    Ok(samples)
}

fn linear_samples() -> Result<Vec<Sample>> {
    let with_bias = |x: &[Tensor]| x[0].linear(&x[1], Some(&x[2]));
    let without = |x: &[Tensor]| x[0].linear(&x[1], None);
    let three = |x: Tensor| -> Result<Vec<Tensor>> { Ok(vec![x, ANY.tensor(&[2, 3], 1)?, ANY.tensor(&[2], 2)?]) };
    Ok(vec![
        sample::one(Trait::Plain, three(ANY.tensor(&[4, 3], 3)?)?, with_bias),
        sample::one(Trait::Plain, three(ANY.tensor(&[2, 2, 3], 4)?)?, with_bias),
        sample::one(Trait::Plain, three(ANY.tensor(&[3], 5)?)?, with_bias),
        sample::one(Trait::Strided, three(ANY.strided(&[4, 3], 6)?)?, with_bias),
        sample::one(Trait::Empty, three(ANY.tensor(&[0, 3], 7)?)?, with_bias),
        sample::one(Trait::Plain, three(ANY.tensor(&[4, 3], 8)?)?[..2].to_vec(), without),
    ])
}

composed! {
    table: MATMUL;

    /// Product of vectors, matrices and batches of matrices; batch dimensions broadcast.
    ///
    /// # Shapes
    /// `[k] @ [k] -> []`, `[m, k] @ [k] -> [m]`, `[k] @ [k, n] -> [n]`, `[.., m, k] @ [.., k, n] -> [.., m, n]`.
    ///
    /// # Errors
    /// A 0-dimensional operand; inner sizes or dtypes that differ.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::new([[1.0f32, 2.0]])?, Tensor::new([[3.0f32], [4.0]])?);
    /// assert_eq!(a.matmul(&b)?.to_vec::<f32>()?, [11.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn matmul(&a, b: &Tensor) -> Tensor {
        matmul_of(a, b)
    }
    samples: matmul_samples();

    /// `x @ weight.T + bias`: the function behind a linear layer. The bias is added in the product's last pass.
    ///
    /// # Shapes
    /// `[.., in]`, `[out, in]`, `[out]` to `[.., out]`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (x, weight) = (Tensor::new([[1.0f32, 2.0]])?, Tensor::new([[1.0f32, 0.0], [3.0, 4.0]])?);
    /// assert_eq!(x.linear(&weight, Some(&Tensor::new([0.5f32, 0.0])?))?.to_vec::<f32>()?, [1.5, 11.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn linear(&x, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
        linear_of(x, weight, bias)
    }
    samples: linear_samples();

    /// Outer product of two vectors: `out[i, j] = a[i] * b[j]`.
    ///
    /// # Errors
    /// An operand that is no vector.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.outer(&Tensor::new([3, 4, 5])?)?.to_vec::<i32>()?, [3, 4, 5, 6, 8, 10]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn outer(&a, b: &Tensor) -> Tensor {
        for (name, x) in [("self", a), ("vec2", b)] {
            if x.dim() != 1 {
                return Err(Error::runtime("outer", format!("outer: Expected 1-D argument {name}, but got {}-D", x.dim())));
            }
        }
        a.viewed("outer", "ViewBackward0", ViewOp::Unsqueeze { dim: 1 })?.mul(b)
    }
    samples: Ok(vec![
        sample::one(Trait::Plain, vec![ANY.tensor(&[2], 1)?, ANY.tensor(&[3], 2)?], |x| x[0].outer(&x[1])),
        sample::one(Trait::Strided, vec![ANY.strided(&[2], 3)?, ANY.strided(&[3], 4)?], |x| x[0].outer(&x[1])),
        sample::one(Trait::Empty, vec![ANY.tensor(&[0], 5)?, ANY.tensor(&[3], 6)?], |x| x[0].outer(&x[1])),
    ]);
}
