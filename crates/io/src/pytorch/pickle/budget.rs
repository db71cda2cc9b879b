//! How much memory values may take: in proportion to the file, whatever that says.

use super::super::error::PickleProblem;

/// What any file may take.
const BASE: usize = 16 << 20;
/// What a file may take for each of its bytes. A value takes a byte or more in a file, and less than this in memory;
/// only values that are referred to again and again go beyond.
const PER_BYTE: usize = 256;
/// What one value takes beside what it holds.
const NODE: usize = 64;

/// Memory that may still be taken.
pub(super) struct Budget {
    limit: usize,
    left: usize,
}

impl Budget {
    /// For a file of that many bytes.
    pub fn new(file: usize) -> Self {
        let limit = file.saturating_mul(PER_BYTE).saturating_add(BASE);
        Budget { limit, left: limit }
    }

    /// Accounts for one value that holds `bytes` bytes beyond itself.
    pub fn take(&mut self, bytes: usize) -> Result<(), PickleProblem> {
        let left = self.left.checked_sub(bytes.saturating_add(NODE));
        self.left = left.ok_or(PickleProblem::TooMuch(self.limit))?;
        Ok(())
    }
}
