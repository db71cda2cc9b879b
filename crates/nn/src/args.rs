//! What a module takes and returns: tensors, and tuples, options and lists of them.

use firebrick_core::{Buffer, Parameter, Tensor};
use std::any::Any;

/// The input or output of a module, open to hooks.
///
/// Implemented for [`Tensor`], numbers, `bool`, `String`, `()`, and options, lists and tuples of those;
/// `#[derive(Args)]` implements it for your own types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the input or output of a module",
    label = "not a tensor, number, or option, list or tuple of those",
    note = "for your own type, add `#[derive(Args)]` to it (and `Clone` for an input)"
)]
pub trait Args: Any {
    /// Calls `f` on every tensor inside, in order.
    fn visit_tensors(&self, f: &mut dyn FnMut(&Tensor)) {
        let _ = f;
    }

    /// Calls `f` on every tensor inside, in order; `f` may replace it.
    fn visit_tensors_mut(&mut self, f: &mut dyn FnMut(&mut Tensor)) {
        let _ = f;
    }
}

impl dyn Args {
    /// The value as its own type, when that is `T`.
    pub fn downcast_ref<T: 'static>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }

    /// The value as its own type, open to change.
    pub fn downcast_mut<T: 'static>(&mut self) -> Option<&mut T> {
        (self as &mut dyn Any).downcast_mut()
    }

    /// Every tensor inside, in order.
    pub fn tensors(&self) -> Vec<Tensor> {
        let mut out = Vec::new();
        self.visit_tensors(&mut |tensor| out.push(tensor.clone()));
        out
    }
}

/// Lets `call` take `&x` or `x` wherever a `Tensor` is wanted, inside tuples too.
#[diagnostic::on_unimplemented(
    message = "this module takes `{A}`, not `{Self}`",
    label = "expected `{A}`",
    note = "several inputs are one tuple, `module.call((&x, &y))`; an absent optional input is `Absent` or `None::<Tensor>`"
)]
pub trait IntoArgs<A> {
    /// The input as the module takes it.
    fn into_args(self) -> A;
}

/// Python's `None` for an optional input: `attention.call((&x, Absent))`. A bare `None` would need its type.
#[derive(Clone, Copy, Debug)]
pub struct Absent;

impl<A> IntoArgs<Option<A>> for Absent {
    fn into_args(self) -> Option<A> {
        None
    }
}

impl Args for Tensor {
    fn visit_tensors(&self, f: &mut dyn FnMut(&Tensor)) {
        f(self);
    }
    fn visit_tensors_mut(&mut self, f: &mut dyn FnMut(&mut Tensor)) {
        f(self);
    }
}
impl IntoArgs<Tensor> for Tensor {
    #[inline]
    fn into_args(self) -> Tensor {
        self
    }
}
impl IntoArgs<Tensor> for &Tensor {
    #[inline]
    fn into_args(self) -> Tensor {
        self.clone()
    }
}
impl IntoArgs<Tensor> for &Parameter {
    fn into_args(self) -> Tensor {
        (**self).clone()
    }
}
impl IntoArgs<Tensor> for &Buffer {
    fn into_args(self) -> Tensor {
        (**self).clone()
    }
}

impl<A: Args> Args for Option<A> {
    fn visit_tensors(&self, f: &mut dyn FnMut(&Tensor)) {
        if let Some(inner) = self {
            inner.visit_tensors(f);
        }
    }
    fn visit_tensors_mut(&mut self, f: &mut dyn FnMut(&mut Tensor)) {
        if let Some(inner) = self {
            inner.visit_tensors_mut(f);
        }
    }
}
impl<A, X: IntoArgs<A>> IntoArgs<Option<A>> for Option<X> {
    fn into_args(self) -> Option<A> {
        self.map(X::into_args)
    }
}

impl<A: Args> Args for Vec<A> {
    fn visit_tensors(&self, f: &mut dyn FnMut(&Tensor)) {
        self.iter().for_each(|inner| inner.visit_tensors(f));
    }
    fn visit_tensors_mut(&mut self, f: &mut dyn FnMut(&mut Tensor)) {
        self.iter_mut().for_each(|inner| inner.visit_tensors_mut(f));
    }
}
impl<A, X: IntoArgs<A>> IntoArgs<Vec<A>> for Vec<X> {
    fn into_args(self) -> Vec<A> {
        self.into_iter().map(X::into_args).collect()
    }
}

macro_rules! tuples {
    ($(($($a:ident $x:ident $i:tt),+))*) => { $(
        impl<$($a: Args),+> Args for ($($a,)+) {
            fn visit_tensors(&self, f: &mut dyn FnMut(&Tensor)) {
                $(self.$i.visit_tensors(f);)+
            }
            fn visit_tensors_mut(&mut self, f: &mut dyn FnMut(&mut Tensor)) {
                $(self.$i.visit_tensors_mut(f);)+
            }
        }
        impl<$($a, $x: IntoArgs<$a>),+> IntoArgs<($($a,)+)> for ($($x,)+) {
            fn into_args(self) -> ($($a,)+) {
                ($(self.$i.into_args(),)+)
            }
        }
    )* };
}
tuples!(
    (A1 X1 0)
    (A1 X1 0, A2 X2 1)
    (A1 X1 0, A2 X2 1, A3 X3 2)
    (A1 X1 0, A2 X2 1, A3 X3 2, A4 X4 3)
    (A1 X1 0, A2 X2 1, A3 X3 2, A4 X4 3, A5 X5 4)
    (A1 X1 0, A2 X2 1, A3 X3 2, A4 X4 3, A5 X5 4, A6 X6 5)
    (A1 X1 0, A2 X2 1, A3 X3 2, A4 X4 3, A5 X5 4, A6 X6 5, A7 X7 6)
    (A1 X1 0, A2 X2 1, A3 X3 2, A4 X4 3, A5 X5 4, A6 X6 5, A7 X7 6, A8 X8 7)
);

macro_rules! values {
    ($($t:ty),*) => { $(
        impl Args for $t {}
        impl IntoArgs<$t> for $t {
            fn into_args(self) -> $t {
                self
            }
        }
    )* };
}
values!((), bool, u32, u64, usize, i32, i64, isize, f32, f64, String);
