//! What L-BFGS sees of a model: one vector of parameters with its loss and gradient.

use super::number::Number;
use crate::Closure;
use firebrick_core::{Result, Tensor, autograd};

/// The parameters as one vector.
pub(super) struct Problem<'a> {
    pub params: &'a [Tensor],
    pub maximize: bool,
}

impl Problem<'_> {
    /// The loss that the closure returns, for the caller, and as what is to be made small.
    pub fn evaluate(&self, closure: &mut Closure<'_>) -> Result<(Tensor, f64)> {
        let loss = autograd::enable_grad(closure)?;
        let value: f64 = loss.item()?;
        Ok((loss, if self.maximize { -value } else { value }))
    }

    /// The gradient, with zeros where there is none.
    pub fn gradient(&self) -> Result<Tensor> {
        let parts = self.params.iter().map(|param| match param.grad() {
            Some(grad) => grad.reshape(-1),
            None => param.new_zeros(param.numel()),
        });
        let gradient = Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?;
        if self.maximize { gradient.neg() } else { Ok(gradient) }
    }

    /// Moves the parameters by `step` times `direction`.
    pub fn advance(&self, step: Number, direction: &Tensor) -> Result<()> {
        let mut start = 0;
        for param in self.params {
            let part = direction.narrow(0, start, param.numel() as i64)?;
            param.add_alpha_(&part.view(param.shape())?, step.value)?;
            start += param.numel() as i64;
        }
        Ok(())
    }

    pub fn copy(&self) -> Result<Vec<Tensor>> {
        self.params.iter().map(Tensor::copy).collect()
    }

    /// Loss and gradient at `step` along `direction` from `from`, where the parameters are again afterwards.
    pub fn look(
        &self,
        closure: &mut Closure<'_>,
        from: &[Tensor],
        step: Number,
        direction: &Tensor,
    ) -> Result<(f64, Tensor)> {
        self.advance(step, direction)?;
        let seen = self.evaluate(closure).and_then(|(_, loss)| Ok((loss, self.gradient()?)));
        for (param, from) in self.params.iter().zip(from) {
            param.copy_(from)?;
        }
        seen
    }
}
