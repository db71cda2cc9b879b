//! Where a tensor lives.

use crate::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// The place that holds a tensor's memory and runs its operations.
///
/// Parses from PyTorch's device strings, `cpu`, `cpu:0` and `meta`, and from `mock:0`.
///
/// ```
/// use firebrick_core::Device;
/// assert_eq!("cpu".parse::<Device>()?, Device::Cpu);
/// assert_eq!("cpu:x".parse::<Device>().unwrap_err().to_string(), "Invalid device string: 'cpu:x'");
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Device {
    /// Main memory and the processor's cores.
    #[default]
    Cpu,
    /// No place at all: tensors with a shape, a dtype and strides but without data, which take no memory. Operations on
    /// them follow the shapes and compute nothing; whatever asks for their elements is an error.
    ///
    /// ```
    /// use firebrick_core::{Device, Tensor};
    /// let x = Tensor::ones_with([1_000_000, 1_000_000], Device::Meta)?;
    /// assert_eq!(x.matmul(&x)?.sum_dim([0], false)?.to_string(), "tensor(..., device='meta', size=(1000000,))");
    /// assert_eq!(x.to(Device::Cpu).unwrap_err().to_string(), "Cannot copy out of meta tensor; no data!");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    Meta,
    /// A stand-in accelerator with its own address space and queue, for tests on any machine.
    Mock(usize),
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::Meta => f.write_str("meta"),
            Device::Mock(index) => write!(f, "mock:{index}"),
        }
    }
}

/// The device types of PyTorch 2.15, in the order in which its error lists them.
const TYPES: [&str; 20] = [
    "cpu",
    "cuda",
    "ipu",
    "xpu",
    "mkldnn",
    "opengl",
    "opencl",
    "ideep",
    "hip",
    "ve",
    "fpga",
    "maia",
    "xla",
    "lazy",
    "vulkan",
    "mps",
    "meta",
    "hpu",
    "mtia",
    "privateuseone",
];

impl FromStr for Device {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        const OP: &str = "device";
        if text.is_empty() {
            return Err(Error::runtime(OP, "Device string must not be empty"));
        }
        let (name, digits) = text.split_once(':').unwrap_or((text, "0"));
        let word = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
        let Some(index) = index_of(digits).filter(|_| word) else {
            return Err(Error::runtime(OP, format!("Invalid device string: '{text}'")));
        };
        match name {
            "cpu" => Ok(Device::Cpu),
            "meta" => Ok(Device::Meta),
            "mock" => Ok(Device::Mock(index)),
            known if TYPES.contains(&known) => {
                Err(Error::not_implemented(OP, format!("Firebrick has no device of type {known}")))
            }
            _ => {
                let types = TYPES.join(", ");
                let message = format!("Expected one of {types} device type at start of device string: {name}");
                Err(Error::runtime(OP, message))
            }
        }
    }
}

/// A device number: digits without a leading zero.
fn index_of(digits: &str) -> Option<usize> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if plain { digits.parse().ok() } else { None }
}
