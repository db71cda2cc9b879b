//! Cross entropy with the linear map that makes its logits, as a module.

use super::Linear;
use super::placement::placement;
use crate::functional::{LinearCrossEntropyCall, LinearCrossEntropyOptions, linear_cross_entropy_with};
use crate::{Buffer, Core, Custom, Forward, Module};
use firebrick_core::text::{Repr, python_float, python_tuple};
use firebrick_core::{DType, Device, Error, Reduction, Result, Tensor, default_device, default_dtype};

const OP: &str = "LinearCrossEntropyLoss";

/// Cross entropy of classes, or class probabilities, under logits that a trained linear map makes; see
/// [`linear_cross_entropy`](crate::functional::linear_cross_entropy).
///
/// # Shapes
/// Input `[N, F]` or `[F]`; classes `[N, *]`, or probabilities `[N, C, *]`, with the `out_features` in the place of `*`, without
/// `N` where the input has none.
///
/// # Errors
/// When called: sizes or dtypes that do not fit; a class out of range.
///
/// ```
/// use firebrick::prelude::*;
/// let loss = nn::LinearCrossEntropyLoss::builder(3, 5).out_features([2]).build()?;
/// assert_eq!(loss.linear.weight.shape()?, [10, 3]);
/// let value = loss.call((Tensor::zeros([4, 3])?, Tensor::full([4, 2], 1i64)?))?.item::<f32>()?;
/// assert!((value - 5f32.ln()).abs() < 1e-6);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct LinearCrossEntropyLoss {
    core: Core,
    /// A weight for each class: `[C]`.
    pub weight: Option<Buffer>,
    /// What makes the logits; its rows are the classes, each with all of the `out_features`.
    pub linear: Linear,
    #[module(skip)]
    options: LinearCrossEntropyLossBuilder,
}

/// Options of a [`LinearCrossEntropyLoss`]; made by [`LinearCrossEntropyLoss::builder`].
///
/// ```
/// use firebrick::Reduction;
/// use firebrick::nn::functional::LinearCrossEntropyOptions;
/// use firebrick::prelude::*;
/// let loss = nn::LinearCrossEntropyLoss::builder(3, 2)
///     .bias(true)
///     .weight(Tensor::new([1.0f32, 2.0])?)
///     .ignore_index(0)
///     .label_smoothing(0.0)
///     .reduction(Reduction::Sum)
///     .options(LinearCrossEntropyOptions::new().batch_chunk_size(1)?)
///     .build()?;
/// nn::init::zeros_(&loss.linear.weight)?;
/// nn::init::zeros_(loss.linear.bias.as_ref().expect("it has one"))?;
/// let total = loss.call((Tensor::ones([2, 3])?, Tensor::new([0i64, 1])?))?.item::<f32>()?;
/// assert!((total - 2.0 * 2.0f32.ln()).abs() < 1e-6); // the first sample counts nothing
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LinearCrossEntropyLossBuilder {
    in_features: usize,
    num_classes: usize,
    out_features: Vec<usize>,
    bias: bool,
    reduction: Reduction,
    weight: Option<Tensor>,
    ignore_index: Option<i64>,
    label_smoothing: f64,
    options: Option<LinearCrossEntropyOptions>,
    dtype: DType,
    device: Device,
}

impl LinearCrossEntropyLoss {
    /// The loss with PyTorch's defaults, among them no bias.
    ///
    /// # Errors
    /// When memory for the parameters cannot be had.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let loss = nn::LinearCrossEntropyLoss::new(3, 2)?;
    /// assert_eq!(loss.linear.to_string(), "Linear(in_features=3, out_features=2, bias=False)");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn new(in_features: usize, num_classes: usize) -> Result<Self> {
        Self::builder(in_features, num_classes).build()
    }

    /// The loss with options; [`LinearCrossEntropyLossBuilder`] shows them.
    pub fn builder(in_features: usize, num_classes: usize) -> LinearCrossEntropyLossBuilder {
        LinearCrossEntropyLossBuilder {
            in_features,
            num_classes,
            out_features: Vec::new(),
            bias: false,
            reduction: Reduction::Mean,
            weight: None,
            ignore_index: None,
            label_smoothing: 0.0,
            options: None,
            dtype: default_dtype(),
            device: default_device(),
        }
    }
}

impl LinearCrossEntropyLossBuilder {
    /// Further sizes of the loss of a sample; none unless set.
    pub fn out_features(mut self, sizes: impl Into<Vec<usize>>) -> Self {
        self.out_features = sizes.into();
        self
    }

    /// Does the linear map have a bias? It has none unless set.
    pub fn bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    /// What becomes of the losses of a batch; their mean unless set.
    pub fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// A weight for each class: `[C]`.
    pub fn weight(mut self, weight: Tensor) -> Self {
        self.weight = Some(weight);
        self
    }

    /// The class that counts nothing; -100 unless set, and not to be set where targets are probabilities.
    pub fn ignore_index(mut self, class: i64) -> Self {
        self.ignore_index = Some(class);
        self
    }

    /// The share of the probability that is spread over all classes; none unless set.
    pub fn label_smoothing(mut self, share: f64) -> Self {
        self.label_smoothing = share;
        self
    }

    /// Cuts batches into chunks; it does not unless set.
    pub fn options(mut self, options: LinearCrossEntropyOptions) -> Self {
        self.options = Some(options);
        self
    }

    placement!(LinearCrossEntropyLoss::builder(3, 2));

    /// The loss.
    ///
    /// # Errors
    /// Weights of another shape; a smoothing outside `[0, 1]`; when memory for the parameters cannot be had.
    pub fn build(mut self) -> Result<LinearCrossEntropyLoss> {
        let weight = self.weight.take();
        if let Some(weight) = &weight
            && weight.shape() != [self.num_classes]
        {
            let (expected, got) = (python_tuple(&[self.num_classes]), python_tuple(&weight.shape()[..]));
            return Err(Error::runtime(OP, format!("expected weight shape to be {expected}, got {got}")));
        }
        if self.label_smoothing < 0.0 || self.label_smoothing > 1.0 {
            let got = python_float(self.label_smoothing);
            return Err(Error::runtime(OP, format!("expected label_smoothing to be in range [0, 1], got {got}")));
        }
        let rows = self.out_features.iter().fold(self.num_classes, |rows, &size| rows.saturating_mul(size));
        let linear = Linear::builder(self.in_features, rows).bias(self.bias).dtype(self.dtype).device(self.device);
        let (linear, weight) = (linear.build()?, weight.map(Buffer::new));
        Ok(LinearCrossEntropyLoss { core: Core::new(), weight, linear, options: self })
    }
}

impl Forward<(Tensor, Tensor)> for LinearCrossEntropyLoss {
    fn forward(&self, (input, target): (Tensor, Tensor)) -> Result<Tensor> {
        let options = &self.options;
        let mut shape = vec![options.num_classes];
        shape.extend(&options.out_features);
        let bias = self.linear.bias.as_ref().map(|bias| bias.reshape(&shape[..])).transpose()?;
        shape.push(self.linear.in_features());
        let mut call = LinearCrossEntropyCall::new()
            .reduction(options.reduction)
            .ignore_index(options.ignore_index)
            .label_smoothing(options.label_smoothing)
            .options(options.options);
        call.linear_bias = bias.as_ref();
        call.weight = self.weight.as_deref();
        linear_cross_entropy_with(&input, &self.linear.weight.reshape(&shape[..])?, &target, &call)
    }
}

impl Custom for LinearCrossEntropyLoss {
    fn extra_repr(&self) -> String {
        let options = &self.options;
        format!(
            "in_features={}, num_classes={}, out_features={}, bias={}, reduction={}, ignore_index={}, label_smoothing={}, options={}",
            self.linear.in_features(),
            options.num_classes,
            python_tuple(&options.out_features),
            self.linear.bias.is_some().repr(),
            options.reduction.name(),
            options.ignore_index.repr(),
            python_float(options.label_smoothing),
            options.options.map_or("None".to_owned(), |options| options.to_string()),
        )
    }
}
