//! `load_state_dict`: everything is checked, then everything is written.

use crate::hints::{self, Hint, Known};
use crate::hooks::Hooks;
use crate::lazy;
use crate::load_report::LoadReport;
use crate::state_dict::{EXTRA_STATE, own_state};
use crate::{Member, MemberKind, Module};
use firebrick_core::autograd::ModeGuard;
use firebrick_core::{Error, Result, StateDict, Tensor};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

const OP: &str = "load_state_dict";

/// Options of [`Module::load_state_dict_with`](crate::Module::load_state_dict_with).
///
/// ```
/// use firebrick::nn::LoadOptions;
/// use firebrick::prelude::*;
/// let linear = nn::Linear::new(3, 2)?;
/// let keys = linear.load_state_dict_with(&StateDict::new(), &LoadOptions::new().strict(false))?;
/// assert_eq!(keys.missing_keys, ["weight", "bias"]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LoadOptions {
    strict: bool,
    assign: bool,
    dry_run: bool,
    repair: bool,
}

impl LoadOptions {
    /// PyTorch's defaults: strict, by copying.
    pub fn new() -> Self {
        LoadOptions { strict: true, assign: false, dry_run: false, repair: false }
    }
    /// Are missing and unexpected keys an error?
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }
    /// Share memory, dtype and device of the given tensors instead of copying their values.
    ///
    /// Parameters keep their identity and `requires_grad`, so an optimizer stays linked; PyTorch 2.15 puts new
    /// objects in their places.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::builder(2, 1).bias(false).build()?;
    /// let state = StateDict::from_iter([("weight", Tensor::new([[1.0f64, 2.0]])?)]);
    /// linear.load_state_dict_with(&state, &nn::LoadOptions::new().assign(true))?;
    /// assert_eq!(linear.weight.dtype(), DType::F64); // a copy would have kept single precision
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn assign(mut self, assign: bool) -> Self {
        self.assign = assign;
        self
    }
    /// Check everything and write nothing.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::builder(2, 1).bias(false).build()?;
    /// let before = linear.weight.to_vec::<f32>()?;
    /// let state = StateDict::from_iter([("weight", Tensor::zeros([1, 2])?)]);
    /// linear.load_state_dict_with(&state, &nn::LoadOptions::new().dry_run(true))?;
    /// assert_eq!(linear.weight.to_vec::<f32>()?, before);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }
    /// Rename keys of the checkpoint as the hints say: without a wrapper's prefix, with the one of the model, with another
    /// name for a part of the path, or as they were probably meant. Only entries of the right shape are renamed.
    ///
    /// ```
    /// use firebrick::nn::LoadOptions;
    /// use firebrick::prelude::*;
    /// let (linear, saved) = (nn::Linear::new(3, 2)?, nn::Linear::new(3, 2)?);
    /// let state = StateDict::from_iter(saved.state_dict().iter().map(|(key, t)| (format!("module.{key}"), t.clone())));
    /// assert!(linear.load_state_dict(&state).is_err());
    /// linear.load_state_dict_with(&state, &LoadOptions::new().repair(true))?;
    /// assert_eq!(linear.weight.to_vec::<f32>()?, saved.weight.to_vec::<f32>()?);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn repair(mut self, repair: bool) -> Self {
        self.repair = repair;
        self
    }
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// The keys that the model and the checkpoint do not share.
///
/// Prints as PyTorch's: `<All keys matched successfully>` when there are none.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::LoadOptions;
/// let state = StateDict::from_iter([("weight", Tensor::zeros([2, 3])?), ("scale", Tensor::zeros([1])?)]);
/// let keys = nn::Linear::new(3, 2)?.load_state_dict_with(&state, &LoadOptions::new().strict(false))?;
/// assert_eq!(keys.to_string(), "_IncompatibleKeys(missing_keys=['bias'], unexpected_keys=['scale'])");
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncompatibleKeys {
    /// Keys of the model that the checkpoint lacks.
    pub missing_keys: Vec<String>,
    /// Keys of the checkpoint that the model lacks.
    pub unexpected_keys: Vec<String>,
}

impl fmt::Display for IncompatibleKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.missing_keys.is_empty() && self.unexpected_keys.is_empty() {
            return f.write_str("<All keys matched successfully>");
        }
        let list = |keys: &[String]| keys.iter().map(|k| format!("'{k}'")).collect::<Vec<_>>().join(", ");
        let (missing, unexpected) = (list(&self.missing_keys), list(&self.unexpected_keys));
        write!(f, "_IncompatibleKeys(missing_keys=[{missing}], unexpected_keys=[{unexpected}])")
    }
}

/// What a hook of [`register_load_state_dict_pre_hook`](crate::ModuleExt::register_load_state_dict_pre_hook) sees and
/// may change before the entries of its module are looked up.
///
/// ```
/// use firebrick::prelude::*;
/// let linear = nn::Linear::new(1, 1)?;
/// linear.register_load_state_dict_pre_hook(|_, loading| {
///     let (old, new) = (format!("{}w", loading.prefix), format!("{}weight", loading.prefix));
///     if let Some(weight) = loading.state.remove(&old) {
///         loading.state.insert(new, weight);
///     }
///     Ok(())
/// });
/// linear.load_state_dict(&StateDict::from_iter([("w", Tensor::zeros([1, 1])?), ("bias", Tensor::zeros([1])?)]))?;
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct Loading<'l> {
    /// A copy of the checkpoint, made for this load.
    pub state: &'l mut StateDict,
    /// What precedes the module's keys in it: empty, or ending in a dot.
    pub prefix: &'l str,
    /// Are missing and unexpected keys an error?
    pub strict: bool,
    /// The keys that did not match so far; a hook may add some.
    pub keys: &'l mut IncompatibleKeys,
    /// Lines of the error that the load will return, PyTorch's `error_msgs`; a hook may add some.
    pub errors: &'l mut Vec<String>,
}

impl Loading<'_> {
    /// The version of the module that wrote the checkpoint, when it says so: `local_metadata.get("version")`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::BatchNorm1d::new(2)?;
    /// norm.register_load_state_dict_pre_hook(|_, loading| {
    ///     assert_eq!(loading.version(), Some(2)); // since this version `num_batches_tracked` is saved
    ///     Ok(())
    /// });
    /// norm.load_state_dict(&norm.state_dict())?;
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn version(&self) -> Option<i64> {
        let path = self.prefix.strip_suffix('.').unwrap_or(self.prefix);
        self.state.metadata.get(path).and_then(|numbers| numbers.get("version")).copied()
    }
}

pub(crate) fn load(root: &dyn Module, state: &StateDict, options: &LoadOptions) -> Result<IncompatibleKeys> {
    let _no_grad = ModeGuard::no_grad();
    let mut plan = Plan::of(root, state, options)?;
    plan.check(root, options)?;
    plan.warn_of_nothing(root);
    if !options.dry_run {
        plan.write(options)?;
    }
    Ok(plan.keys)
}

/// What [`load`] would do.
pub(crate) fn report(root: &dyn Module, state: &StateDict, options: &LoadOptions) -> Result<LoadReport> {
    let _no_grad = ModeGuard::no_grad();
    let plan = Plan::of(root, state, options)?;
    let hint = plan.hint();
    let shape = |key: &String| plan.known.get(key).cloned().flatten();
    Ok(LoadReport {
        model: root.display_name(),
        loaded: plan.writes.iter().map(|write| write.key.clone()).collect(),
        missing: plan.keys.missing_keys.iter().map(|key| (key.clone(), shape(key))).collect(),
        unexpected: plan.keys.unexpected_keys.clone(),
        renames: hint.iter().flat_map(|hint| hint.renames.clone()).collect(),
        hint: hint.map(|hint| hint.to_string()),
        errors: plan.errors,
        repaired: plan.repaired,
    })
}

/// What a load would do, and everything that speaks against it.
#[derive(Default)]
struct Plan<'m> {
    state: StateDict,
    strict: bool,
    assign: bool,
    known: Known,
    repaired: Vec<(String, String)>,
    writes: Vec<Write<'m>>,
    keys: IncompatibleKeys,
    errors: Vec<String>,
    /// Values were to be copied where there is no memory for them.
    into_nothing: bool,
    /// Hooks to run once the keys are known, children first.
    post_hooks: Vec<(&'m dyn Module, Arc<Hooks>)>,
    modules: Vec<&'m dyn Module>,
    /// What `set_extra_state` gets.
    extra: Vec<(&'m dyn Module, Tensor)>,
}

struct Write<'m> {
    key: String,
    target: &'m Tensor,
    value: Tensor,
}

impl<'m> Plan<'m> {
    fn of(root: &'m dyn Module, state: &StateDict, options: &LoadOptions) -> Result<Self> {
        let plan = Self::unrepaired(root, state, options)?;
        let Some(hint) = options.repair.then(|| plan.hint()).flatten() else { return Ok(plan) };
        let state = hints::renamed(state, &hint.renames);
        Ok(Plan { repaired: hint.renames, ..Self::unrepaired(root, &state, options)? })
    }

    fn unrepaired(root: &'m dyn Module, state: &StateDict, options: &LoadOptions) -> Result<Self> {
        // Hooks and `migrate` change a copy: the tensors are shared, the keys are not.
        let (strict, assign) = (options.strict, options.assign);
        let mut plan = Plan { state: state.clone(), strict, assign, ..Plan::default() };
        plan.read(root, "")?;
        plan.find_unexpected(root);
        plan.run_post_hooks()?;
        Ok(plan)
    }

    fn hint(&self) -> Option<Hint> {
        hints::find(&self.keys, &self.known, &self.state)
    }

    /// Plans the entries of `module` and of everything below it.
    fn read(&mut self, module: &'m dyn Module, prefix: &str) -> Result<()> {
        let hooks = module.core().hooks().map(|table| table.snapshot());
        for hook in hooks.iter().flat_map(|h| h.load_pre.values()) {
            hook(
                module,
                &mut Loading {
                    state: &mut self.state,
                    prefix,
                    strict: self.strict,
                    keys: &mut self.keys,
                    errors: &mut self.errors,
                },
            )?;
        }
        let path = prefix.strip_suffix('.').unwrap_or(prefix);
        let version = self.state.metadata.get(path).and_then(|numbers| numbers.get("version")).copied();
        if let Err(error) = module.migrate(&mut self.state, prefix, version) {
            self.errors.push(error.to_string());
        }
        let mut outcome = Ok(());
        own_state(module, &mut |name, target| {
            if outcome.is_ok() {
                outcome = self.entry(format!("{prefix}{name}"), target);
            }
        });
        outcome?;
        self.extra_state(module, format!("{prefix}{EXTRA_STATE}"));
        self.modules.push(module);
        let mut outcome = Ok(());
        module.visit(&mut |name, member| {
            if let (Member::Module(child), true) = (member, outcome.is_ok()) {
                outcome = self.read(child, &format!("{prefix}{name}."));
            }
        });
        outcome?;
        if let Some(hooks) = hooks.filter(|h| !h.load_post.is_empty()) {
            self.post_hooks.push((module, hooks));
        }
        Ok(())
    }

    fn entry(&mut self, key: String, target: &'m Tensor) -> Result<()> {
        let shape = Some(target).filter(|target| !target.is_uninitialized()).map(Tensor::shape);
        self.known.insert(key.clone(), shape);
        let Some(value) = self.state.get(&key) else {
            self.keys.missing_keys.push(key);
            return Ok(());
        };
        let value = fitted(value, target)?;
        let (given, own) = (value.shape(), target.shape());
        if !target.is_uninitialized() && given != own {
            self.errors.push(format!(
                "size mismatch for {key}: copying a param with shape {given} from checkpoint, the shape in current model is {own}."
            ));
        } else if target.is_meta() && !value.is_meta() && !self.assign {
            // PyTorch warns of it, and loads nothing.
            self.errors.push(format!(
                "for {key}: copying from a non-meta parameter in the checkpoint to a meta parameter in the current model, which is a no-op. (Did you mean to pass `assign=True` to assign items in the state dictionary to their corresponding key in the module instead of copying them in place?)"
            ));
            self.into_nothing = true;
        } else if !value.is_uninitialized() {
            self.writes.push(Write { key, target, value });
        }
        Ok(())
    }

    fn extra_state(&mut self, module: &'m dyn Module, key: String) {
        if module.get_extra_state().is_none() {
            return;
        }
        match self.state.get(&key) {
            Some(state) => self.extra.push((module, state.clone())),
            None => self.keys.missing_keys.push(key.clone()),
        }
        self.known.insert(key, None);
    }

    /// Keys that no module asked for, module by module as PyTorch finds them.
    fn find_unexpected(&mut self, root: &dyn Module) {
        let mut order = HashMap::new();
        let mut empty = Vec::new();
        note_modules(root, "", &mut order, &mut empty);
        let mut found: Vec<(usize, String)> = Vec::new();
        for key in self.state.keys().filter(|key| !self.known.contains_key(*key)) {
            // PyTorch passes over what lies below a child that is registered as None.
            if !empty.iter().any(|prefix: &String| key.starts_with(prefix.as_str())) {
                found.push((owner(key, &order), key.to_owned()));
            }
        }
        found.sort_by_key(|(owner, _)| *owner);
        self.keys.unexpected_keys.extend(found.into_iter().map(|(_, key)| key));
    }

    fn run_post_hooks(&mut self) -> Result<()> {
        for (module, hooks) in std::mem::take(&mut self.post_hooks) {
            hooks.load_post.values().try_for_each(|hook| hook(module, &mut self.keys))?;
        }
        Ok(())
    }

    fn check(&self, root: &dyn Module, options: &LoadOptions) -> Result<()> {
        let quoted = |keys: &[String]| keys.iter().map(|k| format!("\"{k}\"")).collect::<Vec<_>>().join(", ");
        let mut lines = Vec::new();
        let IncompatibleKeys { missing_keys, unexpected_keys } = &self.keys;
        if options.strict && !missing_keys.is_empty() {
            lines.push(format!("Missing key(s) in state_dict: {}. ", quoted(missing_keys)));
        }
        if options.strict && !unexpected_keys.is_empty() {
            lines.push(format!("Unexpected key(s) in state_dict: {}. ", quoted(unexpected_keys)));
        }
        lines.extend(self.errors.iter().cloned());
        if lines.is_empty() {
            return Ok(());
        }
        let message = format!("Error(s) in loading state_dict for {}:\n\t{}", root.display_name(), lines.join("\n\t"));
        let error = Error::runtime(OP, message).expected("the keys and shapes of the model; nothing was changed");
        Err(match self.hint() {
            _ if self.into_nothing => error
                .remedy("call `to_empty(device)` on the model first, or load with `LoadOptions::new().assign(true)`"),
            Some(hint) => error.remedy(hint.to_string()),
            None => error,
        })
    }

    /// A lax load of a checkpoint of which nothing fits is no error in PyTorch, and rarely meant.
    fn warn_of_nothing(&self, root: &dyn Module) {
        if self.writes.is_empty() && !self.keys.missing_keys.is_empty() && !self.keys.unexpected_keys.is_empty() {
            let hint = self.hint().map_or_else(String::new, |hint| format!("; {hint}"));
            let name = root.display_name();
            crate::warn(&format!("load_state_dict: no entry of the checkpoint fits {name}, nothing was loaded{hint}"));
        }
    }

    /// Converts what needs converting first, so that the writes themselves only copy memory.
    fn write(&mut self, options: &LoadOptions) -> Result<()> {
        if !options.assign {
            for Write { key, target, value } in &mut self.writes {
                let converted = value.to((target.device(), target.dtype()));
                *value = converted.map_err(|error| {
                    let (own, given) = (target.shape(), value.shape());
                    Error::new(error.kind(), OP, format!(
                        "While copying the parameter named \"{key}\", whose dimensions in the model are {own} and whose dimensions in the checkpoint are {given}, an exception occurred : {error}."
                    ))
                })?;
            }
        }
        self.extra.iter().try_for_each(|(module, state)| module.set_extra_state(state))?;
        for Write { target, value, .. } in &self.writes {
            if options.assign {
                target.set_data(value)?;
            } else if target.is_uninitialized() {
                target.set_data(&value.deep_copy()?)?;
            } else {
                target.copy_(value)?;
            }
        }
        self.modules.iter().for_each(|module| lazy::settle(*module));
        Ok(())
    }
}

/// The value as the target takes it: a scalar written by PyTorch 0.3 has one dimension of size 1.
fn fitted(value: &Tensor, target: &Tensor) -> Result<Tensor> {
    if target.is_uninitialized() {
        return Ok(value.detach());
    }
    if value.is_uninitialized() {
        return Err(Error::runtime(
            OP,
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the parameters before accessing their attributes.",
        ));
    }
    let old_scalar = target.dim() == 0 && value.shape() == [1];
    if old_scalar { value.detach().reshape(()) } else { Ok(value.detach()) }
}

/// Numbers the modules in order, by prefix, and notes the prefixes of children registered as `None`.
fn note_modules(module: &dyn Module, prefix: &str, order: &mut HashMap<String, usize>, empty: &mut Vec<String>) {
    order.insert(prefix.to_owned(), order.len());
    module.visit(&mut |name, member| match member {
        Member::Module(child) => note_modules(child, &format!("{prefix}{name}."), order, empty),
        Member::Empty(MemberKind::Module) => empty.push(format!("{prefix}{name}.")),
        _ => {}
    });
}

/// Number of the innermost module whose prefix the key has.
fn owner(key: &str, order: &HashMap<String, usize>) -> usize {
    let dots = key.match_indices('.').map(|(at, _)| at + 1).rev();
    dots.filter_map(|end| order.get(&key[..end])).next().copied().unwrap_or_default()
}
