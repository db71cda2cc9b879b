//! Vectors on diagonals.

use crate::ops::record::linear;
use crate::views::ViewOp;
use crate::{Body, Error, Result, Tensor, backend, wrap_dim};
use smallvec::smallvec;

impl Tensor {
    /// The last dimension on the diagonal of two new ones, `dim1` and `dim2`, zero elsewhere; `offset` shifts it.
    ///
    /// # Errors
    /// The two dimensions are one.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.diag_embed(1, -2, -1)?.to_vec::<i32>()?, [0, 1, 0, 0, 0, 2, 0, 0, 0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn diag_embed(&self, offset: i64, dim1: i64, dim2: i64) -> Result<Tensor> {
        const OP: &str = "diag_embed";
        let x = self.resolve(OP)?;
        let body = x.body();
        let rank = body.shape.len() + 1;
        let (first, second) = (wrap_dim(OP, dim1, rank)?, wrap_dim(OP, dim2, rank)?);
        if first == second {
            return Err(Error::runtime(OP, format!("diagonal dimensions cannot be identical {dim1}, {dim2}")));
        }
        let mut shape = body.shape.clone();
        let side = shape.remove(rank - 2) + offset.unsigned_abs() as usize;
        shape.insert(first.min(second), side);
        shape.insert(first.max(second), side);
        let out = Body::zeros(shape, body.dtype, body.device())?;
        let place = ViewOp::Diagonal { offset, dim1: first, dim2: second }.apply(OP, &out)?;
        backend::of(body.device())?.copy(&body, &place)?;
        Ok(linear("DiagEmbedBackward0", &[&x], Tensor::from_body(out), move |g, _| {
            Ok(smallvec![Some(g.diagonal(offset, dim1, dim2)?)])
        }))
    }

    /// A matrix with this vector on its diagonal, or a copy of this matrix's diagonal.
    ///
    /// # Errors
    /// Neither a vector nor a matrix.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.diag(0)?.to_vec::<i32>()?, [1, 0, 0, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn diag(&self, diagonal: i64) -> Result<Tensor> {
        const OP: &str = "diag";
        match self.dim() {
            1 => self.diag_embed(diagonal, 0, 1),
            2 => {
                let x = self.resolve(OP)?;
                let view = ViewOp::Diagonal { offset: diagonal, dim1: 0, dim2: 1 };
                let part = Tensor::from_body(view.apply(OP, &x.body())?);
                let out = crate::autograd::no_grad(|| part.contiguous_copy())?;
                let shape = x.shape();
                Ok(linear("DiagonalBackward0_copy", &[&x], out, move |g, _| {
                    Ok(smallvec![Some(g.scatter_view(&view, &shape)?)])
                }))
            }
            rank => Err(Error::runtime(OP, format!("diag(): Supports 1D or 2D tensors. Got {rank}D"))),
        }
    }

    /// A matrix with all elements on its diagonal, in row-major order.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1, 2], [3, 4]])?;
    /// assert_eq!(x.diagflat(0)?.diagonal(0, 0, 1)?.to_vec::<i32>()?, [1, 2, 3, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn diagflat(&self, offset: i64) -> Result<Tensor> {
        self.reshape([-1])?.diag(offset)
    }
}
