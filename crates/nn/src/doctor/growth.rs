//! Graphs that outlive their step, and grow.

use super::{Finding, FindingKind};
use firebrick_core::autograd::{Node, scope, take_recorded};
use std::collections::HashSet;
use std::sync::{Arc, Weak};

/// How many steps in a row must have kept more than the one before.
const STEPS: usize = 3;

/// Watches, on one thread, which operations are still there after the step that recorded them.
///
/// The usual cause is a loss that is added up with its history, `total = total.add(&loss)?`, and then all the graphs
/// that led to it stay in memory.
///
/// ```
/// use firebrick::nn::doctor::Growth;
/// use firebrick::prelude::*;
/// let weight = Parameter::new(Tensor::ones([1])?);
/// let (mut growth, mut total, mut found) = (Growth::begin(), Tensor::zeros([1])?, None);
/// for _ in 0..5 {
///     let loss = weight.square()?;
///     loss.backward()?;
///     total = total.add(&loss)?;
///     found = found.or(growth.step());
/// }
/// assert!(found.is_some_and(|finding| finding.text.contains("AddBackward0")));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct Growth {
    alive: Vec<Weak<Node>>,
    counts: Vec<usize>,
}

impl Growth {
    /// Begins to watch this thread.
    pub fn begin() -> Self {
        take_recorded(true);
        Growth { alive: Vec::new(), counts: Vec::new() }
    }

    /// Ends a step; tells of graphs of earlier steps that are still there when there were more in each of the last steps.
    pub fn step(&mut self) -> Option<Finding> {
        let new = take_recorded(true);
        self.alive.retain(|node| node.strong_count() > 0);
        self.counts.push(self.alive.len());
        let old: Vec<Arc<Node>> = self.alive.iter().filter_map(Weak::upgrade).collect();
        let young: Vec<Arc<Node>> = new.iter().filter_map(Weak::upgrade).collect();
        self.alive.extend(new);
        let recent = self.counts.get(self.counts.len().checked_sub(STEPS)?..)?;
        let grows = recent[0] > 0 && recent.windows(2).all(|pair| pair[0] < pair[1]);
        if grows { finding(&old, &young) } else { None }
    }
}

impl Drop for Growth {
    fn drop(&mut self) {
        take_recorded(false);
    }
}

/// Names the operation that holds the `old` ones: the youngest that goes on with one of them, or else the youngest of them.
fn finding(old: &[Arc<Node>], young: &[Arc<Node>]) -> Option<Finding> {
    let numbers: HashSet<u64> = old.iter().map(|node| node.seq()).collect();
    let goes_on = |node: &&Arc<Node>| node.next().any(|next| numbers.contains(&next.seq()));
    let holder = young.iter().filter(goes_on).max_by_key(|node| node.seq());
    let node = holder.or_else(|| old.iter().max_by_key(|node| node.seq()))?;
    let place = scope(node.core());
    let line = node.line().map_or_else(String::new, |line| format!(" at {line}"));
    let does = match holder {
        Some(_) => "goes on with results of earlier steps",
        None => "belongs to an earlier step, and its result is still held",
    };
    let text = format!(
        "{}{line} {does}: {} operations of earlier steps are kept in memory, more with every step; add up `loss.item()` or `loss.detach()`, and detach states that are carried on",
        node.name(),
        old.len()
    );
    Some(Finding::new(FindingKind::GrowingGraph, place.map_or_else(String::new, |place| place.path), text))
}
