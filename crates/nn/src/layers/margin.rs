//! Losses that ask for a margin, as modules.

use super::loss::losses;
use crate::{Buffer, Core, Forward, Module, functional};
use firebrick_core::{Reduction, Result, Tensor};

losses! {
    /// `x` where the target is 1, and `max(0, margin - x)` where it is -1, for distances `x`.
    ///
    /// # Shapes
    /// Two tensors whose shapes broadcast.
    ///
    /// # Errors
    /// Shapes that do not broadcast.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (x, y) = (Tensor::new([0.25f32, 0.25])?, Tensor::new([1.0f32, -1.0])?);
    /// assert_eq!(nn::HingeEmbeddingLoss::new().call((&x, &y))?.item::<f32>()?, 0.5);
    /// let each = nn::HingeEmbeddingLoss::new().margin(2.0).reduction(nn::Reduction::None);
    /// assert_eq!(each.call((&x, &y))?.to_vec::<f32>()?, [0.25, 1.75]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    HingeEmbeddingLoss {
        /// How far apart pairs of target -1 are to be; 1 unless set.
        margin: f64 = 1.0,
        /// What becomes of the elements' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, input, target| functional::hinge_embedding_loss(input, target, this.margin, this.reduction);

    /// `max(0, margin - y (x1 - x2))`: the first is to rank above the second where `y` is 1, below it where it is -1.
    ///
    /// # Shapes
    /// Three tensors of one dimension whose shapes broadcast.
    ///
    /// # Errors
    /// Tensors of different dimension.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (a, b, y) = (Tensor::new([1.0f32, 1.0])?, Tensor::new([3.0f32, 3.0])?, Tensor::new([1i64, -1])?);
    /// let loss = nn::MarginRankingLoss::new().margin(0.5);
    /// assert_eq!(loss.call((&a, &b, &y))?.item::<f32>()?, 1.25);
    /// let each = loss.reduction(nn::Reduction::None);
    /// assert_eq!(each.call((&a, &b, &y))?.to_vec::<f32>()?, [2.5, 0.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MarginRankingLoss {
        /// How far apart the two are to be; zero unless set.
        margin: f64 = 0.0,
        /// What becomes of the pairs' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, input1, input2, target| {
        functional::margin_ranking_loss(input1, input2, target, this.margin, this.reduction)
    };

    /// `ln(1 + exp(-y x))` for targets `y` of 1 and -1.
    ///
    /// # Shapes
    /// Two tensors whose shapes broadcast.
    ///
    /// # Errors
    /// Shapes that do not broadcast.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (x, y) = (Tensor::new([0.0f32, 3.0])?, Tensor::new([1.0f32, -1.0])?);
    /// assert_eq!(nn::SoftMarginLoss::new().call((&x, &y))?.to_string(), "tensor(1.8709)");
    /// let each = nn::SoftMarginLoss::new().reduction(nn::Reduction::None);
    /// assert_eq!(each.call((&x, &y))?.to_string(), "tensor([0.6931, 3.0486])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    SoftMarginLoss {
        /// What becomes of the elements' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, input, target| functional::soft_margin_loss(input, target, this.reduction);

    /// The sum over the other classes of `weight[y] max(0, margin - x[y] + x[i])^p`, divided by the number of classes.
    ///
    /// # Shapes
    /// Scores `[N, C]` and classes `[N]`, or `[C]` and one class.
    ///
    /// # Errors
    /// When called: a `p` other than 1 and 2; sizes or dtypes that do not fit; a class out of range.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (x, y) = (Tensor::new([[0.0f32, 1.0], [2.0, 1.5]])?, Tensor::new([0i64, 0])?);
    /// assert_eq!(nn::MultiMarginLoss::new().call((&x, &y))?.item::<f32>()?, 0.625);
    /// let each = || nn::MultiMarginLoss::new().reduction(nn::Reduction::None);
    /// assert_eq!(each().call((&x, &y))?.to_vec::<f32>()?, [1.0, 0.25]);
    /// assert_eq!(each().p(2).call((&x, &y))?.to_vec::<f32>()?, [2.0, 0.125]);
    /// assert_eq!(each().margin(2.0).call((&x, &y))?.to_vec::<f32>()?, [1.5, 0.75]);
    /// assert_eq!(each().weight(Tensor::new([3.0f32, 1.0])?).call((&x, &y))?.to_vec::<f32>()?, [3.0, 0.75]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MultiMarginLoss [
        /// A weight for each class: `[C]`.
        weight,
    ] {
        /// The power of the differences; 1 unless set.
        p: i64 = 1,
        /// How far above the others the class is to be; 1 unless set.
        margin: f64 = 1.0,
        /// What becomes of the samples' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, input, target| {
        let weight = this.weight.as_deref();
        functional::multi_margin_loss(input, target, this.p, this.margin, weight, this.reduction)
    };

    /// The sum over wanted classes `j` and others `i` of `max(0, 1 - x[j] + x[i])`, divided by the number of classes.
    ///
    /// # Shapes
    /// Scores and targets `[N, C]` or `[C]`; the wanted classes are those before the first -1 of a row.
    ///
    /// # Errors
    /// Sizes or dtypes that do not fit; a class out of range.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (x, y) = (Tensor::new([[0.5f32, 0.25, 1.0]])?, Tensor::new([[2i64, -1, 0]])?);
    /// assert_eq!(nn::MultiLabelMarginLoss::new().call((&x, &y))?.to_string(), "tensor(0.2500)");
    /// let each = nn::MultiLabelMarginLoss::new().reduction(nn::Reduction::None);
    /// assert_eq!(each.call((&x, &y))?.to_vec::<f32>()?, [0.25]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MultiLabelMarginLoss {
        /// What becomes of the samples' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, input, target| functional::multilabel_margin_loss(input, target, this.reduction);

    /// Binary cross entropy of logits for each of `C` labels, averaged over these.
    ///
    /// # Shapes
    /// Logits and targets `[.., C]`.
    ///
    /// # Errors
    /// Shapes that do not broadcast; an input without dimensions.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (x, y) = (Tensor::new([[0.0f32, 0.0], [1.0, 2.0]])?, Tensor::new([[1i64, 0], [0, 0]])?);
    /// let each = || nn::MultiLabelSoftMarginLoss::new().reduction(nn::Reduction::None);
    /// assert_eq!(each().call((&x, &y))?.to_string(), "tensor([0.6931, 1.7201])");
    /// let first = each().weight(Tensor::new([2.0f32, 0.0])?);
    /// assert_eq!(first.call((&x, &y))?.to_string(), "tensor([0.6931, 1.3133])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MultiLabelSoftMarginLoss [
        /// A weight that broadcasts over the labels.
        weight,
    ] {
        /// What becomes of the samples' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, input, target| {
        functional::multilabel_soft_margin_loss(input, target, this.weight.as_deref(), this.reduction)
    };
}
