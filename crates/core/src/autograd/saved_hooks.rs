//! What is kept for the backward pass in a saved tensor's place.

use super::gradient::Function;
use super::node::{Edge, Node, OutputInfo};
use crate::{DType, Dims, Error, Result, Tensor};
use smallvec::smallvec;
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

/// Gives the tensor back.
type Unpack = Box<dyn Fn() -> Result<Tensor> + Send + Sync>;
/// Takes the tensor that an operation saves.
type Pack = Rc<dyn Fn(&Tensor) -> Result<Unpack>>;

thread_local! {
    static ANY: Cell<bool> = const { Cell::new(false) };
    static HOOKS: RefCell<Vec<Pack>> = const { RefCell::new(Vec::new()) };
}

/// Are there hooks that ask for what is saved?
#[inline]
pub(super) fn any() -> bool {
    ANY.get()
}

/// Keeps what `pack` makes of every tensor that operations save, in its place; `unpack` gives the tensor back when a
/// gradient needs it. PyTorch's `torch.autograd.graph.saved_tensors_hooks`.
///
/// On this thread and until the guard is dropped; the innermost pair counts. `pack` gets the tensor without history, and
/// what it computes saves nothing by hooks. A change in place of what `pack` keeps is not noticed.
///
/// `unpack` must return a tensor of the same shape and dtype; PyTorch takes any.
///
/// ```
/// use firebrick_core::{DType, Tensor, autograd};
/// let x = Tensor::new([3.0f32])?;
/// x.requires_grad_(true)?;
/// // Kept in 16 bits.
/// let hooks = autograd::saved_tensors_hooks(|t| t.to(DType::BF16), |kept| kept.to(DType::F32));
/// let y = x.mul(&x)?;
/// drop(hooks);
/// y.backward()?;
/// assert_eq!(x.grad().map(|g| g.item::<f32>()).transpose()?, Some(6.0));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn saved_tensors_hooks<P: Send + Sync + 'static>(
    pack: impl Fn(&Tensor) -> Result<P> + 'static,
    unpack: impl Fn(&P) -> Result<Tensor> + Send + Sync + 'static,
) -> SavedTensorsHooks {
    let unpack = Arc::new(unpack);
    let both = move |tensor: &Tensor| -> Result<Unpack> {
        let (kept, unpack) = (pack(tensor)?, unpack.clone());
        Ok(Box::new(move || unpack(&kept)))
    };
    HOOKS.with_borrow_mut(|hooks| hooks.push(Rc::new(both)));
    SavedTensorsHooks { any_before: ANY.replace(true), _on_this_thread: PhantomData }
}

/// Ends hooks on saved tensors when it is dropped; made by [`saved_tensors_hooks`].
#[must_use = "the hooks last as long as the guard"]
pub struct SavedTensorsHooks {
    any_before: bool,
    _on_this_thread: PhantomData<*const ()>,
}

impl Drop for SavedTensorsHooks {
    fn drop(&mut self) {
        let gone = HOOKS.with_borrow_mut(Vec::pop);
        ANY.set(self.any_before);
        drop(gone);
    }
}

/// Hooks are asleep while it lives: `pack` and `unpack` are not asked for what they save themselves.
struct Asleep(bool);

impl Asleep {
    fn begin() -> Self {
        Asleep(ANY.replace(false))
    }
}

impl Drop for Asleep {
    fn drop(&mut self) {
        ANY.set(self.0);
    }
}

/// A saved tensor in the form that hooks gave it.
pub(crate) struct Packed {
    unpack: Unpack,
    shape: Dims,
    dtype: DType,
    origin: Origin,
}

/// Where the tensor belongs in the graph.
enum Origin {
    Input(Option<Edge>),
    Output(usize),
}

impl Packed {
    pub fn input(tensor: &Tensor) -> Result<Self> {
        Self::new(tensor, Origin::Input(tensor.edge()))
    }

    pub fn output(tensor: &Tensor, index: usize) -> Result<Self> {
        Self::new(tensor, Origin::Output(index))
    }

    fn new(tensor: &Tensor, origin: Origin) -> Result<Self> {
        let pack = HOOKS.with_borrow(|hooks| hooks.last().cloned());
        let pack = pack.ok_or_else(|| Error::runtime("saved_tensors_hooks", "there are no hooks"))?;
        let _asleep = Asleep::begin();
        let unpack = pack(&tensor.detach())?;
        Ok(Packed { unpack, shape: tensor.shape(), dtype: tensor.dtype(), origin })
    }

    pub fn unpack(&self, node: &Arc<Node>) -> Result<Tensor> {
        let given = {
            let _asleep = Asleep::begin();
            (self.unpack)()?
        };
        let (shape, dtype) = (given.shape(), given.dtype());
        if shape != self.shape || dtype != self.dtype {
            return Err(Error::runtime(node.name(), "the hook gave another tensor back than was saved")
                .given(format!("{shape:?} of {dtype}"))
                .expected(format!("{:?} of {}", self.shape, self.dtype)));
        }
        let tensor = given.detach();
        if !super::is_grad_enabled() || !dtype.is_differentiable() {
            return Ok(tensor);
        }
        match &self.origin {
            Origin::Output(index) => tensor.set_node(node.clone(), *index),
            Origin::Input(Some(Edge::Node(maker, index))) => tensor.set_node(maker.clone(), *index),
            Origin::Input(Some(leaf)) => tensor.set_node(passing_on(leaf.clone(), &tensor), 0),
            Origin::Input(None) => {}
        }
        Ok(tensor)
    }
}

/// A node that hands its gradient on to the leaf whose values came from a hook.
fn passing_on(leaf: Edge, tensor: &Tensor) -> Arc<Node> {
    let function = Function::new(|_: &Arc<Node>, grads: &[Option<Tensor>], _: &[bool]| Ok(smallvec![grads[0].clone()]));
    Node::new("UnpackBackward", smallvec![Some(leaf)], smallvec![OutputInfo::of(tensor)], true, function)
}
