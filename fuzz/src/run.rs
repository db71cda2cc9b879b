//! One changed file after another.

use crate::corpus::{Sample, samples};
use crate::memory::peak;
use crate::mutate::mutated;
use crate::random::Random;
use crate::readers::{READERS, Reader};
use firebrick_core::{Error, Result, empty_cache};
use std::collections::HashMap;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, process, thread};

/// The longest that reading one file may take, in the fastest of three tries.
pub const TIME: Duration = Duration::from_secs(5);
/// After this time a reader is taken to be in an endless loop.
const ENDLESS: Duration = Duration::from_secs(120);
/// Files that are kept of findings that look the same.
const KEPT: usize = 3;
/// The name of the file that is being read.
const CURRENT: &str = "current";

/// What to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// Decides everything.
    pub seed: u64,
    /// When to end.
    pub end: End,
    /// Names of readers; empty for all.
    pub readers: Vec<String>,
    /// Where files go that something was found with.
    pub findings: PathBuf,
}

/// When a run ends.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// After so many files.
    Executions(u64),
    /// After this time.
    After(Duration),
}

/// What came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files that were read.
    pub executions: u64,
    /// Those among them that no reader refused.
    pub accepted: u64,
    /// Those among them that something was found with.
    pub findings: u64,
}

/// Runs until the end.
///
/// # Errors
/// An unknown reader, or files that cannot be written.
pub fn run(options: &Options) -> Result<Report> {
    let readers = wanted(&options.readers)?;
    fs::create_dir_all(&options.findings)?;
    let folder = tempfile::tempdir_in(&options.findings)?;
    let samples = samples(folder.path())?;
    let current = folder.path().join(CURRENT);
    let left = left_over(&options.findings, folder.path())?;
    let mut run =
        Run { options, current, found: HashMap::new(), report: Report { findings: left, ..Report::default() } };
    let panics = Panics::watch();
    let watch = Watch::start(run.current.clone(), options.findings.join("endless"));
    let (begun, mut said) = (Instant::now(), Instant::now());
    loop {
        match options.end {
            End::Executions(count) if run.report.executions >= count => break,
            End::After(time) if begun.elapsed() >= time => break,
            _ => {}
        }
        let mut random = Random::new(options.seed.wrapping_mul(0x9e37_79b9).wrapping_add(run.report.executions));
        let Some(reader) = random.pick(&readers).copied() else { break };
        let of_kind: Vec<&Sample> = samples.iter().filter(|sample| sample.kind == reader.kind).collect();
        if let (Some(sample), Some(other)) = (random.pick(&of_kind), random.pick(&of_kind)) {
            let file = mutated(&mut random, sample, other);
            watch.begin();
            run.execute(reader, sample, &file, &panics)?;
        }
        run.report.executions += 1;
        if said.elapsed() > Duration::from_secs(60) {
            said = Instant::now();
            println!("{} s: {:?}", begun.elapsed().as_secs(), run.report);
        }
    }
    watch.end();
    Ok(run.report)
}

fn wanted(names: &[String]) -> Result<Vec<&'static Reader>> {
    if let Some(unknown) = names.iter().find(|&name| !READERS.iter().any(|reader| reader.name == name)) {
        let known: Vec<&str> = READERS.iter().map(|reader| reader.name).collect();
        return Err(Error::value("fuzz", format!("no reader is called {unknown:?}")).expected(known.join(", ")));
    }
    let wanted = |reader: &&Reader| names.is_empty() || names.iter().any(|name| name == reader.name);
    Ok(READERS.iter().filter(wanted).collect())
}

/// Keeps the files at which earlier runs ended the program, and counts them.
fn left_over(findings: &Path, own: &Path) -> Result<u64> {
    let mut count = 0;
    for folder in fs::read_dir(findings)? {
        let folder = folder?.path();
        if folder != own && folder.join(CURRENT).exists() {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            fs::rename(folder.join(CURRENT), findings.join(format!("ended-{}", name.trim_start_matches('.'))))?;
            fs::remove_dir_all(&folder)?;
            println!("an earlier run was ended at a file that is kept as ended-{}", name.trim_start_matches('.'));
            count += 1;
        }
    }
    Ok(count)
}

struct Run<'o> {
    options: &'o Options,
    current: PathBuf,
    /// How often each finding came.
    found: HashMap<String, usize>,
    report: Report,
}

impl Run<'_> {
    fn execute(&mut self, reader: &Reader, sample: &Sample, file: &[u8], panics: &Panics) -> Result<()> {
        fs::write(&self.current, file)?;
        // Memory that is kept for later use would hide what is taken.
        empty_cache();
        let ((read, bytes), time) = self.timed(|path| peak(|| catch(|| (reader.read)(path))));
        let (checked, _) = self.timed(|path| catch(|| (reader.check)(path)));
        let (limit, size) = (reader.memory(file.len()), file.len());
        let slow = |first| first > TIME && (0..2).all(|_| self.timed(|path| catch(|| (reader.read)(path))).1 > TIME);
        let problem = match read {
            None => Some(format!("panic at {}", panics.last())),
            _ if checked.is_none() => Some(format!("panic at {}", panics.last())),
            _ if bytes > limit => Some(format!("memory: {bytes} bytes for a file of {size}, which may take {limit}")),
            _ if slow(time) => Some(format!("time: {time:?} for a file of {size} bytes")),
            Some(read) => {
                self.report.accepted += u64::from(read.is_ok());
                None
            }
        };
        problem.map_or(Ok(()), |problem| self.keep(reader, sample, &problem))
    }

    fn timed<R>(&self, f: impl FnOnce(&Path) -> R) -> (R, Duration) {
        let begun = crate::clock::now();
        let result = f(&self.current);
        (result, crate::clock::now().saturating_sub(begun))
    }

    /// Writes down what was found, and the file unless there are enough like it.
    fn keep(&mut self, reader: &Reader, sample: &Sample, problem: &str) -> Result<()> {
        self.report.findings += 1;
        // Panics at one place are alike, and so are all files that take too much memory, or too much time.
        let key = match problem.starts_with("panic") {
            true => problem.split(' ').take(3).collect::<Vec<_>>().join(" "),
            false => problem.split(':').take(1).collect(),
        };
        let times = self.found.entry(format!("{} {key}", reader.name)).or_default();
        *times += 1;
        if *times <= KEPT {
            let name = format!("{}-{}-{}", reader.name, self.options.seed, self.report.executions);
            fs::copy(&self.current, self.options.findings.join(&name))?;
            println!("{name} (from {}): {problem}", sample.name);
        }
        Ok(())
    }
}

/// What `f` returns, unless it panics.
fn catch<R>(f: impl FnOnce() -> R) -> Option<R> {
    panic::catch_unwind(AssertUnwindSafe(f)).ok()
}

/// Notes where panics happen rather than printing it.
struct Panics(Arc<Mutex<String>>);

impl Panics {
    fn watch() -> Self {
        let last = Arc::new(Mutex::new(String::new()));
        let noted = last.clone();
        panic::set_hook(Box::new(move |facts| {
            let place = facts.location().map_or_else(String::new, |place| format!("{}:{}", place.file(), place.line()));
            let text = facts.payload_as_str().unwrap_or_default();
            *noted.lock().unwrap_or_else(PoisonError::into_inner) = format!("{place} {text}");
        }));
        Panics(last)
    }

    fn last(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        drop(panic::take_hook());
    }
}

/// Ends the program when a file takes forever.
struct Watch(Arc<Mutex<Option<Instant>>>);

impl Watch {
    fn start(current: PathBuf, keep: PathBuf) -> Self {
        let begun = Arc::new(Mutex::new(Some(Instant::now())));
        let seen = begun.clone();
        thread::spawn(move || {
            loop {
                let begun = *seen.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(begun) = begun else { break };
                if begun.elapsed() > ENDLESS {
                    let kept = fs::copy(&current, &keep);
                    println!("a file was read for {ENDLESS:?} and not finished; it is {} ({kept:?})", keep.display());
                    process::exit(1);
                }
                thread::sleep(Duration::from_secs(1));
            }
        });
        Watch(begun)
    }

    fn set(&self, begun: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = begun;
    }

    fn begin(&self) {
        self.set(Some(Instant::now()));
    }

    fn end(&self) {
        self.set(None);
    }
}
