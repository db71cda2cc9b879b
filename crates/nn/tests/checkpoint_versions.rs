//! Versions of modules in checkpoints, and what is made of older ones.

mod common;

use common::message;
use firebrick::nn::Custom;
use firebrick::prelude::*;

fn model() -> Result<nn::Sequential> {
    Ok(nn::Sequential::new().add(nn::Linear::new(3, 4)?).add(nn::ReLU::new()).add(nn::Linear::new(4, 2)?))
}

#[test]
fn metadata_notes_the_version_of_every_module() -> Result<()> {
    let state = model()?.state_dict();
    let noted: Vec<(&str, i64)> = state.metadata.iter().map(|(path, n)| (path.as_str(), n["version"])).collect();
    assert_eq!(noted, [("", 1), ("0", 1), ("1", 1), ("2", 1)]);
    Ok(())
}

/// The rule of `BatchNorm`: version 2 added a counter.
#[derive(Module)]
#[module(custom)]
struct Counted {
    core: Core,
    num_batches_tracked: Buffer,
}

impl Custom for Counted {
    fn version(&self) -> i64 {
        2
    }
    fn migrate(&self, state: &mut StateDict, prefix: &str, version: Option<i64>) -> Result<()> {
        let key = format!("{prefix}num_batches_tracked");
        if version.is_none_or(|v| v < 2) && !state.contains_key(&key) {
            state.insert(key, self.num_batches_tracked.detach());
        }
        Ok(())
    }
}

#[test]
fn an_older_version_is_migrated_and_a_newer_one_is_not() -> Result<()> {
    let counted = Counted { core: Core::new(), num_batches_tracked: Buffer::new(Tensor::new([7i64])?) };
    let net = nn::ModuleList::from(vec![counted]);
    let old = StateDict::new();
    net.load_state_dict(&old)?;
    assert!(old.is_empty(), "the caller's state is not touched");
    let mut new = net.state_dict();
    new.remove("0.num_batches_tracked");
    assert_eq!(
        message(net.load_state_dict(&new)),
        "Error(s) in loading state_dict for ModuleList:\n\tMissing key(s) in state_dict: \"0.num_batches_tracked\". "
    );
    Ok(())
}

/// Refuses checkpoints of before version 2.
#[derive(Module)]
#[module(custom)]
struct Young {
    core: Core,
    weight: Parameter,
}

impl Custom for Young {
    fn version(&self) -> i64 {
        2
    }
    fn migrate(&self, _: &mut StateDict, _: &str, version: Option<i64>) -> Result<()> {
        match version {
            Some(2..) => Ok(()),
            _ => Err(Error::runtime("load", "too old")),
        }
    }
}

#[test]
fn an_error_of_migrating_is_one_line_among_the_others() -> Result<()> {
    let young = Young { core: Core::new(), weight: Parameter::new(Tensor::ones([1])?) };
    young.load_state_dict(&young.state_dict())?;
    let state = StateDict::from_iter([("weight", Tensor::ones([2])?)]);
    assert_eq!(
        message(young.load_state_dict(&state)),
        "Error(s) in loading state_dict for Young:\n\ttoo old\n\tsize mismatch for weight: copying a param with shape \
         torch.Size([2]) from checkpoint, the shape in current model is torch.Size([1])."
    );
    Ok(())
}

#[test]
fn batch_norm_counts_from_its_own_number_where_an_old_checkpoint_has_none() -> Result<()> {
    let net = nn::Sequential::new().add(nn::BatchNorm1d::new(1)?);
    net.call(Tensor::ones([3, 1])?)?;
    let mut state = net.state_dict();
    state.remove("0.num_batches_tracked");
    assert!(net.load_state_dict(&state).is_err(), "a checkpoint of version 2 has it");
    for version in [None, Some(1)] {
        state.metadata.clear();
        if let Some(version) = version {
            state.metadata.entry("0".to_owned()).or_default().insert("version".to_owned(), version);
        }
        net.load_state_dict(&state)?;
        assert_eq!(net.get_buffer("0.num_batches_tracked")?.item::<i64>()?, 1);
    }
    Ok(())
}
