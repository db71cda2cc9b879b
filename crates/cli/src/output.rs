//! How things look on the screen.

use anstyle::{AnsiColor, Color, Reset, Style};
use firebrick_core::Error;
use std::borrow::Cow;

pub const BAD: Style = colour(AnsiColor::Red).bold();
pub const GOOD: Style = colour(AnsiColor::Green);
pub const CHANGED: Style = colour(AnsiColor::Yellow);
pub const FAINT: Style = Style::new().dimmed();
pub const HEAD: Style = Style::new().bold();
pub const PLAIN: Reset = Reset;

const fn colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(colour)))
}

/// A name out of a file. One that could do something to a terminal is quoted.
pub fn shown(name: &str) -> Cow<'_, str> {
    match name.is_empty() || name.chars().any(char::is_control) {
        true => format!("{name:?}").into(),
        false => name.into(),
    }
}

/// The error and what it was about.
pub fn described(error: &Error) -> String {
    let full = format!("{error:#}");
    // What operation it was inside the library says nothing here.
    full.lines().filter(|line| !line.starts_with("  operation: ")).collect::<Vec<_>>().join("\n")
}

/// A number of bytes in the largest decimal unit that leaves a number above one.
pub fn size(bytes: usize) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let mut value = bytes as f64 / 1e3;
    let mut unit = 0;
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // What would be rounded to 1000 takes the next unit.
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1e3;
        unit += 1;
    }
    format!("{value:.1} {}", units[unit])
}

/// `1 tensor`, `2 tensors`.
pub fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

/// A number with a comma before every three digits.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A value with six digits that say something.
pub fn number(value: f64) -> String {
    let magnitude = value.abs();
    match value == value.trunc() && magnitude < 1e15 || !value.is_finite() {
        true => format!("{value}"),
        false if (1e-4..1e6).contains(&magnitude) => {
            let decimals = (5 - magnitude.log10().floor() as i32).max(0) as usize;
            let text = format!("{value:.decimals$}");
            text.trim_end_matches('0').trim_end_matches('.').to_string()
        }
        false => format!("{value:.5e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_numbers_are_short() {
        assert_eq!(
            [0, 999, 1000, 999_949, 999_950, 5_000_000_000].map(size),
            ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "5.0 GB"]
        );
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        let numbers = [0.0, -3.0, 0.5, 1.0 / 3.0, -12345.678, 1e-7, 2.5e20, f64::NAN, f64::NEG_INFINITY].map(number);
        assert_eq!(numbers, ["0", "-3", "0.5", "0.333333", "-12345.7", "1.00000e-7", "2.50000e20", "NaN", "-inf"]);
    }

    #[test]
    fn names_cannot_steer_a_terminal() {
        assert_eq!(shown("größe.0"), "größe.0");
        assert_eq!(shown("a\x1b[2J"), "\"a\\u{1b}[2J\"");
        assert_eq!(shown(""), "\"\"");
    }
}
