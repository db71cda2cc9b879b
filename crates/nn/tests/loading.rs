//! Loading explains itself: what fits, what is left, what was probably meant, and repairs it when asked.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Mlp, message, values};
use firebrick::catch_warnings;
use firebrick::nn::LoadOptions;
use firebrick::prelude::*;

/// The state of a model of the same kind with keys changed.
fn renamed(rename: impl Fn(&str) -> String) -> Result<(Mlp, StateDict)> {
    let saved = Mlp::new(2, 3, 1)?;
    let state = saved.state_dict().iter().map(|(key, tensor)| (rename(key), tensor.clone())).collect();
    Ok((saved, state))
}

#[test]
fn a_report_lists_everything_and_changes_nothing() -> Result<()> {
    let model = Mlp::new(2, 3, 1)?;
    let before = values(&model.fc1.weight.detach());
    let (_, mut state) = renamed(|key| key.replace("fc2.bias", "fc2.bais"))?;
    state.insert("fc1.bias", Tensor::zeros([4])?);
    state.insert("extra", Tensor::zeros([7])?);
    let report = model.load_report(&state, &LoadOptions::new())?;
    assert!(!report.fits());
    assert_eq!(
        report.to_string(),
        "Mlp: 2 of 4 entries fit\n  \
         left at its initialization: fc2.bias [1]\n  \
         not used: extra\n  \
         not used: fc2.bais\n  \
         does not fit: size mismatch for fc1.bias: copying a param with shape torch.Size([4]) from checkpoint, the shape in \
         current model is torch.Size([3]).\n  \
         hint: did you mean \"fc2.bais\" in the checkpoint for \"fc2.bias\" in the model?"
    );
    assert_eq!(values(&model.fc1.weight.detach()), before);
    assert!(model.load_report(&model.state_dict(), &LoadOptions::new())?.fits());
    Ok(())
}

#[test]
fn a_shape_that_does_not_fit_is_an_error_when_lax_too() -> Result<()> {
    let model = Mlp::new(2, 3, 1)?;
    let state = StateDict::from_iter([("fc1.bias", Tensor::zeros([4])?)]);
    let text = message(model.load_state_dict_with(&state, &LoadOptions::new().strict(false)));
    assert!(text.contains("size mismatch for fc1.bias"), "{text}");
    Ok(())
}

#[test]
fn one_option_applies_what_the_hints_say() -> Result<()> {
    let rename: [fn(&str) -> String; 4] = [
        |key| format!("module.{key}"),
        |key| format!("model.net.{key}"),
        |key| key.replace("fc1", "input"),
        |key| key.replace("fc2.weight", "fc2.wieght"),
    ];
    for rename in rename {
        let (saved, state) = renamed(rename)?;
        let model = Mlp::new(2, 3, 1)?;
        model.load_state_dict(&state).unwrap_err();
        let repair = LoadOptions::new().repair(true);
        let report = model.load_report(&state, &repair)?;
        assert!(report.fits() && report.to_string().contains("\n  renamed: "), "{report}");
        model.load_state_dict_with(&state, &repair)?;
        for (ours, theirs) in model.parameters().iter().zip(saved.parameters()) {
            assert_eq!(values(&ours.detach()), values(&theirs.detach()));
        }
    }
    Ok(())
}

#[test]
fn a_model_behind_a_prefix_takes_a_bare_checkpoint() -> Result<()> {
    let (saved, state) = renamed(str::to_owned)?;
    let model = nn::Sequential::new().add(Mlp::new(2, 3, 1)?);
    let error = model.load_state_dict(&state).unwrap_err();
    assert!(format!("{error:#}").contains("the model's keys begin with \"0.\""), "{error:#}");
    model.load_state_dict_with(&state, &LoadOptions::new().repair(true))?;
    assert_eq!(values(&model.get_parameter("0.fc2.weight")?.detach()), values(&saved.fc2.weight.detach()));
    Ok(())
}

#[test]
fn only_entries_of_the_right_shape_are_renamed() -> Result<()> {
    let model = Mlp::new(2, 3, 1)?;
    let mut state = model.state_dict();
    state.remove("fc2.weight");
    state.insert("fc2.wieght", Tensor::zeros([9])?);
    let repair = LoadOptions::new().repair(true);
    let report = model.load_report(&state, &repair)?;
    assert!(report.renames.is_empty() && report.repaired.is_empty(), "{report}");
    model.load_state_dict_with(&state, &repair).unwrap_err();
    Ok(())
}

#[test]
fn a_lax_load_that_loads_nothing_is_warned_of() -> Result<()> {
    let model = Mlp::new(2, 3, 1)?;
    let lax = LoadOptions::new().strict(false);
    let (_, state) = renamed(|key| format!("module.{key}"))?;
    let (keys, warnings) = catch_warnings(|| model.load_state_dict_with(&state, &lax));
    assert_eq!(keys?.missing_keys.len(), 4);
    assert!(warnings[0].contains("no entry of the checkpoint fits Mlp") && warnings[0].contains("\"module.\""));
    let (_, some) = renamed(|key| key.replace("fc1", "other"))?;
    let (keys, warnings) = catch_warnings(|| model.load_state_dict_with(&some, &lax));
    assert_eq!((keys?.missing_keys.len(), warnings.len()), (2, 0));
    Ok(())
}
