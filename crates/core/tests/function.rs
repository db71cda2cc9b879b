//! Operations with a gradient of the caller's: what PyTorch 2.15's `torch.autograd.Function` does in each case.
#![allow(clippy::unwrap_used)]

use firebrick_core::autograd::function::{BackwardContext, ForwardContext, Function, OutputGrads};
use firebrick_core::autograd::{Backward, Grad, gradcheck, gradgradcheck, no_grad};
use firebrick_core::{DType, Result, Tensor};
use std::sync::{Arc, Mutex};

type Grads = Result<Vec<Option<Tensor>>>;
type Forward = dyn Fn(&mut ForwardContext, &[Tensor]) -> Result<Vec<Tensor>> + Send + Sync;
type BackwardFn = dyn Fn(&BackwardContext<'_>, &OutputGrads) -> Grads + Send + Sync;

/// An operation made of two closures.
struct Made<const ONCE: bool>(Arc<Forward>, Arc<BackwardFn>);

impl<const ONCE: bool> Function for Made<ONCE> {
    const NAME: &'static str = "MadeBackward";
    const ONCE_DIFFERENTIABLE: bool = ONCE;

    fn forward(&mut self, ctx: &mut ForwardContext, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
        (self.0)(ctx, inputs)
    }

    fn backward(&self, ctx: &BackwardContext<'_>, grads: &OutputGrads) -> Grads {
        (self.1)(ctx, grads)
    }
}

fn made(
    forward: impl Fn(&mut ForwardContext, &[Tensor]) -> Result<Vec<Tensor>> + Send + Sync + 'static,
    backward: impl Fn(&BackwardContext<'_>, &OutputGrads) -> Grads + Send + Sync + 'static,
) -> Made<false> {
    Made(Arc::new(forward), Arc::new(backward))
}

/// Twice its input, with the given gradient.
fn doubling(backward: impl Fn(&Tensor) -> Grads + Send + Sync + 'static) -> Made<false> {
    made(|_, x| Ok(vec![x[0].mul(2)?]), move |_, g| backward(g.get(0)?))
}

/// The product of two tensors, which it saves.
fn product() -> Made<false> {
    made(
        |ctx, x| {
            ctx.save_for_backward(&[&x[0], &x[1]]);
            Ok(vec![x[0].mul(&x[1])?])
        },
        |ctx, g| {
            let (saved, g) = (ctx.saved_tensors()?, g.get(0)?);
            Ok(vec![Some(g.mul(&saved[1])?), Some(g.mul(&saved[0])?)])
        },
    )
}

fn leaf(values: &[f64]) -> Tensor {
    let x = Tensor::new(values).unwrap();
    x.requires_grad_(true).unwrap();
    x
}

fn grad(x: &Tensor) -> Option<Vec<f64>> {
    x.grad().map(|g| g.to_vec().unwrap())
}

fn text<T>(result: Result<T>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn first_and_second_derivatives_are_those_of_finite_differences() -> Result<()> {
    let inputs = [leaf(&[0.5, -1.5, 2.0]), leaf(&[1.25, 0.75, -0.5])];
    let call = |x: &[Tensor]| Ok(product().apply(&[&x[0], &x[1]])?.remove(0));
    gradcheck(call, &inputs)?;
    gradgradcheck(call, &inputs)?;
    let saving_its_output = |x: &[Tensor]| {
        let exp = made(
            |ctx, x| {
                let out = x[0].exp()?;
                ctx.save_for_backward(&[&out]);
                Ok(vec![out])
            },
            |ctx, g| Ok(vec![Some(g.get(0)?.mul(&ctx.saved_tensors()?[0])?)]),
        );
        Ok(exp.apply(&[&x[0]])?.remove(0))
    };
    gradcheck(saving_its_output, &inputs[..1])?;
    gradgradcheck(saving_its_output, &inputs[..1])
}

#[test]
fn several_outputs_and_inputs_have_their_own_gradients() -> Result<()> {
    let both = || {
        made(
            |ctx, x| {
                ctx.save_for_backward(&[&x[0], &x[1]]);
                Ok(vec![x[0].add(&x[1])?, x[0].mul(&x[1])?])
            },
            |ctx, g| {
                let (saved, sum, product) = (ctx.saved_tensors()?, g.get(0)?, g.get(1)?);
                Ok(vec![Some(sum.add(product.mul(&saved[1])?)?), Some(sum.add(product.mul(&saved[0])?)?)])
            },
        )
    };
    let inputs = [leaf(&[0.5, -1.5]), leaf(&[1.25, 0.75])];
    let call = |x: &[Tensor]| {
        let out = both().apply(&[&x[0], &x[1]])?;
        out[0].mul(&out[1])
    };
    gradcheck(call, &inputs)?;
    gradgradcheck(call, &inputs)
}

#[test]
fn nothing_is_recorded_in_forward_and_the_context_knows_what_is_needed() -> Result<()> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let f = made(
        move |ctx, x| {
            let recorded = x[0].mul(2)?.requires_grad();
            log.lock().unwrap().push((ctx.needs_input_grad().to_vec(), x[0].requires_grad(), recorded));
            Ok(vec![x[0].mul(&x[1])?])
        },
        |ctx, g| {
            assert_eq!(ctx.needs_input_grad(), [true, false]);
            Ok(vec![Some(g.get(0)?.clone()), None])
        },
    );
    let x = leaf(&[2.0]);
    let y = f.apply(&[&x, &Tensor::new([3.0f64])?])?.remove(0);
    assert_eq!((y.grad_fn(), y.is_leaf()), (Some("MadeBackward"), false));
    y.backward()?;
    assert_eq!(*seen.lock().unwrap(), [(vec![true, false], true, false)]);
    assert_eq!(grad(&x), Some(vec![1.0]));
    assert!(!no_grad(|| product().apply(&[&x, &x]))?[0].requires_grad());
    assert!(!product().apply(&[&x.detach(), &x.detach()])?[0].requires_grad());
    Ok(())
}

#[test]
fn gradients_of_the_wrong_number_or_shape_are_refused_in_pytorchs_words() -> Result<()> {
    let run = |f: Made<false>, x: &Tensor| f.apply(&[x])?[0].sum()?.backward();
    let x = leaf(&[1.0, 2.0]);
    let two = doubling(|g| Ok(vec![Some(g.clone()), Some(g.clone())]));
    assert_eq!(
        text(run(two, &x)),
        "function MadeBackward returned an incorrect number of gradients (expected 1, got 2)"
    );
    let none = doubling(|_| Ok(vec![]));
    assert_eq!(
        text(run(none, &x)),
        "function MadeBackward returned an incorrect number of gradients (expected 1, got 0)"
    );
    let wrong = doubling(|_| Ok(vec![Some(Tensor::ones([3])?)]));
    assert_eq!(
        text(run(wrong, &x)),
        "Function MadeBackward returned an invalid gradient at index 0 - got [3] but expected shape compatible with [2]"
    );
    assert_eq!(text(run(doubling(|_| Err(firebrick_core::Error::value("mine", "mine"))), &x)), "mine");
    assert_eq!(grad(&x), None);
    // What PyTorch takes: a `None` too many, a shape the input broadcasts to, another dtype.
    run(doubling(|g| Ok(vec![Some(g.clone()), None])), &x)?;
    run(doubling(|_| Ok(vec![Some(Tensor::ones_with([4, 2], DType::I64)?)])), &x)?;
    assert_eq!(grad(&x), Some(vec![5.0, 5.0]));
    Ok(())
}

#[test]
fn no_gradient_for_an_input_leaves_it_alone() -> Result<()> {
    let (a, b) = (leaf(&[1.0]), leaf(&[2.0]));
    let f = || made(|_, x| Ok(vec![x[0].add(&x[1])?]), |_, g| Ok(vec![None, Some(g.get(0)?.clone())]));
    f().apply(&[&a, &b])?[0].backward()?;
    assert_eq!((grad(&a), grad(&b)), (None, Some(vec![1.0])));
    let y = f().apply(&[&a, &b])?.remove(0);
    assert!(text(Grad::new(&[&y], &[&a]).retain_graph(true).run()).starts_with("The differentiated Tensor at index 0"));
    assert!(Grad::new(&[&y], &[&a]).run_allow_unused()?[0].is_none());
    Ok(())
}

#[test]
fn missing_gradients_are_zeros_unless_that_is_turned_off() -> Result<()> {
    for on in [true, false] {
        let f = made(
            move |ctx, x| {
                ctx.set_materialize_grads(on);
                Ok(vec![x[0].mul(2)?, x[0].mul(3)?])
            },
            move |_, g| {
                assert_eq!(g.len(), 2);
                match on {
                    true => assert_eq!(g.get(1)?.to_vec::<f64>()?, [0.0, 0.0]),
                    false => {
                        assert!(g.maybe(1).is_none());
                        assert_eq!(text(g.get(1)), "there is no gradient of output 1");
                    }
                }
                Ok(vec![Some(g.get(0)?.mul(2)?)])
            },
        );
        let x = leaf(&[1.0, 2.0]);
        f.apply(&[&x])?[0].sum()?.backward()?;
        assert_eq!(grad(&x), Some(vec![2.0, 2.0]));
    }
    Ok(())
}

#[test]
fn outputs_that_are_marked_or_integers_have_no_gradient() -> Result<()> {
    let f = made(
        |ctx, x| {
            let (a, b) = (x[0].mul(2)?, x[0].mul(3)?);
            ctx.mark_non_differentiable(&[&b]);
            Ok(vec![a, b, x[0].to(DType::I64)?])
        },
        |_, g| Ok(vec![Some(g.get(0)?.mul(2)?)]),
    );
    let x = leaf(&[1.0, 2.0]);
    let out = f.apply(&[&x])?;
    assert_eq!(out.iter().map(Tensor::requires_grad).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(out[1].grad_fn(), None);
    out[0].sum()?.backward()?;
    assert_eq!(grad(&x), Some(vec![2.0, 2.0]));
    Ok(())
}

/// Doubles its input in place, with a gradient that tells.
fn doubling_in_place() -> Made<false> {
    made(
        |ctx, x| {
            x[0].mul_(2)?;
            ctx.mark_dirty(&[&x[0]]);
            Ok(vec![x[0].clone()])
        },
        |_, g| Ok(vec![Some(g.get(0)?.mul(20)?)]),
    )
}

#[test]
fn an_input_changed_in_place_gets_the_operation_as_its_history() -> Result<()> {
    let x = leaf(&[1.0, 2.0]);
    let w = x.mul(1)?;
    let out = doubling_in_place().apply(&[&w])?.remove(0);
    assert!(out.ptr_eq(&w));
    assert_eq!((w.grad_fn(), w.version()?), (Some("MadeBackward"), 2));
    out.sum()?.backward()?;
    assert_eq!(grad(&x), Some(vec![20.0, 20.0]));
    // A view's change belongs to its base.
    let x = leaf(&[1.0, 2.0]);
    let w = x.mul(1)?;
    let part = w.narrow(0, 0, 1)?;
    doubling_in_place().apply(&[&part])?;
    assert_eq!((part.grad_fn(), w.grad_fn()), (Some("AsStridedBackward0"), Some("CopySlices")));
    w.sum()?.backward()?;
    assert_eq!(grad(&x), Some(vec![20.0, 1.0]));
    Ok(())
}

#[test]
fn a_second_input_that_is_a_view_changes_in_place_too() -> Result<()> {
    let add_into = made(
        |ctx, x| {
            x[1].add_(&x[0])?;
            ctx.mark_dirty(&[&x[1]]);
            Ok(vec![x[1].clone()])
        },
        |_, g| Ok(vec![Some(g.get(0)?.mul(3)?), Some(g.get(0)?.mul(5)?)]),
    );
    let (x, s) = (leaf(&[1.0, 2.0]), leaf(&[7.0]));
    let w = x.mul(1)?;
    add_into.apply(&[&s, &w.narrow(0, 1, 1)?])?;
    w.sum()?.backward()?;
    assert_eq!((grad(&x), grad(&s)), (Some(vec![1.0, 5.0]), Some(vec![3.0])));
    Ok(())
}

#[test]
fn what_may_not_change_in_place_is_refused() -> Result<()> {
    assert_eq!(
        text(doubling_in_place().apply(&[&leaf(&[1.0])])),
        "a leaf Variable that requires grad has been used in an in-place operation."
    );
    let forgotten = made(
        |ctx, x| {
            ctx.mark_dirty(&[&x[0]]);
            Ok(vec![x[0].copy()?])
        },
        |_, g| Ok(vec![Some(g.get(0)?.clone())]),
    );
    assert_eq!(
        text(forgotten.apply(&[&leaf(&[1.0]).mul(1)?])),
        "Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified inplace must all be outputs of the Function."
    );
    Ok(())
}

#[test]
fn inputs_and_views_that_are_returned_are_views_nobody_may_change() -> Result<()> {
    let refusal =
        "Output 0 of Made is a view and is being modified inplace. This view was created inside a custom Function";
    let x = leaf(&[1.0, 2.0]);
    let same = || made(|_, x| Ok(vec![x[0].clone()]), |_, g| Ok(vec![Some(g.get(0)?.mul(5)?)]));
    let out = same().apply(&[&x])?.remove(0);
    assert!(!out.ptr_eq(&x) && out.shares_storage(&x));
    out.sum()?.backward()?;
    assert_eq!((out.grad_fn(), grad(&x)), (Some("MadeBackward"), Some(vec![5.0, 5.0])));
    assert!(text(same().apply(&[&x.mul(1)?])?[0].add_(1)).starts_with(refusal));
    let viewed = || made(|_, x| Ok(vec![x[0].view([1, 2])?]), |_, g| Ok(vec![Some(g.get(0)?.view(2)?.mul(7)?)]));
    let x = leaf(&[1.0, 2.0]);
    let out = viewed().apply(&[&x])?.remove(0);
    out.sum()?.backward()?;
    assert_eq!((out.grad_fn(), grad(&x)), (Some("MadeBackward"), Some(vec![7.0, 7.0])));
    assert!(text(viewed().apply(&[&x.mul(1)?])?[0].add_(1)).starts_with(refusal));
    Ok(())
}

#[test]
fn once_differentiable_gradients_refuse_a_second_derivative() -> Result<()> {
    let square = || {
        Made::<true>(
            Arc::new(|ctx: &mut ForwardContext, x: &[Tensor]| {
                ctx.save_for_backward(&[&x[0]]);
                Ok(vec![x[0].square()?])
            }),
            Arc::new(|ctx: &BackwardContext<'_>, g: &OutputGrads| {
                Ok(vec![Some(g.get(0)?.mul(&ctx.saved_tensors()?[0])?.mul(2)?)])
            }),
        )
    };
    let x = leaf(&[3.0]);
    let run = |y: &Tensor| Grad::new(&[y], &[&x]).create_graph(true).run();
    // Without a gradient that is itself recorded there is nothing to differentiate.
    let first = run(&square().apply(&[&x])?[0])?.remove(0);
    assert_eq!((first.to_vec::<f64>()?, first.requires_grad()), (vec![6.0], false));
    let first = run(&square().apply(&[&x])?[0].exp()?)?.remove(0);
    assert!(first.requires_grad());
    assert_eq!(
        text(Grad::new(&[&first], &[&x]).run()),
        "trying to differentiate twice a function that was marked with @once_differentiable"
    );
    Ok(())
}

#[test]
fn saved_tensors_are_watched_and_freed() -> Result<()> {
    let (x, y) = (leaf(&[2.0]), leaf(&[3.0]));
    let changed = y.mul(1)?;
    let out = product().apply(&[&x, &changed])?.remove(0);
    changed.add_(1)?;
    assert!(text(out.backward()).starts_with("one of the variables needed for gradient computation has been modified"));
    let out = product().apply(&[&x, &y])?.remove(0);
    out.backward_with(Backward::new().retain_graph(true))?;
    out.backward()?;
    assert!(text(out.backward()).starts_with("Trying to backward through the graph a second time"));
    // Where nothing was saved, nothing is gone.
    let out = doubling(|g| Ok(vec![Some(g.mul(2)?)])).apply(&[&x])?.remove(0);
    out.backward()?;
    out.backward()
}

#[test]
fn what_forward_finds_out_is_there_in_backward() -> Result<()> {
    /// The sum, whose gradient needs the shape.
    struct Total {
        shape: firebrick_core::Dims,
    }
    impl Function for Total {
        const NAME: &'static str = "TotalBackward";
        fn forward(&mut self, _: &mut ForwardContext, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
            self.shape = inputs[0].shape();
            Ok(vec![inputs[0].sum()?])
        }
        fn backward(&self, _: &BackwardContext<'_>, grads: &OutputGrads) -> Grads {
            Ok(vec![Some(grads.get(0)?.expand(&self.shape)?)])
        }
    }
    let x = leaf(&[1.0, 2.0]);
    Total { shape: firebrick_core::Dims::new() }.apply(&[&x])?[0].backward()?;
    assert_eq!(grad(&x), Some(vec![1.0, 1.0]));
    Ok(())
}
