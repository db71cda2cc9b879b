//! `state_dict`: every parameter and persistent buffer by its dotted name.

use crate::traverse::join;
use crate::{Member, Module};
use firebrick_core::{StateDict, Tensor};

/// The key of what [`Custom::get_extra_state`](crate::Custom::get_extra_state) gives.
pub(crate) const EXTRA_STATE: &str = "_extra_state";

/// Options of [`Module::state_dict_with`](crate::Module::state_dict_with).
///
/// ```
/// use firebrick::nn::StateDictOptions;
/// use firebrick::prelude::*;
/// let linear = nn::Linear::new(3, 2)?;
/// let state = linear.state_dict_with(&StateDictOptions::new().prefix("head.").keep_vars(true));
/// assert_eq!(state.keys().collect::<Vec<_>>(), ["head.weight", "head.bias"]);
/// assert_eq!(state.get("head.weight").map(|tensor| tensor.id()), Some(linear.weight.id()));
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct StateDictOptions {
    prefix: String,
    keep_vars: bool,
}

impl StateDictOptions {
    /// PyTorch's defaults: no prefix, detached tensors.
    pub fn new() -> Self {
        Self::default()
    }
    /// Put before every key as it is: give the dot with it. Empty unless set.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }
    /// The parameters themselves rather than detached tensors; detached unless set.
    pub fn keep_vars(mut self, keep_vars: bool) -> Self {
        self.keep_vars = keep_vars;
        self
    }
}

pub(crate) fn collect(module: &dyn Module, options: &StateDictOptions) -> StateDict {
    let mut out = StateDict::new();
    collect_into(module, &mut out, options);
    out
}

pub(crate) fn collect_into(module: &dyn Module, out: &mut StateDict, options: &StateDictOptions) {
    save(module, out, &options.prefix, options.keep_vars);
}

/// Own parameters, own persistent buffers, then children, each child with its own prefix.
fn save(module: &dyn Module, out: &mut StateDict, prefix: &str, keep_vars: bool) {
    let hooks = module.core().hooks().map(|table| table.snapshot());
    for hook in hooks.iter().flat_map(|h| h.state_dict_pre.values()) {
        hook(module, prefix, keep_vars);
    }
    let path = prefix.strip_suffix('.').unwrap_or(prefix);
    out.metadata.entry(path.to_owned()).or_default().insert("version".to_owned(), module.version());
    own_state(module, &mut |name, tensor| {
        // An uninitialized tensor goes in as itself: there is nothing yet to share.
        let kept = keep_vars || tensor.is_uninitialized();
        out.insert(format!("{prefix}{name}"), if kept { tensor.clone() } else { tensor.detach() });
    });
    if let Some(extra) = module.get_extra_state() {
        out.insert(format!("{prefix}{EXTRA_STATE}"), extra);
    }
    module.visit(&mut |name, member| {
        if let Member::Module(child) = member {
            save(child, out, &format!("{prefix}{name}."), keep_vars);
        }
    });
    for hook in hooks.iter().flat_map(|h| h.state_dict_post.values()) {
        hook(module, out, prefix);
    }
}

/// The module's own entries, in order: parameters, then persistent buffers.
pub(crate) fn own_state<'m>(module: &'m dyn Module, f: &mut dyn FnMut(&str, &'m Tensor)) {
    module.visit(&mut |name, member| {
        if let Member::Parameter(parameter) = member {
            f(name, parameter);
        }
    });
    module.visit(&mut |name, member| {
        if let Member::Buffer(buffer) = member
            && buffer.is_persistent()
        {
            f(name, buffer);
        }
    });
}

/// Strips `prefix` from every key that has it, and from the metadata: PyTorch's function of the same name.
///
/// For checkpoints of wrapped models, whose keys begin with `module.` (data parallel) or `_orig_mod.` (compiled).
///
/// ```
/// use firebrick::prelude::*;
/// let mut state = StateDict::from_iter([("module.weight", Tensor::zeros([2])?)]);
/// nn::utils::consume_prefix_in_state_dict_if_present(&mut state, "module.");
/// assert_eq!(state.keys().collect::<Vec<_>>(), ["weight"]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn consume_prefix_in_state_dict_if_present(state: &mut StateDict, prefix: &str) {
    let stripped = |key: &str| key.strip_prefix(prefix).unwrap_or(key).to_owned();
    let mut out: StateDict = state.iter().map(|(key, tensor)| (stripped(key), tensor.clone())).collect();
    for (path, numbers) in &state.metadata {
        let dotted = join(path, "");
        let path = dotted.strip_prefix(prefix).map_or(path.as_str(), |rest| rest.trim_end_matches('.'));
        out.metadata.insert(path.to_owned(), numbers.clone());
    }
    *state = out;
}
