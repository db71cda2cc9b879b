//! Random indices as `x[...]` takes them, and what they pick from the slow arrays.

use super::places::{Places, each_index};
use firebrick_core::{Ellipsis, IndexItem, NewAxis, Result, Slice, Tensor};
use proptest::prelude::*;

/// One part of an index in raw numbers.
#[derive(Clone, Debug)]
pub struct Part {
    kind: u8,
    a: usize,
    b: usize,
}

/// Up to five parts.
pub fn parts() -> impl Strategy<Value = Vec<Part>> {
    let part = (0u8..9, 0usize..60, 0usize..60).prop_map(|(kind, a, b)| Part { kind, a, b });
    proptest::collection::vec(part, 0..6)
}

/// Positions along one dimension, in a shape of their own.
#[derive(Clone, Debug)]
struct Vector {
    shape: Vec<usize>,
    at: Vec<usize>,
}

impl Vector {
    /// The element for an index of a larger shape that this one broadcasts to.
    fn get(&self, index: &[usize]) -> usize {
        let front = index.len() - self.shape.len();
        let mut flat = 0;
        for (&i, &n) in index[front..].iter().zip(&self.shape) {
            flat = flat * n + if n == 1 { 0 } else { i };
        }
        self.at[flat]
    }
}

/// An index of a tensor of one shape, and what it means for the slow array.
pub struct Index {
    pub items: Vec<IndexItem>,
    /// The view that the basic parts make.
    view: Places,
    /// The vectors by dimension of that view.
    vectors: Vec<Option<Vector>>,
}

impl Index {
    /// Makes the parts an index of `slow`: those that fit.
    pub fn new(slow: &Places, parts: &[Part]) -> Result<Index> {
        let mut index = Index { items: Vec::new(), view: slow.clone(), vectors: Vec::new() };
        let mut ellipsis = false;
        // All vectors have this shape, or one that broadcasts to it.
        let common = [2, 3];
        let mut left = slow.shape.len();
        for (k, part) in parts.iter().enumerate() {
            let dim = index.vectors.len();
            let size = index.view.shape.get(dim).copied().unwrap_or(0);
            match part.kind {
                0 | 1 if left > 0 && size > 0 => index.int(dim, part.a % size, part.b.is_multiple_of(2)),
                2 | 3 if left > 0 => index.range(dim, part.a % (size + 1), part.b % (size + 2), 1 + part.a % 2),
                4 if !ellipsis => {
                    ellipsis = true;
                    index.items.push(Ellipsis.into());
                    let later = parts[k + 1..].iter().filter(|part| !matches!(part.kind, 4 | 5)).count();
                    let whole = left.saturating_sub(later);
                    index.vectors.extend(vec![None; whole]);
                    left -= whole;
                    continue;
                }
                5 => {
                    index.items.push(NewAxis.into());
                    let (shape, at) = (index.view.shape.clone(), index.view.at.clone());
                    index.view.shape =
                        shape[..dim].iter().copied().chain([1]).chain(shape[dim..].iter().copied()).collect();
                    index.view.at = at;
                    index.vectors.push(None);
                    continue;
                }
                6 | 7 if left > 0 && size > 0 => {
                    let shape: Vec<usize> = [&common[..], &common[1..], &[2, 1], &[]][part.a % 4].to_vec();
                    index.vector(shape, size, part.b)?;
                }
                8 if left > 0 && size > 0 && !index.has_vectors() => index.mask(dim, size, part.a)?,
                _ => continue,
            }
            left -= 1;
        }
        if ellipsis {
            // What the parts after it did not take.
            index.items.extend((0..left).map(|_| (..).into()));
        }
        Ok(index)
    }

    fn has_vectors(&self) -> bool {
        self.vectors.iter().any(Option::is_some)
    }

    fn int(&mut self, dim: usize, at: usize, from_end: bool) {
        let size = self.view.shape[dim];
        self.items.push(if from_end { IndexItem::Int(at as i64 - size as i64) } else { at.into() });
        let mut shape = self.view.shape.clone();
        shape.remove(dim);
        self.view = self.view.picked(shape, |i| {
            let mut i = i.to_vec();
            i.insert(dim, at);
            i
        });
    }

    fn range(&mut self, dim: usize, start: usize, stop: usize, step: usize) {
        self.items.push(Slice::new(start as i64, stop as i64).step(step as i64).into());
        let mut shape = self.view.shape.clone();
        shape[dim] = stop.min(shape[dim]).saturating_sub(start).div_ceil(step);
        self.view = self.view.picked(shape, |i| {
            let mut i = i.to_vec();
            i[dim] = start + i[dim] * step;
            i
        });
        self.vectors.push(None);
    }

    fn vector(&mut self, shape: Vec<usize>, size: usize, seed: usize) -> Result<()> {
        let count = shape.iter().product::<usize>();
        let at: Vec<usize> = (0..count).map(|k| (seed + k * (1 + seed % 3)) % size).collect();
        let asked =
            at.iter().enumerate().map(|(k, &i)| if k.is_multiple_of(2) { i as i64 } else { i as i64 - size as i64 });
        self.items.push(Tensor::from_vec(asked.collect(), &shape[..])?.into());
        self.vectors.push(Some(Vector { shape, at }));
        Ok(())
    }

    fn mask(&mut self, dim: usize, size: usize, seed: usize) -> Result<()> {
        // Two true places at most, so that it broadcasts with nothing else: it is the only one.
        let truths: Vec<bool> = (0..size).map(|k| (seed >> (k % 6)) & 1 == 1).collect();
        let at: Vec<usize> = (0..size).filter(|&k| truths[k]).collect();
        self.items.push(Tensor::from_vec(truths, [size])?.into());
        debug_assert!(dim == self.vectors.len());
        self.vectors.push(Some(Vector { shape: vec![at.len()], at }));
        Ok(())
    }

    /// What the index picks; `None` where its vectors do not broadcast.
    pub fn picked(&self) -> Option<Places> {
        let dims: Vec<usize> = (0..self.vectors.len()).filter(|&d| self.vectors[d].is_some()).collect();
        if dims.is_empty() {
            return Some(self.view.clone());
        }
        let vectors: Vec<&Vector> = self.vectors.iter().flatten().collect();
        let common = vectors.iter().try_fold(Vec::new(), |shape, v| broadcast(&shape, &v.shape))?;
        let neighbours = dims.windows(2).all(|pair| pair[1] == pair[0] + 1);
        let others: Vec<usize> = (0..self.view.shape.len()).filter(|d| !dims.contains(d)).collect();
        let front = if neighbours { others.iter().filter(|&&d| d < dims[0]).count() } else { 0 };
        let size = |d: &usize| self.view.shape[*d];
        let shape: Vec<usize> = others[..front]
            .iter()
            .map(size)
            .chain(common.iter().copied())
            .chain(others[front..].iter().map(size))
            .collect();
        let mut at = Vec::new();
        each_index(&shape, |i| {
            let (inner, rest) = (&i[front..front + common.len()], [&i[..front], &i[front + common.len()..]].concat());
            let mut source = vec![0; self.view.shape.len()];
            others.iter().zip(&rest).for_each(|(&d, &k)| source[d] = k);
            dims.iter().zip(&vectors).for_each(|(&d, v)| source[d] = v.get(inner));
            at.push(self.view.get(&source));
        });
        Some(Places { shape, at })
    }
}

/// The shape that two shapes broadcast to.
pub fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let size = |list: &[usize], d: usize| (d + list.len()).checked_sub(rank).map_or(1, |k| list[k]);
    (0..rank)
        .map(|d| match (size(a, d), size(b, d)) {
            (n, m) if n == m || m == 1 => Some(n),
            (1, m) => Some(m),
            _ => None,
        })
        .collect()
}
