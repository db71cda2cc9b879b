//! Choices among elements.

use crate::storage::check_list;
use crate::{Error, Result, Tensor};

const OP: &str = "combinations";

/// How many choices of `r` among `n` there are; `None` where there are too many to count.
fn count(n: usize, r: usize, with_replacement: bool) -> Option<usize> {
    let n = if with_replacement { n.checked_add(r)?.saturating_sub(1) } else { n };
    if r > n {
        return Some(0);
    }
    // Each product is a number of choices, too, hence divisible.
    (0..r.min(n - r)).try_fold(1usize, |all, k| Some(all.checked_mul(n - k)? / (k + 1)))
}

/// The numbers below `n` in rows of `r`, rising, in lexicographic order.
fn rows(n: usize, r: usize, with_replacement: bool, count: usize) -> Vec<i64> {
    let step = i64::from(!with_replacement);
    let mut row: Vec<i64> = (0..r as i64).map(|k| k * step).collect();
    let mut all = Vec::with_capacity(count * r);
    for _ in 0..count {
        all.extend(&row);
        // The last number that can still rise does; those after it start again.
        let most = |k: usize| n as i64 - 1 - (r - 1 - k) as i64 * step;
        if let Some(k) = (0..r).rev().find(|&k| row[k] < most(k)) {
            let start = row[k] + 1;
            (k..r).for_each(|j| row[j] = start + (j - k) as i64 * step);
        }
    }
    all
}

impl Tensor {
    /// All choices of `r` elements of a vector, as rows in the order of the elements; `with_replacement` takes an element
    /// several times, too.
    ///
    /// # Errors
    /// Not a vector, a negative `r`, or more choices than memory holds.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2, 3])?;
    /// assert_eq!(x.combinations(2, false)?.to_vec::<i32>()?, [1, 2, 1, 3, 2, 3]);
    /// assert_eq!(x.combinations(2, true)?.shape(), [6, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn combinations(&self, r: i64, with_replacement: bool) -> Result<Tensor> {
        let x = self.resolve(OP)?;
        let shape = x.shape();
        let [n] = shape[..] else {
            return Err(Error::runtime(OP, format!("Expect a 1D vector, but got shape {shape:?}")));
        };
        let Ok(r) = usize::try_from(r) else {
            return Err(Error::runtime(OP, format!("Expect a non-negative number, but got {r}")));
        };
        if r == 0 {
            return x.new_zeros([0]);
        }
        let count = count(n, r, with_replacement).unwrap_or(usize::MAX);
        check_list(count.saturating_mul(r), 3 * size_of::<i64>())?;
        let places = Tensor::from_vec(rows(n, r, with_replacement, count), [count, r])?;
        x.index(&[Some(places)])
    }
}
