//! The bytes of a tensor's elements: out of it, into it, and memory that is used where it lies.
#![allow(unsafe_code, reason = "looks at elements as bytes")]

use super::read::on_host;
use super::{Body, Tensor};
use crate::storage::{Block, lock};
use crate::{DType, Device, Dims, Error, Result, Sizes, backend};
use std::io::Write;

impl Tensor {
    /// The bytes of all elements in row-major order, in this machine's byte order.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1u8, 2, 255])?.to_bytes()?, [1, 2, 255]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.with_bytes("to_bytes", <[u8]>::to_vec)
    }

    /// Writes what [`Tensor::to_bytes`] returns, out of the tensor's own memory where that is contiguous and in main
    /// memory.
    ///
    /// Nobody can change the tensor until `out` has taken all bytes; `out` itself must not try to.
    ///
    /// # Errors
    /// An uninitialized parameter, or what `out` returns.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let mut bytes = Vec::new();
    /// Tensor::new([1i16, 2])?.write_bytes(&mut bytes)?;
    /// assert_eq!(bytes, [1i16, 2].map(i16::to_ne_bytes).concat());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn write_bytes(&self, out: &mut (impl Write + ?Sized)) -> Result<()> {
        const OP: &str = "write_bytes";
        self.with_bytes(OP, |bytes| out.write_all(bytes))?.map_err(|error| Error::io(OP, error.to_string()))
    }

    fn with_bytes<R>(&self, op: &'static str, f: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let body = self.resolve_to_read(op)?.body();
        let body = on_host(&body, body.dtype)?;
        let _locked = lock(&[&body], &[]);
        // SAFETY: `body` is a locked contiguous host body of that many bytes.
        Ok(f(unsafe { std::slice::from_raw_parts(body.ptr(), body.numel() * body.dtype.size()) }))
    }

    /// A tensor from the bytes of its elements in row-major order, in this machine's byte order.
    ///
    /// # Errors
    /// The number of bytes is not that of the shape.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// assert_eq!(Tensor::from_bytes(&[1, 2, 3, 4], [2, 2], DType::U8)?.shape(), [2, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn from_bytes(bytes: &[u8], shape: impl Into<Sizes>, dtype: DType) -> Result<Tensor> {
        let shape = checked(bytes.len(), shape.into(), dtype, "from_bytes")?;
        copied(bytes, shape, dtype)
    }

    /// [`Tensor::from_bytes`] for memory that becomes the tensor's own: nothing is copied, unless the memory does not
    /// lie as elements of `dtype` must, or these are bools, whose bytes are made 0 and 1.
    ///
    /// # Errors
    /// The number of bytes is not that of the shape.
    ///
    /// ```
    /// # use firebrick_core::{Block, DType, Tensor};
    /// let block = Block::zeroed(8)?;
    /// let x = Tensor::from_block(block, [2], DType::F32)?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 0.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[doc(hidden)]
    pub fn from_block(block: Block, shape: impl Into<Sizes>, dtype: DType) -> Result<Tensor> {
        let shape = checked(block.bytes(), shape.into(), dtype, "from_block")?;
        // The parts of complex numbers lie as other numbers do.
        let aligned = block.as_ptr().addr().is_multiple_of(dtype.to_real().size());
        if aligned && dtype != DType::Bool {
            return Ok(Tensor::from_body(Body::around(block, shape, dtype, Device::Cpu)));
        }
        // SAFETY: the block has that many bytes, and nobody else has it.
        copied(unsafe { std::slice::from_raw_parts(block.as_ptr(), block.bytes()) }, shape, dtype)
    }
}

/// The shape, if elements of `dtype` in it take `bytes` bytes.
fn checked(bytes: usize, shape: Sizes, dtype: DType, op: &'static str) -> Result<Dims> {
    let shape = shape.to_shape(op)?;
    let expected = shape.numel().saturating_mul(dtype.size());
    if bytes == expected {
        return Ok(shape);
    }
    let given = format!("shape {shape:?} of {dtype}");
    Err(Error::value(op, format!("{bytes} bytes for a tensor of {expected}")).given(given))
}

fn copied(bytes: &[u8], shape: Dims, dtype: DType) -> Result<Tensor> {
    let block = Block::new(bytes.len())?;
    // SAFETY: the block has room for the bytes and no other owner.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), block.as_ptr(), bytes.len()) };
    if dtype != DType::Bool {
        return Ok(Tensor::from_body(Body::around(block, shape, dtype, Device::Cpu)));
    }
    // A byte other than 0 and 1 is no valid `bool`.
    let bytes = Body::around(block, shape.clone(), DType::U8, Device::Cpu);
    let clean = Body::alloc(shape, DType::Bool, Device::Cpu)?;
    backend::of(Device::Cpu)?.copy(&bytes, &clean)?;
    Ok(Tensor::from_body(clean))
}
