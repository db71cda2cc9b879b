//! How a convolution is asked for, and PyTorch's checks.

use crate::backend::{ConvDim, ConvShape};
use crate::{Dims, Error, Result, Sizes};
use std::str::FromStr;

/// What surrounds the input of a convolution.
///
/// ```
/// # use firebrick_core::{ConvOptions, Padding, Tensor};
/// let (x, w) = (Tensor::new([[[1.0f32, 2.0, 3.0]]])?, Tensor::new([[[1.0f32, 1.0, 1.0]]])?);
/// assert_eq!(x.conv1d(&w, None, &ConvOptions::new().padding(Padding::Same))?.to_vec::<f32>()?, [3.0, 6.0, 5.0]);
/// assert_eq!(x.conv1d(&w, None, &ConvOptions::new().padding(Padding::Valid))?.to_vec::<f32>()?, [6.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Padding {
    /// So many zeros on either side, one number for all dimensions or one for each.
    Zeros(Sizes),
    /// As many zeros as make the output as large as the input (`padding='same'`).
    Same,
    /// None (`padding='valid'`).
    Valid,
}

impl<T: Into<Sizes>> From<T> for Padding {
    fn from(zeros: T) -> Self {
        Padding::Zeros(zeros.into())
    }
}

impl FromStr for Padding {
    type Err = Error;

    /// The padding of PyTorch's name, `same` or `valid`.
    fn from_str(name: &str) -> Result<Self> {
        match name {
            "same" => Ok(Padding::Same),
            "valid" => Ok(Padding::Valid),
            _ => {
                let message = format!("Invalid padding string '{name}', should be one of {{'same', 'valid'}}");
                Err(Error::value("padding", message))
            }
        }
    }
}

/// Stride, padding, dilation and groups of a convolution; PyTorch's defaults unless set.
///
/// ```
/// use firebrick_core::{ConvOptions, Padding};
/// let options = ConvOptions::new().stride(2).padding([1, 0]);
/// let same = ConvOptions::new().padding(Padding::Same);
/// # let _ = (options, same);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvOptions {
    /// Steps of the kernel.
    pub stride: Sizes,
    /// What surrounds the input.
    pub padding: Padding,
    /// Steps between the kernel's elements.
    pub dilation: Sizes,
    /// Groups of channels that do not mix.
    pub groups: i64,
}

impl Default for ConvOptions {
    fn default() -> Self {
        ConvOptions { stride: 1.into(), padding: Padding::Zeros(0.into()), dilation: 1.into(), groups: 1 }
    }
}

impl ConvOptions {
    /// Stride 1, no padding, dilation 1, one group.
    pub fn new() -> Self {
        Self::default()
    }

    /// Steps of the kernel.
    ///
    /// ```
    /// # use firebrick_core::{ConvOptions, Tensor};
    /// let (x, w) = (Tensor::new([[[1.0f32, 2.0, 3.0]]])?, Tensor::new([[[10.0f32]]])?);
    /// assert_eq!(x.conv1d(&w, None, &ConvOptions::new().stride(2))?.to_vec::<f32>()?, [10.0, 30.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn stride(mut self, stride: impl Into<Sizes>) -> Self {
        self.stride = stride.into();
        self
    }

    /// What surrounds the input.
    ///
    /// ```
    /// # use firebrick_core::{ConvOptions, Tensor};
    /// let (x, w) = (Tensor::new([[[1.0f32, 2.0]]])?, Tensor::new([[[10.0f32]]])?);
    /// assert_eq!(x.conv1d(&w, None, &ConvOptions::new().padding(1))?.to_vec::<f32>()?, [0.0, 10.0, 20.0, 0.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn padding(mut self, padding: impl Into<Padding>) -> Self {
        self.padding = padding.into();
        self
    }

    /// Steps between the kernel's elements.
    ///
    /// ```
    /// # use firebrick_core::{ConvOptions, Tensor};
    /// let (x, w) = (Tensor::new([[[1.0f32, 2.0, 3.0]]])?, Tensor::new([[[1.0f32, 1.0]]])?);
    /// assert_eq!(x.conv1d(&w, None, &ConvOptions::new().dilation(2))?.to_vec::<f32>()?, [4.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn dilation(mut self, dilation: impl Into<Sizes>) -> Self {
        self.dilation = dilation.into();
        self
    }

    /// Groups of channels that do not mix.
    ///
    /// ```
    /// # use firebrick_core::{ConvOptions, Tensor};
    /// let (x, w) = (Tensor::new([[[1.0f32], [2.0]]])?, Tensor::new([[[10.0f32]], [[100.0]]])?);
    /// assert_eq!(x.conv1d(&w, None, &ConvOptions::new().groups(2))?.to_vec::<f32>()?, [10.0, 200.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn groups(mut self, groups: i64) -> Self {
        self.groups = groups;
        self
    }
}

/// One number for each of `n` dimensions, from one for all or one for each.
pub(super) fn each_dim(op: &'static str, name: &str, sizes: &[i64], n: usize) -> Result<Vec<i64>> {
    match sizes {
        [one] => Ok(vec![*one; n]),
        list if list.len() == n => Ok(list.to_vec()),
        list => Err(Error::runtime(
            op,
            format!(
                "expected {name} to be a single integer value or a list of {n} values to match the convolution dimensions, but got {name}={list:?}"
            ),
        )),
    }
}

/// The number of groups, which must divide the first dimension of the weight.
pub(super) fn group_count(op: &'static str, weight: &Dims, groups: i64) -> Result<usize> {
    let refuse = |text: String| Err(Error::runtime(op, text));
    if groups <= 0 {
        return refuse("non-positive groups is not supported".into());
    }
    let groups = groups as usize;
    if weight[0] < groups {
        return refuse(format!(
            "Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size {weight:?} instead"
        ));
    }
    if !weight[0].is_multiple_of(groups) {
        return refuse(format!(
            "Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size [{weight:?}] instead"
        ));
    }
    Ok(groups)
}

/// Refuses kernels without elements.
pub(super) fn check_kernel_size(op: &'static str, weight: &Dims) -> Result<()> {
    if !weight[2..].contains(&0) {
        return Ok(());
    }
    let text = format!("kernel size should be greater than zero, but got {}", named("kernel", &weight[2..]));
    Err(Error::runtime(op, text))
}

/// `kernel_height: 3 kernel_width: 2`: a number for each dimension.
pub(super) fn named<T: std::fmt::Display>(what: &str, sizes: &[T]) -> String {
    let axes = ["depth", "height", "width"];
    let sizes = axes[3 - sizes.len()..].iter().zip(sizes).map(|(axis, size)| format!("{what}_{axis}: {size}"));
    sizes.collect::<Vec<_>>().join(" ")
}

/// The sizes of a convolution of a batched `input` with `weight`, after all of PyTorch's checks.
pub(crate) fn conv_shape(
    op: &'static str,
    input: &Dims,
    weight: &Dims,
    bias: Option<&Dims>,
    options: &ConvOptions,
) -> Result<ConvShape> {
    let n = weight.len() - 2;
    let stride = each_dim(op, "stride", &options.stride, n)?;
    let dilation = each_dim(op, "dilation", &options.dilation, n)?;
    let zeros = match &options.padding {
        Padding::Zeros(zeros) => each_dim(op, "padding", zeros, n)?,
        Padding::Same | Padding::Valid => vec![0; n],
    };
    let refuse = |text: String| Err(Error::runtime(op, text));
    if options.padding == Padding::Same && stride.iter().any(|&s| s != 1) {
        return refuse("padding='same' is not supported for strided convolutions".into());
    }
    if zeros.iter().any(|&p| p < 0) {
        return refuse("negative padding is not supported".into());
    }
    if stride.iter().any(|&s| s <= 0) {
        return refuse("non-positive stride is not supported".into());
    }
    if dilation.iter().any(|&d| d < 0) {
        return refuse("dilation should be greater than zero".into());
    }
    if dilation.contains(&0) {
        // One-dimensional convolutions run as two-dimensional ones in PyTorch, and say so here.
        let planar: Vec<i64> = std::iter::repeat_n(1, 2usize.saturating_sub(n)).chain(dilation).collect();
        return refuse(format!("dilation should be greater than zero, but got {planar:?}"));
    }
    let groups = group_count(op, weight, options.groups)?;
    let channels = weight[1].saturating_mul(groups);
    if input[1] != channels {
        return refuse(format!(
            "Given groups={groups}, weight of size {weight:?}, expected input{input:?} to have {} channels, but got {} channels instead",
            channels, input[1]
        ));
    }
    if let Some(bias) = bias.filter(|bias| bias.len() != 1 || bias[0] != weight[0]) {
        return refuse(format!(
            "Given weight of size {weight:?}, expected bias to be 1-dimensional with {} elements, but got bias of size {bias:?} instead",
            weight[0]
        ));
    }
    check_kernel_size(op, weight)?;
    // Places within the padded input are counted in 64 bits.
    let limit = i64::from(i32::MAX);
    if [&stride, &zeros, &dilation].into_iter().flatten().any(|&v| v > limit) {
        return refuse(format!("integer out of range: stride {stride:?}, padding {zeros:?}, dilation {dilation:?}"));
    }
    let mut dims: Vec<ConvDim> = Vec::with_capacity(n);
    for d in 0..n {
        dims.push(ConvDim {
            input: input[d + 2],
            kernel: weight[d + 2],
            stride: stride[d] as usize,
            padding: zeros[d] as usize,
            dilation: dilation[d] as usize,
        });
    }
    let padded = |d: &ConvDim| d.input.saturating_add(d.padding.saturating_mul(2));
    let reach = |d: &ConvDim| d.dilation.saturating_mul(d.kernel.saturating_sub(1)).saturating_add(1);
    let misfit = |d: &ConvDim| padded(d) < reach(d) || d.input == 0;
    if options.padding != Padding::Same && dims.iter().any(misfit) {
        let list =
            |f: &dyn Fn(&ConvDim) -> usize| dims.iter().map(|d| f(d).to_string()).collect::<Vec<_>>().join(" x ");
        return refuse(format!(
            "Calculated padded input size per channel: ({}). Kernel size: ({}). Kernel size can't be greater than actual input size",
            list(&padded),
            list(&reach)
        ));
    }
    let mut shape = ConvShape::new(input[0], groups, [input[1], weight[0]], &dims);
    if options.padding == Padding::Same {
        // The odd zero goes behind the input, which the size of the output implies.
        for (d, dim) in dims.iter().enumerate() {
            let axis = 3 - n + d;
            shape.padding[axis] = dim.dilation.saturating_mul(dim.kernel - 1) / 2;
            shape.output[axis] = dim.input;
        }
    }
    Ok(shape)
}
