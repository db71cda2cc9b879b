//! The elements of a tensor in nested brackets, summarised and broken into lines.

use super::number::Formatter;
use super::options::PrintOptions;
use super::python::Repr;
use super::tensor::Values;
use std::ops::Range;

/// Writes the elements of a tensor that has some, `indent` columns from the left.
pub(super) fn elements(shape: &[usize], values: Values, indent: usize, options: &PrintOptions) -> String {
    let numel = shape.iter().fold(1, |n: usize, d| n.saturating_mul(*d));
    let kept = Kept { edge: (numel > options.threshold).then_some(options.edgeitems) };
    let column = Column::new(values, &kept.positions(shape), options);
    let writer = Writer { kept, column, linewidth: options.linewidth };
    writer.tensor(shape, 0, indent)
}

/// Which positions of a dimension are printed.
struct Kept {
    /// How many at each end; `None` where all are.
    edge: Option<usize>,
}

/// One place in the text of a dimension.
enum Slot {
    Index(usize),
    Ellipsis,
}

impl Kept {
    /// The ranges printed of a dimension before and after the ellipsis, if it has one.
    fn ranges(&self, size: usize) -> (Range<usize>, Option<Range<usize>>) {
        match self.edge {
            Some(edge) if size > edge.saturating_mul(2) => (0..edge, Some(size - edge..size)),
            _ => (0..size, None),
        }
    }

    fn slots(&self, size: usize) -> impl Iterator<Item = Slot> {
        let (head, tail) = self.ranges(size);
        let ellipsis = tail.is_some().then_some(Slot::Ellipsis);
        let tail = tail.into_iter().flatten();
        head.map(Slot::Index).chain(ellipsis).chain(tail.map(Slot::Index))
    }

    /// The row-major positions of all printed elements.
    fn positions(&self, shape: &[usize]) -> Vec<usize> {
        let mut positions = vec![0];
        for &size in shape {
            let (head, tail) = self.ranges(size);
            let inside = |start: usize| {
                let indices = head.clone().chain(tail.clone().into_iter().flatten());
                indices.map(move |index| start * size + index)
            };
            positions = positions.into_iter().flat_map(inside).collect();
        }
        positions
    }
}

/// The text of each element in a form common to all, `width` characters unless one sticks out.
struct Column<'a> {
    text: Box<dyn Fn(usize) -> String + 'a>,
    width: usize,
}

impl<'a> Column<'a> {
    fn new(values: Values<'a>, printed: &[usize], options: &PrintOptions) -> Self {
        let floats = |at: &dyn Fn(usize) -> f64| {
            let values: Vec<f64> = printed.iter().map(|&i| at(i)).collect();
            Formatter::new(&values, options)
        };
        match values {
            Values::Float(at) => {
                let formatter = floats(at);
                Column { width: formatter.width(), text: Box::new(move |i| formatter.padded(at(i))) }
            }
            Values::Complex(at) => {
                let (real, imag) = (floats(&|i| at(i).0), floats(&|i| at(i).1));
                Column { width: real.width() + imag.width() + 1, text: Box::new(move |i| complex(at(i), &real, &imag)) }
            }
            Values::Int(at) => Self::aligned(move |i| at(i).repr(), printed),
            Values::Bool(at) => Self::aligned(move |i| at(i).repr(), printed),
        }
    }

    fn aligned(text: impl Fn(usize) -> String + 'a, printed: &[usize]) -> Self {
        let width = printed.iter().map(|&i| text(i).len()).max().unwrap_or(1);
        Column { width, text: Box::new(move |i| format!("{:>width$}", text(i))) }
    }
}

/// The imaginary part follows its sign at once: its padding is cut, so columns may be ragged.
fn complex((re, im): (f64, f64), real: &Formatter, imag: &Formatter) -> String {
    let re = real.padded(re);
    let im = imag.padded(im);
    let im = im.trim_start();
    let sign = if im.starts_with('-') { "" } else { "+" };
    format!("{re}{sign}{im}j")
}

struct Writer<'a> {
    kept: Kept,
    column: Column<'a>,
    linewidth: usize,
}

impl Writer<'_> {
    /// Writes the part of the tensor with dimensions `shape` whose first element is at `start`.
    fn tensor(&self, shape: &[usize], start: usize, indent: usize) -> String {
        let (size, inner) = match shape {
            [] => return (self.column.text)(start),
            [size] => return self.vector(*size, start, indent),
            [size, inner @ ..] => (*size, inner),
        };
        let step: usize = inner.iter().product();
        let slice = |slot| match slot {
            Slot::Index(index) => self.tensor(inner, start + index * step, indent + 1),
            Slot::Ellipsis => "...".to_string(),
        };
        let slices: Vec<String> = self.kept.slots(size).map(slice).collect();
        let separator = format!(",{}{}", "\n".repeat(inner.len()), " ".repeat(indent + 1));
        format!("[{}]", slices.join(&separator))
    }

    fn vector(&self, size: usize, start: usize, indent: usize) -> String {
        let value = |slot| match slot {
            Slot::Index(index) => (self.column.text)(start + index),
            Slot::Ellipsis if self.kept.edge == Some(0) => "...".to_string(),
            Slot::Ellipsis => " ...".to_string(),
        };
        let values: Vec<String> = self.kept.slots(size).map(value).collect();
        let per_line = self.linewidth.saturating_sub(indent) / (self.column.width + 2);
        let lines: Vec<String> = values.chunks(per_line.max(1)).map(|l| l.join(", ")).collect();
        format!("[{}]", lines.join(&format!(",\n{}", " ".repeat(indent + 1))))
    }
}
