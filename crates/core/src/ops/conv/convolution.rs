//! Convolution and its two gradients: three products that are each other's derivatives.
//!
//! With `L(x, w, g) = <conv(x, w), g>`, the convolution is the derivative of `L` in `g`, the input gradient that in
//! `x` and the weight gradient that in `w`. So each one's gradients are the other two, to any order.

use super::options::{ConvOptions, conv_shape};
use crate::backend::{self, ConvShape};
use crate::ops::devices::same_device;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::ops::{composed, ops};
use crate::{Body, DType, Dims, Error, MemoryFormat, Result, Tensor};

/// One of the three products, from contiguous bodies.
type Kernel<'a> = dyn Fn(&dyn backend::Backend, &[&Body], &Body) -> Result<()> + 'a;

/// [`run`] of complex numbers, by four products of their parts; a bias goes along with those that come first.
fn run_complex(op: &'static str, inputs: &[&Tensor], shape: &[usize], kernel: &Kernel<'_>) -> Result<Tensor> {
    let parts = |x: &&Tensor| Ok((x.detach().real()?, x.detach().imag()?));
    let parts = inputs.iter().map(parts).collect::<Result<Vec<(Tensor, Tensor)>>>()?;
    let [(xr, xi), (wr, wi), bias @ ..] = &parts[..] else { return Err(Error::runtime(op, "an operand is missing")) };
    let product = |x: &Tensor, w: &Tensor, bias: Option<&Tensor>| {
        run(op, &[x, w].into_iter().chain(bias).collect::<Vec<_>>(), shape, kernel)
    };
    let re = product(xr, wr, bias.first().map(|(re, _)| re))?.sub(&product(xi, wi, None)?)?;
    let im = product(xr, wi, bias.first().map(|(_, im)| im))?.add(&product(xi, wr, None)?)?;
    Tensor::complex(&re, &im)
}

/// Runs a convolution kernel on contiguous bodies; half precision is widened and rounded once.
fn run(op: &'static str, inputs: &[&Tensor], shape: &[usize], kernel: &Kernel<'_>) -> Result<Tensor> {
    let (dtype, device) = (inputs[0].dtype(), inputs[0].device());
    same_device(op, inputs.iter().map(|t| t.device()))?;
    for input in inputs {
        if input.dtype() != dtype {
            let (want, got) = (dtype.scalar_name(), input.dtype().scalar_name());
            return Err(Error::runtime(op, format!("expected scalar type {want} but found {got}")));
        }
    }
    if dtype.is_complex() {
        return run_complex(op, inputs, shape, kernel);
    }
    let compute = match dtype {
        DType::F32 | DType::F64 => dtype,
        DType::F16 | DType::BF16 => DType::F32,
        // Exact up to 2^53.
        DType::I64 => DType::F64,
        other => {
            return Err(Error::not_implemented(
                op,
                format!("\"slow_conv2d_cpu\" not implemented for '{}'", other.scalar_name()),
            ));
        }
    };
    let bodies: Vec<Body> =
        inputs.iter().map(|t| Ok(t.detach().to(compute)?.contiguous()?.body())).collect::<Result<_>>()?;
    let out = Body::alloc(shape.into(), compute, device)?;
    if out.numel() > 0 {
        kernel(backend::of(device)?, &bodies.iter().collect::<Vec<_>>(), &out)?;
    }
    Tensor::from_body(out).delivered(dtype, format(inputs[0], inputs[1]))
}

/// The format of the product of two tensors: channels-last if one of them is. PyTorch has such volumes in single and half
/// precision only.
fn format(a: &Tensor, b: &Tensor) -> MemoryFormat {
    let found = [a, b].into_iter().map(Tensor::suggested_format).find(|&format| format != MemoryFormat::Contiguous);
    let has_volumes = matches!(a.dtype(), DType::F32 | DType::F16 | DType::BF16);
    found.filter(|&format| has_volumes || format == MemoryFormat::ChannelsLast).unwrap_or_default()
}

/// Shape of the output, with as many spatial dimensions as `like`.
fn spatial(sizes: [usize; 3], like: usize) -> impl Iterator<Item = usize> {
    sizes.into_iter().skip(3 - (like - 2))
}

/// Refuses a tensor that is not of the sizes that the convolution was resolved for.
fn check(op: &'static str, name: &str, x: &Tensor, first: [usize; 2], sizes: [usize; 3]) -> Result<()> {
    let shape = x.shape();
    let wanted: Option<Dims> =
        (3..=5).contains(&shape.len()).then(|| first.into_iter().chain(spatial(sizes, shape.len())).collect());
    match wanted {
        Some(wanted) if wanted == shape => Ok(()),
        _ => Err(Error::runtime(op, format!("{name} is not of the convolution's sizes"))
            .given(format!("{shape:?}"))
            .expected(format!("{first:?} and the last of {sizes:?}"))),
    }
}

fn check_input(op: &'static str, x: &Tensor, s: &ConvShape) -> Result<()> {
    check(op, "the input", x, [s.batch, s.in_channels], s.input)
}

fn check_kernel(op: &'static str, w: &Tensor, s: &ConvShape) -> Result<()> {
    check(op, "the kernel", w, [s.out_channels, s.in_channels / s.groups], s.kernel)
}

fn check_output(op: &'static str, g: &Tensor, s: &ConvShape) -> Result<()> {
    check(op, "the gradient", g, [s.batch, s.out_channels], s.output)
}

/// Notes the work, which is the same for the form and each of its derivatives.
fn count(s: &ConvShape) {
    let channels = [s.batch, s.out_channels, s.in_channels / s.groups.max(1)];
    crate::work::count(channels.into_iter().chain(s.output).chain(s.kernel));
}

fn forward(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, s: &ConvShape) -> Result<Tensor> {
    check_input("convolution", x, s)?;
    check_kernel("convolution", w, s)?;
    if let Some(bias) = bias.filter(|bias| bias.shape() != [s.out_channels]) {
        return Err(Error::runtime(
            "convolution",
            "expected bias to be 1-dimensional with one element for each channel",
        )
        .given(format!("{:?}", bias.shape()))
        .expected(format!("[{}]", s.out_channels)));
    }
    let out: Dims = [s.batch, s.out_channels].into_iter().chain(spatial(s.output, w.dim())).collect();
    count(s);
    let inputs: Vec<&Tensor> = [x, w].into_iter().chain(bias).collect();
    run("convolution", &inputs, &out, &|b, i, out| b.conv_forward(s, i[0], i[1], i.get(2).copied(), out))
}

fn input_grad(g: &Tensor, w: &Tensor, s: &ConvShape) -> Result<Tensor> {
    check_output("convolution_backward", g, s)?;
    check_kernel("convolution_backward", w, s)?;
    let out: Dims = [s.batch, s.in_channels].into_iter().chain(spatial(s.input, w.dim())).collect();
    count(s);
    run("convolution_backward", &[g, w], &out, &|b, i, out| b.conv_input_grad(s, i[0], i[1], out))
}

fn weight_grad(x: &Tensor, g: &Tensor, s: &ConvShape) -> Result<Tensor> {
    check_input("convolution_backward", x, s)?;
    check_output("convolution_backward", g, s)?;
    let channels = s.in_channels / s.groups;
    let out: Dims = [s.out_channels, channels].into_iter().chain(spatial(s.kernel, x.dim())).collect();
    count(s);
    run("convolution_backward", &[x, g], &out, &|b, i, out| b.conv_weight_grad(s, i[0], i[1], out))
}

/// Every dimension but the channels.
fn bias_grad(g: &Tensor) -> Result<Tensor> {
    g.sum_dim((0..g.dim() as i64).filter(|&d| d != 1).collect::<Vec<i64>>(), false)
}

/// Samples of the three products on a small strided, padded, grouped convolution.
fn trio(
    pick: [usize; 2],
    f: impl Fn(&Tensor, &Tensor, ConvShape) -> Result<Tensor> + Clone + Send + Sync + 'static,
) -> Result<Vec<Sample>> {
    let options = ConvOptions::new().stride(2).padding(1).groups(2);
    let sample = |traits: Trait, batch: usize, seed: u64| -> Result<Sample> {
        let (x, w) = ([batch, 4, 4, 3], [2, 2, 3, 2]);
        let shape = conv_shape("convolution", &x.into(), &w.into(), None, &options)?;
        let g = [batch, 2, shape.output[1], shape.output[2]];
        let shapes: [&[usize]; 3] = [&x, &w, &g];
        let make = |i: usize| match traits {
            Trait::Strided => ANY.strided(shapes[i], seed + i as u64),
            _ => ANY.tensor(shapes[i], seed + i as u64),
        };
        let f = f.clone();
        Ok(sample::one(traits, vec![make(pick[0])?, make(pick[1])?], move |x| f(&x[0], &x[1], shape)))
    };
    Ok(vec![sample(Trait::Plain, 2, 1)?, sample(Trait::Strided, 1, 4)?, sample(Trait::Empty, 0, 7)?])
}

ops! {
    table: CONVOLUTIONS;

    /// Convolution (cross-correlation) of a batched input with a kernel, by its resolved sizes; see
    /// [`Tensor::conv2d`] for the usual way in.
    #[doc(hidden)]
    fn convolution(x, w: tensor, bias: optional; shape: ConvShape) -> Tensor as "ConvolutionBackward0" {
        forward: forward(x, w, bias, shape),
        saves: [x if w, w if x],
        notes: [format: format(&x, &w)],
        grads: {
            x: |g| g.conv_input(w, *shape)?.to(format),
            w: |g| x.conv_weight(g, *shape)?.to(format),
            bias: |g| bias_grad(g),
        },
        samples: trio([0, 1], |x, w, s| x.convolution(w, None, s)),
    }

    /// The gradient of [`Tensor::convolution`] in its input, from that of its output (`torch.nn.grad.conv2d_input`).
    #[doc(hidden)]
    fn conv_input(g, w: tensor; shape: ConvShape) -> Tensor as "ConvolutionBackward0" {
        forward: input_grad(g, w, shape),
        saves: [g if w, w if g],
        notes: [format: format(&g, &w)],
        grads: { g: |h| h.convolution(w, None, *shape)?.to(format), w: |h| h.conv_weight(g, *shape)?.to(format) },
        samples: trio([2, 1], |g, w, s| g.conv_input(w, s)),
    }

    /// The gradient of [`Tensor::convolution`] in its kernel, from that of its output (`torch.nn.grad.conv2d_weight`).
    #[doc(hidden)]
    fn conv_weight(x, g: tensor; shape: ConvShape) -> Tensor as "ConvolutionBackward0" {
        forward: weight_grad(x, g, shape),
        saves: [x if g, g if x],
        grads: { x: |h| g.conv_input(h, *shape), g: |h| x.convolution(h, None, *shape) },
        samples: trio([0, 2], |x, g, s| x.conv_weight(g, s)),
    }
}

/// A convolution over `n` spatial dimensions; an input without batch dimension gets one for the time being.
fn conv(
    op: &'static str,
    n: usize,
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    options: &ConvOptions,
) -> Result<Tensor> {
    let (x, weight) = (x.resolve(op)?, weight.resolve(op)?);
    let bias = bias.map(|b| b.resolve(op)).transpose()?;
    let (sx, sw) = (x.shape(), weight.shape());
    let refuse = |text: String| Err(Error::runtime(op, text));
    if sw.len() < 3 {
        return refuse("weight should have at least three dimensions".into());
    }
    if sx.len() != n + 1 && sx.len() != n + 2 {
        let (unbatched, batched) = (n + 1, n + 2);
        return refuse(format!(
            "Expected {unbatched}D (unbatched) or {batched}D (batched) input to {op}, but got input of size: {sx:?}"
        ));
    }
    if sw.len() != n + 2 {
        let (rank, batched) = (sw.len(), if sx.len() == n + 1 { sx.len() + 1 } else { sx.len() });
        return refuse(format!(
            "Expected {rank}-dimensional input for {rank}-dimensional weight{sw:?}, but got {batched}-dimensional input of size {sx:?} instead"
        ));
    }
    if let Some(bias) = bias.as_ref().filter(|bias| bias.dtype() != x.dtype()) {
        let (input, bias) = (x.dtype().c_name(), bias.dtype().c_name());
        return refuse(format!("Input type ({input}) and bias type ({bias}) should be the same"));
    }
    let batched = sx.len() == n + 2;
    let x = if batched { x } else { x.unsqueeze(0)? };
    let bias_shape = bias.as_ref().map(|b| b.shape());
    let shape = conv_shape(op, &x.shape(), &sw, bias_shape.as_ref(), options)?;
    let out = x.convolution(&weight, bias.as_ref(), shape)?;
    if batched { Ok(out) } else { out.squeeze_dim(0) }
}

/// Samples of a convolution over `n` dimensions with bias, dilation and both kinds of padding.
fn conv_samples(
    n: usize,
    f: fn(&Tensor, &Tensor, Option<&Tensor>, &ConvOptions) -> Result<Tensor>,
) -> Result<Vec<Sample>> {
    let input = |batch: usize| -> Vec<usize> { [batch, 2].into_iter().chain(std::iter::repeat_n(4, n)).collect() };
    let kernel: Vec<usize> = [2, 2].into_iter().chain(std::iter::repeat_n(2, n)).collect();
    let sample = |traits: Trait, x: Tensor, options: ConvOptions| -> Result<Sample> {
        let inputs = vec![x, ANY.tensor(&kernel, 1)?, ANY.tensor(&[2], 2)?];
        Ok(sample::one(traits, inputs, move |x| f(&x[0], &x[1], Some(&x[2]), &options)))
    };
    let same = ConvOptions::new().padding(super::Padding::Same);
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&input(1), 3)?, ConvOptions::new().dilation(2).padding(1))?,
        sample(Trait::Plain, ANY.tensor(&input(1)[1..], 4)?, same)?,
        sample(Trait::Strided, ANY.strided(&input(1), 5)?, ConvOptions::new().stride(2))?,
        sample(Trait::Empty, ANY.tensor(&input(0), 6)?, ConvOptions::new())?,
    ])
}

composed! {
    table: CONVS;

    /// Convolution over one dimension: `[N, C_in, L] -> [N, C_out, L_out]`, or without `N`.
    ///
    /// ```
    /// # use firebrick_core::{ConvOptions, Tensor};
    /// let (x, w) = (Tensor::new([[[1.0f32, 2.0, 3.0]]])?, Tensor::new([[[1.0f32, -1.0]]])?);
    /// assert_eq!(x.conv1d(&w, None, &ConvOptions::new())?.to_vec::<f32>()?, [-1.0; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn conv1d(&x, weight: &Tensor, bias: Option<&Tensor>, options: &ConvOptions) -> Tensor {
        conv("conv1d", 1, x, weight, bias, options)
    }
    samples: conv_samples(1, |x, w, b, o| x.conv1d(w, b, o));

    /// Convolution over two dimensions: `[N, C_in, H, W] -> [N, C_out, H_out, W_out]`, or without `N`.
    ///
    /// `out[n, o, i, j] = bias[o] + sum(weight[o, c, u, v] * x[n, c, i * stride + u * dilation - padding, ...])`, with
    /// `H_out = (H + 2 padding - dilation (kernel - 1) - 1) / stride + 1`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// # use firebrick_core::{ConvOptions, Tensor};
    /// let x = Tensor::ones([1, 1, 3, 3])?;
    /// let y = x.conv2d(&Tensor::ones([1, 1, 2, 2])?, None, &ConvOptions::new())?;
    /// assert_eq!(y.to_vec::<f32>()?, [4.0; 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn conv2d(&x, weight: &Tensor, bias: Option<&Tensor>, options: &ConvOptions) -> Tensor {
        conv("conv2d", 2, x, weight, bias, options)
    }
    samples: conv_samples(2, |x, w, b, o| x.conv2d(w, b, o));

    /// Convolution over three dimensions: `[N, C_in, D, H, W] -> [N, C_out, D_out, H_out, W_out]`, or without `N`.
    ///
    /// ```
    /// # use firebrick_core::{ConvOptions, Tensor};
    /// let (x, w) = (Tensor::ones([1, 2, 3, 3, 3])?, Tensor::ones([4, 2, 3, 3, 3])?);
    /// let y = x.conv3d(&w, None, &ConvOptions::new().padding(1))?;
    /// assert_eq!(y.shape(), [1, 4, 3, 3, 3]);
    /// assert_eq!(y.select(1, 0)?.i((0, 1, 1, 1))?.item::<f32>()?, 54.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn conv3d(&x, weight: &Tensor, bias: Option<&Tensor>, options: &ConvOptions) -> Tensor {
        conv("conv3d", 3, x, weight, bias, options)
    }
    samples: conv_samples(3, |x, w, b, o| x.conv3d(w, b, o));
}
