//! The doctor finds nothing in models that train as they should.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../../../golden/src/training/models.rs"]
mod models;

use firebrick::doctor::{doctor, watch};
use firebrick::nn::functional as F;
use firebrick::prelude::*;
use firebrick::{Generator, catch_warnings};

/// A batch and its classes for the model of this name.
fn batch(name: &str) -> Result<(Tensor, Tensor)> {
    let (x, classes) = match name {
        "SimpleMLP" => (Tensor::randn([16, 3])?, 2),
        "DemoNet" => (Tensor::randn([16, 4])?, 3),
        "LazyCNN" => (Tensor::randn([16, 1, 8, 8])?, 10),
        "ResBlockNet" => (Tensor::randn([16, 1, 8, 8])?, 3),
        "TiedLM" => (Tensor::randint(0, 12, [16, 6])?, 12),
        _ => (Tensor::randint(1, 12, [16, 6])?, 3),
    };
    Ok((x, Tensor::randint(0, classes, [16])?))
}

#[test]
fn nothing_is_found_in_models_that_train() -> Result<()> {
    let names = [
        "SimpleMLP",
        "DemoNet",
        "LazyCNN",
        "ResBlockNet",
        "LSTMClassifier",
        "TinyTransformer",
        "TinyTransformer_norm_first",
        "TinyTransformer_dropout0.1",
        "TiedLM",
    ];
    for (seed, name) in names.into_iter().enumerate() {
        Generator::new().manual_seed(seed as i64).scope(|| {
            let model = models::model(name)?.unwrap();
            let mut optimizer = optim::AdamW::new(model.module().parameters(), 1e-3).build()?;
            let watching = watch(model.module(), &optimizer);
            let (result, warnings) = catch_warnings(|| {
                for _ in 0..8 {
                    let (x, y) = batch(name)?;
                    optimizer.zero_grad()?;
                    F::cross_entropy(&model.run(&x)?, &y)?.backward()?;
                    let report = doctor(model.module(), &optimizer)?;
                    assert!(report.is_healthy(), "{name}: {report}");
                    optimizer.step()?;
                }
                Ok::<_, Error>(())
            });
            result?;
            assert_eq!(warnings, Vec::<String>::new(), "{name}");
            assert!(watching.report().is_healthy(), "{name}");
            Ok::<_, Error>(())
        })?;
    }
    Ok(())
}
