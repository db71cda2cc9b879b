//! Modes, statistics, devices and dtypes that do not go together.

use super::chart::{Chart, Charted};
use super::{Finding, FindingKind, Report};
use firebrick_core::Tensor;

pub(super) fn examine(chart: &Chart, report: &mut Report) {
    statistics(chart, report);
    modes(chart, report);
    let members = || {
        let of = |module: &'_ Charted| -> Vec<(String, Tensor)> {
            let parameters = module.parameters.iter().map(|(name, p)| (name.clone(), Tensor::clone(p)));
            parameters.chain(module.buffers.iter().map(|(name, b)| (name.clone(), Tensor::clone(b)))).collect()
        };
        chart.modules.iter().flat_map(of)
    };
    let devices: Vec<_> = members().map(|(name, tensor)| (name, tensor.device().to_string())).collect();
    mixed(FindingKind::MixedDevices, &devices, "move the whole model with `to(device)`", report);
    let fractions = members().filter(|(_, tensor)| tensor.is_floating_point());
    let dtypes: Vec<_> = fractions.map(|(name, tensor)| (name, tensor.dtype().to_string())).collect();
    mixed(FindingKind::MixedDtypes, &dtypes, "convert the whole model with `to(dtype)`", report);
}

/// Frozen normalizations in training mode go on averaging the batches that they see.
fn statistics(chart: &Chart, report: &mut Report) {
    for module in &chart.modules {
        let tracks = module.buffers.iter().any(|(name, _)| name.rsplit('.').next() == Some("running_mean"));
        let frozen = !module.parameters.is_empty() && module.parameters.iter().all(|(_, p)| !p.requires_grad());
        if tracks && frozen && module.training {
            report.push(Finding::new(
                FindingKind::FrozenStatistics,
                module.path.clone(),
                "its parameters are frozen, but its running statistics are updated with every batch; call `eval()` on it after each `train(true)`",
            ));
        }
    }
}

/// Modules in evaluation mode below one in training mode, and a model that is so altogether. What is frozen
/// altogether is meant to be.
fn modes(chart: &Chart, report: &mut Report) {
    let mut reported: Vec<&str> = Vec::new();
    for module in chart.modules.iter().filter(|module| !module.training) {
        let below = |path: &str| is_below(path, &module.path);
        let has_reported_parent = reported.iter().any(|parent| is_below(&module.path, parent));
        let parameters = || chart.modules.iter().filter(|other| below(&other.path)).flat_map(|other| &other.parameters);
        let frozen = parameters().next().is_some() && parameters().all(|(_, p)| !p.requires_grad());
        if has_reported_parent || frozen {
            continue;
        }
        reported.push(&module.path);
        report.push(Finding::new(
            FindingKind::Evaluating,
            module.path.clone(),
            "is in evaluation mode while it is trained: no dropout, and batch norms use their running statistics; call `train(true)` before the step",
        ));
    }
}

/// Is `path` that of `parent` or of something below it?
fn is_below(path: &str, parent: &str) -> bool {
    parent.is_empty() || path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Reports members whose property is not what most have.
fn mixed(kind: FindingKind, members: &[(String, String)], remedy: &str, report: &mut Report) {
    let count = |value: &str| members.iter().filter(|(_, other)| other == value).count();
    let Some((_, usual)) = members.iter().rev().max_by_key(|(_, value)| count(value)) else { return };
    for (name, value) in members.iter().filter(|(_, value)| value != usual) {
        report.push(Finding::new(
            kind,
            name.clone(),
            format!("is {value} where most of the model is {usual}; {remedy}"),
        ));
    }
}
