//! Transposed convolution: the gradient of a convolution in its input, as an operation of its own.

use super::options::{check_kernel_size, each_dim, group_count, named};
use crate::backend::{ConvDim, ConvShape};
use crate::ops::composed;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{Dims, Error, Result, Sizes, Tensor};

/// Stride, padding, output padding, groups and dilation of a transposed convolution; PyTorch's defaults unless set.
///
/// ```
/// use firebrick_core::ConvTransposeOptions;
/// let options = ConvTransposeOptions::new().stride(2).padding(1).output_padding(1);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvTransposeOptions {
    /// Steps between neighbours of the input, seen from the output.
    pub stride: Sizes,
    /// Elements cut off on either side of the output.
    pub padding: Sizes,
    /// Elements added behind the output: which of the sizes that a convolution would round to the input's it has.
    pub output_padding: Sizes,
    /// Steps between the kernel's elements.
    pub dilation: Sizes,
    /// Groups of channels that do not mix.
    pub groups: i64,
}

impl Default for ConvTransposeOptions {
    fn default() -> Self {
        ConvTransposeOptions {
            stride: 1.into(),
            padding: 0.into(),
            output_padding: 0.into(),
            dilation: 1.into(),
            groups: 1,
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        pub fn $name(mut self, $name: impl Into<Sizes>) -> Self {
            self.$name = $name.into();
            self
        }
    )* };
}

impl ConvTransposeOptions {
    /// Stride 1, no padding, dilation 1, one group.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Steps between neighbours of the input, seen from the output.
        stride;
        /// Elements cut off on either side of the output.
        padding;
        /// Elements added behind the output.
        output_padding;
        /// Steps between the kernel's elements.
        dilation;
    }

    /// Groups of channels that do not mix.
    ///
    /// ```
    /// # use firebrick_core::{ConvTransposeOptions, Tensor};
    /// let (x, w) = (Tensor::new([[[1.0f32], [2.0]]])?, Tensor::new([[[10.0f32]], [[100.0]]])?);
    /// let options = ConvTransposeOptions::new().groups(2);
    /// assert_eq!(x.conv_transpose1d(&w, None, &options)?.to_vec::<f32>()?, [10.0, 200.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn groups(mut self, groups: i64) -> Self {
        self.groups = groups;
        self
    }
}

/// The numbers of a transposed convolution, one for each dimension, after PyTorch's checks of them alone.
struct Numbers {
    stride: Vec<i64>,
    padding: Vec<i64>,
    output_padding: Vec<i64>,
    dilation: Vec<i64>,
}

impl Numbers {
    fn new(op: &'static str, n: usize, options: &ConvTransposeOptions) -> Result<Self> {
        let refuse = |text: &str| Err(Error::runtime(op, text));
        let numbers = Numbers {
            stride: each_dim(op, "stride", &options.stride, n)?,
            padding: each_dim(op, "padding", &options.padding, n)?,
            dilation: each_dim(op, "dilation", &options.dilation, n)?,
            output_padding: each_dim(op, "output_padding", &options.output_padding, n)?,
        };
        if numbers.padding.iter().any(|&p| p < 0) {
            return refuse("negative padding is not supported");
        }
        if numbers.output_padding.iter().any(|&p| p < 0) {
            return refuse("negative output_padding is not supported");
        }
        if numbers.stride.iter().any(|&s| s <= 0) {
            return refuse("non-positive stride is not supported");
        }
        if numbers.dilation.iter().any(|&d| d < 0) {
            return refuse("dilation should be greater than zero");
        }
        let lists = [&numbers.stride, &numbers.padding, &numbers.output_padding, &numbers.dilation];
        if lists.into_iter().flatten().any(|&v| v > i64::from(i32::MAX)) {
            return refuse("integer out of range: stride, padding, output_padding and dilation must fit 32 bits");
        }
        Ok(numbers)
    }

    /// PyTorch's checks of the numbers against each other; it names one-dimensional ones as if they were two.
    fn check(&self, op: &'static str) -> Result<()> {
        let planar = |list: &[i64], one: i64| -> Vec<i64> {
            std::iter::repeat_n(one, 2usize.saturating_sub(list.len())).chain(list.iter().copied()).collect()
        };
        if self.dilation.contains(&0) {
            let sizes = named("dilation", &planar(&self.dilation, 1)).replace(' ', ", ").replace(":,", ":");
            return Err(Error::runtime(op, format!("dilation should be greater than zero, but got {sizes}")));
        }
        let misfit = |d: usize| self.output_padding[d] >= self.stride[d] && self.output_padding[d] >= self.dilation[d];
        if (0..self.stride.len()).any(misfit) {
            return Err(Error::runtime(
                op,
                format!(
                    "output padding must be smaller than either stride or dilation, but got {} {} {}",
                    named("output_padding", &planar(&self.output_padding, 0)),
                    named("stride", &planar(&self.stride, 1)),
                    named("dilation", &planar(&self.dilation, 1))
                ),
            ));
        }
        Ok(())
    }
}

/// The convolution that a transposed one is the input gradient of: its input is this one's output.
fn shape_of(
    op: &'static str,
    input: &Dims,
    weight: &Dims,
    bias: Option<&Dims>,
    options: &ConvTransposeOptions,
) -> Result<ConvShape> {
    let n = weight.len() - 2;
    let refuse = |text: String| Err(Error::runtime(op, text));
    let numbers = Numbers::new(op, n, options)?;
    let groups = group_count(op, weight, options.groups)?;
    if input[1] != weight[0] {
        return refuse(format!(
            "Given transposed=1, weight of size {weight:?}, expected input{input:?} to have {} channels, but got {} channels instead",
            weight[0], input[1]
        ));
    }
    let channels = weight[1].saturating_mul(groups);
    if let Some(bias) = bias.filter(|bias| bias.len() != 1 || bias[0] != channels) {
        return refuse(format!(
            "Given transposed=1, weight of size {weight:?}, expected bias to be 1-dimensional with {channels} elements, but got bias of size {bias:?} instead"
        ));
    }
    check_kernel_size(op, weight)?;
    numbers.check(op)?;
    if weight[1] == 0 {
        let ranks = if n == 3 { "4D or 5D" } else { "2D or 4D" };
        return refuse(format!("non-empty {ranks} weight tensor expected, but got: {weight:?}"));
    }
    if input[2..].contains(&0) {
        return refuse(format!("Only zero batch or zero channel inputs are supported, but got input shape: {input:?}"));
    }
    let sizes: Vec<i64> = (0..n)
        .map(|d| {
            let reach = numbers.dilation[d].saturating_mul(weight[d + 2] as i64 - 1).saturating_add(1);
            let spread = (input[d + 2] as i64 - 1).saturating_mul(numbers.stride[d]).saturating_add(reach);
            spread.saturating_sub(2 * numbers.padding[d]).saturating_add(numbers.output_padding[d])
        })
        .collect();
    if sizes.iter().any(|&size| size < 1) {
        let padded = |sizes: Vec<String>| {
            std::iter::repeat_n("1".to_owned(), 2usize.saturating_sub(n)).chain(sizes).collect::<Vec<_>>().join(" x ")
        };
        return refuse(format!(
            "Given input size per channel: ({}). Calculated output size per channel: ({}). Output size is too small",
            padded(input[2..].iter().map(usize::to_string).collect()),
            padded(sizes.iter().map(i64::to_string).collect())
        ));
    }
    let out: Dims = [input[0], channels].into_iter().chain(sizes.iter().map(|&size| size as usize)).collect();
    out.checked_numel(op)?;
    let dims: Vec<ConvDim> = (0..n)
        .map(|d| ConvDim {
            input: sizes[d] as usize,
            kernel: weight[d + 2],
            stride: numbers.stride[d] as usize,
            padding: numbers.padding[d] as usize,
            dilation: numbers.dilation[d] as usize,
        })
        .collect();
    let mut shape = ConvShape::new(input[0], groups, [channels, weight[0]], &dims);
    // With more output padding than stride a convolution would see further places behind the last one.
    shape.output[3 - n..].copy_from_slice(&input[2..]);
    Ok(shape)
}

fn conv_transpose(
    op: &'static str,
    n: usize,
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    options: &ConvTransposeOptions,
) -> Result<Tensor> {
    let (x, weight) = (x.resolve(op)?, weight.resolve(op)?);
    let bias = bias.map(|b| b.resolve(op)).transpose()?;
    let (sx, sw) = (x.shape(), weight.shape());
    let (unbatched, batched) = (n + 1, n + 2);
    if sw.len() < 3 {
        return Err(Error::runtime(op, "weight should have at least three dimensions"));
    }
    if sx.len() != unbatched && sx.len() != batched {
        let text = format!(
            "Expected {unbatched}D (unbatched) or {batched}D (batched) input to {op}, but got input of size: {sx:?}"
        );
        return Err(Error::runtime(op, text));
    }
    if sw.len() != batched {
        // PyTorch finds the lists of numbers to be of the wrong length first.
        let (count, ones) = (sw.len() - 2, vec![1; n]);
        let text = format!(
            "expected stride to be a single integer value or a list of {count} values to match the convolution dimensions, but got stride={ones:?}"
        );
        return Err(Error::runtime(op, text));
    }
    let with_batch = sx.len() == batched;
    let x = if with_batch { x } else { x.unsqueeze(0)? };
    let shape = shape_of(op, &x.shape(), &sw, bias.as_ref().map(|b| b.shape()).as_ref(), options)?;
    let mut out = x.conv_input(&weight, shape)?;
    if let Some(bias) = &bias {
        let mut by_channel = vec![1i64; batched];
        by_channel[1] = -1;
        out = out.add(&bias.to(out.dtype())?.reshape(by_channel)?)?;
    }
    if with_batch { Ok(out) } else { out.squeeze_dim(0) }
}

fn samples(
    n: usize,
    f: fn(&Tensor, &Tensor, Option<&Tensor>, &ConvTransposeOptions) -> Result<Tensor>,
) -> Result<Vec<Sample>> {
    let input = |batch: usize| -> Vec<usize> { [batch, 2].into_iter().chain(std::iter::repeat_n(3, n)).collect() };
    let kernel: Vec<usize> = [2, 2].into_iter().chain(std::iter::repeat_n(2, n)).collect();
    let sample = |traits: Trait, x: Tensor, options: ConvTransposeOptions| -> Result<Sample> {
        let inputs = vec![x, ANY.tensor(&kernel, 1)?, ANY.tensor(&[2], 2)?];
        Ok(sample::one(traits, inputs, move |x| f(&x[0], &x[1], Some(&x[2]), &options)))
    };
    let strided = ConvTransposeOptions::new().stride(2).padding(1).output_padding(1);
    let dilated = ConvTransposeOptions::new().dilation(2).output_padding(1);
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&input(1), 3)?, strided)?,
        sample(Trait::Plain, ANY.tensor(&input(1)[1..], 4)?, dilated)?,
        sample(Trait::Strided, ANY.strided(&input(1), 5)?, ConvTransposeOptions::new())?,
        sample(Trait::Empty, ANY.tensor(&input(0), 6)?, ConvTransposeOptions::new())?,
    ])
}

composed! {
    table: TRANSPOSED;

    /// Transposed convolution over one dimension: `[N, C_in, L] -> [N, C_out, L_out]`, or without `N`.
    ///
    /// ```
    /// # use firebrick_core::{ConvTransposeOptions, Tensor};
    /// let (x, weight) = (Tensor::new([[[1.0f32, 2.0]]])?, Tensor::new([[[3.0f32]]])?);
    /// let options = ConvTransposeOptions::new().dilation(2).output_padding(1);
    /// assert_eq!(x.conv_transpose1d(&weight, None, &options)?.to_vec::<f32>()?, [3.0, 6.0, 0.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn conv_transpose1d(&x, weight: &Tensor, bias: Option<&Tensor>, options: &ConvTransposeOptions) -> Tensor {
        conv_transpose("conv_transpose1d", 1, x, weight, bias, options)
    }
    samples: samples(1, |x, w, b, o| x.conv_transpose1d(w, b, o));

    /// Transposed convolution over two dimensions: `[N, C_in, H, W] -> [N, C_out, H_out, W_out]`, or without `N`.
    ///
    /// Each element of the input adds the kernel `[C_in, C_out / groups, *]`, scaled by it, to the output: the gradient of
    /// a convolution in its input. `H_out = (H - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// # use firebrick_core::{ConvTransposeOptions, Tensor};
    /// let (x, w) = (Tensor::new([[[1.0f32, 2.0]]])?, Tensor::ones([1, 1, 1, 2])?);
    /// let y = x.conv_transpose2d(&w, None, &ConvTransposeOptions::new())?;
    /// assert_eq!(y.to_vec::<f32>()?, [1.0, 3.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn conv_transpose2d(&x, weight: &Tensor, bias: Option<&Tensor>, options: &ConvTransposeOptions) -> Tensor {
        conv_transpose("conv_transpose2d", 2, x, weight, bias, options)
    }
    samples: samples(2, |x, w, b, o| x.conv_transpose2d(w, b, o));

    /// Transposed convolution over three dimensions: `[N, C_in, D, H, W] -> [N, C_out, D_out, H_out, W_out]`, or without
    /// `N`.
    ///
    /// ```
    /// # use firebrick_core::{ConvTransposeOptions, Tensor};
    /// let (x, w) = (Tensor::ones([1, 2, 2, 2])?, Tensor::ones([1, 3, 2, 2, 2])?);
    /// assert_eq!(x.conv_transpose3d(&w, None, &ConvTransposeOptions::new().stride(2))?.shape(), [3, 4, 4, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn conv_transpose3d(&x, weight: &Tensor, bias: Option<&Tensor>, options: &ConvTransposeOptions) -> Tensor {
        conv_transpose("conv_transpose3d", 3, x, weight, bias, options)
    }
    samples: samples(3, |x, w, b, o| x.conv_transpose3d(w, b, o));
}
