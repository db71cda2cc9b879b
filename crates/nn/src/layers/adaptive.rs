//! A softmax over many classes in clusters.

use super::Linear;
use super::placement::placement;
use crate::{Call, Core, Forward, Module, ModuleList, Sequential};
use firebrick_core::{DType, Device, Error, Result, Tensor, default_device, default_dtype};

const OP: &str = "AdaptiveLogSoftmaxWithLoss";

/// Log softmax over many classes, most of them rare: classes below the first cutoff have a logit in the head, those between
/// two cutoffs share one, and tell themselves apart in a tail of fewer features.
///
/// Grave et al., *Efficient softmax approximation for GPUs*, ICML (2017). The tail of cluster `i`, counted from 1, has
/// `in_features / div_value^i` features, rounded down. Classes are sorted by falling frequency.
///
/// # Shapes
/// Input `[N, F]` and classes `[N]`, or `[F]` and `[]`, to the log probability of each sample's class, `[N]` or `[]`, and the
/// mean of their negatives.
///
/// # Errors
/// When called: sizes that do not fit; a class out of range.
///
/// ```
/// use firebrick::prelude::*;
/// let softmax = nn::AdaptiveLogSoftmaxWithLoss::new(8, 20, [4, 10])?;
/// let (output, loss) = softmax.call((Tensor::ones([3, 8])?, Tensor::new([1i64, 5, 19])?))?;
/// assert_eq!(output.shape(), [3]);
/// assert!((loss.item::<f32>()? + output.mean()?.item::<f32>()?).abs() < 1e-6);
/// // Over all classes it is a distribution.
/// let sum = softmax.log_prob(&Tensor::ones([1, 8])?)?.exp()?.sum()?.item::<f32>()?;
/// assert!((sum - 1.0).abs() < 1e-5);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
pub struct AdaptiveLogSoftmaxWithLoss {
    core: Core,
    /// The logits of the frequent classes, then of the clusters.
    pub head: Linear,
    /// One pair of maps for each cluster: to fewer features, then to its classes.
    pub tail: ModuleList<Sequential>,
    /// Where clusters begin, and the number of classes.
    #[module(skip)]
    cutoffs: Vec<i64>,
}

/// Options of an [`AdaptiveLogSoftmaxWithLoss`].
///
/// ```
/// use firebrick::prelude::*;
/// let softmax = nn::AdaptiveLogSoftmaxWithLoss::builder(8, 10, [3, 6])
///     .div_value(2.0)
///     .head_bias(true)
///     .dtype(DType::F64)
///     .device(Device::Cpu)
///     .build()?;
/// assert_eq!(softmax.head.to_string(), "Linear(in_features=8, out_features=5, bias=True)"); // 3 classes, 2 clusters
/// assert_eq!(softmax.get_parameter("tail.1.0.weight")?.shape()?, [2, 8]); // 8 / 2^2 features
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct AdaptiveLogSoftmaxWithLossBuilder {
    in_features: usize,
    n_classes: usize,
    cutoffs: Vec<i64>,
    div_value: f64,
    head_bias: bool,
    dtype: DType,
    device: Device,
}

impl AdaptiveLogSoftmaxWithLoss {
    /// A softmax over `n_classes` whose clusters begin at `cutoffs`.
    ///
    /// # Errors
    /// Cutoffs that are not increasing, or not between 1 and `n_classes - 1`; when memory cannot be had.
    pub fn new(in_features: usize, n_classes: usize, cutoffs: impl Into<Vec<i64>>) -> Result<Self> {
        Self::builder(in_features, n_classes, cutoffs).build()
    }

    /// The softmax with options.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let softmax = nn::AdaptiveLogSoftmaxWithLoss::builder(8, 10, [4]).div_value(2.0).build()?;
    /// assert_eq!(softmax.get_parameter("tail.0.1.weight")?.shape()?, [6, 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn builder(
        in_features: usize,
        n_classes: usize,
        cutoffs: impl Into<Vec<i64>>,
    ) -> AdaptiveLogSoftmaxWithLossBuilder {
        AdaptiveLogSoftmaxWithLossBuilder {
            in_features,
            n_classes,
            cutoffs: cutoffs.into(),
            div_value: 4.0,
            head_bias: false,
            dtype: default_dtype(),
            device: default_device(),
        }
    }

    /// Draws new values for all parameters.
    ///
    /// # Errors
    /// On uninitialized parameters.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let softmax = nn::AdaptiveLogSoftmaxWithLoss::new(8, 10, [4])?;
    /// let before = softmax.head.weight.to_vec::<f32>()?;
    /// softmax.reset_parameters()?;
    /// assert_ne!(softmax.head.weight.to_vec::<f32>()?, before);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn reset_parameters(&self) -> Result<()> {
        self.head.reset_parameters()?;
        for layer in self.tail.iter().flat_map(|projection| projection.iter()) {
            if let Some(linear) = layer.as_dyn().downcast_ref::<Linear>() {
                linear.reset_parameters()?;
            }
        }
        Ok(())
    }

    /// How many classes have a logit of their own in the head.
    fn shortlist(&self) -> i64 {
        self.cutoffs[0]
    }

    /// The log probabilities within cluster `index`.
    fn cluster(&self, index: usize, input: &Tensor) -> Result<Tensor> {
        self.tail.get(index as isize)?.call(input)?.log_softmax(1)
    }

    /// The log probabilities of all classes: `[N, F]` to `[N, n_classes]`.
    ///
    /// # Errors
    /// An input of another size.
    pub fn log_prob(&self, input: &Tensor) -> Result<Tensor> {
        self.full(input, &self.head.call(input)?)
    }

    /// [`AdaptiveLogSoftmaxWithLoss::log_prob`] of an input whose head is known.
    fn full(&self, input: &Tensor, head: &Tensor) -> Result<Tensor> {
        let (head, shortlist) = (head.log_softmax(1)?, self.shortlist());
        let mut parts = vec![head.narrow(1, 0, shortlist)?];
        for index in 0..self.tail.len() {
            let share = head.narrow(1, shortlist + index as i64, 1)?;
            parts.push(self.cluster(index, input)?.add(&share)?);
        }
        Tensor::cat(&parts, 1)
    }

    /// The class of the largest log probability: `[N, F]` to `[N]`.
    ///
    /// As in PyTorch, a sample whose largest logit of the head is a class's is that class.
    ///
    /// # Errors
    /// An input of another size.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let softmax = nn::AdaptiveLogSoftmaxWithLoss::new(8, 10, [4])?;
    /// let x = Tensor::ones([1, 8])?;
    /// assert!(softmax.predict(&x)?.equal(&softmax.log_prob(&x)?.argmax_dim(1, false)?)?);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn predict(&self, input: &Tensor) -> Result<Tensor> {
        let head = self.head.call(input)?;
        let classes = head.argmax_dim(1, false)?;
        let rows = classes.ge(self.shortlist())?.nonzero()?.squeeze_dim(1)?;
        if rows.numel() == 0 {
            return Ok(classes);
        }
        let full = self.full(&input.index_select(0, &rows)?, &head.index_select(0, &rows)?)?;
        classes.index_copy(0, &rows, &full.argmax_dim(1, false)?)
    }
}

impl AdaptiveLogSoftmaxWithLossBuilder {
    /// What the number of features is divided by from cluster to cluster; 4 unless set.
    pub fn div_value(mut self, div_value: f64) -> Self {
        self.div_value = div_value;
        self
    }

    /// Does the head have a bias? It has none unless set.
    pub fn head_bias(mut self, head_bias: bool) -> Self {
        self.head_bias = head_bias;
        self
    }

    placement!(AdaptiveLogSoftmaxWithLoss::builder(8, 10, [4]));

    /// The softmax.
    ///
    /// # Errors
    /// Cutoffs that are not increasing, or not between 1 and `n_classes - 1`; a `div_value` of zero or below; when memory
    /// cannot be had.
    pub fn build(self) -> Result<AdaptiveLogSoftmaxWithLoss> {
        self.check()?;
        let mut cutoffs = self.cutoffs.clone();
        cutoffs.push(self.n_classes as i64);
        let head_size = cutoffs[0] as usize + self.cutoffs.len();
        let head = self.linear(self.in_features, head_size, self.head_bias)?;
        let mut tail = ModuleList::new();
        for (index, ends) in cutoffs.windows(2).enumerate() {
            let (features, classes) = (self.features(index + 1)?, (ends[1] - ends[0]) as usize);
            let narrowing = self.linear(self.in_features, features, false)?;
            tail.append(Sequential::new().add(narrowing).add(self.linear(features, classes, false)?));
        }
        Ok(AdaptiveLogSoftmaxWithLoss { core: Core::new(), head, tail, cutoffs })
    }

    fn check(&self) -> Result<()> {
        let (Some(&first), Some(&last)) = (self.cutoffs.first(), self.cutoffs.last()) else {
            return Err(Error::value(OP, "cutoffs should be a sequence of length larger than 0"));
        };
        if first <= 0 || last >= self.n_classes as i64 || self.cutoffs.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(Error::value(
                OP,
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is between 1 and n_classes-1",
            )
            .given(format!("{:?} of {} classes", self.cutoffs, self.n_classes)));
        }
        Ok(())
    }

    /// How many features the cluster of this number has.
    fn features(&self, cluster: usize) -> Result<usize> {
        let divisor = self.div_value.powi(cluster.min(i32::MAX as usize) as i32);
        let features = (self.in_features as f64 / divisor).floor();
        if divisor == 0.0 {
            return Err(Error::value(OP, "float floor division by zero"));
        }
        if features < 0.0 {
            let text = format!("Trying to create tensor with negative dimension {features}");
            return Err(Error::runtime(OP, format!("{text}: [{features}, {}]", self.in_features)));
        }
        Ok(features as usize)
    }

    fn linear(&self, from: usize, to: usize, bias: bool) -> Result<Linear> {
        Linear::builder(from, to).bias(bias).dtype(self.dtype).device(self.device).build()
    }
}

/// PyTorch's checks of the shapes.
fn check(input: &Tensor, target: &Tensor) -> Result<()> {
    let size = || input.shape();
    let text = match (target.dim(), input.dim()) {
        (1, 0) => return input.size(0).map(drop),
        (1, _) if input.size(0)? != target.size(0)? => {
            "Input and target should have the same size in the batch dimension.".to_owned()
        }
        (1, 2) | (0, 1) => return Ok(()),
        (1, _) => format!("1D target tensor expects 2D input tensors, but found inputs with size {}", size()),
        (0, _) => format!("0D target tensor expects 1D input tensors, but found inputs with size {}", size()),
        _ => "0D or 1D target tensor expected, multi-target not supported".to_owned(),
    };
    Err(Error::runtime(OP, text))
}

impl Forward<(Tensor, Tensor), (Tensor, Tensor)> for AdaptiveLogSoftmaxWithLoss {
    fn forward(&self, (input, target): (Tensor, Tensor)) -> Result<(Tensor, Tensor)> {
        check(&input, &target)?;
        let batched = target.dim() > 0;
        let (input, target) = if batched { (input, target) } else { (input.unsqueeze(0)?, target.unsqueeze(0)?) };
        let mut found = target.ge(0)?.logical_and(&target.lt(self.shortlist())?)?.sum()?.item::<i64>()?;
        // Of each sample, its place in the head; what its tail adds to its log probability.
        let (mut places, mut within) = (target.clone(), input.new_zeros([target.size(0)?])?);
        for (index, ends) in self.cutoffs.windows(2).enumerate() {
            let inside = target.ge(ends[0])?.logical_and(&target.lt(ends[1])?)?;
            let rows = inside.nonzero()?.squeeze_dim(1)?;
            if rows.numel() == 0 {
                continue;
            }
            found += rows.numel() as i64;
            let relative = target.index_select(0, &rows)?.sub(ends[0])?.unsqueeze(1)?;
            let chosen = self.cluster(index, &input.index_select(0, &rows)?)?.gather(1, &relative)?;
            places = places.index_fill(0, &rows, self.shortlist() + index as i64)?;
            within = within.index_copy(0, &rows, &chosen.squeeze_dim(1)?)?;
        }
        if found != target.numel() as i64 {
            let (least, most) = (target.min()?.item::<i64>()?, target.max()?.item::<i64>()?);
            let last = self.cutoffs[self.cutoffs.len() - 1] - 1;
            // PyTorch's sentence ends with a blank.
            return Err(Error::runtime(
                OP,
                format!("Target values should be in [0, {last}], but values in range [{least}, {most}] were found. "),
            ));
        }
        let head = self.head.call(&input)?.log_softmax(1)?;
        let output = within.add(&head.gather(1, &places.unsqueeze(1)?)?.squeeze_dim(1)?)?;
        let loss = output.neg()?.mean()?;
        Ok((if batched { output } else { output.squeeze_dim(0)? }, loss))
    }
}
