//! The list of what was found.

use std::fmt;

/// What kind of failure was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// A trained parameter got no gradient.
    NoGradient,
    /// The gradient is zero everywhere.
    ZeroGradient,
    /// There is a NaN in the gradient.
    NanGradient,
    /// There is an infinity in the gradient.
    InfiniteGradient,
    /// The gradients of a layer are far below those of others.
    VanishingGradient,
    /// The gradients of a layer are far above its weights, or those of other layers.
    ExplodingGradient,
    /// The optimizer does not hold a trained parameter.
    NotHeld,
    /// The optimizer holds a parameter twice.
    HeldTwice,
    /// The optimizer holds a tensor that is no parameter of the model.
    HeldOutside,
    /// A normalization whose parameters are frozen still updates its statistics.
    FrozenStatistics,
    /// A module is in evaluation mode while training.
    Evaluating,
    /// Parameters and buffers are on different devices.
    MixedDevices,
    /// Parameters and buffers have different dtypes.
    MixedDtypes,
    /// A graph is kept from step to step, and grows.
    GrowingGraph,
    /// A graph is kept for a second backward pass that does not come.
    KeptGraph,
}

/// One failure: where it is, and what to do. [`Report`] shows some.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The dotted name of the parameter or module; empty for the model as a whole.
    pub path: String,
    /// What was seen, and after the semicolon what to do.
    pub text: String,
}

impl Finding {
    pub(crate) fn new(kind: FindingKind, path: impl Into<String>, text: impl Into<String>) -> Self {
        Finding { kind, path: path.into(), text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.path.is_empty() { "the model" } else { &self.path };
        write!(f, "{place}: {}", self.text)
    }
}

/// What an examination found. Prints one line for each finding.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::doctor::{Chart, FindingKind};
/// let linear = nn::Linear::new(2, 1)?;
/// linear.call(Tensor::ones([1, 2])?)?.sum()?.backward()?;
/// linear.bias.as_ref().expect("it has one").set_grad(None)?;
/// let parameters: Vec<Tensor> = linear.parameters().iter().map(|p| (**p).clone()).collect();
/// let report = Chart::of(&linear).examine(&[&parameters], None)?;
/// assert!(!report.is_healthy());
/// assert_eq!(report.at("bias").map(|finding| finding.kind).collect::<Vec<_>>(), [FindingKind::NoGradient]);
/// assert_eq!(report.of(FindingKind::NoGradient).count(), report.findings().len());
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Was nothing found? [`Report`] shows it.
    pub fn is_healthy(&self) -> bool {
        self.findings.is_empty()
    }

    /// Everything that was found; [`Report`] shows it.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The findings of one kind; [`Report`] shows it.
    pub fn of(&self, kind: FindingKind) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.kind == kind)
    }

    /// What was found at a dotted name; [`Report`] shows it.
    pub fn at(&self, path: &str) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.path == path)
    }

    /// Adds a finding.
    #[doc(hidden)]
    pub fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.findings.len() {
            0 => return f.write_str("nothing found"),
            1 => f.write_str("1 finding")?,
            many => write!(f, "{many} findings")?,
        }
        self.findings.iter().try_for_each(|finding| write!(f, "\n  {finding}"))
    }
}
