//! Running sums, products and extremes.

use super::run::Over;
use super::samples::along_dim;
use super::sums::sum_dtype;
use crate::backend::{self, Scan};
use crate::ops::by_hand;
use crate::ops::elementwise::compute_class;
use crate::ops::record_all::{analytic, of_one};
use crate::ops::sample::{self, ANY};
use crate::{Body, DType, Error, Result, Tensor};

/// Runs a scan along `dim`; extremes give indices, too.
fn scan(kernel: Scan, x: &Tensor, dim: usize, dtype: DType) -> Result<(Tensor, Tensor)> {
    let input = x.body();
    let out = Body::alloc(input.shape.clone(), dtype, input.device())?;
    let indexed = matches!(kernel, Scan::Max | Scan::Min);
    let indices = match indexed {
        true => Body::alloc(input.shape.clone(), DType::I64, input.device())?,
        false => out.clone(),
    };
    let places = indexed.then_some(&indices);
    let compute = compute_class(dtype.to_real());
    match dtype.is_complex() && input.shape.is_empty() {
        // There is no dimension to go along but that of the parts.
        true => backend::of(input.device())?.copy(&input, &out)?,
        false => backend::of(input.device())?.scan(kernel, compute, &input.reals(), dim, &out.reals(), places)?,
    }
    Ok((Tensor::from_body(out), Tensor::from_body(indices)))
}

/// The sum of what comes at and after each place.
fn sum_from_the_end(g: &Tensor, dim: i64) -> Result<Tensor> {
    if g.dim() == 0 { Ok(g.clone()) } else { g.flip(dim)?.cumsum(dim)?.flip(dim) }
}

/// The running product of complex numbers, over twice as many in each round.
fn cumprod_complex(x: &Tensor, dim: i64) -> Result<Tensor> {
    let size = if x.dim() == 0 { 1 } else { x.size(dim)? as i64 };
    let (mut x, mut reach) = (x.copy()?, 1);
    while reach < size {
        let product = x.narrow(dim, reach, size - reach)?.mul(&x.narrow(dim, 0, size - reach)?)?;
        x = Tensor::cat(&[&x.narrow(dim, 0, reach)?, &product], dim)?;
        reach *= 2;
    }
    Ok(x)
}

/// The gradient of a running product where elements are zero: the products without one element are made anew.
fn product_grad_with_zeros(g: &Tensor, x: &Tensor, dim: i64) -> Result<Tensor> {
    let size = x.size(dim)? as i64;
    let ones = x.detach().narrow(dim, 0, 1)?.ones_like()?;
    let mut grads: Vec<Tensor> = Vec::new();
    for k in 0..size {
        // d out[j] / d x[k] is the product up to j of all but k, for j from k on.
        let rest = size - k - 1;
        let before = if k == 0 { ones.clone() } else { x.narrow(dim, 0, k)?.prod_dim(dim, true)? };
        let after = match rest {
            0 => ones.clone(),
            _ => Tensor::cat(&[&ones, &x.narrow(dim, k + 1, rest)?.cumprod(dim)?], dim)?,
        };
        grads.push(g.narrow(dim, k, rest + 1)?.mul(&after.mul(&before)?)?.sum_dim(dim, true)?);
    }
    Tensor::cat(&grads.iter().collect::<Vec<_>>(), dim)
}

/// The smallest finite number.
fn lowest(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::MIN,
        DType::BF16 => half::bf16::MIN.to_f64(),
        DType::F16 => half::f16::MIN.to_f64(),
        _ => f32::MIN as f64,
    }
}

fn extreme(op: &'static str, name: &'static str, kernel: Scan, x: &Tensor, dim: i64) -> Result<(Tensor, Tensor)> {
    let over = Over::one(op, x, dim, true)?;
    let dim = over.dims[0];
    let (values, indices) = scan(kernel, x, dim, x.dtype())?;
    let shape = over.shape.clone();
    let values = of_one(name, x, &[&indices], false, values, move |seen, g| match shape.is_empty() {
        true => Ok(g.clone()),
        false => g.detach().new_zeros(&shape)?.scatter_add(dim as i64, seen[0], g),
    })?;
    Ok((values, indices))
}

impl Tensor {
    /// Running sum along `dim`; of integers and bools an int64.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1i64, 2, 3])?.cumsum(0)?.to_vec::<i64>()?, [1, 3, 6]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn cumsum(&self, dim: i64) -> Result<Tensor> {
        let x = self.resolve("cumsum")?;
        let at = Over::one("cumsum", &x, dim, true)?.dims[0];
        let (out, _) = scan(Scan::Sum, &x, at, sum_dtype(x.dtype()))?;
        of_one("CumsumBackward0", &x, &[], false, out, move |_, g| sum_from_the_end(g, at as i64))
    }

    /// Running product along `dim`; of integers and bools an int64.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([2i64, 3, 4])?.cumprod(0)?.to_vec::<i64>()?, [2, 6, 24]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn cumprod(&self, dim: i64) -> Result<Tensor> {
        let x = self.resolve("cumprod")?;
        let at = Over::one("cumprod", &x, dim, true)?.dims[0];
        let out = match x.is_complex() {
            true => cumprod_complex(&x.detach(), at as i64)?,
            false => scan(Scan::Prod, &x, at, sum_dtype(x.dtype()))?.0,
        };
        analytic("CumprodBackward0", &x, &[&x], true, out, move |seen, g| {
            let (x, out, dim) = (seen[0], seen[1], at as i64);
            if x.dim() == 0 {
                return Ok(g.clone());
            }
            if x.numel() > 0 && !x.detach().all()?.value_or(true)? {
                return product_grad_with_zeros(g, x, dim);
            }
            sum_from_the_end(&g.mul(out)?, dim)?.div(x)
        })
    }

    /// Running maximum along `dim`, and where it was last reached.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (values, indices) = Tensor::new([1, 3, 2, 3])?.cummax(0)?;
    /// assert_eq!(values.to_vec::<i32>()?, [1, 3, 3, 3]);
    /// assert_eq!(indices.to_vec::<i64>()?, [0, 1, 1, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn cummax(&self, dim: i64) -> Result<(Tensor, Tensor)> {
        extreme("cummax", "CummaxBackward0", Scan::Max, &self.resolve("cummax")?, dim)
    }

    /// Running minimum along `dim`, and where it was last reached.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (values, indices) = Tensor::new([3, 1, 2, 1])?.cummin(0)?;
    /// assert_eq!(values.to_vec::<i32>()?, [3, 1, 1, 1]);
    /// assert_eq!(indices.to_vec::<i64>()?, [0, 1, 1, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn cummin(&self, dim: i64) -> Result<(Tensor, Tensor)> {
        extreme("cummin", "CumminBackward0", Scan::Min, &self.resolve("cummin")?, dim)
    }

    /// Running `log(sum(exp(x)))` along `dim`.
    ///
    /// # Errors
    /// Integers and bools.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0.0f32, 0.0, 0.0])?;
    /// assert_eq!(x.logcumsumexp(0)?.to_string(), "tensor([0.0000, 0.6931, 1.0986])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn logcumsumexp(&self, dim: i64) -> Result<Tensor> {
        const OP: &str = "logcumsumexp";
        let x = self.resolve(OP)?;
        let at = Over::one(OP, &x, dim, true)?.dims[0];
        if !x.is_floating_point() {
            let text = format!("\"logcumsumexp_out_cpu\" not implemented for '{}'", x.dtype().scalar_name());
            return Err(Error::not_implemented(OP, text));
        }
        let (out, _) = scan(Scan::LogSumExp, &x, at, x.dtype())?;
        of_one("LogcumsumexpBackward0", &x, &[&x], true, out, move |seen, g| {
            let (x, out, dim) = (seen[0], seen[1], at as i64);
            if x.dim() == 0 {
                return Ok(g.clone());
            }
            // In logarithms, the two signs of the gradient apart. Finite even for zero: infinities less each other
            // are NaN.
            let lowest = lowest(x.dtype());
            let part = |sign: f64| -> Result<Tensor> {
                let size = g.mul(sign)?.log()?.where_self(&g.detach().mul(sign)?.gt(0.0)?, lowest)?;
                size.sub(out)?.flip(dim)?.logcumsumexp(dim)?.flip(dim)?.add(x)?.exp()
            };
            part(1.0)?.sub(&part(-1.0)?)
        })
    }
}

by_hand! {
    table: SCANS;
    cumsum as "CumsumBackward0": along_dim(ANY, |x, dim| x.cumsum(dim));
    cumprod as "CumprodBackward0": along_dim(ANY, |x, dim| x.cumprod(dim)).and_then(|mut samples| {
        let x = Tensor::new([[1.5f64, 0.0, 2.0], [0.0, 0.0, 3.0]])?;
        x.requires_grad_(true)?;
        samples.push(sample::one(sample::Trait::Plain, vec![x], |x| x[0].cumprod(1)));
        Ok(samples)
    });
    cummax as "CummaxBackward0": along_dim(ANY, |x, dim| Ok(x.cummax(dim)?.0));
    cummin as "CumminBackward0": along_dim(ANY, |x, dim| Ok(x.cummin(dim)?.0));
    logcumsumexp as "LogcumsumexpBackward0": along_dim(ANY, |x, dim| x.logcumsumexp(dim));
}
