//! The doctor that comes by itself.

use super::{Chart, Finding, Growth, Kept, Report};
use crate::nn::{HookHandle, HookOptions, Module, ModuleExt};
use crate::optim::{Optimizer, StepHookHandle};
use crate::{Result, Tensor, autograd, warn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many steps [`watch`] looks at: enough to see a graph grow.
const STEPS: usize = 6;

/// Looks by itself: at everything in the first step, and for graphs that grow or are kept for nothing until the sixth, then takes itself off. What it
/// finds is warned of, and kept for [`Watch::report`].
///
/// The forward pass is that of `model.call`, the step that of `optimizer`, on one thread.
///
/// ```
/// use firebrick::{doctor, prelude::*};
/// let model = nn::Linear::new(3, 2)?;
/// let mut optimizer = optim::SGD::new(model.parameters(), 0.1).build()?;
/// let watch = doctor::watch(&model, &optimizer);
/// model.eval();
/// let (result, warnings) = firebrick::catch_warnings(|| {
///     model.call(Tensor::ones([4, 3])?)?.sum()?.backward()?;
///     optimizer.step()
/// });
/// result?;
/// assert!(warnings[0].starts_with("the model: is in evaluation mode while it is trained"));
/// assert_eq!(watch.report().findings().len(), 1);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn watch<M: Module + ?Sized, O: Optimizer>(model: &M, optimizer: &O) -> Watch {
    let watch = Watch(Arc::default());
    let (before, after, step) = (watch.0.clone(), watch.0.clone(), watch.0.clone());
    let first = HookOptions::new().prepend(true);
    let model = model.as_dyn();
    let handles = Handles {
        before: model.register_forward_pre_hook_any(first, move |_, _| {
            lock(&before).begin_forward();
            Ok(())
        }),
        after: model.register_forward_hook_any(HookOptions::new(), move |module, _, _| {
            lock(&after).chart = Some(Chart::of(module));
            Ok(())
        }),
        step: optimizer.register_step_pre_hook(move |core| {
            let groups: Vec<&[Tensor]> = core.param_groups().iter().map(|group| group.params()).collect();
            let found = lock(&step).end_step(&groups)?;
            found.iter().for_each(|finding| warn(&finding.to_string()));
            Ok(())
        }),
    };
    lock(&watch.0).handles = Some(handles);
    watch
}

/// Looks at the first steps of a training; made by [`watch`].
///
/// ```
/// use firebrick::{doctor, prelude::*};
/// let model = nn::Linear::new(3, 2)?;
/// let mut optimizer = optim::SGD::new([&model.weight], 0.1).build()?; // without the bias
/// let watch = doctor::watch(&model, &optimizer);
/// model.call(Tensor::ones([4, 3])?)?.sum()?.backward()?;
/// firebrick::catch_warnings(|| optimizer.step()).0?;
/// let report = watch.report();
/// let finding = report.at("bias").next().expect("one");
/// assert_eq!(finding.kind, doctor::FindingKind::NotHeld);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct Watch(Arc<Mutex<State>>);

impl Watch {
    /// What was found so far; [`Watch`] shows it.
    pub fn report(&self) -> Report {
        lock(&self.0).report.clone()
    }

    /// Ends the watch before its time.
    ///
    /// ```
    /// use firebrick::{doctor, prelude::*};
    /// let model = nn::Linear::new(3, 2)?;
    /// let mut optimizer = optim::SGD::new([&model.weight], 0.1).build()?;
    /// let watch = doctor::watch(&model, &optimizer);
    /// watch.stop();
    /// model.call(Tensor::ones([4, 3])?)?.sum()?.backward()?;
    /// optimizer.step()?;
    /// assert!(watch.report().is_healthy()); // it did not look
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn stop(&self) {
        lock(&self.0).stop();
    }
}

#[derive(Default)]
struct State {
    chart: Option<Chart>,
    graphs: Option<(Growth, Kept)>,
    steps: usize,
    report: Report,
    handles: Option<Handles>,
}

/// What takes the watch off again.
struct Handles {
    before: HookHandle,
    after: HookHandle,
    step: StepHookHandle,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// The first forward pass is traced.
    fn begin_forward(&mut self) {
        if self.graphs.is_none() && self.handles.is_some() {
            self.graphs = Some((Growth::begin(), Kept::begin()));
            autograd::start_trace();
        }
    }

    /// The gradients are there: looks at them once, and at what earlier steps left behind.
    fn end_step(&mut self, groups: &[&[Tensor]]) -> Result<Vec<Finding>> {
        let Some((growth, kept)) = &mut self.graphs else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        if let (0, Some(chart)) = (self.steps, &self.chart) {
            let trace = autograd::finish_trace();
            found.extend_from_slice(chart.examine(groups, Some(&trace))?.findings());
        }
        self.steps += 1;
        found.extend(kept.step());
        let grown = growth.step();
        let done = grown.is_some() || self.steps == STEPS;
        found.extend(grown);
        found.iter().for_each(|finding| self.report.push(finding.clone()));
        if done {
            self.stop();
        }
        Ok(found)
    }

    fn stop(&mut self) {
        self.graphs = None;
        if self.steps == 0 {
            drop(autograd::finish_trace());
        }
        if let Some(Handles { before, after, step }) = self.handles.take() {
            before.remove();
            after.remove();
            step.remove();
        }
    }
}
