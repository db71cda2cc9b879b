//! Random orders.

use crate::sampler::{Order, Sampler};
use firebrick_core::random::{RandomError, current_generator, fill_randint, loader_seed, multinomial, randperm};
use firebrick_core::{Error, Generator, Result};
use std::vec;

/// Indices drawn at a time with replacement.
const BLOCK: usize = 32;

fn check_count(num_samples: usize) -> Result<()> {
    if num_samples == 0 { Err(RandomError::NumSamples(0).into()) } else { Ok(()) }
}

/// The items in random order, each once or, with replacement, any number of times.
///
/// Orders are PyTorch 2.15's for the same seed. Without a generator of its own each pass is shuffled by a fresh one,
/// whose seed is drawn from the default generator when the pass gives its first index.
///
/// ```
/// use firebrick_core::Generator;
/// use firebrick_data::{RandomSampler, Sampler};
/// let sampler = RandomSampler::new(4)?.generator(&Generator::new().manual_seed(0));
/// assert_eq!(sampler.iter().collect::<firebrick_core::Result<Vec<_>>>()?, [0, 1, 3, 2]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RandomSampler {
    items: usize,
    num_samples: usize,
    replacement: bool,
    generator: Option<Generator>,
}

impl RandomSampler {
    /// Random orders of a data set of `len` items.
    ///
    /// # Errors
    /// There are no items.
    ///
    /// ```
    /// use firebrick_core::{Generator, Result};
    /// use firebrick_data::{RandomSampler, Sampler};
    /// let sampler = RandomSampler::new(5)?.generator(&Generator::new().manual_seed(0));
    /// assert_eq!(sampler.iter().collect::<Result<Vec<_>>>()?, [4, 0, 1, 3, 2]);
    /// assert!(RandomSampler::new(0).is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new(len: usize) -> Result<Self> {
        check_count(len)?;
        Ok(RandomSampler { items: len, num_samples: len, replacement: false, generator: None })
    }

    /// May an item come again before the others have come? Off unless set.
    ///
    /// ```
    /// use firebrick_core::{Generator, Result};
    /// use firebrick_data::{RandomSampler, Sampler};
    /// let sampler = RandomSampler::new(3)?.replacement(true).num_samples(5)?;
    /// let sampler = sampler.generator(&Generator::new().manual_seed(0));
    /// assert_eq!(sampler.iter().collect::<Result<Vec<_>>>()?, [2, 0, 2, 0, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn replacement(mut self, replacement: bool) -> Self {
        self.replacement = replacement;
        self
    }

    /// Indices of one pass, which may be more than there are items; as many as items unless set.
    ///
    /// # Errors
    /// `num_samples` = 0.
    ///
    /// ```
    /// use firebrick_core::{Generator, Result};
    /// use firebrick_data::{RandomSampler, Sampler};
    /// let sampler = RandomSampler::new(3)?.num_samples(5)?.generator(&Generator::new().manual_seed(0));
    /// assert_eq!(sampler.iter().collect::<Result<Vec<_>>>()?, [2, 0, 1, 2, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn num_samples(mut self, num_samples: usize) -> Result<Self> {
        check_count(num_samples)?;
        self.num_samples = num_samples;
        Ok(self)
    }

    /// Draws from `generator`; from a fresh one unless set.
    pub fn generator(mut self, generator: &Generator) -> Self {
        self.generator = Some(generator.clone());
        self
    }
}

impl Sampler for RandomSampler {
    type Item = usize;

    fn iter(&self) -> Order<'_, usize> {
        Box::new(RandomOrder {
            sampler: self,
            generator: None,
            undrawn: Some(self.num_samples),
            drawn: vec![].into_iter(),
        })
    }

    fn len(&self) -> usize {
        self.num_samples
    }
}

/// One pass of a [`RandomSampler`].
struct RandomOrder<'a> {
    sampler: &'a RandomSampler,
    /// Known once the first index is asked for.
    generator: Option<Generator>,
    /// Indices still to be drawn. PyTorch's pass ends with a draw of what is left over, even when that is nothing.
    undrawn: Option<usize>,
    drawn: vec::IntoIter<i64>,
}

impl RandomOrder<'_> {
    /// The next permutation or block.
    fn draw(&mut self, left: usize) -> Result<Vec<i64>> {
        let sampler = self.sampler;
        let generator = self.generator.get_or_insert_with(|| match &sampler.generator {
            Some(own) => own.clone(),
            None => Generator::new().manual_seed(loader_seed(&mut current_generator().lock())),
        });
        let engine = &mut *generator.lock();
        let at_once = if sampler.replacement { BLOCK } else { sampler.items };
        self.undrawn = left.checked_sub(at_once);
        let mut indices = if sampler.replacement {
            let mut indices = vec![0; left.min(BLOCK)];
            fill_randint(engine, &mut indices, 0, sampler.items as i64)?;
            indices
        } else {
            randperm(engine, sampler.items)?
        };
        indices.truncate(left);
        Ok(indices)
    }
}

impl Iterator for RandomOrder<'_> {
    type Item = Result<usize>;

    fn next(&mut self) -> Option<Result<usize>> {
        loop {
            if let Some(index) = self.drawn.next() {
                return Some(Ok(index as usize));
            }
            match self.draw(self.undrawn?) {
                Ok(drawn) => self.drawn = drawn.into_iter(),
                Err(error) => {
                    self.undrawn = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// Given indices in random order.
///
/// ```
/// use firebrick_core::{Generator, Result};
/// use firebrick_data::{Sampler, SubsetRandomSampler};
/// let sampler = SubsetRandomSampler::new(vec![10, 20, 30, 40]).generator(&Generator::new().manual_seed(0));
/// assert_eq!(sampler.iter().collect::<Result<Vec<_>>>()?, [10, 20, 40, 30]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SubsetRandomSampler {
    indices: Vec<usize>,
    generator: Option<Generator>,
}

impl SubsetRandomSampler {
    /// Random orders of `indices`.
    pub fn new(indices: Vec<usize>) -> Self {
        SubsetRandomSampler { indices, generator: None }
    }

    /// Draws from `generator`.
    pub fn generator(mut self, generator: &Generator) -> Self {
        self.generator = Some(generator.clone());
        self
    }
}

impl Sampler for SubsetRandomSampler {
    type Item = usize;

    fn iter(&self) -> Order<'_, usize> {
        Box::new(lazily(move || {
            let generator = self.generator.clone().unwrap_or_else(current_generator);
            let order = randperm(&mut generator.lock(), self.indices.len())?;
            Ok(order.into_iter().map(|at| self.indices[at as usize]).collect())
        }))
    }

    fn len(&self) -> usize {
        self.indices.len()
    }
}

/// Items drawn with probabilities that their weights are proportional to.
///
/// ```
/// use firebrick_core::{Generator, Result};
/// use firebrick_data::{Sampler, WeightedRandomSampler};
/// let sampler = WeightedRandomSampler::new(&[1.0, 0.0, 3.0], 5, true)?;
/// let sampler = sampler.generator(&Generator::new().manual_seed(1));
/// assert_eq!(sampler.iter().collect::<Result<Vec<_>>>()?, [0, 0, 0, 0, 2]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct WeightedRandomSampler {
    weights: Vec<f64>,
    num_samples: usize,
    replacement: bool,
    generator: Option<Generator>,
}

impl WeightedRandomSampler {
    /// Passes of `num_samples` items with these weights, which need not add up to 1.
    ///
    /// # Errors
    /// `num_samples` = 0. Weights that cannot be drawn from are the error of the first index of a pass.
    pub fn new(weights: &[f64], num_samples: usize, replacement: bool) -> Result<Self> {
        check_count(num_samples)?;
        Ok(WeightedRandomSampler { weights: weights.to_vec(), num_samples, replacement, generator: None })
    }

    /// Draws from `generator`.
    pub fn generator(mut self, generator: &Generator) -> Self {
        self.generator = Some(generator.clone());
        self
    }
}

impl Sampler for WeightedRandomSampler {
    type Item = usize;

    fn iter(&self) -> Order<'_, usize> {
        Box::new(lazily(move || {
            let generator = self.generator.clone().unwrap_or_else(current_generator);
            let engine = &mut *generator.lock();
            let weights = &self.weights;
            let order = multinomial(engine, weights, weights.len(), self.num_samples, self.replacement);
            Ok(order.map_err(Error::from)?.into_iter().map(|index| index as usize).collect())
        }))
    }

    fn len(&self) -> usize {
        self.num_samples
    }
}

/// The list that `draw` makes when its first element is asked for.
fn lazily<'a>(
    draw: impl FnOnce() -> Result<Vec<usize>> + Send + 'a,
) -> impl Iterator<Item = Result<usize>> + Send + 'a {
    std::iter::once_with(draw).flat_map(|drawn| match drawn {
        Ok(indices) => indices.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    })
}
