//! New tensors from patterns: ranges and the identity.

use super::{Tensor, TensorOptions};
use crate::storage::check_list;
use crate::{Complex, DType, Device, Error, Operand, Result, Scalar, default_dtype};
use half::{bf16, f16};

/// Numbers between two bounds, in the arithmetic that PyTorch uses for a dtype.
struct Even {
    start: f64,
    end: f64,
    steps: usize,
}

impl Even {
    fn new(op: &'static str, bounds: [Scalar; 2], steps: i64, dtype: DType) -> Result<Self> {
        // The bounds are converted before anything is computed of them.
        let [start, end] = bounds.map(|bound| match dtype {
            DType::F16 => f16::from_f64(bound.to_f64()).to_f64(),
            DType::BF16 => bf16::from_f64(bound.to_f64()).to_f64(),
            dtype if dtype.is_floating_point() => bound.to_f64(),
            _ => bound.to_f64().trunc(),
        });
        match usize::try_from(steps) {
            Ok(steps) => Ok(Even { start, end, steps }),
            Err(_) => Err(Error::runtime(op, "number of steps must be non-negative")),
        }
    }

    /// The numbers, the second half counted from the end, so that the end is met exactly.
    fn numbers(&self, dtype: DType) -> Vec<f64> {
        // The small types are computed in single precision.
        let single = matches!(dtype, DType::F32 | DType::F16 | DType::BF16);
        let round = |v: f64| if single { v as f32 as f64 } else { v };
        let (start, end) = (round(self.start), round(self.end));
        let step = round((end - start) / (self.steps.max(2) - 1) as f64);
        let number = |i: usize| {
            let (from, by, times) = match i < self.steps / 2 || self.steps == 1 {
                true => (start, step, i),
                false => (end, -step, self.steps - 1 - i),
            };
            match single {
                true => f64::from((by as f32).mul_add(times as f32, from as f32)),
                false => by.mul_add(times as f64, from),
            }
        };
        (0..self.steps).map(number).collect()
    }
}

/// The two bounds: numbers, or tensors of one.
fn bounds(op: &'static str, start: impl Operand, end: impl Operand) -> Result<[Scalar; 2]> {
    let (start, end) = (start.into_operand()?.resolve(op)?, end.into_operand()?.resolve(op)?);
    if start.dim() > 0 || end.dim() > 0 {
        let bounds = [("start", &start), ("end", &end)].into_iter().filter(|(_, bound)| !bound.is_wrapped_number());
        let list: Vec<_> = bounds.map(|(name, bound)| format!("{name} with {} dimension(s)", bound.dim())).collect();
        let text = format!("{op} only supports 0-dimensional start and end tensors, but got");
        return Err(Error::runtime(op, format!("{text} {}.", list.join(" and "))));
    }
    Ok([start.item_scalar()?, end.item_scalar()?])
}

fn refuse_bool(op: &'static str, dtype: DType) -> Result<()> {
    match dtype {
        DType::Bool => Err(Error::not_implemented(op, format!("\"{op}_cpu\" not implemented for 'Bool'"))),
        _ => Ok(()),
    }
}

/// Refuses bounds with an imaginary part.
fn refuse_complex(op: &'static str, bounds: &[Scalar]) -> Result<()> {
    match bounds.iter().find(|bound| !bound.is_real()) {
        Some(bound) => {
            Err(Error::not_implemented(op, format!("{op} does not take complex bounds here"))
                .given(format!("{bound:?}")))
        }
        None => Ok(()),
    }
}

/// Each part at equal distances.
fn linspace_complex(start: Scalar, end: Scalar, steps: i64, dtype: DType, options: TensorOptions) -> Result<Tensor> {
    let part = |part: fn(Complex<f64>) -> f64| {
        let options = TensorOptions::from(dtype.to_real()).device(options.device_or_default());
        Tensor::linspace_with(part(start.to_complex()), part(end.to_complex()), steps, options)
    };
    let out = Tensor::complex(&part(|z| z.re)?, &part(|z| z.im)?)?;
    out.requires_grad_(options.wants_grad())?;
    Ok(out)
}

/// How many numbers there are from `start` to `end`, which is left out.
fn arange_len(start: Scalar, end: Scalar, step: Scalar) -> Result<usize> {
    const OP: &str = "arange";
    let (a, b, by) = (start.to_f64(), end.to_f64(), step.to_f64());
    if by == 0.0 {
        return Err(Error::runtime(OP, "step must be nonzero"));
    }
    if !by.is_finite() {
        return Err(Error::runtime(OP, format!("step must be finite but got {}", by.to_string().to_lowercase())));
    }
    if !a.is_finite() || !b.is_finite() {
        let [a, b] = [a, b].map(|v| v.to_string().to_lowercase());
        return Err(Error::runtime(OP, format!("unsupported range: {a} -> {b}")));
    }
    if (by > 0.0 && b < a) || (by < 0.0 && b > a) {
        return Err(Error::runtime(OP, "upper bound and lower bound inconsistent with step sign"));
    }
    if let (Scalar::Int(a), Scalar::Int(b), Scalar::Int(by)) = (start, end, step) {
        let span = b.abs_diff(a).div_ceil(by.unsigned_abs());
        return usize::try_from(span).map_err(|_| Error::runtime(OP, "invalid size, possible overflow?"));
    }
    let count = ((b - a) / by).ceil();
    match count < i64::MAX as f64 {
        true => Ok(count as usize),
        false => Err(Error::runtime(OP, "invalid size, possible overflow?")),
    }
}

impl TensorOptions {
    /// A new tensor of as many numbers, which are computed where there is a place for them, converted.
    fn tensor<T: crate::Element>(self, len: usize, dtype: DType, numbers: impl FnOnce() -> Vec<T>) -> Result<Tensor> {
        let options = self.dtype(dtype);
        if self.device_or_default() == Device::Meta {
            return Tensor::empty_with([len], options);
        }
        check_list(len, 3 * size_of::<f64>())?;
        Tensor::from_slice_with(&numbers(), [len], options)
    }
}

impl Tensor {
    /// `0, 1, ..` up to `end`, which is left out: int64 for an integer `end`, else the default dtype.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::arange(3)?.to_vec::<i64>()?, [0, 1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn arange(end: impl Into<Scalar>) -> Result<Tensor> {
        Tensor::arange_with(0i64, end, 1i64, TensorOptions::new())
    }

    /// `start, start + step, ..` up to `end`, which is left out: `ceil((end - start) / step)` numbers, int64 where all
    /// three are integers.
    ///
    /// # Errors
    /// `step` is zero or leads away from `end`; a bound is not finite.
    ///
    /// ```
    /// # use firebrick_core::{Tensor, TensorOptions};
    /// assert_eq!(Tensor::arange_with(1, 2, 0.5, TensorOptions::new())?.to_vec::<f32>()?, [1.0, 1.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn arange_with(
        start: impl Into<Scalar>,
        end: impl Into<Scalar>,
        step: impl Into<Scalar>,
        options: impl Into<TensorOptions>,
    ) -> Result<Tensor> {
        let (start, end, step, options) = (start.into(), end.into(), step.into(), options.into());
        let whole = ![start, end, step].iter().any(|s| matches!(s, Scalar::Float(_)));
        let dtype = options.dtype_or(if whole { DType::I64 } else { default_dtype() });
        refuse_bool("arange", dtype)?;
        refuse_complex("arange", &[start, end, step])?;
        if dtype.is_complex() {
            return Err(crate::ops::complex::refusal("arange", dtype));
        }
        let len = arange_len(start, end, step)?;
        if !dtype.is_floating_point() {
            let (start, step) = (start.to_i64(), step.to_i64());
            let number = |i: i64| start.wrapping_add(step.wrapping_mul(i));
            return options.tensor(len, dtype, || (0..len as i64).map(number).collect());
        }
        let (start, step) = (start.to_f64(), step.to_f64());
        options.tensor(len, dtype, || (0..len).map(|i| start + step * i as f64).collect())
    }

    /// `steps` numbers at equal distances from `start` to `end`, both included, in the default dtype. A bound is a number
    /// or a 0-dimensional tensor.
    ///
    /// # Errors
    /// `steps` is negative; a bound with dimensions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::linspace(0, 1, 3)?.to_vec::<f32>()?, [0.0, 0.5, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn linspace(start: impl Operand, end: impl Operand, steps: i64) -> Result<Tensor> {
        Tensor::linspace_with(start, end, steps, TensorOptions::new())
    }

    /// [`Tensor::linspace`] with dtype, device and `requires_grad`.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// assert_eq!(Tensor::linspace_with(0, 1, 3, DType::F64)?.to_vec::<f64>()?, [0.0, 0.5, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn linspace_with(
        start: impl Operand,
        end: impl Operand,
        steps: i64,
        options: impl Into<TensorOptions>,
    ) -> Result<Tensor> {
        let options = options.into();
        let [start, end] = bounds("linspace", start, end)?;
        let complex = [start, end].iter().any(|bound| matches!(bound, Scalar::Complex(_)));
        let dtype = options.dtype_or(if complex { default_dtype().to_complex() } else { default_dtype() });
        refuse_bool("linspace", dtype)?;
        if dtype.is_complex() {
            return linspace_complex(start, end, steps, dtype, options);
        }
        refuse_complex("linspace", &[start, end])?;
        let even = Even::new("linspace", [start, end], steps, dtype)?;
        options.tensor(even.steps, dtype, || even.numbers(dtype))
    }

    /// `base` to the power of `steps` numbers at equal distances from `start` to `end`, both included.
    ///
    /// # Errors
    /// `steps` is negative.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// assert_eq!(Tensor::logspace(0, 3, 4, 10.0, DType::F32)?.to_vec::<f32>()?, [1.0, 10.0, 100.0, 1000.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn logspace(
        start: impl Operand,
        end: impl Operand,
        steps: i64,
        base: f64,
        options: impl Into<TensorOptions>,
    ) -> Result<Tensor> {
        let options = options.into();
        let [start, end] = bounds("logspace", start, end)?;
        let dtype = options.dtype_or(default_dtype());
        refuse_bool("logspace", dtype)?;
        let even = Even::new("logspace", [start, end], steps, dtype)?;
        options.tensor(even.steps, dtype, || even.numbers(dtype).into_iter().map(|x| base.powf(x)).collect())
    }

    /// The `n` by `n` identity.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::eye(2)?.to_vec::<f32>()?, [1.0, 0.0, 0.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn eye(n: i64) -> Result<Tensor> {
        Tensor::eye_with(n, n, TensorOptions::new())
    }

    /// `n` rows and `m` columns with ones on the diagonal, zero elsewhere.
    ///
    /// # Errors
    /// A negative size.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// assert_eq!(Tensor::eye_with(2, 3, DType::I64)?.to_vec::<i64>()?, [1, 0, 0, 0, 1, 0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn eye_with(n: i64, m: i64, options: impl Into<TensorOptions>) -> Result<Tensor> {
        const OP: &str = "eye";
        for (name, size) in [("n", n), ("m", m)] {
            if size < 0 {
                return Err(Error::runtime(OP, format!("{name} must be greater or equal to 0, got {size}")));
            }
        }
        let out = Tensor::zeros_with([n, m], options)?;
        crate::autograd::no_grad(|| out.diagonal(0, 0, 1)?.fill_(1).map(drop))?;
        Ok(out)
    }

    /// A 0-dimensional tensor in the default dtype, whatever the number: `torch.scalar_tensor`.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// assert_eq!(Tensor::scalar_tensor(2)?.dtype(), DType::F32);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn scalar_tensor(value: impl Into<Scalar>) -> Result<Tensor> {
        Tensor::full_with((), value, default_dtype())
    }
}
