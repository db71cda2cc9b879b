//! Long short-term memory as one function: each step is one product and one pass over its gates.

use super::Inputs;
use crate::autograd::{Grads, is_grad_enabled, no_grad};
use crate::backend::{self, Backend, Product};
use crate::ops::record_all::{Recorded, Seen};
use crate::tensor::substitute::is_autocasting;
use crate::{Body, DType, Device, Dims, Result, Tensor};

/// What is computed: sizes, and the order of the steps.
#[derive(Clone, Copy)]
pub(super) struct Layer {
    steps: usize,
    batch: usize,
    features: usize,
    /// Of a row of the cell.
    width: usize,
    /// Of a row of the state, which may be projected.
    state: usize,
    reverse: bool,
    projected: bool,
    dtype: DType,
    device: Device,
}

/// What the forward pass notes for the way back, beside the results: activated gates, the cell after each step and, where
/// they are not the results, the hidden states.
struct Noted {
    gates: Body,
    cells: Body,
    hidden: Option<Body>,
}

impl Layer {
    /// `None` where the kernels do not do what is asked, or operands do not fit: then the operations that the layer is
    /// composed of say why.
    pub fn of(inputs: &Inputs<'_>, reverse: bool) -> Option<Layer> {
        let (x, weights) = (inputs.x, &inputs.weights);
        let (dtype, device) = (x.dtype(), x.device());
        let alike = inputs.list().iter().flatten().all(|t| t.dtype() == dtype && t.device() == device);
        if !alike || !matches!(dtype, DType::F32 | DType::F64) || is_autocasting() {
            return None;
        }
        let (given, cell) = (x.shape(), inputs.cell.shape());
        let (&[steps, batch, features], &[_, width]) = (&given[..], &cell[..]) else { return None };
        let rows = width.checked_mul(4)?;
        let state = weights.projection.map_or(Some(width), |projection| projection.shape().first().copied())?;
        let is = |t: Option<&Tensor>, shape: &[usize]| t.is_none_or(|t| t.shape() == *shape);
        let fits = is(Some(weights.input), &[rows, features])
            && is(Some(weights.hidden), &[rows, state])
            && is(weights.input_bias, &[rows])
            && is(weights.hidden_bias, &[rows])
            && is(Some(inputs.hidden), &[batch, state])
            && is(Some(inputs.cell), &[batch, width])
            && is(weights.projection, &[state, width])
            && ![steps, batch, features, width, state].contains(&0);
        let projected = weights.projection.is_some();
        fits.then_some(Layer { steps, batch, features, width, state, reverse, projected, dtype, device })
    }

    /// Computes the results of [`composed::layer`](super::composed::layer), and records them as one function.
    pub fn run(self, inputs: &Inputs<'_>) -> Result<[Tensor; 3]> {
        let (results, noted) = no_grad(|| self.forward(inputs))?;
        let [gates, cells] = [noted.gates, noted.cells].map(Tensor::from_body);
        let hidden = noted.hidden.map(Tensor::from_body);
        let list = inputs.list();
        let saved: Vec<Option<&Tensor>> =
            list.into_iter().chain([Some(&gates), Some(&cells), hidden.as_ref()]).collect();
        let recorded = Recorded {
            name: "MkldnnRnnLayerBackward0",
            inputs: &list,
            saved: &saved,
            outputs: &results.each_ref(),
            saves_outputs: true,
        };
        recorded.with(move |seen, grads, needs| self.grads(seen, grads, needs))?;
        Ok(results)
    }

    fn grads(self, seen: &Seen, grads: &[Option<Tensor>], needs: &[bool]) -> Result<Grads> {
        let nothing = || Grads::from_elem(None, needs.len());
        let Some((inputs, [Some(gates), Some(cells), hidden, Some(out), ..])) = Inputs::of(seen).zip(seen.get(8..))
        else {
            return Ok(nothing());
        };
        if is_grad_enabled() {
            return super::composed::grads(&inputs, self.reverse, grads, needs);
        }
        let hidden = hidden.as_ref().map(Tensor::body);
        self.backward(&inputs, &Noted { gates: gates.body(), cells: cells.body(), hidden }, &out.body(), (grads, needs))
    }

    /// Which step is the `i`th one.
    fn turn(&self, i: usize) -> usize {
        if self.reverse { self.steps - 1 - i } else { i }
    }

    fn body(&self, shape: impl Into<Dims>) -> Result<Body> {
        Body::alloc(shape.into(), self.dtype, self.device)
    }

    /// The rows of `count` steps from `start` on, as a matrix with rows of `width`.
    fn rows(&self, body: &Body, start: usize, count: usize, width: usize) -> Body {
        let size = self.batch * width;
        body.view(Dims::from([count * self.batch, width]), Dims::from([width, 1]), body.offset + start * size)
    }

    fn forward(&self, inputs: &Inputs<'_>) -> Result<([Tensor; 3], Noted)> {
        let Layer { steps, batch, width, state, .. } = *self;
        let (backend, weights) = (backend::of(self.device)?, &inputs.weights);
        // What the input gives to the gates is one product for all steps, and their biases are one.
        let bias = match (weights.input_bias, weights.hidden_bias) {
            (Some(a), Some(b)) => Some(a.add(b)?),
            (a, b) => a.or(b).cloned(),
        };
        let rows = self.rows(&inputs.x.detach().contiguous()?.body(), 0, steps, self.features);
        let gates = Tensor::from_body(rows).linear(weights.input, bias.as_ref())?.contiguous()?.body();
        let (out, cells) = (self.body([steps, batch, state])?, self.body([steps, batch, width])?);
        let hidden = if self.projected { Some(self.body([steps, batch, width])?) } else { None };
        let weight = self.by_gates(&weights.hidden.body())?;
        let projection = weights.projection.map(|projection| turned(&projection.body()));
        let (mut before, mut cell) = (inputs.hidden.body(), inputs.cell.detach().contiguous()?.body());
        for i in 0..steps {
            let t = self.turn(i);
            let at = |body: &Body, width: usize| self.rows(body, t, 1, width);
            let (own, next) = (at(&gates, 4 * width), at(&cells, width));
            self.add_carried(backend, &before, &weight, &own)?;
            before = at(&out, state);
            match (&hidden, &projection) {
                (Some(hidden), Some(projection)) => {
                    let hidden = at(hidden, width);
                    backend.lstm_step(&own, &cell, [&next, &hidden])?;
                    multiply(backend, 0.0, &hidden, projection, &before)?;
                }
                _ => backend.lstm_step(&own, &cell, [&next, &before])?,
            }
            cell = next;
        }
        let [last_hidden, last_cell] = [before, cell].map(|body| Tensor::from_body(body).contiguous_copy());
        Ok(([Tensor::from_body(out), last_hidden?, last_cell?], Noted { gates, cells, hidden }))
    }

    /// The weight of the hidden state as one matrix `[P, H]` for each gate, in an order in which products read it as it
    /// lies: each step does.
    fn by_gates(&self, weight: &Body) -> Result<Body> {
        let Layer { width, state, .. } = *self;
        let (row, column) = (weight.strides[0], weight.strides[1]);
        let strides = Dims::from([width * row, column, row]);
        let gates = weight.view(Dims::from([4, state, width]), strides, weight.offset);
        if self.steps > 1 { Ok(Tensor::from_body(gates).contiguous_copy()?.body()) } else { Ok(gates) }
    }

    /// Adds to the gates of one step what the hidden state gives: four products.
    fn add_carried(&self, backend: &dyn Backend, hidden: &Body, weight: &Body, gates: &Body) -> Result<()> {
        let Layer { batch, width, state, .. } = *self;
        let strides = Dims::from([0, hidden.strides[0], hidden.strides[1]]);
        let hidden = hidden.view(Dims::from([4, batch, state]), strides, hidden.offset);
        let gates = gates.view(Dims::from([4, batch, width]), Dims::from([width, 4 * width, 1]), gates.offset);
        multiply(backend, 1.0, &hidden, weight, &gates)
    }

    fn backward(
        &self,
        inputs: &Inputs<'_>,
        noted: &Noted,
        out: &Body,
        (grads, needs): (&[Option<Tensor>], &[bool]),
    ) -> Result<Grads> {
        let Layer { steps, batch, width, state, .. } = *self;
        let (backend, weights) = (backend::of(self.device)?, &inputs.weights);
        let start = |grad: &Option<Tensor>, shape: &[usize]| match grad {
            Some(grad) => Ok(grad.contiguous_copy()?.body()),
            None => Body::zeros(Dims::from_slice(shape), self.dtype, self.device),
        };
        // The gradient of the state after each step; later steps add to it.
        let states = start(&grads[0], &[steps, batch, state])?;
        if let Some(grad) = &grads[1] {
            Tensor::from_body(self.rows(&states, self.turn(steps - 1), 1, state)).add_(grad)?;
        }
        let (carried, slopes) = (start(&grads[2], &[batch, width])?, self.body([steps, batch, 4 * width])?);
        let (first, room) = (self.body([batch, state])?, self.body([batch, width])?);
        let first_cell = inputs.cell.detach().contiguous()?.body();
        let (weight, projection) = (weights.hidden.body(), weights.projection.map(Tensor::body));
        for i in (0..steps).rev() {
            let t = self.turn(i);
            let at = |body: &Body, width: usize| self.rows(body, t, 1, width);
            let (mut hidden, own) = (at(&states, state), at(&slopes, 4 * width));
            if let Some(projection) = &projection {
                multiply(backend, 0.0, &hidden, projection, &room)?;
                hidden = room.clone();
            }
            let before = i.checked_sub(1).map(|i| self.turn(i));
            let cell = before.map_or_else(|| first_cell.clone(), |t| self.rows(&noted.cells, t, 1, width));
            let gates = at(&noted.gates, 4 * width);
            backend.lstm_step_grad(&gates, [&cell, &at(&noted.cells, width)], &hidden, [&carried, &own])?;
            match before {
                Some(t) => multiply(backend, 1.0, &own, &weight, &self.rows(&states, t, 1, state))?,
                None if needs[5] => multiply(backend, 0.0, &own, &weight, &first)?,
                None => {}
            }
        }
        let mut found = self.sums(inputs, noted, (out, &states, &slopes), needs)?;
        found[5] = needs[5].then(|| Tensor::from_body(first));
        found[6] = needs[6].then(|| Tensor::from_body(carried));
        Ok(found)
    }

    /// The gradients that are one product or sum over all steps: of the input, of weights and of biases.
    fn sums(
        &self,
        inputs: &Inputs<'_>,
        noted: &Noted,
        (out, states, slopes): (&Body, &Body, &Body),
        needs: &[bool],
    ) -> Result<Grads> {
        let Layer { steps, batch, features, width, state, .. } = *self;
        let (backend, rows) = (backend::of(self.device)?, 4 * width);
        let all = self.rows(slopes, 0, steps, rows);
        let mut found = Grads::from_elem(None, needs.len());
        if needs[0] {
            let grad = self.body([steps, batch, features])?;
            multiply(backend, 0.0, &all, &inputs.weights.input.body(), &self.rows(&grad, 0, steps, features))?;
            found[0] = Some(Tensor::from_body(grad));
        }
        if needs[1] {
            let (x, grad) = (inputs.x.detach().contiguous()?.body(), self.body([rows, features])?);
            multiply(backend, 0.0, &turned(&all), &self.rows(&x, 0, steps, features), &grad)?;
            found[1] = Some(Tensor::from_body(grad));
        }
        if needs[2] {
            // The first step's state was given, that of every other one is its neighbour's result.
            let grad = self.body([rows, state])?;
            let first = self.rows(slopes, self.turn(0), 1, rows);
            multiply(backend, 0.0, &turned(&first), &inputs.hidden.body(), &grad)?;
            if steps > 1 {
                let (after, before) = if self.reverse { (0, 1) } else { (1, 0) };
                let (after, before) =
                    (self.rows(slopes, after, steps - 1, rows), self.rows(out, before, steps - 1, state));
                multiply(backend, 1.0, &turned(&after), &before, &grad)?;
            }
            found[2] = Some(Tensor::from_body(grad));
        }
        for bias in [3, 4] {
            if needs[bias] {
                let twin = found[3].as_ref().map(Tensor::contiguous_copy);
                found[bias] = Some(twin.unwrap_or_else(|| Tensor::from_body(all.clone()).sum_dim([0], false))?);
            }
        }
        if let Some(hidden) = noted.hidden.as_ref().filter(|_| needs[7]) {
            let grad = self.body([state, width])?;
            let states = turned(&self.rows(states, 0, steps, state));
            multiply(backend, 0.0, &states, &self.rows(hidden, 0, steps, width), &grad)?;
            found[7] = Some(Tensor::from_body(grad));
        }
        Ok(found)
    }
}

/// `out = a b + beta out` for matrices, or batches of them, with elements.
fn multiply(backend: &dyn Backend, beta: f64, a: &Body, b: &Body, out: &Body) -> Result<()> {
    crate::work::count(out.shape.iter().chain(a.shape.last()).copied());
    backend.matmul(Product { alpha: 1.0, beta }, a, b, None, out)
}

/// A matrix transposed.
fn turned(matrix: &Body) -> Body {
    let mut turned = matrix.clone();
    turned.shape.swap(0, 1);
    turned.strides.swap(0, 1);
    turned
}
