#![allow(clippy::unwrap_used)]

use crate::gpt::{Gpt, GptSizes};
use crate::harness::Options;
use crate::resnet::ResNet;
use crate::table::{self, WORKLOADS};
use crate::training::{Mlp, gpt, lenet, step};
use firebrick::prelude::*;
use firebrick::random::Generator;

/// Twelve is a multiple of the GPT's heads, and enough for three planes to halve.
fn tiny() -> Options {
    Options { iterations: Some(1), largest: 12, ..Options::default() }
}

fn options(line: &str) -> Result<Options> {
    Options::from_args(line.split_whitespace().map(str::to_owned))
}

#[test]
fn every_workload_runs() {
    for workload in WORKLOADS {
        (workload.run)(&tiny(), workload).unwrap_or_else(|error| panic!("{}: {error:#}", workload.name));
    }
}

#[test]
fn both_programs_have_the_same_workloads() {
    let theirs = include_str!("../pytorch.py");
    for (i, workload) in WORKLOADS.iter().enumerate() {
        let name = workload.name;
        assert!(WORKLOADS[..i].iter().all(|other| other.name != name), "{name} is there twice");
        let known = [format!("(\"{name}\","), format!("def {name}(")];
        assert!(known.iter().any(|text| theirs.contains(text)), "PyTorch's program lacks {name}");
    }
}

#[test]
fn the_table_knows_how_many_parameters_there_are() {
    let count = |model: &dyn nn::Forward| model.parameters().iter().map(|p| (**p).numel()).sum::<usize>() as f64;
    assert_eq!(count(&Mlp::new(&[784, 512, 512, 10]).unwrap()), table::MLP_PARAMETERS);
    assert_eq!(count(&lenet(7).unwrap()), table::LENET_PARAMETERS);
    assert_eq!(count(&ResNet::new18(64, 10).unwrap()), table::RESNET_PARAMETERS);
    assert_eq!(count(&gpt(&Options::default()).unwrap()), table::GPT_PARAMETERS);
}

/// Are these the first scores, but for rounding?
fn assert_scores(model: &dyn nn::Forward, x: &Tensor, expected: [f32; 5]) {
    let scores = model.call(x).unwrap().flatten(0, -1).unwrap().to_vec::<f32>().unwrap();
    let close = scores.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3);
    assert!(close, "{:?} should be {expected:?}", &scores[..5]);
}

/// The numbers are those of `models.py` with PyTorch 2.15 and `torch.manual_seed(0)`.
#[test]
fn the_models_learn_what_they_learn_in_pytorch() -> Result<()> {
    Generator::new().manual_seed(0).scope(|| {
        let model = ResNet::new18(8, 10)?;
        let (x, labels) = (Tensor::randn([4, 3, 16, 16])?, Tensor::randint(0, 10, [4])?);
        let mut optimizer = optim::SGD::new(model.parameters(), 0.01).build()?;
        (0..3).try_for_each(|_| step(&model, &mut optimizer, &x, &labels))?;
        assert_scores(&model, &x, [-0.58934, 0.91012, 0.28914, -0.87838, -0.29251]);
        model.eval();
        assert_scores(&model, &x, [-0.19176, -0.06009, 0.13774, 0.10234, -0.00472]);
        Ok::<_, Error>(())
    })?;
    Generator::new().manual_seed(0).scope(|| {
        let model = Gpt::new(GptSizes { vocabulary: 10, context: 8, width: 12, heads: 6, layers: 2 })?;
        let (x, labels) = (Tensor::randint(0, 10, [2, 8])?, Tensor::randint(0, 10, [16])?);
        let mut optimizer = optim::AdamW::new(model.parameters(), 1e-3).weight_decay(0.01).build()?;
        (0..3).try_for_each(|_| step(&model, &mut optimizer, &x, &labels))?;
        assert_scores(&model, &x, [-0.15945, -0.30287, 0.57304, -0.56317, -0.57116]);
        Ok(())
    })
}

#[test]
fn options_are_read_and_mistakes_named() {
    let given = options("--workloads add,sum --threads 1 --secs 0.5 --iters 7 --peer me").unwrap();
    assert_eq!((given.workloads, given.threads, given.iterations), (vec!["add".into(), "sum".into()], 1, Some(7)));
    assert_eq!((given.time.as_millis(), given.peer.as_str()), (500, "me"));
    for wrong in ["--threads", "--threads two", "--secs -1", "--iters -1", "--rounds 3"] {
        assert!(options(wrong).err().unwrap().to_string().contains("usage"), "{wrong}");
    }
}
