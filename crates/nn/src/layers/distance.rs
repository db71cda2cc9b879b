//! Distances and similarities as modules, and the losses made of them.

use super::loss::losses;
use crate::functional::{self, TripletMarginOptions};
use crate::{Call, Core, Forward, Module};
use firebrick_core::text::python_float;
use firebrick_core::{Error, Reduction, Result, Tensor};

losses! {
    /// `x1 x2 / (max(|x1|, eps) max(|x2|, eps))` along a dimension.
    ///
    /// # Shapes
    /// Two tensors whose shapes broadcast; the dimension disappears.
    ///
    /// # Errors
    /// Shapes that do not broadcast; a dimension out of range; integers.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (a, b) = (Tensor::new([3.0f32, 4.0])?, Tensor::new([3.0f32, 0.0])?);
    /// assert_eq!(nn::CosineSimilarity::new().dim(0).call((&a, &b))?.item::<f32>()?, 0.6);
    /// let long = nn::CosineSimilarity::new().dim(0).eps(10.0); // both norms count as 10
    /// assert_eq!(long.call((&a, &b))?.item::<f32>()?, 0.09);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    CosineSimilarity {
        /// The dimension of the vectors; 1 unless set.
        dim: i64 = 1,
        /// The least norm; 1e-8 unless set.
        eps: f64 = 1e-8,
    } |this, x1, x2| functional::cosine_similarity(x1, x2, this.dim, this.eps);

    /// The `p`-norm of `x1 - x2 + eps` along the last dimension.
    ///
    /// # Shapes
    /// Two tensors whose shapes broadcast; the last dimension disappears unless `keepdim` is set.
    ///
    /// # Errors
    /// Shapes that do not broadcast.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (a, b) = (Tensor::new([[3.0f32, 4.0]])?, Tensor::zeros([2])?);
    /// assert_eq!(nn::PairwiseDistance::new().eps(0.0).call((&a, &b))?.to_vec::<f32>()?, [5.0]);
    /// let city = nn::PairwiseDistance::new().p(1.0).eps(0.0).keepdim(true);
    /// assert_eq!(city.call((&a, &b))?.to_string(), "tensor([[7.]])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    PairwiseDistance {
        /// The norm; 2 unless set.
        p: f64 = 2.0,
        /// What is added to the differences; 1e-6 unless set.
        eps: f64 = 1e-6,
        /// Does the last dimension stay, with size 1? It does not unless set.
        keepdim: bool = false,
    } |this, x1, x2| functional::pairwise_distance(x1, x2, this.p, this.eps, this.keepdim);

    /// `1 - cos(x1, x2)` where the target is 1, and `max(0, cos(x1, x2) - margin)` where it is -1.
    ///
    /// # Shapes
    /// `[N, D]`, `[N, D]` and `[N]`, or `[D]`, `[D]` and `[]`.
    ///
    /// # Errors
    /// Other shapes.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (a, b) = (Tensor::new([3.0f32, 4.0])?, Tensor::new([1.0f32, 0.0])?);
    /// let (same, other) = (Tensor::new(1i64)?, Tensor::new(-1i64)?);
    /// let loss = nn::CosineEmbeddingLoss::new().margin(0.5);
    /// assert_eq!(loss.call((&a, &b, &same))?.to_string(), "tensor(0.4000)");
    /// assert_eq!(loss.call((&a, &b, &other))?.to_string(), "tensor(0.1000)");
    /// let (a, b) = (Tensor::stack(&[&a, &a], 0)?, Tensor::stack(&[&b, &b], 0)?);
    /// let sum = loss.reduction(nn::Reduction::Sum);
    /// assert_eq!(sum.call((&a, &b, Tensor::new([1i64, -1])?))?.to_string(), "tensor(0.5000)");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    CosineEmbeddingLoss {
        /// The cosine above which pairs of target -1 cost; zero unless set.
        margin: f64 = 0.0,
        /// What becomes of the pairs' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, input1, input2, target| {
        functional::cosine_embedding_loss(input1, input2, target, this.margin, this.reduction)
    };

    /// `max(0, margin + d(anchor, positive) - d(anchor, negative))` for the distance of [`PairwiseDistance`].
    ///
    /// Balntas et al., *Learning Local Feature Descriptors with Triplets and Shallow Convolutional Neural Networks*, BMVC
    /// (2016).
    ///
    /// # Shapes
    /// Anchor, positive and negative, `[N, D]` or `[D]`.
    ///
    /// # Errors
    /// When called: a margin that is not above zero; tensors of different dimension. PyTorch refuses the margin when the
    /// loss is built.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (a, p, n) = (Tensor::new([[0.0f32, 0.0]])?, Tensor::new([[3.0f32, 4.0]])?, Tensor::new([[0.0f32, 6.0]])?);
    /// let loss = || nn::TripletMarginLoss::new().eps(0.0);
    /// assert_eq!(loss().call((&a, &p, &n))?.item::<f32>()?, 0.0); // 5 is more than 1 less than 6
    /// assert_eq!(loss().margin(3.0).call((&a, &p, &n))?.item::<f32>()?, 2.0);
    /// let city = || loss().p(1.0); // 7 is not less than 6
    /// assert_eq!(city().call((&a, &p, &n))?.item::<f32>()?, 2.0);
    /// // From the positive the negative is but 5 away.
    /// let each = city().swap(true).reduction(nn::Reduction::None);
    /// assert_eq!(each.call((&a, &p, &n))?.to_vec::<f32>()?, [3.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    TripletMarginLoss {
        /// How much further than the positive the negative is to be; 1 unless set.
        margin: f64 = 1.0,
        /// The norm of the distance; 2 unless set.
        p: f64 = 2.0,
        /// What is added to the differences; 1e-6 unless set.
        eps: f64 = 1e-6,
        /// Is the distance from the positive to the negative taken where it is the smaller one? It is not unless set.
        swap: bool = false,
        /// What becomes of the triplets' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, anchor, positive, negative| {
        let TripletMarginLoss { margin, p, eps, swap, reduction, .. } = *this;
        let options = TripletMarginOptions { margin, p, eps, swap, reduction };
        functional::triplet_margin_loss(anchor, positive, negative, &options)
    };
}

/// [`TripletMarginLoss`] with a distance of your own: a module from a pair of tensors to their distances.
///
/// # Shapes
/// Anchor, positive and negative of one dimension.
///
/// # Errors
/// A margin that is not above zero, when built; tensors of different dimension; those of the distance.
///
/// ```
/// use firebrick::prelude::*;
/// let loss = nn::TripletMarginWithDistanceLoss::new(nn::PairwiseDistance::new().p(1.0)).margin(2.0)?;
/// assert!(loss.to_string().contains("(distance_function): PairwiseDistance()"));
/// let [a, p, n] = [0.0f32, 3.0, 1.0].map(|x| Tensor::new([[x]]));
/// let [a, p, n] = [a?, p?, n?];
/// assert_eq!(loss.call((&a, &p, &n))?.item::<f32>()?, 4.0);
/// // As far from the positive as from the anchor is not far enough.
/// let n = Tensor::new([[5.0f32]])?;
/// assert_eq!(loss.call((&a, &p, &n))?.item::<f32>()?, 0.0);
/// let each = loss.swap(true).reduction(nn::Reduction::None);
/// assert_eq!(each.call((&a, &p, &n))?.to_vec::<f32>()?, [3.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
pub struct TripletMarginWithDistanceLoss<D> {
    core: Core,
    /// The distance.
    pub distance_function: D,
    margin: f64,
    swap: bool,
    #[module(skip)]
    reduction: Reduction,
}

impl<D: Forward<(Tensor, Tensor)>> TripletMarginWithDistanceLoss<D> {
    /// A margin of 1, no swap, the mean of the triplets.
    pub fn new(distance_function: D) -> Self {
        let TripletMarginOptions { margin, swap, reduction, .. } = TripletMarginOptions::default();
        TripletMarginWithDistanceLoss { core: Core::new(), distance_function, margin, swap, reduction }
    }

    /// How much further than the positive the negative is to be; 1 unless set.
    ///
    /// # Errors
    /// A margin that is not above zero.
    pub fn margin(mut self, margin: f64) -> Result<Self> {
        if margin <= 0.0 {
            let text = format!(
                "TripletMarginWithDistanceLoss: expected margin to be greater than 0, got {} instead",
                python_float(margin)
            );
            return Err(Error::value("TripletMarginWithDistanceLoss", text));
        }
        self.margin = margin;
        Ok(self)
    }

    /// Is the distance from the positive to the negative taken where it is the smaller one? It is not unless set.
    pub fn swap(mut self, on: bool) -> Self {
        self.swap = on;
        self
    }

    /// What becomes of the triplets' losses; their mean unless set.
    pub fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }
}

impl<D: Forward<(Tensor, Tensor)>> Forward<(Tensor, Tensor, Tensor)> for TripletMarginWithDistanceLoss<D> {
    fn forward(&self, (anchor, positive, negative): (Tensor, Tensor, Tensor)) -> Result<Tensor> {
        let options = TripletMarginOptions {
            margin: self.margin,
            swap: self.swap,
            reduction: self.reduction,
            ..TripletMarginOptions::default()
        };
        let distance = |a: &Tensor, b: &Tensor| self.distance_function.call((a, b));
        functional::triplet_margin_with_distance_loss(&anchor, &positive, &negative, distance, &options)
    }
}
