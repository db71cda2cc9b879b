//! Spectral and weight normalization: PyTorch 2.15's values for the same seed, names and errors.

mod common;

use common::{keys, message, values};
use firebrick::nn::utils::{self, SpectralNormOptions, parametrizations};
use firebrick::prelude::*;

#[track_caller]
fn close(given: &Tensor, expected: &[f32]) {
    let given = values(&given.detach());
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 2e-5 * b.abs().max(1.0);
    assert!(given.len() == expected.len() && given.iter().zip(expected).all(near), "{given:?} is not {expected:?}");
}

fn input() -> Result<Tensor> {
    Tensor::new([[1.0f32, 2.0]])
}

/// With a generator of its own: tests run side by side.
fn seeded<T>(make: impl FnOnce() -> Result<T>) -> Result<T> {
    firebrick::Generator::new().manual_seed(0).scope(make)
}

#[test]
fn spectral_norm_is_pytorchs() -> Result<()> {
    let m = seeded(|| {
        let mut m = nn::Linear::new(2, 3)?;
        parametrizations::spectral_norm(&mut m, "weight")?;
        Ok(m)
    })?;
    let y = m.call(input()?)?;
    y.sum()?.backward()?;
    close(&y, &[0.898_428_56, -1.404_778_7, 0.066_706_46]);
    let grad = m.get_parameter("parametrizations.weight.original")?.grad().expect("a gradient");
    close(&grad, &[1.464_07, 2.695_119, 0.495_215, 1.650_122_3, 1.168_695_3, 2.376_529_2]);
    close(m.get_buffer("parametrizations.weight.0._u")?, &[-0.332_544_9, 0.941_432, 0.055_853_75]);
    close(m.get_buffer("parametrizations.weight.0._v")?, &[-0.679_887, -0.733_316_9]);
    m.eval();
    close(&m.call(input()?)?, &[0.898_428_56, -1.404_778_7, 0.066_706_46]);
    Ok(())
}

#[test]
fn the_older_spectral_norm_is_pytorchs() -> Result<()> {
    let mut m = seeded(|| {
        let mut m = nn::Linear::new(2, 3)?;
        utils::spectral_norm(&mut m, "weight")?;
        Ok(m)
    })?;
    let y = m.call(input()?)?;
    y.sum()?.backward()?;
    close(&y, &[1.752_534_6, -3.244_564_3, 0.187_888_16]);
    let grad = m.get_parameter("weight_orig")?.grad().expect("a gradient");
    close(&grad, &[0.458_724_74, 6.421_949, 1.789_673_9, 5.199_713_7, -0.036_459_208, 6.876_685]);
    close(m.get_buffer("weight_u")?, &[0.610_774_3, 0.179_794_34, 0.771_121_74]);
    close(m.get_buffer("weight_v")?, &[-0.736_547_8, 0.676_385_4]);
    m.eval();
    close(&m.call(input()?)?, &[1.752_534_6, -3.244_564_3, 0.187_888_16]);
    let copy = m.deep_clone()?;
    close(&copy.call(input()?)?, &[1.752_534_6, -3.244_564_3, 0.187_888_16]);
    utils::remove_spectral_norm(&mut m, "weight")?;
    assert_eq!(keys(&m.state_dict()), ["bias", "weight"]);
    close(&m.weight, &[-0.012_413_928, 0.889_479_34, -1.364_694_6, -1.220_263_6, -0.638_626, 0.444_632_86]);
    close(&m.call(input()?)?, &[1.752_534_6, -3.244_564_3, 0.187_888_16]);
    assert_eq!(
        message(utils::remove_spectral_norm(&mut m, "weight")),
        "spectral_norm of 'weight' not found in Linear(in_features=2, out_features=3, bias=True)"
    );
    Ok(())
}

#[test]
fn weight_norm_is_pytorchs_along_each_dimension() -> Result<()> {
    let lengths: [(Option<i64>, &[f32], &[f32]); 4] = [
        (Some(0), &[0.379_359_84, 0.780_707_84, 0.331_852_56], &[2.992_087_8, 6.746_021_7, 0.068_854_265]),
        (Some(1), &[0.642_574_13, 0.671_299_6], &[2.836_448_4, 6.855_315_7]),
        (None, &[0.929_271_04], &[6.913_591]),
        (Some(-1), &[0.929_271_04], &[6.913_591]),
    ];
    for (dim, expected, gradient) in lengths {
        let m = seeded(|| {
            let mut m = nn::Linear::builder(2, 3).bias(false).build()?;
            parametrizations::weight_norm(&mut m, "weight", dim)?;
            Ok(m)
        })?;
        m.call(input()?)?.square()?.sum()?.backward()?;
        let length = m.get_parameter("parametrizations.weight.original0")?;
        close(length, expected);
        close(&length.grad().expect("a gradient"), gradient);
    }
    let mut conv = nn::Conv2d::builder(2, 3, 2).bias(false).build()?;
    parametrizations::weight_norm(&mut conv, "weight", 1)?;
    assert_eq!(conv.get_parameter("parametrizations.weight.original0")?.shape()?, [1, 2, 1, 1]);
    assert!(
        conv.to_string().starts_with("ParametrizedConv2d(\n  2, 3, kernel_size=(2, 2), stride=(1, 1), bias=False\n")
    );
    Ok(())
}

#[test]
fn weight_norm_reads_checkpoints_of_the_older_form() -> Result<()> {
    let mut m = nn::Linear::new(2, 3)?;
    parametrizations::weight_norm(&mut m, "weight", 0)?;
    let old = StateDict::from_iter([
        ("0.bias", Tensor::zeros([3])?),
        ("0.weight_g", Tensor::ones([3, 1])?),
        ("0.weight_v", Tensor::new([[3.0f32, 4.0], [1.0, 0.0], [0.0, 2.0]])?),
    ]);
    let net = nn::ModuleList::from([m]);
    assert_eq!(net.load_state_dict(&old)?.to_string(), "<All keys matched successfully>");
    close(&net[0].call(Tensor::ones([1, 2])?)?, &[1.4, 1.0, 1.0]);
    Ok(())
}

#[test]
fn a_vector_is_divided_by_its_length() -> Result<()> {
    let mut m = nn::Linear::new(2, 1)?;
    parametrizations::spectral_norm(&mut m, "bias")?;
    assert_eq!(keys(&m.state_dict()), ["weight", "parametrizations.bias.original"]);
    assert_eq!(values(&utils::parametrize::parametrized(&m, "bias")?.abs()?.detach()), [1.0]);
    Ok(())
}

#[test]
fn refusals_are_pytorchs() -> Result<()> {
    let mut m = nn::Linear::new(2, 3)?;
    assert_eq!(
        message(parametrizations::spectral_norm(&mut m, "nope")),
        "Module 'Linear(in_features=2, out_features=3, bias=True)' has no parameter or buffer with name 'nope'"
    );
    let none = SpectralNormOptions::new().n_power_iterations(0);
    let text = "Expected n_power_iterations to be positive, but got n_power_iterations=0";
    assert_eq!(message(parametrizations::spectral_norm_with(&mut m, "weight", &none)), text);
    assert_eq!(message(utils::spectral_norm_with(&mut m, "weight", &none)), text);
    let far = SpectralNormOptions::new().dim(2);
    assert_eq!(
        message(parametrizations::spectral_norm_with(&mut m, "weight", &far)),
        "Dimension out of range (expected to be in range of [-2, 1] but got 2)"
    );
    assert!(parametrizations::weight_norm(&mut m, "weight", 4).is_err());
    assert_eq!(keys(&m.state_dict()), ["weight", "bias"], "nothing has changed");
    utils::spectral_norm(&mut m, "weight")?;
    assert_eq!(
        message(utils::spectral_norm(&mut m, "weight")),
        "Cannot register two spectral_norm hooks on the same parameter weight"
    );
    let mut lazy = nn::Linear::lazy(2)?;
    assert!(
        message(utils::spectral_norm(&mut lazy, "weight"))
            .starts_with("The module passed to `SpectralNorm` can't have uninitialized parameters.")
    );
    Ok(())
}

#[test]
fn parameters_become_one_vector_and_back() -> Result<()> {
    let m = nn::Linear::new(2, 1)?;
    let vector = Tensor::new([1.0f32, 2.0, 3.0, 4.0])?;
    utils::vector_to_parameters(&vector, m.parameters())?;
    assert_eq!(values(&utils::parameters_to_vector(m.parameters())?.detach()), [1.0, 2.0, 3.0]);
    assert!(m.weight.shares_storage(&vector));
    assert_eq!(
        message(utils::vector_to_parameters(&Tensor::ones([1])?, m.parameters())),
        "shape '[1, 2]' is invalid for input of size 1"
    );
    assert_eq!(values(&m.weight.detach()), [1.0, 2.0]);
    assert_eq!(
        message(utils::parameters_to_vector(Vec::<Parameter>::new())),
        "torch.cat(): expected a non-empty list of Tensors"
    );
    Ok(())
}
