//! What computes: one object-safe trait, implemented per kind of device and found by device in a table.
//!
//! Methods take descriptions (`map(kernel)`, `reduce(op)`) and bodies. Shapes, dtypes and devices are checked
//! before, which is why none of this can be called from outside the crate; a backend checks only what is in the data,
//! such as indices.

pub(crate) mod cpu;
mod kernels;
mod meta;
mod mock;
mod update;

pub use cpu::conv::{ConvDim, ConvShape};
pub(crate) use cpu::pooling::Windows;
pub use cpu::pooling::{Divisor as AverageDivisor, PoolShape};
pub(crate) use cpu::resample::ROW_BYTES;
pub use cpu::resample::Taps;
pub(crate) use kernels::{
    Alignment, Attention, Binary, BinarySteps, ClassLoss, Factor, Indexing, Map, NormGrad, NormRows, Order,
    PointwiseLoss, Product, Reduce, Scan, Sequence, Small, Ternary, Unary, UnarySteps,
};
pub use update::{
    AdadeltaRule, AdagradRule, AdamRule, AdamaxRule, AsgdRule, NAdamRule, RAdamRule, RmsPropRule, RpropRule, Rule,
    SgdRule,
};
pub(crate) use update::{GRAD, Update};

use crate::storage::Block;
use crate::tensor::Body;
use crate::{DType, Device, Error, Result, Scalar};

/// Where the elements of one kind of device lie.
pub(crate) trait Memory: Send + Sync {
    /// Memory with whatever it held before.
    fn allocate(&self, bytes: usize) -> Result<Block>;

    /// Waits until everything asked for so far is done.
    fn synchronize(&self) -> Result<()>;

    /// Copies a contiguous body of this device into a contiguous host body of the same dtype and shape.
    fn to_host(&self, src: &Body, host: &Body) -> Result<()>;

    /// Copies a contiguous host body into a contiguous body of this device of the same dtype and shape.
    #[allow(clippy::wrong_self_convention, reason = "data comes from the host")]
    fn from_host(&self, host: &Body, dst: &Body) -> Result<()>;
}

/// Declares the trait of the kernels, and hands their list to the backend that has none to run.
macro_rules! kernels {
    ($($(#[$doc:meta])* fn $name:ident(&self $(, $arg:ident: $t:ty)* $(,)?) -> Result<$r:ty>;)*) => {
        /// One kind of device.
        pub(crate) trait Backend: Memory {
            $($(#[$doc])* fn $name(&self, $($arg: $t),*) -> Result<$r>;)*
        }

        meta::does_nothing! { $(fn $name($($t),*) -> $r;)* }
    };
}

kernels! {
    /// Sets every element, converting the number to the dtype.
    fn fill(&self, out: &Body, value: Scalar) -> Result<()>;

    /// Copies elements between layouts and dtypes.
    fn copy(&self, src: &Body, out: &Body) -> Result<()>;

    /// Adds elements one after the other, where several places of `out` may be one.
    fn add_overlapping(&self, src: &Body, out: &Body) -> Result<()>;

    /// Applies a formula elementwise. Inputs are already stretched to the shape of `out`; they are converted to
    /// `compute` (f64, f32 or i64, which stands for every integer), the result to the dtype of `out`.
    fn map(&self, kernel: Map, compute: DType, inputs: &[&Body], out: &Body) -> Result<()>;

    /// Reduces the dimensions of `input` in which `out`, contiguous and of the same rank, has size 1. `compute` as in `map`.
    fn reduce(&self, op: Reduce, compute: DType, input: &Body, out: &Body) -> Result<()>;

    /// Picks elements of `table` into `spread`, or writes those of `spread` into `table`, at the places that `index`
    /// names along `dim`. All have one rank above 0; `spread` and `index` (int64) have one shape, `spread` and `table`
    /// one dtype. Returns an index that is out of range, if there is one.
    fn index(&self, kind: Indexing, dim: usize, spread: &Body, index: &Body, table: &Body) -> Result<Option<i64>>;

    /// Largest or smallest value along `dim` with its first index, for contiguous `out` and `indices` with size 1 there.
    fn reduce_index(&self, largest: bool, input: &Body, dim: usize, out: &Body, indices: &Body) -> Result<()>;

    /// Softmax along `dim`, or its logarithm, of floating-point elements.
    fn softmax(&self, log: bool, input: &Body, dim: usize, out: &Body) -> Result<()>;

    /// The gradient of the input of [`Backend::softmax`] from that of its result, and the result.
    fn softmax_grad(&self, log: bool, grad: &Body, result: &Body, dim: usize, out: &Body) -> Result<()>;

    /// `softmax(scale * query key^T + mask) value` for `inputs` `[.., l, e]`, `[.., s, e]` and `[.., s, v]` of one batch,
    /// not empty, in single or double precision; into `out` `[.., l, v]`. The contiguous `totals` `[.., l]` get the logarithm of
    /// each row's sum of exponentials. Columns of `out` and of the mask are neighbours.
    fn attention(&self, attention: &Attention, inputs: [&Body; 3], out: &Body, totals: &Body) -> Result<()>;

    /// The gradients of [`Backend::attention`], from that of its result and what was noted: the result and `totals`.
    /// Columns of `grad` and of every gradient are neighbours.
    fn attention_grad(
        &self,
        attention: &Attention,
        grad: &Body,
        inputs: [&Body; 3],
        noted: [&Body; 2],
        out: [&Body; 3],
    ) -> Result<()>;

    /// Normalizes the rows of `x` `[rows, n]`, and notes the mean and one over the deviation of each. Bodies are contiguous.
    fn normalize_rows(&self, norm: &NormRows, x: &Body, out: &Body, mean: &Body, rstd: &Body) -> Result<()>;

    /// The gradients of [`Backend::normalize_rows`] from that of its result and what was noted.
    fn normalize_rows_grad(
        &self,
        norm: &NormRows,
        grad: &Body,
        x: &Body,
        noted: [&Body; 2],
        out: &NormGrad,
    ) -> Result<()>;

    /// Mean and biased variance of each channel of a contiguous `[n, c, l]`.
    fn channel_statistics(&self, x: &Body, mean: &Body, variance: &Body) -> Result<()>;

    /// `(x - mean) * invstd * weight + bias` by channel of `[n, c, l]`. Bodies are contiguous.
    fn normalize_channels(
        &self,
        x: &Body,
        noted: [&Body; 2],
        weight: Option<&Body>,
        bias: Option<&Body>,
        out: &Body,
    ) -> Result<()>;

    /// The gradients of [`Backend::normalize_channels`]; in `training` mean and deviation are the input's own.
    fn normalize_channels_grad(
        &self,
        grad: &Body,
        x: &Body,
        noted: [&Body; 2],
        weight: Option<&Body>,
        training: bool,
        out: &NormGrad,
    ) -> Result<()>;

    /// A loss of elements and targets of one floating dtype, with, where given, factors and factors of positive targets,
    /// all stretched to one shape. With `scale` its sum times that, in the one element of `out`; else `out` is contiguous in that shape.
    fn pointwise_loss(
        &self,
        loss: PointwiseLoss,
        inputs: [&Body; 2],
        factors: [Option<&Body>; 2],
        scale: Option<f64>,
        out: &Body,
    ) -> Result<()>;

    /// The gradient of the elements, times `scale`; that of the result is stretched to their shape.
    fn pointwise_loss_grad(
        &self,
        loss: PointwiseLoss,
        grad: &Body,
        inputs: [&Body; 2],
        factors: [Option<&Body>; 2],
        scale: f64,
        out: &Body,
    ) -> Result<()>;

    /// Class scores `[n, c, l]` against the classes `[n, l]`: loss, weight and logarithm of the sum of exponentials of
    /// each row. Bodies are contiguous.
    fn class_loss(&self, loss: &ClassLoss, x: &Body, target: &Body, out: [&Body; 3]) -> Result<()>;

    /// The gradient of the scores, from a factor for each row and the noted sums.
    fn class_loss_grad(
        &self,
        loss: &ClassLoss,
        factors: &Body,
        x: &Body,
        target: &Body,
        sums: &Body,
        out: &Body,
    ) -> Result<()>;

    /// Log probabilities `[steps, n, c]` in single or double precision against labels: the logarithms `alpha` of the
    /// probabilities of what was read so far, `[n, steps, places]`, and the losses `[n]`, both in double precision. There
    /// are `2 l + 1` places for the largest number `l` of labels. Bodies are contiguous.
    fn ctc_loss(&self, alignment: &Alignment, log_probs: &Body, alpha: &Body, losses: &Body) -> Result<()>;

    /// The gradient of the log probabilities, from that of each loss (in double precision) and what [`Backend::ctc_loss`]
    /// noted: `alpha` and the losses.
    fn ctc_loss_grad(
        &self,
        alignment: &Alignment,
        grads: &Body,
        log_probs: &Body,
        noted: [&Body; 2],
        out: &Body,
    ) -> Result<()>;

    /// The lower median along `dim` with its index; NaN where there is one, unless `skip_nan`. Outputs as above.
    fn median(&self, skip_nan: bool, input: &Body, dim: usize, out: &Body, indices: &Body) -> Result<()>;

    /// Running results along `dim`, into contiguous bodies of the shape of `input`; extremes with their indices.
    fn scan(
        &self,
        op: Scan,
        compute: DType,
        input: &Body,
        dim: usize,
        out: &Body,
        indices: Option<&Body>,
    ) -> Result<()>;

    /// The elements along `dim` that `order` asks for, and their places, into contiguous bodies as long there as `order`
    /// has results and of the shape of `input` otherwise.
    fn order(&self, order: Order, input: &Body, dim: usize, out: &Body, indices: &Body) -> Result<()>;

    /// The numbers (int64) of the rows of a contiguous matrix in lexicographic order.
    fn sort_rows(&self, rows: &Body, numbers: &Body) -> Result<()>;

    /// How many boundaries are below each value, or with `right` not above it. Bodies are contiguous; `bounds` is `[n]`,
    /// or `[.., n]` beside values `[.., m]`, of one dtype with them; `sorter` (int64, checked) names it in order; `out`
    /// is int32 or int64.
    fn search(&self, right: bool, bounds: &Body, sorter: Option<&Body>, values: &Body, out: &Body) -> Result<()>;

    /// Matrix products of `[.., m, k]` and `[.., k, n]` into `[.., m, n]`: equal batch dimensions and one dtype;
    /// `bias` is a contiguous `[n]`.
    fn matmul(&self, product: Product, a: &Body, b: &Body, bias: Option<&Body>, out: &Body) -> Result<()>;

    /// Factors every matrix of a batch, or solves with its factors. Bodies are contiguous, of the shapes and dtypes that
    /// [`Factor`] names.
    fn factorize(&self, factor: Factor, inputs: &[&Body], out: &[&Body]) -> Result<()>;

    /// Rows of a contiguous `[rows, columns]` table by contiguous int64 numbers.
    ///
    /// # Errors
    /// A number out of range; nothing is written then.
    fn take_rows(&self, table: &Body, numbers: &Body, out: &Body) -> Result<()>;

    /// Adds each contiguous row of `rows` to the row of `out` with its number, but for the number `skip`. With
    /// `by_frequency` it is divided by how often the number occurs.
    ///
    /// # Errors
    /// A number out of range; nothing is written then.
    fn add_rows(&self, rows: &Body, numbers: &Body, skip: Option<i64>, by_frequency: bool, out: &Body) -> Result<()>;

    /// Convolution of contiguous bodies.
    fn conv_forward(&self, shape: &ConvShape, x: &Body, w: &Body, bias: Option<&Body>, out: &Body) -> Result<()>;

    /// Gradient of a convolution in its input, from that of its output `g`.
    fn conv_input_grad(&self, shape: &ConvShape, g: &Body, w: &Body, out: &Body) -> Result<()>;

    /// Gradient of a convolution in its kernel, from that of its output `g`.
    fn conv_weight_grad(&self, shape: &ConvShape, x: &Body, g: &Body, out: &Body) -> Result<()>;

    /// The mean of each window of contiguous planes.
    fn avg_pool(&self, shape: &PoolShape, divisor: AverageDivisor, x: &Body, out: &Body) -> Result<()>;

    /// Gradient of [`Backend::avg_pool`] in its input, from that of its output `g`.
    fn avg_pool_grad(&self, shape: &PoolShape, divisor: AverageDivisor, g: &Body, out: &Body) -> Result<()>;

    /// The flat index in its plane of the largest element of each window, of contiguous planes.
    fn window_winners(&self, windows: &Windows, x: &Body, indices: &Body) -> Result<()>;

    /// A linear map along the middle dimension of a contiguous `[outer, n, inner]`.
    fn resample(&self, taps: &Taps, sizes: [usize; 2], x: &Body, out: &Body) -> Result<()>;

    /// The largest element of each window of contiguous planes, with its flat index in the plane.
    fn max_pool_forward(&self, shape: &PoolShape, x: &Body, out: &Body, indices: &Body) -> Result<()>;

    /// Gradient of a maximum pooling: each element of `g` goes to the index that won.
    fn max_pool_backward(&self, shape: &PoolShape, g: &Body, indices: &Body, out: &Body) -> Result<()>;

    /// One step of a long short-term memory from its gates `[n, 4 h]`, in whose place their activations come, and the cell
    /// `[n, h]`: next cell and hidden state. Bodies are contiguous, in single or double precision.
    fn lstm_step(&self, gates: &Body, cell: &Body, out: [&Body; 2]) -> Result<()>;

    /// From what [`Backend::lstm_step`] left, its `cells` before and after, and the gradient of the hidden state: adds to
    /// that of the next cell, which becomes that of the cell, and makes that of the gates. `out` are those two.
    fn lstm_step_grad(&self, gates: &Body, cells: [&Body; 2], hidden: &Body, out: [&Body; 2]) -> Result<()>;

    /// One step of an optimizer: every update, all of them in one pass.
    fn optimizer_step(&self, updates: &[Update]) -> Result<()>;
}

/// The backend of a device.
///
/// # Errors
/// The device is not there.
#[inline]
pub(crate) fn of(device: Device) -> Result<&'static dyn Backend> {
    match device {
        Device::Cpu => Ok(&cpu::Cpu),
        Device::Meta => Ok(&meta::Meta),
        Device::Mock(index) => mock::device(index).ok_or_else(|| {
            Error::runtime("device", format!("device mock:{index} is not available"))
                .remedy("call accelerator::enable_mock first; it is meant for tests")
        }),
    }
}

pub(crate) use meta::{no_data, no_item, no_repeats};
pub(crate) use mock::{device_count as mock_count, enable as enable_mock};
