//! What can be wrong with NumPy's files.

use crate::zip::ZipError;
use firebrick_core::Error;
use std::io;

/// Why a `.npy` or `.npz` file cannot be read or written.
///
/// ```
/// use firebrick_io::numpy::{NpzReader, NumpyError};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("arrays.npz");
/// std::fs::write(&path, "no archive")?;
/// assert!(matches!(NpzReader::open(&path), Err(NumpyError::Archive(_))));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NumpyError {
    /// The file does not begin as arrays do.
    #[error("not a .npy file: it does not begin with \\x93NUMPY")]
    NotNpy,
    /// A version of the format that does not exist.
    #[error("version {major}.{minor} of the .npy format is not known; 1.0, 2.0 and 3.0 are")]
    Version {
        /// The first number.
        major: u8,
        /// The second number.
        minor: u8,
    },
    /// The header goes on behind the end of the file.
    #[error("the header takes {header} bytes, but only {rest} follow: the file is cut short")]
    HeaderCutShort {
        /// Bytes of the header, with what goes before it.
        header: usize,
        /// Bytes that are there.
        rest: usize,
    },
    /// The header is not the dictionary expected.
    #[error("the header is not valid: {0}")]
    Header(String),
    /// The elements are Python objects.
    #[error("the elements are pickled Python objects (dtype {0:?}), which could run any program: they are not read")]
    Objects(String),
    /// The elements are something that tensors do not have.
    #[error("the elements have NumPy's dtype {0:?}, which Firebrick does not have")]
    Dtype(String),
    /// The sizes are more than any memory.
    #[error("an array of shape {0:?} is larger than any memory")]
    TooLarge(Vec<usize>),
    /// There are fewer bytes than the array takes.
    #[error("the array takes {expected} bytes, but {found} follow the header: the file is cut short")]
    DataCutShort {
        /// Bytes that dtype and shape take.
        expected: usize,
        /// Bytes that follow the header.
        found: usize,
    },
    /// The archive around the arrays is damaged, or has a name twice.
    #[error("{0}")]
    Archive(String),
    /// The archive has no such array.
    #[error("no array is called {0:?}")]
    NotFound(String),
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<ZipError> for NumpyError {
    fn from(error: ZipError) -> Self {
        NumpyError::Archive(error.to_string())
    }
}

impl From<NumpyError> for Error {
    fn from(error: NumpyError) -> Self {
        const OP: &str = "numpy";
        match error {
            NumpyError::Io(error) => Error::io(OP, error.to_string()),
            NumpyError::NotFound(_) => Error::key(OP, error.to_string()),
            NumpyError::Dtype(_) | NumpyError::Objects(_) => Error::type_(OP, error.to_string()),
            other => Error::value(OP, other.to_string()),
        }
    }
}
