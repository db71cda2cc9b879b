//! `backward` and `grad` with their options, hooks and modes: PyTorch 2.15's results and words.
#![allow(clippy::unwrap_used)]

use firebrick_core::autograd::{
    self, Backward, Grad, ModeGuard, detect_anomaly, enable_grad, inference_mode, is_grad_enabled, no_grad,
    set_grad_enabled,
};
use firebrick_core::{DType, Result, Tensor, TensorOptions, catch_warnings};
use std::sync::{Arc, Mutex};

fn leaf(values: &[f64]) -> Tensor {
    let x = Tensor::new(values).unwrap();
    x.requires_grad_(true).unwrap();
    x
}

fn values(x: Option<Tensor>) -> Option<Vec<f64>> {
    x.map(|x| x.to_vec().unwrap())
}

fn text<T>(result: Result<T>) -> String {
    result.err().unwrap().to_string()
}

fn vector(list: &[f64]) -> Option<Tensor> {
    Some(Tensor::new(list).unwrap())
}

#[test]
fn an_input_that_was_not_used_is_an_error_none_or_zeros() -> Result<()> {
    let (x, y) = (leaf(&[1., 2.]), leaf(&[3., 4.]));
    let out = x.mul(2)?.sum()?;
    let ask = || Grad::new(&[&out], &[&x, &y]).retain_graph(true);
    assert_eq!(
        text(ask().run()),
        "The differentiated Tensor at index 1 appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior."
    );
    let found = ask().run_allow_unused()?;
    assert_eq!((values(found[0].clone()), values(found[1].clone())), (Some(vec![2., 2.]), None));
    assert_eq!(ask().run_materialized()?[1].to_vec::<f64>()?, [0., 0.]);
    let beside = x.mul(5)?;
    assert!(text(Grad::new(&[&out], &[&beside]).run()).starts_with("The differentiated Tensor at index 0"));
    Ok(())
}

#[test]
fn what_grad_is_asked_for_is_checked() -> Result<()> {
    let x = leaf(&[1., 2.]);
    let out = x.mul(2)?;
    let sum = out.sum()?;
    assert_eq!(
        text(Grad::new(&[&sum], &[&Tensor::ones([1])?]).run()),
        "One of the differentiated Tensors does not require grad"
    );
    assert_eq!(text(Grad::new(&[&sum], &[]).run()), "`inputs` argument to `grad()` cannot be empty.");
    assert_eq!(
        text(Grad::new(&[&sum, &Tensor::ones([1])?], &[&x]).run()),
        "element 1 of tensors does not require grad and does not have a grad_fn"
    );
    assert_eq!(text(Grad::new(&[&out], &[&x]).run()), "grad can be implicitly created only for scalar outputs");
    assert_eq!(
        text(Grad::new(&[&out], &[&x]).grad_outputs(&[vector(&[1.; 3])]).run()),
        "Mismatch in shape: grad_output[0] has a shape of torch.Size([3]) and output[0] has a shape of torch.Size([2])."
    );
    let both = Grad::new(&[&sum, &sum], &[&x]);
    assert_eq!(text(both.grad_outputs(&[None]).run()), "got 2 tensors and 1 gradients");
    Ok(())
}

#[test]
fn grad_takes_gradients_of_other_dtypes_repeated_inputs_and_the_output_itself() -> Result<()> {
    let x = leaf(&[1., 2.]);
    let whole = Tensor::ones_with([2], DType::I64)?;
    let of_whole = Grad::new(&[&x.mul(2)?], &[&x]).grad_outputs(&[Some(whole)]).run()?.remove(0);
    assert_eq!((of_whole.dtype(), of_whole.to_vec::<f64>()?), (DType::F64, vec![2., 2.]));
    let twice = Grad::new(&[&x.mul(2)?.sum()?], &[&x, &x]).run()?;
    assert_eq!([twice[0].to_vec::<f64>()?, twice[1].to_vec::<f64>()?], [[2., 2.], [2., 2.]]);
    let itself = Grad::new(&[&x], &[&x]).grad_outputs(&[vector(&[1., 1.])]).run()?.remove(0);
    assert_eq!(itself.to_vec::<f64>()?, [1., 1.]);
    let mixed = Grad::new(&[&x.sum()?, &x.mul(3)?], &[&x]).grad_outputs(&[None, vector(&[1., 1.])]).run()?.remove(0);
    assert_eq!(mixed.to_vec::<f64>()?, [4., 4.]);
    let a = x.mul(2)?;
    let inner = Grad::new(&[&a.mul(3)?.sum()?], &[&a, &x]).run()?;
    assert_eq!([inner[0].to_vec::<f64>()?, inner[1].to_vec::<f64>()?], [[3., 3.], [6., 6.]]);
    let out = x.mul(3)?.sum()?;
    assert_eq!(Grad::new(&[&out, &out], &[&x]).run()?[0].to_vec::<f64>()?, [6., 6.]);
    Ok(())
}

#[test]
fn backward_into_chosen_inputs_keeps_their_gradients_only() -> Result<()> {
    let x = leaf(&[1., 2.]);
    let y = x.mul(2)?;
    let out = y.mul(3)?.sum()?;
    out.backward_with(Backward::new().inputs(&[&y]))?;
    assert_eq!((y.retains_grad(), values(y.grad()), values(x.grad())), (true, Some(vec![3., 3.]), None));
    let out = y.mul(3)?.sum()?;
    out.backward_with(Backward::new().inputs(&[&x, &y]))?;
    assert_eq!((values(y.grad()), values(x.grad())), (Some(vec![6., 6.]), Some(vec![6., 6.])));
    let out = || x.sum();
    assert_eq!(
        text(out()?.backward_with(Backward::new().inputs(&[]))),
        "`inputs` argument to `backward()` cannot be empty."
    );
    assert_eq!(
        text(out()?.backward_with(Backward::new().inputs(&[&Tensor::ones([2])?]))),
        "can't retain_grad on Tensor that has requires_grad=False"
    );
    assert_eq!(
        text(autograd::backward(&[&out()?, &out()?], &[None], Backward::new())),
        "got 2 tensors and 1 gradients"
    );
    autograd::backward(&[], &[], Backward::new())
}

/// Notes what happens, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(&'static str, f64)>>>);

impl Log {
    fn hook(
        &self,
        name: &'static str,
        factor: Option<f64>,
    ) -> impl Fn(&Tensor) -> Result<Option<Tensor>> + Send + Sync + 'static {
        let log = self.clone();
        move |g| {
            log.0.lock().unwrap().push((name, g.sum()?.item()?));
            factor.map(|f| g.mul(f)).transpose()
        }
    }

    fn post(&self) -> impl Fn(&Tensor) -> Result<()> + Send + Sync + 'static {
        let log = self.clone();
        move |x| {
            log.0.lock().unwrap().push(("post", x.grad().unwrap().sum()?.item()?));
            Ok(())
        }
    }

    fn seen(&self) -> Vec<(&'static str, f64)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[test]
fn hooks_run_in_order_and_see_what_those_before_returned() -> Result<()> {
    let (x, log) = (leaf(&[1.]), Log::default());
    x.register_hook(log.hook("a", None))?;
    x.register_hook(log.hook("b", Some(2.)))?;
    x.register_post_accumulate_grad_hook(log.post())?;
    x.register_hook(log.hook("c", None))?;
    x.mul(3)?.backward()?;
    assert_eq!(log.seen(), [("a", 3.), ("b", 3.), ("c", 6.), ("post", 6.)]);
    // `grad` runs the hooks that may change what it returns, and no others.
    assert_eq!(autograd::grad(&x.mul(3)?, &x)?.item::<f64>()?, 6.);
    assert_eq!(log.seen(), [("a", 3.), ("b", 3.), ("c", 6.)]);
    let removed = leaf(&[1.]);
    let handle = removed.register_hook(log.hook("gone", Some(100.)))?;
    handle.remove();
    handle.remove();
    removed.mul(2)?.backward()?;
    assert_eq!((values(removed.grad()), log.seen()), (Some(vec![2.]), vec![]));
    Ok(())
}

#[test]
fn a_kept_gradient_is_the_one_after_all_hooks() -> Result<()> {
    let (x, log) = (leaf(&[1.]), Log::default());
    let y = x.mul(2)?;
    y.register_hook(log.hook("first", Some(10.)))?;
    y.retain_grad()?;
    y.retain_grad()?;
    y.register_hook(log.hook("second", Some(10.)))?;
    y.mul(3)?.backward()?;
    assert_eq!(log.seen(), [("first", 3.), ("second", 30.)]);
    assert_eq!((values(y.grad()), values(x.grad())), (Some(vec![300.]), Some(vec![600.])));
    // An asked-for gradient is seen, replaced and kept likewise.
    let y = x.mul(2)?;
    y.retain_grad()?;
    y.register_hook(log.hook("hook", Some(2.)))?;
    assert_eq!(autograd::grad(&y.mul(3)?, &y)?.item::<f64>()?, 6.);
    assert_eq!(values(y.grad()), Some(vec![6.]));
    Ok(())
}

#[test]
fn hooks_stay_with_the_value_and_kept_gradients_with_the_tensor() -> Result<()> {
    let (x, log) = (leaf(&[1.]), Log::default());
    let y = x.mul(2)?;
    y.register_hook(log.hook("before", None))?;
    y.retain_grad()?;
    y.mul_(5)?;
    y.register_hook(log.hook("after", None))?;
    y.mul(3)?.backward()?;
    assert_eq!(log.seen(), [("after", 3.), ("before", 15.)]);
    assert_eq!(values(y.grad()), Some(vec![3.]));
    Ok(())
}

fn three(_: &Tensor) -> Result<Option<Tensor>> {
    Ok(Some(Tensor::ones([3])?))
}

#[test]
fn what_a_hook_returns_must_fit_and_where_it_goes_must_record() -> Result<()> {
    let x = leaf(&[1.]);
    let run = |y: &Tensor| y.backward();
    let y = x.mul(2)?;
    y.register_hook(|g| Ok(Some(g.expand(3)?)))?;
    assert_eq!(text(run(&y)), "hook '<lambda>' has changed the size of value");
    let y = x.mul(2)?;
    y.register_hook(|g| Ok(Some(g.to(DType::F32)?)))?;
    assert_eq!(
        text(run(&y)),
        "hook '<lambda>' has changed the type of value (was torch.DoubleTensor got torch.FloatTensor)"
    );
    let y = x.mul(2)?.to(DType::F32)?;
    y.register_hook(three)?;
    assert_eq!(text(run(&y)), "hook 'three' has changed the size of value");
    let plain = Tensor::ones([1])?;
    let refused = "cannot register a hook on a tensor that doesn't require gradient";
    assert_eq!(text(plain.register_hook(three)), refused);
    assert_eq!(text(plain.register_post_accumulate_grad_hook(|_| Ok(()))), refused);
    assert_eq!(
        text(y.register_post_accumulate_grad_hook(|_| Ok(()))),
        "post accumulate grad hooks cannot be registered on non-leaf tensors"
    );
    Ok(())
}

#[test]
fn modes_nest_and_come_back() -> Result<()> {
    let mut seen = Vec::new();
    no_grad(|| {
        seen.push(is_grad_enabled());
        enable_grad(|| {
            seen.push(is_grad_enabled());
            set_grad_enabled(false, || seen.push(is_grad_enabled()));
            seen.push(is_grad_enabled());
        });
        seen.push(is_grad_enabled());
        let _normal = ModeGuard::inference_mode(false);
        seen.push(is_grad_enabled());
    });
    seen.push(is_grad_enabled());
    assert_eq!(seen, [false, true, false, true, false, true, true]);
    let x = leaf(&[1.]);
    inference_mode(|| {
        let y = enable_grad(|| x.mul(2))?;
        assert_eq!((y.requires_grad(), y.is_inference()), (false, true));
        let _normal = ModeGuard::inference_mode(false);
        let y = x.mul(2)?;
        assert_eq!((y.requires_grad(), y.is_inference()), (true, false));
        Ok(())
    })
}

#[test]
fn what_is_made_without_recording_may_still_ask_to_record() -> Result<()> {
    let wanting = || Tensor::ones_with([2], TensorOptions::new().requires_grad(true));
    no_grad(|| {
        let y = wanting()?;
        let of = |t: Tensor| t.requires_grad();
        assert_eq!(
            [y.requires_grad(), of(y.mul(2)?), of(y.view(2)?), of(y.detach()), of(y.copy()?)],
            [true, false, true, false, false]
        );
        Ok::<_, firebrick_core::Error>(())
    })?;
    inference_mode(|| {
        let p = wanting()?;
        assert_eq!(
            [p.requires_grad(), p.is_leaf(), p.is_inference(), p.mul(2)?.requires_grad()],
            [true, true, true, false]
        );
        assert!(Tensor::ones([2])?.requires_grad_(true)?.requires_grad());
        Ok(())
    })
}

#[test]
fn inference_tensors_are_told_apart() -> Result<()> {
    let x = leaf(&[1., 2.]);
    let (normal, inferred) =
        (Tensor::ones_with([2], DType::F64)?, inference_mode(|| Tensor::ones_with([2], DType::F64))?);
    assert!(inferred.narrow(0, 0, 1)?.is_inference() && inferred.detach().is_inference());
    assert!(!inferred.copy()?.is_inference() && !inferred.add(1)?.is_inference());
    assert_eq!(x.add(&inferred)?.grad_fn(), Some("AddBackward0"));
    assert_eq!(Tensor::cat(&[&x, &inferred], 0)?.grad_fn(), Some("CatBackward0"));
    assert!(text(inferred.narrow(0, 0, 1)?.add_(1)).starts_with("Inplace update to inference tensor"));
    let view = inference_mode(|| {
        let view = normal.narrow(0, 0, 1)?;
        normal.add_(1)?;
        assert!(!view.is_inference() && x.mul(2)?.narrow(0, 0, 1)?.is_inference());
        assert!(x.narrow(0, 0, 1)?.requires_grad());
        Ok::<_, firebrick_core::Error>(view)
    })?;
    assert_eq!(normal.version()?, 1);
    view.add_(1)?;
    assert_eq!((normal.to_vec::<f64>()?, view.requires_grad()), (vec![3., 2.], false));
    let part = inference_mode(|| x.mul(1)?.narrow(0, 0, 1))?;
    assert!(text(part.add_(1)).starts_with("Inplace update to inference tensor"));
    let made_before = x.mul(1)?;
    let part = inference_mode(|| made_before.narrow(0, 0, 1))?;
    assert!(
        text(part.add_(1))
            .starts_with("A view was created in inference mode and is being modified inplace in normal mode.")
    );
    Ok(())
}

#[test]
fn anomalies_are_named_where_they_arise() -> Result<()> {
    let x = leaf(&[0., 4.]);
    let zeros = |x: &Tensor| x.sqrt()?.mul(0)?.sum()?.backward();
    assert_eq!(text(detect_anomaly(|| zeros(&x))), "Function 'SqrtBackward0' returned nan values in its 0th output.");
    let nan = Tensor::new([f64::NAN, 1.])?;
    assert_eq!(
        text(detect_anomaly(|| nan.mul(&x)?.sum()?.backward())),
        "Function 'MulBackward0' returned nan values in its 1th output."
    );
    assert_eq!(values(x.grad()), None);
    let _unchecked = ModeGuard::detect_anomaly(true, false);
    assert!(autograd::is_anomaly_enabled() && !autograd::is_anomaly_check_nan_enabled());
    zeros(&x)?;
    assert!(x.grad().unwrap().to_vec::<f64>()?[0].is_nan());
    Ok(())
}

#[test]
fn warnings_are_pytorchs() -> Result<()> {
    let x = leaf(&[1.]);
    let (_, told) = catch_warnings(|| {
        let y = x.mul(2)?;
        assert!(y.grad().is_none());
        y.retain_grad()?;
        assert!(y.grad().is_none() && x.grad().is_none());
        y.backward()
    });
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("The .grad attribute of a Tensor that is not a leaf Tensor is being accessed."));
    let (_, told) = catch_warnings(|| {
        x.mul(&x)?.backward_with(Backward::new().create_graph(true))?;
        x.mul(&x)?.backward_with(Backward::new().create_graph(true))
    });
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("Using backward() with create_graph=True will create a reference cycle"));
    Ok(())
}

#[test]
fn flags_and_gradients_are_set_under_pytorchs_conditions() -> Result<()> {
    let (x, whole) = (leaf(&[1., 2.]), Tensor::ones_with([2], DType::I64)?);
    let of_leaves = "you can only change requires_grad flags of leaf variables.";
    assert_eq!(text(x.mul(2)?.set_requires_grad(true)), of_leaves);
    assert!(text(x.mul(2)?.set_requires_grad(false)).starts_with(&format!("{of_leaves} If you want to use")));
    assert!(x.mul(2)?.requires_grad_(true)?.requires_grad());
    assert_eq!(
        text(whole.set_requires_grad(true)),
        "only Tensors of floating point and complex dtype can require gradients"
    );
    whole.set_requires_grad(false)?;
    assert_eq!(
        text(x.set_grad(Some(&Tensor::ones_with([3], DType::F64)?))),
        "attempting to assign a gradient of size '[3]' to a tensor of size '[2]'. Please ensure that the gradient and the tensor are the same size"
    );
    assert!(
        text(x.set_grad(Some(&Tensor::ones([2])?)))
            .starts_with("attempting to assign a gradient with dtype 'float' to a tensor with grad_dtype 'Double'.")
    );
    assert_eq!(text(x.set_grad(Some(&x))), "can't assign Variable as its own grad");
    let base = Tensor::ones([2])?;
    let view = base.narrow(0, 0, 1)?;
    view.requires_grad_(true)?;
    assert_eq!([view.requires_grad(), base.requires_grad(), view.is_leaf()], [true, false, true]);
    Ok(())
}

#[test]
fn gradients_are_added_in_place_unless_the_pass_is_recorded() -> Result<()> {
    for recorded in [false, true] {
        let x = leaf(&[1., 2.]);
        let given = Tensor::ones_with([2], DType::F64)?;
        x.set_grad(Some(&given))?;
        x.mul(2)?.sum()?.backward_with(Backward::new().create_graph(recorded))?;
        let now = x.grad().unwrap();
        assert_eq!((now.ptr_eq(&given), given.version()?), (!recorded, u32::from(!recorded)));
        assert_eq!(now.to_vec::<f64>()?, [3., 3.]);
    }
    Ok(())
}

#[test]
fn every_change_in_place_counts_once_in_all_views() -> Result<()> {
    let x = Tensor::ones([4])?;
    let (view, detached) = (x.narrow(0, 0, 2)?, x.detach());
    view.add_(1)?;
    assert_eq!([x.version()?, view.version()?, detached.version()?], [1, 1, 1]);
    detached.mul_(2)?;
    assert_eq!(x.version()?, 2);
    let first = Tensor::new([0i64])?;
    let x = Tensor::ones([4])?;
    let mut counted = 0;
    let mut check = |what: &str| {
        counted += 1;
        assert_eq!(x.version().unwrap(), counted, "{what}");
    };
    x.zero_()?;
    check("zero_");
    x.fill_(1)?;
    check("fill_");
    x.set(0, 2)?;
    check("set of a number");
    x.set(&first, 1)?;
    check("set by an index tensor");
    x.copy_(&Tensor::ones([4])?)?;
    check("copy_");
    x.clamp_min_(0)?;
    check("clamp_");
    x.masked_fill_(&x.gt(0)?, 1)?;
    check("masked_fill_");
    x.index_fill_(0, &first, 1)?;
    check("index_fill_");
    x.scatter_(0, &first, &Tensor::ones([1])?)?;
    check("scatter_");
    x.scatter_reduce_(0, &first, &Tensor::ones([1])?, "mean", true)?;
    check("scatter_reduce_");
    x.index_reduce_(0, &first, &Tensor::ones([1])?, "prod", true)?;
    check("index_reduce_");
    x.index_put_(&[Some(first.clone())], &Tensor::ones([1])?, true)?;
    check("index_put_");
    Ok(())
}
