//! The slow, obviously right array: for each element of a view, the place in its base that it shows.

use std::collections::HashMap;

/// Calls `f` with every index of `shape` in row-major order.
pub fn each_index(shape: &[usize], mut f: impl FnMut(&[usize])) {
    let count = shape.iter().product::<usize>();
    for flat in 0..count {
        let mut rest = flat;
        let mut index = vec![0; shape.len()];
        for d in (0..shape.len()).rev() {
            index[d] = rest % shape[d];
            rest /= shape[d];
        }
        f(&index);
    }
}

/// The shape of a view, and what it shows in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    pub shape: Vec<usize>,
    pub at: Vec<usize>,
}

impl Places {
    /// A base of this shape.
    pub fn base(shape: &[usize]) -> Places {
        Places { shape: shape.to_vec(), at: (0..shape.iter().product()).collect() }
    }

    /// What lies at an index.
    pub fn get(&self, index: &[usize]) -> usize {
        assert_eq!(index.len(), self.shape.len());
        let flat = index.iter().zip(&self.shape).fold(0, |flat, (&i, &n)| {
            assert!(i < n, "{index:?} in {:?}", self.shape);
            flat * n + i
        });
        self.at[flat]
    }

    /// The view of this shape whose element at an index is the one at `f` of it.
    pub fn picked(&self, shape: Vec<usize>, f: impl Fn(&[usize]) -> Vec<usize>) -> Places {
        let mut at = Vec::new();
        each_index(&shape, |index| at.push(self.get(&f(index))));
        Places { shape, at }
    }

    /// The sum over the view's elements that show each place of a base with `count` elements.
    pub fn summed(&self, values: &[f64], count: usize) -> Vec<f64> {
        let mut sums = vec![0.0; count];
        self.at.iter().zip(values).for_each(|(&at, value)| sums[at] += value);
        sums
    }

    /// Does every element show a place of its own?
    pub fn are_distinct(&self) -> bool {
        let mut seen = HashMap::new();
        self.at.iter().all(|&at| seen.insert(at, ()).is_none())
    }
}
