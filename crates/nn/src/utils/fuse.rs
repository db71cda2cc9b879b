//! Batch normalization merged into the layer before it, for evaluation.

use crate::{
    BatchNorm1d, BatchNorm2d, BatchNorm3d, Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d,
    Linear, Module, ModuleExt,
};
use firebrick_core::{Error, Parameter, Result, Tensor};

/// What a batch normalization does in evaluation, per channel.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::{Normalization, fuse_linear_bn_weights};
/// let (mean, var) = (Tensor::new([1.0f32])?, Tensor::new([4.0f32])?);
/// let bn = Normalization { running_mean: &mean, running_var: &var, eps: 0.0, weight: None, bias: None };
/// let (weight, bias) = fuse_linear_bn_weights(&Tensor::new([[6.0f32]])?, Some(&Tensor::new([3.0f32])?), &bn)?;
/// assert_eq!((weight.item::<f32>()?, bias.item::<f32>()?), (3.0, 1.0)); // (6 x + 3 - 1) / 2
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Normalization<'a> {
    /// What is subtracted.
    pub running_mean: &'a Tensor,
    /// What is divided by, as a variance.
    pub running_var: &'a Tensor,
    /// Added to the variance.
    pub eps: f64,
    /// What is multiplied by; ones if there is none.
    pub weight: Option<&'a Tensor>,
    /// What is added; zeros if there is none.
    pub bias: Option<&'a Tensor>,
}

impl Normalization<'_> {
    /// What a channel is multiplied by.
    fn factor(&self) -> Result<Tensor> {
        let root = self.running_var.add(self.eps)?.rsqrt()?;
        match self.weight {
            Some(weight) => weight.mul(&root),
            None => Ok(root),
        }
    }

    /// The bias of a layer whose bias this was, in its dtype, and a parameter as it was one.
    fn fused_bias(&self, bias: Option<&Tensor>, weight: &Tensor) -> Result<Parameter> {
        let dtype = bias.map_or(weight.dtype(), Tensor::dtype);
        let shifted = match bias {
            Some(bias) => bias.sub(self.running_mean)?,
            None => self.running_mean.neg()?,
        };
        let scaled = shifted.mul(&self.factor()?)?;
        let fused = self.bias.map_or_else(|| Ok(scaled.clone()), |bias| scaled.add(bias))?.to(dtype)?;
        Ok(parameter(fused, bias.is_some_and(Tensor::requires_grad)))
    }
}

fn parameter(value: Tensor, requires_grad: bool) -> Parameter {
    let value = value.detach();
    if requires_grad { Parameter::new(value) } else { Parameter::frozen(value) }
}

/// Weight and bias of a convolution that does what the convolution and then the normalization do. `transpose` is for a
/// transposed convolution, whose output channels are the second dimension.
///
/// # Errors
/// Shapes that do not fit each other.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::{Normalization, fuse_conv_bn_weights};
/// let (mean, var) = (Tensor::new([1.0f32])?, Tensor::new([4.0f32])?);
/// let bn = Normalization { running_mean: &mean, running_var: &var, eps: 0.0, weight: None, bias: None };
/// let (weight, bias) = fuse_conv_bn_weights(&Tensor::new([[[2.0f32, 4.0]]])?, None, &bn, false)?;
/// assert_eq!((weight.to_vec::<f32>()?, bias.to_vec::<f32>()?), (vec![1.0, 2.0], vec![-0.5]));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn fuse_conv_bn_weights(
    weight: &Tensor,
    bias: Option<&Tensor>,
    bn: &Normalization<'_>,
    transpose: bool,
) -> Result<(Parameter, Parameter)> {
    let mut shape = vec![1i64; weight.dim().max(2)];
    shape[usize::from(transpose)] = -1;
    let fused = weight.mul(&bn.factor()?.reshape(&shape[..])?)?.to(weight.dtype())?;
    Ok((parameter(fused, weight.requires_grad()), bn.fused_bias(bias, weight)?))
}

/// Weight and bias of a linear layer that does what the layer and then the normalization do.
///
/// # Errors
/// Shapes that do not fit each other.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::{Normalization, fuse_linear_bn_weights};
/// let (mean, var) = (Tensor::new([1.0f32])?, Tensor::new([4.0f32])?);
/// let bn = Normalization { running_mean: &mean, running_var: &var, eps: 0.0, weight: None, bias: None };
/// let (weight, bias) = fuse_linear_bn_weights(&Tensor::new([[2.0f32, 4.0]])?, None, &bn)?;
/// assert_eq!((weight.to_vec::<f32>()?, bias.to_vec::<f32>()?), (vec![1.0, 2.0], vec![-0.5]));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn fuse_linear_bn_weights(
    weight: &Tensor,
    bias: Option<&Tensor>,
    bn: &Normalization<'_>,
) -> Result<(Parameter, Parameter)> {
    let fused = weight.mul(&bn.factor()?.unsqueeze(-1)?.to(weight.dtype())?)?;
    Ok((parameter(fused, weight.requires_grad()), bn.fused_bias(bias, weight)?))
}

/// A convolution, which a batch normalization can be merged into by [`fuse_conv_bn_eval`].
///
/// ```
/// use firebrick::nn::utils::Convolution;
/// use firebrick::prelude::*;
/// fn weight_of<C: Convolution>(mut conv: C) -> Result<(bool, Vec<usize>)> {
///     Ok((C::TRANSPOSED, conv.affine_mut().0.shape()?.to_vec()))
/// }
/// assert_eq!(weight_of(nn::Conv1d::new(2, 4, 3)?)?, (false, vec![4, 2, 3]));
/// assert_eq!(weight_of(nn::ConvTranspose1d::new(2, 4, 3)?)?, (true, vec![2, 4, 3]));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub trait Convolution: Module {
    /// Is it a transposed one?
    const TRANSPOSED: bool;
    /// Its weight and its bias.
    fn affine_mut(&mut self) -> (&mut Parameter, &mut Option<Parameter>);
}

macro_rules! convolutions {
    ($($name:ident $transposed:literal),*) => { $(
        impl Convolution for $name {
            const TRANSPOSED: bool = $transposed;
            fn affine_mut(&mut self) -> (&mut Parameter, &mut Option<Parameter>) {
                (&mut self.weight, &mut self.bias)
            }
        }
    )* };
}
convolutions!(
    Conv1d false, Conv2d false, Conv3d false, ConvTranspose1d true, ConvTranspose2d true, ConvTranspose3d true
);

/// A batch normalization, which can be merged into the layer before it.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::BatchNorm;
/// let bn = nn::BatchNorm1d::builder(3).eps(0.5).build()?;
/// assert_eq!((bn.channels(), bn.normalization().map(|bn| bn.eps)), (3, Some(0.5)));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub trait BatchNorm: Module {
    /// How many channels it has.
    fn channels(&self) -> usize;
    /// What it does in evaluation; `None` without running statistics.
    fn normalization(&self) -> Option<Normalization<'_>>;
}

macro_rules! batch_norms {
    ($($name:ident),*) => { $(
        impl BatchNorm for $name {
            fn channels(&self) -> usize {
                self.num_features()
            }
            fn normalization(&self) -> Option<Normalization<'_>> {
                Some(Normalization {
                    running_mean: self.running_mean.as_ref()?,
                    running_var: self.running_var.as_ref()?,
                    eps: self.eps(),
                    weight: self.weight.as_deref(),
                    bias: self.bias.as_deref(),
                })
            }
        }
    )* };
}
batch_norms!(BatchNorm1d, BatchNorm2d, BatchNorm3d);

/// What is merged, of two modules that are in evaluation mode.
fn evaluated<'b>(op: &'static str, layer: &dyn Module, bn: &'b dyn BatchNorm) -> Result<Normalization<'b>> {
    if layer.is_training() || bn.is_training() {
        return Err(Error::runtime(op, "Fusion only for eval!").remedy("call `eval` on both modules"));
    }
    bn.normalization().ok_or_else(|| Error::runtime(op, "bn.running_mean and bn.running_var must not be None"))
}

/// One convolution that does what `conv` and then `bn` do in evaluation mode. Whether it is a transposed one is known by
/// its type, where PyTorch asks for it.
///
/// # Errors
/// A module in training mode; no running statistics; channels that do not fit.
///
/// ```
/// use firebrick::prelude::*;
/// let (conv, bn) = (nn::Conv2d::new(1, 2, 3)?, nn::BatchNorm2d::new(2)?);
/// conv.eval();
/// bn.eval();
/// let fused = nn::utils::fuse_conv_bn_eval(&conv, &bn)?;
/// let x = Tensor::ones([1, 1, 4, 4])?;
/// let (both, one) = (bn.call(conv.call(&x)?)?, fused.call(&x)?);
/// assert!(both.allclose(&one, 1e-5, 1e-6, false)?);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn fuse_conv_bn_eval<C: Convolution, B: BatchNorm>(conv: &C, bn: &B) -> Result<C> {
    let normalization = evaluated("fuse_conv_bn_eval", conv.as_dyn(), bn)?;
    let mut fused = conv.deep_clone()?;
    let (weight, bias) = fused.affine_mut();
    let (new_weight, new_bias) = fuse_conv_bn_weights(weight, bias.as_deref(), &normalization, C::TRANSPOSED)?;
    (*weight, *bias) = (new_weight, Some(new_bias));
    Ok(fused)
}

/// One linear layer that does what `linear` and then `bn` do in evaluation mode.
///
/// # Errors
/// A module in training mode; no running statistics; other features than the layer gives, unless it is one.
///
/// ```
/// use firebrick::prelude::*;
/// let (linear, bn) = (nn::Linear::new(3, 2)?, nn::BatchNorm1d::new(2)?);
/// bn.call(linear.call(Tensor::eye(3)?)?)?; // statistics
/// linear.eval();
/// bn.eval();
/// let fused = nn::utils::fuse_linear_bn_eval(&linear, &bn)?;
/// let x = Tensor::ones([1, 3])?;
/// assert!(bn.call(linear.call(&x)?)?.allclose(&fused.call(&x)?, 1e-5, 1e-6, false)?);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn fuse_linear_bn_eval<B: BatchNorm>(linear: &Linear, bn: &B) -> Result<Linear> {
    const OP: &str = "fuse_linear_bn_eval";
    let normalization = evaluated(OP, linear.as_dyn(), bn)?;
    let (features, channels) = (linear.out_features(), bn.channels());
    if features != channels && channels != 1 {
        return Err(Error::runtime(
            OP,
            format!(
                "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got linear.out_features={features} and bn.num_features={channels}"
            ),
        ));
    }
    let mut fused = linear.deep_clone()?;
    let (weight, bias) = fuse_linear_bn_weights(&fused.weight, fused.bias.as_deref(), &normalization)?;
    (fused.weight, fused.bias) = (weight, Some(bias));
    Ok(fused)
}
