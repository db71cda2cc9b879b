//! Random views, of Firebrick's tensors and of the slow arrays.

use super::places::Places;
use firebrick_core::{Result, Tensor};
use proptest::prelude::*;

/// A view in raw numbers, which become a view of whatever tensor they meet.
#[derive(Clone, Debug)]
pub struct Step {
    kind: u8,
    a: usize,
    b: usize,
    c: usize,
}

/// A few views one after the other.
pub fn chain() -> impl Strategy<Value = Vec<Step>> {
    let step = (0u8..10, 0usize..60, 0usize..60, 0usize..60).prop_map(|(kind, a, b, c)| Step { kind, a, b, c });
    proptest::collection::vec(step, 0..5)
}

/// A shape of up to four dimensions; now and then one without elements.
pub fn shape() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![8 => 1usize..5, 1 => Just(0usize)];
    proptest::collection::vec(size, 0..5)
}

/// Distinct numbers for the elements of a shape.
pub fn numbers(count: usize) -> Vec<f64> {
    (0..count).map(|i| (i * 7 % 11) as f64 + i as f64 / 8.0 + 1.0).collect()
}

/// A tensor whose elements are their row-major positions.
pub fn positions(shape: &[usize]) -> Result<Tensor> {
    let count = shape.iter().product::<usize>();
    Tensor::from_vec((0..count).map(|i| i as f64).collect(), shape)
}

fn without(list: &[usize], dim: usize) -> Vec<usize> {
    list.iter().enumerate().filter(|&(d, _)| d != dim).map(|(_, &n)| n).collect()
}

fn inserted(list: &[usize], dim: usize, value: usize) -> Vec<usize> {
    let mut list = list.to_vec();
    list.insert(dim, value);
    list
}

impl Step {
    /// The view of both; both as they are where the numbers mean nothing for this shape.
    pub fn apply(&self, x: &Tensor, slow: &Places) -> Result<(Tensor, Places)> {
        let shape = slow.shape.clone();
        let rank = shape.len();
        let dim = if rank == 0 { 0 } else { self.a % rank };
        // Dimensions count from the end in every second step.
        let signed = if self.b.is_multiple_of(2) { dim as i64 } else { dim as i64 - rank as i64 };
        let size = shape.get(dim).copied().unwrap_or(0);
        match self.kind {
            0 if size > 0 => {
                let index = self.c % size;
                let asked = if self.b.is_multiple_of(3) { index as i64 - size as i64 } else { index as i64 };
                let slow = slow.picked(without(&shape, dim), |i| inserted(i, dim, index));
                Ok((x.select(signed, asked)?, slow))
            }
            1 if rank > 0 => {
                let (start, end, step) = (self.b % (size + 1), self.c % (size + 2), 1 + self.a % 3);
                let len = end.min(size).saturating_sub(start).div_ceil(step);
                let mut new = shape.clone();
                new[dim] = len;
                let slow = slow.picked(new, |i| {
                    let mut i = i.to_vec();
                    i[dim] = start + i[dim] * step;
                    i
                });
                Ok((x.slice(signed, start as i64, end as i64, step as i64)?, slow))
            }
            2 if rank > 0 => {
                let other = self.c % rank;
                let swap = |list: &[usize]| {
                    let mut list = list.to_vec();
                    list.swap(dim, other);
                    list
                };
                Ok((x.transpose(signed, other as i64)?, slow.picked(swap(&shape), swap)))
            }
            3 if rank > 1 => {
                let order: Vec<usize> = (0..rank).map(|d| (d + self.c) % rank).collect();
                let new = order.iter().map(|&d| shape[d]).collect();
                let slow = slow.picked(new, |i| {
                    let mut source = vec![0; rank];
                    order.iter().zip(i).for_each(|(&d, &at)| source[d] = at);
                    source
                });
                Ok((x.permute(order)?, slow))
            }
            4 if rank < 6 => {
                let at = self.a % (rank + 1);
                Ok((x.unsqueeze(at as i64)?, slow.picked(inserted(&shape, at, 1), |i| without(i, at))))
            }
            5 => {
                let kept: Vec<usize> = (0..rank).filter(|&d| shape[d] != 1).collect();
                let slow = slow.picked(kept.iter().map(|&d| shape[d]).collect(), |i| {
                    let mut source = vec![0; rank];
                    kept.iter().zip(i).for_each(|(&d, &at)| source[d] = at);
                    source
                });
                Ok((x.squeeze()?, slow))
            }
            6 if rank < 5 => self.expanded(x, slow),
            7 if size > 0 && rank < 6 => {
                let (window, step) = (1 + self.b % size, 1 + self.c % 2);
                let mut new = shape.clone();
                new[dim] = (size - window) / step + 1;
                new.push(window);
                let slow = slow.picked(new, |i| {
                    let mut source = i[..rank].to_vec();
                    source[dim] = i[dim] * step + i[rank];
                    source
                });
                Ok((x.unfold(signed, window as i64, step as i64)?, slow))
            }
            8 if rank > 1 => self.diagonal(x, slow, dim),
            9 => Ok((x.reshape([slow.at.len()])?, flat(slow))),
            _ => Ok((x.clone(), slow.clone())),
        }
    }

    fn expanded(&self, x: &Tensor, slow: &Places) -> Result<(Tensor, Places)> {
        let (front, larger) = (self.b % 2, 2 + self.c % 2);
        let own = &slow.shape;
        let stretched = own.iter().map(|&n| if n == 1 { larger } else { n });
        let new: Vec<usize> = std::iter::repeat_n(larger, front).chain(stretched).collect();
        let slow = slow
            .picked(new.clone(), |i| i[front..].iter().zip(own).map(|(&at, &n)| if n == 1 { 0 } else { at }).collect());
        Ok((x.expand(new)?, slow))
    }

    fn diagonal(&self, x: &Tensor, slow: &Places, dim: usize) -> Result<(Tensor, Places)> {
        let rank = slow.shape.len();
        let other = (dim + 1 + self.c % (rank - 1)) % rank;
        let offset = (self.b % 5) as i64 - 2;
        let (row, column) = if offset < 0 { (-offset as usize, 0) } else { (0, offset as usize) };
        let len = slow.shape[dim].saturating_sub(row).min(slow.shape[other].saturating_sub(column));
        let kept: Vec<usize> = (0..rank).filter(|&d| d != dim && d != other).collect();
        let new = kept.iter().map(|&d| slow.shape[d]).chain([len]).collect();
        let slow = slow.picked(new, |i| {
            let mut source = vec![0; rank];
            kept.iter().zip(i).for_each(|(&d, &at)| source[d] = at);
            (source[dim], source[other]) = (row + i[rank - 2], column + i[rank - 2]);
            source
        });
        Ok((x.diagonal(offset, dim as i64, other as i64)?, slow))
    }

    /// May the result be a copy rather than a view?
    pub fn may_copy(&self) -> bool {
        self.kind == 9
    }
}

fn flat(slow: &Places) -> Places {
    Places { shape: vec![slow.at.len()], at: slow.at.clone() }
}
