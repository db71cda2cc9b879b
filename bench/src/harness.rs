//! Options, timing, and the JSON lines that `compare.py` reads.

use firebrick::{Error, Result, pool};
use std::time::{Duration, Instant};

/// What the command line asks for.
pub struct Options {
    pub peer: String,
    pub threads: usize,
    pub time: Duration,
    pub workloads: Vec<String>,
    /// Resident megabytes before any work.
    pub base_mb: f64,
}

const USAGE: &str = "usage: bench [--workloads a,b|all|list] [--threads N] [--secs S] [--peer NAME]";

impl Options {
    /// Reads the command line, and sets the number of threads.
    pub fn from_args() -> Result<Options> {
        let mut options = Options {
            peer: "firebrick".to_owned(),
            threads: 2,
            time: Duration::from_secs(2),
            workloads: vec!["all".to_owned()],
            base_mb: memory("VmRSS:"),
        };
        let wrong = |given: &str| Error::value("bench", USAGE).given(given);
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| wrong(&name))?;
            match name.as_str() {
                "--workloads" => options.workloads = value.split(',').map(str::to_owned).collect(),
                "--threads" => options.threads = value.parse().map_err(|_| wrong(&value))?,
                "--secs" => {
                    let seconds = value.parse().map_err(|_| wrong(&value))?;
                    options.time = Duration::try_from_secs_f64(seconds).map_err(|_| wrong(&value))?;
                }
                "--peer" => options.peer = value,
                _ => return Err(wrong(&name)),
            }
        }
        pool::set_num_threads(options.threads).map_err(|error| Error::value("bench", error.to_string()))?;
        Ok(options)
    }

    /// Prints a line of JSON: what was run, then `fields`, which are JSON already.
    fn print(&self, workload: &str, fields: &str) {
        println!(
            "{{\"peer\": {:?}, \"workload\": {workload:?}, \"threads\": {}, {fields}, \"peak_rss_mb\": {:.1}, \"base_rss_mb\": {:.1}}}",
            self.peer,
            self.threads,
            memory("VmHWM:"),
            self.base_mb
        );
    }

    /// Prints numbers that are no times.
    pub fn report(&self, workload: &str, numbers: &[(&str, f64)]) {
        let fields: Vec<String> = numbers.iter().map(|(name, number)| format!("{name:?}: {number:.3}")).collect();
        self.print(workload, &fields.join(", "));
    }

    /// Prints why a workload could not be run.
    pub fn failed(&self, workload: &str, error: &Error) {
        self.print(workload, &format!("\"error\": {:?}", error.to_string()));
    }

    /// Times `work` and prints the median. Short work is timed in batches, since reading the clock takes time itself.
    pub fn measure(&self, workload: &str, mut work: impl FnMut() -> Result<()>) -> Result<()> {
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
        let mut times: Vec<f64> = Vec::new();
        let begin = Instant::now();
        while begin.elapsed() < self.time || times.len() < FEWEST {
            let start = Instant::now();
            for _ in 0..batch {
                work()?;
            }
            times.push(start.elapsed().as_secs_f64() * 1e3 / batch as f64);
        }
        times.sort_by(f64::total_cmp);
        let middle = times.len() / 2;
        let median = if times.len() % 2 == 1 { times[middle] } else { (times[middle - 1] + times[middle]) / 2.0 };
        let count = times.len() * batch;
        self.print(workload, &format!("\"median_ms\": {median:.6}, \"n\": {count}, \"min_ms\": {:.6}", times[0]));
        Ok(())
    }
}

/// Megabytes that the system counts for this process under `key`, such as `VmRSS:`; zero where it does not say.
pub fn memory(key: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
