//! Grids, products of sets, blocks.

use crate::ops::devices::same_device;
use crate::ops::record::linear;
use crate::{Body, DType, Dims, Error, Result, Tensor, backend};
use std::borrow::Borrow;

impl Tensor {
    /// Vectors stretched to the grid that they span: result `i` varies along dimension `i` (`indexing` "ij"); with
    /// "xy" the first two dimensions are swapped.
    ///
    /// # Errors
    /// No tensors, one with more than one dimension, different dtypes, or another word for `indexing`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let grid = Tensor::meshgrid(&[Tensor::new([1, 2])?, Tensor::new([3, 4, 5])?], "ij")?;
    /// assert_eq!(grid[0].to_vec::<i32>()?, [1, 1, 1, 2, 2, 2]);
    /// assert_eq!(grid[1].to_vec::<i32>()?, [3, 4, 5, 3, 4, 5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn meshgrid<T: Borrow<Tensor>>(tensors: &[T], indexing: &str) -> Result<Vec<Tensor>> {
        const OP: &str = "meshgrid";
        if tensors.is_empty() {
            return Err(Error::runtime(OP, "meshgrid expects a non-empty TensorList"));
        }
        if !matches!(indexing, "ij" | "xy") {
            return Err(Error::runtime(
                OP,
                format!("torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but received: {indexing}"),
            ));
        }
        let parts = tensors.iter().map(|t| t.borrow().resolve(OP)).collect::<Result<Vec<_>>>()?;
        if parts.iter().any(|t| t.dtype() != parts[0].dtype()) {
            return Err(Error::runtime(OP, "meshgrid expects all tensors to have the same dtype"));
        }
        if let Some(wrong) = parts.iter().find(|t| t.dim() > 1) {
            return Err(Error::runtime(
                OP,
                format!("torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {:?}", wrong.shape()),
            ));
        }
        let swap = indexing == "xy" && parts.len() > 1;
        let place = |i: usize| match i {
            0 | 1 if swap => 1 - i,
            i => i,
        };
        let mut shape = Dims::repeat(1, parts.len());
        for (i, part) in parts.iter().enumerate() {
            shape[place(i)] = part.numel();
        }
        let grid = |(i, part): (usize, &Tensor)| {
            let mut own = Dims::repeat(1, parts.len());
            own[place(i)] = part.numel();
            part.view(own)?.expand(&shape)
        };
        parts.iter().enumerate().map(grid).collect()
    }

    /// All combinations of one element of each vector, as rows.
    ///
    /// # Errors
    /// No tensors, or one that is no vector.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::new([1, 2])?, Tensor::new([3, 4])?);
    /// assert_eq!(Tensor::cartesian_prod(&[a, b])?.to_vec::<i32>()?, [1, 3, 1, 4, 2, 3, 2, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn cartesian_prod<T: Borrow<Tensor>>(tensors: &[T]) -> Result<Tensor> {
        if let Some(wrong) = tensors.iter().map(|t| t.borrow().shape()).find(|s| s.len() != 1) {
            return Err(Error::runtime("cartesian_prod", format!("Expect a 1D vector, but got shape {wrong:?}")));
        }
        let grids = Tensor::meshgrid(tensors, "ij")?;
        match &grids[..] {
            [one] => one.alias(),
            _ => Tensor::stack(&grids.iter().map(|g| g.flatten(0, -1)).collect::<Result<Vec<_>>>()?, 1),
        }
    }

    /// Matrices (vectors as rows) along the diagonal of one matrix, zero elsewhere.
    ///
    /// # Errors
    /// A tensor has more than two dimensions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::new([[1, 2]])?, Tensor::new([[3]])?);
    /// assert_eq!(Tensor::block_diag(&[a, b])?.to_vec::<i32>()?, [1, 2, 0, 0, 0, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn block_diag<T: Borrow<Tensor>>(tensors: &[T]) -> Result<Tensor> {
        const OP: &str = "block_diag";
        if tensors.is_empty() {
            return Tensor::zeros([1, 0]);
        }
        let parts = tensors.iter().map(|t| t.borrow().resolve(OP)).collect::<Result<Vec<_>>>()?;
        if let Some((i, rank)) = parts.iter().map(Tensor::dim).enumerate().find(|&(_, rank)| rank > 2) {
            return Err(Error::runtime(
                OP,
                format!(
                    "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has {rank} dimensions"
                ),
            ));
        }
        let shapes: Vec<Dims> = parts.iter().map(Tensor::shape).collect();
        let sides = |s: &Dims| match s[..] {
            [rows, columns] => (rows, columns),
            [columns] => (1, columns),
            _ => (1, 1),
        };
        let sizes: Vec<(usize, usize)> = shapes.iter().map(sides).collect();
        same_device(OP, parts.iter().map(Tensor::device))?;
        let dtype = parts.iter().map(Tensor::dtype).reduce(DType::promote).unwrap_or(DType::F32);
        let total = sizes.iter().fold((0, 0), |(r, c), (rows, columns)| (r + rows, c + columns));
        let out = Body::zeros(Dims::from([total.0, total.1]), dtype, parts[0].device())?;
        let mut at = (0, 0);
        for (part, &(rows, columns)) in parts.iter().zip(&sizes) {
            let from = part.detach().reshape([rows, columns])?.body();
            let place = out.view(Dims::from([rows, columns]), out.strides.clone(), at.0 * total.1 + at.1);
            backend::of(out.device())?.copy(&from, &place)?;
            at = (at.0 + rows, at.1 + columns);
        }
        let inputs: Vec<&Tensor> = parts.iter().collect();
        Ok(linear("BlockDiagBackward0", &inputs, Tensor::from_body(out), move |g, needs| {
            let mut at = (0, 0);
            let mut block = |rows: usize, columns: usize| {
                let (row, column) = at;
                at = (row + rows, column + columns);
                g.narrow(0, row as i64, rows as i64)?.narrow(1, column as i64, columns as i64)
            };
            let grad = |((&(rows, columns), shape), &need): ((&(usize, usize), &Dims), &bool)| {
                let block = block(rows, columns)?;
                need.then(|| block.reshape(shape)).transpose()
            };
            sizes.iter().zip(&shapes).zip(needs).map(grad).collect()
        }))
    }
}
