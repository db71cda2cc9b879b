//! Hooks and kept gradients on single tensors.

use super::hooks::{Hooks, TensorHookHandle, python_name};
use crate::{Error, Result, Tensor};
use std::sync::Arc;

impl Tensor {
    /// Calls `hook` with every gradient that arrives at this tensor; what it returns takes the gradient's place.
    ///
    /// # Errors
    /// The tensor does not require grad.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f64])?;
    /// x.requires_grad_(true)?;
    /// let handle = x.register_hook(|g| Ok(Some(g.mul(10.0)?)))?;
    /// x.mul(2.0)?.sum()?.backward()?;
    /// assert_eq!(x.grad().map(|g| g.item::<f64>()).transpose()?, Some(20.0));
    /// handle.remove();
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn register_hook<F>(&self, hook: F) -> Result<TensorHookHandle>
    where
        F: Fn(&Tensor) -> Result<Option<Tensor>> + Send + Sync + 'static,
    {
        if !self.requires_grad() {
            return Err(Error::runtime(
                "register_hook",
                "cannot register a hook on a tensor that doesn't require gradient",
            ));
        }
        let hooks = match self.grad_node() {
            Some((node, index)) => node.with_output_hooks(index, |at| at.hooks.get_or_insert_default().clone()),
            None => self.leaf_hooks(),
        };
        Ok(hooks.add(python_name::<F>(), Arc::new(hook)))
    }

    /// Calls `hook` with this leaf each time a gradient was accumulated into it.
    ///
    /// # Errors
    /// The tensor does not require grad, or is no leaf.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor};
    /// let x = Parameter::new(Tensor::new([1.0f32])?);
    /// let _hook = x.register_post_accumulate_grad_hook(|x| x.set_grad(None))?;
    /// x.mul(2)?.sum()?.backward()?;
    /// assert!(x.grad().is_none());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn register_post_accumulate_grad_hook(
        &self,
        hook: impl Fn(&Tensor) -> Result<()> + Send + Sync + 'static,
    ) -> Result<TensorHookHandle> {
        const OP: &str = "register_post_accumulate_grad_hook";
        if !self.requires_grad() {
            return Err(Error::runtime(OP, "cannot register a hook on a tensor that doesn't require gradient"));
        }
        if !self.is_leaf() {
            return Err(Error::runtime(OP, "post accumulate grad hooks cannot be registered on non-leaf tensors"));
        }
        Ok(self.leaf_hooks().add_accumulated(Arc::new(hook)))
    }

    fn leaf_hooks(&self) -> Arc<Hooks> {
        self.meta_mut().lock().hooks.get_or_insert_default().clone()
    }

    /// Keeps the gradient of a tensor that is no leaf in its `grad`, too.
    ///
    /// # Errors
    /// The tensor does not require grad.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor};
    /// let x = Parameter::new(Tensor::new([1.0f32])?);
    /// let y = x.mul(2)?;
    /// y.retain_grad()?;
    /// y.sum()?.backward()?;
    /// assert_eq!(y.grad().map(|g| g.item::<f32>()).transpose()?, Some(1.0));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn retain_grad(&self) -> Result<()> {
        if !self.requires_grad() {
            return Err(Error::runtime("retain_grad", "can't retain_grad on Tensor that has requires_grad=False"));
        }
        if let Some((node, index)) = self.grad_node() {
            self.meta_mut().lock().retain_grad = true;
            node.with_output_hooks(index, |at| at.retain = Some(Arc::downgrade(&self.0)));
        }
        Ok(())
    }

    /// Does it keep its gradient though it is no leaf?
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor};
    /// let y = Parameter::new(Tensor::new([1.0f32])?).mul(2)?;
    /// y.retain_grad()?;
    /// assert!(y.retains_grad());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn retains_grad(&self) -> bool {
        self.meta().is_some_and(|meta| meta.lock().retain_grad)
    }
}
