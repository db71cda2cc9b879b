//! Single operations, with and without a graph.

use crate::Workload;
use crate::harness::Options;
use firebrick::prelude::*;

pub const WORKLOADS: &[Workload] = &[
    ("add_small", add_small),
    ("add_small_grad", add_small_grad),
    ("add", |options, name| pair(options, name, &[4096, 1024], &[4096, 1024], |x, y| x.add(y))),
    ("gelu", |options, name| one(options, name, |x| x.gelu("none"))),
    ("sum", |options, name| one(options, name, Tensor::sum)),
    ("sum_dim0", |options, name| one(options, name, |x| x.sum_dim([0], false))),
    ("matmul_128", |options, name| pair(options, name, &[128, 128], &[128, 128], |x, y| x.matmul(y))),
    ("matmul_512", |options, name| pair(options, name, &[512, 512], &[512, 512], |x, y| x.matmul(y))),
    ("matmul_1024", |options, name| pair(options, name, &[1024, 1024], &[1024, 1024], |x, y| x.matmul(y))),
    ("matmul_2048", |options, name| pair(options, name, &[2048, 2048], &[2048, 2048], |x, y| x.matmul(y))),
    ("bmm_48x128x64x128", |options, name| pair(options, name, &[48, 128, 64], &[48, 64, 128], |x, y| x.matmul(y))),
    ("bmm_1024x16x16x16", |options, name| pair(options, name, &[1024, 16, 16], &[1024, 16, 16], |x, y| x.matmul(y))),
    ("conv_fwd", conv_fwd),
    ("conv_fwdbwd", conv_fwdbwd),
];

fn pair(
    options: &Options,
    name: &str,
    a: &[usize],
    b: &[usize],
    f: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
) -> Result<()> {
    let (x, y) = (Tensor::randn(a)?, Tensor::randn(b)?);
    autograd::no_grad(|| options.measure(name, || f(&x, &y).map(drop)))
}

fn one(options: &Options, name: &str, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<()> {
    let x = Tensor::randn([4096, 1024])?;
    autograd::no_grad(|| options.measure(name, || f(&x).map(drop)))
}

fn add_small(options: &Options, name: &str) -> Result<()> {
    pair(options, name, &[16], &[16], |x, y| x.add(y))
}

fn add_small_grad(options: &Options, name: &str) -> Result<()> {
    let (x, y) = (Tensor::randn([16])?, Tensor::randn([16])?);
    x.requires_grad_(true)?;
    options.measure(name, || x.add(&y).map(drop))
}

/// Planes, kernel and output gradient of a 3x3 convolution that keeps its size.
fn conv_inputs() -> Result<(Tensor, Tensor)> {
    Ok((Tensor::randn([8, 64, 56, 56])?, Tensor::randn([64, 64, 3, 3])?.mul(0.05)?))
}

fn conv(x: &Tensor, kernel: &Tensor) -> Result<Tensor> {
    x.conv2d(kernel, None, &firebrick::ConvOptions::new().padding(1))
}

fn conv_fwd(options: &Options, name: &str) -> Result<()> {
    let (x, kernel) = conv_inputs()?;
    autograd::no_grad(|| options.measure(name, || conv(&x, &kernel).map(drop)))
}

fn conv_fwdbwd(options: &Options, name: &str) -> Result<()> {
    let (x, kernel) = conv_inputs()?;
    let g = Tensor::randn([8, 64, 56, 56])?;
    x.requires_grad_(true)?;
    kernel.requires_grad_(true)?;
    options.measure(name, || {
        x.set_grad(None)?;
        kernel.set_grad(None)?;
        conv(&x, &kernel)?.mul(&g)?.sum()?.backward()
    })
}
