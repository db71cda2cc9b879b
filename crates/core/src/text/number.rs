//! The form common to all printed floats of one tensor.

use super::PrintOptions;

/// How the floats of one tensor are written, chosen so that they line up.
pub(super) struct Formatter {
    style: Style,
    precision: usize,
    width: usize,
}

#[derive(Clone, Copy)]
enum Style {
    /// `12.`: every finite value is whole.
    Whole,
    /// `12.5000`
    Fixed,
    /// `1.2500e+01`
    Scientific,
}

impl Formatter {
    /// Chooses notation and width for `values`.
    ///
    /// Zeros, infinities and nans decide nothing, not even the width: PyTorch lets a `-inf` or a `-0.`
    /// stick out of its column.
    pub(super) fn new(values: &[f64], options: &PrintOptions) -> Self {
        let deciding = || {
            let finite = |v: &f64| v.is_finite() && *v != 0.0;
            values.iter().copied().filter(finite)
        };
        let smallest = deciding().map(f64::abs).fold(f64::INFINITY, f64::min);
        let largest = deciding().map(f64::abs).fold(0.0, f64::max);
        let scientific =
            options.sci_mode.unwrap_or(largest / smallest > 1000.0 || largest > 1.0e8 || smallest < 1.0e-4);
        let style = match largest {
            0.0 => Style::Whole,
            _ if scientific => Style::Scientific,
            _ if deciding().all(|v| v == v.ceil()) => Style::Whole,
            _ => Style::Fixed,
        };
        let mut formatter = Formatter { style, precision: options.precision.into(), width: 1 };
        let widest = deciding().map(|v| formatter.write(v).len()).max();
        formatter.width = widest.unwrap_or(1);
        formatter
    }

    /// The characters a value takes, unless it sticks out.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Writes `value`, filled up to the width from the left.
    pub(super) fn padded(&self, value: f64) -> String {
        format!("{:>width$}", self.write(value), width = self.width)
    }

    fn write(&self, value: f64) -> String {
        let precision = self.precision;
        match self.style {
            _ if value.is_nan() => "nan".to_string(),
            _ if value.is_infinite() => value.to_string(),
            Style::Whole => format!("{value:.0}."),
            Style::Fixed => format!("{value:.precision$}"),
            Style::Scientific => pad_exponent(&format!("{value:.precision$e}")),
        }
    }
}

/// Rewrites Rust's exponent (`e-5`) as Python's (`e-05`): a sign and at least two digits.
pub(super) fn pad_exponent(text: &str) -> String {
    let Some((digits, exponent)) = text.split_once('e') else {
        return text.to_string();
    };
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{digits}e-{exponent:0>2}"),
        None => format!("{digits}e+{exponent:0>2}"),
    }
}
