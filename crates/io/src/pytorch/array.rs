//! Tensors as a file describes them.

use super::{Dtype, Object, Storage};
use firebrick_core::{Error, Parameter, Result, Tensor};
use indexmap::IndexMap;
use std::sync::{Arc, OnceLock};

/// A tensor of any dtype over a [`Storage`], read when it is asked for. Clones are the same tensor.
///
/// ```
/// use firebrick_core::Tensor;
/// use firebrick_io::pytorch::{Array, Class};
/// let x = Tensor::new([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]])?;
/// let column = Array::from(x.narrow(1, 1, 2)?);
/// assert_eq!((column.shape(), column.strides(), column.offset()), ([2, 2].as_slice(), [3, 1].as_slice(), 1));
/// assert_eq!((column.numel(), column.dtype().name(), column.class()), (4, "float32", Class::Tensor));
/// assert!(!column.requires_grad() && column.attributes().is_empty());
/// assert_eq!(column.storage().bytes(), 24); // all of `x`
/// assert_eq!(column.tensor()?.to_vec::<f32>()?, [2.0, 3.0, 5.0, 6.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Array(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    storage: Storage,
    form: Form,
    tensor: OnceLock<Tensor>,
}

/// What an [`Array`] is apart from its memory.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
    pub offset: usize,
    pub requires_grad: bool,
    pub class: Class,
    /// Is each number to be read as its conjugate?
    pub conj: bool,
    /// Is each number to be read with the other sign?
    pub neg: bool,
    pub attributes: IndexMap<String, Object>,
}

impl Form {
    /// One past the last element, 0 without elements; `None` beyond what can be counted.
    pub fn end(&self) -> Option<usize> {
        if self.shape.contains(&0) {
            return Some(0);
        }
        let step = |end: usize, (&n, &s): (&usize, &usize)| end.checked_add((n - 1).checked_mul(s)?);
        self.shape.iter().zip(&self.strides).try_fold(self.offset, step)?.checked_add(1)
    }

    pub fn new(dtype: Dtype, shape: Vec<usize>, strides: Vec<usize>, offset: usize) -> Self {
        let (class, attributes) = (Class::Tensor, IndexMap::new());
        Form { dtype, shape, strides, offset, requires_grad: false, class, conj: false, neg: false, attributes }
    }
}

/// The Python class of an [`Array`].
///
/// ```
/// use firebrick_core::{Parameter, Tensor};
/// use firebrick_io::pytorch::{Array, Class};
/// let array = Array::from(&Parameter::new(Tensor::new([1.0f32])?));
/// assert_eq!((array.class(), array.requires_grad()), (Class::Parameter, true));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Class {
    /// `torch.Tensor`.
    #[default]
    Tensor,
    /// `torch.nn.Parameter`.
    Parameter,
    /// A storage without a tensor around it: one dimension, all elements.
    Storage,
}

impl Array {
    /// A view of a storage; strides and offset are in elements.
    ///
    /// # Errors
    /// Shape and strides of different length, or an element outside the storage.
    ///
    /// ```
    /// use firebrick_io::pytorch::{Array, Dtype, Storage};
    /// let storage = Storage::from_bytes(Dtype::U8, &[1, 2, 3, 4])?;
    /// let transposed = Array::new(storage.clone(), Dtype::U8, &[2, 2], &[1, 2], 0)?;
    /// assert_eq!(transposed.tensor()?.to_vec::<u8>()?, [1, 3, 2, 4]);
    /// assert!(Array::new(storage, Dtype::U8, &[5], &[1], 0).is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new(storage: Storage, dtype: Dtype, shape: &[usize], strides: &[usize], offset: usize) -> Result<Self> {
        let form = Form::new(dtype, shape.to_vec(), strides.to_vec(), offset);
        Array::with_form(storage, form).map_err(|problem| Error::runtime("Array", problem))
    }

    /// As [`Array::new`], with everything else; an error is a sentence.
    pub(super) fn with_form(storage: Storage, form: Form) -> Result<Self, String> {
        check(&form, storage.bytes())?;
        Ok(Array(Arc::new(Inner { storage, form, tensor: OnceLock::new() })))
    }

    /// The same, of another class or needing a gradient or not.
    pub(super) fn reformed(&self, change: impl FnOnce(&mut Form)) -> Result<Self, String> {
        let Inner { storage, mut form, .. } = Inner::clone(&self.0);
        change(&mut form);
        Array::with_form(storage, form)
    }

    /// The same view of another storage.
    ///
    /// # Errors
    /// An element outside the storage.
    ///
    /// ```
    /// use firebrick_io::pytorch::{Array, Dtype, Storage};
    /// let array = Array::new(Storage::from_bytes(Dtype::U8, &[1, 2])?, Dtype::U8, &[2], &[1], 0)?;
    /// let other = array.over(Storage::from_bytes(Dtype::U8, &[7, 8])?)?;
    /// assert_eq!(other.tensor()?.to_vec::<u8>()?, [7, 8]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn over(&self, storage: Storage) -> Result<Self> {
        Array::with_form(storage, self.0.form.clone()).map_err(|problem| Error::runtime("Array", problem))
    }

    pub(super) fn form(&self) -> &Form {
        &self.0.form
    }

    /// The type of the elements; [`Array`] shows it.
    pub fn dtype(&self) -> Dtype {
        self.0.form.dtype
    }

    /// Sizes by dimension; [`Array`] shows it.
    pub fn shape(&self) -> &[usize] {
        &self.0.form.shape
    }

    /// Elements from one index to the next, by dimension; [`Array`] shows it.
    pub fn strides(&self) -> &[usize] {
        &self.0.form.strides
    }

    /// The element of the storage at which index zero lies; [`Array`] shows it.
    pub fn offset(&self) -> usize {
        self.0.form.offset
    }

    /// Number of elements; [`Array`] shows it.
    pub fn numel(&self) -> usize {
        self.shape().iter().product()
    }

    /// Does it need a gradient? [`Class`] shows one that does.
    pub fn requires_grad(&self) -> bool {
        self.0.form.requires_grad
    }

    /// The Python class; [`Class`] shows it.
    pub fn class(&self) -> Class {
        self.0.form.class
    }

    /// What was attached to the tensor in Python; [`Array`] shows it.
    pub fn attributes(&self) -> &IndexMap<String, Object> {
        &self.0.form.attributes
    }

    /// The memory it is a view of; [`Array`] shows it.
    pub fn storage(&self) -> &Storage {
        &self.0.storage
    }

    /// Are both the same Python object?
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_io::pytorch::Array;
    /// let x = Tensor::new([1.0f32])?;
    /// let array = Array::from(x.clone());
    /// assert!(array.is_same(&array.clone()) && !array.is_same(&Array::from(x)));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn is_same(&self, other: &Array) -> bool {
        self.id() == other.id()
    }

    /// The address that tells arrays apart.
    pub(super) fn id(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    /// Why it cannot be saved: a sentence, if its tensor has no values of its own.
    pub(super) fn without_values(&self) -> Option<&'static str> {
        match self.0.tensor.get() {
            Some(tensor) if tensor.is_uninitialized() => Some("the tensor has no shape yet: call the lazy layer once"),
            Some(tensor) if tensor.is_placeholder() => {
                Some("the tensor is computed when it is needed: save what it is computed from")
            }
            _ => None,
        }
    }

    /// The tensor: the same one at every call. Arrays of one storage give tensors of one storage, which is read the first
    /// time.
    ///
    /// # Errors
    /// A dtype that Firebrick does not compute with, or a file that does not hold what it says.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_io::pytorch::{Array, Dtype, Storage};
    /// let array = Array::from(Tensor::new([1.0f32])?);
    /// assert_eq!(array.tensor()?.id(), array.tensor()?.id());
    /// let foreign = Array::new(Storage::from_bytes(Dtype::U16, &[1, 0])?, Dtype::U16, &[1], &[1], 0)?;
    /// assert!(foreign.tensor().is_err()); // Firebrick does not compute with it
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn tensor(&self) -> Result<Tensor> {
        if let Some(tensor) = self.0.tensor.get() {
            return Ok(tensor.clone());
        }
        let form = &self.0.form;
        let Some(dtype) = self.dtype().core() else {
            return Err(Error::type_("tensor", format!("Firebrick does not compute with {}", self.dtype()))
                .remedy("take the bytes of `array.storage()`"));
        };
        let memory = self.0.storage.memory()?;
        let mut tensor = Tensor::from_storage(&memory, dtype, &form.shape, form.strides.as_slice(), form.offset)?;
        if form.conj {
            tensor = tensor.conj()?;
        }
        if form.neg {
            tensor = tensor.neg()?;
        }
        if form.requires_grad {
            tensor.requires_grad_(true)?;
        }
        Ok(self.0.tensor.get_or_init(|| tensor).clone())
    }

    /// The tensor as a parameter, whatever its class.
    ///
    /// # Errors
    /// As [`Array::tensor`].
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_io::pytorch::Array;
    /// let parameter = Array::from(Tensor::new([1.0f32])?).parameter()?;
    /// assert_eq!(parameter.to_vec::<f32>()?, [1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn parameter(&self) -> Result<Parameter> {
        self.tensor().map(Parameter::from_handle)
    }
}

impl From<Tensor> for Array {
    /// The tensor as it would be saved: whole storage, shape, strides and offset.
    fn from(tensor: Tensor) -> Self {
        let body = tensor.body();
        let mut form = Form::new(body.dtype.into(), body.shape.to_vec(), body.strides.to_vec(), body.offset);
        form.requires_grad = tensor.requires_grad();
        let storage = Storage::in_memory(body.dtype.into(), body.storage);
        Array(Arc::new(Inner { storage, form, tensor: tensor.into() }))
    }
}

impl From<&Parameter> for Array {
    fn from(parameter: &Parameter) -> Self {
        let mut array = Array::from(Tensor::clone(parameter));
        if let Some(inner) = Arc::get_mut(&mut array.0) {
            inner.form.class = Class::Parameter;
        }
        array
    }
}

/// Do the elements lie within the storage, and can they need a gradient?
fn check(form: &Form, storage: usize) -> Result<(), String> {
    let Form { dtype, shape, strides, offset, .. } = form;
    if shape.len() != strides.len() {
        return Err(format!("unequal size length ({}) and stride length ({})", shape.len(), strides.len()));
    }
    let needs = form.end().and_then(|end| end.div_ceil(packed(*dtype)).checked_mul(dtype.size()));
    let numel = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d.max(1)));
    if needs.is_none_or(|needs| needs > storage) || numel.is_none_or(|numel| numel > isize::MAX as usize) {
        return Err(format!(
            "a tensor of {dtype} with size {shape:?}, stride {strides:?} and offset {offset} does not fit into its storage of {storage} bytes"
        ));
    }
    if form.requires_grad && !dtype.can_require_grad() {
        return Err(format!("only Tensors of floating point and complex dtype can require gradients, not {dtype}"));
    }
    Ok(())
}

/// Elements in one unit of [`Dtype::size`], where the shape counts them one by one.
fn packed(dtype: Dtype) -> usize {
    match dtype {
        Dtype::QU4X2 => 2,
        Dtype::QU2X4 => 4,
        _ => 1,
    }
}
