//! All that a training needs to go on where it stopped, in one `.pt` file.

use crate::LoadOptions;
use crate::pytorch::{self, Array, Dict, Dtype, Key, Object};
use firebrick_core::random::current_generator;
use firebrick_core::{Error, Generator, Result, StateDict, Tensor, Value};
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
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts in a value under a name of the program's own, such as a second model or the best loss so far. It takes the place
    /// of the one that had the name.
    pub fn with(mut self, name: impl Into<Key>, value: impl Into<Object>) -> Self {
        self.entries.entries.insert(name.into(), value.into());
        self
    }

    /// Puts in the parameters and buffers of the model.
    pub fn model(self, state: StateDict) -> Self {
        self.with(MODEL, state)
    }

    /// Puts in the state of the optimizer.
    pub fn optimizer(self, state: Value) -> Self {
        self.with(OPTIMIZER, state)
    }

    /// Puts in the state of the scheduler of learning rates.
    pub fn scheduler(self, state: Value) -> Self {
        self.with(SCHEDULER, state)
    }

    /// Puts in the number of the epoch.
    pub fn epoch(self, epoch: i64) -> Self {
        self.with(EPOCH, epoch)
    }

    /// Puts in the state of the generator that dropout, initialization and all else draw from that is given none.
    ///
    /// # Errors
    /// When memory cannot be had.
    pub fn rng_state(self) -> Result<Self> {
        let state = state_of(&current_generator())?;
        Ok(self.with(RNG_STATE, state))
    }

    /// Puts in the state of a generator of its own, such as that of a data loader, under a name.
    ///
    /// # Errors
    /// When memory cannot be had.
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
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        pytorch::save(self.entries.clone(), path)
    }

    /// Reads a checkpoint with all its tensors.
    ///
    /// # Errors
    /// As [`pytorch::load`]; a file that holds something other than a dictionary.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::load_with(path, &LoadOptions::new())
    }

    /// [`Checkpoint::load`] with options, such as where tensors go.
    ///
    /// # Errors
    /// As [`Checkpoint::load`].
    pub fn load_with(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self> {
        Self::try_from(pytorch::load_with(path, options)?)
    }

    /// The value of a name.
    ///
    /// # Errors
    /// There is none.
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
    pub fn read_model(&self) -> Result<StateDict> {
        self.get(MODEL)?.state_dict().map_err(|error| error.context(MODEL))
    }

    /// What the optimizer's `load_state_dict` takes.
    ///
    /// # Errors
    /// There is no such entry, or it holds what no optimizer keeps.
    pub fn read_optimizer(&self) -> Result<Value> {
        self.get(OPTIMIZER)?.to_value().map_err(|error| error.context(OPTIMIZER))
    }

    /// What the scheduler's `load_state_dict` takes.
    ///
    /// # Errors
    /// There is no such entry, or it holds what no scheduler keeps.
    pub fn read_scheduler(&self) -> Result<Value> {
        self.get(SCHEDULER)?.to_value().map_err(|error| error.context(SCHEDULER))
    }

    /// The number of the epoch.
    ///
    /// # Errors
    /// There is no such entry, or it is no integer.
    pub fn read_epoch(&self) -> Result<i64> {
        let epoch = self.get(EPOCH)?;
        epoch.as_i64().ok_or_else(|| Error::type_(OP, format!("'epoch' is an integer, not a {}", epoch.kind())))
    }

    /// Sets the generator that dropout, initialization and all else draw from that is given none.
    ///
    /// # Errors
    /// There is no such entry, or it is no generator's state; the generator is then as before.
    pub fn restore_rng_state(&self) -> Result<()> {
        set_state(&current_generator(), self.get(RNG_STATE)?, RNG_STATE)
    }

    /// Sets a generator to the state that was put in under `name`.
    ///
    /// # Errors
    /// There is no such entry, or it is no generator's state; the generator is then as before.
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
    Tensor::from_vec(bytes, [count])
}

fn set_state(generator: &Generator, state: &Object, name: &str) -> Result<()> {
    let array = state.as_array().filter(|array| array.dtype() == Dtype::U8);
    let array = array.ok_or_else(|| Error::type_(OP, "RNG state must be a torch.ByteTensor").given(state.kind()));
    let bytes = array.and_then(Array::tensor).and_then(|tensor| tensor.to_vec::<u8>());
    bytes.and_then(|bytes| Ok(generator.set_state(&bytes)?)).map_err(|error| error.context(name))
}
