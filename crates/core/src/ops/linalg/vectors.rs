//! Products of vectors: along a dimension, in space, outer, and the trace.

use super::batch::check_float;
use crate::ops::devices::same_device;
use crate::ops::record_all::of_one;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::ops::{by_hand, composed};
use crate::views::ViewOp;
use crate::{DType, Error, Result, Scalar, Tensor, TensorOptions, wrap_dim};

/// The inner products of the vectors along `dim`, the first conjugated; the other dimensions broadcast.
///
/// # Errors
/// Integers and bools, different dtypes, sizes that differ.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let x = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
/// assert_eq!(linalg::vecdot(&x, &Tensor::new([1.0f32, 10.0])?, -1)?.to_vec::<f32>()?, [21.0, 43.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn vecdot(x: &Tensor, y: &Tensor, dim: i64) -> Result<Tensor> {
    const OP: &str = "linalg.vecdot";
    let (x, y) = (x.resolve(OP)?, y.resolve(OP)?);
    same_device(OP, [x.device(), y.device()])?;
    check_float(OP, &x)?;
    let (dx, dy) = (x.dtype(), y.dtype());
    if dx != dy {
        let (dx, dy) = (dx.scalar_name(), dy.scalar_name());
        return Err(Error::runtime(
            OP,
            format!(
                "{OP}: Expected x and y to have the same dtype, but found x of type {dx} and y of type {dy} instead"
            ),
        ));
    }
    let x = conjugated(&x)?;
    if x.dim() == 1 && y.dim() == 1 {
        return x.dot(&y);
    }
    x.mul(&y)?.sum_dim(dim, false)
}

/// The cross products of the vectors of three elements along `dim`; the other dimensions broadcast.
///
/// # Errors
/// Different numbers of dimensions, a size other than 3 along `dim`, different dtypes.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let (x, y) = (Tensor::new([1.0f32, 0.0, 0.0])?, Tensor::new([0.0f32, 1.0, 0.0])?);
/// assert_eq!(linalg::cross(&x, &y, -1)?.to_vec::<f32>()?, [0.0, 0.0, 1.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn cross(x: &Tensor, y: &Tensor, dim: i64) -> Result<Tensor> {
    const OP: &str = "linalg.cross";
    let (x, y) = (x.resolve(OP)?, y.resolve(OP)?);
    same_device(OP, [x.device(), y.device()])?;
    if x.dim() != y.dim() {
        return Err(Error::runtime(OP, format!("{OP}: inputs must have the same number of dimensions.")));
    }
    if x.dim() == 0 {
        return Err(Error::index(OP, format!("Dimension specified as {dim} but tensor has no dimensions")));
    }
    wrap_dim(OP, dim, x.dim())?;
    let (nx, ny) = (x.size(dim)?, y.size(dim)?);
    if nx != 3 || ny != 3 {
        return Err(Error::runtime(OP, format!("{OP}: inputs dimension {dim} must have length 3. Got {nx} and {ny}")));
    }
    let shape = crate::broadcast_shapes(OP, &x.shape(), &y.shape())?;
    let (dx, dy) = (x.dtype(), y.dtype());
    if dx != dy {
        let text = format!("expected scalar type {} but found {}", dx.scalar_name(), dy.scalar_name());
        return Err(Error::runtime(OP, text));
    }
    if dx == DType::Bool {
        return Err(Error::not_implemented(OP, "\"cross\" not implemented for 'Bool'"));
    }
    let (x, y) = (x.expand(&shape)?, y.expand(&shape)?);
    let turned = |t: &Tensor, by: i64| t.roll(-by, dim);
    turned(&x, 1)?.mul(&turned(&y, 2)?)?.sub(&turned(&x, 2)?.mul(&turned(&y, 1)?)?)
}

fn conjugated(x: &Tensor) -> Result<Tensor> {
    if x.dtype().is_complex() { x.conj() } else { Ok(x.clone()) }
}

pub(super) fn addr_of(add: &Tensor, vec1: &Tensor, vec2: &Tensor, beta: Scalar, alpha: Scalar) -> Result<Tensor> {
    const OP: &str = "addr";
    let (add, vec1, vec2) = (add.resolve(OP)?, vec1.resolve(OP)?, vec2.resolve(OP)?);
    same_device(OP, [add.device(), vec1.device(), vec2.device()])?;
    for (name, x) in [("vec1", &vec1), ("vec2", &vec2)] {
        if x.dim() != 1 {
            return Err(Error::runtime(OP, format!("addr: Expected 1-D argument {name}, but got {}-D", x.dim())));
        }
    }
    let add = add.expand([vec1.shape()[0], vec2.shape()[0]])?;
    let dtype = add.dtype().promote(vec1.dtype()).promote(vec2.dtype());
    if !dtype.is_floating_point() {
        for (name, value) in [("beta", beta), ("alpha", alpha)] {
            if matches!(value, Scalar::Float(_)) {
                return Err(Error::runtime(
                    OP,
                    format!("For integral input tensors, argument {name} must not be a floating point number."),
                ));
            }
        }
    }
    let nothing = beta.to_f64() == 0.0;
    if dtype == DType::Bool {
        let outer = vec1.outer(&vec2)?;
        let outer = if alpha.to_i64() == 0 { outer.zeros_like()? } else { outer };
        return if nothing { Ok(outer) } else { outer.logical_or(&add) };
    }
    // As in PyTorch both factors are of the result's dtype, and each step rounds.
    let factor = |value: Scalar| Tensor::full_with((), value, TensorOptions::from(dtype).device(add.device()));
    let outer = if alpha.to_f64() == 1.0 { vec1 } else { vec1.to(dtype)?.mul(&factor(alpha)?)? }.outer(&vec2)?;
    if nothing { outer.to(dtype) } else { add.mul(&factor(beta)?)?.add(&outer) }
}

fn trace_of(x: &Tensor) -> Result<Tensor> {
    const OP: &str = "trace";
    let x = x.resolve(OP)?;
    if x.dim() != 2 {
        return Err(Error::runtime(OP, format!("trace: expected a matrix, but got tensor with dim {}", x.dim())));
    }
    if x.dtype() == DType::Bool {
        return Err(Error::not_implemented(OP, "\"trace\" not implemented for 'Bool'"));
    }
    let diagonal = ViewOp::Diagonal { offset: 0, dim1: 0, dim2: 1 };
    let out = Tensor::from_body(diagonal.apply(OP, &x.body())?).sum()?;
    let shape = x.shape();
    of_one("TraceBackward0", &x, &[], false, out, move |_, g| {
        let size = shape[0].min(shape[1]);
        g.expand([size])?.scatter_view(&diagonal, &shape)
    })
}

fn space_samples(
    f: impl Fn(&Tensor, &Tensor, i64) -> Result<Tensor> + Clone + Send + Sync + 'static,
) -> Result<Vec<Sample>> {
    let last = f.clone();
    let mut all = sample::shaped_pairs((&[2, 3], &[2, 3]), (&[0, 3], &[0, 3]), move |x, y| last(x, y, -1))?;
    all.push(sample::one(Trait::Broadcast, vec![ANY.tensor(&[3, 1], 5)?, ANY.tensor(&[3, 2], 6)?], move |x| {
        f(&x[0], &x[1], 0)
    }));
    Ok(all)
}

composed! {
    table: METHODS;

    /// The inner product of two vectors, the first conjugated: [`Tensor::dot`] for real numbers.
    ///
    /// ```
    /// # use firebrick_core::{Complex, Tensor};
    /// let i = Tensor::new([Complex::new(0.0f32, 1.0)])?;
    /// assert_eq!(i.vdot(&i)?.to_string(), "tensor(1.+0.j)");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn vdot(&x, y: &Tensor) -> Tensor {
        conjugated(x)?.dot(y)
    }
    samples: sample::shaped_pairs((&[3], &[3]), (&[0], &[0]), |x, y| x.vdot(y));

    /// Another name of [`Tensor::outer`].
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.ger(&Tensor::new([3, 4])?)?.to_vec::<i32>()?, [3, 4, 6, 8]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn ger(&x, y: &Tensor) -> Tensor {
        x.outer(y)
    }
    samples: sample::shaped_pairs((&[3], &[2]), (&[0], &[2]), |x, y| x.ger(y));

    /// [`linalg::cross`](crate::linalg::cross) along `dim`, or along the first dimension of size 3 when none is given.
    ///
    /// # Errors
    /// No dimension of size 3, and those of the function.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 0.0, 0.0])?;
    /// assert_eq!(x.cross(&Tensor::new([0.0f32, 1.0, 0.0])?, None)?.to_vec::<f32>()?, [0.0, 0.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn cross(&x, y: &Tensor, dim: impl Into<Option<i64>>) -> Tensor {
        let first = || x.shape().iter().position(|&n| n == 3).map(|d| d as i64);
        match dim.into().or_else(first) {
            Some(dim) => cross(x, y, dim),
            None => {
                x.resolve("linalg.cross")?;
                y.resolve("linalg.cross")?;
                same_device("linalg.cross", [x.device(), y.device()])?;
                Err(Error::runtime("linalg.cross", "no dimension of size 3 in input"))
            }
        }
    }
    samples: space_samples(|x, y, dim| x.cross(y, dim));
}

impl Tensor {
    /// The sum of a matrix' diagonal; of integers an int64.
    ///
    /// # Errors
    /// Another number of dimensions than two, bools.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?.trace()?.item::<f32>()?, 5.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn trace(&self) -> Result<Tensor> {
        trace_of(self)
    }
}

by_hand! {
    table: VECTORS;
    trace as "TraceBackward0": sample::shaped(&[2, 3], &[0, 3], |x| x.trace());
    linalg_vecdot: space_samples(vecdot);
    linalg_cross: space_samples(cross);
}
