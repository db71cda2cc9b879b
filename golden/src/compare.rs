//! How near a result must be to PyTorch's.

use crate::value::Value;
use firebrick::{DType, Tensor};

/// Multiple of the difference that PyTorch's own float32 result has from its float64 one.
const TIMES: f64 = 8.0;
/// Units in the last place of the largest magnitude, on top.
const ULPS: f64 = 4.0;
/// Relative bound of float64.
const RELATIVE: f64 = 1e-10;

/// The tolerance of one case.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bound {
    /// For float32: PyTorch's difference between float32 and float64, and the largest magnitude.
    pub single: Option<(f64, f64)>,
    /// Must zeros have the same sign?
    pub signed_zero: bool,
    /// Must every bit be equal?
    pub exact: bool,
}

impl Bound {
    /// Every bit equal.
    pub const EXACT: Bound = Bound { single: None, signed_zero: true, exact: true };

    /// The largest difference allowed where `expected` is one of elements no larger than `largest`.
    fn of(&self, dtype: DType, expected: f64, largest: f64) -> f64 {
        if self.exact {
            return 0.0;
        }
        match (dtype, self.single) {
            (DType::F64, _) => RELATIVE * largest + 1e-14,
            (DType::F32, Some((difference, magnitude))) => {
                TIMES * difference + ULPS * f32::EPSILON as f64 * magnitude.max(expected.abs()) + 1e-30
            }
            (DType::F32, None) => 1e-5 * largest + 1e-7,
            (DType::F16, _) => 2f64.powi(-10) * expected.abs().max(largest / 4.0) + 6e-8,
            (DType::BF16, _) => 2f64.powi(-7) * expected.abs().max(largest / 4.0) + 1e-30,
            _ => 0.0,
        }
    }
}

/// Compares two values; `Err` says where they differ.
pub fn value(expected: &Value, got: &Value, bound: Bound) -> Result<(), String> {
    use Value::*;
    match (expected, got) {
        (Tensor(a), Tensor(b)) => tensor(a, b, bound),
        (List(a) | Tuple(a), List(b) | Tuple(b)) => list(a, b, bound),
        (Float(a), Float(b)) => number(*a, *b, bound),
        (Complex(a), Complex(b)) => number(a.re, b.re, bound).and_then(|()| number(a.im, b.im, bound)),
        (Int(a), Int(b)) if a == b => Ok(()),
        (Bool(a), Bool(b)) if a == b => Ok(()),
        (Text(a), Text(b)) if a == b => Ok(()),
        (DType(a), DType(b)) if a == b => Ok(()),
        (Text(a), Text(b)) => Err(format!("got {b:?}, expected {a:?}")),
        (None, None) => Ok(()),
        (Packed(a), Packed(b)) => list(&a[..], &b[..], bound),
        (Dict(a), Dict(b)) => {
            let flat =
                |pairs: &[(Value, Value)]| pairs.iter().flat_map(|(k, v)| [k.clone(), v.clone()]).collect::<Vec<_>>();
            list(&flat(a), &flat(b), bound)
        }
        _ => Err(format!("got {}, expected {}", brief(got), brief(expected))),
    }
}

fn list(expected: &[Value], got: &[Value], bound: Bound) -> Result<(), String> {
    if expected.len() != got.len() {
        return Err(format!("got {} results, expected {}", got.len(), expected.len()));
    }
    for (i, (a, b)) in expected.iter().zip(got).enumerate() {
        value(a, b, bound).map_err(|error| format!("result {i}: {error}"))?;
    }
    Ok(())
}

fn brief(value: &Value) -> String {
    match value {
        Value::Bool(v) => v.to_string(),
        Value::Int(v) => v.to_string(),
        Value::Float(v) => v.to_string(),
        Value::Text(v) => format!("{v:?}"),
        Value::DType(v) => v.to_string(),
        other => other.kind().to_owned(),
    }
}

fn number(expected: f64, got: f64, bound: Bound) -> Result<(), String> {
    let allowed = bound.of(if bound.single.is_some() { DType::F32 } else { DType::F64 }, expected, expected.abs());
    if same(expected, got) || (expected - got).abs() <= allowed {
        return Ok(());
    }
    Err(format!("got {got}, expected {expected}, bound {allowed:.3e}"))
}

fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

/// Compares two tensors: dtype, shape and elements.
pub fn tensor(expected: &Tensor, got: &Tensor, bound: Bound) -> Result<(), String> {
    let dtype = expected.dtype();
    if got.dtype() != dtype {
        return Err(format!("got {}, expected {dtype}", got.dtype()));
    }
    if got.shape() != expected.shape() {
        return Err(format!("got shape {:?}, expected {:?}", got.shape(), expected.shape()));
    }
    if dtype.is_complex() {
        let parts = |tensor: &Tensor| tensor.detach().view_as_real().map_err(|error| error.to_string());
        return self::tensor(&parts(expected)?, &parts(got)?, bound);
    }
    if !dtype.is_floating_point() {
        return integers(expected, got);
    }
    let read = |tensor: &Tensor| tensor.to_vec::<f64>().map_err(|error| error.to_string());
    floats(&read(expected)?, &read(got)?, dtype, bound).map_err(|error| format!("{error} of {:?}", expected.shape()))
}

fn integers(expected: &Tensor, got: &Tensor) -> Result<(), String> {
    let read = |tensor: &Tensor| tensor.to_vec::<i64>().map_err(|error| error.to_string());
    let (expected, got) = (read(expected)?, read(got)?);
    match expected.iter().zip(&got).position(|(a, b)| a != b) {
        None => Ok(()),
        Some(i) => Err(format!("element {i}: got {}, expected {}", got[i], expected[i])),
    }
}

/// The element that lies furthest outside its bound, if any does.
fn floats(expected: &[f64], got: &[f64], dtype: DType, bound: Bound) -> Result<(), String> {
    let finite = expected.iter().map(|v| v.abs()).filter(|v| v.is_finite());
    let largest = finite.fold(0.0, f64::max);
    let mut worst: Option<(f64, String)> = None;
    for (i, (&a, &b)) in expected.iter().zip(got).enumerate() {
        let allowed = bound.of(dtype, a, largest);
        let sign_differs = bound.signed_zero && a == 0.0 && b == 0.0 && a.is_sign_negative() != b.is_sign_negative();
        if (same(a, b) && !sign_differs)
            || (a.is_finite() && b.is_finite() && !sign_differs && (a - b).abs() <= allowed)
        {
            continue;
        }
        let excess = if b.is_finite() && a.is_finite() { (a - b).abs() / allowed } else { f64::INFINITY };
        if worst.as_ref().is_none_or(|(most, _)| excess > *most) {
            worst = Some((
                excess,
                format!("element {i}: got {b:?}, expected {a:?}, off by {:.3e}, bound {allowed:.3e}", (a - b).abs()),
            ));
        }
    }
    worst.map_or(Ok(()), |(_, text)| Err(text))
}
