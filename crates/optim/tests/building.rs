//! What optimizers refuse, print, save and load, against PyTorch 2.15.

use firebrick::prelude::*;
use firebrick::{ErrorKind, Value};
use optim::{
    ASGD, Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, LBFGS, Muon, NAdam, OptimizerCore, ParamGroup, RAdam,
    RMSprop, Rprop, SGD,
};
use std::sync::{Arc, Mutex};

fn leaf(value: f32) -> Result<Parameter> {
    Ok(Parameter::new(Tensor::new([value])?))
}

#[track_caller]
fn refused<O: Optimizer>(built: Result<O>, text: &str) {
    let error = built.err().expect("PyTorch raises ValueError here");
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Value, text));
}

#[test]
fn options_outside_their_domain_are_refused_in_pytorch_s_words() -> Result<()> {
    let p = &leaf(1.0)?;
    refused(SGD::new([p], -1).build(), "Invalid learning rate: -1");
    refused(SGD::new([p], 0.1).momentum(-1).build(), "Invalid momentum value: -1");
    refused(SGD::new([p], 0.1).weight_decay(-0.5).build(), "Invalid weight_decay value: -0.5");
    let nesterov = "Nesterov momentum requires a momentum and zero dampening";
    refused(SGD::new([p], 0.1).nesterov(true).build(), nesterov);
    refused(SGD::new([p], 0.1).nesterov(true).momentum(0.9).dampening(0.1).build(), nesterov);
    refused(Adam::new([p], -1).build(), "Invalid learning rate: -1");
    refused(Adam::new([p], f64::NAN).build(), "Invalid learning rate: nan");
    refused(Adam::new([p], 0.1).betas((1.0, 0.9)).build(), "Invalid beta parameter at index 0: 1.0");
    refused(Adam::new([p], 0.1).betas((0.9, 1.0)).build(), "Invalid beta parameter at index 1: 1.0");
    refused(AdamW::new([p], 0.1).eps(-1).build(), "Invalid epsilon value: -1");
    refused(AdamW::new([p], 0.1).weight_decay(-1).build(), "Invalid weight_decay value: -1");
    Ok(())
}

#[test]
fn every_optimizer_refuses_in_its_own_words() -> Result<()> {
    let p = &leaf(1.0)?;
    let matrix = &Parameter::new(Tensor::ones([1, 1])?);
    refused(RMSprop::new([p], 0.1).alpha(-1).build(), "Invalid alpha value: -1");
    refused(RMSprop::new([p], 0.1).momentum(-1).build(), "Invalid momentum value: -1");
    refused(Adagrad::new([p], 0.1).lr_decay(-1).build(), "Invalid lr_decay value: -1");
    let first = "Invalid initial_accumulator_value value: -1";
    refused(Adagrad::new([p], 0.1).initial_accumulator_value(-1).build(), first);
    refused(Adadelta::new([p], 0.1).rho(2).build(), "Invalid rho value: 2");
    refused(NAdam::new([p], 0.1).momentum_decay(-1).build(), "Invalid momentum_decay value: -1");
    refused(RAdam::new([p], -0.1).build(), "Invalid learning rate: -0.1");
    refused(Adamax::new([p], 0.1).betas((-0.5, 0.9)).build(), "Invalid beta parameter at index 0: -0.5");
    refused(ASGD::new([p], 0.1).lambd(-1).build(), "Invalid lambd value: -1");
    refused(Rprop::new([p], 0.1).etas((1.2, 0.5)).build(), "Invalid eta values: 1.2, 0.5");
    refused(Adafactor::new([p], -1).build(), "Learning rate should be >= 0 but is: -1");
    refused(Adafactor::new([p], 0.1).beta2_decay(0.5).build(), "beta2_decay should be <= 0 but is: 0.5");
    refused(Adafactor::new([p], 0.1).eps(Some(-1.0), 0.1).build(), "epsilon1 should be >= 0 but is: -1.0");
    refused(Adafactor::new([p], 0.1).d(0.5).build(), "Clipping threshold d should be >= 1 but is: 0.5");
    refused(Muon::new([matrix], 0.1).momentum(-1).build(), "momentum should be >= 0 but is: -1");
    let other = "Adjust learning rate function other is not supported";
    refused(Muon::new([matrix], 0.1).adjust_lr_fn("other").build(), other);
    let groups = [ParamGroup::new([p]), ParamGroup::new([matrix])];
    refused(LBFGS::new(groups, 1).build(), "LBFGS doesn't support per-parameter options (parameter groups)");
    refused(SGD::new([p], Tensor::ones([2])?).build(), "Tensor lr must be 1-element");
    Ok(())
}

#[test]
fn options_of_a_step_are_refused_before_it() -> Result<()> {
    let matrix = &Parameter::new(Tensor::ones([1, 1])?);
    matrix.set_grad(Some(&Tensor::ones([1, 1])?))?;
    let mut muon = Muon::new([matrix], 0.1).ns_steps(100).build()?;
    let error = muon.step().expect_err("too many steps");
    assert_eq!(error.to_string(), "Number of steps must be less than 100 for computational efficiency");
    let mut lbfgs = LBFGS::new([matrix], 1).line_search_fn("other").build()?;
    let error = lbfgs.step_with(&mut || matrix.sum()).expect_err("unknown");
    assert_eq!(error.to_string(), "only 'strong_wolfe' is supported");
    assert_eq!(matrix.item::<f32>()?, 1.0);
    Ok(())
}

#[test]
fn a_learning_rate_may_be_a_tensor_that_is_changed_later() -> Result<()> {
    let p = leaf(1.0)?;
    p.set_grad(Some(&Tensor::new([1.0f32])?))?;
    let lr = Tensor::scalar(0.5)?;
    let mut optimizer = SGD::new([&p], lr.clone()).build()?;
    assert!(optimizer.to_string().contains("lr: 0.5\n"), "{optimizer}");
    optimizer.step()?;
    lr.fill_(0.25)?;
    optimizer.step()?;
    assert_eq!(p.item::<f32>()?, 0.25);
    optimizer.param_groups_mut()[0].set_lr(0.0)?;
    assert_eq!(lr.item::<f32>()?, 0.0);
    Ok(())
}

#[test]
fn hooks_run_around_the_step() -> Result<()> {
    let p = leaf(1.0)?;
    p.set_grad(Some(&Tensor::new([1.0f32])?))?;
    let mut optimizer = SGD::new([&p], 0.5).build()?;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = |when: &'static str| {
        let (seen, p) = (seen.clone(), p.clone());
        move |core: &mut OptimizerCore| {
            seen.lock().expect("nobody panics").push((when, p.item::<f32>()?));
            core.param_groups_mut()[0].set_lr(0.25)
        }
    };
    let before = optimizer.register_step_pre_hook(note("before"));
    let _after = optimizer.register_step_post_hook(note("after"));
    optimizer.step()?;
    before.remove();
    before.remove();
    optimizer.step_with(&mut || p.sum())?;
    let _failing = optimizer.register_step_pre_hook(|_| Err(Error::value("hook", "not now")));
    assert_eq!(optimizer.step().expect_err("the hook fails").to_string(), "not now");
    assert_eq!(*seen.lock().expect("nobody panics"), [("before", 1.0), ("after", 0.75), ("after", 0.5)]);
    Ok(())
}

#[test]
fn adagrad_has_its_state_from_the_beginning() -> Result<()> {
    let p = &leaf(1.0)?;
    let optimizer = Adagrad::new([p], 0.1).initial_accumulator_value(0.5).build()?;
    let state = optimizer.state_dict().get("state").map(Value::to_string);
    assert_eq!(state.as_deref(), Some("{0: {'step': tensor(0.), 'sum': tensor([0.5000])}}"));
    Ok(())
}

#[test]
fn parameters_that_cannot_be_optimized_are_refused() -> Result<()> {
    let (a, b) = (&leaf(1.0)?, &leaf(2.0)?);
    refused(SGD::new(Vec::<Parameter>::new(), 0.1).build(), "optimizer got an empty parameter list");
    refused(SGD::new([a.mul(2.0)?], 0.1).build(), "can't optimize a non-leaf Tensor");
    let twice = [ParamGroup::new([a]), ParamGroup::new([b, a])];
    refused(SGD::new(twice, 0.1).build(), "some parameters appear in more than one parameter group");
    // PyTorch only warns of these.
    SGD::new([a, a], 0.1).build()?;
    let retained = a.mul(2.0)?;
    retained.retain_grad()?;
    SGD::new([&retained], 0.1).build()?;

    let mut optimizer = SGD::new([a], 0.1).build()?;
    optimizer.add_param_group(ParamGroup::new([b]).lr(0.5))?;
    let lrs = optimizer.param_groups().iter().map(ParamGroup::get_lr).collect::<Result<Vec<_>>>()?;
    assert_eq!(lrs, [0.1, 0.5]);
    let error = optimizer.add_param_group(ParamGroup::new([b])).expect_err("it is there already");
    assert_eq!(error.to_string(), "some parameters appear in more than one parameter group");
    Ok(())
}

#[test]
fn names_are_for_all_or_none() -> Result<()> {
    let (a, b) = (leaf(1.0)?, leaf(2.0)?);
    let named = [("a".to_owned(), a.clone()), ("b".to_owned(), b.clone())];
    let mut optimizer = SGD::new(named, 0.1).build()?;
    let names = optimizer.param_groups()[0].get("param_names").map(Value::to_string);
    assert_eq!(names.as_deref(), Some("['a', 'b']"));
    let error = optimizer.add_param_group(ParamGroup::new([&leaf(3.0)?])).expect_err("it has no name");
    assert_eq!(
        error.to_string(),
        "all optimizer param groups should be with/without names. cannot add param group without names to the optimizer"
    );
    Ok(())
}

#[test]
fn optimizers_print_as_in_pytorch() -> Result<()> {
    let p = &leaf(1.0)?;
    let group = ParamGroup::new([p]).weight_decay(0.1).option("name", "w");
    assert_eq!(
        SGD::new([group], 0.1).momentum(0.9).build()?.to_string(),
        "SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n    foreach: None\n    fused: None\n    lr: 0.1\n    maximize: False\n    momentum: 0.9\n    name: w\n    nesterov: False\n    weight_decay: 0.1\n)"
    );
    assert_eq!(
        Adam::new([p], 0.001).build()?.to_string(),
        "Adam (\nParameter Group 0\n    amsgrad: False\n    betas: (0.9, 0.999)\n    capturable: False\n    decoupled_weight_decay: False\n    differentiable: False\n    eps: 1e-08\n    foreach: None\n    fused: None\n    lr: 0.001\n    maximize: False\n    weight_decay: 0\n)"
    );
    let adamw = AdamW::new([p], 0.001).build()?.to_string();
    assert!(adamw.starts_with("AdamW (") && adamw.contains("weight_decay: 0.01\n"), "{adamw}");
    Ok(())
}

#[test]
fn the_state_dict_has_pytorch_s_structure() -> Result<()> {
    let p = &leaf(1.0)?;
    let mut optimizer = Adam::new([p], 0.1).amsgrad(true).build()?;
    p.set_grad(Some(&Tensor::new([2.0f32])?))?;
    optimizer.step()?;
    assert_eq!(
        optimizer.state_dict().to_string(),
        "{'state': {0: {'step': tensor(1.), 'exp_avg': tensor([0.2000]), 'exp_avg_sq': tensor([0.0040]), 'max_exp_avg_sq': tensor([0.0040])}}, 'param_groups': [{'lr': 0.1, 'betas': (0.9, 0.999), 'eps': 1e-08, 'weight_decay': 0, 'amsgrad': True, 'maximize': False, 'foreach': None, 'capturable': False, 'differentiable': False, 'fused': None, 'decoupled_weight_decay': False, 'params': [0]}]}"
    );
    let q = &leaf(2.0)?;
    let groups = [ParamGroup::new([p]).weight_decay(0.1).option("name", "w"), ParamGroup::new([q])];
    assert_eq!(
        SGD::new(groups, 0.1).momentum(0.9).build()?.state_dict().to_string(),
        "{'state': {}, 'param_groups': [{'weight_decay': 0.1, 'name': 'w', 'lr': 0.1, 'momentum': 0.9, 'dampening': 0, 'nesterov': False, 'maximize': False, 'foreach': None, 'differentiable': False, 'fused': None, 'params': [0]}, {'lr': 0.1, 'momentum': 0.9, 'dampening': 0, 'weight_decay': 0, 'nesterov': False, 'maximize': False, 'foreach': None, 'differentiable': False, 'fused': None, 'params': [1]}]}"
    );
    Ok(())
}

/// Trains two parameters by their own values.
fn train(optimizer: &mut Adam, params: &[Parameter], steps: usize) -> Result<()> {
    for _ in 0..steps {
        for p in params {
            p.set_grad(Some(&p.detach().copy()?))?;
        }
        optimizer.step()?;
    }
    Ok(())
}

#[test]
fn a_loaded_optimizer_goes_on_where_the_saved_one_stopped() -> Result<()> {
    let make = || -> Result<(Vec<Parameter>, Adam)> {
        let params = vec![leaf(1.0)?, leaf(-2.0)?];
        let optimizer = Adam::new(&params, 0.1).amsgrad(true).build()?;
        Ok((params, optimizer))
    };
    let ((params, mut whole), (others, mut part)) = (make()?, make()?);
    train(&mut whole, &params, 6)?;
    train(&mut part, &others, 3)?;
    let mut resumed = Adam::new(&others, 0.7).build()?;
    resumed.load_state_dict(&part.state_dict())?;
    assert_eq!(resumed.param_groups()[0].get_lr()?, 0.1);
    train(&mut resumed, &others, 3)?;
    for (a, b) in params.iter().zip(&others) {
        assert_eq!(a.to_vec::<f32>()?, b.to_vec::<f32>()?);
    }
    // The two do not share their state.
    let count = |optimizer: &Adam| optimizer.state(&others[0]).and_then(|s| s["step"].as_tensor().cloned());
    assert_eq!(count(&part).map(|t| t.item::<f32>()).transpose()?, Some(3.0));
    assert_eq!(count(&resumed).map(|t| t.item::<f32>()).transpose()?, Some(6.0));
    Ok(())
}

#[test]
fn loading_converts_state_to_its_parameter_but_for_the_count() -> Result<()> {
    let (p, q) = (leaf(1.0)?, Parameter::new(Tensor::new([1.0f64])?));
    let mut single = Adam::new([&p], 0.1).build()?;
    train(&mut single, std::slice::from_ref(&p), 1)?;
    let mut double = Adam::new([&q], 0.1).build()?;
    double.load_state_dict(&single.state_dict())?;
    let dtype = |name: &str| double.state(&q).and_then(|state| state[name].as_tensor().map(|t| t.dtype()));
    assert_eq!((dtype("exp_avg"), dtype("step")), (Some(DType::F64), Some(DType::F32)));
    Ok(())
}

#[test]
fn state_dicts_of_other_optimizers_are_refused_and_change_nothing() -> Result<()> {
    let (a, b) = (leaf(1.0)?, leaf(2.0)?);
    let mut optimizer = SGD::new([&a], 0.1).build()?;
    let two_groups = SGD::new([ParamGroup::new([&a]), ParamGroup::new([&b])], 0.5).build()?.state_dict();
    let error = optimizer.load_state_dict(&two_groups).expect_err("two groups");
    assert_eq!(error.to_string(), "loaded state dict has a different number of parameter groups");
    let two_params = SGD::new([&a, &b], 0.5).build()?.state_dict();
    let error = optimizer.load_state_dict(&two_params).expect_err("two parameters");
    assert_eq!(
        error.to_string(),
        "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
    );
    let error = optimizer.load_state_dict(&Value::dict([("state", Value::None)])).expect_err("no groups");
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Key, "'param_groups'"));
    assert_eq!(optimizer.param_groups()[0].get_lr()?, 0.1);
    Ok(())
}
