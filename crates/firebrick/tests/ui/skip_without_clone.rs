// A skipped field is copied with the module, or starts anew.
use firebrick::prelude::*;
use std::sync::atomic::AtomicUsize;

#[derive(Module)]
struct Net {
    core: Core,
    #[module(skip)]
    calls: AtomicUsize,
}

fn main() {}
