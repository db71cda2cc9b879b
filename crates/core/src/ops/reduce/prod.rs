//! Products.

use super::run::{Over, reduce};
use super::samples::along_dim;
use super::sums::sum_dtype;
use crate::backend::Reduce;
use crate::ops::by_hand;
use crate::ops::record_all::analytic;
use crate::ops::sample::{self, ANY};
use crate::{Result, Tensor};

/// For each element, the product of the others along `dim`, without dividing: a zero costs nothing.
fn product_of_others(x: &Tensor, dim: i64) -> Result<Tensor> {
    let size = x.size(dim)? as i64;
    let ones = x.detach().narrow(dim, 0, 1)?.ones_like()?;
    let before = |x: &Tensor| Tensor::cat(&[&ones, &x.narrow(dim, 0, size - 1)?], dim)?.cumprod(dim);
    before(x)?.mul(&before(&x.flip(dim)?)?.flip(dim)?)
}

/// The product of complex numbers, halves by halves.
fn prod_complex(x: &Tensor, over: &Over) -> Result<Tensor> {
    let (mut x, dim) = match over.dims[..] {
        _ if over.shape.is_empty() => return x.copy(),
        [dim] => (x.clone(), dim as i64),
        _ => (x.reshape(-1)?, 0),
    };
    if over.count() == 0 {
        return x.new_ones(over.result());
    }
    let mut size = x.size(dim)? as i64;
    while size > 1 {
        let half = size / 2;
        let product = x.narrow(dim, 0, half)?.mul(&x.narrow(dim, half, half)?)?;
        x = match size % 2 {
            0 => product,
            _ => Tensor::cat(&[&product, &x.narrow(dim, size - 1, 1)?], dim)?,
        };
        size -= half;
    }
    x.reshape(over.result())
}

fn prod(name: &'static str, x: &Tensor, over: Over) -> Result<Tensor> {
    let out = match x.is_complex() {
        true => prod_complex(&x.detach(), &over)?,
        false => reduce(Reduce::Prod, x, &over, sum_dtype(x.dtype()))?,
    };
    analytic(name, x, &[x], true, out, move |seen, g| {
        let (x, out) = (seen[0], seen[1]);
        let g = over.restore(g)?;
        if over.shape.is_empty() {
            return Ok(g);
        }
        if x.numel() == 0 || x.detach().all()?.value_or(true)? {
            return g.mul(&over.restore(out)?.div(x)?);
        }
        match over.dims.len() {
            1 => g.mul(&product_of_others(x, over.dims[0] as i64)?),
            _ => product_of_others(&x.reshape(-1)?, 0)?.reshape(&over.shape)?.mul(&g),
        }
    })
}

impl Tensor {
    /// Product of all elements; of integers and bools an int64, of none 1.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([2.0f32, 3.0])?.prod()?.item::<f32>()?, 6.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn prod(&self) -> Result<Tensor> {
        let x = self.resolve("prod")?;
        prod("ProdBackward0", &x, Over::all(&x))
    }

    /// Product over one dimension, which disappears unless `keepdim` is set.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?.prod_dim(1, false)?.to_vec::<f32>()?, [2.0, 12.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn prod_dim(&self, dim: i64, keepdim: bool) -> Result<Tensor> {
        let x = self.resolve("prod")?;
        prod("ProdBackward1", &x, Over::one("prod", &x, dim, keepdim)?)
    }
}

/// A tensor with zeros: none, one and two along a dimension.
fn with_zeros() -> Result<sample::Sample> {
    let x = Tensor::new([[1.5f64, 0.0, 2.0], [0.0, 0.0, 3.0], [1.0, -2.0, 0.5]])?;
    x.requires_grad_(true)?;
    Ok(sample::one(sample::Trait::Plain, vec![x], |x| x[0].prod_dim(1, false)))
}

by_hand! {
    table: PRODUCTS;
    prod as "ProdBackward0": sample::unary(ANY, |x| x.prod());
    prod_dim as "ProdBackward1": along_dim(ANY, |x, dim| x.prod_dim(dim, false)).and_then(|mut samples| {
        samples.push(with_zeros()?);
        Ok(samples)
    });
}
