//! What is called on a file, and how much memory it may take.

use crate::corpus::Kind;
use firebrick_core::{Device, Result};
use firebrick_io::LoadOptions;
use firebrick_io::numpy::{load_npy, load_npz};
use firebrick_io::pytorch::{File, load_tensors, to_bytes};
use firebrick_io::safetensors::Reader as Safetensors;
use std::path::Path;

/// One of the readers.
pub struct Reader {
    /// What it is called, by `--readers` too.
    pub name: &'static str,
    /// The files it is given.
    pub kind: Kind,
    /// Reads everything that the file holds. An error is a refusal.
    pub read: fn(&Path) -> Result<()>,
    /// What must hold beside that; panics if it does not.
    pub check: fn(&Path),
    /// Bytes of memory that any file may take.
    pub base: usize,
    /// Bytes of memory that a file may take for each byte it has.
    pub per_byte: usize,
}

impl Reader {
    /// Bytes of memory that reading a file of so many bytes may take.
    pub fn memory(&self, file: usize) -> usize {
        self.per_byte.saturating_mul(file).saturating_add(self.base)
    }
}

const MIB: usize = 1 << 20;
/// The most that deflate makes of one byte.
const INFLATED: usize = 1032;

/// All readers.
pub static READERS: [Reader; 5] = [
    // Values take up to 256 bytes for one of the file and 16 MiB, and the same again while they are put together.
    Reader { name: "pt", kind: Kind::Pt, read: pt, check: pt_again, base: 40 * MIB, per_byte: 2 * INFLATED + 512 },
    Reader { name: "safetensors", kind: Kind::Safetensors, read: safetensors, check: nothing, base: MIB, per_byte: 64 },
    Reader { name: "sharded", kind: Kind::Index, read: safetensors, check: nothing, base: MIB, per_byte: 64 },
    Reader { name: "npy", kind: Kind::Npy, read: npy, check: nothing, base: MIB, per_byte: 16 },
    Reader { name: "npz", kind: Kind::Npz, read: npz, check: nothing, base: MIB, per_byte: 16 * INFLATED },
];

fn nothing(_: &Path) {}

fn open_pt(path: &Path) -> Result<File> {
    let options = LoadOptions::new().map_location(Device::Cpu);
    File::open_with(path, &options).or_else(|_| File::open_with(path, &options.verify(false)))
}

fn pt(path: &Path) -> Result<()> {
    let file = open_pt(path)?;
    let object = file.object();
    for (_, array) in object.arrays() {
        // One tensor that is damaged leaves the others.
        let _ = array.tensor();
        let _ = array.storage().with_bytes(<[u8]>::len);
    }
    let _ = (object.state_dict(), object.to_value());
    file.read()
}

/// What can be read and written can be read again, and parts can be read.
fn pt_again(path: &Path) {
    for mapped in [true, false] {
        let _ = load_tensors(path, &LoadOptions::new().exclude("*bias").rename_prefix("m", "").mmap(mapped));
    }
    let Ok(bytes) = open_pt(path).and_then(|file| to_bytes(file.into_object())) else { return };
    if let Err(error) = File::from_bytes(bytes, &LoadOptions::new()) {
        panic!("a file that was read and written is refused: {error:#}");
    }
}

fn safetensors(path: &Path) -> Result<()> {
    let file = Safetensors::open(path)?;
    for mapped in [true, false] {
        for tensor in file.load(&LoadOptions::new().mmap(mapped))?.values() {
            tensor.sum()?;
        }
    }
    Ok(())
}

fn npz(path: &Path) -> Result<()> {
    load_npz(path)?.values().try_for_each(|array| array.sum().map(drop))
}

fn npy(path: &Path) -> Result<()> {
    load_npy(path)?.sum().map(drop)
}
