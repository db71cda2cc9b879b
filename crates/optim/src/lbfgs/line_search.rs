//! The line search for the strong Wolfe conditions.
//!
//! Nocedal and Wright, *Numerical Optimization*, 2nd edition, algorithms 3.5 and 3.6, with cubic interpolation
//! (equation 3.59), in the form that minFunc, Torch and PyTorch 2.15 give it.

use super::number::Number;
use firebrick_core::{Result, Tensor};

/// How much of the decrease that the slope promises a step must bring.
const DECREASE: f64 = 1e-4;
/// How much of the slope may be left at the end of a step.
const CURVATURE: f64 = 0.9;

/// A point on the line.
#[derive(Clone)]
pub(super) struct Point {
    /// How far along.
    pub at: Number,
    pub loss: f64,
    pub gradient: Tensor,
    /// The derivative along the line.
    pub slope: Number,
}

/// The smallest point between `a` and `b` of the cubic through them, kept within `bounds`.
fn interpolate(a: &Point, b: &Point, bounds: (Number, Number)) -> Number {
    let secant = Number::from(3.0 * (a.loss - b.loss)) / (a.at - b.at);
    let d1 = a.slope + b.slope - secant;
    let square = d1 * d1 - a.slope * b.slope;
    if square < Number::from(0.0) || square.value.is_nan() {
        return (bounds.0 + bounds.1) / 2.0;
    }
    let d2 = square.sqrt();
    let (near, far) = if a.at <= b.at { (a, b) } else { (b, a) };
    let lowest = far.at - (far.at - near.at) * ((far.slope + d2 - d1) / (far.slope - near.slope + d2 * 2.0));
    lowest.max(bounds.0).min(bounds.1)
}

/// The line: its start, how long its direction is, and how much is spent on it.
pub(super) struct Line<'a> {
    pub start: &'a Point,
    /// The largest element of the direction.
    pub length: f64,
    pub tolerance_change: f64,
    pub most_evaluations: i64,
}

impl Line<'_> {
    /// Is the loss at `point` higher than the slope at the start allows?
    fn too_high(&self, point: &Point) -> bool {
        let allowed = point.at * DECREASE * self.start.slope + self.start.loss;
        Number::from(point.loss) > allowed
    }

    fn flat_enough(&self, point: &Point) -> bool {
        point.slope.abs() <= self.start.slope * -CURVATURE
    }

    /// A point that satisfies the conditions, or the best one found, and how often the loss was evaluated. `look` goes
    /// to a place on the line; `first` is the first place.
    pub fn search(&self, first: Number, look: &mut dyn FnMut(Number) -> Result<Point>) -> Result<(Point, i64)> {
        let mut previous = Point { at: 0.into(), ..self.start.clone() };
        let mut point = look(first)?;
        let mut steps = 0;
        // The interval that holds a satisfying point.
        let bracket = loop {
            if steps >= self.most_evaluations {
                break [Point { at: 0.into(), ..self.start.clone() }, point];
            }
            if self.too_high(&point) || (steps > 1 && point.loss >= previous.loss) {
                break [previous, point];
            }
            if self.flat_enough(&point) {
                return Ok((point, steps + 1));
            }
            if point.slope >= Number::from(0.0) {
                break [previous, point];
            }
            let bounds = (point.at + (point.at - previous.at) * 0.01, point.at * 10);
            let next = look(interpolate(&previous, &point, bounds))?;
            previous = std::mem::replace(&mut point, next);
            steps += 1;
        };
        self.zoom(bracket, steps, look)
    }

    /// Makes the interval smaller until it is a satisfying point.
    fn zoom(
        &self,
        mut bracket: [Point; 2],
        mut steps: i64,
        look: &mut dyn FnMut(Number) -> Result<Point>,
    ) -> Result<(Point, i64)> {
        let lower = |bracket: &[Point; 2]| if bracket[0].loss <= bracket[1].loss { 0 } else { 1 };
        let mut low = lower(&bracket);
        let mut stalled = false;
        while steps < self.most_evaluations {
            let [a, b] = [bracket[0].at, bracket[1].at];
            if ((b - a).abs() * self.length) < Number::from(self.tolerance_change) {
                break;
            }
            let bounds = if a <= b { (a, b) } else { (b, a) };
            let place = interpolate(&bracket[0], &bracket[1], bounds);
            let place = inside(place, (a.min(b), a.max(b)), &mut stalled);
            let point = look(place)?;
            steps += 1;
            if self.too_high(&point) || point.loss >= bracket[low].loss {
                bracket[1 - low] = point;
                low = lower(&bracket);
                continue;
            }
            let done = self.flat_enough(&point);
            if !done && point.slope * (bracket[1 - low].at - bracket[low].at) >= Number::from(0.0) {
                bracket[1 - low] = bracket[low].clone();
            }
            bracket[low] = point;
            if done {
                break;
            }
        }
        let [first, second] = bracket;
        Ok((if low == 0 { first } else { second }, steps + 1))
    }
}

/// A place that has come close to an end of the interval for the second time, or is at one, is moved away from it by a
/// tenth of the interval.
fn inside(place: Number, (least, most): (Number, Number), stalled: &mut bool) -> Number {
    let margin = (most - least) * 0.1;
    let close = (most - place).min(place - least) < margin;
    if !(close && (*stalled || place >= most || place <= least)) {
        *stalled = close;
        return place;
    }
    *stalled = false;
    if (place - most).abs() < (place - least).abs() { most - margin } else { least + margin }
}
