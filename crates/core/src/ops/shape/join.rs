//! Tensors put together along a dimension.

use crate::ops::devices::same_device;
use crate::ops::record::linear;
use crate::{Body, DType, Dims, Error, Result, Tensor, amp, backend, wrap_dim};
use std::borrow::Borrow;

/// A vector without elements: `cat` has always ignored it, whatever the other shapes.
fn is_skipped(shape: &Dims) -> bool {
    shape.len() == 1 && shape[0] == 0
}

fn resolved<T: Borrow<Tensor>>(op: &'static str, tensors: &[T]) -> Result<Vec<Tensor>> {
    amp::promote(op, tensors.iter().map(|t| t.borrow().resolve(op)).collect::<Result<_>>()?)
}

/// The shape of the result, and of each part its size along `dim` (0 where it is skipped).
fn joined_shape(op: &'static str, shapes: &[Dims], dim: usize) -> Result<(Dims, Vec<usize>)> {
    let mut joined: Option<Dims> = None;
    let mut lengths = Vec::with_capacity(shapes.len());
    for (i, shape) in shapes.iter().enumerate() {
        if is_skipped(shape) {
            lengths.push(0);
            continue;
        }
        lengths.push(shape[dim]);
        let Some(first) = &mut joined else {
            joined = Some(shape.clone());
            continue;
        };
        for d in (0..first.len()).filter(|&d| d != dim) {
            if first[d] != shape[d] {
                return Err(Error::runtime(
                    op,
                    format!(
                        "Sizes of tensors must match except in dimension {dim}. Expected size {} but got size {} for tensor number {i} in the list.",
                        first[d], shape[d]
                    ),
                ));
            }
        }
        first[dim] += shape[dim];
    }
    Ok((joined.unwrap_or_else(|| Dims::from([0])), lengths))
}

fn check_ranks(op: &'static str, shapes: &[Dims]) -> Result<usize> {
    if let Some(i) = shapes.iter().position(|s| s.is_empty()) {
        return Err(Error::runtime(op, format!("zero-dimensional tensor (at position {i}) cannot be concatenated")));
    }
    let mut ranks = shapes.iter().filter(|s| !is_skipped(s)).map(|s| s.len());
    let rank = ranks.next().unwrap_or(1);
    match ranks.find(|&r| r != rank) {
        Some(other) => {
            Err(Error::runtime(op, format!("Tensors must have same number of dimensions: got {rank} and {other}")))
        }
        None => Ok(rank),
    }
}

/// The dtype that all parts promote to, and the device they share.
fn common(op: &'static str, bodies: &[Body]) -> Result<(DType, crate::Device)> {
    let device = bodies[0].device();
    same_device(op, bodies.iter().map(Body::device))?;
    let dtype = bodies.iter().map(|b| b.dtype).reduce(DType::promote).unwrap_or(bodies[0].dtype);
    Ok((dtype, device))
}

/// Writes the bodies one after the other along `dim` of a new one, which has the format that all of them have.
fn joined(op: &'static str, bodies: &[Body], shape: Dims, dim: usize, lengths: &[usize]) -> Result<Body> {
    let (dtype, device) = common(op, bodies)?;
    let mut formats = bodies.iter().map(Body::suggested);
    let first = formats.next().unwrap_or_default();
    let strides = first.dense_strides(&shape).filter(|_| formats.all(|format| format == first));
    let out = Body::alloc_in(shape, strides, dtype, device)?;
    let mut start = 0;
    for (body, &length) in bodies.iter().zip(lengths).filter(|(body, _)| body.numel() > 0) {
        let mut place = out.shape.clone();
        place[dim] = length;
        let place = out.view(place, out.strides.clone(), out.offset + start * out.strides[dim]);
        backend::of(device)?.copy(body, &place)?;
        start += length;
    }
    Ok(out)
}

impl Tensor {
    /// Tensors one after the other along `dim`; their other sizes are equal, their dtypes promote.
    ///
    /// # Errors
    /// No tensors, 0-dimensional ones, or sizes that differ outside `dim`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::new([1, 2])?, Tensor::new([3])?);
    /// assert_eq!(Tensor::cat(&[&a, &b], 0)?.to_vec::<i32>()?, [1, 2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn cat<T: Borrow<Tensor>>(tensors: &[T], dim: i64) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "cat";
        if tensors.is_empty() {
            return Err(Error::value(OP, "torch.cat(): expected a non-empty list of Tensors"));
        }
        let parts = resolved(OP, tensors)?;
        let bodies: Vec<Body> = parts.iter().map(Tensor::body).collect();
        let shapes: Vec<Dims> = bodies.iter().map(|b| b.shape.clone()).collect();
        let dim = wrap_dim(OP, dim, check_ranks(OP, &shapes)?)?;
        let (shape, lengths) = joined_shape(OP, &shapes, dim)?;
        let out = Tensor::from_body(joined(OP, &bodies, shape, dim, &lengths)?);
        let inputs: Vec<&Tensor> = parts.iter().collect();
        Ok(linear("CatBackward0", &inputs, out, move |g, needs| {
            let mut start = 0;
            let part = |((length, shape), need): ((&usize, &Dims), &bool)| {
                let at = start;
                start += length;
                match need {
                    true if is_skipped(shape) => g.new_zeros(shape).map(Some),
                    true => g.narrow(dim as i64, at as i64, *length as i64).map(Some),
                    false => Ok(None),
                }
            };
            lengths.iter().zip(&shapes).zip(needs).map(part).collect()
        }))
    }

    /// [`Tensor::cat`] under another of PyTorch's names.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2])?;
    /// assert_eq!(Tensor::concat(&[&x, &x], 0)?.to_vec::<i32>()?, [1, 2, 1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn concat<T: Borrow<Tensor>>(tensors: &[T], dim: i64) -> Result<Tensor> {
        let _running = crate::source::operation();
        Tensor::cat(tensors, dim)
    }

    /// Tensors of one shape side by side in a new dimension.
    ///
    /// # Errors
    /// No tensors, or different shapes.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::new([1, 2])?, Tensor::new([3, 4])?);
    /// assert_eq!(Tensor::stack(&[&a, &b], 1)?.to_vec::<i32>()?, [1, 3, 2, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn stack<T: Borrow<Tensor>>(tensors: &[T], dim: i64) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "stack";
        if tensors.is_empty() {
            return Err(Error::runtime(OP, "stack expects a non-empty TensorList"));
        }
        let parts = resolved(OP, tensors)?;
        let first = parts[0].shape();
        let dim = wrap_dim(OP, dim, first.len() + 1)?;
        if let Some((i, other)) = parts.iter().map(Tensor::shape).enumerate().find(|(_, s)| *s != first) {
            return Err(Error::runtime(
                OP,
                format!(
                    "stack expects each tensor to be equal size, but got {first:?} at entry 0 and {other:?} at entry {i}"
                ),
            ));
        }
        let unsqueezed = |t: &Tensor| crate::views::ViewOp::Unsqueeze { dim }.apply(OP, &t.body());
        let bodies = parts.iter().map(unsqueezed).collect::<Result<Vec<_>>>()?;
        let mut shape = first;
        shape.insert(dim, parts.len());
        let out = Tensor::from_body(joined(OP, &bodies, shape, dim, &vec![1; parts.len()])?);
        let inputs: Vec<&Tensor> = parts.iter().collect();
        Ok(linear("StackBackward0", &inputs, out, move |g, needs| {
            let part = |(i, need): (usize, &bool)| need.then(|| g.select(dim as i64, i as i64)).transpose();
            needs.iter().enumerate().map(part).collect()
        }))
    }

    /// Tensors side by side: along dimension 1, or 0 for vectors and numbers.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1], [2]])?;
    /// assert_eq!(Tensor::hstack(&[&x, &x])?.to_vec::<i32>()?, [1, 1, 2, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn hstack<T: Borrow<Tensor>>(tensors: &[T]) -> Result<Tensor> {
        let _running = crate::source::operation();
        let parts = raised("hstack", tensors, Tensor::atleast_1d)?;
        Tensor::cat(&parts, i64::from(parts[0].dim() > 1))
    }

    /// Tensors below each other: along dimension 0, vectors as rows.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2])?;
    /// assert_eq!(Tensor::vstack(&[&x, &x, &x])?.shape(), [3, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn vstack<T: Borrow<Tensor>>(tensors: &[T]) -> Result<Tensor> {
        let _running = crate::source::operation();
        Tensor::cat(&raised("vstack", tensors, Tensor::atleast_2d)?, 0)
    }

    /// Tensors behind each other: along dimension 2.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::zeros([4, 5])?;
    /// assert_eq!(Tensor::dstack(&[&x, &x, &x])?.shape(), [4, 5, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn dstack<T: Borrow<Tensor>>(tensors: &[T]) -> Result<Tensor> {
        let _running = crate::source::operation();
        Tensor::cat(&raised("dstack", tensors, Tensor::atleast_3d)?, 2)
    }

    /// Vectors as the columns of a matrix; matrices side by side.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (x, y) = (Tensor::new([1, 2])?, Tensor::new([3, 4])?);
    /// assert_eq!(Tensor::column_stack(&[&x, &y])?.to_vec::<i32>()?, [1, 3, 2, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn column_stack<T: Borrow<Tensor>>(tensors: &[T]) -> Result<Tensor> {
        let _running = crate::source::operation();
        let column = |t: &Tensor| match t.dim() {
            0 | 1 => t.reshape([t.numel(), 1]),
            _ => t.resolve("column_stack"),
        };
        Tensor::hstack(&raised("column_stack", tensors, column)?)
    }
}

fn raised<T: Borrow<Tensor>>(
    op: &'static str,
    tensors: &[T],
    raise: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<Vec<Tensor>> {
    if tensors.is_empty() {
        return Err(Error::runtime(op, format!("{op} expects a non-empty TensorList")));
    }
    tensors.iter().map(|t| raise(t.borrow())).collect()
}
