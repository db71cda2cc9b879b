//! Every public method of `Tensor` that returns tensors is a row of the operation table, or listed here as one that has
//! no gradient to check.
#![allow(clippy::unwrap_used)]

use firebrick_core::ops::table;
use std::collections::BTreeSet;
use std::path::Path;
use syn::{ImplItem, Item, ReturnType, Visibility};

/// Methods without a gradient of their own, by the reason.
const WITHOUT_GRADIENT: [(&str, &[&str]); 5] = [
    ("gives indices, truth values or other integers", &INTEGERS),
    ("has a gradient that PyTorch does not define", &UNDEFINED),
    ("makes a new tensor that does not depend on the elements of this one", &NEW),
    ("draws random numbers, or fills with a number", &FILLS),
    ("is about history itself", &HISTORY),
];

const INTEGERS: [&str; 14] = [
    "argsort",
    "argwhere",
    "bucketize",
    "count_nonzero",
    "count_nonzero_dim",
    "isclose",
    "isin",
    "isreal",
    "nonzero",
    "nonzero_static",
    "nonzero_tuple",
    "one_hot",
    "searchsorted",
    "unravel_index",
];
const UNDEFINED: [&str; 7] =
    ["bincount", "histc", "histogram", "scatter_with", "scatter_with_", "unique", "unique_consecutive"];
const NEW: [&str; 10] = [
    "form",
    "full_like",
    "new_full",
    "new_ones",
    "new_zeros",
    "ones_like",
    "rand_like",
    "randint_like",
    "randn_like",
    "zeros_like",
];
const FILLS: [&str; 14] = [
    "bernoulli",
    "bernoulli_",
    "bernoulli_each_",
    "cauchy_",
    "exponential_",
    "fill_",
    "geometric_",
    "log_normal_",
    "multinomial",
    "normal_",
    "random_",
    "random_from_",
    "uniform_",
    "zero_",
];
const HISTORY: [&str; 7] =
    ["deep_copy", "detach", "detach_", "grad", "register_hook", "register_post_accumulate_grad_hook", "requires_grad_"];

/// Public methods of `impl Tensor` blocks, outside macros, that return a tensor.
fn methods(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            methods(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let file = syn::parse_file(&std::fs::read_to_string(&path).unwrap()).unwrap();
            for item in &file.items {
                let Item::Impl(block) = item else { continue };
                if block.trait_.is_some() || type_text(&block.self_ty) != "Tensor" {
                    continue;
                }
                for item in &block.items {
                    let ImplItem::Fn(method) = item else { continue };
                    let ReturnType::Type(_, output) = &method.sig.output else { continue };
                    let takes_self = method.sig.receiver().is_some();
                    if matches!(method.vis, Visibility::Public(_)) && takes_self && type_text(output).contains("Tensor")
                    {
                        found.insert(method.sig.ident.to_string());
                    }
                }
            }
        }
    }
}

fn type_text(ty: &syn::Type) -> String {
    use quote::ToTokens;
    ty.to_token_stream().to_string().replace(' ', "")
}

#[test]
fn every_differentiable_method_is_a_row() {
    let mut found = BTreeSet::new();
    methods(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 20, "the sources were not found");
    let rows: BTreeSet<&str> = table().iter().flat_map(|row| [Some(row.name), row.in_place]).flatten().collect();
    let listed: BTreeSet<&str> = WITHOUT_GRADIENT.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let missing: Vec<&String> =
        found.iter().filter(|name| !rows.contains(name.as_str()) && !listed.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "no row and no reason: {missing:?}");
    let stale: Vec<&&str> = listed.iter().filter(|name| !found.contains(**name)).collect();
    assert!(stale.is_empty(), "listed, but gone: {stale:?}");
}
