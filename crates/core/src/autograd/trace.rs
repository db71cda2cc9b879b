//! What becomes of tensors that record, noted on one thread while somebody asks: where their paths end.

use super::node::{Edge, Node};
use super::scopes::{Scope, scope};
use crate::Tensor;
use crate::source::{self, Line, SourceLines};
use crate::tensor::{set_traced, traced};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

/// What this thread notes.
#[derive(Default)]
struct Log {
    /// Events in the order of time, from [`start_trace`] to [`finish_trace`].
    events: Option<Vec<Event>>,
    /// Operations recorded since the last [`take_recorded`], from the first on.
    recorded: Option<Vec<Weak<Node>>>,
    lines: Option<SourceLines>,
}

/// How well a use explains where a path ends: the user's own better than the library's, `detach` best.
type Rank = (bool, bool);

enum Event {
    Used(Use),
    Recorded(Arc<Node>),
}

struct Use {
    op: &'static str,
    edge: Edge,
    kind: UseKind,
    /// The library's own doing, such as the running averages of a batch norm.
    own: bool,
    core: u64,
    line: Option<Line>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum UseKind {
    Detach,
    WithoutRecording,
    Recording,
}

thread_local! {
    static LOG: RefCell<Log> = RefCell::default();
}

fn update(change: impl FnOnce(&mut Log)) {
    // What is dropped here may run code that asks for the log again.
    let mut log = LOG.with_borrow_mut(std::mem::take);
    change(&mut log);
    let active = log.events.is_some() || log.recorded.is_some();
    log.lines = active.then(|| log.lines.take().unwrap_or_else(SourceLines::note));
    set_traced(active);
    LOG.with_borrow_mut(|place| *place = log);
}

/// Begins to note, on this thread, what becomes of tensors that require gradients. Ended by [`finish_trace`]; until then
/// every operation's node is kept. [`Trace`] shows it.
pub fn start_trace() {
    update(|log| log.events = Some(Vec::new()));
}

/// Ends [`start_trace`] and gives what was noted; nothing where no trace was begun on this thread. [`Trace`]
/// shows it.
pub fn finish_trace() -> Trace {
    let mut events = None;
    update(|log| events = log.events.take());
    Trace { events: events.unwrap_or_default() }
}

/// The operations that this thread recorded since the last call, and begins to note them; with `go_on` false it is the
/// last. They are not kept alive.
pub fn take_recorded(go_on: bool) -> Vec<Weak<Node>> {
    let mut taken = None;
    update(|log| taken = std::mem::replace(&mut log.recorded, go_on.then(Vec::new)));
    taken.unwrap_or_default()
}

/// Nothing is noted while it lives: the backward pass runs operations of its own.
pub(super) struct Quiet(bool);

impl Quiet {
    pub fn begin() -> Self {
        let active = traced();
        set_traced(false);
        Quiet(active)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if self.0 {
            let active = LOG.with_borrow(|log| log.events.is_some() || log.recorded.is_some());
            set_traced(active);
        }
    }
}

/// Notes that `op` reads `tensor`.
#[cold]
pub(crate) fn used(op: &'static str, tensor: &Tensor) {
    let kind = if super::is_recording() { UseKind::Recording } else { UseKind::WithoutRecording };
    note_use(op, tensor, kind, source::is_own_doing(), source::current());
}

/// Notes that the user detached `tensor`; what operations detach for themselves does not count.
#[cold]
pub(crate) fn detached(tensor: &Tensor, caller: Line) {
    if !source::is_in_operation() {
        note_use("detach", tensor, UseKind::Detach, source::is_own(caller.file()), Some(caller));
    }
}

fn note_use(op: &'static str, tensor: &Tensor, kind: UseKind, own: bool, line: Option<Line>) {
    if LOG.with_borrow(|log| log.events.is_none()) {
        return;
    }
    let Some(edge) = tensor.edge() else { return };
    let core = super::node::current_core();
    LOG.with_borrow_mut(|log| {
        if let Some(events) = &mut log.events {
            events.push(Event::Used(Use { op, edge, kind, own, core, line }));
        }
    });
}

/// Notes a new node.
#[cold]
pub(super) fn recorded(node: &Arc<Node>) {
    LOG.with_borrow_mut(|log| {
        if let Some(events) = &mut log.events {
            events.push(Event::Recorded(node.clone()));
        }
        if let Some(recorded) = &mut log.recorded {
            recorded.push(Arc::downgrade(node));
        }
    });
}

/// What was noted between [`start_trace`] and [`finish_trace`].
///
/// ```
/// # use firebrick_core::{Parameter, Tensor};
/// use firebrick_core::autograd::{PathEndKind, finish_trace, start_trace};
/// let x = Parameter::new(Tensor::new([1.0f32])?);
/// start_trace();
/// x.mul(2.0)?.detach().add(1.0)?;
/// let end = finish_trace().path_end(&x).expect("something used it");
/// assert_eq!(end.kind, PathEndKind::Detached);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub struct Trace {
    events: Vec<Event>,
}

/// Where the path from a tensor to the loss ends.
#[derive(Clone, Debug)]
pub struct PathEnd {
    /// How it ends.
    pub kind: PathEndKind,
    /// The operation there.
    pub op: &'static str,
    /// The module that ran, where one did.
    pub scope: Option<Scope>,
    /// The line of the program, where it is known.
    pub line: Option<Line>,
}

/// How a path from a tensor to the loss ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathEndKind {
    /// At a `detach`.
    Detached,
    /// At an operation inside `no_grad` or `inference_mode`.
    NotRecorded,
    /// At an operation whose result has no gradient, such as `argmax`, a comparison, or the reading of a number.
    NotDifferentiable,
    /// Nothing goes on with the result of the last operation.
    Unused,
}

type Key = (u64, usize);

fn key(edge: &Edge) -> Key {
    match edge {
        Edge::Node(node, index) => (node.seq(), *index),
        Edge::Leaf(leaf) => (0, leaf.id()),
    }
}

impl Trace {
    /// Where the path of gradients to `leaf` ends; `None` where nothing used it. Meant for a leaf that got none.
    /// [`Trace`] shows it.
    pub fn path_end(&self, leaf: &Tensor) -> Option<PathEnd> {
        let continued = self.continued();
        let mut below: HashSet<u64> = HashSet::new();
        let leads = |edge: &Edge, below: &HashSet<u64>| match edge {
            Edge::Leaf(other) => other.id() == leaf.id(),
            Edge::Node(node, _) => below.contains(&node.seq()),
        };
        let mut end: Option<(Rank, &Use)> = None;
        let mut last: Option<&Arc<Node>> = None;
        for (event, continued) in self.events.iter().zip(continued) {
            match event {
                Event::Recorded(node) if node.edges().iter().flatten().any(|edge| leads(edge, &below)) => {
                    below.insert(node.seq());
                    last = Some(node);
                }
                Event::Used(used) if !continued && leads(&used.edge, &below) => {
                    let rank = (!used.own, used.kind == UseKind::Detach);
                    if end.is_none_or(|(best, _)| best <= rank) {
                        end = Some((rank, used));
                    }
                }
                _ => {}
            }
        }
        match (end, last) {
            (Some((_, used)), _) => Some(used.end()),
            (None, Some(node)) => Some(PathEnd {
                kind: PathEndKind::Unused,
                op: node.name(),
                scope: scope(node.core()),
                line: node.line(),
            }),
            (None, None) => None,
        }
    }

    /// For each use: did a recorded operation follow?
    fn continued(&self) -> Vec<bool> {
        let mut continued = vec![false; self.events.len()];
        let mut open: HashMap<Key, Vec<usize>> = HashMap::new();
        for (i, event) in self.events.iter().enumerate() {
            match event {
                Event::Used(used) if used.kind == UseKind::Recording => {
                    open.entry(key(&used.edge)).or_default().push(i);
                }
                Event::Used(_) => {}
                Event::Recorded(node) => {
                    for edge in node.edges().iter().flatten() {
                        open.remove(&key(edge)).into_iter().flatten().for_each(|use_| continued[use_] = true);
                    }
                }
            }
        }
        continued
    }
}

impl Use {
    fn end(&self) -> PathEnd {
        let kind = match self.kind {
            UseKind::Detach => PathEndKind::Detached,
            UseKind::WithoutRecording => PathEndKind::NotRecorded,
            UseKind::Recording => PathEndKind::NotDifferentiable,
        };
        PathEnd { kind, op: self.op, scope: scope(self.core), line: self.line }
    }
}
