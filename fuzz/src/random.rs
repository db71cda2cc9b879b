//! The numbers that decide what is changed.

/// SplitMix64: Steele et al., *Fast splittable pseudorandom number generators*, OOPSLA (2014), figure 16.
pub struct Random(u64);

/// Numbers at which programs go wrong: ends of ranges, and what lies beside them.
const INTERESTING: [u64; 22] = [
    0,
    1,
    2,
    3,
    7,
    8,
    16,
    63,
    64,
    127,
    128,
    255,
    256,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_ffff_ffff,
];

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// Any number.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % (end.max(1) as u64)) as usize
    }

    /// Yes in one of `n` cases.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of the items.
    pub fn pick<'i, T>(&mut self, items: &'i [T]) -> Option<&'i T> {
        items.get(self.below(items.len()))
    }

    /// A number that programs trip over, sometimes off by a little.
    pub fn interesting(&mut self) -> u64 {
        let number = self.pick(&INTERESTING).copied().unwrap_or_default();
        if self.one_in(3) { number.wrapping_add(self.below(5) as u64).wrapping_sub(2) } else { number }
    }

    /// A piece of 0 to `longest` of `len` places: where it begins and ends.
    pub fn span(&mut self, len: usize, longest: usize) -> std::ops::Range<usize> {
        let start = self.below(len + 1);
        let length = self.below(longest.min(len - start) + 1);
        start..start + length
    }
}
