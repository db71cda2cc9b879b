//! Distances and similarities, and the losses made of them.

use firebrick_core::amp::autocast_cast as cast;
use firebrick_core::autograd::no_grad;
use firebrick_core::text::python_float;
use firebrick_core::{Error, Reduction, Result, Tensor};

/// `x1 x2 / (max(|x1|, eps) max(|x2|, eps))` along `dim`; shapes broadcast. PyTorch's defaults are 1 and 1e-8.
///
/// The bounds leave the gradients of the norms alone.
///
/// # Errors
/// Shapes that do not broadcast; a dimension out of range; integers.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (a, b) = (Tensor::new([[3.0f32, 4.0]])?, Tensor::new([[3.0f32, 0.0]])?);
/// assert_eq!(F::cosine_similarity(&a, &b, 1, 1e-8)?.to_vec::<f32>()?, [0.6]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn cosine_similarity(x1: &Tensor, x2: &Tensor, dim: i64, eps: f64) -> Result<Tensor> {
    const OP: &str = "cosine_similarity";
    let dtype = Tensor::result_type(x1, x2)?;
    if !dtype.is_floating_point() {
        let text = "expected common dtype to be floating point, yet common dtype is";
        return Err(Error::runtime(OP, format!("{text} {}", dtype.scalar_name())));
    }
    let shape = firebrick_core::broadcast_shapes(OP, &x1.shape(), &x2.shape())?;
    let unit = |x: &Tensor| -> Result<Tensor> {
        let x = x.to(dtype)?.expand(&shape)?;
        let norm = x.norm_dim(2.0, dim, true)?.copy()?;
        no_grad(|| norm.clamp_min_(eps).map(drop))?;
        x.div(&norm)
    };
    unit(x1)?.mul(&unit(x2)?)?.sum_dim(dim, false)
}

/// The `p`-norm of `x1 - x2 + eps` along the last dimension; shapes broadcast.
///
/// PyTorch's defaults are 2, 1e-6 and `false`.
///
/// # Errors
/// Shapes that do not broadcast.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (a, b) = (Tensor::new([[3.0f32, 4.0]])?, Tensor::zeros([1, 2])?);
/// assert_eq!(F::pairwise_distance(&a, &b, 2.0, 0.0, false)?.to_vec::<f32>()?, [5.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn pairwise_distance(x1: &Tensor, x2: &Tensor, p: f64, eps: f64, keepdim: bool) -> Result<Tensor> {
    x1.sub(x2)?.add(eps)?.norm_dim(p, -1, keepdim)
}

/// The `p`-norms of the differences of every two of the `n` rows: `n (n - 1) / 2` numbers, in the order of the pairs
/// (0, 1), (0, 2), .. (1, 2), ... PyTorch's default is 2.
///
/// # Errors
/// A tensor that is no matrix; a dtype other than float32 and float64; a negative `p`.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let x = Tensor::new([[0.0f32], [1.0], [3.0]])?;
/// assert_eq!(F::pdist(&x, 2.0)?.to_vec::<f32>()?, [1.0, 3.0, 2.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn pdist(input: &Tensor, p: f64) -> Result<Tensor> {
    input.pdist(p)
}

/// `1 - cos(x1, x2)` where the target is 1, and `max(0, cos(x1, x2) - margin)` where it is -1.
///
/// PyTorch's defaults are 0 and the mean.
///
/// # Shapes
/// `[N, D]`, `[N, D]` and `[N]`, or `[D]`, `[D]` and `[]`.
///
/// # Errors
/// Other shapes.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (a, b, y) = (Tensor::new([1.0f32, 0.0])?, Tensor::new([0.0f32, 1.0])?, Tensor::scalar(1.0)?);
/// assert_eq!(F::cosine_embedding_loss(&a, &b, &y, 0.0, nn::Reduction::Mean)?.item::<f32>()?, 1.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn cosine_embedding_loss(
    input1: &Tensor,
    input2: &Tensor,
    target: &Tensor,
    margin: f64,
    reduction: Reduction,
) -> Result<Tensor> {
    const OP: &str = "cosine_embedding_loss";
    const EPSILON: f64 = 1e-12;
    let rank = target.dim();
    if rank > 1 {
        return Err(Error::runtime(OP, "0D or 1D target tensor expected, multi-target not supported"));
    }
    if input1.dim() != rank + 1 || input2.dim() != rank + 1 {
        let text = format!("{rank}D target tensor expects {}D input tensors, but found inputs with sizes", rank + 1);
        return Err(Error::runtime(OP, format!("{text} {:?} and {:?}.", input1.shape(), input2.shape())));
    }
    let (input1, input2, target) = (&cast(OP, input1)?, &cast(OP, input2)?, &cast(OP, target)?);
    let along = |a: &Tensor, b: &Tensor| a.mul(b)?.sum_dim(rank as i64, false);
    let squares = along(input1, input1)?.add(EPSILON)?.mul(&along(input2, input2)?.add(EPSILON)?)?;
    let cosine = along(input1, input2)?.div(&squares.sqrt()?)?;
    let zero = cosine.detach().new_zeros(())?;
    let near = Tensor::where_(&target.eq(1)?, cosine.rsub(1, 1)?, &zero)?;
    let far = Tensor::where_(&target.eq(-1)?, cosine.sub(margin)?.clamp_min(0)?, &zero)?;
    reduction.apply(&near.add(&far)?)
}

/// Options of [`triplet_margin_loss`]; PyTorch's defaults unless set.
#[derive(Clone, Copy, Debug)]
pub struct TripletMarginOptions {
    /// How much further than the positive the negative is to be.
    pub margin: f64,
    /// The norm of the distance.
    pub p: f64,
    /// What is added to the differences.
    pub eps: f64,
    /// Is the distance from the positive to the negative taken where it is the smaller one?
    pub swap: bool,
    /// What becomes of the triplets' losses.
    pub reduction: Reduction,
}

impl Default for TripletMarginOptions {
    fn default() -> Self {
        TripletMarginOptions { margin: 1.0, p: 2.0, eps: 1e-6, swap: false, reduction: Reduction::Mean }
    }
}

/// `max(0, margin + d(anchor, positive) - d(anchor, negative))` for the distance `d` of [`pairwise_distance`].
///
/// Balntas et al., *Learning Local Feature Descriptors with Triplets and Shallow Convolutional Neural Networks*, BMVC
/// (2016); `swap` is its distance swap.
///
/// # Errors
/// A margin that is not above zero; tensors of different dimension or shapes that do not broadcast.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let [a, p, n] = [0.0f32, 3.0, 1.0].map(|x| Tensor::new([[x]]));
/// let options = F::TripletMarginOptions { eps: 0.0, ..Default::default() };
/// assert_eq!(F::triplet_margin_loss(&a?, &p?, &n?, &options)?.item::<f32>()?, 3.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn triplet_margin_loss(
    anchor: &Tensor,
    positive: &Tensor,
    negative: &Tensor,
    options: &TripletMarginOptions,
) -> Result<Tensor> {
    let distance = |a: &Tensor, b: &Tensor| pairwise_distance(a, b, options.p, options.eps, false);
    let [anchor, positive, negative] = [anchor, positive, negative].map(|x| cast("triplet_margin_loss", x));
    triplet_margin_with_distance_loss(&anchor?, &positive?, &negative?, distance, options)
}

/// [`triplet_margin_loss`] with a distance of your own, which leaves `p` and `eps` of the options unused.
///
/// # Errors
/// A margin that is not above zero; tensors of different dimension; those of the distance.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let distance = |a: &Tensor, b: &Tensor| a.sub(b)?.abs()?.sum_dim(-1, false);
/// let (anchor, positive) = (Tensor::new([[0.0f32]])?, Tensor::new([[0.5f32]])?);
/// let negative = Tensor::new([[1.0f32]])?;
/// let options = F::TripletMarginOptions::default();
/// let loss = F::triplet_margin_with_distance_loss(&anchor, &positive, &negative, distance, &options)?;
/// assert_eq!(loss.item::<f32>()?, 0.5);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn triplet_margin_with_distance_loss(
    anchor: &Tensor,
    positive: &Tensor,
    negative: &Tensor,
    distance: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
    options: &TripletMarginOptions,
) -> Result<Tensor> {
    const OP: &str = "triplet_margin_loss";
    let &TripletMarginOptions { margin, swap, reduction, .. } = options;
    if margin <= 0.0 {
        return Err(Error::value(OP, format!("margin must be greater than 0, got {}", python_float(margin))));
    }
    let [a, p, n] = [anchor, positive, negative].map(Tensor::dim);
    if a != p || p != n {
        let text = "The anchor, positive, and negative tensors are expected to have the same number of dimensions";
        let got = format!("but got: anchor {a}D, positive {p}D, and negative {n}D inputs");
        return Err(Error::runtime(OP, format!("{text}, {got}")));
    }
    let near = distance(anchor, positive)?;
    let mut far = distance(anchor, negative)?;
    if swap {
        far = far.minimum(&distance(positive, negative)?)?;
    }
    reduction.apply(&near.sub(&far)?.add(margin)?.clamp_min(0)?)
}
