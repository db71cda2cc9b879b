//! Padding: a constant, or the tensor itself continued.

use firebrick_core::amp::autocast_cast;
use firebrick_core::{DType, Device, Dims, Error, MemoryFormat, Result, Scalar, Sizes, Tensor, TensorOptions};
use std::str::FromStr;

const OP: &str = "pad";

/// What stands around a padded tensor.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let mode: F::PadMode = "reflect".parse()?;
/// assert_eq!((mode, mode.name()), (F::PadMode::Reflect, "reflect"));
/// let y = F::pad_with(&Tensor::new([[1, 2, 3]])?, [2, 0], &F::PadOptions::new().mode(mode))?;
/// assert_eq!(y.to_vec::<i32>()?, [3, 2, 1, 2, 3]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PadMode {
    /// Zeros, or the constant [`PadOptions::value`]: PyTorch's `'constant'` for [`pad`], `'zeros'` for convolutions.
    #[default]
    Zeros,
    /// The tensor mirrored at its edge, which is not repeated.
    Reflect,
    /// The tensor's edge.
    Replicate,
    /// The tensor's other end.
    Circular,
}

impl PadMode {
    /// PyTorch's name for the argument `padding_mode` of a convolution.
    pub fn name(self) -> &'static str {
        match self {
            PadMode::Zeros => "zeros",
            PadMode::Reflect => "reflect",
            PadMode::Replicate => "replicate",
            PadMode::Circular => "circular",
        }
    }
}

impl FromStr for PadMode {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let all = [PadMode::Zeros, PadMode::Reflect, PadMode::Replicate, PadMode::Circular];
        all.into_iter().find(|mode| mode.name() == name).ok_or_else(|| {
            Error::value(
                "padding_mode",
                format!("padding_mode must be one of {{'reflect', 'circular', 'zeros', 'replicate'}}, but got padding_mode='{name}'"),
            )
        })
    }
}

/// Options of [`pad_with`].
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let options = F::PadOptions::new().value(7);
/// assert_eq!(F::pad_with(&Tensor::new([[1, 2]])?, [1, 1], &options)?.to_vec::<i32>()?, [7, 1, 2, 7]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct PadOptions {
    /// What stands around the tensor.
    pub mode: PadMode,
    /// The constant; zero unless set.
    pub value: Option<Scalar>,
}

impl PadOptions {
    /// Zeros.
    pub fn new() -> Self {
        Self::default()
    }

    /// What stands around the tensor.
    pub fn mode(mut self, mode: PadMode) -> Self {
        self.mode = mode;
        self
    }

    /// The constant around the tensor.
    pub fn value(mut self, value: impl Into<Scalar>) -> Self {
        self.value = Some(value.into());
        self
    }
}

/// Zeros around a tensor. `pad` lists widths before and after, beginning with the last dimension; negative ones cut off.
///
/// # Errors
/// An odd number of widths, or more than there are places.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// assert_eq!(F::pad(&Tensor::new([[1, 2]])?, [1, 2])?.to_vec::<i32>()?, [0, 1, 2, 0, 0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn pad(input: &Tensor, pad: impl Into<Sizes>) -> Result<Tensor> {
    pad_with(input, pad, &PadOptions::new())
}

/// [`pad`] with another constant, or with the tensor itself reflected, repeated or wrapped around.
///
/// Modes other than a constant pad the last one, two or three dimensions of a tensor that has one or two more.
///
/// # Errors
/// Widths that do not fit the mode and the tensor, in PyTorch's words; a value beside another mode.
///
/// Where a circular padding is positive on one side and cuts off on the other, PyTorch 2.15 returns memory it never
/// wrote when the two meet; here the tensor is cut first, then wrapped.
///
/// ```
/// use firebrick::nn::functional::{self as F, PadMode, PadOptions};
/// use firebrick::prelude::*;
/// let x = Tensor::new([[1, 2, 3]])?;
/// let pad = |mode| F::pad_with(&x, [2, 1], &PadOptions::new().mode(mode))?.to_vec::<i32>();
/// assert_eq!(pad(PadMode::Reflect)?, [3, 2, 1, 2, 3, 2]);
/// assert_eq!(pad(PadMode::Replicate)?, [1, 1, 1, 2, 3, 3]);
/// assert_eq!(pad(PadMode::Circular)?, [2, 3, 1, 2, 3, 1]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn pad_with(input: &Tensor, pad: impl Into<Sizes>, options: &PadOptions) -> Result<Tensor> {
    let (pad, mode, rank) = (pad.into(), options.mode, input.dim());
    if pad.len() % 2 != 0 {
        return Err(Error::runtime(OP, "Padding length must be divisible by 2").given(format!("{:?}", &pad[..])));
    }
    if pad.len() > 2 * rank {
        return Err(Error::runtime(
            OP,
            format!(
                "Padding length should be less than or equal to two times the input dimension but got padding length {} and input of dimension {rank}",
                pad.len()
            ),
        ));
    }
    if mode == PadMode::Zeros {
        return input.constant_pad_nd(pad, options.value.unwrap_or(Scalar::Int(0)));
    }
    if options.value.is_some_and(|value| value.to_f64() != 0.0) {
        let text = format!("Padding mode \"{}\" doesn't take in value argument", mode.name());
        return Err(Error::runtime(OP, text));
    }
    let n = pad.len() / 2;
    if !(1..=3).contains(&n) || !(n + 1..=n + 2).contains(&rank) {
        return Err(unsupported(pad.len(), rank));
    }
    let shape = input.shape();
    if mode != PadMode::Circular && shape[rank - n - 1..].contains(&0) {
        return Err(Error::runtime(
            OP,
            format!(
                "Expected {}D or {}D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: {shape:?}",
                n + 1,
                n + 2
            ),
        ));
    }
    let input = &mode.cast(n, input)?;
    let places: Vec<Place> = pad.chunks(2).enumerate().map(|(i, w)| Place::new(rank - 1 - i, w, &shape)).collect();
    places.iter().try_for_each(|place| place.check(mode, &places, &shape))?;
    let padded = places.iter().try_fold(input.clone(), |x, place| place.apply(mode, &x))?;
    // PyTorch keeps the format of images and volumes, but where it wraps them around.
    match channels_last(input).filter(|_| mode != PadMode::Circular && rank == n + 2) {
        Some(format) => padded.to(format),
        None => Ok(padded),
    }
}

/// The format of images, or volumes, with their channels last.
fn channels_last(input: &Tensor) -> Option<MemoryFormat> {
    let formats = [MemoryFormat::ChannelsLast, MemoryFormat::ChannelsLast3d];
    formats.into_iter().find(|&format| input.is_contiguous_in(format)).filter(|_| !input.is_contiguous())
}

impl PadMode {
    /// The input as PyTorch's operation on `n` dimensions wants it under autocast.
    fn cast(self, n: usize, input: &Tensor) -> Result<Tensor> {
        match (self, n) {
            (PadMode::Reflect, 1) => autocast_cast("reflection_pad1d", input),
            (PadMode::Reflect, 2) => autocast_cast("reflection_pad2d", input),
            (PadMode::Replicate, _) => autocast_cast("replication_pad", input),
            _ => Ok(input.clone()),
        }
    }
}

fn unsupported(length: usize, rank: usize) -> Error {
    Error::not_implemented(
        OP,
        format!(
            "Padding size {length} is not supported for {rank}D input tensor.\nSupported combinations for non-constant padding:\n  - 2D or 3D input: padding size = 2 (pads last dimension)\n  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        ),
    )
}

/// One padded dimension.
struct Place {
    dim: usize,
    size: i64,
    before: i64,
    after: i64,
}

impl Place {
    fn new(dim: usize, widths: &[i64], shape: &Dims) -> Self {
        Place { dim, size: shape[dim] as i64, before: widths[0], after: widths[1] }
    }

    fn padded(&self) -> i64 {
        self.size.saturating_add(self.before).saturating_add(self.after)
    }

    fn check(&self, mode: PadMode, places: &[Place], shape: &Dims) -> Result<()> {
        let &Place { dim, size, before, after } = self;
        let refuse = |text: String| Err(Error::runtime(OP, text));
        if mode == PadMode::Circular {
            if before > size || after > size {
                return refuse("Padding value causes wrapping around more than once.".into());
            }
            if self.padded() <= 0 {
                return refuse("Negative padding value is resulting in an empty dimension".into());
            }
            return Ok(());
        }
        if mode == PadMode::Reflect && (before >= size || after >= size) {
            // The number of the argument in the C++ function: after the tensor and one pair for each dimension.
            let argument = 2 * (shape.len() - dim) + 2;
            return refuse(format!(
                "Argument #{argument}: Padding size should be less than the corresponding input dimension, but got: padding ({before}, {after}) at dimension {dim} of input {shape:?}"
            ));
        }
        if self.padded() < 1 {
            let named = |value: fn(&Place) -> i64| {
                let axes = ["W", "H", "D"];
                let list = places.iter().zip(axes).map(|(place, axis)| format!("{axis}: {}", value(place)));
                list.rev().collect::<Vec<_>>().join(", ")
            };
            return refuse(format!(
                "input ({}) is too small. Calculated output {}",
                named(|place| place.size),
                named(Place::padded)
            ));
        }
        Ok(())
    }

    /// The dimension's indices in the order in which they appear once padded.
    fn apply(&self, mode: PadMode, x: &Tensor) -> Result<Tensor> {
        let &Place { dim, size, before, after } = self;
        if before == 0 && after == 0 {
            return Ok(x.clone());
        }
        // A circular padding repeats what negative widths leave.
        let kept = size.saturating_add(before.min(0)).saturating_add(after.min(0));
        let first = before.min(0).saturating_neg();
        let source = |i: i64| match mode {
            PadMode::Reflect if i < 0 => -i,
            PadMode::Reflect if i >= size => 2 * (size - 1) - i,
            PadMode::Circular => first + (i - first).rem_euclid(kept.max(1)),
            _ => i.clamp(0, size - 1),
        };
        // Refuses what there is no memory for.
        Tensor::empty_with([self.padded()], TensorOptions::from(DType::I64).device(Device::Cpu))?;
        let index: Vec<i64> = (0..self.padded()).map(|i| source(i.saturating_sub(before))).collect();
        let length = index.len();
        let index = Tensor::from_slice_with(&index, [length], x.device())?;
        x.index_select(dim as i64, &index)
    }
}
