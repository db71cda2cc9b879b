//! Schedulers against PyTorch 2.15: the same learning rates to the last bit.

use firebrick::prelude::*;
use firebrick::{ErrorKind, Value};
use optim::lr_scheduler::{
    ChainedScheduler, ConstantLR, CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR, ExponentialLR, LambdaLR,
    LinearLR, LrScheduler, MultiStepLR, MultiplicativeLR, OneCycleLR, PolynomialLR, ReduceLROnPlateau, SWALR, Schedule,
    SequentialLR, StepLR,
};
use optim::{Adam, ParamGroup, SGD};

type Build = fn(&mut SGD) -> Result<Box<dyn LrScheduler>>;

fn boxed(scheduler: impl LrScheduler + 'static) -> Result<Box<dyn LrScheduler>> {
    Ok(Box::new(scheduler))
}

fn sequential(o: &mut SGD) -> Result<SequentialLR> {
    let first = LinearLR::new().start_factor(0.1).total_iters(3).build(o)?;
    let (second, third) = (CosineAnnealingLR::new(4).build(o)?, StepLR::new(1).gamma(0.5).build(o)?);
    SequentialLR::new(o, vec![Box::new(first), Box::new(second), Box::new(third)], vec![3, 6])
}

fn chained(o: &mut SGD) -> Result<ChainedScheduler> {
    let first = LinearLR::new().start_factor(0.5).total_iters(3).build(o)?;
    let second = StepLR::new(2).gamma(0.5).build(o)?;
    ChainedScheduler::new(o, vec![Box::new(first), Box::new(second)])
}

fn nested(o: &mut SGD) -> Result<SequentialLR> {
    let first = ConstantLR::new().factor(0.5).total_iters(2).build(o)?;
    let second = ExponentialLR::new(0.9).build(o)?;
    let chain = ChainedScheduler::new(o, vec![Box::new(first), Box::new(second)])?;
    let last = ExponentialLR::new(0.5).build(o)?;
    SequentialLR::new(o, vec![Box::new(chain), Box::new(last)], vec![3])
}

/// Schedulers, the learning rates of nine epochs from 0.1, and the momentum at epoch 5, by PyTorch.
fn cases() -> Vec<(Build, &'static [f64], f64)> {
    vec![
        (|o| boxed(StepLR::new(3).gamma(0.5).build(o)?), &[0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025], 0.9),
        (
            |o| boxed(MultiStepLR::new([2, 4, 4]).gamma(0.3).build(o)?),
            &[
                0.1,
                0.1,
                0.03,
                0.03,
                0.0026999999999999997,
                0.0026999999999999997,
                0.0026999999999999997,
                0.0026999999999999997,
                0.0026999999999999997,
            ],
            0.9,
        ),
        (
            |o| boxed(ConstantLR::new().build(o)?),
            &[
                0.03333333333333333,
                0.03333333333333333,
                0.03333333333333333,
                0.03333333333333333,
                0.03333333333333333,
                0.1,
                0.1,
                0.1,
                0.1,
            ],
            0.9,
        ),
        (
            |o| boxed(ConstantLR::new().factor(0.7).total_iters(0).build(o)?),
            &[
                0.06999999999999999,
                0.06999999999999999,
                0.06999999999999999,
                0.06999999999999999,
                0.06999999999999999,
                0.06999999999999999,
                0.06999999999999999,
                0.06999999999999999,
                0.06999999999999999,
            ],
            0.9,
        ),
        (
            |o| boxed(LinearLR::new().build(o)?),
            &[
                0.03333333333333333,
                0.04666666666666667,
                0.060000000000000005,
                0.07333333333333335,
                0.08666666666666668,
                0.1,
                0.1,
                0.1,
                0.1,
            ],
            0.9,
        ),
        (
            |o| boxed(LinearLR::new().start_factor(0.9).end_factor(0.1).total_iters(4).build(o)?),
            &[
                0.09000000000000001,
                0.07,
                0.049999999999999996,
                0.029999999999999995,
                0.009999999999999993,
                0.009999999999999993,
                0.009999999999999993,
                0.009999999999999993,
                0.009999999999999993,
            ],
            0.9,
        ),
        (
            |o| boxed(ExponentialLR::new(0.9).build(o)?),
            &[
                0.1,
                0.09000000000000001,
                0.08100000000000002,
                0.07290000000000002,
                0.06561000000000002,
                0.05904900000000002,
                0.05314410000000002,
                0.04782969000000002,
                0.043046721000000024,
            ],
            0.9,
        ),
        (
            |o| boxed(PolynomialLR::new().build(o)?),
            &[0.1, 0.08000000000000002, 0.060000000000000005, 0.04000000000000001, 0.02, 0.0, 0.0, 0.0, 0.0],
            0.9,
        ),
        (
            |o| boxed(PolynomialLR::new().total_iters(7).power(2.5).build(o)?),
            &[
                0.1,
                0.06801943590165686,
                0.04312011503716921,
                0.02468339415570463,
                0.012024251094636318,
                0.004363448847549786,
                0.0007713560673657708,
                0.0,
                0.0,
            ],
            0.9,
        ),
        (
            |o| boxed(CosineAnnealingLR::new(3).build(o)?),
            &[
                0.1,
                0.07500000000000001,
                0.025000000000000015,
                0.0,
                0.024999999999999994,
                0.07500000000000005,
                0.10000000000000006,
                0.07500000000000007,
                0.025000000000000053,
            ],
            0.9,
        ),
        (
            |o| boxed(CosineAnnealingLR::new(4).eta_min(0.02).build(o)?),
            &[
                0.1,
                0.08828427124746191,
                0.06,
                0.0317157287525381,
                0.02,
                0.0317157287525381,
                0.06000000000000001,
                0.08828427124746194,
                0.10000000000000005,
            ],
            0.9,
        ),
        (
            |o| boxed(CosineAnnealingWarmRestarts::new(2).build(o)?),
            &[0.1, 0.05, 0.1, 0.05, 0.1, 0.05, 0.1, 0.05, 0.1],
            0.9,
        ),
        (
            |o| boxed(CosineAnnealingWarmRestarts::new(2).t_mult(2).eta_min(0.01).build(o)?),
            &[
                0.1,
                0.05500000000000001,
                0.1,
                0.08681980515339464,
                0.05500000000000001,
                0.023180194846605363,
                0.1,
                0.0965745789630079,
                0.08681980515339464,
            ],
            0.9,
        ),
        (
            |o| boxed(CyclicLR::new(0.01, 0.1).step_size_up(2).build(o)?),
            &[
                0.01,
                0.05500000000000001,
                0.1,
                0.05500000000000001,
                0.01,
                0.05500000000000001,
                0.1,
                0.05500000000000001,
                0.01,
            ],
            0.8500000000000001,
        ),
        (
            |o| boxed(CyclicLR::new(0.01, 0.1).step_size_up(2).step_size_down(Some(3)).mode("triangular2").build(o)?),
            &[
                0.01,
                0.055,
                0.09999999999999999,
                0.06999999999999999,
                0.039999999999999994,
                0.01,
                0.03250000000000002,
                0.055,
                0.039999999999999994,
            ],
            0.9,
        ),
        (
            |o| boxed(CyclicLR::new(0.01, 0.1).step_size_up(3).mode("exp_range").gamma(0.9).build(o)?),
            &[
                0.01,
                0.03700000000000001,
                0.0586,
                0.07561000000000001,
                0.04936600000000002,
                0.027714699999999988,
                0.01,
                0.02434890700000003,
                0.03582803259999999,
            ],
            0.880317,
        ),
        (
            |o| boxed(CyclicLR::new([0.01], [0.1]).step_size_up(2).scale_fn(|x| 1.0 / x).build(o)?),
            &[0.01, 0.05500000000000001, 0.1, 0.05500000000000001, 0.01, 0.0325, 0.05500000000000001, 0.0325, 0.01],
            0.875,
        ),
        (
            |o| boxed(OneCycleLR::new(0.2, 8).build(o)?),
            &[
                0.008000000000000007,
                0.16385502097843843,
                0.19438835547750463,
                0.1623491307899526,
                0.11119680282454032,
                0.056612199641739844,
                0.015328318766851281,
                8e-07,
                0.015328318766851269,
            ],
            0.9216941869558779,
        ),
        (
            |o| {
                boxed(
                    OneCycleLR::of_epochs(0.2, 2, 6)
                        .three_phase(true)
                        .anneal_strategy("linear")
                        .pct_start(0.4)
                        .build(o)?,
                )
            },
            &[
                0.008,
                0.05852631578947367,
                0.10905263157894735,
                0.15957894736842104,
                0.1898947368421053,
                0.13936842105263164,
                0.08884210526315796,
                0.0383157894736843,
                0.007058917647058826,
            ],
            0.881578947368421,
        ),
        (
            |o| boxed(SWALR::new(0.05).anneal_epochs(3).build(o)?),
            &[0.1, 0.08750000000000001, 0.06250000000000001, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05],
            0.9,
        ),
        (
            |o| boxed(SWALR::new(0.05).anneal_epochs(0).anneal_strategy("linear").build(o)?),
            &[0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05],
            0.9,
        ),
        (
            |o| boxed(LambdaLR::new(|epoch| 0.95f64.powf(epoch as f64)).build(o)?),
            &[
                0.1,
                0.095,
                0.09025,
                0.0857375,
                0.081450625,
                0.07737809374999999,
                0.07350918906249998,
                0.06983372960937498,
                0.06634204312890622,
            ],
            0.9,
        ),
        (
            |o| boxed(MultiplicativeLR::new(|epoch| 1.0 / epoch as f64).build(o)?),
            &[
                0.1,
                0.1,
                0.05,
                0.016666666666666666,
                0.004166666666666667,
                0.0008333333333333334,
                0.0001388888888888889,
                1.984126984126984e-05,
                2.48015873015873e-06,
            ],
            0.9,
        ),
        (
            |o| boxed(sequential(o)?),
            &[0.010000000000000002, 0.04, 0.07, 0.1, 0.08535533905932738, 0.05, 0.1, 0.05, 0.025],
            0.9,
        ),
        (
            |o| boxed(chained(o)?),
            &[
                0.05,
                0.06666666666666667,
                0.041666666666666664,
                0.049999999999999996,
                0.024999999999999998,
                0.024999999999999998,
                0.012499999999999999,
                0.012499999999999999,
                0.0062499999999999995,
            ],
            0.9,
        ),
        (
            |o| boxed(nested(o)?),
            &[
                0.045000000000000005,
                0.04050000000000001,
                0.07290000000000002,
                0.1,
                0.05,
                0.025,
                0.0125,
                0.00625,
                0.003125,
            ],
            0.9,
        ),
    ]
}

fn sgd() -> Result<SGD> {
    SGD::new([Parameter::new(Tensor::new([0.0f32])?)], 0.1).momentum(0.9).build()
}

fn lr(optimizer: &SGD) -> Result<f64> {
    optimizer.param_groups()[0].get_lr()
}

#[test]
fn learning_rates_are_pytorch_s() -> Result<()> {
    for (case, (build, expected, momentum)) in cases().into_iter().enumerate() {
        let mut optimizer = sgd()?;
        let mut scheduler = build(&mut optimizer)?;
        for (epoch, expected) in expected.iter().enumerate() {
            assert_eq!(lr(&optimizer)?, *expected, "case {case}, epoch {epoch}");
            assert_eq!(scheduler.get_last_lr(), [*expected]);
            if epoch == 5 {
                assert_eq!(optimizer.param_groups()[0].number("momentum")?, momentum, "case {case}");
            }
            optimizer.step()?;
            if epoch + 1 < 9 {
                scheduler.step(&mut optimizer)?;
            }
        }
    }
    Ok(())
}

#[test]
fn a_loaded_scheduler_goes_on_where_the_saved_one_stopped() -> Result<()> {
    for (case, (build, expected, _)) in cases().into_iter().enumerate() {
        let mut optimizer = sgd()?;
        let mut scheduler = build(&mut optimizer)?;
        optimizer.step()?;
        (0..4).try_for_each(|_| scheduler.step(&mut optimizer))?;
        let mut other = sgd()?;
        let mut resumed = build(&mut other)?;
        other.step()?;
        other.load_state_dict(&optimizer.state_dict())?;
        resumed.load_state_dict(&scheduler.state_dict())?;
        assert_eq!(resumed.state_dict().to_string(), scheduler.state_dict().to_string());
        for (epoch, expected) in expected.iter().enumerate().skip(5) {
            resumed.step(&mut other)?;
            assert_eq!(lr(&other)?, *expected, "case {case}, epoch {epoch}");
        }
    }
    Ok(())
}

#[test]
fn states_are_pytorch_s() -> Result<()> {
    let optimizer = &mut sgd()?;
    let count = "'last_epoch': 0, '_step_count': 1, '_is_initial': False, '_get_lr_called_within_step': False";
    let steps = MultiStepLR::new([2, 4, 4]).build(optimizer)?.state_dict().to_string();
    let expected =
        format!("{{'milestones': {{2: 1, 4: 2}}, 'gamma': 0.1, 'base_lrs': [0.1], {count}, '_last_lr': [0.1]}}");
    assert_eq!(steps, expected);
    let lambda = LambdaLR::new(|_| 1.0).build(optimizer)?.state_dict().to_string();
    assert_eq!(lambda, format!("{{'base_lrs': [0.1], {count}, '_last_lr': [0.1], 'lr_lambdas': [None]}}"));
    let swa = SWALR::new(0.05).build(optimizer)?.state_dict().to_string();
    let expected = "{'_anneal_strategy': 'cos', 'anneal_epochs': 10, 'base_lrs': [0.1], ";
    assert!(swa.starts_with(expected), "{swa}");
    let plateau = ReduceLROnPlateau::new().build(optimizer)?.state_dict().to_string();
    assert_eq!(
        plateau,
        "{'factor': 0.1, 'default_min_lr': 0, 'min_lrs': [0], 'patience': 10, 'cooldown': 0, 'eps': 1e-08, 'last_epoch': 0, '_last_lr': [0.1], 'mode_worse': inf, 'mode': 'min', 'threshold': 0.0001, 'threshold_mode': 'rel', 'best': inf, 'cooldown_counter': 0, 'num_bad_epochs': 0}"
    );
    Ok(())
}

#[test]
fn training_goes_on_after_an_epoch() -> Result<()> {
    let mut optimizer = sgd()?;
    let error = StepLR::new(2).build_at(&mut optimizer, 3).err().expect("there is no initial_lr");
    let text = "param 'initial_lr' is not specified in param_groups[0] when resuming scheduler with last_epoch >= 0.";
    assert!(error.kind() == ErrorKind::Key && error.to_string().starts_with(text), "{error}");
    let mut scheduler = StepLR::new(2).gamma(0.5).build(&mut optimizer)?;
    optimizer.step()?;
    (0..3).try_for_each(|_| scheduler.step(&mut optimizer))?;
    let mut resumed = StepLR::new(2).gamma(0.5).build_at(&mut optimizer, 3)?;
    let mut lrs = vec![lr(&optimizer)?];
    for _ in 0..3 {
        resumed.step(&mut optimizer)?;
        lrs.push(lr(&optimizer)?);
    }
    assert_eq!(lrs, [0.025, 0.025, 0.0125, 0.0125]);
    Ok(())
}

#[test]
fn warm_restarts_take_fractions_of_epochs() -> Result<()> {
    let mut optimizer = sgd()?;
    let mut scheduler = CosineAnnealingWarmRestarts::new(2).t_mult(2).build(&mut optimizer)?;
    let expected = [0.08535533905932738, 0.030865828381745515, 0.1, 0.0691341716182545, 0.1, 0.00024076366639015913];
    for (epoch, expected) in [0.5, 1.25, 2.0, 3.5, 6.0, 13.75].into_iter().zip(expected) {
        scheduler.step_to(&mut optimizer, epoch)?;
        assert_eq!(lr(&optimizer)?, expected);
    }
    assert!(scheduler.state_dict().to_string().contains("'T_i': 8, 'T_mult': 2, 'eta_min': 0.0, 'T_cur': 7.75"));
    let error = scheduler.step_to(&mut optimizer, -1).expect_err("before the start");
    assert_eq!(error.to_string(), "Expected non-negative epoch, but got -1");
    Ok(())
}

#[test]
fn betas_and_learning_rates_that_are_tensors_are_scheduled() -> Result<()> {
    let p = Parameter::new(Tensor::new([0.0f32])?);
    let rate = Tensor::scalar(0.1)?;
    let mut optimizer = Adam::new([&p], rate.clone()).build()?;
    let mut scheduler = OneCycleLR::new(0.2, 4).pct_start(0.5).build(&mut optimizer)?;
    optimizer.step()?;
    scheduler.step(&mut optimizer)?;
    assert_eq!(rate.item::<f32>()?, 0.2);
    let group = &optimizer.param_groups()[0];
    assert_eq!(group.get("betas").map(Value::to_string).as_deref(), Some("(0.85, 0.999)"));
    assert_eq!(group.get("min_lr").map(Value::to_string).as_deref(), Some("8e-07"));
    Ok(())
}

#[test]
fn groups_have_learning_rates_of_their_own() -> Result<()> {
    let leaf = || Ok::<_, Error>(Parameter::new(Tensor::new([0.0f32])?));
    let groups = [ParamGroup::new([leaf()?]), ParamGroup::new([leaf()?]).lr(1.0)];
    let mut optimizer = SGD::new(groups, 0.5).build()?;
    let halves = LambdaLR::each(vec![Box::new(|epoch| 0.5f64.powf(epoch as f64)), Box::new(|_| 1.0)]);
    let mut scheduler = halves.build(&mut optimizer)?;
    optimizer.step()?;
    scheduler.step(&mut optimizer)?;
    assert_eq!(scheduler.get_last_lr(), [0.25, 1.0]);
    optimizer.add_param_group(ParamGroup::new([leaf()?]))?;
    let error = scheduler.step(&mut optimizer).expect_err("a group without a function");
    assert_eq!(error.to_string(), "the optimizer has another number of parameter groups");
    assert_eq!(scheduler.last_epoch(), 1);
    Ok(())
}

#[test]
fn plateaus_are_left_when_the_best_number_is_beaten() -> Result<()> {
    let mut optimizer = sgd()?;
    let mut scheduler =
        ReduceLROnPlateau::new().mode("max").patience(0).cooldown(1).threshold_mode("abs").threshold(0.5).min_lr(0.02);
    scheduler = scheduler.factor(0.5);
    let mut scheduler = scheduler.build(&mut optimizer)?;
    let mut lrs = Vec::new();
    for number in [1.0, 1.4, 1.4, 1.4, f64::NAN, 9.0, 1.0, 1.0, 1.0] {
        scheduler.step(&mut optimizer, number)?;
        lrs.push(lr(&optimizer)?);
    }
    assert_eq!(lrs, [0.1, 0.05, 0.05, 0.025, 0.025, 0.025, 0.02, 0.02, 0.02]);
    Ok(())
}

#[test]
fn bad_options_are_refused_in_pytorch_s_words() -> Result<()> {
    let o = &mut sgd()?;
    let plain = &mut optim::Adagrad::new([Parameter::new(Tensor::new([0.0f32])?)], 0.1).build()?;
    let cases: Vec<(Option<Error>, &str)> = vec![
        (
            ConstantLR::new().factor(1.5).build(o).err(),
            "Constant multiplicative factor expected to be between 0 and 1.",
        ),
        (
            LinearLR::new().start_factor(0).build(o).err(),
            "Starting multiplicative factor expected to be greater than 0 and less or equal to 1.",
        ),
        (LinearLR::new().end_factor(2).build(o).err(), "Ending multiplicative factor expected to be between 0 and 1."),
        (CyclicLR::new(0.1, 0.2).mode("other").build(o).err(), "mode is invalid and scale_fn is None"),
        (
            CyclicLR::new([0.1, 0.2], 0.2).build(o).err(),
            "base_lr must have the same length as optimizer.param_groups. base_lr has 2 values, param_groups has 1.",
        ),
        (
            CyclicLR::new(0.1, 0.2).build(plain).err(),
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled",
        ),
        (OneCycleLR::new(0.1, 0).build(o).err(), "Expected positive integer total_steps, but got 0"),
        (OneCycleLR::of_epochs(0.1, 0, 3).build(o).err(), "Expected positive integer epochs, but got 0"),
        (
            OneCycleLR::new(0.1, 3).pct_start(2.0).build(o).err(),
            "Expected float between 0 and 1 pct_start, but got 2.0",
        ),
        (
            OneCycleLR::new(0.1, 3).anneal_strategy("x").build(o).err(),
            "anneal_strategy must be one of 'cos' or 'linear', instead got x",
        ),
        (CosineAnnealingWarmRestarts::new(0).build(o).err(), "Expected positive integer T_0, but got 0"),
        (CosineAnnealingWarmRestarts::new(1).t_mult(0).build(o).err(), "Expected integer T_mult >= 1, but got 0"),
        (ReduceLROnPlateau::new().factor(1).build(o).err(), "Factor should be < 1.0."),
        (ReduceLROnPlateau::new().mode("x").build(o).err(), "mode x is unknown!"),
        (ReduceLROnPlateau::new().threshold_mode("x").build(o).err(), "threshold mode x is unknown!"),
        (ReduceLROnPlateau::new().min_lr([0.1, 0.2]).build(o).err(), "expected 1 min_lrs, got 2"),
        (SWALR::new(0.1).anneal_epochs(-1).build(o).err(), "anneal_epochs must be equal or greater than 0, got -1"),
        (LambdaLR::each(vec![]).build(o).err(), "Expected 1 lr_lambdas, but got 0"),
        (
            SequentialLR::new(o, vec![], vec![]).err(),
            "SequentialLR expects at least one scheduler, but got no scheduler.",
        ),
        (
            ChainedScheduler::new(o, vec![]).err(),
            "ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.",
        ),
        (CosineAnnealingLR::new(0).build(o).err(), "integer modulo by zero"),
    ];
    for (error, text) in cases {
        assert_eq!(error.map(|e| e.to_string()).as_deref(), Some(text));
    }
    Ok(())
}

#[test]
fn a_step_too_many_is_an_error_that_changes_nothing() -> Result<()> {
    let mut optimizer = sgd()?;
    let mut scheduler = OneCycleLR::new(0.2, 3).pct_start(0.7).build(&mut optimizer)?;
    optimizer.step()?;
    (0..3).try_for_each(|_| scheduler.step(&mut optimizer))?;
    let before = (scheduler.state_dict().to_string(), lr(&optimizer)?);
    let error = scheduler.step(&mut optimizer).expect_err("three steps");
    assert_eq!(error.to_string(), "Tried to step 4 times. The specified number of total steps is 3");
    assert_eq!((scheduler.state_dict().to_string(), lr(&optimizer)?), before);
    let error = scheduler.load_state_dict(&Value::dict([("last_epoch", "x".into())])).expect_err("not a number");
    assert_eq!(error.kind(), ErrorKind::Type);
    assert_eq!(scheduler.state_dict().to_string(), before.0);
    Ok(())
}
