//! The `where` clauses of generated impls.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{DeriveInput, Generics, Ident, Type, WherePredicate, parse_quote};

/// The type's generics, with every type parameter `Send + Sync + 'static` and `predicate` for every type that
/// names a type parameter.
///
/// A type that names the deriving type itself is left out: its bound would ask for what is being defined.
pub fn bounded<'a>(input: &DeriveInput, types: impl Iterator<Item = (&'a Type, TokenStream)>) -> Generics {
    let mut generics = input.generics.clone();
    let params: Vec<String> = input.generics.type_params().map(|p| p.ident.to_string()).collect();
    if params.is_empty() {
        return generics;
    }
    let own = [input.ident.to_string()];
    let predicates = &mut generics.make_where_clause().predicates;
    for (ty, bound) in types {
        let tokens = ty.to_token_stream();
        if mentions(tokens.clone(), &params) && !mentions(tokens, &own) {
            predicates.push(parse_quote!(#ty: #bound));
        }
    }
    for param in &params {
        let param = Ident::new(param, Span::call_site());
        let predicate: WherePredicate = parse_quote!(#param: ::core::marker::Send + ::core::marker::Sync + 'static);
        predicates.push(predicate);
    }
    generics
}

fn mentions(tokens: TokenStream, names: &[String]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => names.contains(&ident.to_string()),
        TokenTree::Group(group) => mentions(group.stream(), names),
        _ => false,
    })
}
