//! Autocast: on or off, per thread.

use super::clear_autocast_cache;
use crate::tensor::substitute::{is_autocasting, set_autocasting};
use crate::{DType, Device, Error, Result, warn};
use std::cell::Cell;
use std::marker::PhantomData;

const OP: &str = "autocast";

/// What is in force on a thread.
#[derive(Clone, Copy)]
pub(super) struct State {
    pub on: bool,
    pub dtype: DType,
    pub caches: bool,
    /// How many guards there are.
    depth: usize,
}

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State { on: false, dtype: DType::BF16, caches: true, depth: 0 }) };
}

pub(super) fn state() -> State {
    STATE.get()
}

fn set(state: State) {
    STATE.set(state);
    set_autocasting(state.on);
}

/// Is autocast on, on this thread and for this device?
///
/// ```
/// # use firebrick_core::{Device, amp};
/// assert!(!amp::is_autocast_enabled(Device::Cpu));
/// let inside = amp::autocast(Device::Cpu).scope(|| Ok(amp::is_autocast_enabled(Device::Cpu)))?;
/// assert!(inside);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn is_autocast_enabled(device: Device) -> bool {
    is_autocast_available(device) && STATE.get().on
}

/// Can autocast be used on this device? On the CPU.
///
/// ```
/// # use firebrick_core::{Device, amp};
/// assert!(amp::is_autocast_available(Device::Cpu) && !amp::is_autocast_available(Device::Meta));
/// ```
pub fn is_autocast_available(device: Device) -> bool {
    device == Device::Cpu
}

/// Are casts of parameters kept until autocast ends?
///
/// ```
/// # use firebrick_core::{Device, amp};
/// assert!(amp::is_autocast_cache_enabled());
/// let _guard = amp::autocast(Device::Cpu).cache_enabled(false).enter()?;
/// assert!(!amp::is_autocast_cache_enabled());
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn is_autocast_cache_enabled() -> bool {
    STATE.get().caches
}

/// The dtype that [`autocast`] takes where none is given: bfloat16 unless set.
///
/// ```
/// # use firebrick_core::{DType, Device, amp};
/// assert_eq!(amp::autocast_dtype(Device::Cpu), Some(DType::BF16));
/// ```
pub fn autocast_dtype(device: Device) -> Option<DType> {
    is_autocast_available(device).then(|| STATE.get().dtype)
}

/// Sets what [`autocast_dtype`] gives on this thread: PyTorch's `torch.set_autocast_dtype`.
///
/// ```
/// # use firebrick_core::{DType, Device, Tensor, amp::{self, autocast}};
/// amp::set_autocast_dtype(DType::F16);
/// let x = Tensor::ones([2, 2])?;
/// assert_eq!(autocast(Device::Cpu).scope(|| x.mm(&x))?.dtype(), DType::F16);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn set_autocast_dtype(dtype: DType) {
    STATE.set(State { dtype, ..STATE.get() });
}

/// Options of a stretch of autocast; made by [`autocast`].
///
/// ```
/// # use firebrick_core::{DType, Device, Tensor, amp::{self, autocast}};
/// let x = Tensor::ones([2, 2])?;
/// let options: amp::Autocast = autocast(Device::Cpu).dtype(DType::F16).cache_enabled(false);
/// assert_eq!(options.scope(|| x.mm(&x))?.dtype(), DType::F16);
/// assert_eq!(options.enabled(false).scope(|| x.mm(&x))?.dtype(), DType::F32);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until `scope` or `enter`"]
pub struct Autocast {
    device: Device,
    dtype: Option<DType>,
    enabled: bool,
    cache_enabled: Option<bool>,
}

/// Lets operations choose their dtype: PyTorch's `torch.autocast(device_type)`.
///
/// Nested stretches take the place of the outer one; `enabled(false)` is how a part computes as its operands are. In
/// place, nothing is cast. Use it for forward passes and losses, and call `backward` outside.
///
/// Difference from PyTorch 2.15: a parameter that changes in place inside is cast again; PyTorch goes on with the old
/// cast.
///
/// ```
/// use firebrick_core::{DType, Device, Tensor, amp::autocast};
/// let x = Tensor::ones([2, 2])?;
/// let half = autocast(Device::Cpu).dtype(DType::F16).scope(|| {
///     let y = x.mm(&x)?;
///     let z = autocast(Device::Cpu).enabled(false).scope(|| x.mm(&x))?;
///     Ok((y, z))
/// })?;
/// assert_eq!((half.0.dtype(), half.1.dtype()), (DType::F16, DType::F32));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn autocast(device: Device) -> Autocast {
    Autocast { device, dtype: None, enabled: true, cache_enabled: None }
}

impl Autocast {
    /// The lower dtype: `BF16` or `F16`; [`autocast_dtype`] unless set.
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.dtype = Some(dtype);
        self
    }

    /// Is it on? It is unless set.
    pub fn enabled(mut self, on: bool) -> Self {
        self.enabled = on;
        self
    }

    /// Are casts of parameters kept until the outermost stretch ends? As around it unless set.
    pub fn cache_enabled(mut self, on: bool) -> Self {
        self.cache_enabled = Some(on);
        self
    }

    /// Begins it: it lasts as long as the guard. Another dtype than the two turns it off, with a warning.
    ///
    /// # Errors
    /// A device that autocast is not available on.
    ///
    /// ```
    /// # use firebrick_core::{DType, Device, Tensor, amp::{self, autocast}};
    /// let x = Tensor::ones([2, 2])?;
    /// let guard = autocast(Device::Cpu).enter()?;
    /// assert_eq!(x.mm(&x)?.dtype(), DType::BF16);
    /// drop(guard);
    /// assert_eq!(x.mm(&x)?.dtype(), DType::F32);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn enter(&self) -> Result<AutocastGuard> {
        if !is_autocast_available(self.device) {
            let text = format!("User specified an unsupported autocast device_type '{}'", self.device);
            return Err(Error::runtime(OP, text));
        }
        let before = STATE.get();
        let dtype = self.dtype.unwrap_or(before.dtype);
        let fits = matches!(dtype, DType::BF16 | DType::F16);
        if self.enabled && !fits {
            warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\nCPU Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
            );
        }
        set(State {
            on: self.enabled && fits,
            dtype,
            caches: self.cache_enabled.unwrap_or(before.caches),
            depth: before.depth + 1,
        });
        Ok(AutocastGuard { before, _on_this_thread: PhantomData })
    }

    /// Runs `f` in it.
    ///
    /// # Errors
    /// Those of [`Autocast::enter`] and of `f`.
    ///
    /// ```
    /// # use firebrick_core::{DType, Device, Tensor, amp::{self, autocast}};
    /// let x = Tensor::ones([2, 2])?;
    /// assert_eq!(autocast(Device::Cpu).scope(|| x.mm(&x))?.dtype(), DType::BF16);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn scope<R>(&self, f: impl FnOnce() -> Result<R>) -> Result<R> {
        let _guard = self.enter()?;
        f()
    }

    /// What is in force on this thread, to be entered again elsewhere.
    ///
    /// ```
    /// # use firebrick_core::{DType, Device, Tensor, amp::{self, autocast}};
    /// let x = Tensor::ones([2, 2])?;
    /// let _guard = autocast(Device::Cpu).enter()?;
    /// let here = amp::Autocast::current();
    /// let dtype = std::thread::scope(|threads| threads.spawn(|| here.scope(|| Ok(x.mm(&x)?.dtype()))).join());
    /// assert_eq!(dtype.expect("the thread ends well")?, DType::BF16);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn current() -> Self {
        let State { on, dtype, caches, .. } = STATE.get();
        Autocast { device: Device::Cpu, dtype: Some(dtype), enabled: on, cache_enabled: Some(caches) }
    }
}

/// Ends a stretch of autocast when it is dropped; it stays on its thread.
///
/// ```
/// # use firebrick_core::{Device, amp};
/// let guard: amp::AutocastGuard = amp::autocast(Device::Cpu).enter()?;
/// assert!(amp::is_autocast_enabled(Device::Cpu));
/// drop(guard);
/// assert!(!amp::is_autocast_enabled(Device::Cpu));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[must_use = "autocast lasts as long as the guard"]
pub struct AutocastGuard {
    before: State,
    _on_this_thread: PhantomData<*const ()>,
}

impl Drop for AutocastGuard {
    fn drop(&mut self) {
        set(self.before);
        if self.before.depth == 0 {
            clear_autocast_cache();
        }
    }
}

/// No autocast while it lives: in-place operations keep the dtype of what they overwrite.
pub(crate) struct Suspended(());

impl Suspended {
    /// `None` where there is nothing to suspend.
    #[inline]
    pub fn begin() -> Option<Self> {
        is_autocasting().then(|| {
            set_autocasting(false);
            Suspended(())
        })
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        set_autocasting(true);
    }
}
