//! Lazy modules: from uninitialized to initialized, by a call or by a checkpoint.

mod common;

use common::{keys, message, names};
use firebrick::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};

fn lazy_net() -> Result<nn::Sequential> {
    Ok(nn::Sequential::new().add(nn::Linear::lazy(2)?).add(nn::ReLU::new()).add(nn::Linear::lazy(1)?))
}

#[test]
fn parameters_are_listed_from_the_start_and_shaped_by_the_first_call() -> Result<()> {
    let net = lazy_net()?;
    let listed = ["0.weight", "0.bias", "2.weight", "2.bias"];
    assert_eq!(names(net.named_parameters()), listed);
    assert_eq!(keys(&net.state_dict()), listed);
    assert!(net.state_dict().values().all(Tensor::is_uninitialized));
    let held = net.parameters();
    assert_eq!(
        message(held[0].shape()),
        "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in \
         `load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` to \
         initialize the parameters before accessing their attributes."
    );
    net.call(Tensor::ones([4, 3])?)?;
    let shapes: Vec<String> = held.iter().map(|p| Ok(p.shape()?.to_string())).collect::<Result<_>>()?;
    assert_eq!(shapes, ["torch.Size([2, 3])", "torch.Size([2])", "torch.Size([1, 2])", "torch.Size([1])"]);
    assert!(held[0].requires_grad() && held[0].is_leaf());
    Ok(())
}

#[test]
fn it_prints_as_lazy_until_then() -> Result<()> {
    let linear = nn::Linear::lazy(4)?;
    assert_eq!(linear.to_string(), "LazyLinear(in_features=0, out_features=4, bias=True)");
    linear.call(Tensor::ones([1, 3])?)?;
    assert_eq!(linear.to_string(), "Linear(in_features=3, out_features=4, bias=True)");
    assert!(linear.call(Tensor::ones([1, 5])?).is_err());
    assert_eq!(linear.in_features(), 3);
    Ok(())
}

#[test]
fn only_its_own_call_initializes() -> Result<()> {
    let net = lazy_net()?;
    net.get(0)?.call(Tensor::ones([1, 3])?)?;
    let waiting: Vec<bool> = net.parameters().iter().map(|p| p.is_uninitialized()).collect();
    assert_eq!(waiting, [false, false, true, true]);
    let linear = nn::Linear::lazy(4)?;
    let direct = nn::Forward::forward(&linear, Tensor::ones([1, 3])?);
    assert!(message(direct).starts_with("Attempted to use an uninitialized parameter in linear. This error happens"));
    assert!(message(linear.weight.numel()).starts_with("Attempted to use an uninitialized parameter in numel."));
    Ok(())
}

#[test]
fn a_checkpoint_initializes_it() -> Result<()> {
    let (full, lazy) = (nn::Linear::new(3, 4)?, nn::Linear::lazy(4)?);
    let held = lazy.parameters();
    lazy.load_state_dict(&full.state_dict())?;
    assert_eq!(lazy.to_string(), full.to_string());
    assert_eq!(held[0].to_vec::<f32>()?, full.weight.to_vec::<f32>()?);
    assert!(!lazy.weight.shares_storage(&full.weight));
    lazy.call(Tensor::ones([1, 3])?)?;
    assert_eq!(held[0].to_vec::<f32>()?, full.weight.to_vec::<f32>()?, "the call drew no new values");
    let waiting = nn::Linear::lazy(4)?;
    waiting.load_state_dict(&nn::Linear::lazy(4)?.state_dict())?;
    assert!(waiting.core().is_lazy());
    assert!(message(full.load_state_dict(&waiting.state_dict())).starts_with("Can't access the shape of an uninit"));
    Ok(())
}

#[test]
fn dtype_and_hooks_survive_initialization() -> Result<()> {
    let linear = nn::Linear::lazy(4)?;
    linear.double()?;
    assert!(linear.weight.is_uninitialized() && linear.weight.dtype() == DType::F64);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    linear.register_forward_hook(move |_, _, _| {
        counted.fetch_add(1, SeqCst);
        Ok(None)
    });
    let copy = linear.deep_clone()?;
    assert!(copy.weight.is_uninitialized() && copy.core().is_lazy());
    for _ in 0..2 {
        linear.call(Tensor::ones([1, 3])?.to(DType::F64)?)?;
    }
    assert_eq!((linear.weight.dtype(), calls.load(SeqCst)), (DType::F64, 2));
    assert!(copy.weight.is_uninitialized());
    Ok(())
}

#[test]
fn a_module_that_leaves_something_uninitialized_is_an_error() -> Result<()> {
    #[derive(Module)]
    struct Forgetful {
        core: Core,
        scale: Parameter,
    }
    impl nn::Forward for Forgetful {
        fn forward(&self, x: Tensor) -> Result<Tensor> {
            x.mul(&self.scale)
        }
    }
    let scale = Parameter::uninitialized(DType::F32, Device::Cpu)?;
    let m = Forgetful { core: Core::lazy(), scale };
    assert_eq!(message(m.call(Tensor::ones([1])?)), "module LazyForgetful has not been fully initialized");
    m.scale.set_data(&Tensor::ones([1])?)?;
    m.call(Tensor::ones([1])?)?;
    assert!(!m.core.is_lazy());
    Ok(())
}

#[test]
fn of_several_first_calls_one_initializes() -> Result<()> {
    #[derive(Module)]
    struct Slow {
        core: Core,
        scale: Parameter,
        #[module(skip)]
        runs: Arc<AtomicUsize>,
    }
    impl nn::Forward for Slow {
        fn forward(&self, x: Tensor) -> Result<Tensor> {
            x.mul(&self.scale)
        }
        fn initialize(&self, _: &Tensor) -> Result<()> {
            self.runs.fetch_add(1, SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(20));
            self.scale.set_data(&Tensor::ones([1])?)
        }
    }
    let scale = Parameter::uninitialized(DType::F32, Device::Cpu)?;
    let m = Slow { core: Core::lazy(), scale, runs: Arc::default() };
    let start = Barrier::new(4);
    std::thread::scope(|scope| {
        let call = || {
            start.wait();
            m.call(Tensor::ones([1])?)?.item::<f32>()
        };
        let calls: Vec<_> = (0..4).map(|_| scope.spawn(call)).collect();
        calls.into_iter().try_for_each(|c| c.join().expect("no panic").map(|y| assert_eq!(y, 1.0)))
    })?;
    assert_eq!(m.runs.load(SeqCst), 1);
    Ok(())
}
