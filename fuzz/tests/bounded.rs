//! A short run, the same each time.
#![allow(clippy::unwrap_used)]

use fuzz::memory::Counting;
use fuzz::run::{End, Options, run};

#[global_allocator]
static MEMORY: Counting = Counting;

#[test]
fn changed_files_are_read_or_refused_within_bounds_of_memory_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { seed: 1, end: End::Executions(600), readers: Vec::new(), findings: folder.path().into() };
    let report = run(&options).unwrap();
    assert_eq!((report.executions, report.findings), (600, 0));
    assert!(report.accepted > 0, "changes that leave no file readable reach no reader's depths");
    let again = run(&Options { end: End::Executions(60), ..options.clone() }).unwrap();
    assert_eq!(again, run(&Options { end: End::Executions(60), ..options }).unwrap());
}
