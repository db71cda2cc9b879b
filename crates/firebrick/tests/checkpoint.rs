//! A training that is saved, read by a program that begins anew, and continued is the training that was never interrupted.
#![allow(clippy::unwrap_used)]

use firebrick::data::{DataLoader, TensorDataset};
use firebrick::io::Checkpoint;
use firebrick::io::pytorch::Object;
use firebrick::optim::lr_scheduler::{CosineAnnealingLR, LrScheduler, Schedule, StepLR};
use firebrick::prelude::*;
use firebrick::{ErrorKind, Generator};

#[derive(Module)]
struct Net {
    core: Core,
    fc1: nn::Linear,
    norm: nn::BatchNorm1d,
    dropout: nn::Dropout,
    fc2: nn::Linear,
}

impl nn::Forward for Net {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let x = self.norm.call(self.fc1.call(x)?)?.relu()?;
        self.fc2.call(self.dropout.call(x)?)
    }
}

/// Everything that a training changes.
struct Training<O> {
    net: Net,
    optimizer: O,
    scheduler: Box<dyn LrScheduler>,
    order: Generator,
    epoch: i64,
}

type Batches = (Tensor, Tensor);

impl<O: Optimizer> Training<O> {
    fn new(seed: u64, optimizer: fn(&Net) -> O, scheduler: fn(&mut O) -> Box<dyn LrScheduler>) -> Result<Self> {
        firebrick::random::current_generator().manual_seed(seed);
        let net = Net {
            core: Core::new(),
            fc1: nn::Linear::new(4, 8)?,
            norm: nn::BatchNorm1d::new(8)?,
            dropout: nn::Dropout::new(0.3)?,
            fc2: nn::Linear::new(8, 1)?,
        };
        let mut optimizer = optimizer(&net);
        let scheduler = scheduler(&mut optimizer);
        Ok(Training { net, optimizer, scheduler, order: Generator::new().manual_seed(seed), epoch: 0 })
    }

    /// The losses of so many epochs, bit by bit.
    fn run(&mut self, epochs: i64) -> Result<Vec<u64>> {
        let (x, y) = data()?;
        let loader = DataLoader::builder(TensorDataset::new((x, y))?).batch_size(5).shuffle(true);
        let loader = loader.generator(&self.order).build()?;
        let mut losses = Vec::new();
        for _ in 0..epochs {
            for batch in loader.iter() {
                let (x, y): Batches = batch?;
                self.optimizer.zero_grad()?;
                let loss = nn::functional::mse_loss(&self.net.call(x)?, &y)?;
                loss.backward()?;
                self.optimizer.step()?;
                losses.push(loss.item::<f64>()?.to_bits());
            }
            self.scheduler.step(&mut self.optimizer)?;
            self.epoch += 1;
        }
        Ok(losses)
    }

    fn checkpoint(&self) -> Result<Checkpoint> {
        let checkpoint = Checkpoint::new().model(self.net.state_dict()).optimizer(self.optimizer.state_dict());
        let checkpoint = checkpoint.scheduler(self.scheduler.state_dict()).epoch(self.epoch);
        checkpoint.rng_state()?.generator("order", &self.order)
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.net.load_state_dict(&checkpoint.read_model()?)?;
        self.optimizer.load_state_dict(&checkpoint.read_optimizer()?)?;
        self.scheduler.load_state_dict(&checkpoint.read_scheduler()?)?;
        self.epoch = checkpoint.read_epoch()?;
        checkpoint.restore_rng_state()?;
        checkpoint.restore_generator("order", &self.order)
    }

    fn weights(&self) -> Result<Vec<Vec<f64>>> {
        self.net.state_dict().values().map(|tensor| tensor.to(DType::F64)?.to_vec()).collect()
    }
}

/// 17 points, the same each time.
fn data() -> Result<Batches> {
    Generator::new().manual_seed(5).scope(|| Ok((Tensor::randn([17, 4])?, Tensor::randn([17, 1])?)))
}

fn goes_on<O: Optimizer>(optimizer: fn(&Net) -> O, scheduler: fn(&mut O) -> Box<dyn LrScheduler>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("training.pt");
    let (losses, weights) = Generator::new().scope(|| {
        let mut whole = Training::new(1, optimizer, scheduler).unwrap();
        (whole.run(10).unwrap(), whole.weights().unwrap())
    });
    let first = Generator::new().scope(|| {
        let mut first = Training::new(1, optimizer, scheduler).unwrap();
        let losses = first.run(5).unwrap();
        first.checkpoint().unwrap().with("note", "half").save(&path).unwrap();
        losses
    });
    Generator::new().scope(|| {
        let mut second = Training::new(2, optimizer, scheduler).unwrap();
        let checkpoint = Checkpoint::load(&path).unwrap();
        second.restore(&checkpoint).unwrap();
        assert_eq!((second.epoch, checkpoint.get("note").unwrap().as_str()), (5, Some("half")));
        let losses_again = [first, second.run(5).unwrap()].concat();
        assert_eq!(losses_again, losses);
        assert_eq!(second.weights().unwrap(), weights);
    });
}

#[test]
fn sgd_with_momentum_goes_on_bit_for_bit() {
    goes_on(
        |net| optim::SGD::new(net.parameters(), 0.05).momentum(0.9).build().unwrap(),
        |optimizer| Box::new(StepLR::new(3).gamma(0.5).build(optimizer).unwrap()),
    );
}

#[test]
fn adam_goes_on_bit_for_bit() {
    goes_on(
        |net| optim::Adam::new(net.parameters(), 0.02).build().unwrap(),
        |optimizer| Box::new(CosineAnnealingLR::new(10).build(optimizer).unwrap()),
    );
}

#[test]
fn what_is_missing_or_wrong_is_named_and_changes_nothing() {
    let text = |error: Error| error.to_string();
    let checkpoint = Checkpoint::new().epoch(3).with("rng_state", "seven");
    assert_eq!(text(checkpoint.read_model().err().unwrap()), "the checkpoint has no entry 'model'");
    assert!(format!("{:#}", checkpoint.get("lr").unwrap_err()).contains("'epoch', 'rng_state'"));
    assert_eq!(checkpoint.read_model().err().unwrap().kind(), ErrorKind::Key);

    let generator = Generator::new().manual_seed(3);
    let before = generator.get_state();
    generator.scope(|| {
        assert!(text(checkpoint.restore_rng_state().unwrap_err()).contains("RNG state must be a torch.ByteTensor"));
        let short = Checkpoint::new().with("rng_state", Tensor::zeros([3]).unwrap().to(DType::U8).unwrap());
        assert!(short.restore_rng_state().is_err());
    });
    assert!(checkpoint.restore_generator("order", &generator).is_err());
    assert_eq!(generator.get_state(), before);
    assert_eq!(text(Checkpoint::try_from(Object::Int(3)).err().unwrap()), "a checkpoint is a dict, not a int");
}
