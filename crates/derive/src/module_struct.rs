//! `#[derive(Module)]` on a struct.

use crate::attributes::{FieldAttributes, TypeAttributes};
use crate::{bounds, unlisted};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{DeriveInput, Error, Field, Fields, Index, Member, Result, Type, spanned::Spanned};

/// One field other than the `Core`.
struct Entry<'a> {
    member: Member,
    ty: &'a Type,
    attributes: FieldAttributes,
    name: String,
    /// Holds what a module cannot list, an error already.
    unlisted: bool,
}

/// The fields sorted out, with every problem found on the way.
struct Layout<'a> {
    core: Option<Member>,
    entries: Vec<Entry<'a>>,
    names: Vec<String>,
    problems: Vec<Error>,
}

pub fn expand(input: &DeriveInput, fields: &Fields) -> Result<TokenStream> {
    let attributes = TypeAttributes::parse(input)?;
    let mut layout = Layout::read(fields)?;
    if layout.core.is_none() {
        layout.problems.push(missing_core(input));
    }
    // The impls are written even beside an error, so that the mistake is reported once and not again
    // wherever the type is used.
    let problems = layout.problems.iter().map(Error::to_compile_error);
    let items = items(input, &attributes, &layout);
    Ok(quote! {
        #(#problems)*
        #items
    })
}

impl<'a> Layout<'a> {
    fn read(fields: &'a Fields) -> Result<Self> {
        let mut layout = Layout { core: None, entries: Vec::new(), names: Vec::new(), problems: Vec::new() };
        for (i, field) in fields.iter().enumerate() {
            let (member, name) = match &field.ident {
                Some(ident) => (Member::Named(ident.clone()), ident.to_string().trim_start_matches("r#").to_owned()),
                None => (Member::Unnamed(Index::from(i)), i.to_string()),
            };
            let attributes = FieldAttributes::parse(field)?;
            let name = attributes.rename.clone().unwrap_or(name);
            layout.names.push(name.clone());
            if unlisted::last_name(&field.ty).is_some_and(|s| s == "Core") {
                layout.take_core(field, member);
            } else {
                layout.take_entry(field, Entry { member, ty: &field.ty, attributes, name, unlisted: false });
            }
        }
        Ok(layout)
    }

    fn take_core(&mut self, field: &Field, member: Member) {
        if self.core.is_some() {
            self.problems.push(Error::new_spanned(
                field,
                "a module has exactly one `Core`: it holds the train/eval flag and the hooks; remove this one",
            ));
        } else {
            self.core = Some(member);
        }
    }

    fn take_entry(&mut self, field: &Field, mut entry: Entry<'a>) {
        let problem = if entry.attributes.skip { None } else { unlisted::problem(field) };
        entry.unlisted = problem.is_some();
        self.problems.extend(problem);
        self.entries.push(entry);
    }
}

fn missing_core(input: &DeriveInput) -> Error {
    let name = &input.ident;
    Error::new_spanned(
        name,
        format!(
            "a module carries its state (train/eval flag, hooks) in one field of type `Core`:\n\
             add the field `core: Core` to `{name}` and write `core: Core::new()` where you build it\n\
             (this is PyTorch's `super().__init__()`)"
        ),
    )
}

impl Entry<'_> {
    fn visited(&self) -> bool {
        !self.attributes.skip && !self.unlisted
    }

    /// The field's name with the span of its type. With every token of a field's calls placed there, rustc sees
    /// equal errors for an unfit field and prints one.
    fn at_type(&self) -> Member {
        match &self.member {
            Member::Named(ident) => {
                let mut ident = ident.clone();
                ident.set_span(ident.span().located_at(self.ty.span()));
                Member::Named(ident)
            }
            Member::Unnamed(index) => Member::Unnamed(Index { index: index.index, span: self.ty.span() }),
        }
    }

    fn visit(&self) -> TokenStream {
        let (member, name, flatten) = (self.at_type(), self.listed_name(), self.check_flatten());
        quote_spanned!(self.ty.span()=> #flatten ::firebrick::__private::Field::visit_as(&self.#member, #name, __f);)
    }

    fn visit_mut(&self) -> TokenStream {
        let (member, name) = (self.at_type(), self.listed_name());
        quote_spanned!(self.ty.span()=> ::firebrick::__private::Field::visit_as_mut(&mut self.#member, #name, __f);)
    }

    fn clone_with(&self) -> TokenStream {
        let (member, source) = (&self.member, self.at_type());
        let value = if self.attributes.default {
            quote_spanned!(self.ty.span()=> ::core::default::Default::default())
        } else if self.visited() {
            quote_spanned!(self.ty.span()=> ::firebrick::__private::Field::clone_with(&self.#source, __memo)?)
        } else {
            quote_spanned!(self.ty.span()=> ::firebrick::__private::skip_needs_clone_else_default(&self.#source))
        };
        quote_spanned!(self.ty.span()=> #member: #value,)
    }

    /// A flattened field lists its entries under the empty prefix.
    fn listed_name(&self) -> &str {
        if self.attributes.flatten { "" } else { &self.name }
    }

    fn check_flatten(&self) -> Option<TokenStream> {
        let ty = self.ty;
        self.attributes.flatten.then(|| quote_spanned!(ty.span()=> ::firebrick::__private::require_flatten::<#ty>();))
    }

    fn bound(&self) -> TokenStream {
        if self.attributes.default {
            quote!(::core::default::Default + ::core::marker::Send + ::core::marker::Sync + 'static)
        } else if self.attributes.flatten && self.visited() {
            quote!(::firebrick::__private::Flattened)
        } else if self.visited() {
            quote!(::firebrick::__private::Field)
        } else if self.unlisted {
            quote!(::core::marker::Send + ::core::marker::Sync + 'static)
        } else {
            quote!(::core::clone::Clone + ::core::marker::Send + ::core::marker::Sync + 'static)
        }
    }
}

/// The accessors of the `Core`. Where the field is missing (an error is out already) they cannot be reached.
struct CoreAccess {
    shared: TokenStream,
    exclusive: TokenStream,
    visit_mut: TokenStream,
    clone: TokenStream,
}

impl CoreAccess {
    fn new(core: Option<&Member>) -> Self {
        match core {
            Some(core) => CoreAccess {
                shared: quote!(&self.#core),
                exclusive: quote!(::core::option::Option::Some(&mut self.#core)),
                visit_mut: quote!(::firebrick::__private::Core::visit_mut(&mut self.#core, __f);),
                clone: quote!(#core: ::firebrick::__private::Core::clone_with(&self.#core, __memo)?,),
            },
            None => CoreAccess {
                shared: quote!(::core::unreachable!()),
                exclusive: quote!(::core::option::Option::None),
                visit_mut: TokenStream::new(),
                clone: TokenStream::new(),
            },
        }
    }
}

fn items(input: &DeriveInput, attributes: &TypeAttributes, layout: &Layout<'_>) -> TokenStream {
    let ident = &input.ident;
    let type_name = attributes.name.clone().unwrap_or_else(|| ident.to_string());
    let generics = bounds::bounded(input, layout.entries.iter().map(|e| (e.ty, e.bound())));
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let names = &layout.names;
    let core = CoreAccess::new(layout.core.as_ref());
    let CoreAccess { shared, exclusive, visit_mut: core_visit_mut, clone: core_clone } = core;
    let visits = layout.entries.iter().filter(|e| e.visited()).map(Entry::visit);
    let visits_mut = layout.entries.iter().filter(|e| e.visited()).map(Entry::visit_mut);
    let clones = layout.entries.iter().map(Entry::clone_with);
    let copy = if layout.problems.is_empty() {
        quote!(::core::result::Result::Ok(Self { #(#clones)* #core_clone }))
    } else {
        quote!(::core::unreachable!()) // the program does not compile
    };
    let custom = (!attributes.custom)
        .then(|| quote!(impl #impl_generics ::firebrick::__private::Custom for #ident #ty_generics #where_clause {}));
    let printing = printing(&quote!(#impl_generics), &quote!(#ident #ty_generics), &where_clause.to_token_stream());
    let common = common_methods();
    quote! {
        #[automatically_derived]
        impl #impl_generics ::firebrick::__private::Module for #ident #ty_generics #where_clause {
            fn core(&self) -> &::firebrick::__private::Core { #shared }
            fn core_mut(&mut self) -> ::core::option::Option<&mut ::firebrick::__private::Core> { #exclusive }
            fn type_name(&self) -> &'static str { #type_name }
            fn attributes(&self) -> &'static [&'static str] { &[#(#names),*] }
            fn as_dyn(&self) -> &dyn ::firebrick::__private::Module { self }
            fn as_dyn_mut(&mut self) -> ::core::option::Option<&mut dyn ::firebrick::__private::Module> {
                ::core::option::Option::Some(self)
            }
            fn visit_declared<'m>(&'m self, __f: ::firebrick::__private::Visitor<'_, 'm>) {
                let _ = &__f;
                #(#visits)*
            }
            fn visit_mut<'m>(&'m mut self, __f: ::firebrick::__private::VisitorMut<'_, 'm>) {
                let _ = &__f;
                #(#visits_mut)*
                #core_visit_mut
            }
            #common
        }
        #[automatically_derived]
        impl #impl_generics ::firebrick::__private::Field for #ident #ty_generics #where_clause {
            fn visit_as<'m>(&'m self, __name: &str, __f: ::firebrick::__private::Visitor<'_, 'm>) {
                __f(__name, ::firebrick::__private::Member::Module(self));
            }
            fn visit_as_mut<'m>(&'m mut self, __name: &str, __f: ::firebrick::__private::VisitorMut<'_, 'm>) {
                __f(__name, ::firebrick::__private::MemberMut::Module(self));
            }
            fn clone_with(&self, __memo: &mut ::firebrick::__private::Memo) -> ::firebrick::__private::Result<Self> {
                let _ = &__memo;
                #copy
            }
        }
        #custom
        #printing
    }
}

/// The methods of `Module` that read the same for every type.
pub fn common_methods() -> TokenStream {
    quote! {
        fn clone_dyn(
            &self,
            __memo: &mut ::firebrick::__private::Memo,
        ) -> ::firebrick::__private::Result<::std::boxed::Box<dyn ::firebrick::__private::Module>> {
            ::core::result::Result::Ok(::std::boxed::Box::new(::firebrick::__private::Field::clone_with(self, __memo)?))
        }
        fn replace(
            &mut self,
            __new: ::std::boxed::Box<dyn ::core::any::Any>,
        ) -> ::core::result::Result<(), ::std::boxed::Box<dyn ::core::any::Any>> {
            ::firebrick::__private::replace(self, __new)
        }
    }
}

/// `Display` and `Debug`: the module as PyTorch prints it.
pub fn printing(impl_generics: &TokenStream, this: &TokenStream, where_clause: &TokenStream) -> TokenStream {
    let one = |name: TokenStream| {
        quote! {
            #[automatically_derived]
            impl #impl_generics ::core::fmt::#name for #this #where_clause {
                fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    __f.write_str(&::firebrick::__private::repr(::firebrick::__private::Module::as_dyn(self)))
                }
            }
        }
    };
    let (display, debug) = (one(quote!(Display)), one(quote!(Debug)));
    quote!(#display #debug)
}
