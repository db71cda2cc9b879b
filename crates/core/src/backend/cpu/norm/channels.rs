//! Channels of `[n, c, l]`: their statistics, and normalizing by them.
//!
//! Where channels are long, each is a number of stretches; where they are short, the elements of one sample are columns
//! that are added up row by row.

use super::super::along::sum_of;
use super::super::layout::Shared;
use super::super::number::{D, DFused, Number, Port, S, SFused, TILE, compiled, tile};
use crate::DType;
use crate::backend::NormGrad;
use crate::tensor::Body;
use std::ops::Range;

/// Channels at least so long are summed stretch by stretch.
const LONG: usize = 16;
/// Samples whose elements go into cells of columns between two additions to the totals.
const FLUSH: usize = 32;

/// What is summed over each channel; `s` is a number of the channel.
#[derive(Clone, Copy, PartialEq)]
enum What {
    /// `x - s`.
    Distances,
    /// `(x - s)^2`.
    Squares,
    /// `g` and `g (x - s)`.
    Grads,
}

struct Sums<'a> {
    what: What,
    shape: [usize; 3],
    x: Port,
    g: Option<Port>,
    /// `s` of each channel.
    shifts: &'a [f64],
    /// Samples of one part, and parts.
    samples: usize,
    parts: usize,
    /// By part, two sums for each channel or column.
    totals: Shared<f64>,
}

impl Sums<'_> {
    /// Is each channel a stretch of every sample? Else each element of a sample is a column.
    fn long(&self) -> bool {
        self.shape[2] >= LONG
    }

    fn places(&self) -> usize {
        if self.long() { self.shape[1] } else { self.shape[1] * self.shape[2] }
    }
}

/// Two sums for each channel.
fn sums(dtype: DType, what: What, x: &Body, g: Option<&Body>, shifts: &[f64]) -> Vec<[f64; 2]> {
    let shape = [x.shape[0], x.shape[1], x.shape[2]];
    let [n, c, l] = shape;
    let mut job = Sums {
        what,
        shape,
        x: Port::new(x),
        g: g.map(Port::new),
        shifts,
        samples: n,
        parts: 1,
        totals: Shared(std::ptr::null_mut()),
    };
    // How the samples are split depends on the shape alone, and so does the result.
    let places = job.places();
    let parts = (1 << 12) / places.max(64);
    job.samples = n.div_ceil(parts.clamp(1, n.max(1))).max((1 << 14) / (c * l).max(1)).max(1);
    job.parts = n.div_ceil(job.samples).max(1);
    let mut totals = vec![0f64; job.parts * places * 2];
    job.totals = Shared(totals.as_mut_ptr());
    let grain = if job.long() { 1 } else { places.min(64) };
    let job = &job;
    crate::pool::parallel_for(job.parts * places, grain, &|range| match dtype {
        DType::F64 => sums_f64(job, range),
        _ => sums_f32(job, range),
    });
    let mut channels = vec![[0.0; 2]; c];
    let each = places / c.max(1);
    for part in totals.chunks_exact((places * 2).max(1)) {
        for (place, pair) in part.chunks_exact(2).enumerate() {
            let channel: &mut [f64; 2] = &mut channels[place / each];
            channel[0] += pair[0];
            channel[1] += pair[1];
        }
    }
    channels
}

compiled! {
    fn sums_f32(job: &Sums, range: Range<usize>) = part_sums::<S>, part_sums::<SFused>;
    fn sums_f64(job: &Sums, range: Range<usize>) = part_sums::<D>, part_sums::<DFused>;
    fn map_f32(job: &Mapped, range: Range<usize>) = map_rows::<S>, map_rows::<SFused>;
    fn map_f64(job: &Mapped, range: Range<usize>) = map_rows::<D>, map_rows::<DFused>;
}

#[inline(always)]
fn part_sums<A: Number>(job: &Sums, range: Range<usize>) {
    match job.what {
        What::Distances => places::<A, 1>(job, range, |x, _, s| [x.sub(s)]),
        What::Squares => places::<A, 1>(job, range, |x, _, s| [x.sub(s).mul(x.sub(s))]),
        What::Grads => places::<A, 2>(job, range, |x, g, s| [g, g.mul(x.sub(s))]),
    }
}

#[inline(always)]
fn places<A: Number, const K: usize>(job: &Sums, range: Range<usize>, value: impl Fn(A, A, A) -> [A; K] + Copy) {
    let places = job.places();
    let mut at = range.start;
    while at < range.end {
        let (part, first) = (at / places, at % places);
        let samples = part * job.samples..((part + 1) * job.samples).min(job.shape[0]);
        let n = (range.end - at).min(places - first);
        if job.long() {
            for channel in first..first + n {
                let sums = stretch(job, samples.clone(), channel, value);
                write(job, part * places + channel, sums);
            }
            at += n;
        } else {
            let n = n.min(TILE);
            columns(job, samples, first, n, part, value);
            at += n;
        }
    }
}

#[inline(always)]
fn write<const K: usize>(job: &Sums, place: usize, sums: [f64; K]) {
    for (k, sum) in sums.into_iter().enumerate() {
        // SAFETY: each place of each part belongs to one task.
        unsafe { job.totals.get().add(place * 2 + k).write(sum) };
    }
}

/// The sums over one channel of some samples.
#[inline(always)]
fn stretch<A: Number, const K: usize>(
    job: &Sums,
    samples: Range<usize>,
    channel: usize,
    value: impl Fn(A, A, A) -> [A; K],
) -> [f64; K] {
    let [_, c, l] = job.shape;
    let shift = A::from_f64(job.shifts[channel]);
    let mut sums = [0.0; K];
    let (mut room_x, mut room_g) = (tile::<A>(), tile::<A>());
    let most = if job.x.direct::<A>(0).is_some() { 1024 } else { TILE };
    for sample in samples {
        let base = (sample * c + channel) * l;
        for start in (0..l).step_by(most) {
            let n = most.min(l - start);
            // SAFETY: the stretch lies within the bodies.
            unsafe {
                let x = job.x.load::<A>(base + start, 1, n, &mut room_x);
                let g = job.g.map_or(x, |g| g.load::<A>(base + start, 1, n, &mut room_g));
                for (k, sum) in sums.iter_mut().enumerate() {
                    *sum += sum_of([x, g], |[x, g]| value(x, g, shift)[k]);
                }
            }
        }
    }
    sums
}

/// The sums over `n` columns from `first` on, of some samples.
#[inline(always)]
fn columns<A: Number, const K: usize>(
    job: &Sums,
    samples: Range<usize>,
    first: usize,
    n: usize,
    part: usize,
    value: impl Fn(A, A, A) -> [A; K],
) {
    let [_, _, l] = job.shape;
    let width = job.places();
    let (mut cells, mut totals) = ([[A::ZERO; TILE]; K], [[0f64; TILE]; K]);
    let mut shifts = [A::ZERO; TILE];
    for (i, shift) in shifts[..n].iter_mut().enumerate() {
        *shift = A::from_f64(job.shifts[(first + i) / l]);
    }
    let (mut room_x, mut room_g) = (tile::<A>(), tile::<A>());
    let count = samples.len();
    for (done, sample) in samples.enumerate() {
        let at = sample * width + first;
        // SAFETY: the columns lie within the bodies.
        let (x, g) = unsafe {
            let x = job.x.load::<A>(at, 1, n, &mut room_x);
            (x, job.g.map_or(x, |g| g.load::<A>(at, 1, n, &mut room_g)))
        };
        for (k, cells) in cells.iter_mut().enumerate() {
            for (((cell, &x), &g), &s) in cells.iter_mut().zip(x).zip(g).zip(&shifts) {
                *cell = cell.add(value(x, g, s)[k]);
            }
        }
        if done % FLUSH == FLUSH - 1 || done + 1 == count {
            for (total, cell) in totals.iter_mut().flatten().zip(cells.iter_mut().flatten()) {
                *total += std::mem::replace(cell, A::ZERO).to_f64();
            }
        }
    }
    #[allow(clippy::needless_range_loop, reason = "the index goes into every total")]
    for i in 0..n {
        write(job, part * width + first + i, std::array::from_fn::<f64, K, _>(|k| totals[k][i]));
    }
}

/// Mean and (biased) variance of each channel, into contiguous bodies.
///
/// # Safety
/// The storages are locked; `x` is contiguous with three dimensions.
pub(crate) unsafe fn statistics(x: &Body, mean: &Body, variance: &Body) {
    let [n, c, l] = [x.shape[0], x.shape[1], x.shape[2]];
    let count = (n * l) as f64;
    let firsts: Vec<f64> = (0..c).map(|channel| first(x, channel * l)).collect();
    let distances = sums(x.dtype, What::Distances, x, None, &firsts);
    let means: Vec<f64> = distances.iter().zip(&firsts).map(|(d, first)| first + d[0] / count).collect();
    let squares = sums(x.dtype, What::Squares, x, None, &means);
    let single = x.dtype != DType::F64;
    let spread = squares.iter().zip(&means).map(|(s, &mean)| {
        // Distances were taken from the mean as it is in the precision of the elements.
        let rounding = if single { mean - f64::from(mean as f32) } else { 0.0 };
        let variance = s[0] / count - rounding * rounding;
        if variance < 0.0 { 0.0 } else { variance }
    });
    let variances: Vec<D> = spread.map(D::from_f64).collect();
    let means: Vec<D> = means.into_iter().map(D::from_f64).collect();
    // SAFETY: both bodies are contiguous with one element a channel.
    unsafe {
        Port::new(mean).store(0, 1, &means);
        Port::new(variance).store(0, 1, &variances);
    }
}

/// The element at `at`, or zero of an empty body.
fn first(x: &Body, at: usize) -> f64 {
    if x.numel() == 0 {
        return 0.0;
    }
    let mut room = tile::<D>();
    // SAFETY: the first sample has an element of each channel.
    unsafe { Port::new(x).load::<D>(at, 1, 1, &mut room)[0].to_f64() }
}

/// Numbers of a channel: in order the mean, what is taken off, the slope against the distance from the mean, the scale.
type Params = [f64; 4];

struct Mapped<'a> {
    shape: [usize; 3],
    x: Port,
    /// The gradient of the result, when it is the input's that is wanted.
    g: Option<Port>,
    out: Port,
    params: &'a [Params],
}

fn map(dtype: DType, x: &Body, g: Option<&Body>, out: &Body, params: &[Params]) {
    let shape = [x.shape[0], x.shape[1], x.shape[2]];
    let job = Mapped { shape, x: Port::new(x), g: g.map(Port::new), out: Port::new(out), params };
    // Long channels are stretches with one set of numbers; else a sample is a row with a set for each element.
    let (rows, each) = if shape[2] >= LONG { (shape[0] * shape[1], shape[2]) } else { (shape[0], shape[1] * shape[2]) };
    crate::pool::parallel_for(rows, (1 << 14) / each.max(1) + 1, &|range| match dtype {
        DType::F64 => map_f64(&job, range),
        _ => map_f32(&job, range),
    });
}

#[inline(always)]
fn map_rows<A: Number>(job: &Mapped, range: Range<usize>) {
    let [_, c, l] = job.shape;
    let long = l >= LONG;
    let each = if long { l } else { c * l };
    let columns: [Vec<A>; 4] = match long {
        true => std::array::from_fn(|_| Vec::new()),
        false => std::array::from_fn(|k| (0..each).map(|i| A::from_f64(job.params[i / l][k])).collect()),
    };
    let (mut room_x, mut room_g) = (tile::<A>(), tile::<A>());
    let mut result = [A::ZERO; TILE];
    for r in range {
        let own: [A; 4] = if long { job.params[r % c].map(A::from_f64) } else { [A::ZERO; 4] };
        for start in (0..each).step_by(TILE) {
            let n = TILE.min(each - start);
            let at = r * each + start;
            // SAFETY: the elements lie within the bodies; those of the result belong to this task.
            unsafe {
                let x = job.x.load::<A>(at, 1, n, &mut room_x);
                let g = job.g.map(|g| g.load::<A>(at, 1, n, &mut room_g));
                let params: [&[A]; 4] =
                    std::array::from_fn(|k| if long { &own[k..=k] } else { &columns[k][start..start + n] });
                combine(x, g, params, &mut result[..n], long);
                job.out.store(at, 1, &result[..n]);
            }
        }
    }
}

/// `(x - mean) scale + offset`, or `(g - level - (x - mean) slope) scale`.
#[inline(always)]
fn combine<A: Number>(x: &[A], g: Option<&[A]>, params: [&[A]; 4], out: &mut [A], single: bool) {
    let forward = |x: A, [mean, offset, _, scale]: [A; 4]| x.sub(mean).mul_add(scale, offset);
    let backward =
        |x: A, g: A, [mean, level, slope, scale]: [A; 4]| g.sub(level).sub(x.sub(mean).mul(slope)).mul(scale);
    if single {
        let p = params.map(|p| p[0]);
        match g {
            None => {
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = forward(x, p);
                }
            }
            Some(g) => {
                for ((out, &x), &g) in out.iter_mut().zip(x).zip(g) {
                    *out = backward(x, g, p);
                }
            }
        }
        return;
    }
    let [a, b, c, d] = params;
    let each = a.iter().zip(b).zip(c).zip(d).map(|(((&a, &b), &c), &d)| [a, b, c, d]);
    match g {
        None => {
            for ((out, &x), p) in out.iter_mut().zip(x).zip(each) {
                *out = forward(x, p);
            }
        }
        Some(g) => {
            for (((out, &x), &g), p) in out.iter_mut().zip(x).zip(g).zip(each) {
                *out = backward(x, g, p);
            }
        }
    }
}

/// The numbers of a contiguous body, or `count` times `otherwise`.
fn numbers(body: Option<&Body>, count: usize, otherwise: f64) -> Vec<f64> {
    let mut list = vec![otherwise; count];
    if let Some(body) = body {
        // SAFETY: the body is locked and has one element a channel; a lane is its number.
        unsafe { D::gather(Port::new(body), 0, 1, count, list.as_mut_ptr().cast()) };
    }
    list
}

/// See [`Backend::normalize_channels`](crate::backend::Backend::normalize_channels).
///
/// # Safety
/// The storages are locked; bodies are contiguous and `out` overlaps nothing.
pub(crate) unsafe fn apply(
    x: &Body,
    [mean, invstd]: [&Body; 2],
    weight: Option<&Body>,
    bias: Option<&Body>,
    out: &Body,
) {
    let c = x.shape[1];
    let (mean, invstd) = (numbers(Some(mean), c, 0.0), numbers(Some(invstd), c, 1.0));
    let (weight, bias) = (numbers(weight, c, 1.0), numbers(bias, c, 0.0));
    let params: Vec<Params> = (0..c).map(|i| [mean[i], bias[i], 0.0, invstd[i] * weight[i]]).collect();
    map(x.dtype, x, None, out, &params);
}

/// See [`Backend::normalize_channels_grad`](crate::backend::Backend::normalize_channels_grad).
///
/// # Safety
/// As [`apply`].
pub(crate) unsafe fn grad(
    g: &Body,
    x: &Body,
    [mean, invstd]: [&Body; 2],
    weight: Option<&Body>,
    training: bool,
    out: &NormGrad,
) {
    let [n, c, l] = [x.shape[0], x.shape[1], x.shape[2]];
    let count = (n * l) as f64;
    let (mean, invstd) = (numbers(Some(mean), c, 0.0), numbers(Some(invstd), c, 1.0));
    let weight = numbers(weight, c, 1.0);
    let summed = training || out.weight.is_some() || out.bias.is_some();
    let sums = if summed { sums(x.dtype, What::Grads, x, Some(g), &mean) } else { vec![[0.0; 2]; c] };
    if let Some(dx) = &out.input {
        // In evaluation the statistics are constants.
        let level = |i: usize| if training { sums[i][0] / count } else { 0.0 };
        let slope = |i: usize| if training { sums[i][1] / count * invstd[i] * invstd[i] } else { 0.0 };
        let params: Vec<Params> = (0..c).map(|i| [mean[i], level(i), slope(i), invstd[i] * weight[i]]).collect();
        map(x.dtype, x, Some(g), dx, &params);
    }
    let store = |body: &Option<Body>, value: &dyn Fn(usize) -> f64| {
        if let Some(body) = body {
            let list: Vec<D> = (0..c).map(|i| D::from_f64(value(i))).collect();
            // SAFETY: the body is contiguous with one element a channel.
            unsafe { Port::new(body).store(0, 1, &list) };
        }
    };
    store(&out.weight, &|i| sums[i][1] * invstd[i]);
    store(&out.bias, &|i| sums[i][0]);
}
