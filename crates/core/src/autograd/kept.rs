//! Backward passes that kept their graph for another pass, noted on one thread while somebody asks: did it come?

use super::node::Node;
use crate::source::{self, Line, SourceLines};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// A graph that a backward pass kept (`retain_graph`), and that is gone without another pass.
#[derive(Clone, Debug)]
pub struct KeptGraph {
    /// The line that called the pass, where it is known.
    pub line: Option<Line>,
    /// How many operations it kept.
    pub operations: usize,
}

struct Kept {
    line: Option<Line>,
    nodes: HashMap<u64, Weak<Node>>,
}

struct Log {
    kept: Vec<Kept>,
    _lines: SourceLines,
}

thread_local! {
    static LOG: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// The graphs that backward passes of this thread kept for nothing since the last call, and begins to look for them; with
/// `go_on` false it is the last. Graphs are not kept alive by it, and those that still live may yet be used.
pub fn take_kept(go_on: bool) -> Vec<KeptGraph> {
    let log = LOG.take();
    let (gone, kept) = match log {
        Some(log) => log.kept.into_iter().partition(|kept| kept.nodes.values().all(|node| node.strong_count() == 0)),
        None => (Vec::new(), Vec::new()),
    };
    LOG.set(go_on.then(|| Log { kept, _lines: SourceLines::note() }));
    gone.into_iter().map(|Kept { line, nodes }| KeptGraph { line, operations: nodes.len() }).collect()
}

/// What one backward pass walks; noted when it is dropped, also after an error.
pub(super) struct Walk {
    keeps: bool,
    line: Option<Line>,
    nodes: HashMap<u64, Weak<Node>>,
}

impl Walk {
    /// `None` where nobody asks. `keeps` says whether the graph is kept for another pass, and for that alone.
    pub fn begin(keeps: bool) -> Option<Walk> {
        let asked = LOG.with_borrow(Option::is_some);
        asked.then(|| Walk { keeps, line: source::current(), nodes: HashMap::new() })
    }

    pub fn note(&mut self, node: &Arc<Node>) {
        self.nodes.insert(node.seq(), Arc::downgrade(node));
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        let nodes = std::mem::take(&mut self.nodes);
        LOG.with_borrow_mut(|log| {
            let Some(log) = log else { return };
            log.kept.retain(|kept| !nodes.keys().any(|seq| kept.nodes.contains_key(seq)));
            if self.keeps && !nodes.is_empty() {
                log.kept.push(Kept { line: self.line, nodes });
            }
        });
    }
}
