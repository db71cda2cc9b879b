//! Complex numbers from their parts, and the parts of complex numbers.

use crate::backend::{self, Unary};
use crate::ops::by_hand;
use crate::ops::devices::same_device;
use crate::ops::elementwise::compute_class;
use crate::ops::record::linear;
use crate::ops::sample::{self, ANY, POSITIVE, Sample};
use crate::tensor::layout::result_strides;
use crate::views::ViewOp;
use crate::{Body, DType, Error, Result, Tensor, broadcast_shapes};
use smallvec::smallvec;

/// Refuses parts that PyTorch does not take.
fn check_parts(op: &'static str, re: &Tensor, im: &Tensor) -> Result<()> {
    let (a, b) = (re.dtype(), im.dtype());
    if [a, b].iter().any(|dtype| !matches!(dtype, DType::F16 | DType::F32 | DType::F64)) {
        let (a, b) = (a.scalar_name(), b.scalar_name());
        let text = format!("Expected both inputs to be Half, Float or Double tensors but got {a} and {b}");
        return Err(Error::not_implemented(op, text));
    }
    if a != b {
        let (a, b) = (a.scalar_name(), b.scalar_name());
        let text = format!("Expected object of scalar type {a} but got scalar type {b} for second argument");
        return Err(Error::runtime(op, text));
    }
    if a == DType::F16 {
        return Err(Error::not_implemented(op, format!("\"{op}\" is not implemented for 'Half'"))
            .remedy("there is no complex32: convert the parts to float32 first"));
    }
    Ok(())
}

impl Tensor {
    /// The complex numbers with these real and imaginary parts, which broadcast: `torch.complex`.
    ///
    /// # Errors
    /// The parts are not both float32 or both float64. (PyTorch makes complex32 of two float16 tensors.)
    ///
    /// ```
    /// # use firebrick_core::{Complex, DType, Tensor};
    /// let z = Tensor::complex(&Tensor::new([1.0f32, 2.0])?, &Tensor::new([3.0f32, 4.0])?)?;
    /// assert_eq!(z.dtype(), DType::C64);
    /// assert_eq!(z.to_vec::<Complex<f32>>()?, [Complex::new(1.0, 3.0), Complex::new(2.0, 4.0)]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn complex(real: &Tensor, imag: &Tensor) -> Result<Tensor> {
        const OP: &str = "complex";
        let (re, im) = (real.resolve(OP)?, imag.resolve(OP)?);
        check_parts(OP, &re, &im)?;
        let device = re.device();
        same_device(OP, [device, im.device()])?;
        let shape = broadcast_shapes(OP, &re.shape(), &im.shape())?;
        let strides = result_strides(&shape, &[re.body(), im.body()], re.dtype(), None);
        let out = Body::alloc_in(shape.clone(), strides, re.dtype().to_complex(), device)?;
        for (part, values) in [&re, &im].into_iter().enumerate() {
            let values = crate::tensor::copy::expanded(OP, &values.body(), &shape)?;
            backend::of(device)?.copy(&values, &out.part(part))?;
        }
        Ok(linear("ComplexBackward0", &[&re, &im], Tensor::from_body(out), |g, needs| {
            let part = |wanted: bool, part: fn(&Tensor) -> Result<Tensor>| wanted.then(|| part(g)).transpose();
            Ok(smallvec![part(needs[0], Tensor::real)?, part(needs[1], Tensor::imag)?])
        }))
    }

    /// The complex numbers with these lengths and angles: `abs * (cos(angle) + i sin(angle))`, `torch.polar`.
    ///
    /// # Errors
    /// As [`Tensor::complex`].
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let z = Tensor::polar(&Tensor::new([2.0f64])?, &Tensor::new([0.0f64])?)?;
    /// assert_eq!(z.real()?.to_vec::<f64>()?, [2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn polar(abs: &Tensor, angle: &Tensor) -> Result<Tensor> {
        check_parts("polar", abs, angle)?;
        Tensor::complex(&abs.mul(&angle.cos()?)?, &abs.mul(&angle.sin()?)?)
    }

    /// The parts of complex numbers, side by side in a new last dimension of size 2, as a view.
    ///
    /// # Errors
    /// A tensor of real numbers.
    ///
    /// ```
    /// # use firebrick_core::{Complex, Tensor};
    /// let z = Tensor::new([Complex::new(1.0f64, 2.0)])?;
    /// z.view_as_real()?.mul_(10.0)?;
    /// assert_eq!(z.to_vec::<Complex<f64>>()?, [Complex::new(10.0, 20.0)]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn view_as_real(&self) -> Result<Tensor> {
        const OP: &str = "view_as_real";
        if !self.resolve(OP)?.is_complex() {
            return Err(Error::type_(OP, "view_as_real is only supported for complex tensors"));
        }
        self.viewed(OP, "ViewAsRealBackward0", ViewOp::AsReal)
    }

    /// Pairs of real numbers in the last dimension, of size 2, as complex numbers: a view.
    ///
    /// # Errors
    /// A dtype other than float32 and float64, or pairs that do not lie in memory as complex numbers do.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1.0f32, 2.0], [3.0, -4.0]])?;
    /// assert_eq!(x.view_as_complex()?.to_string(), "tensor([1.+2.j, 3.-4.j])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn view_as_complex(&self) -> Result<Tensor> {
        const OP: &str = "view_as_complex";
        let body = self.resolve(OP)?.body();
        if body.dtype.is_complex() {
            return Err(Error::type_(OP, "view_as_complex is not supported for complex tensors"));
        }
        if !matches!(body.dtype, DType::F16 | DType::F32 | DType::F64) {
            let got = body.dtype.scalar_name();
            let text = format!(
                "view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: {got}"
            );
            return Err(Error::not_implemented(OP, text));
        }
        if body.dtype == DType::F16 {
            return Err(Error::not_implemented(OP, "there is no complex32").remedy("convert to float32 first"));
        }
        let refuse = |text: &str| Err(Error::runtime(OP, text).given(format!("{:?}/{:?}", body.shape, body.strides)));
        let Some((&last, strides)) = body.strides.split_last() else {
            return refuse("Input tensor must have one or more dimensions");
        };
        if body.shape.last() != Some(&2) {
            return refuse("Tensor must have a last dimension of size 2");
        }
        if last != 1 {
            return refuse("Tensor must have a last dimension with stride 1");
        }
        if strides.iter().any(|stride| stride % 2 != 0) {
            return refuse("Tensor must have a stride divisible by 2 for all but last dimension");
        }
        if body.offset % 2 != 0 {
            return refuse("Tensor must have a storage_offset divisible by 2");
        }
        self.viewed(OP, "ViewAsComplexBackward0", ViewOp::AsComplex)
    }

    /// The real parts of complex numbers, as a view; real numbers themselves.
    ///
    /// ```
    /// # use firebrick_core::{Complex, Tensor};
    /// assert_eq!(Tensor::new([Complex::new(1.0f32, 2.0)])?.real()?.to_vec::<f32>()?, [1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn real(&self) -> Result<Tensor> {
        match self.is_complex() {
            true => self.view_as_real()?.select(-1, 0),
            false => self.resolve("real"),
        }
    }

    /// The imaginary parts of complex numbers, as a view.
    ///
    /// # Errors
    /// A tensor of real numbers, as in PyTorch.
    ///
    /// ```
    /// # use firebrick_core::{Complex, Tensor};
    /// let z = Tensor::new([Complex::new(1.0f32, 2.0)])?;
    /// z.imag()?.zero_()?;
    /// assert_eq!(z.to_string(), "tensor([1.+0.j])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn imag(&self) -> Result<Tensor> {
        if !self.resolve("imag")?.is_complex() {
            return Err(Error::type_("imag", "imag is not implemented for tensors with non-complex dtypes."));
        }
        self.view_as_real()?.select(-1, 1)
    }

    /// The complex conjugates; real numbers themselves.
    ///
    /// The result is a new tensor. PyTorch's shares its memory with this one and remembers to conjugate when read; apart from
    /// writing in place, nobody sees the difference.
    ///
    /// ```
    /// # use firebrick_core::{Complex, Tensor};
    /// let z = Tensor::new([Complex::new(1.0f32, 2.0)])?;
    /// assert_eq!(z.conj()?.to_vec::<Complex<f32>>()?, [Complex::new(1.0, -2.0)]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn conj(&self) -> Result<Tensor> {
        const OP: &str = "conj";
        let x = self.resolve(OP)?;
        if !x.is_complex() {
            return Ok(x);
        }
        let out = crate::autograd::no_grad(|| x.copy())?.detach();
        let imag = out.body().part(1);
        backend::of(imag.device())?.map(Unary::Neg.into(), compute_class(imag.dtype), &[&imag], &imag)?;
        Ok(linear("ConjBackward0", &[&x], out, |g, _| Ok(smallvec![Some(g.conj()?)])))
    }

    /// [`Tensor::conj`] under PyTorch's name for the one that makes a new tensor.
    ///
    /// ```
    /// # use firebrick_core::{Complex, Tensor};
    /// assert_eq!(Tensor::new([Complex::new(1.0f32, 2.0)])?.conj_physical()?.to_string(), "tensor([1.-2.j])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn conj_physical(&self) -> Result<Tensor> {
        self.conj()
    }

    /// The transposed conjugate of a matrix, or of a batch of them: PyTorch's `mH`.
    ///
    /// ```
    /// # use firebrick_core::{Complex, Tensor};
    /// let x = Tensor::new([[Complex::new(1.0f32, 2.0), Complex::new(3.0, 4.0)]])?;
    /// assert_eq!(x.adjoint()?.to_string(), "tensor([[1.-2.j],\n        [3.-4.j]])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn adjoint(&self) -> Result<Tensor> {
        self.transpose(-2, -1)?.conj()
    }

    /// For the way back of a cast: without PyTorch's warning about the imaginary part.
    pub(crate) fn cast_back(&self, to: crate::To) -> Result<Tensor> {
        match to.dtype.is_some_and(|dtype| !dtype.is_complex()) {
            true => self.real()?.to(to),
            false => self.to(to),
        }
    }
}

/// Samples whose inputs are the parts of one complex argument, and whose result is seen as real numbers.
fn of_complex(f: impl Fn(&Tensor) -> Result<Tensor> + Clone + Send + Sync + 'static) -> Result<Vec<Sample>> {
    sample::pairs((ANY, ANY), move |re, im| real_or_parts(f(&Tensor::complex(re, im)?)?))
}

fn real_or_parts(out: Tensor) -> Result<Tensor> {
    if out.is_complex() { out.view_as_real() } else { Ok(out) }
}

by_hand! {
    table: PARTS;
    complex as "ComplexBackward0": sample::pairs((ANY, ANY), |a, b| Tensor::complex(a, b)?.view_as_real());
    polar: sample::pairs((POSITIVE, ANY), |a, b| Tensor::polar(a, b)?.view_as_real());
    view_as_real as "ViewAsRealBackward0": of_complex(|z| z.mul(z)?.view_as_real());
    view_as_complex as "ViewAsComplexBackward0":
        sample::shaped(&[3, 2], &[0, 2], |x| x.contiguous()?.view_as_complex()?.pow(2)?.view_as_real());
    real: of_complex(|z| z.mul(z)?.real());
    imag: of_complex(|z| z.mul(z)?.imag());
    conj as "ConjBackward0": of_complex(|z| z.conj()?.mul(z)?.mul(z));
    conj_physical: of_complex(|z| z.conj_physical()?.mul(z)?.mul(z));
    adjoint: sample::shaped_pairs((&[3, 4], &[3, 4]), (&[0, 4], &[0, 4]), |re, im| {
        Tensor::complex(re, im)?.adjoint()?.view_as_real()
    });
}
