//! Inputs that break careless code, and a runner that survives the breakage and names it.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used)]

use firebrick_core::{DType, Device, Parameter, Tensor};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Collects what failed; a case that hangs ends the process with its name.
pub struct Failures {
    what: String,
    cases: usize,
    found: Vec<String>,
    current: Arc<Mutex<String>>,
    ticks: Arc<AtomicU64>,
}

impl Failures {
    pub fn new(what: &str) -> Self {
        let failures = Failures {
            what: what.to_owned(),
            cases: 0,
            found: Vec::new(),
            current: Arc::default(),
            ticks: Arc::default(),
        };
        // The watch: a case that takes longer than this hangs.
        let (current, ticks) = (failures.current.clone(), Arc::downgrade(&failures.ticks));
        std::thread::spawn(move || {
            let mut before = u64::MAX;
            while let Some(ticks) = ticks.upgrade() {
                let now = ticks.load(SeqCst);
                if now == before {
                    eprintln!("hangs: {}", current.lock().unwrap());
                    std::process::abort();
                }
                before = now;
                drop(ticks);
                std::thread::sleep(Duration::from_secs(60));
            }
        });
        failures
    }

    /// Runs one case, which returns what is wrong.
    pub fn run(&mut self, name: &str, case: impl FnOnce() -> Option<String>) {
        self.cases += 1;
        self.ticks.fetch_add(1, SeqCst);
        name.clone_into(&mut self.current.lock().unwrap());
        // For a case that ends the process.
        if std::env::var_os("TRACE").is_some() {
            eprintln!("{name}");
        }
        match catch_unwind(AssertUnwindSafe(case)) {
            Ok(None) => {}
            Ok(Some(wrong)) => self.found.push(format!("{name}: {wrong}")),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("?");
                self.found.push(format!("{name}: PANIC {text}"));
            }
        }
    }

    /// Fails the test where a case did.
    pub fn report(self) {
        println!("{}: {} cases", self.what, self.cases);
        assert!(self.cases > 0, "nothing was checked");
        let shown = self.found.iter().take(200).cloned().collect::<Vec<_>>().join("\n");
        assert!(self.found.is_empty(), "{} of {} cases failed\n{shown}", self.found.len(), self.cases);
    }
}

/// Shape, strides and dtype of inputs, for messages.
pub fn described(given: &[Tensor]) -> String {
    let one = |x: &Tensor| format!("{:?}/{:?} {}", x.shape(), x.stride(), x.dtype());
    given.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A lazy layer's parameter before the first call.
pub fn uninitialized() -> Tensor {
    (*Parameter::uninitialized(DType::F64, Device::Cpu).unwrap()).clone()
}

/// A copy on a mock device.
pub fn on_mock(x: &Tensor, index: usize) -> Tensor {
    x.detach().to(Device::Mock(index)).unwrap()
}

fn trained(x: Tensor) -> Tensor {
    let x = x.detach();
    x.requires_grad_(true).unwrap();
    x
}

/// Tensors of double precision of many shapes, layouts and contents.
pub fn inputs() -> Vec<Tensor> {
    let f64s = |shape: &[usize], value: f64| Tensor::full_with(shape, value, DType::F64).unwrap();
    let huge = 1usize << 40;
    let shapes: [&[usize]; 12] = [
        &[],
        &[0],
        &[1],
        &[5],
        &[0, 0],
        &[1, 0],
        &[2, 3],
        &[1, 1],
        &[2, 0, 3],
        &[2, 3, 4],
        &[1, 2, 3, 4],
        &[1, 2, 1, 2, 1, 2, 1, 2],
    ];
    let mut all: Vec<Tensor> = shapes.iter().map(|shape| trained(f64s(shape, 0.5))).collect();
    // Sizes whose product does not fit, beside a size of 0.
    for shape in [&[0, huge, huge][..], &[huge, huge, 0], &[huge, 0], &[0, huge], &[huge, 0, huge], &[0, i64::MAX as usize]] {
        all.push(f64s(shape, 0.0));
    }
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MAX, f64::MIN_POSITIVE, 1e300, -1e300] {
        all.push(trained(f64s(&[2, 3], value)));
        all.push(f64s(&[], value));
    }
    let base = Tensor::arange(24).unwrap().to(DType::F64).unwrap();
    all.push(base.reshape([2, 3, 4]).unwrap().permute([2, 0, 1]).unwrap());
    all.push(base.reshape([4, 6]).unwrap().slice(1, 1, None, 2).unwrap());
    // Elements that share their places, wholly and in part.
    all.push(f64s(&[1], 1.0).expand([2, 3]).unwrap());
    all.push(f64s(&[2, 1], 1.0).expand([2, 3]).unwrap());
    all.push(base.as_strided([2, 3], [1, 1], 3).unwrap());
    all.push(base.as_strided([0, 3], [7, 7], i64::MAX).unwrap());
    all
}
