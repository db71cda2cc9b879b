//! L-BFGS.
//!
//! | file | what it holds |
//! |---|---|
//! | `problem` | parameters, loss and gradient as one vector |
//! | `memory` | the history, and the direction that it suggests |
//! | `line_search` | how far to go in that direction |
//! | `number` | numbers rounded as PyTorch's |

mod line_search;
mod memory;
mod number;
mod problem;

use crate::builder::{not_negative, options};
use crate::optimizer::optimizer;
use crate::{Builder, Closure, FromOptions, IntoParamGroups, OptimizerCore, ParamGroup};
use firebrick_core::{Error, Result, Scalar, Tensor, Value, autograd};
use line_search::{Line, Point};
use memory::Memory;
use number::Number;
use problem::Problem;

const OP: &str = "LBFGS";

/// The longest history.
const LONGEST: i64 = 1 << 20;

/// L-BFGS: Newton's method with an inverse Hessian guessed from the last steps.
///
/// A step calls the closure up to `max_eval` times, so [`step_with`](crate::Optimizer::step_with) is the only way to
/// step; it returns the first loss. There is one group of parameters only. With
/// [`line_search_fn("strong_wolfe")`](Builder::line_search_fn) steps are as long as the strong Wolfe conditions ask,
/// without it `lr` times the direction.
///
/// Nocedal and Wright, *Numerical Optimization*, 2nd edition, chapter 7.2. Compared with PyTorch 2.15, from which it
/// differs in this: a closure that fails during a line search leaves the parameters where the search began.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([3.0f32, -4.0])?);
/// let mut optimizer = optim::LBFGS::new([&p], 1).line_search_fn("strong_wolfe").build()?;
/// let first = optimizer.step_with(&mut || {
///     p.set_grad(None)?;
///     let loss = (&*p - 1.0)?.pow(2)?.sum()?;
///     loss.backward()?;
///     Ok(loss)
/// })?;
/// assert_eq!(first.item::<f32>()?, 29.0);
/// assert_eq!(p.to_vec::<f32>()?, [1.0000005, 0.9999995]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct LBFGS {
    core: OptimizerCore,
}

impl LBFGS {
    /// PyTorch's learning rate unless told otherwise.
    pub const LR: i64 = 1;

    /// Options for `params`, at PyTorch's defaults, with the learning rate `lr`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([3.0f32, -4.0])?);
    /// let mut optimizer = optim::LBFGS::new([&p], 1)
    ///     .max_iter(2)
    ///     .max_eval(3)
    ///     .tolerance_grad(1e-5)
    ///     .tolerance_change(1e-7)
    ///     .history_size(5)
    ///     .maximize(true)
    ///     .build()?;
    /// let mut calls = 0;
    /// optimizer.step_with(&mut || {
    ///     calls += 1;
    ///     p.set_grad(None)?;
    ///     let gain = (&*p - 1.0)?.pow(2)?.sum()?.neg()?;
    ///     gain.backward()?;
    ///     Ok(gain)
    /// })?;
    /// assert_eq!((p.to_vec::<f32>()?, calls), (vec![1.0000005, 0.9999995], 2));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Value>) -> Builder<LBFGS> {
        Builder::new(
            params,
            [
                ("lr", lr.into()),
                ("max_iter", 20.into()),
                ("max_eval", Value::None),
                ("tolerance_grad", 1e-7.into()),
                ("tolerance_change", 1e-9.into()),
                ("history_size", 100.into()),
                ("line_search_fn", Value::None),
                ("maximize", false.into()),
            ],
        )
    }
}

options! { LBFGS => {
    /// Most iterations of a step; 20 unless set.
    max_iter: i64;
    /// Most calls of the closure in a step; five for four iterations unless set.
    max_eval: i64;
    /// The largest element of a gradient at which a step ends; 1e-7 unless set.
    tolerance_grad: Scalar;
    /// The change of the loss, or of the parameters, at which a step ends; 1e-9 unless set.
    tolerance_change: Scalar;
    /// Steps that are remembered; 100 unless set.
    history_size: i64;
    /// Climbs instead of descending; off unless set.
    maximize: bool;
} }

impl Builder<LBFGS> {
    /// The line search: "strong_wolfe"; none unless set.
    pub fn line_search_fn(self, name: impl AsRef<str>) -> Self {
        self.set("line_search_fn", name.as_ref())
    }
}

impl FromOptions for LBFGS {
    fn check(options: &ParamGroup) -> Result<()> {
        not_negative(options, "lr", "learning rate")
    }

    fn from_core(mut core: OptimizerCore) -> Result<Self> {
        let [group] = &mut core.groups[..] else {
            return Err(Error::value(OP, "LBFGS doesn't support per-parameter options (parameter groups)"));
        };
        let max_eval = (group.number("max_iter")? as i64).saturating_mul(5).div_euclid(4);
        for options in [&mut group.options, &mut core.defaults] {
            let given = options.entry("max_eval".to_owned()).or_default();
            if matches!(given, Value::None) {
                *given = max_eval.into();
            }
        }
        Ok(LBFGS { core })
    }
}

fn without_closure(_: &mut OptimizerCore) -> Result<()> {
    Err(Error::type_(OP, "LBFGS.step() missing 1 required positional argument: 'closure'").remedy("call step_with"))
}

optimizer!(LBFGS, without_closure, update);

/// The numbers of the group.
struct Numbers {
    lr: Number,
    max_iter: i64,
    max_eval: i64,
    tolerance_grad: f64,
    tolerance_change: f64,
    history_size: usize,
    strong_wolfe: bool,
}

fn read(group: &ParamGroup) -> Result<Numbers> {
    let history_size = group.number("history_size")? as i64;
    if history_size > LONGEST {
        return Err(Error::value(OP, format!("history_size should be at most {LONGEST} but is: {history_size}")));
    }
    let strong_wolfe = match group.get("line_search_fn").and_then(Value::as_str) {
        None => false,
        Some("strong_wolfe") => true,
        Some(_) => return Err(Error::runtime(OP, "only 'strong_wolfe' is supported")),
    };
    Ok(Numbers {
        lr: match group.get("lr") {
            Some(Value::Int(lr)) => Number::from(*lr),
            _ => group.number("lr")?.into(),
        },
        max_iter: group.number("max_iter")? as i64,
        max_eval: group.number("max_eval")? as i64,
        tolerance_grad: group.number("tolerance_grad")?,
        tolerance_change: group.number("tolerance_change")?,
        history_size: usize::try_from(history_size).unwrap_or(0),
        strong_wolfe,
    })
}

fn largest(x: &Tensor) -> Result<f64> {
    x.norm(f64::INFINITY)?.item()
}

fn update(core: &mut OptimizerCore, closure: &mut Closure<'_>) -> Result<Tensor> {
    let [group] = &core.groups[..] else {
        return Err(Error::runtime(OP, format!("Expected exactly one param_group, but got {}", core.groups.len())));
    };
    let numbers = read(group)?;
    let Some(first) = group.params.first() else { return autograd::enable_grad(closure) };
    let problem = Problem { params: &group.params, maximize: group.switch("maximize")? };
    let state = core.state.entry(first.id()).or_default();
    autograd::no_grad(|| {
        let mut memory = Memory::read(state);
        let (first_loss, loss) = problem.evaluate(closure)?;
        memory.func_evals += 1;
        memory.write_counts(state);
        let gradient = problem.gradient()?;
        // A gradient of NaN goes on, as in PyTorch.
        if largest(&gradient)? <= numbers.tolerance_grad {
            return Ok(first_loss);
        }
        iterate(&numbers, &problem, closure, &mut memory, (loss, gradient))?;
        memory.write(state, numbers.history_size)?;
        Ok(first_loss)
    })
}

/// Iterates from a loss and its gradient until one of the limits is reached.
fn iterate(
    numbers: &Numbers,
    problem: &Problem<'_>,
    closure: &mut Closure<'_>,
    memory: &mut Memory,
    (mut loss, mut gradient): (f64, Tensor),
) -> Result<()> {
    let mut evaluations = 1;
    for iteration in 1..=numbers.max_iter {
        memory.n_iter += 1;
        let direction = memory.turn(&gradient, numbers.history_size)?;
        let step = match memory.n_iter {
            1 => Number::from(1.0).min(Number::from(1.0) / Number::of(&gradient.abs()?.sum()?)?) * numbers.lr,
            _ => numbers.lr,
        };
        let slope = Number::of(&gradient.dot(&direction)?)?;
        let loss_before = loss;
        memory.gradient = Some(gradient.copy()?);
        (memory.loss, memory.step, memory.direction) = (Some(loss), Some(step), Some(direction.clone()));
        if slope > Number::from(-numbers.tolerance_change) {
            break;
        }
        let mut spent = 0;
        if numbers.strong_wolfe {
            let start = Point { at: 0.into(), loss, gradient: gradient.copy()?, slope };
            let line = Line {
                start: &start,
                length: largest(&direction)?,
                tolerance_change: numbers.tolerance_change,
                most_evaluations: numbers.max_eval.saturating_sub(evaluations),
            };
            let from = problem.copy()?;
            let (end, looks) = line.search(step, &mut |at| {
                let (loss, gradient) = problem.look(closure, &from, at, &direction)?;
                let slope = Number::of(&gradient.dot(&direction)?)?;
                Ok(Point { at, loss, gradient, slope })
            })?;
            problem.advance(end.at, &direction)?;
            (loss, gradient, memory.step, spent) = (end.loss, end.gradient, Some(end.at), looks);
        } else {
            problem.advance(step, &direction)?;
            if iteration != numbers.max_iter {
                loss = problem.evaluate(closure)?.1;
                (gradient, spent) = (problem.gradient()?, 1);
            }
        }
        evaluations += spent;
        memory.func_evals += spent;
        let moved = largest(&direction.mul(memory.step.map_or(0.0, |step| step.value))?)?;
        if evaluations >= numbers.max_eval
            || largest(&gradient)? <= numbers.tolerance_grad
            || moved <= numbers.tolerance_change
            || (loss - loss_before).abs() < numbers.tolerance_change
        {
            break;
        }
    }
    Ok(())
}
