//! Coordinates: of row-major positions, and a fixed number of those that are not zero.

use super::masked::{coordinates, positions};
use crate::{DType, Dims, Error, Result, Sizes, Tensor};

impl Tensor {
    /// The coordinates of row-major positions in a tensor of `shape`: one tensor for each dimension. Positions are taken
    /// modulo the number of elements.
    ///
    /// # Errors
    /// The positions are no integers; `shape` has a negative size, or 0 where there are positions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let places = Tensor::new([5i64, 3])?.unravel_index([2, 3])?;
    /// assert_eq!(places[0].to_vec::<i64>()?, [1, 1]);
    /// assert_eq!(places[1].to_vec::<i64>()?, [2, 0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn unravel_index(&self, shape: impl Into<Sizes>) -> Result<Vec<Tensor>> {
        const OP: &str = "unravel_index";
        let (x, shape) = (self.resolve(OP)?, shape.into());
        let shown = || {
            let list: Vec<String> = shape.iter().map(i64::to_string).collect();
            if list.len() == 1 { format!("({},)", list[0]) } else { format!("({})", list.join(", ")) }
        };
        if x.is_floating_point() || x.dtype() == DType::Bool {
            let text = format!("expected 'indices' to be integer dtype, but got torch.{}", x.dtype());
            return Err(Error::type_(OP, text));
        }
        if shape.iter().any(|&n| n < 0) {
            return Err(Error::value(OP, format!("'shape' cannot have negative values, but got {}", shown())));
        }
        if x.numel() > 0 && shape.contains(&0) {
            return Err(Error::value(
                OP,
                format!("'shape' cannot have zero dimensions when 'indices' is non-empty, but got {}", shown()),
            ));
        }
        let mut step = 1i64;
        let mut all = Vec::new();
        for &size in shape.iter().rev() {
            all.push(x.floor_divide(step)?.remainder(size.max(1))?);
            step = step.wrapping_mul(size.max(1));
        }
        all.reverse();
        Ok(all)
    }

    /// The first `size` rows of [`Tensor::nonzero`]; rows that are missing are filled with `fill_value`.
    ///
    /// # Errors
    /// A negative size.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0, 7, 0, 8])?;
    /// assert_eq!(x.nonzero_static(3, -1)?.to_vec::<i64>()?, [1, 3, -1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn nonzero_static(&self, size: i64, fill_value: i64) -> Result<Tensor> {
        const OP: &str = "nonzero_static";
        let x = self.resolve(OP)?;
        let Ok(size) = usize::try_from(size) else {
            return Err(Error::runtime(OP, "nonzero_static: 'size' must be an non-negative integer"));
        };
        let shape = x.shape();
        let out = Tensor::full_with(Dims::from([size, shape.len()]), fill_value, DType::I64)?;
        let mut places = positions(&x)?;
        places.truncate(size);
        for (d, column) in coordinates(&places, &shape).into_iter().enumerate() {
            out.select(1, d as i64)?
                .narrow(0, 0, column.len() as i64)?
                .copy_(&Tensor::from_vec(column, [places.len()])?)?;
        }
        out.to(x.device())
    }
}
