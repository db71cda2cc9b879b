//! Choices out of a vector.

use crate::ops::composed;
use crate::ops::sample::shaped;
use crate::storage::check_list;
use crate::{Error, Tensor};

/// How many ways there are to choose `k` out of `n`; `None` beyond what memory could hold.
fn binomial(n: u128, k: u128) -> Option<u128> {
    let Some(rest) = n.checked_sub(k) else { return Some(0) };
    let mut ways = 1u128;
    for i in 1..=k.min(rest) {
        // Each quotient is a binomial coefficient, too.
        ways = ways.checked_mul(n - k.min(rest) + i)? / i;
        if ways > usize::MAX as u128 {
            return None;
        }
    }
    Some(ways)
}

/// All rising (or, with `repeats`, not falling) sequences of `r` of the numbers below `n`, in lexicographic order.
fn sequences(n: usize, r: usize, repeats: bool, count: usize) -> Vec<i64> {
    if count == 0 {
        return Vec::new();
    }
    let mut all = Vec::with_capacity(count * r);
    let mut row: Vec<usize> = (0..r).map(|i| if repeats { 0 } else { i }).collect();
    for _ in 0..count {
        all.extend(row.iter().map(|&i| i as i64));
        // The last number that can rise does, and those after it follow as closely as they may.
        let most = |i: usize| if repeats { n - 1 } else { n - r + i };
        let Some(at) = (0..r).rev().find(|&i| row[i] < most(i)) else { break };
        let next = row[at] + 1;
        for (k, number) in row[at..].iter_mut().enumerate() {
            *number = if repeats { next } else { next + k };
        }
    }
    all
}

composed! {
    table: COMBINATIONS;

    /// All choices of `r` elements of a vector, one a row, in the order of their places; with `with_replacement` an element
    /// may be chosen again.
    ///
    /// # Errors
    /// More or fewer than one dimension, `r` is negative, or the choices exceed memory.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2, 3])?;
    /// assert_eq!(x.combinations(2, false)?.to_vec::<i32>()?, [1, 2, 1, 3, 2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn combinations(&x, r: i64, with_replacement: bool) -> Tensor {
        const OP: &str = "combinations";
        let x = x.resolve(OP)?;
        if x.dim() != 1 {
            return Err(Error::runtime(OP, format!("Expect a 1D vector, but got shape {:?}", x.shape())));
        }
        if r < 0 {
            return Err(Error::runtime(OP, format!("Expect a non-negative number, but got {r}")));
        }
        if r == 0 {
            return x.detach().new_zeros([0]);
        }
        let (n, r) = (x.numel(), r as usize);
        let from = if with_replacement && n > 0 { n as u128 + r as u128 - 1 } else { n as u128 };
        let count = binomial(from, r as u128).and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
        check_list(count.saturating_mul(r), size_of::<i64>())?;
        let places = sequences(n, r, with_replacement, count);
        x.index(&[Some(Tensor::from_slice_with(&places, [count, r], x.device())?)])
    }
    samples: shaped(&[4], &[0], |x| x.combinations(2, true));
}
