//! Recording on and off, inference mode, leaves.

use super::describe::{leaf, refusal, returned, tensor};
use super::facts;
use super::models::linear;
use firebrick::TensorOptions;
use firebrick::autograd::{self, inference_mode, no_grad};
use firebrick::prelude::*;
use serde_json::{Value as Json, json};

facts! { FACTS;
    "autograd/606bdd3c" {
        let created = |dtype: DType| Tensor::zeros_with([1], TensorOptions::from(dtype).requires_grad(true));
        let int = Tensor::zeros_with([1], DType::I64)?;
        json!([
            refusal(created(DType::I64)),
            refusal(int.requires_grad_(true)),
            refusal(created(DType::Bool)),
            returned(int.requires_grad_(false), |x| Ok(x.dtype().name().into()))?,
        ])
    };
    "autograd/663b2661" {
        let x = leaf([1.0])?;
        no_grad(|| x.add_(1).map(drop))?;
        json!([tensor(&x)?, x.requires_grad(), x.is_leaf()])
    };
    "autograd/0a9761fc" {
        let x = leaf([1.0])?;
        let inside = inference_mode(|| {
            let y = x.mul(2)?;
            let modes = [autograd::is_grad_enabled(), autograd::is_inference_mode_enabled()];
            Ok::<_, Error>(json!([y.is_inference(), y.requires_grad(), modes[0], modes[1]]))
        })?;
        let mut all = inside.as_array().cloned().unwrap_or_default();
        all.extend([x.is_inference().into(), autograd::is_inference_mode_enabled().into()]);
        Json::from(all)
    };
    "autograd/f82a6104" { let x = leaf([1.0])?; refusal(x.mul(&inferred()?)) };
    "autograd/f7934c06" {
        let x = leaf([1.0])?;
        returned(x.add(&inferred()?)?.backward(), |()| super::describe::grad(&x))?
    };
    "autograd/3651140e" refusal(inferred()?.add_(1));
    "autograd/da8ab635" {
        let x = leaf([1.0])?;
        let added = inference_mode(|| x.add_(1).map(|_| ()));
        returned(added, |()| tensor(&x))?
    };
    "autograd/040bceb9" {
        let y = inferred()?;
        json!([refusal(y.requires_grad_(true)), refusal(y.version()), y.copy()?.is_inference()])
    };
    "autograd/15c728d4" {
        let m = inference_mode(|| linear([[1.0]], Some([0.0])))?;
        let run = m.call(Tensor::ones([1, 1])?).and_then(|y| y.sum()?.backward());
        returned(run, |()| Ok(Json::Null))?
    };
    "autograd/fd25d0d5" {
        let x = Tensor::ones([2])?;
        let view = inference_mode(|| x.view([2]))?;
        let w = leaf([1.0, 2.0])?;
        let run = w.mul(&view).and_then(|y| y.sum()?.backward());
        returned(run, |()| Ok(w.grad().is_some().into()))?
    };
    "autograd/f07fa6b8" {
        let x = leaf([3.0])?;
        let y = x.mul(&x)?;
        returned(no_grad(|| y.backward()), |()| super::describe::grad(&x))?
    };
    "autograd/cb8546b1" refusal(leaf([1.0])?.mul(2)?.requires_grad_(false));
}

/// A tensor made in inference mode.
fn inferred() -> Result<Tensor> {
    inference_mode(|| Tensor::ones([1]))
}
