//! Rows of a table by number.

use crate::backend;
use crate::ops::devices::same_device;
use crate::ops::ops;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{Body, DType, Dims, Error, Result, Tensor};

/// The numbers as contiguous int64, on the table's device.
fn row_numbers(op: &'static str, table: &Tensor, indices: &Tensor) -> Result<Body> {
    same_device(op, [table.device(), indices.device()])?;
    if !matches!(indices.dtype(), DType::I64 | DType::I32) {
        return Err(Error::runtime(
            op,
            format!(
                "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got {} instead (while checking arguments for embedding)",
                indices.type_text()
            ),
        ));
    }
    Ok(indices.to(DType::I64)?.contiguous()?.body())
}

fn lookup(table: &Tensor, indices: &Tensor) -> Result<Tensor> {
    const OP: &str = "embedding";
    let shape = table.shape();
    if shape.len() != 2 {
        return Err(Error::runtime(OP, "'weight' must be 2-D").given(format!("{shape:?}")));
    }
    let numbers = row_numbers(OP, table, indices)?;
    let table = table.detach().contiguous()?.body();
    let mut out_shape: Dims = indices.shape();
    out_shape.push(shape[1]);
    let out = Body::alloc(out_shape, table.dtype, table.device())?;
    backend::of(table.device())?.take_rows(&table, &numbers, &out)?;
    Ok(Tensor::from_body(out))
}

/// The gradient of the table: each row's gradient added at the row's number, but for the padding row.
fn spread(g: &Tensor, indices: &Tensor, rows: usize, padding: Option<i64>, by_frequency: bool) -> Result<Tensor> {
    let numbers = row_numbers("embedding_backward", g, indices)?;
    let (given, mut rows_of) = (g.shape(), indices.shape());
    let columns = given.last().copied().unwrap_or(0);
    rows_of.push(columns);
    if given != rows_of {
        return Err(Error::runtime(
            "embedding_backward",
            "the gradient has another shape than the rows that were looked up",
        )
        .given(format!("{given:?}"))
        .expected(format!("{rows_of:?}")));
    }
    let g = g.detach().contiguous()?.body();
    let out = Body::zeros(Dims::from([rows, columns]), g.dtype, g.device())?;
    backend::of(g.device())?.add_rows(&g.reals(), &numbers, padding, by_frequency, &out.reals())?;
    Ok(Tensor::from_body(out))
}

/// Samples with repeated numbers, some of them those of the padding row.
fn samples(
    numbers: &'static [i64],
    differentiated: impl Fn(&Tensor, &Tensor) -> Result<Tensor> + Clone + Send + Sync + 'static,
    rows_from_numbers: bool,
) -> Result<Vec<Sample>> {
    let sample = |traits: Trait, numbers: &[i64]| -> Result<Sample> {
        let indices = Tensor::from_slice(numbers, [numbers.len()])?;
        let shape = [if rows_from_numbers { numbers.len() } else { 4 }, 3];
        let input = if traits == Trait::Strided { ANY.strided(&shape, 1)? } else { ANY.tensor(&shape, 2)? };
        let f = differentiated.clone();
        Ok(sample::one(traits, vec![input], move |x| f(&x[0], &indices)))
    };
    Ok(vec![sample(Trait::Plain, numbers)?, sample(Trait::Strided, numbers)?, sample(Trait::Empty, &[])?])
}

ops! {
    table: EMBEDDING;

    /// Rows of this `[rows, columns]` table by number: the function behind an embedding layer.
    ///
    /// The row `padding_idx` gets no gradient; with `scale_grad_by_freq` a row's gradient is divided by how often it
    /// was asked for.
    ///
    /// # Shapes
    /// Indices `[*]`, result `[*, columns]`.
    ///
    /// # Errors
    /// An index out of range, indices that are no integers, a table that is no matrix.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let table = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
    /// assert_eq!(table.embedding(&Tensor::new([1i64, 0])?, None, false)?.to_vec::<f32>()?, [3.0, 4.0, 1.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn embedding(table, indices: tensor; padding_idx: Option<i64>, scale_grad_by_freq: bool) -> Tensor as "EmbeddingBackward0" {
        forward: lookup(table, indices),
        saves: [table, indices],
        grads: {
            table: |g| g.embedding_grad(indices, table.shape()[0], *padding_idx, *scale_grad_by_freq),
        },
        samples: samples(&[1, 3, 1, 0], |t, i| t.embedding(i, None, false), false),
    }

    /// The gradient of [`Tensor::embedding`] in its table of `rows` rows, from that of its result.
    #[doc(hidden)]
    fn embedding_grad(g, indices: tensor; rows: usize, padding_idx: Option<i64>, scale_grad_by_freq: bool) -> Tensor as "EmbeddingDenseBackwardBackward0" {
        forward: spread(g, indices, *rows, *padding_idx, *scale_grad_by_freq),
        saves: [indices],
        grads: {
            g: |h| taken_back(h, indices, *padding_idx, *scale_grad_by_freq),
        },
        samples: samples(&[1, 3, 1, 0], |g, i| g.embedding_grad(i, 4usize, Some(3), true), true),
    }
}

/// The adjoint of [`spread`]: rows by number again, none for the padding row, scaled the same way.
fn taken_back(h: &Tensor, indices: &Tensor, padding: Option<i64>, by_frequency: bool) -> Result<Tensor> {
    let rows = h.shape()[0];
    let numel = indices.numel();
    let ones = h.detach().new_ones([numel, 1])?;
    let flat = indices.reshape(-1)?;
    // By frequency each index leaves its row 1 / frequency, else 1; the padding row is left nothing either way.
    let left = spread(&ones, &flat, rows, padding, by_frequency)?;
    let weight = left.div(&spread(&ones, &flat, rows, None, false)?)?;
    let weight = weight.embedding(indices, None, false)?;
    h.embedding(indices, None, false)?.mul(&weight)
}
