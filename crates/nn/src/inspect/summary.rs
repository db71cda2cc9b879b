//! A model as a table, and its shapes followed through one call.

use super::table;
use crate::args::Exactly;
use crate::traverse::{identity, walk};
use crate::{Args, Call, Forward, HookOptions, IntoArgs, Memo, Module, ModuleExt, ScopedHook};
use firebrick_core::autograd::ModeGuard;
use firebrick_core::{Error, Generator, Result, ShapesOnly, Tensor, multiply_adds};
use parking_lot::Mutex;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// One module of a [`Summary`]. Counts are of the module with everything below it, tied tensors once.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::inspect::summary;
/// let model = nn::Sequential::new().add(nn::Linear::new(3, 2)?).add(nn::ReLU::new());
/// let table = summary(&model, Tensor::ones([5, 3])?)?;
/// let row = table.row("0").expect("there is one");
/// assert_eq!((row.class.as_str(), row.parameters, row.multiply_adds), ("Linear", 8, 30)); // 5 * 3 * 2
/// assert_eq!(row.output, Some(vec![vec![5, 2]]));
/// assert_eq!(table.rows.len(), 3);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Dotted name; empty for the model.
    pub name: String,
    /// The name that the module prints under.
    pub class: String,
    /// Shapes of the tensors that went in at the first call; `None` when it was not called.
    pub input: Option<Vec<Vec<usize>>>,
    /// Shapes of the tensors that came out of the first call.
    pub output: Option<Vec<Vec<usize>>>,
    /// Numbers in parameters.
    pub parameters: u64,
    /// Those that are trained.
    pub trainable: u64,
    /// Numbers in buffers.
    pub buffers: u64,
    /// Multiply-adds of matrix products and convolutions, in all calls.
    pub multiply_adds: u64,
    /// Bytes of parameters and buffers.
    pub bytes: u64,
    /// Bytes of what came out of all calls.
    pub activation_bytes: u64,
}

/// A model as a table, made by [`summary`]; [`Row`] shows it. `Display` prints one line a module.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The model, then everything below it, parents first.
    pub rows: Vec<Row>,
}

impl Summary {
    /// The row of a dotted name. [`Row`] shows it.
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }
}

/// Calls the model once, and tabulates what its modules hold, return and compute.
///
/// The call follows shapes alone, as in [`check`]: it takes no memory and computes nothing, and the model stays as it is; of
/// a lazy one the table shows what it will hold. A model that looks at the values of its results is called with data: in
/// evaluation mode, without gradients, and initialized where it was lazy.
///
/// # Errors
/// Those of the call, with the shapes on the way: see [`check`].
///
/// ```
/// use firebrick::nn::inspect::summary;
/// use firebrick::prelude::*;
/// let model = nn::Sequential::new().add(nn::Linear::new(3, 8)?).add(nn::ReLU::new()).add(nn::Linear::new(8, 2)?);
/// let table = summary(&model, Tensor::zeros([4, 3])?)?;
/// assert_eq!(table.rows[0].parameters, 50);
/// assert_eq!(table.rows[0].multiply_adds, 4 * (3 * 8 + 8 * 2));
/// assert_eq!(table.row("0").and_then(|row| row.output.clone()), Some(vec![vec![4, 8]]));
/// assert!(table.to_string().lines().nth(2).is_some_and(|line| line.starts_with("  0: Linear")));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn summary<I: Args + Clone, O: Args, M: Forward<I, O> + ?Sized>(
    model: &M,
    input: impl IntoArgs<I>,
) -> Result<Summary> {
    let input = input.into_args();
    match follow(model, input.clone()) {
        Err(error) if error.lacks_data() => compute(model, input),
        other => other,
    }
}

/// Finds out whether the shapes of a model fit each other and this input, before it is trained.
///
/// The call follows shapes alone, in evaluation mode and without gradients: a copy of the model without data is called,
/// and tensors without data stand in for everything it is given ([`ShapesOnly`]). So it takes no memory, and computes and
/// draws nothing, however large the input is; nothing of the model changes, and a lazy one stays lazy. `input` may itself
/// be on [`Device::Meta`]. Tensors of whole numbers in it can be looked at in the call, as lengths are.
///
/// # Errors
/// That of the first module that fails; `{:#}` names it and prints the shapes that went in and out of every module on
/// the way. It is also an error to look at the values of a result, which there are none of.
///
/// [`Device::Meta`]: firebrick_core::Device::Meta
///
/// ```
/// use firebrick::nn::inspect::check;
/// use firebrick::prelude::*;
/// let model = nn::Sequential::new().add(nn::Linear::new(3, 8)?).add(nn::Linear::new(7, 2)?);
/// let error = check(&model, Tensor::zeros_with([1_000_000_000_000_i64, 3], Device::Meta)?).unwrap_err();
/// assert_eq!(error.module_path(), Some("1"));
/// assert!(format!("{error:#}").contains("0: Linear [1000000000000, 3] -> [1000000000000, 8]"));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn check<I: Args + Clone, O: Args, M: Forward<I, O> + ?Sized>(model: &M, input: impl IntoArgs<I>) -> Result<()> {
    let explained = |error: Error| match error.lacks_data() {
        true => error.remedy(
            "its `forward` looks at values, which a check of shapes does not have; `summary` calls it with data",
        ),
        false => error,
    };
    follow(model, input.into_args()).map(drop).map_err(explained)
}

/// Calls a copy of the model without data, on shapes alone.
fn follow<I: Args + Clone, O: Args, M: Forward<I, O> + ?Sized>(model: &M, mut input: I) -> Result<Summary> {
    let copy = model.clone_boxed(&mut Memo::of_forms())?;
    let mut formed = Ok(());
    input.visit_tensors_mut(&mut |tensor| match tensor.form() {
        Ok(form) if tensor.is_floating_point() || tensor.is_complex() => *tensor = form,
        Ok(_) => {}
        Err(error) => formed = Err(error),
    });
    formed?;
    copy.eval();
    Generator::new().scope(|| {
        let _shapes = ShapesOnly::begin();
        tabulate(&*copy, input)
    })
}

/// Calls the model itself.
fn compute<I: Args + Clone, O: Args, M: Forward<I, O> + ?Sized>(model: &M, input: I) -> Result<Summary> {
    let _mode = Evaluating::begin(model.as_dyn());
    tabulate(model, input)
}

fn tabulate<I: Args + Clone, O: Args, M: Forward<I, O> + ?Sized>(model: &M, input: I) -> Result<Summary> {
    let root = model.as_dyn();
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let hooks = watch(root, &seen);
    let result = {
        let _no_grad = ModeGuard::no_grad();
        model.call(Exactly(input))
    };
    drop(hooks);
    let seen = std::mem::take(&mut *seen.lock());
    result.map_err(|error| error.context(way(&seen)))?;
    let mut rows = Vec::new();
    walk("", root, &mut |name, module| {
        rows.push(row(name, module, &seen));
        true
    });
    Ok(Summary { rows })
}

/// One call of a module.
struct Seen {
    id: u64,
    name: String,
    class: String,
    input: Vec<Vec<usize>>,
    output: Option<Vec<Vec<usize>>>,
    output_bytes: u64,
    /// What the thread had computed when the call began, and then what the call did.
    multiply_adds: u64,
}

fn shapes(args: &dyn Args) -> Vec<Vec<usize>> {
    args.tensors().iter().map(|tensor| tensor.shape().to_vec()).collect()
}

fn bytes(tensor: &Tensor) -> u64 {
    (tensor.numel() as u64).saturating_mul(tensor.dtype().size() as u64)
}

/// Their sum, as far as it can be counted.
fn total(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0, u64::saturating_add)
}

fn numbers<'t>(tensors: impl Iterator<Item = &'t Tensor>) -> u64 {
    total(tensors.map(|tensor| tensor.numel() as u64))
}

/// Hooks that note every call of every module.
fn watch(root: &dyn Module, seen: &Arc<Mutex<Vec<Seen>>>) -> Vec<ScopedHook> {
    let (mut hooks, mut known) = (Vec::new(), HashSet::new());
    walk("", root, &mut |name, module| {
        if !known.insert(identity(module)) {
            return false;
        }
        let (id, name, before, after) = (identity(module), name.to_owned(), seen.clone(), seen.clone());
        let begins = module.register_forward_pre_hook_any(HookOptions::new(), move |module, input| {
            let (name, class) = (name.clone(), module.display_name());
            let (input, multiply_adds) = (shapes(input), multiply_adds());
            before.lock().push(Seen { id, name, class, input, output: None, output_bytes: 0, multiply_adds });
            Ok(())
        });
        let ends = module.register_forward_hook_any(HookOptions::new(), move |_, _, output| {
            let Some(output) = output else { return Ok(()) };
            let mut seen = after.lock();
            if let Some(call) = seen.iter_mut().rev().find(|call| call.id == id && call.output.is_none()) {
                call.output = Some(shapes(output));
                call.output_bytes = total(output.tensors().iter().map(bytes));
                call.multiply_adds = multiply_adds() - call.multiply_adds;
            }
            Ok(())
        });
        hooks.extend([begins.scoped(), ends.scoped()]);
        true
    });
    hooks
}

/// Evaluation mode until it is dropped.
struct Evaluating<'m>(Vec<(&'m dyn Module, bool)>);

impl<'m> Evaluating<'m> {
    fn begin(root: &'m dyn Module) -> Self {
        let mut modes = Vec::new();
        walk("", root, &mut |_, module| {
            modes.push((module, module.is_training()));
            true
        });
        modes.iter().for_each(|(module, _)| module.core().set_training(false));
        Evaluating(modes)
    }
}

impl Drop for Evaluating<'_> {
    fn drop(&mut self) {
        self.0.iter().for_each(|(module, training)| module.core().set_training(*training));
    }
}

fn row(name: &str, module: &dyn Module, seen: &[Seen]) -> Row {
    let calls = || seen.iter().filter(|call| call.id == identity(module) && call.output.is_some());
    let (parameters, buffers) = (module.parameters(), module.buffers());
    Row {
        name: name.to_owned(),
        class: module.display_name(),
        input: calls().next().map(|call| call.input.clone()),
        output: calls().next().and_then(|call| call.output.clone()),
        parameters: numbers(parameters.iter().map(|p| &**p)),
        trainable: numbers(parameters.iter().map(|p| &**p).filter(|p| p.requires_grad())),
        buffers: numbers(buffers.iter().map(|b| &**b)),
        multiply_adds: total(calls().map(|call| call.multiply_adds)),
        bytes: total(parameters.iter().map(|p| bytes(p)).chain(buffers.iter().map(|b| bytes(b)))),
        activation_bytes: total(calls().map(|call| call.output_bytes)),
    }
}

fn text(shapes: &[Vec<usize>]) -> String {
    shapes.iter().map(|shape| format!("{shape:?}")).collect::<Vec<_>>().join(", ")
}

/// The calls up to a failure, one a line, children after their parents.
fn way(seen: &[Seen]) -> String {
    let line = |call: &Seen| {
        let name = if call.name.is_empty() { "(model)" } else { &call.name };
        let output = call.output.as_ref().map_or_else(|| "?".to_owned(), |shapes| text(shapes));
        format!("\n    {name}: {} {} -> {output}", call.class, text(&call.input))
    };
    format!("the shapes on the way:{}", seen.iter().map(line).collect::<String>())
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["module", "output", "parameters", "trainable", "buffers", "multiply-adds", "bytes"];
        let mut lines = vec![head.map(str::to_owned).to_vec()];
        for row in &self.rows {
            let depth = if row.name.is_empty() { 0 } else { row.name.matches('.').count() + 1 };
            let name = row.name.rsplit('.').next().filter(|name| !name.is_empty());
            let title = name.map_or_else(|| row.class.clone(), |name| format!("{name}: {}", row.class));
            let output = row.output.as_ref().map_or_else(|| "not called".to_owned(), |shapes| text(shapes));
            let numbers = [row.parameters, row.trainable, row.buffers, row.multiply_adds, row.bytes];
            let mut line = vec![format!("{}{title}", "  ".repeat(depth)), output];
            line.extend(numbers.map(table::grouped));
            lines.push(line);
        }
        table::write(f, &lines)
    }
}
