//! Integrals by the trapezoidal rule.

use crate::{DType, Error, Operand, Result, Tensor, wrap_dim};

/// Values at sample points along a dimension, and the distances of these points: a number, or one for each pair.
struct Samples {
    y: Tensor,
    dim: i64,
    distance: Tensor,
}

impl Samples {
    fn new(op: &'static str, y: &Tensor, spacing: Tensor, dim: usize) -> Result<Samples> {
        let spacing = spacing.resolved(op)?;
        let number = spacing.is_wrapped_number();
        if y.dtype() == DType::Bool || (!number && spacing.dtype() == DType::Bool) {
            let of = if number { "`y`" } else { "`x` or `y`" };
            let text = format!("{op}: received a bool input for {of}, but bool is not supported");
            return Err(Error::not_implemented(op, text));
        }
        let (y, dim) = (y.clone(), dim as i64);
        if number {
            return Ok(Samples { y, dim, distance: spacing });
        }
        let points = points(op, &y, &spacing, dim as usize)?;
        let distance = points.slice(dim, 1, None, 1)?.sub(points.slice(dim, 0, -1, 1)?)?;
        Ok(Samples { y, dim, distance })
    }

    /// The sums of neighbouring values.
    fn pairs(&self) -> Result<Tensor> {
        self.y.slice(self.dim, 0, -1, 1)?.add(self.y.slice(self.dim, 1, None, 1)?)
    }
}

/// Sample points with the rank of `y`, a vector of them along `dim`.
fn points(op: &'static str, y: &Tensor, x: &Tensor, dim: usize) -> Result<Tensor> {
    let (own, rank) = (x.shape(), y.dim());
    let mut shape = crate::Dims::repeat(1, rank.max(own.len()));
    if own.len() == 1 {
        if own[0] != y.size(dim as i64)? {
            let text = format!("{op}: There must be one `x` value for each sample point");
            return Err(Error::runtime(op, text));
        }
        shape[dim] = own[0];
    } else {
        let front = shape.len() - own.len();
        shape[front..].copy_from_slice(&own);
    }
    x.reshape(shape)
}

impl Tensor {
    /// The integral of these values along `dim` by the trapezoidal rule. `spacing` is the distance of the sample points
    /// (PyTorch's `dx`), or a tensor of the points: a vector, or one that broadcasts.
    ///
    /// # Errors
    /// No dimensions, truth values, or points that do not fit.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let y = Tensor::new([1.0f32, 2.0, 4.0])?;
    /// assert_eq!(y.trapezoid(1, -1)?.item::<f32>()?, 4.5);
    /// assert_eq!(y.trapezoid(&Tensor::new([0.0f32, 2.0, 3.0])?, -1)?.item::<f32>()?, 6.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn trapezoid(&self, spacing: impl Operand, dim: i64) -> Result<Tensor> {
        const OP: &str = "trapezoid";
        let (y, spacing) = (self.resolve(OP)?, spacing.into_operand()?);
        if y.dim() == 0 {
            let text = format!("Dimension specified as {dim} but tensor has no dimensions");
            return Err(Error::index(OP, text));
        }
        let at = wrap_dim(OP, dim, y.dim())?;
        let mut rest = y.shape();
        if rest.remove(at) == 0 {
            return y.new_zeros(rest);
        }
        let samples = Samples::new(OP, &y, spacing, at)?;
        let dim = at as i64;
        if samples.distance.is_wrapped_number() {
            let ends = y.select(dim, 0)?.add(y.select(dim, -1)?)?;
            return y.sum_dim(dim, false)?.sub(ends.mul(0.5)?)?.mul(&samples.distance);
        }
        samples.pairs()?.mul(&samples.distance)?.sum_dim(dim, false)?.div(2.0)
    }

    /// [`Tensor::trapezoid`] under NumPy's older name.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 3.0, 5.0])?.trapz(2.0, -1)?.item::<f32>()?, 12.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn trapz(&self, spacing: impl Operand, dim: i64) -> Result<Tensor> {
        self.trapezoid(spacing, dim)
    }

    /// The integrals of [`Tensor::trapezoid`] from the first point to each of the others.
    ///
    /// # Errors
    /// As [`Tensor::trapezoid`].
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let y = Tensor::new([1.0f32, 2.0, 4.0])?;
    /// assert_eq!(y.cumulative_trapezoid(2, -1)?.to_vec::<f32>()?, [3.0, 9.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn cumulative_trapezoid(&self, spacing: impl Operand, dim: i64) -> Result<Tensor> {
        const OP: &str = "cumulative_trapezoid";
        let (y, spacing) = (self.resolve(OP)?, spacing.into_operand()?);
        let at = wrap_dim(OP, dim, y.dim())?;
        let samples = Samples::new(OP, &y, spacing, at)?;
        let pairs = samples.pairs()?;
        if samples.distance.is_wrapped_number() {
            return pairs.cumsum(samples.dim)?.mul(samples.distance.div(2.0)?);
        }
        pairs.mul(&samples.distance)?.cumsum(samples.dim)?.div(2.0)
    }
}
