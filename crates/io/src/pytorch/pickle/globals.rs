//! The classes, functions and constants that a pickle may name.

use super::super::{Dtype, QScheme};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Global {
    OrderedDict,
    Counter,
    Set,
    Complex,
    ByteArray,
    /// `_codecs.encode`, by which protocol 2 writes `bytes`.
    Encode,
    Size,
    Device,
    Tensor,
    Parameter,
    GetLayout,
    Dtype(Dtype),
    QScheme(QScheme),
    /// A class of storages; `None` for those without a dtype.
    Storage(Option<Dtype>),
    RebuildTensor,
    RebuildTensorV2,
    RebuildTensorV3,
    RebuildParameter,
    RebuildParameterWithState,
    RebuildSparseTensor,
    RebuildQTensor,
    RebuildMetaTensor,
    RebuildFromCpuTensor,
    RebuildFromType,
}

/// Names without a rule.
const NAMES: &[(&str, &str, Global)] = &[
    ("collections", "OrderedDict", Global::OrderedDict),
    ("collections", "Counter", Global::Counter),
    ("builtins", "set", Global::Set),
    ("builtins", "complex", Global::Complex),
    ("builtins", "bytearray", Global::ByteArray),
    ("_codecs", "encode", Global::Encode),
    ("torch", "Size", Global::Size),
    ("torch", "device", Global::Device),
    ("torch", "Tensor", Global::Tensor),
    ("torch.nn.parameter", "Parameter", Global::Parameter),
    ("torch.serialization", "_get_layout", Global::GetLayout),
    ("torch.storage", "UntypedStorage", Global::Storage(None)),
    ("torch._utils", "_rebuild_tensor", Global::RebuildTensor),
    ("torch._utils", "_rebuild_tensor_v2", Global::RebuildTensorV2),
    ("torch._utils", "_rebuild_tensor_v3", Global::RebuildTensorV3),
    ("torch._utils", "_rebuild_parameter", Global::RebuildParameter),
    ("torch._utils", "_rebuild_parameter_with_state", Global::RebuildParameterWithState),
    ("torch._utils", "_rebuild_sparse_tensor", Global::RebuildSparseTensor),
    ("torch._utils", "_rebuild_qtensor", Global::RebuildQTensor),
    ("torch._utils", "_rebuild_meta_tensor_no_storage", Global::RebuildMetaTensor),
    ("torch._utils", "_rebuild_device_tensor_from_cpu_tensor", Global::RebuildFromCpuTensor),
    ("torch._tensor", "_rebuild_from_type_v2", Global::RebuildFromType),
];

impl Global {
    /// What a module's name stands for; `None` for all that is not needed.
    pub fn find(module: &str, name: &str) -> Option<Global> {
        // Protocol 2 writes Python 2's name of the module.
        let module = if module == "__builtin__" { "builtins" } else { module };
        if let Some((.., global)) = NAMES.iter().find(|entry| (entry.0, entry.1) == (module, name)) {
            return Some(*global);
        }
        match (module, Dtype::from_storage_class(name)) {
            ("torch" | "torch.cuda", Some(dtype)) => Some(Global::Storage(Some(dtype))),
            ("torch", None) if !name.contains('.') => {
                Dtype::from_name(name).map(Global::Dtype).or_else(|| QScheme::from_name(name).map(Global::QScheme))
            }
            _ => None,
        }
    }

    /// The module and name that are written.
    pub fn path(self) -> (&'static str, &'static str) {
        match self {
            Global::Dtype(dtype) => ("torch", dtype.name()),
            Global::QScheme(scheme) => ("torch", scheme.name()),
            Global::Storage(Some(dtype)) => ("torch", dtype.storage_class().unwrap_or("UntypedStorage")),
            other => {
                let listed = NAMES.iter().find(|(.., global)| *global == other);
                let (module, name, _) = listed.expect("every global that is no constant is in the list");
                (if *module == "builtins" { "__builtin__" } else { module }, name)
            }
        }
    }

    /// The name for messages.
    pub fn text(self) -> &'static str {
        self.path().1
    }
}
