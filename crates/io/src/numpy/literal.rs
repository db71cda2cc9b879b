//! The header as Python writes a dictionary: texts, numbers, truth values and tuples of them.

use super::NumpyError;

/// Values within values; a header has two levels.
const DEPTH: usize = 8;

/// A value in a header.
#[derive(Debug, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Number(u64),
    Bool(bool),
    /// A tuple or a list.
    Sequence(Vec<Literal>),
    Dict(Vec<(String, Literal)>),
}

/// Reads `text`, which is one value.
pub(super) fn parse(text: &str) -> Result<Literal, NumpyError> {
    let mut rest = Parser { rest: text };
    let value = rest.value(DEPTH)?;
    rest.space();
    match rest.rest.is_empty() {
        true => Ok(value),
        false => rest.wrong("nothing more"),
    }
}

struct Parser<'t> {
    rest: &'t str,
}

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<Literal, NumpyError> {
        self.space();
        let inner = depth.checked_sub(1);
        match (self.rest.chars().next(), inner) {
            (Some('\'' | '"'), _) => self.text().map(Literal::Text),
            (Some('0'..='9'), _) => self.number(),
            (Some('T' | 'F'), _) if self.take("True") => Ok(Literal::Bool(true)),
            (Some('T' | 'F'), _) if self.take("False") => Ok(Literal::Bool(false)),
            (Some('('), Some(depth)) => self.sequence(')', depth),
            (Some('['), Some(depth)) => self.sequence(']', depth),
            (Some('{'), Some(depth)) => self.dict(depth),
            _ => self.wrong("a value"),
        }
    }

    fn sequence(&mut self, end: char, depth: usize) -> Result<Literal, NumpyError> {
        let mut values = Vec::new();
        self.rest = &self.rest[1..];
        while !self.ends(end) {
            values.push(self.value(depth)?);
            self.comma(end)?;
        }
        Ok(Literal::Sequence(values))
    }

    fn dict(&mut self, depth: usize) -> Result<Literal, NumpyError> {
        let mut pairs = Vec::new();
        self.rest = &self.rest[1..];
        while !self.ends('}') {
            let key = self.text()?;
            self.space();
            if !self.take(":") {
                return self.wrong("a colon");
            }
            pairs.push((key, self.value(depth)?));
            self.comma('}')?;
        }
        Ok(Literal::Dict(pairs))
    }

    /// Passes over the end of a sequence, if it is here.
    fn ends(&mut self, end: char) -> bool {
        self.space();
        let ends = self.rest.starts_with(end);
        if ends {
            self.rest = &self.rest[1..];
        }
        ends
    }

    /// A comma, unless the sequence ends here.
    fn comma(&mut self, end: char) -> Result<(), NumpyError> {
        self.space();
        if self.take(",") || self.rest.starts_with(end) { Ok(()) } else { self.wrong("a comma") }
    }

    /// A text without escapes: no dtype has any.
    fn text(&mut self) -> Result<String, NumpyError> {
        let quoted = self.rest.chars().next().filter(|&quote| quote == '\'' || quote == '"');
        let Some((text, rest)) = quoted.and_then(|quote| self.rest[1..].split_once(quote)) else {
            return self.wrong("a text in quotes");
        };
        if text.contains('\\') {
            return self.wrong("a text without escapes");
        }
        self.rest = rest;
        Ok(text.to_string())
    }

    fn number(&mut self) -> Result<Literal, NumpyError> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let Ok(number) = self.rest[..end].parse() else { return self.wrong("a number of at most 64 bits") };
        self.rest = &self.rest[end..];
        // Python 2 marked long integers so.
        self.take("L");
        Ok(Literal::Number(number))
    }

    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\t', '\r', '\x0c']);
    }

    fn wrong<T>(&self, expected: &str) -> Result<T, NumpyError> {
        let found: String = self.rest.chars().take(20).collect();
        Err(NumpyError::Header(format!("expected {expected}, found {found:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_numpy_writes_is_read() {
        let Ok(Literal::Dict(pairs)) = parse("{'a': \"<f4\", \"b\" : False,'c':(3,4L,), 'd': ( ), }  \n") else {
            unreachable!("it is a dictionary");
        };
        let sizes = Literal::Sequence(vec![Literal::Number(3), Literal::Number(4)]);
        let values = [Literal::Text("<f4".into()), Literal::Bool(false), sizes, Literal::Sequence(vec![])];
        assert!(pairs.into_iter().zip(["a", "b", "c", "d"]).all(|((key, _), name)| key == name));
        let Ok(Literal::Dict(pairs)) = parse("{'a': '<f4', 'b': False, 'c': (3, 4), 'd': ()}") else {
            unreachable!("it is a dictionary");
        };
        assert!(pairs.into_iter().map(|(_, value)| value).eq(values));
    }

    #[test]
    fn what_is_no_value_is_an_error() {
        let deep = "(".repeat(100_000);
        for text in
            ["", "{", "{'a'}", "{'a': }", "{'a' 1}", "(1 2)", "(1,,)", "'a", "'\\n'", "-1", "1 1", "None", &deep]
        {
            assert!(matches!(parse(text), Err(NumpyError::Header(_))), "{:?}", text.get(..10));
        }
        assert!(parse("99999999999999999999").is_err());
    }
}
