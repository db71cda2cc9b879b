//! A model as the doctor sees it.

use super::{Report, gradients, held, members};
use crate::traverse::{identity, join, walk};
use crate::{Member, Module};
use firebrick_core::autograd::Trace;
use firebrick_core::{Buffer, Parameter, Result, Tensor};
use std::collections::HashSet;

/// The members of a model by name, and what its modules were doing when they were noted.
///
/// It holds handles, so that gradients which come later are seen.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::doctor::{Chart, FindingKind};
/// let linear = nn::Linear::new(2, 1)?;
/// let chart = Chart::of(&linear);
/// linear.call(Tensor::ones([1, 2])?)?.sum()?.backward()?;
/// let report = chart.examine(&[&[(*linear.weight).clone()]], None)?; // an optimizer that holds the weight alone
/// let finding = report.findings().first().expect("one");
/// assert_eq!((finding.kind, finding.path.as_str()), (FindingKind::NotHeld, "bias"));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct Chart {
    pub(super) modules: Vec<Charted>,
}

/// One module.
pub(super) struct Charted {
    pub path: String,
    pub training: bool,
    pub called: bool,
    /// With dotted names; tied ones in the first module that has them.
    pub parameters: Vec<(String, Parameter)>,
    pub buffers: Vec<(String, Buffer)>,
}

impl Chart {
    /// Notes a model as it is now.
    pub fn of(model: &dyn Module) -> Self {
        let (mut modules, mut seen, mut tensors) = (Vec::new(), HashSet::new(), HashSet::new());
        walk("", model.as_dyn(), &mut |path, module| {
            let fresh = seen.insert(identity(module));
            if fresh {
                modules.push(Charted::of(path, module, &mut tensors));
            }
            fresh
        });
        Chart { modules }
    }

    /// Every parameter with its dotted name, tied ones once.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.modules.iter().flat_map(|module| &module.parameters).map(|(name, parameter)| (name.as_str(), parameter))
    }

    /// The parameters that are trained.
    pub(super) fn trained(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.parameters().filter(|(_, parameter)| parameter.requires_grad())
    }

    /// Looks at the model after a backward pass. `groups` are the parameters that the optimizer holds, by group; `trace`
    /// tells where paths end, when the forward pass was traced.
    ///
    /// # Errors
    /// A gradient that cannot be read.
    pub fn examine(&self, groups: &[&[Tensor]], trace: Option<&Trace>) -> Result<Report> {
        let mut report = Report::default();
        gradients::examine(self, trace, &mut report)?;
        held::examine(self, groups, &mut report);
        members::examine(self, &mut report);
        Ok(report)
    }
}

impl Charted {
    fn of(path: &str, module: &dyn Module, seen: &mut HashSet<usize>) -> Self {
        let core = module.core();
        let (training, called) = (core.is_training(), core.was_called());
        let mut charted =
            Charted { path: path.to_owned(), training, called, parameters: Vec::new(), buffers: Vec::new() };
        module.visit(&mut |name, member| match member {
            Member::Parameter(parameter) if seen.insert(parameter.id()) => {
                charted.parameters.push((join(path, name), parameter.clone()));
            }
            Member::Buffer(buffer) if seen.insert(buffer.id()) => {
                charted.buffers.push((join(path, name), buffer.clone()));
            }
            _ => {}
        });
        charted
    }
}
