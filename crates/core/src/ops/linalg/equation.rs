//! The equations of Einstein's summation.

use crate::{Error, Result};

/// The operation that its errors name.
pub(super) const OP: &str = "einsum";

/// One subscript: a letter, upper case before lower case, or the place of the dimensions that have none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Letter(u8),
    Ellipsis,
}

pub(super) fn fail<T>(text: String) -> Result<T> {
    Err(Error::runtime(OP, format!("einsum(): {text}")))
}

/// An equation, read.
pub(super) struct Equation {
    /// The labels of each operand.
    pub inputs: Vec<Vec<Label>>,
    /// `None`: everything that appears once, in the order of the alphabet.
    output: Option<Vec<Label>>,
}

impl Equation {
    /// Reads an equation for this number of operands.
    pub fn parse(equation: &str, operands: usize) -> Result<Equation> {
        let bytes = equation.as_bytes();
        let arrow = equation.find("->");
        let mut inputs = vec![Vec::new()];
        let mut at = 0;
        while at < arrow.unwrap_or(bytes.len()) {
            let operand = inputs.len() - 1;
            match bytes[at] {
                b' ' => {}
                b',' if inputs.len() == operands => {
                    return fail("fewer operands were provided than specified in the equation".to_owned());
                }
                b',' => inputs.push(Vec::new()),
                b'.' => {
                    if inputs[operand].contains(&Label::Ellipsis) {
                        return fail(format!(
                            "found '.' for operand {operand} for which an ellipsis was already found"
                        ));
                    }
                    if !bytes[..arrow.unwrap_or(bytes.len())][at..].starts_with(b"...") {
                        return fail(format!("found '.' for operand {operand} that is not part of any ellipsis"));
                    }
                    inputs[operand].push(Label::Ellipsis);
                    at += 2;
                }
                letter => inputs[operand].push(Label::Letter(checked(letter, at)?)),
            }
            at += 1;
        }
        if inputs.len() < operands {
            return fail("more operands were provided than specified in the equation".to_owned());
        }
        let output = arrow.map(|arrow| Equation::parse_output(bytes, arrow + 2, &inputs)).transpose()?;
        Ok(Equation { inputs, output })
    }

    fn parse_output(bytes: &[u8], from: usize, inputs: &[Vec<Label>]) -> Result<Vec<Label>> {
        let mut output = Vec::new();
        let mut at = from;
        while at < bytes.len() {
            match bytes[at] {
                b' ' => {}
                b'.' => {
                    if output.contains(&Label::Ellipsis) {
                        return fail("found '.' for output but an ellipsis (...) was already found".to_owned());
                    }
                    if !bytes[at..].starts_with(b"...") {
                        return fail("found '.' for output that is not part of any ellipsis (...)".to_owned());
                    }
                    output.push(Label::Ellipsis);
                    at += 2;
                }
                letter => {
                    let label = Label::Letter(checked(letter, at)?);
                    let shown = char::from(letter);
                    if output.contains(&label) {
                        return fail(format!("output subscript {shown} appears more than once in the output"));
                    }
                    if !inputs.iter().any(|labels| labels.contains(&label)) {
                        return fail(format!(
                            "output subscript {shown} does not appear in the equation for any input operand"
                        ));
                    }
                    output.push(label);
                }
            }
            at += 1;
        }
        Ok(output)
    }

    /// The labels of the result.
    pub fn output(&self) -> Vec<Label> {
        self.output.clone().unwrap_or_else(|| {
            let all = || self.inputs.iter().flatten();
            let mut letters: Vec<u8> =
                all().filter_map(|&l| if let Label::Letter(x) = l { Some(x) } else { None }).collect();
            letters.sort_unstable();
            let once = letters.iter().filter(|x| letters.iter().filter(|y| y == x).count() == 1);
            std::iter::once(Label::Ellipsis).chain(once.map(|&x| Label::Letter(x))).collect()
        })
    }
}

fn checked(letter: u8, at: usize) -> Result<u8> {
    match letter.is_ascii_alphabetic() {
        true => Ok(letter),
        false => fail(format!(
            "invalid subscript given at index {at} in the equation string, subscripts must be in [a-zA-Z]"
        )),
    }
}

/// A number in place of a letter, as text; `None` is the ellipsis.
pub(super) fn subscript(number: Option<i64>) -> Result<String> {
    Ok(match number {
        None => "...".to_owned(),
        Some(n @ 0..26) => char::from(b'A' + n as u8).to_string(),
        Some(n @ 26..52) => char::from(b'a' + (n - 26) as u8).to_string(),
        Some(_) => {
            return Err(Error::value(
                OP,
                "einsum(): subscript in subscript list is not within the valid range [0, 52)",
            ));
        }
    })
}
