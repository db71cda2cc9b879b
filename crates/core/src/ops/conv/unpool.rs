//! The partial inverse of maximum pooling.

use crate::ops::composed;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{DType, Dims, Error, Result, Sizes, Tensor};

/// Each element at the place of its plane that its index names, zeros elsewhere.
fn unpool(n: usize, x: &Tensor, indices: &Tensor, size: &Sizes) -> Result<Tensor> {
    let op = if n == 2 { "max_unpool2d" } else { "max_unpool3d" };
    let (shape, rank) = (x.shape(), x.dim());
    let refuse = |text: String| Err(Error::runtime(op, text));
    if indices.dtype() != DType::I64 {
        return refuse(format!("elements in indices should be type int64 but got: {}", indices.dtype().scalar_name()));
    }
    if size.len() != n {
        return refuse(format!("There should be exactly {n} elements in output_size, but got {}", size.len()));
    }
    if rank != n + 1 && rank != n + 2 {
        return refuse(format!(
            "Input to max_unpooling{n}d should be a {}d or {}d Tensor, but got a tensor with {rank} dimensions.",
            n + 1,
            n + 2
        ));
    }
    if indices.shape() != shape {
        return refuse(format!(
            "Expected shape of indices to be same as that of the input tensor ({shape:?}) but got indices tensor with shape: {:?}",
            indices.shape()
        ));
    }
    let first = rank - n;
    if let Some(place) = (1..rank).rev().take(rank.min(n + 1)).rev().find(|&d| shape[d] == 0) {
        return refuse(format!(
            "max_unpooling{n}d_forward_out_cpu(): Expected input to have non-zero size for non-batch dimensions, but input has sizes {shape:?} with dimension {place} being empty"
        ));
    }
    if x.dtype() == DType::Bool || !x.is_floating_point() {
        return Err(Error::not_implemented(op, format!("\"{op}\" not implemented for '{}'", x.dtype().scalar_name())));
    }
    let out: Dims = shape[..first].iter().copied().chain(size.to_shape(op)?.iter().copied()).collect();
    let flat: Dims =
        shape[..first].iter().copied().chain([Dims::from_slice(&out[first..]).checked_numel(op)?]).collect();
    out.checked_numel(op)?;
    let places = flat[first] as i64;
    // PyTorch goes through all of them and names the last.
    if let Some(index) = indices.values_or(0i64)?.into_iter().rfind(|&index| index < 0 || index >= places) {
        let sizes = size.iter().map(i64::to_string).collect::<Vec<_>>().join("x");
        return refuse(format!("Found an invalid max index: {index} (output volumes are of size {sizes})"));
    }
    let (values, indices) = (x.flatten(first as i64, -1)?, indices.flatten(first as i64, -1)?);
    x.detach().new_zeros(flat)?.scatter(-1, &indices, &values)?.reshape(out)
}

fn samples(n: usize) -> Result<Vec<Sample>> {
    let places = [5i64, 0, 3, 7];
    let sample = |traits: Trait, x: Tensor| -> Result<Sample> {
        let count = x.numel();
        let indices = Tensor::from_slice(&places[..count], x.shape())?;
        Ok(sample::one(traits, vec![x], move |x| match n {
            2 => x[0].max_unpool2d(&indices, [3, 3]),
            _ => x[0].max_unpool3d(&indices, [1, 3, 3]),
        }))
    };
    let shape = |batch: usize| if n == 2 { vec![batch, 1, 2, 2] } else { vec![batch, 1, 1, 2, 2] };
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&shape(1), 1)?)?,
        sample(Trait::Strided, ANY.strided(&shape(1), 2)?)?,
        sample(Trait::Empty, ANY.tensor(&shape(0), 3)?)?,
    ])
}

composed! {
    table: UNPOOLS;

    /// Planes of `output_size` that hold each element at the flat index that maximum pooling found it at, and zeros
    /// elsewhere.
    ///
    /// # Errors
    /// Indices outside the plane, or of another shape or dtype than int64.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (x, indices) = (Tensor::new([[[5.0f32]]])?, Tensor::new([[[2i64]]])?);
    /// assert_eq!(x.max_unpool2d(&indices, [2, 2])?.to_vec::<f32>()?, [0.0, 0.0, 5.0, 0.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn max_unpool2d(&x, indices: &Tensor, output_size: impl Into<Sizes>) -> Tensor {
        unpool(2, &x.resolve("max_unpool2d")?, &indices.resolve("max_unpool2d")?, &output_size.into())
    }
    samples: samples(2);

    /// [`Tensor::max_unpool2d`] over three dimensions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (x, indices) = (Tensor::new([[[[5.0f32]]]])?, Tensor::new([[[[2i64]]]])?);
    /// assert_eq!(x.max_unpool3d(&indices, [1, 2, 2])?.to_vec::<f32>()?, [0.0, 0.0, 5.0, 0.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn max_unpool3d(&x, indices: &Tensor, output_size: impl Into<Sizes>) -> Tensor {
        unpool(3, &x.resolve("max_unpool3d")?, &indices.resolve("max_unpool3d")?, &output_size.into())
    }
    samples: samples(3);
}
