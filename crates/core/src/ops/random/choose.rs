//! Draws whose parameters are tensors: coin tosses, categories, normal numbers.

use super::distribution::{Distribution, dispatch_real, not_implemented};
use crate::autograd::{Edge, Function, Node, OutputInfo, inplace, records};
use crate::dims::broadcast_shapes;
use crate::random;
use crate::storage::{check_list, with_elements_mut};
use crate::tensor::copy::{expanded, transfer};
use crate::tensor::read::on_host;
use crate::{Body, DType, Device, Error, Operand, Result, Tensor, dispatch};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// Makes `out` a result of `inputs` whose gradients are all zero: a draw has no slope.
fn without_slope(out: &Tensor, name: &'static str, inputs: &[&Tensor]) {
    if !records(inputs.iter().copied()) {
        return;
    }
    let like: SmallVec<[Tensor; 2]> = inputs.iter().map(|x| x.detach()).collect();
    let edges: SmallVec<[Option<Edge>; 2]> = inputs.iter().map(|x| x.edge()).collect();
    let function = Function::new(move |_: &Arc<Node>, _: &[Option<Tensor>], needs: &[bool]| {
        like.iter().zip(needs).map(|(x, &need)| need.then(|| x.zeros_like()).transpose()).collect()
    });
    out.set_node(Node::new(name, edges, smallvec![OutputInfo::of(out)], true, function), 0);
}

/// Fills `out` with 1 at the probabilities `p`, which has its shape, in the order in which `out` lies in memory.
fn toss_each(op: &'static str, out: &Body, p: &Body) -> Result<()> {
    let order = out.memory_order();
    if out.device() == Device::Meta {
        return Ok(());
    }
    let p = Tensor::from_body(on_host(&p.in_order(&order), p.dtype)?);
    let drawn = Body::alloc(p.shape(), out.dtype, Device::Cpu)?;
    let generator = random::current_generator();
    let engine = &mut *generator.lock();
    dispatch_real!(
        p.dtype(),
        P => {
            let p = p.to_vec::<P>()?;
            dispatch!(out.dtype, T => with_elements_mut(&drawn, |out: &mut [T]| {
                random::fill_bernoulli_each(engine, out, &p)
            }))
        },
        return Err(not_implemented(op, "bernoulli_tensor_cpu_p_", p.dtype()))
    )
    .map_err(|refused| Error::from(refused).in_op(op))?;
    transfer(&drawn, &out.in_order(&order))
}

impl Tensor {
    /// 1 where a toss at the probability in each element succeeds, else 0. Its gradient is zero.
    ///
    /// # Errors
    /// A probability outside `[0, 1]`; a dtype that is no floating-point one.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0.0f32, 1.0, 1.0])?;
    /// assert_eq!(x.bernoulli()?.to_vec::<f32>()?, [0.0, 1.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn bernoulli(&self) -> Result<Tensor> {
        const OP: &str = "bernoulli";
        let p = self.resolve(OP)?;
        let body = p.body();
        let out = Tensor::from_body(Body::alloc(body.shape.clone(), body.dtype, body.device())?);
        toss_each(OP, &out.body(), &body)?;
        without_slope(&out, "BernoulliBackward0", &[&p]);
        Ok(out)
    }

    /// Replaces every element by 1 at the probability in `p`, which broadcasts, else 0: PyTorch's `bernoulli_(p)` for
    /// a tensor.
    ///
    /// # Errors
    /// A probability outside `[0, 1]`; a `p` that does not broadcast or is no floating-point tensor; a leaf that
    /// requires grad, outside `no_grad`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::zeros([3])?;
    /// assert_eq!(x.bernoulli_each_(&Tensor::new([1.0f32, 0.0, 1.0])?)?.to_vec::<f32>()?, [1.0, 0.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn bernoulli_each_(&self, p: &Tensor) -> Result<&Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "bernoulli_";
        let (target, p) = (self.resolve(OP)?, p.resolve(OP)?);
        inplace::check(OP, &target, &[])?;
        let out = target.body();
        toss_each(OP, &out, &expanded(OP, &p.body(), &out.shape)?)?;
        inplace::overwritten(&target, "BernoulliBackward1");
        Ok(self)
    }

    /// `num_samples` indices, as int64, drawn from each row of weights: `torch.multinomial`.
    ///
    /// # Shapes
    /// `[categories]` to `[num_samples]`, `[rows, categories]` to `[rows, num_samples]`.
    ///
    /// # Errors
    /// Other shapes; no samples; more samples than categories without replacement; a weight that is negative or not
    /// finite; a row that sums to zero; a dtype that is no floating-point one.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let weights = Tensor::new([0.0f32, 3.0, 0.0])?;
    /// assert_eq!(weights.multinomial(2, true)?.to_vec::<i64>()?, [1, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn multinomial(&self, num_samples: usize, replacement: bool) -> Result<Tensor> {
        const OP: &str = "multinomial";
        let body = self.resolve(OP)?.body();
        let mut shape = body.shape.clone();
        if !(1..=2).contains(&shape.len()) {
            return Err(Error::runtime(OP, "prob_dist must be 1 or 2 dim").given(format!("shape {shape:?}")));
        }
        let last = shape.len() - 1;
        let categories = std::mem::replace(&mut shape[last], num_samples);
        let rows = shape[..last].iter().product::<usize>();
        if body.device() == Device::Meta {
            return Ok(Tensor::from_body(Body::alloc(shape, DType::I64, Device::Meta)?));
        }
        check_list(rows.saturating_mul(num_samples), 3 * size_of::<i64>())?;
        // Exponential numbers, like every fill, are drawn in the order in which the weights lie in memory.
        let by_column = body.memory_order().first() != Some(&0);
        let weights = Tensor::from_body(on_host(&body, body.dtype)?);
        let generator = random::current_generator();
        let engine = &mut *generator.lock();
        let indices = dispatch_real!(
            body.dtype,
            T => {
                let weights = weights.to_vec::<T>()?;
                random::multinomial_in_order(engine, &weights, categories, num_samples, replacement, by_column)
            },
            return Err(Error::runtime(
                OP,
                format!(
                    "multinomial only supports floating-point dtypes for input, got: {}",
                    body.dtype.scalar_name()
                ),
            ))
        );
        let indices = indices.map_err(|refused| Error::from(refused).in_op(OP))?;
        Tensor::from_slice_with(&indices, shape, body.device())
    }

    /// Normal numbers, each of its own mean or standard deviation: `torch.normal`. At least one of the two is a
    /// tensor; they broadcast. Gradients are zero. (For numbers and a size see [`Tensor::normal_with`].)
    ///
    /// # Errors
    /// A standard deviation below 0; shapes that do not broadcast; a dtype that is no floating-point one.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let mean = Tensor::new([10.0f32, 20.0])?;
    /// let x = Generator::new().manual_seed(0).scope(|| Tensor::normal(&mean, 0.5))?;
    /// assert_eq!(x.to_vec::<f32>()?, [10.770_498, 19.853_285]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn normal(mean: impl Operand, std: impl Operand) -> Result<Tensor> {
        const OP: &str = "normal";
        let (mean, std) = (mean.into_operand()?.resolved(OP)?, std.into_operand()?.resolved(OP)?);
        match (mean.is_wrapped_number(), std.is_wrapped_number()) {
            (false, true) => {
                let spread = Distribution::Normal { mean: 0.0, std: std.item()? };
                let out = drawn(&mean.shape(), &mean, spread)?;
                out.add_(mean.detach())?;
                without_slope(&out, "NormalBackward1", &[&mean]);
                Ok(out)
            }
            (true, true) => Err(Error::type_(OP, "normal() of two numbers needs a size")
                .remedy("use normal_with(mean, std, shape, options)")),
            (number, false) => {
                if std.values_or(0.0)?.iter().any(|&std| std < 0.0) {
                    return Err(Error::runtime(OP, "normal expects all elements of std >= 0.0"));
                }
                let shape = broadcast_shapes(OP, &mean.shape(), &std.shape())?;
                let like = if number { &std } else { &mean };
                let out = drawn(&shape, like, Distribution::Normal { mean: 0.0, std: 1.0 })?;
                out.mul_(std.detach())?;
                if number {
                    out.add_(mean.item::<f64>()?)?;
                    without_slope(&out, "NormalBackward2", &[&std]);
                } else {
                    out.add_(mean.detach())?;
                    without_slope(&out, "NormalBackward3", &[&mean, &std]);
                }
                Ok(out)
            }
        }
    }
}

/// A contiguous tensor of this shape, in the dtype and on the device of `like`.
fn drawn(shape: &crate::Dims, like: &Tensor, distribution: Distribution) -> Result<Tensor> {
    let body = Body::alloc(shape.clone(), like.dtype(), like.device())?;
    distribution.fill("normal", &body)?;
    Ok(Tensor::from_body(body))
}
