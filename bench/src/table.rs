//! Every workload: its name, what it costs at least, and what runs it.

use crate::harness::Options;
use crate::{files, kernels, training};
use firebrick::{Result, Tensor, optim};

/// One row of the table.
pub struct Workload {
    pub name: &'static str,
    pub cost: Cost,
    pub run: fn(&Options, &Workload) -> Result<()>,
}

/// What no implementation can save: over the machine's rates, these are the limit of a workload's time. Where neither
/// arithmetic nor memory is what takes the time, all three are zero.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Arithmetic of products and (direct) convolutions, in billions of operations.
    pub gflop: f64,
    /// Memory that is only read, in GB.
    pub read: f64,
    /// Memory that is read and written, in GB.
    pub moved: f64,
}

impl Cost {
    /// For a line of JSON, under the names of the machine's rates.
    pub fn fields(&self) -> [(&'static str, f64); 3] {
        [("gflop", self.gflop), ("read_gb", self.read), ("moved_gb", self.moved)]
    }
}

const NONE: Cost = Cost { gflop: 0.0, read: 0.0, moved: 0.0 };

/// An operation that reads and writes this many arrays of 4096 x 1024.
const fn moved(arrays: f64) -> Cost {
    Cost { moved: arrays * GB_OF_ARRAY, ..NONE }
}

const READ: Cost = Cost { read: GB_OF_ARRAY, ..NONE };
const GB_OF_ARRAY: f64 = 4.0 * 4096.0 * 1024.0 / 1e9;

const fn flop(count: f64) -> Cost {
    Cost { gflop: count / 1e9, ..NONE }
}

/// A training step, with what its optimizer reads and writes for each parameter.
const fn step(count: f64, parameters: f64, accesses: f64) -> Cost {
    Cost { moved: 4.0 * parameters * accesses / 1e9, ..flop(count) }
}

/// Reads the parameter and its gradient, writes the parameter.
const SGD: f64 = 3.0;
/// The same with two moments, which are read and written.
const ADAM: f64 = 7.0;

/// `count` products of `[m, k]` and `[k, n]`.
const fn product(count: f64, m: f64, k: f64, n: f64) -> f64 {
    2.0 * count * m * k * n
}

/// A square kernel over planes whose results have this side.
const fn conv(inputs: f64, outputs: f64, kernel: f64, side: f64) -> f64 {
    2.0 * inputs * outputs * kernel * kernel * side * side
}

const CONV: f64 = 8.0 * conv(64.0, 64.0, 3.0, 56.0);

/// The backward pass costs twice the forward pass, but for the first layer, whose input needs no gradient.
const MLP: f64 = 3.0 * (product(128.0, 1.0, 512.0, 512.0) + product(128.0, 1.0, 512.0, 10.0))
    + 2.0 * product(128.0, 1.0, 784.0, 512.0);
const LENET: f64 =
    64.0 * (2.0 * conv(1.0, 8.0, 3.0, 28.0) + 3.0 * conv(8.0, 16.0, 3.0, 14.0) + 3.0 * product(1.0, 1.0, 784.0, 10.0));

/// One image.
const RESNET: f64 = RESNET_FIRST
    + 4.0 * conv(64.0, 64.0, 3.0, 32.0)
    + resnet_stage(128.0, 16.0)
    + resnet_stage(256.0, 8.0)
    + resnet_stage(512.0, 4.0)
    + product(1.0, 1.0, 512.0, 10.0);
const RESNET_FIRST: f64 = conv(3.0, 64.0, 3.0, 32.0);
const RESNET_STEP: f64 = 32.0 * (3.0 * RESNET - RESNET_FIRST);

/// A stage that doubles the channels.
const fn resnet_stage(channels: f64, side: f64) -> f64 {
    conv(channels / 2.0, channels, 3.0, side)
        + 3.0 * conv(channels, channels, 3.0, side)
        + conv(channels / 2.0, channels, 1.0, side)
}

/// Twelve squares of the width a layer, and the scores of 512 tokens; attention sees half of the pairs.
const GPT: f64 = 6.0 * product(1024.0, 12.0, 384.0, 384.0)
    + product(1024.0, 1.0, 384.0, 512.0)
    + 6.0 * 2.0 * product(48.0, 128.0, 64.0, 129.0 / 2.0);

/// How many numbers the models hold.
pub const MLP_PARAMETERS: f64 = 669_706.0;
pub const LENET_PARAMETERS: f64 = 9_098.0;
pub const RESNET_PARAMETERS: f64 = 11_173_962.0;
pub const GPT_PARAMETERS: f64 = 11_089_920.0;

macro_rules! workloads {
    ($($name:literal, $cost:expr, $run:expr;)*) => {
        pub const WORKLOADS: &[Workload] = &[$(Workload { name: $name, cost: $cost, run: $run }),*];
    };
}

workloads! {
    "add_small", NONE, |o, w| kernels::pair(o, w, [16], [16], |x, y| x.add(y));
    "add_small_grad", NONE, kernels::add_small_grad;
    "mlp1_fwd", NONE, training::mlp1_fwd;
    "mlp_sgd", step(MLP, MLP_PARAMETERS, SGD),
        |o, w| training::mlp_step(o, w, |parameters| optim::SGD::new(parameters, 0.01).build());
    "mlp_adam", step(MLP, MLP_PARAMETERS, ADAM),
        |o, w| training::mlp_step(o, w, |parameters| optim::Adam::new(parameters, 1e-3).build());
    "lenet_sgd", step(LENET, LENET_PARAMETERS, SGD), training::lenet_sgd;
    "resnet18_infer_b1", flop(RESNET), |o, w| training::resnet18_infer(o, w, 1);
    "resnet18_infer_b32", flop(32.0 * RESNET), |o, w| training::resnet18_infer(o, w, 32);
    "resnet18_train", step(RESNET_STEP, RESNET_PARAMETERS, SGD), training::resnet18_train;
    "gpt_infer", flop(GPT), training::gpt_infer;
    "gpt_train", step(3.0 * GPT, GPT_PARAMETERS, ADAM), training::gpt_train;
    "add", moved(3.0), |o, w| kernels::pair(o, w, [4096, 1024], [4096, 1024], |x, y| x.add(y));
    "gelu", moved(2.0), |o, w| kernels::one(o, w, |x| x.gelu("none"));
    "softmax", moved(2.0), |o, w| kernels::one(o, w, |x| x.softmax(-1));
    "layer_norm", moved(2.0), kernels::layer_norm;
    "sum", READ, |o, w| kernels::one(o, w, Tensor::sum);
    "sum_dim0", READ, |o, w| kernels::one(o, w, |x| x.sum_dim([0], false));
    "matmul_128", flop(product(1.0, 128.0, 128.0, 128.0)), |o, w| kernels::square(o, w, 128);
    "matmul_512", flop(product(1.0, 512.0, 512.0, 512.0)), |o, w| kernels::square(o, w, 512);
    "matmul_1024", flop(product(1.0, 1024.0, 1024.0, 1024.0)), |o, w| kernels::square(o, w, 1024);
    "matmul_2048", flop(product(1.0, 2048.0, 2048.0, 2048.0)), |o, w| kernels::square(o, w, 2048);
    "bmm_48x128x64x128", flop(product(48.0, 128.0, 64.0, 128.0)),
        |o, w| kernels::pair(o, w, [48, 128, 64], [48, 64, 128], Tensor::bmm);
    "bmm_1024x16x16x16", flop(product(1024.0, 16.0, 16.0, 16.0)),
        |o, w| kernels::pair(o, w, [1024, 16, 16], [1024, 16, 16], Tensor::bmm);
    "conv_fwd", flop(CONV), kernels::conv_fwd;
    "conv_fwdbwd", flop(3.0 * CONV), kernels::conv_fwdbwd;
    "ckpt_save_st", NONE, files::save;
    "ckpt_load_st", NONE, files::load;
    "memory", NONE, training::resident;
}
