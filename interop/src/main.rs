//! Firebrick's half of `check.py`: writes files of every kind, reads and writes those of PyTorch, goes on with trainings.
//!
//! | command | what it does |
//! |---|---|
//! | `write FOLDER` | writes one file of every kind |
//! | `rewrite FROM TO` | reads a file and writes what it holds, in the format that the names end in |
//! | `float8 FROM TO` | writes numbers in eight bits, and those of eight bits in more |
//! | `part FROM PREFIX TO` | writes the tensors whose names begin with the prefix, without it |
//! | `forward WEIGHTS INPUT OUTPUT` | the output of the network in [`net`] |
//! | `train OPTIMIZER FROM STEPS TO` | goes on with a training, and prints the losses |

mod made;
mod net;
mod rewrite;
mod train;
mod write;

use firebrick::{Error, Result};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    match *arguments {
        ["write", folder] => write::all(Path::new(folder)),
        ["rewrite", from, to] => rewrite::file(Path::new(from), Path::new(to)),
        ["float8", from, to] => made::float8(Path::new(from), Path::new(to)),
        ["part", from, prefix, to] => made::part(from, prefix, to),
        ["forward", weights, input, output] => net::forward(weights, input, output),
        ["train", optimizer, from, epochs, to] => train::go_on(optimizer, from, epochs, to),
        _ => Err(Error::value("interop", "there is no such command").given(arguments.join(" "))),
    }
}
