//! How the options of a function are written down.

/// A type of options: tensors that may be given, then values with their defaults. Each is a public field and a method, whose
/// argument is of the field's type, or of the one that follows `as`, and whose documentation adds the default.
macro_rules! options {
    ($(#[$doc:meta])* $name:ident [$($tensors:tt)+] { $($values:tt)* }) => {
        $crate::options::options!(@type $(#[$doc])* $name<'t> [$($tensors)+] { $($values)* });
    };
    ($(#[$doc:meta])* $name:ident { $($values:tt)* }) => {
        $crate::options::options!(@type $(#[$doc])* $name<> [] { $($values)* });
    };
    (
        @type $(#[$doc:meta])*
        $name:ident<$($life:lifetime)?> [$($(#[$tensor_doc:meta])* $tensor:ident,)*] {
            $($(#[$value_doc:meta])* $value:ident: $type:ty $(as $argument:ty)? = $default:expr,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<$($life)?> {
            $($(#[$tensor_doc])* pub $tensor: Option<&'t firebrick_core::Tensor>,)*
            $($(#[$value_doc])* pub $value: $type,)*
        }

        impl<$($life)?> Default for $name<$($life)?> {
            fn default() -> Self {
                $name { $($tensor: None,)* $($value: $default,)* }
            }
        }

        impl<$($life)?> $name<$($life)?> {
            /// PyTorch's defaults.
            pub fn new() -> Self {
                Self::default()
            }

            $(
                $(#[$tensor_doc])*
                ///
                /// `None` unless set.
                pub fn $tensor(mut self, $tensor: &'t firebrick_core::Tensor) -> Self {
                    self.$tensor = Some($tensor);
                    self
                }
            )*

            $(
                $crate::options::options! {
                    @method $(#[$value_doc])*
                    ///
                    #[doc = concat!("`", stringify!($default), "` unless set.")]
                    $value: $type $(as $argument)?
                }
            )*
        }
    };
    (@method $(#[$doc:meta])* $value:ident: $type:ty) => {
        $(#[$doc])*
        pub fn $value(mut self, $value: $type) -> Self {
            self.$value = $value;
            self
        }
    };
    (@method $(#[$doc:meta])* $value:ident: $type:ty as $argument:ty) => {
        $(#[$doc])*
        pub fn $value(mut self, $value: $argument) -> Self {
            self.$value = $value.into();
            self
        }
    };
}

pub(crate) use options;
