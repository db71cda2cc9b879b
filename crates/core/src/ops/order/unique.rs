//! Distinct elements, and distinct slices along a dimension.

use super::run::without_gradient;
use crate::{Body, DType, Dims, Error, Result, Tensor, backend, wrap_dim};

/// Distinct values, and how the input is made of them.
///
/// ```
/// # use firebrick_core::Tensor;
/// let unique = Tensor::new([3, 1, 3, 2])?.unique_with(None)?;
/// assert_eq!(unique.output.to_vec::<i32>()?, [1, 2, 3]);
/// assert_eq!(unique.inverse_indices.to_vec::<i64>()?, [2, 0, 2, 1]);
/// assert_eq!(unique.counts.to_vec::<i64>()?, [1, 1, 2]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Unique {
    /// The distinct elements in a vector, or the distinct slices along the dimension.
    pub output: Tensor,
    /// For each element, or each slice, of the input its index in `output`.
    pub inverse_indices: Tensor,
    /// How often each element, or each slice, of `output` occurs.
    pub counts: Tensor,
}

/// Elements in an order in which equal ones are neighbours, as groups of equals.
struct Groups {
    /// Place in the order of the first of each group.
    firsts: Tensor,
    /// The group of each element, in the order.
    group: Tensor,
    counts: Tensor,
}

impl Groups {
    /// `differs` says of each element but the first whether it differs from the one before.
    fn new(differs: &Tensor) -> Result<Groups> {
        let count = differs.numel() as i64 + 1;
        let zero = differs.new_zeros([1])?;
        let firsts = Tensor::cat(&[&zero.logical_not()?, differs], 0)?.nonzero()?.flatten(0, -1)?;
        let group = Tensor::cat(&[&zero, differs], 0)?.cumsum(0)?;
        let ends = Tensor::cat(&[&firsts.narrow(0, 1, firsts.numel() as i64 - 1)?, &firsts.new_full([1], count)?], 0)?;
        Ok(Groups { counts: ends.sub(&firsts)?, firsts, group })
    }

    /// The groups of the elements as they were before they were put in `order`.
    fn inverse(&self, order: &Tensor) -> Result<Tensor> {
        self.group.zeros_like()?.scatter(0, order, &self.group)
    }
}

/// Does each row differ from the one before?
fn neighbours_differ(rows: &Tensor) -> Result<Tensor> {
    let less = rows.size(0)? as i64 - 1;
    let differs = rows.narrow(0, 1, less)?.ne(rows.narrow(0, 0, less)?)?;
    if differs.dim() == 1 { Ok(differs) } else { differs.any_dim(1, false) }
}

fn empty(x: &Tensor) -> Result<Unique> {
    let none = Tensor::zeros_with([0], crate::TensorOptions::from(DType::I64).device(x.device()))?;
    Ok(Unique { output: x.clone(), inverse_indices: none.clone(), counts: none })
}

/// Distinct elements of a detached tensor.
fn of_elements(x: &Tensor, consecutive: bool) -> Result<Unique> {
    let flat = x.reshape([-1])?;
    if flat.numel() == 0 {
        let none = empty(&flat)?;
        return Ok(Unique { inverse_indices: none.counts.reshape(x.shape())?, ..none });
    }
    let (sorted, order) = if consecutive {
        (flat, None)
    } else {
        let (sorted, order) = flat.sort(0, false)?;
        (sorted, Some(order))
    };
    let groups = Groups::new(&neighbours_differ(&sorted)?)?;
    let inverse = order.map_or_else(|| Ok(groups.group.clone()), |order| groups.inverse(&order))?;
    Ok(Unique {
        output: sorted.index_select(0, &groups.firsts)?,
        inverse_indices: inverse.reshape(x.shape())?,
        counts: groups.counts,
    })
}

/// Distinct slices along `dim` of a detached tensor.
fn of_slices(op: &'static str, x: &Tensor, dim: i64, consecutive: bool) -> Result<Unique> {
    let shape = x.shape();
    if shape.is_empty() {
        return Err(Error::index(op, format!("Dimension specified as {dim} but tensor has no dimensions")));
    }
    let dim = wrap_dim(op, dim, shape.len())?;
    match shape.iter().filter(|&&size| size == 0).count() {
        0 => {}
        1 if shape[dim] == 0 => return empty(x),
        1 => {
            let text = "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied";
            return Err(Error::runtime(op, text));
        }
        _ => {
            let text = "Number of zero sized dimensions is more than one, so unique cannot be applied ";
            return Err(Error::runtime(op, text));
        }
    }
    let slices = x.movedim(dim as i64, 0)?;
    let rows = slices.reshape([shape[dim] as i64, -1])?;
    let order = if consecutive { None } else { Some(lexicographic(&rows)?) };
    let sorted = order.as_ref().map_or_else(|| Ok(rows.clone()), |order| rows.index_select(0, order))?;
    let groups = Groups::new(&neighbours_differ(&sorted)?)?;
    let mut distinct: Dims = slices.shape();
    distinct[0] = groups.counts.numel();
    Ok(Unique {
        output: sorted.index_select(0, &groups.firsts)?.reshape(distinct)?.movedim(0, dim as i64)?.contiguous()?,
        inverse_indices: order.map_or_else(|| Ok(groups.group.clone()), |order| groups.inverse(&order))?,
        counts: groups.counts,
    })
}

/// The numbers of the rows in lexicographic order.
fn lexicographic(rows: &Tensor) -> Result<Tensor> {
    let rows = rows.contiguous()?.body();
    let numbers = Body::alloc(Dims::from([rows.shape[0]]), DType::I64, rows.device())?;
    backend::of(rows.device())?.sort_rows(&rows, &numbers)?;
    Ok(Tensor::from_body(numbers))
}

/// PyTorch's error on going backward.
fn no_derivative(op: &'static str, name: &str) -> Error {
    Error::not_implemented(op, format!("the derivative for '{name}' is not implemented."))
}

impl Tensor {
    /// The distinct elements, in order. NaN equals nothing: each is an element of its own.
    ///
    /// # Errors
    /// Going backward: the derivative is not implemented, as in PyTorch.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([3, 1, 3, 2])?.unique()?.to_vec::<i32>()?, [1, 2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn unique(&self) -> Result<Tensor> {
        Ok(self.unique_with(None)?.output)
    }

    /// The distinct elements or, with `dim`, the distinct slices along it, in (lexicographic) order, with the indices that
    /// make the input of them and how often each occurs.
    ///
    /// PyTorch's `sorted=False` gives the same: on a CPU it sorts, too.
    ///
    /// # Errors
    /// The dimension is out of range, or another one has size 0.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let unique = Tensor::new([3, 1, 3, 2])?.unique_with(None)?;
    /// assert_eq!(unique.output.to_vec::<i32>()?, [1, 2, 3]);
    /// assert_eq!(unique.inverse_indices.to_vec::<i64>()?, [2, 0, 2, 1]);
    /// assert_eq!(unique.counts.to_vec::<i64>()?, [1, 1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn unique_with(&self, dim: impl Into<Option<i64>>) -> Result<Unique> {
        const OP: &str = "unique";
        let x = self.resolve(OP)?;
        let (mut unique, node, name) = match dim.into() {
            None => (of_elements(&x.detach(), false)?, "Unique2Backward0", "_unique2"),
            Some(dim) => (of_slices(OP, &x.detach(), dim, false)?, "UniqueDimBackward0", "unique_dim"),
        };
        unique.output = without_gradient(node, &x, unique.output, move || no_derivative(OP, name));
        Ok(unique)
    }

    /// [`Tensor::unique_consecutive_with`] of all elements, without the rest.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 1, 2, 1])?.unique_consecutive()?.to_vec::<i32>()?, [1, 2, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn unique_consecutive(&self) -> Result<Tensor> {
        Ok(self.unique_consecutive_with(None)?.output)
    }

    /// The first of every run of equal elements or, with `dim`, of equal slices along it, with the indices that make the
    /// input of them and the length of each run.
    ///
    /// # Errors
    /// The dimension is out of range, or another one has size 0.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let runs = Tensor::new([1, 1, 2, 1])?.unique_consecutive_with(None)?;
    /// assert_eq!(runs.output.to_vec::<i32>()?, [1, 2, 1]);
    /// assert_eq!(runs.inverse_indices.to_vec::<i64>()?, [0, 0, 1, 2]);
    /// assert_eq!(runs.counts.to_vec::<i64>()?, [2, 1, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn unique_consecutive_with(&self, dim: impl Into<Option<i64>>) -> Result<Unique> {
        const OP: &str = "unique_consecutive";
        let x = self.resolve(OP)?;
        let mut unique = match dim.into() {
            None => of_elements(&x.detach(), true)?,
            Some(dim) => of_slices(OP, &x.detach(), dim, true)?,
        };
        let error = || no_derivative(OP, "unique_consecutive");
        unique.output = without_gradient("UniqueConsecutiveBackward0", &x, unique.output, error);
        Ok(unique)
    }
}
