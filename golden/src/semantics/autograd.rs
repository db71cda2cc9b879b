//! Backward passes.

use super::describe::{grad, leaf, maybe_tensor, refusal, returned, tensor};
use super::facts;
use super::models::linear;
use firebrick::autograd::{self, Backward, Grad};
use firebrick::catch_warnings;
use firebrick::prelude::*;
use serde_json::{Value as Json, json};

facts! { FACTS;
    "autograd/9004a241" {
        let x = leaf([1.0, 2.0])?;
        let y = x.mul(&x)?.sum()?;
        y.backward()?;
        refusal(y.backward())
    };
    "autograd/441cbc0d" {
        let x = leaf([3.0])?;
        let y = x.mul(&x)?.sum()?;
        for keep in [true, true, false] {
            y.backward_with(Backward::new().retain_graph(keep))?;
        }
        grad(&x)?
    };
    "autograd/c7c61b45" {
        let x = leaf([1.0, 2.0])?;
        x.mul(2)?.backward_with(Backward::new().gradient(&Tensor::new([1.0f32, 10.0])?))?;
        grad(&x)?
    };
    "autograd/5ca1418d" { let x = leaf([1.0])?; x.mul(3)?.backward()?; grad(&x)? };
    "autograd/cdb32423" {
        let x = leaf([1.0])?;
        json!([refusal(x.view([1])?.add_(1)), refusal(x.narrow(0, 0, 1)?.mul_(2))])
    };
    "autograd/2e5ba034" {
        let x = leaf([1.0, 2.0])?;
        let a = x.mul(1)?;
        let b = a.mul(&a)?;
        a.mul_(2)?;
        refusal(b.sum()?.backward())
    };
    "autograd/c026b833" {
        let x = leaf([1.0, 2.0])?;
        let y = x.mul(2)?;
        y.add_(1)?;
        y.mul(3)?.sum()?.backward()?;
        grad(&x)?
    };
    "autograd/c22a658a" {
        let x = leaf([1.0, -1.0])?;
        let y = x.mul(2)?;
        y.relu_()?;
        y.sum()?.backward()?;
        grad(&x)?
    };
    "autograd/27181340" {
        let x = leaf([1.0, 2.0])?;
        let y = x.exp()?;
        y.detach().zero_()?;
        refusal(y.sum()?.backward())
    };
    "autograd/ebcff9ec" {
        let x = Tensor::ones([4])?;
        let (late, early) = (x.narrow(0, 1, 3)?, x.narrow(0, 0, 3)?);
        json!([refusal(late.copy_(&early)), refusal(late.add_(&early))])
    };
    "autograd/e2df0419" json!([
        refusal(Tensor::ones([2])?.add_(&Tensor::ones([3, 2])?)),
        refusal(Tensor::ones([1])?.add_(&Tensor::ones([3])?)),
    ]);
    "autograd/140ba707" retained()?;
    "autograd/1738ca7d" hooked_and_retained()?;
    "autograd/cac0e8c4" {
        let (x, y) = (leaf([1.0])?, Tensor::ones([1])?);
        json!([refusal(Grad::new(&[&x.mul(2)?], &[&y]).run()), refusal(Grad::new(&[&y.mul(2)?], &[&x]).run())])
    };
    "autograd/14dde766" derivatives()?;
    "autograd/ed28bf2f" recorded_gradients()?;
    "autograd/939a6e54" {
        let (x, y) = (Tensor::ones([3, 1])?, Tensor::ones([4])?);
        x.requires_grad_(true)?;
        y.requires_grad_(true)?;
        x.add(&y)?.sum()?.backward()?;
        json!([grad(&x)?, grad(&y)?])
    };
    "autograd/17c4cc30" custom_functions()?;
    "autograd/1b167edc" names()?;
    "autograd/775737d0" refusal(autograd::detect_anomaly(|| leaf([0.0])?.sqrt()?.mul(0)?.sum()?.backward()));
    "autograd/a5da2c76" {
        let x = leaf([1.0, 2.0])?;
        let (none, one) = (Tensor::ones([0])?, leaf([2.5])?);
        json!([
            refusal(x.item::<f64>()),
            refusal(x.to_ndarray::<f32>()),
            refusal(x.is_nonzero()),
            refusal(none.is_nonzero()),
            returned(one.item::<f64>(), |x| Ok(x.into()))?,
        ])
    };
    "autograd/c899e1a0" {
        let y = leaf([1.0])?.mul(2)?;
        json!([refusal(y.set_requires_grad(true)), refusal(y.set_requires_grad(false))])
    };
    "autograd/cf8d2997" {
        let y = leaf([1.0])?.mul(2)?;
        let (grad, warnings) = catch_warnings(|| y.grad());
        json!([warnings, maybe_tensor(grad)?])
    };
    "autograd/f3a80944" {
        let x = leaf([2.0])?;
        let recorded = Backward::new().create_graph(true);
        let (run, warnings) = catch_warnings(|| x.mul(&x)?.sum()?.backward_with(recorded));
        run?;
        json!([warnings, x.grad().is_some_and(|g| g.requires_grad())])
    };
    "autograd/3abc3030" {
        let x = leaf([1.0])?;
        x.set_grad(Some(&Tensor::new([100.0f32])?))?;
        x.mul(2)?.backward()?;
        grad(&x)?
    };
}

/// The names of operations.
fn names() -> Result<Json> {
    let x = Tensor::ones([2, 2])?;
    x.requires_grad_(true)?;
    let results = [
        x.add(1)?,
        x.mul(2)?,
        x.matmul(&x)?,
        x.relu()?,
        x.view([4])?,
        x.sum()?,
        linear([[1.0, 2.0]], Some([0.0]))?.call(x.clone())?,
        x.i(0)?,
        Tensor::cat(&[&x, &x], 0)?,
        x.copy()?,
        x.t()?,
        x.mean()?,
        x.exp()?,
        x.sub(1)?,
        x.div(2)?,
        x.pow(2)?,
        x.neg()?,
        x.softmax(0)?,
        x.reshape([4])?,
        x.to(DType::F64)?,
    ];
    Ok(results.iter().map(|y| y.grad_fn().unwrap_or_default()).collect())
}

fn retained() -> Result<Json> {
    let x = leaf([1.0])?;
    let y = x.mul(2)?;
    y.retain_grad()?;
    y.mul(3)?.backward()?;
    let on_leaf = x.retain_grad().map_or_else(|error| super::describe::raised(&error), |()| Json::Null);
    Ok(json!([grad(&y)?, y.retains_grad(), on_leaf, refusal(Tensor::ones([1])?.retain_grad())]))
}

fn hooked_and_retained() -> Result<Json> {
    let x = leaf([1.0])?;
    let y = x.mul(2)?;
    y.retain_grad()?;
    let _handle = y.register_hook(|g| g.mul(2).map(Some))?;
    y.backward()?;
    Ok(json!([grad(&y)?, grad(&x)?]))
}

/// The first three derivatives of the cube at 2.
fn derivatives() -> Result<Json> {
    let x = Tensor::scalar(2.0)?;
    x.requires_grad_(true)?;
    let mut y = x.mul(&x)?.mul(&x)?;
    let mut all = Vec::new();
    for _ in 0..3 {
        y = Grad::new(&[&y], &[&x]).create_graph(true).run()?.remove(0);
        all.push(tensor(&y)?);
    }
    Ok(json!(all))
}

fn recorded_gradients() -> Result<Json> {
    let x = leaf([2.0])?;
    let square = || x.mul(&x)?.sum();
    let plain = Grad::new(&[&square()?], &[&x]).run()?.remove(0);
    let recorded = Grad::new(&[&square()?], &[&x]).create_graph(true).run()?.remove(0);
    let second = refusal(Grad::new(&[&plain.sum()?], &[&x]).run());
    Ok(json!([plain.requires_grad(), recorded.requires_grad(), second]))
}

/// Functions whose gradient is written by hand.
fn custom_functions() -> Result<Json> {
    let square = |name: &'static str, x: &Tensor, grads: fn(&Tensor, &Tensor) -> Result<Vec<Option<Tensor>>>| {
        let (saved, y) = (x.detach(), x.detach().mul(x.detach())?);
        let backward = move |g: &[Option<Tensor>]| match &g[0] {
            Some(g) => grads(g, &saved),
            None => Ok(vec![None]),
        };
        Ok::<_, Error>(autograd::record(name, &[x], vec![y], backward)?.remove(0))
    };
    let x = leaf([6.0])?;
    let y = square("SqBackward", &x, |g, x| Ok(vec![Some(g.mul(x)?.mul(2)?)]))?;
    let result = returned(y.sum()?.backward(), |()| grad(&x))?;
    let few = leaf([1.0])?;
    let two = autograd::record("FewBackward", &[&few, &leaf([1.0])?], vec![few.detach().mul(1)?], |g| {
        Ok(vec![g[0].clone()])
    })?;
    let few_result = refusal(two[0].sum()?.backward());
    let none = leaf([1.0])?;
    let unneeded = square("NoneBackward", &none, |_, _| Ok(vec![None]))?;
    let none_result = returned(unneeded.sum()?.backward(), |()| maybe_tensor(none.grad()))?;
    let own = leaf([2.5])?;
    let plain = square("SqBackward", &own, |g, x| Ok(vec![Some(g.mul(x)?.mul(2)?)]))?;
    let own_result = returned(plain.sum()?.backward(), |()| grad(&own))?;
    Ok(json!([result, few_result, none_result, own_result, format!("'{}'", y.grad_fn().unwrap_or_default())]))
}
