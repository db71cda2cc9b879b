//! A constructed module together with the way to call it.

use crate::functional::Args;
use crate::value::{IntoValue, Value};
use crate::{Out, not_built};
use firebrick::Tensor;
use firebrick::nn::{Call, Forward, Module, boxed};

/// A module that can be called with arguments of the files.
pub trait Layer {
    /// The module.
    fn module(&self) -> &dyn Module;
    /// Calls it.
    fn call(&self, args: &mut Args) -> Out<Value>;
    /// The module as a layer of a `Sequential`.
    fn into_forward(self: Box<Self>) -> Out<Box<dyn Forward>>;
}

/// A module from tensor to tensor.
pub struct Plain<M>(M);

/// A module from tensor to tensor.
pub fn plain<M: Forward>(module: M) -> Box<dyn Layer> {
    Box::new(Plain(module))
}

impl<M: Forward> Layer for Plain<M> {
    fn module(&self) -> &dyn Module {
        &self.0
    }

    fn call(&self, args: &mut Args) -> Out<Value> {
        let input: Tensor = args.x()?;
        Ok(Value::Tensor(self.0.call(input)?))
    }

    fn into_forward(self: Box<Self>) -> Out<Box<dyn Forward>> {
        Ok(boxed(self.0))
    }
}

/// A module with a call of its own.
pub struct With<M, F>(M, F);

/// A module that `call` calls with the arguments.
pub fn with<M, F, V>(module: M, call: F) -> Box<dyn Layer>
where
    M: Module,
    F: Fn(&M, &mut Args) -> Out<V> + 'static,
    V: IntoValue + 'static,
{
    Box::new(With(module, move |module: &M, args: &mut Args| call(module, args).map(IntoValue::into_value)))
}

impl<M: Module, F: Fn(&M, &mut Args) -> Out<Value>> Layer for With<M, F> {
    fn module(&self) -> &dyn Module {
        &self.0
    }

    fn call(&self, args: &mut Args) -> Out<Value> {
        (self.1)(&self.0, args)
    }

    fn into_forward(self: Box<Self>) -> Out<Box<dyn Forward>> {
        not_built(format!("{} in a Sequential", self.0.type_name()))
    }
}
