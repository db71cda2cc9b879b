//! Transposed convolutions over one, two and three dimensions.

use super::convolution::{Config, convolution, each, reset};
use crate::functional::PadMode;
use crate::{Core, Custom, Forward, Module};
use firebrick_core::text::python_tuple;
use firebrick_core::{ConvTransposeOptions, Error, Padding, Parameter, Result, Sizes, Tensor, TensorOptions};

impl Config {
    /// The options with this output padding.
    fn transposed(&self, output_padding: &Sizes) -> ConvTransposeOptions {
        let numbers = match &self.options.padding {
            Padding::Zeros(padding) => padding.clone(),
            Padding::Same | Padding::Valid => 0.into(),
        };
        ConvTransposeOptions {
            stride: self.options.stride.clone(),
            padding: numbers,
            output_padding: output_padding.clone(),
            dilation: self.options.dilation.clone(),
            groups: self.options.groups,
        }
    }

    /// The layer's own options.
    fn own_transposed(&self) -> ConvTransposeOptions {
        self.transposed(&self.output_padding.clone().unwrap_or(0.into()))
    }

    /// The output padding that makes the output of this size.
    fn padding_for(&self, n: usize, input: &Tensor, size: &Sizes) -> Result<Sizes> {
        const OP: &str = "ConvTranspose";
        let shape = input.shape();
        let lead = if shape.len() == n + 2 { 2 } else { 1 };
        let size = if size.len() == lead + n { &size[lead..] } else { &size[..] };
        if size.len() != n {
            let text = format!(
                "ConvTranspose{n}D: for {}D input, output_size must have {n} or {} elements (got {})",
                shape.len(),
                lead + n,
                size.len()
            );
            return Err(Error::value(OP, text));
        }
        let options = self.own_transposed();
        let (stride, dilation) = (each("stride", &options.stride, n)?, each("dilation", &options.dilation, n)?);
        let padding = each("padding", &options.padding, n)?;
        let least: Vec<i64> = (0..n)
            .map(|d| {
                let input = input.size((lead + d) as i64)? as i64;
                let reach = dilation[d].saturating_mul(self.kernel[d].saturating_sub(1)).saturating_add(1);
                let spread = (input - 1).saturating_mul(stride[d]).saturating_add(reach);
                Ok(spread.saturating_sub(padding[d].saturating_mul(2)))
            })
            .collect::<Result<_>>()?;
        let most: Vec<i64> =
            least.iter().zip(&stride).map(|(least, stride)| least.saturating_add(stride.saturating_sub(1))).collect();
        if (0..n).any(|d| size[d] < least[d] || size[d] > most[d]) {
            let spatial = firebrick_core::Dims::from_slice(&shape[2.min(shape.len())..]);
            let text = format!(
                "requested an output size of {}, but valid sizes range from {least:?} to {most:?} (for an input of {spatial})",
                python_tuple(size)
            );
            return Err(Error::value(OP, text));
        }
        Ok((0..n).map(|d| size[d] - least[d]).collect())
    }
}

macro_rules! transposed {
    ($(#[$doc:meta])* $name:ident, $(#[$options:meta])* $builder:ident, $n:literal, $lazy:literal, $conv:ident) => {
        convolution! {
            $(#[$doc])*
            $name,
            $(#[$options])*
            $builder, $n, true, $lazy,
            |c: &Config, x: &Tensor, w: &Tensor, b: Option<&Tensor>| x.$conv(w, b, &c.own_transposed())
        }

        impl $name {
            /// The output of this size, batch and channels included or not: which of the sizes that a convolution with
            /// the layer's stride makes the input's size from.
            ///
            /// # Errors
            /// A size that no output padding gives; as the layer's own.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let up = nn::", stringify!($name), "::builder(4, 1, 3).stride(2).padding(1).build()?;")]
            #[doc = concat!("let x = Tensor::ones([4; 1 + ", $n, "])?;")]
            /// assert_eq!(up.call(&x)?.size(-1)?, 7);
            #[doc = concat!("assert_eq!(up.call_with_size(&x, [8; ", $n, "])?.size(-1)?, 8);")]
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn call_with_size(&self, input: &Tensor, output_size: impl Into<Sizes>) -> Result<Tensor> {
                let padding = self.config.padding_for($n, input, &output_size.into())?;
                input.$conv(&self.weight, self.bias.as_deref(), &self.config.transposed(&padding))
            }
        }

        impl $builder {
            /// Elements added behind the output; 0 unless set.
            pub fn output_padding(mut self, padding: impl Into<Sizes>) -> Self {
                self.0.output_padding = Some(padding.into());
                self
            }
        }
    };
}

transposed! {
    /// Transposed convolution over one dimension.
    ///
    /// # Shapes
    /// `[N, C_in, L]` to `[N, C_out, L_out]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let up = nn::ConvTranspose1d::builder(3, 2, 4).stride(2).padding(1).build()?;
    /// assert_eq!(up.call(Tensor::ones([1, 3, 5])?)?.shape(), [1, 2, 10]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ConvTranspose1d,
    /// ```
    /// use firebrick::prelude::*;
    /// let up = nn::ConvTranspose1d::builder(2, 4, 3)
    ///     .stride(2)
    ///     .padding(1)
    ///     .output_padding(1)
    ///     .dilation(2)
    ///     .groups(2)
    ///     .bias(false)
    ///     .build()?;
    /// assert_eq!(
    ///     up.to_string(),
    ///     "ConvTranspose1d(2, 4, kernel_size=(3,), stride=(2,), padding=(1,), dilation=(2,), output_padding=(1,), groups=2, bias=False)"
    /// );
    /// assert_eq!(up.call(Tensor::ones([1, 2, 5])?)?.shape(), [1, 4, 12]);
    /// // Only zeros, as in PyTorch.
    /// let error = nn::ConvTranspose1d::builder(2, 4, 3).padding_mode(nn::functional::PadMode::Circular).build();
    /// assert_eq!(error.unwrap_err().to_string(), "Only \"zeros\" padding mode is supported for ConvTranspose1d");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ConvTranspose1dBuilder, 1, "LazyConvTranspose1d", conv_transpose1d
}

transposed! {
    /// Transposed convolution over two dimensions.
    ///
    /// Each element of the input adds the kernel, scaled by it, to the output: the gradient of a convolution in its
    /// input. `H_out = (H - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1`. Parameters start as
    /// PyTorch 2.15 draws them.
    ///
    /// # Shapes
    /// `[N, C_in, H, W]` to `[N, C_out, H_out, W_out]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let up = nn::ConvTranspose2d::builder(3, 2, 3).stride(2).padding(1).build()?;
    /// assert_eq!(up.to_string(), "ConvTranspose2d(3, 2, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))");
    /// let x = Tensor::ones([1, 3, 4, 4])?;
    /// assert_eq!(up.call(&x)?.shape(), [1, 2, 7, 7]);
    /// assert_eq!(up.call_with_size(&x, [8, 8])?.shape(), [1, 2, 8, 8]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ConvTranspose2d,
    /// ```
    /// use firebrick::prelude::*;
    /// let up = nn::ConvTranspose2d::builder(2, 4, 3).stride(2).padding(1).output_padding([1, 0]).dilation(2).groups(2);
    /// let up = up.build()?;
    /// assert_eq!(up.weight.shape()?, [2, 2, 3, 3]);
    /// assert_eq!(up.call(Tensor::ones([1, 2, 5, 4])?)?.shape(), [1, 4, 12, 9]);
    /// assert!(nn::ConvTranspose2d::builder(2, 4, 3).padding_mode(nn::functional::PadMode::Reflect).build().is_err());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ConvTranspose2dBuilder, 2, "LazyConvTranspose2d", conv_transpose2d
}

transposed! {
    /// Transposed convolution over three dimensions.
    ///
    /// # Shapes
    /// `[N, C_in, D, H, W]` to `[N, C_out, D_out, H_out, W_out]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let up = nn::ConvTranspose3d::builder(1, 2, 2).stride(2).build()?;
    /// assert_eq!(up.call(Tensor::ones([1, 1, 2, 3, 4])?)?.shape(), [1, 2, 4, 6, 8]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ConvTranspose3d,
    /// ```
    /// use firebrick::prelude::*;
    /// let up = nn::ConvTranspose3d::builder(2, 4, 2).stride([1, 2, 2]).padding(1).output_padding([0, 1, 1]).build()?;
    /// let x = Tensor::ones([1, 2, 2, 2, 2])?;
    /// assert_eq!(up.call(&x)?.shape(), [1, 4, 1, 3, 3]);
    /// let wide = nn::ConvTranspose3d::builder(2, 4, 2).dilation([1, 2, 2]).build()?;
    /// assert_eq!(wide.call(&x)?.shape(), [1, 4, 3, 4, 4]);
    /// assert!(nn::ConvTranspose3d::builder(2, 4, 2).padding_mode(nn::functional::PadMode::Reflect).build().is_err());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ConvTranspose3dBuilder, 3, "LazyConvTranspose3d", conv_transpose3d
}
