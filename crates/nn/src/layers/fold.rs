//! Patches of images as columns, and back.

use super::pooling::given;
use crate::{Core, Custom, Forward, Module};
use firebrick_core::{FoldOptions, Result, Sizes, Tensor};

fn extra_repr(kernel: &Sizes, options: &FoldOptions) -> String {
    format!(
        "kernel_size={}, dilation={}, padding={}, stride={}",
        given(kernel),
        given(&options.dilation),
        given(&options.padding),
        given(&options.stride)
    )
}

macro_rules! setters {
    () => {
        /// Steps between the elements of a patch; 1 unless set.
        pub fn dilation(mut self, dilation: impl Into<Sizes>) -> Self {
            self.options = self.options.dilation(dilation);
            self
        }

        /// Zeros around the image; none unless set.
        pub fn padding(mut self, padding: impl Into<Sizes>) -> Self {
            self.options = self.options.padding(padding);
            self
        }

        /// Steps between patches; 1 unless set.
        pub fn stride(mut self, stride: impl Into<Sizes>) -> Self {
            self.options = self.options.stride(stride);
            self
        }
    };
}

/// The patches of images as columns.
///
/// # Shapes
/// `[N, C, H, W]` to `[N, C * kernel, L]` for `L` patches, or both without `N`.
///
/// # Errors
/// Sizes that do not fit, in PyTorch's words.
///
/// ```
/// use firebrick::prelude::*;
/// let unfold = nn::Unfold::new([1, 2]);
/// assert_eq!(unfold.to_string(), "Unfold(kernel_size=(1, 2), dilation=1, padding=0, stride=1)");
/// assert_eq!(unfold.call(Tensor::new([[[1.0f32, 2.0, 3.0]]])?)?.to_vec::<f32>()?, [1.0, 2.0, 2.0, 3.0]);
/// let wide = nn::Unfold::new([1, 2]).dilation(2).padding([0, 1]).stride(2);
/// let columns = wide.call(Tensor::new([[[1.0f32, 2.0, 3.0, 4.0, 5.0]]])?)?; // between zeros, two apart
/// assert_eq!(columns.to_vec::<f32>()?, [0.0, 2.0, 4.0, 2.0, 4.0, 0.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct Unfold {
    core: Core,
    #[module(skip)]
    kernel_size: Sizes,
    #[module(skip)]
    options: FoldOptions,
}

impl Unfold {
    /// Patches of `kernel_size` at every place.
    pub fn new(kernel_size: impl Into<Sizes>) -> Self {
        Unfold { core: Core::new(), kernel_size: kernel_size.into(), options: FoldOptions::new() }
    }

    setters!();
}

impl Forward for Unfold {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        input.im2col(&self.kernel_size, &self.options)
    }
}

impl Custom for Unfold {
    fn extra_repr(&self) -> String {
        extra_repr(&self.kernel_size, &self.options)
    }
}

/// Columns added up to images, where patches overlap.
///
/// # Shapes
/// `[N, C * kernel, L]` to `[N, C, *output_size]`, or both without `N`.
///
/// # Errors
/// Sizes that do not fit, in PyTorch's words.
///
/// ```
/// use firebrick::prelude::*;
/// let fold = nn::Fold::new([1, 3], [1, 2]);
/// let columns = Tensor::new([[1.0f32, 2.0], [2.0, 3.0]])?;
/// assert_eq!(fold.call(columns)?.to_vec::<f32>()?, [1.0, 4.0, 3.0]);
/// let wide = nn::Fold::new([1, 5], [1, 2]).dilation(2).padding([0, 1]).stride(2);
/// let columns = Tensor::new([[0.0f32, 2.0, 4.0], [2.0, 4.0, 0.0]])?;
/// assert_eq!(wide.call(columns)?.to_vec::<f32>()?, [0.0, 4.0, 0.0, 8.0, 0.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct Fold {
    core: Core,
    #[module(skip)]
    output_size: Sizes,
    #[module(skip)]
    kernel_size: Sizes,
    #[module(skip)]
    options: FoldOptions,
}

impl Fold {
    /// Images of `output_size` from patches of `kernel_size` at every place.
    pub fn new(output_size: impl Into<Sizes>, kernel_size: impl Into<Sizes>) -> Self {
        let (output_size, kernel_size) = (output_size.into(), kernel_size.into());
        Fold { core: Core::new(), output_size, kernel_size, options: FoldOptions::new() }
    }

    setters!();
}

impl Forward for Fold {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        input.col2im(&self.output_size, &self.kernel_size, &self.options)
    }
}

impl Custom for Fold {
    fn extra_repr(&self) -> String {
        format!("output_size={}, {}", given(&self.output_size), extra_repr(&self.kernel_size, &self.options))
    }
}
