//! Convolutions over one, two and three dimensions.

use super::convolution::{Config, convolution, reset};
use crate::functional::PadMode;
use crate::{Core, Custom, Forward, Module};
use firebrick_core::{Error, Padding, Parameter, Result, Sizes, Tensor, TensorOptions};

convolution! {
    /// Convolution over one dimension.
    ///
    /// # Shapes
    /// `[N, C_in, L]` to `[N, C_out, L_out]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let conv = nn::Conv1d::new(2, 4, 3)?;
    /// assert_eq!(conv.to_string(), "Conv1d(2, 4, kernel_size=(3,), stride=(1,))");
    /// assert_eq!(conv.call(Tensor::ones([1, 2, 5])?)?.shape(), [1, 4, 3]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Conv1d,
    /// ```
    /// use firebrick::prelude::*;
    /// let conv = nn::Conv1d::builder(2, 4, 3)
    ///     .stride(2)
    ///     .padding(2)
    ///     .dilation(2)
    ///     .groups(2)
    ///     .bias(false)
    ///     .padding_mode(nn::functional::PadMode::Circular)
    ///     .dtype(DType::F64)
    ///     .device(Device::Cpu)
    ///     .build()?;
    /// assert_eq!(
    ///     conv.to_string(),
    ///     "Conv1d(2, 4, kernel_size=(3,), stride=(2,), padding=(2,), dilation=(2,), groups=2, bias=False, padding_mode=circular)"
    /// );
    /// let y = conv.call(Tensor::ones_with([1, 2, 8], DType::F64)?)?;
    /// assert_eq!((y.shape().to_vec(), y.dtype()), (vec![1, 4, 4], DType::F64));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Conv1dBuilder, 1, false, "LazyConv1d",
    |c: &Config, x: &Tensor, w: &Tensor, b: Option<&Tensor>| c.convolve(x, w, b, Tensor::conv1d)
}

convolution! {
    /// Convolution (cross-correlation) over two dimensions.
    ///
    /// `out[n, o] = bias[o] + sum over c of weight[o, c] * input[n, c]`, where `*` slides the kernel. Parameters start as
    /// PyTorch 2.15 draws them: uniform in `(-1/sqrt(fan_in), 1/sqrt(fan_in))`.
    ///
    /// # Shapes
    /// `[N, C_in, H, W]` to `[N, C_out, H_out, W_out]` with `H_out = (H + 2 padding - dilation (kernel - 1) - 1) / stride
    /// + 1`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let conv = nn::Conv2d::builder(3, 16, 3).padding(1).stride(2).build()?;
    /// assert_eq!(conv.to_string(), "Conv2d(3, 16, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))");
    /// assert_eq!(conv.call(Tensor::ones([1, 3, 8, 8])?)?.shape(), [1, 16, 4, 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Conv2d,
    /// ```
    /// use firebrick::prelude::*;
    /// let builder = nn::Conv2d::builder(2, 4, 3)
    ///     .stride(2)
    ///     .padding(1)
    ///     .groups(2)
    ///     .bias(false)
    ///     .padding_mode(nn::functional::PadMode::Reflect);
    /// let (x, conv) = (Tensor::ones([1, 2, 8, 6])?, builder.clone().build()?);
    /// assert_eq!(conv.weight.shape()?, [4, 1, 3, 3]);
    /// assert_eq!(conv.call(&x)?.shape(), [1, 4, 4, 3]);
    /// assert_eq!(builder.dilation(2).build()?.call(&x)?.shape(), [1, 4, 3, 2]); // as of a kernel of 5
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Conv2dBuilder, 2, false, "LazyConv2d",
    |c: &Config, x: &Tensor, w: &Tensor, b: Option<&Tensor>| c.convolve(x, w, b, Tensor::conv2d)
}

convolution! {
    /// Convolution over three dimensions.
    ///
    /// # Shapes
    /// `[N, C_in, D, H, W]` to `[N, C_out, D_out, H_out, W_out]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let conv = nn::Conv3d::new(1, 2, 2)?;
    /// assert_eq!(conv.call(Tensor::ones([1, 1, 4, 4, 4])?)?.shape(), [1, 2, 3, 3, 3]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Conv3d,
    /// ```
    /// use firebrick::Padding;
    /// use firebrick::prelude::*;
    /// let conv = nn::Conv3d::builder(2, 4, [1, 3, 3]).padding(Padding::Same).dilation(2).groups(2).build()?;
    /// assert_eq!(conv.weight.shape()?, [4, 1, 1, 3, 3]);
    /// let x = Tensor::ones([1, 2, 4, 5, 6])?;
    /// assert_eq!(conv.call(&x)?.shape(), [1, 4, 4, 5, 6]);
    /// let wrapped = nn::Conv3d::builder(2, 4, [1, 3, 3])
    ///     .stride([2, 1, 1])
    ///     .padding(1)
    ///     .padding_mode(nn::functional::PadMode::Circular)
    ///     .build()?;
    /// assert_eq!(wrapped.call(&x)?.shape(), [1, 4, 3, 5, 6]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Conv3dBuilder, 3, false, "LazyConv3d",
    |c: &Config, x: &Tensor, w: &Tensor, b: Option<&Tensor>| c.convolve(x, w, b, Tensor::conv3d)
}
