//! Largest and smallest elements.

use super::run::{Over, no_size, reduce, reshaped};
use super::samples::{along_dim, both, over_dims};
use crate::backend::{self, Reduce};
use crate::ops::by_hand;
use crate::ops::record_all::{Recorded, of_one};
use crate::ops::sample::{self, ANY};
use crate::{Body, DType, Error, Result, Sizes, Tensor};
use smallvec::smallvec;

/// The gradient of the extremes `out`, shared equally among the elements that are equal to them.
fn shared_equally(g: &Tensor, x: &Tensor, out: &Tensor, over: &Over) -> Result<Tensor> {
    let mask = x.detach().eq(&over.restore(&out.detach())?)?;
    over.restore(g)?.mul(&mask)?.div(&mask.sum_dim(over.sizes(), true)?)
}

/// [`shared_equally`] for the extreme of all elements: where it is NaN, among the NaNs.
pub(super) fn shared_among_all(g: &Tensor, x: &Tensor, out: &Tensor) -> Result<Tensor> {
    let (x, out) = (x.detach(), out.detach());
    let mask = match out.isnan()?.value_or(false)? {
        true => x.isnan()?,
        false => x.eq(&out)?,
    };
    g.div(&mask.sum()?)?.where_self(&mask, 0.0)
}

fn of_all(op: &'static str, name: &'static str, kernel: Reduce, x: &Tensor) -> Result<Tensor> {
    if x.numel() == 0 {
        return Err(no_identity(op));
    }
    let out = reduce(kernel, x, &Over::all(x), x.dtype())?;
    of_one(name, x, &[x], true, out, |seen, g| shared_among_all(g, seen[0], seen[1]))
}

fn no_identity(op: &'static str) -> Error {
    let text = format!("{op}(): Expected reduction dim to be specified for input.numel() == 0.");
    if op.starts_with("arg") {
        return Error::index(op, text);
    }
    Error::runtime(op, format!("{text} Specify the reduction dim with the 'dim' argument."))
}

/// Values and indices along one dimension, not recorded.
fn indexed(op: &'static str, largest: bool, x: &Tensor, over: &Over) -> Result<(Tensor, Tensor)> {
    let input = x.body();
    let dim = over.dims[0];
    if over.shape.get(dim) == Some(&0) {
        return Err(no_size(op, dim as i64));
    }
    let out = Body::alloc(over.kept(), input.dtype, input.device())?;
    let indices = Body::alloc(over.kept(), DType::I64, input.device())?;
    backend::of(input.device())?.reduce_index(largest, &input, dim, &out, &indices)?;
    Ok((reshaped(&out, over), reshaped(&indices, over)))
}

/// Records `values`, which lie at `indices` along the reduced dimension.
pub(crate) fn picked(
    name: &'static str,
    x: &Tensor,
    over: Over,
    (values, indices): (Tensor, Tensor),
) -> Result<(Tensor, Tensor)> {
    let values = of_one(name, x, &[&indices], false, values, move |seen, g| {
        let zeros = g.detach().new_zeros(&over.shape)?;
        if over.shape.is_empty() {
            return Ok(g.clone());
        }
        zeros.scatter(over.dims[0] as i64, &over.restore(seen[0])?, &over.restore(g)?)
    })?;
    Ok((values, indices))
}

fn amax(name: &'static str, kernel: Reduce, x: &Tensor, over: Over) -> Result<Tensor> {
    let out = reduce(kernel, x, &over, x.dtype())?;
    of_one(name, x, &[x], true, out, move |seen, g| shared_equally(g, seen[0], seen[1], &over))
}

fn aminmax(x: &Tensor, over: Over) -> Result<(Tensor, Tensor)> {
    let low = reduce(Reduce::Min, x, &over, x.dtype())?;
    let high = reduce(Reduce::Max, x, &over, x.dtype())?;
    let recorded = Recorded {
        name: "AminmaxBackward0",
        inputs: &[Some(x)],
        saved: &[Some(x)],
        outputs: &[&low, &high],
        saves_outputs: true,
    };
    recorded.with(move |seen, grads, _| {
        let [Some(x), Some(low), Some(high)] = &seen[..] else { return Ok(smallvec![None]) };
        let part = |g: &Option<Tensor>, out| g.as_ref().map(|g| shared_equally(g, x, out, &over)).transpose();
        Ok(smallvec![match (part(&grads[0], low)?, part(&grads[1], high)?) {
            (Some(a), Some(b)) => Some(a.add(&b)?),
            (a, b) => a.or(b),
        }])
    })?;
    Ok((low, high))
}

fn position(op: &'static str, largest: bool, x: &Tensor, dim: Option<i64>, keepdim: bool) -> Result<Tensor> {
    if x.dtype() == DType::Bool {
        return Err(Error::not_implemented(op, format!("{op}(): does not support bool input")));
    }
    let Some(dim) = dim else {
        if x.numel() == 0 {
            return Err(no_identity(op));
        }
        let flat = x.detach().reshape(-1)?;
        let index = indexed(op, largest, &flat, &Over::one(op, &flat, 0, false)?)?.1;
        return if keepdim { index.reshape(vec![1i64; x.dim()]) } else { Ok(index) };
    };
    indexed(op, largest, x, &Over::one(op, x, dim, keepdim)?).map(|(_, index)| index)
}

macro_rules! extremes {
    ($($(#[$doc:meta])* $kernel:ident, $largest:literal, $word:literal $found:literal at $place:literal: $all:ident $all_fn:literal, $dim:ident $dim_fn:literal,
        $amax:ident $amax_fn:literal, $arg:ident, $arg_dim:ident;)*) => {
        impl Tensor { $(
            #[doc = concat!("The ", $word, " element; NaN where there is one. The gradient is shared among equals.")]
            ///
            /// # Errors
            /// There is no element.
            ///
            /// ```
            /// # use firebrick_core::Tensor;
            /// let x = Tensor::new([3, 1, 2])?;
            #[doc = concat!("assert_eq!(x.", stringify!($all), "()?.item::<i32>()?, ", $found, ");")]
            /// # Ok::<_, firebrick_core::Error>(())
            /// ```
            pub fn $all(&self) -> Result<Tensor> {
                let x = self.resolve(stringify!($all))?;
                of_all(stringify!($all), $all_fn, Reduce::$kernel, &x)
            }

            #[doc = concat!("The ", $word, " elements along `dim` and their first indices; NaN counts as such.")]
            /// The gradient goes to the element at the index.
            ///
            /// # Errors
            /// The dimension is out of range or has size 0.
            ///
            /// ```
            /// # use firebrick_core::Tensor;
            /// let x = Tensor::new([[3, 1, 2]])?;
            #[doc = concat!("let (values, indices) = x.", stringify!($dim), "(1, false)?;")]
            #[doc = concat!("assert_eq!(values.to_vec::<i32>()?, [", $found, "]);")]
            #[doc = concat!("assert_eq!(indices.to_vec::<i64>()?, [", $place, "]);")]
            /// # Ok::<_, firebrick_core::Error>(())
            /// ```
            pub fn $dim(&self, dim: i64, keepdim: bool) -> Result<(Tensor, Tensor)> {
                let x = self.resolve(stringify!($all))?;
                let over = Over::one(stringify!($all), &x, dim, keepdim)?;
                let found = indexed(stringify!($all), $largest, &x, &over)?;
                picked($dim_fn, &x, over, found)
            }

            #[doc = concat!("The ", $word, " elements over the given dimensions, over all when none are given.")]
            /// The gradient is shared among equals.
            ///
            /// # Errors
            /// A dimension is out of range, named twice or of size 0.
            ///
            /// ```
            /// # use firebrick_core::Tensor;
            /// let x = Tensor::new([[3, 1, 2]])?;
            #[doc = concat!("assert_eq!(x.", stringify!($amax), "(1, false)?.to_vec::<i32>()?, [", $found, "]);")]
            /// # Ok::<_, firebrick_core::Error>(())
            /// ```
            pub fn $amax(&self, dims: impl Into<Sizes>, keepdim: bool) -> Result<Tensor> {
                let x = self.resolve(stringify!($amax))?;
                let dims = dims.into();
                if dims.is_empty() && x.numel() == 0 {
                    return Err(no_identity(stringify!($amax)));
                }
                let over = Over::dims(stringify!($amax), &x, &dims, keepdim)?;
                // PyTorch names the dimension as it was given.
                let empty = |d: &usize| over.shape.get(*d) == Some(&0);
                if let Some(at) = over.dims.iter().position(empty) {
                    return Err(no_size(stringify!($amax), dims.get(at).copied().unwrap_or(at as i64)));
                }
                amax($amax_fn, Reduce::$kernel, &x, over)
            }

            #[doc = concat!("Index of the first ", $word, " element in row-major order.")]
            ///
            /// # Errors
            /// There is no element, or the dtype is bool.
            ///
            /// ```
            /// # use firebrick_core::Tensor;
            /// let x = Tensor::new([3, 1, 2])?;
            #[doc = concat!("assert_eq!(x.", stringify!($arg), "()?.item::<i64>()?, ", $place, ");")]
            /// # Ok::<_, firebrick_core::Error>(())
            /// ```
            pub fn $arg(&self) -> Result<Tensor> {
                let x = self.resolve(stringify!($arg))?;
                position(stringify!($arg), $largest, &x, None, false)
            }

            #[doc = concat!("Index of the first ", $word, " element along `dim`; of all elements where that is `None`.")]
            ///
            /// ```
            /// # use firebrick_core::Tensor;
            /// let x = Tensor::new([[3, 1, 2]])?;
            #[doc = concat!("assert_eq!(x.", stringify!($arg_dim), "(1, false)?.to_vec::<i64>()?, [", $place, "]);")]
            /// # Ok::<_, firebrick_core::Error>(())
            /// ```
            pub fn $arg_dim(&self, dim: impl Into<Option<i64>>, keepdim: bool) -> Result<Tensor> {
                let x = self.resolve(stringify!($arg))?;
                position(stringify!($arg), $largest, &x, dim.into(), keepdim)
            }
        )* }
    };
}
extremes! {
    Max, true, "largest" 3 at 0: max "MaxBackward1", max_dim "MaxBackward0", amax "AmaxBackward0", argmax, argmax_dim;
    Min, false, "smallest" 1 at 1: min "MinBackward1", min_dim "MinBackward0", amin "AminBackward0", argmin, argmin_dim;
}

impl Tensor {
    /// The smallest and the largest element.
    ///
    /// # Errors
    /// There is no element.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (low, high) = Tensor::new([2.0f32, -1.0])?.aminmax()?;
    /// assert_eq!((low.item::<f32>()?, high.item::<f32>()?), (-1.0, 2.0));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn aminmax(&self) -> Result<(Tensor, Tensor)> {
        let x = self.resolve("aminmax")?;
        if x.numel() == 0 {
            return Err(Error::runtime(
                "aminmax",
                "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.",
            ));
        }
        aminmax(&x, Over::all(&x))
    }

    /// The smallest and the largest elements along `dim`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (min, max) = Tensor::new([[1, 5], [7, 3]])?.aminmax_dim(1, false)?;
    /// assert_eq!(min.to_vec::<i32>()?, [1, 3]);
    /// assert_eq!(max.to_vec::<i32>()?, [5, 7]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn aminmax_dim(&self, dim: i64, keepdim: bool) -> Result<(Tensor, Tensor)> {
        let x = self.resolve("aminmax")?;
        let over = Over::dims("aminmax", &x, &dim.into(), keepdim)?;
        if over.shape.get(over.dims[0]) == Some(&0) {
            let text = format!("aminmax: Expected reduction dim {} to have non-zero size.", over.dims[0]);
            return Err(Error::index("aminmax", text));
        }
        aminmax(&x, over)
    }
}

/// Samples without the empty reduction, which is an error.
fn not_empty(samples: Result<Vec<sample::Sample>>, f: fn(&Tensor) -> Result<Tensor>) -> Result<Vec<sample::Sample>> {
    let mut samples = samples?;
    samples.retain(|s| s.traits != sample::Trait::Empty);
    let empty = vec![ANY.tensor(&[2, 0], 5)?];
    samples.push(sample::one(sample::Trait::Empty, empty, move |x| f(&x[0])));
    Ok(samples)
}

by_hand! {
    table: EXTREMES;
    max as "MaxBackward1": not_empty(sample::unary(ANY, |x| x.max()), |x| x.amax(0, false));
    min as "MinBackward1": not_empty(sample::unary(ANY, |x| x.min()), |x| x.amin(0, false));
    max_dim as "MaxBackward0": along_dim(ANY, |x, dim| Ok(x.max_dim(dim, false)?.0));
    min_dim as "MinBackward0": along_dim(ANY, |x, dim| Ok(x.min_dim(dim, true)?.0));
    amax as "AmaxBackward0": over_dims(ANY, |x, dims, keep| x.amax(dims, keep));
    amin as "AminBackward0": over_dims(ANY, |x, dims, keep| x.amin(dims, keep));
    aminmax as "AminmaxBackward0": not_empty(sample::unary(ANY, |x| both(x.aminmax()?)), |x| both(x.aminmax_dim(0, false)?));
    aminmax_dim as "AminmaxBackward0": along_dim(ANY, |x, dim| both(x.aminmax_dim(dim, true)?));
}
