//! What in-place forms have in common: their documentation, and the method that a row of `ops!` makes.

/// Documentation of the in-place form `name` of the method `of`. Its example runs both with these arguments, on two
/// numbers or the ones given.
macro_rules! in_place_doc {
    ($name:ident of $of:ident ($($args:tt)*)) => {
        $crate::ops::in_place_doc!($name of $of ($($args)*) on [-0.5f32, 0.25])
    };
    ($name:ident of $of:ident ($($args:tt)*) on $x:tt) => {
        concat!(
            "In-place form of [`Tensor::", stringify!($of), "`](crate::Tensor::", stringify!($of), "): ",
            "the result takes the place of the elements, shape and dtype stay.\n\n",
            "# Errors\nThose of the other form; a result that shape or dtype do not hold; ",
            "a leaf that requires grad, outside `no_grad`.\n\n",
            "```\n# use firebrick_core::Tensor;\n",
            "let x = Tensor::new(", stringify!($x), ")?;\n",
            "let expected = x.", stringify!($of), "(", stringify!($($args)*), ")?;\n",
            "x.", stringify!($name), "(", stringify!($($args)*), ")?;\n",
            "assert_eq!(x.to_vec::<f64>()?, expected.to_vec::<f64>()?);\n",
            "# Ok::<_, firebrick_core::Error>(())\n```"
        )
    };
}

/// The in-place form of a row of `ops!`, where it has one.
macro_rules! in_place_method {
    ([] $($rest:tt)*) => {};
    (
        [$in_place:ident ($($example:tt)*) $(on $on:tt)?]
        $name:ident ($($x:ident: $kind:ident),*) ($($arg:ident: $aty:ty),*)
    ) => {
        #[doc = $crate::ops::in_place_doc!($in_place of $name ($($example)*) $(on $on)?)]
        #[track_caller]
        pub fn $in_place(
            &self $(, $x: $crate::ops::arg_type!($kind))* $(, $arg: impl Into<$aty>)*
        ) -> $crate::Result<&$crate::Tensor> {
            let _running = $crate::source::operation();
            $name(std::borrow::Cow::Borrowed(self) $(, $crate::ops::arg_value!($kind $x))* $(, $arg.into())*, Some(stringify!($in_place)))?;
            Ok(self)
        }
    };
}

macro_rules! in_place_name {
    () => {
        None
    };
    ($name:ident) => {
        Some(stringify!($name))
    };
}

pub(crate) use {in_place_doc, in_place_method, in_place_name};
