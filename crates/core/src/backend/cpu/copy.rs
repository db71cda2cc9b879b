//! Copies between layouts and between dtypes.

use super::gemm::kernels;
use super::gemm::pack::Pack;
use super::layout::{GRAIN, Shared, Walk, write_order};
use super::number::{D, Number, Port, S, TILE, tile};
use crate::DType;
use crate::pool::parallel_for;
use crate::tensor::Body;
use smallvec::SmallVec;

/// Copies and converts.
///
/// # Safety
/// The storages are locked; shapes are equal.
pub(crate) unsafe fn copy(src: &Body, out: &Body) {
    let walk = walk(src, out);
    // SAFETY: the caller's; equal types are copied as bits of their width.
    unsafe {
        match src.dtype {
            same if same == out.dtype => match same.size() {
                1 => bits::<u8>(walk, src, out),
                2 => bits::<u16>(walk, src, out),
                4 => bits::<f32>(walk, src, out),
                16 => bits::<[f64; 2]>(walk, src, out),
                _ => bits::<f64>(walk, src, out),
            },
            from if from.is_complex() || out.dtype.is_complex() => super::complex::copy(src, out),
            DType::F64 => convert::<D>(&walk, src, out),
            from if from.is_floating_point() => convert::<S>(&walk, src, out),
            _ => convert::<i64>(&walk, src, out),
        }
    }
}

/// Both in the order in which the destination lies in memory, so that writes are consecutive.
fn walk(src: &Body, out: &Body) -> Walk<2> {
    let order = write_order(out);
    let permuted = |list: &[usize]| order.iter().map(|&d| list[d]).collect::<SmallVec<[usize; 6]>>();
    Walk::new(&permuted(&out.shape), [&permuted(&src.strides), &permuted(&out.strides)])
}

/// Are neighbours in the destination farther apart in the source than others are?
pub(crate) fn goes_across(src: &Body, out: &Body) -> bool {
    !src.is_contiguous() && Planes::new(&walk(src, out)).is_some()
}

/// Converts by way of numbers of type `A`, which hold every element of `src`.
unsafe fn convert<A: Number>(walk: &Walk<2>, src: &Body, out: &Body) {
    let (from, to) = (Port::new(src), Port::new(out));
    parallel_for(walk.numel(), GRAIN, &|range| {
        let mut buffer = tile::<A>();
        for ([a, b], length, [s, d]) in walk.runs(range.start, range.len()) {
            for done in (0..length).step_by(TILE) {
                let count = TILE.min(length - done);
                // SAFETY: the walk stays within both bodies.
                unsafe { to.store(b + done * d, d, from.load::<A>(a + done * s, s, count, &mut buffer)) }
            }
        }
    });
}

/// Bits that are copied.
trait Bits: Copy {
    /// The kernel that transposes, where there is one.
    fn transpose() -> Option<unsafe fn(&Pack<Self>)> {
        None
    }
}

impl Bits for u8 {}
impl Bits for u16 {}
impl Bits for [f64; 2] {}

impl Bits for f32 {
    fn transpose() -> Option<unsafe fn(&Pack<f32>)> {
        Some(kernels::f32().transpose)
    }
}

impl Bits for f64 {
    fn transpose() -> Option<unsafe fn(&Pack<f64>)> {
        Some(kernels::f64().transpose)
    }
}

/// # Safety
/// `T` has the width of the bodies' type, and the storages are locked.
unsafe fn bits<T: Bits>(walk: Walk<2>, src: &Body, out: &Body) {
    let (from, to) = (Shared(src.ptr().cast::<T>()), Shared(out.ptr().cast::<T>()));
    // SAFETY: the caller's.
    unsafe {
        match Planes::new(&walk) {
            Some(planes) => planes.copy(from, to),
            None => runs(&walk, from, to),
        }
    }
}

/// Along the destination.
unsafe fn runs<T: Bits>(walk: &Walk<2>, from: Shared<T>, to: Shared<T>) {
    parallel_for(walk.numel(), GRAIN, &|range| {
        for ([a, b], length, strides) in walk.runs(range.start, range.len()) {
            // SAFETY: the walk stays within both bodies.
            unsafe {
                let (from, to) = (from.get().add(a), to.get().add(b));
                match strides {
                    [1, 1] => std::ptr::copy(from, to, length),
                    [s, d] => (0..length).for_each(|i| *to.add(i * d) = *from.add(i * s)),
                }
            }
        }
    });
}

/// Rows and columns of a block: together they stay in the first level cache, and its lines are used whole.
const BLOCK: [usize; 2] = [16, 512];

/// A copy in which neighbours in the destination, the columns, are far apart in the source, and others, the rows, are
/// nearer there: block by block.
struct Planes {
    /// The blocks of all planes.
    blocks: Walk<2>,
    /// How many there are in a plane, down and across.
    counts: [usize; 2],
    /// Rows and columns of a block, and of a plane.
    block: [usize; 2],
    plane: [usize; 2],
    /// Of rows and of columns, the distances in the source and in the destination.
    strides: [[usize; 2]; 2],
}

impl Planes {
    fn new(walk: &Walk<2>) -> Option<Self> {
        let columns = walk.shape.len() - 1;
        let rows = (0..columns).min_by_key(|&d| walk.strides[0][d])?;
        if walk.strides[0][rows] >= walk.strides[0][columns] || walk.strides[0][rows] == 0 {
            return None;
        }
        let plane = [walk.shape[rows], walk.shape[columns]];
        let strides = [rows, columns].map(|d| [walk.strides[0][d], walk.strides[1][d]]);
        // Narrow planes have higher blocks.
        let block = [BLOCK[0] * (BLOCK[1] / BLOCK[0] / plane[1]).max(1), BLOCK[1]];
        let counts = [0, 1].map(|i: usize| plane[i].div_ceil(block[i]));
        let mut blocks = walk.clone();
        for (i, d) in [(0, rows), (1, columns)] {
            blocks.shape[d] = counts[i];
            blocks.strides[0][d] *= block[i];
            blocks.strides[1][d] *= block[i];
        }
        // The rows come right before the columns.
        for list in [&mut blocks.shape].into_iter().chain(&mut blocks.strides) {
            list[rows..columns].rotate_left(1);
        }
        Some(Planes { blocks, counts, block, plane, strides })
    }

    unsafe fn copy<T: Bits>(&self, from: Shared<T>, to: Shared<T>) {
        let grain = (GRAIN / self.block[0] / self.block[1].min(self.plane[1])).max(1);
        parallel_for(self.blocks.numel(), grain, &|range| {
            let mut index = range.start;
            for ([a, b], count, [s, d]) in self.blocks.runs(range.start, range.len()) {
                for i in 0..count {
                    let place = [index / self.counts[1] % self.counts[0], index % self.counts[1]];
                    let size = [0, 1].map(|i: usize| self.block[i].min(self.plane[i] - place[i] * self.block[i]));
                    // SAFETY: the walk stays within both bodies.
                    unsafe { self.copy_block(size, from.get().add(a + i * s), to.get().add(b + i * d)) }
                    index += 1;
                }
            }
        });
    }

    unsafe fn copy_block<T: Bits>(&self, [rows, columns]: [usize; 2], from: *const T, to: *mut T) {
        let [[s_row, d_row], [s_column, d_column]] = self.strides;
        // SAFETY: the block lies within both bodies.
        unsafe {
            match T::transpose() {
                Some(transpose) if s_row == 1 && d_column == 1 => transpose(&Pack {
                    from,
                    across: s_column as isize,
                    along: 1,
                    width: columns,
                    padded: d_row,
                    depth: rows,
                    to,
                }),
                _ => {
                    for row in 0..rows {
                        let (from, to) = (from.add(row * s_row), to.add(row * d_row));
                        (0..columns).for_each(|i| *to.add(i * d_column) = *from.add(i * s_column));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::{DType, Tensor};

    const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

    /// The row-major index of every element of `shape`, read with its dimensions in another order.
    fn read_in(shape: [usize; 3], order: [usize; 3]) -> Vec<usize> {
        let strides = [shape[1] * shape[2], shape[2], 1];
        let [(a, da), (b, db), (c, dc)] = order.map(|d| (shape[d], strides[d]));
        let all = (0..a).flat_map(|i| (0..b).flat_map(move |j| (0..c).map(move |k| (i, j, k))));
        all.map(|(i, j, k)| i * da + j * db + k * dc).collect()
    }

    #[test]
    fn every_order_of_dimensions_is_copied_to_its_place() {
        for shape in [[3, 17, 20], [2, 64, 9], [1, 40, 600], [5, 2, 33], [4, 1, 8], [3, 0, 2]] {
            let numel = shape.iter().product::<usize>();
            for dtype in [DType::U8, DType::F16, DType::F32, DType::F64, DType::I64, DType::C128] {
                // Numbers that every dtype holds.
                let values: Vec<i64> = (0..numel as i64).map(|i| i % 251).collect();
                let x = Tensor::from_slice(&values, shape).unwrap().to(dtype).unwrap();
                for order in ORDERS {
                    let copy = x.permute(order.map(|d| d as i64)).unwrap().contiguous().unwrap();
                    let copy = if dtype.is_complex() { copy.real().unwrap() } else { copy };
                    let expected: Vec<i64> = read_in(shape, order).into_iter().map(|at| values[at]).collect();
                    let got = copy.to(DType::I64).unwrap().to_vec::<i64>().unwrap();
                    assert_eq!(got, expected, "{shape:?} in the order {order:?}, {dtype:?}");
                }
            }
        }
    }

    #[test]
    fn rows_with_gaps_are_copied_to_columns_with_gaps() {
        let x = Tensor::from_slice(&(0..40 * 70).map(|i| i as f32).collect::<Vec<_>>(), [40, 70]).unwrap();
        let from = x.slice(1, 3, 67, 2).unwrap().t().unwrap();
        let to = Tensor::zeros([64, 80]).unwrap();
        to.slice(0, 1, 64, 2).unwrap().slice(1, 0, 80, 2).unwrap().copy_(&from).unwrap();
        let (from, to) = (x.to_vec::<f32>().unwrap(), to.to_vec::<f32>().unwrap());
        for (row, to) in to.chunks(80).enumerate() {
            for (column, &got) in to.iter().enumerate() {
                let is_there = row % 2 == 1 && column % 2 == 0;
                let expected = if is_there { from[column / 2 * 70 + 3 + row / 2 * 2] } else { 0.0 };
                assert_eq!(got, expected, "row {row}, column {column}");
            }
        }
    }
}
