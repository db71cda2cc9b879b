//! `#[derive(Args)]`: the tensors inside a struct or enum, field by field.

use crate::bounds;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, Error, Field, Fields, Ident, Result, spanned::Spanned};

pub fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let shapes: Vec<(TokenStream, &Fields)> = match &input.data {
        Data::Struct(data) => vec![(quote!(Self), &data.fields)],
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|v| {
                let name = &v.ident;
                (quote!(Self::#name), &v.fields)
            })
            .collect(),
        Data::Union(_) => return Err(Error::new_spanned(&input.ident, "a union cannot be an argument of `forward`")),
    };
    let types =
        shapes.iter().flat_map(|(_, fields)| fields.iter().map(|f| (&f.ty, quote!(::firebrick::__private::Args))));
    let generics = bounds::bounded(input, types);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let ident = &input.ident;
    let each = |method: &str| {
        arms(&shapes, &|field, name| {
            let method = Ident::new(method, place(field));
            quote_spanned!(field.ty.span()=> ::firebrick::__private::Args::#method(#name, __f);)
        })
    };
    let (visit, visit_mut) = (each("visit_tensors"), each("visit_tensors_mut"));
    let listed = |convert: &str| {
        arms(&shapes, &|field, name| match &field.ident {
            Some(ident) => {
                let convert = Ident::new(convert, place(field));
                let key = ident.to_string().trim_start_matches("r#").to_owned();
                quote_spanned!(field.ty.span()=> __f(#key, ::firebrick::__private::Args::#convert(#name));)
            }
            None => quote!(let _ = #name;),
        })
    };
    let (keywords, keywords_mut) = (listed("as_args"), listed("as_args_mut"));
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::firebrick::__private::Args for #ident #ty_generics #where_clause {
            fn visit_tensors(&self, __f: &mut dyn ::core::ops::FnMut(&::firebrick::__private::Tensor)) {
                let _ = &__f;
                match self { #visit }
            }
            fn visit_tensors_mut(&mut self, __f: &mut dyn ::core::ops::FnMut(&mut ::firebrick::__private::Tensor)) {
                let _ = &__f;
                match self { #visit_mut }
            }
            fn visit_keywords(
                &self,
                __f: &mut dyn ::core::ops::FnMut(&'static str, &dyn ::firebrick::__private::Args),
            ) {
                let _ = &__f;
                match self { #keywords }
            }
            fn visit_keywords_mut(
                &mut self,
                __f: &mut dyn ::core::ops::FnMut(&'static str, &mut dyn ::firebrick::__private::Args),
            ) {
                let _ = &__f;
                match self { #keywords_mut }
            }
        }
        #[automatically_derived]
        impl #impl_generics ::firebrick::__private::IntoArgs<#ident #ty_generics> for #ident #ty_generics #where_clause {
            fn into_args(self) -> Self { self }
        }
    })
}

/// Where the tokens about a field stand: with all of them at its type, rustc sees equal errors for an unfit field and
/// prints one.
fn place(field: &Field) -> Span {
    Span::call_site().located_at(field.ty.span())
}

/// One match arm a shape: binds every field and does with it what `statement` says.
fn arms(shapes: &[(TokenStream, &Fields)], statement: &dyn Fn(&Field, &Ident) -> TokenStream) -> TokenStream {
    shapes
        .iter()
        .map(|(path, fields)| {
            let name = |(i, field): (usize, &Field)| Ident::new(&format!("__field{i}"), place(field));
            let names: Vec<Ident> = fields.iter().enumerate().map(name).collect();
            let pattern = match fields {
                Fields::Named(named) => {
                    let idents = named.named.iter().map(|f| &f.ident);
                    quote!(#path { #(#idents: #names),* })
                }
                Fields::Unnamed(_) => quote!(#path(#(#names),*)),
                Fields::Unit => path.clone(),
            };
            let statements = fields.iter().zip(&names).map(|(field, name)| statement(field, name));
            quote!(#pattern => { #(#statements)* })
        })
        .collect()
}
