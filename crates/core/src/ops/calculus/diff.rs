//! Differences of neighbours.

use crate::{DType, Error, Result, Tensor, wrap_dim};

const OP: &str = "diff";

/// Checks that `other` can be joined to `x` along `dim`.
fn check_joined(x: &Tensor, other: &Tensor, dim: usize) -> Result<()> {
    let (own, has) = (x.shape(), other.shape());
    if own.len() != has.len() {
        return Err(Error::runtime(OP, "diff expects prepend or append to be the same dimension as input"));
    }
    match (0..own.len()).find(|&d| d != dim && own[d] != has[d]) {
        None => Ok(()),
        Some(d) => Err(Error::runtime(
            OP,
            format!(
                "diff expects the shape of tensor to prepend or append to match that of input except along the differencing dimension; input.size({d}) = {}, but got tensor.size({d}) = {}",
                own[d], has[d]
            ),
        )),
    }
}

impl Tensor {
    /// Differences of neighbours along `dim`, `n` times over: `x[i + 1] - x[i]`; of truth values, whether they differ.
    /// `prepend` and `append` are joined to the ends first.
    ///
    /// # Errors
    /// No dimensions, a negative `n`, or tensors that cannot be joined.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 4, 9])?;
    /// assert_eq!(x.diff(1, -1, None, None)?.to_vec::<i32>()?, [3, 5]);
    /// assert_eq!(x.diff(2, -1, Some(&Tensor::new([0])?), None)?.to_vec::<i32>()?, [2, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn diff(&self, n: i64, dim: i64, prepend: Option<&Tensor>, append: Option<&Tensor>) -> Result<Tensor> {
        let x = self.resolve(OP)?;
        if x.dim() == 0 {
            return Err(Error::runtime(OP, "diff expects input to be at least one-dimensional"));
        }
        let at = wrap_dim(OP, dim, x.dim())?;
        if n < 0 {
            return Err(Error::runtime(OP, format!("order must be non-negative but got {n}")));
        }
        let mut parts = vec![x.clone()];
        for (other, place) in [(prepend, 0), (append, usize::MAX)] {
            if let Some(other) = other {
                let other = other.resolve(OP)?;
                check_joined(&x, &other, at)?;
                parts.insert(place.min(parts.len()), other);
            }
        }
        if n == 0 {
            return x.copy();
        }
        let dim = at as i64;
        let mut out = if parts.len() == 1 { x } else { Tensor::cat(&parts, dim)? };
        for _ in 0..n.min(out.size(dim)? as i64) {
            let (after, before) = (out.slice(dim, 1, None, 1)?, out.slice(dim, 0, -1, 1)?);
            out = if out.dtype() == DType::Bool { after.logical_xor(&before)? } else { after.sub(before)? };
        }
        Ok(out)
    }
}
