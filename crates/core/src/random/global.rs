//! The one generator that everything draws from unless told otherwise.

use std::sync::LazyLock;

use super::error::RandomError;
use super::generator::{Generator, Seed};

static DEFAULT: LazyLock<Generator> = LazyLock::new(|| {
    let generator = Generator::new();
    generator.seed();
    generator
});

/// PyTorch's `torch.default_generator`. Until it is seeded its numbers differ from run to run.
///
/// ```
/// # use firebrick_core::random;
/// random::default_generator().manual_seed(3);
/// assert_eq!(random::initial_seed(), 3);
/// ```
#[must_use]
pub fn default_generator() -> &'static Generator {
    &DEFAULT
}

/// Seeds the default generator and returns it.
///
/// ```
/// # use firebrick_core::{manual_seed, random};
/// manual_seed(0);
/// assert_eq!(random::initial_seed(), 0);
/// ```
pub fn manual_seed(seed: impl Seed) -> Generator {
    DEFAULT.manual_seed(seed)
}

/// Seeds the default generator with a number nobody chose, and returns that.
///
/// ```
/// # use firebrick_core::random;
/// assert_eq!(random::seed(), random::initial_seed());
/// ```
pub fn seed() -> u64 {
    DEFAULT.seed()
}

/// The seed of the default generator.
///
/// ```
/// # use firebrick_core::{manual_seed, random};
/// manual_seed(42);
/// assert_eq!(random::initial_seed(), 42);
/// ```
#[must_use]
pub fn initial_seed() -> u64 {
    DEFAULT.initial_seed()
}

/// The default generator's state, byte for byte PyTorch's: 5056 bytes.
///
/// ```
/// # use firebrick_core::random;
/// assert_eq!(random::get_rng_state().len(), random::STATE_BYTES);
/// ```
#[must_use]
pub fn get_rng_state() -> Vec<u8> {
    DEFAULT.get_state()
}

/// Sets the default generator's state.
///
/// # Errors
/// As [`Generator::set_state`].
///
/// ```
/// # use firebrick_core::{Tensor, random};
/// let before = random::get_rng_state();
/// let first = Tensor::rand([3])?.to_vec::<f32>()?;
/// random::set_rng_state(&before).map_err(|error| error.to_string()).expect("a state of its own");
/// assert_eq!(Tensor::rand([3])?.to_vec::<f32>()?, first);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn set_rng_state(state: &[u8]) -> Result<(), RandomError> {
    DEFAULT.set_state(state)
}

/// Remembers the default generator's state and puts it back when dropped.
///
/// PyTorch's `with torch.random.fork_rng():`. The generator is the process's, so draws of other
/// threads meanwhile are undone too.
///
/// ```
/// # use firebrick_core::{Tensor, random};
/// let before = random::get_rng_state();
/// {
///     let _fork = random::fork_rng();
///     Tensor::rand([10])?;
/// }
/// assert_eq!(random::get_rng_state(), before);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn fork_rng() -> ForkRng {
    ForkRng { saved: DEFAULT.clone_state() }
}

/// The guard of [`fork_rng`].
///
/// ```
/// # use firebrick_core::{manual_seed, random};
/// manual_seed(1);
/// let fork: random::ForkRng = random::fork_rng();
/// manual_seed(2);
/// drop(fork);
/// assert_eq!(random::initial_seed(), 1);
/// ```
#[must_use = "the state is put back as soon as this is dropped"]
#[derive(Debug)]
pub struct ForkRng {
    saved: Generator,
}

impl Drop for ForkRng {
    fn drop(&mut self) {
        let engine = self.saved.lock().clone();
        *DEFAULT.lock() = engine;
    }
}
