//! In what the programs differ that write archives. Every reader reads all of it.

/// What one program writes where the format leaves a choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// The program that made a record and the version of the format that reading it takes.
    pub(super) versions: [u16; 2],
    /// The same of the large form of the directory's end.
    pub(super) end_versions: [u16; 2],
    /// Time and date of every record.
    pub(super) time: [u16; 2],
    /// What the system says of every record.
    pub(super) attributes: u32,
    /// Is a name called UTF-8 where it is ASCII, too?
    pub(super) ascii_is_utf8: bool,
    /// Larger numbers are written in 64 bits.
    pub(super) largest: u64,
    /// Has the header before a record's bytes its sizes in 64 bits always?
    pub(super) long_header: bool,
    /// Does that header say where it is itself, if that takes 64 bits?
    pub(super) header_has_offset: bool,
    /// Has the directory's end its large form always?
    pub(super) long_end: bool,
    /// Where the bytes of records begin is a multiple of this.
    pub alignment: u64,
}

/// The version of the format that has the large forms.
const LARGE: u16 = 45;
/// The system whose attributes are those of Unix.
const UNIX: u16 = 3 << 8;

impl Style {
    /// As Python's `zipfile` writes for NumPy: every record is from midnight of the first of January 1980, the earliest time there
    /// is, and its owner may read and write it.
    pub const NUMPY: Style = Style {
        versions: [UNIX | LARGE, LARGE],
        end_versions: [LARGE, LARGE],
        time: [0, 0x21],
        attributes: 0o600 << 16,
        ascii_is_utf8: false,
        largest: (1 << 31) - 1,
        long_header: true,
        header_has_offset: false,
        long_end: false,
        alignment: 1,
    };

    /// As miniz writes for PyTorch, which aligns what it stores so that a mapped file can be used as it lies.
    pub const PYTORCH: Style = Style {
        versions: [0, 0],
        end_versions: [UNIX | 30, LARGE],
        time: [0, 0],
        attributes: 0,
        ascii_is_utf8: true,
        largest: u32::MAX as u64 - 1,
        long_header: false,
        header_has_offset: true,
        long_end: true,
        alignment: 64,
    };
}
