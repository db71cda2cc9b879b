//! The products of a block: at each point, tiles by channels times channels by channels.

use super::tiles::Values;
use super::transform::PRODUCTS;
use crate::backend::cpu::float::Float;
use crate::backend::cpu::gemm::kernels::Kernels;
use crate::backend::cpu::gemm::small::height;
use crate::backend::cpu::gemm::tile::{Finish, Tile};
use crate::backend::cpu::shared::Shared;

/// Elements that are summed before the sum goes to memory: the transforms that follow magnify the rounding of long sums,
/// so they are cut.
pub(super) const DEPTH: usize = 32;

/// Values of some kernels at the points: for each point panels of output channels, as wide as the largest tile, of which
/// each holds the input channels one after another.
#[derive(Clone, Copy)]
pub(super) struct Panels<T> {
    pub(super) at: Shared<T>,
    /// Distance between points.
    pub(super) step: usize,
    /// Output channels, in whole vectors.
    pub(super) columns: usize,
    /// Input channels.
    pub(super) depth: usize,
}

/// `out = tiles * panels` for each point.
///
/// # Safety
/// The operands can be read, and `out` has room for `count` tiles of `panels.columns` channels.
pub(super) unsafe fn multiply<T: Float>(
    kernels: &Kernels<T>,
    count: usize,
    tiles: Values<T>,
    panels: &Panels<T>,
    out: Values<T>,
) {
    let rows = height(count, kernels.rows());
    let offsets: Vec<isize> = (0..rows).map(|i| (i * tiles.row) as isize).collect();
    let blocks = height(panels.depth, DEPTH);
    for point in 0..PRODUCTS {
        for first in (0..panels.columns).step_by(kernels.columns()) {
            let width = (panels.columns - first).min(kernels.columns());
            let panel = panels.at.at(point * panels.step + first * panels.depth);
            for start in (0..panels.depth).step_by(blocks) {
                for row in (0..count).step_by(rows) {
                    // SAFETY: the caller's promise.
                    unsafe {
                        kernels.lines[(count - row).min(rows) - 1][width / kernels.lanes - 1](&Tile {
                            depth: (panels.depth - start).min(blocks),
                            lines: (1, 0),
                            a: tiles.at.at(point * tiles.step + row * tiles.row + start),
                            a_strides: [0, 0],
                            b: panel.add(start * width),
                            b_stride: width as isize,
                            offsets: offsets.as_ptr(),
                            c: out.at.at(point * out.step + row * out.row + first),
                            c_stride: out.row as isize,
                            last: kernels.lanes,
                            finish: Finish { beta: if start == 0 { T::ZERO } else { T::ONE }, ..Finish::OVERWRITE },
                        });
                    }
                }
            }
        }
    }
}
