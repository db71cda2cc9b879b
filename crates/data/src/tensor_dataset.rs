//! Tensors whose first dimension counts the items.

use crate::Dataset;
use firebrick_core::{Error, Result, Tensor};

/// A tensor or a tuple of tensors, and one row of each.
///
/// ```
/// use firebrick_core::Tensor;
/// use firebrick_data::{Dataset, TensorDataset};
/// let nested = ((Tensor::zeros([4, 2])?, Tensor::zeros([4, 3])?), Tensor::zeros([4])?);
/// let ((a, b), c) = TensorDataset::new(nested)?.get(0)?;
/// assert_eq!((a.shape(), b.shape(), c.shape()), ([2].into(), [3].into(), [].into()));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub trait Tensors: Clone + Send + Sync {
    /// The tensors.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_data::Tensors;
    /// assert_eq!((Tensor::zeros([4, 2])?, Tensor::zeros([4])?).each().len(), 2);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn each(&self) -> Vec<&Tensor>;

    /// The same with `row` of every tensor in its place.
    ///
    /// # Errors
    /// What `row` returns.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_data::Tensors;
    /// let (x, y) = (Tensor::new([1.0f32, 2.0])?, Tensor::new([3.0f32, 4.0])?);
    /// let (x, y) = (x, y).map(&|tensor| tensor.select(0, 1))?;
    /// assert_eq!((x.item::<f32>()?, y.item::<f32>()?), (2.0, 4.0));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn map(&self, row: &dyn Fn(&Tensor) -> Result<Tensor>) -> Result<Self>;
}

impl Tensors for Tensor {
    fn each(&self) -> Vec<&Tensor> {
        vec![self]
    }

    fn map(&self, row: &dyn Fn(&Tensor) -> Result<Tensor>) -> Result<Self> {
        row(self)
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => { $(
        impl<$($name: Tensors),+> Tensors for ($($name,)+) {
            #[allow(non_snake_case)] // the parameters' names stand for the fields
            fn each(&self) -> Vec<&Tensor> {
                let ($($name,)+) = self;
                [$($name.each()),+].concat()
            }

            #[allow(non_snake_case)]
            fn map(&self, row: &dyn Fn(&Tensor) -> Result<Tensor>) -> Result<Self> {
                let ($($name,)+) = self;
                Ok(($($name.map(row)?,)+))
            }
        }
    )* };
}
tuples! {
    A;
    A B;
    A B C;
    A B C D;
}

/// Tensors, such as images and labels, whose item `i` is row `i` of each.
///
/// ```
/// use firebrick_core::Tensor;
/// use firebrick_data::{Dataset, TensorDataset};
/// let (x, y) = (Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?, Tensor::new([0i64, 1])?);
/// let dataset = TensorDataset::new((x, y))?;
/// let (x, y) = dataset.get(1)?;
/// assert_eq!((x.to_vec::<f32>()?, y.item::<i64>()?), (vec![3.0, 4.0], 1));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone)]
pub struct TensorDataset<T> {
    tensors: T,
    len: usize,
}

impl<T: Tensors> TensorDataset<T> {
    /// A data set of a tensor or of a tuple of tensors.
    ///
    /// # Errors
    /// A tensor without dimensions; tensors of different first sizes.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_data::{Dataset, TensorDataset};
    /// assert_eq!(TensorDataset::new(Tensor::zeros([4, 2])?)?.len(), 4);
    /// let refused = TensorDataset::new((Tensor::zeros([4])?, Tensor::zeros([3])?)).err();
    /// assert_eq!(refused.map(|error| error.to_string()).as_deref(), Some("Size mismatch between tensors"));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new(tensors: T) -> Result<Self> {
        const OP: &str = "TensorDataset";
        let mut sizes = tensors.each().into_iter().map(|tensor| tensor.size(0)).collect::<Result<Vec<_>>>()?;
        let given = format!("{sizes:?} items");
        sizes.dedup();
        match sizes[..] {
            [len] => Ok(TensorDataset { tensors, len }),
            _ => Err(Error::value(OP, "Size mismatch between tensors").given(given)),
        }
    }

    /// The tensors.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_data::TensorDataset;
    /// assert_eq!(TensorDataset::new((Tensor::zeros([4, 2])?, Tensor::zeros([4])?))?.tensors().0.shape(), [4, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn tensors(&self) -> &T {
        &self.tensors
    }
}

impl<T: Tensors> Dataset for TensorDataset<T> {
    type Item = T;

    fn len(&self) -> usize {
        self.len
    }

    fn get(&self, index: usize) -> Result<T> {
        if index >= self.len {
            return Err(Error::index(
                "TensorDataset",
                format!("index {index} is out of bounds for dimension 0 with size {}", self.len),
            ));
        }
        self.tensors.map(&|tensor| tensor.select(0, index as i64))
    }
}
