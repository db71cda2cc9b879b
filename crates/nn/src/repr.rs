//! The printed form of a module: PyTorch's `repr`, character by character.

use crate::{Member, MemberKind, Module};

/// The text that `Display` and `Debug` print.
pub fn repr(module: &dyn Module) -> String {
    if let Some(text) = module.repr() {
        return text;
    }
    let extra = module.extra_repr();
    let children = children(module);
    let name = module.display_name();
    if children.is_empty() && !extra.contains('\n') {
        return format!("{name}({extra})");
    }
    let extra = extra.split('\n').filter(|_| !extra.is_empty()).map(str::to_owned);
    block(&name, extra.chain(children.into_iter().map(Entry::line)))
}

/// `Name(` and one indented entry per line, as `ModuleList` prints: equal neighbours are counted.
pub(crate) fn grouped(name: &str, texts: Vec<String>) -> String {
    let mut runs: Vec<(usize, usize, String)> = Vec::new();
    for (i, text) in texts.into_iter().enumerate() {
        match runs.last_mut() {
            Some((_, end, last)) if *last == text => *end = i,
            _ => runs.push((i, i, text)),
        }
    }
    let line = |(start, end, text): (usize, usize, String)| {
        indent(&match end - start {
            0 => format!("({start}): {text}"),
            more => format!("({start}-{end}): {} x {text}", more + 1),
        })
    };
    block(name, runs.into_iter().map(line))
}

fn block(name: &str, lines: impl Iterator<Item = String>) -> String {
    let body: String = lines.map(|line| format!("\n  {line}")).collect();
    if body.is_empty() { format!("{name}()") } else { format!("{name}({body}\n)") }
}

/// Indents every line but the first; blank lines stay empty.
fn indent(text: &str) -> String {
    let mut lines = text.split('\n');
    let mut out = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        out.push('\n');
        if !line.trim().is_empty() {
            out.push_str("  ");
            out.push_str(line);
        }
    }
    out
}

/// A child, or the list or map of children that a plain container field holds.
struct Entry {
    key: String,
    content: Content,
}

enum Content {
    Text(String),
    Many(Vec<Entry>),
}

impl Entry {
    fn line(self) -> String {
        let key = self.key;
        indent(&format!("({key}): {}", self.content.text()))
    }
}

impl Content {
    /// A `Vec` field prints as the `ModuleList` it stands for, a map as a `ModuleDict`.
    fn text(self) -> String {
        match self {
            Content::Text(text) => text,
            Content::Many(entries) => {
                let is_list = entries.iter().enumerate().all(|(i, entry)| entry.key == i.to_string());
                if is_list {
                    grouped("ModuleList", entries.into_iter().map(|entry| entry.content.text()).collect())
                } else {
                    block("ModuleDict", entries.into_iter().map(Entry::line))
                }
            }
        }
    }
}

fn children(module: &dyn Module) -> Vec<Entry> {
    let mut entries = Vec::new();
    module.visit(&mut |name, member| match member {
        Member::Module(child) => insert(&mut entries, name, repr(child)),
        Member::Empty(MemberKind::Module) => insert(&mut entries, name, "None".to_owned()),
        _ => {}
    });
    entries
}

/// Puts `text` under a dotted name: `layers.0` is entry `0` of `layers`.
fn insert(entries: &mut Vec<Entry>, name: &str, text: String) {
    let Some((key, rest)) = name.split_once('.') else {
        entries.push(Entry { key: name.to_owned(), content: Content::Text(text) });
        return;
    };
    if let Some(Entry { content: Content::Many(inner), .. }) = entries.iter_mut().find(|entry| entry.key == key) {
        insert(inner, rest, text);
        return;
    }
    let mut inner = Vec::new();
    insert(&mut inner, rest, text);
    entries.push(Entry { key: key.to_owned(), content: Content::Many(inner) });
}
