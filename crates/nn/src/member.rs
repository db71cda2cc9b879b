//! `Member`: what a module holds under a name, and how it is shown to a visitor.

use crate::Module;
use firebrick_core::{Buffer, Parameter};

/// One thing a module holds under a name.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::Member;
/// let linear = nn::Linear::new(3, 2)?;
/// let mut names = Vec::new();
/// linear.visit(&mut |name, member| {
///     if let Member::Parameter(parameter) = member {
///         names.push(format!("{name} {:?}", parameter.size(0)));
///     }
/// });
/// assert_eq!(names, ["weight Ok(2)", "bias Ok(2)"]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Copy)]
pub enum Member<'m> {
    /// A trained tensor.
    Parameter(&'m Parameter),
    /// A tensor that is moved, and saved when persistent, but not trained.
    Buffer(&'m Buffer),
    /// A child.
    Module(&'m dyn Module),
    /// A registered name that holds nothing: PyTorch's `register_parameter(name, None)`.
    Empty(MemberKind),
}

/// What a name was registered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// A [`Parameter`].
    Parameter,
    /// A [`Buffer`].
    Buffer,
    /// A [`Module`].
    Module,
}

/// One place in a module, open to replacement.
pub enum MemberMut<'m> {
    /// A trained tensor.
    Parameter(&'m mut Parameter),
    /// A tensor that is not trained.
    Buffer(&'m mut Buffer),
    /// A child, as the place it sits in: a field, a `Box` or an `Arc`.
    Module(&'m mut dyn Module),
}

impl Member<'_> {
    /// What the name was registered for.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::MemberKind;
    /// let net = nn::Sequential::new().add(nn::ReLU::new());
    /// net.visit(&mut |_, member| assert_eq!(member.kind(), MemberKind::Module));
    /// ```
    pub fn kind(&self) -> MemberKind {
        match self {
            Member::Parameter(_) => MemberKind::Parameter,
            Member::Buffer(_) => MemberKind::Buffer,
            Member::Module(_) => MemberKind::Module,
            Member::Empty(kind) => *kind,
        }
    }
}

/// Receives each member with its name; [`Module::visit`](crate::Module::visit) shows one.
pub type Visitor<'f, 'm> = &'f mut dyn FnMut(&str, Member<'m>);
/// Receives each member with its name, open to change; [`Module::visit_mut`](crate::Module::visit_mut) shows one.
pub type VisitorMut<'f, 'm> = &'f mut dyn FnMut(&str, MemberMut<'m>);
