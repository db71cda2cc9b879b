//! One parametrization: a module from the originals to the tensor, with its inverse.

use crate::{Args, Call, Field, Forward, IntoArgs, Member, MemberMut, Memo, Module, Visitor, VisitorMut};
use firebrick_core::{Error, Result, Tensor};

/// A module that computes a parameter.
///
/// Its `forward` takes what is stored, one tensor or a tuple of several, and returns the parameter.
///
/// ```
/// use firebrick::nn::utils::parametrize::{Parametrization, parametrized, register_parametrization};
/// use firebrick::prelude::*;
///
/// /// A parameter that is above zero.
/// #[derive(Module)]
/// struct Exp { core: Core }
///
/// impl nn::Forward for Exp {
///     fn forward(&self, x: Tensor) -> Result<Tensor> {
///         x.exp()
///     }
/// }
/// impl Parametrization for Exp {
///     type Originals = Tensor;
///
///     fn right_inverse(&self, value: Tensor) -> Result<Option<Tensor>> {
///         value.log().map(Some)
///     }
/// }
///
/// let mut linear = nn::Linear::builder(1, 1).bias(false).build()?;
/// nn::init::ones_(&linear.weight)?;
/// register_parametrization(&mut linear, "weight", Exp { core: Core::new() })?;
/// assert_eq!(linear.get_parameter("parametrizations.weight.original")?.item::<f32>()?, 0.0); // ln 1
/// assert_eq!(parametrized(&linear, "weight")?.item::<f32>()?, 1.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub trait Parametrization: Module + Sized {
    /// What is stored: `Tensor`, or a tuple of tensors for a parameter that is made of several.
    type Originals: Originals;

    /// What to store so that `forward` gives `value`; `None`, the default, where there is no such thing.
    /// [`Parametrization`] shows one.
    ///
    /// # Errors
    /// A value that `forward` cannot give.
    fn right_inverse(&self, value: Tensor) -> Result<Option<Self::Originals>> {
        let _ = value;
        Ok(None)
    }
}

/// One tensor, which is saved as `original`, or several, saved as `original0`, `original1`, ...
pub trait Originals: Args + Clone + IntoArgs<Self> {
    /// Is it one tensor and not a list?
    const SINGLE: bool = false;
    /// As a list.
    #[doc(hidden)]
    fn into_tensors(self) -> Vec<Tensor>;
    /// From a list; `None` for one of another length.
    #[doc(hidden)]
    fn from_tensors(tensors: Vec<Tensor>) -> Option<Self>;
}

impl Originals for Tensor {
    const SINGLE: bool = true;
    fn into_tensors(self) -> Vec<Tensor> {
        vec![self]
    }
    fn from_tensors(tensors: Vec<Tensor>) -> Option<Self> {
        <[Tensor; 1]>::try_from(tensors).ok().map(|[x]| x)
    }
}

impl Originals for (Tensor, Tensor) {
    fn into_tensors(self) -> Vec<Tensor> {
        vec![self.0, self.1]
    }
    fn from_tensors(tensors: Vec<Tensor>) -> Option<Self> {
        <[Tensor; 2]>::try_from(tensors).ok().map(|[a, b]| (a, b))
    }
}

impl Originals for (Tensor, Tensor, Tensor) {
    fn into_tensors(self) -> Vec<Tensor> {
        vec![self.0, self.1, self.2]
    }
    fn from_tensors(tensors: Vec<Tensor>) -> Option<Self> {
        <[Tensor; 3]>::try_from(tensors).ok().map(|[a, b, c]| (a, b, c))
    }
}

/// A parametrization whose types are forgotten.
pub(super) trait Stage: Module {
    /// The tensor made of these originals.
    fn run(&self, originals: Vec<Tensor>) -> Result<Tensor>;
    /// The originals for this tensor, where there is an inverse, and whether they are one tensor and not a list.
    fn invert(&self, value: Tensor) -> Result<Option<(Vec<Tensor>, bool)>>;
    /// A copy.
    fn clone_stage(&self, memo: &mut Memo) -> Result<Box<dyn Stage>>;
}

impl<P> Stage for P
where
    P: Parametrization + Forward<P::Originals>,
{
    fn run(&self, originals: Vec<Tensor>) -> Result<Tensor> {
        let count = originals.len();
        let Some(originals) = P::Originals::from_tensors(originals) else {
            let message = format!("{} cannot be computed from {count} tensors", self.display_name());
            return Err(Error::type_("parametrize", message)
                .remedy("a parametrization of several originals needs a `right_inverse` that makes them"));
        };
        self.call(originals)
    }

    fn invert(&self, value: Tensor) -> Result<Option<(Vec<Tensor>, bool)>> {
        Ok(self.right_inverse(value)?.map(|originals| (originals.into_tensors(), P::Originals::SINGLE)))
    }

    fn clone_stage(&self, memo: &mut Memo) -> Result<Box<dyn Stage>> {
        Ok(Box::new(self.clone_with(memo)?))
    }
}

impl Field for Box<dyn Stage> {
    fn visit_as<'m>(&'m self, name: &str, f: Visitor<'_, 'm>) {
        f(name, Member::Module((**self).as_dyn()));
    }
    fn visit_as_mut<'m>(&'m mut self, name: &str, f: VisitorMut<'_, 'm>) {
        f(name, MemberMut::Module(self));
    }
    fn clone_with(&self, memo: &mut Memo) -> Result<Self> {
        (**self).clone_stage(memo)
    }
}
