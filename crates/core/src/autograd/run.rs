//! `backward` and `grad`: the ways into the engine.

use super::engine::{Pass, Target, run};
use crate::{Error, Result, Tensor, source};
use std::cell::Cell;

/// The options of [`Tensor::backward_with`].
///
/// ```
/// # use firebrick_core::{Parameter, Tensor, autograd};
/// let x = Parameter::new(Tensor::new([1.0f32, 2.0])?);
/// let options = autograd::Backward::new().gradient(&Tensor::new([1.0f32, 10.0])?).retain_graph(true);
/// x.square()?.backward_with(options)?;
/// assert_eq!(x.grad().map(|g| g.to_vec::<f32>()).transpose()?, Some(vec![2.0, 40.0]));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Backward {
    gradient: Option<Tensor>,
    retain_graph: Option<bool>,
    create_graph: bool,
    inputs: Option<Vec<Tensor>>,
}

impl Backward {
    /// PyTorch's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The gradient of the output; one, for a scalar, when not given.
    pub fn gradient(mut self, gradient: &Tensor) -> Self {
        self.gradient = Some(gradient.clone());
        self
    }

    /// Keeps the graph for another pass.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor, autograd};
    /// let x = Parameter::new(Tensor::new([3.0f32])?);
    /// let y = x.square()?;
    /// y.backward_with(autograd::Backward::new().retain_graph(true))?;
    /// y.backward()?;
    /// assert_eq!(x.grad().map(|g| g.to_vec::<f32>()).transpose()?, Some(vec![12.0])); // 6 + 6
    /// assert!(y.backward().is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn retain_graph(mut self, on: bool) -> Self {
        self.retain_graph = Some(on);
        self
    }

    /// Records the pass itself, for gradients of gradients.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor, autograd};
    /// let x = Parameter::new(Tensor::new([3.0f32])?);
    /// x.pow(3)?.backward_with(autograd::Backward::new().create_graph(true))?;
    /// let slope = x.grad().expect("a gradient arrived"); // 3 x^2
    /// assert_eq!(autograd::grad(&slope, &x)?.to_vec::<f32>()?, [18.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn create_graph(mut self, on: bool) -> Self {
        self.create_graph = on;
        self
    }

    /// Accumulates into these tensors only.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor, autograd};
    /// let (x, y) = (Parameter::new(Tensor::new([2.0f32])?), Parameter::new(Tensor::new([3.0f32])?));
    /// x.mul(&y)?.backward_with(autograd::Backward::new().inputs(&[&x]))?;
    /// assert!(x.grad().is_some() && y.grad().is_none());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn inputs(mut self, inputs: &[&Tensor]) -> Self {
        self.inputs = Some(inputs.iter().map(|&t| t.clone()).collect());
        self
    }
}

impl Tensor {
    /// Computes the gradients of every leaf that led to this scalar and adds them to their `grad`.
    ///
    /// # Errors
    /// The tensor is no scalar, records nothing, or its graph was already used up or changed.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// let x = Tensor::new([3.0f64])?;
    /// x.requires_grad_(true)?;
    /// x.mul(&x)?.sum()?.backward()?;
    /// assert_eq!(x.grad().map(|g| g.item::<f64>()).transpose()?, Some(6.0));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn backward(&self) -> Result<()> {
        let _running = source::module();
        self.backward_with(Backward::new())
    }

    /// [`Tensor::backward`] with a gradient, `retain_graph`, `create_graph` or chosen inputs.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor, autograd};
    /// let (x, y) = (Parameter::new(Tensor::new([1.0f32])?), Parameter::new(Tensor::new([2.0f32])?));
    /// x.mul(&y)?.sum()?.backward_with(autograd::Backward::new().inputs(&[&x]))?;
    /// assert!(x.grad().is_some() && y.grad().is_none());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn backward_with(&self, options: Backward) -> Result<()> {
        let _running = source::module();
        let gradient = options.gradient.clone();
        backward(&[self], &[gradient], options)
    }
}

/// `torch.autograd.backward`: several roots at once, each with its gradient (`None`: one, for a scalar).
///
/// ```
/// # use firebrick_core::{Parameter, Tensor, autograd};
/// let x = Parameter::new(Tensor::new([1.0f32, 2.0])?);
/// let (sum, square) = (x.sum()?, x.square()?);
/// let weights = Tensor::new([1.0f32, 10.0])?;
/// autograd::backward(&[&sum, &square], &[None, Some(weights)], autograd::Backward::new())?;
/// assert_eq!(x.grad().map(|g| g.to_vec::<f32>()).transpose()?, Some(vec![3.0, 41.0]));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[track_caller]
pub fn backward(tensors: &[&Tensor], gradients: &[Option<Tensor>], options: Backward) -> Result<()> {
    let _running = source::module();
    let roots = roots("backward", tensors, gradients)?;
    let target = match &options.inputs {
        None => Target::Leaves,
        Some(inputs) if inputs.is_empty() => {
            return Err(Error::runtime("backward", "`inputs` argument to `backward()` cannot be empty."));
        }
        Some(inputs) => Target::Inputs(inputs),
    };
    if let Target::Inputs(inputs) = target {
        inputs.iter().try_for_each(Tensor::retain_grad)?;
    }
    if options.create_graph {
        warn_of_cycles();
    }
    let retain_graph = options.retain_graph.unwrap_or(options.create_graph);
    run(&roots, Pass { retain_graph, create_graph: options.create_graph, target }).map(drop)
}

/// Says, once on each thread, what PyTorch says of gradients that keep the graph which leads to them.
fn warn_of_cycles() {
    thread_local! {
        static SAID: Cell<bool> = const { Cell::new(false) };
    }
    if !SAID.replace(true) {
        crate::warn(
            "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient which can cause a memory leak. We recommend using autograd.grad when creating the graph to avoid this. If you have to use this function, make sure to reset the .grad fields of your parameters to None after use to break the cycle and avoid the leak.",
        );
    }
}

fn roots(op: &'static str, tensors: &[&Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<(Tensor, Tensor)>> {
    if tensors.len() != gradients.len() {
        return Err(Error::runtime(op, format!("got {} tensors and {} gradients", tensors.len(), gradients.len())));
    }
    let root = |(i, (&tensor, gradient)): (usize, (&&Tensor, &Option<Tensor>))| {
        let tensor: &Tensor = tensor;
        let gradient = match gradient {
            Some(gradient) if gradient.shape() != tensor.shape() => {
                return Err(Error::runtime(
                    op,
                    format!(
                        "Mismatch in shape: grad_output[{i}] has a shape of {} and output[{i}] has a shape of {}.",
                        gradient.shape(),
                        tensor.shape()
                    ),
                ));
            }
            Some(gradient) if gradient.is_complex() != tensor.is_complex() => {
                return Err(Error::runtime(
                    op,
                    format!(
                        "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: grad_output[{i}] has a dtype of {} and output[{i}] has a dtype of {}.",
                        gradient.dtype(),
                        tensor.dtype()
                    ),
                ));
            }
            Some(gradient) => gradient.clone(),
            None if tensor.requires_grad() && tensor.numel() != 1 => {
                return Err(Error::runtime(op, "grad can be implicitly created only for scalar outputs")
                    .given(format!("a tensor of shape {:?}", tensor.shape()))
                    .remedy("reduce it first, as in `loss.sum()?.backward()`, or give a gradient"));
            }
            None if tensor.requires_grad() && tensor.is_complex() => {
                return Err(Error::runtime(
                    op,
                    format!("grad can be implicitly created only for real scalar outputs but got {}", tensor.dtype()),
                )
                .remedy("make it real first, as in `loss.abs()?.backward()`, or give a gradient"));
            }
            None => tensor.detach().ones_like()?,
        };
        if !tensor.requires_grad() {
            return Err(Error::runtime(
                op,
                format!("element {i} of tensors does not require grad and does not have a grad_fn"),
            ));
        }
        Ok((tensor.clone(), gradient))
    };
    tensors.iter().zip(gradients).enumerate().map(root).collect()
}

/// `torch.autograd.grad` as a builder: gradients of `outputs` with respect to `inputs`, returned.
///
/// ```
/// use firebrick_core::{Tensor, autograd};
/// let x = Tensor::new([2.0f64])?;
/// x.requires_grad_(true)?;
/// let y = x.mul(&x)?.mul(&x)?;
/// let dx = &autograd::Grad::new(&[&y], &[&x]).create_graph(true).run()?[0];
/// let ddx = autograd::grad(dx, &x)?;
/// assert_eq!((dx.item::<f64>()?, ddx.item::<f64>()?), (12.0, 12.0));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub struct Grad {
    outputs: Vec<Tensor>,
    inputs: Vec<Tensor>,
    grad_outputs: Vec<Option<Tensor>>,
    retain_graph: Option<bool>,
    create_graph: bool,
}

impl Grad {
    /// Gradients of `outputs` with respect to `inputs`.
    pub fn new(outputs: &[&Tensor], inputs: &[&Tensor]) -> Self {
        Grad {
            grad_outputs: vec![None; outputs.len()],
            outputs: outputs.iter().map(|&t| t.clone()).collect(),
            inputs: inputs.iter().map(|&t| t.clone()).collect(),
            retain_graph: None,
            create_graph: false,
        }
    }

    /// Gradients of the outputs; one, for scalars, when not given.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor, autograd};
    /// let x = Parameter::new(Tensor::new([1.0f32, 2.0])?);
    /// let weights = Some(Tensor::new([1.0f32, 10.0])?);
    /// let grads = autograd::Grad::new(&[&x.square()?], &[&x]).grad_outputs(&[weights]).run()?;
    /// assert_eq!(grads[0].to_vec::<f32>()?, [2.0, 40.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn grad_outputs(mut self, grads: &[Option<Tensor>]) -> Self {
        self.grad_outputs = grads.to_vec();
        self
    }

    /// Keeps the graph for another pass; by default as `create_graph`.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor, autograd};
    /// let x = Parameter::new(Tensor::new([3.0f32])?);
    /// let y = x.square()?;
    /// autograd::Grad::new(&[&y], &[&x]).retain_graph(true).run()?;
    /// assert_eq!(autograd::Grad::new(&[&y], &[&x]).run()?[0].item::<f32>()?, 6.0);
    /// assert!(autograd::Grad::new(&[&y], &[&x]).run().is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn retain_graph(mut self, on: bool) -> Self {
        self.retain_graph = Some(on);
        self
    }

    /// Records the pass itself, for gradients of gradients.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor, autograd};
    /// let x = Parameter::new(Tensor::new([3.0f32])?);
    /// let slope = autograd::Grad::new(&[&x.pow(3)?], &[&x]).create_graph(true).run()?.remove(0);
    /// assert_eq!(autograd::Grad::new(&[&slope], &[&x]).run()?[0].item::<f32>()?, 18.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn create_graph(mut self, on: bool) -> Self {
        self.create_graph = on;
        self
    }

    /// The gradients; an input that the outputs do not depend on is an error.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor, autograd};
    /// let (x, unused) = (Parameter::new(Tensor::ones([1])?), Parameter::new(Tensor::ones([1])?));
    /// assert!(autograd::Grad::new(&[&x.sum()?], &[&unused]).run().is_err());
    /// assert_eq!(autograd::Grad::new(&[&x.sum()?], &[&x]).run()?[0].item::<f32>()?, 1.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn run(self) -> Result<Vec<Tensor>> {
        let _running = source::module();
        let grads = self.run_allow_unused()?;
        let unused = |i: usize| {
            Error::runtime(
                "grad",
                format!(
                    "The differentiated Tensor at index {i} appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior."
                ),
            )
            .remedy("call run_allow_unused or run_materialized")
        };
        grads.into_iter().enumerate().map(|(i, grad)| grad.ok_or_else(|| unused(i))).collect()
    }

    /// The gradients; zeros for an input that the outputs do not depend on (`materialize_grads=True`).
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor, autograd};
    /// let (x, unused) = (Parameter::new(Tensor::ones([1])?), Parameter::new(Tensor::ones([1])?));
    /// let grads = autograd::Grad::new(&[&x.sum()?], &[&x, &unused]).run_materialized()?;
    /// assert_eq!((grads[0].item::<f32>()?, grads[1].item::<f32>()?), (1.0, 0.0));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn run_materialized(self) -> Result<Vec<Tensor>> {
        let _running = source::module();
        let inputs = self.inputs.clone();
        let grads = self.run_allow_unused()?;
        grads.into_iter().zip(inputs).map(|(grad, input)| grad.map_or_else(|| input.zeros_like(), Ok)).collect()
    }

    /// The gradients; `None` for an input that the outputs do not depend on (`allow_unused=True`).
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor, autograd};
    /// let (x, unused) = (Parameter::new(Tensor::ones([1])?), Parameter::new(Tensor::ones([1])?));
    /// let grads = autograd::Grad::new(&[&x.sum()?], &[&x, &unused]).run_allow_unused()?;
    /// assert!(grads[0].is_some() && grads[1].is_none());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn run_allow_unused(self) -> Result<Vec<Option<Tensor>>> {
        let _running = source::module();
        if self.inputs.is_empty() {
            return Err(Error::runtime("grad", "`inputs` argument to `grad()` cannot be empty."));
        }
        let outputs: Vec<&Tensor> = self.outputs.iter().collect();
        // PyTorch overlooks gradients of outputs that do not exist.
        let given = &self.grad_outputs[..self.grad_outputs.len().min(outputs.len())];
        let roots = roots("grad", &outputs, given)?;
        let retain_graph = self.retain_graph.unwrap_or(self.create_graph);
        run(&roots, Pass { retain_graph, create_graph: self.create_graph, target: Target::Returned(&self.inputs) })
    }
}

/// The gradient of the scalar `output` with respect to `input`.
///
/// ```
/// # use firebrick_core::{Parameter, Tensor, autograd};
/// let x = Parameter::new(Tensor::new([3.0f32])?);
/// assert_eq!(autograd::grad(&x.square()?.sum()?, &x)?.item::<f32>()?, 6.0);
/// assert!(x.grad().is_none());
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[track_caller]
pub fn grad(output: &Tensor, input: &Tensor) -> Result<Tensor> {
    let _running = source::module();
    let grads = Grad::new(&[output], &[input]).run()?;
    grads.into_iter().next().ok_or_else(|| Error::runtime("grad", "no gradient was returned"))
}
