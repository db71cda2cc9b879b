//! What a run leaves behind: the best state, the loss curve, the accuracy and the confusion table.

use crate::confusion::Confusion;
use crate::svg::{Line, loss_curve};
use firebrick::prelude::*;
use std::path::{Path, PathBuf};

/// Loss and answers over a part of the digits.
#[derive(Default)]
pub struct Epoch {
    loss_sum: f64,
    actual: Vec<i64>,
    predicted: Vec<i64>,
}

impl Epoch {
    /// Adds a batch with its mean loss.
    pub fn add(&mut self, loss: f64, actual: &[i64], predicted: &[i64]) {
        self.loss_sum += loss * actual.len() as f64;
        self.actual.extend(actual);
        self.predicted.extend(predicted);
    }

    /// Mean loss.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.actual.len() as f64
    }

    /// Share of right answers.
    pub fn accuracy(&self) -> f64 {
        let right = self.actual.iter().zip(&self.predicted).filter(|(a, p)| a == p).count();
        right as f64 / self.actual.len() as f64
    }

    /// What the line of an epoch says of the validation part.
    pub fn line(&self, kept: bool) -> String {
        let mark = if kept { "  kept" } else { "" };
        format!("validation loss {:.4}, accuracy {:.2} %{mark}", self.loss(), 100.0 * self.accuracy())
    }
}

/// Collects a run and writes its files.
pub struct Report {
    out: PathBuf,
    train_losses: Vec<f64>,
    validation_losses: Vec<f64>,
    /// Accuracy, negative loss and state of the best epoch.
    best: Option<(f64, f64, StateDict)>,
}

impl Report {
    /// A report that writes into the folder `out`.
    pub fn new(out: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(out).map_err(|error| format!("cannot make the folder {}: {error}", out.display()))?;
        Ok(Report { out: out.to_owned(), train_losses: Vec::new(), validation_losses: Vec::new(), best: None })
    }

    /// Notes an epoch; keeps the model's state if it is the best so far, and says whether it is.
    pub fn epoch(&mut self, train_loss: f64, validation: &Epoch, model: &impl Module) -> Result<bool> {
        self.train_losses.push(train_loss);
        self.validation_losses.push(validation.loss());
        let score = (validation.accuracy(), -validation.loss());
        let better = self.best.as_ref().is_none_or(|(accuracy, loss, _)| score > (*accuracy, *loss));
        if better {
            let state = model.state_dict();
            let copies: Result<Vec<(String, Tensor)>> =
                state.iter().map(|(name, tensor)| Ok((name.to_owned(), tensor.copy()?))).collect();
            self.best = Some((score.0, score.1, copies?.into_iter().collect()));
        }
        Ok(better)
    }

    /// The state of the best epoch.
    pub fn best_state(&self) -> Result<StateDict, String> {
        self.best.as_ref().map(|(_, _, state)| state.clone()).ok_or_else(|| "no epoch was trained".to_owned())
    }

    /// Writes the model; returns where.
    pub fn save_model(&self, state: &StateDict) -> Result<PathBuf> {
        let path = self.out.join("digits.safetensors");
        firebrick::io::save_safetensors(&path, state)?;
        Ok(path)
    }

    /// Prints the result on the held-back part and writes the loss curve.
    ///
    /// # Errors
    /// The saved model, loaded again, answers otherwise; a file cannot be written.
    pub fn finish(&self, chosen: &Epoch, reloaded: &Epoch) -> Result<(), String> {
        let curve = self.out.join("loss.svg");
        let lines = [
            Line { label: "training", color: "#1f77b4", values: &self.train_losses },
            Line { label: "validation", color: "#d62728", values: &self.validation_losses },
        ];
        std::fs::write(&curve, loss_curve("Loss by epoch", &lines)).map_err(|e| format!("{}: {e}", curve.display()))?;
        let mut table = Confusion::new(10);
        table.add(&chosen.actual, &chosen.predicted)?;
        println!("\n{table}");
        println!("held-back accuracy {:.2} %", 100.0 * table.accuracy());
        if chosen.predicted != reloaded.predicted {
            return Err("the saved model, loaded again, answers otherwise".into());
        }
        println!("the saved model, loaded again: {:.2} %", 100.0 * reloaded.accuracy());
        println!("wrote {} and {}", self.out.join("digits.safetensors").display(), curve.display());
        Ok(())
    }
}
