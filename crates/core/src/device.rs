//! Where a tensor lives.

use std::fmt;

/// The place that holds a tensor's memory and runs its operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Device {
    /// Main memory and the processor's cores.
    #[default]
    Cpu,
    /// A stand-in accelerator with its own address space and queue, for tests on any machine.
    Mock(usize),
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::Mock(index) => write!(f, "mock:{index}"),
        }
    }
}
