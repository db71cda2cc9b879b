//! Changes of texts such as JSON and Python's literals, which leave most of their grammar as it is.

use crate::bytes::repeats;
use crate::random::Random;

/// Pieces that are put between others.
const PIECES: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ":",
    ",",
    "\"",
    "'",
    "\\",
    "null",
    "true",
    "None",
    "True",
    "-1",
    "1e999",
    "0.5",
    "\"F32\"",
    "'<f8'",
    "\"data_offsets\"",
    "\"../x\"",
    "\u{0}",
    "\u{1f525}",
];

/// Changes the text once, by tokens.
pub fn mutate(random: &mut Random, text: &mut Vec<u8>) {
    let mut tokens = tokens(text);
    if tokens.is_empty() {
        text.extend(random.pick(&PIECES).copied().unwrap_or_default().as_bytes());
        return;
    }
    let at = random.below(tokens.len());
    match random.below(7) {
        0 | 1 => {
            let numbers: Vec<usize> = (0..tokens.len()).filter(|&i| tokens[i][0].is_ascii_digit()).collect();
            if let Some(&number) = random.pick(&numbers) {
                tokens[number] = random.interesting().to_string().into_bytes();
            }
        }
        2 => drop(tokens.remove(at)),
        3 => tokens.insert(at, tokens[random.below(tokens.len())].clone()),
        4 => tokens.insert(at, random.pick(&PIECES).copied().unwrap_or_default().as_bytes().to_vec()),
        5 => tokens[at] = tokens[random.below(tokens.len())].clone(),
        _ => {
            let token = tokens[at].clone();
            let times = repeats(random, 2000, token.len());
            drop(tokens.splice(at..at, std::iter::repeat_n(token, times)));
        }
    }
    *text = tokens.concat();
}

/// Words, numbers, and every other character by itself.
fn tokens(text: &[u8]) -> Vec<Vec<u8>> {
    let kind = |byte: u8| match byte {
        b'0'..=b'9' => 1,
        b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'.' | 0x80.. => 2,
        _ => 0,
    };
    let together = |a: &u8, b: &u8| kind(*a) != 0 && kind(*a) == kind(*b);
    text.chunk_by(together).map(<[u8]>::to_vec).collect()
}
