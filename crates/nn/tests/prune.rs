//! Pruning against PyTorch 2.15.
#![allow(clippy::unwrap_used)]

mod common;

use common::values;
use firebrick::nn::utils::prune::{self, L1Unstructured, RandomStructured};
use firebrick::prelude::*;
use firebrick::{Generator, catch_warnings};

fn seeded<T>(seed: u64, make: impl FnOnce() -> Result<T>) -> Result<T> {
    Generator::new().manual_seed(seed).scope(make)
}

fn mask(module: &dyn Module, name: &str) -> Vec<f32> {
    values(module.get_buffer(&format!("{name}_mask")).unwrap())
}

#[test]
fn one_method_follows_another() -> Result<()> {
    seeded(0, || {
        let mut layer = nn::Linear::new(3, 4)?;
        prune::l1_unstructured(&mut layer, "weight", 0.3, None)?;
        assert_eq!(mask(&layer, "weight"), [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
        prune::ln_structured(&mut layer, "weight", 0.5, 2, 0, None)?;
        assert_eq!(mask(&layer, "weight"), [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        prune::random_unstructured(&mut layer, "weight", 2)?;
        let left = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(mask(&layer, "weight"), left);
        assert_eq!(layer.state_dict().keys().collect::<Vec<_>>(), ["bias", "weight_orig", "weight_mask"]);
        layer.call(Tensor::ones([1, 3])?)?.sum()?.backward()?;
        assert_eq!(values(&layer.get_parameter("weight_orig")?.grad().unwrap()), left);
        assert!(prune::is_pruned(&layer));
        prune::remove(&mut layer, "weight")?;
        assert!(!prune::is_pruned(&layer));
        assert_eq!(layer.state_dict().keys().collect::<Vec<_>>(), ["bias", "weight"]);
        let zeros = values(&layer.weight.detach()).iter().filter(|&&w| w == 0.0).count();
        assert_eq!(zeros, 9);
        Ok(())
    })
}

#[test]
fn random_methods_draw_pytorchs_numbers() -> Result<()> {
    let structured = seeded(3, || {
        let mut layer = nn::Linear::new(3, 4)?;
        prune::random_structured(&mut layer, "weight", 2, 1).map(|()| layer)
    })?;
    assert_eq!(mask(&structured, "weight"), [0.0, 1.0, 0.0].repeat(4));
    let unstructured = seeded(3, || {
        let mut layer = nn::Linear::new(3, 4)?;
        prune::random_unstructured(&mut layer, "weight", 0.5).map(|()| layer)
    })?;
    assert_eq!(mask(&unstructured, "weight"), [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
    Ok(())
}

#[test]
fn several_parameters_are_pruned_as_one() -> Result<()> {
    let mut model = seeded(0, || {
        let mut first = nn::Linear::new(2, 3)?;
        prune::l1_unstructured(&mut first, "weight", 1, None)?;
        Ok(nn::Sequential::new().add(first).add(nn::Linear::new(3, 2)?))
    })?;
    prune::global_unstructured(&mut model, &["0.weight", "1.weight", "0.bias"], &L1Unstructured::new(0.4)?)?;
    assert_eq!(mask(&model, "0.weight"), [0.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
    assert_eq!(mask(&model, "1.weight"), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    assert_eq!(mask(&model, "0.bias"), [0.0, 1.0, 0.0]);
    let refused = prune::global_unstructured(&mut model, &["1.weight"], &RandomStructured::new(1, 0)?).unwrap_err();
    assert!(refused.to_string().starts_with("Only \"unstructured\" PRUNING_TYPE supported"));
    Ok(())
}

#[test]
fn norms_of_slices_are_those_of_pytorch() -> Result<()> {
    let mut conv = seeded(0, || nn::Conv2d::new(2, 3, 2))?;
    prune::ln_structured(&mut conv, "weight", 1, "fro", 1, None)?;
    let channels = [[0.0; 4], [1.0; 4]].concat().repeat(3);
    assert_eq!(mask(&conv, "weight"), channels);
    let mut conv = seeded(0, || nn::Conv1d::new(2, 3, 2))?;
    prune::ln_structured(&mut conv, "weight", 1, "nuc", 0, None)?;
    assert_eq!(mask(&conv, "weight"), [[1.0; 4], [1.0; 4], [0.0; 4]].concat());
    Ok(())
}

#[test]
fn copies_are_pruned_on_their_own() -> Result<()> {
    let mut layer = nn::Linear::new(2, 2)?;
    prune::custom_from_mask(&mut layer, "weight", &Tensor::new([[1.0f32, 0.0], [0.0, 0.0]])?)?;
    let mut copy = layer.deep_clone()?;
    prune::custom_from_mask(&mut copy, "weight", &Tensor::zeros([2, 2])?)?;
    assert_eq!(mask(&layer, "weight"), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(mask(&copy, "weight"), [0.0; 4]);
    let x = Tensor::ones([1, 2])?;
    assert_eq!(values(&copy.call(&x)?.detach()), values(&copy.bias.as_ref().unwrap().detach()));
    assert_ne!(values(&layer.call(&x)?.detach()), values(&copy.call(&x)?.detach()));
    Ok(())
}

#[test]
fn what_cannot_be_pruned_is_refused_in_pytorchs_words() -> Result<()> {
    let mut layer = nn::Linear::new(3, 4)?;
    let texts = [
        (
            prune::l1_unstructured(&mut layer, "weight", 1.5, None),
            "amount=1.5 should either be a float in the range [0, 1] or a non-negative integer",
        ),
        (
            prune::l1_unstructured(&mut layer, "weight", -1, None),
            "amount=-1 should either be a float in the range [0, 1] or a non-negative integer",
        ),
        (
            prune::l1_unstructured(&mut layer, "weight", 13, None),
            "amount=13 should be smaller than the number of parameters to prune=12",
        ),
        (
            prune::ln_structured(&mut layer, "bias", 1, 2, 0, None),
            "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape torch.Size([4]) with 1 dims",
        ),
        (
            prune::ln_structured(&mut layer, "weight", 1, 2, 2, None),
            "Invalid index 2 for tensor of size torch.Size([4, 3])",
        ),
        (
            prune::remove(&mut layer, "weight"),
            "Parameter 'weight' of module Linear(in_features=3, out_features=4, bias=True) has to be pruned before pruning can be removed",
        ),
        (prune::identity(&mut layer, "foo"), "'Linear' object has no attribute 'foo'"),
        (
            prune::l1_unstructured(&mut layer, "weight", 1, Some(&Tensor::ones([2])?)),
            "importance_scores should have the same shape as parameter weight of Linear(in_features=3, out_features=4, bias=True), got torch.Size([2]) vs torch.Size([4, 3])",
        ),
        (
            prune::custom_from_mask(&mut layer, "weight", &Tensor::ones([2, 2])?),
            "default_mask shape torch.Size([4, 3]) must match self.mask shape torch.Size([2, 2])",
        ),
    ];
    for (result, expected) in texts {
        assert_eq!(result.unwrap_err().to_string(), expected);
    }
    assert_eq!(layer.state_dict().keys().collect::<Vec<_>>(), ["weight", "bias"]);
    Ok(())
}

#[test]
fn the_older_weight_norm_is_pytorchs() -> Result<()> {
    let mut layer = seeded(0, || nn::Linear::new(2, 2))?;
    let (result, warnings) = catch_warnings(|| nn::utils::weight_norm(&mut layer, "weight", 0));
    result?;
    assert_eq!(warnings.len(), 1);
    assert_eq!(layer.state_dict().keys().collect::<Vec<_>>(), ["bias", "weight_g", "weight_v"]);
    let close = |got: &Tensor, expected: &[f32]| {
        let got = values(&got.detach());
        assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "got {got:?}, expected {expected:?}");
    };
    close(layer.get_parameter("weight_g")?, &[0.379_359_8, 0.780_707_8]);
    layer.call(Tensor::ones([1, 2])?)?.sum()?.backward()?;
    close(&layer.get_parameter("weight_g")?.grad().unwrap(), &[0.985_947_5, -1.412_011]);
    close(&layer.get_parameter("weight_v")?.grad().unwrap(), &[1.013_759, 0.014_148_6, -0.052_587_59, 0.058_811_86]);
    nn::init::ones_(layer.get_parameter("weight_g")?)?;
    nn::utils::remove_weight_norm(&mut layer, "weight")?;
    close(&layer.weight, &[-0.013_955_04, 0.999_902_6, -0.745_452_7, -0.666_558_6]);
    let again = nn::utils::remove_weight_norm(&mut layer, "weight").unwrap_err();
    assert_eq!(
        again.to_string(),
        "weight_norm of 'weight' not found in Linear(in_features=2, out_features=2, bias=True)"
    );
    Ok(())
}
