//! What a tensor can be filled with, and the fill.

use crate::random::{self, Engine, RandomError};
use crate::storage::with_elements_mut;
use crate::tensor::copy::transfer;
use crate::{Body, DType, Device, Error, ErrorKind, Result, backend, dispatch};

/// A random fill with its parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Distribution {
    Uniform {
        from: f64,
        to: f64,
    },
    Normal {
        mean: f64,
        std: f64,
    },
    LogNormal {
        mean: f64,
        std: f64,
    },
    Exponential {
        lambda: f64,
    },
    Cauchy {
        median: f64,
        sigma: f64,
    },
    Geometric {
        p: f64,
    },
    Bernoulli {
        p: f64,
    },
    /// What dropout multiplies by.
    Dropout {
        p: f64,
    },
    /// `random_()`.
    Integers,
    /// `random_(from, None)`.
    IntegersFrom {
        from: i64,
    },
    /// `random_(from, to)`.
    IntegersBetween {
        from: i64,
        to: i64,
    },
    Permutation,
}

use Distribution as D;

/// [`dispatch!`] for the floating types; the others are `$refused`.
macro_rules! dispatch_real {
    ($dtype:expr, $T:ident => $body:expr, $refused:expr) => {
        match $dtype {
            DType::F64 => {
                type $T = f64;
                $body
            }
            DType::F32 => {
                type $T = f32;
                $body
            }
            DType::F16 => {
                type $T = ::half::f16;
                $body
            }
            DType::BF16 => {
                type $T = ::half::bf16;
                $body
            }
            _ => $refused,
        }
    };
}
pub(super) use dispatch_real;

impl Distribution {
    /// Fills `out`, whose elements are drawn in the order in which they lie in memory.
    ///
    /// Numbers are drawn on the host, so that every device gets the same ones.
    pub(crate) fn fill(self, op: &'static str, out: &Body) -> Result<()> {
        if out.dtype.is_complex() {
            return self.fill_complex(op, out);
        }
        if out.device() == Device::Meta {
            return Ok(());
        }
        let contiguous = out.is_contiguous();
        if contiguous && out.device() == Device::Cpu {
            return self.draw(op, out, contiguous);
        }
        let order = out.memory_order();
        let host = Body::alloc(order.iter().map(|&d| out.shape[d]).collect(), out.dtype, Device::Cpu)?;
        self.draw(op, &host, contiguous)?;
        let mut strides = out.strides.clone();
        order.iter().zip(&host.strides).for_each(|(&d, &stride)| strides[d] = stride);
        let drawn = host.view(out.shape.clone(), strides, 0);
        match out.device() {
            Device::Cpu => backend::of(Device::Cpu)?.copy(&drawn, out),
            _ => transfer(&drawn, out),
        }
    }

    /// Fills both parts, as PyTorch does: they share the variance of a normal distribution, and each has its mean.
    fn fill_complex(self, op: &'static str, out: &Body) -> Result<()> {
        let parts = out.as_real();
        match self {
            D::Uniform { .. } => self.fill(op, &parts),
            D::Normal { mean, std } => D::Normal { mean, std: std * std::f64::consts::FRAC_1_SQRT_2 }.fill(op, &parts),
            _ => Err(crate::ops::complex::refusal(op, out.dtype)),
        }
    }

    /// Fills a contiguous host body; `contiguous` says whether the elements go to a contiguous one.
    fn draw(self, op: &'static str, out: &Body, contiguous: bool) -> Result<()> {
        let generator = random::current_generator();
        let engine = &mut *generator.lock();
        let drawn = if self.is_continuous() {
            dispatch_real!(
                out.dtype,
                T => with_elements_mut(out, |out: &mut [T]| self.draw_real(engine, out, contiguous)),
                return self.refuse(op, out)
            )
        } else {
            dispatch!(out.dtype, T => with_elements_mut(out, |out: &mut [T]| self.draw_discrete(engine, out)))
        };
        drawn.map_err(|refused| Error::from(refused).in_op(op))
    }

    fn is_continuous(self) -> bool {
        matches!(
            self,
            D::Uniform { .. }
                | D::Normal { .. }
                | D::LogNormal { .. }
                | D::Exponential { .. }
                | D::Cauchy { .. }
                | D::Dropout { .. }
        )
    }

    fn draw_real<T: random::Real>(
        self,
        engine: &mut Engine,
        out: &mut [T],
        contiguous: bool,
    ) -> Result<(), RandomError> {
        match self {
            D::Uniform { from, to } => random::fill_uniform(engine, out, from, to),
            D::Normal { mean, std } => random::fill_normal(engine, out, mean, std, contiguous),
            D::LogNormal { mean, std } => random::fill_log_normal(engine, out, mean, std),
            D::Exponential { lambda } => random::fill_exponential(engine, out, lambda),
            D::Cauchy { median, sigma } => random::fill_cauchy(engine, out, median, sigma),
            D::Dropout { p } => random::fill_dropout(engine, out, p),
            discrete => discrete.draw_discrete(engine, out),
        }
    }

    fn draw_discrete<T: random::Sample>(self, engine: &mut Engine, out: &mut [T]) -> Result<(), RandomError> {
        match self {
            D::Geometric { p } => random::fill_geometric(engine, out, p),
            D::Bernoulli { p } => random::fill_bernoulli(engine, out, p),
            D::IntegersFrom { from } => random::fill_random_from(engine, out, from),
            D::IntegersBetween { from, to } => random::fill_randint(engine, out, from, to),
            D::Permutation => random::fill_randperm(engine, out),
            // The continuous ones do not come here.
            _ => {
                random::fill_random(engine, out);
                Ok(())
            }
        }
    }

    /// PyTorch's refusals of integer and bool tensors; some of its kernels do not look at an empty one.
    fn refuse(self, op: &'static str, out: &Body) -> Result<()> {
        let dtype = out.dtype;
        let (kind, text) = match self {
            D::Uniform { .. } => return Err(not_implemented(op, "check_uniform_bounds", dtype)),
            D::Cauchy { .. } => (
                ErrorKind::Runtime,
                format!(
                    "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you specified {}",
                    dtype.c_name()
                ),
            ),
            _ if out.numel() == 0 => return Ok(()),
            D::Normal { .. } => return Err(not_implemented(op, "normal_kernel_cpu", dtype)),
            D::LogNormal { .. } => return Err(not_implemented(op, "log_normal_cpu", dtype)),
            D::Exponential { .. } => (
                ErrorKind::Runtime,
                format!(
                    "Exponential distribution is a continuous probability distribution. dtype must be a floating point but you specified {}",
                    dtype.scalar_name()
                ),
            ),
            // Dropout's mask is divided by the probability to keep.
            _ => (
                ErrorKind::Runtime,
                format!("result type Float can't be cast to the desired output type {}", dtype.scalar_name()),
            ),
        };
        Err(Error::new(kind, op, text))
    }
}

pub(super) fn not_implemented(op: &'static str, kernel: &str, dtype: DType) -> Error {
    Error::not_implemented(op, format!("\"{kernel}\" not implemented for '{}'", dtype.scalar_name()))
}
