//! What is here: the compiler finds each of these.

use firebrick::Device;
use firebrick::prelude::*;

macro_rules! items {
    (@text [$($base:ident)::+]) => { stringify!($($base)::+) };
    (@find [$($base:ident)::+] $name:ident) => { use firebrick::$($base)::+::$name as _; };
    ($table:ident = $($base:ident)::+; $($name:ident),* $(,)?) => {
        items! { @table $table [$($base)::+] $($name)* }
    };
    (@table $table:ident $base:tt $($name:ident)*) => {
        /// Items under PyTorch's own name.
        const $table: &[(&str, &str)] =
            &[$((stringify!($name), concat!(items!(@text $base), "::", stringify!($name)))),*];
        #[allow(unused_imports)]
        const _: () = {
            $(items! { @find $base $name })*
        };
    };
}

macro_rules! calls {
    ($table:ident ($($x:ident: $t:ty),*) $($name:literal => $($part:ident)::+ ($($arg:expr),*);)*) => {
        /// What goes by another name, or is a method.
        const $table: &[(&str, &str)] =
            &[$(($name, stringify!($($part)::+))),*];
        const _: () = {
            #[allow(dead_code, unused_must_use, unused_variables, clippy::let_unit_value)]
            fn found($($x: $t),*) {
                $(let _ = $($part)::+($($arg),*);)*
            }
        };
    };
}

items! { NN = nn;
    AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d, AdaptiveLogSoftmaxWithLoss, AdaptiveMaxPool1d,
    AdaptiveMaxPool2d, AdaptiveMaxPool3d, AlphaDropout, AvgPool1d, AvgPool2d, AvgPool3d, BCELoss,
    BCEWithLogitsLoss, BatchNorm1d, BatchNorm2d, BatchNorm3d, Bilinear, Buffer, CELU, CTCLoss, ChannelShuffle,
    CircularPad1d, CircularPad2d, CircularPad3d, ConstantPad1d, ConstantPad2d, ConstantPad3d, Conv1d, Conv2d,
    Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, CosineEmbeddingLoss, CosineSimilarity,
    CrossEntropyLoss, CrossMapLRN2d, Dropout, Dropout1d, Dropout2d, Dropout3d, ELU, Embedding, EmbeddingBag,
    FeatureAlphaDropout, Flatten, Fold, FractionalMaxPool2d, FractionalMaxPool3d, GELU, GLU, GRU, GRUCell,
    GaussianNLLLoss, GroupNorm, Hardshrink, Hardsigmoid, Hardswish, Hardtanh, HingeEmbeddingLoss, HuberLoss,
    Identity, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, KLDivLoss, L1Loss, LPPool1d, LPPool2d, LPPool3d,
    LSTM, LSTMCell, LayerNorm, LeakyReLU, Linear, LinearCrossEntropyLoss, LocalResponseNorm, LogSigmoid,
    LogSoftmax, MSELoss, MarginRankingLoss, MaxPool1d, MaxPool2d, MaxPool3d, MaxUnpool1d, MaxUnpool2d,
    MaxUnpool3d, Mish, Module, ModuleDict, ModuleList, MultiLabelMarginLoss, MultiLabelSoftMarginLoss,
    MultiMarginLoss, MultiheadAttention, NLLLoss, PReLU, PairwiseDistance, Parameter, ParameterDict,
    ParameterList, PixelShuffle, PixelUnshuffle, PoissonNLLLoss, RMSNorm, RNN, RNNCell, RReLU, ReLU, ReLU6,
    ReflectionPad1d, ReflectionPad2d, ReflectionPad3d, ReplicationPad1d, ReplicationPad2d, ReplicationPad3d,
    SELU, Sequential, SiLU, Sigmoid, SmoothL1Loss, SoftMarginLoss, Softmax, Softmax2d, Softmin, Softplus,
    Softshrink, Softsign, Tanh, Tanhshrink, Threshold, Transformer, TransformerDecoder, TransformerDecoderLayer,
    TransformerEncoder, TransformerEncoderLayer, TripletMarginLoss, TripletMarginWithDistanceLoss, Unflatten,
    Unfold, Upsample, UpsamplingBilinear2d, UpsamplingNearest2d, ZeroPad1d, ZeroPad2d, ZeroPad3d,
}
calls! { NN_LAZY ()
    "LazyBatchNorm1d" => nn::BatchNorm1d::lazy();
    "LazyBatchNorm2d" => nn::BatchNorm2d::lazy();
    "LazyBatchNorm3d" => nn::BatchNorm3d::lazy();
    "LazyInstanceNorm1d" => nn::InstanceNorm1d::lazy();
    "LazyInstanceNorm2d" => nn::InstanceNorm2d::lazy();
    "LazyInstanceNorm3d" => nn::InstanceNorm3d::lazy();
    "LazyLinear" => nn::Linear::lazy(1);
    "LazyConv1d" => nn::Conv1d::lazy(1, 1);
    "LazyConv2d" => nn::Conv2d::lazy(1, 1);
    "LazyConv3d" => nn::Conv3d::lazy(1, 1);
    "LazyConvTranspose1d" => nn::ConvTranspose1d::lazy(1, 1);
    "LazyConvTranspose2d" => nn::ConvTranspose2d::lazy(1, 1);
    "LazyConvTranspose3d" => nn::ConvTranspose3d::lazy(1, 1);
    "UninitializedParameter" => nn::Parameter::uninitialized(DType::F32, Device::Cpu);
    "UninitializedBuffer" => nn::Buffer::uninitialized(DType::F32, Device::Cpu);
}
calls! { MODULE (m: &mut nn::Linear, x: &Tensor, state: &StateDict)
    "add_module" => nn::ModuleExt::add_module(m, "a", nn::Identity::new());
    "apply" => nn::ModuleExt::apply(m, |_| Ok(()));
    "bfloat16" => nn::ModuleExt::bfloat16(m);
    "buffers" => nn::Module::buffers(m);
    "children" => nn::Module::children(m);
    "cpu" => nn::ModuleExt::cpu(m);
    "double" => nn::ModuleExt::double(m);
    "eval" => nn::ModuleExt::eval(m);
    "extra_repr" => nn::Custom::extra_repr(m);
    "float" => nn::ModuleExt::float(m);
    "forward" => nn::Forward::forward(m, x.clone());
    "get_buffer" => nn::Module::get_buffer(m, "a");
    "get_extra_state" => nn::Custom::get_extra_state(m);
    "get_parameter" => nn::Module::get_parameter(m, "a");
    "get_submodule" => nn::Module::get_submodule(m, "a");
    "half" => nn::ModuleExt::half(m);
    "load_state_dict" => nn::Module::load_state_dict(m, state);
    "modules" => nn::Module::modules(m);
    "named_buffers" => nn::Module::named_buffers(m);
    "named_children" => nn::Module::named_children(m);
    "named_modules" => nn::Module::named_modules(m);
    "named_parameters" => nn::Module::named_parameters(m);
    "parameters" => nn::Module::parameters(m);
    "register_buffer" => nn::Module::register_buffer(m, "a", None);
    "register_forward_hook" => nn::Call::register_forward_hook(m, |_, _: &Tensor, _: &Tensor| Ok(None));
    "register_forward_pre_hook" => nn::Call::register_forward_pre_hook(m, |_, _: &Tensor| Ok(None));
    "register_full_backward_hook" => nn::ModuleExt::register_full_backward_hook(m, nn::HookOptions::new(), |_, _, _| Ok(None));
    "register_full_backward_pre_hook" => nn::ModuleExt::register_full_backward_pre_hook(m, nn::HookOptions::new(), |_, _| Ok(None));
    "register_load_state_dict_post_hook" => nn::ModuleExt::register_load_state_dict_post_hook(m, |_, _| Ok(()));
    "register_load_state_dict_pre_hook" => nn::ModuleExt::register_load_state_dict_pre_hook(m, |_, _| Ok(()));
    "register_module" => nn::ModuleExt::register_module(m, "a", nn::Identity::new());
    "register_parameter" => nn::Module::register_parameter(m, "a", None);
    "register_state_dict_post_hook" => nn::ModuleExt::register_state_dict_post_hook(m, |_, _, _| ());
    "register_state_dict_pre_hook" => nn::ModuleExt::register_state_dict_pre_hook(m, |_, _, _| ());
    "requires_grad_" => nn::ModuleExt::requires_grad_(m, true);
    "set_extra_state" => nn::Custom::set_extra_state(m, x);
    "set_submodule" => nn::ModuleExt::set_submodule(m, "a", nn::Identity::new());
    "share_memory" => nn::ModuleExt::share_memory(m);
    "state_dict" => nn::Module::state_dict(m);
    "to" => nn::ModuleExt::to(m, DType::F64);
    "to_empty" => nn::ModuleExt::to_empty(m, Device::Cpu);
    "train" => nn::ModuleExt::train(m, true);
    "type" => nn::ModuleExt::type_(m, DType::F64);
    "zero_grad" => nn::Module::zero_grad(m);
}
calls! { SEQUENTIAL (l: &mut nn::Sequential)
    "append" => nn::Sequential::append(l, nn::Identity::new());
    "extend" => nn::Sequential::extend(l, nn::Sequential::new());
    "insert" => nn::Sequential::insert(l, 0, nn::Identity::new());
    "pop" => nn::Sequential::pop(l, 0);
}
calls! { MODULE_LIST (l: &mut nn::ModuleList<nn::Identity>)
    "append" => nn::ModuleList::append(l, nn::Identity::new());
    "extend" => nn::ModuleList::extend(l, [nn::Identity::new()]);
    "insert" => nn::ModuleList::insert(l, 0, nn::Identity::new());
    "pop" => nn::ModuleList::pop(l, 0);
}
calls! { MODULE_DICT (l: &mut nn::ModuleDict<nn::Identity>)
    "clear" => nn::ModuleDict::clear(l);
    "items" => nn::ModuleDict::iter(l);
    "keys" => nn::ModuleDict::keys(l);
    "pop" => nn::ModuleDict::pop(l, "a");
    "update" => nn::ModuleDict::update(l, [("a", nn::Identity::new())]);
    "values" => nn::ModuleDict::values(l);
}
calls! { PARAMETER_LIST (l: &mut nn::ParameterList, p: &Parameter)
    "append" => nn::ParameterList::append(l, p.clone());
    "extend" => nn::ParameterList::extend(l, [p.clone()]);
}
calls! { PARAMETER_DICT (l: &mut nn::ParameterDict, p: &Parameter)
    "clear" => nn::ParameterDict::clear(l);
    "copy" => nn::ParameterDict::copy(l);
    "fromkeys" => nn::ParameterDict::from_keys(["a"], p);
    "get" => nn::ParameterDict::get(l, "a");
    "items" => nn::ParameterDict::iter(l);
    "keys" => nn::ParameterDict::keys(l);
    "pop" => nn::ParameterDict::pop(l, "a");
    "popitem" => nn::ParameterDict::pop_item(l);
    "setdefault" => nn::ParameterDict::set_default(l, "a", p.clone());
    "update" => nn::ParameterDict::update(l, [("a", p.clone())]);
    "values" => nn::ParameterDict::values(l);
}
items! { MODULE_HOOKS = nn;
    register_module_forward_hook, register_module_forward_pre_hook, register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
}
items! { FUNCTIONAL = nn::functional;
    adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d, adaptive_max_pool1d,
    adaptive_max_pool1d_with_indices, adaptive_max_pool2d, adaptive_max_pool2d_with_indices,
    adaptive_max_pool3d, adaptive_max_pool3d_with_indices, affine_grid, alpha_dropout, avg_pool1d, avg_pool2d,
    avg_pool3d, batch_norm, bilinear, binary_cross_entropy, binary_cross_entropy_with_logits, celu,
    channel_shuffle, conv1d, conv2d, conv3d, conv_tbc, conv_transpose1d, conv_transpose2d, conv_transpose3d,
    cosine_embedding_loss, cosine_similarity, cross_entropy, ctc_loss, dropout, dropout1d, dropout2d, dropout3d,
    elu, embedding, embedding_bag, feature_alpha_dropout, fold, fractional_max_pool2d,
    fractional_max_pool2d_with_indices, fractional_max_pool3d, fractional_max_pool3d_with_indices,
    gaussian_nll_loss, gelu, glu, grid_sample, group_norm, gumbel_softmax, hardshrink, hardsigmoid, hardswish,
    hardtanh, hinge_embedding_loss, huber_loss, instance_norm, interpolate, kl_div, l1_loss, layer_norm,
    leaky_relu, linear, linear_cross_entropy, local_response_norm, log_softmax, logsigmoid, lp_pool1d,
    lp_pool2d, lp_pool3d, margin_ranking_loss, max_pool1d, max_pool1d_with_indices, max_pool2d,
    max_pool2d_with_indices, max_pool3d, max_pool3d_with_indices, max_unpool1d, max_unpool2d, max_unpool3d,
    mish, mse_loss, multi_head_attention_forward, multi_margin_loss, multilabel_margin_loss,
    multilabel_soft_margin_loss, native_channel_shuffle, nll_loss, normalize, one_hot, pad, pairwise_distance,
    pdist, pixel_shuffle, pixel_unshuffle, poisson_nll_loss, prelu, relu, relu6, rms_norm, rrelu,
    scaled_dot_product_attention, selu, sigmoid, silu, smooth_l1_loss, soft_margin_loss, softmax, softmin,
    softplus, softshrink, softsign, tanh, tanhshrink, threshold, triplet_margin_loss,
    triplet_margin_with_distance_loss, unfold,
}
calls! { IN_PLACE (x: &Tensor)
    "celu_" => Tensor::celu_(x, 1.0);
    "elu_" => Tensor::elu_(x, 1.0);
    "hardtanh_" => Tensor::hardtanh_(x, -1.0, 1.0);
    "leaky_relu_" => Tensor::leaky_relu_(x, 0.1);
    "relu_" => Tensor::relu_(x);
    "rrelu_" => Tensor::rrelu_(x, 0.1, 0.2, true);
    "selu_" => Tensor::selu_(x);
    "threshold_" => Tensor::threshold_(x, 0.0, 1.0);
}
items! { INIT = nn::init;
    calculate_gain, constant_, dirac_, eye_, kaiming_normal_, kaiming_uniform_, normal_, ones_, orthogonal_,
    sparse_, trunc_normal_, uniform_, xavier_normal_, xavier_uniform_, zeros_,
}
items! { UTILS = nn::utils;
    clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, convert_conv2d_weight_memory_format,
    convert_conv3d_weight_memory_format, fuse_conv_bn_eval, fuse_conv_bn_weights,
    fuse_linear_bn_eval, fuse_linear_bn_weights, get_total_norm, parameters_to_vector, remove_spectral_norm,
    remove_weight_norm, skip_init, spectral_norm, vector_to_parameters, weight_norm,
}
items! { PARAMETRIZATIONS = nn::utils::parametrizations;
    orthogonal, spectral_norm, weight_norm,
}
items! { PARAMETRIZE = nn::utils::parametrize;
    ParametrizationList, cached, is_parametrized, register_parametrization, remove_parametrizations,
}
calls! { BEFORE (m: &nn::Linear)
    "type_before_parametrizations" => nn::Module::type_name(m);
}
items! { PRUNE = nn::utils::prune;
    CustomFromMask, Identity, L1Unstructured, LnStructured, RandomStructured, RandomUnstructured,
    custom_from_mask, global_unstructured, identity, is_pruned, l1_unstructured, ln_structured,
    random_structured, random_unstructured, remove,
}
calls! { PRUNE_BASE (m: &dyn nn::utils::prune::PruningMethod, x: &Tensor)
    "BasePruningMethod" => nn::utils::prune::PruningMethod::prune(m, x, None, None);
}
items! { RNN = nn::utils::rnn;
    PackedSequence, invert_permutation, pack_padded_sequence, pack_sequence, pad_packed_sequence, pad_sequence,
    unpack_sequence, unpad_sequence,
}
items! { STATELESS = nn;
    functional_call,
}
items! { OPTIM = optim;
    ASGD, Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, LBFGS, Muon, NAdam, Optimizer, RAdam, RMSprop,
    Rprop, SGD,
}
items! { SCHEDULERS = optim::lr_scheduler;
    ChainedScheduler, ConstantLR, CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR, ExponentialLR,
    LambdaLR, LinearLR, MultiStepLR, MultiplicativeLR, OneCycleLR, PolynomialLR, ReduceLROnPlateau,
    SequentialLR, StepLR,
}
calls! { SCHEDULER (s: &dyn optim::lr_scheduler::LrScheduler)
    "LRScheduler" => optim::lr_scheduler::LrScheduler::get_last_lr(s);
}
items! { SWA = optim::swa_utils;
    AveragedModel, get_ema_avg_fn, get_ema_multi_avg_fn, get_swa_avg_fn, get_swa_multi_avg_fn, update_bn,
}
items! { SWALR = optim::lr_scheduler;
    SWALR,
}
items! { AMP = amp;
    GradScaler, autocast, is_autocast_available,
}
items! { CHECKPOINT = utils::checkpoint;
    checkpoint, checkpoint_sequential,
}

/// Names, each with its path.
type Table = &'static [(&'static str, &'static str)];

/// Each of PyTorch's modules: what stands for it, and what is found of it.
#[rustfmt::skip]
const MODULES: &[(&str, &str, &[Table])] = &[
    ("torch.nn", "nn", &[NN, NN_LAZY]),
    ("torch.nn.Module", "nn::Module", &[MODULE]),
    ("torch.nn.Sequential", "nn::Sequential", &[SEQUENTIAL]),
    ("torch.nn.ModuleList", "nn::ModuleList", &[MODULE_LIST]),
    ("torch.nn.ModuleDict", "nn::ModuleDict", &[MODULE_DICT]),
    ("torch.nn.ParameterList", "nn::ParameterList", &[PARAMETER_LIST]),
    ("torch.nn.ParameterDict", "nn::ParameterDict", &[PARAMETER_DICT]),
    ("torch.nn.modules.module", "nn", &[MODULE_HOOKS]),
    ("torch.nn.functional", "nn::functional", &[FUNCTIONAL, IN_PLACE]),
    ("torch.nn.init", "nn::init", &[INIT]),
    ("torch.nn.utils", "nn::utils", &[UTILS]),
    ("torch.nn.utils.parametrizations", "nn::utils::parametrizations", &[PARAMETRIZATIONS]),
    ("torch.nn.utils.parametrize", "nn::utils::parametrize", &[PARAMETRIZE, BEFORE]),
    ("torch.nn.utils.prune", "nn::utils::prune", &[PRUNE, PRUNE_BASE]),
    ("torch.nn.utils.rnn", "nn::utils::rnn", &[RNN]),
    ("torch.nn.utils.stateless", "nn", &[STATELESS]),
    ("torch.optim", "optim", &[OPTIM]),
    ("torch.optim.lr_scheduler", "optim::lr_scheduler", &[SCHEDULERS, SCHEDULER]),
    ("torch.optim.swa_utils", "optim::swa_utils", &[SWA, SWALR]),
    ("torch.amp", "amp", &[AMP]),
    ("torch.utils.checkpoint", "utils::checkpoint", &[CHECKPOINT]),
];

/// The names of a module that are here, each with its path.
pub fn names(module: &str) -> Vec<(&'static str, String)> {
    let tables = MODULES.iter().filter(|(of, ..)| *of == module).flat_map(|(_, _, tables)| tables.iter());
    tables.flat_map(|table| table.iter()).map(|(name, path)| (*name, path.replace(' ', ""))).collect()
}

/// What stands for a module.
pub fn folder(module: &str) -> &'static str {
    MODULES.iter().find(|(of, ..)| *of == module).map_or("", |(_, folder, _)| folder)
}
