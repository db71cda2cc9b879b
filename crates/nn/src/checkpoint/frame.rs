//! One checkpointed call: what it saved by shape, and the tensors once they are computed again.

use firebrick_core::autograd::{ModeGuard, saved_tensors_hooks};
use firebrick_core::{DType, Device, Dims, Error, Result, Tensor};
use parking_lot::Mutex;
use std::cell::RefCell;
use std::rc::Rc;

const OP: &str = "checkpoint";

/// What is compared of a tensor.
#[derive(PartialEq)]
struct Form {
    shape: Dims,
    dtype: DType,
    device: Device,
}

impl Form {
    fn of(tensor: &Tensor) -> Self {
        Form { shape: tensor.shape(), dtype: tensor.dtype(), device: tensor.device() }
    }

    /// As PyTorch prints it.
    fn text(&self) -> String {
        let Form { shape, dtype, device } = self;
        format!("{{'shape': torch.Size({shape:?}), 'dtype': {dtype}, 'device': device(type='{device}')}}")
    }
}

/// One checkpointed call.
pub(super) struct Frame {
    run_again: Box<dyn Fn() -> Result<()> + Send + Sync>,
    checked: bool,
    forms: Mutex<Vec<Form>>,
    /// What the last run again computed and nobody took yet.
    computed: Mutex<Vec<Option<Tensor>>>,
}

impl Frame {
    pub fn new(run_again: impl Fn() -> Result<()> + Send + Sync + 'static, checked: bool) -> Self {
        Frame { run_again: Box::new(run_again), checked, forms: Mutex::default(), computed: Mutex::default() }
    }

    /// Notes the form of the next tensor that is saved; returns its place.
    pub fn remember(&self, tensor: &Tensor) -> usize {
        let mut forms = self.forms.lock();
        forms.push(Form::of(tensor));
        forms.len() - 1
    }

    /// The tensor that was saved at this place, computed again unless that was done for another one.
    pub fn tensor(&self, place: usize) -> Result<Tensor> {
        let take = || self.computed.lock().get_mut(place).and_then(Option::take);
        if let Some(tensor) = take() {
            return Ok(tensor);
        }
        // No lock is held while the function runs.
        let tensors = self.compute()?;
        self.check(&tensors)?;
        let old = std::mem::replace(&mut *self.computed.lock(), tensors.into_iter().map(Some).collect());
        drop(old);
        take().ok_or_else(|| Error::runtime(OP, "the function saved fewer tensors than before"))
    }

    /// What the function saves when it is run again.
    fn compute(&self) -> Result<Vec<Tensor>> {
        let saved: Rc<RefCell<Vec<Tensor>>> = Rc::default();
        let into = saved.clone();
        let hooks = saved_tensors_hooks(
            move |tensor| {
                into.borrow_mut().push(tensor.clone());
                Ok(tensor.clone())
            },
            |tensor: &Tensor| Ok(tensor.clone()),
        );
        let _recording = ModeGuard::enable_grad();
        let result = (self.run_again)();
        drop(hooks);
        result?;
        Ok(saved.take())
    }

    /// Refuses other tensors than the first run saved.
    fn check(&self, tensors: &[Tensor]) -> Result<()> {
        let forms = self.forms.lock();
        let (before, now) = (forms.len(), tensors.len());
        if now > before {
            return Err(Error::runtime(
                OP,
                "torch.utils.checkpoint: trying to save more tensors during recomputation than during the original forward pass.",
            )
            .given(format!("{now} tensors"))
            .expected(format!("{before} tensors")));
        }
        if now < before {
            return Err(Error::runtime(
                OP,
                format!(
                    "torch.utils.checkpoint: A different number of tensors was saved during the original forward and recomputation.\nNumber of tensors saved during forward: {before}\nNumber of tensors saved during recomputation: {now}."
                ),
            ));
        }
        if !self.checked {
            return Ok(());
        }
        let mut text = String::new();
        for (place, (form, tensor)) in forms.iter().zip(tensors).enumerate() {
            let now = Form::of(tensor);
            if *form != now {
                text += &format!(
                    "tensor at position {place}:\nsaved metadata: {}\nrecomputed metadata: {}\n",
                    form.text(),
                    now.text()
                );
            }
        }
        if text.is_empty() {
            return Ok(());
        }
        Err(Error::runtime(
            OP,
            format!(
                "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than during the forward pass.\n{text}."
            ),
        ))
    }
}
