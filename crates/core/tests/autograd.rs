//! The engine: accumulation, graph reuse, in-place changes, views, deep chains.
#![allow(clippy::unwrap_used)]

use firebrick_core::autograd::{self, Backward, Grad};
use firebrick_core::{Result, Tensor};

fn leaf(values: &[f64]) -> Tensor {
    let x = Tensor::new(values).unwrap();
    x.requires_grad_(true).unwrap();
    x
}

fn grad(x: &Tensor) -> Vec<f64> {
    x.grad().unwrap().to_vec().unwrap()
}

#[test]
fn broadcasting_is_undone() -> Result<()> {
    let (x, s) = (leaf(&[1., 2., 3.]), leaf(&[2.]));
    x.mul(&s)?.sum()?.backward()?;
    assert_eq!((grad(&x), grad(&s)), (vec![2.; 3], vec![6.]));
    Ok(())
}

#[test]
fn gradients_accumulate_in_place() -> Result<()> {
    let x = leaf(&[1., 2.]);
    x.mul(3.0)?.sum()?.backward()?;
    let held = x.grad().unwrap();
    x.mul(3.0)?.sum()?.backward()?;
    assert_eq!(held.to_vec::<f64>()?, [6., 6.]);
    Ok(())
}

#[test]
fn a_used_graph_says_how_to_keep_it() -> Result<()> {
    let x = leaf(&[1., 2.]);
    let y = x.exp()?.sum()?;
    y.backward_with(Backward::new().retain_graph(true))?;
    y.backward()?;
    let error = y.backward().unwrap_err().to_string();
    assert!(error.starts_with("Trying to backward through the graph a second time"), "{error}");
    Ok(())
}

#[test]
fn second_derivatives_come_from_recording_the_pass() -> Result<()> {
    let x = leaf(&[2.]);
    let y = x.mul(&x)?.mul(&x)?.sum()?;
    let first = Grad::new(&[&y], &[&x]).create_graph(true).run()?.remove(0);
    assert_eq!(first.to_vec::<f64>()?, [12.]);
    assert_eq!(autograd::grad(&first.sum()?, &x)?.to_vec::<f64>()?, [12.]);
    Ok(())
}

#[test]
fn a_changed_saved_tensor_is_an_error() -> Result<()> {
    let x = leaf(&[1., 2.]);
    let y = x.exp()?;
    let z = y.mul(&y)?.sum()?;
    y.add_(1.0)?;
    let error = z.backward().unwrap_err().to_string();
    assert!(error.contains("modified by an inplace operation: [torch.DoubleTensor [2]], which is output 0 of Add, is at version 1; expected version 0 instead"), "{error}");
    Ok(())
}

#[test]
fn data_set_between_forward_and_backward_is_noticed() -> Result<()> {
    let (x, w) = (leaf(&[1., 2.]), leaf(&[3., 4.]));
    let y = x.mul(&w)?.sum()?;
    w.set_data(&Tensor::new([5.0f64, 6.0])?)?;
    assert!(y.backward().unwrap_err().to_string().contains("set_data"));
    Ok(())
}

#[test]
fn in_place_on_a_leaf_is_refused_and_on_a_result_recorded() -> Result<()> {
    let x = leaf(&[1., 2.]);
    assert!(x.add_(1.0).unwrap_err().to_string().starts_with("a leaf Variable that requires grad"));
    let y = x.mul(2.0)?;
    y.mul_(&x)?;
    y.sum()?.backward()?;
    assert_eq!(grad(&x), [4., 8.]);
    assert_eq!(y.grad_fn(), Some("MulBackward0"));
    Ok(())
}

#[test]
fn writing_into_a_view_rewrites_the_history_of_its_base() -> Result<()> {
    let x = leaf(&[1., 2., 3., 4.]);
    let y = x.mul(1.0)?;
    let view = y.narrow(0, 1, 2)?;
    view.mul_(10.0)?;
    assert_eq!(y.grad_fn(), Some("CopySlices"));
    assert_eq!(view.grad_fn(), Some("AsStridedBackward0"));
    y.sum()?.backward()?;
    assert_eq!(grad(&x), [1., 10., 10., 1.]);
    Ok(())
}

#[test]
fn a_view_sees_the_history_its_base_gets() -> Result<()> {
    let (base, w) = (Tensor::new([1.0f64, 2.0, 3.0, 4.0])?, leaf(&[2., 3., 4., 5.]));
    let view = base.view([2, 2])?.select(0, 1)?;
    assert!(!view.requires_grad());
    base.mul_(&w)?;
    assert!(view.requires_grad());
    view.sum()?.backward()?;
    assert_eq!(grad(&w), [0., 0., 3., 4.]);
    Ok(())
}

#[test]
fn assigning_into_a_view_sends_gradients_to_both() -> Result<()> {
    let (x, part) = (leaf(&[1., 2., 3.]), leaf(&[7.]));
    let y = x.mul(1.0)?;
    y.narrow(0, 1, 1)?.copy_(&part)?;
    assert_eq!(y.to_vec::<f64>()?, [1., 7., 3.]);
    y.mul(&Tensor::new([1.0f64, 2.0, 3.0])?)?.sum()?.backward()?;
    assert_eq!((grad(&x), grad(&part)), (vec![1., 0., 3.], vec![2.]));
    Ok(())
}

#[test]
fn hooks_see_and_replace_gradients() -> Result<()> {
    let x = leaf(&[1., 2.]);
    let y = x.mul(3.0)?;
    y.register_hook(|g| Ok(Some(g.mul(2.0)?)))?;
    y.retain_grad()?;
    y.sum()?.backward()?;
    assert_eq!((grad(&y), grad(&x)), (vec![2., 2.], vec![6., 6.]));
    Ok(())
}

#[test]
fn a_million_node_chain_neither_overflows_nor_leaks() -> Result<()> {
    let x = leaf(&[1.]);
    let mut y = x.clone();
    for _ in 0..1_000_000 {
        y = y.mul(1.0)?;
    }
    y.sum()?.backward()?;
    drop(y);
    let before = firebrick_core::memory_stats().in_use;
    let mut y = x.clone();
    for _ in 0..1_000_000 {
        y = y.mul(&x)?;
    }
    drop(y);
    assert!(firebrick_core::memory_stats().in_use <= before + (1 << 16));
    assert_eq!(grad(&x), [1.]);
    Ok(())
}

#[test]
fn tensors_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<Tensor>();
}

#[test]
fn the_gradient_of_a_factor_lies_as_the_factor_does() -> Result<()> {
    let (x, w) = (Tensor::ones([2, 3])?, Tensor::ones([4, 3])?);
    x.requires_grad_(true)?;
    w.requires_grad_(true)?;
    for bias in [None, Some(Tensor::ones([4])?)] {
        x.set_grad(None)?;
        w.set_grad(None)?;
        x.linear(&w, bias.as_ref())?.mul(&Tensor::arange(8)?.reshape([2, 4])?)?.sum()?.backward()?;
        let grad = w.grad().unwrap();
        assert_eq!((grad.shape().to_vec(), grad.stride().to_vec()), (vec![4, 3], vec![3, 1]));
        assert_eq!(grad.select(1, 0)?.to_vec::<f32>()?, [4.0, 6.0, 8.0, 10.0]);
        assert_eq!(x.grad().unwrap().select(1, 0)?.to_vec::<f32>()?, [6.0, 22.0]);
    }
    Ok(())
}
