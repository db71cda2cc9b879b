//! Where the elements of an interpolated dimension come from, and with which weights.
//!
//! Coordinates are computed in the precision that PyTorch computes them in: where an element falls between two others
//! decides which ones they are.

use super::interpolate::InterpolateMode;
use crate::backend::Taps;

/// One dimension of an interpolation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub input: usize,
    pub output: usize,
    /// How many times larger the output was asked to be, where it was asked so.
    pub scale: Option<f64>,
    pub align_corners: bool,
    /// Are coordinates rounded to single precision?
    pub single: bool,
}

/// The free parameter of the cubic kernel: PyTorch's without and with antialiasing (Keys, 1981).
const CUBIC: f64 = -0.75;
const CUBIC_ANTIALIASED: f64 = -0.5;

impl Axis {
    fn round(&self, x: f64) -> f64 {
        if self.single { f64::from(x as f32) } else { x }
    }

    /// Steps of the input for one of the output.
    fn ratio(&self) -> f64 {
        if self.align_corners {
            return match self.output {
                0 | 1 => 0.0,
                n => self.round((self.input as f64 - 1.0) / (n as f64 - 1.0)),
            };
        }
        match self.scale {
            Some(scale) if scale > 0.0 => self.round(1.0 / scale),
            _ => self.round(self.input as f64 / self.output as f64),
        }
    }

    /// The coordinate in the input of element `j` of the output.
    fn source(&self, ratio: f64, j: usize) -> f64 {
        if self.align_corners {
            return self.round(ratio * j as f64);
        }
        self.round(self.round(ratio * self.round(j as f64 + 0.5)) - 0.5)
    }

    /// For each element of the output the nearest one of the input; PyTorch counts in single precision here.
    pub fn nearest(&self, exact: bool) -> Vec<i64> {
        let ratio = Axis { single: true, align_corners: false, ..*self }.ratio() as f32;
        let last = self.input as i64 - 1;
        let middle = if exact { 0.5f32 } else { 0.0 };
        (0..self.output).map(|j| (((j as f32 + middle) * ratio).floor() as i64).min(last)).collect()
    }

    /// The map of a mode that weighs neighbours.
    pub fn taps(&self, mode: InterpolateMode, antialias: bool) -> Taps {
        if antialias {
            return self.antialiased(mode);
        }
        if self.input == self.output && self.scale.is_none() {
            return Taps::new(self.input, (0..self.output).map(|j| vec![(j, 1.0)]));
        }
        let ratio = self.ratio();
        Taps::new(
            self.input,
            (0..self.output).map(|j| match mode {
                InterpolateMode::Bicubic => self.cubic(self.source(ratio, j)),
                _ => self.linear(self.source(ratio, j)),
            }),
        )
    }

    fn linear(&self, source: f64) -> Vec<(usize, f64)> {
        let source = source.max(0.0);
        let first = (source.floor() as usize).min(self.input - 1);
        let second = (first + 1).min(self.input - 1);
        let weight = self.round(source - first as f64).clamp(0.0, 1.0);
        vec![(first, self.round(1.0 - weight)), (second, weight)]
    }

    fn cubic(&self, source: f64) -> Vec<(usize, f64)> {
        let first = source.floor();
        let t = self.round(source - first);
        let place = |offset: i64| (first as i64).saturating_add(offset).clamp(0, self.input as i64 - 1) as usize;
        cubic_weights(CUBIC, t).into_iter().zip(-1..).map(|(weight, offset)| (place(offset), weight)).collect()
    }

    /// A kernel as wide as the input elements of one output element: PIL's resampling.
    fn antialiased(&self, mode: InterpolateMode) -> Taps {
        let ratio = self.ratio();
        let (radius, filter): (f64, fn(f64) -> f64) = match mode {
            InterpolateMode::Bicubic => (2.0, |x| cubic(CUBIC_ANTIALIASED, x)),
            InterpolateMode::Lanczos => (3.0, lanczos),
            _ => (1.0, |x| (1.0 - x.abs()).max(0.0)),
        };
        let stretch = ratio.max(1.0);
        let support = self.round(radius * stretch);
        Taps::new(
            self.input,
            (0..self.output).map(|j| {
                let center = self.round(ratio * (j as f64 + 0.5));
                let first = (self.round(center - support + 0.5) as i64).max(0) as usize;
                let end = (self.round(center + support + 0.5) as i64).clamp(0, self.input as i64) as usize;
                let weights: Vec<f64> = (first..end).map(|i| filter((i as f64 - center + 0.5) / stretch)).collect();
                let total: f64 = weights.iter().sum();
                let scale = if total == 0.0 { 1.0 } else { total };
                (first..end).zip(weights).map(|(i, weight)| (i, weight / scale)).collect()
            }),
        )
    }
}

/// Keys' cubic convolution kernel.
fn cubic(a: f64, x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}

/// The weights of the four neighbours of a place `t` behind the second one.
pub(super) fn cubic_weights(a: f64, t: f64) -> [f64; 4] {
    [cubic(a, t + 1.0), cubic(a, t), cubic(a, 1.0 - t), cubic(a, 2.0 - t)]
}

/// The sinc function in a window of three.
fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
    if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}
