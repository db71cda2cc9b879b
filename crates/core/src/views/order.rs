//! Dimensions in another order.

use super::op::ViewOp;
use crate::{Dims, Error, Result, Sizes, Tensor, wrap_dim};
use smallvec::SmallVec;

impl Tensor {
    /// Dimensions in another order.
    ///
    /// # Errors
    /// `dims` does not name every dimension once.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4])?.permute([2, 0, 1])?.shape(), [4, 2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn permute(&self, dims: impl Into<Sizes>) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "permute";
        let (x, dims) = (self.resolve(OP)?, dims.into());
        let rank = x.dim();
        if dims.len() != rank {
            return Err(Error::runtime(
                OP,
                format!(
                    "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = {rank} is not equal to len(dims) = {}",
                    dims.len()
                ),
            ));
        }
        let mut order = Dims::new();
        for &dim in dims.iter() {
            let dim = wrap_dim(OP, dim, rank)?;
            if order.contains(&dim) {
                return Err(Error::runtime(OP, "permute(): duplicate dims are not allowed."));
            }
            order.push(dim);
        }
        x.viewed(OP, "PermuteBackward0", ViewOp::Permute(order))
    }

    /// Two dimensions swapped.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[1, 2], [3, 4]])?.transpose(0, 1)?.to_vec::<i32>()?, [1, 3, 2, 4]);
    /// assert_eq!(Tensor::zeros([2, 3, 4])?.transpose(0, -1)?.shape(), [4, 3, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn transpose(&self, dim0: i64, dim1: i64) -> Result<Tensor> {
        let _running = crate::source::operation();
        self.transposed("transpose", "TransposeBackward0", dim0, dim1)
    }

    fn transposed(&self, op: &'static str, name: &'static str, dim0: i64, dim1: i64) -> Result<Tensor> {
        let x = self.resolve(op)?;
        let rank = x.dim();
        let (a, b) = (wrap_dim(op, dim0, rank)?, wrap_dim(op, dim1, rank)?);
        let mut order: Dims = (0..rank).collect();
        if rank > 0 {
            order.swap(a, b);
        }
        x.viewed(op, name, ViewOp::Permute(order))
    }

    /// [`Tensor::transpose`] under NumPy's name.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3])?.swapaxes(0, 1)?.shape(), [3, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn swapaxes(&self, axis0: i64, axis1: i64) -> Result<Tensor> {
        let _running = crate::source::operation();
        self.transpose(axis0, axis1)
    }

    /// [`Tensor::transpose`] under another of PyTorch's names.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3])?.swapdims(0, 1)?.shape(), [3, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn swapdims(&self, dim0: i64, dim1: i64) -> Result<Tensor> {
        let _running = crate::source::operation();
        self.transpose(dim0, dim1)
    }

    /// A matrix transposed; a vector or scalar as it is.
    ///
    /// # Errors
    /// More than two dimensions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[1, 2], [3, 4]])?.t()?.to_vec::<i32>()?, [1, 3, 2, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn t(&self) -> Result<Tensor> {
        let _running = crate::source::operation();
        match self.resolve("t")?.dim() {
            0 | 1 => self.viewed("t", "TBackward0", ViewOp::Alias),
            2 => self.transposed("t", "TBackward0", 0, 1),
            rank => Err(Error::runtime("t", format!("t() expects a tensor with <= 2 dimensions, but self is {rank}D"))),
        }
    }

    /// All dimensions in reverse order: PyTorch's `x.T`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4])?.T()?.shape(), [4, 3, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    #[allow(non_snake_case, reason = "PyTorch's name")]
    pub fn T(&self) -> Result<Tensor> {
        let _running = crate::source::operation();
        let x = self.resolve("T")?;
        let order = (0..x.dim()).rev().collect();
        x.viewed("T", "PermuteBackward0", ViewOp::Permute(order))
    }

    /// The last two dimensions swapped: PyTorch's `x.mT`. A number stays as it is.
    ///
    /// # Errors
    /// One dimension.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4])?.mT()?.shape(), [2, 4, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    #[allow(non_snake_case, reason = "PyTorch's name")]
    pub fn mT(&self) -> Result<Tensor> {
        let _running = crate::source::operation();
        match self.resolve("mT")?.dim() {
            0 => self.transposed("mT", "PermuteBackward0", 0, 0),
            1 => Err(Error::runtime(
                "mT",
                "tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor.",
            )),
            _ => self.transpose(-2, -1),
        }
    }

    /// Dimensions `source` moved to the places `destination`; the others keep their order.
    ///
    /// # Errors
    /// Lists of different lengths, or one that names a dimension twice.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4])?.movedim(0, -1)?.shape(), [3, 4, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn movedim(&self, source: impl Into<Sizes>, destination: impl Into<Sizes>) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "movedim";
        let (x, source, destination) = (self.resolve(OP)?, source.into(), destination.into());
        if source.len() != destination.len() {
            return Err(Error::runtime(
                OP,
                format!(
                    "movedim: Invalid source or destination dims: source ({:?} dims) should contain the same number of dims as destination ({:?} dims)",
                    &source[..],
                    &destination[..]
                ),
            ));
        }
        let rank = x.dim();
        let resolve = |list: &Sizes, what: &str| -> Result<SmallVec<[usize; 6]>> {
            let dims = list.iter().map(|&d| wrap_dim(OP, d, rank)).collect::<Result<SmallVec<[usize; 6]>>>()?;
            let twice = (1..dims.len()).any(|i| dims[..i].contains(&dims[i]));
            match twice {
                true => Err(Error::runtime(OP, format!("movedim: repeated dim in `{what}` ({:?})", &list[..]))),
                false => Ok(dims),
            }
        };
        let (from, to) = (resolve(&source, "source")?, resolve(&destination, "destination")?);
        if rank == 0 {
            return x.viewed(OP, "AliasBackward0", ViewOp::Alias);
        }
        let mut rest = (0..rank).filter(|d| !from.contains(d));
        let order = (0..rank)
            .filter_map(|place| match to.iter().position(|&d| d == place) {
                Some(i) => Some(from[i]),
                None => rest.next(),
            })
            .collect();
        x.viewed(OP, "PermuteBackward0", ViewOp::Permute(order))
    }

    /// [`Tensor::movedim`] under NumPy's name.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4])?.moveaxis(0, -1)?.shape(), [3, 4, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn moveaxis(&self, source: impl Into<Sizes>, destination: impl Into<Sizes>) -> Result<Tensor> {
        let _running = crate::source::operation();
        self.movedim(source, destination)
    }
}
