//! Modules behind `Box` (owned, the type may be forgotten) and `Arc` (shared: one set of weights, several names).

use crate::{Args, Core, Custom, Field, Forward, Member, MemberMut, Memo, Module, Visitor, VisitorMut};
use firebrick_core::{Result, StateDict, Tensor};
use std::any::Any;
use std::sync::Arc;

/// Forwards the traits of a module to what the pointer leads to; `$inner` reaches it for changes of structure.
macro_rules! pointer {
    ($pointer:ident, |$this:ident| $inner:expr) => {
        impl<M: Module + ?Sized> Custom for $pointer<M> {
            fn extra_repr(&self) -> String {
                (**self).extra_repr()
            }
            fn repr(&self) -> Option<String> {
                (**self).repr()
            }
            fn version(&self) -> i64 {
                (**self).version()
            }
            fn migrate(&self, state: &mut StateDict, prefix: &str, version: Option<i64>) -> Result<()> {
                (**self).migrate(state, prefix, version)
            }
            fn get_extra_state(&self) -> Option<Tensor> {
                (**self).get_extra_state()
            }
            fn set_extra_state(&self, state: &Tensor) -> Result<()> {
                (**self).set_extra_state(state)
            }
        }

        impl<M: Module + ?Sized> Module for $pointer<M>
        where
            $pointer<M>: Field,
        {
            fn core(&self) -> &Core {
                (**self).core()
            }
            fn core_mut(&mut self) -> Option<&mut Core> {
                let $this = self;
                $inner?.core_mut()
            }
            fn type_name(&self) -> &'static str {
                (**self).type_name()
            }
            fn attributes(&self) -> &'static [&'static str] {
                (**self).attributes()
            }
            fn delegates(&self) -> bool {
                (**self).delegates()
            }
            fn as_dyn(&self) -> &dyn Module {
                (**self).as_dyn()
            }
            fn as_dyn_mut(&mut self) -> Option<&mut dyn Module> {
                let $this = self;
                $inner?.as_dyn_mut()
            }
            fn visit_declared<'m>(&'m self, f: Visitor<'_, 'm>) {
                (**self).visit_declared(f);
            }
            fn visit_mut<'m>(&'m mut self, f: VisitorMut<'_, 'm>) {
                let $this = self;
                if let Some(inner) = $inner {
                    inner.visit_mut(f);
                }
            }
            fn clone_dyn(&self, memo: &mut Memo) -> Result<Box<dyn Module>> {
                Ok(Box::new(self.clone_with(memo)?))
            }
            fn replace(&mut self, new: Box<dyn Any>) -> Result<(), Box<dyn Any>> {
                match new.downcast::<Self>() {
                    Ok(new) => {
                        *self = *new;
                        Ok(())
                    }
                    Err(new) => {
                        let $this = self;
                        match $inner {
                            Some(inner) => inner.replace(new),
                            None => Err(new),
                        }
                    }
                }
            }
        }
    };
}
pointer!(Box, |this| Some(&mut **this));
pointer!(Arc, |this| Arc::get_mut(this));

/// The two visits of a field that is a pointer to a module.
macro_rules! pointer_visits {
    () => {
        fn visit_as<'m>(&'m self, name: &str, f: Visitor<'_, 'm>) {
            f(name, Member::Module((**self).as_dyn()));
        }
        fn visit_as_mut<'m>(&'m mut self, name: &str, f: VisitorMut<'_, 'm>) {
            f(name, MemberMut::Module(self));
        }
    };
}

impl<M: Module> Field for Box<M> {
    pointer_visits!();
    fn clone_with(&self, memo: &mut Memo) -> Result<Self> {
        Ok(Box::new((**self).clone_with(memo)?))
    }
}

impl Field for Box<dyn Module> {
    pointer_visits!();
    fn clone_with(&self, memo: &mut Memo) -> Result<Self> {
        (**self).clone_dyn(memo)
    }
}

impl<I: Args + Clone, O: Args> Field for Box<dyn Forward<I, O>> {
    pointer_visits!();
    fn clone_with(&self, memo: &mut Memo) -> Result<Self> {
        (**self).clone_boxed(memo)
    }
}

impl<M: Module> Field for Arc<M> {
    pointer_visits!();
    fn clone_with(&self, memo: &mut Memo) -> Result<Self> {
        memo.shared(address(self), |memo| Ok(Arc::new((**self).clone_with(memo)?)))
    }
}

impl<I: Args + Clone, O: Args> Field for Arc<dyn Forward<I, O>> {
    pointer_visits!();
    fn clone_with(&self, memo: &mut Memo) -> Result<Self> {
        memo.shared(address(self), |memo| Ok(Arc::from((**self).clone_boxed(memo)?)))
    }
}

fn address<M: ?Sized>(shared: &Arc<M>) -> usize {
    Arc::as_ptr(shared).cast::<()>() as usize
}
