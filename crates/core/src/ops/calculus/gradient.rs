//! Derivatives of sampled functions.

use crate::{DType, Dims, Error, Result, Scalar, Sizes, Tensor, wrap_dim};

const OP: &str = "gradient";

/// Where the samples of [`Tensor::gradient`] lie.
#[derive(Clone, Debug)]
pub enum Spacing {
    /// At the same distance along every dimension.
    Even(Scalar),
    /// At one distance for each dimension.
    Each(Vec<Scalar>),
    /// At these coordinates, a vector for each dimension.
    Coordinates(Vec<Tensor>),
}

impl<T: Into<Scalar>> From<T> for Spacing {
    fn from(distance: T) -> Self {
        Spacing::Even(distance.into())
    }
}

impl Spacing {
    fn len(&self) -> Option<usize> {
        match self {
            Spacing::Even(_) => None,
            Spacing::Each(list) => Some(list.len()),
            Spacing::Coordinates(list) => Some(list.len()),
        }
    }
}

fn refuse<T>(text: impl Into<String>) -> Result<T> {
    Err(Error::runtime(OP, text))
}

/// The dimensions to go along, after PyTorch's checks.
fn dims_of(x: &Tensor, spacing: &Spacing, dims: Option<&Sizes>, edge_order: i64) -> Result<Vec<usize>> {
    let rank = x.dim();
    if x.dtype() == DType::U8 {
        return Err(Error::not_implemented(OP, "torch.gradient does not support uint8 input."));
    }
    match (spacing.len(), dims) {
        (Some(count), None) if count != rank => {
            return refuse(format!(
                "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() = {rank}', since dim argument was not given, but got a list of length {count}"
            ));
        }
        (Some(count), Some(dims)) if count != dims.len() => {
            return refuse(format!(
                "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have the same length, but got a spacing argument of length {count} and a dim argument of length {}.",
                dims.len()
            ));
        }
        _ => {}
    }
    if !matches!(edge_order, 1 | 2) {
        return refuse("torch.gradient only supports edge_order=1 and edge_order=2.");
    }
    let mut out = Vec::new();
    match dims {
        None => out.extend(0..rank),
        Some(dims) => {
            for &dim in dims.iter() {
                let dim = wrap_dim(OP, dim, rank)?;
                if out.contains(&dim) {
                    return refuse(format!("dim {dim} appears multiple times in the list of dims"));
                }
                out.push(dim);
            }
        }
    }
    let shape = x.shape();
    if out.iter().any(|&dim| shape.get(dim).is_some_and(|&n| (n as i64) < edge_order + 1)) {
        return refuse("torch.gradient expected each dimension size to be at least edge_order+1");
    }
    Ok(out)
}

/// The samples with an offset of `from` from the first and `to` from the last.
fn shifted(x: &Tensor, dim: i64, from: i64, to: i64) -> Result<Tensor> {
    x.slice(dim, from, if to == 0 { None } else { Some(to) }, 1)
}

/// Differences at the two ends and in between, at even distances.
fn even(x: &Tensor, dim: i64, distance: Scalar, edge_order: i64) -> Result<Tensor> {
    let at = |i: i64| x.narrow(dim, i, 1);
    let inner = shifted(x, dim, 2, 0)?.sub(shifted(x, dim, 0, -2)?)?.div(2.0)?;
    let (first, last) = match edge_order {
        1 => (at(1)?.sub(at(0)?)?, at(-1)?.sub(at(-2)?)?),
        _ => {
            let (a, b) = (at(1)?.mul(4)?.sub(at(0)?.mul(3)?)?.sub(at(2)?)?, at(-1)?.mul(3)?.sub(at(-2)?.mul(4)?)?);
            (a.div(2.0)?, b.add(at(-3)?)?.div(2.0)?)
        }
    };
    Tensor::cat(&[first, inner, last], dim)?.div(distance)
}

/// Weighted differences for samples at any coordinates: exact for polynomials of the second order.
fn uneven(x: &Tensor, dim: usize, coordinates: &Tensor, edge_order: i64) -> Result<Tensor> {
    let mut shape = Dims::repeat(1, x.dim());
    shape[dim] = coordinates.numel();
    let (points, dim) = (coordinates.reshape(shape)?, dim as i64);
    let left = shifted(&points, dim, 1, -1)?.sub(shifted(&points, dim, 0, -2)?)?;
    let right = shifted(&points, dim, 2, 0)?.sub(shifted(&points, dim, 1, -1)?)?;
    let both = left.add(&right)?;
    let before = right.neg()?.div(left.mul(&both)?)?.mul(shifted(x, dim, 0, -2)?)?;
    let here = right.sub(&left)?.div(left.mul(&right)?)?.mul(shifted(x, dim, 1, -1)?)?;
    let after = left.div(right.mul(&both)?)?.mul(shifted(x, dim, 2, 0)?)?;
    let inner = before.add(here)?.add(after)?;
    // At an end: the two or three samples there, seen from the end.
    let edge = |order: [i64; 3]| -> Result<Tensor> {
        let at = |t: &Tensor, k: usize| t.narrow(dim, order[k], 1);
        let near = at(&points, 1)?.sub(at(&points, 0)?)?;
        if edge_order == 1 {
            return at(x, 1)?.sub(at(x, 0)?)?.div(near);
        }
        let far = at(&points, 2)?.sub(at(&points, 1)?)?;
        let all = near.add(&far)?;
        let a = near.mul(2)?.add(&far)?.neg()?.div(near.mul(&all)?)?.mul(at(x, 0)?)?;
        let b = all.div(near.mul(&far)?)?.mul(at(x, 1)?)?;
        let c = near.neg()?.div(far.mul(&all)?)?.mul(at(x, 2)?)?;
        a.add(b)?.add(c)
    };
    let (first, last) = (edge([0, 1, 2])?, edge([-1, -2, -3])?);
    Tensor::cat(&[first, inner, last], dim)
}

impl Tensor {
    /// Derivatives of a function of which these are samples, one tensor for each of `dims` (`None`: all): central
    /// differences inside, one-sided ones of order `edge_order` (1 or 2) at the ends.
    ///
    /// # Errors
    /// Lists of different lengths, a dimension named twice, or with too few samples.
    ///
    /// ```
    /// # use firebrick_core::{Spacing, Tensor};
    /// let squares = Tensor::new([0.0f32, 1.0, 4.0, 9.0])?;
    /// assert_eq!(squares.gradient(1, None, 1)?[0].to_vec::<f32>()?, [1.0, 2.0, 4.0, 5.0]);
    /// assert_eq!(squares.gradient(0.5, None, 2)?[0].to_vec::<f32>()?, [0.0, 4.0, 8.0, 12.0]);
    /// let at = Spacing::Coordinates(vec![Tensor::new([0.0f32, 1.0, 2.0, 3.0])?]);
    /// assert_eq!(squares.gradient(at, None, 2)?[0].to_vec::<f32>()?, [0.0, 2.0, 4.0, 6.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn gradient(
        &self,
        spacing: impl Into<Spacing>,
        dims: impl Into<Option<Sizes>>,
        edge_order: i64,
    ) -> Result<Vec<Tensor>> {
        let (x, spacing, dims) = (self.resolve(OP)?, spacing.into(), dims.into());
        if let Spacing::Coordinates(list) = &spacing
            && let Some(wrong) = list.iter().find(|t| t.dim() != 1)
        {
            return refuse(format!(
                "torch.gradient expected each element of spacing to have one dimension, but got an element with {} dimensions!",
                wrong.dim()
            ));
        }
        let dims = dims_of(&x, &spacing, dims.as_ref(), edge_order)?;
        let along = |(i, &dim): (usize, &usize)| match &spacing {
            Spacing::Even(distance) => even(&x, dim as i64, *distance, edge_order),
            Spacing::Each(list) => even(&x, dim as i64, list[i], edge_order),
            Spacing::Coordinates(list) => uneven(&x, dim, &list[i].resolve(OP)?, edge_order),
        };
        dims.iter().enumerate().map(along).collect()
    }
}
