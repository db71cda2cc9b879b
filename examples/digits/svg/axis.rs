//! An axis with round numbers.

/// A range of values and the distance of its ticks: 1, 2 or 5 times a power of ten.
pub struct Axis {
    low: f64,
    high: f64,
    step: f64,
}

impl Axis {
    /// An axis from `low` to `high` with up to `ticks` ticks, at least `least_step` apart.
    pub fn new(low: f64, high: f64, ticks: usize, least_step: f64) -> Axis {
        let span = if high > low { high - low } else { 1.0 };
        let rough = (span / ticks as f64).max(least_step);
        let power = 10f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
        let step = steps.into_iter().find(|step| *step >= rough * 0.999);
        Axis { low, high: low + span, step: step.unwrap_or(rough) }
    }

    /// Widens the range to whole steps.
    pub fn rounded(self) -> Axis {
        let low = (self.low / self.step).floor() * self.step;
        let high = (self.high / self.step - 1e-9).ceil() * self.step;
        Axis { low, high, ..self }
    }

    /// Where `value` lies: 0 at the low end, 1 at the high one.
    pub fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// The values of the ticks and their labels.
    pub fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        let index = |value: f64| value / self.step;
        let (first, last) = (index(self.low) - 1e-9, index(self.high) + 1e-9);
        (first.ceil() as i64..=last.floor() as i64).map(|index| {
            let value = index as f64 * self.step;
            let decimals = (-(self.step * 1.001).log10().floor()).max(0.0) as usize;
            let label = match decimals < 6 && value.abs() < 1e6 {
                true => format!("{value:.decimals$}"),
                false => format!("{value:.1e}"),
            };
            (value, label)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: Axis) -> Vec<String> {
        axis.rounded().ticks().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_numbers_around_the_values() {
        assert_eq!(labels(Axis::new(0.0, 0.97, 6, 0.0)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(Axis::new(0.0, 2.3, 6, 0.0)), ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5"]);
        assert_eq!(labels(Axis::new(-0.02, 0.03, 6, 0.0)), ["-0.02", "-0.01", "0.00", "0.01", "0.02", "0.03"]);
        assert_eq!(labels(Axis::new(0.0, 4e9, 6, 0.0)).last().map(String::as_str), Some("4.0e9"));
        assert_eq!(labels(Axis::new(1.0, 3.0, 10, 1.0)), ["1", "2", "3"]);
        assert_eq!(labels(Axis::new(0.0, 0.0, 6, 0.0)).len(), 6);
    }
}
