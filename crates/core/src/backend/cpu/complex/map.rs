//! Elementwise kernels of complex numbers.

use super::formula::{Formula, formula};
use super::math::C;
use crate::backend::cpu::layout::{GRAIN, Walk};
use crate::backend::cpu::number::{D, Number, Port, TILE};
use crate::backend::{Binary, Map};
use crate::tensor::Body;
use crate::{Complex, Error, Result};

/// Runs a kernel in double precision. Real inputs have no imaginary part; of a real output that of the result is dropped.
///
/// # Safety
/// The storages are locked; inputs have the shape of `out`, which does not overlap itself.
///
/// # Errors
/// The kernel knows real numbers only.
pub(crate) unsafe fn run(kernel: Map, inputs: &[&Body], out: &Body) -> Result<()> {
    let Some(formula) = formula(kernel) else {
        let text = format!("{kernel:?} is not implemented for complex numbers");
        return Err(Error::not_implemented("map", text));
    };
    // SAFETY: the caller's.
    unsafe { map(&formula, inputs, out) };
    Ok(())
}

/// Is an element of `src` not zero?
///
/// # Safety
/// As [`run`].
pub(crate) unsafe fn truth(src: &Body, out: &Body) {
    if let Some(formula) = formula(Map::Binary(Binary::Ne)) {
        // SAFETY: the caller's. The operand that is missing is zero.
        unsafe { map(&formula, &[src], out) };
    }
}

/// One operand: the ports of its parts.
struct Operand {
    re: Port,
    im: Option<Port>,
    /// Real numbers from one element to the next.
    step: usize,
}

impl Operand {
    fn new(body: &Body) -> Operand {
        match body.dtype.is_complex() {
            true => Operand { re: Port::new(&body.part(0)), im: Some(Port::new(&body.part(1))), step: 2 },
            false => Operand { re: Port::new(body), im: None, step: 1 },
        }
    }

    /// Reads the `to.len()` elements from `at` on, `stride` apart.
    ///
    /// # Safety
    /// They lie within the body, which is locked, and are no more than [`TILE`].
    unsafe fn load(&self, at: usize, stride: usize, to: &mut [C]) {
        let (at, stride, n) = (at * self.step, stride * self.step, to.len());
        let mut parts = [[0f64; TILE]; 2];
        for (part, port) in parts.iter_mut().zip([Some(self.re), self.im].into_iter().flatten()) {
            // SAFETY: the caller's; a lane is its number.
            unsafe { D::gather(port, at, stride, n, part.as_mut_ptr().cast()) };
        }
        for (i, to) in to.iter_mut().enumerate() {
            *to = Complex::new(parts[0][i], parts[1][i]);
        }
    }

    /// Writes `from` to the elements from `at` on, `stride` apart.
    ///
    /// # Safety
    /// As [`Operand::load`]; they belong to this task.
    unsafe fn store(&self, at: usize, stride: usize, from: &[C]) {
        let (at, stride) = (at * self.step, stride * self.step);
        let parts: [fn(&C) -> f64; 2] = [|z| z.re, |z| z.im];
        for (part, port) in parts.into_iter().zip([Some(self.re), self.im].into_iter().flatten()) {
            let mut values = [D::ZERO; TILE];
            for (value, from) in values.iter_mut().zip(from) {
                *value = Number::from_f64(part(from));
            }
            // SAFETY: the caller's.
            unsafe { D::scatter(&values[..from.len()], port, at, stride) };
        }
    }
}

/// # Safety
/// As [`run`].
unsafe fn map(formula: &Formula, inputs: &[&Body], out: &Body) {
    let strides = |i: usize| inputs.get(i).map_or(&out.strides[..], |b| &b.strides);
    let walk = Walk::new(&out.shape, [strides(0), strides(1), strides(2), &out.strides]);
    let operands: Vec<Operand> = inputs.iter().map(|body| Operand::new(body)).collect();
    let target = Operand::new(out);
    crate::pool::parallel_for(out.numel(), GRAIN, &|range| {
        for (offsets, length, along) in walk.runs(range.start, range.len()) {
            for start in (0..length).step_by(TILE) {
                let n = TILE.min(length - start);
                let place = |i: usize| offsets[i] + start * along[i];
                let mut values = [[C::ZERO; TILE]; 3];
                // SAFETY: the runs lie within the bodies, and those of the output belong to this task.
                unsafe {
                    for (i, (operand, values)) in operands.iter().zip(&mut values).enumerate() {
                        operand.load(place(i), along[i], &mut values[..n]);
                    }
                    let mut results = [C::ZERO; TILE];
                    for (i, result) in results[..n].iter_mut().enumerate() {
                        *result = formula([values[0][i], values[1][i], values[2][i]]);
                    }
                    target.store(place(3), along[3], &results[..n]);
                }
            }
        }
    });
}
