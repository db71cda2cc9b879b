//! The gradients of elements combined at the places that an index names.

use super::fold::{Reduction, counts};
use super::places::{Places, corner, uncornered};
use crate::autograd::{Grads, is_grad_enabled, refusing_gradients};
use crate::{Result, Tensor};
use smallvec::smallvec;

const TWICE: &str = "scatter_reduce(): Double backward is unsupported for src when >1 zeros in src are scattered to the same position in self";

/// A combination that was made: `out` from `x` and `src`.
pub(super) struct Fold<'a> {
    pub how: Reduction,
    pub include_self: bool,
    pub places: &'a Places,
    pub x: Tensor,
    pub src: Tensor,
    pub out: Tensor,
}

impl Fold<'_> {
    /// The gradients of `x` and `src` from that of the result.
    pub fn gradients(&self, g: &Tensor, needs: &[bool]) -> Result<Grads> {
        let (kept, given) = match self.how {
            Reduction::Sum => (g.clone(), self.picked(g)?),
            Reduction::Mean => {
                let share = g.div(&counts(&self.x, self.places, self.include_self)?)?;
                (share.clone(), self.picked(&share)?)
            }
            Reduction::Prod => (self.product_kept(g)?, self.product_given(g)?),
            Reduction::Amax | Reduction::Amin => self.extreme(g)?,
        };
        let kept = match self.include_self {
            true => kept,
            false => kept.scatter_value(self.places.dim as i64, &self.places.index, 0)?,
        };
        let given = uncornered(&given, &self.src.shape())?;
        Ok(smallvec![needs[0].then_some(kept), needs[1].then_some(given)])
    }

    /// What lies at the places.
    fn picked(&self, x: &Tensor) -> Result<Tensor> {
        x.gather(self.places.dim as i64, &self.places.index)
    }

    /// The part of the source that went somewhere.
    fn used(&self) -> Result<Tensor> {
        let shape = self.places.index.shape();
        match (self.places.index.numel(), self.src.dim() == shape.len()) {
            (0, _) => self.src.new_zeros(shape),
            (_, true) => corner(&self.src, &shape),
            (_, false) => self.src.reshape(shape),
        }
    }

    /// Equal extremes get equal shares.
    fn extreme(&self, g: &Tensor) -> Result<(Tensor, Tensor)> {
        let (dim, index) = (self.places.dim as i64, &self.places.index);
        let (x, out, used) = (self.x.detach(), self.out.detach(), self.used()?.detach());
        let kept = x.eq(&out)?.to(x.dtype())?;
        let given = used.eq(self.picked(&out)?)?.to(x.dtype())?;
        let share = g.div(kept.scatter_add(dim, index, &given)?)?;
        Ok((share.mul(&kept)?, self.picked(&share)?.mul(&given)?))
    }

    /// The product of all that met at each place, with the element of `x` replaced by 1 where it is 0.
    fn product_kept(&self, g: &Tensor) -> Result<Tensor> {
        let x = self.x.masked_fill(&self.x.detach().eq(0)?, 1)?;
        g.mul(self.product_of(&x, &self.src)?)?.div(&x)
    }

    /// The product of all others that met at the place of each element of the source.
    fn product_given(&self, g: &Tensor) -> Result<Tensor> {
        let (dim, index) = (self.places.dim as i64, &self.places.index);
        let used = self.used()?;
        let zero = used.detach().eq(0)?;
        if zero.numel() == 0 || !zero.any()?.value_or(false)? {
            return self.picked(&g.mul(&self.out)?)?.div(&used);
        }
        let zeros = self.x.detach().zeros_like()?.scatter_add(dim, index, &zero.to(self.x.dtype())?)?;
        let zeros = self.picked(&zeros)?;
        let alone = zero.logical_and(&zeros.eq(1)?)?;
        // An only zero is left out by putting 1 in its place.
        let without = self.product_of(&self.x, &used.masked_fill(&alone, 1)?)?;
        let among = self.picked(&g.mul(&self.out)?)?.div(&used.masked_fill(&zero, 1)?)?;
        let given = self.picked(&g.mul(&without)?)?.where_self(&alone, &among)?;
        match is_grad_enabled() && zeros.gt(1)?.any()?.value_or(false)? {
            true => refusing_gradients(&given, &[&given], TWICE),
            false => Ok(given),
        }
    }

    fn product_of(&self, x: &Tensor, src: &Tensor) -> Result<Tensor> {
        x.scatter_reduce(self.places.dim as i64, &self.places.index, src, "prod", self.include_self)
    }
}
