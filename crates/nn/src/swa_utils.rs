//! Averages of a model's weights over a training: PyTorch's `torch.optim.swa_utils`, where its schedule is
//! `optim::lr_scheduler::SWALR`.

use crate::{Args, BatchNorm1d, BatchNorm2d, BatchNorm3d, Buffer, Call, Core, Forward, IntoArgs, Module, ModuleExt};
use firebrick_core::{DType, Error, Result, Tensor, TensorOptions, autograd};
use std::sync::Arc;

/// An average of an average, the next value and how many values are in the average already; [`get_swa_avg_fn`] shows one.
pub type AvgFn = Arc<dyn Fn(&Tensor, &Tensor, i64) -> Result<Tensor> + Send + Sync>;

/// The plain average: `average + (next - average) / (n + 1)`.
///
/// ```
/// use firebrick::prelude::*;
/// let average = optim::swa_utils::get_swa_avg_fn();
/// assert_eq!(average(&Tensor::new(2.0f32)?, &Tensor::new(5.0f32)?, 2)?.item::<f32>()?, 3.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn get_swa_avg_fn() -> AvgFn {
    Arc::new(|average, next, n| average.add(&next.sub(average)?.div(n + 1)?))
}

/// The exponential average: `decay * average + (1 - decay) * next`.
///
/// # Errors
/// `decay` outside `[0, 1]`.
///
/// ```
/// use firebrick::prelude::*;
/// let average = optim::swa_utils::get_ema_avg_fn(0.75)?;
/// assert_eq!(average(&Tensor::new(2.0f32)?, &Tensor::new(6.0f32)?, 1)?.item::<f32>()?, 3.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn get_ema_avg_fn(decay: f64) -> Result<AvgFn> {
    check(decay)?;
    Ok(Arc::new(move |average, next, _| average.mul(decay)?.add(&next.mul(1.0 - decay)?)))
}

/// [`get_swa_avg_fn`] as a mixture, which PyTorch computes for many tensors at once.
///
/// ```
/// use firebrick::prelude::*;
/// let average = optim::swa_utils::get_swa_multi_avg_fn();
/// assert_eq!(average(&Tensor::new(2.0f32)?, &Tensor::new(4.0f32)?, 1)?.item::<f32>()?, 3.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn get_swa_multi_avg_fn() -> AvgFn {
    Arc::new(|average, next, n| match average.is_floating_point() {
        true => average.lerp(next, 1.0 / (n + 1) as f64),
        false => average.add(&next.sub(average)?.div(n + 1)?),
    })
}

/// [`get_ema_avg_fn`] as a mixture, which PyTorch computes for many tensors at once.
///
/// # Errors
/// `decay` outside `[0, 1]`.
///
/// ```
/// use firebrick::prelude::*;
/// let average = optim::swa_utils::get_ema_multi_avg_fn(0.75)?;
/// assert_eq!(average(&Tensor::new(2.0f32)?, &Tensor::new(6.0f32)?, 1)?.item::<f32>()?, 3.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn get_ema_multi_avg_fn(decay: f64) -> Result<AvgFn> {
    check(decay)?;
    Ok(Arc::new(move |average, next, _| match average.is_floating_point() {
        true => average.lerp(next, 1.0 - decay),
        false => average.mul(decay)?.add(&next.mul(1.0 - decay)?),
    }))
}

fn check(decay: f64) -> Result<()> {
    if (0.0..=1.0).contains(&decay) {
        return Ok(());
    }
    let decay = firebrick_core::Value::from(decay);
    let text = format!("Invalid decay value {decay} provided. Please provide a value in [0,1] range.");
    Err(Error::value("ema", text))
}

/// A copy of a model whose parameters are averages of the model's over the training.
///
/// The first [`update_parameters`](AveragedModel::update_parameters) copies, the others average; buffers are copied
/// unless `use_buffers` asks for their averages too. Compared with PyTorch 2.15.
///
/// Izmailov et al., *Averaging Weights Leads to Wider Optima and Better Generalization*, UAI 2018.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::swa_utils::{AveragedModel, get_ema_avg_fn};
/// let model = nn::Linear::builder(1, 1).bias(false).build()?;
/// let mean = AveragedModel::new(&model)?;
/// let exponential = AveragedModel::new(&model)?.avg_fn(get_ema_avg_fn(0.75)?);
/// for value in [1.0, 5.0] {
///     autograd::no_grad(|| model.weight.fill_(value))?;
///     mean.update_parameters(&model)?;
///     exponential.update_parameters(&model)?;
/// }
/// assert_eq!(mean.module().weight.item::<f32>()?, 3.0);
/// assert_eq!(exponential.module().weight.item::<f32>()?, 2.0);
/// assert_eq!(mean.call(Tensor::new([[2.0f32]])?)?.item::<f32>()?, 6.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
pub struct AveragedModel<M: Module> {
    core: Core,
    module: M,
    n_averaged: Buffer,
    #[module(skip)]
    rule: Rule,
    use_buffers: bool,
}

#[derive(Clone)]
struct Rule(AvgFn);

impl<M: ModuleExt> AveragedModel<M> {
    /// A copy of `model` that begins a plain average.
    ///
    /// # Errors
    /// The model cannot be copied.
    pub fn new(model: &M) -> Result<Self> {
        let count = Tensor::zeros_with((), TensorOptions::new().dtype(DType::I64))?;
        Ok(AveragedModel {
            core: Core::new(),
            module: model.deep_clone()?,
            n_averaged: Buffer::new(count),
            rule: Rule(get_swa_avg_fn()),
            use_buffers: false,
        })
    }

    /// Averages by a function.
    pub fn avg_fn(mut self, rule: AvgFn) -> Self {
        self.rule = Rule(rule);
        self
    }

    /// Are buffers averaged, too? They are copied unless set.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::swa_utils::AveragedModel;
    /// let model = nn::BatchNorm1d::new(1)?;
    /// let average = AveragedModel::new(&model)?.use_buffers(true);
    /// for value in [1.0, 5.0] {
    ///     model.get_buffer("running_mean")?.fill_(value)?;
    ///     average.update_parameters(&model)?;
    /// }
    /// assert_eq!(average.module().get_buffer("running_mean")?.item::<f32>()?, 3.0);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn use_buffers(mut self, use_buffers: bool) -> Self {
        self.use_buffers = use_buffers;
        self
    }

    /// The averaged model itself.
    pub fn module(&self) -> &M {
        &self.module
    }

    /// Takes the model's present parameters into the average.
    ///
    /// # Errors
    /// The model's parameters have other shapes.
    pub fn update_parameters(&self, model: &(impl Module + ?Sized)) -> Result<()> {
        let averaged: i64 = self.n_averaged.item()?;
        let tensors = |parameters: Vec<crate::Parameter>| parameters.into_iter().map(|p| p.detach());
        let buffers = |buffers: Vec<Buffer>| buffers.into_iter().map(|b| b.detach());
        let own = tensors(self.module.parameters()).zip(tensors(model.parameters()));
        let beside = buffers(self.module.buffers()).zip(buffers(model.buffers()));
        autograd::no_grad(|| {
            own.map(|pair| (pair, true)).chain(beside.map(|pair| (pair, self.use_buffers))).try_for_each(
                |((average, next), is_averaged)| {
                    let next = next.to(average.device())?;
                    let value =
                        if is_averaged && averaged > 0 { (self.rule.0)(&average, &next, averaged)? } else { next };
                    average.copy_(&value).map(drop)
                },
            )?;
            self.n_averaged.add_(1).map(drop)
        })
    }
}

impl<I: Args + Clone + IntoArgs<I>, O: Args, M: Forward<I, O>> Forward<I, O> for AveragedModel<M> {
    fn forward(&self, input: I) -> Result<O> {
        self.module.call(input)
    }
}

/// The part of a batch normalization that [`update_bn`] works on.
trait RunningStatistics {
    fn forget(&self) -> Result<()>;
    fn replace_momentum(&self, momentum: Option<f64>) -> Option<f64>;
}

macro_rules! batch_norms {
    ($($t:ty),*) => {
        $(impl RunningStatistics for $t {
            fn forget(&self) -> Result<()> {
                self.reset_running_stats()
            }

            fn replace_momentum(&self, momentum: Option<f64>) -> Option<f64> {
                let old = self.momentum();
                self.set_momentum(momentum);
                old
            }
        })*

        fn statistics(module: &dyn Module) -> Option<&dyn RunningStatistics> {
            $(if let Some(norm) = module.downcast_ref::<$t>() {
                return Some(norm);
            })*
            None
        }
    };
}
batch_norms!(BatchNorm1d, BatchNorm2d, BatchNorm3d);

/// Computes the running statistics of a model's batch normalizations anew, as plain averages over the batches of
/// `loader`: an averaged model has seen none.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::swa_utils::update_bn;
/// let norm = nn::BatchNorm1d::new(1)?;
/// norm.eval();
/// let batches = [Tensor::new([[1.0f32], [3.0]]), Tensor::new([[5.0f32], [7.0]])];
/// update_bn(batches, &norm)?;
/// assert_eq!(norm.get_buffer("running_mean")?.item::<f32>()?, 4.0);
/// assert_eq!((norm.momentum(), norm.is_training()), (Some(0.1), false));
/// # Ok::<_, firebrick::Error>(())
/// ```
///
/// # Errors
/// Those of the batches and of the model; mode and momenta are restored.
pub fn update_bn<I: Args + Clone + IntoArgs<I>, O: Args, M: Forward<I, O>>(
    loader: impl IntoIterator<Item = Result<I>>,
    model: &M,
) -> Result<()> {
    let norms: Vec<_> = model.modules().into_iter().filter_map(statistics).collect();
    if norms.is_empty() {
        return Ok(());
    }
    norms.iter().try_for_each(|norm| norm.forget())?;
    let momenta: Vec<_> = norms.iter().map(|norm| norm.replace_momentum(None)).collect();
    let was_training = model.is_training();
    model.train(true);
    let seen = autograd::no_grad(|| loader.into_iter().try_for_each(|batch| model.call(batch?).map(drop)));
    for (norm, momentum) in norms.iter().zip(momenta) {
        norm.replace_momentum(momentum);
    }
    model.train(was_training);
    seen
}
