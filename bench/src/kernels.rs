//! Single operations, with and without a graph.

use crate::harness::Options;
use crate::table::Workload;
use firebrick::ConvOptions;
use firebrick::prelude::*;

pub fn pair<const N: usize>(
    options: &Options,
    workload: &Workload,
    a: [usize; N],
    b: [usize; N],
    f: fn(&Tensor, &Tensor) -> Result<Tensor>,
) -> Result<()> {
    let (x, y) = (options.randn(a)?, options.randn(b)?);
    autograd::no_grad(|| options.measure(workload, || f(&x, &y).map(drop)))
}

pub fn square(options: &Options, workload: &Workload, side: usize) -> Result<()> {
    pair(options, workload, [side, side], [side, side], Tensor::matmul)
}

pub fn one(options: &Options, workload: &Workload, f: fn(&Tensor) -> Result<Tensor>) -> Result<()> {
    let x = options.randn([4096, 1024])?;
    autograd::no_grad(|| options.measure(workload, || f(&x).map(drop)))
}

pub fn layer_norm(options: &Options, workload: &Workload) -> Result<()> {
    let x = options.randn([4096, 1024])?;
    let width = x.size(1)?;
    let (weight, bias) = (Tensor::ones([width])?, Tensor::zeros([width])?);
    autograd::no_grad(|| {
        options.measure(workload, || x.layer_norm([width], Some(&weight), Some(&bias), 1e-5).map(drop))
    })
}

pub fn add_small_grad(options: &Options, workload: &Workload) -> Result<()> {
    let (x, y) = (options.randn([16])?, options.randn([16])?);
    x.requires_grad_(true)?;
    options.measure(workload, || x.add(&y).map(drop))
}

/// Planes, and the kernel of a 3x3 convolution that keeps their size.
fn conv_inputs(options: &Options) -> Result<(Tensor, Tensor)> {
    Ok((options.randn([8, 64, 56, 56])?, options.randn([64, 64, 3, 3])?.mul(0.05)?))
}

fn conv(x: &Tensor, kernel: &Tensor) -> Result<Tensor> {
    x.conv2d(kernel, None, &ConvOptions::new().padding(1))
}

pub fn conv_fwd(options: &Options, workload: &Workload) -> Result<()> {
    let (x, kernel) = conv_inputs(options)?;
    autograd::no_grad(|| options.measure(workload, || conv(&x, &kernel).map(drop)))
}

pub fn conv_fwdbwd(options: &Options, workload: &Workload) -> Result<()> {
    let (x, kernel) = conv_inputs(options)?;
    let g = options.randn([8, 64, 56, 56])?;
    x.requires_grad_(true)?;
    kernel.requires_grad_(true)?;
    options.measure(workload, || {
        x.set_grad(None)?;
        kernel.set_grad(None)?;
        conv(&x, &kernel)?.mul(&g)?.sum()?.backward()
    })
}
