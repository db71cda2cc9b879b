//! A chart of losses as an SVG file.

mod axis;

use axis::Axis;
use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 56.0;
const STYLE: &str = "text{font:13px sans-serif;fill:#333}.title{font-size:16px}\
    .grid{stroke:#e4e4e4}.axis{stroke:#333;fill:none}.line{fill:none;stroke-width:2;stroke-linejoin:round}";

/// A line of the chart: one value an epoch, counted from 1.
pub struct Line<'a> {
    /// Its name in the legend.
    pub label: &'a str,
    /// Its colour, as in CSS.
    pub color: &'a str,
    /// Its values; a nan or an infinity leaves a gap.
    pub values: &'a [f64],
}

/// Draws `lines` over epochs from 0 upwards (from the smallest value, if that is negative).
pub fn loss_curve(title: &str, lines: &[Line]) -> String {
    let values = || lines.iter().flat_map(|line| line.values).copied();
    let drawn = || values().filter(|value| drawable(*value));
    let epochs = lines.iter().map(|line| line.values.len()).max();
    let last = epochs.unwrap_or(0).max(2) as f64;
    let x = Axis::new(1.0, last, 10, 1.0);
    let (low, high) = (drawn().fold(0.0, f64::min), drawn().fold(0.0, f64::max));
    let y = Axis::new(low, high, 6, 0.0).rounded();
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = draw(&mut svg, title, lines, &x, &y);
    svg
}

fn draw(svg: &mut String, title: &str, lines: &[Line], x: &Axis, y: &Axis) -> std::fmt::Result {
    let px = |value| LEFT + x.share(value) * (WIDTH - LEFT - RIGHT);
    let py = |value| HEIGHT - BOTTOM - y.share(value) * (HEIGHT - TOP - BOTTOM);
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let (middle, half) = ((LEFT + right) / 2.0, (TOP + bottom) / 2.0);
    writeln!(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\">")?;
    writeln!(svg, "<style>{STYLE}</style><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>")?;
    let title = escape(title);
    writeln!(svg, "<text class=\"title\" x=\"{middle}\" y=\"26\" text-anchor=\"middle\">{title}</text>")?;
    for (at, label) in y.ticks() {
        let at = py(at);
        writeln!(svg, "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/>")?;
        let (x, y) = (LEFT - 8.0, at + 4.5);
        writeln!(svg, "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{label}</text>")?;
    }
    for (at, label) in x.ticks() {
        let (at, y) = (px(at), bottom + 20.0);
        writeln!(svg, "<path class=\"axis\" d=\"M{at:.1} {bottom}v5\"/>")?;
        writeln!(svg, "<text x=\"{at:.1}\" y=\"{y}\" text-anchor=\"middle\">{label}</text>")?;
    }
    writeln!(svg, "<path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom}H{right}\"/>")?;
    let below = HEIGHT - 14.0;
    writeln!(svg, "<text x=\"{middle}\" y=\"{below}\" text-anchor=\"middle\">epoch</text>")?;
    writeln!(svg, "<text transform=\"translate(18 {half})rotate(-90)\" text-anchor=\"middle\">loss</text>")?;
    for (row, line) in lines.iter().enumerate() {
        let (color, label) = (escape(line.color), escape(line.label));
        let path = path(line.values, px, py);
        writeln!(svg, "<path class=\"line\" stroke=\"{color}\" stroke-linecap=\"round\" d=\"{path}\"/>")?;
        let (x, y) = (right - 130.0, TOP + 12.0 + 20.0 * row as f64);
        writeln!(svg, "<path class=\"line\" stroke=\"{color}\" d=\"M{x} {y}h24\"/>")?;
        writeln!(svg, "<text x=\"{}\" y=\"{}\">{label}</text>", x + 32.0, y + 4.5)?;
    }
    writeln!(svg, "</svg>")
}

/// The path through `values`; a value alone between gaps becomes a dot.
fn path(values: &[f64], px: impl Fn(f64) -> f64, py: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let mut epoch = 1.0;
    for part in values.split(|value| !drawable(*value)) {
        for (index, value) in part.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            let (x, y) = (px(epoch + index as f64), py(*value));
            path += &format!("{command}{x:.1} {y:.1}");
        }
        if part.len() == 1 {
            path += "h0";
        }
        epoch += part.len() as f64 + 1.0;
    }
    path
}

/// Neither nan nor infinite, nor so large that a span of such values would be.
fn drawable(value: f64) -> bool {
    value.abs() < 1e300
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(values: &[f64]) -> Line<'_> {
        Line { label: "train", color: "#06c", values }
    }

    #[test]
    fn a_line_runs_over_the_whole_width_and_to_its_values() {
        let svg = loss_curve("Loss", &[line(&[2.0, 1.0, 0.0])]);
        let bottom = HEIGHT - BOTTOM;
        let half = (TOP + bottom) / 2.0;
        let (middle, right) = ((LEFT + WIDTH - RIGHT) / 2.0, WIDTH - RIGHT);
        let path = format!("d=\"M{LEFT:.1} {TOP:.1}L{middle:.1} {half:.1}L{right:.1} {bottom:.1}\"");
        assert!(svg.contains(&path), "{path} in {svg}");
    }

    #[test]
    fn values_that_are_not_numbers_leave_gaps() {
        let nan = f64::NAN;
        let path = path(&[1.0, 2.0, nan, 3.0, f64::INFINITY, nan, 4.0, 1e301], |x| x, |y| y);
        assert_eq!(path, "M1.0 1.0L2.0 2.0M4.0 3.0h0M7.0 4.0h0");
    }

    #[test]
    fn any_values_give_a_whole_chart() {
        let huge = [1e308, -1e308, 1e299, -1e299];
        for values in [&[][..], &[0.5], &[f64::NAN], &[0.0; 3], &[1e-320], &huge] {
            let svg = loss_curve("a < b & \"c\"", &[line(values), line(&[])]);
            assert!(svg.contains(">a &lt; b &amp; &quot;c&quot;</text>"));
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{values:?}: {svg}");
            assert!(svg.ends_with("</svg>\n"));
            assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        }
    }
}
