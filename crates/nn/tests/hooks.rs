//! Forward and backward hooks: order, replacement, removal, errors.

mod common;

use common::{Mlp, constant_linear, message, values};
use firebrick::nn::{self, HookOptions};
use firebrick::prelude::*;
use std::sync::{Arc, Mutex, MutexGuard};

/// Global hooks see the modules of every test, so the tests of this file take turns.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, text: impl Into<String>) {
        self.0.lock().expect("log").push(text.into());
    }
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("log"))
    }
}

/// Doubles its input; fails when that has two elements.
#[derive(Module)]
struct Double {
    core: Core,
    #[module(skip)]
    log: Log,
}

impl Double {
    fn new(log: &Log) -> Self {
        Double { core: Core::new(), log: log.clone() }
    }
}

impl nn::Forward for Double {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        if x.numel() == 2 {
            return Err(Error::runtime("item", "a Tensor with 2 elements cannot be converted to Scalar"));
        }
        self.log.add(format!("forward {}", x.item::<f32>()?));
        x.mul(2.0)
    }
}

fn scalar(value: f32) -> Result<Tensor> {
    Tensor::new([value])
}

#[test]
fn hooks_run_in_order_and_prepended_ones_first() -> Result<()> {
    let _turn = turn();
    let log = Log::default();
    let m = Double::new(&log);
    let pre = |name: &'static str| {
        let log = log.clone();
        move |_: &dyn Module, _: &Tensor| {
            log.add(name);
            Ok(None)
        }
    };
    let post = |name: &'static str| {
        let log = log.clone();
        move |_: &dyn Module, _: &Tensor, _: Option<&Tensor>| {
            log.add(name);
            Ok(None)
        }
    };
    m.register_forward_pre_hook(pre("pre A"));
    m.register_forward_pre_hook(pre("pre B"));
    m.register_forward_hook_with(HookOptions::new(), post("post C"));
    m.register_forward_hook_with(HookOptions::new(), post("post D"));
    assert_eq!(values(&m.call(scalar(1.0)?)?), [2.0]);
    assert_eq!(log.take(), ["pre A", "pre B", "forward 1", "post C", "post D"]);
    let first = HookOptions::new().prepend(true);
    m.register_forward_pre_hook_with(first, pre("pre first"));
    m.register_forward_hook_with(first, post("post first"));
    m.call(scalar(1.0)?)?;
    assert_eq!(log.take(), ["pre first", "pre A", "pre B", "forward 1", "post first", "post C", "post D"]);
    Ok(())
}

#[test]
fn hooks_replace_inputs_and_outputs() -> Result<()> {
    let _turn = turn();
    let log = Log::default();
    let m = Double::new(&log);
    m.register_forward_pre_hook(|_, x| Ok(Some(x.add(4.0)?)));
    m.register_forward_hook(|_, _, y| Ok(Some(y.add(100.0)?)));
    let seen = log.clone();
    m.register_forward_hook(move |_, x, y| {
        seen.add(format!("sees {} and {}", x.item::<f32>()?, y.item::<f32>()?));
        Ok(None)
    });
    assert_eq!(values(&m.call(scalar(1.0)?)?), [110.0]);
    assert_eq!(log.take(), ["forward 5", "sees 5 and 110"]);
    Ok(())
}

#[test]
fn always_called_hooks_run_after_errors_and_their_own_give_way() -> Result<()> {
    let _turn = turn();
    let log = Log::default();
    let m = Double::new(&log);
    let always = HookOptions::new().always_call(true);
    let (normal, called) = (log.clone(), log.clone());
    m.register_forward_hook(move |_, _, _| {
        normal.add("normal");
        Ok(None)
    });
    m.register_forward_hook_with(always, move |_, _, y| {
        called.add(format!("always, output {}", y.is_some()));
        Ok(None)
    });
    let failing = m.register_forward_hook_with(always, |_, _, _| Err(Error::runtime("hook", "the hook's own")));
    let error = message(m.call(Tensor::zeros([2])?));
    assert_eq!(error, "a Tensor with 2 elements cannot be converted to Scalar");
    assert_eq!(log.take(), ["always, output false"]);
    assert_eq!(message(m.call(scalar(1.0)?)), "the hook's own");
    assert_eq!(log.take(), ["forward 1", "normal", "always, output true"]);
    failing.remove();
    m.register_forward_pre_hook(|_, _| Err(Error::runtime("hook", "a pre hook's")));
    assert_eq!(message(m.call(scalar(1.0)?)), "a pre hook's");
    assert_eq!(log.take(), ["always, output false"]);
    Ok(())
}

#[test]
fn handles_take_hooks_off() -> Result<()> {
    let _turn = turn();
    let log = Log::default();
    let m = Double::new(&log);
    let hook = |log: &Log| {
        let log = log.clone();
        move |_: &dyn Module, _: &Tensor| {
            log.add("hook");
            Ok(None)
        }
    };
    let handle = m.register_forward_pre_hook(hook(&log));
    m.call(scalar(1.0)?)?;
    handle.remove();
    handle.remove();
    m.call(scalar(1.0)?)?;
    {
        let _scoped = m.register_forward_pre_hook(hook(&log)).scoped();
        m.call(scalar(1.0)?)?;
    }
    m.call(scalar(1.0)?)?;
    nn::Forward::forward(&m, scalar(1.0)?)?;
    assert_eq!(log.take().iter().filter(|line| *line == "hook").count(), 2);
    drop(m);
    handle.remove();
    Ok(())
}

#[test]
fn a_hook_may_take_itself_off_and_add_others() -> Result<()> {
    let _turn = turn();
    let log = Log::default();
    let m = Arc::new(Double::new(&log));
    let own: Arc<Mutex<Option<nn::HookHandle>>> = Arc::default();
    let (handle, module, inner) = (own.clone(), Arc::downgrade(&m), log.clone());
    *own.lock().expect("lock") = Some(m.register_forward_pre_hook(move |_, _| {
        inner.add("once");
        if let Some(handle) = handle.lock().expect("lock").take() {
            handle.remove();
        }
        let (module, inner) = (module.upgrade().expect("alive"), inner.clone());
        module.register_forward_hook(move |_, _, _| {
            inner.add("added");
            Ok(None)
        });
        Ok(None)
    }));
    m.call(scalar(1.0)?)?;
    m.call(scalar(1.0)?)?;
    assert_eq!(log.take(), ["once", "forward 1", "added", "forward 1", "added"]);
    Ok(())
}

#[test]
fn parents_surround_their_children() -> Result<()> {
    let _turn = turn();
    let log = Log::default();
    let net = nn::Sequential::new().add(nn::ReLU::new()).add(nn::Sequential::new().add(nn::ReLU::new()));
    for (name, module) in net.named_modules() {
        let name = if name.is_empty() { "root".to_owned() } else { name };
        let (before, after) = (format!("pre {name}"), format!("post {name}"));
        let (pre, post) = (log.clone(), log.clone());
        module.register_forward_pre_hook_any(HookOptions::new(), move |_, _| {
            pre.add(before.clone());
            Ok(())
        });
        module.register_forward_hook_any(HookOptions::new(), move |_, _, _| {
            post.add(after.clone());
            Ok(())
        });
    }
    net.call(scalar(1.0)?)?;
    let expected = ["pre root", "pre 0", "post 0", "pre 1", "pre 1.0", "post 1.0", "post 1", "post root"];
    assert_eq!(log.take(), expected);
    Ok(())
}

#[test]
fn untyped_hooks_see_and_replace_tensors() -> Result<()> {
    let _turn = turn();
    let m = Mlp { core: Core::new(), fc1: constant_linear(2, 2, 1.0, 0.0)?, fc2: constant_linear(2, 1, 1.0, 0.0)? };
    m.get_submodule("fc2")?.register_forward_hook_any(HookOptions::new(), |module, input, output| {
        assert!(module.is::<nn::Linear>() && input.tensors().len() == 1);
        let mut outcome = Ok(());
        if let Some(output) = output {
            output.visit_tensors_mut(&mut |t| match t.add(1.0) {
                Ok(new) => *t = new,
                Err(error) => outcome = Err(error),
            });
        }
        outcome
    });
    assert_eq!(values(&m.call(Tensor::ones([1, 2])?)?.detach()), [5.0]);
    Ok(())
}

#[test]
fn a_typed_hook_is_passed_over_by_another_forward() -> Result<()> {
    let _turn = turn();
    #[derive(Module)]
    struct Two {
        core: Core,
    }
    impl nn::Forward for Two {
        fn forward(&self, x: Tensor) -> Result<Tensor> {
            Ok(x)
        }
    }
    impl nn::Forward<(Tensor, Tensor)> for Two {
        fn forward(&self, (x, y): (Tensor, Tensor)) -> Result<Tensor> {
            x.add(&y)
        }
    }
    let (m, x) = (Two { core: Core::new() }, scalar(1.0)?);
    m.register_forward_hook(|_, _: &Tensor, y: &Tensor| Ok(Some(y.mul(10.0)?)));
    assert_eq!(values(&m.call(&x)?), [10.0]);
    assert_eq!(values(&m.call((&x, &x))?), [2.0]);
    Ok(())
}

/// A 2-to-1 layer with weight [3, 5], and an input that records.
fn layer_and_input() -> Result<(nn::Linear, Tensor)> {
    let layer = nn::Linear::builder(2, 1).bias(false).build()?;
    layer.weight.set_data(&Tensor::new([[3.0f32, 5.0]])?)?;
    let x = Tensor::new([[1.0f32, 2.0]])?;
    x.requires_grad_(true)?;
    Ok((layer, x))
}

fn grad(tensor: &Tensor) -> Vec<f32> {
    tensor.grad().map(|g| values(&g)).unwrap_or_default()
}

#[test]
fn backward_hooks_run_in_order_and_may_replace_gradients() -> Result<()> {
    let _turn = turn();
    let (layer, x) = layer_and_input()?;
    let log = Log::default();
    for name in ["pre A", "pre B"] {
        let log = log.clone();
        layer.register_full_backward_pre_hook(HookOptions::new(), move |module, grad_output| {
            log.add(format!("{name} {} {}", module.type_name(), grad_output.len()));
            Ok(None)
        });
    }
    for name in ["post C", "post D"] {
        let log = log.clone();
        layer.register_full_backward_hook(HookOptions::new(), move |_, grad_input, grad_output| {
            let shape = |grads: &nn::Gradients| grads[0].as_ref().map(|g| g.shape().to_string());
            log.add(format!("{name} {:?} {:?}", shape(grad_input), shape(grad_output)));
            Ok(None)
        });
    }
    layer.call(&x)?.sum()?.backward()?;
    let shapes = "Some(\"torch.Size([1, 2])\") Some(\"torch.Size([1, 1])\")";
    let expected = [
        "pre A Linear 1".to_owned(),
        "pre B Linear 1".to_owned(),
        format!("post C {shapes}"),
        format!("post D {shapes}"),
    ];
    assert_eq!(log.take(), expected);
    assert_eq!((grad(&x), grad(&layer.weight)), (vec![3.0, 5.0], vec![1.0, 2.0]));
    layer.register_full_backward_hook(HookOptions::new(), |_, grad_input, _| {
        Ok(Some(vec![grad_input[0].as_ref().map(|g| g.mul(2.0)).transpose()?]))
    });
    x.set_grad(None)?;
    layer.call(&x)?.sum()?.backward()?;
    assert_eq!(grad(&x), [6.0, 10.0]);
    Ok(())
}

#[test]
fn a_wrong_number_of_gradients_is_pytorchs_error() -> Result<()> {
    let _turn = turn();
    let (layer, x) = layer_and_input()?;
    let handle = layer.register_full_backward_hook(HookOptions::new(), |_, _, _| Ok(Some(vec![None, None])));
    assert_eq!(
        message(layer.call(&x)?.sum()?.backward()),
        "Backward hook returned an invalid number of grad_input, got 2, but expected 1"
    );
    assert!(x.grad().is_none());
    assert_eq!(grad(&layer.weight), [1.0, 2.0]);
    handle.remove();
    layer.register_full_backward_pre_hook(HookOptions::new(), |_, _| Ok(Some(Vec::new())));
    assert_eq!(
        message(layer.call(&x)?.sum()?.backward()),
        "Backward pre hook returned an invalid number of grad_output, got 0, but expected 1"
    );
    Ok(())
}

#[test]
fn what_passed_through_a_backward_hook_may_not_change_in_place() -> Result<()> {
    let _turn = turn();
    let (layer, x) = layer_and_input()?;
    layer.register_full_backward_hook(HookOptions::new(), |_, _, _| Ok(None));
    let y = layer.call(&x)?;
    let error = message(y.mul_(2.0).map(drop));
    assert!(error.starts_with("Output 0 of BackwardHookFunction is a view and is being modified inplace."), "{error}");
    y.copy()?.mul_(2.0)?;
    Ok(())
}

#[test]
fn backward_hooks_run_from_the_last_module_to_the_first() -> Result<()> {
    let _turn = turn();
    let net = nn::Sequential::new().add(nn::Linear::new(2, 2)?).add(nn::Linear::new(2, 1)?);
    let log = Log::default();
    for (name, module) in net.named_modules() {
        let (log, name) = (log.clone(), if name.is_empty() { "root".to_owned() } else { name });
        module.register_full_backward_hook(HookOptions::new(), move |_, _, _| {
            log.add(name.clone());
            Ok(None)
        });
    }
    let (_, x) = layer_and_input()?;
    net.call(&x)?.sum()?.backward()?;
    assert_eq!(log.take(), ["1", "0", "root"]);
    x.set_grad(None)?;
    net.call(x.detach())?.sum()?.backward()?;
    assert_eq!(log.take().len(), 3, "they also run when no input requires a gradient");
    autograd::no_grad(|| net.call(&x))?;
    assert!(log.take().is_empty());
    Ok(())
}

#[test]
fn global_hooks_see_every_module_before_its_own_hooks() -> Result<()> {
    let _turn = turn();
    let log = Log::default();
    let (layer, x) = layer_and_input()?;
    let (a, b, c, d, own) = (log.clone(), log.clone(), log.clone(), log.clone(), log.clone());
    let handles = [
        nn::register_module_forward_pre_hook(move |m, _| {
            a.add(format!("pre {}", m.type_name()));
            Ok(())
        }),
        nn::register_module_forward_hook(HookOptions::new(), move |m, _, _| {
            b.add(format!("post {}", m.type_name()));
            Ok(())
        }),
        nn::register_module_full_backward_pre_hook(move |m, _| {
            c.add(format!("backward pre {}", m.type_name()));
            Ok(None)
        }),
        nn::register_module_full_backward_hook(move |m, _, _| {
            d.add(format!("backward {}", m.type_name()));
            Ok(None)
        }),
    ];
    layer.register_forward_pre_hook(move |_, _| {
        own.add("own");
        Ok(None)
    });
    layer.call(&x)?.sum()?.backward()?;
    let expected = ["pre Linear", "own", "post Linear", "backward pre Linear", "backward Linear"];
    assert_eq!(log.take(), expected);
    handles.iter().for_each(nn::HookHandle::remove);
    layer.call(&x)?;
    assert_eq!(log.take(), ["own"]);
    Ok(())
}

#[test]
fn global_backward_hooks_come_first_and_prepended_ones_before_the_modules_others() -> Result<()> {
    let _turn = turn();
    let log = Log::default();
    let (layer, x) = layer_and_input()?;
    let pre = |text: &'static str| {
        let log = log.clone();
        move |_: &nn::ModuleInfo, _: &[nn::Gradient]| {
            log.add(text);
            Ok(None)
        }
    };
    let post = |text: &'static str| {
        let log = log.clone();
        move |_: &nn::ModuleInfo, _: &[nn::Gradient], _: &[nn::Gradient]| {
            log.add(text);
            Ok(None)
        }
    };
    let global = [
        nn::register_module_full_backward_pre_hook(pre("global pre")),
        nn::register_module_full_backward_hook(post("global")),
    ];
    let first = HookOptions::new().prepend(true);
    layer.register_full_backward_pre_hook(HookOptions::new(), pre("pre"));
    layer.register_full_backward_hook(HookOptions::new(), post("post"));
    layer.register_full_backward_pre_hook(first, pre("first pre"));
    layer.register_full_backward_hook(first, post("first post"));
    layer.call(&x)?.sum()?.backward()?;
    global.iter().for_each(nn::HookHandle::remove);
    assert_eq!(log.take(), ["global pre", "first pre", "pre", "global", "first post", "post"]);
    Ok(())
}

#[test]
fn always_called_hooks_run_after_a_failing_hook_of_either_kind() -> Result<()> {
    let _turn = turn();
    let log = Log::default();
    let always = |m: &Double| {
        let log = log.clone();
        let options = HookOptions::new().always_call(true);
        m.register_forward_hook_with(options, move |_, _: &Tensor, output: Option<&Tensor>| {
            log.add(format!("always {}", output.is_some()));
            Ok(None)
        });
    };
    let failing = || Error::runtime("hook", "boom");
    let m = Double::new(&log);
    always(&m);
    let handle = m.register_forward_pre_hook(move |_, _: &Tensor| Err(failing()));
    assert_eq!(message(m.call(scalar(1.0)?)), "boom");
    assert_eq!(log.take(), ["always false"], "there is no output yet");
    handle.remove();
    m.register_forward_hook(move |_, _: &Tensor, _: &Tensor| Err(failing()));
    always(&m);
    assert_eq!(message(m.call(scalar(1.0)?)), "boom");
    assert_eq!(log.take(), ["forward 1", "always true", "always true"]);
    Ok(())
}

#[test]
fn warnings_of_always_called_hooks_can_be_caught() -> Result<()> {
    let _turn = turn();
    let m = Double::new(&Log::default());
    let options = HookOptions::new().always_call(true);
    m.register_forward_hook_with(options, |_, _: &Tensor, _: Option<&Tensor>| Err(Error::runtime("hook", "later")));
    let (result, warnings) = firebrick::catch_warnings(|| m.call(Tensor::ones([2])?));
    assert_eq!(message(result), "a Tensor with 2 elements cannot be converted to Scalar");
    assert_eq!(
        warnings,
        ["module forward hook with ``always_call=True`` raised an exception that was silenced as another error was \
          raised in forward: later"]
    );
    Ok(())
}
