//! All that a training needs to go on where it stopped, in one `.pt` file.

use crate::LoadOptions;
use crate::pytorch::{self, Array, Dict, Dtype, Key, Object};
use firebrick_core::random::current_generator;
use firebrick_core::{Device, Error, Generator, Result, StateDict, Tensor, Value};
use std::path::Path;

const OP: &str = "checkpoint";
const MODEL: &str = "model";
const OPTIMIZER: &str = "optimizer";
const SCHEDULER: &str = "scheduler";
const EPOCH: &str = "epoch";
const RNG_STATE: &str = "rng_state";
const GENERATORS: &str = "generators";

/// A training as a dictionary: model, optimizer, scheduler, random generators, epoch, and whatever else is put in.
///
/// The file is what a PyTorch program writes with `torch.save({"model": model.state_dict(), ...})`, and can be exchanged with
/// one: `torch.load(path, weights_only=True)["optimizer"]` is what `optimizer.load_state_dict` takes there, and entries that
/// Python wrote under these names are found here.
///
/// | entry | what it is in Python |
/// |---|---|
/// | `model` | `model.state_dict()` |
/// | `optimizer` | `optimizer.state_dict()` |
/// | `scheduler` | `scheduler.state_dict()` |
/// | `epoch` | an integer |
/// | `rng_state` | `torch.get_rng_state()` |
/// | `generators` | a dictionary of `generator.get_state()` by name |
///
/// Tensors are those of the model and the optimizer, not copies: save before training goes on.
///
/// ```
/// use firebrick::io::Checkpoint;
/// use firebrick::optim::lr_scheduler::{LrScheduler, Schedule, StepLR};
/// use firebrick::prelude::*;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("training.pt");
///
/// let model = nn::Linear::new(3, 2)?;
/// let mut optimizer = optim::Adam::new(model.parameters(), 0.1).build()?;
/// let mut scheduler = StepLR::new(10).build(&mut optimizer)?;
/// Checkpoint::new()
///     .model(model.state_dict())
///     .optimizer(optimizer.state_dict())
///     .scheduler(scheduler.state_dict())
///     .rng_state()?
///     .epoch(7)
///     .with("best_loss", 0.25)
///     .save(&path)?;
///
/// let checkpoint = Checkpoint::load(&path)?;
/// model.load_state_dict(&checkpoint.read_model()?)?;
/// optimizer.load_state_dict(&checkpoint.read_optimizer()?)?;
/// scheduler.load_state_dict(&checkpoint.read_scheduler()?)?;
/// checkpoint.restore_rng_state()?;
/// assert_eq!(checkpoint.read_epoch()?, 7);
/// assert_eq!(checkpoint.get("best_loss")?.as_f64(), Some(0.25));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Checkpoint {
    entries: Dict,
}

impl Checkpoint {
    /// Nothing yet.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// let checkpoint = Checkpoint::new();
    /// assert!(checkpoint.read_epoch().is_err());
    /// assert_eq!(checkpoint.epoch(1).read_epoch()?, 1);
    /// # Ok::<_, Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts in a value under a name of the program's own, such as a second model or the best loss so far. It takes the place
    /// of the one that had the name.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// let checkpoint = Checkpoint::new().with("best_loss", 0.5).with("best_loss", 0.25);
    /// assert_eq!(checkpoint.get("best_loss")?.as_f64(), Some(0.25));
    /// # Ok::<_, Error>(())
    /// ```
    pub fn with(mut self, name: impl Into<Key>, value: impl Into<Object>) -> Self {
        self.entries.entries.insert(name.into(), value.into());
        self
    }

    /// Puts in the parameters and buffers of the model.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// let checkpoint = Checkpoint::new().model(nn::Linear::new(3, 2)?.state_dict());
    /// assert_eq!(checkpoint.read_model()?.keys().collect::<Vec<_>>(), ["weight", "bias"]);
    /// # Ok::<_, Error>(())
    /// ```
    pub fn model(self, state: StateDict) -> Self {
        self.with(MODEL, state)
    }

    /// Puts in the state of the optimizer.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// let model = nn::Linear::new(3, 2)?;
    /// let mut optimizer = optim::SGD::new(model.parameters(), 0.1).build()?;
    /// let checkpoint = Checkpoint::new().optimizer(optimizer.state_dict());
    /// optimizer.param_groups_mut()[0].set_lr(9.0)?;
    /// optimizer.load_state_dict(&checkpoint.read_optimizer()?)?;
    /// assert_eq!(optimizer.param_groups()[0].get_lr()?, 0.1);
    /// # Ok::<_, Error>(())
    /// ```
    pub fn optimizer(self, state: Value) -> Self {
        self.with(OPTIMIZER, state)
    }

    /// Puts in the state of the scheduler of learning rates.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{LrScheduler, Schedule, StepLR};
    /// let mut optimizer = optim::SGD::new(nn::Linear::new(3, 2)?.parameters(), 0.1).build()?;
    /// let scheduler = StepLR::new(10).build(&mut optimizer)?;
    /// let checkpoint = Checkpoint::new().scheduler(scheduler.state_dict());
    /// assert_eq!(checkpoint.get("scheduler")?.get("step_size").and_then(|size| size.as_i64()), Some(10));
    /// # Ok::<_, Error>(())
    /// ```
    pub fn scheduler(self, state: Value) -> Self {
        self.with(SCHEDULER, state)
    }

    /// Puts in the number of the epoch.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// assert_eq!(Checkpoint::new().epoch(7).read_epoch()?, 7);
    /// # Ok::<_, Error>(())
    /// ```
    pub fn epoch(self, epoch: i64) -> Self {
        self.with(EPOCH, epoch)
    }

    /// Puts in the state of the generator that dropout, initialization and all else draw from that is given none.
    ///
    /// # Errors
    /// When memory cannot be had.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// let checkpoint = Checkpoint::new().rng_state()?;
    /// let first = Tensor::rand([3])?.to_vec::<f32>()?;
    /// checkpoint.restore_rng_state()?;
    /// assert_eq!(Tensor::rand([3])?.to_vec::<f32>()?, first);
    /// # Ok::<_, Error>(())
    /// ```
    pub fn rng_state(self) -> Result<Self> {
        let state = state_of(&current_generator())?;
        Ok(self.with(RNG_STATE, state))
    }

    /// Puts in the state of a generator of its own, such as that of a data loader, under a name.
    ///
    /// # Errors
    /// When memory cannot be had.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// use firebrick::Generator;
    /// let shuffle = Generator::new().manual_seed(3);
    /// let checkpoint = Checkpoint::new().generator("shuffle", &shuffle)?;
    /// let other = Generator::new();
    /// checkpoint.restore_generator("shuffle", &other)?;
    /// assert_eq!(other.get_state(), shuffle.get_state());
    /// # Ok::<_, Error>(())
    /// ```
    pub fn generator(mut self, name: impl Into<Key>, generator: &Generator) -> Result<Self> {
        let state = state_of(generator)?;
        match self.entries.entries.entry(GENERATORS.into()).or_default() {
            Object::Dict(all) => drop(all.entries.insert(name.into(), state.into())),
            other => *other = Object::dict([(name, state.into())]),
        }
        Ok(self)
    }

    /// Writes the checkpoint: [`pytorch::save`]. Until all is on the disk, an earlier file stays as it was.
    ///
    /// # Errors
    /// As [`pytorch::save`].
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("training.pt");
    /// Checkpoint::new().epoch(7).save(&path)?;
    /// assert_eq!(firebrick::io::pytorch::load(&path)?.get("epoch").and_then(|epoch| epoch.as_i64()), Some(7));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        pytorch::save(self.entries.clone(), path)
    }

    /// Reads a checkpoint with all its tensors.
    ///
    /// # Errors
    /// As [`pytorch::load`]; a file that holds something other than a dictionary.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("training.pt");
    /// Checkpoint::new().model(nn::Linear::new(3, 2)?.state_dict()).epoch(7).save(&path)?;
    /// let checkpoint = Checkpoint::load(&path)?;
    /// assert_eq!((checkpoint.read_model()?.len(), checkpoint.read_epoch()?), (2, 7));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::load_with(path, &LoadOptions::new())
    }

    /// [`Checkpoint::load`] with options, such as where tensors go.
    ///
    /// # Errors
    /// As [`Checkpoint::load`].
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// use firebrick::io::LoadOptions;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("training.pt");
    /// Checkpoint::new().epoch(7).save(&path)?;
    /// let checkpoint = Checkpoint::load_with(&path, &LoadOptions::new())?;
    /// assert_eq!(checkpoint.read_epoch()?, 7);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_with(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self> {
        Self::try_from(pytorch::load_with(path, options)?)
    }

    /// The value of a name.
    ///
    /// # Errors
    /// There is none.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// let checkpoint = Checkpoint::new().with("best_loss", 0.25);
    /// assert_eq!(checkpoint.get("best_loss")?.as_f64(), Some(0.25));
    /// let missing = checkpoint.get("best_accuracy").unwrap_err();
    /// assert_eq!(missing.to_string(), "the checkpoint has no entry 'best_accuracy'");
    /// # Ok::<_, Error>(())
    /// ```
    pub fn get(&self, name: impl Into<Key>) -> Result<&Object> {
        let name = name.into();
        self.entries.entries.get(&name).ok_or_else(|| {
            let there: Vec<String> = self.entries.entries.keys().map(Key::to_string).collect();
            Error::key(OP, format!("the checkpoint has no entry {name}")).given(format!("entries {}", there.join(", ")))
        })
    }

    /// What the module's `load_state_dict` takes.
    ///
    /// # Errors
    /// There is no such entry, or it is none.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// let (model, other) = (nn::Linear::new(3, 2)?, nn::Linear::new(3, 2)?);
    /// let checkpoint = Checkpoint::new().model(model.state_dict());
    /// other.load_state_dict(&checkpoint.read_model()?)?;
    /// assert!(other.weight.equal(&model.weight)?);
    /// # Ok::<_, Error>(())
    /// ```
    pub fn read_model(&self) -> Result<StateDict> {
        self.get(MODEL)?.state_dict().map_err(|error| error.context(MODEL))
    }

    /// What the optimizer's `load_state_dict` takes.
    ///
    /// # Errors
    /// There is no such entry, or it holds what no optimizer keeps.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// let optimizer = optim::SGD::new(nn::Linear::new(3, 2)?.parameters(), 0.1).build()?;
    /// let state = Checkpoint::new().optimizer(optimizer.state_dict()).read_optimizer()?;
    /// let group = state.get("param_groups").and_then(|groups| groups.as_slice()?.first());
    /// assert_eq!(group.and_then(|group| group.get("lr")?.as_f64()), Some(0.1));
    /// # Ok::<_, Error>(())
    /// ```
    pub fn read_optimizer(&self) -> Result<Value> {
        self.get(OPTIMIZER)?.to_value().map_err(|error| error.context(OPTIMIZER))
    }

    /// What the scheduler's `load_state_dict` takes.
    ///
    /// # Errors
    /// There is no such entry, or it holds what no scheduler keeps.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{LrScheduler, Schedule, StepLR};
    /// let mut optimizer = optim::SGD::new(nn::Linear::new(3, 2)?.parameters(), 0.1).build()?;
    /// let mut scheduler = StepLR::new(10).build(&mut optimizer)?;
    /// let checkpoint = Checkpoint::new().scheduler(scheduler.state_dict());
    /// scheduler.step(&mut optimizer)?;
    /// scheduler.load_state_dict(&checkpoint.read_scheduler()?)?;
    /// assert_eq!(scheduler.last_epoch(), 0);
    /// # Ok::<_, Error>(())
    /// ```
    pub fn read_scheduler(&self) -> Result<Value> {
        self.get(SCHEDULER)?.to_value().map_err(|error| error.context(SCHEDULER))
    }

    /// The number of the epoch.
    ///
    /// # Errors
    /// There is no such entry, or it is no integer.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// let refused = Checkpoint::new().with("epoch", "seven").read_epoch().unwrap_err();
    /// assert_eq!(refused.to_string(), "'epoch' is an integer, not a str");
    /// assert_eq!(Checkpoint::new().epoch(7).read_epoch()?, 7);
    /// # Ok::<_, Error>(())
    /// ```
    pub fn read_epoch(&self) -> Result<i64> {
        let epoch = self.get(EPOCH)?;
        epoch.as_i64().ok_or_else(|| Error::type_(OP, format!("'epoch' is an integer, not a {}", epoch.kind())))
    }

    /// Sets the generator that dropout, initialization and all else draw from that is given none.
    ///
    /// # Errors
    /// There is no such entry, or it is no generator's state; the generator is then as before.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// use firebrick::random;
    /// let checkpoint = Checkpoint::new().rng_state()?;
    /// let before = random::get_rng_state();
    /// Tensor::rand([3])?;
    /// checkpoint.restore_rng_state()?;
    /// assert_eq!(random::get_rng_state(), before);
    /// # Ok::<_, Error>(())
    /// ```
    pub fn restore_rng_state(&self) -> Result<()> {
        set_state(&current_generator(), self.get(RNG_STATE)?, RNG_STATE)
    }

    /// Sets a generator to the state that was put in under `name`.
    ///
    /// # Errors
    /// There is no such entry, or it is no generator's state; the generator is then as before.
    ///
    /// ```
    /// use firebrick::io::Checkpoint;
    /// use firebrick::prelude::*;
    /// use firebrick::Generator;
    /// let generator = Generator::new().manual_seed(3);
    /// let checkpoint = Checkpoint::new().generator("shuffle", &generator)?;
    /// generator.manual_seed(4);
    /// checkpoint.restore_generator("shuffle", &generator)?;
    /// assert_eq!(generator.initial_seed(), 3);
    /// assert!(checkpoint.restore_generator("dropout", &generator).is_err());
    /// # Ok::<_, Error>(())
    /// ```
    pub fn restore_generator(&self, name: impl Into<Key>, generator: &Generator) -> Result<()> {
        let name = name.into();
        let state = self.get(GENERATORS)?.get(name.clone());
        let missing = || Error::key(OP, format!("the checkpoint has no state of a generator {name}"));
        set_state(generator, state.ok_or_else(missing)?, &name.to_string())
    }
}

impl TryFrom<Object> for Checkpoint {
    type Error = Error;

    /// The checkpoint that a file held.
    fn try_from(object: Object) -> Result<Self> {
        match object {
            Object::Dict(entries) => Ok(Checkpoint { entries: *entries }),
            other => Err(Error::type_(OP, format!("a checkpoint is a dict, not a {}", other.kind()))),
        }
    }
}

impl From<Checkpoint> for Object {
    fn from(checkpoint: Checkpoint) -> Self {
        checkpoint.entries.into()
    }
}

fn state_of(generator: &Generator) -> Result<Tensor> {
    let bytes = generator.get_state();
    let count = bytes.len();
    Tensor::from_slice_with(&bytes, [count], Device::Cpu)
}

fn set_state(generator: &Generator, state: &Object, name: &str) -> Result<()> {
    let array = state.as_array().filter(|array| array.dtype() == Dtype::U8);
    let array = array.ok_or_else(|| Error::type_(OP, "RNG state must be a torch.ByteTensor").given(state.kind()));
    let bytes = array.and_then(Array::tensor).and_then(|tensor| tensor.to_vec::<u8>());
    bytes.and_then(|bytes| Ok(generator.set_state(&bytes)?)).map_err(|error| error.context(name))
}
