//! How a pooling is asked for, and PyTorch's checks.

use crate::backend::PoolShape;
use crate::{Dims, Error, Result, Sizes};

/// Stride, padding, dilation and rounding of a pooling; PyTorch's defaults unless set.
///
/// ```
/// use firebrick_core::PoolOptions;
/// let options = PoolOptions::new().stride(1).padding(1).ceil_mode(true);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// Steps of the window; the window's own size unless set.
    pub stride: Option<Sizes>,
    /// Elements around the input that never win.
    pub padding: Sizes,
    /// Steps between the window's elements.
    pub dilation: Sizes,
    /// Round the output's size up rather than down?
    pub ceil_mode: bool,
}

impl Default for PoolOptions {
    fn default() -> Self {
        PoolOptions { stride: None, padding: 0.into(), dilation: 1.into(), ceil_mode: false }
    }
}

impl PoolOptions {
    /// The window's own size as stride, no padding, dilation 1, sizes rounded down.
    pub fn new() -> Self {
        Self::default()
    }

    /// Steps of the window.
    ///
    /// ```
    /// # use firebrick_core::{PoolOptions, Tensor};
    /// let x = Tensor::new([[1.0f32, 3.0, 2.0]])?;
    /// assert_eq!(x.max_pool1d(2, &PoolOptions::new().stride(1))?.to_vec::<f32>()?, [3.0; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn stride(mut self, stride: impl Into<Sizes>) -> Self {
        self.stride = Some(stride.into());
        self
    }

    /// Elements around the input that never win.
    ///
    /// ```
    /// # use firebrick_core::{PoolOptions, Tensor};
    /// let x = Tensor::new([[-1.0f32, -3.0]])?;
    /// assert_eq!(x.max_pool1d(2, &PoolOptions::new().padding(1))?.to_vec::<f32>()?, [-1.0, -3.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn padding(mut self, padding: impl Into<Sizes>) -> Self {
        self.padding = padding.into();
        self
    }

    /// Steps between the window's elements.
    ///
    /// ```
    /// # use firebrick_core::{PoolOptions, Tensor};
    /// let x = Tensor::new([[1.0f32, 3.0, 2.0]])?;
    /// assert_eq!(x.max_pool1d(2, &PoolOptions::new().dilation(2))?.to_vec::<f32>()?, [2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn dilation(mut self, dilation: impl Into<Sizes>) -> Self {
        self.dilation = dilation.into();
        self
    }

    /// Round the output's size up?
    ///
    /// ```
    /// # use firebrick_core::{PoolOptions, Tensor};
    /// let x = Tensor::new([[1.0f32, 3.0, 2.0]])?;
    /// assert_eq!(x.max_pool1d(2, &PoolOptions::new().ceil_mode(true))?.to_vec::<f32>()?, [3.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn ceil_mode(mut self, on: bool) -> Self {
        self.ceil_mode = on;
        self
    }
}

/// Size of the output along one dimension.
fn output_size(input: i64, kernel: i64, stride: i64, padding: i64, dilation: i64, ceil_mode: bool) -> i64 {
    let [input, kernel, stride, padding, dilation] = [input, kernel, stride, padding, dilation].map(i128::from);
    let free = input + 2 * padding - dilation * (kernel - 1) - 1 + if ceil_mode { stride - 1 } else { 0 };
    let out = free.div_euclid(stride) + 1;
    // The last window must start inside the input or its left padding.
    let out = if ceil_mode && (out - 1) * stride >= input + padding { out - 1 } else { out };
    out.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// The checks of a pooling over one dimension, which PyTorch words differently.
fn check_line(op: &'static str, kernel: i64, stride: i64, padding: i64, dilation: i64) -> Result<()> {
    let refuse = |text: String| Err(Error::runtime(op, format!("{op}() {text}")));
    for (name, value) in [("kernel_size", kernel), ("stride", stride)] {
        if value <= 0 {
            return refuse(format!("{name} must be greater than zero, but got {value}"));
        }
    }
    if padding < 0 {
        return refuse(format!("padding must be non-negative, but got {padding}"));
    }
    if padding > kernel / 2 {
        return refuse(format!(
            "padding should be at most half of kernel size, but got padding={padding} and kernel_size={kernel}"
        ));
    }
    if dilation <= 0 {
        return refuse(format!("dilation must be greater than zero, but got {dilation}"));
    }
    if dilation.checked_mul(kernel - 1).is_none() {
        let text = format!("effective kernel size overflows, but got kernel_size={kernel} and dilation={dilation}");
        return Err(Error::runtime(op, text));
    }
    Ok(())
}

/// PyTorch's kernels count in 32 bits.
fn check_width(op: &'static str, lists: &[&[i64]]) -> Result<()> {
    match lists.iter().copied().flatten().any(|&v| i32::try_from(v).is_err()) {
        true => {
            Err(Error::runtime(op, "value cannot be converted to type int without overflow")
                .given(format!("{lists:?}")))
        }
        false => Ok(()),
    }
}

/// PyTorch's second look at the padding, which leaves the dilation out.
fn check_padding(op: &'static str, kernel: &[i64], padding: &[i64]) -> Result<()> {
    if kernel.iter().zip(padding).all(|(kernel, padding)| *padding <= kernel / 2) {
        return Ok(());
    }
    let text = "pad should be smaller than or equal to half of kernel size, but got";
    Err(Error::runtime(
        op,
        match (kernel, padding) {
            // The widths stand in this order in PyTorch's sentences.
            ([t, h, w], [pt, ph, pw]) => format!("{text} kT: {t} kW: {w} kH: {h} padT: {pt} padW: {pw} padH: {ph}"),
            ([h, w], [ph, pw]) => format!("{text} padW = {pw}, padH = {ph}, kW = {w}, kH = {h}"),
            _ => format!("{text} {padding:?} of {kernel:?}"),
        },
    ))
}

/// The window of a pooling, with one number for each dimension.
pub(crate) struct Window {
    kernel: Vec<i64>,
    stride: Vec<i64>,
    padding: Vec<i64>,
    dilation: Vec<i64>,
    ceil_mode: bool,
}

impl Window {
    pub(super) fn kernel(&self) -> &[i64] {
        &self.kernel
    }

    pub(super) fn padding(&self) -> &[i64] {
        &self.padding
    }
}

/// `kH: 3 kW: 2`: a number for each dimension.
pub(super) fn named_sizes(prefix: &str, list: &[i64]) -> String {
    let axes = ["T", "H", "W"][3 - list.len()..].iter();
    axes.zip(list).map(|(axis, v)| format!("{prefix}{axis}: {v}")).collect::<Vec<_>>().join(" ")
}

/// The window of a pooling over `n` dimensions, after PyTorch's checks of the arguments alone.
pub(crate) fn window(op: &'static str, n: usize, kernel: &Sizes, options: &PoolOptions) -> Result<Window> {
    let refuse = |text: String| Err(Error::runtime(op, text));
    let list = |name: &str, sizes: &Sizes| match sizes.len() {
        1 => Ok(vec![sizes[0]; n]),
        len if len == n => Ok(sizes.to_vec()),
        len if n == 1 => {
            let form = if name == "stride" { "None, an int, list of ints, or" } else { "an int, list of ints or" };
            // PyTorch's four sentences differ by a comma.
            let form = if name == "padding" { "an int, list of ints, or" } else { form };
            Err(Error::runtime(op, format!("{op}() {name} must be {form} tuple of ints of size 1 but got size {len}")))
        }
        _ => {
            let form = if name == "stride" { "be omitted, a single int," } else { "be a single int," };
            let either = if op == "avg_pool3d" { "" } else { "either " };
            let count = if n == 2 { "two" } else { "three" };
            Err(Error::runtime(op, format!("{op}: {name} must {either}{form} or a tuple of {count} ints")))
        }
    };
    let kernel = list("kernel_size", kernel)?;
    let stride = match &options.stride {
        Some(stride) if !stride.is_empty() => list("stride", stride)?,
        _ => kernel.clone(),
    };
    let padding = list("padding", &options.padding)?;
    let dilation = list("dilation", &options.dilation)?;
    if n > 1 {
        check_width(op, &[&kernel, &stride, &padding, &dilation])?;
    }
    if n == 1 {
        check_line(op, kernel[0], stride[0], padding[0], dilation[0])?;
    }
    let named = named_sizes;
    if stride.contains(&0) {
        return refuse("stride should not be zero".into());
    }
    if let Some(pad) = padding.iter().find(|&&p| p < 0) {
        return refuse(format!("pad must be non-negative, but got pad: {pad}"));
    }
    if kernel.iter().any(|&k| k <= 0) {
        return refuse(format!("kernel size should be greater than zero, but got {}", named("k", &kernel)));
    }
    if stride.iter().any(|&s| s < 0) {
        return refuse(format!("stride should be greater than zero, but got {}", named("d", &stride)));
    }
    if dilation.iter().any(|&d| d <= 0) {
        return refuse(format!("dilation should be greater than zero, but got {}", named("dilation", &dilation)));
    }
    for d in 0..n {
        let effective = dilation[d].saturating_mul(kernel[d] - 1).saturating_add(1);
        if padding[d] > effective / 2 {
            return refuse(format!(
                "pad should be at most half of effective kernel size, but got pad={}, kernel_size={} and dilation={}",
                padding[d], kernel[d], dilation[d]
            ));
        }
    }
    Ok(Window { kernel, stride, padding, dilation, ceil_mode: options.ceil_mode })
}

/// The sizes of a pooling over the last `n` dimensions, after all of PyTorch's checks.
pub(crate) fn pool_shape(
    op: &'static str,
    input: &Dims,
    n: usize,
    kernel: &Sizes,
    options: &PoolOptions,
) -> Result<PoolShape> {
    shape_of(op, input, n, &window(op, n, kernel, options)?)
}

/// The sizes that a window gives over the last `n` dimensions of `input`.
pub(crate) fn shape_of(op: &'static str, input: &Dims, n: usize, window: &Window) -> Result<PoolShape> {
    let refuse = |text: String| Err(Error::runtime(op, text));
    let Window { kernel, stride, padding, dilation, ceil_mode } = window;
    let Some(first) = input.len().checked_sub(n) else {
        return refuse(format!("{op}: expected at least {n} dimensions, but got {}", input.len()));
    };
    check_padding(op, kernel, padding)?;
    let mut shape = PoolShape {
        planes: Dims::from_slice(&input[..first]).numel(),
        input: [1; 3],
        kernel: [1; 3],
        stride: [1; 3],
        padding: [0; 3],
        dilation: [1; 3],
        output: [1; 3],
    };
    let mut sizes = Vec::with_capacity(n);
    for d in 0..n {
        let size = input[first + d] as i64;
        let out = output_size(size, kernel[d], stride[d], padding[d], dilation[d], *ceil_mode);
        sizes.push(out);
        let axis = 3 - n + d;
        shape.input[axis] = size as usize;
        shape.kernel[axis] = kernel[d] as usize;
        shape.stride[axis] = stride[d] as usize;
        shape.padding[axis] = padding[d] as usize;
        shape.dilation[axis] = dilation[d] as usize;
        shape.output[axis] = out.max(0) as usize;
    }
    if n == 1 && sizes[0] < 1 {
        return refuse(format!("{op}() Invalid computed output size: {}", sizes[0]));
    }
    check_width(op, &[kernel, stride, padding, dilation])?;
    if sizes.iter().any(|&out| out < 1) {
        let channels = if first > 0 { input[first - 1] } else { 1 };
        let list = |sizes: &mut dyn Iterator<Item = String>| sizes.collect::<Vec<_>>().join("x");
        let given = list(&mut [channels].iter().chain(&input[first..]).map(usize::to_string));
        let got = list(&mut std::iter::once(channels as i64).chain(sizes).map(|s| s.to_string()));
        return refuse(format!(
            "Given input size: ({given}). Calculated output size: ({got}). Output size is too small"
        ));
    }
    Ok(shape)
}
