//! Losses as modules. Their input is a tuple, most often a pair: `loss.call((&output, &target))`.

use crate::functional::{self, BCEWithLogitsOptions, CrossEntropyOptions, KLDivReduction, LossOptions, NLLLossOptions};
use crate::{Buffer, Core, Forward, Module};
use firebrick_core::{Reduction, Result, Tensor};

/// A loss: buffers that may be given, then numbers with their defaults, and the value of the tensors that it is of.
macro_rules! losses {
    ($(
        $(#[$doc:meta])*
        $name:ident $([$($(#[$buffer_doc:meta])* $buffer:ident,)*])? {
            $($(#[$value_doc:meta])* $value:ident: $type:ty = $default:expr,)*
        } |$this:ident, $($input:ident),+| $loss:expr;
    )*) => { $(
        $(#[$doc])*
        #[derive(Module)]
        pub struct $name {
            core: Core,
            $($($(#[$buffer_doc])* pub $buffer: Option<Buffer>,)*)?
            $(#[module(skip)] $value: $type,)*
        }

        impl $name {
            /// The loss with PyTorch's defaults.
            pub fn new() -> Self {
                $name { core: Core::new(), $($($buffer: None,)*)? $($value: $default,)* }
            }

            $($(
                $(#[$buffer_doc])*
                pub fn $buffer(mut self, $buffer: Tensor) -> Self {
                    self.$buffer = Some(Buffer::new($buffer));
                    self
                }
            )*)?

            $(
                $(#[$value_doc])*
                pub fn $value(mut self, $value: impl Into<$type>) -> Self {
                    self.$value = $value.into();
                    self
                }
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl Forward<($(losses!(@tensor $input)),+)> for $name {
            fn forward(&self, ($($input),+): ($(losses!(@tensor $input)),+)) -> Result<Tensor> {
                let ($this, $($input),+) = (self, $(&$input),+);
                $loss
            }
        }
    )* };
    (@tensor $input:ident) => { Tensor };
}

pub(super) use losses;

losses! {
    /// Cross entropy of logits and classes, or class probabilities.
    ///
    /// `-weight[y] ln(softmax(x))[y]`, with `Reduction::Mean` divided by the sum of the weights that counted. With
    /// `label_smoothing` s the wanted probabilities are `(1 - s) t + s / C`. Szegedy et al., *Rethinking the Inception
    /// Architecture* (2015).
    ///
    /// # Shapes
    /// Logits `[C]`, `[N, C]` or `[N, C, *]`; classes `[]`, `[N]` or `[N, *]`, or probabilities of the logits' shape.
    ///
    /// # Errors
    /// Sizes or dtypes that do not fit; a class out of range; a smoothing outside `[0, 1]`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let loss = nn::CrossEntropyLoss::new;
    /// let (x, y) = (Tensor::new([[2.0f32, 0.0], [0.0, 1.0]])?, Tensor::new([0i64, 1])?);
    /// assert_eq!(loss().call((&x, &y))?.to_string(), "tensor(0.2201)");
    /// let each = loss().reduction(nn::Reduction::None).call((&x, &y))?;
    /// assert_eq!(each.to_string(), "tensor([0.1269, 0.3133])");
    /// let weighted = loss().weight(Tensor::new([1.0f32, 3.0])?).call((&x, &y))?;
    /// assert_eq!(weighted.to_string(), "tensor(0.2667)");
    /// assert_eq!(loss().ignore_index(1).call((&x, &y))?.to_string(), "tensor(0.1269)");
    /// assert_eq!(loss().label_smoothing(0.5).call((&x, &y))?.to_string(), "tensor(0.5951)");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    CrossEntropyLoss [
        /// A weight for each class: `[C]`.
        weight,
    ] {
        /// The class that counts nothing; -100 unless set.
        ignore_index: i64 = -100,
        /// What becomes of the losses of a batch; their mean unless set.
        reduction: Reduction = Reduction::Mean,
        /// The share of the probability that is spread over all classes; none unless set.
        label_smoothing: f64 = 0.0,
    } |this, input, target| {
        let mut options = CrossEntropyOptions::new()
            .ignore_index(this.ignore_index)
            .reduction(this.reduction)
            .label_smoothing(this.label_smoothing);
        options.weight = this.weight.as_deref();
        functional::cross_entropy_with(input, target, &options)
    };

    /// Negative log likelihood of classes under log probabilities: `-weight[y] x[y]`.
    ///
    /// # Shapes
    /// Log probabilities `[C]`, `[N, C]` or `[N, C, *]`; classes `[]`, `[N]` or `[N, *]`.
    ///
    /// # Errors
    /// Sizes or dtypes that do not fit; a class out of range.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (x, y) = (Tensor::new([[-0.5f32, -1.0], [-2.0, -0.25]])?, Tensor::new([1i64, 0])?);
    /// let loss = nn::NLLLoss::new;
    /// assert_eq!(loss().call((&x, &y))?.item::<f32>()?, 1.5);
    /// assert_eq!(loss().reduction(nn::Reduction::None).call((&x, &y))?.to_vec::<f32>()?, [1.0, 2.0]);
    /// assert_eq!(loss().ignore_index(0).call((&x, &y))?.item::<f32>()?, 1.0);
    /// let weighted = loss().weight(Tensor::new([1.0f32, 3.0])?); // (3 * 1 + 1 * 2) / (3 + 1)
    /// assert_eq!(weighted.call((&x, &y))?.item::<f32>()?, 1.25);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    NLLLoss [
        /// A weight for each class: `[C]`.
        weight,
    ] {
        /// The class that counts nothing; -100 unless set.
        ignore_index: i64 = -100,
        /// What becomes of the losses of a batch; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, input, target| {
        let mut options = NLLLossOptions::new().ignore_index(this.ignore_index).reduction(this.reduction);
        options.weight = this.weight.as_deref();
        functional::nll_loss_with(input, target, &options)
    };

    /// Squared error: `(x - y)^2`.
    ///
    /// # Shapes
    /// Two tensors of one shape; other shapes broadcast, with PyTorch's warning.
    ///
    /// # Errors
    /// Shapes that do not broadcast.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (x, y) = (Tensor::new([1.0f32, 2.0])?, Tensor::new([3.0f32, 2.0])?);
    /// assert_eq!(nn::MSELoss::new().call((&x, &y))?.item::<f32>()?, 2.0);
    /// let sum = nn::MSELoss::new().reduction(nn::Reduction::Sum);
    /// assert_eq!(sum.call((&x, &y))?.item::<f32>()?, 4.0);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MSELoss {
        /// What becomes of the elements' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, input, target| functional::mse_loss_with(input, target, &LossOptions::new().reduction(this.reduction));

    /// Absolute error: `|x - y|`.
    ///
    /// # Shapes
    /// Two tensors of one shape; other shapes broadcast, with PyTorch's warning.
    ///
    /// # Errors
    /// Shapes that do not broadcast.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (x, y) = (Tensor::new([1.0f32, 2.0])?, Tensor::new([4.0f32, 2.0])?);
    /// assert_eq!(nn::L1Loss::new().call((&x, &y))?.item::<f32>()?, 1.5);
    /// let sum = nn::L1Loss::new().reduction(nn::Reduction::Sum);
    /// assert_eq!(sum.call((&x, &y))?.item::<f32>()?, 3.0);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    L1Loss {
        /// What becomes of the elements' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, input, target| functional::l1_loss_with(input, target, &LossOptions::new().reduction(this.reduction));

    /// `(x - y)^2 / (2 beta)` where `|x - y| < beta`, else `|x - y| - beta / 2`.
    ///
    /// Girshick, *Fast R-CNN* (2015).
    ///
    /// # Shapes
    /// Two tensors of one shape; other shapes broadcast, with PyTorch's warning.
    ///
    /// # Errors
    /// Shapes that do not broadcast; a negative `beta`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (x, y) = (Tensor::new([0.5f32, 3.0])?, Tensor::zeros([2])?);
    /// assert_eq!(nn::SmoothL1Loss::new().call((&x, &y))?.item::<f32>()?, 1.3125);
    /// assert_eq!(nn::SmoothL1Loss::new().beta(2.0).call((&x, &y))?.to_string(), "tensor(1.0312)");
    /// let each = nn::SmoothL1Loss::new().reduction(nn::Reduction::None);
    /// assert_eq!(each.call((&x, &y))?.to_vec::<f32>()?, [0.125, 2.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    SmoothL1Loss {
        /// What becomes of the elements' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
        /// Where the loss turns linear; 1 unless set.
        beta: f64 = 1.0,
    } |this, input, target| functional::smooth_l1_loss_with(input, target, this.beta, this.reduction);

    /// `(x - y)^2 / 2` where `|x - y| <= delta`, else `delta (|x - y| - delta / 2)`.
    ///
    /// Huber, *Robust Estimation of a Location Parameter* (1964).
    ///
    /// # Shapes
    /// Two tensors of one shape; other shapes broadcast, with PyTorch's warning.
    ///
    /// # Errors
    /// Shapes that do not broadcast; a `delta` that is not positive.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (x, y) = (Tensor::new([0.5f32, 3.0])?, Tensor::zeros([2])?);
    /// assert_eq!(nn::HuberLoss::new().call((&x, &y))?.item::<f32>()?, 1.3125);
    /// assert_eq!(nn::HuberLoss::new().delta(2.0).call((&x, &y))?.item::<f32>()?, 2.0625);
    /// let sum = nn::HuberLoss::new().reduction(nn::Reduction::Sum);
    /// assert_eq!(sum.call((&x, &y))?.item::<f32>()?, 2.625);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    HuberLoss {
        /// What becomes of the elements' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
        /// Where the loss turns linear; 1 unless set.
        delta: f64 = 1.0,
    } |this, input, target| {
        functional::huber_loss_with(input, target, this.delta, &LossOptions::new().reduction(this.reduction))
    };

    /// Binary cross entropy of probabilities: `-weight (t ln x + (1 - t) ln(1 - x))`, logarithms no lower than -100.
    ///
    /// # Shapes
    /// Two tensors of one shape.
    ///
    /// # Errors
    /// A target of another shape; an input outside `[0, 1]`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (x, y) = (Tensor::new([0.5f32, 0.5])?, Tensor::new([1.0f32, 0.0])?);
    /// assert_eq!(nn::BCELoss::new().call((&x, &y))?.to_string(), "tensor(0.6931)");
    /// let weighted = nn::BCELoss::new().weight(Tensor::new([2.0f32, 0.0])?).reduction(nn::Reduction::None);
    /// assert_eq!(weighted.call((&x, &y))?.to_string(), "tensor([1.3863, 0.0000])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    BCELoss [
        /// A weight that broadcasts over the elements.
        weight,
    ] {
        /// What becomes of the elements' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, input, target| {
        let mut options = LossOptions::new().reduction(this.reduction);
        options.weight = this.weight.as_deref();
        functional::binary_cross_entropy_with(input, target, &options)
    };

    /// Binary cross entropy of logits: [`BCELoss`] of `sigmoid(x)`, without the loss of precision of the two steps.
    ///
    /// `-weight (pos_weight t ln sigmoid(x) + (1 - t) ln(1 - sigmoid(x)))`.
    ///
    /// # Shapes
    /// Two tensors of one shape.
    ///
    /// # Errors
    /// A target of another shape; weights that do not broadcast.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let loss = nn::BCEWithLogitsLoss::new().pos_weight(Tensor::new([3.0f32])?);
    /// let value = loss.call((Tensor::zeros([1])?, Tensor::ones([1])?))?.item::<f32>()?;
    /// assert!((value - 3.0 * 2f32.ln()).abs() < 1e-6);
    /// let loss = loss.weight(Tensor::new([2.0f32, 0.5])?).reduction(nn::Reduction::None);
    /// let values = loss.call((Tensor::zeros([2])?, Tensor::new([1.0f32, 0.0])?))?;
    /// assert_eq!(values.to_string(), "tensor([4.1589, 0.3466])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    BCEWithLogitsLoss [
        /// A weight that broadcasts over the elements.
        weight,
        /// The weight of the positive class, which broadcasts over the elements.
        pos_weight,
    ] {
        /// What becomes of the elements' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, input, target| {
        let mut options = BCEWithLogitsOptions::new().reduction(this.reduction);
        options.weight = this.weight.as_deref();
        options.pos_weight = this.pos_weight.as_deref();
        functional::binary_cross_entropy_with_logits_with(input, target, &options)
    };

    /// Kullback-Leibler divergence of log probabilities `x` from probabilities `t`: `t (ln t - x)`.
    ///
    /// `KLDivReduction::BatchMean` gives the divergence itself; the default, a mean over all elements, prints PyTorch's
    /// warning.
    ///
    /// # Shapes
    /// Two tensors of one shape.
    ///
    /// # Errors
    /// Shapes that do not broadcast.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (x, y) = (Tensor::new([[-1.0f32, -1.0]])?, Tensor::new([[0.5f32, 0.5]])?);
    /// let loss = nn::KLDivLoss::new().reduction(nn::functional::KLDivReduction::BatchMean);
    /// assert_eq!(loss.call((&x, &y))?.to_string(), "tensor(0.3069)");
    /// assert_eq!(loss.log_target(true).call((&x, y.log()?))?.to_string(), "tensor(0.3069)");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    KLDivLoss {
        /// What becomes of the elements' losses; their mean unless set.
        reduction: KLDivReduction = KLDivReduction::Of(Reduction::Mean),
        /// Does the target hold log probabilities? It does not unless set.
        log_target: bool = false,
    } |this, input, target| functional::kl_div_with(input, target, this.reduction, this.log_target);
}
