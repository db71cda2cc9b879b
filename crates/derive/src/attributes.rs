//! What `#[module(...)]` asks for, on a type and on a field.

use syn::{Attribute, DeriveInput, Field, LitStr, Result, meta::ParseNestedMeta};

/// `#[module(...)]` on one field.
#[derive(Default)]
pub struct FieldAttributes {
    pub skip: bool,
    pub default: bool,
    pub flatten: bool,
    pub rename: Option<String>,
}

/// `#[module(...)]` on the type.
#[derive(Default)]
pub struct TypeAttributes {
    pub custom: bool,
    pub name: Option<String>,
}

impl FieldAttributes {
    pub fn parse(field: &Field) -> Result<Self> {
        let mut out = Self::default();
        each_meta(&field.attrs, |meta| {
            if meta.path.is_ident("skip") {
                out.skip = true;
            } else if meta.path.is_ident("default") {
                out.default = true;
            } else if meta.path.is_ident("flatten") {
                out.flatten = true;
            } else if meta.path.is_ident("rename") {
                out.rename = Some(text(&meta)?);
            } else {
                return Err(meta.error(
                    "unknown option; on a field `#[module(...)]` takes `skip`, `skip, default`, `flatten` or `rename = \"...\"`",
                ));
            }
            Ok(())
        })?;
        if out.default && !out.skip {
            let message = "`default` goes with `skip`: write `#[module(skip, default)]`";
            return Err(syn::Error::new_spanned(field, message));
        }
        Ok(out)
    }
}

impl TypeAttributes {
    pub fn parse(input: &DeriveInput) -> Result<Self> {
        let mut out = Self::default();
        each_meta(&input.attrs, |meta| {
            if meta.path.is_ident("custom") {
                out.custom = true;
            } else if meta.path.is_ident("name") {
                out.name = Some(text(&meta)?);
            } else {
                return Err(meta.error("unknown option; on a type `#[module(...)]` takes `custom` or `name = \"...\"`"));
            }
            Ok(())
        })?;
        Ok(out)
    }
}

fn each_meta(attrs: &[Attribute], mut f: impl FnMut(ParseNestedMeta<'_>) -> Result<()>) -> Result<()> {
    attrs.iter().filter(|a| a.path().is_ident("module")).try_for_each(|a| a.parse_nested_meta(&mut f))
}

fn text(meta: &ParseNestedMeta<'_>) -> Result<String> {
    Ok(meta.value()?.parse::<LitStr>()?.value())
}
