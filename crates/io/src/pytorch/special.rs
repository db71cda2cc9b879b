//! Tensors that are more than one array, and the constants of PyTorch they name.

use super::{Array, Dtype, Object};
use firebrick_core::{Error, Result};
use std::fmt;

macro_rules! constants {
    ($(#[$doc:meta])* $enum:ident: $($variant:ident $name:literal;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $enum {
            $(#[doc = concat!("`torch.", $name, "`")] $variant,)*
        }

        impl $enum {
            #[doc = concat!("PyTorch's name without the `torch.` before it; [`", stringify!($enum), "`] shows it.")]
            pub const fn name(self) -> &'static str {
                match self {
                    $($enum::$variant => $name,)*
                }
            }

            #[doc = concat!("The one with this PyTorch name, with or without `torch.`; [`", stringify!($enum), "`] shows it.")]
            pub fn from_name(name: &str) -> Option<$enum> {
                match name.strip_prefix("torch.").unwrap_or(name) {
                    $($name => Some($enum::$variant),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $enum {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "torch.{}", self.name())
            }
        }
    };
}

constants! {
    /// How the elements of a tensor lie in memory.
    ///
    /// ```
    /// use firebrick_io::pytorch::Layout;
    /// assert_eq!(Layout::from_name("torch.sparse_coo"), Some(Layout::SparseCoo));
    /// assert_eq!((Layout::Strided.name(), Layout::Strided.to_string().as_str()), ("strided", "torch.strided"));
    /// ```
    Layout:
    Strided "strided";
    SparseCoo "sparse_coo";
    SparseCsr "sparse_csr";
    SparseCsc "sparse_csc";
    SparseBsr "sparse_bsr";
    SparseBsc "sparse_bsc";
    Jagged "jagged";
    Mkldnn "_mkldnn";
}

constants! {
    /// How a quantized tensor stands for numbers.
    ///
    /// ```
    /// use firebrick_io::pytorch::QScheme;
    /// let scheme = QScheme::from_name("per_tensor_affine").expect("a scheme");
    /// assert_eq!((scheme, scheme.name()), (QScheme::PerTensorAffine, "per_tensor_affine"));
    /// ```
    QScheme:
    PerTensorAffine "per_tensor_affine";
    PerTensorSymmetric "per_tensor_symmetric";
    PerChannelAffine "per_channel_affine";
    PerChannelSymmetric "per_channel_symmetric";
    PerChannelAffineFloat "per_channel_affine_float_qparams";
}

/// A sparse tensor. Firebrick does not compute with it; it is kept and can be written again.
///
/// ```
/// use firebrick_core::Tensor;
/// use firebrick_io::LoadOptions;
/// use firebrick_io::pytorch::{File, Layout, Object, Sparse, to_bytes};
/// let sparse = Sparse {
///     layout: Layout::SparseCoo,
///     shape: vec![3],
///     indices: vec![Tensor::new([[0i64, 2]])?.into()],
///     values: Tensor::new([1.0f32, 5.0])?.into(),
///     coalesced: Some(true),
/// };
/// let bytes = to_bytes(Object::dict([("s", Object::Sparse(Box::new(sparse)))]))?;
/// let file = File::from_bytes(bytes, &LoadOptions::new())?;
/// assert_eq!(file.array("s.values").expect("saved above").tensor()?.to_vec::<f32>()?, [1.0, 5.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sparse {
    /// Which of the sparse layouts.
    pub layout: Layout,
    /// Sizes by dimension.
    pub shape: Vec<usize>,
    /// The indices: one array for `sparse_coo`, otherwise the compressed and the plain ones.
    pub indices: Vec<Array>,
    /// The values.
    pub values: Array,
    /// For `sparse_coo`: is each place there once, and are they sorted? `None` where the file does not say.
    pub coalesced: Option<bool>,
}

/// A quantized tensor. Firebrick does not compute with it; it is kept and can be written again.
///
/// ```
/// use firebrick_io::LoadOptions;
/// use firebrick_io::pytorch::{Array, Dtype, File, Object, QScheme, Quantized, Storage, to_bytes};
/// let array = Array::new(Storage::from_bytes(Dtype::QI8, &[1, 2, 3])?, Dtype::QI8, &[3], &[1], 0)?;
/// let parameters = vec![Object::Float(0.5), Object::Int(0)];
/// let quantized = Quantized { array, scheme: QScheme::PerTensorAffine, parameters }; // 0.5, 1, 1.5
/// let file = File::from_bytes(to_bytes(Object::Quantized(Box::new(quantized)))?, &LoadOptions::new())?;
/// let Object::Quantized(read) = file.object() else { panic!("saved above") };
/// assert_eq!((read.scheme.name(), read.parameters[0].as_f64()), ("per_tensor_affine", Some(0.5)));
/// assert_eq!(read.array.storage().with_bytes(<[u8]>::to_vec)?, [1, 2, 3]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Quantized {
    /// The integers.
    pub array: Array,
    /// How they stand for numbers.
    pub scheme: QScheme,
    /// Scale and zero point; by channel, scales, zero points and the dimension.
    pub parameters: Vec<Object>,
}

impl Sparse {
    /// Do the parts fit together? What the indices say is looked at when they are read. An error is a sentence.
    pub(super) fn check_form(&self) -> Result<(), String> {
        let Sparse { layout, shape, indices, values, .. } = self;
        let fits = match (layout, indices.as_slice()) {
            (Layout::SparseCoo, [indices]) => match (indices.shape(), values.shape()) {
                (&[sparse, count], [values, dense @ ..]) => {
                    count == *values && shape.get(sparse..).is_some_and(|rest| rest == dense)
                }
                _ => false,
            },
            (Layout::SparseCsr | Layout::SparseCsc | Layout::SparseBsr | Layout::SparseBsc, [compressed, plain]) => {
                shape.len() >= 2 && !compressed.shape().is_empty() && !plain.shape().is_empty()
            }
            _ => return Err(format!("rebuilding sparse tensor for layout {layout}")),
        };
        let integers = indices.iter().all(|indices| matches!(indices.dtype(), Dtype::I64 | Dtype::I32));
        match (fits, integers) {
            (true, true) => Ok(()),
            (false, _) => Err(format!(
                "indices of shape {:?} and values of shape {:?} do not make a {layout} tensor of shape {shape:?}",
                indices.iter().map(Array::shape).collect::<Vec<_>>(),
                values.shape(),
            )),
            (_, false) => Err("the indices of a sparse tensor are int64 or int32".to_owned()),
        }
    }

    /// Do the indices lie within the shape?
    pub(super) fn check_indices(&self) -> Result<()> {
        let refuse = |index: i64, size: usize| {
            let text = format!("size is inconsistent with indices: found index {index} for a dimension of size {size}");
            Err(Error::runtime("sparse_tensor", text).expected("indices within the shape"))
        };
        match self.layout {
            Layout::SparseCoo => {
                let all = self.indices[0].tensor()?.to_vec::<i64>()?;
                let count = self.values.shape().first().copied().unwrap_or(0).max(1);
                let mut rows = all.chunks(count).zip(&self.shape);
                match rows
                    .find_map(|(row, &size)| row.iter().find(|&&i| i < 0 || i as u64 >= size as u64).zip(Some(size)))
                {
                    Some((&index, size)) => refuse(index, size),
                    None => Ok(()),
                }
            }
            _ => {
                let plain = self.indices[1].tensor()?.to_vec::<i64>()?;
                let size = self.shape.iter().copied().max().unwrap_or(0);
                match plain.iter().find(|&&i| i < 0 || i as u64 >= size as u64) {
                    Some(&index) => refuse(index, size),
                    None => Ok(()),
                }
            }
        }
    }
}
