//! Printed tensors and Python values against the texts PyTorch 2.15 and Python printed,
//! kept in `tests/data` with the script that wrote them.

#![allow(clippy::unwrap_used)]

use firebrick_core::text::{PrintOptions, Repr, TensorText, Values, get_printoptions, printoptions, python_float};
use std::collections::HashMap;

/// One block of `text.txt`.
struct Case {
    facts: HashMap<&'static str, &'static str>,
    expected: String,
}

fn cases() -> Vec<Case> {
    let file: &'static str = include_str!("data/text.txt");
    let blocks = file.split("\n\n");
    let parse = |block: &'static str| {
        let (text, facts): (Vec<_>, Vec<_>) = block.lines().partition(|l| l.starts_with('|'));
        let text: Vec<&str> = text.iter().map(|l| l.get(2..).unwrap_or_default()).collect();
        let fact = |l: &&'static str| l.split_once(' ').unwrap_or((*l, ""));
        Case { facts: facts.iter().map(fact).collect(), expected: text.join("\n") }
    };
    blocks.map(parse).collect()
}

impl Case {
    fn fact(&self, key: &str) -> Option<&'static str> {
        self.facts.get(key).copied()
    }

    fn numbers<T: std::str::FromStr<Err: std::fmt::Debug>>(&self, key: &str) -> Vec<T> {
        let words = self.fact(key).unwrap_or_default().split_whitespace();
        words.map(|w| w.parse().unwrap()).collect()
    }

    fn is_true(&self, key: &str) -> bool {
        self.fact(key) == Some("True")
    }

    fn options(&self) -> PrintOptions {
        let default = PrintOptions::default();
        let number = |key, otherwise| self.numbers(key).first().copied().unwrap_or(otherwise);
        PrintOptions {
            precision: number("precision", default.precision.into()) as u16,
            threshold: number("threshold", default.threshold),
            edgeitems: number("edgeitems", default.edgeitems),
            linewidth: number("linewidth", default.linewidth),
            sci_mode: self.fact("sci_mode").map(|word| word == "True"),
        }
    }

    fn text(&self) -> String {
        let dtype = self.fact("dtype").unwrap();
        let linear: Vec<f64> = self.numbers("linear");
        let floats: Vec<f64> = match dtype.starts_with("int") || dtype == "uint8" || dtype == "bool" {
            true => Vec::new(),
            false => self.numbers("values"),
        };
        let float = |i| match linear[..] {
            [scale, offset] => i as f64 * scale + offset,
            _ => floats[i],
        };
        let complex = |i| match linear.is_empty() {
            true => (floats[2 * i], floats[2 * i + 1]),
            false => (float(i), 0.0),
        };
        let ints: Vec<i64> = match dtype.contains("int") {
            true => self.numbers("values"),
            false => Vec::new(),
        };
        let int = |i| match linear.is_empty() {
            true => ints[i],
            false => float(i) as i64,
        };
        let bools: Vec<&str> = self.fact("values").unwrap_or_default().split(' ').collect();
        let bool = |i: usize| bools[i] == "True";
        let values = match dtype {
            "bool" => Values::Bool(&bool),
            _ if dtype.contains("int") => Values::Int(&int),
            _ if dtype.starts_with("complex") => Values::Complex(&complex),
            _ => Values::Float(&float),
        };
        let shape: Vec<usize> = self.numbers("shape");
        let text = TensorText::new(&shape, values, dtype)
            .default_dtype(self.fact("default_dtype").unwrap_or("float32"))
            .device(self.fact("device"))
            .grad_fn(self.fact("grad_fn"))
            .requires_grad(self.is_true("requires_grad"));
        match self.is_true("parameter") {
            true => text.render_parameter(&self.options()),
            false => text.render(&self.options()),
        }
    }
}

#[test]
fn tensors_print_as_in_pytorch() {
    let cases = cases();
    assert!(cases.len() > 500, "the table is cut short");
    for (number, case) in cases.iter().enumerate() {
        let facts = &case.facts;
        assert_eq!(case.text(), case.expected, "case {number}: {facts:?}");
    }
}

#[test]
fn numbers_and_strings_print_as_in_python() {
    for line in include_str!("data/python.txt").lines() {
        let [kind, value, expected] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else {
            panic!("three words in {line:?}");
        };
        let hex = |text: &str| u64::from_str_radix(text, 16).unwrap();
        let text = match kind {
            "float" => python_float(f64::from_bits(hex(value))),
            _ => {
                let codes = value.split(',').filter(|code| !code.is_empty());
                let chars = codes.map(|code| char::from_u32(hex(code) as u32).unwrap());
                chars.collect::<String>().repr()
            }
        };
        assert_eq!(text, expected, "{line}");
    }
}

#[test]
fn a_summary_asks_only_for_the_elements_it_prints() {
    let asked = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let value = |i: usize| {
        asked.borrow_mut().insert(i);
        i as f64
    };
    let text = TensorText::new(&[1 << 20, 1 << 20], Values::Float(&value), "float32");
    assert!(text.render(&PrintOptions::default()).contains("..."));
    assert_eq!(asked.borrow().len(), 36);
}

#[test]
fn options_hold_until_the_guard_is_dropped() {
    let text = |i: usize| [0.5, 2.0][i];
    let text = TensorText::new(&[2], Values::Float(&text), "float32");
    let before = get_printoptions();
    let guard = printoptions(PrintOptions::short());
    assert_eq!(text.to_string(), "tensor([0.50, 2.00])");
    drop(guard);
    assert_eq!(get_printoptions(), before);
    assert_eq!(text.to_string(), "tensor([0.5000, 2.0000])");
}

#[test]
fn sequences_print_as_tuples_and_lists() {
    assert_eq!([2usize; 0].repr(), "()");
    assert_eq!([2usize].repr(), "(2,)");
    assert_eq!((1, "same", None::<f64>).repr(), "(1, 'same', None)");
    assert_eq!(vec![[1, 2], [3, 4]].repr(), "[(1, 2), (3, 4)]");
    assert_eq!(Some(0.1).repr(), "0.1");
}
