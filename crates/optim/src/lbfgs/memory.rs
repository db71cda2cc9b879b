//! What L-BFGS remembers from step to step.

use super::number::Number;
use crate::State;
use firebrick_core::{Error, Result, Tensor, Value};

/// The last directions and how the gradient changed along them.
#[derive(Default)]
pub(super) struct Memory {
    pub func_evals: i64,
    pub n_iter: i64,
    /// Factors of the last use of the history, oldest first; `None`: there was none.
    al: Option<Vec<Number>>,
    pub direction: Option<Tensor>,
    pub step: Option<Number>,
    /// Changes of the gradient, oldest first.
    changes: Vec<Tensor>,
    /// Steps, oldest first.
    steps: Vec<Tensor>,
    /// One over the products of change and step.
    ro: Vec<Number>,
    /// The scale of the inverse Hessian to begin with; `None`: 1.
    scale: Option<Number>,
    pub gradient: Option<Tensor>,
    pub loss: Option<f64>,
}

fn tensors(value: Option<&Value>) -> Vec<Tensor> {
    value.and_then(Value::as_slice).into_iter().flatten().filter_map(|v| v.as_tensor().cloned()).collect()
}

fn numbers(value: Option<&Value>) -> Vec<Number> {
    value.and_then(Value::as_slice).into_iter().flatten().filter_map(Number::from_value).collect()
}

impl Memory {
    /// As a state holds it.
    pub fn read(state: &State) -> Memory {
        let count = |name: &str| state.get(name).and_then(Value::as_i64).unwrap_or(0);
        Memory {
            func_evals: count("func_evals"),
            n_iter: count("n_iter"),
            al: state.contains_key("al").then(|| numbers(state.get("al"))),
            direction: state.get("d").and_then(|d| d.as_tensor().cloned()),
            step: state.get("t").and_then(Number::from_value),
            changes: tensors(state.get("old_dirs")),
            steps: tensors(state.get("old_stps")),
            ro: numbers(state.get("ro")),
            scale: state.get("H_diag").filter(|h| h.as_tensor().is_some()).and_then(Number::from_value),
            gradient: state.get("prev_flat_grad").and_then(|g| g.as_tensor().cloned()),
            loss: state.get("prev_loss").and_then(Value::as_f64),
        }
    }

    /// Writes the counts.
    pub fn write_counts(&self, state: &mut State) {
        state.insert("func_evals".to_owned(), self.func_evals.into());
        state.insert("n_iter".to_owned(), self.n_iter.into());
    }

    /// Writes everything, by PyTorch's names in PyTorch's order. `history_size` is the length of its list `al`.
    pub fn write(self, state: &mut State, history_size: usize) -> Result<()> {
        self.write_counts(state);
        let (Some(direction), Some(step)) = (self.direction, self.step) else { return Ok(()) };
        let list =
            |numbers: Vec<Number>| numbers.into_iter().map(|n| n.into_value(&direction)).collect::<Result<Vec<_>>>();
        let mut set = |name: &str, value: Value| drop(state.insert(name.to_owned(), value));
        if let Some(al) = self.al {
            let mut al = list(al)?;
            al.resize(history_size, Value::None);
            set("al", Value::List(al));
        }
        set("d", direction.clone().into());
        set("t", step.into_value(&direction)?);
        set("old_dirs", Value::List(self.changes.into_iter().map(Value::from).collect()));
        set("old_stps", Value::List(self.steps.into_iter().map(Value::from).collect()));
        set("ro", Value::List(list(self.ro)?));
        set("H_diag", self.scale.map_or(Ok(1.into()), |scale| scale.into_value(&direction))?);
        set("prev_flat_grad", self.gradient.map_or(Value::None, Value::from));
        set("prev_loss", self.loss.map_or(Value::None, Value::from));
        Ok(())
    }

    /// Takes up the last step, over which the gradient became `gradient`.
    fn learn(&mut self, gradient: &Tensor, history_size: usize) -> Result<()> {
        let (Some(before), Some(direction), Some(step)) = (&self.gradient, &self.direction, self.step) else {
            return Ok(());
        };
        let (change, step) = (gradient.sub(before)?, direction.mul(step.value)?);
        let product = Number::of(&change.dot(&step)?)?;
        if product > Number::from(1e-10) {
            if self.changes.len() == history_size {
                if history_size == 0 {
                    return Err(Error::index("step", "pop from empty list").remedy("take a history_size above 0"));
                }
                self.changes.remove(0);
                self.steps.remove(0);
                self.ro.remove(0);
            }
            self.scale = Some(product / Number::of(&change.dot(&change)?)?);
            self.changes.push(change);
            self.steps.push(step);
            self.ro.push(Number::from(1.0) / product);
        }
        Ok(())
    }

    /// The direction to go from here: minus the gradient times the inverse Hessian that the history suggests.
    pub fn turn(&mut self, gradient: &Tensor, history_size: usize) -> Result<Tensor> {
        if self.n_iter == 1 {
            (self.changes, self.steps, self.ro, self.scale) = (vec![], vec![], vec![], None);
            return gradient.neg();
        }
        self.learn(gradient, history_size)?;
        // Two loops over the history: Nocedal and Wright, algorithm 7.4.
        let q = gradient.neg()?;
        let mut al = vec![Number::from(0.0); self.changes.len()];
        for i in (0..self.changes.len()).rev() {
            al[i] = Number::of(&self.steps[i].dot(&q)?)? * self.ro[i];
            q.add_alpha_(&self.changes[i], -al[i].value)?;
        }
        let r = q.mul(self.scale.map_or(1.0, |scale| scale.value))?;
        for (((change, step), &ro), &al) in self.changes.iter().zip(&self.steps).zip(&self.ro).zip(&al) {
            let be = Number::of(&change.dot(&r)?)? * ro;
            r.add_alpha_(step, (al - be).value)?;
        }
        // The list keeps what a longer history left in it.
        let old = self.al.take().unwrap_or_default();
        al.extend(old.into_iter().skip(al.len()));
        self.al = Some(al);
        Ok(r)
    }
}
