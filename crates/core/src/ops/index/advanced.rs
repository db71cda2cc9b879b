//! Index tensors: integers and masks, for reading and writing.

use super::masked::{coordinates, positions};
use super::run::{gathered, on, out_of_bounds_text, raised, run, stretched};
use crate::backend::{self, Indexing};
use crate::ops::devices::values_for;
use crate::ops::record::{linear, written};
use crate::storage::check_list;
use crate::tensor::copy::expanded;
use crate::views::{ViewOp, view_strides};
use crate::{Body, DType, Device, Dims, Error, Result, Tensor, broadcast_shapes};
use smallvec::smallvec;

const OP: &str = "index";

/// Index tensors brought to one form: a vector of positions in neighbouring dimensions, taken as one.
struct Plan {
    /// Order of dimensions in which the indexed ones are neighbours.
    order: Dims,
    /// The first indexed dimension in that order, and how many there are.
    at: usize,
    count: usize,
    /// Positions in the indexed dimensions, taken as one.
    flat: Vec<i64>,
    /// Shape of the result.
    result: Dims,
}

/// Integer vectors by dimension; masks stand for the coordinates of their true elements.
fn integers(shape: &Dims, indices: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>> {
    let mut out = Vec::new();
    for index in indices {
        let Some(index) = index else {
            out.push(None);
            continue;
        };
        // The coordinates of a mask are looked at here.
        let index = index.resolve_to_read(OP)?;
        match index.dtype() {
            DType::I32 | DType::I64 => out.push(Some(index)),
            DType::Bool | DType::U8 => {
                let (mask, at) = (index.shape(), out.len());
                if let Some(d) = (0..mask.len()).find(|&d| shape.get(at + d) != Some(&mask[d])) {
                    return Err(Error::index(
                        OP,
                        format!(
                            "The shape of the mask {mask:?} at index {d} does not match the shape of the indexed tensor {shape:?} at index {}",
                            at + d
                        ),
                    ));
                }
                for column in coordinates(&positions(&index)?, &mask) {
                    out.push(Some(Tensor::from_slice_with(&column, [column.len()], Device::Cpu)?));
                }
            }
            _ => return Err(Error::index(OP, "tensors used as indices must be long, int, byte or bool tensors")),
        }
    }
    if out.len() > shape.len() {
        let (rank, got) = (shape.len(), out.len());
        return Err(Error::index(OP, format!("too many indices for tensor of dimension {rank} (got {got})")));
    }
    Ok(out)
}

impl Plan {
    fn new(own: &Dims, device: Device, indices: &[Option<Tensor>]) -> Result<Plan> {
        let indices = integers(own, indices)?;
        let dims: Vec<usize> = (0..indices.len()).filter(|&d| indices[d].is_some()).collect();
        let tensors: Vec<&Tensor> = indices.iter().flatten().collect();
        let mut shape = Dims::new();
        for tensor in &tensors {
            shape = broadcast_shapes(OP, &shape, &tensor.shape()).map_err(|_| {
                let shapes: Vec<String> = tensors.iter().map(|t| format!("{:?}", t.shape())).collect();
                Error::index(
                    OP,
                    format!(
                        "shape mismatch: indexing tensors could not be broadcast together with shapes {}",
                        shapes.join(", ")
                    ),
                )
            })?;
        }
        if dims.iter().any(|&d| own[d] == 0) && !shape.contains(&0) {
            return Err(Error::index(OP, "index is out of bounds for dimension with size 0"));
        }
        check_list(shape.checked_numel(OP)?, 3 * size_of::<i64>())?;
        let mut flat = vec![0i64; shape.numel()];
        for (k, (&dim, tensor)) in dims.iter().zip(&tensors).enumerate() {
            let size = own[dim] as i64;
            for (place, i) in flat.iter_mut().zip(values_for(OP, device, &tensor.detach().expand(&shape)?, 0i64)?) {
                if i < -size || i >= size {
                    return Err(Error::index(OP, out_of_bounds_text(i, k, own[dim])));
                }
                // Dimensions without elements may be longer than memory.
                *place = place.wrapping_mul(size).wrapping_add(if i < 0 { i + size } else { i });
            }
        }
        // Indexed dimensions that are no neighbours come first.
        let neighbours = dims.windows(2).all(|pair| pair[1] == pair[0] + 1);
        let at = if neighbours { dims.first().copied().unwrap_or(0) } else { 0 };
        let others: Vec<usize> = (0..own.len()).filter(|d| !dims.contains(d)).collect();
        let order: Dims = others[..at].iter().chain(&dims).chain(&others[at..]).copied().collect();
        let size = |d: &usize| own[*d];
        let result = others[..at].iter().map(size).chain(shape.iter().copied()).chain(others[at..].iter().map(size));
        Ok(Plan { at, count: dims.len(), flat, result: result.collect(), order })
    }

    /// The body with the indexed dimensions as one, and whether that took a copy.
    fn merged(&self, body: &Body) -> Result<(Body, bool)> {
        let body = ViewOp::Permute(self.order.clone()).apply(OP, body)?;
        let (at, end) = (self.at, self.at + self.count);
        let size = Dims::from_slice(&body.shape[at..end]).checked_numel(OP)?;
        let shape: Dims =
            body.shape[..at].iter().copied().chain([size]).chain(body.shape[end..].iter().copied()).collect();
        if let Some(strides) = view_strides(&body, &shape) {
            return Ok((body.view(shape, strides, body.offset), false));
        }
        let copy = Body::alloc(body.shape.clone(), body.dtype, body.device())?;
        backend::of(body.device())?.copy(&body, &copy)?;
        Ok((copy.view(shape.clone(), shape.contiguous_strides(), 0), true))
    }

    /// The positions as an index of the merged dimension.
    fn index(&self, table: &Body) -> Result<Body> {
        let mut shape = table.shape.clone();
        shape[self.at] = self.flat.len();
        Ok(stretched(&raised(on(table.device(), &self.flat)?), &shape, self.at))
    }

    fn read(&self, body: &Body) -> Result<Body> {
        let (table, _) = self.merged(body)?;
        let out = gathered(&table, self.at, &self.index(&table)?, beyond)?;
        Ok(out.view(self.result.clone(), self.result.contiguous_strides(), 0))
    }

    fn write(&self, kind: Indexing, out: &Body, values: &Body) -> Result<()> {
        let (table, copied) = self.merged(out)?;
        let index = self.index(&table)?;
        let spread = Body::alloc(self.result.clone(), values.dtype, values.device())?;
        backend::of(out.device())?.copy(values, &spread)?;
        let spread = spread.view(index.shape.clone(), index.shape.contiguous_strides(), 0);
        run(kind, self.at, &spread, &index, &table, beyond)?;
        if copied {
            let there = ViewOp::Permute(self.order.clone()).apply(OP, out)?;
            let back = table.view(there.shape.clone(), there.shape.contiguous_strides(), 0);
            backend::of(out.device())?.copy(&back, &there)?;
        }
        Ok(())
    }
}

/// Positions were checked when the plan was made.
fn beyond(index: i64) -> Error {
    Error::index(OP, format!("index {index} is out of bounds"))
}

impl Tensor {
    /// Elements at the places that index tensors name, one for each dimension (`None`: the whole dimension). Integer
    /// tensors broadcast together; a mask stands for the dimensions of its shape. See [`Tensor::i`].
    ///
    /// # Errors
    /// Shapes that do not fit, or an index that is not there.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1, 2], [3, 4]])?;
    /// let (rows, columns) = (Tensor::new([0i64, 1])?, Tensor::new([1i64, 0])?);
    /// assert_eq!(x.index(&[Some(rows), Some(columns)])?.to_vec::<i32>()?, [2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn index(&self, indices: &[Option<Tensor>]) -> Result<Tensor> {
        let x = self.resolve(OP)?;
        let body = x.body();
        let out = Plan::new(&body.shape, body.device(), indices)?.read(&body)?;
        let (like, indices) = (body.shape, indices.to_vec());
        Ok(linear("IndexBackward0", &[&x], Tensor::from_body(out), move |g, _| {
            Ok(smallvec![Some(g.new_zeros(&like)?.index_put(&indices, g, true)?)])
        }))
    }

    /// This tensor with `values`, which broadcast, written (or, with `accumulate`, added) at the places that index
    /// tensors name, as [`Tensor::index`] reads them.
    ///
    /// # Errors
    /// As [`Tensor::index`]; values of another dtype or shape.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (x, index) = (Tensor::new([1, 2, 3])?, [Some(Tensor::new([0i64, 0, 2])?)]);
    /// assert_eq!(x.index_put(&index, &Tensor::new([7])?, true)?.to_vec::<i32>()?, [15, 2, 10]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn index_put(&self, indices: &[Option<Tensor>], values: &Tensor, accumulate: bool) -> Result<Tensor> {
        index_put(self, indices, values, accumulate, None)
    }

    #[doc = crate::ops::in_place_doc!(index_put_ of index_put (&[Some(Tensor::new([0i64, 0])?)], &Tensor::new([7.0f32])?, true))]
    #[track_caller]
    pub fn index_put_(&self, indices: &[Option<Tensor>], values: &Tensor, accumulate: bool) -> Result<&Tensor> {
        let _running = crate::source::operation();
        index_put(self, indices, values, accumulate, Some("index_put_"))?;
        Ok(self)
    }
}

fn index_put(
    x: &Tensor,
    indices: &[Option<Tensor>],
    values: &Tensor,
    accumulate: bool,
    in_place: Option<&'static str>,
) -> Result<Tensor> {
    const OP: &str = "index_put";
    let (x, values) = (x.resolve(OP)?, values.resolve(OP)?);
    let (body, from) = (x.body(), values.body());
    if body.dtype != from.dtype {
        return Err(Error::runtime(
            OP,
            format!(
                "Index put requires the source and destination dtypes match, got {} for the destination and {} for the source.",
                body.dtype.scalar_name(),
                from.dtype.scalar_name()
            ),
        ));
    }
    let plan = Plan::new(&body.shape, body.device(), indices)?;
    let spread = expanded(OP, &from, &plan.result).ok().filter(|_| from.shape.len() <= plan.result.len());
    let spread = spread.ok_or_else(|| {
        Error::runtime(
            OP,
            format!(
                "shape mismatch: value tensor of shape {:?} cannot be broadcast to indexing result of shape {:?}",
                from.shape, plan.result
            ),
        )
    })?;
    let kind = if accumulate { Indexing::ScatterAdd } else { Indexing::Scatter };
    let write = |out: &Body| plan.write(kind, out, &spread);
    let (indices, shape) = (indices.to_vec(), from.shape.clone());
    written("IndexPutBackward0", &[&x, &values], in_place, write, move |g, needs| {
        let kept = || match accumulate {
            true => Ok(g.clone()),
            false => g.index_put(&indices, &g.new_zeros(())?, false),
        };
        let given = || g.index(&indices)?.sum_to_size(&shape);
        Ok(smallvec![needs[0].then(kept).transpose()?, needs[1].then(given).transpose()?])
    })
}
