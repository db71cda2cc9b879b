//! Why names of PyTorch's are not here.

/// A module, why these names of it are not here, and the names.
type Reason = (&'static str, &'static str, &'static [&'static str]);

const PYTHON: &str = "Python's own, imported there; no part of the interface";
const PROCESSES: &str = "several processes";
const DEVICES: &str = "a device that there is not";

const REASONS: &[Reason] = &[
    ("torch.nn", "deprecated: `Module`", &["Container"]),
    ("torch.nn", PROCESSES, &["DataParallel", "SyncBatchNorm"]),
    ("torch.nn", "deprecated: `NLLLoss` takes images, too", &["NLLLoss2d"]),
    ("torch.nn", "a base class in Python; the layers and cells themselves are here", &["RNNBase", "RNNCellBase"]),
    ("torch.nn.Module", "a compiler of Python", &["compile"]),
    ("torch.nn.Module", DEVICES, &["cuda", "ipu", "mtia", "xpu"]),
    (
        "torch.nn.Module",
        "deprecated: sees the gradients of whatever operation was the last; there are full backward hooks",
        &["register_backward_hook"],
    ),
    ("torch.nn.modules.module", "deprecated, as the hook of one module is", &["register_module_backward_hook"]),
    (
        "torch.nn.modules.module",
        "members are fields, which are registered by their type and not by a call",
        &[
            "register_module_buffer_registration_hook",
            "register_module_module_registration_hook",
            "register_module_parameter_registration_hook",
        ],
    ),
    (
        "torch.nn.functional",
        PYTHON,
        &[
            "Optional",
            "assert_int_or_pair",
            "boolean_dispatch",
            "handle_torch_function",
            "has_torch_function",
            "has_torch_function_unary",
            "has_torch_function_variadic",
        ],
    ),
    (
        "torch.nn.functional",
        "products of 8-bit numbers with scales, for accelerators",
        &["scaled_addmm", "scaled_addmm_", "scaled_grouped_mm", "scaled_mm"],
    ),
    ("torch.nn.functional", "products of ragged groups, for accelerators", &["grouped_mm"]),
    ("torch.nn.functional", "deprecated: `interpolate`", &["upsample", "upsample_bilinear", "upsample_nearest"]),
    ("torch.nn.init", PYTHON, &["Literal"]),
    (
        "torch.nn.init",
        "deprecated: the same with `_` behind it",
        &[
            "constant",
            "dirac",
            "eye",
            "kaiming_normal",
            "kaiming_uniform",
            "normal",
            "orthogonal",
            "sparse",
            "uniform",
            "xavier_normal",
            "xavier_uniform",
        ],
    ),
    ("torch.nn.utils", "deprecated: `clip_grad_norm_`", &["clip_grad_norm"]),
    (
        "torch.nn.utils.parametrize",
        "moves Python classes from one module to another; register the parametrizations of both",
        &["transfer_parametrizations_and_params"],
    ),
    ("torch.nn.utils.prune", "the mask is all that the methods so far leave behind", &["PruningContainer"]),
    ("torch.nn.utils.rnn", PYTHON, &["NamedTuple", "Self", "bind", "copy_method_params"]),
    ("torch.optim", "there are no sparse gradients", &["SparseAdam"]),
    ("torch.optim.lr_scheduler", PYTHON, &["Any", "Counter", "Optimizer", "SupportsFloat", "Tensor", "partial", "ref"]),
    ("torch.amp", "user-written operations say themselves in which dtype they compute", &["custom_bwd", "custom_fwd"]),
    ("torch.utils.checkpoint", "errors are `Error`, of the kind `Runtime`", &["CheckpointError"]),
    (
        "torch.utils.checkpoint",
        "parts of the re-entrant form, which PyTorch advises against",
        &["CheckpointFunction", "check_backward_validity", "detach_variable", "get_device_states", "set_device_states"],
    ),
    (
        "torch.utils.checkpoint",
        "choosing operation by operation what is computed again needs Python's dispatch modes",
        &["CheckpointPolicy", "SelectiveCheckpointContext", "create_selective_checkpoint_contexts", "noop_context_fn"],
    ),
    ("torch.utils.checkpoint", "one kind of accelerator at a time", &["DefaultDeviceType"]),
    ("torch.utils.checkpoint", "overlapping backward passes each compute again", &["GraphExecGroup"]),
    (
        "torch.utils.checkpoint",
        "the second run goes on to its end, and errors always say what was given and expected",
        &["set_checkpoint_debug_enabled", "set_checkpoint_early_stop"],
    ),
];

/// The reasons of one module.
pub fn of(module: &str) -> Vec<(&'static str, &'static [&'static str])> {
    REASONS.iter().filter(|(of, ..)| *of == module).map(|(_, reason, names)| (*reason, *names)).collect()
}

/// The names of a module that are not here.
pub fn names(module: &str) -> Vec<&'static str> {
    of(module).into_iter().flat_map(|(_, names)| names.iter().copied()).collect()
}
