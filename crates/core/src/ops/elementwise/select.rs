//! Elements chosen by a mask, and mixtures of several tensors.

use super::arithmetic::real_factor;
use super::{rules, run};
use crate::backend::{Binary, Ternary, Unary};
use crate::ops::ops;
use crate::ops::sample::{self, ABOVE_ONE, ANY, POSITIVE, Trait};
use crate::{Complex, DType, Error, Operand, Result, Scalar, Tensor, TensorOptions};
use half::{bf16, f16};
use std::borrow::Cow;

/// The condition of `where` must be bool, or the uint8 that it once was.
fn choose(condition: &Tensor, x: &Tensor, other: &Tensor) -> Result<Tensor> {
    const OP: &str = "where";
    let dtype = condition.dtype();
    if !matches!(dtype, DType::Bool | DType::U8) {
        let name = dtype.scalar_name();
        let text = format!("where expected condition to be a boolean tensor, but got a tensor with dtype {name}");
        return Err(Error::runtime(OP, text));
    }
    for input in [x, other] {
        if let Some(number) = input.number()? {
            rules::check_fits(OP, number, Tensor::result_type(x, other)?)?;
        }
    }
    run(OP, Ternary::Where.into(), &[condition, x, other], None)
}

fn filler(x: &Tensor, mask: &Tensor, value: &Tensor) -> Result<Ternary> {
    const OP: &str = "masked_fill";
    if mask.dtype() != DType::Bool {
        let name = mask.dtype().c_name();
        let text = format!("masked_fill_ only supports boolean masks, but got mask with dtype {name}");
        return Err(Error::runtime(OP, text));
    }
    if value.dim() != 0 {
        let rank = value.dim();
        let text = format!(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {rank} dimension(s)."
        );
        return Err(Error::runtime(OP, text));
    }
    if value.is_wrapped_number() || (value.is_complex() && !x.is_complex()) {
        rules::check_fits(OP, value.detach().item_scalar()?, x.dtype())?;
    }
    Ok(Ternary::MaskedFill)
}

/// PyTorch wants one dtype, a number as the weight apart.
fn mixer(start: &Tensor, end: &Tensor, weight: &Tensor) -> Result<Ternary> {
    for (name, input) in [("end", end), ("weight", weight)] {
        let (expected, got) = (start.dtype(), input.dtype());
        if got != expected && !input.is_wrapped_number() {
            let (expected, got) = (expected.c_name(), got.c_name());
            let text = format!("expected dtype {expected} for `{name}` but got dtype {got}");
            return Err(Error::runtime("lerp", text));
        }
    }
    Ok(Ternary::Lerp)
}

/// `1 - weight`, of a number in full precision.
fn rest(weight: &Tensor) -> Result<Tensor> {
    match weight.number()? {
        Some(Scalar::Complex(weight)) => Complex::new(1.0 - weight.re, -weight.im).into_operand(),
        Some(number) => (1.0 - number.to_f64()).into_operand(),
        None => weight.neg()?.add(1),
    }
}

/// The replacements of NaN and the infinities: PyTorch's defaults are zero and the ends of the dtype's range.
fn replacements(x: &Tensor, nan: Option<f64>, posinf: Option<f64>, neginf: Option<f64>) -> Unary {
    let largest = match x.dtype().to_real() {
        DType::F16 => f16::MAX.to_f64(),
        DType::BF16 => bf16::MAX.to_f64(),
        DType::F64 => f64::MAX,
        _ => f64::from(f32::MAX),
    };
    Unary::NanToNum(nan.unwrap_or(0.0), posinf.unwrap_or(largest), neginf.unwrap_or(-largest))
}

ops! {
    table: SELECT;

    /// The tensor's element where `condition` holds, else that of `other`: `x.where(condition, other)`, which Rust
    /// keeps as a word of its own. All three broadcast; the dtypes of `self` and `other` promote.
    ///
    /// # Errors
    /// A condition that is not bool.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([-1.0f32, 2.0])?;
    /// assert_eq!(x.where_self(&x.gt(0)?, 0)?.to_vec::<f32>()?, [0.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn where_self(x, condition: tensor, other: operand) -> Tensor as "WhereBackward0" {
        forward: choose(condition, x, other),
        saves: [condition],
        grads: {
            x: |g| g.where_self(condition, 0),
            condition: |g| condition.zeros_like(),
            other: |g| g.where_self(&condition.logical_not()?, 0),
        },
        samples: sample::pairs((ANY, ANY), |a, b| a.where_self(&a.gt(b)?, b)),
    }

    /// The tensor with `value`, a number or a tensor without dimensions, wherever `mask` holds.
    ///
    /// # Errors
    /// A mask that is not bool; a value with dimensions, or one that the dtype cannot hold.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 2.0, 3.0])?;
    /// assert_eq!(x.masked_fill(&x.gt(1.5)?, 0)?.to_vec::<f32>()?, [1.0, 0.0, 0.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn masked_fill(x, mask: tensor, value: operand) -> Tensor as "MaskedFillBackward1" or "MaskedFillBackward0" {
        kernel: filler(x, mask, value)?,
        saves: [mask],
        grads: {
            x: |g| g.masked_fill(mask, 0),
            mask: |g| mask.zeros_like(),
            value: |g| g.where_self(mask, 0),
        },
        in_place: masked_fill_(&Tensor::new([true, false])?, 7),
        samples: {
            let mut samples = sample::unary(ANY, |x| x.masked_fill(&x.gt(0.55)?, 3.0))?;
            let inputs = vec![ANY.tensor(&[2, 3], 5)?, ANY.tensor(&[], 6)?];
            samples.push(sample::one(Trait::Broadcast, inputs, |x| x[0].masked_fill(&x[0].gt(0)?, &x[1])));
            Ok(samples)
        },
    }

    /// The mixture `start + weight (end - start)`.
    ///
    /// # Errors
    /// Different dtypes.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (start, end) = (Tensor::new([0.0f32, 10.0])?, Tensor::new([1.0f32, 20.0])?);
    /// assert_eq!(start.lerp(&end, 0.5)?.to_vec::<f32>()?, [0.5, 15.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn lerp(start, end: tensor, weight: operand) -> Tensor as "LerpBackward1" or "LerpBackward0" {
        kernel: mixer(start, end, weight)?,
        saves: [start if weight, end if weight, weight],
        grads: {
            start: |g| g.mul(&rest(weight)?),
            end: |g| g.mul(weight),
            weight: |g| g.mul(&end.sub(start)?),
        },
        in_place: lerp_(&Tensor::new([1.0f32, 2.0])?, 0.5),
        samples: {
            let mut samples = sample::pairs((ANY, ANY), |a, b| a.lerp(b, 0.3))?;
            let inputs = vec![ANY.tensor(&[2, 3], 1)?, ANY.tensor(&[3], 2)?, ANY.tensor(&[2, 1], 3)?];
            samples.push(sample::one(Trait::Broadcast, inputs, |x| x[0].lerp(&x[1], &x[2])));
            Ok(samples)
        },
    }

    /// `x + value * tensor1 * tensor2`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 2.0])?;
    /// assert_eq!(x.addcmul(&x, &x, 10)?.to_vec::<f32>()?, [11.0, 42.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn addcmul(x, tensor1: tensor, tensor2: tensor; value: Scalar) -> Tensor as "AddcmulBackward0" {
        kernel: Ternary::Addcmul(real_factor("addcmul", *value)?.to_f64()),
        saves: [tensor1 if tensor2, tensor2 if tensor1],
        grads: {
            x: |g| Ok(g.clone()),
            tensor1: |g| g.mul(&tensor2.mul(*value)?),
            tensor2: |g| g.mul(&tensor1.mul(*value)?),
        },
        in_place: addcmul_(&Tensor::new([1.0f32, 2.0])?, &Tensor::new([3.0f32, 4.0])?, 10),
        samples: three(|x, a, b| x.addcmul(a, b, 1.5)),
    }

    /// `x + value * tensor1 / tensor2`.
    ///
    /// # Errors
    /// Integers.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 2.0])?;
    /// assert_eq!(x.addcdiv(&x, &Tensor::new([2.0f32, 4.0])?, -1)?.to_vec::<f32>()?, [0.5, 1.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn addcdiv(x, tensor1: tensor, tensor2: tensor; value: Scalar) -> Tensor as "AddcdivBackward0" {
        kernel: Ternary::Addcdiv(real_factor("addcdiv", *value)?.to_f64()),
        saves: [tensor1 if tensor2, tensor2],
        grads: {
            x: |g| Ok(g.clone()),
            tensor1: |g| {
                // The number is rounded to the dtype first.
                let options = TensorOptions::from(tensor2.dtype().to_float()).device(tensor2.device());
                let value = Tensor::full_with((), *value, options)?;
                g.mul(&value.div(tensor2)?)
            },
            tensor2: |g| g.neg()?.mul(&tensor1.mul(*value)?.div(&tensor2.mul(tensor2)?)?),
        },
        in_place: addcdiv_(&Tensor::new([1.0f32, 2.0])?, &Tensor::new([4.0f32, 5.0])?, 10),
        samples: three(|x, a, b| x.addcdiv(a, b, 1.5)),
    }

    /// NaN and the infinities replaced, by default with zero and the ends of the dtype's range.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([f32::NAN, f32::INFINITY, 1.0])?;
    /// assert_eq!(x.nan_to_num(None, 9.0, None)?.to_vec::<f32>()?, [0.0, 9.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn nan_to_num(x; nan: Option<f64>, posinf: Option<f64>, neginf: Option<f64>) -> Tensor as "NanToNumBackward0" {
        kernel: replacements(x, *nan, *posinf, *neginf),
        saves: [x],
        grads: { x: |g| g.mul(&x.isfinite()?) },
        in_place: nan_to_num_(7.0, 1.0, None) on [f32::NAN, f32::INFINITY],
        samples: sample::unary(ANY, |x| x.nan_to_num(None, None, None)),
    }

    /// The size of `x` with the sign of `sign`. The gradient is zero where `x` is.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, -2.0])?.copysign(-0.0)?.to_vec::<f32>()?, [-1.0, -2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn copysign(x, sign: operand) -> Tensor as "CopysignBackward0" or "CopysignBackward1" {
        kernel: Binary::Copysign,
        saves: [x] -> y,
        grads: {
            x: |g| g.mul(&y.detach().div(x.detach())?.masked_fill(&x.eq(0)?, 0)?),
            sign: |g| g.zeros_like(),
        },
        in_place: copysign_(-1),
        samples: sample::pairs((ANY, ANY), |a, b| a.copysign(b)),
    }

    /// The next number after `x` towards `other`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let next = Tensor::new([1.0f64])?.nextafter(&Tensor::new([2.0f64])?)?;
    /// assert_eq!(next.sub(1)?.to_vec::<f64>()?, [f64::EPSILON]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn nextafter(x, other: tensor) -> Tensor as "NextafterBackward0" {
        kernel: Binary::Nextafter,
        saves: [x, other],
        grads: { x: |g| g.masked_fill(&x.eq(other)?, 0), other: |g| g.zeros_like() },
        in_place: nextafter_(&Tensor::new([1.0f32, 1.0])?),
        samples: sample::pairs((ANY, ABOVE_ONE), |a, b| a.nextafter(b)),
    }
}

/// Samples of three inputs, the last one positive.
fn three(
    f: impl Fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor> + Clone + Send + Sync + 'static,
) -> Result<Vec<sample::Sample>> {
    let last = POSITIVE.tensor(&[3, 2], 9)?;
    let g = f.clone();
    let mut samples = sample::pairs((ANY, POSITIVE), move |a, b| g(a, a, b))?;
    let inputs = vec![ANY.tensor(&[3, 2], 7)?, ANY.tensor(&[2], 8)?, last];
    samples.push(sample::one(Trait::Broadcast, inputs, move |x| f(&x[0], &x[1], &x[2])));
    Ok(samples)
}

impl Tensor {
    /// `torch.where(condition, x, other)`, with a tensor or a number on either side; see [`Tensor::where_self`].
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let mask = Tensor::new([true, false])?;
    /// assert_eq!(Tensor::where_(&mask, 1.0, 2.0)?.to_vec::<f32>()?, [1.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn where_(condition: &Tensor, x: impl Operand, other: impl Operand) -> Result<Tensor> {
        where_self(x.into_input()?, Cow::Borrowed(condition), other.into_input()?, None)
    }
}
