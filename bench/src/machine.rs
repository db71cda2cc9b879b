//! What the machine can do at best: the limit that workloads are held against.

use crate::harness::Options;
use multiversion::multiversion;
use std::hint::black_box;
use std::thread;
use std::time::Instant;

/// Elements of the arrays that are read and copied: those of the elementwise workloads.
const ELEMENTS: usize = 1 << 22;

/// Multiplications and additions in a row for each element.
const CHAIN: usize = 16;

/// Elements that stay in the nearest cache.
const NEAR: usize = 2048;

/// Prints GFLOP/s of single-precision arithmetic, and GB/s of memory that is read and that is copied, where both sides
/// count.
pub fn report(options: &Options) {
    let share = ELEMENTS.div_ceil(options.threads);
    let mut near = vec![[1f32; NEAR]; options.threads];
    let gflop = rate(near.iter_mut(), 1 << 15, (2 * CHAIN * NEAR * options.threads) as f64, |values| {
        multiply_add(black_box(&mut values[..]), black_box(0.9), black_box(0.1));
    });
    let (from, mut to) = (vec![1f32; ELEMENTS], vec![0f32; ELEMENTS]);
    let bytes = size_of_val(&from[..]) as f64;
    let read = rate(from.chunks(share), 50, bytes, |values| {
        black_box(sum_of_bits(black_box(values)));
    });
    let moved = rate(to.chunks_mut(share).zip(from.chunks(share)), 50, 2.0 * bytes, |(to, from)| {
        black_box(to).copy_from_slice(black_box(from));
    });
    options.report("machine", &[("gflop", gflop), ("read_gb", read), ("moved_gb", moved)]);
}

/// Billions a second of what one round of `work` on every part does, with a thread for each part: the best of some
/// tries, each of so many rounds that starting the threads does not count.
fn rate<P: Send>(parts: impl Iterator<Item = P>, rounds: usize, amount: f64, work: impl Fn(&mut P) + Sync) -> f64 {
    const TRIES: usize = 20;
    let mut parts: Vec<P> = parts.collect();
    let times = (0..TRIES).map(|_| {
        let begin = Instant::now();
        thread::scope(|scope| {
            for part in &mut parts {
                scope.spawn(|| (0..rounds).for_each(|_| work(part)));
            }
        });
        begin.elapsed().as_secs_f64()
    });
    amount * rounds as f64 / times.fold(f64::INFINITY, f64::min) / 1e9
}

/// `value * a + b`, again and again. Elements do not wait for each other, and their chains are short enough for the
/// processor to work at several groups of them at once.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma", "aarch64+neon"))]
fn multiply_add(values: &mut [f32], a: f32, b: f32) {
    for value in values {
        for _ in 0..CHAIN {
            *value = value.mul_add(a, b);
        }
    }
}

/// Integers, since their sum may be taken in any order.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma", "aarch64+neon"))]
fn sum_of_bits(values: &[f32]) -> u32 {
    values.iter().fold(0, |sum, value| sum.wrapping_add(value.to_bits()))
}
