//! Samples of categories with a gradient.

use super::distribution::Distribution;
use crate::ops::composed;
use crate::ops::sample::{self, ANY, Trait};
use crate::{Body, Generator, Result, Tensor};

composed! {
    table: GUMBEL;

    /// A sample of the categories along `dim` that has a gradient: `softmax((logits + gumbel) / tau)`, where each
    /// `gumbel` is `-log` of an exponential number. For `hard`, the largest becomes 1 and the others 0, with the
    /// gradient of the soft sample. PyTorch's defaults are 1, `false` and -1.
    ///
    /// Jang, Gu and Poole, *Categorical Reparameterization with Gumbel-Softmax* (2017).
    ///
    /// # Errors
    /// `dim` out of range; a dtype that is no floating-point one.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let logits = Tensor::new([1.0f32, 2.0, 3.0])?;
    /// let y = Generator::new().manual_seed(0).scope(|| logits.gumbel_softmax(1.0, false, -1))?;
    /// assert_eq!(y.to_string(), "tensor([0.0196, 0.1523, 0.8281])");
    /// let one = Generator::new().manual_seed(0).scope(|| logits.gumbel_softmax(1.0, true, -1))?;
    /// assert_eq!(one.to_vec::<f32>()?, [0.0, 0.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn gumbel_softmax(&logits, tau: f64, hard: bool, dim: i64) -> Tensor {
        const OP: &str = "gumbel_softmax";
        let logits = logits.resolve(OP)?;
        let noise = Body::alloc(logits.shape(), logits.dtype(), logits.device())?;
        Distribution::Exponential { lambda: 1.0 }.fill(OP, &noise)?;
        let gumbels = Tensor::from_body(noise).log()?.neg()?;
        let soft = logits.add(gumbels)?.div(tau)?.softmax(dim)?;
        if !hard {
            return Ok(soft);
        }
        let (_, largest) = soft.detach().max_dim(dim, true)?;
        let one_hot = logits.detach().zeros_like()?;
        one_hot.scatter_value_(dim, &largest, 1.0)?;
        one_hot.sub(soft.detach())?.add(soft)
    }
    samples: {
        // The gradient is that of the soft sample, whatever the hard one is.
        let apply = |x: &[Tensor]| Generator::new().manual_seed(3).scope(|| x[0].gumbel_softmax(0.7, false, -1));
        Result::Ok(vec![
            sample::one(Trait::Plain, vec![ANY.tensor(&[2, 3], 1)?], apply),
            sample::one(Trait::Strided, vec![ANY.strided(&[2, 3], 2)?], apply),
            sample::one(Trait::Empty, vec![ANY.tensor(&[0, 3], 3)?], apply),
        ])
    };
}
