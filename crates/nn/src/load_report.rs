//! What a load would do, in words.

use firebrick_core::Dims;
use std::fmt;

/// What loading a checkpoint into a model would do; made by [`Module::load_report`](crate::Module::load_report), which
/// changes nothing. `Display` prints all of it.
///
/// ```
/// use firebrick::nn::LoadOptions;
/// use firebrick::prelude::*;
/// let linear = nn::Linear::new(3, 2)?;
/// let state = StateDict::from_iter([("wieght", Tensor::zeros([2, 3])?)]);
/// assert_eq!(
///     linear.load_report(&state, &LoadOptions::new())?.to_string(),
///     "Linear: 0 of 2 entries fit\n  left at its initialization: weight [2, 3]\n  left at its initialization: bias [2]\n  \
///      not used: wieght\n  hint: did you mean \"wieght\" in the checkpoint for \"weight\" in the model?"
/// );
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct LoadReport {
    /// The model's name.
    pub model: String,
    /// Keys that fit, in the model's order.
    pub loaded: Vec<String>,
    /// Keys of the model that the checkpoint lacks, with their shapes: they stay as they were initialized.
    pub missing: Vec<(String, Option<Dims>)>,
    /// Keys of the checkpoint that nothing asked for.
    pub unexpected: Vec<String>,
    /// Entries that do not fit, in PyTorch's words; errors, strict or not.
    pub errors: Vec<String>,
    /// Keys of the checkpoint that are probably others of the model: what `repair` of
    /// [`LoadOptions`](crate::LoadOptions) renames.
    pub renames: Vec<(String, String)>,
    /// What was renamed already, by `repair`.
    pub repaired: Vec<(String, String)>,
    /// The advice.
    pub hint: Option<String>,
}

impl LoadReport {
    /// Does every key of both sides fit the other's?
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::new(3, 2)?;
    /// assert!(linear.load_report(&linear.state_dict(), &nn::LoadOptions::new())?.fits());
    /// assert!(!linear.load_report(&StateDict::new(), &nn::LoadOptions::new())?.fits());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn fits(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.errors.is_empty()
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.loaded.len() + self.missing.len() + self.errors.len();
        write!(f, "{}: {} of {all} entries fit", self.model, self.loaded.len())?;
        for (from, to) in &self.repaired {
            write!(f, "\n  renamed: {from} to {to}")?;
        }
        for (key, shape) in &self.missing {
            write!(f, "\n  left at its initialization: {key}")?;
            shape.iter().try_for_each(|shape| write!(f, " {shape:?}"))?;
        }
        for key in &self.unexpected {
            write!(f, "\n  not used: {key}")?;
        }
        for error in &self.errors {
            write!(f, "\n  does not fit: {error}")?;
        }
        self.hint.iter().try_for_each(|hint| write!(f, "\n  hint: {hint}"))
    }
}
