//! Padding as layers: a constant, or the input itself continued.

use super::activation::text;
use crate::functional::{PadMode, PadOptions, pad_with};
use crate::{Core, Custom, Forward, Module};
use firebrick_core::text::python_tuple;
use firebrick_core::{Error, Result, Scalar, Sizes, Tensor};

/// Widths before and after each of `n` dimensions, from one for all or two for each.
fn widths(padding: &Sizes, n: usize) -> Sizes {
    match &padding[..] {
        [one] => vec![*one; 2 * n].into(),
        list => list.into(),
    }
}

/// PyTorch checks the rank of circular padding alone in the layer.
fn check_rank(input: &Tensor, n: usize, mode: PadMode) -> Result<()> {
    let rank = input.dim();
    if mode != PadMode::Circular || rank == n + 1 || rank == n + 2 {
        return Ok(());
    }
    Err(Error::value("CircularPad", format!("expected {}D or {}D input (got {rank}D input)", n + 1, n + 2)))
}

macro_rules! padding {
    ($(#[$doc:meta])* $name:ident, $n:literal, $mode:expr) => {
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            #[module(skip)]
            padding: Sizes,
        }

        impl $name {
            /// One width for all sides, or widths before and after each dimension, beginning with the last one.
            pub fn new(padding: impl Into<Sizes>) -> Self {
                $name { core: Core::new(), padding: widths(&padding.into(), $n) }
            }
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                check_rank(&input, $n, $mode)?;
                pad_with(&input, &self.padding, &PadOptions::new().mode($mode))
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                python_tuple(&self.padding)
            }
        }
    };
}

macro_rules! constant {
    ($(#[$doc:meta])* $name:ident, $n:literal) => {
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            #[module(skip)]
            padding: Sizes,
            #[module(skip)]
            value: Scalar,
        }

        impl $name {
            /// `value` around the input: one width for all sides, or widths before and after each dimension, beginning
            /// with the last one.
            pub fn new(padding: impl Into<Sizes>, value: impl Into<Scalar>) -> Self {
                $name { core: Core::new(), padding: widths(&padding.into(), $n), value: value.into() }
            }
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                pad_with(&input, &self.padding, &PadOptions::new().value(self.value))
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                format!("padding={}, value={}", python_tuple(&self.padding), text(self.value))
            }
        }
    };
}

padding! {
    /// Zeros around sequences.
    ///
    /// # Shapes
    /// `[N, C, L]` or without `N`; each spatial dimension grows by its two widths.
    ///
    /// # Errors
    /// Widths that the input is too small for, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::ZeroPad1d::new(1).call(Tensor::new([[1.0f32, 2.0]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [0.0, 1.0, 2.0, 0.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ZeroPad1d, 1, PadMode::Zeros
}

padding! {
    /// Zeros around images.
    ///
    /// # Shapes
    /// `[N, C, H, W]` or without `N`; each spatial dimension grows by its two widths.
    ///
    /// # Errors
    /// Widths that the input is too small for, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::ZeroPad2d::new([1, 2, 0, 3]).call(Tensor::ones([1, 4, 5])?)?.shape(), [1, 7, 8]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ZeroPad2d, 2, PadMode::Zeros
}

padding! {
    /// Zeros around volumes.
    ///
    /// # Shapes
    /// `[N, C, D, H, W]` or without `N`; each spatial dimension grows by its two widths.
    ///
    /// # Errors
    /// Widths that the input is too small for, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::ZeroPad3d::new(1).call(Tensor::ones([1, 2, 3, 4])?)?.shape(), [1, 4, 5, 6]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ZeroPad3d, 3, PadMode::Zeros
}

padding! {
    /// The input reflected at its edges, which are not repeated, around sequences.
    ///
    /// # Shapes
    /// `[N, C, L]` or without `N`; each spatial dimension grows by its two widths.
    ///
    /// # Errors
    /// Widths that the input is too small for, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::ReflectionPad1d::new([2, 1]).call(Tensor::new([[1.0f32, 2.0, 3.0]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ReflectionPad1d, 1, PadMode::Reflect
}

padding! {
    /// The input reflected at its edges, which are not repeated, around images.
    ///
    /// # Shapes
    /// `[N, C, H, W]` or without `N`; each spatial dimension grows by its two widths.
    ///
    /// # Errors
    /// Widths that the input is too small for, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::ReflectionPad2d::new([1, 0, 1, 0]).call(Tensor::new([[[1.0f32, 2.0], [3.0, 4.0]]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [4.0, 3.0, 4.0, 2.0, 1.0, 2.0, 4.0, 3.0, 4.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ReflectionPad2d, 2, PadMode::Reflect
}

padding! {
    /// The input reflected at its edges, which are not repeated, around volumes.
    ///
    /// # Shapes
    /// `[N, C, D, H, W]` or without `N`; each spatial dimension grows by its two widths.
    ///
    /// # Errors
    /// Widths that the input is too small for, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::ReflectionPad3d::new(1).call(Tensor::ones([1, 2, 3, 4])?)?.shape(), [1, 4, 5, 6]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ReflectionPad3d, 3, PadMode::Reflect
}

padding! {
    /// The input's edges repeated around sequences.
    ///
    /// # Shapes
    /// `[N, C, L]` or without `N`; each spatial dimension grows by its two widths.
    ///
    /// # Errors
    /// Widths that the input is too small for, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::ReplicationPad1d::new(1).call(Tensor::new([[1.0f32, 2.0]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [1.0, 1.0, 2.0, 2.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ReplicationPad1d, 1, PadMode::Replicate
}

padding! {
    /// The input's edges repeated around images.
    ///
    /// # Shapes
    /// `[N, C, H, W]` or without `N`; each spatial dimension grows by its two widths.
    ///
    /// # Errors
    /// Widths that the input is too small for, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::ReplicationPad2d::new([1, 0, 1, 0]).call(Tensor::new([[[1.0f32, 2.0], [3.0, 4.0]]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [1.0, 1.0, 2.0, 1.0, 1.0, 2.0, 3.0, 3.0, 4.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ReplicationPad2d, 2, PadMode::Replicate
}

padding! {
    /// The input's edges repeated around volumes.
    ///
    /// # Shapes
    /// `[N, C, D, H, W]` or without `N`; each spatial dimension grows by its two widths.
    ///
    /// # Errors
    /// Widths that the input is too small for, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::ReplicationPad3d::new(1).call(Tensor::ones([1, 2, 3, 4])?)?.shape(), [1, 4, 5, 6]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ReplicationPad3d, 3, PadMode::Replicate
}

padding! {
    /// The input wrapped around sequences.
    ///
    /// # Shapes
    /// `[N, C, L]` or without `N`; each spatial dimension grows by its two widths.
    ///
    /// # Errors
    /// Widths that the input is too small for, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::CircularPad1d::new(1).call(Tensor::new([[1.0f32, 2.0]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [2.0, 1.0, 2.0, 1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    CircularPad1d, 1, PadMode::Circular
}

padding! {
    /// The input wrapped around images.
    ///
    /// # Shapes
    /// `[N, C, H, W]` or without `N`; each spatial dimension grows by its two widths.
    ///
    /// # Errors
    /// Widths that the input is too small for, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::CircularPad2d::new([1, 0, 1, 0]).call(Tensor::new([[[1.0f32, 2.0], [3.0, 4.0]]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [4.0, 3.0, 4.0, 2.0, 1.0, 2.0, 4.0, 3.0, 4.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    CircularPad2d, 2, PadMode::Circular
}

padding! {
    /// The input wrapped around volumes.
    ///
    /// # Shapes
    /// `[N, C, D, H, W]` or without `N`; each spatial dimension grows by its two widths.
    ///
    /// # Errors
    /// Widths that the input is too small for, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::CircularPad3d::new(1).call(Tensor::ones([1, 2, 3, 4])?)?.shape(), [1, 4, 5, 6]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    CircularPad3d, 3, PadMode::Circular
}

constant! {
    /// A constant around sequences.
    ///
    /// # Shapes
    /// `[N, C, L]` or any tensor with as many dimensions to pad; each of the last 1 grows by its two widths.
    ///
    /// # Errors
    /// More widths than there are places.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::ConstantPad1d::new(1, 9.0).call(Tensor::new([[1.0f32, 2.0]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [9.0, 1.0, 2.0, 9.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ConstantPad1d, 1
}

constant! {
    /// A constant around images.
    ///
    /// # Shapes
    /// `[N, C, H, W]` or any tensor with as many dimensions to pad; each of the last 2 grows by its two widths.
    ///
    /// # Errors
    /// More widths than there are places.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::ConstantPad2d::new([1, 0, 1, 0], 9.0).call(Tensor::ones([1, 1, 2])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [9.0, 9.0, 9.0, 9.0, 1.0, 1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ConstantPad2d, 2
}

constant! {
    /// A constant around volumes.
    ///
    /// # Shapes
    /// `[N, C, D, H, W]` or any tensor with as many dimensions to pad; each of the last 3 grows by its two widths.
    ///
    /// # Errors
    /// More widths than there are places.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::ConstantPad3d::new(1, 9.0).call(Tensor::ones([1, 2, 3, 4])?)?.shape(), [1, 4, 5, 6]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ConstantPad3d, 3
}
