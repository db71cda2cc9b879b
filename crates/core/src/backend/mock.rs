//! A stand-in accelerator for tests: memory that main memory's tensors cannot be mixed with, and a queue.
//!
//! Operations are queued and run, by the CPU's kernels and so with the CPU's bits, when something waits for them: a
//! copy to main memory, `synchronize`, or an operation that must look at the data to know whether it fails.

use super::cpu::Cpu;
use super::{
    Alignment, Attention, AverageDivisor, Backend, ClassLoss, ConvShape, Factor, Indexing, Map, Memory, NormGrad,
    NormRows, Order, PointwiseLoss, PoolShape, Product, Reduce, Scan, Taps, Update, Windows,
};
use crate::storage::Block;
use crate::tensor::Body;
use crate::{DType, Result, Scalar};
use parking_lot::{Mutex, MutexGuard};
use std::collections::VecDeque;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

type Task = Box<dyn FnOnce() -> Result<()> + Send>;

/// One mock device.
#[derive(Default)]
pub(super) struct Mock {
    queue: Mutex<VecDeque<Task>>,
    /// Held by whoever works the queue off, so that tasks run in order.
    running: Mutex<()>,
}

/// More would be no test of anything.
const MOST: usize = 8;

static COUNT: AtomicUsize = AtomicUsize::new(0);
static DEVICES: [OnceLock<Mock>; MOST] = [const { OnceLock::new() }; MOST];

/// Switches on the first `count` devices; they stay on.
pub(crate) fn enable(count: usize) {
    COUNT.fetch_max(count.min(MOST), SeqCst);
}

/// How many are switched on.
pub(crate) fn device_count() -> usize {
    COUNT.load(SeqCst)
}

pub(super) fn device(index: usize) -> Option<&'static dyn Backend> {
    (index < device_count()).then(|| DEVICES[index].get_or_init(Mock::default) as &dyn Backend)
}

impl Mock {
    fn enqueue(&self, task: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
        self.queue.lock().push_back(Box::new(task));
        Ok(())
    }

    /// Works the queue off; what stays locked keeps others from overtaking.
    fn drain(&self) -> Result<MutexGuard<'_, ()>> {
        let running = self.running.lock();
        loop {
            let task = self.queue.lock().pop_front();
            match task {
                Some(task) => task()?,
                None => return Ok(running),
            }
        }
    }
}

fn owned(bodies: &[&Body]) -> Vec<Body> {
    bodies.iter().map(|&b| b.clone()).collect()
}

impl Memory for Mock {
    fn allocate(&self, bytes: usize) -> Result<Block> {
        Block::new(bytes)
    }

    fn synchronize(&self) -> Result<()> {
        self.drain().map(drop)
    }

    fn to_host(&self, src: &Body, host: &Body) -> Result<()> {
        let _running = self.drain()?;
        Cpu.copy(src, host)
    }

    fn from_host(&self, host: &Body, dst: &Body) -> Result<()> {
        let _running = self.drain()?;
        Cpu.copy(host, dst)
    }
}

impl Backend for Mock {
    fn fill(&self, out: &Body, value: Scalar) -> Result<()> {
        let out = out.clone();
        self.enqueue(move || Cpu.fill(&out, value))
    }

    fn copy(&self, src: &Body, out: &Body) -> Result<()> {
        let (src, out) = (src.clone(), out.clone());
        self.enqueue(move || Cpu.copy(&src, &out))
    }

    fn add_overlapping(&self, src: &Body, out: &Body) -> Result<()> {
        let (src, out) = (src.clone(), out.clone());
        self.enqueue(move || Cpu.add_overlapping(&src, &out))
    }

    fn map(&self, kernel: Map, compute: DType, inputs: &[&Body], out: &Body) -> Result<()> {
        if !compute.is_floating_point() {
            // Integer division fails on a zero among the data.
            let _running = self.drain()?;
            return Cpu.map(kernel, compute, inputs, out);
        }
        let (inputs, out) = (owned(inputs), out.clone());
        self.enqueue(move || Cpu.map(kernel, compute, &inputs.iter().collect::<Vec<_>>(), &out))
    }

    fn reduce(&self, op: Reduce, compute: DType, input: &Body, out: &Body) -> Result<()> {
        let (input, out) = (input.clone(), out.clone());
        self.enqueue(move || Cpu.reduce(op, compute, &input, &out))
    }

    fn index(&self, kind: Indexing, dim: usize, spread: &Body, index: &Body, table: &Body) -> Result<Option<i64>> {
        let _running = self.drain()?;
        Cpu.index(kind, dim, spread, index, table)
    }

    fn reduce_index(&self, largest: bool, input: &Body, dim: usize, out: &Body, indices: &Body) -> Result<()> {
        let (input, out, indices) = (input.clone(), out.clone(), indices.clone());
        self.enqueue(move || Cpu.reduce_index(largest, &input, dim, &out, &indices))
    }

    fn softmax(&self, log: bool, input: &Body, dim: usize, out: &Body) -> Result<()> {
        let (input, out) = (input.clone(), out.clone());
        self.enqueue(move || Cpu.softmax(log, &input, dim, &out))
    }

    fn softmax_grad(&self, log: bool, grad: &Body, result: &Body, dim: usize, out: &Body) -> Result<()> {
        let (grad, result, out) = (grad.clone(), result.clone(), out.clone());
        self.enqueue(move || Cpu.softmax_grad(log, &grad, &result, dim, &out))
    }

    fn attention(&self, attention: &Attention, inputs: [&Body; 3], out: &Body, totals: &Body) -> Result<()> {
        let (attention, inputs) = (attention.clone(), inputs.map(Body::clone));
        let (out, totals) = (out.clone(), totals.clone());
        self.enqueue(move || Cpu.attention(&attention, inputs.each_ref(), &out, &totals))
    }

    fn attention_grad(
        &self,
        attention: &Attention,
        grad: &Body,
        inputs: [&Body; 3],
        noted: [&Body; 2],
        out: [&Body; 3],
    ) -> Result<()> {
        let (attention, grad) = (attention.clone(), grad.clone());
        let (inputs, noted, out) = (inputs.map(Body::clone), noted.map(Body::clone), out.map(Body::clone));
        self.enqueue(move || Cpu.attention_grad(&attention, &grad, inputs.each_ref(), noted.each_ref(), out.each_ref()))
    }

    fn normalize_rows(&self, norm: &NormRows, x: &Body, out: &Body, mean: &Body, rstd: &Body) -> Result<()> {
        let (norm, bodies) = (norm.clone(), owned(&[x, out, mean, rstd]));
        self.enqueue(move || Cpu.normalize_rows(&norm, &bodies[0], &bodies[1], &bodies[2], &bodies[3]))
    }

    fn normalize_rows_grad(
        &self,
        norm: &NormRows,
        grad: &Body,
        x: &Body,
        noted: [&Body; 2],
        out: &NormGrad,
    ) -> Result<()> {
        let (norm, bodies, out) = (norm.clone(), owned(&[grad, x, noted[0], noted[1]]), out.clone());
        self.enqueue(move || Cpu.normalize_rows_grad(&norm, &bodies[0], &bodies[1], [&bodies[2], &bodies[3]], &out))
    }

    fn channel_statistics(&self, x: &Body, mean: &Body, variance: &Body) -> Result<()> {
        let bodies = owned(&[x, mean, variance]);
        self.enqueue(move || Cpu.channel_statistics(&bodies[0], &bodies[1], &bodies[2]))
    }

    fn normalize_channels(
        &self,
        x: &Body,
        noted: [&Body; 2],
        weight: Option<&Body>,
        bias: Option<&Body>,
        out: &Body,
    ) -> Result<()> {
        let (bodies, weight, bias) = (owned(&[x, noted[0], noted[1], out]), weight.cloned(), bias.cloned());
        self.enqueue(move || {
            let [x, mean, invstd, out] = &bodies[..] else { return Ok(()) };
            Cpu.normalize_channels(x, [mean, invstd], weight.as_ref(), bias.as_ref(), out)
        })
    }

    fn normalize_channels_grad(
        &self,
        grad: &Body,
        x: &Body,
        noted: [&Body; 2],
        weight: Option<&Body>,
        training: bool,
        out: &NormGrad,
    ) -> Result<()> {
        let (bodies, weight, out) = (owned(&[grad, x, noted[0], noted[1]]), weight.cloned(), out.clone());
        self.enqueue(move || {
            let [grad, x, mean, invstd] = &bodies[..] else { return Ok(()) };
            Cpu.normalize_channels_grad(grad, x, [mean, invstd], weight.as_ref(), training, &out)
        })
    }

    fn pointwise_loss(
        &self,
        loss: PointwiseLoss,
        inputs: [&Body; 2],
        factors: [Option<&Body>; 2],
        scale: Option<f64>,
        out: &Body,
    ) -> Result<()> {
        // Binary cross entropy fails on elements outside of 0 to 1.
        let _running = self.drain()?;
        Cpu.pointwise_loss(loss, inputs, factors, scale, out)
    }

    fn pointwise_loss_grad(
        &self,
        loss: PointwiseLoss,
        grad: &Body,
        inputs: [&Body; 2],
        factors: [Option<&Body>; 2],
        scale: f64,
        out: &Body,
    ) -> Result<()> {
        let (bodies, factors) = (owned(&[grad, inputs[0], inputs[1], out]), factors.map(|b| b.cloned()));
        self.enqueue(move || {
            let [grad, x, y, out] = &bodies[..] else { return Ok(()) };
            Cpu.pointwise_loss_grad(loss, grad, [x, y], factors.each_ref().map(Option::as_ref), scale, out)
        })
    }

    fn class_loss(&self, loss: &ClassLoss, x: &Body, target: &Body, out: [&Body; 3]) -> Result<()> {
        // Fails on a class that is not there.
        let _running = self.drain()?;
        Cpu.class_loss(loss, x, target, out)
    }

    fn class_loss_grad(
        &self,
        loss: &ClassLoss,
        factors: &Body,
        x: &Body,
        target: &Body,
        sums: &Body,
        out: &Body,
    ) -> Result<()> {
        let (loss, bodies) = (loss.clone(), owned(&[factors, x, target, sums, out]));
        self.enqueue(move || {
            let [factors, x, target, sums, out] = &bodies[..] else { return Ok(()) };
            Cpu.class_loss_grad(&loss, factors, x, target, sums, out)
        })
    }

    fn ctc_loss(&self, alignment: &Alignment, log_probs: &Body, alpha: &Body, losses: &Body) -> Result<()> {
        let (alignment, bodies) = (alignment.clone(), owned(&[log_probs, alpha, losses]));
        self.enqueue(move || {
            let [log_probs, alpha, losses] = &bodies[..] else { return Ok(()) };
            Cpu.ctc_loss(&alignment, log_probs, alpha, losses)
        })
    }

    fn ctc_loss_grad(
        &self,
        alignment: &Alignment,
        grads: &Body,
        log_probs: &Body,
        noted: [&Body; 2],
        out: &Body,
    ) -> Result<()> {
        let (alignment, bodies) = (alignment.clone(), owned(&[grads, log_probs, noted[0], noted[1], out]));
        self.enqueue(move || {
            let [grads, log_probs, alpha, losses, out] = &bodies[..] else { return Ok(()) };
            Cpu.ctc_loss_grad(&alignment, grads, log_probs, [alpha, losses], out)
        })
    }

    fn median(&self, skip_nan: bool, input: &Body, dim: usize, out: &Body, indices: &Body) -> Result<()> {
        let (input, out, indices) = (input.clone(), out.clone(), indices.clone());
        self.enqueue(move || Cpu.median(skip_nan, &input, dim, &out, &indices))
    }

    fn scan(
        &self,
        op: Scan,
        compute: DType,
        input: &Body,
        dim: usize,
        out: &Body,
        indices: Option<&Body>,
    ) -> Result<()> {
        let (input, out, indices) = (input.clone(), out.clone(), indices.cloned());
        self.enqueue(move || Cpu.scan(op, compute, &input, dim, &out, indices.as_ref()))
    }

    fn order(&self, order: Order, input: &Body, dim: usize, out: &Body, indices: &Body) -> Result<()> {
        let (input, out, indices) = (input.clone(), out.clone(), indices.clone());
        self.enqueue(move || Cpu.order(order, &input, dim, &out, &indices))
    }

    fn sort_rows(&self, rows: &Body, numbers: &Body) -> Result<()> {
        let (rows, numbers) = (rows.clone(), numbers.clone());
        self.enqueue(move || Cpu.sort_rows(&rows, &numbers))
    }

    fn search(&self, right: bool, bounds: &Body, sorter: Option<&Body>, values: &Body, out: &Body) -> Result<()> {
        let (bounds, sorter, values, out) = (bounds.clone(), sorter.cloned(), values.clone(), out.clone());
        self.enqueue(move || Cpu.search(right, &bounds, sorter.as_ref(), &values, &out))
    }

    fn matmul(&self, product: Product, a: &Body, b: &Body, bias: Option<&Body>, out: &Body) -> Result<()> {
        let (a, b, bias, out) = (a.clone(), b.clone(), bias.cloned(), out.clone());
        self.enqueue(move || Cpu.matmul(product, &a, &b, bias.as_ref(), &out))
    }

    fn lstm_step(&self, gates: &Body, cell: &Body, out: [&Body; 2]) -> Result<()> {
        let (gates, cell, out) = (gates.clone(), cell.clone(), out.map(Body::clone));
        self.enqueue(move || Cpu.lstm_step(&gates, &cell, out.each_ref()))
    }

    fn lstm_step_grad(&self, gates: &Body, cells: [&Body; 2], hidden: &Body, out: [&Body; 2]) -> Result<()> {
        let (gates, hidden) = (gates.clone(), hidden.clone());
        let (cells, out) = (cells.map(Body::clone), out.map(Body::clone));
        self.enqueue(move || Cpu.lstm_step_grad(&gates, cells.each_ref(), &hidden, out.each_ref()))
    }

    fn factorize(&self, factor: Factor, inputs: &[&Body], out: &[&Body]) -> Result<()> {
        let (inputs, out) = (owned(inputs), owned(out));
        self.enqueue(move || Cpu.factorize(factor, &inputs.iter().collect::<Vec<_>>(), &out.iter().collect::<Vec<_>>()))
    }

    fn conv_forward(&self, shape: &ConvShape, x: &Body, w: &Body, bias: Option<&Body>, out: &Body) -> Result<()> {
        let (shape, x, w, bias, out) = (*shape, x.clone(), w.clone(), bias.cloned(), out.clone());
        self.enqueue(move || Cpu.conv_forward(&shape, &x, &w, bias.as_ref(), &out))
    }

    fn conv_input_grad(&self, shape: &ConvShape, g: &Body, w: &Body, out: &Body) -> Result<()> {
        let (shape, g, w, out) = (*shape, g.clone(), w.clone(), out.clone());
        self.enqueue(move || Cpu.conv_input_grad(&shape, &g, &w, &out))
    }

    fn conv_weight_grad(&self, shape: &ConvShape, x: &Body, g: &Body, out: &Body) -> Result<()> {
        let (shape, x, g, out) = (*shape, x.clone(), g.clone(), out.clone());
        self.enqueue(move || Cpu.conv_weight_grad(&shape, &x, &g, &out))
    }

    fn take_rows(&self, table: &Body, numbers: &Body, out: &Body) -> Result<()> {
        let _running = self.drain()?;
        Cpu.take_rows(table, numbers, out)
    }

    fn add_rows(&self, rows: &Body, numbers: &Body, skip: Option<i64>, by_frequency: bool, out: &Body) -> Result<()> {
        let _running = self.drain()?;
        Cpu.add_rows(rows, numbers, skip, by_frequency, out)
    }

    fn avg_pool(&self, shape: &PoolShape, divisor: AverageDivisor, x: &Body, out: &Body) -> Result<()> {
        let (shape, x, out) = (*shape, x.clone(), out.clone());
        self.enqueue(move || Cpu.avg_pool(&shape, divisor, &x, &out))
    }

    fn avg_pool_grad(&self, shape: &PoolShape, divisor: AverageDivisor, g: &Body, out: &Body) -> Result<()> {
        let (shape, g, out) = (*shape, g.clone(), out.clone());
        self.enqueue(move || Cpu.avg_pool_grad(&shape, divisor, &g, &out))
    }

    fn window_winners(&self, windows: &Windows, x: &Body, indices: &Body) -> Result<()> {
        let (windows, x, indices) = (windows.clone(), x.clone(), indices.clone());
        self.enqueue(move || Cpu.window_winners(&windows, &x, &indices))
    }

    fn resample(&self, taps: &Taps, sizes: [usize; 2], x: &Body, out: &Body) -> Result<()> {
        let (taps, x, out) = (taps.clone(), x.clone(), out.clone());
        self.enqueue(move || Cpu.resample(&taps, sizes, &x, &out))
    }

    fn max_pool_forward(&self, shape: &PoolShape, x: &Body, out: &Body, indices: &Body) -> Result<()> {
        let (shape, x, out, indices) = (*shape, x.clone(), out.clone(), indices.clone());
        self.enqueue(move || Cpu.max_pool_forward(&shape, &x, &out, &indices))
    }

    fn max_pool_backward(&self, shape: &PoolShape, g: &Body, indices: &Body, out: &Body) -> Result<()> {
        let (shape, g, indices, out) = (*shape, g.clone(), indices.clone(), out.clone());
        self.enqueue(move || Cpu.max_pool_backward(&shape, &g, &indices, &out))
    }

    fn optimizer_step(&self, updates: &[Update]) -> Result<()> {
        let updates = updates.to_vec();
        self.enqueue(move || Cpu.optimizer_step(&updates))
    }
}
