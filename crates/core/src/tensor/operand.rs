//! What may stand beside a tensor in an operation: tensors, parameters, buffers and numbers.

use super::{Buffer, Parameter, Tensor, WRAPPED};
use crate::storage::Block;
use crate::tensor::Body;
use crate::{Complex, DType, Device, Dims, Element, Result, Scalar};
use std::borrow::Cow;

/// An argument of an operation: a tensor in any form, or a number.
///
/// ```
/// # use firebrick_core::{Operand, Parameter, Tensor};
/// let x = Tensor::new([1.0f32])?;
/// assert_eq!(x.add(&x)?.item::<f32>()?, 2.0);
/// assert_eq!(x.add(0.5)?.item::<f32>()?, 1.5);
/// assert_eq!(x.add(Parameter::new(x.copy()?))?.item::<f32>()?, 2.0);
/// assert_eq!(0.5.into_operand()?.shape(), []);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub trait Operand {
    /// As a tensor; a number becomes a 0-dimensional one that takes part in promotion by its category only.
    fn into_operand(self) -> Result<Tensor>;

    /// As what an operation takes: borrowed where a tensor is only lent.
    #[doc(hidden)]
    #[inline]
    fn into_input<'t>(self) -> Result<Cow<'t, Tensor>>
    where
        Self: Sized + 't,
    {
        self.into_operand().map(Cow::Owned)
    }
}

impl Operand for Tensor {
    #[inline]
    fn into_operand(self) -> Result<Tensor> {
        Ok(self)
    }
}

macro_rules! lent {
    ($($t:ty),*) => { $(
        impl Operand for $t {
            #[inline]
            fn into_operand(self) -> Result<Tensor> {
                Ok(Tensor::clone(self))
            }

            #[inline]
            fn into_input<'t>(self) -> Result<Cow<'t, Tensor>>
            where
                Self: 't,
            {
                Ok(Cow::Borrowed(self))
            }
        }
    )* };
}
lent!(&Tensor, &&Tensor, &Parameter, &Buffer);

macro_rules! given {
    ($($t:ty),*) => { $(
        impl Operand for $t {
            #[inline]
            fn into_operand(self) -> Result<Tensor> {
                Ok(Tensor::clone(&self))
            }
        }
    )* };
}
given!(Parameter, Buffer);

macro_rules! numbers {
    ($($t:ty),*) => { $(
        impl Operand for $t {
            #[inline]
            fn into_operand(self) -> Result<Tensor> {
                Tensor::wrapped_number(self.into())
            }
        }
    )* };
}
numbers!(bool, i32, i64, usize, f32, f64, Complex<f32>, Complex<f64>, Scalar);

impl Tensor {
    /// A 0-dimensional tensor that stands for a plain number. PyTorch keeps them in double precision, too.
    pub(crate) fn wrapped_number(number: Scalar) -> Result<Tensor> {
        let (dtype, block) = match number {
            Scalar::Bool(v) => (DType::Bool, filled(v)?),
            Scalar::Int(v) => (DType::I64, filled(v)?),
            Scalar::Float(v) => (DType::F64, filled(v)?),
            Scalar::Complex(v) => (DType::C128, filled(v)?),
        };
        let tensor = Tensor::from_body(Body::around(block, Dims::new(), dtype, Device::Cpu));
        tensor.set_flag(WRAPPED, true);
        Ok(tensor)
    }
}

fn filled<T: Element>(value: T) -> Result<Block> {
    let block = Block::new(size_of::<T>())?;
    #[allow(unsafe_code)]
    // SAFETY: the block was just made with room for one `T`, is aligned to 64 bytes and has no other owner.
    unsafe {
        block.as_ptr().cast::<T>().write(value);
    }
    Ok(block)
}
