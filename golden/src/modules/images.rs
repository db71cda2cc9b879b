//! Layers that work on neighbours, and further lookups.

use super::classes::{classes, dtype, size};
use super::{Layer, plain, with};
use crate::Out;
use crate::functional::Args;
use crate::functional::vision::{fold_options, interpolation, scale};
use firebrick::nn::{self, Call};

macro_rules! response {
    ($a:ident, $class:ident) => {{
        let norm =
            nn::$class::new($a.int("size")?).alpha($a.scalar_or("alpha", 1e-4)?).beta($a.scalar_or("beta", 0.75)?);
        plain(match $a.maybe_scalar("k")? {
            Some(k) => norm.k(k),
            None => norm,
        })
    }};
}

macro_rules! folding {
    ($a:ident, $fold:expr) => {{
        let fold = $fold;
        let options = fold_options($a)?;
        plain(fold.dilation(options.dilation).padding(options.padding).stride(options.stride))
    }};
}

classes! { CLASSES;
    "PixelShuffle" |a| plain(nn::PixelShuffle::new(a.int("upscale_factor")?));
    "PixelUnshuffle" |a| plain(nn::PixelUnshuffle::new(a.int("downscale_factor")?));
    "ChannelShuffle" |a| plain(nn::ChannelShuffle::new(a.int("groups")?));
    "Unfold" |a| folding!(a, nn::Unfold::new(a.ints("kernel_size")?));
    "Fold" |a| folding!(a, { let size = a.ints("output_size")?; nn::Fold::new(size, a.ints("kernel_size")?) });
    "Upsample" |a| plain(nn::Upsample::new(interpolation(a)?));
    "UpsamplingNearest2d" |a| plain(nn::UpsamplingNearest2d::new(scale(a)?));
    "UpsamplingBilinear2d" |a| plain(nn::UpsamplingBilinear2d::new(scale(a)?));
    "LocalResponseNorm" |a| response!(a, LocalResponseNorm);
    "CrossMapLRN2d" |a| response!(a, CrossMapLRN2d);
    "Bilinear" |a| bilinear(a)?;
    "EmbeddingBag" |a| embedding_bag(a)?;
}

fn bilinear(a: &mut Args) -> Out<Box<dyn Layer>> {
    let (n, m, out) = (size(a, "in1_features")?, size(a, "in2_features")?, size(a, "out_features")?);
    let layer = nn::Bilinear::builder(n, m, out).bias(a.bool_or("bias", true)?).dtype(dtype(a)?).build()?;
    Ok(with(layer, |layer: &nn::Bilinear, a| {
        let pair = (a.x()?, a.tensor("input2")?);
        Ok(layer.call(pair)?)
    }))
}

fn embedding_bag(a: &mut Args) -> Out<Box<dyn Layer>> {
    let mut builder = nn::EmbeddingBag::builder(size(a, "num_embeddings")?, size(a, "embedding_dim")?);
    if let Some(norm) = a.maybe_float("max_norm")? {
        builder = builder.max_norm(norm);
    }
    builder = builder.norm_type(a.float_or("norm_type", 2.0)?).scale_grad_by_freq(a.flag("scale_grad_by_freq")?);
    builder = builder.mode(a.text_or("mode", "mean")?.parse()?);
    let (_sparse, _weight) = (a.flag("sparse")?, a.take("_weight"));
    builder = builder.include_last_offset(a.flag("include_last_offset")?);
    if let Some(row) = a.maybe_int("padding_idx")? {
        builder = builder.padding_idx(row);
    }
    let layer = builder.dtype(dtype(a)?).build()?;
    Ok(with(layer, |layer: &nn::EmbeddingBag, a| {
        let call = (a.x()?, a.maybe_tensor("offsets")?, a.maybe_tensor("per_sample_weights")?);
        Ok(layer.call(call)?)
    }))
}
