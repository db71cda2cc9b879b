//! The header: what is in a file and where.

use super::json::{METADATA, Pairs, RawHeader, RawTensor};
use super::{Dtype, SafetensorsError};
use indexmap::IndexMap;
use indexmap::map::Entry as Place;
use std::borrow::Cow;
use std::io::Write;
use std::ops::Range;

/// Bytes of the number that gives the header's length; a header ends at a multiple of it.
const WORD: usize = size_of::<u64>();
/// The longest header the Python library reads.
const HEADER_LIMIT: usize = 100_000_000;

type Result<T> = std::result::Result<T, SafetensorsError>;

/// What a file says of one tensor.
///
/// ```
/// use firebrick_io::safetensors::{Dtype, Header};
/// let header = Header::new([("x", Dtype::F16, vec![2, 3])], None)?;
/// let entry = &header.tensors()["x"];
/// assert_eq!((entry.dtype, entry.shape.as_slice(), entry.data_offsets.len()), (Dtype::F16, [2, 3].as_slice(), 12));
/// # Ok::<_, firebrick_io::safetensors::SafetensorsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The type of the elements.
    pub dtype: Dtype,
    /// The shape.
    pub shape: Vec<usize>,
    /// Where the elements are, in bytes from the end of the header.
    pub data_offsets: Range<usize>,
}

/// What is in a file: its tensors in the order of their data, and metadata.
///
/// A header is valid once it exists: names are unique, and the tensors' data follow one another
/// without a hole, each as long as its dtype and shape need.
///
/// ```
/// use firebrick_io::safetensors::{Dtype, Header};
/// use std::borrow::Cow;
/// let header = Header::new([("b", Dtype::F32, vec![2]), ("a", Dtype::U8, vec![3])], None)?;
/// let mut file = Vec::new();
/// header.write(&mut file, |_, entry| Ok(Cow::Owned(vec![7; entry.data_offsets.len()])))?;
///
/// let (read, data) = Header::parse(&file)?;
/// assert_eq!(read, header);
/// assert_eq!(read.tensors().keys().collect::<Vec<_>>(), ["b", "a"]); // the widest type first
/// assert_eq!((read.data_len(), read.metadata()), (11, None));
/// assert_eq!(read.tensors()["a"].data_offsets, 8..11);
/// assert_eq!(read.bytes(data, "a")?, [7, 7, 7]);
/// assert_eq!(file.len(), header.to_bytes()?.len() + 11);
/// assert!(Header::parse(&file[..20]).is_err());
/// # Ok::<_, firebrick_io::safetensors::SafetensorsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    tensors: IndexMap<String, Entry>,
    metadata: Option<IndexMap<String, String>>,
}

impl Header {
    /// Lays out a file of `tensors`, each a name, a dtype and a shape, in the Python library's order.
    ///
    /// # Errors
    /// A name given twice or called `__metadata__`, or a size that overflows or ends within a byte.
    ///
    /// ```
    /// use firebrick_io::safetensors::{Dtype, Header};
    /// assert!(Header::new([("x", Dtype::F32, vec![1]), ("x", Dtype::F32, vec![1])], None).is_err());
    /// assert!(Header::new([("x", Dtype::F32, vec![usize::MAX, 2])], None).is_err());
    /// ```
    pub fn new<N: Into<String>, S: Into<Vec<usize>>>(
        tensors: impl IntoIterator<Item = (N, Dtype, S)>,
        metadata: Option<IndexMap<String, String>>,
    ) -> Result<Self> {
        let mut tensors: Vec<(String, Dtype, Vec<usize>)> =
            tensors.into_iter().map(|(name, dtype, shape)| (name.into(), dtype, shape.into())).collect();
        tensors
            .sort_by(|(name, dtype, _), (other, other_dtype, _)| other_dtype.cmp(dtype).then_with(|| name.cmp(other)));
        let mut header = Header { tensors: IndexMap::with_capacity(tensors.len()), metadata };
        for (name, dtype, shape) in tensors {
            if name == METADATA {
                return Err(SafetensorsError::ReservedName);
            }
            let begin = header.data_len();
            let size = byte_size(&name, dtype, &shape)?;
            let Some(end) = begin.checked_add(size) else {
                return Err(SafetensorsError::TooLarge { name, dtype, shape });
            };
            header.push(name, dtype, shape, begin..end)?;
        }
        Ok(header)
    }

    /// Reads the header of the file with the bytes `file`; returns it with the bytes behind it, which
    /// are exactly those of its tensors. [`Header`] shows it.
    ///
    /// # Errors
    /// Anything in the file that is not as the format says; never a panic, and no more memory than a
    /// small multiple of the file's size.
    pub fn parse(file: &[u8]) -> Result<(Self, &[u8])> {
        let Some((length, rest)) = file.split_first_chunk::<WORD>() else {
            return Err(SafetensorsError::TooShort { len: file.len() });
        };
        let len = u64::from_le_bytes(*length);
        let limit = HEADER_LIMIT;
        if len > limit as u64 {
            return Err(SafetensorsError::HeaderTooLarge { len, limit });
        }
        let Some((json, data)) = rest.split_at_checked(len as usize) else {
            return Err(SafetensorsError::HeaderCutShort { header: len as usize, rest: rest.len() });
        };
        let header = Self::check(serde_json::from_str(std::str::from_utf8(json)?)?)?;
        if header.data_len() != data.len() {
            return Err(SafetensorsError::WrongDataLength { expected: header.data_len(), found: data.len() });
        }
        Ok((header, data))
    }

    fn check(raw: RawHeader) -> Result<Self> {
        let mut header = Header::default();
        if let Some(Pairs(pairs)) = raw.metadata {
            let metadata = header.metadata.insert(IndexMap::new());
            for (name, text) in pairs {
                insert_new(metadata, name, text)?;
            }
        }
        let mut tensors = raw.tensors;
        tensors.sort_by_key(|(_, tensor)| tensor.data_offsets);
        for (name, tensor) in tensors {
            let RawTensor { dtype, shape, data_offsets: (begin, end) } = tensor;
            let Some(dtype) = Dtype::from_name(&dtype) else {
                return Err(SafetensorsError::UnknownDtype { name, dtype });
            };
            let expected = byte_size(&name, dtype, &shape)?;
            if end.checked_sub(begin) != Some(expected) {
                return Err(SafetensorsError::WrongSize { name, dtype, shape, expected, begin, end });
            }
            if begin != header.data_len() {
                return Err(SafetensorsError::NotAdjacent { name, begin, expected: header.data_len() });
            }
            header.push(name, dtype, shape, begin..end)?;
        }
        Ok(header)
    }

    fn push(&mut self, name: String, dtype: Dtype, shape: Vec<usize>, data_offsets: Range<usize>) -> Result<()> {
        let entry = Entry { dtype, shape, data_offsets };
        insert_new(&mut self.tensors, name, entry)
    }

    /// The tensors by name, in the order of their data; [`Header`] shows it.
    pub fn tensors(&self) -> &IndexMap<String, Entry> {
        &self.tensors
    }

    /// The metadata: names and texts that do not concern the tensors' bytes. [`Header`] shows it.
    pub fn metadata(&self) -> Option<&IndexMap<String, String>> {
        self.metadata.as_ref()
    }

    /// Bytes of all tensors' data; [`Header`] shows it.
    pub fn data_len(&self) -> usize {
        self.tensors.last().map_or(0, |(_, entry)| entry.data_offsets.end)
    }

    /// The bytes of the tensor `name` out of `data`, the part of the file that [`parse`](Self::parse)
    /// returns. [`Header`] shows it.
    ///
    /// # Errors
    /// There is no such tensor, or `data` is not as long as the tensors.
    pub fn bytes<'d>(&self, data: &'d [u8], name: &str) -> Result<&'d [u8]> {
        let Some(entry) = self.tensors.get(name) else {
            return Err(SafetensorsError::NotFound { name: name.into() });
        };
        let bytes = data.get(entry.data_offsets.clone());
        bytes.ok_or(SafetensorsError::WrongDataLength { expected: self.data_len(), found: data.len() })
    }

    /// The first part of a file: the length of the header and the header, filled up with spaces. [`Header`]
    /// shows it.
    ///
    /// # Errors
    /// The header would be longer than readers accept.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let raw = RawHeader {
            metadata: self.metadata.as_ref().map(pairs),
            tensors: self.tensors.iter().map(raw_tensor).collect(),
        };
        let mut bytes = vec![0; WORD];
        serde_json::to_writer(&mut bytes, &raw)?;
        bytes.resize(bytes.len().next_multiple_of(WORD), b' ');
        let (len, limit) = ((bytes.len() - WORD) as u64, HEADER_LIMIT);
        if len > limit as u64 {
            return Err(SafetensorsError::HeaderTooLarge { len, limit });
        }
        bytes[..WORD].copy_from_slice(&len.to_le_bytes());
        Ok(bytes)
    }

    /// Writes a whole file, asking `data` for the bytes of one tensor after another. [`Header`] shows it.
    ///
    /// # Errors
    /// What `data` returns, bytes of another length than the tensor's, or an I/O error.
    pub fn write<'d>(
        &self,
        file: &mut (impl Write + ?Sized),
        mut data: impl FnMut(&str, &Entry) -> Result<Cow<'d, [u8]>>,
    ) -> Result<()> {
        file.write_all(&self.to_bytes()?)?;
        for (name, entry) in &self.tensors {
            let bytes = data(name, entry)?;
            if bytes.len() != entry.data_offsets.len() {
                return Err(SafetensorsError::WrongBytes {
                    name: name.clone(),
                    expected: entry.data_offsets.len(),
                    found: bytes.len(),
                });
            }
            file.write_all(&bytes)?;
        }
        Ok(())
    }
}

/// The bytes that elements of `dtype` in `shape` take.
fn byte_size(name: &str, dtype: Dtype, shape: &[usize]) -> Result<usize> {
    let bits = shape.iter().try_fold(dtype.bits(), |bits, &size| bits.checked_mul(size));
    let (name, shape) = (|| name.to_string(), || shape.to_vec());
    match bits {
        Some(bits) if bits % 8 == 0 => Ok(bits / 8),
        Some(_) => Err(SafetensorsError::PartOfByte { name: name(), dtype, shape: shape() }),
        None => Err(SafetensorsError::TooLarge { name: name(), dtype, shape: shape() }),
    }
}

fn insert_new<V>(map: &mut IndexMap<String, V>, name: String, value: V) -> Result<()> {
    match map.entry(name) {
        Place::Vacant(place) => {
            place.insert(value);
            Ok(())
        }
        Place::Occupied(place) => Err(SafetensorsError::DuplicateName { name: place.key().clone() }),
    }
}

fn pairs(metadata: &IndexMap<String, String>) -> Pairs<String> {
    let pairs = metadata.iter().map(|(name, text)| (name.clone(), text.clone()));
    Pairs(pairs.collect())
}

fn raw_tensor((name, entry): (&String, &Entry)) -> (String, RawTensor) {
    let raw = RawTensor {
        dtype: entry.dtype.name().to_string(),
        shape: entry.shape.clone(),
        data_offsets: (entry.data_offsets.start, entry.data_offsets.end),
    };
    (name.clone(), raw)
}
