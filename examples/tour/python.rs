//! Lists and tuples as Python prints them.

use firebrick::text::Repr;

/// `['a', 'b']`.
pub fn list<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.as_ref().repr()).collect();
    format!("[{}]", items.join(", "))
}

/// `(2, 3)`, and `(2,)` for a single size.
pub fn tuple(sizes: &[usize]) -> String {
    firebrick::text::python_tuple(sizes)
}

/// The names of pairs of names and something.
pub fn names<T>(pairs: Vec<(String, T)>) -> String {
    list(pairs.into_iter().map(|(name, _)| name))
}

/// `True` or `False`.
pub fn truth(on: bool) -> String {
    on.repr()
}
