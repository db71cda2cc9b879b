//! The devices that compute.

pub mod cpu;
