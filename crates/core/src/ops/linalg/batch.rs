//! The matrices of a tensor as the kernels of factorizations take them, and what is refused before.

use crate::backend::{self, Factor};
use crate::{Body, DType, Dims, Error, Result, Tensor};

/// A batch of matrices, contiguous and in double precision.
pub(super) struct Matrices {
    body: Body,
    /// The dimensions in front.
    pub batch: Dims,
    /// Rows of each.
    pub rows: usize,
    /// Columns of each.
    pub columns: usize,
    /// What the tensor was in.
    pub dtype: DType,
}

impl Matrices {
    /// Those of a tensor of two dimensions or more.
    pub fn of(x: &Tensor) -> Result<Matrices> {
        let body = x.body();
        let rank = body.shape.len();
        let (rows, columns) = (body.shape[rank - 2], body.shape[rank - 1]);
        let batch = Dims::from_slice(&body.shape[..rank - 2]);
        let dtype = body.dtype;
        let dense = match dtype == DType::F64 && body.is_contiguous() {
            true => body,
            false => converted(&body, DType::F64)?,
        };
        let flat = Dims::from([batch.numel(), rows, columns]);
        let strides = flat.contiguous_strides();
        let body = dense.view(flat, strides, dense.offset);
        Ok(Matrices { body, batch, rows, columns, dtype })
    }

    /// As many rows as columns, or the other way round: the shorter side.
    pub fn shorter(&self) -> usize {
        self.rows.min(self.columns)
    }

    /// Room for something of each matrix.
    pub fn room(&self, shape: &[usize], dtype: DType) -> Result<Body> {
        let all: Dims = std::iter::once(self.batch.numel()).chain(shape.iter().copied()).collect();
        Body::alloc(all, dtype, self.body.device())
    }

    /// Runs a kernel on the matrices and further inputs.
    pub fn run(&self, factor: Factor, more: &[&Body], out: &[&Body]) -> Result<()> {
        let inputs: Vec<&Body> = std::iter::once(&self.body).chain(more.iter().copied()).collect();
        backend::of(self.body.device())?.factorize(factor, &inputs, out)
    }

    /// What a kernel wrote into a [`Matrices::room`], with the batch's own dimensions, in `dtype`.
    pub fn tensor(&self, room: &Body, dtype: DType) -> Result<Tensor> {
        let shape: Dims = self.batch.iter().chain(&room.shape[1..]).copied().collect();
        let strides = shape.contiguous_strides();
        let view = room.view(shape, strides, room.offset);
        Ok(Tensor::from_body(if dtype == view.dtype { view } else { converted(&view, dtype)? }))
    }

    /// The same of what is already in a kernel's form: other matrices of the same batch.
    pub fn with(&self, body: Body) -> Matrices {
        let (rows, columns) = (body.shape[1], body.shape[2]);
        Matrices { body, batch: self.batch.clone(), rows, columns, dtype: self.dtype }
    }

    /// The matrices themselves.
    pub fn body(&self) -> &Body {
        &self.body
    }
}

fn converted(body: &Body, dtype: DType) -> Result<Body> {
    let out = Body::alloc(body.shape.clone(), dtype, body.device())?;
    backend::of(body.device())?.copy(body, &out)?;
    Ok(out)
}

/// Refuses what has no rows and columns; `name` is what PyTorch calls the operand.
pub(super) fn check_rank(op: &'static str, name: &str, x: &Tensor) -> Result<()> {
    match x.dim() {
        0 | 1 => Err(Error::runtime(op, format!("{op}: The input tensor {name} must have at least 2 dimensions."))),
        _ => Ok(()),
    }
}

/// Refuses anything but batches of square matrices.
pub(super) fn check_square(op: &'static str, x: &Tensor) -> Result<()> {
    check_rank(op, "A", x)?;
    let shape = x.shape();
    let (rows, columns) = (shape[shape.len() - 2], shape[shape.len() - 1]);
    if rows != columns {
        let text = format!("{op}: A must be batches of square matrices, but they are {rows} by {columns} matrices");
        return Err(Error::runtime(op, text));
    }
    Ok(())
}

/// Refuses integers and bools.
pub(super) fn check_float(op: &'static str, x: &Tensor) -> Result<()> {
    let dtype = x.dtype();
    match dtype.is_differentiable() {
        true => Ok(()),
        false => {
            let got = dtype.scalar_name();
            Err(Error::not_implemented(
                op,
                format!("{op}: Expected a floating point or complex tensor as input. Got {got}"),
            ))
        }
    }
}

/// Refuses what PyTorch's kernel of this name is not compiled for.
pub(super) fn check_kernel(op: &'static str, kernel: &str, x: &Tensor) -> Result<()> {
    match x.dtype() {
        DType::F32 | DType::F64 => Ok(()),
        other => Err(Error::not_implemented(op, format!("\"{kernel}\" not implemented for '{}'", other.scalar_name()))),
    }
}

/// Refuses half precision in the words of operations that ask for it by name.
pub(super) fn check_precise(op: &'static str, x: &Tensor) -> Result<()> {
    check_float(op, x)?;
    match x.dtype() {
        DType::F32 | DType::F64 => Ok(()),
        other if other.is_complex() => {
            Err(Error::not_implemented(op, format!("{op}: complex matrices are not supported")))
        }
        other => {
            let got = other.scalar_name();
            Err(Error::not_implemented(op, format!("{op}: Low precision dtypes not supported. Got {got}")))
        }
    }
}

/// The first matrix with something to report: what `info` says of it, and how errors name it.
pub(super) fn first_report(info: &Tensor) -> Result<Option<(i32, String)>> {
    let reports = info.values_or(0i32)?;
    let found = reports.iter().position(|&report| report != 0);
    Ok(found.map(|at| {
        let name = if info.dim() == 0 { String::new() } else { format!("(Batch element {at}): ") };
        (reports[at], name)
    }))
}

/// Two operands with equal batch dimensions; PyTorch names the second's first where they do not fit.
pub(super) fn broadcast_batches(op: &'static str, a: &Tensor, b: &Tensor) -> Result<(Tensor, Tensor)> {
    let (sa, sb) = (a.shape(), b.shape());
    let batch = crate::broadcast_shapes(op, &sb[..sb.len() - 2], &sa[..sa.len() - 2])?;
    let stretched = |x: &Tensor, shape: &Dims| {
        let mut full = batch.clone();
        shape[shape.len() - 2..].iter().for_each(|&size| full.push(size));
        if *shape == full { Ok(x.clone()) } else { x.expand(&full) }
    };
    Ok((stretched(a, &sa)?, stretched(b, &sb)?))
}
