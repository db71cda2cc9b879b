//! What a module takes and returns: tensors, and tuples, options and lists of them.

use firebrick_core::{Buffer, Error, Parameter, Result, Tensor};
use std::any::Any;

/// The input or output of a module, open to hooks.
///
/// Implemented for [`Tensor`], numbers, `bool`, `String`, `()`, and options, lists and tuples of those;
/// `#[derive(Args)]` implements it for your own types.
///
/// Keyword inputs are the named fields of such a type, alone or as a part of a tuple. A hook that knows the type sees
/// them as fields; one that does not reaches them by name, which is PyTorch's `with_kwargs=True`:
///
/// ```
/// use firebrick::nn::HookOptions;
/// use firebrick::prelude::*;
///
/// #[derive(Args, Clone)]
/// struct Options { scale: f64 }
///
/// #[derive(Module)]
/// struct Scale { core: Core }
///
/// impl nn::Forward<(Tensor, Options)> for Scale {
///     fn forward(&self, (x, options): (Tensor, Options)) -> Result<Tensor> {
///         x.mul(options.scale)
///     }
/// }
///
/// let scale = Scale { core: Core::new() };
/// scale.register_forward_pre_hook_any(HookOptions::new(), |_, input| {
///     let old: f64 = input.keyword("scale").unwrap_or(1.0);
///     input.set_keyword("scale", old + 2.0)
/// });
/// let y = scale.call((Tensor::ones([1])?, Options { scale: 3.0 }))?;
/// assert_eq!(y.item::<f32>()?, 5.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the input or output of a module",
    label = "not a tensor, number, or option, list or tuple of those",
    note = "for your own type, add `#[derive(Args)]` to it (and `Clone` for an input)"
)]
pub trait Args: Any {
    /// Calls `f` on every tensor inside, in order.
    #[doc(hidden)]
    fn visit_tensors(&self, f: &mut dyn FnMut(&Tensor)) {
        let _ = f;
    }

    /// Calls `f` on every tensor inside, in order; `f` may replace it.
    #[doc(hidden)]
    fn visit_tensors_mut(&mut self, f: &mut dyn FnMut(&mut Tensor)) {
        let _ = f;
    }

    /// The value with its type forgotten; for generated code.
    #[doc(hidden)]
    fn as_args(&self) -> &dyn Args
    where
        Self: Sized,
    {
        self
    }

    /// The same, open to change.
    #[doc(hidden)]
    fn as_args_mut(&mut self) -> &mut dyn Args
    where
        Self: Sized,
    {
        self
    }

    /// Calls `f` on every named field, the keyword inputs, with its name.
    #[doc(hidden)]
    fn visit_keywords(&self, f: &mut dyn FnMut(&'static str, &dyn Args)) {
        let _ = f;
    }

    /// The same; `f` may replace the values.
    #[doc(hidden)]
    fn visit_keywords_mut(&mut self, f: &mut dyn FnMut(&'static str, &mut dyn Args)) {
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

    /// The names of the keyword inputs, in order.
    pub fn keywords(&self) -> Vec<&'static str> {
        let mut out = Vec::new();
        self.visit_keywords(&mut |name, _| out.push(name));
        out
    }

    /// The keyword input of this name, when there is one of this type: `kwargs[name]`.
    pub fn keyword<T: Args + Clone>(&self, name: &str) -> Option<T> {
        let mut out = None;
        self.visit_keywords(&mut |n, value| {
            if n == name {
                out = value.downcast_ref::<T>().cloned();
            }
        });
        out
    }

    /// Replaces the keyword input of this name: `kwargs[name] = value`.
    ///
    /// # Errors
    /// A `TypeError` when the input has no keyword of this name, or one of another type.
    pub fn set_keyword<T: Args>(&mut self, name: &str, value: T) -> Result<()> {
        const OP: &str = "set_keyword";
        let (mut value, mut found) = (Some(value), false);
        self.visit_keywords_mut(&mut |n, place| {
            if n == name && !found {
                found = true;
                if let Some(place) = place.downcast_mut::<T>()
                    && let Some(value) = value.take()
                {
                    *place = value;
                }
            }
        });
        match (found, value) {
            (_, None) => Ok(()),
            (true, _) => Err(Error::type_(OP, format!("the keyword argument '{name}' is of another type"))
                .given(std::any::type_name::<T>())),
            (false, _) => {
                let names = self.keywords().join(", ");
                Err(Error::type_(OP, format!("got an unexpected keyword argument '{name}'"))
                    .expected(format!("one of {names}")))
            }
        }
    }
}

/// Lets `call` take `&x` or `x` wherever a `Tensor` is wanted, inside tuples too.
///
/// ```
/// use firebrick::nn::IntoArgs;
/// use firebrick::prelude::*;
/// let x = Tensor::ones([2])?;
/// let (input, mask): (Tensor, Option<Tensor>) = (&x, Absent).into_args();
/// assert!(input.equal(&x)? && mask.is_none());
/// # Ok::<_, firebrick::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "this module takes `{A}`, not `{Self}`",
    label = "expected `{A}`",
    note = "several inputs are one tuple, `module.call((&x, &y))`; an absent optional input is `Absent` or `None::<Tensor>`"
)]
pub trait IntoArgs<A> {
    /// The input as the module takes it.
    fn into_args(self) -> A;
}

/// Python's `None` for an optional input: `attention.call((&x, Absent))`. A bare `None` would need its type. [`IntoArgs`]
/// shows it.
#[derive(Clone, Copy, Debug)]
pub struct Absent;

/// Arguments as the call takes them, for callers that know nothing else of them.
pub(crate) struct Exactly<A>(pub A);

impl<A> IntoArgs<A> for Exactly<A> {
    #[inline]
    fn into_args(self) -> A {
        self.0
    }
}

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
    fn visit_keywords(&self, f: &mut dyn FnMut(&'static str, &dyn Args)) {
        if let Some(inner) = self {
            inner.visit_keywords(f);
        }
    }
    fn visit_keywords_mut(&mut self, f: &mut dyn FnMut(&'static str, &mut dyn Args)) {
        if let Some(inner) = self {
            inner.visit_keywords_mut(f);
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
            fn visit_keywords(&self, f: &mut dyn FnMut(&'static str, &dyn Args)) {
                $(self.$i.visit_keywords(f);)+
            }
            fn visit_keywords_mut(&mut self, f: &mut dyn FnMut(&'static str, &mut dyn Args)) {
                $(self.$i.visit_keywords_mut(f);)+
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
