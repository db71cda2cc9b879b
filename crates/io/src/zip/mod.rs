//! Zip archives: which records there are, where, and their bytes. PyTorch's files and NumPy's `.npz` are such archives.
//!
//! Each structure is described once, for reading and for writing: [`fields`] are its numbers, an [`entry`] is what headers say of
//! a record, the [`end`] says where the directory is. Archives may be of any size. In what the programs differ that write
//! archives is a [`Style`].
//!
//! Records may be stored or deflated. Reading believes nothing: a record's size is compared with the bytes that are there before
//! memory is taken for it, and records that share bytes or a name are refused.

mod end;
mod entry;
mod fields;
mod read;
mod record;
mod style;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use read::records;
pub(crate) use record::Record;
pub(crate) use style::Style;
pub(crate) use write::Writer;

/// The signatures that begin each part.
mod signature {
    pub const LOCAL: u32 = 0x0403_4b50;
    pub const DESCRIPTOR: u32 = 0x0807_4b50;
    pub const CENTRAL: u32 = 0x0201_4b50;
    pub const END_64: u32 = 0x0606_4b50;
    pub const LOCATOR_64: u32 = 0x0706_4b50;
    pub const END: u32 = 0x0605_4b50;
}

/// What a field of 32 bits holds if the number is elsewhere, in 64 bits.
const ELSEWHERE: u32 = u32::MAX;

/// Why an archive, or a record of one, is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ZipError {
    #[error("{0}")]
    Archive(String),
    #[error("record {record:?}: {problem}")]
    Record { record: String, problem: String },
}

type Result<T, E = ZipError> = std::result::Result<T, E>;

fn damaged<T>(problem: impl Into<String>) -> Result<T> {
    Err(ZipError::Archive(problem.into()))
}

/// Does the file begin as an archive: with a record, or with the end of a directory without any?
pub(crate) fn is_archive(file: &[u8]) -> bool {
    [signature::LOCAL, signature::END].iter().any(|sign| file.starts_with(&sign.to_le_bytes()))
}
