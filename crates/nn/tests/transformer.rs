//! Transformers and attention of several heads against PyTorch 2.15.

mod common;

use common::{message, names, values};
use firebrick::nn::functional::{MultiHeadAttentionOptions, multi_head_attention_forward};
use firebrick::nn::utils::parametrize::{Parametrization, register_parametrization};
use firebrick::nn::{
    Activation, AttentionCall, TransformerCall, TransformerDecoderCall, TransformerEncoder, TransformerEncoderCall,
    TransformerEncoderLayer, TransformerEncoderLayerCall,
};
use firebrick::prelude::*;
use firebrick::{Generator, catch_warnings};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

fn seeded<T>(make: impl FnOnce() -> Result<T>) -> Result<T> {
    Generator::new().manual_seed(0).scope(make)
}

#[track_caller]
fn assert_close(got: &Tensor, expected: &[f32]) {
    let got = values(&got.detach());
    let close = got.len() == expected.len() && got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-6);
    assert!(close, "got {got:?}, expected {expected:?}");
}

fn wave(shape: [i64; 3]) -> Result<Tensor> {
    Tensor::arange((shape[0] * shape[1] * shape[2]) as f64)?.reshape(shape)
}

fn layer() -> Result<TransformerEncoderLayer> {
    TransformerEncoderLayer::builder(4, 2).dim_feedforward(8).batch_first(true).build()
}

#[test]
fn an_encoder_layer_computes_pytorchs_numbers() -> Result<()> {
    let layer = seeded(|| TransformerEncoderLayer::builder(4, 2).dim_feedforward(8).build())?;
    layer.eval();
    let y = layer.call(wave([3, 1, 4])?.sin()?)?;
    let expected = [
        -0.748_041_2,
        1.221_210_8,
        0.721_821_8,
        -1.194_991_5,
        -0.299_913_8,
        -1.203_793_3,
        -0.063_716_58,
        1.567_423_7,
        1.346_005_8,
        0.543_302_06,
        -0.711_928_8,
        -1.177_379,
    ];
    assert_close(&y, &expected);
    Ok(())
}

#[test]
fn a_transformer_computes_pytorchs_numbers() -> Result<()> {
    let builder = nn::Transformer::builder(4, 2).num_encoder_layers(1).num_decoder_layers(1).dim_feedforward(8);
    let model = seeded(|| builder.activation("gelu".parse()?).build())?;
    model.eval();
    let (source, target) = (wave([3, 1, 4])?.sin()?, wave([2, 1, 4])?.cos()?);
    let second = [-1.432_649_4, -0.357_180_4, 0.564_647_85, 1.225_182];
    let y: Tensor = model.call((&source, &target))?;
    assert_close(&y, &[&[1.281_019, 0.066_959_34, 0.176_288_55, -1.524_266_7], &second[..]].concat());

    let mask = nn::Transformer::generate_square_subsequent_mask(2)?;
    let masked = model.call((&source, &target, TransformerCall::new().tgt_mask(mask.clone())))?;
    assert_close(&masked, &[&[1.526_871_9, -0.370_940_95, 0.078_896_93, -1.234_827_9], &second[..]].concat());

    // The last place sees itself alone, and the first none: no weights at all.
    let call = TransformerCall::new().tgt_mask(mask.gt(-1.0)?).tgt_is_causal(false);
    let expected =
        [0.862_125_9, 0.655_929_74, 0.155_906_33, -1.673_962, -1.308_856_4, -0.560_395_66, 0.598_649_7, 1.270_602_2];
    assert_close(&model.call((&source, &target, call))?, &expected);
    Ok(())
}

#[test]
fn fixed_keys_and_further_keys_are_attended_to() -> Result<()> {
    let x = wave([4, 1, 2])?.div(8.0)?;
    let (weight, one) = (wave([6, 1, 2])?.reshape([6, 2])?.div(10.0)?, Tensor::eye(2)?);
    let keys = wave([2, 4, 1])?.div(4.0)?;
    let fixed = keys.flip([0])?;
    let options = MultiHeadAttentionOptions::new().in_proj_weight(&weight).static_k(&keys).static_v(&fixed);
    let (y, weights) = multi_head_attention_forward(&x, &x, &x, 2, 2, &one, &options.average_attn_weights(false))?;
    let expected =
        [1.375_976_6, 0.377_929_63, 1.377_929_6, 0.387_689_38, 1.379_882_5, 0.397_428_1, 1.381_835, 0.407_129_85];
    assert_close(&y, &expected);
    assert_eq!(weights.map(|w| w.shape().to_vec()), Some(vec![1, 2, 4, 4]));

    let (bias_k, bias_v) = (Tensor::ones([1, 1, 2])?, Tensor::full([1, 1, 2], 2.0)?);
    let padding = Tensor::new([[false, true, false, false]])?;
    let options = MultiHeadAttentionOptions::new().in_proj_weight(&weight).bias_k(&bias_k).bias_v(&bias_v);
    let options = options.add_zero_attn(true).key_padding_mask(&padding);
    let (y, weights) = multi_head_attention_forward(&x, &x, &x, 2, 2, &one, &options)?;
    let expected =
        [0.896_149_75, 1.020_957_5, 0.903_452_93, 1.065_330_5, 0.910_759_8, 1.108_778_6, 0.918_069_2, 1.151_087_9];
    assert_close(&y, &expected);
    let first = weights.map(|w| w.select(1, 0)).transpose()?;
    let expected = [0.197_665_4, 0.0, 0.200_648_84, 0.202_164_08, 0.202_255_5, 0.197_266_13];
    assert_close(&first.expect("weights were wanted"), &expected);
    Ok(())
}

#[test]
fn what_does_not_fit_is_said_in_pytorchs_words() -> Result<()> {
    let (layer, x) = (layer()?, Tensor::zeros([2, 3, 4])?);
    let call = TransformerEncoderLayerCall::new;
    assert_eq!(message(layer.call(Tensor::zeros([2, 3, 3])?)), "was expecting embedding dimension of 4, but got 3");
    assert_eq!(
        message(layer.call(Tensor::zeros([4])?)),
        "query should be unbatched 2D or batched 3D tensor but received 1-D query tensor"
    );
    assert_eq!(
        message(layer.call((&x, call().src_mask(Tensor::zeros([2, 2])?)))),
        "The shape of the 2D attn_mask is torch.Size([2, 2]), but should be (3, 3)."
    );
    assert_eq!(
        message(layer.call((&x, call().src_key_padding_mask(Tensor::zeros([2, 2])?)))),
        "Expected key_padded_mask.shape[1] to be 3, but got 2"
    );
    assert_eq!(
        message(layer.call((&x, call().src_key_padding_mask(Tensor::zeros([3])?)))),
        "For batched (3-D) `query`, expected `key_padding_mask` to be `None` or 2-D but found 1-D tensor instead"
    );
    let integers = Tensor::zeros_with([3, 3], DType::I64)?;
    assert_eq!(
        message(layer.call((&x, call().src_mask(integers)))),
        "only bool and floating types of src_mask are supported"
    );
    assert!(
        message(layer.call((&x, call().is_causal(true)))).starts_with("Need attn_mask if specifying the is_causal")
    );
    let none = TransformerEncoder::new(&layer, 0)?;
    assert_eq!(message(none.call(&x)), "index 0 is out of range");
    assert_eq!(message("tanh".parse::<Activation>()), "activation should be relu/gelu, not tanh");
    assert_eq!(message(TransformerEncoderLayer::new(4, 3)), "embed_dim must be divisible by num_heads");

    let model = nn::Transformer::builder(4, 2).num_encoder_layers(1).num_decoder_layers(1).build()?;
    let run = |tgt: [i64; 3]| -> Result<Tensor> { model.call((&x, Tensor::zeros(tgt)?)) };
    assert_eq!(message(run([2, 2, 4])), "the batch number of src and tgt must be equal");
    assert_eq!(message(run([2, 3, 2])), "the feature number of src and tgt must be equal to d_model");
    Ok(())
}

#[test]
fn a_causal_mask_is_recognized_and_a_hint_decides() -> Result<()> {
    let encoder = TransformerEncoder::new(&layer()?, 1)?;
    encoder.eval();
    let x = Tensor::rand([1, 3, 4])?;
    let causal = nn::Transformer::generate_square_subsequent_mask(3)?;
    let call = |mask: &Tensor| TransformerEncoderCall::new().mask(mask.clone());
    let masked = encoder.call((&x, call(&causal)))?;
    let first = encoder.call(x.narrow(1, 0, 1)?)?;
    assert_close(&masked.narrow(1, 0, 1)?, &values(&first.detach()));
    assert_close(&encoder.call((&x, call(&causal).is_causal(false)))?, &values(&masked.detach()));
    // PyTorch, too, believes the hint and leaves the mask unread.
    assert_close(&encoder.call((&x, call(&Tensor::zeros([3, 3])?).is_causal(true)))?, &values(&masked.detach()));
    Ok(())
}

#[test]
fn padding_is_dropped_in_evaluation_as_by_nested_tensors() -> Result<()> {
    let x = Tensor::rand([2, 3, 4])?;
    let padding = Tensor::new([[false, false, true], [false, false, false]])?;
    let call = || TransformerEncoderCall::new().src_key_padding_mask(padding.clone());
    let encoder = TransformerEncoder::new(&layer()?, 1)?;
    encoder.eval();
    let recorded = values(&encoder.call((&x, call()))?.detach());
    let dropped = values(&autograd::no_grad(|| encoder.call((&x, call())))?);
    assert_eq!(dropped[8..12], [0.0; 4]);
    assert!(recorded[8..12].iter().all(|&v| v != 0.0));
    assert_eq!((&dropped[..8], &dropped[12..]), (&recorded[..8], &recorded[12..]));

    let first_ones = TransformerEncoderCall::new().src_key_padding_mask(padding.flip([1])?);
    let kept = values(&autograd::no_grad(|| encoder.call((&x, first_ones)))?);
    assert!(kept.iter().all(|&v| v != 0.0));
    let plain = TransformerEncoder::with_nested_tensor(&encoder.layers[0], 1, false)?;
    plain.eval();
    assert_eq!(values(&autograd::no_grad(|| plain.call((&x, call())))?), recorded);
    Ok(())
}

#[test]
fn an_encoder_warns_where_pytorch_does() -> Result<()> {
    let builder = || TransformerEncoderLayer::builder(4, 2).dim_feedforward(8).batch_first(true);
    let warned = |layer: TransformerEncoderLayer| {
        let (encoder, warnings) = catch_warnings(|| TransformerEncoder::new(&layer, 1));
        encoder.map(|_| warnings.join(";"))
    };
    let because = |reason: &str| {
        format!("enable_nested_tensor is True, but self.use_nested_tensor is False because encoder_layer.{reason}")
    };
    assert_eq!(warned(builder().build()?)?, "");
    assert_eq!(warned(builder().activation(Activation::module(nn::GELU::new())).build()?)?, "");
    assert_eq!(warned(builder().norm_first(true).build()?)?, because("norm_first was True"));
    assert_eq!(warned(builder().bias(false).build()?)?, because("self_attn was passed bias=False"));
    let tanh = Activation::function(|x| x.tanh());
    assert_eq!(warned(builder().activation(tanh).build()?)?, because("activation_relu_or_gelu was not True"));
    assert_eq!(
        warned(builder().batch_first(false).build()?)?,
        because("self_attn.batch_first was not True(use batch_first for better inference performance)")
    );
    let (_, warnings) = catch_warnings(|| {
        let masks = AttentionCall::new().key_padding_mask(Tensor::zeros([3])?);
        let masks = masks.attn_mask(Tensor::new([[false; 3]; 3])?);
        let x = Tensor::zeros([3, 4])?;
        nn::MultiheadAttention::new(4, 2)?.call((&x, &x, &x, masks))
    });
    let text = "Support for mismatched key_padding_mask and attn_mask is deprecated. Use same type for both instead.";
    assert_eq!(warnings, [text]);
    Ok(())
}

#[test]
fn an_activation_that_is_a_module_is_a_member_of_each_layer() -> Result<()> {
    let prelu = Activation::module(nn::PReLU::new(1)?);
    let builder = nn::Transformer::builder(4, 2).num_encoder_layers(2).num_decoder_layers(1).dim_feedforward(8);
    let model = builder.activation(prelu).build()?;
    let weights: Vec<_> = model.named_parameters().into_iter().filter(|(n, _)| n.contains("activation")).collect();
    let expected = [
        "encoder.layers.0.activation.weight",
        "encoder.layers.1.activation.weight",
        "decoder.layers.0.activation.weight",
    ];
    assert_eq!(names(weights), expected);
    assert!(model.encoder.layers[0].to_string().ends_with("(activation): PReLU(num_parameters=1)\n)"));
    Ok(())
}

/// An encoder that passes its input on.
#[derive(Module)]
struct Through {
    core: Core,
    unused: nn::Linear,
}

impl nn::Forward<(Tensor, TransformerEncoderCall)> for Through {
    fn forward(&self, (x, _): (Tensor, TransformerEncoderCall)) -> Result<Tensor> {
        Ok(x)
    }
}

/// A decoder that returns the memory.
#[derive(Module)]
struct Memory {
    core: Core,
}

impl nn::Forward<(Tensor, Tensor, TransformerDecoderCall)> for Memory {
    fn forward(&self, (_, memory, _): (Tensor, Tensor, TransformerDecoderCall)) -> Result<Tensor> {
        Ok(memory)
    }
}

#[test]
fn a_transformer_takes_parts_of_ones_own() -> Result<()> {
    let encoder = Through { core: Core::new(), unused: nn::Linear::new(4, 4)? };
    nn::init::zeros_(&encoder.unused.weight)?;
    let model = nn::Transformer::custom(encoder, Memory { core: Core::new() }, 4, false)?;
    assert!(values(&model.encoder.unused.weight.detach()).iter().any(|&v| v != 0.0), "drawn anew");
    let x = Tensor::ones([3, 1, 4])?;
    let y: Tensor = model.call((&x, Tensor::zeros([2, 1, 4])?))?;
    assert_eq!(values(&y), values(&x));
    Ok(())
}

/// Twice what is stored.
#[derive(Module)]
struct Double {
    core: Core,
}

impl nn::Forward for Double {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        x.mul(2)
    }
}

impl Parametrization for Double {
    type Originals = Tensor;
}

#[test]
fn attention_reads_computed_parameters_but_does_not_call_its_last_layer() -> Result<()> {
    let mut attention = nn::MultiheadAttention::builder(4, 2).bias(false).build()?;
    let x = Tensor::rand([3, 4])?;
    let call = || AttentionCall::new().need_weights(false);
    let (before, _) = attention.call((&x, &x, &x, call()))?;
    register_parametrization(&mut attention.out_proj, "weight", Double { core: Core::new() })?;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    attention.out_proj.register_forward_hook(move |_, _, _| {
        counted.fetch_add(1, Relaxed);
        Ok(None)
    });
    let (after, _) = attention.call((&x, &x, &x, call()))?;
    assert_close(&after, &values(&before.mul(2)?.detach()));
    assert_eq!(calls.load(Relaxed), 0);
    Ok(())
}

#[test]
fn a_mask_of_another_dtype_is_made_of_it() -> Result<()> {
    let mask = nn::Transformer::generate_square_subsequent_mask_with(2, DType::F64)?;
    assert_eq!(mask.to_vec::<f64>()?, [0.0, f64::NEG_INFINITY, 0.0, 0.0]);
    assert_eq!(values(&nn::Transformer::generate_square_subsequent_mask(2)?), [0.0, f32::NEG_INFINITY, 0.0, 0.0]);
    Ok(())
}
