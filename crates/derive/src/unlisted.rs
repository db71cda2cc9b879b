//! Fields that a module cannot list: a bare tensor, the mistake that PyTorch lets pass in silence, and a closure.

use syn::{Error, Field, GenericArgument, PathArguments, Type, TypeParamBound};

/// The error for a field whose written type shows that it cannot be listed, placed under that type.
pub fn problem(field: &Field) -> Option<Error> {
    if holds_bare_tensor(&field.ty) {
        Some(bare_tensor(field))
    } else if holds_closure(&field.ty) {
        Some(closure(field))
    } else {
        None
    }
}

fn field_name(field: &Field) -> String {
    field.ident.as_ref().map_or("this field".to_owned(), |i| format!("`{i}`"))
}

fn closure(field: &Field) -> Error {
    let name = field_name(field);
    Error::new_spanned(
        &field.ty,
        format!(
            "{name} holds a closure, in which a module cannot look for parameters:\n\
             - a function without state?   use a pointer such as `fn(f64) -> f64`\n\
             - anything else?              share it and mark it: `#[module(skip)] f: Arc<dyn Fn(f64) -> f64 + Send + Sync>`"
        ),
    )
}

/// The error for a field whose written type mentions `Tensor`.
fn bare_tensor(field: &Field) -> Error {
    let name = field_name(field);
    Error::new_spanned(
        &field.ty,
        format!(
            "{name} holds a bare `Tensor`, which a module would silently forget to train, move and save:\n\
             - trained by the optimizer?             use `Parameter`\n\
             - saved and moved, but not trained?     use `Buffer`\n\
             - neither (a cache, a constant)?        mark it `#[module(skip)]`"
        ),
    )
}

/// Does the written type mention `Tensor` as a value it holds, as in `Option<Vec<Tensor>>`?
/// Function signatures, trait objects and `PhantomData` hold none.
fn holds_bare_tensor(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else { return false };
            match &last.arguments {
                _ if last.ident == "Tensor" => true,
                _ if last.ident == "PhantomData" => false,
                PathArguments::AngleBracketed(arguments) => {
                    arguments.args.iter().any(|a| matches!(a, GenericArgument::Type(t) if holds_bare_tensor(t)))
                }
                _ => false,
            }
        }
        Type::Tuple(tuple) => tuple.elems.iter().any(holds_bare_tensor),
        Type::Array(array) => holds_bare_tensor(&array.elem),
        Type::Slice(slice) => holds_bare_tensor(&slice.elem),
        Type::Reference(reference) => holds_bare_tensor(&reference.elem),
        Type::Paren(paren) => holds_bare_tensor(&paren.elem),
        Type::Group(group) => holds_bare_tensor(&group.elem),
        _ => false,
    }
}

/// Is the written type a boxed or shared closure, or a container of such?
fn holds_closure(ty: &Type) -> bool {
    match ty {
        Type::TraitObject(object) => object.bounds.iter().any(|bound| match bound {
            TypeParamBound::Trait(bound) => {
                let last = bound.path.segments.last();
                last.is_some_and(|s| ["Fn", "FnMut", "FnOnce"].iter().any(|name| s.ident == name))
            }
            _ => false,
        }),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| match &last.arguments {
            PathArguments::AngleBracketed(arguments) => {
                arguments.args.iter().any(|a| matches!(a, GenericArgument::Type(t) if holds_closure(t)))
            }
            _ => false,
        }),
        Type::Paren(paren) => holds_closure(&paren.elem),
        Type::Group(group) => holds_closure(&group.elem),
        _ => false,
    }
}

/// The last name of a type path, such as `Core` of `nn::Core`.
pub fn last_name(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|s| s.ident.to_string()),
        Type::Paren(paren) => last_name(&paren.elem),
        Type::Group(group) => last_name(&group.elem),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::holds_bare_tensor;

    #[test]
    fn finds_a_tensor_wherever_a_value_is_held() {
        for held in [
            "Tensor",
            "firebrick::Tensor",
            "Option<Tensor>",
            "Vec<(usize, Tensor)>",
            "IndexMap<String, Vec<Option<Tensor>>>",
            "[Tensor; 3]",
            "&'static Tensor",
            "(Tensor)",
        ] {
            let ty = syn::parse_str(held).expect(held);
            assert!(holds_bare_tensor(&ty), "{held}");
        }
    }

    #[test]
    fn passes_types_that_hold_none() {
        for free in [
            "Parameter",
            "fn(Tensor) -> Tensor",
            "Box<dyn Forward<(Tensor, Tensor), Tensor>>",
            "Arc<dyn Fn(&Tensor) -> Tensor + Send + Sync>",
            "PhantomData<Tensor>",
            "TensorShape",
        ] {
            let ty = syn::parse_str(free).expect(free);
            assert!(!holds_bare_tensor(&ty), "{free}");
        }
    }
}
