//! Recording on and off, per thread: `no_grad`, `enable_grad`, `inference_mode`; and looking for NaN.

use crate::source::SourceLines;
use std::cell::Cell;
use std::marker::PhantomData;

#[derive(Clone, Copy)]
struct Mode {
    grad: bool,
    inference: bool,
    anomaly: Anomaly,
}

/// What the backward pass looks for.
#[derive(Clone, Copy)]
struct Anomaly {
    on: bool,
    check_nan: bool,
}

thread_local! {
    static MODE: Cell<Mode> = const { Cell::new(Mode {
        grad: true,
        inference: false,
        anomaly: Anomaly { on: false, check_nan: true },
    }) };
}

/// Is the graph being recorded on this thread?
///
/// ```
/// # use firebrick_core::autograd;
/// assert!(autograd::is_grad_enabled());
/// assert!(!autograd::no_grad(autograd::is_grad_enabled));
/// ```
#[inline]
pub fn is_grad_enabled() -> bool {
    MODE.get().grad
}

/// Do operations leave a history? In inference mode they never do, whatever [`enable_grad`] says.
#[inline]
pub(crate) fn is_recording() -> bool {
    let mode = MODE.get();
    mode.grad && !mode.inference
}

/// Is this thread in inference mode?
///
/// ```
/// # use firebrick_core::autograd;
/// assert!(autograd::inference_mode(autograd::is_inference_mode_enabled));
/// ```
#[inline]
pub fn is_inference_mode_enabled() -> bool {
    MODE.get().inference
}

/// Is the backward pass of this thread watched by [`detect_anomaly`]?
///
/// ```
/// # use firebrick_core::autograd;
/// assert!(!autograd::is_anomaly_enabled());
/// assert!(autograd::detect_anomaly(autograd::is_anomaly_enabled));
/// ```
pub fn is_anomaly_enabled() -> bool {
    MODE.get().anomaly.on
}

/// Does [`detect_anomaly`] look for NaN where it is on?
///
/// ```
/// # use firebrick_core::autograd;
/// let _guard = autograd::ModeGuard::detect_anomaly(true, false);
/// assert!(autograd::is_anomaly_enabled() && !autograd::is_anomaly_check_nan_enabled());
/// ```
pub fn is_anomaly_check_nan_enabled() -> bool {
    MODE.get().anomaly.check_nan
}

/// Restores the mode that was in force when it was made; it stays on its thread.
///
/// ```
/// # use firebrick_core::autograd;
/// let guard = autograd::ModeGuard::no_grad();
/// assert!(!autograd::is_grad_enabled());
/// drop(guard);
/// assert!(autograd::is_grad_enabled());
/// ```
#[must_use = "the mode lasts as long as the guard"]
pub struct ModeGuard {
    before: Mode,
    /// Lines of the forward pass are what a watched backward pass names.
    _lines: Option<SourceLines>,
    _on_this_thread: PhantomData<*const ()>,
}

impl ModeGuard {
    fn enter(change: impl FnOnce(Mode) -> Mode) -> Self {
        let before = MODE.get();
        MODE.set(change(before));
        ModeGuard { before, _lines: None, _on_this_thread: PhantomData }
    }

    /// `torch.no_grad()`: nothing is recorded while the guard lives.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor, autograd};
    /// let x = Parameter::new(Tensor::new([1.0f32])?);
    /// let _guard = autograd::ModeGuard::no_grad();
    /// assert!(!x.exp()?.requires_grad());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn no_grad() -> Self {
        Self::set_grad_enabled(false)
    }

    /// `torch.enable_grad()`: recording, also inside `no_grad`.
    ///
    /// ```
    /// # use firebrick_core::autograd;
    /// let inside = autograd::no_grad(|| autograd::enable_grad(autograd::is_grad_enabled));
    /// assert!(inside);
    /// ```
    pub fn enable_grad() -> Self {
        Self::set_grad_enabled(true)
    }

    /// `torch.set_grad_enabled(on)`.
    ///
    /// ```
    /// # use firebrick_core::autograd;
    /// assert!(!autograd::set_grad_enabled(false, autograd::is_grad_enabled));
    /// ```
    pub fn set_grad_enabled(on: bool) -> Self {
        Self::enter(|mode| Mode { grad: on, ..mode })
    }

    /// `torch.inference_mode(on)`: like `no_grad`, and new tensors carry no version and can never join a graph.
    ///
    /// ```
    /// # use firebrick_core::{Tensor, autograd};
    /// let x = autograd::inference_mode(|| Tensor::zeros([2]))?;
    /// assert!(x.is_inference() && x.requires_grad_(true).is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn inference_mode(on: bool) -> Self {
        Self::enter(|mode| Mode { grad: !on, inference: on, ..mode })
    }

    /// `torch.autograd.set_detect_anomaly(on, check_nan)`.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor, autograd};
    /// let x = Parameter::new(Tensor::new([0.0f32])?);
    /// let y = x.sqrt()?.mul(0)?;
    /// let _guard = autograd::ModeGuard::detect_anomaly(true, true);
    /// let error = y.backward().unwrap_err();
    /// assert_eq!(error.to_string(), "Function 'SqrtBackward0' returned nan values in its 0th output.");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn detect_anomaly(on: bool, check_nan: bool) -> Self {
        let mut guard = Self::enter(|mode| Mode { anomaly: Anomaly { on, check_nan }, ..mode });
        guard._lines = on.then(SourceLines::note);
        guard
    }
}

impl Drop for ModeGuard {
    fn drop(&mut self) {
        MODE.set(self.before);
    }
}

/// Runs `f` without recording the graph, as `with torch.no_grad():` does.
///
/// ```
/// use firebrick_core::{Tensor, autograd};
/// let x = Tensor::new([1.0f32])?;
/// x.requires_grad_(true)?;
/// assert!(!autograd::no_grad(|| x.exp())?.requires_grad());
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn no_grad<R>(f: impl FnOnce() -> R) -> R {
    let _guard = ModeGuard::no_grad();
    f()
}

/// Runs `f` while recording, as `with torch.enable_grad():` does.
///
/// ```
/// # use firebrick_core::autograd;
/// assert!(autograd::no_grad(|| autograd::enable_grad(autograd::is_grad_enabled)));
/// ```
pub fn enable_grad<R>(f: impl FnOnce() -> R) -> R {
    let _guard = ModeGuard::enable_grad();
    f()
}

/// Runs `f` with recording on or off, as `with torch.set_grad_enabled(on):` does.
///
/// ```
/// # use firebrick_core::autograd;
/// let training = false;
/// assert!(!autograd::set_grad_enabled(training, autograd::is_grad_enabled));
/// ```
pub fn set_grad_enabled<R>(on: bool, f: impl FnOnce() -> R) -> R {
    let _guard = ModeGuard::set_grad_enabled(on);
    f()
}

/// Runs `f` in inference mode, as `with torch.inference_mode():` does.
///
/// ```
/// # use firebrick_core::{Parameter, Tensor, autograd};
/// let x = Parameter::new(Tensor::new([1.0f32])?);
/// let y = autograd::inference_mode(|| x.exp())?;
/// assert!(y.is_inference() && !y.requires_grad());
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn inference_mode<R>(f: impl FnOnce() -> R) -> R {
    let _guard = ModeGuard::inference_mode(true);
    f()
}

/// Runs `f`; in a backward pass meanwhile, an operation that returns NaN as a gradient is an error that names it. As
/// `with torch.autograd.detect_anomaly():` does. The error also has the path of the module that ran the operation and, when
/// that was inside, too, or in a development build, the line of the program: `{:#}` prints both.
///
/// ```
/// use firebrick_core::{Tensor, autograd};
/// let x = Tensor::new([0.0f32])?;
/// x.requires_grad_(true)?;
/// let y = x.sqrt()?.mul(0)?;
/// let error = autograd::detect_anomaly(|| y.backward()).unwrap_err();
/// assert_eq!(error.to_string(), "Function 'SqrtBackward0' returned nan values in its 0th output.");
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn detect_anomaly<R>(f: impl FnOnce() -> R) -> R {
    let _guard = ModeGuard::detect_anomaly(true, true);
    f()
}
