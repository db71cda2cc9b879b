//! One recorded operation.

use super::gradient::Function;
use super::hooks::Hooks;
use super::mode::is_recording;
use super::trace;
use crate::source::{self, Line};
use crate::tensor::{Impl, traced};
use crate::{DType, Device, Dims, Tensor};
use once_cell::race::OnceBox;
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};

/// Gradients by input or by output; `None` where none is needed or none arrived.
pub type Grads = SmallVec<[Option<Tensor>; 2]>;

/// Where a gradient goes next.
#[derive(Clone)]
pub(crate) enum Edge {
    /// Output `1` of an operation.
    Node(Arc<Node>, usize),
    /// A leaf, which accumulates.
    Leaf(Tensor),
}

/// What a gradient of one output must look like.
pub(crate) struct OutputInfo {
    pub shape: Dims,
    pub dtype: DType,
    pub device: Device,
}

/// Hooks on an output that is not a leaf, and the tensor that wants to keep its gradient.
#[derive(Default, Clone)]
pub(crate) struct OutputHooks {
    pub hooks: Option<Arc<Hooks>>,
    pub retain: Option<Weak<Impl>>,
}

/// One recorded operation. `seq` grows with time, so a node is always younger than the nodes it feeds on.
pub struct Node {
    name: &'static str,
    seq: u64,
    core: u64,
    /// The line of the program that recorded it, where lines are noted.
    line: Option<Line>,
    edges: SmallVec<[Option<Edge>; 2]>,
    outputs: SmallVec<[OutputInfo; 1]>,
    /// Nothing saved: running it again is harmless, so it is kept.
    keeps_nothing: bool,
    work: Mutex<Work>,
    /// Allocated for the few nodes that have hooks.
    hooks: OnceBox<Mutex<SmallVec<[OutputHooks; 1]>>>,
}

/// What a node does when its turn comes.
enum Work {
    Waiting(Function),
    /// It was done and not kept, by the backward pass that this line called, where lines are noted.
    Done(Option<Line>),
}

impl Work {
    fn take(&mut self) -> Option<Function> {
        match std::mem::replace(self, Work::Done(None)) {
            Work::Waiting(function) => {
                *self = Work::Done(source::current());
                Some(function)
            }
            done => {
                *self = done;
                None
            }
        }
    }
}

thread_local! {
    /// Identity of the module that is running, for the path in backward errors; 0 outside.
    static CURRENT_CORE: Cell<u64> = const { Cell::new(0) };
}

/// Sets the identity of the running module and returns the one before.
pub fn swap_current_core(core: u64) -> u64 {
    CURRENT_CORE.replace(core)
}

/// Identity of the running module; 0 outside.
pub(super) fn current_core() -> u64 {
    CURRENT_CORE.get()
}

impl Node {
    pub(crate) fn new(
        name: &'static str,
        edges: SmallVec<[Option<Edge>; 2]>,
        outputs: SmallVec<[OutputInfo; 1]>,
        keeps_nothing: bool,
        function: Function,
    ) -> Arc<Node> {
        // One counter for the whole process: graphs may cross threads.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let node = Arc::new(Node {
            name,
            seq: NEXT.fetch_add(1, Relaxed),
            core: CURRENT_CORE.get(),
            line: source::current(),
            edges,
            outputs,
            keeps_nothing,
            work: Mutex::new(Work::Waiting(function)),
            hooks: OnceBox::new(),
        });
        if traced() {
            trace::recorded(&node);
        }
        node
    }

    /// PyTorch's name of the operation, such as `MulBackward0`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// PyTorch's name of the operation in texts: `Mul` for `MulBackward0`.
    pub(crate) fn op_name(&self) -> &'static str {
        self.name.split("Backward").next().unwrap_or(self.name)
    }

    /// Position in time.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Identity of the module that recorded it.
    pub fn core(&self) -> u64 {
        self.core
    }

    /// The line of the program that recorded it, where lines were noted: in development builds, under
    /// [`SourceLines`](super::SourceLines) and under [`detect_anomaly`](super::detect_anomaly).
    pub fn line(&self) -> Option<Line> {
        self.line
    }

    /// The operations that its gradients go to next.
    pub fn next(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.edges.iter().flatten().filter_map(|edge| match edge {
            Edge::Node(node, _) => Some(node),
            Edge::Leaf(_) => None,
        })
    }

    pub(crate) fn edges(&self) -> &[Option<Edge>] {
        &self.edges
    }

    pub(crate) fn outputs(&self) -> &[OutputInfo] {
        &self.outputs
    }

    /// The function, left in place for another run when `keep` is set; `None` once it was used up.
    pub(crate) fn function(&self, keep: bool) -> Option<Function> {
        let mut work = self.work.lock();
        match &*work {
            Work::Waiting(function) if keep || self.keeps_nothing => Some(function.clone()),
            _ => work.take(),
        }
    }

    /// The line that called the backward pass which used the function up, where that was noted.
    pub(crate) fn used_at(&self) -> Option<Line> {
        match &*self.work.lock() {
            Work::Done(line) => *line,
            Work::Waiting(_) => None,
        }
    }

    pub(crate) fn output_hooks(&self, index: usize) -> Option<OutputHooks> {
        self.hooks.get()?.lock().get(index).cloned()
    }

    pub(crate) fn with_output_hooks<R>(&self, index: usize, change: impl FnOnce(&mut OutputHooks) -> R) -> R {
        let mut hooks = self.hooks.get_or_init(Box::default).lock();
        if hooks.len() <= index {
            hooks.resize_with(index + 1, OutputHooks::default);
        }
        change(&mut hooks[index])
    }
}

impl OutputInfo {
    pub(crate) fn of(tensor: &Tensor) -> Self {
        tensor.with_body(|b| OutputInfo { shape: b.shape.clone(), dtype: b.dtype, device: b.device() })
    }
}

impl Tensor {
    /// Where a gradient of this tensor goes; `None` when it records nothing.
    pub(crate) fn edge(&self) -> Option<Edge> {
        if !self.requires_grad() {
            return None;
        }
        Some(match self.grad_node() {
            Some((node, index)) => Edge::Node(node, index),
            None => Edge::Leaf(self.clone()),
        })
    }
}

/// Will an operation on these tensors be recorded?
#[inline]
pub(crate) fn records<'a>(inputs: impl IntoIterator<Item = &'a Tensor>) -> bool {
    is_recording() && inputs.into_iter().any(Tensor::requires_grad)
}

type Remains = (SmallVec<[Option<Edge>; 2]>, Option<Function>);

thread_local! {
    /// Parts of dying nodes while one is being taken apart; `None` when none is.
    static DYING: RefCell<Option<Vec<Remains>>> = const { RefCell::new(None) };
}

impl Drop for Node {
    /// Takes a long chain of nodes apart in a loop rather than by recursion.
    fn drop(&mut self) {
        let ends_here = self.edges.iter().flatten().all(|edge| matches!(edge, Edge::Leaf(_)));
        if ends_here && matches!(self.work.get_mut(), Work::Done(_) | Work::Waiting(Function::Bare(_))) {
            return;
        }
        let remains = (std::mem::take(&mut self.edges), self.work.get_mut().take());
        let first = DYING.try_with(|dying| match &mut *dying.borrow_mut() {
            Some(queue) => {
                queue.push(remains);
                None
            }
            empty => {
                *empty = Some(Vec::new());
                Some(remains)
            }
        });
        let Ok(Some(mut next)) = first else { return };
        loop {
            drop(next);
            let following = DYING.try_with(|dying| dying.borrow_mut().as_mut().and_then(Vec::pop));
            match following {
                Ok(Some(remains)) => next = remains,
                _ => break,
            }
        }
        let _ = DYING.try_with(|dying| dying.borrow_mut().take());
    }
}
