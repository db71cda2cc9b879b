//! What goes wrong in training without an error: one call lists it by dotted name, each line with what to do.
//!
//! [`doctor`](fn@doctor) looks at a model and its optimizer after a backward pass, [`traced`] also sees where paths of gradients are
//! cut, and [`watch`](fn@watch) does both by itself during the first steps. None of it costs anything before it is asked for.
//!
//! | found | how |
//! |---|---|
//! | trained parameters without gradient, and the operation or `detach` that cut the path | no gradient arrived |
//! | gradients that are zero, NaN, infinite, that vanish or explode from layer to layer | their sizes |
//! | parameters that the optimizer does not hold, holds twice, or that left the model | its groups |
//! | frozen batch norms that update their statistics; modules in evaluation mode | the modules' modes |
//! | mixed devices and dtypes | the members |
//! | graphs that grow from step to step, such as that of a loss added up with its history | what outlives its step |
//! | graphs kept with `retain_graph` for a second backward pass that does not come | what is dropped unused |

mod watch;

pub use firebrick_nn::doctor::{Chart, Finding, FindingKind, Growth, Kept, Report};
pub use watch::{Watch, watch};

use crate::nn::Module;
use crate::optim::Optimizer;
use crate::{Result, Tensor, autograd};

fn groups<O: Optimizer + ?Sized>(optimizer: &O) -> Vec<&[Tensor]> {
    optimizer.param_groups().iter().map(|group| group.params()).collect()
}

/// Looks at a model and its optimizer after a backward pass, before the step.
///
/// # Errors
/// A gradient that cannot be read.
///
/// ```
/// use firebrick::{doctor, prelude::*};
/// let model = nn::Sequential::new().add(nn::Linear::new(3, 8)?).add(nn::Tanh::new()).add(nn::Linear::new(8, 2)?);
/// let optimizer = optim::SGD::new(model.get_submodule("2")?.parameters(), 0.1).build()?;
/// model.call(Tensor::ones([4, 3])?)?.sum()?.backward()?;
/// let report = doctor::doctor(&model, &optimizer)?;
/// assert_eq!(report.findings().len(), 2);
/// assert!(report.to_string().contains("0.weight: the optimizer does not hold it"));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn doctor<M: Module + ?Sized, O: Optimizer + ?Sized>(model: &M, optimizer: &O) -> Result<Report> {
    Chart::of(model.as_dyn()).examine(&groups(optimizer), None)
}

/// Runs `step`, which is a forward and a backward pass, and looks at the model afterwards: as [`doctor`](fn@doctor), and where a
/// parameter got no gradient the report names the operation, module and line at which its path ends.
///
/// # Errors
/// Those of `step`; a gradient that cannot be read.
///
/// ```
/// use firebrick::{doctor, prelude::*};
/// let (body, head) = (nn::Linear::new(3, 8)?, nn::Linear::new(8, 2)?);
/// let model = nn::Sequential::new().add(body).add(head);
/// let optimizer = optim::SGD::new(model.parameters(), 0.1).build()?;
/// let (_, report) = doctor::traced(&model, &optimizer, || {
///     let hidden = model.get(0)?.call(Tensor::ones([4, 3])?)?.detach();
///     model.get(1)?.call(hidden)?.sum()?.backward()
/// })?;
/// assert!(report.to_string().contains("0.weight: no gradient: its path to the loss is cut by `detach`"), "{report}");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn traced<T, M: Module + ?Sized, O: Optimizer + ?Sized>(
    model: &M,
    optimizer: &O,
    step: impl FnOnce() -> Result<T>,
) -> Result<(T, Report)> {
    let (tracing, mut kept) = (Tracing::begin(), Kept::begin());
    let value = step()?;
    let trace = tracing.end();
    let mut report = Chart::of(model.as_dyn()).examine(&groups(optimizer), Some(&trace))?;
    // The trace holds the operations that it noted.
    drop(trace);
    kept.step().into_iter().for_each(|finding| report.push(finding));
    Ok((value, report))
}

/// Ends the trace also when the step fails.
struct Tracing;

impl Tracing {
    fn begin() -> Self {
        autograd::start_trace();
        Tracing
    }

    fn end(self) -> autograd::Trace {
        autograd::finish_trace()
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        drop(autograd::finish_trace());
    }
}
