//! `#[derive(Args)]`: the tensors inside a struct or enum, field by field.

use crate::bounds;
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
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
        let method = format_ident!("{method}");
        arms(
            &shapes,
            &|field, name| quote_spanned!(field.ty.span()=> ::firebrick::__private::Args::#method(#name, __f);),
        )
    };
    let (visit, visit_mut) = (each("visit_tensors"), each("visit_tensors_mut"));
    let keywords = arms(&shapes, &|field, name| match &field.ident {
        Some(ident) => {
            let key = ident.to_string().trim_start_matches("r#").to_owned();
            quote_spanned!(field.ty.span()=> __f(#key, #name);)
        }
        None => quote!(let _ = #name;),
    });
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
                match self { #keywords }
            }
        }
        #[automatically_derived]
        impl #impl_generics ::firebrick::__private::IntoArgs<#ident #ty_generics> for #ident #ty_generics #where_clause {
            fn into_args(self) -> Self { self }
        }
    })
}

/// One match arm a shape: binds every field and does with it what `statement` says.
fn arms(shapes: &[(TokenStream, &Fields)], statement: &dyn Fn(&Field, &Ident) -> TokenStream) -> TokenStream {
    shapes
        .iter()
        .map(|(path, fields)| {
            let names: Vec<Ident> = (0..fields.len()).map(|i| format_ident!("__field{i}")).collect();
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
