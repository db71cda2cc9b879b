//! `Custom`: the behaviour that a module may write by hand beside `forward`.

use firebrick_core::{Error, Result, StateDict, Tensor};

/// Behaviour that a module may write by hand, after `#[module(custom)]`.
///
/// ```
/// use firebrick::prelude::*;
/// #[derive(Module)]
/// #[module(custom)]
/// struct Scale {
///     core: Core,
///     factor: f64,
/// }
///
/// impl nn::Custom for Scale {
///     fn extra_repr(&self) -> String {
///         format!("factor={}", self.factor)
///     }
/// }
///
/// assert_eq!(Scale { core: Core::new(), factor: 2.5 }.to_string(), "Scale(factor=2.5)");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` says `#[module(custom)]` but has no `impl Custom`",
    label = "no `impl Custom`",
    note = "write `impl nn::Custom for {Self}`, or leave `#[module(custom)]` out"
)]
pub trait Custom {
    /// The text between the parentheses of the printed form, such as `in_features=2, out_features=3`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::Custom;
    /// assert_eq!(nn::Linear::new(3, 2)?.extra_repr(), "in_features=3, out_features=2, bias=True");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn extra_repr(&self) -> String {
        String::new()
    }

    /// Replaces the whole printed form.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// #[derive(Module)]
    /// #[module(custom)]
    /// struct Secret { core: Core }
    ///
    /// impl nn::Custom for Secret {
    ///     fn repr(&self) -> Option<String> {
    ///         Some("<secret>".to_owned())
    ///     }
    /// }
    ///
    /// assert_eq!(Secret { core: Core::new() }.to_string(), "<secret>");
    /// ```
    fn repr(&self) -> Option<String> {
        None
    }

    /// PyTorch's `_version`, written into the metadata of a `state_dict`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let state = nn::BatchNorm1d::new(2)?.state_dict();
    /// assert_eq!(state.metadata[""]["version"], 2);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn version(&self) -> i64 {
        1
    }

    /// Adapts the entries of an older checkpoint before they are read: PyTorch's `_load_from_state_dict`.
    ///
    /// `state` is a copy made for this load, `prefix` (empty or ending in a dot) precedes the module's keys in it,
    /// and `version` is the one the checkpoint was written with, when it says so.
    ///
    /// # Errors
    /// Whatever makes the checkpoint unreadable: one more line of the error that `load_state_dict` returns.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// #[derive(Module)]
    /// #[module(custom)]
    /// struct Scale { core: Core, factor: Parameter }
    ///
    /// impl nn::Custom for Scale {
    ///     fn version(&self) -> i64 {
    ///         2
    ///     }
    ///
    ///     fn migrate(&self, state: &mut StateDict, prefix: &str, version: Option<i64>) -> Result<()> {
    ///         if version.unwrap_or(1) < 2 && let Some(old) = state.remove(&format!("{prefix}alpha")) {
    ///             state.insert(format!("{prefix}factor"), old);
    ///         }
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let scale = Scale { core: Core::new(), factor: Parameter::new(Tensor::zeros([1])?) };
    /// scale.load_state_dict(&StateDict::from_iter([("alpha", Tensor::new([2.5f32])?)]))?;
    /// assert_eq!(scale.factor.to_vec::<f32>()?, [2.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn migrate(&self, state: &mut StateDict, prefix: &str, version: Option<i64>) -> Result<()> {
        let _ = (state, prefix, version);
        Ok(())
    }

    /// What the module saves beside its parameters and buffers, under `_extra_state`; `None`, the default, is nothing.
    ///
    /// PyTorch's may be any object that Python can pickle; here it is a tensor, which every checkpoint can hold.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
    /// #[derive(Module)]
    /// #[module(custom)]
    /// struct Counter { core: Core, #[module(skip)] count: Arc<AtomicI64> }
    ///
    /// impl nn::Custom for Counter {
    ///     fn get_extra_state(&self) -> Option<Tensor> {
    ///         Tensor::new(self.count.load(Relaxed)).ok()
    ///     }
    ///
    ///     fn set_extra_state(&self, state: &Tensor) -> Result<()> {
    ///         self.count.store(state.item()?, Relaxed);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let counter = |count: i64| Counter { core: Core::new(), count: Arc::new(count.into()) };
    /// let (saved, loaded) = (counter(7), counter(0));
    /// loaded.load_state_dict(&saved.state_dict())?;
    /// assert_eq!(loaded.count.load(Relaxed), 7);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn get_extra_state(&self) -> Option<Tensor> {
        None
    }

    /// Takes up what [`Custom::get_extra_state`] saved. Runs when the whole checkpoint is found to fit, just before
    /// parameters and buffers are written.
    ///
    /// # Errors
    /// A state that does not fit; parameters and buffers then stay as they are.
    fn set_extra_state(&self, state: &Tensor) -> Result<()> {
        let _ = state;
        let message = "Reached a code path in Module.set_extra_state() that should never be called.";
        Err(Error::runtime("set_extra_state", message).remedy("a module with `get_extra_state` needs this one, too"))
    }
}
