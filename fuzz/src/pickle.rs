//! Changes of pickles by operation, so that most of what follows is still read.

use crate::bytes::repeats;
use crate::random::Random;

/// The longest run of operations that is moved, and the most often one is repeated.
const LONGEST: usize = 12;
const REPEATS: usize = 3000;

/// What follows the byte of an operation.
#[derive(Clone, Copy)]
enum Argument {
    /// So many bytes.
    Bytes(usize),
    /// So many lines.
    Lines(usize),
    /// A length in so many bytes, and that many bytes.
    Counted(usize),
}

fn argument(opcode: u8) -> Argument {
    match opcode {
        b'K' | b'h' | b'q' | 0x80 | 0x82 => Argument::Bytes(1),
        b'M' | 0x83 => Argument::Bytes(2),
        b'J' | b'j' | b'r' | 0x84 => Argument::Bytes(4),
        b'G' | 0x95 => Argument::Bytes(8),
        b'F' | b'I' | b'L' | b'P' | b'S' | b'V' | b'g' | b'p' => Argument::Lines(1),
        b'c' | b'i' => Argument::Lines(2),
        b'U' | b'C' | 0x8a | 0x8c => Argument::Counted(1),
        b'T' | b'X' | b'B' | 0x8b => Argument::Counted(4),
        0x8d | 0x8e | 0x96 => Argument::Counted(8),
        _ => Argument::Bytes(0),
    }
}

/// The operations, each with its argument; what cannot be taken apart is the last one.
pub fn operations(mut pickle: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while let Some((&opcode, rest)) = pickle.split_first() {
        let length = match argument(opcode) {
            Argument::Bytes(bytes) => Some(bytes),
            Argument::Lines(lines) => {
                let mut ends = rest.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
                ends.nth(lines - 1).map(|(end, _)| end + 1)
            }
            Argument::Counted(bytes) => rest.get(..bytes).and_then(|count| {
                let count = count.iter().rev().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
                usize::try_from(count).ok()?.checked_add(bytes)
            }),
        };
        let (operation, left) =
            length.and_then(|length| pickle.split_at_checked(length.saturating_add(1))).unwrap_or((pickle, &[]));
        found.push(operation.to_vec());
        pickle = left;
    }
    found
}

/// Changes the pickle once; `other` is one to take operations of.
pub fn mutate(random: &mut Random, pickle: &mut Vec<u8>, other: &[u8]) {
    let mut all = operations(pickle);
    if all.is_empty() {
        *pickle = new_operation(random);
        return;
    }
    let at = random.below(all.len());
    match random.below(10) {
        0 => drop(all.drain(random.span(all.len(), LONGEST))),
        1 => {
            let run = all[random.span(all.len(), LONGEST)].to_vec();
            drop(all.splice(at..at, run));
        }
        2 => {
            let with = random.below(all.len());
            all.swap(at, with);
        }
        3 => all[at] = new_operation(random),
        4 => all.insert(at, new_operation(random)),
        5 | 6 => change_argument(random, &mut all),
        7 => {
            let theirs = operations(other);
            let run = theirs[random.span(theirs.len(), LONGEST)].to_vec();
            drop(all.splice(at..at, run));
        }
        8 => {
            let run = all[random.span(all.len(), 4)].to_vec();
            let times = repeats(random, REPEATS, run.iter().map(Vec::len).sum());
            drop(all.splice(at..at, std::iter::repeat_n(run, times).flatten()));
        }
        _ => {
            let with = random.below(all.len());
            all[at] = all[with].clone();
        }
    }
    *pickle = all.concat();
}

/// Any operation with any argument of its form.
fn new_operation(random: &mut Random) -> Vec<u8> {
    const OPCODES: &[u8] = b"(.0N2JKMQRUXabc}ehj]qrst)uG\x80\x81\x85\x86\x87\x88\x89\x8a\x8f";
    let opcode = if random.one_in(5) { random.bits() as u8 } else { random.pick(OPCODES).copied().unwrap_or(b'N') };
    let mut operation = vec![opcode];
    match argument(opcode) {
        Argument::Bytes(bytes) => operation.extend(&random.interesting().to_le_bytes()[..bytes]),
        Argument::Lines(lines) => {
            const LINES: [&str; 8] = [
                "torch\n",
                "torch._utils\n",
                "_rebuild_tensor_v2\n",
                "OrderedDict\n",
                "collections\n",
                "1\n",
                "-7L\n",
                "\n",
            ];
            (0..lines).for_each(|_| operation.extend(random.pick(&LINES).copied().unwrap_or("\n").as_bytes()));
        }
        Argument::Counted(bytes) => {
            let text: Vec<u8> = (0..random.below(12)).map(|_| b'a' + random.below(26) as u8).collect();
            let count = if random.one_in(4) { random.interesting() } else { text.len() as u64 };
            operation.extend(&count.to_le_bytes()[..bytes]);
            operation.extend(text);
        }
    }
    operation
}

/// Gives one operation that has an argument another one.
fn change_argument(random: &mut Random, all: &mut [Vec<u8>]) {
    let with: Vec<usize> = (0..all.len()).filter(|&i| all[i].len() > 1).collect();
    let Some(&at) = random.pick(&with) else { return };
    let operation = &mut all[at];
    match argument(operation[0]) {
        Argument::Bytes(bytes) if operation.len() == bytes + 1 => {
            operation[1..].copy_from_slice(&random.interesting().to_le_bytes()[..bytes]);
        }
        Argument::Counted(bytes) if operation.len() > bytes => {
            let mut text = operation.split_off(bytes + 1);
            crate::bytes::mutate(random, &mut text, b"torch.FloatStorage cpu weight 0 1 data");
            operation.truncate(1);
            operation.extend(&(text.len() as u64).to_le_bytes()[..bytes]);
            operation.extend(text);
        }
        _ => {
            let place = 1 + random.below(operation.len() - 1);
            operation[place] = random.bits() as u8;
        }
    }
}
