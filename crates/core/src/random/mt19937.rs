//! The Mersenne Twister MT19937 in the form PyTorch keeps it.

use super::fused::fused_kernel;

/// Words of state.
pub const STATE_WORDS: usize = 624;
/// Distance of the word that enters the recurrence.
const SHIFT: usize = 397;
const UPPER_MASK: u32 = 0x8000_0000;
const LOWER_MASK: u32 = 0x7FFF_FFFF;
const MATRIX: u32 = 0x9908_B0DF;

/// The 32-bit Mersenne Twister of Matsumoto and Nishimura (ACM TOMACS 8, 1998), with the
/// initialization of 2002 (multiplier 1812433253).
///
/// The state is kept untempered beside the two counters of PyTorch's engine, so that its bytes are
/// PyTorch's: `left` counts down to the next regeneration, `next` is the word to be handed out.
///
/// ```
/// # use firebrick_core::random::Mt19937;
/// let mut twister = Mt19937::new(5489);
/// assert_eq!([twister.random(), twister.random()], [3_499_211_612, 581_869_302]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mt19937 {
    pub(super) seed: u64,
    pub(super) left: u32,
    pub(super) next: u32,
    pub(super) words: [u32; STATE_WORDS],
}

impl Mt19937 {
    /// Starts the sequence of `seed`, of which only the low 32 bits enter.
    ///
    /// ```
    /// # use firebrick_core::random::Mt19937;
    /// assert_eq!(Mt19937::new(5).random(), Mt19937::new((1 << 32) + 5).random());
    /// ```
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut words = [0; STATE_WORDS];
        // Truncation is PyTorch's rule: 2^32 + 5 gives the numbers of 5.
        words[0] = seed as u32;
        for i in 1..STATE_WORDS {
            let previous = words[i - 1];
            words[i] = 1_812_433_253_u32.wrapping_mul(previous ^ (previous >> 30)).wrapping_add(i as u32);
        }
        Self { seed, left: 1, next: 0, words }
    }

    /// The seed this sequence was started from, all 64 bits of it.
    ///
    /// ```
    /// # use firebrick_core::random::Mt19937;
    /// assert_eq!(Mt19937::new((1 << 32) + 5).seed(), (1 << 32) + 5);
    /// ```
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The next 32 bits.
    ///
    /// ```
    /// # use firebrick_core::random::Mt19937;
    /// assert_eq!(Mt19937::new(0).random(), 2_357_136_044);
    /// ```
    #[inline]
    pub fn random(&mut self) -> u32 {
        if self.available() == 0 {
            self.regenerate();
        } else {
            self.left -= 1;
        }
        let word = self.words[self.next as usize];
        self.next += 1;
        temper(word)
    }

    /// The next 64 bits: two draws, of which the first is the high half.
    ///
    /// ```
    /// # use firebrick_core::random::Mt19937;
    /// assert_eq!(Mt19937::new(0).random64(), (2_357_136_044 << 32) | 2_546_248_239);
    /// ```
    #[inline]
    pub fn random64(&mut self) -> u64 {
        let high = u64::from(self.random());
        (high << 32) | u64::from(self.random())
    }

    /// Fills `out` with draws, the same as as many calls of [`random`](Self::random).
    ///
    /// ```
    /// # use firebrick_core::random::Mt19937;
    /// let mut out = [0; 4];
    /// Mt19937::new(0).fill(&mut out);
    /// assert_eq!(out, [2_357_136_044, 2_546_248_239, 3_071_714_933, 3_626_093_760]);
    /// ```
    pub fn fill(&mut self, mut out: &mut [u32]) {
        while !out.is_empty() {
            if self.available() == 0 {
                self.regenerate();
                self.left += 1;
            }
            let count = self.available().min(out.len());
            let (now, rest) = out.split_at_mut(count);
            let start = self.next as usize;
            temper_into(now, &self.words[start..start + count]);
            self.next += count as u32;
            self.left -= count as u32;
            out = rest;
        }
    }

    /// Draws left before the state must be regenerated.
    ///
    /// `left` decides, as in PyTorch; `next` bounds it because a state set from bytes may hold
    /// counters that do not belong together.
    #[inline]
    fn available(&self) -> usize {
        (self.left as usize - 1).min(STATE_WORDS - self.next as usize)
    }

    /// Replaces the whole state. The caller hands out at least one word next.
    fn regenerate(&mut self) {
        twist(&mut self.words);
        self.left = STATE_WORDS as u32;
        self.next = 0;
    }
}

#[inline(always)]
fn temper(mut y: u32) -> u32 {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9D2C_5680;
    y ^= (y << 15) & 0xEFC6_0000;
    y ^ (y >> 18)
}

#[inline(always)]
fn mix(current: u32, following: u32) -> u32 {
    let y = (current & UPPER_MASK) | (following & LOWER_MASK);
    (y >> 1) ^ ((y & 1).wrapping_neg() & MATRIX)
}

fused_kernel! {
    fn temper_into(out: &mut [u32], words: &[u32]) {
        for (out, &word) in out.iter_mut().zip(words) {
            *out = temper(word);
        }
    }
}

fused_kernel! {
    /// The recurrence, in stretches that only read words no longer changing, so that each is
    /// vectorized.
    fn twist(words: &mut [u32; STATE_WORDS]) {
        const REST: usize = STATE_WORDS - SHIFT;
        let first = words[REST];
        {
            let (head, tail) = words.split_at_mut(SHIFT);
            for i in 0..REST {
                head[i] = tail[i] ^ mix(head[i], head[i + 1]);
            }
            debug_assert_eq!(first, head[REST]);
        }
        for start in [REST, 2 * REST] {
            let end = (start + REST).min(STATE_WORDS - 1);
            let (done, todo) = words.split_at_mut(start);
            let source = &done[start - REST..];
            for i in 0..end - start {
                todo[i] = source[i] ^ mix(todo[i], todo[i + 1]);
            }
        }
        let last = STATE_WORDS - 1;
        words[last] = words[SHIFT - 1] ^ mix(words[last], words[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ten_thousandth_draw_of_5489_is_the_one_of_the_cpp_standard() {
        // C++11 [rand.predef]: the 10000th consecutive invocation of a default mt19937.
        let mut twister = Mt19937::new(5489);
        let mut draws = vec![0; 10_000];
        twister.fill(&mut draws);
        assert_eq!(draws[9_999], 4_123_659_995);
    }

    #[test]
    fn filling_equals_drawing_one_by_one_across_regenerations() {
        let mut single = Mt19937::new(42);
        let mut bulk = single.clone();
        for length in [1, 622, 2, 0, 624, 625, 3, 1900] {
            let mut filled = vec![0; length];
            bulk.fill(&mut filled);
            let drawn: Vec<u32> = (0..length).map(|_| single.random()).collect();
            assert_eq!(filled, drawn);
            assert_eq!(bulk, single);
        }
    }

    #[test]
    fn only_the_low_32_bits_of_a_seed_enter() {
        let mut wide = Mt19937::new((1 << 32) + 5);
        assert_eq!(wide.random64(), Mt19937::new(5).random64());
        assert_eq!(wide.seed(), (1 << 32) + 5);
    }
}
