//! MKL's multiplicative congruential generator MCG31m1.

const MULTIPLIER: u64 = 1_132_489_760;
const MODULUS: u64 = (1 << 31) - 1;

/// `x -> 1132489760 x mod (2^31 - 1)`, read as `x / (2^31 - 1)`; the seed itself is the first
/// number (oneMKL Vector Statistics Notes, "MCG31m1").
pub(super) struct Mcg31 {
    x: u64,
}

impl Mcg31 {
    pub(super) fn new(seed: u32) -> Self {
        // Zero would stay zero.
        Self { x: (u64::from(seed) % MODULUS).max(1) }
    }

    pub(super) fn uniform(&mut self) -> f64 {
        let value = self.x as f64 / MODULUS as f64;
        self.x = self.x * MULTIPLIER % MODULUS;
        value
    }
}
