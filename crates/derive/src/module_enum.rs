//! `#[derive(Module)]` on an enum: `enum Norm { Layer(LayerNorm), Batch(BatchNorm1d) }`.
//!
//! The value *is* its variant's module: it has that module's core, members, name and printed form.

use crate::attributes::TypeAttributes;
use crate::module_struct::{common_methods, printing};
use crate::{bounds, unlisted};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{DataEnum, DeriveInput, Error, Fields, Ident, Result, Type};

pub fn expand(input: &DeriveInput, data: &DataEnum) -> Result<TokenStream> {
    let attributes = TypeAttributes::parse(input)?;
    if attributes.custom || attributes.name.is_some() {
        return Err(Error::new_spanned(
            &input.ident,
            "an enum prints as the module it holds; put `#[module(...)]` on that module's type",
        ));
    }
    if data.variants.is_empty() {
        return Err(Error::new_spanned(&input.ident, "a module enum needs at least one variant"));
    }
    let variants =
        data.variants.iter().map(|v| Ok((&v.ident, held_module(v)?))).collect::<Result<Vec<(&Ident, &Type)>>>()?;
    Ok(items(input, &variants))
}

fn held_module(variant: &syn::Variant) -> Result<&Type> {
    match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            let field = &fields.unnamed[0];
            unlisted::problem(field).map_or(Ok(&field.ty), Err)
        }
        Fields::Unit => Err(Error::new_spanned(
            variant,
            format!(
                "each variant of a module enum holds exactly one module, as in `Relu(ReLU)`;\n\
                 for \"nothing\", hold the module that does nothing: `{}(Identity)`",
                variant.ident
            ),
        )),
        other => Err(Error::new_spanned(
            other,
            "each variant of a module enum holds exactly one module, as in `Relu(ReLU)`;\n\
             to hold several, put them into a struct that derives `Module`",
        )),
    }
}

fn items(input: &DeriveInput, variants: &[(&Ident, &Type)]) -> TokenStream {
    let ident = &input.ident;
    let bound = quote!(::firebrick::__private::Module);
    let generics = bounds::bounded(input, variants.iter().map(|(_, ty)| (*ty, bound.clone())));
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let arms: Vec<&Ident> = variants.iter().map(|(ident, _)| *ident).collect();
    let module =
        |call: TokenStream| quote!(match self { #(Self::#arms(__m) => ::firebrick::__private::Module::#call,)* });
    let (core, core_mut) = (module(quote!(core(__m))), module(quote!(core_mut(__m))));
    let (type_name, attributes) = (module(quote!(type_name(__m))), module(quote!(attributes(__m))));
    let (as_dyn, as_dyn_mut) = (module(quote!(as_dyn(__m))), module(quote!(as_dyn_mut(__m))));
    let visit = module(quote!(visit_declared(__m, __f)));
    let visit_mut = module(quote!(visit_mut(__m, __f)));
    let custom = custom(&arms, &quote!(#impl_generics), &quote!(#ident #ty_generics), &where_clause.to_token_stream());
    let printing = printing(&quote!(#impl_generics), &quote!(#ident #ty_generics), &where_clause.to_token_stream());
    let common = common_methods();
    quote! {
        #[automatically_derived]
        impl #impl_generics ::firebrick::__private::Module for #ident #ty_generics #where_clause {
            fn core(&self) -> &::firebrick::__private::Core { #core }
            fn core_mut(&mut self) -> ::core::option::Option<&mut ::firebrick::__private::Core> { #core_mut }
            fn type_name(&self) -> &'static str { #type_name }
            fn attributes(&self) -> &'static [&'static str] { #attributes }
            fn delegates(&self) -> bool { true }
            fn as_dyn(&self) -> &dyn ::firebrick::__private::Module { #as_dyn }
            fn as_dyn_mut(&mut self) -> ::core::option::Option<&mut dyn ::firebrick::__private::Module> { #as_dyn_mut }
            fn visit_declared<'m>(&'m self, __f: ::firebrick::__private::Visitor<'_, 'm>) { #visit }
            fn visit_mut<'m>(&'m mut self, __f: ::firebrick::__private::VisitorMut<'_, 'm>) { #visit_mut }
            #common
        }
        #custom
        #[automatically_derived]
        impl #impl_generics ::firebrick::__private::Field for #ident #ty_generics #where_clause {
            fn visit_as<'m>(&'m self, __name: &str, __f: ::firebrick::__private::Visitor<'_, 'm>) {
                __f(__name, ::firebrick::__private::Member::Module(::firebrick::__private::Module::as_dyn(self)));
            }
            fn visit_as_mut<'m>(&'m mut self, __name: &str, __f: ::firebrick::__private::VisitorMut<'_, 'm>) {
                __f(__name, ::firebrick::__private::MemberMut::Module(self));
            }
            fn clone_with(&self, __memo: &mut ::firebrick::__private::Memo) -> ::firebrick::__private::Result<Self> {
                ::core::result::Result::Ok(match self {
                    #(Self::#arms(__m) => Self::#arms(::firebrick::__private::Field::clone_with(__m, __memo)?),)*
                })
            }
        }
        #printing
    }
}

/// `Custom`: everything as the module that is held does it.
fn custom(arms: &[&Ident], impl_generics: &TokenStream, this: &TokenStream, where_clause: &TokenStream) -> TokenStream {
    let each =
        |call: TokenStream| quote!(match self { #(Self::#arms(__m) => ::firebrick::__private::Custom::#call,)* });
    let extra_repr = each(quote!(extra_repr(__m)));
    let repr = each(quote!(repr(__m)));
    let version = each(quote!(version(__m)));
    let migrate = each(quote!(migrate(__m, __state, __prefix, __version)));
    let (get_extra, set_extra) = (each(quote!(get_extra_state(__m))), each(quote!(set_extra_state(__m, __state))));
    quote! {
        #[automatically_derived]
        impl #impl_generics ::firebrick::__private::Custom for #this #where_clause {
            fn extra_repr(&self) -> ::std::string::String { #extra_repr }
            fn repr(&self) -> ::core::option::Option<::std::string::String> { #repr }
            fn version(&self) -> i64 { #version }
            fn migrate(
                &self,
                __state: &mut ::firebrick::__private::StateDict,
                __prefix: &str,
                __version: ::core::option::Option<i64>,
            ) -> ::firebrick::__private::Result<()> { #migrate }
            fn get_extra_state(&self) -> ::core::option::Option<::firebrick::__private::Tensor> { #get_extra }
            fn set_extra_state(
                &self,
                __state: &::firebrick::__private::Tensor,
            ) -> ::firebrick::__private::Result<()> { #set_extra }
        }
    }
}
