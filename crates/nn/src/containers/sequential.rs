//! Modules that are called one after another.

use super::{insertion_place, place, share, slice};
use crate::extra::{check_module_name, has_attribute};
use crate::{Call, Core, Forward, Module};
use firebrick_core::{Error, Result, Tensor};
use indexmap::IndexMap;
use std::ops::{Add, AddAssign, Mul, RangeBounds};

/// Tensor-to-tensor modules, each called on the result of the one before.
///
/// Layers are named `0`, `1`, ... or by [`Sequential::add_named`]. With no layer the input comes back. To put one
/// layer in twice, or into two models, share it through `Arc`. `a + b`, `a += b` and `a * 2` are PyTorch's; the last may
/// fail and shares its layers, as [`Sequential::repeat`].
///
/// ```
/// use firebrick::prelude::*;
/// let net = nn::Sequential::new()
///     .add(nn::Linear::new(3, 8)?)
///     .add(nn::ReLU::new())
///     .add(nn::Linear::new(8, 2)?);
/// assert_eq!(net.call(Tensor::zeros([4, 3])?)?.shape(), [4, 2]);
/// assert_eq!(net.get(-1)?.to_string(), "Linear(in_features=8, out_features=2, bias=True)");
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
pub struct Sequential {
    core: Core,
    #[module(flatten)]
    layers: IndexMap<String, Box<dyn Forward>>,
}

const METHODS: [&str; 4] = ["append", "extend", "insert", "pop"];

impl Forward for Sequential {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        self.layers.values().try_fold(input, |x, layer| layer.call(x))
    }
}

impl Sequential {
    /// No layers.
    pub fn new() -> Self {
        Sequential { core: Core::new(), layers: IndexMap::new() }
    }

    /// The same with one more layer, named by its number.
    #[expect(clippy::should_implement_trait, reason = "adds a layer; there is nothing to sum")]
    pub fn add(mut self, layer: impl Forward) -> Self {
        self.append(layer);
        self
    }

    /// The same with one more layer under a name of its own, as PyTorch's `Sequential(OrderedDict(...))`.
    ///
    /// # Errors
    /// A `KeyError` for a name that is empty, contains a dot, or is a method's.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add_named("fc", nn::Linear::new(3, 2)?)?.add_named("act", nn::ReLU::new())?;
    /// assert_eq!(net.state_dict().keys().collect::<Vec<_>>(), ["fc.weight", "fc.bias"]);
    /// assert!(nn::Sequential::new().add_named("append", nn::ReLU::new()).is_err());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn add_named(mut self, name: &str, layer: impl Forward) -> Result<Self> {
        if !self.layers.contains_key(name) {
            if METHODS.contains(&name) || has_attribute(&self, name) {
                return Err(Error::key("Sequential", format!("attribute '{name}' already exists")));
            }
            check_module_name("Sequential", name)?;
        }
        self.layers.insert(name.to_owned(), Box::new(layer));
        Ok(self)
    }

    /// How many layers there are.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// The layers in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &dyn Forward> + DoubleEndedIterator {
        self.layers.values().map(|layer| &**layer)
    }

    /// The layer at `index`, which may be negative.
    ///
    /// # Errors
    /// An `IndexError` outside `-len..len`.
    pub fn get(&self, index: isize) -> Result<&dyn Forward> {
        Ok(&*self.layers[place("Sequential", index, self.len())?])
    }

    /// Replaces the layer at `index`, which keeps its name, and returns the old one.
    ///
    /// # Errors
    /// An `IndexError` outside `-len..len`.
    pub fn set(&mut self, index: isize, layer: impl Forward) -> Result<Box<dyn Forward>> {
        let at = place("Sequential", index, self.len())?;
        Ok(std::mem::replace(&mut self.layers[at], Box::new(layer)))
    }

    /// Adds a layer at the end, named by its number.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut net = nn::Sequential::new();
    /// assert!(net.is_empty());
    /// net.append(nn::Linear::new(3, 2)?).append(nn::ReLU::new());
    /// net.extend(nn::Sequential::new().add(nn::Tanh::new()));
    /// net.insert(0, nn::Flatten::new())?;
    /// net.set(-1, nn::Sigmoid::new())?;
    /// let names: Vec<_> = net.iter().map(|layer| layer.type_name()).collect();
    /// assert_eq!(names, ["Flatten", "Linear", "ReLU", "Sigmoid"]);
    /// assert_eq!((net.pop(0)?.type_name(), net.len()), ("Flatten", 3));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn append(&mut self, layer: impl Forward) -> &mut Self {
        self.layers.insert(self.layers.len().to_string(), Box::new(layer));
        self
    }

    /// Adds the layers of another one: PyTorch's `extend` and `+=`.
    pub fn extend(&mut self, other: Sequential) -> &mut Self {
        for (_, layer) in other.layers {
            self.append(layer);
        }
        self
    }

    /// Puts a layer before the one at `index`; layers are then named by their numbers.
    ///
    /// # Errors
    /// An `IndexError` outside `-len..=len`.
    pub fn insert(&mut self, index: isize, layer: impl Forward) -> Result<&mut Self> {
        let at = insertion_place("Sequential.insert", index, self.len())?;
        let mut layers: Vec<_> = std::mem::take(&mut self.layers).into_values().collect();
        layers.insert(at, Box::new(layer));
        self.renumber(layers);
        Ok(self)
    }

    /// Takes the layer at `index` out; layers are then named by their numbers.
    ///
    /// # Errors
    /// An `IndexError` outside `-len..len`.
    pub fn pop(&mut self, index: isize) -> Result<Box<dyn Forward>> {
        let at = place("Sequential", index, self.len())?;
        let mut layers: Vec<_> = std::mem::take(&mut self.layers).into_values().collect();
        let layer = layers.remove(at);
        self.renumber(layers);
        Ok(layer)
    }

    /// A model that shares a range of the layers, under their names: PyTorch's `sequential[a:b]`.
    ///
    /// The layers are put behind `Arc`s for that, so their own structure cannot change while both models live.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut net = nn::Sequential::new().add(nn::Linear::new(2, 3)?).add(nn::ReLU::new()).add(nn::Linear::new(3, 1)?);
    /// let features = net.share(..-1);
    /// assert_eq!(features.len(), 2);
    /// assert!(features.parameters()[0].ptr_eq(&net.parameters()[0]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn share(&mut self, range: impl RangeBounds<isize>) -> Sequential {
        let range = slice(range, self.len());
        let entries = self.layers.iter_mut().skip(range.start).take(range.len());
        Sequential { core: Core::new(), layers: entries.map(|(name, layer)| (name.clone(), share(layer))).collect() }
    }

    /// Takes a range of layers out into a model of its own: PyTorch's `del sequential[a:b]`. The rest is then named by
    /// numbers.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut net = nn::Sequential::new().add(nn::ReLU::new()).add(nn::Tanh::new()).add(nn::Sigmoid::new());
    /// let taken = net.drain(1..);
    /// assert_eq!((net.len(), taken.children()[0].type_name()), (1, "Tanh"));
    /// ```
    pub fn drain(&mut self, range: impl RangeBounds<isize>) -> Sequential {
        let range = slice(range, self.len());
        let out = Sequential { core: Core::new(), layers: self.layers.drain(range).collect() };
        let rest = std::mem::take(&mut self.layers).into_values().collect();
        self.renumber(rest);
        out
    }

    /// `times` repetitions that share their layers: PyTorch's `sequential * times`.
    ///
    /// # Errors
    /// A `ValueError` for zero.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::Sequential::new().add(nn::Linear::new(2, 2)?).repeat(3)?.len(), 3);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn repeat(mut self, times: usize) -> Result<Sequential> {
        if times == 0 {
            return Err(Error::value(
                "Sequential",
                "Non-positive multiplication factor 0 for <class 'torch.nn.modules.container.Sequential'>",
            ));
        }
        let mut layers = Vec::new();
        for _ in 0..times {
            layers.extend(self.layers.values_mut().map(share));
        }
        Ok(layers.into_iter().collect())
    }

    fn renumber(&mut self, layers: Vec<Box<dyn Forward>>) {
        self.layers = layers.into_iter().enumerate().map(|(i, layer)| (i.to_string(), layer)).collect();
    }
}

impl Add for Sequential {
    type Output = Sequential;
    /// The layers of both, named by their numbers.
    fn add(self, other: Sequential) -> Sequential {
        self.layers.into_values().chain(other.layers.into_values()).collect()
    }
}

impl AddAssign for Sequential {
    fn add_assign(&mut self, other: Sequential) {
        self.extend(other);
    }
}

impl Mul<usize> for Sequential {
    type Output = Result<Sequential>;
    fn mul(self, times: usize) -> Result<Sequential> {
        self.repeat(times)
    }
}

impl Default for Sequential {
    fn default() -> Self {
        Self::new()
    }
}

impl FromIterator<Box<dyn Forward>> for Sequential {
    fn from_iter<I: IntoIterator<Item = Box<dyn Forward>>>(layers: I) -> Self {
        let mut out = Sequential::new();
        out.renumber(layers.into_iter().collect());
        out
    }
}
