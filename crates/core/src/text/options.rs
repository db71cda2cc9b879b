//! How tensors are printed: `torch.set_printoptions` and its profiles.

use parking_lot::RwLock;

/// The options in force, shared by all threads as in PyTorch.
static CURRENT: RwLock<PrintOptions> = RwLock::new(PrintOptions::DEFAULT);

/// How the elements of a tensor are printed.
///
/// [`PrintOptions::default`], [`short`](Self::short) and [`full`](Self::full) are PyTorch's three
/// profiles; the setters change one option each.
///
/// ```
/// use firebrick_core::text::{PrintOptions, TensorText, Values};
///
/// let text = TensorText::new(&[2], Values::Float(&|i| [1.12345, 2.0][i]), "float32");
/// assert_eq!(text.render(&PrintOptions::default()), "tensor([1.1235, 2.0000])");
/// assert_eq!(text.render(&PrintOptions::default().precision(2)), "tensor([1.12, 2.00])");
/// ```
///
/// # Differences from PyTorch 2.15
/// `torch.set_printoptions` forgets an earlier `sci_mode` whenever it is called without one. Here an
/// option changes only when it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintOptions {
    /// Digits after the decimal point.
    pub precision: u16,
    /// A tensor of more elements than this is summarised; `usize::MAX` never summarises.
    pub threshold: usize,
    /// Elements kept at each end of a summarised dimension.
    pub edgeitems: usize,
    /// Characters a line may have.
    pub linewidth: usize,
    /// Scientific notation: always, never, or chosen from the values.
    pub sci_mode: Option<bool>,
}

impl PrintOptions {
    const DEFAULT: PrintOptions =
        PrintOptions { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80, sci_mode: None };

    /// The profile `short`: two digits and two elements at each end.
    ///
    /// ```
    /// # use firebrick_core::{Tensor, text};
    /// let _short = text::printoptions(text::PrintOptions::short());
    /// assert_eq!(Tensor::new([0.123_456f32])?.to_string(), "tensor([0.12])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn short() -> Self {
        Self::DEFAULT.precision(2).edgeitems(2)
    }

    /// The profile `full`: every element is printed, however many there are.
    ///
    /// ```
    /// # use firebrick_core::{Tensor, text};
    /// let _full = text::printoptions(text::PrintOptions::full());
    /// assert!(!Tensor::zeros([2000])?.to_string().contains("..."));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn full() -> Self {
        Self::DEFAULT.threshold(usize::MAX)
    }

    /// Sets the digits after the decimal point.
    ///
    /// ```
    /// # use firebrick_core::{Tensor, text};
    /// let x = Tensor::new([0.123_456f32])?;
    /// let _two = text::printoptions(text::PrintOptions::default().precision(2));
    /// assert_eq!(x.to_string(), "tensor([0.12])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn precision(mut self, precision: u16) -> Self {
        self.precision = precision;
        self
    }

    /// Sets the number of elements above which a tensor is summarised.
    ///
    /// ```
    /// # use firebrick_core::{Tensor, text};
    /// let _short = text::printoptions(text::PrintOptions::default().threshold(4).edgeitems(1));
    /// assert_eq!(Tensor::arange(6)?.to_string(), "tensor([0,  ..., 5])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn threshold(mut self, threshold: usize) -> Self {
        self.threshold = threshold;
        self
    }

    /// Sets how many elements a summarised dimension keeps at each end.
    ///
    /// ```
    /// # use firebrick_core::{Tensor, text};
    /// let _two = text::printoptions(text::PrintOptions::default().threshold(4).edgeitems(2));
    /// assert_eq!(Tensor::arange(6)?.to_string(), "tensor([0, 1,  ..., 4, 5])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn edgeitems(mut self, edgeitems: usize) -> Self {
        self.edgeitems = edgeitems;
        self
    }

    /// Sets the length of a line in characters.
    ///
    /// ```
    /// # use firebrick_core::{Tensor, text};
    /// let _narrow = text::printoptions(text::PrintOptions::default().linewidth(16));
    /// assert_eq!(Tensor::arange(4)?.to_string(), "tensor([0, 1, 2,\n        3])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn linewidth(mut self, linewidth: usize) -> Self {
        self.linewidth = linewidth;
        self
    }

    /// Turns scientific notation on or off; `None` lets the values decide.
    ///
    /// ```
    /// # use firebrick_core::{Tensor, text};
    /// let _plain = text::printoptions(text::PrintOptions::default().sci_mode(true));
    /// assert_eq!(Tensor::new([1234.5f32])?.to_string(), "tensor([1.2345e+03])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn sci_mode(mut self, sci_mode: impl Into<Option<bool>>) -> Self {
        self.sci_mode = sci_mode.into();
        self
    }
}

impl Default for PrintOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The options in force, `torch.get_printoptions`.
///
/// ```
/// # use firebrick_core::text;
/// assert_eq!(text::get_printoptions().linewidth, 80);
/// ```
pub fn get_printoptions() -> PrintOptions {
    CURRENT.read().clone()
}

/// Puts `options` in force for the whole process, `torch.set_printoptions`.
///
/// ```
/// use firebrick_core::text::{PrintOptions, get_printoptions, set_printoptions};
///
/// set_printoptions(get_printoptions().precision(2));
/// assert_eq!(get_printoptions().precision, 2);
/// set_printoptions(PrintOptions::default());
/// ```
pub fn set_printoptions(options: PrintOptions) {
    *CURRENT.write() = options;
}

/// Puts `options` in force until the guard is dropped, `with torch.printoptions(...)`.
///
/// ```
/// # use firebrick_core::{Tensor, text};
/// let guard = text::printoptions(text::PrintOptions::default().precision(1));
/// assert_eq!(Tensor::new([0.25f32])?.to_string(), "tensor([0.2])");
/// drop(guard);
/// assert_eq!(Tensor::new([0.25f32])?.to_string(), "tensor([0.2500])");
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn printoptions(options: PrintOptions) -> PrintOptionsGuard {
    let before = std::mem::replace(&mut *CURRENT.write(), options);
    PrintOptionsGuard { before }
}

/// Restores the options that were in force before [`printoptions`].
///
/// ```
/// # use firebrick_core::text;
/// let guard: text::PrintOptionsGuard = text::printoptions(text::PrintOptions::short());
/// drop(guard);
/// assert_eq!(text::get_printoptions().precision, 4);
/// ```
#[must_use = "the options are restored as soon as the guard is dropped"]
pub struct PrintOptionsGuard {
    before: PrintOptions,
}

impl Drop for PrintOptionsGuard {
    fn drop(&mut self) {
        set_printoptions(self.before.clone());
    }
}
