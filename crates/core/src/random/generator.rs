//! A generator as PyTorch's: a handle that clones cheaply and may be shared by threads.

use std::hash::{BuildHasher, RandomState};
use std::ops::DerefMut;
use std::sync::Arc;

use parking_lot::Mutex;

use super::engine::Engine;
use super::error::RandomError;

/// The seed of a new [`Generator`].
pub const DEFAULT_SEED: u64 = 67_280_421_310_721;

/// A source of random numbers. Clones share one state, as Python's references do;
/// [`clone_state`](Self::clone_state) makes an independent one.
///
/// Equal seeds give the numbers of PyTorch 2.15's CPU `torch.Generator`.
///
/// ```
/// use firebrick_core::random::Generator;
/// let generator = Generator::new().manual_seed(0);
/// assert_eq!(generator.initial_seed(), 0);
/// assert_eq!(generator.lock().uniform_f32(), 0.496_256_6); // torch.rand(1) after manual_seed(0)
/// ```
#[derive(Clone, Debug)]
pub struct Generator {
    engine: Arc<Mutex<Engine>>,
}

impl Default for Generator {
    fn default() -> Self {
        Self::new()
    }
}

impl Generator {
    /// A generator with PyTorch's default seed, 67280421310721.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Generator::new().scope(|| Tensor::rand([1]))?;
    /// assert_eq!(x.to_string(), "tensor([0.2673])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { engine: Arc::new(Mutex::new(Engine::new(DEFAULT_SEED))) }
    }

    /// Restarts the sequence from `seed` and forgets a kept normal number; returns this generator.
    ///
    /// A negative seed counts from 2^64 downward, as in PyTorch. Only the low 32 bits enter the
    /// sequence.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let generator = Generator::new().manual_seed(42);
    /// let x = generator.scope(|| Tensor::rand([2]))?;
    /// assert_eq!(x.to_string(), "tensor([0.8823, 0.9150])");
    /// assert!(generator.manual_seed(42).scope(|| Tensor::rand([2]))?.equal(&x)?);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn manual_seed(&self, seed: impl Seed) -> Self {
        *self.lock() = Engine::new(seed.to_bits());
        self.clone()
    }

    /// The seed the present sequence was started from.
    ///
    /// ```
    /// # use firebrick_core::Generator;
    /// assert_eq!(Generator::new().manual_seed(42).initial_seed(), 42);
    /// ```
    #[must_use]
    pub fn initial_seed(&self) -> u64 {
        self.lock().initial_seed()
    }

    /// Restarts the sequence from a seed nobody chose, of 53 bits, and returns it.
    ///
    /// ```
    /// # use firebrick_core::Generator;
    /// let generator = Generator::new();
    /// assert_eq!(generator.seed(), generator.initial_seed());
    /// ```
    pub fn seed(&self) -> u64 {
        let seed = nondeterministic_seed();
        self.manual_seed(seed);
        seed
    }

    /// The whole state, byte for byte PyTorch's `get_state()`: 5056 bytes.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let generator = Generator::new().manual_seed(0);
    /// let state = generator.get_state();
    /// let x = generator.scope(|| Tensor::rand([3]))?;
    /// generator.set_state(&state)?;
    /// assert!(generator.scope(|| Tensor::rand([3]))?.equal(&x)?);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[must_use]
    pub fn get_state(&self) -> Vec<u8> {
        self.lock().to_bytes()
    }

    /// Continues from a state of [`get_state`](Self::get_state) or of PyTorch's.
    ///
    /// # Errors
    /// Another length than 5056 bytes, or counters no Mersenne Twister has; nothing changes then.
    pub fn set_state(&self, state: &[u8]) -> Result<(), RandomError> {
        let engine = Engine::from_bytes(state)?;
        *self.lock() = engine;
        Ok(())
    }

    /// Another generator in the same state.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let generator = Generator::new().manual_seed(0);
    /// let other = generator.clone_state();
    /// assert!(generator.scope(|| Tensor::rand([3]))?.equal(&other.scope(|| Tensor::rand([3]))?)?);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[must_use]
    pub fn clone_state(&self) -> Self {
        let engine = self.lock().clone();
        Self { engine: Arc::new(Mutex::new(engine)) }
    }

    /// The engine, for drawing. Hold it for one operation; a second `lock` meanwhile waits.
    pub fn lock(&self) -> impl DerefMut<Target = Engine> + '_ {
        self.engine.lock()
    }

    /// Whether both handles are one generator.
    ///
    /// ```
    /// # use firebrick_core::Generator;
    /// let generator = Generator::new();
    /// assert!(generator.same(&generator.clone()) && !generator.same(&generator.clone_state()));
    /// ```
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.engine, &other.engine)
    }
}

/// What [`Generator::manual_seed`] takes: any of the integers, of which the 64 bits count.
///
/// ```
/// # use firebrick_core::Generator;
/// assert_eq!(Generator::new().manual_seed(7_u8).initial_seed(), 7);
/// assert_eq!(Generator::new().manual_seed(-1).initial_seed(), u64::MAX);
/// assert_eq!(firebrick_core::random::Seed::to_bits(-1_i8), u64::MAX);
/// ```
pub trait Seed {
    /// The seed as PyTorch stores it: negative values wrap to the upper half.
    fn to_bits(self) -> u64;
}

macro_rules! seeds {
    ($($ty:ty),*) => {
        $(impl Seed for $ty {
            fn to_bits(self) -> u64 {
                self as u64
            }
        })*
    };
}
seeds!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

/// 53 bits of the operating system's randomness, which the standard library keys its hashes with.
pub(super) fn nondeterministic_seed() -> u64 {
    RandomState::new().hash_one(0_u8) >> 11
}
