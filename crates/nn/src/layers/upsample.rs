//! Interpolation as layers.

use super::pooling::given;
use crate::{Core, Custom, Forward, Module};
use firebrick_core::text::python_float;
use firebrick_core::{InterpolateMode, InterpolateOptions, Result, Tensor};

fn extra_repr(options: &InterpolateOptions) -> String {
    let size = match (&options.scale_factor, &options.size) {
        (Some(scales), _) => {
            let all = scales.iter().map(|&s| python_float(s)).collect::<Vec<_>>().join(", ");
            format!("scale_factor={}", if scales.len() == 1 { all } else { format!("({all})") })
        }
        (None, Some(size)) => format!("size={}", given(size)),
        (None, None) => "size=None".to_owned(),
    };
    format!("{size}, mode='{}'", options.mode.name())
}

macro_rules! upsample {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            #[module(skip)]
            options: InterpolateOptions,
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                input.interpolate(&self.options)
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                extra_repr(&self.options)
            }
        }
    };
}

upsample! {
    /// Makes `[N, C, *]` larger or smaller along its spatial dimensions.
    ///
    /// # Errors
    /// Sizes and modes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::InterpolateOptions;
    /// let twice = nn::Upsample::new(InterpolateOptions::new().scale_factor(2.0));
    /// assert_eq!(twice.to_string(), "Upsample(scale_factor=2.0, mode='nearest')");
    /// assert_eq!(twice.call(Tensor::new([[[1.0f32, 2.0]]])?)?.to_vec::<f32>()?, [1.0, 1.0, 2.0, 2.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Upsample
}

impl Upsample {
    /// The layer, with a size or a scale.
    pub fn new(options: InterpolateOptions) -> Self {
        Upsample { core: Core::new(), options }
    }
}

upsample! {
    /// [`Upsample`] of images that repeats elements.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::InterpolateOptions;
    /// let twice = nn::UpsamplingNearest2d::new(InterpolateOptions::new().scale_factor(2.0));
    /// let y = twice.call(Tensor::new([[[[1.0f32, 2.0]]]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    UpsamplingNearest2d
}

impl UpsamplingNearest2d {
    /// The layer, with the size or the scale of `options`.
    pub fn new(options: InterpolateOptions) -> Self {
        UpsamplingNearest2d { core: Core::new(), options: options.mode(InterpolateMode::Nearest) }
    }
}

upsample! {
    /// [`Upsample`] of images along lines between elements, with corners aligned.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::InterpolateOptions;
    /// let wider = nn::UpsamplingBilinear2d::new(InterpolateOptions::new().size([1, 3]));
    /// assert_eq!(wider.call(Tensor::new([[[[1.0f32, 3.0]]]])?)?.to_vec::<f32>()?, [1.0, 2.0, 3.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    UpsamplingBilinear2d
}

impl UpsamplingBilinear2d {
    /// The layer, with the size or the scale of `options`.
    pub fn new(options: InterpolateOptions) -> Self {
        UpsamplingBilinear2d { core: Core::new(), options: options.mode(InterpolateMode::Bilinear).align_corners(true) }
    }
}
