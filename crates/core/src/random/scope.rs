//! Which generator operations draw from: the default one, or the one whose scope the thread is in.

use std::cell::RefCell;

use super::generator::Generator;
use super::global::default_generator;

thread_local! {
    static CURRENT: RefCell<Option<Generator>> = const { RefCell::new(None) };
}

/// The generator that operations of this thread draw from: that of the innermost
/// [`Generator::scope`], else the default one.
///
/// ```
/// # use firebrick_core::{Generator, random};
/// let generator = Generator::new();
/// assert!(generator.scope(|| random::current_generator().same(&generator)));
/// ```
#[must_use]
pub fn current_generator() -> Generator {
    CURRENT.with_borrow(Clone::clone).unwrap_or_else(|| default_generator().clone())
}

impl Generator {
    /// Runs `f` with this generator in the default one's place: whatever `f` draws on this thread
    /// (fills, dropout, initialization, shuffles) comes from here. PyTorch's argument `generator=`,
    /// for every operation at once.
    ///
    /// ```
    /// use firebrick_core::{Generator, Tensor};
    /// let generator = Generator::new().manual_seed(0);
    /// let x = generator.scope(|| Tensor::rand([2]))?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.496_256_6, 0.768_221_8]); // torch.rand(2, generator=g)
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let _restored = Restore(CURRENT.replace(Some(self.clone())));
        f()
    }
}

/// Puts the outer scope's generator back, also when the function panics.
struct Restore(Option<Generator>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}
