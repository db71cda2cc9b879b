//! Bilinear forms.

use crate::amp::Suspended;
use crate::ops::composed;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{Dims, Error, Result, Tensor};

fn check(x1: &Tensor, x2: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<()> {
    const OP: &str = "bilinear";
    let refuse = |text: String| Err(Error::runtime(OP, text));
    let (s1, s2, sw) = (x1.shape(), x2.shape(), weight.shape());
    if x1.dtype() != x2.dtype() || x1.dtype() != weight.dtype() {
        let name = |t: &Tensor| t.dtype().c_name();
        return refuse(format!(
            "All tensors must have the same dtype, got input1: {}, input2: {}, weight: {}",
            name(x1),
            name(x2),
            name(weight)
        ));
    }
    if s1.len() != s2.len() {
        return refuse(format!("bilinear(): input dimensions do not match: got {} and {}", s1.len(), s2.len()));
    }
    if s1.is_empty() {
        return refuse("bilinear(): inputs must have at least one dimension".into());
    }
    for d in 0..s1.len() - 1 {
        if s1[d] != s2[d] {
            return refuse(format!(
                "bilinear(): input batch dimensions do not match at dim {d}: got {} and {}",
                s1[d], s2[d]
            ));
        }
    }
    for (name, size, wanted) in [("input1", s1[s1.len() - 1], sw.get(1)), ("input2", s2[s2.len() - 1], sw.get(2))] {
        if wanted != Some(&size) {
            let wanted = wanted.copied().unwrap_or(0);
            return refuse(format!(
                "bilinear(): {name} size does not match weight size: got {size} but expected {wanted}"
            ));
        }
    }
    if sw.len() != 3 {
        return refuse(format!("bilinear(): weight must have three dimensions, got {}", sw.len()));
    }
    match bias.map(|b| b.shape()) {
        Some(shape) if shape != [sw[0]] => refuse(format!(
            "bilinear(): bias size does not match weight size: got {} but expected {}",
            shape.first().copied().unwrap_or(0),
            sw[0]
        )),
        _ => Ok(()),
    }
}

fn samples() -> Result<Vec<Sample>> {
    let sample = |traits: Trait, x1: Tensor, x2: Tensor| -> Result<Sample> {
        let inputs = vec![x1, x2, ANY.tensor(&[2, 3, 2], 21)?, ANY.tensor(&[2], 22)?];
        Ok(sample::one(traits, inputs, |x| x[0].bilinear(&x[1], &x[2], Some(&x[3]))))
    };
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&[2, 3], 1)?, ANY.tensor(&[2, 2], 2)?)?,
        sample(Trait::Plain, ANY.tensor(&[3], 3)?, ANY.tensor(&[2], 4)?)?,
        sample(Trait::Strided, ANY.strided(&[2, 3], 5)?, ANY.strided(&[2, 2], 6)?)?,
        sample(Trait::Empty, ANY.tensor(&[0, 3], 7)?, ANY.tensor(&[0, 2], 8)?)?,
    ])
}

composed! {
    table: BILINEAR;

    /// `y[o] = x1^T weight[o] x2 + bias[o]`, with a weight `[out, in1, in2]`.
    ///
    /// # Shapes
    /// `[*, in1]` and `[*, in2]` to `[*, out]`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (x, y) = (Tensor::new([1.0f32, 2.0])?, Tensor::new([3.0f32])?);
    /// let weight = Tensor::ones([1, 2, 1])?;
    /// assert_eq!(x.bilinear(&y, &weight, None)?.to_vec::<f32>()?, [9.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn bilinear(&x1, x2: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
        const OP: &str = "bilinear";
        let (x1, x2, weight) = (x1.resolve(OP)?, x2.resolve(OP)?, weight.resolve(OP)?);
        let bias = bias.map(|bias| bias.resolve(OP)).transpose()?;
        // PyTorch's is no product that autocast knows.
        let _exact = Suspended::begin();
        check(&x1, &x2, &weight, bias.as_ref())?;
        let (s1, sw) = (x1.shape(), weight.shape());
        let batch: usize = s1[..s1.len() - 1].iter().product();
        // One product with x1 for all outputs, then each result with x2.
        let flat = weight.permute([1, 0, 2])?.reshape([sw[1], sw[0] * sw[2]])?;
        let half = x1.reshape([batch, sw[1]])?.matmul(&flat)?.reshape([batch, sw[0], sw[2]])?;
        let y = half.matmul(&x2.reshape([batch, sw[2], 1])?)?;
        let out: Dims = s1[..s1.len() - 1].iter().copied().chain([sw[0]]).collect();
        let y = y.reshape(out)?;
        match bias {
            Some(bias) => y.add(&bias),
            None => Ok(y),
        }
    }
    samples: samples();
}
