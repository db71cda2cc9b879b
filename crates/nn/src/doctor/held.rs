//! What the optimizer holds beside what the model has.

use super::chart::Chart;
use super::{Finding, FindingKind, Report};
use firebrick_core::Tensor;
use std::collections::HashMap;

pub(super) fn examine(chart: &Chart, groups: &[&[Tensor]], report: &mut Report) {
    let names: HashMap<usize, &str> = chart.parameters().map(|(name, parameter)| (parameter.id(), name)).collect();
    let mut times: HashMap<usize, usize> = HashMap::new();
    groups.iter().flat_map(|group| group.iter()).for_each(|tensor| *times.entry(tensor.id()).or_default() += 1);
    let missing: Vec<_> = chart.trained().filter(|(_, parameter)| !times.contains_key(&parameter.id())).collect();
    for (name, parameter) in &missing {
        let replaced = stray(groups, &names).any(|(_, _, tensor)| tensor.shape() == Tensor::shape(parameter));
        let why = if replaced { ": it took another's place after the optimizer was made" } else { "" };
        report.push(Finding::new(FindingKind::NotHeld, *name, format!(
            "the optimizer does not hold it{why}; make the optimizer after the model is complete, add it with `add_param_group`, or freeze it"
        )));
    }
    for (name, parameter) in chart.parameters() {
        if let Some(&count @ 2..) = times.get(&parameter.id()) {
            report.push(Finding::new(FindingKind::HeldTwice, name, format!(
                "the optimizer holds it {count} times and updates it as often; list each parameter once, as `parameters()` does"
            )));
        }
    }
    for (group, place, tensor) in stray(groups, &names) {
        report.push(Finding::new(FindingKind::HeldOutside, "", format!(
            "the optimizer holds a tensor of shape {:?} (number {place} of group {group}) that is no parameter of the model; it left the model, or is a copy: make the optimizer from `parameters()` of the model as it is now",
            tensor.shape()
        )));
    }
}

/// What the optimizer holds though the model does not, with group and place.
fn stray<'a>(
    groups: &'a [&'a [Tensor]],
    names: &'a HashMap<usize, &str>,
) -> impl Iterator<Item = (usize, usize, &'a Tensor)> {
    let numbered = |(group, tensors): (usize, &'a &'a [Tensor])| {
        tensors.iter().enumerate().map(move |(place, tensor)| (group, place, tensor))
    };
    groups.iter().enumerate().flat_map(numbered).filter(|(_, _, tensor)| !names.contains_key(&tensor.id()))
}
