//! What may stand in a module's fields, decided by type.

use crate::{Member, MemberKind, MemberMut, Memo, Visitor, VisitorMut};
use firebrick_core::{Buffer, DType, Device, Dims, Parameter, Result};
use indexmap::IndexMap;

/// A type that can be a field of a module.
///
/// Implemented for [`Parameter`], [`Buffer`], every module, `Option`, `Vec`, arrays, tuples and
/// `IndexMap<String, _>` of those, `Box` and `Arc` of modules, and plain values, which are not listed.
///
/// ```
/// use firebrick::nn::{Field, Memo};
/// use firebrick::prelude::*;
/// let (layers, mut names) = (vec![nn::ReLU::new(), nn::ReLU::new()], Vec::new());
/// layers.visit_as("layers", &mut |name, _| names.push(name.to_owned()));
/// assert_eq!(names, ["layers.0", "layers.1"]); // a list is transparent
/// let copy = Parameter::new(Tensor::ones([2])?).clone_with(&mut Memo::new())?;
/// assert_eq!(copy.to_vec::<f32>()?, [1.0, 1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a module",
    label = "not a Parameter, Buffer, module, container of those, or plain value",
    note = "a tensor belongs in `Parameter` (trained) or `Buffer` (saved, not trained)",
    note = "for your own layer type, add `#[derive(Module)]` to it",
    note = "for configuration or a cache, mark the field `#[module(skip)]`"
)]
pub trait Field: 'static {
    /// Reports what this field registers under `name`. Plain values register nothing.
    fn visit_as<'m>(&'m self, name: &str, f: Visitor<'_, 'm>) {
        let _ = (name, f);
    }

    /// The same, open to change.
    #[doc(hidden)]
    fn visit_as_mut<'m>(&'m mut self, name: &str, f: VisitorMut<'_, 'm>) {
        let _ = (name, f);
    }

    /// Reports what an absent value of this type leaves under `name`: an empty slot for a parameter or buffer.
    #[doc(hidden)]
    fn visit_absent(name: &str, f: Visitor<'_, '_>)
    where
        Self: Sized,
    {
        let _ = (name, f);
    }

    /// Python's `copy.deepcopy`; `memo` keeps ties.
    ///
    /// # Errors
    /// When memory for the copy cannot be had.
    fn clone_with(&self, memo: &mut Memo) -> Result<Self>
    where
        Self: Sized;
}

/// A container whose entries can be listed under their bare keys with `#[module(flatten)]`.
///
/// ```
/// use firebrick::prelude::*;
/// #[derive(Module)]
/// struct Net {
///     core: Core,
///     #[module(flatten)]
///     layers: Vec<nn::PReLU>,
/// }
///
/// let net = Net { core: Core::new(), layers: vec![nn::PReLU::new(1)?] };
/// assert_eq!(net.named_parameters()[0].0, "0.weight"); // not layers.0.weight
/// # Ok::<_, firebrick::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be flattened",
    label = "`#[module(flatten)]` is for a list or map of modules",
    note = "a module's members are listed below its own name; leave the attribute out"
)]
pub trait Flattened: Field {}

impl Field for Parameter {
    fn visit_as<'m>(&'m self, name: &str, f: Visitor<'_, 'm>) {
        f(name, Member::Parameter(self));
    }
    fn visit_as_mut<'m>(&'m mut self, name: &str, f: VisitorMut<'_, 'm>) {
        f(name, MemberMut::Parameter(self));
    }
    fn visit_absent(name: &str, f: Visitor<'_, '_>) {
        f(name, Member::Empty(MemberKind::Parameter));
    }
    fn clone_with(&self, memo: &mut Memo) -> Result<Self> {
        memo.parameter(self)
    }
}

impl Field for Buffer {
    fn visit_as<'m>(&'m self, name: &str, f: Visitor<'_, 'm>) {
        f(name, Member::Buffer(self));
    }
    fn visit_as_mut<'m>(&'m mut self, name: &str, f: VisitorMut<'_, 'm>) {
        f(name, MemberMut::Buffer(self));
    }
    fn visit_absent(name: &str, f: Visitor<'_, '_>) {
        f(name, Member::Empty(MemberKind::Buffer));
    }
    fn clone_with(&self, memo: &mut Memo) -> Result<Self> {
        memo.buffer(self)
    }
}

impl<T: Field> Field for Option<T> {
    fn visit_as<'m>(&'m self, name: &str, f: Visitor<'_, 'm>) {
        match self {
            Some(value) => value.visit_as(name, f),
            None => T::visit_absent(name, f),
        }
    }
    fn visit_as_mut<'m>(&'m mut self, name: &str, f: VisitorMut<'_, 'm>) {
        if let Some(value) = self {
            value.visit_as_mut(name, f);
        }
    }
    fn clone_with(&self, memo: &mut Memo) -> Result<Self> {
        self.as_ref().map(|value| value.clone_with(memo)).transpose()
    }
}

fn entry(prefix: &str, key: impl std::fmt::Display) -> String {
    if prefix.is_empty() { key.to_string() } else { format!("{prefix}.{key}") }
}

impl<T: Field> Field for Vec<T> {
    fn visit_as<'m>(&'m self, name: &str, f: Visitor<'_, 'm>) {
        self.iter().enumerate().for_each(|(i, value)| value.visit_as(&entry(name, i), f));
    }
    fn visit_as_mut<'m>(&'m mut self, name: &str, f: VisitorMut<'_, 'm>) {
        self.iter_mut().enumerate().for_each(|(i, value)| value.visit_as_mut(&entry(name, i), f));
    }
    fn clone_with(&self, memo: &mut Memo) -> Result<Self> {
        self.iter().map(|value| value.clone_with(memo)).collect()
    }
}
impl<T: Field> Flattened for Vec<T> {}

impl<T: Field, const N: usize> Field for [T; N] {
    fn visit_as<'m>(&'m self, name: &str, f: Visitor<'_, 'm>) {
        self.iter().enumerate().for_each(|(i, value)| value.visit_as(&entry(name, i), f));
    }
    fn visit_as_mut<'m>(&'m mut self, name: &str, f: VisitorMut<'_, 'm>) {
        self.iter_mut().enumerate().for_each(|(i, value)| value.visit_as_mut(&entry(name, i), f));
    }
    fn clone_with(&self, memo: &mut Memo) -> Result<Self> {
        let copies = self.iter().map(|value| value.clone_with(memo)).collect::<Result<Vec<T>>>()?;
        Ok(copies.try_into().unwrap_or_else(|_| unreachable!("as many copies as values")))
    }
}
impl<T: Field, const N: usize> Flattened for [T; N] {}

impl<T: Field> Field for IndexMap<String, T> {
    fn visit_as<'m>(&'m self, name: &str, f: Visitor<'_, 'm>) {
        self.iter().for_each(|(key, value)| value.visit_as(&entry(name, key), f));
    }
    fn visit_as_mut<'m>(&'m mut self, name: &str, f: VisitorMut<'_, 'm>) {
        self.iter_mut().for_each(|(key, value)| value.visit_as_mut(&entry(name, key), f));
    }
    fn clone_with(&self, memo: &mut Memo) -> Result<Self> {
        self.iter().map(|(key, value)| Ok((key.clone(), value.clone_with(memo)?))).collect()
    }
}
impl<T: Field> Flattened for IndexMap<String, T> {}

macro_rules! tuples {
    ($(($($t:ident $i:tt),+))*) => { $(
        impl<$($t: Field),+> Field for ($($t,)+) {
            fn visit_as<'m>(&'m self, name: &str, f: Visitor<'_, 'm>) {
                $(self.$i.visit_as(&entry(name, $i), f);)+
            }
            fn visit_as_mut<'m>(&'m mut self, name: &str, f: VisitorMut<'_, 'm>) {
                $(self.$i.visit_as_mut(&entry(name, $i), f);)+
            }
            fn clone_with(&self, memo: &mut Memo) -> Result<Self> {
                Ok(($(self.$i.clone_with(memo)?,)+))
            }
        }
        impl<$($t: Field),+> Flattened for ($($t,)+) {}
    )* };
}
tuples!(
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, G 5)
);

macro_rules! plain {
    ($($t:ty),* $(,)?) => { $(
        impl Field for $t {
            fn clone_with(&self, _: &mut Memo) -> Result<Self> {
                Ok(self.clone())
            }
        }
    )* };
}
plain!(
    bool,
    char,
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    f32,
    f64,
    (),
    String,
    &'static str,
    std::path::PathBuf,
    std::time::Duration,
    std::ops::Range<usize>,
    Device,
    DType,
    Dims,
);

impl<T: ?Sized + Send + Sync + 'static> Field for std::marker::PhantomData<T> {
    fn clone_with(&self, _: &mut Memo) -> Result<Self> {
        Ok(*self)
    }
}

macro_rules! functions {
    ($(($($t:ident),*))*) => { $(
        impl<R: 'static, $($t: 'static),*> Field for fn($($t),*) -> R {
            fn clone_with(&self, _: &mut Memo) -> Result<Self> {
                Ok(*self)
            }
        }
    )* };
}
functions!(()(A)(A, B)(A, B, C));
