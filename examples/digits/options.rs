//! The options of the command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

const HELP: &str = "\
Trains a network on handwritten digits and reports how well it reads them.

Usage: digits [options]

  --seed N         start of the random numbers [0]
  --epochs N       passes over the training images [20]
  --batch-size N   images of one step [32]
  --lr X           learning rate [0.001]
  --threads N      threads to compute with [all cores]
  --out FOLDER     where the loss curve and the model are written [out]
  --help           this text
";

const FLAGS: [&str; 6] = ["--seed", "--epochs", "--batch-size", "--lr", "--threads", "--out"];

/// What the user chose.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Start of the random numbers.
    pub seed: u64,
    /// Passes over the training images.
    pub epochs: usize,
    /// Images of one step.
    pub batch_size: usize,
    /// Learning rate.
    pub lr: f64,
    /// Threads to compute with; `None` for all cores.
    pub threads: Option<usize>,
    /// Where results are written.
    pub out: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Options { seed: 0, epochs: 20, batch_size: 32, lr: 0.001, threads: None, out: PathBuf::from("out") }
    }
}

impl Options {
    /// Reads the program's arguments. For `--help` and for a mistake it prints what helps and ends the
    /// program.
    pub fn from_command_line() -> Options {
        match Self::parse(std::env::args_os().skip(1)) {
            Ok(Some(options)) => options,
            Ok(None) => {
                print!("{HELP}");
                std::process::exit(0)
            }
            Err(mistake) => {
                eprintln!("digits: {mistake}\nTry --help.");
                std::process::exit(2)
            }
        }
    }

    /// Reads arguments; `None` stands for `--help`.
    fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Options>, String> {
        let mut options = Options::default();
        let mut given = Vec::new();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let argument = text(argument)?;
            if argument == "--help" || argument == "-h" {
                return Ok(None);
            }
            let (flag, joined) = match argument.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_string())),
                None => (argument.as_str(), None),
            };
            if !FLAGS.contains(&flag) {
                let flags = FLAGS.join(", ");
                return Err(format!("unknown option {flag:?}; there are {flags}"));
            }
            if given.iter().any(|earlier| earlier == flag) {
                return Err(format!("{flag} is given twice"));
            }
            let value = match joined {
                Some(value) => Some(value),
                None => arguments.next().map(text).transpose()?,
            };
            let value = value.ok_or_else(|| format!("{flag} needs a value"))?;
            options.set(flag, &value)?;
            given.push(flag.to_string());
        }
        Ok(Some(options))
    }

    fn set(&mut self, flag: &str, value: &str) -> Result<(), String> {
        match flag {
            "--seed" => self.seed = number(flag, value, "a whole number from 0 on", |_| true)?,
            "--epochs" => self.epochs = count(flag, value)?,
            "--batch-size" => self.batch_size = count(flag, value)?,
            "--lr" => {
                let usable = |lr: &f64| lr.is_finite() && *lr > 0.0;
                self.lr = number(flag, value, "a number above 0", usable)?;
            }
            "--threads" => self.threads = Some(count(flag, value)?),
            _ if value.is_empty() => return Err(format!("{flag} needs the name of a folder")),
            _ => self.out = PathBuf::from(value),
        }
        Ok(())
    }
}

fn text(argument: OsString) -> Result<String, String> {
    let unreadable = |argument| format!("{argument:?} is not valid UTF-8");
    argument.into_string().map_err(unreadable)
}

fn count(flag: &str, value: &str) -> Result<usize, String> {
    number(flag, value, "a whole number from 1 on", |n| *n > 0)
}

fn number<T: FromStr>(flag: &str, value: &str, expected: &str, allowed: impl Fn(&T) -> bool) -> Result<T, String> {
    let number = value.parse().ok().filter(allowed);
    number.ok_or_else(|| format!("{flag} needs {expected}, not {value:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Options>, String> {
        Options::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn every_flag_is_read_in_both_forms() -> Result<(), String> {
        let spaced = "--seed 7 --epochs 2 --batch-size 16 --lr 5e-1 --threads 3 --out a=b";
        let joined = spaced.replace(" ", "=").replace("=--", " --");
        for line in [spaced, &joined] {
            let options = parse(line)?.ok_or("no options")?;
            assert_eq!((options.seed, options.epochs, options.batch_size), (7, 2, 16));
            assert_eq!((options.lr, options.threads), (0.5, Some(3)));
            assert_eq!(options.out, PathBuf::from("a=b"));
        }
        assert_eq!(parse(""), Ok(Some(Options::default())));
        assert_eq!(parse("--seed 7 --help"), Ok(None));
        Ok(())
    }

    #[test]
    fn mistakes_are_named() {
        for (line, expected) in [
            ("--epoch 3", "unknown option \"--epoch\"; there are --seed,"),
            ("--seed", "--seed needs a value"),
            ("--seed -1", "--seed needs a whole number from 0 on, not \"-1\""),
            ("--epochs 0", "--epochs needs a whole number from 1 on"),
            ("--batch-size 1.5", "--batch-size needs a whole number"),
            ("--lr 0", "--lr needs a number above 0, not \"0\""),
            ("--lr nan", "--lr needs a number above 0, not \"nan\""),
            ("--threads many", "--threads needs a whole number from 1 on"),
            ("--out=", "--out needs the name of a folder"),
            ("--lr 1 --lr=2", "--lr is given twice"),
        ] {
            let mistake = parse(line).expect_err(line);
            assert!(mistake.starts_with(expected), "{line}: {mistake}");
        }
    }

    #[test]
    fn the_help_names_every_flag() {
        assert!(FLAGS.iter().all(|flag| HELP.contains(flag)));
    }
}
