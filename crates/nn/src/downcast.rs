//! From `dyn Module` to a module's own type.

use crate::Module;
use std::any::Any;

impl dyn Module {
    /// The module as its own type, when that is `M`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::Linear::new(3, 2)?);
    /// let linear = net.get_submodule("0")?.downcast_ref::<nn::Linear>();
    /// assert_eq!(linear.map(|linear| linear.out_features()), Some(2));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn downcast_ref<M: Module>(&self) -> Option<&M> {
        (self.as_dyn() as &dyn Any).downcast_ref()
    }

    /// Is the module an `M`? Python's `isinstance`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::ReLU::new());
    /// assert!(net.children()[0].is::<nn::ReLU>() && !net.children()[0].is::<nn::Linear>());
    /// ```
    pub fn is<M: Module>(&self) -> bool {
        self.downcast_ref::<M>().is_some()
    }

    /// The module as its own type, open to change.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut layer: Box<dyn nn::Forward> = Box::new(nn::Linear::new(3, 2)?);
    /// let linear = layer.as_dyn_mut().and_then(|module| module.downcast_mut::<nn::Linear>());
    /// linear.expect("it is one").bias = None;
    /// assert_eq!(layer.parameters().len(), 1);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn downcast_mut<M: Module>(&mut self) -> Option<&mut M> {
        (self.as_dyn_mut()? as &mut dyn Any).downcast_mut()
    }
}
