//! Damaged files for every reader, on the stable compiler.
//!
//! `cargo run -p fuzz -- --minutes 60` takes files of every kind apart, changes them at random and reads what comes out. A reader
//! may refuse a file; it may not panic, end the program, take more memory than its part of [`readers`] states, or more time
//! than [`TIME`](run::TIME). Equal seeds give equal runs.
//!
//! | file | what it holds |
//! |---|---|
//! | [`random`] | the numbers that decide |
//! | [`corpus`] | the files that are changed |
//! | [`bytes`], [`text`], [`pickle`], [`archive`] | changes of bytes, of JSON and the like, of pickles, of what is in archives |
//! | [`mutate`] | which of these a file gets |
//! | [`readers`] | what is called, and how much memory it may take |
//! | [`memory`] | counts memory |
//! | [`run`](mod@run) | one file after another, and what was found |

pub mod archive;
pub mod bytes;
pub mod clock;
pub mod corpus;
pub mod memory;
pub mod mutate;
pub mod pickle;
pub mod random;
pub mod readers;
pub mod run;
pub mod text;
