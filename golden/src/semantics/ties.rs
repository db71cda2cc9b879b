//! Gradients at kinks, ties and the edges of domains.

use super::describe::{grad, leaf, tensor};
use super::facts;
use firebrick::prelude::*;
use firebrick::{PoolOptions, Reduction};
use serde_json::{Map, Value as Json, json};

facts! { FACTS;
    "autograd/9495b563" gradients()?;
}

/// Value and gradient of a function by name.
struct Results(Map<String, Json>);

impl Results {
    fn add<const N: usize>(&mut self, name: &str, x: [f32; N], f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<()> {
        let x = leaf(x)?;
        let y = f(&x)?;
        y.backward()?;
        self.0.insert(name.to_owned(), json!([tensor(&y)?, grad(&x)?]));
        Ok(())
    }
}

fn gradients() -> Result<Json> {
    let mut all = Results(Map::new());
    extremes(&mut all)?;
    elementwise(&mut all)?;
    activations(&mut all)?;
    losses(&mut all)?;
    reductions(&mut all)?;
    Ok(all.0.into())
}

fn extremes(all: &mut Results) -> Result<()> {
    let ones = Tensor::ones([3])?;
    all.add("max full", [1.0, 1.0, 0.0], |x| x.max())?;
    all.add("max dim", [1.0, 1.0, 0.0], |x| Ok(x.max_dim(0, false)?.0))?;
    all.add("amax", [1.0, 1.0, 0.0], |x| x.amax(0, false))?;
    all.add("min dim", [1.0, 0.0, 0.0], |x| Ok(x.min_dim(0, false)?.0))?;
    all.add("median", [1.0, 1.0, 0.0], |x| x.median())?;
    all.add("median dim", [1.0, 1.0, 0.0], |x| Ok(x.median_dim(0, false)?.0))?;
    all.add("topk", [1.0, 1.0, 0.0], |x| x.topk(1, 0, true, true)?.0.sum())?;
    all.add("cummax", [1.0, 1.0, 0.0], |x| x.cummax(0)?.0.sum())?;
    all.add("maximum(x,1)", [1.0, 2.0, 0.0], |x| x.maximum(&ones)?.sum())?;
    all.add("fmax(x,1)", [1.0, 2.0, 0.0], |x| x.fmax(&ones)?.sum())?;
    all.add("max_pool1d tie", [1.0, 1.0, 0.0], |x| x.unsqueeze(0)?.max_pool1d(3, &PoolOptions::default())?.sum())
}

fn elementwise(all: &mut Results) -> Result<()> {
    let zero = Tensor::zeros([1])?;
    all.add("abs", [0.0, 0.0, -1.0], |x| x.abs()?.sum())?;
    all.add("clamp(0,1)", [0.0, 1.0, 2.0], |x| x.clamp(0, 1)?.sum())?;
    all.add("sqrt", [0.0, 4.0], |x| x.sqrt()?.sum())?;
    all.add("pow 0", [0.0, 1.0], |x| x.pow(0)?.sum())?;
    all.add("pow 2", [0.0], |x| x.pow(2)?.sum())?;
    all.add("pow .5", [0.0], |x| x.pow(0.5)?.sum())?;
    all.add("sign", [1.0], |x| x.sign()?.sum())?;
    all.add("floor", [1.0], |x| x.floor()?.sum())?;
    all.add("round", [2.0], |x| x.round()?.sum())?;
    all.add("log", [0.0], |x| x.log()?.sum())?;
    all.add("div", [0.0], |x| x.reciprocal()?.sum())?;
    all.add("atan2", [0.0], |x| x.atan2(&zero)?.sum())?;
    all.add("xlogy", [0.0], |x| x.xlogy(x)?.sum())?;
    all.add("where", [0.0, 1.0], |x| Tensor::where_(&x.gt(0)?, x, &x.mul(3)?)?.sum())
}

fn activations(all: &mut Results) -> Result<()> {
    all.add("relu", [0.0, 1.0, -1.0], |x| x.relu()?.sum())?;
    all.add("leaky_relu", [0.0, -1.0], |x| x.leaky_relu(0.01)?.sum())?;
    all.add("elu", [0.0, -1.0], |x| x.elu(1.0)?.sum())?;
    all.add("hardtanh", [-1.0, 1.0, 0.5], |x| x.hardtanh(-1.0, 1.0)?.sum())?;
    all.add("hardsigmoid", [-3.0, 3.0, 0.0], |x| x.hardsigmoid()?.sum())?;
    all.add("relu6", [0.0, 6.0], |x| x.relu6()?.sum())?;
    all.add("softplus", [20.0, 25.0, -100.0], |x| x.softplus(1.0, 20.0)?.sum())?;
    all.add("threshold", [0.5, 0.6], |x| x.threshold(0.5, 0.0)?.sum())?;
    all.add("hardshrink", [0.5, -0.5, 0.6], |x| x.hardshrink(0.5)?.sum())?;
    all.add("softshrink", [0.5, -0.5, 0.6], |x| x.softshrink(0.5)?.sum())?;
    all.add("softmax -inf", [f32::NEG_INFINITY, 0.0], |x| x.softmax(0)?.select(0, 0))
}

fn losses(all: &mut Results) -> Result<()> {
    let (ones, zeros) = (Tensor::ones([2])?, Tensor::zeros([2])?);
    all.add("l1_loss at equal", [1.0, 2.0], |x| x.l1_loss(&ones, Reduction::Mean))?;
    all.add("smooth_l1 at beta", [1.0, 0.0], |x| x.smooth_l1_loss(&zeros, Reduction::Sum, 1.0))?;
    all.add("huber at delta", [1.0, -1.0], |x| x.huber_loss(&zeros, Reduction::Sum, 1.0))
}

fn reductions(all: &mut Results) -> Result<()> {
    all.add("norm", [0.0, 0.0], |x| x.norm(2.0))?;
    all.add("norm p1", [0.0, 2.0], |x| x.norm(1.0))?;
    all.add("norm inf", [2.0, 2.0], |x| x.norm(f64::INFINITY))?;
    all.add("prod zero", [0.0, 2.0, 3.0], |x| x.prod())?;
    all.add("prod two zeros", [0.0, 0.0, 3.0], |x| x.prod())?;
    all.add("var single", [1.0], |x| x.var())?;
    all.add("std const", [1.0, 1.0], |x| x.std())?;
    all.add("logsumexp -inf", [f32::NEG_INFINITY; 2], |x| x.logsumexp(0, false))
}
