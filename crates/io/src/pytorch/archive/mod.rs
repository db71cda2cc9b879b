//! The zip archive around a pickle and its storages, as PyTorch writes it since version 1.6.
//!
//! Of the zip format only what PyTorch uses is here: records stored or deflated, Zip64, and data that begins at multiples
//! of 64 bytes. Reading believes nothing: a record's size is compared with the bytes that are there before memory is
//! taken for it, and records that share bytes are refused.

mod read;
mod record;
mod write;

pub(super) use read::Archive;
pub(super) use record::Record;
pub(super) use write::Writer;

/// Where storages begin is a multiple of this, so that a mapped file can be used as it lies.
pub(super) const ALIGNMENT: usize = 64;

/// The signatures that begin each part.
mod signature {
    pub const LOCAL: u32 = 0x0403_4b50;
    pub const DESCRIPTOR: u32 = 0x0807_4b50;
    pub const CENTRAL: u32 = 0x0201_4b50;
    pub const END_64: u32 = 0x0606_4b50;
    pub const LOCATOR_64: u32 = 0x0706_4b50;
    pub const END: u32 = 0x0605_4b50;
}

/// The tag of the extra field with sizes of 64 bits.
const ZIP64_TAG: u16 = 1;
/// What a field of 32 bits holds if the number is in the extra field.
const IN_EXTRA: u32 = u32::MAX;

/// Does the file begin as an archive?
pub(super) fn is_archive(file: &[u8]) -> bool {
    file.starts_with(&signature::LOCAL.to_le_bytes())
}
