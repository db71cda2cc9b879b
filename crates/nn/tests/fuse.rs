//! Batch normalization merged into the layer before it, against PyTorch 2.15.
#![allow(clippy::unwrap_used)]

mod common;

use common::values;
use firebrick::Generator;
use firebrick::nn::utils::{fuse_conv_bn_eval, fuse_linear_bn_eval};
use firebrick::prelude::*;

fn normalization() -> Result<nn::BatchNorm1d> {
    let bn = nn::BatchNorm1d::new(3)?;
    for (name, numbers) in [
        ("running_mean", [0.1f32, 0.2, 0.3]),
        ("running_var", [1.0, 2.0, 3.0]),
        ("weight", [1.0, -1.0, 2.0]),
        ("bias", [0.0, 1.0, 2.0]),
    ] {
        let values = Tensor::new(numbers)?;
        bn.state_dict().get(name).unwrap().copy_(&values)?;
    }
    bn.eval();
    Ok(bn)
}

fn close(got: &Tensor, expected: &[f32]) {
    let got = values(&got.detach());
    assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "got {got:?}, expected {expected:?}");
}

#[test]
fn a_transposed_convolution_takes_up_the_normalization() -> Result<()> {
    let conv = Generator::new().manual_seed(0).scope(|| nn::ConvTranspose1d::new(2, 3, 2))?;
    let bn = normalization()?;
    assert_eq!(fuse_conv_bn_eval(&conv, &bn).map(drop).unwrap_err().to_string(), "Fusion only for eval!");
    conv.eval();
    let fused = fuse_conv_bn_eval(&conv, &bn)?;
    let weight = [
        -0.003_056_466,
        0.219_001_1,
        0.237_592_1,
        0.212_446_8,
        -0.181_563_2,
        0.126_410_4,
        -0.008_088_657,
        0.323_694_2,
        0.025_618_14,
        -0.076_386_88,
        -0.142_464_4,
        -0.092_661_66,
    ];
    close(&fused.weight, &weight);
    close(fused.bias.as_ref().unwrap(), &[-0.490_017, 1.332_605, 1.459_267]);
    let x = Tensor::rand([2, 2, 5])?;
    let both = bn.call(conv.call(&x)?)?;
    assert!(both.allclose(&fused.call(&x)?, 1e-5, 1e-6, false)?);
    Ok(())
}

#[test]
fn a_linear_layer_without_bias_gets_one() -> Result<()> {
    let linear = Generator::new().manual_seed(0).scope(|| nn::Linear::builder(2, 3).bias(false).build())?;
    linear.eval();
    let fused = fuse_linear_bn_eval(&linear, &normalization()?)?;
    close(&fused.weight, &[-0.005_293_955, 0.379_321, 0.411_521_5, 0.367_968_6, -0.314_476_7, 0.218_949_2]);
    let bias = fused.bias.as_ref().unwrap();
    close(bias, &[-0.099_999_5, 1.141_421, 1.653_59]);
    assert!(!bias.requires_grad());
    assert_eq!(fused.to_string(), "Linear(in_features=2, out_features=3, bias=True)");
    let wide = nn::BatchNorm1d::new(4)?;
    wide.eval();
    assert_eq!(
        fuse_linear_bn_eval(&linear, &wide).map(drop).unwrap_err().to_string(),
        "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got linear.out_features=3 and bn.num_features=4"
    );
    Ok(())
}
