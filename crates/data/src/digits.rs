//! A small data set of handwritten digits that lies inside the program.

use crate::TensorDataset;
use firebrick_core::{Error, Result, Tensor};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

const ROWS: usize = 8;
const COLS: usize = 8;
const PIXELS: usize = ROWS * COLS;
const BRIGHTEST: i64 = 16;
const LARGEST_LABEL: i64 = 9;
/// Bytes that no line reaches, so that a file without line ends cannot fill the memory.
const LINE_LIMIT: u64 = 1024;

/// Images of handwritten digits and the digits they show.
///
/// E. Alpaydin, C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository
/// (1998), licence CC BY 4.0: `sklearn.datasets.load_digits`.
///
/// ```
/// use firebrick_data::digits::Digits;
///
/// let digits = Digits::load()?;
/// assert_eq!((digits.len(), digits.rows, digits.cols), (1797, 8, 8));
/// assert_eq!(digits.labels[..3], [0, 1, 2]);
/// assert_eq!(digits.image(0)?[..8], [0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0]);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Digits {
    /// Pixels from 0 to 16, image after image, row after row: `len() * rows * cols` values.
    pub images: Vec<f32>,
    /// The digit of each image, from 0 to 9.
    pub labels: Vec<i64>,
    /// Rows of an image.
    pub rows: usize,
    /// Columns of an image.
    pub cols: usize,
}

/// Why a file does not hold digits.
///
/// ```
/// use firebrick_data::digits::{Digits, DigitsError};
/// assert!(matches!(Digits::read(&b"no gzip"[..]), Err(DigitsError::Unpack { line: 1, .. })));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DigitsError {
    /// The file cannot be opened.
    #[error("cannot open {path:?}: {source}")]
    Open {
        /// The file.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The bytes are not gzip, or are cut short or damaged.
    #[error("line {line}: cannot unpack the file, expected gzip: {source}")]
    Unpack {
        /// The line being read, counted from 1.
        line: usize,
        /// What the decoder found.
        source: io::Error,
    },
    /// The line is far longer than a line of digits.
    #[error("line {line}: more than {limit} bytes, expected {expected} short numbers and a line end")]
    LineTooLong {
        /// The line, counted from 1.
        line: usize,
        /// The most that is read.
        limit: u64,
        /// Numbers of a line.
        expected: usize,
    },
    /// A line has too few or too many values.
    #[error("line {line}: found {found} values, expected {expected}: 64 pixels and the label")]
    Columns {
        /// The line, counted from 1.
        line: usize,
        /// Values in the line.
        found: usize,
        /// Values of every line.
        expected: usize,
    },
    /// A value is not a whole number in its range.
    #[error("line {line}, column {column}: found {found:?}, expected {kind} from 0 to {largest}")]
    Value {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// The text there.
        found: String,
        /// What the column holds.
        kind: &'static str,
        /// The largest value allowed.
        largest: i64,
    },
    /// The file unpacks to nothing.
    #[error("the file holds no digits")]
    Empty,
}

impl Digits {
    /// The 1,797 digits inside the program.
    ///
    /// # Errors
    /// None, unless the program was built with a damaged file.
    ///
    /// ```
    /// use firebrick_data::digits::Digits;
    /// assert_eq!(Digits::load()?.labels[..5], [0, 1, 2, 3, 4]);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn load() -> Result<Self, DigitsError> {
        Self::read(include_bytes!("../data/digits.csv.gz").as_slice())
    }

    /// Reads the file at `path`, of the same form as the one inside the program.
    ///
    /// # Errors
    /// The file cannot be opened, or as for [`read`](Self::read).
    ///
    /// ```
    /// use firebrick_data::digits::Digits;
    /// let error = Digits::open("nowhere.csv.gz").map(|_| ()).map_err(|e| e.to_string());
    /// assert!(error.is_err_and(|text| text.contains("nowhere.csv.gz")));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DigitsError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|source| DigitsError::Open { path: path.display().to_string(), source })?;
        Self::read(BufReader::new(file))
    }

    /// Reads packed digits: gzip of lines of 64 pixels and a label, with commas between.
    ///
    /// # Errors
    /// The bytes are not gzip, or a line is not as described; the error says which and why.
    ///
    /// ```
    /// use firebrick_data::digits::Digits;
    /// assert!(Digits::read(&b"1,2,3"[..]).is_err());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(packed: impl BufRead) -> Result<Self, DigitsError> {
        let mut lines = BufReader::new(MultiGzDecoder::new(packed));
        let mut digits = Digits { images: Vec::new(), labels: Vec::new(), rows: ROWS, cols: COLS };
        let mut text = Vec::new();
        for line in 1.. {
            text.clear();
            let read = (&mut lines).take(LINE_LIMIT).read_until(b'\n', &mut text);
            let read = read.map_err(|source| DigitsError::Unpack { line, source })?;
            if read == 0 {
                break;
            }
            if read as u64 == LINE_LIMIT {
                return Err(DigitsError::LineTooLong { line, limit: LINE_LIMIT, expected: PIXELS + 1 });
            }
            digits.push(line, String::from_utf8_lossy(&text).trim_end_matches(['\n', '\r']))?;
        }
        match digits.is_empty() {
            true => Err(DigitsError::Empty),
            false => Ok(digits),
        }
    }

    fn push(&mut self, line: usize, text: &str) -> Result<(), DigitsError> {
        let expected = PIXELS + 1;
        let found = text.split(',').count();
        if found != expected {
            return Err(DigitsError::Columns { line, found, expected });
        }
        for (index, word) in text.split(',').enumerate() {
            let (kind, largest) = match index < PIXELS {
                true => ("a pixel", BRIGHTEST),
                false => ("a label", LARGEST_LABEL),
            };
            let value = word.trim().parse().ok();
            let Some(value) = value.filter(|v| (0..=largest).contains(v)) else {
                return Err(DigitsError::Value { line, column: index + 1, found: word.to_string(), kind, largest });
            };
            match index < PIXELS {
                true => self.images.push(value as f32),
                false => self.labels.push(value),
            }
        }
        Ok(())
    }

    /// How many digits there are.
    ///
    /// ```
    /// use firebrick_data::digits::Digits;
    /// assert_eq!(Digits::load()?.len(), 1797);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    ///
    /// ```
    /// use firebrick_data::digits::Digits;
    /// assert!(!Digits::load()?.is_empty());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The images, `(N, 1, 8, 8)` in float32, and the labels, `(N)` in int64. Pixels go from 0 to 16; from 0 to 1 for
    /// `scaled`.
    ///
    /// # Errors
    /// Memory for the tensors cannot be had.
    ///
    /// ```
    /// use firebrick_data::digits::Digits;
    /// let (images, labels) = Digits::load()?.to_tensors(true)?;
    /// assert_eq!(images.shape(), [1797, 1, 8, 8]);
    /// assert_eq!(labels.shape(), [1797]);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_tensors(&self, scaled: bool) -> Result<(Tensor, Tensor)> {
        let images = Tensor::from_slice(&self.images, [self.len(), 1, self.rows, self.cols])?;
        if scaled {
            images.mul_(1.0 / BRIGHTEST as f32)?;
        }
        Ok((images, Tensor::from_slice(&self.labels, [self.len()])?))
    }

    /// A data set of pairs of an image, `(1, 8, 8)`, and its label; `scaled` as for [`Digits::to_tensors`].
    ///
    /// # Errors
    /// Memory for the tensors cannot be had.
    ///
    /// ```
    /// use firebrick_data::{Dataset, digits::Digits};
    /// let digits = Digits::load()?.to_dataset(true)?;
    /// let (image, label) = digits.get(3)?;
    /// assert_eq!((digits.len(), image.shape().to_vec(), label.item::<i64>()?), (1797, vec![1, 8, 8], 3));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_dataset(&self, scaled: bool) -> Result<TensorDataset<(Tensor, Tensor)>> {
        TensorDataset::new(self.to_tensors(scaled)?)
    }

    /// The pixels of image `index`, row after row.
    ///
    /// # Errors
    /// There is no such image.
    ///
    /// ```
    /// use firebrick_data::digits::Digits;
    /// let digits = Digits::load()?;
    /// assert_eq!(digits.image(0)?[2..5], [5.0, 13.0, 9.0]);
    /// assert!(digits.image(1797).is_err());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn image(&self, index: usize) -> Result<&[f32]> {
        let size = self.rows.checked_mul(self.cols);
        let begin = size.and_then(|size| index.checked_mul(size));
        let pixels = begin.zip(size).and_then(|(begin, size)| self.images.get(begin..)?.get(..size));
        pixels.ok_or_else(|| {
            Error::index("Digits::image", format!("image {index} is out of range of {} images", self.len()))
                .given(index.to_string())
                .expected(format!("below {}", self.len()))
        })
    }
}
