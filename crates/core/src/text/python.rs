//! Values as Python's `repr` writes them.

use super::number::pad_exponent;

/// A value that Python's `repr` can write.
///
/// Arrays and tuples are Python's tuples, vectors and slices its lists, `None` is `None`.
///
/// ```
/// use firebrick_core::text::Repr;
///
/// assert_eq!(1e-5.repr(), "1e-05");
/// assert_eq!(true.repr(), "True");
/// assert_eq!("mean".repr(), "'mean'");
/// assert_eq!([3, 3].repr(), "(3, 3)");
/// assert_eq!(((1,), None::<i64>).repr(), "((1,), None)");
/// assert_eq!(vec![0.5, 2.0].repr(), "[0.5, 2.0]");
/// ```
pub trait Repr {
    /// The text of the value.
    fn repr(&self) -> String;
}

/// Python's `repr` of a float: the shortest digits that read back as the same number.
///
/// ```
/// use firebrick_core::text::python_float;
///
/// assert_eq!(python_float(1.0), "1.0");
/// assert_eq!(python_float(1e16), "1e+16");
/// assert_eq!(python_float(f64::NEG_INFINITY), "-inf");
/// ```
pub fn python_float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_string();
    }
    if !value.is_finite() {
        return value.to_string();
    }
    let digits = shortest(value);
    if value != 0.0 && !(1e-4..1e16).contains(&value.abs()) {
        return pad_exponent(&digits);
    }
    // Every digit of `digits` is significant, so its length and exponent give the decimals.
    let (mantissa, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
    let fraction = mantissa.split_once('.').map_or(0, |(_, f)| f.len() as i32);
    let decimals = fraction - exponent.parse::<i32>().unwrap_or(0);
    format!("{value:.*}", decimals.max(1) as usize)
}

/// Python's `repr` of a complex number.
///
/// ```
/// use firebrick_core::text::python_complex;
///
/// assert_eq!(python_complex(1.5, -2.0), "(1.5-2j)");
/// assert_eq!(python_complex(0.0, 1.0), "1j");
/// ```
pub fn python_complex(re: f64, im: f64) -> String {
    let part = |v: f64| python_float(v).strip_suffix(".0").map_or_else(|| python_float(v), str::to_owned);
    if re == 0.0 && re.is_sign_positive() {
        return format!("{}j", part(im));
    }
    let sign = if im.is_nan() || im.is_sign_positive() { "+" } else { "" };
    format!("({}{sign}{}j)", part(re), part(im))
}

/// The shortest digits that read back as `value`, in scientific notation. Of two equally near ones
/// Python takes the even, which Rust's rounding to a given length does and its `{:e}` does not.
fn shortest(value: f64) -> String {
    let short = format!("{value:e}");
    let mantissa = short.split_once('e').map_or("", |(mantissa, _)| mantissa);
    let fraction = mantissa.split_once('.').map_or(0, |(_, f)| f.len());
    let even = format!("{value:.fraction$e}");
    match even.parse() == Ok(value) {
        true => even,
        false => short,
    }
}

/// Python's `repr` of a tuple of `items`.
///
/// ```
/// use firebrick_core::text::python_tuple;
///
/// assert_eq!(python_tuple(&[2, 3]), "(2, 3)");
/// assert_eq!(python_tuple(&[2]), "(2,)");
/// ```
pub fn python_tuple<T: Repr>(items: &[T]) -> String {
    let texts: Vec<String> = items.iter().map(Repr::repr).collect();
    tuple_of(&texts)
}

fn tuple_of(texts: &[String]) -> String {
    match texts {
        [only] => format!("({only},)"),
        _ => format!("({})", texts.join(", ")),
    }
}

/// Python writes a string in single quotes unless that alone would need escapes.
fn python_str(value: &str) -> String {
    let double = value.contains('\'') && !value.contains('"');
    let quote = if double { '"' } else { '\'' };
    let mut text = String::from(quote);
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            _ if c == quote => text.extend(['\\', c]),
            _ if is_invisible(c) => text.push_str(&escape(c.into())),
            _ => text.push(c),
        }
    }
    text.push(quote);
    text
}

/// Controls, spaces other than the plain one, direction and format marks, and private use.
/// Python also escapes code points that Unicode has not assigned.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0001}'..='\u{e007f}' | '\u{f0000}'..)
}

fn escape(code: u32) -> String {
    match code {
        0..=0xff => format!("\\x{code:02x}"),
        0x100..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

impl Repr for f64 {
    fn repr(&self) -> String {
        python_float(*self)
    }
}

impl Repr for bool {
    fn repr(&self) -> String {
        if *self { "True" } else { "False" }.to_string()
    }
}

impl Repr for str {
    fn repr(&self) -> String {
        python_str(self)
    }
}

impl Repr for String {
    fn repr(&self) -> String {
        python_str(self)
    }
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl Repr for $type {
            fn repr(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl<T: Repr + ?Sized> Repr for &T {
    fn repr(&self) -> String {
        (**self).repr()
    }
}

impl<T: Repr> Repr for Option<T> {
    fn repr(&self) -> String {
        self.as_ref().map_or("None".to_string(), Repr::repr)
    }
}

impl<T: Repr, const N: usize> Repr for [T; N] {
    fn repr(&self) -> String {
        python_tuple(self)
    }
}

impl<T: Repr> Repr for [T] {
    fn repr(&self) -> String {
        let texts: Vec<String> = self.iter().map(Repr::repr).collect();
        format!("[{}]", texts.join(", "))
    }
}

impl<T: Repr> Repr for Vec<T> {
    fn repr(&self) -> String {
        self.as_slice().repr()
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))*) => {$(
        impl<$($name: Repr),+> Repr for ($($name,)+) {
            fn repr(&self) -> String {
                #[allow(non_snake_case)]
                let ($($name,)+) = self;
                tuple_of(&[$($name.repr()),+])
            }
        }
    )*};
}
tuples!((A)(A B)(A B C)(A B C D)(A B C D E)(A B C D E F));
