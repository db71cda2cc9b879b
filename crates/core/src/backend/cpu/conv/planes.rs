//! The padded copy of a source, in which every kernel tap of every position is a fixed distance away.
//!
//! Along one dimension, position `q` of the grid and a tap with offset `o` meet at `step * q + o`. Elements with the
//! same residue of `step` go to a plane of their own, where neighbours of the grid are neighbours in memory: position
//! `q` of tap `o` is element `q + (o - low) / step` of plane `(o - low) % step`. Elements outside the source are zero.

use crate::backend::cpu::float::Float;
use crate::backend::cpu::scratch::Scratch;
use crate::backend::cpu::shared::Shared;
use crate::pool::parallel_for;

/// One dimension of a gathering.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    /// Size of the source.
    pub(super) source: usize,
    step: usize,
    /// Positions of the grid.
    pub(super) grid: usize,
    /// The least offset of a tap: where the planes begin.
    pub(super) low: isize,
    /// The residues that taps use; one plane each.
    planes: Vec<usize>,
    /// Plane and first element of each tap.
    taps: Vec<(usize, usize)>,
    /// Elements of a plane.
    len: usize,
}

impl Axis {
    pub(super) fn new(source: usize, step: usize, grid: usize, offsets: Vec<isize>) -> Self {
        let low = offsets.iter().copied().min().unwrap_or(0);
        let place = |&offset: &isize| ((offset - low) as usize % step, (offset - low) as usize / step);
        let mut planes: Vec<usize> = offsets.iter().map(|o| place(o).0).collect();
        planes.sort_unstable();
        planes.dedup();
        let of = |residue| planes.iter().position(|&p| p == residue).unwrap_or(0);
        let taps: Vec<_> = offsets.iter().map(place).map(|(residue, first)| (of(residue), first)).collect();
        let len = grid + taps.iter().map(|tap| tap.1).max().unwrap_or(0);
        Axis { source, step, grid, low, planes, taps, len }
    }

    /// Whether there is but one element, and one tap that meets it.
    pub(super) fn is_single(&self) -> bool {
        self.source == 1 && self.grid == 1 && self.low == 0 && self.taps.len() == 1
    }

    /// How far each of `N` taps lies beyond the least, if they are neighbours and the grid has all positions.
    pub(super) fn neighbours<const N: usize>(&self) -> Option<[usize; N]> {
        let taps: Vec<usize> = self.taps.iter().map(|tap| tap.1).collect();
        let all = (0..N).all(|place| taps.contains(&place));
        taps.try_into().ok().filter(|_| all && self.step == 1)
    }

    /// Where an element of a plane that lies in the source is there.
    fn source_of(&self, plane: usize, index: usize) -> usize {
        (self.low + (self.planes[plane] + self.step * index) as isize) as usize
    }

    /// The elements of a plane that lie in the source.
    fn inside(&self, plane: usize) -> std::ops::Range<usize> {
        let first = self.low + self.planes[plane] as isize;
        let step = self.step as isize;
        let start = ((-first).max(0) + step - 1) / step;
        let end = (self.source as isize - first + step - 1).div_euclid(step);
        let len = self.len as isize;
        let end = end.clamp(0, len);
        start.min(end) as usize..end as usize
    }
}

/// How the planes of one channel lie in memory.
pub(super) struct Layout {
    axes: [Axis; 3],
    /// Distance between channels.
    pub(super) channel: usize,
    /// Distances between neighbours of the grid; one along the last dimension.
    pub(super) steps: [usize; 2],
    /// Distance of each tap.
    pub(super) taps: Vec<isize>,
}

impl Layout {
    pub(super) fn new<T>(axes: [Axis; 3]) -> Self {
        let [z, y, x] = [0, 1, 2].map(|d| axes[d].len);
        let plane = x * y * z;
        let mut taps = Vec::new();
        for &(pz, iz) in &axes[0].taps {
            for &(py, iy) in &axes[1].taps {
                for &(px, ix) in &axes[2].taps {
                    let number = (pz * axes[1].planes.len() + py) * axes[2].planes.len() + px;
                    taps.push((number * plane + (iz * y + iy) * x + ix) as isize);
                }
            }
        }
        let size = plane * axes.iter().map(|axis| axis.planes.len()).product::<usize>();
        // An odd number of cache lines, so that neighbouring channels do not fall into the same set.
        let line = 64 / size_of::<T>();
        let channel = (size.div_ceil(line) | 1) * line;
        Layout { channel, steps: [y * x, x], taps, axes }
    }

    /// Copies `channels` contiguous channels of the source; vectors may be read up to `slack` elements beyond the end.
    pub(super) fn copy<T: Float>(&self, source: &[T], channels: usize, slack: usize) -> Scratch<T> {
        let copy = Scratch::new(channels * self.channel + slack);
        let to = Shared(copy.as_ptr());
        let size: usize = self.axes.iter().map(|axis| axis.source).product();
        let grain = (16_384 / self.channel.max(1)).max(1);
        parallel_for(channels, grain, &|range| {
            for channel in range {
                let from = &source[channel * size..(channel + 1) * size];
                // SAFETY: each channel has its own part of the copy, which is written from end to end.
                let to = unsafe { std::slice::from_raw_parts_mut(to.at(channel * self.channel), self.channel) };
                self.copy_channel(from, to);
            }
        });
        // SAFETY: the slack follows the last channel.
        unsafe { std::slice::from_raw_parts_mut(copy.as_ptr().add(channels * self.channel), slack) }.fill(T::ZERO);
        copy
    }

    /// Zeros everywhere, but for the elements that lie in the source.
    fn copy_channel<T: Float>(&self, from: &[T], to: &mut [T]) {
        to.fill(T::ZERO);
        let [az, ay, ax] = &self.axes;
        let mut start = 0;
        for pz in 0..az.planes.len() {
            for py in 0..ay.planes.len() {
                for px in 0..ax.planes.len() {
                    let (ys, xs) = (ay.inside(py), ax.inside(px));
                    let first = ax.source_of(px, xs.start);
                    for z in if xs.is_empty() { 0..0 } else { az.inside(pz) } {
                        let plane = az.source_of(pz, z) * ay.source;
                        for y in ys.clone() {
                            let line = start + (z * ay.len + y) * ax.len;
                            let from = &from[(plane + ay.source_of(py, y)) * ax.source + first..];
                            copy_line(&mut to[line + xs.start..line + xs.end], from, ax.step);
                        }
                    }
                    start += az.len * ay.len * ax.len;
                }
            }
        }
    }
}

/// Elements that are moved at a time.
const PIECE: usize = 8;

/// Copies every `step`-th element. Lines are short: neighbours go in pieces, of which the last overlaps the one before,
/// rather than through a call.
fn copy_line<T: Float>(to: &mut [T], from: &[T], step: usize) {
    let len = to.len();
    if step == 1 && len >= PIECE {
        let from = &from[..len];
        for i in (0..len).step_by(PIECE) {
            let at = i.min(len - PIECE);
            // SAFETY: both slices have `len` elements, and the piece ends with them at the latest.
            unsafe {
                let piece = from.as_ptr().add(at).cast::<[T; PIECE]>().read_unaligned();
                to.as_mut_ptr().add(at).cast::<[T; PIECE]>().write_unaligned(piece);
            }
        }
    } else {
        for (to, from) in to.iter_mut().zip(from.iter().step_by(step)) {
            *to = *from;
        }
    }
}
