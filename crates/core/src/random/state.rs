//! PyTorch's 5056 bytes of generator state, both ways.
//!
//! Little endian, in order: seed (u64), left (i32), seeded (i32), next (u64), 624 state words (u64
//! each, 32 bits used), an unused f64, the kept normal (f64), an unused f64, its flag (i32), four
//! bytes of padding, the kept float normal (f32), its flag (one byte and padding).

use super::engine::Engine;
use super::error::RandomError;
use super::mt19937::{Mt19937, STATE_WORDS};

/// Length of a state in bytes.
pub const STATE_BYTES: usize = 5056;

const LEFT: usize = 8;
const SEEDED: usize = 12;
const NEXT: usize = 16;
const WORDS: usize = 24;
const DOUBLE_NORMAL: usize = WORDS + 8 * STATE_WORDS + 8;
const DOUBLE_NORMAL_VALID: usize = DOUBLE_NORMAL + 16;
const FLOAT_NORMAL: usize = DOUBLE_NORMAL_VALID + 8;
const FLOAT_NORMAL_VALID: usize = FLOAT_NORMAL + 4;

impl Engine {
    /// The state as the bytes of PyTorch's `Generator.get_state()`.
    ///
    /// ```
    /// # use firebrick_core::random::Engine;
    /// let bytes = Engine::new(7).to_bytes();
    /// assert_eq!((bytes.len(), bytes[0]), (5056, 7));
    /// ```
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; STATE_BYTES];
        let twister = &self.twister;
        put(&mut bytes, 0, twister.seed.to_le_bytes());
        put(&mut bytes, LEFT, twister.left.to_le_bytes());
        put(&mut bytes, SEEDED, 1_u32.to_le_bytes());
        put(&mut bytes, NEXT, u64::from(twister.next).to_le_bytes());
        for (i, &word) in twister.words.iter().enumerate() {
            put(&mut bytes, WORDS + 8 * i, u64::from(word).to_le_bytes());
        }
        if let Some(kept) = self.next_double_normal {
            put(&mut bytes, DOUBLE_NORMAL, kept.to_le_bytes());
            put(&mut bytes, DOUBLE_NORMAL_VALID, 1_u32.to_le_bytes());
        }
        if let Some(kept) = self.next_float_normal {
            put(&mut bytes, FLOAT_NORMAL, kept.to_le_bytes());
            bytes[FLOAT_NORMAL_VALID] = 1;
        }
        bytes
    }

    /// Reads the bytes of PyTorch's `Generator.get_state()`.
    ///
    /// # Errors
    /// Another length than 5056 bytes; counters out of range.
    ///
    /// ```
    /// # use firebrick_core::random::Engine;
    /// let mut engine = Engine::new(7);
    /// let mut copy = Engine::from_bytes(&engine.to_bytes())?;
    /// assert_eq!(copy.random(), engine.random());
    /// assert!(Engine::from_bytes(&[0; 8]).is_err());
    /// # Ok::<_, firebrick_core::random::RandomError>(())
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RandomError> {
        if bytes.len() != STATE_BYTES {
            return Err(RandomError::StateSize(bytes.len()));
        }
        let left = u32::from_le_bytes(take(bytes, LEFT));
        let seeded = u32::from_le_bytes(take(bytes, SEEDED));
        // The low half counts, as in PyTorch.
        let next = u64::from_le_bytes(take(bytes, NEXT)) as u32;
        let size = STATE_WORDS as u32;
        if seeded == 0 || !(1..=size).contains(&left) || next > size {
            return Err(RandomError::InvalidState);
        }
        let word = |i| u64::from_le_bytes(take(bytes, WORDS + 8 * i)) as u32;
        let double_valid = u32::from_le_bytes(take(bytes, DOUBLE_NORMAL_VALID)) != 0;
        let float_valid = bytes[FLOAT_NORMAL_VALID] != 0;
        Ok(Self {
            twister: Mt19937 { seed: u64::from_le_bytes(take(bytes, 0)), left, next, words: std::array::from_fn(word) },
            next_double_normal: double_valid.then(|| f64::from_le_bytes(take(bytes, DOUBLE_NORMAL))),
            next_float_normal: float_valid.then(|| f32::from_le_bytes(take(bytes, FLOAT_NORMAL))),
        })
    }
}

fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    bytes[at..at + N].copy_from_slice(&value);
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    std::array::from_fn(|i| bytes[at + i])
}
