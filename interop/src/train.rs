//! A training that goes on from a checkpoint, whoever wrote it.

use firebrick::Generator;
use firebrick::data::{DataLoader, TensorDataset};
use firebrick::io::Checkpoint;
use firebrick::optim::lr_scheduler::{CosineAnnealingLR, LrScheduler, Schedule, StepLR};
use firebrick::prelude::*;

/// The network of the trainings, in double precision.
#[derive(Module)]
struct Small {
    core: Core,
    fc1: nn::Linear,
    fc2: nn::Linear,
}

impl nn::Forward for Small {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        self.fc2.call(self.fc1.call(x)?.tanh()?)
    }
}

/// Goes on for so many epochs from the file `from`, which holds the points `x` and `y` beside the training; prints the loss of each
/// batch and writes the training to the file `to`.
pub fn go_on(optimizer: &str, from: &str, epochs: &str, to: &str) -> Result<()> {
    let epochs: i64 = epochs.parse().map_err(|_| Error::value("interop", "the epochs are a number"))?;
    let checkpoint = Checkpoint::load(from)?;
    let linear = |inputs, outputs| nn::Linear::builder(inputs, outputs).dtype(DType::F64).build();
    let net = Small { core: Core::new(), fc1: linear(4, 8)?, fc2: linear(8, 1)? };
    net.load_state_dict(&checkpoint.read_model()?)?;
    let mut optimizer = new_optimizer(optimizer, &net)?;
    let mut scheduler: Box<dyn LrScheduler> = match optimizer.name() {
        "SGD" => Box::new(StepLR::new(3).gamma(0.5).build(&mut *optimizer)?),
        _ => Box::new(CosineAnnealingLR::new(10).build(&mut *optimizer)?),
    };
    let order = Generator::new();
    if checkpoint.get("optimizer").is_ok() {
        optimizer.load_state_dict(&checkpoint.read_optimizer()?)?;
        scheduler.load_state_dict(&checkpoint.read_scheduler()?)?;
    }
    checkpoint.restore_rng_state()?;
    checkpoint.restore_generator("order", &order)?;
    let points = |name: &str| {
        let points = checkpoint.get(name)?.as_array().ok_or_else(|| Error::type_("interop", "the points are tensors"));
        points?.tensor()
    };
    let (x, y) = (points("x")?, points("y")?);

    let loader = DataLoader::builder(TensorDataset::new((x.clone(), y.clone()))?).batch_size(5).shuffle(true);
    let loader = loader.generator(&order).build()?;
    for _ in 0..epochs {
        for batch in loader.iter() {
            let loss = step(&net, &mut *optimizer, batch?)?;
            println!("{loss:?}");
        }
        scheduler.step(&mut *optimizer)?;
    }

    let written = Checkpoint::new().model(net.state_dict()).optimizer(optimizer.state_dict());
    let written = written.scheduler(scheduler.state_dict()).epoch(checkpoint.read_epoch()? + epochs);
    written.rng_state()?.generator("order", &order)?.with("x", x).with("y", y).save(to)
}

fn new_optimizer(name: &str, net: &Small) -> Result<Box<dyn Optimizer>> {
    Ok(match name {
        "sgd" => Box::new(optim::SGD::new(net.parameters(), 0.05).momentum(0.9).nesterov(true).build()?),
        "adam" => Box::new(optim::Adam::new(net.parameters(), 0.02).amsgrad(true).build()?),
        "adamw" => Box::new(optim::AdamW::new(net.parameters(), 0.02).build()?),
        "rmsprop" => Box::new(optim::RMSprop::new(net.parameters(), 0.01).build()?),
        other => return Err(Error::value("interop", format!("there is no optimizer {other:?}"))),
    })
}

/// One batch; its noise is drawn from the default generator.
fn step(net: &Small, optimizer: &mut dyn Optimizer, (x, y): (Tensor, Tensor)) -> Result<f64> {
    let x = (&x + (x.randn_like()? * 0.1)?)?;
    optimizer.zero_grad()?;
    let loss = nn::functional::mse_loss(&net.call(x)?, &y)?;
    loss.backward()?;
    optimizer.step()?;
    loss.item()
}
