//! Activation checkpointing: memory for time, PyTorch's `torch.utils.checkpoint`.
//!
//! | file | what it holds |
//! |---|---|
//! | here | [`checkpoint`], [`checkpoint_sequential`] |
//! | `frame` | what is kept of one call, and running it again |
//!
//! A checkpointed function keeps its input and none of the tensors that its operations save; the backward pass runs it
//! again to get them. Gradients are the same to the bit.

mod frame;

use crate::{Args, Call, Forward, IntoArgs};
use firebrick_core::amp::Autocast;
use firebrick_core::autograd::{is_grad_enabled, saved_tensors_hooks};
use firebrick_core::random::current_generator;
use firebrick_core::{Error, Result, Tensor, standing_in, substitute};
use frame::Frame;
use std::sync::Arc;

/// Options of [`checkpoint_with`].
#[derive(Clone, Copy, Debug)]
pub struct CheckpointOptions {
    preserve_rng_state: bool,
    determinism_check: bool,
}

impl Default for CheckpointOptions {
    fn default() -> Self {
        CheckpointOptions { preserve_rng_state: true, determinism_check: true }
    }
}

impl CheckpointOptions {
    /// Random numbers are drawn again as they were, and what is computed again is compared with what was.
    pub fn new() -> Self {
        Self::default()
    }

    /// Does the second run draw the random numbers of the first? It does unless set, and leaves the generator alone.
    pub fn preserve_rng_state(mut self, on: bool) -> Self {
        self.preserve_rng_state = on;
        self
    }

    /// Are shape, dtype and device of what is computed again compared with those of the first run? PyTorch's
    /// `determinism_check="default"` or `"none"`; they are unless set. The number of tensors is always compared.
    ///
    /// Otherwise another shape or dtype is refused where a gradient needs the tensor, as
    /// [`saved_tensors_hooks`] says; PyTorch computes with what it gets.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::utils::checkpoint::{CheckpointOptions, checkpoint_with};
    /// use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    /// let backward = |check: bool| {
    ///     let again = AtomicBool::new(false); // the second run is in double precision
    ///     let exp = move |x: Tensor| x.to(if again.swap(true, Relaxed) { DType::F64 } else { DType::F32 })?.exp();
    ///     let x = Parameter::new(Tensor::new([0.0f32])?);
    ///     let y: Tensor = checkpoint_with(exp, &*x, CheckpointOptions::new().determinism_check(check))?;
    ///     y.sum()?.backward()
    /// };
    /// let (checked, unchecked) = (backward(true).unwrap_err(), backward(false).unwrap_err());
    /// assert!(checked.to_string().contains("have different metadata than during the forward pass"));
    /// assert_eq!(unchecked.to_string(), "the hook gave another tensor back than was saved");
    /// ```
    pub fn determinism_check(mut self, on: bool) -> Self {
        self.determinism_check = on;
        self
    }
}

/// Calls `function`, and keeps only `input` for the backward pass, which calls it again: PyTorch's
/// `checkpoint(function, *args, use_reentrant=False)`.
///
/// The function must do the same both times. It owns what it uses: of a module, an `Arc`. The second run sees the autocast,
/// the random numbers and the tensors in the places of parameters that the first one saw. Without recording, this
/// is a plain call.
///
/// Differences from PyTorch 2.15: the second run goes on to the end of the function, and saving more tensors in it is an
/// error, where PyTorch stops after the last tensor it needs. There is no re-entrant form, which PyTorch advises against.
///
/// # Errors
/// Those of the function; in the backward pass, tensors that differ from those of the first run.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::utils::checkpoint::checkpoint;
/// use std::sync::Arc;
///
/// let block = Arc::new(nn::Sequential::new().add(nn::Linear::new(3, 3)?).add(nn::Tanh::new()));
/// let x = Tensor::ones([2, 3])?;
/// let y: Tensor = checkpoint({ let block = block.clone(); move |x: Tensor| block.call(x) }, &x)?;
/// y.sum()?.backward()?;
/// assert!(block.parameters().iter().all(|p| p.grad().is_some()));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn checkpoint<I, O>(function: impl Fn(I) -> Result<O> + Send + Sync + 'static, input: impl IntoArgs<I>) -> Result<O>
where
    I: Args + Clone + Send + Sync,
{
    checkpoint_with(function, input, CheckpointOptions::new())
}

/// [`checkpoint`] with options.
///
/// # Errors
/// As [`checkpoint`].
///
/// ```
/// use firebrick::utils::checkpoint::{CheckpointOptions, checkpoint_with};
/// use firebrick::prelude::*;
/// let x = Parameter::new(Tensor::new([3.0f32])?);
/// let options = CheckpointOptions::new().preserve_rng_state(false);
/// let y: Tensor = checkpoint_with(|x: Tensor| x.square()?.exp()?.log(), &*x, options)?;
/// y.sum()?.backward()?;
/// assert!((x.grad().map(|g| g.item::<f32>()).transpose()?.unwrap_or(0.0) - 6.0).abs() < 1e-3);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn checkpoint_with<I, O>(
    function: impl Fn(I) -> Result<O> + Send + Sync + 'static,
    input: impl IntoArgs<I>,
    options: CheckpointOptions,
) -> Result<O>
where
    I: Args + Clone + Send + Sync,
{
    let input = input.into_args();
    if !is_grad_enabled() {
        return function(input);
    }
    let generator = options.preserve_rng_state.then(|| current_generator().clone_state());
    let (autocast, substitutes) = (Autocast::current(), standing_in());
    let function = Arc::new(function);
    let (again, kept) = (function.clone(), input.clone());
    let run_again = move || {
        let pairs: Vec<(&Tensor, &Tensor)> = substitutes.iter().map(|(original, new)| (original, new)).collect();
        let _substitutes = substitute(&pairs);
        let run = || autocast.scope(|| again(kept.clone()).map(drop));
        match &generator {
            // A copy: the next run begins at the same place.
            Some(generator) => generator.clone_state().scope(run),
            None => run(),
        }
    };
    let frame = Arc::new(Frame::new(run_again, options.determinism_check));
    let frame_of_pack = frame.clone();
    let _hooks = saved_tensors_hooks(
        move |tensor| Ok(frame_of_pack.remember(tensor)),
        move |&place: &usize| frame.tensor(place),
    );
    function(input)
}

/// Calls `functions` one after the other, in `segments` groups of which all but the last are checkpointed.
///
/// PyTorch takes a `Sequential`; here the layers come as handles that can be kept, such as `Arc<dyn Forward>`.
///
/// # Errors
/// No segments, more than there are functions; those of the functions.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::utils::checkpoint::checkpoint_sequential;
/// use std::sync::Arc;
///
/// let layers: Vec<Arc<dyn nn::Forward>> = vec![Arc::new(nn::Linear::new(2, 2)?), Arc::new(nn::ReLU::new())];
/// let y = checkpoint_sequential(&layers, 2, Tensor::ones([1, 2])?)?;
/// assert_eq!(y.shape(), [1, 2]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn checkpoint_sequential<F: Forward + Clone>(functions: &[F], segments: usize, input: Tensor) -> Result<Tensor> {
    const OP: &str = "checkpoint_sequential";
    let size = functions
        .len()
        .checked_div(segments)
        .ok_or_else(|| Error::value(OP, "integer division or modulo by zero").expected("at least one segment"))?;
    if size == 0 && segments > 1 {
        return Err(Error::value(OP, "range() arg 3 must not be zero")
            .given(format!("{segments} segments of {} functions", functions.len())));
    }
    let (mut x, last) = (input, size * (segments - 1));
    for group in functions[..last].chunks(size.max(1)) {
        let group = group.to_vec();
        x = checkpoint(move |x: Tensor| in_turn(&group, x), x)?;
    }
    in_turn(&functions[last..], x)
}

fn in_turn<F: Forward>(functions: &[F], input: Tensor) -> Result<Tensor> {
    functions.iter().try_fold(input, |x, function| function.call(x))
}
