//! The backward pass.
//!
//! Nodes are visited youngest first. Everything that feeds on a node is younger than the node, so when its turn
//! comes its gradient is complete: no dependencies need counting.

use super::accumulate::accumulate;
use super::kept::Walk;
use super::mode::{ModeGuard, is_anomaly_check_nan_enabled, is_anomaly_enabled};
use super::node::{Edge, Grads, Node};
use super::scopes::located;
use super::trace::Quiet;
use crate::{Dims, Error, Result, Tensor};
use smallvec::SmallVec;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// What a pass does with the gradients.
pub(crate) struct Pass<'a> {
    pub retain_graph: bool,
    pub create_graph: bool,
    pub target: Target<'a>,
}

/// Where gradients end up.
pub(crate) enum Target<'a> {
    /// In the `grad` of every leaf, as `backward` does.
    Leaves,
    /// In the `grad` of these tensors only: `backward(inputs=...)`.
    Inputs(&'a [Tensor]),
    /// Returned, as `autograd::grad` does.
    Returned(&'a [Tensor]),
}

struct Ready(Arc<Node>);

impl PartialEq for Ready {
    fn eq(&self, other: &Self) -> bool {
        self.0.seq() == other.0.seq()
    }
}
impl Eq for Ready {}
impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ready {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.seq().cmp(&other.0.seq())
    }
}

/// Node numbers are unique already: they need no hashing.
#[derive(Default)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte);
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

type ByNumber<V> = HashMap<u64, V, BuildHasherDefault<NumberHasher>>;

struct Engine<'a> {
    pass: Pass<'a>,
    heap: BinaryHeap<Ready>,
    /// Gradients that have arrived, by node and output.
    pending: ByNumber<SmallVec<[Option<Tensor>; 1]>>,
    /// Nodes that lead to a wanted input; `None` when all are wanted.
    needed: Option<HashSet<u64>>,
    /// Wanted inputs that are no leaves, by node and output.
    captures: HashMap<(u64, usize), Vec<usize>>,
    /// Wanted leaves.
    leaves: HashMap<usize, Vec<usize>>,
    found: Vec<Option<Tensor>>,
    /// The nodes that were visited, where somebody asks for graphs that are kept for nothing.
    walk: Option<Walk>,
}

/// Runs backward from `roots` with their gradients; returns what a [`Target::Returned`] asked for.
pub(crate) fn run(roots: &[(Tensor, Tensor)], pass: Pass<'_>) -> Result<Vec<Option<Tensor>>> {
    let _mode = ModeGuard::set_grad_enabled(pass.create_graph);
    let _quiet = Quiet::begin();
    let mut engine = Engine::new(pass)?;
    let edges: Vec<(Edge, &Tensor)> =
        roots.iter().filter_map(|(root, grad)| root.edge().map(|edge| (edge, grad))).collect();
    engine.find_needed(&edges);
    for (i, (edge, grad)) in edges.into_iter().enumerate() {
        engine.send(&edge, grad.clone(), ("GraphRoot", i))?;
    }
    while let Some(Ready(node)) = engine.heap.pop() {
        engine.visit(&node).map_err(|error| located(error, node.core()))?;
    }
    Ok(engine.found)
}

impl<'a> Engine<'a> {
    fn new(pass: Pass<'a>) -> Result<Self> {
        let mut engine = Engine {
            heap: BinaryHeap::new(),
            pending: ByNumber::default(),
            needed: None,
            captures: HashMap::new(),
            leaves: HashMap::new(),
            found: Vec::new(),
            walk: Walk::begin(pass.retain_graph && !pass.create_graph),
            pass,
        };
        if let Target::Inputs(inputs) | Target::Returned(inputs) = engine.pass.target {
            engine.found = vec![None; inputs.len()];
            for (i, input) in inputs.iter().enumerate() {
                match input.edge() {
                    Some(Edge::Leaf(_)) => engine.leaves.entry(input.id()).or_default().push(i),
                    Some(Edge::Node(node, nr)) => engine.captures.entry((node.seq(), nr)).or_default().push(i),
                    None => {
                        return Err(Error::runtime("grad", "One of the differentiated Tensors does not require grad"));
                    }
                }
            }
        }
        Ok(engine)
    }

    /// Marks the nodes from which a wanted input can be reached.
    fn find_needed(&mut self, roots: &[(Edge, &Tensor)]) {
        if matches!(self.pass.target, Target::Leaves) {
            return;
        }
        let mut needed = HashSet::new();
        let mut nodes: Vec<Arc<Node>> = Vec::new();
        let mut seen = HashSet::new();
        let mut open: Vec<Arc<Node>> = roots.iter().filter_map(|(edge, _)| edge_node(edge)).collect();
        while let Some(node) = open.pop() {
            if seen.insert(node.seq()) {
                open.extend(node.edges().iter().flatten().filter_map(edge_node));
                nodes.push(node);
            }
        }
        // Oldest first: what a node leads to is decided before the node itself.
        nodes.sort_unstable_by_key(|node| node.seq());
        for node in nodes {
            let leads = node.edges().iter().flatten().any(|edge| match edge {
                Edge::Leaf(leaf) => self.leaves.contains_key(&leaf.id()),
                Edge::Node(next, nr) => needed.contains(&next.seq()) || self.captures.contains_key(&(next.seq(), *nr)),
            });
            if leads {
                needed.insert(node.seq());
            }
        }
        self.needed = Some(needed);
    }

    fn wants(&self, edge: &Edge) -> bool {
        match (&self.needed, edge) {
            (None, _) => true,
            (Some(_), Edge::Leaf(leaf)) => self.leaves.contains_key(&leaf.id()),
            (Some(needed), Edge::Node(node, nr)) => {
                needed.contains(&node.seq()) || self.captures.contains_key(&(node.seq(), *nr))
            }
        }
    }

    /// Delivers a gradient: broadcasting is undone and the dtype restored here, once for every operation. `from` names the
    /// operation, and which of its gradients it is.
    fn send(&mut self, edge: &Edge, grad: Tensor, from: (&str, usize)) -> Result<()> {
        match edge {
            Edge::Leaf(leaf) => {
                let (shape, dtype, device) = leaf.with_body(|b| (b.shape.clone(), b.dtype, b.device()));
                self.deliver(leaf, fit(grad, &shape, dtype, device, from)?)
            }
            Edge::Node(node, nr) => {
                let info = &node.outputs()[*nr];
                let grad = fit(grad, &info.shape, info.dtype, info.device, from)?;
                if let Some(waiting) = self.pending.get_mut(&node.seq()) {
                    let sum = match waiting[*nr].take() {
                        Some(before) => before.add(&grad)?,
                        None => grad,
                    };
                    waiting[*nr] = Some(sum);
                } else {
                    let mut waiting: SmallVec<[Option<Tensor>; 1]> = SmallVec::from_elem(None, node.outputs().len());
                    waiting[*nr] = Some(grad);
                    self.pending.insert(node.seq(), waiting);
                    self.heap.push(Ready(node.clone()));
                }
                Ok(())
            }
        }
    }

    fn deliver(&mut self, leaf: &Tensor, grad: Tensor) -> Result<()> {
        let hooks = leaf.meta().and_then(|m| m.lock().hooks.clone());
        let grad = match &hooks {
            Some(hooks) => hooks.run(grad)?,
            None => grad,
        };
        match self.pass.target {
            Target::Leaves | Target::Inputs(_) => {
                accumulate(leaf, grad)?;
                hooks.map_or(Ok(()), |hooks| hooks.run_accumulated(leaf))
            }
            Target::Returned(_) => {
                for &i in self.leaves.get(&leaf.id()).into_iter().flatten() {
                    let sum = match self.found[i].take() {
                        Some(before) => before.add(&grad)?,
                        None => grad.clone(),
                    };
                    self.found[i] = Some(sum);
                }
                Ok(())
            }
        }
    }

    fn visit(&mut self, node: &Arc<Node>) -> Result<()> {
        let Some(mut grads) = self.pending.remove(&node.seq()) else { return Ok(()) };
        if let Some(walk) = &mut self.walk {
            walk.note(node);
        }
        for (nr, slot) in grads.iter_mut().enumerate() {
            self.hook_and_capture(node, nr, slot)?;
        }
        if self.needed.as_ref().is_some_and(|needed| !needed.contains(&node.seq())) {
            return Ok(());
        }
        let function = node.function(self.pass.retain_graph).ok_or_else(|| used_up(node))?;
        let needs: SmallVec<[bool; 4]> =
            node.edges().iter().map(|edge| edge.as_ref().is_some_and(|edge| self.wants(edge))).collect();
        let results: Grads = function.run(node, &grads, &needs)?;
        // Saved tensors are freed here, not when the pass ends.
        drop((function, grads));
        if is_anomaly_enabled() && is_anomaly_check_nan_enabled() {
            refuse_nan(node, &results)?;
        }
        for (i, (edge, grad)) in node.edges().iter().zip(results).enumerate() {
            if let (Some(edge), Some(grad)) = (edge, grad)
                && self.wants(edge)
            {
                self.send(edge, grad, (node.name(), i))?;
            }
        }
        Ok(())
    }

    /// Hooks of an output run before its gradient is kept or returned.
    fn hook_and_capture(&mut self, node: &Arc<Node>, nr: usize, slot: &mut Option<Tensor>) -> Result<()> {
        if let (Some(at), Some(grad)) = (node.output_hooks(nr), slot.as_ref()) {
            let grad = match &at.hooks {
                Some(hooks) => hooks.run(grad.clone())?,
                None => grad.clone(),
            };
            if let Some(keeper) = at.retain.and_then(|weak| weak.upgrade()).map(Tensor) {
                accumulate(&keeper, grad.clone())?;
            }
            *slot = Some(grad);
        }
        if let (Some(wanted), Some(grad)) = (self.captures.get(&(node.seq(), nr)), slot.as_ref()) {
            // What `backward` was asked to accumulate into is kept above.
            if matches!(self.pass.target, Target::Returned(_)) {
                wanted.iter().for_each(|&i| self.found[i] = Some(grad.clone()));
            }
        }
        Ok(())
    }
}

fn edge_node(edge: &Edge) -> Option<Arc<Node>> {
    match edge {
        Edge::Node(node, _) => Some(node.clone()),
        Edge::Leaf(_) => None,
    }
}

/// Undoes broadcasting and promotion. A number may come from the processor wherever it is needed.
fn fit(grad: Tensor, shape: &Dims, dtype: crate::DType, device: crate::Device, from: (&str, usize)) -> Result<Tensor> {
    let (at, rank) = grad.with_body(|b| (b.device(), b.shape.len()));
    let invalid = |what: String| {
        Error::runtime(
            "backward",
            format!("Function {} returned an invalid gradient at index {} - {what}", from.0, from.1),
        )
    };
    let grad = match at == device {
        true => grad,
        false if rank == 0 => grad.to(device)?,
        false => return Err(invalid(format!("expected device {device} but got {at}"))),
    };
    let grad = if grad.with_body(|b| b.shape == *shape) {
        grad
    } else if broadcasts_to(shape, &grad.shape()) {
        grad.sum_to_size(shape)?
    } else {
        return Err(invalid(format!("got {:?} but expected shape compatible with {shape:?}", grad.shape())));
    };
    if grad.dtype() == dtype { Ok(grad) } else { grad.cast_back(dtype.into()) }
}

/// Does `shape` broadcast to `to`?
fn broadcasts_to(shape: &Dims, to: &Dims) -> bool {
    let front = to.len().checked_sub(shape.len());
    front.is_some_and(|front| shape.iter().zip(&to[front..]).all(|(&s, &n)| s == n || s == 1))
}

/// Names the first of the gradients in which there is a NaN.
#[cold]
fn refuse_nan(node: &Node, grads: &Grads) -> Result<()> {
    for (i, grad) in grads.iter().enumerate() {
        let Some(grad) = grad.as_ref().filter(|g| g.is_differentiable()) else { continue };
        if grad.detach().isnan()?.any()?.value_or(false)? {
            let name = node.name();
            let error =
                Error::runtime("backward", format!("Function '{name}' returned nan values in its {i}th output."));
            return Err(match node.line() {
                Some(line) => error.given(format!("the forward operation at {line}")),
                None => error.remedy("run the forward pass inside detect_anomaly, too, to see its line"),
            });
        }
    }
    Ok(())
}

#[cold]
fn used_up(node: &Node) -> Error {
    let error = Error::runtime(
        node.name(),
        "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward.",
    );
    match (node.used_at(), node.line()) {
        (Some(first), Some(line)) => {
            error.given(format!("the first backward pass was at {first}; {} ran at {line}", node.op_name()))
        }
        _ => error.remedy("note the lines with autograd::SourceLines::note() to see where the first backward pass was"),
    }
}
