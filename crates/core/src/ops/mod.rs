//! Operations, each written in one place: documentation, forward, what is saved, one gradient formula per input, and
//! the samples that the gradient checks run it on.
//!
//! # Writing a row
//! ```text
//! /// Documentation of the method.
//! fn mul(a, b: operand) -> Tensor as "MulBackward0" {      // `as`: what grad_fn prints
//!     kernel: Binary::Mul,                                   // or `forward: <expression of type Result<Tensor>>`
//!     saves: [a if b, b if a],                               // `x if y`: only when y wants a gradient; `-> y`: the result,
//!                                                            // `also [i]`: further results
//!     notes: [turned: is_turned(&b)],                        // optional: what the formulas know of inputs that are not saved
//!     grads: { a: |g| g.mul(b), b: |g| g.mul(a) },           // broadcasting and promotion are undone by the engine
//!     in_place: mul_(10),                                    // optional, with the arguments of its example; `mul_(10) on [1, 2]`:
//!                                                            // the example's tensor; `as "Name"` where grad_fn differs
//!     samples: sample::pairs(|a, b| a.mul(b)),
//! }
//! ```
//! `as "PowBackward1" or "PowBackward0"` gives a second name for the case that an operand is a number.
//! Inputs after the first are an `operand` (tensor or number), a `tensor`, or `optional` (`Option<&Tensor>`); arguments
//! follow a semicolon with their types and are taken as `impl Into<type>`. In `forward` and `grads` an input is a
//! `&Tensor` (or `Option<&Tensor>`), an argument a reference to its value.
//! Gradients are made of public differentiable operations, so that `create_graph` works by leaving recording on.
//! They are written for real numbers; of complex results they get the conjugate and give it (see `complex`).
//!
//! Methods that are differentiable by what they call are rows of `composed!`: the same without `saves` and `grads`.
//! Methods written out by hand (views, indexing, lists of tensors) are listed in a `by_hand!` table.

mod attention;
mod calculus;
pub(crate) mod complex;
mod conv;
mod copy;
pub(crate) mod devices;
pub(crate) mod elementwise;
mod in_place;
mod index;
pub mod linalg;
mod loss;
mod norm;
mod optimizer;
mod order;
mod random;
pub(crate) mod record;
pub(crate) mod record_all;
mod recurrent;
mod reduce;
mod resample;
#[doc(hidden)]
pub mod sample;
mod shape;
mod softmax;
mod table;

pub(crate) mod rows {
    pub(crate) use super::elementwise::*;
}

pub use attention::AttentionOptions;
pub use calculus::Spacing;
pub(crate) use complex::admit;
pub use conv::{AvgPoolOptions, ConvOptions, ConvTransposeOptions, FoldOptions, Padding, PoolOptions};
pub use index::{BagMode, BagOptions, Ellipsis, IndexItem, IntoIndex, NewAxis, Slice};
pub use loss::{Lengths, Reduction};
#[doc(hidden)]
pub use optimizer::optimizer_step;
pub use order::{Bins, Unique};
pub use recurrent::RecurrentWeights;
pub use resample::{GridMode, GridPadding, InterpolateMode, InterpolateOptions};
#[doc(hidden)]
pub use table::{Kind, Row, table};

/// Rows of operations with gradients of their own; see the module's page.
macro_rules! ops {
    (table: $table:ident; $(
        $(#[$doc:meta])*
        fn $name:ident($x0:ident $(, $x:ident: $kind:ident)* $(; $($arg:ident: $aty:ty),+)?) -> $ret:ty
            as $grad_fn:literal $(or $number_fn:literal)? {
            $how:ident: $forward:expr,
            saves: [$($s:ident $(if $($cond:ident)|+)?),* $(,)?] $(-> $r:ident)? $(also [$($extra:ident),+])?,
            $(notes: [$($note:ident: $noted:expr),+],)?
            grads: { $($gx:ident: |$g:pat_param| $gexpr:expr),+ $(,)? },
            $(in_place: $in_place:ident $(($($example:tt)*))? $(on $on:tt)? $(as $in_place_fn:literal)?,)?
            samples: $samples:expr $(,)?
        }
    )*) => {
        impl $crate::Tensor { $(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self $(, $x: $crate::ops::arg_type!($kind))* $($(, $arg: impl Into<$aty>)+)?) -> $crate::Result<$ret> {
                let _running = $crate::source::operation();
                $name(std::borrow::Cow::Borrowed(self) $(, $crate::ops::arg_value!($kind $x))* $($(, $arg.into())+)?, None)
            }
            $crate::ops::in_place_method! { [$($in_place ($($($example)*)?) $(on $on)?)?] $name ($($x: $kind),*) ($($($arg: $aty),+)?) }
        )* }

        $(
            #[allow(unused_variables, unused_mut, clippy::redundant_locals, clippy::too_many_arguments)]
            pub(crate) fn $name(
                $x0: std::borrow::Cow<'_, $crate::Tensor> $(, $x: $crate::ops::input_type!($kind))* $($(, $arg: $aty)+)?,
                in_place: Option<&'static str>,
            ) -> $crate::Result<$ret> {
                #[allow(unused_imports)]
                use $crate::ops::record::{Primary, Slot, Unpacked};
                const OP: &str = stringify!($name);
                let _exact = in_place.and_then(|_| $crate::amp::Suspended::begin());
                let $x0 = Slot::resolved($x0, OP)?;
                $(let $x = Slot::resolved($x, OP)?;)*
                let recording = $crate::autograd::is_recording() && ($x0.requires_grad() $(|| $x.wants_grad())*);
                // What an in-place operation saves of its target is the value from before.
                let mut original = None;
                let mut edges = $crate::ops::record::Edges::new();
                if recording {
                    edges.push($x0.edge());
                    $(edges.push($x.edge());)*
                    if in_place.is_some() && [$(stringify!($s)),*].contains(&stringify!($x0)) {
                        original = Some(std::borrow::Cow::Owned($x0.copy()?));
                    }
                }
                $($(let $arg = &$arg;)+)?
                let __out: $ret = {
                    let owned = [$x0.is_owned() $(, $x.is_owned())*];
                    let target = in_place.map(|op| (op, &*$x0));
                    let $x0 = &*$x0;
                    $(let $x = $x.slot();)*
                    $crate::ops::compute!($how $forward, OP, [$x0 $(, $x)*], owned, target)?
                };
                if recording && __out.primary().is_differentiable() {
                    let grad_fn = $crate::ops::record::Name {
                        usual: $grad_fn,
                        with_number: $crate::ops::first!($($number_fn)?),
                        in_place: $crate::ops::first!($($($in_place_fn)?)?),
                    }
                    .choose(false $(|| $x.is_number())*, in_place.is_some());
                    let $x0 = original.unwrap_or($x0);
                    let keeps_nothing =
                        $crate::ops::record::is_empty(&[$(stringify!($s),)* $(stringify!($r),)? $($(stringify!($extra),)+)?]);
                    $($(let $note = $noted;)+)?
                    $(let $s = {
                        let wanted = true $(&& (false $(|| $cond.wants_grad())+))?;
                        $s.saved(wanted)?
                    };)*
                    $(let $r = $crate::autograd::Saved::output(__out.primary(), 0)?;)?
                    $(let [$($extra),+] = __out.others().map(|t| $crate::ops::record::saved(t, true)); $(let $extra = $extra?;)+)?
                    $($(let $arg = $arg.clone();)+)?
                    let function = $crate::autograd::Function::new(move |node, grads, needs| {
                        let Some(__grad) = &grads[0] else {
                            return Ok($crate::autograd::Grads::from_elem(None, needs.len()));
                        };
                        $(let $s = $s.unpack(node)?;)*
                        $(let $r = &$r.unpack(node)?;)?
                        $($(let $extra = &$extra.unpack(node)?;)+)?
                        $(let $s = $s.slot();)*
                        $($(let $arg = &$arg;)+)?
                        let mut needs = needs.iter();
                        let mut __result = $crate::autograd::Grads::new();
                        $(__result.push(match needs.next() {
                            Some(true) => {
                                let $g = __grad;
                                let grad: $crate::Result<$crate::Tensor> = $gexpr;
                                Some(grad?)
                            }
                            _ => None,
                        });)+
                        Ok(__result)
                    });
                    $crate::ops::record::attach_formula(__out.primary(), grad_fn, edges, keeps_nothing, function, in_place);
                }
                Ok(__out)
            }
        )*

        /// The rows of this family.
        pub(crate) const $table: &[$crate::ops::Row] = &[$($crate::ops::Row {
            name: stringify!($name),
            kind: $crate::ops::Kind::Recorded($grad_fn),
            in_place: $crate::ops::in_place_name!($($in_place)?),
            samples: || $samples,
        }),*];
    };
}

/// Rows of methods that are differentiable by what they call; see the module's page.
macro_rules! composed {
    (table: $table:ident; $(
        $(#[$doc:meta])*
        fn $name:ident(&$x0:ident $(, $arg:ident: $aty:ty)* $(,)?) -> $ret:ty $body:block
        samples: $samples:expr;
    )*) => {
        impl $crate::Tensor { $(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self $(, $arg: $aty)*) -> $crate::Result<$ret> {
                let _running = $crate::source::operation();
                let $x0 = self;
                $body
            }
        )* }

        /// The composed rows of this family.
        pub(crate) const $table: &[$crate::ops::Row] = &[$($crate::ops::Row {
            name: stringify!($name),
            kind: $crate::ops::Kind::Composed,
            in_place: None,
            samples: || $samples,
        }),*];
    };
}

/// Rows of methods that are written out by hand: name, `as` what `grad_fn` prints where they record themselves,
/// `in` their in-place form, and samples.
macro_rules! by_hand {
    (table: $table:ident; $($name:ident $(as $grad_fn:literal)? $(in $in_place:ident)?: $samples:expr;)*) => {
        /// The rows of this family.
        pub(crate) const $table: &[$crate::ops::Row] = &[$($crate::ops::Row {
            name: stringify!($name),
            kind: $crate::ops::by_hand!(@kind $($grad_fn)?),
            in_place: $crate::ops::in_place_name!($($in_place)?),
            samples: || $samples,
        }),*];
    };
    (@kind $grad_fn:literal) => { $crate::ops::Kind::Recorded($grad_fn) };
    (@kind) => { $crate::ops::Kind::Composed };
}

macro_rules! arg_type {
    (operand) => { impl $crate::Operand };
    (tensor) => { &$crate::Tensor };
    (optional) => { Option<&$crate::Tensor> };
}

macro_rules! input_type {
    (optional) => { Option<std::borrow::Cow<'_, $crate::Tensor>> };
    ($kind:ident) => { std::borrow::Cow<'_, $crate::Tensor> };
}

macro_rules! arg_value {
    (operand $x:ident) => {
        $crate::Operand::into_input($x)?
    };
    (tensor $x:ident) => {
        std::borrow::Cow::Borrowed($x)
    };
    (optional $x:ident) => {
        $x.map(std::borrow::Cow::Borrowed)
    };
}

macro_rules! compute {
    (kernel $kernel:expr, $op:ident, [$($x:ident),+], $owned:ident, $target:ident) => {
        $crate::ops::elementwise::run_reusing($op, $kernel.into(), &[$($x),+], &$owned, $target)
    };
    (forward $forward:expr, $op:ident, [$($x:ident),+], $owned:ident, $target:ident) => {
        $crate::ops::record::into_target($forward, $target)
    };
}

macro_rules! first {
    () => {
        None
    };
    ($name:literal) => {
        Some($name)
    };
}

pub(crate) use in_place::{in_place_doc, in_place_method, in_place_name};
pub(crate) use {arg_type, arg_value, by_hand, composed, compute, first, input_type, ops};
