//! Changes of bytes, whatever they mean.

use crate::random::Random;

/// The longest piece that is moved or taken out.
const LONGEST: usize = 64;
/// The most bytes that repeating a piece adds.
const MOST_ADDED: usize = 1 << 20;

/// How often to repeat a piece of so many bytes: fewer than `most` times.
pub fn repeats(random: &mut Random, most: usize, bytes: usize) -> usize {
    random.below(most).min(MOST_ADDED / bytes.max(1))
}

/// Changes the bytes once. `other` is a file to take pieces of.
pub fn mutate(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    if bytes.is_empty() {
        bytes.push(random.bits() as u8);
        return;
    }
    let at = random.below(bytes.len());
    match random.below(10) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = random.bits() as u8,
        2 | 3 => write_number(random, bytes, at),
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(random.span(bytes.len(), LONGEST))),
        6 => {
            let new: Vec<u8> = (0..random.below(9)).map(|_| random.bits() as u8).collect();
            drop(bytes.splice(at..at, new));
        }
        7 => {
            let piece = bytes[random.span(bytes.len(), LONGEST)].to_vec();
            drop(bytes.splice(at..at, piece));
        }
        8 => {
            let piece = bytes[random.span(bytes.len(), LONGEST)].to_vec();
            let end = (at + piece.len()).min(bytes.len());
            drop(bytes.splice(at..end, piece));
        }
        _ => {
            let piece = other[random.span(other.len(), other.len())].to_vec();
            drop(bytes.splice(random.span(bytes.len(), LONGEST), piece));
        }
    }
}

/// Writes an interesting number of 1, 2, 4 or 8 bytes over what is there.
fn write_number(random: &mut Random, bytes: &mut [u8], at: usize) {
    let size = 1 << random.below(4);
    let number = random.interesting();
    let little = number.to_le_bytes();
    let big = number.to_be_bytes();
    let number = if random.one_in(4) { &big[8 - size..] } else { &little[..size] };
    bytes[at..].iter_mut().zip(number).for_each(|(byte, &new)| *byte = new);
}
