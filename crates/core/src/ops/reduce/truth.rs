//! Are there elements, are all of them, how many are: other than zero.

use super::run::{Over, reduce};
use crate::backend::Reduce;
use crate::dims::wrap_dims;
use crate::{DType, Result, Sizes, Tensor};

/// The result is bool, but of uint8 it is uint8.
fn truth_dtype(dtype: DType) -> DType {
    if dtype == DType::U8 { DType::U8 } else { DType::Bool }
}

/// An empty list of dimensions reduces none here, unlike in the other reductions.
fn over_named(op: &'static str, x: &Tensor, dims: &Sizes, keepdim: bool) -> Result<Over> {
    let shape = x.shape();
    Ok(Over { dims: wrap_dims(op, dims, shape.len())?, shape, keepdim })
}

macro_rules! truth {
    ($($(#[$doc:meta])* $all:ident, $dim:ident $found:literal = $kernel:ident;)*) => {
        impl Tensor { $(
            $(#[$doc])*
            pub fn $all(&self) -> Result<Tensor> {
                let x = self.resolve(stringify!($all))?;
                reduce(Reduce::$kernel, &x, &Over::all(&x), truth_dtype(x.dtype()))
            }

            #[doc = concat!("[`Tensor::", stringify!($all), "`] over the given dimensions; an empty list reduces none.")]
            ///
            /// ```
            /// # use firebrick_core::Tensor;
            /// let x = Tensor::new([[0, 2], [0, 0], [1, 1]])?;
            #[doc = concat!("assert_eq!(x.", stringify!($dim), "(1, false)?.to_vec::<bool>()?, [", $found, "]);")]
            /// # Ok::<_, firebrick_core::Error>(())
            /// ```
            pub fn $dim(&self, dims: impl Into<Sizes>, keepdim: bool) -> Result<Tensor> {
                let x = self.resolve(stringify!($all))?;
                let over = over_named(stringify!($all), &x, &dims.into(), keepdim)?;
                reduce(Reduce::$kernel, &x, &over, truth_dtype(x.dtype()))
            }
        )* }
    };
}
truth! {
    /// Is any element not zero? NaN is not; of no elements false.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert!(Tensor::new([0i64, 2])?.any()?.item::<bool>()?);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    any, any_dim "true, false, true" = Any;
    /// Are all elements other than zero? Of no elements true.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert!(!Tensor::new([0i64, 2])?.all()?.item::<bool>()?);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    all, all_dim "false, false, true" = All;
}

impl Tensor {
    /// How many elements are not zero, as int64.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0i64, 2, 3])?.count_nonzero()?.item::<i64>()?, 2);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn count_nonzero(&self) -> Result<Tensor> {
        let x = self.resolve("count_nonzero")?;
        reduce(Reduce::CountNonzero, &x, &Over::all(&x), DType::I64)
    }

    /// [`Tensor::count_nonzero`] over the given dimensions; over all when none are given.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[0, 1], [2, 3]])?.count_nonzero_dim(1)?.to_vec::<i64>()?, [1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn count_nonzero_dim(&self, dims: impl Into<Sizes>) -> Result<Tensor> {
        let x = self.resolve("count_nonzero")?;
        let over = Over::dims("count_nonzero", &x, &dims.into(), false)?;
        reduce(Reduce::CountNonzero, &x, &over, DType::I64)
    }
}
