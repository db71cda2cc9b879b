//! The header of an array: what it is and where its elements begin.

use super::NumpyError;
use super::dtype::Descr;
use super::literal::{Literal, parse};
use firebrick_core::DType;
use std::ops::Range;

/// What every file begins with.
pub(crate) const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Where elements begin is a multiple of this, in the files NumPy writes.
const ALIGNMENT: usize = 64;
/// Digits of the largest size: NumPy leaves room for it, so that a file can be appended to.
const DIGITS: usize = 21;

/// What the header says, compared with the bytes that are there.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub descr: Descr,
    /// Do the elements lie in the order of the transpose?
    pub fortran: bool,
    pub shape: Vec<usize>,
    /// Where the elements are, counted from the beginning of the header.
    pub data: Range<usize>,
}

impl Header {
    /// Reads the header of the array with the bytes `file`. More than the array takes may follow, as in NumPy.
    pub fn parse(file: &[u8]) -> Result<Self, NumpyError> {
        Self::parse_head(file, file.len())
    }

    /// [`Header::parse`] of a file with `len` bytes, of which only the first are at hand.
    pub fn parse_head(file: &[u8], len: usize) -> Result<Self, NumpyError> {
        let rest = file.strip_prefix(MAGIC).ok_or(NumpyError::NotNpy)?;
        let (before, length, rest) = match *rest {
            [1, 0, a, b, ref rest @ ..] => (10, u16::from_le_bytes([a, b]).into(), rest),
            [2 | 3, 0, a, b, c, d, ref rest @ ..] => (12, u32::from_le_bytes([a, b, c, d]) as usize, rest),
            [1..=3, 0, ..] => return Err(NumpyError::HeaderCutShort { header: 12, rest: file.len() }),
            [major, minor, ..] => return Err(NumpyError::Version { major, minor }),
            _ => return Err(NumpyError::NotNpy),
        };
        let Some(text) = rest.get(..length) else {
            return Err(NumpyError::HeaderCutShort { header: length, rest: rest.len() });
        };
        let text = match file[MAGIC.len()] {
            // Latin-1, in which a byte is a character.
            1 | 2 => text.iter().map(|&byte| char::from(byte)).collect(),
            _ => String::from_utf8(text.to_vec()).map_err(|error| NumpyError::Header(error.to_string()))?,
        };
        let (descr, fortran, shape) = fields(parse(&text)?)?;
        let (start, expected) = (before + length, byte_size(&shape, descr.dtype)?);
        let found = len - start;
        if expected > found {
            return Err(NumpyError::DataCutShort { expected, found });
        }
        Ok(Header { descr, fortran, shape, data: start..start + expected })
    }

    /// The bytes of the header that NumPy writes.
    pub fn write(dtype: DType, fortran: bool, shape: &[usize]) -> Result<Vec<u8>, NumpyError> {
        let name = Descr::name(dtype).ok_or_else(|| NumpyError::Dtype(dtype.name().to_string()))?;
        let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
        let comma = if shape.len() == 1 { "," } else { "" };
        let (order, sizes) = (if fortran { "True" } else { "False" }, sizes.join(", "));
        let mut text = format!("{{'descr': '{name}', 'fortran_order': {order}, 'shape': ({sizes}{comma}), }}");
        // The size that grows when elements are appended.
        let growing = if fortran { shape.last() } else { shape.first() };
        let room = growing.map_or(0, |size| DIGITS.saturating_sub(size.to_string().len()));
        text.extend(std::iter::repeat_n(' ', room));
        // Version 2 has room for the length of longer texts.
        let long = text.len() + 1 + ALIGNMENT > usize::from(u16::MAX);
        let before = if long { 12 } else { 10 };
        let padding = ALIGNMENT - (before + text.len() + 1) % ALIGNMENT;
        text.extend(std::iter::repeat_n(' ', padding));
        text.push('\n');
        let mut bytes = MAGIC.to_vec();
        match long {
            true => {
                bytes.extend([2, 0]);
                bytes.extend((text.len() as u32).to_le_bytes());
            }
            false => {
                bytes.extend([1, 0]);
                bytes.extend((text.len() as u16).to_le_bytes());
            }
        }
        bytes.extend(text.into_bytes());
        Ok(bytes)
    }
}

/// Element type, order and shape.
fn fields(header: Literal) -> Result<(Descr, bool, Vec<usize>), NumpyError> {
    let wrong = |problem: &str| NumpyError::Header(problem.to_string());
    let Literal::Dict(pairs) = header else { return Err(wrong("it is no dictionary")) };
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    for (key, value) in pairs {
        match (key.as_str(), value) {
            ("descr", Literal::Text(name)) => descr = Some(Descr::parse(&name)?),
            ("descr", Literal::Sequence(_)) => return Err(NumpyError::Dtype("records of several fields".to_string())),
            ("fortran_order", Literal::Bool(value)) => fortran = Some(value),
            ("shape", Literal::Sequence(sizes)) => shape = Some(sizes.into_iter().map(size).collect::<Result<_, _>>()?),
            ("descr" | "fortran_order" | "shape", _) => {
                return Err(NumpyError::Header(format!("{key:?} is of the wrong kind")));
            }
            _ => return Err(NumpyError::Header(format!("{key:?} is not known"))),
        }
    }
    let all = descr.zip(fortran).zip(shape);
    let ((descr, fortran), shape) = all.ok_or_else(|| wrong("it lacks descr, fortran_order or shape"))?;
    Ok((descr, fortran, shape))
}

fn size(value: Literal) -> Result<usize, NumpyError> {
    match value {
        Literal::Number(number) => usize::try_from(number).ok(),
        _ => None,
    }
    .ok_or_else(|| NumpyError::Header("a size is no number".to_string()))
}

fn byte_size(shape: &[usize], dtype: DType) -> Result<usize, NumpyError> {
    let bytes = shape.iter().try_fold(dtype.size(), |bytes, &size| bytes.checked_mul(size));
    // A size of 0 makes no array out of sizes that cannot be.
    let possible = shape.iter().try_fold(1usize, |n, &size| n.checked_mul(size.max(1)));
    match bytes {
        Some(bytes) if possible.is_some_and(|n| n <= isize::MAX as usize) => Ok(bytes),
        _ => Err(NumpyError::TooLarge(shape.to_vec())),
    }
}
