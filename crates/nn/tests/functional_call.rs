//! Calls with other tensors in the places of parameters and buffers.

mod common;

use common::{Mlp, message, values};
use firebrick::autograd;
use firebrick::nn::{functional_call, functional_call_strict};
use firebrick::prelude::*;
use std::sync::Arc;

fn state<const N: usize>(entries: [(&str, Tensor); N]) -> StateDict {
    StateDict::from_iter(entries)
}

#[test]
fn gradients_flow_to_the_given_tensors() -> Result<()> {
    let m = common::constant_linear(1, 1, 2.0, 0.0)?;
    let given = Tensor::new([[5.0f32]])?;
    given.requires_grad_(true)?;
    let y = functional_call(&m, &state([("weight", given.clone())]), Tensor::new([[3.0f32]])?)?;
    y.sum()?.backward()?;
    assert_eq!((values(&y.detach()), given.grad().map(|g| values(&g))), (vec![15.0], Some(vec![3.0])));
    assert!(m.weight.grad().is_none() && m.bias.as_ref().is_some_and(|b| b.grad().is_some()));
    assert_eq!(values(&m.weight.detach()), [2.0]);
    Ok(())
}

#[test]
fn second_derivatives_pass_through_an_update() -> Result<()> {
    let m = common::constant_linear(1, 1, 2.0, 0.0)?;
    let x = Tensor::ones([1, 1])?;
    let loss = m.call(&x)?.square()?.sum()?;
    let grads = autograd::Grad::new(&[&loss], &[&m.weight]).create_graph(true).run()?;
    let step = m.weight.sub(grads[0].mul(0.25)?)?; // w - w/2
    functional_call(&m, &state([("weight", step)]), &x)?.square()?.sum()?.backward()?;
    // d/dw (w/2)^2 = w/2
    assert_eq!(m.weight.grad().map(|g| values(&g)), Some(vec![1.0]));
    Ok(())
}

#[test]
fn buffers_change_where_they_were_given() -> Result<()> {
    let norm = nn::BatchNorm1d::new(1)?;
    let mean = Tensor::zeros([1])?;
    functional_call(&norm, &state([("running_mean", mean.clone())]), Tensor::new([[1.0f32], [3.0]])?)?;
    assert_eq!(values(&mean), [0.2]);
    assert_eq!(values(norm.get_buffer("running_mean")?), [0.0]);
    assert_eq!(norm.get_buffer("num_batches_tracked")?.item::<i64>()?, 1);
    Ok(())
}

#[test]
fn names_are_checked_as_pytorch_does() -> Result<()> {
    let net = nn::Sequential::new().add(nn::Linear::new(1, 1)?).add(nn::BatchNorm1d::new(1)?);
    let (x, one) = (Tensor::ones([2, 1])?, Tensor::ones([1, 1])?);
    functional_call(&net, &state([("nope", one.clone()), ("0.nope", one.clone())]), &x)?;
    assert_eq!(message(functional_call(&net, &state([("a.b", one.clone())]), &x)), "Sequential has no attribute `a`");
    let head = "Error(s) in reparametrizing for Sequential:\n\t";
    let rest = "'1.bias', '1.num_batches_tracked', '1.running_mean', '1.running_var', '1.weight'";
    assert_eq!(
        message(functional_call_strict(&net, &state([("0.weight", one.clone())]), &x)),
        format!("{head}Missing key(s): '0.bias', {rest}.")
    );
    assert_eq!(
        message(functional_call_strict(&net, &state([("nope", one.clone()), ("a.b", one)]), &x)),
        format!("{head}Unexpected key(s): 'a.b', 'nope'.\n\tMissing key(s): '0.bias', '0.weight', {rest}.")
    );
    functional_call_strict(&net, &net.state_dict(), &x)?;
    Ok(())
}

#[test]
fn one_name_stands_for_all_that_are_tied() -> Result<()> {
    let layer = Arc::new(nn::Linear::builder(1, 1).bias(false).build()?);
    let net = nn::Sequential::new().add(layer.clone()).add(layer);
    let (x, two) = (Tensor::ones([1, 1])?, Tensor::full([1, 1], 2.0f32)?);
    assert_eq!(values(&functional_call(&net, &state([("0.weight", two.clone())]), &x)?.detach()), [4.0]);
    functional_call_strict(&net, &state([("1.weight", two.clone())]), &x)?;
    let both = state([("0.weight", two.clone()), ("1.weight", Tensor::zeros([1, 1])?)]);
    assert_eq!(
        message(functional_call(&net, &both, &x)),
        "functional_call got multiple values for keys ['0.weight', '1.weight'], which are tied. Consider using tie_weights=False"
    );
    let same = state([("0.weight", two.clone()), ("1.weight", two)]);
    assert_eq!(values(&functional_call(&net, &same, &x)?.detach()), [4.0]);
    Ok(())
}

#[test]
fn the_module_keeps_its_own_after_an_error_too() -> Result<()> {
    let net = Mlp::new(1, 2, 1)?;
    let x = Tensor::ones([1, 1])?;
    let before = values(&net.call(&x)?.detach());
    let wrong = state([("fc2.weight", Tensor::ones([1, 5])?)]);
    assert!(functional_call(&net, &wrong, &x).is_err());
    assert_eq!(values(&net.call(&x)?.detach()), before);
    Ok(())
}
