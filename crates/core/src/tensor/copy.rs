//! Copies between layouts, dtypes and devices.

use super::substitute::is_following_shapes;
use super::{Body, MemoryFormat, Tensor};
use crate::autograd::{Edge, Function, Node, OutputInfo, inplace, is_grad_enabled, records};
use crate::dims::broadcast_shapes;
use crate::ops::elementwise::separate_overlapping;
use crate::{DType, Device, Dims, Error, Result, Sizes, backend};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// The target of [`Tensor::to`]: a dtype, a device, a memory format, or several of them.
///
/// ```
/// # use firebrick_core::{DType, Device, Tensor, To};
/// let x = Tensor::new([1.5f32])?;
/// assert_eq!(x.to(DType::F64)?.dtype(), DType::F64);
/// assert_eq!(To::from((Device::Cpu, DType::I64)), To { device: Some(Device::Cpu), ..DType::I64.into() });
/// assert_eq!(x.to((Device::Cpu, DType::I64))?.to_vec::<i64>()?, [1]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct To {
    /// New element type.
    pub dtype: Option<DType>,
    /// New device.
    pub device: Option<Device>,
    /// New order in memory; as the tensor lies if nothing is said.
    pub memory_format: Option<MemoryFormat>,
}

impl From<DType> for To {
    fn from(dtype: DType) -> Self {
        To { dtype: Some(dtype), ..To::default() }
    }
}

impl From<Device> for To {
    fn from(device: Device) -> Self {
        To { device: Some(device), ..To::default() }
    }
}

impl From<MemoryFormat> for To {
    fn from(format: MemoryFormat) -> Self {
        To { memory_format: Some(format), ..To::default() }
    }
}

impl From<(Device, DType)> for To {
    fn from((device, dtype): (Device, DType)) -> Self {
        To { dtype: Some(dtype), device: Some(device), memory_format: None }
    }
}

/// PyTorch's warning, once in a process, that a cast keeps the real part only.
pub(crate) fn warn_of_discarding(from: DType, to: DType) {
    static ONCE: std::sync::Once = std::sync::Once::new();
    if from.is_complex() && !to.is_complex() && to != DType::Bool {
        ONCE.call_once(|| crate::warn("Casting complex values to real discards the imaginary part"));
    }
}

/// A fresh body with the elements of `body`, laid out by `strides`.
fn converted(body: &Body, dtype: DType, device: Device, strides: Option<Dims>) -> Result<Body> {
    if body.device() == Device::Meta && device != Device::Meta {
        return Err(backend::no_data());
    }
    let out = Body::alloc_in(body.shape.clone(), strides, dtype, device)?;
    if body.device() == device {
        backend::of(device)?.copy(body, &out)?;
    } else {
        transfer(body, &out)?;
    }
    Ok(out)
}

/// Copies between devices, by way of a contiguous body on each side.
pub(crate) fn transfer(src: &Body, dst: &Body) -> Result<()> {
    if dst.device() == Device::Meta {
        return Ok(());
    }
    let host = super::read::on_host(src, dst.dtype)?;
    if dst.device() == Device::Cpu {
        return backend::of(Device::Cpu)?.copy(&host, dst);
    }
    let target = backend::of(dst.device())?;
    let staged = Body::alloc(dst.shape.clone(), dst.dtype, dst.device())?;
    target.from_host(&host, &staged)?;
    target.copy(&staged, dst)
}

impl Tensor {
    fn copied(&self, op: &'static str, name: &'static str, to: To) -> Result<Tensor> {
        let x = self.resolve(op)?;
        let body = x.body();
        let strides = body.strides_in(op, to.memory_format.unwrap_or(MemoryFormat::Preserve))?;
        x.laid_out(&body, name, to, strides)
    }

    /// A copy that lies in memory as `strides`, which leave no gaps, say; row-major for `None`.
    pub(crate) fn copied_with(&self, strides: Option<Dims>) -> Result<Tensor> {
        self.laid_out(&self.body(), "CloneBackward0", To::default(), strides)
    }

    fn laid_out(&self, body: &Body, name: &'static str, to: To, strides: Option<Dims>) -> Result<Tensor> {
        let (dtype, device) = (to.dtype.unwrap_or(body.dtype), to.device.unwrap_or(body.device()));
        let out = Tensor::from_body(converted(body, dtype, device, strides)?);
        if dtype.is_differentiable() && records([self]) {
            let (dtype, device) = (body.dtype, body.device());
            let back = To { dtype: Some(dtype), device: Some(device), memory_format: None };
            let function = Function::new(move |_: &Arc<Node>, grads: &[Option<Tensor>], _: &[bool]| {
                Ok(smallvec![grads[0].as_ref().map(|g| g.cast_back(back)).transpose()?])
            });
            out.set_node(Node::new(name, smallvec![self.edge()], smallvec![OutputInfo::of(&out)], true, function), 0);
        }
        Ok(out)
    }

    /// The tensor with another dtype, on another device, in another memory format; itself where nothing changes.
    /// A lazy layer's parameter stays uninitialized. Of complex numbers a real dtype keeps the real part, with PyTorch's
    /// warning once in a process; bool asks whether either part is other than zero.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// let x = Tensor::new([1.9f32, -1.9])?;
    /// assert_eq!(x.to(DType::I64)?.to_vec::<i64>()?, [1, -1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn to(&self, to: impl Into<To>) -> Result<Tensor> {
        let _running = crate::source::operation();
        let mut to = to.into();
        if is_following_shapes() {
            to.device = None;
        }
        if self.is_uninitialized() {
            return Tensor::uninitialized(to.dtype.unwrap_or(self.dtype()), to.device.unwrap_or(self.device()));
        }
        let x = self.resolve("to")?;
        let same = x.with_body(|b| {
            to.dtype.is_none_or(|dtype| dtype == b.dtype)
                && to.device.is_none_or(|device| device == b.device())
                && to.memory_format.is_none_or(|format| b.has_format(format))
        });
        warn_of_discarding(x.dtype(), to.dtype.unwrap_or(x.dtype()));
        if same { Ok(x) } else { x.copied("to", "ToCopyBackward0", to) }
    }

    /// A copy with memory of its own, part of the graph: PyTorch's `clone`. (Rust's `clone` gives a handle.)
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2])?;
    /// x.copy()?.fill_(7)?;
    /// assert_eq!(x.to_vec::<i32>()?, [1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn copy(&self) -> Result<Tensor> {
        let _running = crate::source::operation();
        self.copied("clone", "CloneBackward0", To::default())
    }

    /// The same in a memory format: PyTorch's `clone(memory_format=..)`.
    ///
    /// ```
    /// # use firebrick_core::{MemoryFormat, Tensor};
    /// let x = Tensor::zeros([1, 2, 3, 4])?.copy_in(MemoryFormat::ChannelsLast)?;
    /// assert_eq!(x.stride().to_vec(), [24, 1, 8, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// A rank that the format is not for.
    #[track_caller]
    pub fn copy_in(&self, format: MemoryFormat) -> Result<Tensor> {
        let _running = crate::source::operation();
        self.copied("clone", "CloneBackward0", format.into())
    }

    /// The tensor itself where it is contiguous, else a contiguous copy.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::zeros([2, 3])?.t()?;
    /// assert!(!x.is_contiguous() && x.contiguous()?.is_contiguous());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn contiguous(&self) -> Result<Tensor> {
        let _running = crate::source::operation();
        let x = self.resolve("contiguous")?;
        if x.with_body(Body::is_contiguous) { Ok(x) } else { x.contiguous_copy() }
    }

    pub(crate) fn contiguous_copy(&self) -> Result<Tensor> {
        self.copied("clone", "CloneBackward0", MemoryFormat::Contiguous.into())
    }

    /// Overwrites the elements with those of `source`, which broadcasts and is converted.
    ///
    /// # Errors
    /// `source` does not broadcast to this shape; this tensor is a leaf that requires grad outside `no_grad`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::zeros([2, 2])?;
    /// assert_eq!(x.copy_(&Tensor::new([1, 2])?)?.to_vec::<f32>()?, [1.0, 2.0, 1.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn copy_(&self, source: &Tensor) -> Result<&Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "copy_";
        let (target, source) = (self.resolve(OP)?, source.resolve(OP)?);
        inplace::check(OP, &target, &[&source])?;
        let to = target.body();
        warn_of_discarding(source.dtype(), to.dtype);
        check_broadcast(OP, &to.shape, &source.shape())?;
        let mut from = [expanded(OP, &source.body(), &to.shape)?];
        separate_overlapping(OP, &to, &mut from)?;
        let [from] = from;
        match from.device() == to.device() {
            true => backend::of(to.device())?.copy(&from, &to)?,
            false => transfer(&from, &to)?,
        }
        target.changed();
        if is_grad_enabled() && records([&target, &source]) {
            let edges: SmallVec<[Option<Edge>; 2]> = smallvec![target.edge(), source.edge()];
            let back = source.with_body(|b| To { dtype: Some(b.dtype), device: Some(b.device()), memory_format: None });
            let function = Function::new(move |_: &Arc<Node>, grads: &[Option<Tensor>], needs: &[bool]| {
                let Some(grad) = &grads[0] else { return Ok(smallvec![None, None]) };
                let kept = needs[0].then(|| grad.zeros_like()).transpose()?;
                let given = needs[1].then(|| grad.cast_back(back)).transpose()?;
                Ok(smallvec![kept, given])
            });
            inplace::rebase(&target, "CopyBackwards", edges, true, function);
        }
        Ok(self)
    }

    /// Notes a change in place.
    pub(crate) fn changed(&self) {
        if !self.is_inference() {
            self.with_body(|b| b.storage.bump());
        }
    }

    /// Sums over the dimensions that broadcasting from `shape` added or stretched.
    ///
    /// # Errors
    /// `shape` does not broadcast to this tensor's shape.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::ones([2, 3])?.sum_to_size([3])?.to_vec::<f32>()?, [2.0; 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn sum_to_size(&self, shape: impl Into<Sizes>) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "sum_to_size";
        let shape = shape.into().to_shape(OP)?;
        let x = self.resolve(OP)?;
        if shape.is_empty() {
            // The sum of integers is an int64, even of a single one.
            return x.sum();
        }
        let own = x.shape();
        if own == shape {
            return Ok(x);
        }
        let front = own.len().wrapping_sub(shape.len());
        let fits = own.len() >= shape.len() && shape.iter().zip(&own[front..]).all(|(&s, &n)| s == n || s == 1);
        if !fits {
            return Err(Error::runtime(OP, format!("size {{{shape:?}}} is not expandable to size {{{own:?}}}.")));
        }
        let dims: Vec<i64> =
            (0..own.len()).filter(|&d| d < front || (shape[d - front] == 1 && own[d] != 1)).map(|d| d as i64).collect();
        let summed = if dims.is_empty() { x } else { x.sum_dim(dims, true)? };
        if front == 0 { Ok(summed) } else { summed.reshape(&shape) }
    }
}

/// Refuses a source whose shape does not broadcast to that of the target alone.
fn check_broadcast(op: &'static str, target: &Dims, source: &Dims) -> Result<()> {
    let together = broadcast_shapes(op, target, source)?;
    if together == *target {
        return Ok(());
    }
    Err(Error::runtime(op, format!("output with shape {target:?} doesn't match the broadcast shape {together:?}")))
}

/// `body` stretched to `shape` without copying.
pub(crate) fn expanded(op: &'static str, body: &Body, shape: &Dims) -> Result<Body> {
    if body.shape == *shape {
        return Ok(body.clone());
    }
    // Leading dimensions of size 1 may be dropped, as PyTorch does.
    let mut body = body.clone();
    while body.shape.len() > shape.len() && body.shape[0] == 1 {
        body.shape.remove(0);
        body.strides.remove(0);
    }
    let front = shape.len().wrapping_sub(body.shape.len());
    if body.shape.len() > shape.len() {
        return Err(Error::runtime(
            op,
            format!("output with shape {shape:?} doesn't match the broadcast shape {:?}", body.shape),
        ));
    }
    for (d, &size) in body.shape.iter().enumerate() {
        if size != 1 && size != shape[front + d] {
            return Err(Error::runtime(
                op,
                format!(
                    "The size of tensor a ({}) must match the size of tensor b ({size}) at non-singleton dimension {}",
                    shape[front + d],
                    front + d
                ),
            ));
        }
    }
    crate::views::ViewOp::Expand(shape.clone()).apply(op, &body)
}
