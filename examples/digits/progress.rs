//! How far an epoch is: a moving bar on a terminal, one line elsewhere.

use std::io::{IsTerminal, Stdout, Write, stdout};
use std::time::{Duration, Instant};

const CELLS: usize = 24;
/// Drawing more often would cost time, and sooner the speed is not known.
const REDRAW: Duration = Duration::from_millis(100);

/// The progress of one epoch, its mean loss and its speed.
pub struct Progress<W: Write = Stdout> {
    out: W,
    moving: bool,
    title: String,
    steps: usize,
    done: usize,
    samples: usize,
    loss_sum: f64,
    started: Instant,
    drawn: Instant,
}

impl Progress {
    /// Begins epoch `epoch` of `epochs`, counted from 1, with `steps` steps.
    pub fn epoch(epoch: usize, epochs: usize, steps: usize) -> Self {
        let out = stdout();
        let moving = out.is_terminal();
        let width = epochs.to_string().len();
        Self::new(out, moving, format!("epoch {epoch:>width$}/{epochs}"), steps)
    }
}

impl<W: Write> Progress<W> {
    fn new(out: W, moving: bool, title: String, steps: usize) -> Self {
        let now = Instant::now();
        Progress { out, moving, title, steps, done: 0, samples: 0, loss_sum: 0.0, started: now, drawn: now }
    }

    /// Counts one step over `samples` samples with the mean loss `loss`.
    pub fn step(&mut self, samples: usize, loss: f64) {
        self.done += 1;
        self.samples += samples;
        self.loss_sum += loss * samples as f64;
        if self.moving && self.drawn.elapsed() >= REDRAW {
            self.drawn = Instant::now();
            let line = format!("{} {}", self.bar(), self.numbers(self.started.elapsed()));
            self.print(&format!("\r{line}\x1b[K"));
        }
    }

    /// Ends the epoch with a line that stays, `more` at its end.
    pub fn finish(mut self, more: &str) {
        let start = if self.moving { "\r\x1b[K" } else { "" };
        let numbers = self.numbers(self.started.elapsed());
        let line = format!("{start}{}  {numbers}  {more}", self.title);
        self.print(&format!("{}\n", line.trim_end()));
    }

    /// The mean loss over all samples so far; nan before the first.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.samples as f64
    }

    fn bar(&self) -> String {
        let share = self.done as f64 / self.steps.max(1) as f64;
        let full = ((share * CELLS as f64) as usize).min(CELLS);
        let (full, rest) = ("█".repeat(full), "░".repeat(CELLS - full));
        format!("{} {full}{rest} {:3.0} %", self.title, share * 100.0)
    }

    fn numbers(&self, elapsed: Duration) -> String {
        let speed = self.samples as f64 / elapsed.as_secs_f64().max(1e-9);
        format!("loss {:.4}  {speed:.0} samples/s", self.loss())
    }

    /// A closed pipe must not end the training.
    fn print(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes());
        let _ = self.out.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_two_steps(out: &mut Vec<u8>, moving: bool) -> Progress<&mut Vec<u8>> {
        let mut progress = Progress::new(out, moving, "epoch 3/20".to_string(), 4);
        progress.step(30, 1.0);
        progress.step(10, 3.0);
        progress
    }

    #[test]
    fn loss_and_speed_count_samples() {
        let mut out = Vec::new();
        let progress = after_two_steps(&mut out, false);
        assert_eq!(progress.loss(), 1.5);
        let numbers = progress.numbers(Duration::from_millis(500));
        assert_eq!(numbers, "loss 1.5000  80 samples/s");
        assert_eq!(progress.bar(), "epoch 3/20 ████████████░░░░░░░░░░░░  50 %");
    }

    #[test]
    fn elsewhere_than_on_a_terminal_an_epoch_is_one_plain_line() {
        let mut out = Vec::new();
        after_two_steps(&mut out, false).finish("accuracy 97.2 %");
        let text = String::from_utf8(out).expect("text is written");
        assert!(text.starts_with("epoch 3/20  loss 1.5000  "), "{text}");
        assert!(text.ends_with(" samples/s  accuracy 97.2 %\n"), "{text}");
        assert!(!text.contains(['\r', '\x1b']) && text.lines().count() == 1);
    }

    #[test]
    fn on_a_terminal_the_bar_is_drawn_over_and_the_last_line_stays() {
        let mut out = Vec::new();
        let mut progress = after_two_steps(&mut out, true);
        progress.drawn -= REDRAW;
        progress.step(40, 1.5);
        progress.finish("");
        let text = String::from_utf8(out).expect("text is written");
        let drawn: Vec<&str> = text.split('\r').collect();
        assert!(drawn[1].starts_with("epoch 3/20 ██████████████████░"), "{text:?}");
        assert!(drawn[1].contains(" 75 % loss 1.5000  "), "{text:?}");
        let last = drawn.last().expect("something is drawn");
        assert!(last.starts_with("\x1b[Kepoch 3/20  loss 1.5000"), "{text:?}");
        assert!(last.ends_with("samples/s\n"));
    }

    #[test]
    fn an_epoch_without_steps_ends_quietly() {
        let mut out = Vec::new();
        let progress = Progress::new(&mut out, true, "epoch 1/1".to_string(), 0);
        assert!(progress.bar().ends_with("  0 %"));
        progress.finish("");
        assert!(String::from_utf8_lossy(&out).contains("loss NaN"));
    }
}
