//! Triangles of matrices.

use crate::ops::record::linear;
use crate::storage::check_list;
use crate::{Body, DType, Error, Result, Tensor, TensorOptions, backend};
use smallvec::smallvec;

/// The columns of a row that a triangle keeps.
fn kept(lower: bool, row: usize, columns: usize, diagonal: i64) -> std::ops::Range<usize> {
    let edge = (row as i64).saturating_add(diagonal);
    match lower {
        true => 0..edge.saturating_add(1).clamp(0, columns as i64) as usize,
        false => edge.clamp(0, columns as i64) as usize..columns,
    }
}

impl Tensor {
    fn triangle(&self, op: &'static str, name: &'static str, lower: bool, diagonal: i64) -> Result<Tensor> {
        let x = self.resolve(op)?;
        let body = x.body();
        let rank = body.shape.len();
        if rank < 2 {
            return Err(Error::runtime(op, format!("{op}: input tensor must have at least 2 dimensions")));
        }
        let out = Body::zeros(body.shape.clone(), body.dtype, body.device())?;
        let rows = if body.numel() == 0 { 0 } else { body.shape[rank - 2] };
        let columns = body.shape[rank - 1];
        let part = |b: &Body, row: usize, range: &std::ops::Range<usize>| {
            let (mut shape, offset) =
                (b.shape.clone(), b.offset + row * b.strides[rank - 2] + range.start * b.strides[rank - 1]);
            (shape[rank - 2], shape[rank - 1]) = (1, range.len());
            b.view(shape, b.strides.clone(), offset)
        };
        for row in 0..rows {
            let range = kept(lower, row, columns, diagonal);
            if !range.is_empty() {
                backend::of(body.device())?.copy(&part(&body, row, &range), &part(&out, row, &range))?;
            }
        }
        Ok(linear(name, &[&x], Tensor::from_body(out), move |g, _| {
            Ok(smallvec![Some(if lower { g.tril(diagonal)? } else { g.triu(diagonal)? })])
        }))
    }

    /// The lower triangle of matrices up to `diagonal` (0: the main one), zero elsewhere.
    ///
    /// # Errors
    /// Fewer than two dimensions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[1, 2], [3, 4]])?.tril(0)?.to_vec::<i32>()?, [1, 0, 3, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn tril(&self, diagonal: i64) -> Result<Tensor> {
        self.triangle("tril", "TrilBackward0", true, diagonal)
    }

    /// The upper triangle of matrices from `diagonal` (0: the main one) on, zero elsewhere.
    ///
    /// # Errors
    /// Fewer than two dimensions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[1, 2], [3, 4]])?.triu(1)?.to_vec::<i32>()?, [0, 2, 0, 0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn triu(&self, diagonal: i64) -> Result<Tensor> {
        self.triangle("triu", "TriuBackward0", false, diagonal)
    }

    /// Row and column numbers, in two rows, of the lower triangle of a `row` by `col` matrix.
    ///
    /// # Errors
    /// Negative sizes, or a dtype other than int32 and int64.
    ///
    /// ```
    /// # use firebrick_core::{Tensor, TensorOptions};
    /// assert_eq!(Tensor::tril_indices(2, 2, 0, TensorOptions::new())?.to_vec::<i64>()?, [0, 1, 1, 0, 0, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn tril_indices(row: i64, col: i64, offset: i64, options: impl Into<TensorOptions>) -> Result<Tensor> {
        triangle_indices("tril_indices", true, row, col, offset, options.into())
    }

    /// Row and column numbers, in two rows, of the upper triangle of a `row` by `col` matrix.
    ///
    /// # Errors
    /// Negative sizes, or a dtype other than int32 and int64.
    ///
    /// ```
    /// # use firebrick_core::{Tensor, TensorOptions};
    /// assert_eq!(Tensor::triu_indices(2, 2, 0, TensorOptions::new())?.to_vec::<i64>()?, [0, 0, 1, 0, 1, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn triu_indices(row: i64, col: i64, offset: i64, options: impl Into<TensorOptions>) -> Result<Tensor> {
        triangle_indices("triu_indices", false, row, col, offset, options.into())
    }
}

fn triangle_indices(
    op: &'static str,
    lower: bool,
    row: i64,
    col: i64,
    offset: i64,
    options: TensorOptions,
) -> Result<Tensor> {
    for (name, size) in [("row", row), ("col", col)] {
        if size < 0 {
            return Err(Error::runtime(op, format!("{name} must be non-negative, got{size}")));
        }
    }
    let dtype = options.dtype_or(DType::I64);
    if !matches!(dtype, DType::I32 | DType::I64) {
        return Err(Error::not_implemented(op, format!("\"{op}\" not implemented for '{}'", dtype.scalar_name())));
    }
    // Only rows that keep something are gone through: there may be far more of them than cells.
    let nonempty = match lower {
        true => offset.saturating_neg().clamp(0, row)..row,
        false => 0..col.saturating_sub(offset).clamp(0, row),
    };
    let nonempty = if col == 0 { 0..0 } else { nonempty };
    let sides = [nonempty.start, nonempty.end - 1].map(|r| kept(lower, r.max(0) as usize, col as usize, offset).len());
    let most = sides[0].max(sides[1]);
    let cells_at_most = ((nonempty.end - nonempty.start) as usize).saturating_mul(most);
    // Lengths change by one from row to row: at least half of the largest rectangle is filled, or as much as there are rows.
    check_list(cells_at_most / 2, 4 * size_of::<i64>())?;
    let cells = |r: usize| kept(lower, r, col as usize, offset).map(move |c| (r as i64, c as i64));
    let (mut rows, columns): (Vec<i64>, Vec<i64>) =
        (nonempty.start as usize..nonempty.end as usize).flat_map(cells).unzip();
    let count = rows.len();
    rows.extend(columns);
    Tensor::from_slice_with(&rows, [2, count], options.dtype(dtype))
}
