//! From and to `ndarray`'s arrays, with the feature of this name.

use super::Tensor;
use crate::{Element, Error, Result};
use ndarray::{Array, ArrayBase, ArrayD, Data, Dimension, IxDyn};

impl Tensor {
    /// A tensor with the elements of an array of any number of dimensions and any layout.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// let array = ndarray::array![[1.0f32, 2.0], [3.0, 4.0]];
    /// assert_eq!(Tensor::from_ndarray(&array.t())?.to_vec::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn from_ndarray<T: Element, S: Data<Elem = T>, D: Dimension>(array: &ArrayBase<S, D>) -> Result<Tensor> {
        let elements: Vec<T> = array.iter().copied().collect();
        Tensor::from_vec(elements, array.shape())
    }

    /// An array with the elements of this tensor, converted to `T`, and as many dimensions as the tensor has.
    ///
    /// # Errors
    /// The tensor requires grad.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// let array = Tensor::new([[1i64, 2], [3, 4]])?.to_ndarray::<f32>()?;
    /// assert_eq!(array[[1, 0]], 3.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn to_ndarray<T: Element>(&self) -> Result<ArrayD<T>> {
        if self.requires_grad() {
            let text = "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.";
            return Err(Error::runtime("to_ndarray", text));
        }
        ArrayD::from_shape_vec(IxDyn(&self.shape()), self.to_vec::<T>()?)
            .map_err(|error| Error::runtime("to_ndarray", error.to_string()))
    }

    /// [`Tensor::to_ndarray`] with a fixed number of dimensions, such as `ndarray::Ix2`.
    ///
    /// # Errors
    /// The tensor requires grad, or has another number of dimensions.
    pub fn to_ndarray_of<T: Element, D: Dimension>(&self) -> Result<Array<T, D>> {
        let array = self.to_ndarray::<T>()?;
        array.into_dimensionality::<D>().map_err(|error| {
            Error::runtime("to_ndarray", error.to_string()).given(format!("a tensor of shape {:?}", self.shape()))
        })
    }
}

impl<T: Element, D: Dimension> TryFrom<Array<T, D>> for Tensor {
    type Error = Error;
    fn try_from(array: Array<T, D>) -> Result<Tensor> {
        Tensor::from_ndarray(&array)
    }
}
