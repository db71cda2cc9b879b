//! Options, timing, and the JSON lines that `compare.py` reads.

use crate::table::Workload;
use firebrick::{Error, Result, Sizes, Tensor, pool};
use std::time::{Duration, Instant};

/// What the command line asks for.
pub struct Options {
    pub peer: String,
    pub threads: usize,
    pub time: Duration,
    /// Runs this often, whatever time it takes, and without a warm-up: for profilers.
    pub iterations: Option<usize>,
    pub workloads: Vec<String>,
    /// Resident megabytes before any work.
    pub base_mb: f64,
    /// Larger sizes are cut down to this one; tests run the workloads at tiny sizes.
    pub largest: usize,
}

const USAGE: &str =
    "usage: bench [--workloads a,b|all|list|machine] [--threads N] [--secs S | --iters N] [--peer NAME]";

impl Default for Options {
    fn default() -> Options {
        Options {
            peer: "firebrick".to_owned(),
            threads: 2,
            time: Duration::from_secs(2),
            iterations: None,
            workloads: vec!["all".to_owned()],
            base_mb: memory("VmRSS:"),
            largest: usize::MAX,
        }
    }
}

impl Options {
    /// Reads the command line.
    pub fn from_args(mut args: impl Iterator<Item = String>) -> Result<Options> {
        let mut options = Options::default();
        let wrong = |given: &str| Error::value("bench", USAGE).given(given);
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| wrong(&name))?;
            match name.as_str() {
                "--workloads" => options.workloads = value.split(',').map(str::to_owned).collect(),
                "--threads" => options.threads = value.parse().map_err(|_| wrong(&value))?,
                "--secs" => {
                    let seconds = value.parse().map_err(|_| wrong(&value))?;
                    options.time = Duration::try_from_secs_f64(seconds).map_err(|_| wrong(&value))?;
                }
                "--iters" => options.iterations = Some(value.parse().map_err(|_| wrong(&value))?),
                "--peer" => options.peer = value,
                _ => return Err(wrong(&name)),
            }
        }
        Ok(options)
    }

    /// Gives Firebrick as many threads as were asked for.
    pub fn set_threads(&self) -> Result<()> {
        pool::set_num_threads(self.threads).map_err(|error| Error::value("bench", error.to_string()))
    }

    /// `size`, or the largest one allowed.
    pub fn size(&self, size: usize) -> usize {
        size.min(self.largest)
    }

    fn shape<const N: usize>(&self, shape: [usize; N]) -> Sizes {
        shape.map(|size| self.size(size)).into()
    }

    /// Normally distributed numbers.
    pub fn randn<const N: usize>(&self, shape: [usize; N]) -> Result<Tensor> {
        Tensor::randn(self.shape(shape))
    }

    /// Integers from zero up to `end`, which is left out.
    pub fn randint<const N: usize>(&self, end: usize, shape: [usize; N]) -> Result<Tensor> {
        Tensor::randint(0, self.size(end) as i64, self.shape(shape))
    }

    /// Prints a line of JSON: what was run, then numbers.
    pub fn report(&self, workload: &str, numbers: &[(&str, f64)]) {
        let rounded = |number: f64| (number * 1e6).round() / 1e6;
        let fields: Vec<String> =
            numbers.iter().map(|&(name, number)| format!("{name:?}: {}", rounded(number))).collect();
        self.print(workload, &fields.join(", "));
    }

    /// Prints why a workload could not be run.
    pub fn failed(&self, workload: &str, error: &Error) {
        self.print(workload, &format!("\"error\": {:?}", error.to_string()));
    }

    fn print(&self, workload: &str, fields: &str) {
        println!(
            "{{\"peer\": {:?}, \"workload\": {workload:?}, \"threads\": {}, {fields}, \"peak_rss_mb\": {:.1}, \"base_rss_mb\": {:.1}}}",
            self.peer,
            self.threads,
            memory("VmHWM:"),
            self.base_mb
        );
    }

    /// Times `work`; prints the median and what the work costs at least.
    pub fn measure(&self, workload: &Workload, mut work: impl FnMut() -> Result<()>) -> Result<()> {
        let (batch, mut times) = match self.iterations {
            Some(count) => (1, (0..count).map(|_| milliseconds(1, &mut work)).collect::<Result<_>>()?),
            None => self.samples(&mut work)?,
        };
        times.sort_by(f64::total_cmp);
        let middle = times.len() / 2;
        let median = match times.len() {
            0 => return Ok(()),
            odd if odd % 2 == 1 => times[middle],
            _ => f64::midpoint(times[middle - 1], times[middle]),
        };
        let measured = [("median_ms", median), ("n", (times.len() * batch) as f64), ("min_ms", times[0])];
        self.report(workload.name, &[&measured[..], &workload.cost.fields()].concat());
        Ok(())
    }

    /// Milliseconds of each run while there is time. Short work is timed in batches, since reading the clock takes time
    /// itself; the first number is how many runs are one batch.
    fn samples(&self, work: &mut impl FnMut() -> Result<()>) -> Result<(usize, Vec<f64>)> {
        const WARM_UP: Duration = Duration::from_millis(300);
        const SAMPLE: Duration = Duration::from_micros(200);
        const FEWEST: usize = 5;
        let begin = Instant::now();
        let mut runs = 0u32;
        while runs < 3 || begin.elapsed() < WARM_UP.min(self.time) {
            work()?;
            runs += 1;
        }
        let once = begin.elapsed() / runs;
        let batch = (SAMPLE.as_nanos() / once.as_nanos().max(1)).max(1) as usize;
        let mut times = Vec::new();
        let begin = Instant::now();
        while begin.elapsed() < self.time || times.len() < FEWEST {
            times.push(milliseconds(batch, work)?);
        }
        Ok((batch, times))
    }
}

/// The time of a run, when it is done `batch` times in a row.
fn milliseconds(batch: usize, work: &mut impl FnMut() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    for _ in 0..batch {
        work()?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e3 / batch as f64)
}

/// Megabytes that the system counts for this process under `key`, such as `VmRSS:`; zero where it does not say.
pub fn memory(key: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
