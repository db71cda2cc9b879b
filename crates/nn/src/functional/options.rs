//! How the options of a function are written down.

/// A type of options: tensors that may be given, then numbers with their defaults. Each is a public field and a method.
macro_rules! options {
    (
        $(#[$doc:meta])*
        $name:ident [$($(#[$tensor_doc:meta])* $tensor:ident,)*] {
            $($(#[$value_doc:meta])* $value:ident: $type:ty = $default:expr,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'t> {
            $($(#[$tensor_doc])* pub $tensor: Option<&'t firebrick_core::Tensor>,)*
            $($(#[$value_doc])* pub $value: $type,)*
        }

        impl Default for $name<'_> {
            fn default() -> Self {
                $name { $($tensor: None,)* $($value: $default,)* }
            }
        }

        impl<'t> $name<'t> {
            /// PyTorch's defaults.
            pub fn new() -> Self {
                Self::default()
            }

            $(
                $(#[$tensor_doc])*
                pub fn $tensor(mut self, $tensor: &'t firebrick_core::Tensor) -> Self {
                    self.$tensor = Some($tensor);
                    self
                }
            )*

            $(
                $(#[$value_doc])*
                pub fn $value(mut self, $value: $type) -> Self {
                    self.$value = $value;
                    self
                }
            )*
        }
    };
}

pub(crate) use options;
