//! Graphs that are kept for a second backward pass which does not come.

use super::{Finding, FindingKind};
use firebrick_core::autograd::{KeptGraph, Line, take_kept};

/// Watches, on one thread, whether graphs that `backward` kept with `retain_graph` are walked again before they are gone.
///
/// A graph that is kept for nothing costs the memory of everything that it saved, until the loss is dropped. With
/// `create_graph` nothing is said: there the graph belongs to the gradients.
///
/// ```
/// use firebrick::nn::doctor::Kept;
/// use firebrick::prelude::*;
/// let weight = Parameter::new(Tensor::ones([1])?);
/// let mut kept = Kept::begin();
/// weight.square()?.backward_with(autograd::Backward::new().retain_graph(true))?;
/// let finding = kept.step();
/// assert!(finding.is_some_and(|finding| finding.text.contains("leave `retain_graph` out")));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct Kept {
    /// Each line is reported once.
    told: Vec<Option<Line>>,
}

impl Kept {
    /// Begins to watch this thread.
    pub fn begin() -> Self {
        take_kept(true);
        Kept { told: Vec::new() }
    }

    /// Ends a step; tells of a graph that was kept for nothing, by a line that was not told of before.
    pub fn step(&mut self) -> Option<Finding> {
        let graph = take_kept(true).into_iter().find(|graph| !self.told.contains(&graph.line))?;
        self.told.push(graph.line);
        Some(finding(&graph))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        take_kept(false);
    }
}

fn finding(graph: &KeptGraph) -> Finding {
    let line = graph.line.map_or_else(String::new, |line| format!(" at {line}"));
    let text = format!(
        "the backward pass{line} keeps its graph, {} operations and what they saved, and no second one follows before the graph is dropped; leave `retain_graph` out",
        graph.operations
    );
    Finding::new(FindingKind::KeptGraph, "", text)
}
