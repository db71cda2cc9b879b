//! Gradients held against central differences.

use super::{Grad, ModeGuard};
use crate::{Error, Result, Tensor};

/// Step and tolerances of a gradient check, PyTorch's by default.
///
/// ```
/// # use firebrick_core::{Parameter, Tensor, autograd::GradCheck};
/// let x = Parameter::new(Tensor::new([0.5f64])?);
/// let strict = GradCheck { atol: 1e-9, rtol: 1e-9, ..GradCheck::default() };
/// strict.run(&|x| x[0].mul(2), &[Tensor::clone(&x)])?;
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GradCheck {
    /// Distance of the two points of a difference.
    pub eps: f64,
    /// Absolute tolerance.
    pub atol: f64,
    /// Relative tolerance.
    pub rtol: f64,
}

impl Default for GradCheck {
    fn default() -> Self {
        GradCheck { eps: 1e-6, atol: 1e-5, rtol: 1e-3 }
    }
}

/// `torch.autograd.gradcheck`: are the gradients of `f` at `inputs` (f64 or complex128, requiring grad) those of finite
/// differences?
///
/// Inputs and results that are complex are checked in both parts, against PyTorch's convention: the gradient of a real
/// number `L` in `z = x + iy` is `dL/dx + i dL/dy`.
///
/// # Errors
/// The first derivative that differs, with its place and both values.
///
/// ```
/// use firebrick_core::{Tensor, autograd::gradcheck};
/// let x = Tensor::new([0.5f64, -1.5])?;
/// x.requires_grad_(true)?;
/// gradcheck(|x| x[0].exp(), &[x])?;
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn gradcheck(f: impl Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor]) -> Result<()> {
    GradCheck::default().run(&f, inputs)
}

/// `torch.autograd.gradgradcheck`: the same for the gradients of the gradients.
///
/// ```
/// # use firebrick_core::{Tensor, autograd};
/// let x = Tensor::new([0.5f64, 1.5])?;
/// x.requires_grad_(true)?;
/// autograd::gradgradcheck(|x| x[0].exp(), &[x])?;
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn gradgradcheck(f: impl Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor]) -> Result<()> {
    let check = GradCheck { atol: 1e-4, ..GradCheck::default() };
    let _on = ModeGuard::enable_grad();
    let output = f(inputs)?;
    if !output.requires_grad() {
        return Ok(());
    }
    let cotangent = spread(&output.detach(), 0.7)?;
    cotangent.requires_grad_(true)?;
    let mut extended: Vec<Tensor> = inputs.to_vec();
    extended.push(cotangent);
    let n = inputs.len();
    let first = |x: &[Tensor]| {
        let output = f(&x[..n])?;
        let inputs: Vec<&Tensor> = x[..n].iter().collect();
        let grads =
            Grad::new(&[&output], &inputs).grad_outputs(&[Some(x[n].clone())]).create_graph(true).run_allow_unused()?;
        // One number out of all gradients, each element with its own weight.
        let mut total = Tensor::zeros_with((), crate::DType::F64)?;
        for grad in grads.into_iter().flatten() {
            let grad = parts(&grad)?;
            let weights = spread(&grad.detach(), 1.3)?;
            total = total.add(&grad.mul(&weights)?.sum()?)?;
        }
        Ok(total)
    };
    check.run(&first, &extended)
}

/// Fixed, distinct numbers in the shape of `like`, complex where it is.
fn spread(like: &Tensor, phase: f64) -> Result<Tensor> {
    let shape = parts(like)?.shape();
    let values: Vec<f64> = (0..shape.numel()).map(|i| (i as f64 * 0.618 + phase).sin() + 0.1).collect();
    let spread = Tensor::from_vec(values, shape)?;
    if like.is_complex() { spread.view_as_complex() } else { Ok(spread) }
}

/// A tensor as one of real numbers.
fn parts(tensor: &Tensor) -> Result<Tensor> {
    if tensor.is_complex() { tensor.view_as_real() } else { Ok(tensor.clone()) }
}

fn real_numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    parts(&tensor.detach())?.to_vec::<f64>()
}

impl GradCheck {
    /// Checks with these tolerances; see [`gradcheck`].
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor, autograd::GradCheck};
    /// let x = Parameter::new(Tensor::new([0.5f64])?);
    /// let forgets = |x: &[Tensor]| x[0].mul(&x[0].detach());
    /// assert!(GradCheck::default().run(&forgets, &[Tensor::clone(&x)]).is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn run(&self, f: &dyn Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor]) -> Result<()> {
        let _on = ModeGuard::enable_grad();
        let output = f(inputs)?;
        let weights = spread(&output.detach(), 0.2)?;
        if !output.requires_grad() {
            return self.compare_all(f, inputs, &weights, &vec![None; inputs.len()]);
        }
        let wanted: Vec<&Tensor> = inputs.iter().collect();
        let analytic = Grad::new(&[&output], &wanted).grad_outputs(&[Some(weights.clone())]).run_allow_unused()?;
        self.compare_all(f, inputs, &weights, &analytic)
    }

    fn compare_all(
        &self,
        f: &dyn Fn(&[Tensor]) -> Result<Tensor>,
        inputs: &[Tensor],
        weights: &Tensor,
        analytic: &[Option<Tensor>],
    ) -> Result<()> {
        for (which, (input, grad)) in inputs.iter().zip(analytic).enumerate() {
            let grad = match grad {
                Some(grad) => real_numbers(grad)?,
                None => vec![0.0; parts(&input.detach())?.numel()],
            };
            for (at, &analytic) in grad.iter().enumerate() {
                let numeric = self.difference(f, inputs, weights, which, at)?;
                if (analytic - numeric).abs() > self.atol + self.rtol * numeric.abs() || analytic.is_nan() {
                    return Err(Error::runtime(
                        "gradcheck",
                        format!(
                            "Jacobian mismatch for input {which} at element {at}: numerical {numeric}, analytical {analytic}"
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Central difference of the weighted output in one element of one input.
    fn difference(
        &self,
        f: &dyn Fn(&[Tensor]) -> Result<Tensor>,
        inputs: &[Tensor],
        weights: &Tensor,
        which: usize,
        at: usize,
    ) -> Result<f64> {
        let value = |shift: f64| -> Result<f64> {
            let mut moved = inputs.to_vec();
            moved[which] = shifted(&inputs[which], at, shift)?;
            let products = real_numbers(&f(&moved)?)?.into_iter().zip(real_numbers(weights)?).map(|(o, w)| o * w);
            Ok(products.sum())
        };
        Ok((value(self.eps)? - value(-self.eps)?) / (2.0 * self.eps))
    }
}

/// The input with one element moved, or one part of it, in the same layout.
fn shifted(input: &Tensor, at: usize, shift: f64) -> Result<Tensor> {
    let out = input.detach().copy()?;
    let seen = parts(&out)?;
    let mut values = real_numbers(&out)?;
    values[at] += shift;
    seen.copy_(&Tensor::from_vec(values, seen.shape())?)?;
    out.requires_grad_(true)?;
    Ok(out)
}
