//! Which changes a file gets.

use crate::archive::{Record, put_together, take_apart};
use crate::corpus::{Kind, Sample};
use crate::random::Random;
use crate::{bytes, pickle, text};

/// A changed file: a sample changed one to five times, with pieces of another sample.
pub fn mutated(random: &mut Random, sample: &Sample, other: &Sample) -> Vec<u8> {
    let mut file = sample.bytes.clone();
    let mut times = 1;
    while times < 5 && random.one_in(2) {
        times += 1;
    }
    for _ in 0..times {
        if random.one_in(4) {
            bytes::mutate(random, &mut file, &other.bytes);
        } else {
            by_form(random, sample.kind, &mut file, &other.bytes);
        }
    }
    file
}

/// A change that knows the form of the file.
fn by_form(random: &mut Random, kind: Kind, file: &mut Vec<u8>, other: &[u8]) {
    match kind {
        Kind::Pt | Kind::Npz => match take_apart(file) {
            Some(records) if !records.is_empty() => *file = changed_archive(random, records, other),
            Some(_) => bytes::mutate(random, file, other),
            // What is no archive is pickles in a row.
            None => pickle::mutate(random, file, other),
        },
        Kind::Safetensors => header(random, file, 0, 8),
        Kind::Npy => header(random, file, 8, 2),
        Kind::Index => text::mutate(random, file),
    }
}

/// Changes a record, or which records there are.
fn changed_archive(random: &mut Random, mut records: Vec<Record>, other: &[u8]) -> Vec<u8> {
    let ends = |end: &'static [u8]| move |record: &Record| record.name.ends_with(end);
    let tree = records.iter().position(ends(b"data.pkl")).filter(|_| !random.one_in(4));
    let at = tree.unwrap_or_else(|| random.below(records.len()));
    let record = &mut records[at];
    match (tree, random.below(8)) {
        (Some(_), 0..7) => {
            let others = take_apart(other).and_then(|theirs| theirs.into_iter().find(ends(b"data.pkl")));
            pickle::mutate(random, &mut record.bytes, others.as_ref().map_or(other, |record| &record.bytes[..]));
            record.settle();
        }
        (Some(_), _) | (None, 0..2) => {
            bytes::mutate(random, &mut record.bytes, other);
            record.settle();
        }
        (None, 2..4) if record.name.ends_with(b".npy") => {
            header(random, &mut record.bytes, 8, 2);
            record.settle();
        }
        (None, 2) => bytes::mutate(random, &mut record.name, other),
        (None, 3) => record.size = random.interesting() as u32,
        (None, 4) => record.method = if random.one_in(2) { 8 } else { random.interesting() as u16 },
        (None, 5) => drop(records.remove(at)),
        (None, 6) => {
            let copy = record.clone();
            records.push(copy);
        }
        (None, _) => {
            let with = random.below(records.len());
            let (a, b) = (records[at].name.clone(), records[with].name.clone());
            (records[at].name, records[with].name) = (b, a);
        }
    }
    put_together(&records)
}

/// Changes the text whose length stands in `width` bytes from `at` on, and mostly the length with it.
fn header(random: &mut Random, file: &mut Vec<u8>, at: usize, width: usize) {
    let begin = at + width;
    let Some(length) = file.get(at..begin) else { return bytes::mutate(random, file, &[]) };
    let length = length.iter().rev().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
    let end =
        usize::try_from(length).ok().and_then(|length| begin.checked_add(length)).filter(|&end| end <= file.len());
    let Some(end) = end else { return bytes::mutate(random, file, &[]) };
    let mut text = file[begin..end].to_vec();
    text::mutate(random, &mut text);
    let length = if random.one_in(10) { random.interesting() } else { text.len() as u64 };
    drop(file.splice(begin..end, text));
    file[at..begin].copy_from_slice(&length.to_le_bytes()[..width]);
}
