//! The derive macros of Firebrick.
//!
//! `#[derive(Module)]` makes one pass over the fields and writes the traversals (`visit_declared`, `visit_mut`,
//! `clone_with`) and the small accessors beside them. Names, printing, `state_dict`, conversions and everything
//! else are ordinary library code over those. `#[derive(Args)]` does the same for the inputs and outputs of
//! `forward`.
//!
//! Generated code names `::firebrick::__private`, which the facade re-exports and `firebrick-nn` provides.

mod args;
mod attributes;
mod bounds;
mod module_enum;
mod module_struct;
mod unlisted;

use proc_macro::TokenStream;
use syn::{Data, DeriveInput, Error, parse_macro_input};

/// Makes a type a node of the module tree.
///
/// On a struct: one field is the `Core`, every other field is registered by its type. `Parameter`s, `Buffer`s,
/// modules and containers of those are listed under the field's name; plain values are not listed.
/// On an enum: each variant holds one module, and the value *is* that module.
///
/// The derive also writes `Display` and `Debug`, which print the module as PyTorch does.
///
/// On the type:
/// - `#[module(custom)]`: you write `impl Custom` yourself (`extra_repr`, `version`, `migrate`);
/// - `#[module(name = "Text")]`: the printed name.
///
/// On a field:
/// - `#[module(skip)]`: not part of the module; needs `Clone`;
/// - `#[module(skip, default)]`: the same, but a copy of the module starts with `Default::default()`;
/// - `#[module(rename = "text")]`: listed under another name;
/// - `#[module(flatten)]`: a list or map whose entries are listed under their bare keys, as in `Sequential`.
#[proc_macro_derive(Module, attributes(module))]
pub fn derive_module(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let expanded = match &input.data {
        Data::Struct(data) => module_struct::expand(&input, &data.fields),
        Data::Enum(data) => module_enum::expand(&input, data),
        Data::Union(_) => Err(Error::new_spanned(
            &input.ident,
            "a union cannot be a module: its fields share memory, so none of them can be listed safely\n\
             - one of several modules?   use an `enum` with one module per variant\n\
             - all of them?              use a `struct`",
        )),
    };
    expanded.unwrap_or_else(Error::into_compile_error).into()
}

/// Lets a type be an input or output of `forward`: hooks and backward hooks then see the tensors inside it.
///
/// Every field must itself be an argument: a tensor, a number, a `bool`, or options, lists and tuples of those.
/// An input must also be `Clone`.
#[proc_macro_derive(Args)]
pub fn derive_args(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    args::expand(&input).unwrap_or_else(Error::into_compile_error).into()
}
