//! Variances and standard deviations.

use super::run::{Over, reduce};
use super::samples::{both, over_dims};
use crate::backend::Reduce;
use crate::ops::by_hand;
use crate::ops::record_all::{Recorded, of_one};
use crate::ops::sample::{self, ANY};
use crate::{Error, Result, Sizes, Tensor};
use smallvec::smallvec;

fn refuse_integers(op: &'static str, x: &Tensor) -> Result<()> {
    match x.is_differentiable() {
        true => Ok(()),
        false if op.ends_with("mean") => {
            Err(Error::not_implemented(op, format!("{op} only support floating point and complex dtypes")))
        }
        false => Err(Error::not_implemented(op, "std and var only support floating point and complex dtypes")),
    }
}

/// `2 (x - mean) / (n - correction)` for each unit of `g`.
fn variance_grad(g: &Tensor, x: &Tensor, over: &Over, correction: f64) -> Result<Tensor> {
    let scale = 2.0 / (over.count() as f64 - correction);
    over.restore(g)?.mul(scale)?.mul(&x.sub(&x.mean_dim(over.sizes(), true)?)?)
}

/// The gradient of the variance from that of its square root; zero where that is zero.
fn under_root(g: &Tensor, std: &Tensor) -> Result<Tensor> {
    g.div(&std.mul(2.0)?)?.masked_fill(&std.detach().eq(0.0)?, 0.0)
}

fn var(x: &Tensor, over: Over, correction: f64) -> Result<Tensor> {
    refuse_integers("var", x)?;
    let out = reduce(Reduce::Var { correction }, x, &over, x.dtype())?;
    of_one("VarBackward0", x, &[x], false, out, move |seen, g| variance_grad(g, seen[0], &over, correction))
}

fn std(x: &Tensor, over: Over, correction: f64) -> Result<Tensor> {
    refuse_integers("std", x)?;
    let out = reduce(Reduce::Std { correction }, x, &over, x.dtype())?;
    of_one("StdBackward0", x, &[x], true, out, move |seen, g| {
        variance_grad(&under_root(g, seen[1])?, seen[0], &over, correction)
    })
}

/// `root`: the standard deviation rather than the variance.
fn with_mean(root: bool, x: &Tensor, over: Over, correction: f64) -> Result<(Tensor, Tensor)> {
    let (op, name) = if root { ("std_mean", "StdMeanBackward0") } else { ("var_mean", "VarMeanBackward0") };
    refuse_integers(op, x)?;
    let kernel = if root { Reduce::Std { correction } } else { Reduce::Var { correction } };
    let out = reduce(kernel, x, &over, x.dtype())?;
    let mean = reduce(Reduce::Mean, x, &over, x.dtype())?;
    let recorded =
        Recorded { name, inputs: &[Some(x)], saved: &[Some(x)], outputs: &[&out, &mean], saves_outputs: true };
    recorded.with(move |seen, grads, _| {
        let [Some(x), Some(out), _] = &seen[..] else { return Ok(smallvec![None]) };
        let of_spread = |g: &Tensor| match root {
            true => variance_grad(&under_root(g, out)?, x, &over, correction),
            false => variance_grad(g, x, &over, correction),
        };
        let spread = grads[0].as_ref().map(of_spread).transpose()?;
        let mean = grads[1].as_ref().map(|g| over.stretch(g)?.div(over.count() as f64)).transpose()?;
        Ok(smallvec![match (spread, mean) {
            (Some(a), Some(b)) => Some(a.add(&b)?),
            (a, b) => a.or(b),
        }])
    })?;
    Ok((out, mean))
}

impl Tensor {
    /// Unbiased variance of all elements: the sum of squared distances from the mean over their number less one.
    ///
    /// # Errors
    /// Integers and bools.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 3.0])?;
    /// assert_eq!(x.var()?.item::<f32>()?, 2.0);
    /// assert_eq!(x.var_dim((), 0.0, false)?.item::<f32>()?, 1.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn var(&self) -> Result<Tensor> {
        let x = self.resolve("var")?;
        var(&x, Over::all(&x), 1.0)
    }

    /// Variance over the given dimensions, over all when none are given. `correction` is what is taken off the number
    /// of elements: 1 for an unbiased estimate, 0 for the mean of squares.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1.0f32, 3.0], [0.0, 4.0]])?;
    /// assert_eq!(x.var_dim(1, 1.0, false)?.to_vec::<f32>()?, [2.0, 8.0]);
    /// assert_eq!(x.var_dim(1, 0.0, false)?.to_vec::<f32>()?, [1.0, 4.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn var_dim(&self, dims: impl Into<Sizes>, correction: f64, keepdim: bool) -> Result<Tensor> {
        let x = self.resolve("var")?;
        var(&x, Over::dims("var", &x, &dims.into(), keepdim)?, correction)
    }

    /// Square root of [`Tensor::var`].
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 3.0, 5.0])?.std()?.item::<f32>()?, 2.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn std(&self) -> Result<Tensor> {
        let x = self.resolve("std")?;
        std(&x, Over::all(&x), 1.0)
    }

    /// Square root of [`Tensor::var_dim`].
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1.0f32, 3.0], [0.0, 4.0]])?;
    /// assert_eq!(x.std_dim(1, 0.0, false)?.to_vec::<f32>()?, [1.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn std_dim(&self, dims: impl Into<Sizes>, correction: f64, keepdim: bool) -> Result<Tensor> {
        let x = self.resolve("std")?;
        std(&x, Over::dims("std", &x, &dims.into(), keepdim)?, correction)
    }

    /// [`Tensor::var_dim`] and the mean over the same dimensions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (var, mean) = Tensor::new([[1.0f32, 3.0]])?.var_mean(1, 0.0, false)?;
    /// assert_eq!(var.to_vec::<f32>()?, [1.0]);
    /// assert_eq!(mean.to_vec::<f32>()?, [2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn var_mean(&self, dims: impl Into<Sizes>, correction: f64, keepdim: bool) -> Result<(Tensor, Tensor)> {
        let x = self.resolve("var_mean")?;
        with_mean(false, &x, Over::dims("var_mean", &x, &dims.into(), keepdim)?, correction)
    }

    /// [`Tensor::std_dim`] and the mean over the same dimensions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (std, mean) = Tensor::new([[0.0f32, 4.0]])?.std_mean(1, 0.0, false)?;
    /// assert_eq!(std.to_vec::<f32>()?, [2.0]);
    /// assert_eq!(mean.to_vec::<f32>()?, [2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn std_mean(&self, dims: impl Into<Sizes>, correction: f64, keepdim: bool) -> Result<(Tensor, Tensor)> {
        let x = self.resolve("std_mean")?;
        with_mean(true, &x, Over::dims("std_mean", &x, &dims.into(), keepdim)?, correction)
    }
}

/// Samples in which something varies: of one element or none, the derivative is not defined.
fn varying(samples: Result<Vec<sample::Sample>>) -> Result<Vec<sample::Sample>> {
    let mut samples = samples?;
    samples.retain(|s| !matches!(s.traits, sample::Trait::ZeroDim | sample::Trait::Empty));
    let empty = vec![ANY.tensor(&[2, 0], 5)?];
    samples.push(sample::one(sample::Trait::Empty, empty, |x| {
        x[0].std_dim(0, 1.0, false)?.add(&x[0].var_dim(0, 0.0, true)?)
    }));
    Ok(samples)
}

by_hand! {
    table: VARIANCES;
    var as "VarBackward0": varying(sample::unary(ANY, |x| x.var()));
    var_dim as "VarBackward0": varying(over_dims(ANY, |x, dims, keep| x.var_dim(dims, 0.5, keep)));
    std as "StdBackward0": varying(sample::unary(ANY, |x| x.std()));
    std_dim as "StdBackward0": varying(over_dims(ANY, |x, dims, keep| x.std_dim(dims, 0.0, keep)));
    var_mean as "VarMeanBackward0": varying(over_dims(ANY, |x, dims, keep| both(x.var_mean(dims, 1.0, keep)?)));
    std_mean as "StdMeanBackward0": varying(over_dims(ANY, |x, dims, keep| both(x.std_mean(dims, 1.0, keep)?)));
}
