//! The `golden` program.

fn main() {}
