//! Which operations take complex tensors, and PyTorch's refusals of the others.

use crate::backend::Map;
use crate::{DType, Error, ErrorKind, Result, Tensor};

/// Operations that know complex numbers, by the names under which they resolve their operands. Only here is it said
/// that they do; whatever is not listed refuses.
#[rustfmt::skip]
const KNOWN: &[&str] = &[
    // Elementwise.
    "abs", "acos", "acosh", "add", "add_alpha", "addcdiv", "addcmul", "angle", "asin", "asinh", "atan", "atanh",
    "conj", "cos", "cosh", "div", "eq", "exp", "exp2", "expm1", "isclose", "isfinite", "isinf", "isnan", "ldexp",
    "lerp", "log", "log10", "log1p", "log2", "logaddexp", "logical_and", "logical_not", "logical_or", "logical_xor",
    "masked_fill", "mul", "nan_to_num", "ne", "neg", "positive", "pow", "reciprocal", "rpow", "rsqrt", "rsub",
    "sgn", "sigmoid", "silu", "sin", "sinc", "sinh", "sqrt", "sub", "sub_alpha", "tan", "tanh", "where",
    "where_self",
    // Parts.
    "complex", "imag", "polar", "real", "view_as_complex", "view_as_real",
    // Values, copies, casts.
    "alpha_dropout", "clone", "contiguous", "copy_", "dropout", "dropout1d", "dropout2d", "dropout3d",
    "feature_alpha_dropout", "feature_dropout", "fill_", "full_like", "item", "linspace", "new_full", "normal_", "rand_like",
    "randn_like", "set_data", "step", "sum_to_size", "to", "to_bytes", "to_vec", "uniform_", "write_bytes", "zero_",
    // Views.
    "T", "alias", "as_strided", "atleast_1d", "atleast_2d", "atleast_3d", "chunk", "diagonal", "dsplit", "expand",
    "expand_as", "flatten", "hsplit", "mT", "movedim", "narrow", "permute", "reshape", "reshape_as", "select",
    "slice", "split", "split_with_sizes", "squeeze", "t", "tensor_split", "transpose", "unbind", "unflatten",
    "unfold", "unsqueeze", "view", "view_as", "vsplit",
    // Elements moved.
    "as_strided_scatter", "block_diag", "broadcast_tensors", "cat", "channel_shuffle", "column_stack",
    "combinations", "constant_pad_nd", "diag", "diag_embed", "diagonal_scatter", "dstack", "embedding",
    "embedding_grad", "flip", "fliplr", "flipud", "gather", "hstack", "index", "index_add", "index_copy",
    "index_fill", "index_put", "index_select", "masked_scatter", "masked_select", "meshgrid", "nonzero",
    "nonzero_static", "pixel_shuffle", "pixel_unshuffle", "put", "repeat", "repeat_interleave", "roll", "rot90",
    "scatter", "select_scatter", "slice_scatter", "stack", "take", "take_along_dim", "tril", "triu", "vstack",
    // Reductions and products.
    "addbmm", "addmm", "addmv", "addr", "all", "any", "baddbmm", "bmm", "chain_matmul", "conv1d", "conv2d",
    "conv3d", "conv_input", "conv_weight", "convolution", "count_nonzero", "cumprod", "cumsum",
    "cumulative_trapezoid", "diff", "dot", "einsum", "gradient", "inner", "kron", "linalg.cross",
    "linalg.matrix_power", "linear", "logsumexp", "lstm", "matmul", "mean", "mm", "multi_dot", "mv", "norm", "outer",
    "prod", "std", "std_mean", "sum", "tensordot", "trace", "trapezoid", "var", "var_mean",
];

/// PyTorch's sentences for operations that refuse complex tensors, where they are not of the kind that [`refusal`]
/// makes; `{}` stands for the dtype.
#[rustfmt::skip]
const TEXTS: &[(&[&str], ErrorKind, &str)] = {
    use ErrorKind::{NotImplemented as No, Runtime, Type};
    &[
        (&["sign"], No, "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead."),
        (&["ceil"], No, "ceil is not supported for complex inputs"),
        (&["floor"], No, "floor is not supported for complex inputs"),
        (&["trunc"], No, "trunc is not supported for complex inputs"),
        (&["clamp", "relu", "relu6", "hardtanh"], No, "clamp is not supported for complex types"),
        (&["deg2rad"], No, "deg2rad is not supported for complex tensors."),
        (&["rad2deg"], No, "rad2deg is not supported for complex tensors."),
        (&["heaviside"], No, "heaviside is not yet implemented for complex tensors."),
        (&["signbit"], No, "signbit is not implemented for complex tensors."),
        (&["nansum", "nanmean"], No, "nansum on CPU does not support complex inputs"),
        (&["isposinf"], Type, "isposinf does not support complex inputs."),
        (&["isneginf"], Type, "isneginf does not support complex inputs."),
        (&["fmax"], Type, "fmax not implemented for complex tensors."),
        (&["fmin"], Type, "fmin not implemented for complex tensors."),
        (&["maximum"], Type, "maximum not implemented for complex tensors."),
        (&["minimum"], Type, "minimum not implemented for complex tensors."),
        (&["max_dim"], Type, "max(): does not support complex input"),
        (&["min_dim"], Type, "min(): does not support complex input"),
        (&["argmax"], Type, "argmax(): does not support complex input"),
        (&["argmin"], Type, "argmin(): does not support complex input"),
        (&["aminmax"], Type, "aminmax not implemented for {}"),
        (&["sort", "argsort", "msort"], Type, " Sort does not support complex dtypes on CPU"),
        (&["topk"], Type, " topk does not support complex dtypes on CPU"),
        (&["bitwise_not"], Type, "~ (operator.invert) is only implemented on integer and Boolean-type tensors"),
        (&["quantile", "nanquantile"], Runtime, "quantile() input tensor must be either float or double dtype"),
        (&["frexp"], Runtime, "torch.frexp() only supports floating-point dtypes"),
        (&["cdist"], Runtime, "cdist only supports floating-point dtypes, X1 got: {}"),
        (&["pdist"], Runtime, "pdist only supports floating-point dtypes"),
        (&["cosine_similarity"], Runtime, "expected common dtype to be floating point, yet common dtype is {}"),
        (&["kl_div"], Runtime, "kl_div: Complex inputs not supported."),
        (&["multinomial"], Runtime, "multinomial only supports floating-point dtypes for input, got: {}"),
        (&["randint_like"], Runtime, "check_random_bounds handles only integral, floating-point and boolean types"),
        (&["isin"], No, "Unsupported input type encountered for isin(): {}"),
    ]
};

/// Names of PyTorch's loops that are not the operation's with `_cpu` behind it.
#[rustfmt::skip]
const LOOPS: &[(&[&str], &str)] = &[
    (&["floor_divide"], "div_floor_cpu"),
    (&["clamp_min"], "maximum_cpu"), (&["clamp_max"], "minimum_cpu"),
    (&["amax"], "max_values_cpu"), (&["amin"], "min_values_cpu"), (&["max"], "max_all"), (&["min"], "min_all"),
    (&["nanmedian"], "median_cpu"),
    (&["round"], "round_vml_cpu"), (&["round_decimals"], "round_cpu"),
    (&["i0"], "i0_vml_cpu"), (&["erf", "ndtr"], "erf_vml_cpu"), (&["erfc"], "erfc_vml_cpu"), (&["erfinv"], "erfinv_vml_cpu"),
    (&["lgamma"], "lgamma_vml_cpu"), (&["digamma"], "digamma"), (&["polygamma"], "polygamma"),
    (&["bitwise_left_shift"], "lshift_cpu"), (&["bitwise_right_shift"], "rshift_cpu"),
    (&["softmax"], "softmax_lastdim_kernel_impl"), (&["log_softmax"], "log_softmax_lastdim_kernel_impl"),
    (&["layer_norm", "native_layer_norm"], "LayerNormKernelImpl"), (&["group_norm", "native_group_norm"], "GroupNormKernelImpl"),
    (&["batch_norm", "native_batch_norm", "instance_norm"], "batch_norm"),
    (&["max_pool1d", "max_pool2d"], "max_pool2d"), (&["max_pool3d"], "max_pool3d"),
    (&["gelu", "gelu_tanh"], "GeluKernelImpl"), (&["elu", "selu", "celu"], "elu_cpu"), (&["logsigmoid"], "log_sigmoid_cpu"),
    (&["softshrink"], "softshrink_check"), (&["rrelu", "rrelu_"], "rrelu_with_noise_out_cpu"),
    (&["mse_loss"], "mse_cpu"), (&["huber_loss"], "huber_cpu"), (&["smooth_l1_loss"], "smooth_l1_cpu"),
    (&["binary_cross_entropy"], "binary_cross_entropy"), (&["binary_cross_entropy_with_logits"], "log_sigmoid_cpu"),
    (&["nll_loss"], "nll_loss_out_frame"), (&["cross_entropy_loss"], "log_softmax_lastdim_kernel_impl"),
    (&["bernoulli"], "bernoulli_tensor_cpu_self_"), (&["bernoulli_"], "bernoulli_scalar_cpu_"), (&["random_"], "random_kernel_cpu"),
    (&["unique", "unique_consecutive"], "unique"), (&["searchsorted", "bucketize"], "searchsorted_out_cpu"),
    (&["logcumsumexp"], "logcumsumexp_out_cpu"), (&["div_rounding"], "div_trunc_cpu"),
];

/// Refuses a complex operand of an operation that knows real numbers only.
pub(crate) fn admit(op: &'static str, operand: &Tensor) -> Result<()> {
    if !operand.is_complex() || KNOWN.contains(&op) { Ok(()) } else { Err(refusal(op, operand.dtype())) }
}

/// Refuses an elementwise kernel without a formula for complex numbers.
pub(crate) fn check(op: &'static str, kernel: Map, dtype: DType) -> Result<()> {
    match crate::backend::cpu::complex::formula(kernel) {
        Some(_) => Ok(()),
        None => Err(refusal(op, dtype)),
    }
}

/// PyTorch's words where it refuses, too. What it has and Firebrick lacks is refused in the same words.
#[cold]
pub(crate) fn refusal(op: &'static str, dtype: DType) -> Error {
    let dtype = dtype.scalar_name();
    let named = |names: &[&str]| names.contains(&op);
    if let Some((_, kind, text)) = TEXTS.iter().find(|(names, ..)| named(names)) {
        let text = text.replace("{}", dtype);
        return match kind {
            ErrorKind::Type => Error::type_(op, text),
            ErrorKind::Runtime => Error::runtime(op, text),
            _ => Error::not_implemented(op, text),
        };
    }
    let own = format!("{op}_cpu");
    let name = LOOPS.iter().find(|(names, _)| named(names)).map_or(own.as_str(), |(_, name)| name);
    Error::not_implemented(op, format!("\"{name}\" not implemented for '{dtype}'"))
}
