//! Gradients that are missing, zero, no numbers, or of another size than those of other layers.

use super::chart::Chart;
use super::{Finding, FindingKind, Report};
use firebrick_core::autograd::{ModeGuard, PathEnd, PathEndKind, Trace};
use firebrick_core::{DType, Parameter, Result, Tensor};

/// Layers whose gradients are further apart than this do not train together.
const APART: f64 = 1e6;
/// Gradients further above the weights than this replace them in one step of any usual learning rate.
const ABOVE_WEIGHTS: f64 = 1e6;

/// A layer's weight with the root mean square of its gradient and of itself.
struct Size<'c> {
    name: &'c str,
    gradient: f64,
    weight: f64,
}

pub(super) fn examine(chart: &Chart, trace: Option<&Trace>, report: &mut Report) -> Result<()> {
    let _no_grad = ModeGuard::no_grad();
    if chart.trained().next().is_some() && chart.trained().all(|(_, p)| p.grad().is_none()) {
        let first = chart.trained().find_map(|(_, parameter)| trace?.path_end(parameter));
        report.push(Finding::new(FindingKind::NoGradient, "", nothing_arrived(first.as_ref())));
        return Ok(());
    }
    let mut sizes = Vec::new();
    for module in &chart.modules {
        for (name, parameter) in module.parameters.iter().filter(|(_, p)| p.requires_grad()) {
            match parameter.grad() {
                None => report.push(missing(name, parameter, module.called, trace)),
                Some(grad) if grad.numel() > 0 => sizes.extend(look_at(name, parameter, &grad, report)?),
                Some(_) => {}
            }
        }
    }
    compare(&sizes, report);
    Ok(())
}

fn nothing_arrived(end: Option<&PathEnd>) -> String {
    match end {
        Some(end) => format!("no parameter has a gradient: {}", ended(end)),
        None => "no parameter has a gradient; call `backward` on the loss, after `zero_grad` and before the optimizer's step"
            .to_owned(),
    }
}

fn missing(name: &str, parameter: &Parameter, called: bool, trace: Option<&Trace>) -> Finding {
    let end = trace.and_then(|trace| trace.path_end(parameter));
    let text = match (&end, trace, called) {
        (Some(end), ..) => format!("no gradient: {}", ended(end)),
        (None, _, false) => {
            "no gradient: its module was not called; call it in `forward`, or freeze it with `requires_grad_(false)`"
                .to_owned()
        }
        (None, Some(_), true) => {
            "no gradient: no operation used it; use it in `forward`, or freeze it with `requires_grad_(false)`"
                .to_owned()
        }
        (None, None, true) => {
            "no gradient, though its module was called: its path to the loss is cut; look for `detach`, \
             `no_grad` and operations without gradient, which `doctor::traced` names"
                .to_owned()
        }
    };
    Finding::new(FindingKind::NoGradient, name, text)
}

/// Where a path ends, and what to do about it.
fn ended(end: &PathEnd) -> String {
    let mut place = String::new();
    if let Some(scope) = &end.scope {
        place += &match scope.path.as_str() {
            "" => format!(" in {}", scope.text),
            path => format!(" in {path} ({})", scope.text),
        };
    }
    if let Some(line) = end.line {
        place += &format!(" at {line}");
    }
    let op = end.op;
    match end.kind {
        PathEndKind::Detached => {
            format!("its path to the loss is cut by `detach`{place}; leave the `detach` out, or freeze the parameter")
        }
        PathEndKind::NotRecorded => {
            format!("its path to the loss is cut by `no_grad` around `{op}`{place}; move the operation out of it")
        }
        PathEndKind::NotDifferentiable => format!(
            "its path to the loss ends at `{op}`{place}, whose result has no gradient; use a differentiable operation in its place"
        ),
        PathEndKind::Unused => {
            format!("the result of {op}{place} is no part of the loss; use it, or freeze the parameter")
        }
    }
}

/// Reports what is wrong with one gradient; gives the size of one that is right, of a weight.
fn look_at<'c>(name: &'c str, parameter: &Parameter, grad: &Tensor, report: &mut Report) -> Result<Option<Size<'c>>> {
    let grad = grad.detach().abs()?.to(DType::F64)?;
    let largest = grad.max()?.item::<f64>()?;
    let (kind, text) = match largest {
        value if value.is_nan() => (
            FindingKind::NanGradient,
            "NaN in the gradient; run forward and backward inside `autograd::detect_anomaly` to see the operation",
        ),
        f64::INFINITY => (
            FindingKind::InfiniteGradient,
            "infinity in the gradient; look for a division by zero, `log(0)` or an overflow, lower the learning rate, clip",
        ),
        0.0 => (
            FindingKind::ZeroGradient,
            "the gradient is zero everywhere; look for units that are never active (ReLU), saturated ones, and factors of zero",
        ),
        _ if parameter.dim() < 2 => return Ok(None),
        largest => {
            let weight = parameter.detach().abs()?.to(DType::F64)?;
            let size = |x: &Tensor, scale: f64| -> Result<f64> {
                Ok(x.div(scale)?.square()?.mean()?.item::<f64>()?.sqrt() * scale)
            };
            return Ok(Some(Size { name, gradient: size(&grad, largest)?, weight: size(&weight, 1.0)? }));
        }
    };
    report.push(Finding::new(kind, name, text));
    Ok(None)
}

/// Reports layers whose gradients are far from the others' or from their weights.
fn compare(sizes: &[Size<'_>], report: &mut Report) {
    let Some(largest) = sizes.iter().max_by(|a, b| a.gradient.total_cmp(&b.gradient)) else { return };
    let explodes = |size: &Size| size.weight > 0.0 && size.gradient > ABOVE_WEIGHTS * size.weight;
    for size in sizes.iter().filter(|size| explodes(size)) {
        report.push(Finding::new(FindingKind::ExplodingGradient, size.name, format!(
            "the gradient explodes: it is {:.1e} times as large as the weight; clip it with `clip_grad_norm_`, normalize, or begin with smaller weights",
            size.gradient / size.weight
        )));
    }
    for size in sizes.iter().filter(|size| !explodes(largest) && size.gradient * APART < largest.gradient) {
        report.push(Finding::new(FindingKind::VanishingGradient, size.name, format!(
            "the gradient vanishes: it is {:.1e} times that of {}; normalize, add residual connections, or use another activation or initialization",
            size.gradient / largest.gradient, largest.name
        )));
    }
}
