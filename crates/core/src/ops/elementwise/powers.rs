//! Powers and roots.

use super::{rules, run};
use crate::backend::{Binary, Map, Unary};
use crate::ops::ops;
use crate::ops::sample::{self, ANY, POSITIVE};
use crate::{Complex, DType, Error, Operand, Result, Scalar, Tensor};

/// The kernel for an exponent: PyTorch computes some powers by a number without `pow`, which shows at -0 and infinity.
fn power(base: &Tensor, exponent: &Tensor) -> Result<Map> {
    let Some(number) = exponent.number()? else { return Ok(Binary::Pow.into()) };
    let integers = !base.is_differentiable();
    match number {
        Scalar::Int(n) if n < 0 && integers => {
            return Err(Error::runtime("pow", "Integers to negative integer powers are not allowed."));
        }
        Scalar::Int(_) if base.dim() > 0 || base.dtype() != DType::Bool => {
            rules::check_fits("pow", number, Tensor::result_type(base, exponent)?)?;
        }
        _ => {}
    }
    Ok(match number.to_f64() {
        _ if !number.is_real() => Binary::Pow.into(),
        2.0 => Unary::Square.into(),
        3.0 => Unary::Cube.into(),
        0.5 => Unary::Sqrt.into(),
        // Of float16 PyTorch has this power in one step.
        -0.5 if base.dtype() != DType::F16 => Unary::Rsqrt.into(),
        -1.0 => Unary::Reciprocal.into(),
        -2.0 => Unary::InverseSquare.into(),
        _ => Binary::Pow.into(),
    })
}

/// The gradient with respect to the base: zero where the exponent is, also at a base of zero.
fn base_grad(g: &Tensor, base: &Tensor, exponent: &Tensor) -> Result<Tensor> {
    if let Some(number) = exponent.number()? {
        if number.to_complex() == Complex::from(0.0) {
            return g.zeros_like();
        }
        let lower = match number {
            Scalar::Float(n) => Scalar::Float(n - 1.0),
            Scalar::Complex(n) => Scalar::Complex(Complex::new(n.re - 1.0, n.im)),
            other => Scalar::Int(other.to_i64() - 1),
        };
        // The first power is the base itself.
        let power = if lower.to_complex() == Complex::from(1.0) { base.clone() } else { base.pow(lower)? };
        return g.mul(&power.mul(number)?);
    }
    let slope = exponent.mul(&base.pow(&exponent.sub(1)?)?)?;
    g.mul(&slope.masked_fill(&exponent.eq(0)?, 0)?)
}

/// The gradient with respect to the exponent: zero where the base is, for an exponent that is not negative.
fn exponent_grad(g: &Tensor, base: &Tensor, exponent: &Tensor, power: &Tensor) -> Result<Tensor> {
    let positive = match exponent.is_complex() {
        true => exponent.real()?.ge(0)?.logical_and(&exponent.isreal()?)?,
        false => exponent.ge(0)?,
    };
    let flat = base.eq(0)?.logical_and(&positive)?;
    let base = base.to(power.dtype())?;
    // The logarithm of one in those places keeps infinity out of the second derivative.
    let log = base.masked_fill(&flat, 1)?.log()?;
    g.mul(&power.mul(&log)?.masked_fill(&flat, 0)?)
}

ops! {
    table: POWERS;

    /// Power: `out = base ^ exponent`, the exponent a tensor or a number. Powers of integers wrap.
    ///
    /// # Errors
    /// A negative integer number as the exponent of integers; two bool tensors.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 2.0, 3.0])?;
    /// assert_eq!(x.pow(2)?.to_vec::<f32>()?, [1.0, 4.0, 9.0]);
    /// assert_eq!(x.pow(&x)?.to_vec::<f32>()?, [1.0, 4.0, 27.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn pow(base, exponent: operand) -> Tensor as "PowBackward1" or "PowBackward0" {
        kernel: power(base, exponent)?,
        saves: [base, exponent] -> y,
        grads: {
            base: |g| base_grad(g, base, exponent),
            exponent: |g| exponent_grad(g, base, exponent, y),
        },
        in_place: pow_(2),
        samples: {
            let mut samples = sample::pairs((POSITIVE, ANY), |a, b| a.pow(b))?;
            for exponent in [0.0, 1.0, 2.0, 3.0, -1.0, 0.5, 2.5] {
                samples.push(sample::one(sample::Trait::Plain, vec![POSITIVE.tensor(&[3], 1)?], move |x| x[0].pow(exponent)));
            }
            Ok(samples)
        },
    }

    /// Power of a number: `out = base ^ exponent` for the tensor `exponent`; Python's `2 ** x`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 2.0, -1.0])?.rpow(2)?.to_vec::<f32>()?, [2.0, 4.0, 0.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn rpow(exponent, base: operand) -> Tensor as "PowBackward1" or "PowBackward2" {
        forward: run("pow", reversed_power(exponent, base)?, &[base, exponent], None),
        saves: [exponent, base] -> y,
        grads: {
            exponent: |g| exponent_grad(g, base, exponent, y),
            base: |g| base_grad(g, base, exponent),
        },
        samples: sample::pairs((ANY, POSITIVE), |a, b| a.rpow(b)),
    }

    /// `sqrt(x)`; NaN below zero.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 9.0, -1.0])?.sqrt()?.to_string(), "tensor([0., 3., nan])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn sqrt(x) -> Tensor as "SqrtBackward0" {
        kernel: Unary::Sqrt,
        saves: [] -> y,
        grads: { x: |g| g.div(&y.mul(2)?) },
        in_place: sqrt_ on [4.0f32, 9.0],
        samples: sample::unary(POSITIVE, |x| x.sqrt()),
    }

    /// `1 / sqrt(x)`: infinite at zero, NaN below.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([4.0f32, 0.0])?.rsqrt()?.to_vec::<f32>()?, [0.5, f32::INFINITY]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn rsqrt(x) -> Tensor as "RsqrtBackward0" {
        kernel: Unary::Rsqrt,
        saves: [] -> y,
        grads: { x: |g| g.mul(-0.5)?.mul(&y.pow(3)?) },
        in_place: rsqrt_ on [4.0f32, 0.25],
        samples: sample::unary(POSITIVE, |x| x.rsqrt()),
    }

    /// `1 / x`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([4.0f32, -0.5])?.reciprocal()?.to_vec::<f32>()?, [0.25, -2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn reciprocal(x) -> Tensor as "ReciprocalBackward0" {
        kernel: Unary::Reciprocal,
        saves: [] -> y,
        grads: { x: |g| g.neg()?.mul(&y.mul(y)?) },
        in_place: reciprocal_,
        samples: sample::unary(POSITIVE, |x| x.reciprocal()),
    }
}

/// The dtype of a power in double precision.
fn double(base: &Tensor, exponent: &Tensor) -> DType {
    if base.is_complex() || exponent.is_complex() { DType::C128 } else { DType::F64 }
}

/// A bool base has no powers.
fn reversed_power(exponent: &Tensor, base: &Tensor) -> Result<Map> {
    if Tensor::result_type(base, exponent)? == DType::Bool {
        return Err(Error::not_implemented("pow", "\"pow\" not implemented for 'Bool'"));
    }
    Ok(Binary::Pow.into())
}

impl Tensor {
    /// `x * x`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([3, -4])?.square()?.to_vec::<i32>()?, [9, 16]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn square(&self) -> Result<Tensor> {
        let _running = crate::source::operation();
        self.pow(2)
    }

    #[doc = crate::ops::in_place_doc!(square_ of square ())]
    #[track_caller]
    pub fn square_(&self) -> Result<&Tensor> {
        let _running = crate::source::operation();
        self.pow_(2)
    }

    /// Power in double precision, whatever the dtypes: `torch.float_power`. Complex where one of the two is.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([2, 3])?;
    /// assert_eq!(x.float_power(-1)?.to_string(), "tensor([0.5000, 0.3333], dtype=torch.float64)");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn float_power(&self, exponent: impl Operand) -> Result<Tensor> {
        let exponent = exponent.into_operand()?;
        let dtype = double(self, &exponent);
        let base = self.to(dtype)?;
        match exponent.number()? {
            Some(Scalar::Complex(number)) => base.pow(number),
            Some(number) => base.pow(number.to_f64()),
            None => base.pow(&exponent.to(dtype)?),
        }
    }

    #[doc = crate::ops::in_place_doc!(float_power_ of float_power (3) on [-0.5f64, 0.25])]
    ///
    /// The tensor is float64, or complex128 where one of the two is complex: any other is an error.
    #[track_caller]
    pub fn float_power_(&self, exponent: impl Operand) -> Result<&Tensor> {
        let _running = crate::source::operation();
        let exponent = exponent.into_operand()?;
        let (dtype, wanted) = (self.dtype(), double(self, &exponent));
        if dtype != wanted {
            return Err(Error::runtime(
                "float_power_",
                format!(
                    "the base given to float_power_ has dtype {} but the operation's result requires dtype {}",
                    dtype.scalar_name(),
                    wanted.scalar_name()
                ),
            ));
        }
        match exponent.number()? {
            Some(Scalar::Complex(number)) => self.pow_(number),
            Some(number) => self.pow_(number.to_f64()),
            None => self.pow_(&exponent.to(dtype)?),
        }
    }

    /// The value, if the tensor stands for a plain number.
    pub(crate) fn number(&self) -> Result<Option<Scalar>> {
        if self.is_wrapped_number() { self.item_scalar().map(Some) } else { Ok(None) }
    }
}
