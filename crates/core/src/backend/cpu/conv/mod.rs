//! Convolutions in one to three dimensions: forward and both gradients.
//!
//! No matrix of patches is built. The source is copied once, padded and with its strides taken apart
//! (`planes`); then each kernel tap is a fixed distance, and the microkernels of the matrix product read
//! the copy through a table of distances. The gradient with respect to the input is the same computation on the
//! gradient of the output, once for each residue of the stride (`correlate`); it also serves as the
//! forward pass of a transposed convolution. The gradient with respect to the weight sums over pixels
//! (`weight_grad`). Kernels of 3x3 in single precision go by tiles, with a quarter of the multiplications, where
//! channels and pixels are many ([`winograd`]). All layouts are PyTorch's: `[batch, channels, spatial ...]`, contiguous.
#![allow(unsafe_code)] // Microkernels on raw pointers.

mod correlate;
mod planes;
mod strips;
mod weight_grad;
pub(super) mod winograd;

#[cfg(test)]
mod tests;

use correlate::{Correlation, Target, Weights};
use planes::Axis;

use super::float::Float;
use super::gemm::kernels::Kernels;
use super::gemm::{Bias, Gemm, Mat, MatMut};

/// The sizes of a convolution. One- and two-dimensional ones have leading spatial dimensions of size 1, kernel 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvShape {
    /// Number of images.
    pub(crate) batch: usize,
    /// Groups of channels that do not mix.
    pub(crate) groups: usize,
    /// Channels of the input, of all groups.
    pub(crate) in_channels: usize,
    /// Channels of the output, of all groups.
    pub(crate) out_channels: usize,
    /// Spatial sizes of the input.
    pub(crate) input: [usize; 3],
    /// Spatial sizes of the kernel.
    pub(crate) kernel: [usize; 3],
    /// Steps between neighbours of the output.
    pub(crate) stride: [usize; 3],
    /// Zeros before the first element of the input; those after the last follow from the size of the output.
    pub(crate) padding: [usize; 3],
    /// Steps between neighbours of the kernel.
    pub(crate) dilation: [usize; 3],
    /// Spatial sizes of the output.
    pub(crate) output: [usize; 3],
}

/// What a kernel tap sees along one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvDim {
    /// Size of the input.
    pub(crate) input: usize,
    /// Size of the kernel.
    pub(crate) kernel: usize,
    /// Step between neighbours of the output, at least 1.
    pub(crate) stride: usize,
    /// Zeros on either side of the input.
    pub(crate) padding: usize,
    /// Step between neighbours of the kernel, at least 1.
    pub(crate) dilation: usize,
}

impl ConvDim {
    /// `floor((input + 2 padding - dilation (kernel - 1) - 1) / stride) + 1`, or zero if the kernel does not fit.
    pub fn output(&self) -> usize {
        let reach = self.dilation.saturating_mul(self.kernel.saturating_sub(1)).saturating_add(1);
        self.input.saturating_add(2 * self.padding).checked_sub(reach).map_or(0, |free| free / self.stride + 1)
    }
}

/// Elements of these sizes; without images they may be more than there is memory for.
pub(crate) fn product_of(sizes: [usize; 3]) -> usize {
    sizes.iter().fold(1, |product: usize, &size| product.saturating_mul(size))
}

impl ConvShape {
    /// The sizes of a convolution over up to three dimensions, given from the outermost to the innermost.
    pub(crate) fn new(batch: usize, groups: usize, [in_channels, out_channels]: [usize; 2], dims: &[ConvDim]) -> Self {
        let none = ConvDim { input: 1, kernel: 1, stride: 1, padding: 0, dilation: 1 };
        let mut all = [none; 3];
        let given = dims.len().min(3);
        all[3 - given..].copy_from_slice(&dims[dims.len() - given..]);
        ConvShape {
            batch,
            groups,
            in_channels,
            out_channels,
            input: all.map(|d| d.input),
            kernel: all.map(|d| d.kernel),
            stride: all.map(|d| d.stride),
            padding: all.map(|d| d.padding),
            dilation: all.map(|d| d.dilation),
            output: all.map(|d| d.output()),
        }
    }

    /// Elements of one channel of the input.
    pub fn input_size(&self) -> usize {
        product_of(self.input)
    }

    /// Elements of one channel of the output.
    pub fn output_size(&self) -> usize {
        product_of(self.output)
    }

    /// Elements of the kernel for one pair of channels.
    pub fn kernel_size(&self) -> usize {
        product_of(self.kernel)
    }

    /// Elements of the input, the weight and the output.
    pub fn lens(&self) -> [usize; 3] {
        let weight = self.out_channels * (self.in_channels / self.groups) * self.kernel_size();
        let [input, output] = [self.in_channels * self.input_size(), self.out_channels * self.output_size()];
        [self.batch * input, weight, self.batch * output]
    }

    /// Channels of one group of the input and of the output.
    fn group_channels(&self) -> [usize; 2] {
        [self.in_channels / self.groups, self.out_channels / self.groups]
    }

    /// Whether the convolution is a matrix product on each image as it is. The output padding of a transposed one makes
    /// its images differ in size.
    fn is_product(&self) -> bool {
        self.kernel == [1; 3] && self.stride == [1; 3] && self.padding == [0; 3] && self.input == self.output
    }

    /// How the output is gathered from the input, along each dimension.
    fn forward_axes(&self) -> [Axis; 3] {
        [0, 1, 2].map(|d| {
            let tap = |k: usize| (k * self.dilation[d]) as isize - self.padding[d] as isize;
            Axis::new(self.input[d], self.stride[d], self.output[d], (0..self.kernel[d]).map(tap).collect())
        })
    }

    fn check(&self, lens: [usize; 3]) {
        assert_eq!(lens, self.lens(), "slices of input, weight and output must have the lengths of {self:?}");
    }
}

/// `output = weight * input + bias`: cross-correlation, as in PyTorch.
///
/// # Panics
/// If a slice does not have the length that the shape says.
pub fn conv_forward<T: Float>(s: &ConvShape, input: &[T], weight: &[T], bias: Option<&[T]>, output: &mut [T]) {
    s.check([input.len(), weight.len(), output.len()]);
    assert!(bias.is_none_or(|b| b.len() == s.out_channels), "bias must have one element for each output channel");
    forward_with(T::kernels(), s, input, weight, bias, output);
}

fn forward_with<T: Float>(
    kernels: &'static Kernels<T>,
    s: &ConvShape,
    input: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    output: &mut [T],
) {
    let [channels, rows] = s.group_channels();
    if s.is_product() {
        return product(kernels, s, [rows, channels], [channels as isize, 1], weight, bias, (input, output));
    }
    forward_correlation(kernels, s, weight, bias).run(input, output);
}

/// The forward computation of any kernel.
fn forward_correlation<'a, T: Float>(
    kernels: &'static Kernels<T>,
    s: &ConvShape,
    weight: &'a [T],
    bias: Option<&'a [T]>,
) -> Correlation<'a, T> {
    let [channels, rows] = s.group_channels();
    let taps = s.kernel_size();
    let weights = Weights {
        values: weight,
        row: channels * taps,
        channel: taps,
        group: rows * channels * taps,
        taps: (0..taps).collect(),
    };
    let [_, y, x] = s.output;
    let target = Target { start: 0, steps: [y * x, x, 1], channel: s.output_size() };
    Correlation {
        kernels,
        images: s.batch,
        groups: s.groups,
        channels,
        rows,
        axes: s.forward_axes(),
        weights,
        bias,
        target,
    }
}

/// The gradient of the input of a convolution, from that of its output; with `bias`, one element for each input
/// channel, the forward pass of a transposed convolution whose input is `grad_output`.
///
/// # Panics
/// If a slice does not have the length that the shape says.
pub fn conv_input_grad<T: Float>(
    s: &ConvShape,
    grad_output: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    grad_input: &mut [T],
) {
    s.check([grad_input.len(), weight.len(), grad_output.len()]);
    assert!(bias.is_none_or(|b| b.len() == s.in_channels), "bias must have one element for each input channel");
    input_grad_with(T::kernels(), s, grad_output, weight, bias, grad_input);
}

fn input_grad_with<T: Float>(
    kernels: &'static Kernels<T>,
    s: &ConvShape,
    grad_output: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    grad_input: &mut [T],
) {
    let [rows, channels] = s.group_channels();
    if s.is_product() {
        return product(kernels, s, [rows, channels], [1, rows as isize], weight, bias, (grad_output, grad_input));
    }
    for correlation in input_grad_correlations(kernels, s, weight, bias) {
        correlation.run(grad_output, grad_input);
    }
}

/// The computations of the gradient of the input for any kernel.
fn input_grad_correlations<'a, T: Float>(
    kernels: &'static Kernels<T>,
    s: &'a ConvShape,
    weight: &'a [T],
    bias: Option<&'a [T]>,
) -> impl Iterator<Item = Correlation<'a, T>> {
    let [rows, channels] = s.group_channels();
    let taps = s.kernel_size();
    let [_, y_size, x_size] = s.input;
    // Positions of the input with the same residue of the stride see the same taps, at steps of one.
    let residues = [0, 1, 2].map(|d| s.stride[d].min(s.input[d]));
    (0..residues.iter().product::<usize>()).map(move |i| split(i, residues)).map(move |residue| {
        let seen = [0, 1, 2].map(|d| taps_of_residue(s, d, residue[d]));
        let index = |[z, y, x]: [usize; 3]| (seen[0][z].0 * s.kernel[1] + seen[1][y].0) * s.kernel[2] + seen[2][x].0;
        let counts = [0, 1, 2].map(|d| seen[d].len());
        let used = (0..counts.iter().product::<usize>()).map(|i| index(split(i, counts))).collect();
        let axes = [0, 1, 2].map(|d| {
            let grid = (s.input[d] - residue[d]).div_ceil(s.stride[d]);
            Axis::new(s.output[d], 1, grid, seen[d].iter().map(|tap| tap.1).collect())
        });
        let target = Target {
            start: (residue[0] * y_size + residue[1]) * x_size + residue[2],
            steps: [s.stride[0] * y_size * x_size, s.stride[1] * x_size, s.stride[2]],
            channel: s.input_size(),
        };
        let weights =
            Weights { values: weight, row: taps, channel: rows * taps, group: rows * channels * taps, taps: used };
        Correlation { kernels, images: s.batch, groups: s.groups, channels, rows, axes, weights, bias, target }
    })
}

/// The kernel taps that reach positions of the input with this residue, and the distance to the output they come from.
fn taps_of_residue(s: &ConvShape, d: usize, residue: usize) -> Vec<(usize, isize)> {
    let stride = s.stride[d] as isize;
    let reach = |k: usize| (residue + s.padding[d]) as isize - (k * s.dilation[d]) as isize;
    let hits = (0..s.kernel[d]).filter(|&k| reach(k) % stride == 0);
    hits.map(|k| (k, reach(k) / stride)).collect()
}

/// The coordinates of an element by its number.
fn split(index: usize, [_, y, x]: [usize; 3]) -> [usize; 3] {
    [index / (y * x), index / x % y, index % x]
}

/// A convolution with a kernel of one element: `to = w from + bias` on each image, where `w` has `rows` rows and is read
/// with `strides`.
fn product<T: Float>(
    kernels: &'static Kernels<T>,
    s: &ConvShape,
    [rows, channels]: [usize; 2],
    strides: [isize; 2],
    weight: &[T],
    bias: Option<&[T]>,
    (from, to): (&[T], &mut [T]),
) {
    let size = s.input_size();
    let start = to.as_mut_ptr();
    for group in 0..s.groups {
        let image = |channels: usize| (channels * s.groups * size) as isize;
        let a = Mat::new(weight[group * rows * channels..].as_ptr(), strides[0], strides[1]);
        let b = Mat::new(from.as_ptr().wrapping_add(group * channels * size), size as isize, 1);
        let c = MatMut::new(start.wrapping_add(group * rows * size), size as isize, 1);
        let mut gemm =
            Gemm::new([rows, size, channels], a, b.batched([0, image(channels)]), c.batched([0, image(rows)]));
        gemm.batch = [1, s.batch];
        gemm.bias = bias.map(|bias| Bias::Row(bias[group * rows..].as_ptr()));
        // SAFETY: the slices have the lengths of the shape, and each group has its own channels.
        unsafe { gemm.run_with(kernels) }
    }
}

/// The gradient of the weight of a convolution, summed over the batch.
///
/// The order of the sum depends on the shape alone: the result does not depend on the number of threads.
///
/// # Panics
/// If a slice does not have the length that the shape says.
pub fn conv_weight_grad<T: Float>(s: &ConvShape, input: &[T], grad_output: &[T], grad_weight: &mut [T]) {
    s.check([input.len(), grad_weight.len(), grad_output.len()]);
    weight_grad::run(T::kernels(), s, input, grad_output, grad_weight);
}
