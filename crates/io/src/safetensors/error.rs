//! What can be wrong with a safetensors file.

use super::Dtype;
use firebrick_core::Error;
use std::io;

/// Why a safetensors file cannot be read or written.
///
/// ```
/// use firebrick_io::safetensors::{Reader, SafetensorsError};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.safetensors");
/// std::fs::write(&path, "short")?;
/// assert!(matches!(Reader::open(&path), Err(SafetensorsError::TooShort { len: 5 })));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SafetensorsError {
    /// The file has no room for the length of the header.
    #[error("not a safetensors file: it has {len} bytes, but the length of the header alone takes 8")]
    TooShort {
        /// Bytes in the file.
        len: usize,
    },
    /// The header is longer than any reader accepts.
    #[error("a header of {len} bytes is more than the {limit} that safetensors allow; is this another kind of file?")]
    HeaderTooLarge {
        /// The length the file gives.
        len: u64,
        /// The most that is allowed.
        limit: usize,
    },
    /// The header goes on behind the end of the file.
    #[error("the header takes {header} bytes, but only {rest} follow: the file is cut short")]
    HeaderCutShort {
        /// The length the file gives.
        header: usize,
        /// Bytes behind that length.
        rest: usize,
    },
    /// The header is not text.
    #[error("the header is not UTF-8: {0}")]
    HeaderNotText(#[from] std::str::Utf8Error),
    /// The header is not the JSON expected.
    #[error("the header is not valid: {0}")]
    HeaderNotValid(#[from] serde_json::Error),
    /// A name is there twice.
    #[error("{name:?} is in the header twice")]
    DuplicateName {
        /// The tensor, or key of the metadata.
        name: String,
    },
    /// The name of a tensor to be written is kept for something else.
    #[error("a tensor cannot be called \"__metadata__\": the format keeps this name for metadata")]
    ReservedName,
    /// The format has no such dtype.
    #[error("tensor {name:?} has dtype {dtype:?}, which the format does not know")]
    UnknownDtype {
        /// The tensor.
        name: String,
        /// The dtype in the file.
        dtype: String,
    },
    /// The size of the tensor is more than can be counted.
    #[error("tensor {name:?} of dtype {dtype} and shape {shape:?} is larger than any memory")]
    TooLarge {
        /// The tensor.
        name: String,
        /// Its dtype.
        dtype: Dtype,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// Elements smaller than a byte do not fill the last one.
    #[error("tensor {name:?} of dtype {dtype} and shape {shape:?} does not fill whole bytes")]
    PartOfByte {
        /// The tensor.
        name: String,
        /// Its dtype.
        dtype: Dtype,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// The offsets do not span the bytes that dtype and shape need.
    #[error(
        "tensor {name:?} of dtype {dtype} and shape {shape:?} takes {expected} bytes, but its offsets are {begin} to {end}"
    )]
    WrongSize {
        /// The tensor.
        name: String,
        /// Its dtype.
        dtype: Dtype,
        /// Its shape.
        shape: Vec<usize>,
        /// Bytes the elements take.
        expected: usize,
        /// Where the tensor begins.
        begin: usize,
        /// Where the tensor ends.
        end: usize,
    },
    /// There is a hole before a tensor, or it shares bytes with another.
    #[error(
        "tensor {name:?} begins at {begin}, but the one before it ends at {expected}: tensors must neither overlap nor leave holes"
    )]
    NotAdjacent {
        /// The tensor.
        name: String,
        /// Where it begins.
        begin: usize,
        /// Where the tensor before it ends.
        expected: usize,
    },
    /// The data is shorter or longer than the tensors in the header.
    #[error(
        "the tensors take {expected} bytes, but {found} follow the header: the file is cut short or not what it says"
    )]
    WrongDataLength {
        /// Bytes the tensors take.
        expected: usize,
        /// Bytes behind the header.
        found: usize,
    },
    /// No tensor has this name.
    #[error("no tensor is called {name:?}")]
    NotFound {
        /// The name asked for.
        name: String,
    },
    /// The bytes given for a tensor are not as many as it takes.
    #[error("tensor {name:?} takes {expected} bytes, but {found} were given to be written")]
    WrongBytes {
        /// The tensor.
        name: String,
        /// Bytes its dtype and shape take.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The index of a sharded file is not the JSON expected.
    #[error("the index is not valid: {0}")]
    IndexNotValid(serde_json::Error),
    /// A shard would not be beside its index.
    #[error("tensor {name:?} is said to be in {shard:?}, which is not in the folder of the index")]
    ShardOutside {
        /// The tensor.
        name: String,
        /// The shard's name in the index.
        shard: String,
    },
    /// A shard lacks a tensor.
    #[error("tensor {name:?} is said to be in {shard:?}, which has no tensor of this name")]
    NotInShard {
        /// The tensor.
        name: String,
        /// The shard's name in the index.
        shard: String,
    },
    /// A shard cannot be read.
    #[error("{shard}: {error}")]
    Shard {
        /// The shard's name in the index.
        shard: String,
        /// What is wrong with it.
        error: Box<SafetensorsError>,
    },
    /// Firebrick has no tensors of this dtype.
    #[error("tensor {name:?} has dtype {dtype}, which Firebrick does not have")]
    ForeignDtype {
        /// The tensor.
        name: String,
        /// Its dtype.
        dtype: Dtype,
    },
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<SafetensorsError> for Error {
    fn from(error: SafetensorsError) -> Self {
        const OP: &str = "safetensors";
        match error {
            SafetensorsError::Shard { shard, error } => Error::from(*error).context(format!("shard {shard}")),
            SafetensorsError::ForeignDtype { .. } => Error::type_(OP, error.to_string()),
            SafetensorsError::Io(error) => Error::io(OP, error.to_string()),
            SafetensorsError::NotFound { .. } => Error::key(OP, error.to_string()),
            other => Error::value(OP, other.to_string()),
        }
    }
}
