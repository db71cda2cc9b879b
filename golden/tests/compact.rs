//! The small set of cases in the repository: every one that is built gives PyTorch's results.
#![allow(clippy::unwrap_used)]

use golden::area::{Selection, run};
use std::path::Path;

#[test]
fn cases_of_the_repository_give_the_results_of_pytorch() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let report = run(&[folder], &Selection::default(), &mut |_| {}).unwrap();
    let failures: Vec<String> = report.failures().collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(report.counts().passed > 1000, "only {} cases were run", report.counts().passed);
}
