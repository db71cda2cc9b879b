//! What a generator holds: the twister and the normal numbers it has kept.

use super::mt19937::Mt19937;

/// Draws turned into values at a time: small enough to stay in the first-level cache.
const CHUNK: usize = 512;

/// The state random numbers are drawn from: an [`Mt19937`] and the normal number kept from the
/// last pair.
///
/// Everything that draws takes `&mut Engine`. Sequences are PyTorch 2.15's CPU generator's.
///
/// ```
/// # use firebrick_core::random;
/// let mut engine = random::Engine::new(0);
/// assert_eq!(engine.uniform_f32(), 0.496_256_6); // torch.rand(1) after torch.manual_seed(0)
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Engine {
    pub(super) twister: Mt19937,
    /// The sine half of the last scalar normal pair; the next scalar normal, whatever is drawn in
    /// between.
    pub(super) next_double_normal: Option<f64>,
    /// PyTorch's CPU operations never keep one, but its state bytes can carry one.
    pub(super) next_float_normal: Option<f32>,
}

impl Engine {
    /// A freshly seeded engine.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { twister: Mt19937::new(seed), next_double_normal: None, next_float_normal: None }
    }

    /// The seed this engine was started from.
    ///
    /// ```
    /// # use firebrick_core::random::Engine;
    /// assert_eq!(Engine::new(42).initial_seed(), 42);
    /// ```
    #[must_use]
    pub fn initial_seed(&self) -> u64 {
        self.twister.seed()
    }

    /// The next 32 bits.
    ///
    /// ```
    /// # use firebrick_core::random::Engine;
    /// assert_eq!(Engine::new(0).random(), 2_357_136_044);
    /// ```
    #[inline]
    pub fn random(&mut self) -> u32 {
        self.twister.random()
    }

    /// The next 64 bits: two draws, the first the high half.
    ///
    /// ```
    /// # use firebrick_core::random::Engine;
    /// assert_eq!(Engine::new(0).random64(), (2_357_136_044 << 32) | 2_546_248_239);
    /// ```
    #[inline]
    pub fn random64(&mut self) -> u64 {
        self.twister.random64()
    }

    /// A float32 uniform in `[0, 1)`: the low 24 bits of one draw.
    #[inline]
    pub fn uniform_f32(&mut self) -> f32 {
        unit_f32(self.random())
    }

    /// A float64 uniform in `[0, 1)`: the low 53 bits of two draws.
    ///
    /// ```
    /// # use firebrick_core::random::Engine;
    /// assert_eq!(Engine::new(0).uniform_f64(), 0.970_053_001_806_553_1);
    /// ```
    #[inline]
    pub fn uniform_f64(&mut self) -> f64 {
        unit_f64(self.random64())
    }

    /// A standard normal number by the scalar path: Box and Muller's transform in float64.
    ///
    /// Four draws make two numbers; the second is kept for the next call.
    ///
    /// ```
    /// # use firebrick_core::random::Engine;
    /// let mut engine = Engine::new(0);
    /// assert!((engine.standard_normal() - 1.540_996_108_244_043).abs() < 1e-12);
    /// assert!((engine.standard_normal() + 0.293_428_905_760_946).abs() < 1e-12);
    /// ```
    pub fn standard_normal(&mut self) -> f64 {
        if let Some(kept) = self.next_double_normal.take() {
            return kept;
        }
        let (angle, distance) = (self.uniform_f64(), self.uniform_f64());
        let radius = (-2.0 * (-distance).ln_1p()).sqrt();
        let theta = 2.0 * std::f64::consts::PI * angle;
        self.next_double_normal = Some(radius * theta.sin());
        radius * theta.cos()
    }

    /// Fills `out` with `value` of one draw each, in order.
    #[inline(always)]
    pub(super) fn map32<T>(&mut self, out: &mut [T], value: impl Fn(u32) -> T) {
        let mut draws = [0; CHUNK];
        for part in out.chunks_mut(CHUNK) {
            let draws = &mut draws[..part.len()];
            self.twister.fill(draws);
            for (out, &draw) in part.iter_mut().zip(&*draws) {
                *out = value(draw);
            }
        }
    }

    /// Fills `out` with `value` of one 64-bit draw each, in order.
    #[inline(always)]
    pub(super) fn map64<T>(&mut self, out: &mut [T], value: impl Fn(u64) -> T) {
        let mut draws = [0; CHUNK];
        for part in out.chunks_mut(CHUNK / 2) {
            let draws = &mut draws[..2 * part.len()];
            self.twister.fill(draws);
            for (out, pair) in part.iter_mut().zip(draws.chunks_exact(2)) {
                *out = value((u64::from(pair[0]) << 32) | u64::from(pair[1]));
            }
        }
    }
}

/// 24 bits as a float32 in `[0, 1)`.
#[inline(always)]
pub(super) fn unit_f32(draw: u32) -> f32 {
    // Through i32: every vector unit converts that.
    (draw & 0xFF_FFFF) as i32 as f32 * (1.0 / (1_u32 << 24) as f32)
}

/// 53 bits as a float64 in `[0, 1)`.
#[inline(always)]
pub(super) fn unit_f64(draw: u64) -> f64 {
    (draw & ((1 << 53) - 1)) as i64 as f64 * (1.0 / (1_u64 << 53) as f64)
}
